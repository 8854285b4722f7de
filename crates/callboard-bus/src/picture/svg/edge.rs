//! Arrows and the texts at them.

use super::super::face::DETAIL_SIZE;
use super::super::layout::{Layout, Point, Route};
use super::super::state::{FAINT_INK, PAPER};
use super::super::xml::{Xml, number};
use super::super::{Direction, Edge, Picture, critical, text};

/// The colour of edges: it stands out from the paper, less than boxes do.
const EDGE: &str = "#64748b";
const EDGE_LABEL_ROOM: f64 = 120.0;
/// The length and half the width of an arrow head.
const HEAD: (f64, f64) = (8.0, 3.6);
/// What is written at an edge, cut to fit.
pub(super) fn label_of(edge: &Edge) -> Option<String> {
    let label = edge.label.as_deref().map(text::visible).filter(|label| !label.trim().is_empty())?;
    Some(text::cut(&label, DETAIL_SIZE, EDGE_LABEL_ROOM).into_owned())
}

/// Lines first and heads above them, so that no line runs over the head of another; and the critical path above all.
pub(super) fn draw_edges(xml: &mut Xml, picture: &Picture, layout: &Layout) {
    for (is_critical, colour) in [(false, EDGE), (true, critical::LINE)] {
        let edges = picture.edges.iter().zip(&picture.ends).zip(&layout.routes);
        let edges: Vec<_> = edges.filter(|((edge, _), _)| edge.is_critical == is_critical).collect();
        if is_critical && edges.is_empty() {
            continue;
        }
        let suffix = if is_critical { " critical" } else { "" };
        xml.open("g", &[("class", &format!("edges{suffix}")), ("fill", &"none"), ("stroke", &colour)]);
        for ((edge, (from, to)), route) in &edges {
            let ends = [from, to].map(|end| picture.nodes[*end].label.as_str());
            draw_edge(xml, edge, ends, &path(route, layout.direction));
        }
        xml.close();
        let tips = edges.iter().filter_map(|(_, route)| route.points.last());
        let heads = heads(tips, layout.direction);
        xml.empty("path", &[("class", &format!("heads{suffix}")), ("fill", &colour), ("d", &heads)]);
    }
}

fn heads<'a>(tips: impl Iterator<Item = &'a Point>, direction: Direction) -> String {
    let mut heads: Vec<String> = tips.map(|tip| head(*tip, direction)).collect();
    heads.sort_unstable();
    heads.dedup();
    heads.concat()
}

fn draw_edge(xml: &mut Xml, edge: &Edge, [from, to]: [&str; 2], path: &str) {
    let plain = if edge.is_critical { 2.4 } else { 1.3 };
    let width = number(plain + 0.2 * (edge.count as f64).log2().clamp(0.0, 6.0));
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

pub(super) fn draw_edge_labels(xml: &mut Xml, layout: &Layout, labels: &[Option<String>]) {
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
