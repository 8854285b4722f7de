//! The shapes of spans, each of its own.

use std::fmt::Display;

use super::super::State;
use super::super::layout::Point;
use super::super::state::FAINT_INK;
use super::super::svg::node::dashes;
use super::super::xml::{Xml, number};
use super::SpanKind;

pub(super) const BAR_HEIGHT: f64 = 12.0;

/// Many spans that are too short to be told apart: narrow strokes in the colour of the most telling.
pub(super) fn draw_crowd(xml: &mut Xml, kind: SpanKind, Point { x, y }: Point, width: f64) {
    let line = format!("M{} {}h{}", number(x), number(y), number(width));
    let colour: &dyn Display = match kind {
        SpanKind::Failed | SpanKind::Retrying => &State::Failed.style().line,
        SpanKind::Cancelled => &State::Cancelled.style().line,
        SpanKind::Compensating => &State::Compensated.style().line,
        SpanKind::Running => &State::Running.style().line,
        SpanKind::Queued | SpanKind::Waiting => &FAINT_INK,
    };
    xml.empty(
        "path",
        &[
            ("class", &"crowd"),
            ("d", &line),
            ("stroke", colour),
            ("stroke-width", &BAR_HEIGHT),
            ("stroke-dasharray", &"1.5 1.5"),
        ],
    );
}

/// The shape of a span from its left end.
pub(super) fn draw_span(xml: &mut Xml, kind: SpanKind, left: Point, width: f64) {
    match kind {
        SpanKind::Queued => draw_full_bar(xml, kind, left, (width, BAR_HEIGHT / 3.0), State::Skipped),
        SpanKind::Running => draw_full_bar(xml, kind, left, (width, BAR_HEIGHT), State::Running),
        SpanKind::Compensating => draw_hollow_bar(xml, kind, left, width, State::Compensated),
        SpanKind::Failed => {
            draw_hollow_bar(xml, kind, left, width, State::Failed);
            draw_strokes(xml, Point { x: left.x + width / 2.0, ..left }, width, State::Failed);
        }
        SpanKind::Cancelled => {
            draw_hollow_bar(xml, kind, left, width, State::Cancelled);
            draw_strokes(xml, Point { x: left.x + width / 2.0, ..left }, width, State::Cancelled);
        }
        SpanKind::Waiting => draw_line(xml, kind, left, width, "6 4"),
        SpanKind::Retrying => draw_line(xml, kind, left, width, "0.1 5"),
    }
}

fn draw_full_bar(xml: &mut Xml, kind: SpanKind, Point { x, y }: Point, (width, height): (f64, f64), state: State) {
    xml.empty(
        "rect",
        &[
            ("class", &format!("span {kind:?}")),
            ("x", &number(x)),
            ("y", &number(y - height / 2.0)),
            ("width", &number(width)),
            ("height", &number(height)),
            ("fill", &state.style().line),
        ],
    );
}

fn draw_hollow_bar(xml: &mut Xml, kind: SpanKind, Point { x, y }: Point, width: f64, state: State) {
    let style = state.style();
    xml.empty(
        "rect",
        &[
            ("class", &format!("span {kind:?}")),
            ("x", &number(x)),
            ("y", &number(y - BAR_HEIGHT / 2.0)),
            ("width", &number(width)),
            ("height", &number(BAR_HEIGHT)),
            ("fill", &style.fill),
            ("stroke", &style.line),
            ("stroke-width", &1.4),
            ("stroke-dasharray", &dashes(style.dashes)),
        ],
    );
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

/// A cross for what failed, one stroke for anything else.
fn draw_strokes(xml: &mut Xml, Point { x, y }: Point, width: f64, state: State) {
    if width < 8.0 {
        return;
    }
    let (left, top) = (number(x - 3.0), number(y - 3.0));
    let strokes = match state {
        State::Failed => format!("M{left} {top}l6 6m0 -6l-6 6"),
        _ => format!("M{left} {}l6 -6", number(y + 3.0)),
    };
    xml.empty("path", &[("d", &strokes), ("stroke", &state.style().line), ("stroke-width", &1.6)]);
}
