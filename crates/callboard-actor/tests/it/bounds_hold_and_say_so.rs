//! Promise 4: bounds. `tell` waits for room, `try_tell` hands the message back, a shedding mailbox names what it shed,
//! and each free place wakes one waiter.

use std::future::IntoFuture;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    ActorRef, ActorState, AskError, Backoff, Child, DeadReason, Overflow, Priority, Stage, System, TellError, block_on,
    child,
};
use futures::poll;

use crate::common::{Boom, Desk, Held, Hold, Log, Note, Wakes, counts, desk, hold};

/// A desk in the middle of a turn, so that whatever is sent to it now stays in its mailbox.
async fn busy(t: &TestSystem, make: Child<Desk>) -> (ActorRef<Desk>, Held) {
    let desk = t.spawn(make);
    let (hold, mut held) = hold();
    desk.tell(hold).await.expect("there is room");
    held.began().await;
    (desk, held)
}

fn polled<F: Future>(future: std::pin::Pin<&mut F>, wakes: &Arc<Wakes>) -> Poll<F::Output> {
    future.poll(&mut Task::from_waker(&Waker::from(Arc::clone(wakes))))
}

#[test]
fn tell_waits_for_room_and_try_tell_hands_the_message_back() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, child("desk", desk(&log)).bound(2)).await;
        desk.tell(Note(1)).await.unwrap();
        desk.try_tell(Note(2)).unwrap();
        let TellError::Full(back) = desk.try_tell(Note(99)).unwrap_err() else { panic!("it is full") };
        assert_eq!(back, Note(99));
        let mut waiting = pin!(desk.tell(Note(3)).into_future());
        assert!(poll!(&mut waiting).is_pending());
        t.advance(Duration::from_secs(3600)).await;
        assert!(poll!(&mut waiting).is_pending(), "it waits for as long as it takes");
        held.let_go();
        waiting.await.unwrap();
        t.settle().await;
        assert_eq!(log.read(), [1, 2, 3]);
        t.shutdown().await;
    });
}

/// `try_tell` for whoever has more to say of the message.
#[test]
fn a_tell_at_once_goes_with_its_options_or_comes_back() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, child("desk", desk(&log)).bound(1)).await;
        desk.tell(Note(2)).at_once().unwrap();
        desk.tell(Note(1)).priority(Priority::High).at_once().unwrap();
        let TellError::Full(back) = desk.tell(Note(99)).priority(Priority::High).at_once().unwrap_err() else {
            panic!("that lane is full")
        };
        assert_eq!(back, Note(99));
        let short = desk.recipient().tell(Note(3)).priority(Priority::Low).ttl(Duration::from_secs(1)).at_once();
        short.unwrap();
        t.advance(Duration::from_secs(2)).await;
        held.let_go();
        t.settle().await;
        assert_eq!(log.read(), [1, 2], "the most urgent first, and what is too old never");
        t.shutdown().await;
    });
}

#[test]
fn each_lane_has_a_bound_of_its_own_and_critical_a_reserve() {
    TestSystem::run(async |t| {
        let (desk, held) = busy(t, child("desk", desk(&Log::default())).bound(4)).await;
        for (priority, places) in [(Priority::Normal, 4), (Priority::Background, 4), (Priority::Critical, 4 + 256)] {
            for place in 0..places {
                desk.tell(Note(place)).priority(priority).await.unwrap();
            }
            let mut more = pin!(desk.tell(Note(0)).priority(priority).into_future());
            assert!(poll!(&mut more).is_pending(), "{priority} has {places} places");
        }
        held.let_go();
        t.shutdown().await;
    });
}

#[test]
fn by_default_a_lane_has_1024_places() {
    TestSystem::run(async |t| {
        let (desk, held) = busy(t, child("desk", desk(&Log::default()))).await;
        let taken = (0..2000).take_while(|&number| desk.try_tell(Note(number)).is_ok()).count();
        assert_eq!(taken, 1024);
        held.let_go();
        t.shutdown().await;
    });
}

#[test]
fn a_mailbox_that_rejects_lets_nobody_wait() {
    TestSystem::run(async |t| {
        let (desk, held) = busy(t, child("desk", desk(&Log::default())).bound(1).overflow(Overflow::Reject)).await;
        desk.tell(Note(1)).await.unwrap();
        let TellError::Full(back) = desk.tell(Note(2)).await.unwrap_err() else { panic!("it is full") };
        assert_eq!(back, Note(2));
        let AskError::Full(back) = desk.ask(Note(3)).await.unwrap_err() else { panic!("it is full") };
        assert_eq!(back, Note(3));
        assert_eq!(counts(t.system(), "desk").refused, 2);
        held.let_go();
        t.shutdown().await;
    });
}

