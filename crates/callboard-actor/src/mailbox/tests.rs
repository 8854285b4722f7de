use std::mem::offset_of;

use super::*;
use proptest::prelude::*;

fn bounds(per_lane: u32, overflow: Overflow) -> Bounds {
    Bounds { per_lane, reserve: 256, overflow, ceiling: 1 }
}

fn mailbox(per_lane: u32) -> Mailbox<u32> {
    let mailbox = Mailbox::new(bounds(per_lane, Overflow::Wait));
    mailbox.settle(Waker::noop());
    mailbox
}

fn pop_next(mailbox: &Mailbox<u32>) -> Option<(usize, u32)> {
    let mut lane = 0;
    let private = mailbox.private().expect("home");
    mailbox.pop(private, &mut lane).map(|value| (lane, value))
}

fn pop_left(left: &mut Lanes<u32>) -> Option<(usize, u32)> {
    let mut lane = 0;
    left.pop(&mut lane).map(|value| (lane, value))
}

fn drain(mailbox: &Mailbox<u32>) -> Vec<u32> {
    std::iter::from_fn(|| pop_next(mailbox)).map(|(_, value)| value).collect()
}

/// Pushes as a sender on another thread would.
fn push_far(mailbox: &Mailbox<u32>, lane: usize, value: u32) {
    std::thread::scope(|scope| {
        scope.spawn(|| mailbox.push(lane, value, || {}).expect("room"));
    });
}

/// Memory comes at multiples of 16, so 48 bytes always have a border between two cache lines in them.
#[test]
fn what_senders_read_is_in_no_cache_line_that_the_driver_writes() {
    // Between the two are the waker and, first in the private half, the home.
    let read_until = offset_of!(Mailbox<u64>, driver);
    let driven_from = offset_of!(Mailbox<u64>, private) + size_of::<u64>();
    assert!(driven_from - read_until.next_multiple_of(16) >= 48, "{read_until}..{driven_from}");
    assert!(align_of::<Apart<u64>>() >= 128, "what senders write has a pair of lines of its own");
}

#[test]
fn a_later_local_message_never_overtakes_an_earlier_far_one() {
    let mailbox = mailbox(1024);
    mailbox.push(NORMAL, 1, || {}).unwrap();
    push_far(&mailbox, NORMAL, 2);
    mailbox.push(NORMAL, 3, || {}).unwrap();
    push_far(&mailbox, NORMAL, 4);
    assert_eq!(drain(&mailbox), [1, 2, 3, 4]);
}

#[test]
fn an_urgent_far_message_is_noticed_in_the_middle_of_a_batch() {
    let mailbox = mailbox(1024);
    for value in 0..10 {
        mailbox.push(NORMAL, value, || {}).unwrap();
    }
    assert_eq!(pop_next(&mailbox), Some((NORMAL, 0)));
    push_far(&mailbox, 1, 99);
    assert_eq!(pop_next(&mailbox), Some((1, 99)));
}

#[test]
fn a_far_low_message_is_served_within_the_guard() {
    let mailbox = mailbox(100_000);
    for value in 0..1000 {
        mailbox.push(2, value, || {}).unwrap();
    }
    assert_eq!(pop_next(&mailbox), Some((2, 0)));
    push_far(&mailbox, 5, 777);
    let turns = std::iter::from_fn(|| pop_next(&mailbox)).position(|(_, value)| value == 777);
    assert!(turns.is_some_and(|turns| turns < GUARD as usize), "{turns:?}");
}

#[test]
fn a_small_bound_is_exact_and_a_waiter_gets_each_free_place() {
    for per_lane in [1, 4, 200] {
        let mailbox = mailbox(per_lane);
        for value in 0..per_lane {
            mailbox.push(NORMAL, value, || {}).unwrap();
        }
        assert_eq!(mailbox.push(NORMAL, 999, || {}).unwrap_err(), (NotTaken::Full, 999));
        let (mut one, mut two) = ((Some(1000), None), (Some(1001), None));
        assert!(mailbox.poll_push(NORMAL, &mut one.0, &mut one.1, Waker::noop()).is_pending());
        assert!(mailbox.poll_push(NORMAL, &mut two.0, &mut two.1, Waker::noop()).is_pending());
        assert_eq!(pop_next(&mailbox), Some((NORMAL, 0)));
        // As at the end of a poll of the driver's.
        mailbox.grant_rest();
        assert_eq!(mailbox.push(NORMAL, 999, || {}).unwrap_err().0, NotTaken::Full, "the place is kept");
        assert!(mailbox.poll_push(NORMAL, &mut two.0, &mut two.1, Waker::noop()).is_pending());
        assert!(mailbox.poll_push(NORMAL, &mut one.0, &mut one.1, Waker::noop()).is_ready());
        mailbox.give_up(two.1.take().unwrap());
        assert_eq!(mailbox.queued(NORMAL), u64::from(per_lane));
        assert_eq!(drain(&mailbox).last(), Some(&1000));
        assert!(mailbox.push(NORMAL, 5, || {}).is_ok());
    }
}

