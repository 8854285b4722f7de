//! A chart over time, measured and drawn.

use std::fmt::Display;
use std::time::Duration;

use super::super::layout::{Point, Size};
use super::super::state::{FAINT_INK, INK};
use super::super::svg::sheet::{Heading, Sheet};
use super::super::xml::{Xml, number};
use super::super::{State, StateCounts, critical, text};
use super::axis::{Axis, most_at_once, short};
use super::bars::{Bar, bars};
use super::rows::{Chosen, choose};
use super::shapes::{BAR_HEIGHT, draw_crowd, draw_span};
use super::{Gantt, GanttRow, Span, SpanKind};

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
const FOLDED_HEIGHT: f64 = 56.0;
const LINE_HEIGHT: f64 = 16.0;
/// How wide a sample in the legend is, and the room behind its words.
const SAMPLE: f64 = 26.0;
const LEGEND_GAP: f64 = 18.0;
/// A span is drawn at least so wide, however short it was.
const LEAST_BAR: f64 = 1.5;
const GRID: &str = "#e2e8f0";
const CRITICAL_BAND: &str = "#fdf3d3";
/// Of a long critical path so many names are listed at either end.
const LISTED: usize = 8;
/// Of a row with more spans the full text counts them.
const TOLD: usize = 24;
const CROWD_WORDS: &str = "too many to tell apart";

/// A chart whose measures are known.
#[derive(Debug)]
pub(super) struct Chart<'a> {
    gantt: &'a Gantt,
    chosen: Chosen<'a>,
    /// Those of each row that is shown.
    bars: Vec<Vec<Bar>>,
    axis: Axis,
    /// Where the time axis begins.
    left: f64,
    listing: Vec<String>,
    kinds: Vec<SpanKind>,
}

impl<'a> Chart<'a> {
    pub(super) fn new(gantt: &'a Gantt, max_rows: usize) -> Self {
        let chosen = choose(&gantt.rows, max_rows);
        let widest = chosen.shown.iter().map(|row| text::width(&label(row), label_size(row))).fold(0.0, f64::max);
        let left = (MARK_ROOM + widest + 14.0).ceil().max(110.0);
        let spans = || gantt.rows.iter().flat_map(|row| &row.spans);
        let is_used = |kind: &SpanKind| spans().any(|span| span.kind == *kind);
        let axis = Axis::new(spans(), CHART_WIDTH);
        Self {
            gantt,
            bars: bars(&chosen.shown, &axis),
            axis,
            left,
            listing: critical_path(&gantt.rows, left + CHART_WIDTH),
            kinds: SpanKind::ALL.into_iter().filter(is_used).collect(),
            chosen,
        }
    }

