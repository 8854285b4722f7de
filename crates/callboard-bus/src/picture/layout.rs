//! Where boxes and arrows go. Pure, and the same for the same picture.
//!
//! The layers, orders and places of Sugiyama, Tagawa and Toda (*Methods for Visual Understanding of Hierarchical System
//! Structures*, 1981), in four steps of a file each: `dag` puts every node on a layer, [`lattice`] gives an edge that is
//! longer than one layer a waypoint on every layer between, [`ordering`] permutes layers until few edges cross, and
//! [`placement`] finds room for each. Edges bend only between layers and run straight through them, where a
//! waypoint keeps boxes away; so no edge runs over a box.
//!
//! The steps speak of two axes: edges point *along*, and a layer extends *across*.

mod lattice;
mod ordering;
mod placement;

use self::lattice::Lattice;
use super::Direction;
use super::dag::Dag;

/// The room between two layers, and what is added to it for each pixel that an edge is shifted across.
const LAYER_GAP: f64 = 44.0;
const GAP_PER_SHIFT: f64 = 0.07;
const WIDEST_GAP: f64 = 130.0;
/// The room on both sides of a text at an edge, along it.
const LABEL_MARGIN: f64 = 20.0;

/// What is to be laid out: boxes by their sizes, edges by the places of their boxes.
#[derive(Debug)]
pub(super) struct Task<'a> {
    pub(super) boxes: &'a [Size],
    pub(super) ends: &'a [(usize, usize)],
    /// The size of the text at each edge, zero for none.
    pub(super) labels: &'a [Size],
    /// Only edges of the same style may share a way.
    pub(super) is_dashed: &'a [bool],
    pub(super) direction: Direction,
}

/// A width and a height in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A point in pixels from the upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A rectangle by its upper left corner and its size.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Area {
    pub(super) corner: Point,
    pub(super) size: Size,
}

/// The way of an edge: it leaves the first point and arrives at the last one along the axis, runs straight between two points
/// that are level, and in an S-shaped curve between others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    pub(super) points: Vec<Point>,
    /// The middle of its text.
    pub(super) label: Point,
}

/// The result.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    pub(super) size: Size,
    pub(super) direction: Direction,
    pub(super) boxes: Vec<Area>,
    pub(super) routes: Vec<Route>,
}

/// Where layers begin and end along the axis.
#[derive(Debug)]
struct Bands(Vec<(f64, f64)>);

/// A box or a waypoint as the steps see it.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    along: f64,
    across: f64,
}

/// Lays it out.
pub(super) fn layout(task: &Task<'_>) -> Layout {
    let dag = Dag::new(task.boxes.len(), task.ends);
    let mut lattice = Lattice::new(&dag.drawn_levels(), task.ends, task.is_dashed);
    ordering::order(&mut lattice);
    let extents = extents(task, &lattice);
    let centres = placement::place(&lattice, &extents, task.direction);
    let bands = Bands::new(task, &lattice, &extents, &centres);
    Layout {
        size: whole_size(task.direction, &bands, &extents, &centres),
        direction: task.direction,
        boxes: (0..task.boxes.len()).map(|node| area(task, &lattice, &bands, &extents, &centres, node)).collect(),
        routes: (0..task.ends.len()).map(|edge| route(task, &lattice, &bands, &extents, &centres, edge)).collect(),
    }
}

/// Boxes that point right are all as wide as their column, which keeps texts and arrow heads in line.
fn extents(task: &Task<'_>, lattice: &Lattice) -> Vec<Extent> {
    let mut extents: Vec<Extent> = task.boxes.iter().map(|size| Extent::of(*size, task.direction)).collect();
    extents.resize(lattice.len(), Extent::default());
    if task.direction == Direction::Right {
        for layer in &lattice.layers {
            let widest = layer.iter().map(|&vertex| extents[vertex].along).fold(0.0, f64::max);
            layer.iter().for_each(|&vertex| extents[vertex].along = widest);
        }
    }
    extents
}

impl Extent {
    fn of(size: Size, direction: Direction) -> Self {
        match direction {
            Direction::Right => Self { along: size.width, across: size.height },
            Direction::Down | Direction::Fitting => Self { along: size.height, across: size.width },
        }
    }
}

impl Point {
    fn at(along: f64, across: f64, direction: Direction) -> Self {
        match direction {
            Direction::Right => Self { x: along, y: across },
            Direction::Down | Direction::Fitting => Self { x: across, y: along },
        }
    }
}

