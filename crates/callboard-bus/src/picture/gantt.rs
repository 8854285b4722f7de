//! The same work over time: a row per piece of work, with the time it waited for its turn apart from the time it ran, its
//! retries, and the path that decided how long the whole took. Pure.

mod axis;
mod rows;

use std::time::Duration;

use thiserror::Error;

use self::axis::{Axis, most_at_once, short};
use self::rows::{Chosen, choose};
use super::layout::{Point, Size};
use super::state::{FAINT_INK, INK, PAPER};
use super::svg::dashes;
use super::svg::sheet::{Heading, Sheet};
use super::xml::{Xml, number};
use super::{State, StateCounts, text};

const LABEL_SIZE: f64 = 12.0;
const SMALL_SIZE: f64 = 11.0;
/// How much wider than plain letters bold ones are at most.
const BOLD: f64 = 1.27;
const WIDEST_LABEL: f64 = 220.0;
/// The room left of a label, for the mark of the critical path.
const MARK_ROOM: f64 = 16.0;
const CHART_WIDTH: f64 = 760.0;
const AXIS_HEIGHT: f64 = 24.0;
const ROW_HEIGHT: f64 = 22.0;
const BAR_HEIGHT: f64 = 12.0;
const FOLDED_HEIGHT: f64 = 56.0;
const LINE_HEIGHT: f64 = 16.0;
/// A span is drawn at least so wide, however short it was.
const LEAST_BAR: f64 = 1.5;
const GRID: &str = "#e2e8f0";
const CRITICAL_BAND: &str = "#fdf3d3";
const CRITICAL_LINE: &str = "#7a4b00";
/// Of a long critical path so many names are listed at either end.
const LISTED: usize = 8;

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
    /// The pause before the next attempt: a dotted line.
    Retrying,
    /// It was undone: a hollow dashed bar.
    Compensating,
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
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Waiting, Self::Running, Self::Failed, Self::Retrying, Self::Compensating];

    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Failed => "failed attempt",
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
    /// line tells of the others.
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

/// A chart whose measures are known.
#[derive(Debug)]
struct Chart<'a> {
    gantt: &'a Gantt,
    chosen: Chosen<'a>,
    axis: Axis,
    /// Where the time axis begins.
    left: f64,
    listing: Vec<String>,
    kinds: Vec<SpanKind>,
}

impl<'a> Chart<'a> {
    fn new(gantt: &'a Gantt, max_rows: usize) -> Self {
        let chosen = choose(&gantt.rows, max_rows);
        let widest = chosen.shown.iter().map(|row| text::width(&label(row), label_size(row))).fold(0.0, f64::max);
        let left = (MARK_ROOM + widest + 14.0).ceil().max(110.0);
        let spans = || gantt.rows.iter().flat_map(|row| &row.spans);
        let is_used = |kind: &SpanKind| spans().any(|span| span.kind == *kind);
        Self {
            gantt,
            axis: Axis::new(spans(), CHART_WIDTH),
            left,
            listing: critical_path(&gantt.rows, left + CHART_WIDTH),
            kinds: SpanKind::ALL.into_iter().filter(is_used).collect(),
            chosen,
        }
    }

    fn draw(&self) -> String {
        let counts = StateCounts::default();
        let description = self.description();
        let heading = Heading { title: &self.gantt.title, description: &description, counts: &counts };
        // The last tick's text is centred at the end of the axis.
        let size = Size { width: self.left + CHART_WIDTH + 20.0, height: self.listing_top() + self.listing_height() };
        let mut sheet = Sheet::new(&heading, size);
        sheet.content(|xml| {
            self.draw_critical_bands(xml);
            self.draw_axis(xml);
            self.chosen.shown.iter().enumerate().for_each(|(place, row)| self.draw_row(xml, place, row));
            self.draw_critical_links(xml);
            self.draw_folded(xml);
            self.draw_legend(xml);
            self.draw_listing(xml);
        });
        sheet.finish()
    }

    fn description(&self) -> String {
        let rows = &self.gantt.rows;
        let failed = rows.iter().filter(|row| row.has_failed()).count();
        let total = short(self.axis.length());
        let path = if self.listing.is_empty() { String::new() } else { format!(" {}.", self.listing.join(" ")) };
        format!("A chart over time of {} rows in {total}, {failed} of them with failed attempts.{path}", rows.len())
    }

    fn row_top(&self, place: usize) -> f64 {
        AXIS_HEIGHT + place as f64 * ROW_HEIGHT
    }

    fn rows_bottom(&self) -> f64 {
        self.row_top(self.chosen.shown.len())
    }

    fn legend_top(&self) -> f64 {
        let folded = if self.chosen.folded.is_empty() { 0.0 } else { FOLDED_HEIGHT };
        self.rows_bottom() + folded + 18.0
    }

    fn listing_top(&self) -> f64 {
        self.legend_top() + LINE_HEIGHT + 12.0
    }

