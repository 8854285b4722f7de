//! Draws grouped bars as one SVG file that needs nothing else: no script, no font, no style sheet. Pure.
//!
//! All bars share one axis, on which 1 is the entrant that the others are compared with. The drawing brings its own
//! background, so it can be read on light and dark pages, and has a title and a description for screen readers.

const WIDTH: f64 = 800.0;
const MARGIN: f64 = 20.0;
/// Where the axis begins; the names of the groups are left of it.
const LEFT: f64 = 206.0;
/// Where the axis ends; right of it there is room for the figure of a bar that is cut.
const RIGHT: f64 = 656.0;
/// The greatest value on the axis: what is longer is cut.
const END: f64 = 2.5;
const TICK: f64 = 0.5;

const TITLE_LINE: f64 = 38.0;
const SUBTITLE_LINE: f64 = 58.0;
const LEGEND_LINE: f64 = 86.0;
const TICK_LINE: f64 = 114.0;
const TOP: f64 = 124.0;
const SWATCH: f64 = 11.0;

const BAR: f64 = 10.0;
/// From one bar to the next.
const PITCH: f64 = 14.0;
const GROUP_PADDING: f64 = 9.0;
/// A group's name and caption need this, however few bars it has.
const LEAST_GROUP: f64 = 32.0;
/// Between the end of a bar and its figure.
const GAP: f64 = 6.0;

const FONTS: &str = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";
/// What a letter is wide on average in the widest of these fonts, in parts of its size.
const LETTER: f64 = 0.62;
/// How many letters the subtitle may have.
pub const SUBTITLE_LETTERS: usize = ((WIDTH - 2.0 * MARGIN) / (PLAIN.size * LETTER)) as usize;
/// How many letters the caption of a group may have.
pub const CAPTION_LETTERS: usize = ((LEFT - MARGIN) / (PLAIN.size * LETTER)) as usize;
const PAPER: &str = "#ffffff";
const INK: &str = "#0f172a";
const FAINT_INK: &str = "#475569";
const RULE: &str = "#e2e8f0";
/// One for each entrant; those who see no difference between red and green can tell them apart.
const COLOURS: [&str; 5] = ["#0072b2", "#6b7280", "#d55e00", "#009e73", "#b0508a"];

const TITLE: Lettering = Lettering { size: 17.0, weight: "bold", ink: INK, anchor: "start" };
const NAME: Lettering = Lettering { size: 13.0, ..TITLE };
const PLAIN: Lettering = Lettering { size: 11.0, weight: "normal", ..TITLE };
const FAINT: Lettering = Lettering { ink: FAINT_INK, ..PLAIN };
const ON_TICK: Lettering = Lettering { anchor: "middle", ..FAINT };

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// How it is to be read, in [`SUBTITLE_LETTERS`].
    pub subtitle: String,
    /// The name of the entrant whose bars end at 1.
    pub unit: String,
    /// The names for the legend.
    pub entrants: Vec<String>,
    /// From top to bottom.
    pub groups: Vec<Group>,
}

/// Bars that are compared with each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What it is, in [`CAPTION_LETTERS`].
    pub caption: String,
    /// One for each entrant that has a figure.
    pub bars: Vec<Bar>,
}

/// One entrant's figure, as a part of the figure of the entrant that is 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// The place of its entrant in [`Chart::entrants`].
    pub entrant: usize,
    /// Where its whisker begins.
    pub least: f64,
    /// How long it is.
    pub middle: f64,
    /// Where its whisker ends.
    pub greatest: f64,
    /// What stands beside it.
    pub figure: String,
}

/// How letters look.
#[derive(Clone, Copy)]
struct Lettering {
    size: f64,
    weight: &'static str,
    ink: &'static str,
    anchor: &'static str,
}

/// The chart as an SVG document, 800 pixels wide.
#[must_use]
pub fn draw(chart: &Chart) -> String {
    let tops = tops(&chart.groups);
    let bottom = tops[chart.groups.len()];
    let groups = chart.groups.iter().zip(&tops);
    let drawn = groups.map(|(group, &top)| draw_group(group, top)).collect::<String>();
    let content = [heading(chart), legend(&chart.entrants), axis(&chart.unit, bottom), drawn];
    document(chart, bottom + MARGIN, &content.concat())
}

/// Where each group begins, and where the last one ends.
fn tops(groups: &[Group]) -> Vec<f64> {
    let bottoms = groups.iter().scan(TOP, |bottom, group| {
        *bottom += (group.bars.len() as f64 * PITCH).max(LEAST_GROUP) + 2.0 * GROUP_PADDING;
        Some(*bottom)
    });
    [TOP].into_iter().chain(bottoms).collect()
}

fn document(chart: &Chart, height: f64, content: &str) -> String {
    let [title, subtitle, fonts] = [chart.title.as_str(), &chart.subtitle, FONTS].map(escaped);
    let [width, height] = [WIDTH, height].map(number);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"{fonts}\">\n\
         <title>{title}</title>\n\
         <desc>{subtitle}</desc>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{PAPER}\"/>\n\
         {content}</svg>\n"
    )
}

fn heading(chart: &Chart) -> String {
    text(MARGIN, TITLE_LINE, TITLE, &chart.title) + &text(MARGIN, SUBTITLE_LINE, FAINT, &chart.subtitle)
}

