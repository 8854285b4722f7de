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
const WIDEST_LINE: f64 = 230.0;
/// What a line of a label takes, and what one below it takes.
pub(super) const LABEL_LINE: f64 = LABEL_SIZE + 3.0;
pub(super) const DETAIL_LINE: f64 = DETAIL_SIZE + 4.0;
/// The room above and below all lines.
const MARGINS: f64 = 21.0;
const BAR_ROOM: f64 = 10.0;

/// The texts of a box in lines that fit, and its size.
#[derive(Clone, Debug)]
pub(super) struct Face {
    pub(super) label: Vec<String>,
    pub(super) detail: Vec<String>,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Face {
    pub(super) fn of(node: &Node) -> Self {
        let lines = |text: &str, size| text::two_lines(&text::visible(text), size, WIDEST_LINE);
        let label = lines(&node.label, LABEL_SIZE);
        let detail = node.detail.as_deref().filter(|detail| !detail.trim().is_empty());
        let detail = detail.map_or_else(Vec::new, |detail| lines(detail, DETAIL_SIZE));
        let widths = widths(&label, LABEL_SIZE).chain(widths(&detail, DETAIL_SIZE));
        let width = (widths.fold(0.0, f64::max) + text_left(node.state) + PADDING).ceil().max(NARROWEST);
        let mut face = Self { label, detail, width, height: 0.0 };
        face.height = MARGINS + face.text_height() + node.bar().map_or(0.0, |_| BAR_ROOM);
        face
    }

    /// How high all lines are together.
    pub(super) fn text_height(&self) -> f64 {
        let below_first = self.label.len().saturating_sub(1) as f64 * LABEL_LINE;
        LABEL_SIZE + below_first + self.detail.len() as f64 * DETAIL_LINE
    }
}

fn widths(lines: &[String], size: f64) -> impl Iterator<Item = f64> + '_ {
    lines.iter().map(move |line| text::width(line, size))
}

/// Where text begins in a box: beside the mark, if its state has one.
pub(super) fn text_left(state: State) -> f64 {
    if state.style().mark.is_empty() { PADDING } else { PADDING + MARK + MARK_GAP }
}
