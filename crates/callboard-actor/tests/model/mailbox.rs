//! The mailbox: nobody is forgotten, nothing is lost or doubled, and what came first comes out first.

use std::task::{Poll, Waker};

use callboard_actor::model::{Back, Mailbox, NORMAL, Shared, Taker, Thread, spawn};

use crate::check;
use crate::desk::{Note, Task, pause, run, run_one};

/// A mailbox that takes everything under its lock, and one with a private half.
const EXACT: u32 = 8;
const SPLIT: u32 = 64;
const HIGH: usize = 2;

/// How one poll of a driver ends.
enum Next {
    More,
    Over,
}

/// A driver as it ships: takes what is there, then leaves its waker. `look` is told of every value, and of `None` when a
/// directive has come or nothing is there, and says whether that was all.
async fn drive(mailbox: Mailbox, taker: impl FnOnce(&Mailbox) -> Taker, mut look: impl FnMut(Option<u32>) -> Next) {
    let mut taker = Some(taker);
    let mut settled: Option<Taker> = None;
    std::future::poll_fn(move |task| {
        if let Some(taker) = taker.take() {
            mailbox.settle(task.waker());
            settled = Some(taker(&mailbox));
        }
        let taker = settled.as_ref().expect("it was made at the first poll");
        poll_driver(taker, &mut look)
    })
    .await;
}

fn poll_driver(taker: &Taker, look: &mut impl FnMut(Option<u32>) -> Next) -> Poll<()> {
    loop {
        if taker.is_directed() {
            taker.clear_directed();
            if matches!(look(None), Next::Over) {
                return Poll::Ready(());
            }
        }
        while let Some((_, value)) = taker.pop() {
            if matches!(look(Some(value)), Next::Over) {
                return Poll::Ready(());
            }
        }
        if taker.park() {
            return Poll::Pending;
        }
    }
}

/// Takes so many values, in the order in which they come.
fn take(mailbox: &Mailbox, count: usize, got: &Shared<Vec<u32>>) -> Task {
    let got = got.clone();
    let look = move |value: Option<u32>| {
        let all = got.with(|got| {
            got.extend(value);
            got.len()
        });
        if all == count { Next::Over } else { Next::More }
    };
    Box::pin(drive(mailbox.clone(), Taker::at_home, look))
}

fn push_far(mailbox: &Mailbox, lane: usize, values: std::ops::Range<u32>) -> Thread<()> {
    let mailbox = mailbox.clone();
    spawn(move || values.for_each(|value| mailbox.push(lane, value).expect("room")))
}

fn push_at_home(mailbox: &Mailbox, lane: usize, values: std::ops::Range<u32>) -> Task {
    let mailbox = mailbox.clone();
    Box::pin(async move {
        for value in values {
            mailbox.push(lane, value).expect("room");
            pause().await;
        }
    })
}

fn is_sorted_within(got: &[u32], range: std::ops::Range<u32>) -> bool {
    got.iter().filter(|value| range.contains(value)).is_sorted()
}

fn sorted(mut values: Vec<u32>) -> Vec<u32> {
    values.sort_unstable();
    values
}

/// A driver that parks while values are pushed on its own thread and on others takes them all, those of each sender in
/// their order. Protects the second look at the bitmap in `register`, the `parked` flag of the private half, and the
/// waker that stays registered.
#[test]
fn no_push_is_slept_through() {
    for per_lane in [EXACT, SPLIT] {
        check(2000, move || {
            let (mailbox, got) = (Mailbox::new(per_lane), Shared::new(Vec::new()));
            let far = [push_far(&mailbox, NORMAL, 10..12), push_far(&mailbox, HIGH, 20..22)];
            run(vec![take(&mailbox, 7, &got), push_at_home(&mailbox, NORMAL, 30..33)]);
            far.into_iter().for_each(Thread::join);
            let got = got.with(std::mem::take);
            assert_eq!(sorted(got.clone()), [10, 11, 20, 21, 30, 31, 32]);
            assert!([10..12, 20..22, 30..33].into_iter().all(|sender| is_sorted_within(&got, sender)), "{got:?}");
            assert_eq!((mailbox.queued(NORMAL), mailbox.queued(HIGH)), (0, 0));
        });
    }
}

/// The same with one far sender and nothing else, so that the schedules are few and each is likely to be tried.
#[test]
fn no_single_push_is_slept_through() {
    check(5000, || {
        let (mailbox, got) = (Mailbox::new(SPLIT), Shared::new(Vec::new()));
        let far = push_far(&mailbox, NORMAL, 0..3);
        run(vec![take(&mailbox, 3, &got)]);
        far.join();
        assert_eq!(got.with(std::mem::take), [0, 1, 2]);
    });
}

