//! A schema inside its document.

use std::ptr;

use serde_json::Value as Json;

#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    pub(super) document: &'a Json,
    pub(super) schema: &'a Json,
}

impl<'a> Node<'a> {
    pub(super) const fn root(document: &'a Json) -> Self {
        Self { document, schema: document }
    }

    /// Another schema of the same document.
    pub(super) const fn at(self, schema: &'a Json) -> Self {
        Self { schema, ..self }
    }

    pub(super) fn is_root(self) -> bool {
        ptr::eq(self.document, self.schema)
    }

    /// What tells it from any other while the documents are there.
    pub(super) fn key(self) -> usize {
        ptr::from_ref(self.schema).addr()
    }

    pub(super) fn get(self, keyword: &str) -> Option<&'a Json> {
        self.schema.get(keyword)
    }

    /// The schemas by name beside a keyword.
    pub(super) fn named(self, keyword: &str) -> impl Iterator<Item = (&'a str, &'a Json)> {
        let named = self.get(keyword).and_then(Json::as_object);
        named.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
    }

    pub(super) fn takes_all(self) -> bool {
        *self.schema == Json::Bool(true) || self.schema.as_object().is_some_and(serde_json::Map::is_empty)
    }

    /// Whether both take the same because they say the same.
    pub(super) fn says_the_same(self, other: Self) -> bool {
        self.schema == other.schema && (ptr::eq(self.document, other.document) || !refers(self.schema))
    }

    /// The target of a `$ref` inside the document.
    pub(super) fn resolved(self, reference: &Json) -> Option<Self> {
        let pointer = reference.as_str()?.strip_prefix('#')?;
        let is_pointer = pointer.is_empty() || (pointer.starts_with('/') && !pointer.contains('%'));
        let target = is_pointer.then(|| self.document.pointer(pointer))??;
        Some(self.at(target))
    }
}

/// Whether a schema depends on where it stands.
fn refers(schema: &Json) -> bool {
    match schema {
        Json::Array(items) => items.iter().any(refers),
        Json::Object(entries) => entries.iter().any(|(key, value)| key.starts_with('$') || refers(value)),
        _ => false,
    }
}
