//! Where something stands in a file.

use std::fmt;

use serde::Serialize;

/// A place in a file, both counted from 1 and the column in characters, as editors show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The character in the line.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl Position {
    /// So many characters further on in the same line.
    pub(crate) fn right(self, characters: usize) -> Self {
        let characters = u32::try_from(characters).unwrap_or(u32::MAX);
        Self { column: self.column.saturating_add(characters), ..self }
    }
}

/// A value and where it was written. What was built in Rust was written nowhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) at: Option<Position>,
    /// Where the characters of a text begin, if they stand in the file one for one: behind the quotation mark.
    pub(crate) inside: Option<Position>,
}

impl<T> At<T> {
    pub(crate) fn place(value: T, at: Position) -> Self {
        Self { value, at: Some(at), inside: None }
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> At<U> {
        At { value: change(self.value), at: self.at, inside: self.inside }
    }

    /// The place of one character of a text, as near as it is known.
    pub(crate) fn character(&self, index: usize) -> Option<Position> {
        self.inside.map(|start| start.right(index)).or(self.at)
    }
}

impl<T> From<T> for At<T> {
    fn from(value: T) -> Self {
        Self { value, at: None, inside: None }
    }
}
