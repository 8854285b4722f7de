//! The shapes of spans, each of its own, and the mark of the critical path.

use super::super::State;
use super::super::layout::Point;
use super::super::state::{FAINT_INK, PAPER};
use super::super::svg::node::dashes;
use super::super::xml::{Xml, number};
use super::SpanKind;

pub(super) const BAR_HEIGHT: f64 = 12.0;
pub(super) const CRITICAL_LINE: &str = "#7a4b00";

/// The shape of a span from its left end.
pub(super) fn draw_span(xml: &mut Xml, kind: SpanKind, Point { x, y }: Point, width: f64) {
    let bar = |xml: &mut Xml, state: State| {
        let height = if kind == SpanKind::Queued { BAR_HEIGHT / 3.0 } else { BAR_HEIGHT };
        let style = state.style();
        let fill = if matches!(kind, SpanKind::Queued | SpanKind::Running) { style.line } else { style.fill };
        let (stroke, dashes) =
            if fill == style.line { ("none", String::new()) } else { (style.line, dashes(style.dashes)) };
        xml.empty(
            "rect",
            &[
                ("class", &format!("span {kind:?}")),
                ("x", &number(x)),
                ("y", &number(y - height / 2.0)),
                ("width", &number(width)),
                ("height", &number(height)),
                ("fill", &fill),
                ("stroke", &stroke),
                ("stroke-width", &1.4),
                ("stroke-dasharray", if dashes.is_empty() { &"none" } else { &dashes }),
            ],
        );
    };
    match kind {
        SpanKind::Queued => bar(xml, State::Skipped),
        SpanKind::Running => bar(xml, State::Running),
        SpanKind::Compensating => bar(xml, State::Compensated),
        SpanKind::Failed => {
            bar(xml, State::Failed);
            draw_cross(xml, Point { x: x + width / 2.0, y }, width);
        }
        SpanKind::Waiting => draw_line(xml, kind, Point { x, y }, width, "6 4"),
        SpanKind::Retrying => draw_line(xml, kind, Point { x, y }, width, "0.1 5"),
    }
}

fn draw_line(xml: &mut Xml, kind: SpanKind, Point { x, y }: Point, width: f64, dashes: &str) {
    let line = format!("M{} {}h{}", number(x), number(y), number(width));
    let colour = if kind == SpanKind::Retrying { State::Failed.style().line } else { FAINT_INK };
    xml.empty(
        "path",
        &[
            ("class", &format!("span {kind:?}")),
            ("d", &line),
            ("stroke", &colour),
            ("stroke-width", &if kind == SpanKind::Retrying { 2.6 } else { 1.6 }),
            ("stroke-linecap", &"round"),
            ("stroke-dasharray", &dashes),
        ],
    );
}

fn draw_cross(xml: &mut Xml, Point { x, y }: Point, width: f64) {
    if width < 8.0 {
        return;
    }
    let cross = format!("M{} {}l6 6m0 -6l-6 6", number(x - 3.0), number(y - 3.0));
    xml.empty("path", &[("d", &cross), ("stroke", &State::Failed.style().line), ("stroke-width", &1.6)]);
}

pub(super) fn draw_diamond(xml: &mut Xml, Point { x, y }: Point) {
    let diamond = format!("M{} {}l4.5 4.5l-4.5 4.5l-4.5 -4.5Z", number(x), number(y - 4.5));
    xml.empty("path", &[("class", &"mark"), ("d", &diamond), ("fill", &CRITICAL_LINE), ("stroke", &PAPER)]);
}
