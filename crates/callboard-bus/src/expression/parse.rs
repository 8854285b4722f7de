//! From text to an expression: recursive descent, one function per rule of the grammar.

use super::token::{Token, tokens, unexpected};
use super::{Expression, ExpressionError, Node, Operator};

/// Reads a whole expression.
pub(super) fn parse(text: &str) -> Result<Node, ExpressionError> {
    let (length, limit) = (text.len(), Expression::MAX_LENGTH);
    if length > limit {
        return Err(ExpressionError::TooLong { length, limit });
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, inside: 0 };
    let node = parser.expression()?;
    if parser.next < parser.tokens.len() { Err(parser.expected("an operator or the end")) } else { Ok(node) }
}

type Parsed = Result<Node, ExpressionError>;

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(usize, Token)>,
    next: usize,
    /// How many expressions are around the one that is being read.
    inside: usize,
}

impl Parser<'_> {
    fn expression(&mut self) -> Parsed {
        self.chain(&Token::Or, Self::all, Node::Any)
    }

    fn all(&mut self) -> Parsed {
        self.chain(&Token::And, Self::negation, Node::All)
    }

    fn negation(&mut self) -> Parsed {
        if !self.take(&Token::Not) {
            return self.comparison();
        }
        let inner = self.nested(Self::negation)?;
        Ok(Node::Not(Box::new(inner)))
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.operand()?;
        let Some(operator) = self.take_operator() else { return Ok(left) };
        let right = self.operand()?;
        Ok(Node::Compare(Box::new(left), operator, Box::new(right)))
    }

    fn operand(&mut self) -> Parsed {
        match self.tokens.get(self.next).map(|(_, token)| token.clone()) {
            Some(Token::Literal(value)) => self.advance(Node::Literal(value)),
            Some(Token::Path(path)) => self.advance(Node::Path(path)),
            Some(Token::Length) => self.length(),
            Some(Token::Open) => self.bracketed(),
            Some(Token::OpenList) => self.list(),
            _ => Err(self.expected("a path, a literal, len(, ( or [")),
        }
    }

    fn length(&mut self) -> Parsed {
        self.next += 1;
        let inner = self.bracketed()?;
        Ok(Node::Length(Box::new(inner)))
    }

    fn bracketed(&mut self) -> Parsed {
        self.require(&Token::Open, "(")?;
        let inner = self.nested(Self::expression)?;
        self.require(&Token::Close, "an operator or )")?;
        Ok(inner)
    }

    fn list(&mut self) -> Parsed {
        self.require(&Token::OpenList, "[")?;
        let mut items = Vec::new();
        while !self.take(&Token::CloseList) {
            if !items.is_empty() {
                self.require(&Token::Comma, ", or ]")?;
            }
            items.push(self.nested(Self::expression)?);
        }
        Ok(Node::List(items))
    }

    /// One or more of the same, with a word between them.
    fn chain(&mut self, between: &Token, part: fn(&mut Self) -> Parsed, join: fn(Vec<Node>) -> Node) -> Parsed {
        let first = part(self)?;
        let mut parts = vec![first];
        while self.take(between) {
            parts.push(part(self)?);
        }
        if parts.len() > 1 { Ok(join(parts)) } else { Ok(parts.swap_remove(0)) }
    }

    fn nested(&mut self, part: fn(&mut Self) -> Parsed) -> Parsed {
        let limit = Expression::MAX_DEPTH;
        if self.inside == limit {
            return Err(ExpressionError::TooDeep { at: self.at(), limit });
        }
        self.inside += 1;
        let node = part(self)?;
        self.inside -= 1;
        Ok(node)
    }

    fn advance(&mut self, node: Node) -> Parsed {
        self.next += 1;
        Ok(node)
    }

    fn take(&mut self, token: &Token) -> bool {
        let is_there = self.tokens.get(self.next).is_some_and(|(_, next)| next == token);
        self.next += usize::from(is_there);
        is_there
    }

    fn take_operator(&mut self) -> Option<Operator> {
        let Some((_, Token::Operator(operator))) = self.tokens.get(self.next) else { return None };
        self.next += 1;
        Some(*operator)
    }

    fn require(&mut self, token: &Token, expected: &'static str) -> Result<(), ExpressionError> {
        if self.take(token) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn expected(&self, expected: &'static str) -> ExpressionError {
        unexpected(self.text, self.at(), expected)
    }

    /// Where the next token stands.
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.trim_end().len(), |(at, _)| *at)
    }
}
