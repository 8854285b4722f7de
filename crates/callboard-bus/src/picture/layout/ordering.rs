//! Permutes the layers until few edges cross.
//!
//! A walk in depth gives the first order, in which a tree has no crossing. Then layers are sorted by the mean place of their
//! neighbours, downwards and upwards in turn (Sugiyama's barycentres), and neighbours are swapped where that helps (the
//! transposition of Gansner and others, 1993). The best order that was seen is kept. Crossings are counted as inversions
//! (Barth, Jünger, Mutzel, *Simple and Efficient Bilayer Cross Counting*, 2002), so a sweep takes O((V + E) log V).

use super::lattice::Lattice;

const SWEEPS: usize = 16;
/// How often a layer is gone through for neighbours to swap, in each sweep.
const SWAP_ROUNDS: usize = 3;

/// Which neighbours a layer is sorted by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

pub(super) fn order(lattice: &mut Lattice) {
    walk_in_depth(lattice);
    let mut places = lattice.places();
    let mut best = (crossings(lattice, &places), lattice.layers.clone());
    for sweep in 0..SWEEPS {
        if best.0 == 0 {
            break;
        }
        let side = if sweep % 2 == 0 { Side::Above } else { Side::Below };
        sort_layers(lattice, &mut places, side);
        swap_neighbours(lattice, &mut places);
        let crossings = crossings(lattice, &places);
        if crossings < best.0 {
            best = (crossings, lattice.layers.clone());
        }
    }
    lattice.layers = best.1;
}

fn walk_in_depth(lattice: &mut Lattice) {
    let mut is_seen = vec![false; lattice.len()];
    let mut layers = vec![Vec::new(); lattice.layers.len()];
    for start in lattice.layers.iter().flatten() {
        let mut stack = vec![*start];
        while let Some(vertex) = stack.pop() {
            if !std::mem::replace(&mut is_seen[vertex], true) {
                layers[lattice.layer_of[vertex]].push(vertex);
                stack.extend(lattice.below[vertex].iter().rev());
            }
        }
    }
    lattice.layers = layers;
}

fn sort_layers(lattice: &mut Lattice, places: &mut [usize], side: Side) {
    let depth = lattice.layers.len();
    for step in 0..depth {
        let layer = if side == Side::Above { step } else { depth - 1 - step };
        sort_layer(lattice, places, side, layer);
    }
}

/// Vertices that have no neighbours on the side stay where they are; the others share the rest of the places.
fn sort_layer(lattice: &mut Lattice, places: &mut [usize], side: Side, layer: usize) {
    let vertices = &mut lattice.layers[layer];
    let neighbours = if side == Side::Above { &lattice.above } else { &lattice.below };
    let mean = |vertex: usize| {
        let sum: usize = neighbours[vertex].iter().map(|&neighbour| places[neighbour]).sum();
        sum as f64 / neighbours[vertex].len() as f64
    };
    let slots: Vec<usize> = (0..vertices.len()).filter(|&slot| !neighbours[vertices[slot]].is_empty()).collect();
    let mut sorted: Vec<(f64, usize)> = slots.iter().map(|&slot| (mean(vertices[slot]), vertices[slot])).collect();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    for (slot, (_, vertex)) in slots.into_iter().zip(sorted) {
        vertices[slot] = vertex;
    }
    vertices.iter().enumerate().for_each(|(place, &vertex)| places[vertex] = place);
}

fn swap_neighbours(lattice: &mut Lattice, places: &mut [usize]) {
    for layer in 0..lattice.layers.len() {
        let sorted_places = |neighbours: &[usize]| {
            let mut sorted: Vec<usize> = neighbours.iter().map(|&neighbour| places[neighbour]).collect();
            sorted.sort_unstable();
            sorted
        };
        let mut vertices: Vec<(usize, [Vec<usize>; 2])> = lattice.layers[layer]
            .iter()
            .map(|&vertex| (vertex, [&lattice.above, &lattice.below].map(|side| sorted_places(&side[vertex]))))
            .collect();
        swap_in_layer(&mut vertices);
        lattice.layers[layer] = vertices.into_iter().map(|(vertex, _)| vertex).collect();
        lattice.layers[layer].iter().enumerate().for_each(|(place, &vertex)| places[vertex] = place);
    }
}

