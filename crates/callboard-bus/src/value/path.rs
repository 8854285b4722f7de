//! Where something lies inside a value.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use super::quoted::{Misquoted, Quoted, read_quoted};

/// The way from a value to something inside of it.
///
/// Three notations lead to the same place: `a.b[0].c`, `a.b.0.c` and, as a JSON pointer (RFC 6901), `/a/b/0/c`. `$` at
/// the beginning stands for the value itself. A key that is no word of letters, digits, `_` and `-` is put in quotes:
/// `a["odd key"]`, and `$["odd key"]` where it comes first. A path prints in the first notation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Vec<Segment>);

/// One step of a path: a key of an object, and if it is a number without leading zeros, a position in an array as well.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Segment {
    key: Arc<str>,
    index: Option<usize>,
}

/// A text that is no path.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected {expected} at byte {at} of the path {}", Quoted(.text))]
pub struct PathError {
    text: String,
    at: usize,
    expected: &'static str,
}

impl PathError {
    /// The offset in bytes of what is wrong.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// What should be there.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        self.expected
    }
}

impl Path {
    /// The way that ends where it begins.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Whether it ends where it begins.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Its steps.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The way one step further.
    #[must_use]
    pub fn join(&self, segment: impl Into<Segment>) -> Self {
        self.0.iter().cloned().chain([segment.into()]).collect()
    }

    /// Prints it with `$` at the beginning in any case.
    pub(crate) fn rooted(&self) -> impl fmt::Display + use<'_> {
        FromRoot(&self.0)
    }

    /// Reads the path that `input` begins with, up to where it cannot go on, and says how many bytes that took. What
    /// stands before the first `.` or `[` is `head` bytes long: `$`, or a word.
    pub(crate) fn read(input: &str, head: usize) -> Result<(Self, usize), Misquoted> {
        let mut segments = Vec::new();
        if &input[..head] != "$" {
            segments.push(input[..head].into());
        }
        let mut at = head;
        while let Some((segment, took)) = read_segment(&input[at..]).map_err(|(off, what)| (at + off, what))? {
            segments.push(segment);
            at += took;
        }
        Ok((Self(segments), at))
    }
}

/// Whether a key can stand in a path without quotes.
pub(crate) fn is_word(key: &str) -> bool {
    !key.is_empty() && word_length(key) == key.len()
}

/// How many bytes of `input` from its beginning belong to a word.
pub(crate) fn word_length(input: &str) -> usize {
    input.find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '-'))).unwrap_or(input.len())
}

fn read_segment(input: &str) -> Result<Option<(Segment, usize)>, Misquoted> {
    match input.as_bytes().first() {
        Some(b'.') => match word_length(&input[1..]) {
            0 => Err((1, "a key after the dot, in [\"\"] if it is no word")),
            length => Ok(Some((input[1..=length].into(), length + 1))),
        },
        Some(b'[') => {
            let (segment, took) = read_bracketed(&input[1..]).map_err(|(at, what)| (at + 1, what))?;
            Ok(Some((segment, took + 1)))
        }
        _ => Ok(None),
    }
}

fn read_bracketed(input: &str) -> Result<(Segment, usize), Misquoted> {
    let (segment, took) = if input.starts_with(['"', '\'']) {
        let (key, took) = read_quoted(input)?;
        (Segment::from(key.as_str()), took)
    } else {
        let digits = input.bytes().take_while(u8::is_ascii_digit).count();
        let segment = Segment::from(&input[..digits]);
        segment.index.ok_or((0, "a position without leading zeros, or a key in quotes"))?;
        (segment, digits)
    };
    let closes = input[took..].starts_with(']');
    if closes { Ok((segment, took + 1)) } else { Err((took, "]")) }
}

fn read_pointer(input: &str) -> Result<Path, Misquoted> {
    let mut at = 0;
    let tokens = input.split('/').skip(1).map(|token| {
        let begins = at + 1;
        at = begins + token.len();
        read_token(token).map_err(|(off, what)| (begins + off, what))
    });
    tokens.collect::<Result<_, _>>().map(Path)
}

fn read_token(token: &str) -> Result<Segment, Misquoted> {
    let escape = token.match_indices('~').find(|(at, _)| !token[at + 1..].starts_with(['0', '1']));
    if let Some((at, _)) = escape {
        return Err((at + 1, "0 or 1 after ~"));
    }
    Ok(token.replace("~1", "/").replace("~0", "~").as_str().into())
}

