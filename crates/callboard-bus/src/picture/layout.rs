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
const LABEL_MARGIN: f64 = 24.0;
/// How far towards the end that it has for itself an edge that points down has its text: along and across. It is where the
/// curve is at three quarters of its parameter.
const LABEL_SHARE: (f64, f64) = (0.703, 0.844);

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

/// A box or a waypoint as the steps see it.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    along: f64,
    across: f64,
}

/// What the steps have found out.
#[derive(Debug)]
struct Plan<'a> {
    task: &'a Task<'a>,
    lattice: Lattice,
    extents: Vec<Extent>,
    /// The same with room for the texts of edges.
    roomy: Vec<Extent>,
    /// The middle of each vertex across.
    centres: Vec<f64>,
    /// Where each layer begins and ends along the axis.
    bands: Vec<(f64, f64)>,
}

/// Lays it out.
pub(super) fn layout(task: &Task<'_>) -> Layout {
    let plan = Plan::new(task);
    Layout {
        size: plan.size(),
        direction: task.direction,
        boxes: (0..task.boxes.len()).map(|node| plan.area(node)).collect(),
        routes: (0..task.ends.len()).map(|edge| plan.route(edge)).collect(),
    }
}

impl<'a> Plan<'a> {
    fn new(task: &'a Task<'a>) -> Self {
        let dag = Dag::new(task.boxes.len(), task.ends);
        let mut lattice = Lattice::new(&dag.drawn_levels(), task.ends, task.is_dashed);
        ordering::order(&mut lattice);
        let extents = extents(task, &lattice);
        let roomy = roomy(task, &lattice, &extents);
        let centres = placement::place(&lattice, &roomy, task.direction);
        let mut plan = Self { task, lattice, extents, roomy, centres, bands: Vec::new() };
        plan.bands = plan.banded(plan.gaps());
        plan
    }

    /// The room below each layer: as much as its edges need so as not to be too flat, and as their texts need.
    fn gaps(&self) -> Vec<f64> {
        let mut gaps = vec![LAYER_GAP; self.lattice.layers.len()];
        for (upper, lower) in self.lattice.steps() {
            let shift = (self.centres[upper] - self.centres[lower]).abs() * GAP_PER_SHIFT;
            let gap = &mut gaps[self.lattice.layer_of[upper]];
            *gap = gap.max((LAYER_GAP + shift).min(WIDEST_GAP));
        }
        for (edge, label) in self.task.labels.iter().enumerate().filter(|(_, label)| label.width > 0.0) {
            let gap = &mut gaps[self.lattice.label_layer(edge)];
            *gap = gap.max(Extent::of(*label, self.task.direction).along + 2.0 * LABEL_MARGIN);
        }
        gaps
    }

    fn banded(&self, gaps: Vec<f64>) -> Vec<(f64, f64)> {
        let mut start = 0.0;
        let bands = self.lattice.layers.iter().zip(gaps).map(|(layer, gap)| {
            let longest = layer.iter().map(|&vertex| self.extents[vertex].along).fold(0.0, f64::max);
            let band = (start, start + longest);
            start = band.1 + gap;
            band
        });
        bands.collect()
    }

    fn band(&self, vertex: usize) -> (f64, f64) {
        self.bands[self.lattice.layer_of[vertex]]
    }

    /// Where a vertex begins and ends along the axis: in the middle of its layer.
    fn span(&self, vertex: usize) -> (f64, f64) {
        let (start, end) = self.band(vertex);
        let (middle, half) = ((start + end) / 2.0, self.extents[vertex].along / 2.0);
        (middle - half, middle + half)
    }

    fn size(&self) -> Size {
        let along = self.bands.last().map_or(0.0, |band| band.1);
        let ends = self.centres.iter().zip(&self.roomy).map(|(centre, extent)| centre + extent.across / 2.0);
        Point::at(along, ends.fold(0.0, f64::max), self.task.direction).into_size()
    }

    fn area(&self, node: usize) -> Area {
        let Extent { along, across } = self.extents[node];
        let corner = Point::at(self.span(node).0, self.centres[node] - across / 2.0, self.task.direction);
        Area { corner, size: Point::at(along, across, self.task.direction).into_size() }
    }

    /// Out of the box to the end of its layer, straight through each layer on the way, and on to the other box.
    fn route(&self, edge: usize) -> Route {
        let chain = &self.lattice.chains[edge];
        let (mut points, last) = (Vec::with_capacity(2 * chain.len()), chain.len() - 1);
        for (step, &vertex) in chain.iter().enumerate() {
            let (band, span) = (self.band(vertex), self.span(vertex));
            let arrives = if step == 0 { span.1 } else { band.0 };
            let leaves = if step == last { span.0 } else { band.1 };
            points.extend([(arrives, self.centres[vertex]), (leaves, self.centres[vertex])]);
        }
        simplify(&mut points);
        let at = |(along, across)| Point::at(along, across, self.task.direction);
        Route { points: points.into_iter().map(at).collect(), label: at(self.label_place(edge)) }
    }

    /// In the gap where the edge shares its way with no other. Texts lie across edges that point down, so there they are put
    /// near to the end that keeps room for them.
    fn label_place(&self, edge: usize) -> (f64, f64) {
        let [own, shared] = self.lattice.label_step(edge);
        let (own_edge, shared_edge) = match self.band(own) {
            band if band.0 > self.band(shared).0 => (band.0, self.band(shared).1),
            band => (band.1, self.band(shared).0),
        };
        let share = if self.task.direction == Direction::Right { (0.5, 0.5) } else { LABEL_SHARE };
        let between = |from: f64, to: f64, share: f64| from + (to - from) * share;
        (between(shared_edge, own_edge, share.0), between(self.centres[shared], self.centres[own], share.1))
    }
}

/// Room for the texts of edges that point down.
fn roomy(task: &Task<'_>, lattice: &Lattice, extents: &[Extent]) -> Vec<Extent> {
    let mut roomy = extents.to_vec();
    if task.direction != Direction::Right {
        for (edge, label) in task.labels.iter().enumerate().filter(|(_, label)| label.width > 0.0) {
            let [own, _] = lattice.label_step(edge);
            roomy[own].across = roomy[own].across.max(label.width + LABEL_MARGIN);
        }
    }
    roomy
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

    fn into_size(self) -> Size {
        Size { width: self.x, height: self.y }
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

#[cfg(test)]
mod tests;
