//! The lanes of a mailbox: one queue per priority, the most urgent first, and a starvation guard. Pure.
//!
//! The order is stable: first in, first out inside a lane. A lane that was passed over [`DUE_AFTER`] times while it had
//! something is served next, the most neglected one first, so each non-empty lane gets at least one turn in
//! [`GUARD`](super::GUARD) turns of more urgent ones.

use super::queue::Queue;

/// The framework's own lane (0) and one per [`Priority`](crate::Priority).
pub(crate) const LANES: usize = 6;
/// The lane that users cannot reach.
pub(crate) const CONTROL: usize = 0;
pub(crate) const NORMAL: usize = 3;
const ONLY_NORMAL: u8 = 1 << NORMAL;

/// How often a lane is passed over before it is due. Below the guard by what several lanes that become due together
/// have to wait for each other, and by what a lane waits in the shared half of a mailbox before it is spliced in.
const DUE_AFTER: u8 = 20;

/// The lanes. All but the normal one are boxed, as most actors never use them.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    normal: Queue<T>,
    rare: Option<Box<Rare<T>>>,
    /// A bit per non-empty lane.
    filled: u8,
}

#[derive(Debug)]
struct Rare<T> {
    /// Indexed by lane; the entry of the normal lane stays empty.
    queues: [Queue<T>; LANES],
    /// How often each lane was passed over since it was last served.
    passed: [u8; LANES],
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self { normal: Queue::default(), rare: None, filled: 0 }
    }
}

impl<T> Lanes<T> {
    /// A bit per non-empty lane.
    #[inline(always)]
    pub(crate) fn filled(&self) -> u8 {
        self.filled
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, lane: usize, value: T) {
        self.filled |= 1 << lane;
        self.queue(lane).push(value);
    }

    /// The next value in lane order; `lane` says where it was. The lane is no part of the result so that the value is
    /// handed through without being copied into another shape.
    #[inline(always)]
    pub(crate) fn pop(&mut self, lane: &mut usize) -> Option<T> {
        *lane = self.next()?;
        self.pop_lane(*lane)
    }

    /// The lane whose turn it is; its oldest value has to be taken next.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<usize> {
        match self.filled {
            0 => None,
            ONLY_NORMAL => Some(NORMAL),
            _ => self.choose(),
        }
    }

    /// The oldest value of one lane. It is taken last, so that it goes straight to where the caller wants it.
    #[inline(always)]
    pub(crate) fn pop_lane(&mut self, lane: usize) -> Option<T> {
        if self.queue(lane).len() <= 1 {
            self.filled &= !(1 << lane);
        }
        self.queue(lane).pop()
    }

    /// Moves one lane of `other` behind the same lane here.
    pub(crate) fn append_lane(&mut self, lane: usize, other: &mut Self) {
        self.filled |= other.filled & (1 << lane);
        other.filled &= !(1 << lane);
        self.queue(lane).append(other.queue(lane));
    }

    #[inline(never)]
    fn choose(&mut self) -> Option<usize> {
        let first = bits(self.filled).next()?;
        let lane = self.due(first).unwrap_or(first);
        self.note_served(lane);
        Some(lane)
    }

    /// The most neglected lane, if any is due.
    fn due(&self, first: usize) -> Option<usize> {
        let rare = self.rare.as_ref()?;
        let due = bits(self.filled).filter(|&lane| lane > first && rare.passed[lane] >= DUE_AFTER);
        due.max_by_key(|&lane| (rare.passed[lane], LANES - lane))
    }

    fn note_served(&mut self, served: usize) {
        let filled = self.filled;
        let Some(rare) = &mut self.rare else { return };
        for lane in bits(filled).filter(|&lane| lane > served) {
            rare.passed[lane] += 1;
        }
        rare.passed[served] = 0;
    }

    #[inline(always)]
    fn queue(&mut self, lane: usize) -> &mut Queue<T> {
        if lane == NORMAL { &mut self.normal } else { &mut self.rare_mut().queues[lane] }
    }

    /// How many values a lane holds.
    #[inline(always)]
    pub(crate) fn len(&self, lane: usize) -> u64 {
        match (lane, &self.rare) {
            (NORMAL, _) => self.normal.len(),
            (_, Some(rare)) => rare.queues[lane].len(),
            (_, None) => 0,
        }
    }

    fn rare_mut(&mut self) -> &mut Rare<T> {
        self.rare.get_or_insert_with(|| {
            Box::new(Rare { queues: std::array::from_fn(|_| Queue::default()), passed: [0; LANES] })
        })
    }
}