/// The one that tells a sender that it has a place wakes it once per place, and nobody waits for a place that nobody
/// takes. Protects `WAITING`, the wake-up of the driver in `poll_push`, and `grant_places` before the driver parks.
#[test]
fn every_waiting_sender_gets_its_place() {
    check(2000, || {
        let (mailbox, got) = (Mailbox::new(1), Shared::new(Vec::new()));
        let far: Vec<_> = (0..3).map(|sender| wait_and_push(&mailbox, sender)).collect();
        run(vec![take(&mailbox, 4, &got), send_at_home(&mailbox, 3)]);
        far.into_iter().for_each(Thread::join);
        assert_eq!(sorted(got.with(std::mem::take)), [0, 1, 2, 3]);
        assert_eq!(mailbox.queued(NORMAL), 0);
    });
}

/// The same where the counts are written without the lock.
#[test]
fn every_waiting_sender_gets_its_place_in_a_mailbox_with_two_halves() {
    check(300, || {
        let (mailbox, got) = (Mailbox::new(SPLIT), Shared::new(Vec::new()));
        let (filled, start) = (Note::new(), Note::new());
        let far: Vec<_> = (100..102).map(|sender| wait_and_push_after(&mailbox, sender, &filled)).collect();
        let fill = fill_at_home(&mailbox, SPLIT, &filled, &start);
        run(vec![fill, take_after(&mailbox, SPLIT as usize + 2, &got, &start)]);
        far.into_iter().for_each(Thread::join);
        let expected: Vec<u32> = (0..SPLIT).chain([100, 101]).collect();
        assert_eq!(sorted(got.with(std::mem::take)), expected);
    });
}

/// A sender that gives up, before or after it was granted a place, leaves the place to the next one. Protects the grant in
/// `give_up`.
#[test]
fn a_place_that_is_given_up_goes_to_the_next() {
    check(2000, || {
        let (mailbox, got) = (Mailbox::new(1), Shared::new(Vec::new()));
        mailbox.push(NORMAL, 0).expect("room");
        let taken = Shared::new(0);
        let impatient: Vec<_> = (1..3).map(|value| push_or_give_up(&mailbox, value, &taken)).collect();
        let patient = wait_and_push(&mailbox, 9);
        let (left, directed) = (taken.clone(), mailbox.clone());
        let end = spawn(move || {
            impatient.into_iter().for_each(Thread::join);
            patient.join();
            left.with(|taken| *taken += 100);
            directed.direct();
        });
        run(vec![take_until(&mailbox, &got, move |got| taken.with(|taken| *taken == 100 + got - 2))]);
        end.join();
        let got = got.with(std::mem::take);
        assert!(got.starts_with(&[0]) && got.contains(&9), "{got:?}");
        mailbox.push(NORMAL, 5).expect("no place is left behind");
    });
}

/// In an exact mailbox there are never more values than places, however the senders race.
#[test]
fn an_exact_bound_is_never_exceeded() {
    check(1000, || {
        let (mailbox, got) = (Mailbox::new(1), Shared::new(Vec::new()));
        let far: Vec<_> = (0..4).map(|sender| wait_and_push(&mailbox, sender)).collect();
        let (seen, all) = (mailbox.clone(), got.clone());
        let look = move |value: Option<u32>| {
            assert!(seen.queued(NORMAL) <= 1);
            let count = all.with(|got| {
                got.extend(value);
                got.len()
            });
            if count == 4 { Next::Over } else { Next::More }
        };
        run(vec![Box::pin(drive(mailbox.clone(), Taker::at_home, look))]);
        far.into_iter().for_each(Thread::join);
    });
}

/// When a mailbox closes, each value was taken, is left in it, or comes back to its sender, and no sender goes on waiting.
/// Protects `closed` being set together with the taking of what is left, and the wake-up of those who wait.
#[test]
fn closing_leaves_no_value_and_no_sender_behind() {
    for per_lane in [1, SPLIT] {
        check(2000, move || {
            let (mailbox, got) = (Mailbox::new(per_lane), Shared::new(Vec::new()));
            let back = Shared::new(Vec::new());
            let far: Vec<_> = (0..3).map(|value| push_or_get_back(&mailbox, value, &back)).collect();
            let (closing, all) = (mailbox.clone(), got.clone());
            run(vec![Box::pin(async move {
                closing.settle(Waker::noop());
                let taker = Taker::at_home(&closing);
                all.with(|got| got.extend(taker.pop().map(|(_, value)| value)));
                pause().await;
                let left = taker.close();
                all.with(|got| got.extend(left));
            })]);
            far.into_iter().for_each(Thread::join);
            assert_eq!(mailbox.push(NORMAL, 7), Err(Back::Closed));
            let mut all = got.with(std::mem::take);
            all.extend(back.with(std::mem::take));
            assert_eq!(sorted(all), [0, 1, 2]);
        });
    }
}

