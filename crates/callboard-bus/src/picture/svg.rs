//! Writes a picture as one SVG file that needs nothing else: no script, no font, no style sheet.
//!
//! It brings its own background, so it can be read on light and dark pages; each box has its full text as a `<title>`
//! that viewers show when pointed at; and screen readers find a title and a description of the whole.

pub(super) mod sheet;

use self::sheet::{Heading, Sheet};
use super::face::{BAR_HEIGHT, DETAIL_SIZE, Face, LABEL_SIZE, MARK, PADDING, text_left};
use super::layout::{Area, Layout, Point, Route, Size, Task, layout};
use super::state::{FAINT_INK, INK, PAPER};
use super::xml::{Xml, number};
use super::{Direction, Edge, Node, Picture, State, text};

/// The colour of edges: it stands out from the paper, less than boxes do.
const EDGE: &str = "#64748b";
const EDGE_LABEL_ROOM: f64 = 120.0;
/// The length and half the width of an arrow head.
const HEAD: (f64, f64) = (8.0, 3.6);
const CORNER: f64 = 6.0;
/// How many members of a fold its full text names.
const NAMED_MEMBERS: usize = 12;

impl Picture {
    /// The picture as an SVG document. Fold a large one first: nothing is left out here.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let faces: Vec<Face> = self.nodes.iter().map(Face::of).collect();
        let labels: Vec<Option<String>> = self.edges.iter().map(edge_label).collect();
        let layout = self.laid_out(&faces, &labels);
        let counts = self.counts();
        let heading = Heading { title: &self.title, description: &self.description(), counts: &counts };
        let mut sheet = Sheet::new(&heading, layout.size);
        sheet.content(|xml| {
            draw_edges(xml, self, &layout);
            for ((node, face), area) in self.nodes.iter().zip(&faces).zip(&layout.boxes) {
                draw_node(xml, node, face, area, layout.direction);
            }
            draw_edge_labels(xml, &layout, &labels);
        });
        sheet.finish()
    }

    fn laid_out(&self, faces: &[Face], labels: &[Option<String>]) -> Layout {
        let boxes: Vec<Size> = faces.iter().map(|face| Size { width: face.width, height: face.height }).collect();
        let label_size = |label: &Option<String>| {
            let size = |label: &String| Size { width: text::width(label, DETAIL_SIZE), height: DETAIL_SIZE };
            label.as_ref().map_or(Size::default(), size)
        };
        layout(&Task {
            boxes: &boxes,
            ends: &self.ends,
            labels: &labels.iter().map(label_size).collect::<Vec<_>>(),
            is_dashed: &self.edges.iter().map(|edge| edge.is_dashed).collect::<Vec<_>>(),
            direction: self.drawn_direction(),
        })
    }

    fn description(&self) -> String {
        let counts = self.counts();
        let mut description = format!("A graph of {} nodes", counts.total());
        if counts.total() > self.nodes.len() {
            description.push_str(&format!(", drawn as {} boxes", self.nodes.len()));
        }
        description.push_str(&format!(" and {} edges.", self.edges.iter().map(Edge::count).sum::<usize>()));
        let summary = counts.summary();
        if summary.is_empty() { description } else { format!("{description} {summary}.") }
    }
}

fn edge_label(edge: &Edge) -> Option<String> {
    let label = edge.label.as_deref().map(text::visible).filter(|label| !label.trim().is_empty())?;
    Some(text::cut(&label, DETAIL_SIZE, EDGE_LABEL_ROOM).into_owned())
}

