//! The messages of a channel that have not been handled by all who are to get them. Pure.
//!
//! ```text
//!             take                end of the turn
//!  waiting ─────────► in hand ─────────────────────► done: the message leaves when this holds for all of its receivers
//!     │
//!     └── overflow, or the receiver leaves ────────► dropped
//! ```

use std::collections::{BTreeMap, BTreeSet};

use callboard_actor::Priority;

use super::lanes::{Lanes, index};

/// See the head of this module. Receivers are known by number.
#[derive(Debug)]
pub(super) struct Backlog<T> {
    /// By arrival.
    messages: BTreeMap<u64, Message<T>>,
    receivers: BTreeMap<u64, Lanes>,
    arrivals: u64,
}

#[derive(Debug)]
struct Message<T> {
    content: T,
    priority: Priority,
    waiting: BTreeSet<u64>,
    in_hand: usize,
}

impl<T> Default for Backlog<T> {
    fn default() -> Self {
        Self { messages: BTreeMap::new(), receivers: BTreeMap::new(), arrivals: 0 }
    }
}

impl<T: Clone> Backlog<T> {
    /// How many messages have not been handled by all.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// How many messages wait for one receiver.
    pub(super) fn waiting_for(&self, receiver: u64) -> usize {
        self.receivers.get(&receiver).map_or(0, Lanes::len)
    }

    pub(super) fn join(&mut self, receiver: u64) {
        self.receivers.insert(receiver, Lanes::default());
    }

    /// What waited for one who leaves. What it has in hand it may still end.
    pub(super) fn leave(&mut self, receiver: u64) -> Vec<T> {
        let numbers = self.receivers.remove(&receiver).into_iter().flat_map(Lanes::into_numbers);
        numbers.filter_map(|number| self.forget(number, receiver)).collect()
    }

    /// Puts a message at the end of the queues of those receivers that are there, and says who they are. One that nobody
    /// is to get takes no place.
    pub(super) fn accept(&mut self, content: T, priority: Priority, receivers: &[u64]) -> Vec<u64> {
        let number = self.arrivals;
        self.arrivals += 1;
        let mut waiting = BTreeSet::new();
        for receiver in receivers {
            if let Some(lanes) = self.receivers.get_mut(receiver)
                && waiting.insert(*receiver)
            {
                lanes.push(priority, number);
            }
        }
        let there = waiting.iter().copied().collect();
        if !waiting.is_empty() {
            self.messages.insert(number, Message { content, priority, waiting, in_hand: 0 });
        }
        there
    }

    /// The next message for a receiver, which has it in hand from now on.
    pub(super) fn take(&mut self, receiver: u64) -> Option<(u64, T)> {
        let number = self.receivers.get_mut(&receiver)?.pop()?;
        let message = self.messages.get_mut(&number)?;
        message.waiting.remove(&receiver);
        message.in_hand += 1;
        Some((number, message.content.clone()))
    }

    /// One who had a message in hand is done with it. True when the message has left.
    pub(super) fn done(&mut self, number: u64) -> bool {
        if let Some(message) = self.messages.get_mut(&number) {
            message.in_hand = message.in_hand.saturating_sub(1);
        }
        self.leave_if_done(number)
    }

    /// What waits for a receiver and is over. Nobody is to get it any more.
    pub(super) fn take_over(&mut self, receiver: u64, is_over: impl Fn(&T) -> bool) -> Vec<T> {
        let Some(lanes) = self.receivers.get_mut(&receiver) else { return Vec::new() };
        let is_over = |number: &u64| self.messages.get(number).is_some_and(|message| is_over(&message.content));
        let over = lanes.take_where(is_over);
        over.into_iter().filter_map(|number| self.forget(number, receiver)).collect()
    }

    /// How many messages of each priority, the most urgent first, still wait for somebody.
    pub(super) fn by_priority(&self) -> [usize; Priority::ALL.len()] {
        let mut sizes = [0; Priority::ALL.len()];
        let waiting = self.messages.values().filter(|message| !message.waiting.is_empty());
        waiting.for_each(|message| sizes[index(message.priority)] += 1);
        sizes
    }

    /// Drops the oldest message that nobody has in hand, and says who is not to get it any more.
    pub(super) fn drop_oldest(&mut self) -> Option<(T, Vec<u64>)> {
        let number = self.messages.iter().find(|(_, message)| message.in_hand == 0).map(|(number, _)| *number)?;
        let message = self.messages.remove(&number)?;
        for receiver in &message.waiting {
            if let Some(lanes) = self.receivers.get_mut(receiver) {
                lanes.remove(message.priority, number);
            }
        }
        Some((message.content, message.waiting.into_iter().collect()))
    }

    fn forget(&mut self, number: u64, receiver: u64) -> Option<T> {
        let message = self.messages.get_mut(&number)?;
        message.waiting.remove(&receiver);
        let content = message.content.clone();
        self.leave_if_done(number);
        Some(content)
    }

