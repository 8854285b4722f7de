//! The test kit: virtual time, probes, injected faults, and a system that does not let a test leave actors behind.

use std::future::IntoFuture;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc::channel;
use std::time::Duration;

use callboard_actor::testing::{Injection, TestSystem};
use callboard_actor::{
    Actor, AskError, Backoff, Context, DeadReason, Defaults, Fault, FaultKind, Message, SyncHandler, System, child,
};
use futures::poll;

use crate::common::{Log, Note, counts, desk};

const SECOND: Duration = Duration::from_secs(1);

/// Counts seconds and minutes.
#[derive(Default)]
struct Clock {
    seconds: u64,
    minutes: u64,
}

impl Actor for Clock {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.send_every(SECOND, || Second);
        cx.send_every(60 * SECOND, || Minute);
        cx.send_after(1800 * SECOND, Halfway);
        Ok(())
    }
}

#[derive(Message)]
struct Second;

#[derive(Message)]
struct Minute;

#[derive(Message)]
struct Halfway;

#[derive(Message)]
#[message(reply = (u64, u64))]
struct Read;

impl SyncHandler<Second> for Clock {
    fn handle(&mut self, _: Second, _: &mut Context<Self>) -> Result<(), Fault> {
        self.seconds += 1;
        Ok(())
    }
}

impl SyncHandler<Minute> for Clock {
    fn handle(&mut self, _: Minute, _: &mut Context<Self>) -> Result<(), Fault> {
        self.minutes += 1;
        Ok(())
    }
}

impl SyncHandler<Halfway> for Clock {
    fn handle(&mut self, _: Halfway, _: &mut Context<Self>) -> Result<(), Fault> {
        assert_eq!((self.seconds.abs_diff(1800) <= 1, self.minutes.abs_diff(30) <= 1), (true, true));
        self.seconds += 1_000_000;
        Ok(())
    }
}

impl SyncHandler<Read> for Clock {
    fn handle(&mut self, _: Read, _: &mut Context<Self>) -> Result<(u64, u64), Fault> {
        Ok((self.seconds, self.minutes))
    }
}

#[test]
fn an_hour_of_timers_passes_at_once_and_in_order() {
    TestSystem::run(async |t| {
        let clock = t.spawn(Clock::default);
        t.advance(3600 * SECOND + SECOND / 2).await;
        assert_eq!(clock.ask(Read).await.unwrap(), (1_003_600, 60));
        assert!((3600.5..3600.6).contains(&t.now().as_secs_f64()));
        t.shutdown().await;
    });
}

#[test]
fn the_same_test_takes_the_same_steps_each_time() {
    let run = || {
        let mut defaults = Defaults::default();
        defaults.backoff = Backoff::exponential(SECOND, 2.0, 60 * SECOND);
        TestSystem::run_with(System::builder().seed(7).defaults(defaults), async |t| {
            let failing = t.spawn(child("failing", desk(&Log::default())).intensity(u32::MAX, 3600 * SECOND));
            let mut moments = Vec::new();
            for _ in 0..8 {
                while failing.tell(crate::common::Boom).await.is_err() {
                    t.settle().await;
                }
                t.settle().await;
                moments.push(t.now());
            }
            t.shutdown().await;
            moments
        })
    };
    assert_eq!(run(), run());
}

#[test]
fn time_stands_still_without_a_word() {
    TestSystem::run(async |t| {
        let clock = t.spawn(Clock::default);
        let before = t.now();
        for _ in 0..1000 {
            assert_eq!(clock.ask(Read).await.unwrap(), (0, 0));
        }
        assert_eq!(t.now(), before);
        t.shutdown().await;
    });
}

#[test]
fn a_probe_keeps_what_it_is_sent() {
    TestSystem::run(async |t| {
        let probe = t.probe::<Note>();
        let to = probe.recipient();
        to.tell(Note(1)).await.unwrap();
        assert_eq!(to.ask(Note(2)).await.unwrap(), 0, "it answers with the default");
        assert_eq!((probe.next().await, probe.next().await), (Note(1), Note(2)));
        probe.expect_none(60 * SECOND).await;
        {
            let mut next = pin!(probe.next());
            assert!(poll!(&mut next).is_pending());
        }
        for number in 3..6 {
            to.tell(Note(number)).await.unwrap();
        }
        t.settle().await;
        assert_eq!(probe.next().await, Note(3), "nothing was lost with the wait that was dropped");
        assert_eq!(probe.take(), [Note(4), Note(5)]);
        t.shutdown().await;
    });
}