fn swap_in_layer(vertices: &mut [(usize, [Vec<usize>; 2])]) {
    for _ in 0..SWAP_ROUNDS {
        let mut has_swapped = false;
        for left in 1..vertices.len() {
            let (one, other) = (&vertices[left - 1].1, &vertices[left].1);
            let gain = |side: usize| inverted(&one[side], &other[side]) - inverted(&other[side], &one[side]);
            if gain(0) + gain(1) > 0 {
                vertices.swap(left - 1, left);
                has_swapped = true;
            }
        }
        if !has_swapped {
            break;
        }
    }
}

/// How many pairs cross when the neighbours of the left vertex are these and those of the right one are those, both sorted.
fn inverted(left: &[usize], right: &[usize]) -> i64 {
    let (mut smaller, mut count) = (0, 0);
    for &place in left {
        while smaller < right.len() && right[smaller] < place {
            smaller += 1;
        }
        count += smaller as i64;
    }
    count
}

fn crossings(lattice: &Lattice, places: &[usize]) -> u64 {
    lattice.layers.windows(2).map(|pair| crossings_between(&pair[0], pair[1].len(), lattice, places)).sum()
}

/// Goes through the edges by their upper ends, and counts at each how many before it end further right: with a tree of partial
/// sums over the lower places (Fenwick, 1994).
fn crossings_between(upper: &[usize], width: usize, lattice: &Lattice, places: &[usize]) -> u64 {
    let (mut sums, mut seen, mut count) = (vec![0_u64; width + 1], 0, 0);
    for &vertex in upper {
        let mut ends: Vec<usize> = lattice.below[vertex].iter().map(|&lower| places[lower]).collect();
        ends.sort_unstable();
        for end in ends {
            count += seen - sum_up_to(&sums, end + 1);
            add_at(&mut sums, end + 1);
            seen += 1;
        }
    }
    count
}

fn sum_up_to(sums: &[u64], mut at: usize) -> u64 {
    let mut sum = 0;
    while at > 0 {
        sum += sums[at];
        at &= at - 1;
    }
    sum
}

fn add_at(sums: &mut [u64], mut at: usize) {
    while at < sums.len() {
        sums[at] += 1;
        at += at & at.wrapping_neg();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn crossings_are_counted_as_pairs_that_cross(ends in prop::collection::btree_set((0usize..8, 8usize..16), 0..30)) {
            let levels: Vec<usize> = (0..16).map(|node| node / 8).collect();
            let ends: Vec<(usize, usize)> = ends.into_iter().collect();
            let mut lattice = Lattice::new(&levels, &ends, &vec![false; ends.len()]);
            let naive = |places: &[usize]| {
                let cross = |a: &(usize, usize), b: &(usize, usize)| places[a.0] < places[b.0] && places[a.1] > places[b.1];
                ends.iter().map(|a| ends.iter().filter(|b| cross(a, b)).count() as u64).sum::<u64>()
            };
            let places = lattice.places();
            let before = crossings(&lattice, &places);
            prop_assert_eq!(before, naive(&places));
            order(&mut lattice);
            let places = lattice.places();
            let after = crossings(&lattice, &places);
            prop_assert_eq!(after, naive(&places));
        }

        #[test]
        fn a_tree_has_no_crossing(parents in prop::collection::vec(any::<prop::sample::Index>(), 1..40)) {
            let ends: Vec<(usize, usize)> =
                parents.iter().enumerate().map(|(at, parent)| (parent.index(at + 1), at + 1)).collect();
            let levels = super::super::Dag::new(parents.len() + 1, &ends).levels();
            let mut lattice = Lattice::new(&levels, &ends, &vec![false; ends.len()]);
            order(&mut lattice);
            prop_assert_eq!(crossings(&lattice, &lattice.places()), 0);
        }
    }
}