    fn listing_height(&self) -> f64 {
        self.listing.len() as f64 * LINE_HEIGHT
    }

    fn x(&self, time: Duration) -> f64 {
        self.left + self.axis.place(time)
    }

    fn draw_critical_bands(&self, xml: &mut Xml) {
        let width = number(self.left + CHART_WIDTH);
        for (place, _) in self.chosen.shown.iter().enumerate().filter(|(_, row)| row.is_critical) {
            let top = number(self.row_top(place) + 1.0);
            let size = number(ROW_HEIGHT - 2.0);
            xml.empty(
                "rect",
                &[
                    ("class", &"band"),
                    ("y", &top),
                    ("width", &width),
                    ("height", &size),
                    ("rx", &3),
                    ("fill", &CRITICAL_BAND),
                ],
            );
        }
    }

    fn draw_axis(&self, xml: &mut Xml) {
        let (top, bottom) = (AXIS_HEIGHT - 4.0, self.legend_top() - 14.0);
        xml.open("g", &[("class", &"axis")]);
        for (at, words) in self.axis.ticks() {
            let x = self.left + at;
            let line = format!("M{} {}V{}", number(x), number(top), number(bottom));
            xml.empty("path", &[("d", &line), ("stroke", &GRID)]);
            let (x, y) = (number(x), number(top - 5.0));
            let place: (&str, &dyn std::fmt::Display) = ("y", &y);
            xml.text(
                "text",
                &[("x", &x), place, ("text-anchor", &"middle"), ("font-size", &SMALL_SIZE), ("fill", &FAINT_INK)],
                &words,
            );
        }
        xml.close();
    }

    fn draw_row(&self, xml: &mut Xml, place: usize, row: &GanttRow) {
        let middle = self.row_top(place) + ROW_HEIGHT / 2.0;
        xml.open("g", &[("class", &if row.is_critical { "row critical" } else { "row" })]);
        xml.text("title", &[], &full_text(row));
        if row.is_critical {
            draw_diamond(xml, Point { x: 8.0, y: middle });
        }
        let (left, baseline) = (number(MARK_ROOM), number(middle + LABEL_SIZE * 0.35));
        let weight = if row.is_critical { "bold" } else { "normal" };
        let place: (&str, &dyn std::fmt::Display) = ("y", &baseline);
        xml.text(
            "text",
            &[("x", &left), place, ("font-size", &LABEL_SIZE), ("font-weight", &weight), ("fill", &INK)],
            &label(row),
        );
        for span in &row.spans {
            let (from, to) = (self.x(span.from), self.x(span.to));
            draw_span(xml, span.kind, Point { x: from, y: middle }, (to - from).max(LEAST_BAR));
        }
        xml.close();
    }

    /// Joins the end of each row on the critical path to the beginning of the next.
    fn draw_critical_links(&self, xml: &mut Xml) {
        let rows = self.chosen.shown.iter().enumerate().filter(|(_, row)| row.is_critical);
        let ends = rows.filter_map(|(place, row)| Some((place, row.start()?, row.end()?)));
        let ends: Vec<_> = ends.collect();
        let links = ends.windows(2).map(|pair| {
            let [(upper, _, end), (lower, start, _)] = [pair[0], pair[1]];
            let from = Point { x: self.x(end), y: self.row_top(upper) + ROW_HEIGHT / 2.0 };
            let to = Point { x: self.x(start), y: self.row_top(lower) + (ROW_HEIGHT - BAR_HEIGHT) / 2.0 };
            format!("M{} {}V{}H{}V{}", number(from.x), number(from.y), number(to.y - 4.0), number(to.x), number(to.y))
        });
        let links: String = links.collect();
        if !links.is_empty() {
            xml.empty(
                "path",
                &[
                    ("class", &"links"),
                    ("d", &links),
                    ("fill", &"none"),
                    ("stroke", &CRITICAL_LINE),
                    ("stroke-width", &1.2),
                ],
            );
        }
    }

    /// One line for the rows that are left out, and how many of them ran at each time.
    fn draw_folded(&self, xml: &mut Xml) {
        let folded = &self.chosen.folded;
        if folded.is_empty() {
            return;
        }
        let top = self.rows_bottom();
        let failed = folded.iter().filter(|row| row.has_failed()).count();
        let work = [SpanKind::Running, SpanKind::Failed, SpanKind::Compensating];
        let time = folded.iter().map(|row| row.time(&work)).fold(Duration::ZERO, Duration::saturating_add);
        let spans = || folded.iter().flat_map(|row| &row.spans).filter(|span| work.contains(&span.kind));
        let most = most_at_once(spans());
        let words = format!(
            "… and {} more rows: {} of work, {failed} with failed attempts, at most {most} at once",
            folded.len(),
            short(time)
        );
        xml.open("g", &[("class", &"folded")]);
        let baseline = number(top + LINE_HEIGHT);
        let place: (&str, &dyn std::fmt::Display) = ("y", &baseline);
        xml.text("text", &[("x", &MARK_ROOM), place, ("font-size", &SMALL_SIZE), ("fill", &FAINT_INK)], &words);
        let path = self.density_path(&self.axis.density(spans()), top + FOLDED_HEIGHT - 4.0);
        xml.empty("path", &[("d", &path), ("fill", &State::Running.style().fill)]);
        xml.close();
    }