#[test]
fn two_wait_at_one_probe_and_each_gets_a_message() {
    TestSystem::run(async |t| {
        let probe = t.probe::<Note>();
        let to = probe.recipient();
        let send = async {
            to.tell(Note(1)).await.unwrap();
            to.tell(Note(2)).await.unwrap();
        };
        let both = async { futures::join!(probe.next(), probe.next(), send) };
        let (one, other, ()) = tokio::time::timeout(SECOND, both).await.expect("both were sent one");
        assert_eq!((one, other), (Note(1), Note(2)));
        t.shutdown().await;
    });
}

#[test]
fn a_probe_says_when_something_came_after_all() {
    let failed = catch_unwind(|| {
        TestSystem::run(async |t| {
            let probe = t.probe::<Note>();
            let to = probe.recipient();
            tokio::task::spawn_local(async move {
                tokio::time::sleep(5 * SECOND).await;
                to.tell(Note(1)).await
            });
            probe.expect_none(10 * SECOND).await;
            t.shutdown().await;
        });
    });
    assert!(text(&*failed.unwrap_err()).contains("Note"));
}

#[test]
fn an_injected_panic_happens() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let desk = t
            .spawn(child("desk", desk(&log)).backoff(Backoff::none()).inject(Injection::new().panic_at(2).panic_at(4)));
        let mut faults = Vec::new();
        for number in 1..=5 {
            if let Err(AskError::Faulted(incident)) = desk.ask(Note(number)).await {
                faults.push((number, incident.kind()));
            }
        }
        assert_eq!(faults, [(2, FaultKind::Panic), (4, FaultKind::Panic)], "counted over all values");
        assert_eq!(log.read(), [1, 3, 5], "their turns did not run");
        let seen = t.inspect().actor("desk").unwrap().clone();
        assert_eq!((seen.faults, seen.restarts, seen.messages.quarantined), (2, 2, 2));
        assert!(seen.messages.adds_up(), "{:?}", seen.messages);
        t.shutdown().await;
    });
}

#[test]
fn an_injected_delay_holds_the_message_and_all_behind_it() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let desk = t.spawn(child("desk", desk(&log)).inject(Injection::new().delay_at(2, 30 * SECOND)));
        for number in 1..=3 {
            desk.tell(Note(number)).await.unwrap();
        }
        t.advance(29 * SECOND).await;
        let waiting = counts(t.system(), "desk");
        assert_eq!((log.read(), waiting.sent), (vec![1], 3));
        assert!(waiting.adds_up(), "{waiting:?}");
        t.advance(2 * SECOND).await;
        assert_eq!(log.read(), [1, 2, 3]);
        assert!(counts(t.system(), "desk").adds_up());
        t.shutdown().await;
    });
}

#[test]
fn an_injected_loss_is_a_dead_letter_and_its_asker_is_told() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let desk = t.spawn(child("desk", desk(&log)).inject(Injection::new().lose_at(1).lose_at(3)));
        assert!(matches!(desk.ask(Note(1)).await, Err(AskError::Dropped)));
        assert_eq!(desk.ask(Note(2)).await.unwrap(), 2);
        desk.tell(Note(3)).await.unwrap();
        assert_eq!(desk.ask(Note(4)).await.unwrap(), 4);
        assert_eq!(log.read(), [2, 4]);
        assert_eq!(t.system().dead_letters().counts()[&DeadReason::Lost], 2);
        assert!(counts(t.system(), "desk").adds_up());
        t.shutdown().await;
    });
}

/// A delayed message belongs to the queue: what ends the actor meanwhile treats it as such.
#[test]
fn a_drain_serves_a_delayed_message_and_a_stop_buries_it() {
    for drain in [true, false] {
        TestSystem::run(async |t| {
            let log = Log::default();
            let desk = t.spawn(child("desk", desk(&log)).inject(Injection::new().delay_at(1, 5 * SECOND)));
            desk.tell(Note(1)).await.unwrap();
            desk.tell(Note(2)).await.unwrap();
            t.settle().await;
            if drain {
                desk.drain()
            } else {
                desk.stop()
            }
            desk.ended().await;
            let (handled, dead): (&[u64], u64) = if drain { (&[1, 2], 0) } else { (&[], 2) };
            assert_eq!((&log.read()[..], t.system().dead_letters().total()), (handled, dead));
            t.shutdown().await;
        });
    }
}