/// Lines first and heads above them, so that no line runs over the head of another.
fn draw_edges(xml: &mut Xml, picture: &Picture, layout: &Layout) {
    xml.open("g", &[("class", &"edges"), ("fill", &"none"), ("stroke", &EDGE)]);
    for ((edge, (from, to)), route) in picture.edges.iter().zip(&picture.ends).zip(&layout.routes) {
        let ends = [from, to].map(|end| picture.nodes[*end].label.as_str());
        draw_edge(xml, edge, ends, &path(route, layout.direction));
    }
    xml.close();
    let tips = layout.routes.iter().filter_map(|route| route.points.last());
    let mut heads: Vec<String> = tips.map(|tip| head(*tip, layout.direction)).collect();
    heads.sort_unstable();
    heads.dedup();
    xml.empty("path", &[("class", &"heads"), ("fill", &EDGE), ("d", &heads.concat())]);
}

fn draw_edge(xml: &mut Xml, edge: &Edge, [from, to]: [&str; 2], path: &str) {
    let width = number(1.3 + 0.2 * (edge.count as f64).log2().clamp(0.0, 6.0));
    let dashes = if edge.is_dashed { "5 4" } else { "none" };
    xml.open("path", &[("class", &"edge"), ("d", &path), ("stroke-width", &width), ("stroke-dasharray", &dashes)]);
    let label = edge.label.as_ref().map_or_else(String::new, |label| format!(": {label}"));
    let many = if edge.count > 1 { format!(" ({} edges)", edge.count) } else { String::new() };
    xml.text("title", &[], &format!("{from} → {to}{label}{many}"));
    xml.close();
}

/// The line of an edge. It ends inside of the head, whose tip touches the box.
fn path(route: &Route, direction: Direction) -> String {
    let points = shortened(&route.points, direction);
    let mut path = points.first().map_or_else(String::new, |start| format!("M{}", start.written()));
    for pair in points.windows(2) {
        path.push_str(&stretch(pair[0], pair[1], direction));
    }
    path
}

/// The points with the last one drawn back into the head, and without one before it that would then be passed.
fn shortened(points: &[Point], direction: Direction) -> Vec<Point> {
    let Some((tip, rest)) = points.split_last() else { return Vec::new() };
    let end = tip.moved(-HEAD.0 + 1.0, 0.0, direction);
    let is_passed = |point: &Point| point.along(direction) >= end.along(direction);
    let kept = rest.len() - usize::from(rest.len() > 1 && rest.last().is_some_and(is_passed));
    rest[..kept].iter().copied().chain([end]).collect()
}

fn stretch(from: Point, to: Point, direction: Direction) -> String {
    let is_level = if direction == Direction::Right { from.y == to.y } else { from.x == to.x };
    if is_level {
        return format!("L{}", to.written());
    }
    let (first, second) = match direction {
        Direction::Right => {
            let middle = (from.x + to.x) / 2.0;
            (Point { x: middle, y: from.y }, Point { x: middle, y: to.y })
        }
        Direction::Down | Direction::Fitting => {
            let middle = (from.y + to.y) / 2.0;
            (Point { x: from.x, y: middle }, Point { x: to.x, y: middle })
        }
    };
    format!("C{} {} {}", first.written(), second.written(), to.written())
}

fn head(tip: Point, direction: Direction) -> String {
    let [left, right] = [HEAD.1, -HEAD.1].map(|aside| tip.moved(-HEAD.0, aside, direction));
    format!("M{}L{}L{}Z", tip.written(), left.written(), right.written())
}

impl Point {
    fn moved(self, along: f64, across: f64, direction: Direction) -> Self {
        match direction {
            Direction::Right => Self { x: self.x + along, y: self.y + across },
            Direction::Down | Direction::Fitting => Self { x: self.x + across, y: self.y + along },
        }
    }

    fn along(self, direction: Direction) -> f64 {
        if direction == Direction::Right { self.x } else { self.y }
    }

    fn written(self) -> String {
        format!("{} {}", number(self.x), number(self.y))
    }
}

