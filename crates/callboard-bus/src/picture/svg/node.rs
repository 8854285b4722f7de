//! Boxes: border, mark, texts, and the bar of a box that stands for many nodes or items.

use super::super::face::{
    BAR_HEIGHT, DETAIL_LINE, DETAIL_SIZE, Face, LABEL_LINE, LABEL_SIZE, MARK, PADDING, text_left,
};
use super::super::layout::{Area, Point};
use super::super::state::{FAINT_INK, INK, PAPER};
use super::super::xml::{Xml, number};
use super::super::{Direction, Node, State, critical};

const CORNER: f64 = 6.0;
/// How many members of a fold its full text names.
const NAMED_MEMBERS: usize = 12;

pub(super) fn draw_node(xml: &mut Xml, node: &Node, face: &Face, area: &Area, direction: Direction) {
    let kind = if node.fold.is_some() { "node fold" } else { "node" };
    let class = format!("{kind} {}", node.state.name());
    xml.open("g", &[("class", &class), ("data-id", &node.id)]);
    xml.text("title", &[], &full_text(node));
    if node.bar().is_some() {
        draw_sheets_behind(xml, node.state, area, direction);
    }
    draw_box(xml, node.state, area, CORNER);
    let Area { corner, size } = *area;
    let top = corner.y + lines_top(face, size.height, node.bar().is_some());
    let mark = Point { x: corner.x + PADDING, y: top + (LABEL_SIZE - MARK) / 2.0 + 1.0 };
    draw_mark(xml, node.state, mark);
    draw_lines(xml, face, Point { x: corner.x + text_left(node.state), y: top });
    draw_bar(xml, node, area);
    if node.is_critical {
        // No arrow arrives at a corner.
        critical::draw_mark(xml, Point { x: corner.x + size.width, y: corner.y });
    }
    xml.close();
}

/// How far below the upper border the first line begins, when lines and bar are in the middle.
fn lines_top(face: &Face, height: f64, has_bar: bool) -> f64 {
    let bar = if has_bar { BAR_HEIGHT + 5.0 } else { 0.0 };
    (height - face.text_height() - bar) / 2.0
}

/// The label's lines and those of the detail below them.
fn draw_lines(xml: &mut Xml, face: &Face, Point { x, y }: Point) {
    let left = number(x);
    let mut draw = |top: f64, size: f64, ink: &str, line: &str| {
        let baseline = number(top + size * 0.85);
        xml.text("text", &[("x", &left), ("y", &baseline), ("font-size", &size), ("fill", &ink)], line);
    };
    for (place, line) in face.label.iter().enumerate() {
        draw(y + place as f64 * LABEL_LINE, LABEL_SIZE, INK, line);
    }
    let below = y + face.text_height() - face.detail.len() as f64 * DETAIL_LINE + (DETAIL_LINE - DETAIL_SIZE);
    for (place, line) in face.detail.iter().enumerate() {
        draw(below + place as f64 * DETAIL_LINE, DETAIL_SIZE, FAINT_INK, line);
    }
}

pub(in super::super) fn draw_box(xml: &mut Xml, state: State, Area { corner, size }: &Area, radius: f64) {
    let style = state.style();
    let dashes = dashes(style.dashes);
    xml.empty(
        "rect",
        &[
            ("class", &"box"),
            ("x", &number(corner.x)),
            ("y", &number(corner.y)),
            ("width", &number(size.width)),
            ("height", &number(size.height)),
            ("rx", &radius),
            ("fill", &style.fill),
            ("stroke", &style.line),
            ("stroke-width", &style.width),
            ("stroke-dasharray", &dashes),
        ],
    );
}

pub(in super::super) fn dashes(lengths: &[u8]) -> String {
    if lengths.is_empty() {
        return "none".to_owned();
    }
    lengths.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
}

/// The mark of a state, with its upper left corner at the point.
pub(in super::super) fn draw_mark(xml: &mut Xml, state: State, corner: Point) {
    let style = state.style();
    if style.mark.is_empty() {
        return;
    }
    let place = format!("translate({} {})", number(corner.x), number(corner.y));
    xml.empty(
        "path",
        &[
            ("class", &"mark"),
            ("transform", &place),
            ("d", &style.mark),
            ("fill", if style.is_mark_filled { &style.line } else { &"none" }),
            ("stroke", &style.line),
            ("stroke-width", &1.8),
            ("stroke-linecap", &"round"),
            ("stroke-linejoin", &"round"),
        ],
    );
}

/// Two more borders peep out behind a box with a bar, on a side where no edge arrives or leaves.
fn draw_sheets_behind(xml: &mut Xml, state: State, Area { corner, size }: &Area, direction: Direction) {
    let line = |step: f64| {
        let (aside, inset) = (3.0 * step, 4.0 * step);
        if direction == Direction::Right {
            let y = number(corner.y + size.height + aside);
            format!("M{} {y}H{}", number(corner.x + inset), number(corner.x + size.width - inset))
        } else {
            let x = number(corner.x + size.width + aside);
            format!("M{x} {}V{}", number(corner.y + inset), number(corner.y + size.height - inset))
        }
    };
    let lines = line(1.0) + &line(2.0);
    xml.empty(
        "path",
        &[("d", &lines), ("fill", &"none"), ("stroke", &state.style().line), ("stroke-linecap", &"round")],
    );
}

/// A bar of the states of what a box stands for. States that few are in get a sliver that can still be seen.
fn draw_bar(xml: &mut Xml, node: &Node, Area { corner, size }: &Area) {
    const LEAST: f64 = 3.0;
    let Some(counts) = node.bar() else { return };
    let width = size.width - 2.0 * PADDING;
    let shares = counts.iter().count() as f64;
    let per_node = (width - shares * LEAST).max(0.0) / counts.total().max(1) as f64;
    let mut left = corner.x + PADDING;
    let top = number(corner.y + size.height - BAR_HEIGHT - 7.0);
    for (state, count) in counts.iter() {
        let share = LEAST + count as f64 * per_node;
        xml.empty(
            "rect",
            &[
                ("class", &"share"),
                ("x", &number(left)),
                ("y", &top),
                ("width", &number(share)),
                ("height", &BAR_HEIGHT),
                ("fill", &state.style().line),
                ("stroke", &PAPER),
                ("stroke-width", &0.6),
            ],
        );
        left += share;
    }
}

fn full_text(node: &Node) -> String {
    let mut lines = vec![node.label.clone()];
    lines.extend(node.detail.clone());
    if let Some(fold) = &node.fold {
        lines.extend(fold.members.iter().take(NAMED_MEMBERS).cloned());
        let more = fold.members.len().saturating_sub(NAMED_MEMBERS);
        lines.extend((more > 0).then(|| format!("and {more} more")));
    } else if node.state != State::Plain {
        lines.push(node.state.name().to_owned());
    }
    lines.extend(node.is_critical.then(|| critical::WORDS.to_owned()));
    lines.join("\n")
}
