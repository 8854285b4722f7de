//! What one subscription is still to get, by priority. Pure.
//!
//! The order is that of a mailbox: the most urgent first, first in first out within a priority, and whoever was passed
//! over too often is next.

use std::collections::VecDeque;

use callboard_actor::Priority;

/// How often a priority is passed over before it is its turn. With all five in use the last of those that become due
/// together still has its turn within 32.
const PATIENCE: u8 = 27;

/// Numbers of messages, each of which comes once and is higher than all before it.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: [VecDeque<u64>; Priority::ALL.len()],
    /// How often each was passed over since it was last served.
    passed: [u8; Priority::ALL.len()],
}

impl Lanes {
    pub(super) fn push(&mut self, priority: Priority, number: u64) {
        self.lanes[index(priority)].push_back(number);
    }

    pub(super) fn pop(&mut self) -> Option<u64> {
        let lane = self.next()?;
        for other in 0..self.lanes.len() {
            let is_passed = other != lane && !self.lanes[other].is_empty();
            self.passed[other] = if is_passed { self.passed[other].saturating_add(1) } else { 0 };
        }
        self.lanes[lane].pop_front()
    }

    /// The one that was passed over most often, if that is too often, or else the most urgent.
    fn next(&self) -> Option<usize> {
        let filled = || (0..self.lanes.len()).filter(|lane| !self.lanes[*lane].is_empty());
        let due = filled().filter(|lane| self.passed[*lane] >= PATIENCE).max_by_key(|lane| self.passed[*lane]);
        due.or_else(|| filled().next())
    }

    /// Takes one out of the middle.
    pub(super) fn remove(&mut self, priority: Priority, number: u64) {
        let lane = &mut self.lanes[index(priority)];
        if let Ok(at) = lane.binary_search(&number) {
            lane.remove(at);
        }
    }

    /// Takes out those for which it holds.
    pub(super) fn take_where(&mut self, is_over: impl Fn(&u64) -> bool) -> Vec<u64> {
        let taken = self.lanes.iter().flatten().copied().filter(&is_over).collect();
        self.lanes.iter_mut().for_each(|lane| lane.retain(|number| !is_over(number)));
        taken
    }

    pub(super) fn len(&self) -> usize {
        self.lanes.iter().map(VecDeque::len).sum()
    }

    pub(super) fn into_numbers(self) -> impl Iterator<Item = u64> {
        self.lanes.into_iter().flatten()
    }
}

/// The place of a priority among all, the most urgent first.
pub(super) fn index(priority: Priority) -> usize {
    priority as usize - Priority::Critical as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pops(lanes: &mut Lanes) -> Vec<u64> {
        std::iter::from_fn(|| lanes.pop()).collect()
    }

    #[test]
    fn the_most_urgent_comes_first_and_a_lane_keeps_its_order() {
        let mut lanes = Lanes::default();
        for (number, priority) in
            [Priority::Low, Priority::Critical, Priority::Low, Priority::High].into_iter().enumerate()
        {
            lanes.push(priority, number as u64);
        }
        lanes.remove(Priority::Low, 0);
        lanes.remove(Priority::Low, 7);
        assert_eq!(lanes.len(), 3);
        assert_eq!(pops(&mut lanes), [1, 3, 2]);
    }

    /// F-BUS-10: with every priority full each has a turn among any 32 of others.
    #[test]
    fn no_priority_starves() {
        let mut lanes = Lanes::default();
        for number in 0..2_000 {
            lanes.push(Priority::ALL[number % 5], number as u64);
        }
        let served: Vec<_> = (0..400).map(|_| lanes.pop().unwrap() % 5).collect();
        for lane in 0..5 {
            for window in served.windows(33) {
                assert!(window.contains(&lane), "lane {lane} waits too long in {window:?}");
            }
        }
    }
}