    fn leave_if_done(&mut self, number: u64) -> bool {
        let is_done = |message: &Message<T>| message.waiting.is_empty() && message.in_hand == 0;
        self.messages.get(&number).is_some_and(is_done) && self.messages.remove(&number).is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What happens next; numbers count round.
    #[derive(Clone, Debug)]
    enum Step {
        Join(u64),
        Leave(u64),
        Accept(Priority, Vec<u64>),
        Take(u64),
        Done(usize),
        DropOldest,
        TakeOver(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let priority = prop::sample::select(Priority::ALL.to_vec());
        let step = prop_oneof![
            1 => (0..4u64).prop_map(Step::Join),
            1 => (0..4u64).prop_map(Step::Leave),
            6 => (priority, prop::collection::vec(0..4u64, 0..4)).prop_map(|(priority, to)| Step::Accept(priority, to)),
            6 => (0..4u64).prop_map(Step::Take),
            5 => any::<usize>().prop_map(Step::Done),
            1 => Just(Step::DropOldest),
            1 => (0..4u64).prop_map(Step::TakeOver),
        ];
        prop::collection::vec(step, 1..120)
    }

    /// A message for one receiver: in exactly one place at any time.
    #[derive(Default)]
    struct Model {
        /// Message, priority, receiver.
        waiting: Vec<(u64, Priority, u64)>,
        in_hand: Vec<(u64, u64)>,
        there: BTreeSet<u64>,
        accepted: usize,
        ended: usize,
    }

    impl Model {
        fn messages(&self) -> BTreeSet<u64> {
            let waiting = self.waiting.iter().map(|(number, ..)| *number);
            waiting.chain(self.in_hand.iter().map(|(number, _)| *number)).collect()
        }
    }

    fn go(backlog: &mut Backlog<u64>, model: &mut Model, number: u64, step: Step) {
        match step {
            Step::Join(receiver) => {
                if model.there.insert(receiver) {
                    backlog.join(receiver);
                }
            }
            Step::Leave(receiver) => {
                model.there.remove(&receiver);
                let before = model.waiting.len();
                model.waiting.retain(|(_, _, own)| *own != receiver);
                let left = before - model.waiting.len();
                model.ended += left;
                assert_eq!(backlog.leave(receiver).len(), left);
            }
            Step::Accept(priority, to) => {
                let wanted: BTreeSet<_> = to.iter().filter(|own| model.there.contains(own)).copied().collect();
                assert_eq!(backlog.accept(number, priority, &to), wanted.iter().copied().collect::<Vec<_>>());
                model.accepted += wanted.len();
                model.waiting.extend(wanted.into_iter().map(|own| (number, priority, own)));
            }
            Step::Take(receiver) => {
                let taken = backlog.take(receiver);
                let most_urgent = model
                    .waiting
                    .iter()
                    .filter(|(_, _, own)| *own == receiver)
                    .map(|(number, priority, _)| (*priority, *number))
                    .min();
                // No guard against starvation comes into play in so few steps, but that of the lanes, which has its own test.
                assert_eq!(taken.as_ref().map(|(_, content)| *content).is_some(), most_urgent.is_some());
                if let Some((place, content)) = taken {
                    let at = model
                        .waiting
                        .iter()
                        .position(|(own, _, to)| (*own, *to) == (content, receiver))
                        .expect("it waited");
                    let (_, priority, _) = model.waiting.remove(at);
                    let first = model
                        .waiting
                        .iter()
                        .filter(|(_, own, to)| (*own, *to) == (priority, receiver))
                        .all(|(own, ..)| *own > content);
                    assert!(first, "a priority keeps its order");
                    model.in_hand.push((content, place));
                }
            }
            Step::Done(at) => {
                if let Some(at) = at.checked_rem(model.in_hand.len()) {
                    let (content, place) = model.in_hand.remove(at);
                    model.ended += 1;
                    assert_eq!(backlog.done(place), !model.messages().contains(&content));
                }
            }
            Step::DropOldest => {
                let held: BTreeSet<_> = model.in_hand.iter().map(|(number, _)| *number).collect();
                let oldest = model.messages().difference(&held).next().copied();
                let dropped = backlog.drop_oldest();
                assert_eq!(dropped.as_ref().map(|(content, _)| *content), oldest);
                let before = model.waiting.len();
                model.waiting.retain(|(number, ..)| Some(*number) != oldest);
                assert_eq!(dropped.map_or(0, |(_, to)| to.len()), before - model.waiting.len());
                model.ended += before - model.waiting.len();
            }
            Step::TakeOver(receiver) => {
                let is_over = |content: &u64| content.is_multiple_of(3);
                let before = model.waiting.len();
                model.waiting.retain(|(content, _, own)| *own != receiver || !is_over(content));
                let over = backlog.take_over(receiver, is_over);
                assert!(over.iter().all(is_over) && over.len() == before - model.waiting.len());
                model.ended += over.len();
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// F-BUS-13: what is accepted waits, is in hand or has ended, and the count of messages is exact.
        #[test]
        fn it_equals_its_model(steps in steps()) {
            let (mut backlog, mut model) = (Backlog::default(), Model::default());
            for (number, step) in steps.into_iter().enumerate() {
                go(&mut backlog, &mut model, number as u64, step);
                prop_assert_eq!(backlog.len(), model.messages().len());
                for (size, priority) in backlog.by_priority().into_iter().zip(Priority::ALL) {
                    let waiting = model.waiting.iter().filter(|(_, own, _)| *own == priority);
                    prop_assert_eq!(size, waiting.map(|(number, ..)| *number).collect::<BTreeSet<_>>().len());
                }
                prop_assert_eq!(model.accepted, model.waiting.len() + model.in_hand.len() + model.ended);
                for receiver in 0..4 {
                    let waiting = model.waiting.iter().filter(|(_, _, own)| *own == receiver).count();
                    prop_assert_eq!(backlog.waiting_for(receiver), waiting);
                }
            }
        }
    }
}