fn read_whole(text: &str) -> Result<Path, Misquoted> {
    let head = if text.starts_with('$') { 1 } else { word_length(text) };
    match text.as_bytes().first() {
        None => return Ok(Path::root()),
        Some(b'/') => return read_pointer(text),
        Some(_) if head == 0 => return Err((0, "a key, $ or /")),
        Some(_) => {}
    }
    let (path, took) = Path::read(text, head)?;
    if took == text.len() { Ok(path) } else { Err((took, ". or [")) }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        read_whole(text).map_err(|(at, expected)| PathError { text: text.to_owned(), at, expected })
    }
}

impl FromIterator<Segment> for Path {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self(segments.into_iter().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_first() {
            Some((first, rest)) if first.index.is_none() && is_word(&first.key) => {
                f.write_str(&first.key)?;
                write_segments(rest, f)
            }
            _ => self.rooted().fmt(f),
        }
    }
}

struct FromRoot<'a>(&'a [Segment]);

impl fmt::Display for FromRoot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        write_segments(self.0, f)
    }
}

fn write_segments(segments: &[Segment], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    segments.iter().try_for_each(|segment| match segment.index {
        Some(index) => write!(f, "[{index}]"),
        None if is_word(&segment.key) => write!(f, ".{}", segment.key),
        None => write!(f, "[{}]", Quoted(&segment.key)),
    })
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Segment {
    /// The key that it stands for in an object.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The position that it stands for in an array.
    #[must_use]
    pub fn index(&self) -> Option<usize> {
        self.index
    }
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::from(Arc::from(key))
    }
}

impl From<Arc<str>> for Segment {
    fn from(key: Arc<str>) -> Self {
        let is_plain = &*key == "0" || (!key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit()));
        Self { index: is_plain.then(|| key.parse().ok()).flatten(), key }
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self { key: index.to_string().into(), index: Some(index) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> Path {
        text.parse().unwrap()
    }

    #[test]
    fn three_notations_are_one_path() {
        let same: Path = [Segment::from("a"), "b".into(), 0.into(), "c".into()].into_iter().collect();
        for text in ["a.b[0].c", "a.b.0.c", "/a/b/0/c", "$.a.b[0].c", "a[\"b\"]['0'].c"] {
            assert_eq!(path(text), same, "{text}");
        }
        assert_eq!(same.to_string(), "a.b[0].c");
        assert_eq!(path("$"), Path::root());
        assert_eq!(path(""), Path::root());
        assert_eq!(path("/").segments()[0].key(), "");
        assert_eq!(path("/a~1b/c~0d/~01").to_string(), r#"$["a/b"]["c~d"]["~1"]"#);
        assert_eq!(path("$[\"odd key\"].x-1").to_string(), "$[\"odd key\"].x-1");
    }

    #[test]
    fn faults_name_their_offset() {
        let places = [
            ("a..b", 2, "a key after the dot, in [\"\"] if it is no word"),
            ("a.", 2, "a key after the dot, in [\"\"] if it is no word"),
            ("a[x]", 2, "a position without leading zeros, or a key in quotes"),
            ("a[007]", 2, "a position without leading zeros, or a key in quotes"),
            ("a[1", 3, "]"),
            ("a[\"x", 4, "the closing quote"),
            ("a b", 1, ". or ["),
            ("$x", 1, ". or ["),
            (" a", 0, "a key, $ or /"),
            ("/a/b~2", 5, "0 or 1 after ~"),
        ];
        for (text, at, expected) in places {
            let fault = text.parse::<Path>().unwrap_err();
            assert_eq!((fault.at(), fault.expected()), (at, expected), "{text}");
        }
        let fault = "a[1".parse::<Path>().unwrap_err().to_string();
        assert_eq!(fault, "expected ] at byte 3 of the path \"a[1\"");
    }

    proptest! {
        #[test]
        fn a_path_reads_back(keys in prop::collection::vec(prop_oneof!["[a-z0-9_.-]{0,4}", any::<String>(), "[0-9]{1,3}"], 0..5)) {
            let whole: Path = keys.iter().map(|key| Segment::from(key.as_str())).collect();
            prop_assert_eq!(path(&whole.to_string()), whole.clone());
            prop_assert_eq!(path(&whole.rooted().to_string()), whole.clone());
            let pointer: String = keys.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect();
            prop_assert_eq!(path(&pointer), whole.clone());
            let json = serde_json::to_string(&whole).unwrap();
            prop_assert_eq!(serde_json::from_str::<Path>(&json).unwrap(), whole);
        }

        #[test]
        fn no_text_is_too_strange(text: String, likely in r#"[a.\[\]"'$/~0-9 ä]{0,12}"#) {
            for text in [text, likely] {
                if let Ok(path) = text.parse::<Path>() {
                    prop_assert_eq!(path.to_string().parse::<Path>().unwrap(), path);
                }
            }
        }
    }
}
