//! The text of a configuration file: its settings with their lines, and everything that is wrong with its form. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::entry::Entry;
use super::error::ConfigProblem;
use super::given::Given;
use super::setting;
use super::source::Source;

/// What a file says.
#[derive(Default)]
pub(super) struct File {
    pub(super) profile: Option<Entry>,
    /// In the order of their lines.
    pub(super) entries: Vec<Entry>,
    pub(super) problems: Vec<ConfigProblem>,
}

/// Reads all that can be read. What stands on a line that breaks the grammar is not looked at any further.
pub(super) fn read(path: &str, text: &str) -> File {
    let (document, faults) = DeTable::parse_recoverable(text);
    let mut reader = Reader { lines: Lines::of(path, text), text, entries: Vec::new() };
    reader.walk("", document.get_ref());
    let Reader { lines, mut entries, .. } = reader;

    let mut broken = BTreeSet::new();
    let mut problems = Vec::new();
    for fault in faults {
        let start = fault.span().map_or(0, |span| span.start);
        if broken.insert(lines.number(start)) {
            problems.push(ConfigProblem::of_source(lines.source(start), fault.message()));
        }
    }
    entries.retain(|(start, _)| !broken.contains(&lines.number(*start)));
    entries.sort_by_key(|(start, _)| *start);
    let entries = entries.into_iter().map(|(_, entry)| entry);
    let (mut profiles, entries): (Vec<_>, Vec<_>) = entries.partition(|entry| entry.key == "profile");
    File { profile: profiles.pop(), entries, problems }
}

struct Reader<'t> {
    lines: Lines,
    text: &'t str,
    /// With where their values start.
    entries: Vec<(usize, Entry)>,
}

impl Reader<'_> {
    /// The parser bounds how deep tables lie in each other.
    fn walk(&mut self, group: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = join(group, name.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) if !inner.is_empty() => self.walk(&key, inner),
                DeValue::Table(_) if setting::is_group(&key) => {}
                // The parser puts this where it finds no value.
                _ if value.span().is_empty() => {}
                _ => self.take(key, value),
            }
        }
    }

    fn take(&mut self, key: String, value: &Spanned<DeValue<'_>>) {
        let start = value.span().start;
        let mut entry = Entry::new(key, given(value.get_ref()), self.lines.source(start));
        if let Some(written) = self.text.get(value.span()) {
            entry.written = written.to_owned();
        }
        self.entries.push((start, entry));
    }
}

/// A name with a dot in it is none of ours, and must not look like two.
fn join(group: &str, name: &str) -> String {
    let name = if name.contains('.') { format!("{name:?}") } else { name.to_owned() };
    if group.is_empty() { name } else { format!("{group}.{name}") }
}

fn given(value: &DeValue<'_>) -> Given {
    match value {
        DeValue::String(text) => Given::Text(text.to_string()),
        DeValue::Integer(number) => Given::Integer(integer(number)),
        DeValue::Float(number) => number.as_str().parse().map_or(Given::Other("a number"), Given::Float),
        DeValue::Boolean(switch) => Given::Switch(*switch),
        DeValue::Datetime(_) => Given::Other("a date"),
        DeValue::Array(items) => Given::List(items.iter().map(|item| given(item.get_ref())).collect()),
        DeValue::Table(_) => Given::Other("a table"),
    }
}

/// One with too many digits is out of any range.
fn integer(number: &DeInteger<'_>) -> i128 {
    i128::from_str_radix(number.as_str(), number.radix()).unwrap_or(i128::MAX)
}

/// Where the lines of a file begin.
struct Lines {
    path: Arc<str>,
    ends: Vec<usize>,
}

impl Lines {
    fn of(path: &str, text: &str) -> Self {
        Self { path: path.into(), ends: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    /// From 1 on.
    fn number(&self, at: usize) -> usize {
        self.ends.partition_point(|&end| end < at) + 1
    }

    fn source(&self, at: usize) -> Source {
        Source::File { path: self.path.clone(), line: self.number(at) }
    }
}