#[test]
fn a_test_that_leaves_actors_running_fails_and_is_told_which() {
    let failed = catch_unwind(|| {
        TestSystem::run(async |t| {
            let (_left, ended) =
                (t.spawn(child("left behind", Clock::default)), t.spawn(child("gone", Clock::default)));
            ended.stop();
            ended.ended().await;
        });
    });
    let text = text(&*failed.unwrap_err());
    assert!(text.contains("left behind") && !text.contains("gone"), "{text}");
}

#[test]
fn a_test_that_ends_its_actors_by_itself_is_fine() {
    TestSystem::run(async |t| {
        let clock = t.spawn(Clock::default);
        clock.kill();
        clock.ended().await;
    });
}

#[test]
fn the_panic_of_a_test_is_its_own() {
    let failed = catch_unwind(AssertUnwindSafe(|| {
        TestSystem::run(async |t| {
            let _left = t.spawn(Clock::default);
            panic!("the test has its own reasons");
        });
    }));
    assert_eq!(text(&*failed.unwrap_err()), "the test has its own reasons");
}

fn text(payload: &(dyn std::any::Any + std::marker::Send)) -> String {
    let texts = (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>());
    texts.0.map(|text| (*text).to_owned()).or(texts.1.cloned()).unwrap_or_default()
}

#[test]
fn settings_that_cannot_work_are_all_named() {
    let mut defaults = Defaults::default();
    (defaults.bound, defaults.attempts) = (0, 0);
    let failed = catch_unwind(|| TestSystem::run_with(System::builder().defaults(defaults), async |_| {}));
    let text = text(&*failed.unwrap_err());
    assert!(text.contains("bound") && text.contains("attempts"), "{text}");
}

/// Has a thread do the work.
struct Worker(Log);

impl Actor for Worker {}

/// Work that takes until the other end says something.
#[derive(Message)]
struct Work(std::sync::mpsc::Receiver<u64>);

#[derive(Message)]
struct Done(u64);

impl SyncHandler<Work> for Worker {
    fn handle(&mut self, work: Work, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.blocking(move || Done(work.0.recv().unwrap_or(0)));
        Ok(())
    }
}

impl SyncHandler<Done> for Worker {
    fn handle(&mut self, done: Done, _: &mut Context<Self>) -> Result<(), Fault> {
        self.0.write(done.0);
        Ok(())
    }
}

#[test]
fn time_can_be_held_while_a_real_thread_works() {
    TestSystem::run(async |t| {
        let (finish, finished) = channel();
        let before = t.now();
        let held = t.hold_time();
        let (asks, asked) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || asks.send(7).unwrap());
        // Were time to pass now, this would give up at once, as nothing else is there to do.
        let got = tokio::time::timeout(SECOND, asked).await;
        assert_eq!((got.unwrap().unwrap(), t.now()), (7, before));
        drop(held);
        let log = Log::default();
        let written = log.clone();
        let worker = t.spawn(move || Worker(written.clone()));
        worker.ask(Work(finished)).await.unwrap();
        finish.send(9).unwrap();
        while log.read().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(log.read(), [9]);
        t.advance(SECOND).await;
        assert!(t.now() >= before + SECOND, "time passes again");
        t.shutdown().await;
    });
}

/// An asker on another thread sees the same time.
#[test]
fn another_thread_may_ask_while_time_is_held() {
    TestSystem::run(async |t| {
        let desk = t.spawn(desk(&Log::default()));
        let held = t.hold_time();
        let (tell, told) = tokio::sync::oneshot::channel();
        let asker = desk.clone();
        std::thread::spawn(move || tell.send(futures::executor::block_on(asker.ask(Note(3)).into_future())));
        assert_eq!(told.await.unwrap().unwrap(), 3);
        drop(held);
        t.shutdown().await;
    });
}
