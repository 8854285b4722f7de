//! What is written in a box, and how large the box must be for it. Pure.

use super::text;
use super::{Node, State};

/// The size of a label's letters in pixels.
pub(super) const LABEL_SIZE: f64 = 13.0;
/// The size of a second line's letters in pixels.
pub(super) const DETAIL_SIZE: f64 = 11.0;
/// The room between a box's border and what is in it.
pub(super) const PADDING: f64 = 12.0;
/// The side of a mark's square, and the room right of it.
pub(super) const MARK: f64 = 12.0;
const MARK_GAP: f64 = 8.0;
/// The height of the bar of states in a box that stands for many nodes or items.
pub(super) const BAR_HEIGHT: f64 = 5.0;

const NARROWEST: f64 = 64.0;
const WIDEST_LINE: f64 = 190.0;
/// A box with a bar has more to say.
const WIDEST_BAR_LINE: f64 = 230.0;
const ONE_LINE: f64 = 34.0;
const SECOND_LINE: f64 = 15.0;
const BAR_ROOM: f64 = 10.0;

/// The texts of a box, cut to fit, and its size.
#[derive(Clone, Debug)]
pub(super) struct Face {
    pub(super) label: String,
    pub(super) detail: Option<String>,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Face {
    pub(super) fn of(node: &Node) -> Self {
        let room = if node.bar().is_some() { WIDEST_BAR_LINE } else { WIDEST_LINE };
        let line = |line: &str, size| text::cut(&text::visible(line), size, room).into_owned();
        let label = line(&node.label, LABEL_SIZE);
        let detail = node.detail.as_deref().filter(|detail| !detail.trim().is_empty());
        let detail = detail.map(|detail| line(detail, DETAIL_SIZE));
        let detail_width = detail.as_deref().map_or(0.0, |detail| text::width(detail, DETAIL_SIZE));
        let written = text::width(&label, LABEL_SIZE).max(detail_width);
        Self {
            width: (written + text_left(node.state) + PADDING).ceil().max(NARROWEST),
            height: ONE_LINE + detail.as_ref().map_or(0.0, |_| SECOND_LINE) + node.bar().map_or(0.0, |_| BAR_ROOM),
            label,
            detail,
        }
    }
}

/// Where text begins in a box: beside the mark, if its state has one.
pub(super) fn text_left(state: State) -> f64 {
    if state.style().mark.is_empty() { PADDING } else { PADDING + MARK + MARK_GAP }
}
