//! Finds each vertex its place across: in the order of its layer, apart from its neighbours, and near to what it is joined to.
//!
//! Sugiyama's down and up sweeps. In each, a layer is placed so that the weighted squares of the distances to where its
//! vertices would like to be are least: with the order and the room between neighbours given, that is an isotonic regression,
//! which pooling adjacent violators solves in O(n) (Ayer and others, *An Empirical Distribution Function for Sampling
//! with Incomplete Information*, 1955). Edges between waypoints weigh more, so that long edges are straight (the weights
//! of Gansner and others, 1993).

use super::lattice::Lattice;
use super::{Direction, Extent};

const SWEEPS: usize = 28;
const STRAIGHTENINGS: usize = 4;
/// A box is only moved into line when it is no further out of it.
const SMALL_BEND: f64 = 90.0;
/// The room between two vertices of a layer.
const BOX_GAP_RIGHT: f64 = 16.0;
const BOX_GAP_DOWN: f64 = 26.0;
const WAYPOINT_GAP: f64 = 11.0;

/// What moves together: vertices that would otherwise push each other away.
#[derive(Clone, Copy, Debug)]
struct Pool {
    wish: f64,
    weight: f64,
    len: usize,
}

/// The middle of each vertex across. The least upper edge of all is at zero.
pub(super) fn place(lattice: &Lattice, extents: &[Extent], direction: Direction) -> Vec<f64> {
    let offsets = offsets(lattice, extents, direction);
    let mut centres = offsets.clone();
    for layer in &lattice.layers {
        let last = layer.last().map_or(0.0, |&vertex| offsets[vertex]);
        layer.iter().for_each(|&vertex| centres[vertex] -= last / 2.0);
    }
    for sweep in 0..SWEEPS {
        let (first, second) = (sweep % 2 == 0 || sweep + 4 >= SWEEPS, sweep % 2 == 1 || sweep + 4 >= SWEEPS);
        for step in 0..lattice.layers.len() {
            let layer = if sweep % 2 == 0 { step } else { lattice.layers.len() - 1 - step };
            place_layer(lattice, &offsets, &mut centres, layer, [first, second]);
        }
    }
    straighten(lattice, &offsets, &mut centres);
    let upper = centres.iter().zip(extents).map(|(centre, extent)| centre - extent.across / 2.0);
    let least = upper.fold(f64::INFINITY, f64::min);
    centres.iter().map(|centre| ((centre - least) * 2.0).round() / 2.0).collect()
}

/// The place of each vertex if its layer were packed from zero.
fn offsets(lattice: &Lattice, extents: &[Extent], direction: Direction) -> Vec<f64> {
    let box_gap = if direction == Direction::Right { BOX_GAP_RIGHT } else { BOX_GAP_DOWN };
    let mut offsets = vec![0.0; lattice.len()];
    for layer in &lattice.layers {
        for pair in layer.windows(2) {
            let [left, right] = [pair[0], pair[1]];
            let waypoints = [left, right].into_iter().filter(|&vertex| lattice.is_waypoint(vertex)).count();
            let gap = if waypoints > 0 { WAYPOINT_GAP } else { box_gap };
            // Places are rounded in the end, which may take a pixel.
            let apart = (extents[left].across + extents[right].across) / 2.0 + gap + 1.0;
            offsets[right] = offsets[left] + apart;
        }
    }
    offsets
}

fn place_layer(lattice: &Lattice, offsets: &[f64], centres: &mut [f64], layer: usize, sides: [bool; 2]) {
    let vertices = &lattice.layers[layer];
    let mut pools: Vec<Pool> = Vec::with_capacity(vertices.len());
    for &vertex in vertices {
        let (wish, weight) = wish(lattice, centres, vertex, sides);
        let mut pool = Pool { wish: wish - offsets[vertex], weight, len: 1 };
        while let Some(before) = pools.pop_if(|before| before.wish >= pool.wish) {
            pool = before.with(pool);
        }
        pools.push(pool);
    }
    let wishes = pools.iter().flat_map(|pool| std::iter::repeat_n(pool.wish, pool.len));
    for (&vertex, wish) in vertices.iter().zip(wishes) {
        centres[vertex] = wish + offsets[vertex];
    }
}

/// Puts vertices that follow each other without a branch in one line, as far as their neighbours in the layers leave room:
/// least squares leave small bends where the eye wants none. What one line gives way makes room for the next, so
/// it is done from both sides.
fn straighten(lattice: &Lattice, offsets: &[f64], centres: &mut [f64]) {
    let places = lattice.places();
    let mut vertices: Vec<usize> = lattice.layers.concat();
    for _ in 0..STRAIGHTENINGS {
        vertices.reverse();
        for &vertex in vertices.iter().filter(|&&vertex| line_before(lattice, vertex).is_none()) {
            let mut next = Some(vertex);
            while let Some(vertex) = next {
                next = straighten_from(lattice, offsets, centres, &places, vertex);
            }
        }
    }
}