fn draw_edge_labels(xml: &mut Xml, layout: &Layout, labels: &[Option<String>]) {
    for (route, label) in layout.routes.iter().zip(labels) {
        let Some(label) = label else { continue };
        let Point { x, y } = route.label;
        let (width, height) = (text::width(label, DETAIL_SIZE) + 6.0, DETAIL_SIZE + 4.0);
        let corner = (number(x - width / 2.0), number(y - height / 2.0));
        let size = (number(width), number(height));
        xml.open("g", &[("class", &"edge-label")]);
        xml.empty(
            "rect",
            &[
                ("x", &corner.0),
                ("y", &corner.1),
                ("width", &size.0),
                ("height", &size.1),
                ("rx", &3),
                ("fill", &PAPER),
                ("fill-opacity", &0.9),
            ],
        );
        let baseline = number(y + DETAIL_SIZE * 0.35);
        let left = number(x - width / 2.0 + 3.0);
        xml.text("text", &[("x", &left), ("y", &baseline), ("font-size", &DETAIL_SIZE), ("fill", &FAINT_INK)], label);
        xml.close();
    }
}

fn draw_node(xml: &mut Xml, node: &Node, face: &Face, area: &Area, direction: Direction) {
    let kind = if node.fold.is_some() { "node fold" } else { "node" };
    let class = format!("{kind} {}", node.state.name());
    xml.open("g", &[("class", &class), ("data-id", &node.id)]);
    xml.text("title", &[], &full_text(node));
    if node.fold.is_some() {
        draw_sheets_behind(xml, node.state, area, direction);
    }
    draw_box(xml, node.state, area, CORNER);
    let Area { corner, size } = *area;
    let top = corner.y + lines_top(face, size.height, node.fold.is_some());
    let mark = Point { x: corner.x + PADDING, y: top + (LABEL_SIZE - MARK) / 2.0 + 1.0 };
    draw_mark(xml, node.state, mark);
    let left = number(corner.x + text_left(node.state));
    let baseline = number(top + LABEL_SIZE * 0.85);
    xml.text("text", &[("x", &left), ("y", &baseline), ("font-size", &LABEL_SIZE), ("fill", &INK)], &face.label);
    if let Some(detail) = &face.detail {
        let baseline = number(top + LABEL_SIZE + 4.0 + DETAIL_SIZE * 0.85);
        let place: (&str, &dyn std::fmt::Display) = ("y", &baseline);
        xml.text("text", &[("x", &left), place, ("font-size", &DETAIL_SIZE), ("fill", &FAINT_INK)], detail);
    }
    draw_bar(xml, node, area);
    xml.close();
}

/// How far below the upper border the first line begins, when lines and bar are in the middle.
fn lines_top(face: &Face, height: f64, has_bar: bool) -> f64 {
    let lines = if face.detail.is_some() { LABEL_SIZE + 4.0 + DETAIL_SIZE } else { LABEL_SIZE };
    let bar = if has_bar { BAR_HEIGHT + 5.0 } else { 0.0 };
    (height - lines - bar) / 2.0
}

pub(super) fn draw_box(xml: &mut Xml, state: State, Area { corner, size }: &Area, radius: f64) {
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

pub(super) fn dashes(lengths: &[u8]) -> String {
    if lengths.is_empty() {
        return "none".to_owned();
    }
    lengths.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
}

/// The mark of a state, with its upper left corner at the point.
pub(super) fn draw_mark(xml: &mut Xml, state: State, corner: Point) {
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

/// Two more borders peep out behind a box that stands for many, on a side where no edge arrives or leaves.
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

/// A bar of the states of a fold. States that few are in get a sliver that can still be seen.
fn draw_bar(xml: &mut Xml, node: &Node, Area { corner, size }: &Area) {
    const LEAST: f64 = 3.0;
    let Some(fold) = &node.fold else { return };
    let width = size.width - 2.0 * PADDING;
    let shares = fold.counts.iter().count() as f64;
    let per_node = (width - shares * LEAST).max(0.0) / fold.counts.total().max(1) as f64;
    let mut left = corner.x + PADDING;
    let top = number(corner.y + size.height - BAR_HEIGHT - 7.0);
    for (state, count) in fold.counts.iter() {
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
    lines.join("\n")
}

#[cfg(test)]
mod tests;
