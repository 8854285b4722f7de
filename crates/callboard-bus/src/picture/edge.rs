//! One arrow of a picture.

use std::collections::HashMap;

use super::PictureError;

/// One arrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) label: Option<String>,
    pub(super) is_dashed: bool,
    pub(super) is_critical: bool,
    pub(super) count: usize,
}

impl Edge {
    /// An arrow from one node to another, by their ids.
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self { from: from.into(), to: to.into(), label: None, is_dashed: false, is_critical: false, count: 1 }
    }

    /// Adds a text.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Draws it dashed.
    #[must_use]
    pub fn dashed(mut self) -> Self {
        self.is_dashed = true;
        self
    }

    /// Marks it: it joins two nodes one after the other on the critical path.
    #[must_use]
    pub fn critical(mut self) -> Self {
        self.is_critical = true;
        self
    }

    /// The id of the node where it begins.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.from
    }

    /// The id of the node that it points to.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.to
    }

    /// Whether it is on the critical path, or one of the edges that it stands for is.
    #[must_use]
    pub fn is_critical(&self) -> bool {
        self.is_critical
    }

    /// How many edges it stands for.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    pub(super) fn ends(&self, places: &HashMap<&str, usize>) -> Result<(usize, usize), PictureError> {
        let place = |id: &String| {
            let Self { from, to, .. } = self.clone();
            places.get(id.as_str()).copied().ok_or_else(|| PictureError::UnknownNode { from, to, missing: id.clone() })
        };
        Ok((place(&self.from)?, place(&self.to)?))
    }

    /// Takes in another edge between the same nodes. A text is kept when both say the same.
    fn absorb(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.is_dashed &= other.is_dashed;
        self.is_critical |= other.is_critical;
        if self.label != other.label {
            self.label = None;
        }
    }
}

/// One edge per pair of nodes, in the order in which the pairs first occur.
pub(super) fn merged(edges: Vec<Edge>, ends: &[(usize, usize)]) -> (Vec<Edge>, Vec<(usize, usize)>) {
    let mut places = HashMap::new();
    let mut kept: Vec<Edge> = Vec::new();
    let mut kept_ends = Vec::new();
    for (edge, &pair) in edges.into_iter().zip(ends) {
        let place = *places.entry(pair).or_insert(kept.len());
        if let Some(first) = kept.get_mut(place) {
            first.absorb(&edge);
        } else {
            kept.push(edge);
            kept_ends.push(pair);
        }
    }
    (kept, kept_ends)
}
