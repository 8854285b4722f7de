//! The paper that a drawing is put on: title and description, background, heading and legend.

use super::super::layout::{Area, Point, Size};
use super::super::state::{FAINT_INK, INK, PAPER};
use super::super::xml::{Xml, number};
use super::super::{State, StateCounts, critical, text};
use super::node::{draw_box, draw_mark};

/// Fonts that are there on most systems; the widths of letters are estimated so that any of them fits.
const FONTS: &str = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";
const MARGIN: f64 = 24.0;
const TITLE_SIZE: f64 = 16.0;
/// How much wider than plain letters bold ones are at most.
const BOLD: f64 = 1.27;
const HEADING: f64 = 38.0;
/// The second line of a long title, and the room for it.
const SUBTITLE_SIZE: f64 = 12.0;
const SUBTITLE_LINE: f64 = 18.0;
const LEGEND_SIZE: f64 = 11.0;
const LEGEND_LINE: f64 = 24.0;
const SWATCH: Size = Size { width: 24.0, height: 16.0 };
const SWATCH_GAP: f64 = 6.0;
const ENTRY_GAP: f64 = 18.0;
const LEAST_WIDTH: f64 = 240.0;
/// Paper grows for a title up to this.
const WIDEST_TITLE: f64 = 640.0;

/// What is said about the whole drawing.
#[derive(Debug)]
pub(in super::super) struct Heading<'a> {
    pub(in super::super) title: &'a str,
    pub(in super::super) description: &'a str,
    /// The states for the legend.
    pub(in super::super) counts: &'a StateCounts,
    /// Whether the legend explains the mark of the critical path too.
    pub(in super::super) has_critical: bool,
}

/// The paper. Content is drawn from its own zero point on.
#[derive(Debug)]
pub(in super::super) struct Sheet {
    xml: Xml,
    content: Point,
    legend: Vec<Entry>,
}

/// One entry of a legend: where, what, and what it says. Without a state it is the mark of the critical path.
type Entry = (Point, Option<State>, String);

impl Sheet {
    /// Paper for a drawing of this size: heading above, legend below.
    pub(in super::super) fn new(heading: &Heading<'_>, content: Size) -> Self {
        let title = text::visible(heading.title);
        let title_width = text::width(&title, TITLE_SIZE * BOLD).ceil();
        let room = content.width.max(LEAST_WIDTH).max(title_width.min(WIDEST_TITLE));
        let lines = text::two_lines(&title, TITLE_SIZE * BOLD, room);
        let top = MARGIN + HEADING + lines.get(1).map_or(0.0, |_| SUBTITLE_LINE);
        let (legend, legend_height) = legend(heading, room, top + content.height + 20.0);
        let legend_room = if legend.is_empty() { 0.0 } else { 20.0 + legend_height };
        let width = room + 2.0 * MARGIN;
        let height = top + content.height + legend_room + MARGIN;
        let mut xml = Xml::default();
        open(&mut xml, &title, heading.description, Size { width, height });
        draw_title(&mut xml, &lines);
        let left = MARGIN + (room - content.width) / 2.0;
        Self { xml, content: Point { x: left.floor(), y: top }, legend }
    }

    /// Draws the content.
    pub(in super::super) fn content(&mut self, draw: impl FnOnce(&mut Xml)) {
        let place = format!("translate({} {})", number(self.content.x), number(self.content.y));
        self.xml.open("g", &[("class", &"content"), ("transform", &place)]);
        draw(&mut self.xml);
        self.xml.close();
    }

    /// The document.
    pub(in super::super) fn finish(mut self) -> String {
        if !self.legend.is_empty() {
            self.xml.open("g", &[("class", &"legend")]);
            for entry in &self.legend {
                draw_entry(&mut self.xml, entry);
            }
            self.xml.close();
        }
        self.xml.finish()
    }
}

/// The second line is smaller, so that it fits if the first does.
fn draw_title(xml: &mut Xml, lines: &[String]) {
    let first = (MARGIN + TITLE_SIZE * 0.85, TITLE_SIZE, "bold", INK);
    let second = (MARGIN + TITLE_SIZE + SUBTITLE_LINE * 0.85, SUBTITLE_SIZE, "normal", FAINT_INK);
    for (line, (baseline, size, weight, ink)) in lines.iter().zip([first, second]) {
        xml.text(
            "text",
            &[
                ("class", &"heading"),
                ("x", &MARGIN),
                ("y", &number(baseline)),
                ("font-size", &size),
                ("font-weight", &weight),
                ("fill", &ink),
            ],
            line,
        );
    }
}

fn open(xml: &mut Xml, title: &str, description: &str, Size { width, height }: Size) {
    let (width, height) = (number(width.ceil()), number(height.ceil()));
    let view = format!("0 0 {width} {height}");
    xml.open(
        "svg",
        &[
            ("xmlns", &"http://www.w3.org/2000/svg"),
            ("role", &"img"),
            ("width", &width),
            ("height", &height),
            ("viewBox", &view),
            ("font-family", &FONTS),
        ],
    );
    xml.text("title", &[], title);
    xml.text("desc", &[], description);
    let paper: &dyn std::fmt::Display = &PAPER;
    xml.empty("rect", &[("class", &"paper"), ("width", &width), ("height", &height), ("rx", &8), ("fill", paper)]);
}

/// The entries with their places, and how high they are together. A picture that tells nothing needs no legend.
fn legend(heading: &Heading<'_>, room: f64, top: f64) -> (Vec<Entry>, f64) {
    let mut entries = Vec::new();
    let mut corner = Point { x: MARGIN, y: top };
    for (state, words) in explained(heading) {
        let width = SWATCH.width + SWATCH_GAP + text::width(&words, LEGEND_SIZE);
        if corner.x > MARGIN && corner.x + width > MARGIN + room {
            corner = Point { x: MARGIN, y: corner.y + LEGEND_LINE };
        }
        entries.push((corner, state, words));
        corner.x += width + ENTRY_GAP;
    }
    (entries, corner.y - top + SWATCH.height)
}

fn explained(heading: &Heading<'_>) -> impl Iterator<Item = (Option<State>, String)> {
    let tells_states = heading.counts.iter().any(|(state, _)| state != State::Plain);
    let states = heading.counts.iter().filter(move |_| tells_states);
    let states = states.map(|(state, count)| (Some(state), format!("{} ({count})", state.name())));
    states.chain(heading.has_critical.then(|| (None, critical::WORDS.to_owned())))
}

fn draw_entry(xml: &mut Xml, (corner, state, words): &Entry) {
    if let Some(state) = *state {
        draw_box(xml, state, &Area { corner: *corner, size: SWATCH }, 3.0);
        draw_mark(xml, state, Point { x: corner.x + 6.0, y: corner.y + 2.0 });
    } else {
        critical::draw_mark(xml, Point { x: corner.x + SWATCH.width / 2.0, y: corner.y + SWATCH.height / 2.0 });
    }
    let left = number(corner.x + SWATCH.width + SWATCH_GAP);
    let baseline = number(corner.y + SWATCH.height / 2.0 + LEGEND_SIZE * 0.35);
    xml.text("text", &[("x", &left), ("y", &baseline), ("font-size", &LEGEND_SIZE), ("fill", &FAINT_INK)], words);
}