    fn density_path(&self, bins: &[f64], bottom: f64) -> String {
        const HEIGHT: f64 = 28.0;
        let most = bins.iter().copied().fold(1.0, f64::max);
        let wide = CHART_WIDTH / bins.len().max(1) as f64;
        let mut path = format!("M{} {}", number(self.left), number(bottom));
        for (place, count) in bins.iter().enumerate() {
            let height = bottom - HEIGHT * count / most;
            path.push_str(&format!("V{}H{}", number(height), number(self.left + (place + 1) as f64 * wide)));
        }
        path.push_str(&format!("V{}Z", number(bottom)));
        path
    }

    fn draw_legend(&self, xml: &mut Xml) {
        const SAMPLE: f64 = 26.0;
        let middle = self.legend_top() + LINE_HEIGHT / 2.0;
        let mut left = 0.0;
        let words = |xml: &mut Xml, left: &mut f64, words: &str| {
            let (x, y) = (number(*left), number(middle + SMALL_SIZE * 0.35));
            xml.text("text", &[("x", &x), ("y", &y), ("font-size", &SMALL_SIZE), ("fill", &FAINT_INK)], words);
            *left += text::width(words, SMALL_SIZE) + 18.0;
        };
        xml.open("g", &[("class", &"legend")]);
        for &kind in &self.kinds {
            draw_span(xml, kind, Point { x: left, y: middle }, SAMPLE);
            left += SAMPLE + 6.0;
            words(xml, &mut left, kind.name());
        }
        if !self.listing.is_empty() {
            draw_diamond(xml, Point { x: left + 5.0, y: middle });
            left += 16.0;
            words(xml, &mut left, "on the critical path");
        }
        xml.close();
    }

    fn draw_listing(&self, xml: &mut Xml) {
        xml.open("g", &[("class", &"critical-path")]);
        for (place, line) in self.listing.iter().enumerate() {
            let baseline = number(self.listing_top() + (place as f64 + 0.8) * LINE_HEIGHT);
            xml.text("text", &[("y", &baseline), ("font-size", &LABEL_SIZE), ("fill", &INK)], line);
        }
        xml.close();
    }
}

fn label(row: &GanttRow) -> String {
    text::cut(&text::visible(&row.label), label_size(row), WIDEST_LABEL).into_owned()
}

/// The size of letters to reckon with.
fn label_size(row: &GanttRow) -> f64 {
    if row.is_critical { LABEL_SIZE * BOLD } else { LABEL_SIZE }
}

fn full_text(row: &GanttRow) -> String {
    let spans = row.spans.iter().map(|span| format!("{}: {}", span.kind.name(), short(span.length())));
    std::iter::once(row.label.clone()).chain(spans).collect::<Vec<_>>().join("\n")
}

/// "Critical path, 12.3 s: a → b → c", on as many lines as it takes.
fn critical_path(rows: &[GanttRow], room: f64) -> Vec<String> {
    let mut path: Vec<&GanttRow> = rows.iter().filter(|row| row.is_critical).collect();
    path.sort_by_key(|row| (row.start().is_none(), row.start()));
    let start = path.iter().filter_map(|row| row.start()).min();
    let Some((start, end)) = start.zip(path.iter().filter_map(|row| row.end()).max()) else {
        return Vec::new();
    };
    let name = |row: &&GanttRow| text::cut(&text::visible(&row.label), LABEL_SIZE, WIDEST_LABEL).into_owned();
    let names: Vec<String> = path.iter().map(name).collect();
    let more = names.len().saturating_sub(2 * LISTED);
    let names = if more > 0 {
        let (head, tail) = (&names[..LISTED], &names[names.len() - LISTED..]);
        format!("{} → ({more} more) → {}", head.join(" → "), tail.join(" → "))
    } else {
        names.join(" → ")
    };
    text::wrapped(&format!("Critical path, {}: {names}", short(end.saturating_sub(start))), LABEL_SIZE, room)
}

/// The shape of a span from its left end.
fn draw_span(xml: &mut Xml, kind: SpanKind, Point { x, y }: Point, width: f64) {
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

fn draw_diamond(xml: &mut Xml, Point { x, y }: Point) {
    let diamond = format!("M{} {}l4.5 4.5l-4.5 4.5l-4.5 -4.5Z", number(x), number(y - 4.5));
    xml.empty("path", &[("class", &"mark"), ("d", &diamond), ("fill", &CRITICAL_LINE), ("stroke", &PAPER)]);
}

#[cfg(test)]
mod tests;