/// The positions of the set bits, lowest first.
pub(crate) fn bits(set: u8) -> impl Iterator<Item = usize> {
    (0..LANES).filter(move |lane| set & (1 << lane) != 0)
}

#[cfg(test)]
mod tests {
    use super::super::GUARD;
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn pop_next<T>(lanes: &mut Lanes<T>) -> Option<(usize, T)> {
        let mut lane = 0;
        lanes.pop(&mut lane).map(|value| (lane, value))
    }

    /// The same rule written down naively: what tests of the whole mailbox compare with as well.
    #[derive(Default)]
    struct Model {
        lanes: [VecDeque<u32>; LANES],
        passed: [u32; LANES],
    }

    impl Model {
        fn pop(&mut self) -> Option<(usize, u32)> {
            let filled: Vec<usize> = (0..LANES).filter(|&lane| !self.lanes[lane].is_empty()).collect();
            let first = *filled.first()?;
            let mut chosen = first;
            for &lane in &filled[1..] {
                let neglected = self.passed[lane] >= u32::from(DUE_AFTER);
                if neglected && (chosen == first || self.passed[lane] > self.passed[chosen]) {
                    chosen = lane;
                }
            }
            if filled != [NORMAL] {
                for &lane in filled.iter().filter(|&&lane| lane > chosen) {
                    self.passed[lane] += 1;
                }
                self.passed[chosen] = 0;
            }
            Some((chosen, self.lanes[chosen].pop_front()?))
        }
    }

    proptest! {
        #[test]
        fn order_equals_the_model_and_no_lane_starves(steps in prop::collection::vec((0usize..LANES, 0u8..4), 1..400)) {
            let (mut lanes, mut model, mut next) = (Lanes::default(), Model::default(), 0);
            let mut waited = [0u32; LANES];
            for (lane, pops) in steps {
                lanes.push(lane, next);
                model.lanes[lane].push_back(next);
                next += 1;
                for _ in 0..pops {
                    let waiting: Vec<usize> = bits(lanes.filled()).collect();
                    let got = pop_next(&mut lanes);
                    prop_assert_eq!(got, model.pop());
                    let Some((served, _)) = got else { continue };
                    for lane in waiting { if lane > served { waited[lane] += 1; prop_assert!(waited[lane] < GUARD); } }
                    waited[served] = 0;
                }
            }
        }

        #[test]
        fn appending_keeps_the_order_inside_each_lane(here in prop::collection::vec(1usize..LANES, 0..50), there in prop::collection::vec(1usize..LANES, 0..50)) {
            let (mut one, mut two) = (Lanes::default(), Lanes::default());
            for (number, &lane) in here.iter().enumerate() { one.push(lane, number); }
            for (number, &lane) in there.iter().enumerate() { two.push(lane, 1000 + number); }
            bits(u8::MAX).for_each(|lane| one.append_lane(lane, &mut two));
            prop_assert_eq!(two.filled(), 0);
            for lane in 0..LANES {
                let got: Vec<usize> = std::iter::from_fn(|| one.pop_lane(lane)).collect();
                prop_assert!(got.windows(2).all(|pair| pair[0] < pair[1]));
            }
            prop_assert_eq!(one.filled(), 0);
        }
    }

    #[test]
    fn a_flood_of_urgent_messages_starves_no_lane() {
        let mut lanes = Lanes::default();
        for lane in 2..LANES {
            lanes.push(lane, 0);
        }
        let mut served = Vec::new();
        for _ in 0..GUARD {
            lanes.push(1, 0);
            served.extend(pop_next(&mut lanes).map(|(lane, _)| lane));
        }
        for lane in 2..LANES {
            assert!(served.contains(&lane), "lane {lane} was not served in {GUARD} turns");
        }
    }
}
