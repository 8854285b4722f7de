//! One box of a picture.

use super::{Fold, State, StateCounts};

/// One box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) detail: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) state: State,
    pub(super) fold: Option<Fold>,
    pub(super) items: Option<StateCounts>,
    pub(super) is_critical: bool,
}

impl Node {
    /// A plain box. The id is unique in a picture, the label is what people read.
    pub fn new(id: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            label: label.into(),
            detail: None,
            kind: None,
            state: State::Plain,
            fold: None,
            items: None,
            is_critical: false,
        }
    }

    /// Adds a second line of text.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says what it is one of: nodes of one kind are folded together. Without a kind it is the label without its number.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Sets how far it has come.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// Says that its work is done once for each of many items, and how many of them are in each state. It still counts as
    /// one node.
    #[must_use]
    pub fn items(mut self, counts: StateCounts) -> Self {
        self.items = Some(counts);
        self
    }

    /// Marks it: the whole would end earlier, were this faster.
    #[must_use]
    pub fn critical(mut self) -> Self {
        self.is_critical = true;
        self
    }

    /// Its unique name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What people read.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Whether it is on the critical path, or one of the nodes that it stands for is.
    #[must_use]
    pub fn is_critical(&self) -> bool {
        self.is_critical
    }

    /// The nodes that it stands for, when it stands for more than one.
    #[must_use]
    pub fn fold(&self) -> Option<&Fold> {
        self.fold.as_ref()
    }

    /// How many nodes that it stands for are in each state.
    #[must_use]
    pub fn counts(&self) -> StateCounts {
        self.fold.as_ref().map_or_else(|| [self.state].into_iter().collect(), |fold| fold.counts)
    }

    /// What the bar in its box shows, if it stands for many nodes or has many items.
    pub(super) fn bar(&self) -> Option<StateCounts> {
        self.fold.as_ref().map(|fold| fold.counts).or(self.items)
    }
}