/// Straightens as long a part of the line as has a place in common, and gives the first vertex after it.
fn straighten_from(
    lattice: &Lattice,
    offsets: &[f64],
    centres: &mut [f64],
    places: &[usize],
    start: usize,
) -> Option<usize> {
    let (mut least, mut most) = freedom(lattice, offsets, centres, places[start], start);
    let (mut line, mut last) = (vec![start], start);
    let mut next = line_after(lattice, start);
    while let Some(vertex) = next.filter(|&vertex| is_worth_it(lattice, centres, last, vertex)) {
        let (low, high) = freedom(lattice, offsets, centres, places[vertex], vertex);
        if low.max(least) > high.min(most) {
            break;
        }
        (least, most) = (low.max(least), high.min(most));
        line.push(vertex);
        last = vertex;
        next = line_after(lattice, vertex);
    }
    if line.len() > 1 {
        let mean = line.iter().map(|&vertex| centres[vertex]).sum::<f64>() / line.len() as f64;
        line.iter().for_each(|&vertex| centres[vertex] = mean.max(least).min(most));
    }
    next
}

/// Boxes would lengthen their other edges if they moved far.
fn is_worth_it(lattice: &Lattice, centres: &[f64], upper: usize, lower: usize) -> bool {
    let is_near = (centres[lower] - centres[upper]).abs() <= SMALL_BEND;
    is_near || (lattice.is_waypoint(upper) && lattice.is_waypoint(lower))
}

/// The vertex above, when it and this one are in one line.
fn line_before(lattice: &Lattice, vertex: usize) -> Option<usize> {
    let above = followed_by(lattice, &lattice.above, vertex)?;
    (followed_by(lattice, &lattice.below, above) == Some(vertex)).then_some(above)
}

/// The vertex below, when it and this one are in one line.
fn line_after(lattice: &Lattice, vertex: usize) -> Option<usize> {
    let below = followed_by(lattice, &lattice.below, vertex)?;
    (followed_by(lattice, &lattice.above, below) == Some(vertex)).then_some(below)
}

/// How far a vertex can move between its neighbours in the layer.
fn freedom(lattice: &Lattice, offsets: &[f64], centres: &[f64], place: usize, vertex: usize) -> (f64, f64) {
    let layer = &lattice.layers[lattice.layer_of[vertex]];
    let beside = |other: usize| centres[other] + offsets[vertex] - offsets[other];
    let left = place.checked_sub(1).map_or(f64::NEG_INFINITY, |left| beside(layer[left]));
    let right = layer.get(place + 1).map_or(f64::INFINITY, |&right| beside(right));
    (left, right)
}

/// The only neighbour of the same sort on a side, or else the only one: a way goes on as a way, and the main line of boxes is
/// not bent by the ways that leave it.
fn followed_by(lattice: &Lattice, side: &[Vec<usize>], vertex: usize) -> Option<usize> {
    let is_same = |next: &&usize| lattice.is_waypoint(**next) == lattice.is_waypoint(vertex);
    let mut same = side[vertex].iter().filter(is_same);
    match (same.next(), same.next(), &side[vertex][..]) {
        (Some(&only), None, _) | (None, _, &[only]) => Some(only),
        _ => None,
    }
}

/// Where a vertex would like to be and how much. One without neighbours on the sides would like to stay, a little.
fn wish(lattice: &Lattice, centres: &[f64], vertex: usize, [above, below]: [bool; 2]) -> (f64, f64) {
    let none: &[usize] = &[];
    let above = if above { &lattice.above[vertex] } else { none };
    let below = if below { &lattice.below[vertex] } else { none };
    let (mut sum, mut weight) = (0.0, 0.0);
    for &neighbour in above.iter().chain(below) {
        let pull = pull(lattice, vertex, neighbour);
        sum += pull * centres[neighbour];
        weight += pull;
    }
    if weight > 0.0 { (sum / weight, weight) } else { (centres[vertex], 0.05) }
}

fn pull(lattice: &Lattice, one: usize, other: usize) -> f64 {
    match (lattice.is_waypoint(one), lattice.is_waypoint(other)) {
        (true, true) => 8.0,
        (true, false) | (false, true) => 2.0,
        (false, false) => 1.0,
    }
}

impl Pool {
    fn with(self, other: Self) -> Self {
        let weight = self.weight + other.weight;
        let wish = (self.wish * self.weight + other.wish * other.weight) / weight;
        Self { wish, weight, len: self.len + other.len }
    }
}
