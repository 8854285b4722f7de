//! Whether two shapes have no value in common.

use super::shape::Shape;
use super::types::Types;
use super::{Walk, limits};

/// Items of arrays that are compared, at most.
const MOST_ITEMS: u64 = 16;

impl Walk {
    /// Whether they surely have none.
    pub(super) fn disjoint(&mut self, one: &Shape<'_>, other: &Shape<'_>) -> bool {
        if one.is_nothing() || other.is_nothing() {
            return true;
        }
        if !self.takes_step() {
            return false;
        }
        self.depth += 1;
        let is_disjoint = match (one.split(), other.split()) {
            (Some(pieces), _) => pieces.iter().all(|piece| self.disjoint(piece, other)),
            (None, Some(pieces)) => pieces.iter().all(|piece| self.disjoint(one, piece)),
            (None, None) => self.are_apart(one, other),
        };
        self.depth -= 1;
        is_disjoint
    }

    fn are_apart(&mut self, one: &Shape<'_>, other: &Shape<'_>) -> bool {
        if let (Some(literal), Some(other)) = (one.literal(), other.literal()) {
            return !literal.is_the_same_as(other);
        }
        let mut shared = one.types().and(other.types()).each();
        shared.all(|shared| match shared {
            Types::INTEGER | Types::FRACTION => limits::are_apart(one, other),
            Types::STRING => are_apart(limits::lengths(one), limits::lengths(other)),
            Types::ARRAY => self.are_arrays_apart(one, other),
            Types::OBJECT => self.are_objects_apart(one, other),
            _ => false,
        })
    }

    fn are_arrays_apart(&mut self, one: &Shape<'_>, other: &Shape<'_>) -> bool {
        let counts = |shape: &Shape<'_>| (shape.least_items(), shape.most_items());
        let always = one.least_items().max(other.least_items()).min(MOST_ITEMS) as usize;
        are_apart(counts(one), counts(other))
            || (0..always).any(|index| self.disjoint(&one.item(index), &other.item(index)))
    }

    /// A property that is always there on one side decides.
    fn are_objects_apart(&mut self, one: &Shape<'_>, other: &Shape<'_>) -> bool {
        let mut always = one.required();
        always.extend(other.required());
        always.into_iter().any(|name| self.disjoint(&one.property(name), &other.property(name)))
    }
}

fn are_apart((least, most): (u64, Option<u64>), (other_least, other_most): (u64, Option<u64>)) -> bool {
    most.is_some_and(|most| most < other_least) || other_most.is_some_and(|most| most < least)
}
