//! The words and signs of an expression.

use super::{ExpressionError, Operator};
use crate::value::{Path, Value, read_quoted, word_length};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Literal(Value),
    Path(Path),
    Operator(Operator),
    And,
    Or,
    Not,
    Length,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
}

/// Signs, the longer ones first where one begins like another.
const SIGNS: [(&str, Token); 11] = [
    ("==", Token::Operator(Operator::Equal)),
    ("!=", Token::Operator(Operator::Unequal)),
    ("<=", Token::Operator(Operator::LessOrEqual)),
    (">=", Token::Operator(Operator::GreaterOrEqual)),
    ("<", Token::Operator(Operator::Less)),
    (">", Token::Operator(Operator::Greater)),
    ("(", Token::Open),
    (")", Token::Close),
    ("[", Token::OpenList),
    ("]", Token::CloseList),
    (",", Token::Comma),
];

/// All tokens of a text, each with its offset.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ExpressionError> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        if at == text.len() {
            return Ok(tokens);
        }
        let read = read_token(&text[at..]);
        let (token, took) = read.map_err(|(off, expected)| unexpected(text, at + off, expected))?;
        tokens.push((at, token));
        at += took;
    }
}

/// A fault that shows the beginning of what stands at the offset.
pub(super) fn unexpected(text: &str, at: usize, expected: &'static str) -> ExpressionError {
    let rest = text[at..].trim_end();
    let end = rest.char_indices().nth(16).map_or(rest.len(), |(end, _)| end);
    let found = if rest.is_empty() { "the end".to_owned() } else { format!("{:?}", &rest[..end]) };
    ExpressionError::Unexpected { at, expected, found }
}

/// Whether a word at the beginning of a path would be read as something else.
pub(super) fn is_reserved(word: &str) -> bool {
    keyword(word).is_some()
}

/// Whether a word can stand at the beginning of a path.
pub(super) fn begins_path(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

fn keyword(word: &str) -> Option<Token> {
    Some(match word {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        "in" => Token::Operator(Operator::In),
        "contains" => Token::Operator(Operator::Contains),
        "null" => Token::Literal(Value::Null),
        "true" => Token::Literal(Value::Bool(true)),
        "false" => Token::Literal(Value::Bool(false)),
        _ => return None,
    })
}

type Read = Result<(Token, usize), (usize, &'static str)>;

fn read_token(rest: &str) -> Read {
    let sign = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
    if let Some((sign, token)) = sign {
        return Ok((token.clone(), sign.len()));
    }
    match rest.as_bytes()[0] {
        b'"' | b'\'' => read_quoted(rest).map(|(text, took)| (Token::Literal(text.into()), took)),
        b'-' | b'0'..=b'9' => read_number(rest),
        b'$' => read_path(rest, 1),
        _ => read_word(rest),
    }
}

fn read_number(rest: &str) -> Read {
    let belongs = |letter: char| letter.is_alphanumeric() || matches!(letter, '+' | '-' | '.' | '_');
    let took = rest.find(|letter| !belongs(letter)).unwrap_or(rest.len());
    let number = serde_json::from_str(&rest[..took]).map_err(|_| (0, "a number as in JSON"))?;
    Ok((Token::Literal(number), took))
}

fn read_word(rest: &str) -> Read {
    let length = word_length(rest);
    let (word, after) = rest.split_at(length);
    if !begins_path(word) {
        return Err((0, "a path, a literal or an operator"));
    }
    match keyword(word) {
        Some(token) => Ok((token, length)),
        None if word == "len" && after.trim_start().starts_with('(') => Ok((Token::Length, length)),
        None => read_path(rest, length),
    }
}

fn read_path(rest: &str, head: usize) -> Read {
    Path::read(rest, head).map(|(path, took)| (Token::Path(path), took))
}