/// A directive is noticed by a driver that parks, that is parked, or that waits for something else altogether. Protects
/// the look at `DIRECTED` in `park` and `register`, and the waker that `settle` leaves for directives.
#[test]
fn no_directive_is_slept_through() {
    check(2000, || {
        let (mailbox, orders) = (Mailbox::new(SPLIT), Shared::new(0));
        let givers: Vec<_> = (0..2).map(|_| give_orders(&mailbox, &orders, 2)).collect();
        let far = push_far(&mailbox, NORMAL, 0..1);
        let mut obeyed = 0;
        let look = move |value: Option<u32>| {
            if value.is_none() {
                obeyed += orders.with(std::mem::take);
            }
            if obeyed == 4 { Next::Over } else { Next::More }
        };
        run(vec![Box::pin(drive(mailbox.clone(), Taker::at_home, look))]);
        givers.into_iter().for_each(Thread::join);
        far.join();
    });
}

/// While a handler waits nothing is registered and nothing parked, and yet a directive gets through.
#[test]
fn a_directive_reaches_a_driver_whose_handler_waits() {
    check(2000, || {
        let (mailbox, orders) = (Mailbox::new(SPLIT), Shared::new(0));
        let giver = give_orders(&mailbox, &orders, 1);
        let far = push_far(&mailbox, NORMAL, 0..1);
        let waiting = mailbox.clone();
        run_one(async move {
            let mut taker = None;
            std::future::poll_fn(|task| {
                let taker = taker.get_or_insert_with(|| {
                    waiting.settle(task.waker());
                    Taker::at_home(&waiting)
                });
                if !taker.is_directed() {
                    return Poll::Pending;
                }
                taker.clear_directed();
                Poll::Ready(())
            })
            .await;
        });
        giver.join();
        far.join();
        assert_eq!(orders.with(|orders| *orders), 1);
    });
}

/// Three messages of which each was sent in the knowledge of the one before, far, at home and far again, come out in
/// that order, whatever else is pushed meanwhile. Protects the look at the lane's bit in `place_here`, and the splice.
#[test]
fn a_later_message_never_overtakes_an_earlier_one_it_knows_of() {
    check(2000, || {
        let (mailbox, got) = (Mailbox::new(SPLIT), Shared::new(Vec::new()));
        let (first, second) = (Note::new(), Note::new());
        let noise = push_far(&mailbox, HIGH, 50..52);
        let (far_mailbox, sent, answered) = (mailbox.clone(), first.clone(), second.clone());
        let far = spawn(move || {
            far_mailbox.push(NORMAL, 1).expect("room");
            sent.leave();
            run_one(async move { answered.found().await });
            far_mailbox.push(NORMAL, 3).expect("room");
        });
        let home_mailbox = mailbox.clone();
        let answer: Task = Box::pin(async move {
            first.found().await;
            home_mailbox.push(NORMAL, 2).expect("room");
            second.leave();
        });
        run(vec![take(&mailbox, 6, &got), answer, push_at_home(&mailbox, HIGH, 60..61)]);
        far.join();
        noise.join();
        let got = got.with(std::mem::take);
        assert!(is_sorted_within(&got, 1..4) && is_sorted_within(&got, 50..52), "{got:?}");
    });
}

/// A driver that does not give its thread back is replaced by one on another thread while senders go on. Once it is back
/// it accounts for what only its thread could see; nothing is lost or doubled, and the new driver sleeps through nothing.
/// Protects `shut`.
#[test]
fn a_replaced_driver_leaves_nothing_behind() {
    check(2000, || {
        let (mailbox, got) = (Mailbox::new(SPLIT), Shared::new(Vec::new()));
        let stuck = Note::new();
        let far = push_far(&mailbox, NORMAL, 10..12);
        let replacement = replace(&mailbox, &got, &stuck, 5);
        let (old, left) = (mailbox.clone(), got.clone());
        run_one(async move {
            old.settle(Waker::noop());
            let taker = Taker::at_home(&old);
            old.push(NORMAL, 1).expect("room");
            left.with(|got| got.extend(taker.pop().map(|(_, value)| value)));
            stuck.leave();
            old.push(NORMAL, 2).expect("room");
            pause().await;
            let behind = taker.shut();
            left.with(|got| got.extend(behind));
            old.push(NORMAL, 3).expect("the new driver takes it");
            old.direct();
        });
        far.join();
        replacement.join();
        assert_eq!(sorted(got.with(std::mem::take)), [1, 2, 3, 10, 11]);
    });
}

