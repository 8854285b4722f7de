//! The fields of a map, and the types that values have.

use std::collections::HashSet;
use std::time::Duration;

use callboard_bus::near::nearest;
use callboard_bus::time;

use super::Reader;
use super::node::{Kind, Node};
use super::span::{At, Position};
use crate::fault::FaultKind;

/// A field that a map may have.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) required: bool,
}

impl Field {
    pub(super) const fn required(name: &'static str) -> Self {
        Self { name, required: true }
    }

    pub(super) const fn optional(name: &'static str) -> Self {
        Self { name, required: false }
    }
}

/// The known fields of a map that are there and not null, each once.
#[derive(Debug)]
pub(super) struct Fields<'a>(Vec<(&'static str, &'a Node)>);

impl<'a> Fields<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a Node> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, node)| *node)
    }
}

impl Reader {
    /// The fields of a map: unknown, repeated and missing ones are faults.
    pub(super) fn fields<'a>(&mut self, node: &'a Node, of: &str, known: &[Field]) -> Option<Fields<'a>> {
        let Kind::Map(_) = &node.kind else { return self.wrong(node, of, "a map") };
        let mut fields = Vec::new();
        for (key, value) in self.entries(node, of) {
            match known.iter().find(|field| field.name == key.value) {
                Some(field) if matches!(value.kind, Kind::Null) => self.missing(field, of, value.at),
                Some(field) => fields.push((field.name, value)),
                None => self.unknown_field(key, of, known),
            }
        }
        for field in known.iter().filter(|field| field.required) {
            if !has_key(node, field.name) {
                self.missing(field, of, node.at);
            }
        }
        Some(Fields(fields))
    }

    /// The entries of a map, the first of every key; a repeated key is a fault.
    pub(super) fn entries<'a>(&mut self, node: &'a Node, of: &str) -> Vec<&'a (At<String>, Node)> {
        let Kind::Map(entries) = &node.kind else {
            return self.wrong(node, of, "a map").unwrap_or_default();
        };
        let mut seen = HashSet::new();
        let (first, repeated): (Vec<_>, Vec<_>) = entries.iter().partition(|(key, _)| seen.insert(&key.value));
        for (key, node) in repeated {
            let kind = FaultKind::DuplicateKey { key: key.value.clone(), of: of.to_owned() };
            self.fault(kind, key.at.unwrap_or(node.at));
        }
        first
    }

    pub(super) fn list<'a>(&mut self, node: &'a Node, field: &str) -> Option<&'a [Node]> {
        if let Kind::List(items) = &node.kind { Some(items) } else { self.wrong(node, field, "a list") }
    }

    pub(super) fn text(&mut self, node: &Node, field: &str) -> Option<At<String>> {
        node.text().or_else(|| self.wrong(node, field, "a text"))
    }

    /// A whole number from 0 to `u32::MAX`. Whether 0 makes sense is for the check to say.
    pub(super) fn whole(&mut self, node: &Node, field: &str) -> Option<At<u32>> {
        let Kind::Number(number) = &node.kind else { return self.wrong(node, field, "a whole number") };
        let small = || FaultKind::TooSmall { field: field.to_owned(), found: number.to_string(), least: "1" };
        let large =
            || FaultKind::TooLarge { field: field.to_owned(), found: number.to_string(), most: u32::MAX.to_string() };
        match number.as_u64() {
            Some(whole) if whole <= u64::from(u32::MAX) => {
                return u32::try_from(whole).ok().map(|whole| At::place(whole, node.at));
            }
            Some(_) => self.fault(large(), node.at),
            None if number.as_i64().is_some() => self.fault(small(), node.at),
            None => return self.wrong(node, field, "a whole number"),
        }
        None
    }

    /// A length of time; a bare number is seconds.
    pub(super) fn duration(&mut self, node: &Node, field: &str) -> Option<At<Duration>> {
        let duration = match &node.kind {
            Kind::Number(number) => number.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            Kind::Text(text) => time::parse(text),
            _ => return self.wrong(node, field, "a length of time"),
        };
        if duration.is_none() {
            let found = node.text().map_or_else(|| node.to_json().to_string(), |text| text.value);
            self.fault(FaultKind::BadDuration { field: field.to_owned(), found }, node.at);
        }
        duration.map(|duration| At::place(duration, node.at))
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        node: &Node,
        field: &str,
        words: &[(&str, T)],
        known: &'static str,
    ) -> Option<T> {
        let text = self.text(node, field)?.value;
        let word = words.iter().find(|(word, _)| *word == text);
        if word.is_none() {
            let near = nearest(&text, words.iter().map(|(word, _)| *word));
            self.fault(FaultKind::UnknownWord { field: field.to_owned(), found: text, known, near }, node.at);
        }
        word.map(|(_, value)| *value)
    }

    pub(super) fn text_field(&mut self, fields: &Fields<'_>, name: &str, of: &str) -> Option<At<String>> {
        self.text(fields.get(name)?, &named(name, of))
    }

    pub(super) fn texts_field(&mut self, fields: &Fields<'_>, name: &str, of: &str) -> Vec<At<String>> {
        let field = named(name, of);
        let items = fields.get(name).and_then(|node| self.list(node, &field)).unwrap_or_default();
        items.iter().filter_map(|item| self.text(item, &format!("an entry of {field}"))).collect()
    }

    pub(super) fn duration_field(&mut self, fields: &Fields<'_>, name: &str, of: &str) -> Option<At<Duration>> {
        self.duration(fields.get(name)?, &named(name, of))
    }

    pub(super) fn whole_field(&mut self, fields: &Fields<'_>, name: &str, of: &str) -> Option<At<u32>> {
        self.whole(fields.get(name)?, &named(name, of))
    }

    /// A field that is null counts as one that is not there.
    fn missing(&mut self, field: &Field, of: &str, at: Position) {
        if field.required {
            self.fault(FaultKind::MissingField { field: field.name, of: of.to_owned() }, at);
        }
    }

    fn unknown_field(&mut self, key: &At<String>, of: &str, known: &[Field]) {
        let near = nearest(&key.value, known.iter().map(|field| field.name));
        let kind = FaultKind::UnknownField { field: key.value.clone(), of: of.to_owned(), near };
        self.faults.push(crate::fault::Fault::new(kind, key.at));
    }
}

/// What a field is called in a fault.
pub(super) fn named(name: &str, of: &str) -> String {
    format!("`{name}` of {of}")
}

fn has_key(node: &Node, name: &str) -> bool {
    if let Kind::Map(entries) = &node.kind { entries.iter().any(|(key, _)| key.value == name) } else { false }
}