impl Bands {
    /// Layers are as far apart as the edges between them need: steep where they are short, and with room for their texts.
    fn new(task: &Task<'_>, lattice: &Lattice, extents: &[Extent], centres: &[f64]) -> Self {
        let mut gaps = vec![LAYER_GAP; lattice.layers.len()];
        for (upper, lower) in lattice.steps() {
            let shift = (centres[upper] - centres[lower]).abs() * GAP_PER_SHIFT;
            let gap = &mut gaps[lattice.layer_of[upper]];
            *gap = gap.max((LAYER_GAP + shift).min(WIDEST_GAP));
        }
        for (edge, label) in task.labels.iter().enumerate().filter(|(_, label)| label.width > 0.0) {
            let gap = &mut gaps[lattice.label_layer(edge)];
            *gap = gap.max(Extent::of(*label, task.direction).along + 2.0 * LABEL_MARGIN);
        }
        let mut start = 0.0;
        let bands = lattice.layers.iter().zip(gaps).map(|(layer, gap)| {
            let band = (start, start + layer.iter().map(|&vertex| extents[vertex].along).fold(0.0, f64::max));
            start = band.1 + gap;
            band
        });
        Self(bands.collect())
    }

    fn of(&self, lattice: &Lattice, vertex: usize) -> (f64, f64) {
        self.0[lattice.layer_of[vertex]]
    }
}

fn whole_size(direction: Direction, bands: &Bands, extents: &[Extent], centres: &[f64]) -> Size {
    let along = bands.0.last().map_or(0.0, |band| band.1);
    let across = centres.iter().zip(extents).map(|(centre, extent)| centre + extent.across / 2.0).fold(0.0, f64::max);
    let Point { x: width, y: height } = Point::at(along, across, direction);
    Size { width, height }
}

fn area(task: &Task<'_>, lattice: &Lattice, bands: &Bands, extents: &[Extent], centres: &[f64], node: usize) -> Area {
    let (start, end) = bands.of(lattice, node);
    let Extent { along, across } = extents[node];
    let corner = Point::at((start + end - along) / 2.0, centres[node] - across / 2.0, task.direction);
    let Point { x: width, y: height } = Point::at(along, across, task.direction);
    Area { corner, size: Size { width, height } }
}

fn route(task: &Task<'_>, lattice: &Lattice, bands: &Bands, extents: &[Extent], centres: &[f64], edge: usize) -> Route {
    let chain = &lattice.chains[edge];
    let last = chain.len() - 1;
    let mut points = Vec::with_capacity(2 * chain.len());
    for (step, &vertex) in chain.iter().enumerate() {
        let (start, end) = bands.of(lattice, vertex);
        let middle = (start + end) / 2.0;
        let half = extents[vertex].along / 2.0;
        let from = if step == last { middle - half } else { end };
        points.extend((step > 0).then_some((start, centres[vertex])));
        points.extend((step == 0).then_some((middle + half, centres[vertex])));
        points.push((from, centres[vertex]));
    }
    simplify(&mut points);
    let (along, across) = label_place(lattice, bands, centres, edge);
    let label = Point::at(along, across, task.direction);
    Route {
        points: points.into_iter().map(|(along, across)| Point::at(along, across, task.direction)).collect(),
        label,
    }
}

/// Leaves out points in the middle of a straight line.
fn simplify(points: &mut Vec<(f64, f64)>) {
    points.dedup_by(|one, other| (one.0 - other.0).abs() < 0.05 && one.1 == other.1);
    let mut kept: Vec<(f64, f64)> = Vec::with_capacity(points.len());
    for &point in points.iter() {
        if let [.., before, last] = kept[..]
            && before.1 == last.1
            && last.1 == point.1
        {
            kept.pop();
        }
        kept.push(point);
    }
    *points = kept;
}

/// In the gap where the edge shares its way with no other.
fn label_place(lattice: &Lattice, bands: &Bands, centres: &[f64], edge: usize) -> (f64, f64) {
    let chain = &lattice.chains[edge];
    let layer = lattice.label_layer(edge);
    let step = chain.iter().position(|&vertex| lattice.layer_of[vertex] == layer).unwrap_or(0);
    let (upper, lower) = (chain[step], chain[(step + 1).min(chain.len() - 1)]);
    let along = (bands.of(lattice, upper).1 + bands.of(lattice, lower).0) / 2.0;
    (along, (centres[upper] + centres[lower]) / 2.0)
}

#[cfg(test)]
mod tests;
