use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use callboard_actor::Priority;
use proptest::prelude::*;

use super::{Limits, Place, Queuing};
use crate::slots::{OperationKey, RunKey};

const OPERATION: &str = "storage.put";

fn limited(at_once: u32) -> (Limits, OperationKey) {
    let limits = Limits::default();
    limits.set(OPERATION, NonZeroU32::new(at_once));
    let [_, queue] = limits.queues(&Default::default(), OPERATION);
    (limits, queue.unwrap())
}

fn poll(queuing: &mut Queuing) -> Option<Place> {
    match Pin::new(queuing).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(place) => Some(place),
        Poll::Pending => None,
    }
}

#[test]
fn a_place_that_was_granted_to_nobody_goes_to_the_next() {
    let (limits, queue) = limited(1);
    let request = |run| limits.request(queue, RunKey(run), Priority::Normal);
    let place = request(1).unwrap();
    let (gone, granted, mut last) = (request(2).unwrap_err(), request(3).unwrap_err(), request(4).unwrap_err());
    drop(gone);
    drop(place);
    // It is granted to the second of the three, which goes without having looked.
    assert!(poll(&mut last).is_none());
    drop(granted);
    let place = poll(&mut last).unwrap();
    assert_eq!(limits.in_use(queue), 1);
    drop(place);
    assert_eq!(limits.in_use(queue), 0);
}

#[test]
fn a_run_that_is_forgotten_gets_nothing_more() {
    let (limits, queue) = limited(1);
    let place = limits.request(queue, RunKey(1), Priority::Normal).unwrap();
    let mut forgotten = limits.request(queue, RunKey(2), Priority::Normal).unwrap_err();
    limits.forget(RunKey(2));
    drop(place);
    assert!(poll(&mut forgotten).is_none());
    assert_eq!(limits.in_use(queue), 0);
}

/// What somebody does with the places.
#[derive(Clone, Debug)]
enum Deed {
    Request(u64),
    GiveUp(usize),
    Release(usize),
    Look,
    Forget(u64),
    Limit(u32),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0..3_u64).prop_map(Deed::Request),
        1 => (0..8_usize).prop_map(Deed::GiveUp),
        3 => (0..8_usize).prop_map(Deed::Release),
        2 => Just(Deed::Look),
        1 => (0..3_u64).prop_map(Deed::Forget),
        1 => (1..4_u32).prop_map(Deed::Limit),
    ]
}

proptest! {
    #[test]
    fn places_are_neither_lost_nor_given_twice(deeds in prop::collection::vec(deed(), 1..60)) {
        let (limits, queue) = limited(2);
        let (mut most, mut places, mut waits): (_, Vec<Place>, VecDeque<(u64, Queuing)>) = (2, Vec::new(), VecDeque::new());
        for deed in deeds {
            match deed {
                Deed::Request(run) => match limits.request(queue, RunKey(run), Priority::Normal) {
                    Ok(place) => places.push(place),
                    Err(queuing) => waits.push_back((run, queuing)),
                },
                Deed::GiveUp(at) if at < waits.len() => drop(waits.remove(at)),
                Deed::Release(at) if at < places.len() => drop(places.remove(at)),
                Deed::GiveUp(_) | Deed::Release(_) => {}
                Deed::Look => waits.retain_mut(|(_, queuing)| match poll(queuing) {
                    Some(place) => { places.push(place); false }
                    None => true,
                }),
                Deed::Forget(run) => {
                    limits.forget(RunKey(run));
                    waits.retain(|(other, _)| *other != run);
                }
                Deed::Limit(limit) => {
                    most = most.max(limit);
                    limits.set(OPERATION, NonZeroU32::new(limit));
                }
            }
            prop_assert!(places.len() <= most as usize);
            prop_assert!(limits.in_use(queue) as usize >= places.len());
        }
        drop(places);
        while let Some((run, mut first)) = waits.pop_front() {
            // Whoever has not been granted a place waits for one of those behind.
            match poll(&mut first) {
                Some(place) => drop(place),
                None => waits.push_back((run, first)),
            }
        }
        prop_assert_eq!(limits.in_use(queue), 0);
    }
}
