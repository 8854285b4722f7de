//! What is drawn of rows with very many spans. Pure.

use std::time::Duration;

use super::axis::Axis;
use super::{GanttRow, Span, SpanKind};

/// With more than these a chart is slow to open, and most of them cannot be seen.
const MOST_BARS: usize = 1_500;
/// In pixels: what is shorter is the first to be drawn together.
const LEAST_APART: f64 = 2.0;

/// What is drawn at one place of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bar {
    /// A span as it is.
    Single(Span),
    /// Neighbours that are too short to be told apart, by the most telling of their kinds.
    Crowd(Span),
}

impl Bar {
    pub(super) fn is_crowd(self) -> bool {
        matches!(self, Self::Crowd(_))
    }
}

/// The bars of each row. Spans stand for themselves as long as they are not too many in all; otherwise short neighbours are drawn
/// together, and as few of them as possible.
pub(super) fn bars(rows: &[&GanttRow], axis: &Axis) -> Vec<Vec<Bar>> {
    let drawn = |least: f64| rows.iter().map(|row| crowded(&row.spans, axis, least)).collect::<Vec<_>>();
    let mut least = 0.0;
    loop {
        let bars = drawn(least);
        if bars.iter().map(Vec::len).sum::<usize>() <= MOST_BARS || least > axis.width() {
            return bars;
        }
        least = f64::max(least * 2.0, LEAST_APART);
    }
}

/// Neighbours with less than `least` pixels each, and less between them, are drawn together.
fn crowded(spans: &[Span], axis: &Axis, least: f64) -> Vec<Bar> {
    let is_short = |from: Duration, to: Duration| axis.place(to) - axis.place(from) < least;
    let are_together = |one: &Span, other: &Span| {
        is_short(one.from, one.to) && is_short(other.from, other.to) && is_short(one.to, other.from)
    };
    spans.chunk_by(are_together).filter_map(together).collect()
}

fn together(spans: &[Span]) -> Option<Bar> {
    if let [only] = spans {
        return Some(Bar::Single(*only));
    }
    let kind = spans.iter().map(|span| span.kind).min_by_key(|kind| rank(*kind))?;
    let from = spans.iter().map(|span| span.from).min()?;
    let to = spans.iter().map(|span| span.to).max()?;
    Some(Bar::Crowd(Span { kind, from, to }))
}

/// Less is more telling.
fn rank(kind: SpanKind) -> u8 {
    match kind {
        SpanKind::Failed => 0,
        SpanKind::Cancelled => 1,
        SpanKind::Compensating => 2,
        SpanKind::Running => 3,
        SpanKind::Retrying => 4,
        SpanKind::Queued => 5,
        SpanKind::Waiting => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(kind: SpanKind, from: u64, to: u64) -> Span {
        Span::new(kind, Duration::from_millis(from), Duration::from_millis(to))
    }

    /// Attempts of a millisecond with pauses as long, and one of a second that went well.
    fn restless(attempts: u64) -> GanttRow {
        let tries = (0..attempts).map(|at| span(SpanKind::Failed, 2 * at, 2 * at + 1));
        let spans = tries.chain([span(SpanKind::Running, 2 * attempts, 2 * attempts + 1_000)]);
        GanttRow { label: "restless".to_owned(), spans: spans.collect(), is_critical: false }
    }

    fn drawn(row: &GanttRow, rows: usize) -> Vec<Vec<Bar>> {
        bars(&vec![row; rows], &Axis::new(row.spans.iter(), 760.0))
    }

    #[test]
    fn few_spans_stand_for_themselves() {
        let row = restless(1_000);
        let singles: Vec<_> = row.spans.iter().copied().map(Bar::Single).collect();
        assert_eq!(drawn(&row, 1), [singles]);
    }

    #[test]
    fn of_many_the_short_ones_are_drawn_together_and_the_long_ones_stay() {
        let row = restless(1_000);
        let crowd = Bar::Crowd(span(SpanKind::Failed, 0, 1_999));
        let long = Bar::Single(span(SpanKind::Running, 2_000, 3_000));
        assert_eq!(drawn(&row, 2), [vec![crowd, long], vec![crowd, long]]);
    }

    #[test]
    fn however_many_there_are_a_row_ends_with_a_few() {
        let long = (0..1_000).map(|at| span(SpanKind::Running, 100 * at, 100 * at + 90));
        let row = GanttRow { label: String::new(), spans: long.collect(), is_critical: false };
        assert!(drawn(&row, 100).iter().map(Vec::len).sum::<usize>() <= MOST_BARS);
    }
}
