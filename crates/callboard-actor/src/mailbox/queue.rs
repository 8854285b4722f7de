//! A first-in first-out queue in blocks: it never copies a backlog and never asks for more than one block of memory
//! at a time, so that a flood costs per message what a trickle does. Pure.

use std::collections::VecDeque;

/// Entries per block: a mailbox with the default bound needs no second one.
const BLOCK: usize = 1024;

/// The queue. The head block grows on demand, so an idle queue holds no memory.
///
/// Invariant: the head is empty only if the whole queue is.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    head: VecDeque<T>,
    rest: Option<Box<Rest<T>>>,
}

#[derive(Debug)]
struct Rest<T> {
    blocks: VecDeque<VecDeque<T>>,
    /// Values in the blocks.
    len: u64,
    /// One emptied block, kept so that a queue that swings around a block boundary does not allocate each time.
    spare: Option<VecDeque<T>>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { head: VecDeque::new(), rest: None }
    }
}

impl<T> Queue<T> {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> u64 {
        self.head.len() as u64 + self.rest.as_ref().map_or(0, |rest| rest.len)
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, value: T) {
        if self.rest.is_none() && self.head.len() < BLOCK {
            // The first place alone is all that most queues ever need.
            if self.head.capacity() == 0 {
                self.head.reserve_exact(1);
            }
            self.head.push_back(value);
        } else {
            self.push_behind(value);
        }
    }

    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<T> {
        if self.head.len() == 1 && self.rest.is_some() {
            return self.pop_last();
        }
        self.head.pop_front()
    }

    /// Moves everything of `other` behind this queue, whole blocks at a time.
    pub(crate) fn append(&mut self, other: &mut Self) {
        if self.is_empty() {
            std::mem::swap(self, other);
            return;
        }
        if other.is_empty() {
            return;
        }
        let added = other.len();
        let head = std::mem::take(&mut other.head);
        let blocks = other.rest.take().map(|rest| rest.blocks);
        let rest = self.rest_mut();
        rest.len += added;
        rest.blocks.push_back(head);
        rest.blocks.extend(blocks.into_iter().flatten());
    }

    #[inline(never)]
    fn push_behind(&mut self, value: T) {
        let rest = self.rest_mut();
        rest.len += 1;
        match rest.blocks.back_mut() {
            Some(last) if last.len() < BLOCK => last.push_back(value),
            _ => {
                let mut block = rest.spare.take().unwrap_or_else(|| VecDeque::with_capacity(BLOCK));
                block.push_back(value);
                rest.blocks.push_back(block);
            }
        }
    }

    /// Takes the last value of the head, whose place the next block takes.
    #[inline(never)]
    fn pop_last(&mut self) -> Option<T> {
        let value = self.head.pop_front();
        self.next_block();
        value
    }

    fn next_block(&mut self) {
        let Some(rest) = &mut self.rest else { return };
        match rest.blocks.pop_front() {
            Some(next) => {
                rest.len -= next.len() as u64;
                rest.spare = Some(std::mem::replace(&mut self.head, next));
            }
            None => self.rest = None,
        }
    }

    fn rest_mut(&mut self) -> &mut Rest<T> {
        self.rest.get_or_insert_with(|| Box::new(Rest { blocks: VecDeque::new(), len: 0, spare: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Push(u16),
        Pop(u16),
        Append(u16),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..3000u16).prop_map(Step::Push),
            (0..3000u16).prop_map(Step::Pop),
            (0..3000u16).prop_map(Step::Append)
        ];
        prop::collection::vec(step, 0..12)
    }

    proptest! {
        #[test]
        fn it_is_a_plain_queue(steps in steps()) {
            let (mut queue, mut model, mut next) = (Queue::default(), VecDeque::new(), 0u32);
            for step in steps {
                match step {
                    Step::Push(n) => for _ in 0..n { queue.push(next); model.push_back(next); next += 1; },
                    Step::Pop(n) => for _ in 0..n { prop_assert_eq!(queue.pop(), model.pop_front()); },
                    Step::Append(n) => {
                        let mut other = Queue::default();
                        for _ in 0..n { other.push(next); model.push_back(next); next += 1; }
                        queue.append(&mut other);
                        prop_assert!(other.is_empty());
                    }
                }
                prop_assert_eq!(queue.is_empty(), model.is_empty());
            }
            while let Some(expected) = model.pop_front() { prop_assert_eq!(queue.pop(), Some(expected)); }
            prop_assert_eq!(queue.pop(), None);
        }
    }
}
