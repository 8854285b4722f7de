//! Which rows are shown, and in what order.

use std::cmp::Reverse;
use std::time::Duration;

use super::{GanttRow, SpanKind};

/// Rows by whether they are shown.
#[derive(Debug)]
pub(super) struct Chosen<'a> {
    /// By their start; those that have not begun come last.
    pub(super) shown: Vec<&'a GanttRow>,
    pub(super) folded: Vec<&'a GanttRow>,
}

/// Keeps all, or the most telling ones with one place left for the line that tells of the others.
pub(super) fn choose(rows: &[GanttRow], max_rows: usize) -> Chosen<'_> {
    let mut shown: Vec<&GanttRow> = rows.iter().collect();
    let mut folded = Vec::new();
    if shown.len() > max_rows {
        shown.sort_by_key(|row| weight(row));
        folded = shown.split_off(max_rows.saturating_sub(1));
    }
    shown.sort_by_key(|row| (row.start().is_none(), row.start(), row.end()));
    Chosen { shown, folded }
}

/// Less is more telling.
fn weight(row: &GanttRow) -> (Reverse<bool>, Reverse<bool>, Reverse<Duration>) {
    (Reverse(row.is_critical), Reverse(row.has_failed()), Reverse(row.time(&SpanKind::ALL)))
}