#[test]
fn free_places_are_handed_out_after_a_batch_of_turns_at_the_latest() {
    let mailbox = mailbox(100);
    for value in 0..100 {
        mailbox.push(NORMAL, value, || {}).unwrap();
    }
    let mut waiters: Vec<_> = (100..160).map(|value| (Some(value), None)).collect();
    let mut poll = |nth: usize| {
        let (value, ticket) = &mut waiters[nth];
        mailbox.poll_push(NORMAL, value, ticket, Waker::noop()).is_ready()
    };
    assert!(!(0..60).any(&mut poll));
    let batch = mailbox.bounds.batch() as usize;
    for _ in 0..batch {
        assert!(!poll(0), "the batch is not over");
        pop_next(&mailbox).unwrap();
    }
    let granted: Vec<bool> = (0..60).map(poll).collect();
    assert_eq!(granted.iter().filter(|&&granted| granted).count(), batch, "one waiter for each place");
    assert!(granted[..batch].iter().all(|&granted| granted), "the longest waiting first");
}

#[test]
fn a_waiter_that_gives_up_hands_its_place_on() {
    let mailbox = mailbox(1);
    mailbox.push(NORMAL, 0, || {}).unwrap();
    let (mut one, mut two) = ((Some(1), None), (Some(2), None));
    assert!(mailbox.poll_push(NORMAL, &mut one.0, &mut one.1, Waker::noop()).is_pending());
    assert!(mailbox.poll_push(NORMAL, &mut two.0, &mut two.1, Waker::noop()).is_pending());
    pop_next(&mailbox);
    mailbox.give_up(one.1.take().unwrap());
    assert!(mailbox.poll_push(NORMAL, &mut two.0, &mut two.1, Waker::noop()).is_ready());
}

#[test]
fn critical_messages_have_places_of_their_own() {
    let mailbox = mailbox(1024);
    for value in 0..1024 + 256 {
        mailbox.push(1, value, || {}).unwrap();
    }
    assert_eq!(mailbox.push(1, 0, || {}).unwrap_err().0, NotTaken::Full);
}

#[test]
fn shedding_drops_the_oldest_or_the_newest_and_says_which() {
    let oldest = Mailbox::new(bounds(2, Overflow::DropOldest));
    oldest.settle(Waker::noop());
    for value in 0..2 {
        assert_eq!(oldest.push(NORMAL, value, || {}), Ok(Pushed::Queued));
    }
    assert_eq!(oldest.push(NORMAL, 2, || {}), Ok(Pushed::Shed(0)));
    assert_eq!(drain(&oldest), [1, 2]);
    let newest = Mailbox::new(bounds(2, Overflow::DropNewest));
    newest.settle(Waker::noop());
    for value in 0..2 {
        assert_eq!(newest.push(NORMAL, value, || {}), Ok(Pushed::Queued));
    }
    assert_eq!(newest.push(NORMAL, 2, || {}), Ok(Pushed::Shed(2)));
    assert_eq!(drain(&newest), [0, 1]);
}

#[test]
fn closing_hands_out_what_is_left_and_refuses_the_rest() {
    let mailbox = mailbox(1024);
    mailbox.push(NORMAL, 1, || {}).unwrap();
    push_far(&mailbox, NORMAL, 2);
    let mut left = mailbox.close(mailbox.private().unwrap());
    assert_eq!(pop_left(&mut left), Some((NORMAL, 1)));
    assert_eq!(pop_left(&mut left), Some((NORMAL, 2)));
    assert_eq!(mailbox.push(NORMAL, 3, || {}).unwrap_err(), (NotTaken::Closed, 3));
    let mut value = Some(4);
    let refused = mailbox.poll_push(NORMAL, &mut value, &mut None, Waker::noop());
    assert_eq!((refused, value), (Poll::Ready(Err(NotTaken::Closed)), Some(4)));
}

proptest! {
    /// Local and far pushes and pops in any order: nothing is lost or doubled, and each lane is first in, first out.
    #[test]
    fn nothing_is_lost_and_lanes_stay_in_order(steps in prop::collection::vec((0usize..4, 1usize..LANES), 1..120), per_lane in prop_oneof![Just(8u32), Just(1000)]) {
        let mailbox = mailbox(per_lane);
        let (mut sent, mut got, mut next) = (vec![Vec::new(); LANES], vec![Vec::new(); LANES], 0);
        for (what, lane) in steps {
            next += 1;
            let taken = match what {
                0 | 1 => mailbox.push(lane, next, || {}).is_ok(),
                2 => std::thread::scope(|scope| scope.spawn(|| mailbox.push(lane, next, || {}).is_ok()).join().unwrap()),
                _ => { if let Some((lane, value)) = pop_next(&mailbox) { got[lane].push(value) } continue }
            };
            if taken { sent[lane].push(next) }
        }
        while let Some((lane, value)) = pop_next(&mailbox) { got[lane].push(value) }
        prop_assert_eq!(sent, got);
    }
}

proptest! {
    /// Whoever sends, as long as nobody else sends at that moment, a value is taken exactly when there is room.
    #[test]
    fn a_value_is_refused_only_where_there_is_no_room(steps in prop::collection::vec(0usize..8, 1..400), per_lane in prop_oneof![Just(8u32), Just(64), Just(100)]) {
        let mailbox = mailbox(per_lane);
        for what in steps {
            let room = mailbox.queued(NORMAL) < u64::from(per_lane);
            let taken = match what {
                0..=4 => mailbox.push(NORMAL, 0, || {}).is_ok(),
                5 | 6 => std::thread::scope(|scope| scope.spawn(|| mailbox.push(NORMAL, 0, || {}).is_ok()).join().unwrap()),
                _ => { pop_next(&mailbox); continue }
            };
            prop_assert_eq!(taken, room);
        }
    }
}