    pub(super) fn draw(&self) -> String {
        let counts = StateCounts::default();
        let description = self.description();
        let heading =
            Heading { title: &self.gantt.title, description: &description, counts: &counts, has_critical: false };
        // The last tick's text is centred at the end of the axis.
        let width = (self.left + CHART_WIDTH + 20.0).max(self.legend_width());
        let size = Size { width, height: self.listing_top() + self.listing_height() };
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
            let place: (&str, &dyn Display) = ("y", &y);
            xml.text(
                "text",
                &[("x", &x), place, ("text-anchor", &"middle"), ("font-size", &SMALL_SIZE), ("fill", &FAINT_INK)],
                &words,
            );
        }
        xml.close();
    }

    fn draw_row(&self, xml: &mut Xml, place: usize, row: &GanttRow) {
        let (middle, bars) = (self.row_top(place) + ROW_HEIGHT / 2.0, &self.bars[place]);
        xml.open("g", &[("class", &if row.is_critical { "row critical" } else { "row" })]);
        xml.text("title", &[], &full_text(row));
        if row.is_critical {
            critical::draw_mark(xml, Point { x: 8.0, y: middle });
        }
        let (left, baseline) = (number(MARK_ROOM), number(middle + LABEL_SIZE * 0.35));
        let weight = if row.is_critical { "bold" } else { "normal" };
        let place: (&str, &dyn Display) = ("y", &baseline);
        xml.text(
            "text",
            &[("x", &left), place, ("font-size", &LABEL_SIZE), ("font-weight", &weight), ("fill", &INK)],
            &label(row),
        );
        bars.iter().for_each(|bar| self.draw_bar(xml, *bar, middle));
        xml.close();
    }

    fn draw_bar(&self, xml: &mut Xml, bar: Bar, y: f64) {
        let (draw, Span { kind, from, to }) = match bar {
            Bar::Single(span) => (draw_span as fn(&mut Xml, SpanKind, Point, f64), span),
            Bar::Crowd(span) => (draw_crowd as fn(&mut Xml, SpanKind, Point, f64), span),
        };
        let x = self.x(from);
        draw(xml, kind, Point { x, y }, (self.x(to) - x).max(LEAST_BAR));
    }

    fn has_crowds(&self) -> bool {
        self.bars.iter().flatten().any(|bar| bar.is_crowd())
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
                    ("stroke", &critical::LINE),
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
        let work = [SpanKind::Running, SpanKind::Failed, SpanKind::Cancelled, SpanKind::Compensating];
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
        let place: (&str, &dyn Display) = ("y", &baseline);
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

    /// A chart with spans of every kind has a legend that may be wider than itself.
    fn legend_width(&self) -> f64 {
        let entry = |room: f64, words: &str| room + text::width(words, SMALL_SIZE) + LEGEND_GAP;
        let kinds = self.kinds.iter().map(|kind| entry(SAMPLE + 6.0, kind.name())).sum::<f64>();
        let crowds = if self.has_crowds() { entry(SAMPLE + 6.0, CROWD_WORDS) } else { 0.0 };
        let path = if self.listing.is_empty() { 0.0 } else { entry(MARK_ROOM, critical::WORDS) };
        kinds + crowds + path
    }

    fn draw_legend(&self, xml: &mut Xml) {
        let middle = self.legend_top() + LINE_HEIGHT / 2.0;
        let mut left = 0.0;
        let words = |xml: &mut Xml, left: &mut f64, words: &str| {
            let (x, y) = (number(*left), number(middle + SMALL_SIZE * 0.35));
            xml.text("text", &[("x", &x), ("y", &y), ("font-size", &SMALL_SIZE), ("fill", &FAINT_INK)], words);
            *left += text::width(words, SMALL_SIZE) + LEGEND_GAP;
        };
        xml.open("g", &[("class", &"legend")]);
        for &kind in &self.kinds {
            draw_span(xml, kind, Point { x: left, y: middle }, SAMPLE);
            left += SAMPLE + 6.0;
            words(xml, &mut left, kind.name());
        }
        if self.has_crowds() {
            draw_crowd(xml, SpanKind::Waiting, Point { x: left, y: middle }, SAMPLE);
            left += SAMPLE + 6.0;
            words(xml, &mut left, CROWD_WORDS);
        }
        if !self.listing.is_empty() {
            critical::draw_mark(xml, Point { x: left + 5.0, y: middle });
            left += MARK_ROOM;
            words(xml, &mut left, critical::WORDS);
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
    let lines: Vec<_> = if row.spans.len() > TOLD { counted(row) } else { spans.collect() };
    std::iter::once(row.label.clone()).chain(lines).collect::<Vec<_>>().join("\n")
}

/// How many spans of each kind there are, and how long they are together.
fn counted(row: &GanttRow) -> Vec<String> {
    let count = |kind: SpanKind| row.spans.iter().filter(|span| span.kind == kind).count();
    let line = |kind: SpanKind| format!("{} × {}: {}", count(kind), kind.name(), short(row.time(&[kind])));
    SpanKind::ALL.into_iter().filter(|kind| count(*kind) > 0).map(line).collect()
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