/// Fills a shedding mailbox with three places by five messages and one ask; what was handled in the end.
async fn shed(t: &TestSystem, overflow: Overflow, bound: u32) -> (Vec<u64>, Result<u64, AskError<Note>>) {
    let log = Log::default();
    let (desk, held) = busy(t, child("desk", desk(&log)).bound(bound).overflow(overflow)).await;
    let mut ask = pin!(desk.ask(Note(0)).into_future());
    assert!(poll!(&mut ask).is_pending());
    for number in 1..=u64::from(bound) + 1 {
        desk.tell(Note(number)).await.expect("a mailbox that sheds takes everything");
    }
    held.let_go();
    let answer = ask.await;
    t.settle().await;
    let counts = counts(t.system(), "desk");
    assert!(counts.adds_up() && counts.shed == 2 && counts.sent == u64::from(bound) + 3, "{counts:?}");
    let dead = t.system().dead_letters().list();
    assert_eq!(dead.len(), 2);
    assert!(dead.iter().all(|letter| letter.reason == DeadReason::Shed && letter.actor == "desk"), "{dead:?}");
    assert!(dead.iter().all(|letter| letter.message.ends_with("::Note") && letter.priority == Priority::Normal));
    (log.read(), answer)
}

#[test]
fn shedding_the_oldest_keeps_the_newest_and_names_what_it_shed() {
    for bound in [3, 100] {
        TestSystem::run(async |t| {
            let (handled, asked) = shed(t, Overflow::DropOldest, bound).await;
            assert_eq!(handled, (2..=u64::from(bound) + 1).collect::<Vec<_>>());
            assert!(matches!(asked, Err(AskError::Shed)), "{asked:?}");
            t.shutdown().await;
        });
    }
}

#[test]
fn shedding_the_newest_keeps_the_oldest_and_names_what_it_shed() {
    for bound in [3, 100] {
        TestSystem::run(async |t| {
            let (handled, asked) = shed(t, Overflow::DropNewest, bound).await;
            assert_eq!(handled, (0..u64::from(bound)).collect::<Vec<_>>());
            assert!(matches!(asked, Ok(0)), "{asked:?}");
            t.shutdown().await;
        });
    }
}

#[test]
fn each_free_place_wakes_one_waiter_the_longest_waiting_first() {
    TestSystem::run(async |t| {
        for bound in [1, 2, 100] {
            let log = Log::default();
            let (desk, held) = busy(t, child(format!("desk {bound}"), desk(&log)).bound(bound)).await;
            // The first message behind the held one is another held one, so that exactly one place becomes free.
            let (hold, mut second) = hold();
            desk.tell(hold).await.unwrap();
            for number in 1..u64::from(bound) {
                desk.tell(Note(number)).await.unwrap();
            }
            let wakes: Vec<_> = (0..5).map(|_| Arc::new(Wakes::default())).collect();
            let mut waiting: Vec<_> = (0..5).map(|n| Box::pin(desk.tell(Note(1000 + n)).into_future())).collect();
            for (future, wakes) in waiting.iter_mut().zip(&wakes) {
                assert!(polled(future.as_mut(), wakes).is_pending());
            }
            held.let_go();
            second.began().await;
            t.settle().await;
            let woken: Vec<usize> = wakes.iter().map(|wakes| wakes.count()).collect();
            assert_eq!(woken, [1, 0, 0, 0, 0], "one place, one waiter");
            assert!(matches!(desk.try_tell(Note(7)), Err(TellError::Full(_))), "nobody overtakes the waiter");
            assert!(matches!(polled(waiting[0].as_mut(), &wakes[0]), Poll::Ready(Ok(()))));
            assert!(polled(waiting[1].as_mut(), &wakes[1]).is_pending());
            second.let_go();
            drop(waiting);
            t.settle().await;
            assert_eq!(log.read().last(), Some(&1000));
        }
        t.shutdown().await;
    });
}

#[test]
fn a_tell_that_is_cancelled_while_it_waits_is_not_sent_and_hands_its_place_on() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, child("desk", desk(&log)).bound(1)).await;
        let (hold, mut second) = hold();
        desk.tell(hold).await.unwrap();
        let [mut queued, mut granted, mut next] = [10, 11, 12].map(|n| Box::pin(desk.tell(Note(n)).into_future()));
        assert!(poll!(&mut queued).is_pending() && poll!(&mut granted).is_pending() && poll!(&mut next).is_pending());
        drop(queued);
        held.let_go();
        second.began().await;
        // The place is kept for `granted` now, which goes away without taking it.
        drop(granted);
        next.await.unwrap();
        second.let_go();
        desk.tell(Note(13)).await.unwrap();
        t.settle().await;
        assert_eq!(log.read(), [12, 13]);
        let counts = counts(t.system(), "desk");
        assert!(counts.adds_up() && counts.handled == 4, "{counts:?}");
        t.shutdown().await;
    });
}

