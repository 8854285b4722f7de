//! The order in which children start: as they were named, except that each [part](crate::Part) comes after those it needs.
//! Pure.

use super::Supervise;
use crate::part::{AnyPart, Arrangement};

/// In which order the children of one supervisor start.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    /// The places at which they were named.
    pub(super) places: Vec<usize>,
    /// For each, in this order, how many others stand below it in the longest line of those that need each other; nothing
    /// for a child that is no part.
    pub(super) depths: Vec<Option<usize>>,
}

/// One order for each supervisor, and what keeps them from being started in it.
pub(crate) fn arrange(supervise: &[Supervise]) -> (Vec<Order>, Vec<String>) {
    let parts: Vec<Placed<'_>> = supervise.iter().enumerate().flat_map(Placed::all_of).collect();
    let Arrangement { needs, mut faults } =
        AnyPart::arrange_all(&parts.iter().map(|part| part.part).collect::<Vec<_>>());
    faults.extend(parts.iter().zip(&needs).flat_map(|(part, needs)| part.too_early(needs, &parts)));
    let mut depths = depths(&needs).into_iter();
    let orders = supervise.iter().map(|supervise| order(supervise, &mut depths)).collect();
    (orders, faults)
}

/// A part, and whose it is.
struct Placed<'s> {
    supervisor: usize,
    name: &'s str,
    part: &'s AnyPart,
}

impl<'s> Placed<'s> {
    fn all_of((supervisor, supervise): (usize, &'s Supervise)) -> impl Iterator<Item = Self> {
        let children = supervise.children.iter();
        children.filter_map(move |child| Some(Self { supervisor, name: &child.name, part: child.part.as_ref()? }))
    }

    /// The supervisors start one after the other, in the order that the user has given them.
    fn too_early(&self, needs: &[usize], all: &[Self]) -> Vec<String> {
        let later = needs.iter().map(|&need| &all[need]).filter(|need| need.supervisor > self.supervisor);
        let told = |need: &Self| {
            let (name, need) = (self.name, need.name);
            format!("`{name}` needs `{need}`, whose supervisor starts later: name that supervisor first")
        };
        later.map(told).collect()
    }
}

/// One more than the deepest that each needs, and 0 where it needs none. Those that need each other in a circle get some
/// number.
fn depths(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut depths = vec![0; needs.len()];
    // No line is longer than all of them together; a circle would go on for ever.
    for _ in 0..needs.len() {
        let mut is_done = true;
        for (part, needs) in needs.iter().enumerate() {
            let depth = needs.iter().map(|&need| depths[need] + 1).max().unwrap_or(0);
            is_done &= std::mem::replace(&mut depths[part], depth) == depth;
        }
        if is_done {
            break;
        }
    }
    depths
}

/// The parts change places among each other; the other children stay where they are.
fn order(supervise: &Supervise, depths: &mut impl Iterator<Item = usize>) -> Order {
    let depth = |part: &Option<AnyPart>| part.as_ref().and_then(|_| depths.next());
    let depths: Vec<Option<usize>> = supervise.children.iter().map(|child| &child.part).map(depth).collect();
    let mut sorted: Vec<usize> = (0..depths.len()).filter(|&place| depths[place].is_some()).collect();
    sorted.sort_by_key(|&place| depths[place]);
    let mut sorted = sorted.into_iter();
    let places: Vec<usize> =
        (0..depths.len()).map(|place| depths[place].and_then(|_| sorted.next()).unwrap_or(place)).collect();
    let depths = places.iter().map(|&place| depths[place]).collect();
    Order { places, depths }
}