fn replace(mailbox: &Mailbox, got: &Shared<Vec<u32>>, stuck: &Note, count: usize) -> Thread<()> {
    let (mailbox, got, stuck) = (mailbox.clone(), got.clone(), stuck.clone());
    spawn(move || {
        run_one(async move {
            stuck.found().await;
            let look = move |value: Option<u32>| {
                let all = got.with(|got| {
                    got.extend(value);
                    got.len()
                });
                if all == count { Next::Over } else { Next::More }
            };
            drive(mailbox, Taker::replacing, look).await;
        });
    })
}

/// Waits for room, and pushes.
async fn send(mailbox: Mailbox, value: u32) -> Result<(), Back> {
    let (mut value, mut ticket) = (Some(value), None);
    std::future::poll_fn(move |task| mailbox.poll_push(NORMAL, &mut value, &mut ticket, task.waker())).await
}

fn wait_and_push(mailbox: &Mailbox, value: u32) -> Thread<()> {
    let mailbox = mailbox.clone();
    spawn(move || run_one(send(mailbox, value)).expect("it is not closed"))
}

fn wait_and_push_after(mailbox: &Mailbox, value: u32, filled: &Note) -> Thread<()> {
    let (mailbox, filled) = (mailbox.clone(), filled.clone());
    spawn(move || {
        run_one(async move {
            filled.found().await;
            send(mailbox, value).await.expect("it is not closed");
        })
    })
}

fn send_at_home(mailbox: &Mailbox, value: u32) -> Task {
    let mailbox = mailbox.clone();
    Box::pin(async move { send(mailbox, value).await.expect("it is not closed") })
}

fn fill_at_home(mailbox: &Mailbox, count: u32, filled: &Note, start: &Note) -> Task {
    let (mailbox, filled, start) = (mailbox.clone(), filled.clone(), start.clone());
    Box::pin(async move {
        mailbox.settle(Waker::noop());
        (0..count).for_each(|value| mailbox.push(NORMAL, value).expect("room"));
        filled.leave();
        start.leave();
    })
}

fn take_after(mailbox: &Mailbox, count: usize, got: &Shared<Vec<u32>>, start: &Note) -> Task {
    let (take, start) = (take(mailbox, count, got), start.clone());
    Box::pin(async move {
        start.found().await;
        take.await;
    })
}

/// Takes values until a directive has come and `is_over` holds for their number.
fn take_until(mailbox: &Mailbox, got: &Shared<Vec<u32>>, is_over: impl Fn(usize) -> bool + 'static) -> Task {
    let got = got.clone();
    let look = move |value: Option<u32>| {
        let count = got.with(|got| {
            got.extend(value);
            got.len()
        });
        if is_over(count) { Next::Over } else { Next::More }
    };
    Box::pin(drive(mailbox.clone(), Taker::at_home, look))
}

/// Asks for a place twice and then gives up; counts when it got one.
fn push_or_give_up(mailbox: &Mailbox, value: u32, taken: &Shared<usize>) -> Thread<()> {
    let (mailbox, taken) = (mailbox.clone(), taken.clone());
    spawn(move || {
        let (mut value, mut ticket) = (Some(value), None);
        for _ in 0..2 {
            if mailbox.poll_push(NORMAL, &mut value, &mut ticket, Waker::noop()).is_ready() {
                return taken.with(|taken| *taken += 1);
            }
            shuttle::thread::yield_now();
        }
        mailbox.give_up(ticket.take().expect("it waits"));
    })
}

fn push_or_get_back(mailbox: &Mailbox, value: u32, back: &Shared<Vec<u32>>) -> Thread<()> {
    let (mailbox, back) = (mailbox.clone(), back.clone());
    spawn(move || match run_one(send(mailbox, value)) {
        Ok(()) => {}
        Err(Back::Closed) => back.with(|back| back.push(value)),
        Err(Back::Full) => unreachable!("it waits for room"),
    })
}

/// Puts orders where the driver finds them, and says so.
fn give_orders(mailbox: &Mailbox, orders: &Shared<usize>, count: usize) -> Thread<()> {
    let (mailbox, orders) = (mailbox.clone(), orders.clone());
    spawn(move || {
        for _ in 0..count {
            orders.with(|orders| *orders += 1);
            mailbox.direct();
        }
    })
}