#[test]
fn a_waiter_that_is_refused_gives_its_place_back() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let backoff = Backoff::fixed(Duration::from_secs(5));
        let (desk, held) = busy(t, child("desk", desk(&log)).bound(1).backoff(backoff)).await;
        desk.tell(Boom).await.unwrap();
        let mut first = pin!(desk.tell(Boom).into_future());
        assert!(poll!(&mut first).is_pending());
        held.let_go();
        first.await.unwrap();
        // The second fault makes it back off, at the very moment when its turn has made room for the waiter.
        let (mut tell, mut ask) = (pin!(desk.tell(Note(1)).into_future()), pin!(desk.ask(Note(2)).into_future()));
        let (told, asked) = (poll!(&mut tell), poll!(&mut ask));
        t.settle().await;
        assert_eq!(desk.state(), ActorState::BackingOff);
        let told = if told.is_pending() { tell.await } else { Ok(()) };
        let asked = if asked.is_pending() { ask.await } else { Ok(2) };
        assert!(told.is_err() || asked.is_err(), "the test is about a refused waiter");
        t.advance(Duration::from_secs(6)).await;
        for number in 10..13 {
            let sent = tokio::time::timeout(Duration::from_secs(60), desk.tell(Note(number)).into_future()).await;
            sent.expect("there is room again").unwrap();
        }
        t.settle().await;
        assert!(log.read().ends_with(&[10, 11, 12]), "{:?}", log.read());
        t.shutdown().await;
    });
}

#[test]
fn a_message_that_waited_for_room_is_counted_once() {
    TestSystem::run(async |t| {
        let (desk, held) = busy(t, child("desk", desk(&Log::default())).bound(1)).await;
        desk.tell(Note(1)).await.unwrap();
        let (mut tell, mut ask) = (pin!(desk.tell(Note(2)).into_future()), pin!(desk.ask(Note(3)).into_future()));
        assert!(poll!(&mut tell).is_pending() && poll!(&mut ask).is_pending());
        held.let_go();
        tell.await.unwrap();
        assert_eq!(ask.await.unwrap(), 3);
        let counts = counts(t.system(), "desk");
        assert_eq!((counts.sent, counts.handled, counts.refused), (4, 4, 0), "{counts:?}");
        t.shutdown().await;
    });
}

#[test]
fn who_waits_for_room_gets_the_message_back_when_the_actor_ends() {
    TestSystem::run(async |t| {
        let (desk, held) = busy(t, child("desk", desk(&Log::default())).bound(1)).await;
        desk.tell(Note(1)).await.unwrap();
        let (mut tell, mut ask) = (pin!(desk.tell(Note(2)).into_future()), pin!(desk.ask(Note(3)).into_future()));
        assert!(poll!(&mut tell).is_pending() && poll!(&mut ask).is_pending());
        desk.stop();
        held.let_go();
        assert_eq!(tell.await.unwrap_err().into_message(), Note(2));
        assert_eq!(ask.await.unwrap_err().into_message(), Some(Note(3)));
        t.shutdown().await;
    });
}

#[test]
fn the_deadline_of_an_ask_runs_while_it_waits_for_room() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, child("desk", desk(&log)).bound(1)).await;
        desk.tell(Note(1)).await.unwrap();
        let began = t.now();
        let asked = desk.ask(Note(2)).timeout(Duration::from_secs(3)).await;
        assert!(matches!(asked, Err(AskError::Timeout { stage: Stage::Queue })), "{asked:?}");
        assert!((3.0..3.1).contains(&(t.now() - began).as_secs_f64()));
        held.let_go();
        desk.tell(Note(3)).await.unwrap();
        t.settle().await;
        assert_eq!(log.read(), [1, 3]);
        t.shutdown().await;
    });
}

#[test]
fn a_bound_is_exact_among_senders_on_other_threads() {
    block_on(async {
        let system = System::builder().workers(1).start().await.unwrap();
        for bound in [5, 500] {
            let desk = system.spawn(child("desk", desk(&Log::default())).bound(bound));
            let (hold, mut held): (Hold, Held) = hold();
            desk.tell(hold).await.unwrap();
            held.began().await;
            let taken: usize = std::thread::scope(|scope| {
                let send = || (0..1000).filter(|&number| desk.try_tell(Note(number)).is_ok()).count();
                let senders: Vec<_> = (0..4).map(|_| scope.spawn(send)).collect();
                senders.into_iter().map(|sender| sender.join().unwrap()).sum()
            });
            assert_eq!(taken, bound as usize);
            held.let_go();
            desk.drain();
            desk.ended().await;
        }
        system.shutdown(callboard_actor::Drain::default()).await;
    });
}
