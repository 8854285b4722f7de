//! The tree of a YAML or JSON text in which every node knows its place. Pure.
//!
//! saphyr's parser gives the events with their spans; the tree is our own because a definition wants what loaders
//! throw away: the place of every key, and keys that are there twice. Aliases are refused, so the tree is never
//! larger than the text, and so is nesting beyond [`DEEPEST`], so whoever walks it may recurse.

mod surrogates;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use serde_json::Number;

use super::span::{At, Position};
use crate::fault::{Fault, FaultKind};

/// How many lists and maps may stand inside each other.
pub(crate) const DEEPEST: usize = 64;

/// A value of the file and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Position,
    /// Where the characters of a text begin, if they stand in the file one for one.
    pub(crate) inside: Option<Position>,
    pub(crate) kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file, repeated keys included.
    Map(Vec<(At<String>, Node)>),
}

impl Kind {
    /// In words, for a fault.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Node {
    /// The text with its place.
    pub(crate) fn text(&self) -> Option<At<String>> {
        let Kind::Text(text) = &self.kind else { return None };
        Some(At { value: text.clone(), at: Some(self.at), inside: self.inside })
    }

    /// The value without its places. Of a repeated key the last counts: whoever cares has looked for repeated ones.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            Kind::Null => serde_json::Value::Null,
            Kind::Bool(value) => (*value).into(),
            Kind::Number(value) => value.clone().into(),
            Kind::Text(value) => value.clone().into(),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => entries.iter().map(|(key, node)| (key.value.clone(), node.to_json())).collect(),
        }
    }
}

/// Reads the only document of a text.
///
/// # Errors
///
/// The first fault of the syntax: behind it nothing can be trusted to mean what it seems to.
pub(crate) fn parse(text: &str) -> Result<Node, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = surrogates::joined(text);
    let mut builder = Builder::default();
    for event in Parser::new_from_str(&text) {
        let (event, span) = event.map_err(|error| syntax(&error, &text))?;
        builder.take(event, span)?;
    }
    builder.root.ok_or_else(|| Fault::new(FaultKind::EmptyFile, Some(Position { line: 1, column: 1 })))
}

fn syntax(error: &ScanError, text: &str) -> Fault {
    let at = error.marker();
    // saphyr counts the bytes of a directive and not its characters, so the place may be beyond the end of the line.
    let place = position(at.line(), at.col().min(line_length(text, at.line())));
    if error.info().contains("recursion") {
        return Fault::new(FaultKind::TooDeep { deepest: DEEPEST }, Some(place));
    }
    Fault::new(FaultKind::Syntax { reason: error.info().to_owned() }, Some(place))
}

/// In characters. The end of a text is a line of its own.
fn line_length(text: &str, line: usize) -> usize {
    let text = text.replace("\r\n", "\n");
    text.split(['\n', '\r']).nth(line.saturating_sub(1)).map_or(0, |line| line.chars().count())
}

fn position(line: usize, column: usize) -> Position {
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: narrow(line).max(1), column: narrow(column).saturating_add(1) }
}

/// A list or map that has begun.
struct Open {
    at: Position,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<(At<String>, Node)>, key: Option<At<String>> },
}

/// Puts the events together. The stack is its own, so nesting does not use that of the thread.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    documents: u32,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let at = position(span.start.line(), span.start.col());
        match event {
            Event::Scalar(.., Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                Err(Fault::new(FaultKind::Tag, Some(at)))
            }
            Event::Alias(_) => Err(Fault::new(FaultKind::Alias, Some(at))),
            Event::DocumentStart(_) => self.begin_document(at),
            Event::Scalar(text, style, ..) => self.put(scalar(&text, style, span, at)),
            Event::SequenceStart(..) => self.begin(at, Content::List(Vec::new())),
            Event::MappingStart(..) => self.begin(at, Content::Map { entries: Vec::new(), key: None }),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin_document(&mut self, at: Position) -> Result<(), Fault> {
        self.documents += 1;
        if self.documents > 1 { Err(Fault::new(FaultKind::SeveralDocuments, Some(at))) } else { Ok(()) }
    }

    fn begin(&mut self, at: Position, content: Content) -> Result<(), Fault> {
        if let Some(Open { content: Content::Map { key: None, .. }, .. }) = self.open.last() {
            return Err(Fault::new(FaultKind::KeyIsNotText, Some(at)));
        }
        if self.open.len() == DEEPEST {
            return Err(Fault::new(FaultKind::TooDeep { deepest: DEEPEST }, Some(at)));
        }
        self.open.push(Open { at, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(Open { at, content }) = self.open.pop() else { return Ok(()) };
        let kind = match content {
            Content::List(items) => Kind::List(items),
            Content::Map { entries, .. } => Kind::Map(entries),
        };
        self.put(Node { at, inside: None, kind })
    }

    fn put(&mut self, node: Node) -> Result<(), Fault> {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(key_of(node)?),
            },
        }
        Ok(())
    }
}

/// A number or a word like `true` is a key by its spelling, as JSON would have it in quotation marks.
fn key_of(node: Node) -> Result<At<String>, Fault> {
    let text = match node.kind {
        Kind::Text(text) => text,
        Kind::Number(number) => number.to_string(),
        Kind::Bool(value) => value.to_string(),
        Kind::Null | Kind::List(_) | Kind::Map(_) => return Err(Fault::new(FaultKind::KeyIsNotText, Some(node.at))),
    };
    Ok(At { value: text, at: Some(node.at), inside: node.inside })
}

fn scalar(text: &str, style: ScalarStyle, span: Span, at: Position) -> Node {
    let kind = if style == ScalarStyle::Plain { plain(text) } else { Kind::Text(text.to_owned()) };
    Node { at, inside: inside(text, style, span, at), kind }
}

/// Where the characters begin, unless escapes or folded lines have moved them.
fn inside(text: &str, style: ScalarStyle, span: Span, at: Position) -> Option<Position> {
    let marks = usize::from(matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted));
    let written = span.end.index().checked_sub(span.start.index() + 2 * marks);
    (span.start.line() == span.end.line() && written == Some(text.chars().count())).then(|| at.right(marks))
}

/// A word without quotation marks, by the core schema of YAML 1.2 (section 10.3.2), without octal and hexadecimal
/// numbers and without the numbers that JSON does not have.
fn plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ => number(text).map_or_else(|| Kind::Text(text.to_owned()), Kind::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let starts = |text: &str| text.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    if !starts(text.strip_prefix(['-', '+']).unwrap_or(text)) {
        return None;
    }
    let whole = text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from));
    whole.ok().or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64))
}
