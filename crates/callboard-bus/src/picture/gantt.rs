//! The same work over time: a row per piece of work, with the time it waited for its turn apart from the time it ran, its
//! retries, and the path that decided how long the whole took. Pure.

mod axis;
mod bars;
mod chart;
mod rows;
mod shapes;

use std::time::Duration;

use thiserror::Error;

use self::chart::Chart;

/// Rows of spans. All times are measured from one moment, such as the start of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gantt {
    /// What it shows; what screen readers say first.
    pub title: String,
    /// The pieces of work, in any order.
    pub rows: Vec<GanttRow>,
}

/// One piece of work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GanttRow {
    /// Its name.
    pub label: String,
    /// What it went through. One that has not begun yet has no spans, and comes last.
    pub spans: Vec<Span>,
    /// Whether the whole would have ended earlier, had this been faster.
    pub is_critical: bool,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What went on.
    pub kind: SpanKind,
    /// When it began.
    pub from: Duration,
    /// When it ended; for one that goes on, now.
    pub to: Duration,
}

/// What goes on in a span. Each kind has a shape of its own, so that no reader has to rely on colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SpanKind {
    /// It could run and had no place: a thin bar.
    Queued,
    /// It waited for a timer, a signal or a person: a thin dashed line.
    Waiting,
    /// An attempt that ended well or still runs: a full bar.
    Running,
    /// An attempt that failed: a hollow bar with a cross.
    Failed,
    /// An attempt that was stopped: a hollow bar with a stroke.
    Cancelled,
    /// The pause before the next attempt: a dotted line.
    Retrying,
    /// It was undone: a hollow dashed bar.
    Compensating,
}

/// A time for people, as charts write it: three digits, or two units from a minute on.
#[must_use]
pub fn short_time(time: Duration) -> String {
    axis::short(time)
}

/// Why rows cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GanttError {
    /// A span ends before it begins.
    #[error("a span of `{label}` ends at {to:?}, before it begins at {from:?}: swap its ends")]
    Backwards {
        /// The label of the row.
        label: String,
        /// When the span begins.
        from: Duration,
        /// When it ends.
        to: Duration,
    },
}

impl SpanKind {
    /// All of them, in the order of a legend.
    pub const ALL: [Self; 7] =
        [Self::Queued, Self::Waiting, Self::Running, Self::Failed, Self::Cancelled, Self::Retrying, Self::Compensating];

    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Failed => "failed attempt",
            Self::Cancelled => "stopped attempt",
            Self::Retrying => "pause before a retry",
            Self::Compensating => "compensating",
        }
    }
}

impl Span {
    /// A span of a kind between two moments.
    #[must_use]
    pub fn new(kind: SpanKind, from: Duration, to: Duration) -> Self {
        Self { kind, from, to }
    }

    fn length(&self) -> Duration {
        self.to.saturating_sub(self.from)
    }
}

impl Gantt {
    /// The chart as a self-contained SVG document. The axis begins with the first span. Rows are sorted by their start; of
    /// more than `max_rows` those that matter most are kept (on the critical path, with failed attempts, longest), and one
    /// line tells of the others. Of more than 1,500 spans the shortest are drawn together with their neighbours, and the full
    /// text of a row counts them.
    ///
    /// # Errors
    ///
    /// A span that ends before it begins.
    pub fn to_svg(&self, max_rows: usize) -> Result<String, GanttError> {
        self.rows.iter().try_for_each(GanttRow::check)?;
        Ok(Chart::new(self, max_rows).draw())
    }
}

impl GanttRow {
    fn check(&self) -> Result<(), GanttError> {
        match self.spans.iter().find(|span| span.to < span.from) {
            Some(&Span { from, to, .. }) => Err(GanttError::Backwards { label: self.label.clone(), from, to }),
            None => Ok(()),
        }
    }

    fn start(&self) -> Option<Duration> {
        self.spans.iter().map(|span| span.from).min()
    }

    fn end(&self) -> Option<Duration> {
        self.spans.iter().map(|span| span.to).max()
    }

    /// The time in spans of these kinds.
    fn time(&self, kinds: &[SpanKind]) -> Duration {
        let spans = self.spans.iter().filter(|span| kinds.contains(&span.kind));
        spans.map(Span::length).fold(Duration::ZERO, Duration::saturating_add)
    }

    fn has_failed(&self) -> bool {
        self.spans.iter().any(|span| span.kind == SpanKind::Failed)
    }
}

#[cfg(test)]
mod tests;
