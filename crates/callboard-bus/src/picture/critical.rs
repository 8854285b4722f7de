//! How the critical path is marked, in graphs and in charts over time alike.

use super::layout::Point;
use super::state::PAPER;
use super::xml::{Xml, number};

/// The colour of the mark and of arrows on the path, `#rrggbb`.
pub(super) const LINE: &str = "#7a4b00";
/// The mark as a character, for writers that only have text.
pub(super) const SIGN: char = '◆';
/// What a legend says.
pub(super) const WORDS: &str = "on the critical path";

/// The mark with its centre at the point.
pub(super) fn draw_mark(xml: &mut Xml, Point { x, y }: Point) {
    let diamond = format!("M{} {}l4.5 4.5l-4.5 4.5l-4.5 -4.5Z", number(x), number(y - 4.5));
    xml.empty("path", &[("class", &"mark"), ("d", &diamond), ("fill", &LINE), ("stroke", &PAPER)]);
}