fn legend(entrants: &[String]) -> String {
    let mut left = MARGIN;
    let entries = entrants.iter().enumerate().map(|(place, name)| {
        let swatch = left;
        left += SWATCH + GAP + width(name, PLAIN) + 3.0 * GAP;
        rectangle(swatch, LEGEND_LINE - SWATCH + 1.0, SWATCH, SWATCH, colour(place))
            + &text(swatch + SWATCH + GAP, LEGEND_LINE, PLAIN, name)
    });
    entries.collect()
}

/// Ticks with their rules behind the bars; the rule at 1 is the one to look for.
fn axis(unit: &str, bottom: f64) -> String {
    let ticks = (0..=(END / TICK) as u32).map(|tick| {
        let value = f64::from(tick) * TICK;
        let is_unit = value == 1.0;
        let words = if is_unit { format!("{unit} = 1") } else { number(value) };
        let ink = if is_unit { FAINT_INK } else { RULE };
        line(place(value), TOP - 4.0, place(value), bottom, ink) + &text(place(value), TICK_LINE, ON_TICK, &words)
    });
    ticks.collect()
}

fn draw_group(group: &Group, top: f64) -> String {
    let first = top + GROUP_PADDING;
    let names = text(MARGIN, first + NAME.size * 0.85, NAME, &group.name)
        + &text(MARGIN, first + NAME.size + PLAIN.size * 1.3, FAINT, &group.caption);
    let bars = group.bars.iter().enumerate();
    let bars = bars.map(|(index, bar)| draw_bar(bar, first + index as f64 * PITCH));
    line(MARGIN, top, WIDTH - MARGIN, top, RULE) + &names + &bars.collect::<String>()
}

fn draw_bar(bar: &Bar, top: f64) -> String {
    let is_cut = bar.middle > END;
    let end = place(bar.middle.min(END));
    let mark = if is_cut { cut_mark(top) } else { whisker(bar, top + BAR / 2.0) };
    // A whisker that is longer than its bar pushes the figure aside.
    let figure = end.max(place(bar.greatest.min(END))) + GAP;
    rectangle(LEFT, top, end - LEFT, BAR, colour(bar.entrant)) + &mark + &draw_figure(&bar.figure, figure, top)
}

/// The figure, on paper of its own so that no rule runs through it.
fn draw_figure(figure: &str, left: f64, top: f64) -> String {
    rectangle(left - 1.0, top - 1.0, width(figure, PLAIN) + 2.0, BAR + 2.0, PAPER)
        + &text(left, top + BAR * 0.5 + PLAIN.size * 0.36, PLAIN, figure)
}

/// From the least to the greatest figure. An end beyond the axis is left open.
fn whisker(bar: &Bar, middle: f64) -> String {
    let [least, greatest] = [bar.least, bar.greatest].map(|value| place(value.min(END)));
    let ends = [bar.least, bar.greatest].into_iter().filter(|&value| value <= END);
    let caps = ends.map(|value| line(place(value), middle - 3.0, place(value), middle + 3.0, INK));
    line(least, middle, greatest, middle, INK) + &caps.collect::<String>()
}

/// Two slanting gaps near the end of a bar that goes on beyond the axis.
fn cut_mark(top: f64) -> String {
    let gaps = [RIGHT - 22.0, RIGHT - 14.0].map(|left| {
        let [left, bottom, height] = [left, top + BAR + 1.0, BAR + 2.0].map(number);
        format!("<path d=\"M{left} {bottom}l5 -{height}h3l-5 {height}z\" fill=\"{PAPER}\"/>\n")
    });
    gaps.concat()
}

fn place(value: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * value / END
}

fn colour(entrant: usize) -> &'static str {
    COLOURS[entrant % COLOURS.len()]
}

/// An upper estimate of what a line of text takes.
fn width(text: &str, lettering: Lettering) -> f64 {
    text.chars().count() as f64 * lettering.size * LETTER
}

fn text(left: f64, baseline: f64, lettering: Lettering, words: &str) -> String {
    let Lettering { size, weight, ink, anchor } = lettering;
    let [left, baseline, size] = [left, baseline, size].map(number);
    format!(
        "<text x=\"{left}\" y=\"{baseline}\" font-size=\"{size}\" font-weight=\"{weight}\" text-anchor=\"{anchor}\" \
         fill=\"{ink}\">{}</text>\n",
        escaped(words)
    )
}

fn rectangle(left: f64, top: f64, width: f64, height: f64, fill: &str) -> String {
    let [left, top, width, height] = [left, top, width, height].map(number);
    format!("<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>\n")
}

fn line(from_x: f64, from_y: f64, to_x: f64, to_y: f64, ink: &str) -> String {
    let [from_x, from_y, to_x, to_y] = [from_x, from_y, to_x, to_y].map(number);
    format!("<line x1=\"{from_x}\" y1=\"{from_y}\" x2=\"{to_x}\" y2=\"{to_y}\" stroke=\"{ink}\"/>\n")
}

/// As short as a tenth of a pixel allows.
fn number(value: f64) -> String {
    let tenths = format!("{value:.1}");
    tenths.strip_suffix(".0").unwrap_or(&tenths).to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
