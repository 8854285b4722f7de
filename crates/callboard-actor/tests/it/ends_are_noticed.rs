//! Promise 10: links and monitors. A monitor is told once that an actor has ended, even if it already had; a restart is
//! no end and has a notice of its own; a link takes an abnormal end along, both ways, and lets a normal one be.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, ActorState, Backoff, Child, Context, Down, Drain, Fault, Handler, Message, Restart, Restarted,
    StopReason, SyncHandler, System, block_on, child,
};
use futures::poll;

use crate::common::{Boom, Hold, Log, Note, hold};

const SECOND: Duration = Duration::from_secs(1);

/// Watches others, and is watched.
struct Guard(Log<String>);

impl Actor for Guard {}

#[derive(Message)]
enum Watch {
    Ends(ActorRef<Guard>),
    Restarts(ActorRef<Guard>),
    Link(ActorRef<Guard>),
}

impl SyncHandler<Watch> for Guard {
    fn handle(&mut self, watch: Watch, cx: &mut Context<Self>) -> Result<(), Fault> {
        match watch {
            Watch::Ends(other) => cx.monitor(&other),
            Watch::Restarts(other) => cx.monitor_restarts(&other),
            Watch::Link(other) => cx.link(&other),
        }
        Ok(())
    }
}

impl SyncHandler<Down> for Guard {
    fn handle(&mut self, down: Down, _: &mut Context<Self>) -> Result<(), Fault> {
        self.0.write(format!("{} {}", down.name, down.reason));
        Ok(())
    }
}

impl SyncHandler<Restarted> for Guard {
    fn handle(&mut self, restarted: Restarted, _: &mut Context<Self>) -> Result<(), Fault> {
        self.0.write(format!("{} is new: {}", restarted.name, restarted.generation));
        Ok(())
    }
}

impl SyncHandler<Boom> for Guard {
    fn handle(&mut self, _: Boom, _: &mut Context<Self>) -> Result<(), Fault> {
        panic!("boom")
    }
}

impl SyncHandler<Note> for Guard {
    fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<u64, Fault> {
        self.0.write(format!("note {}", note.0));
        Ok(note.0)
    }
}

impl Handler<Hold> for Guard {
    async fn handle(&mut self, hold: Hold, _: &mut Context<Self>) -> Result<(), Fault> {
        hold.run().await;
        Ok(())
    }
}

/// Ends as a process does in OTP.
#[derive(Message)]
struct Finish;

impl SyncHandler<Finish> for Guard {
    fn handle(&mut self, _: Finish, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.exit();
        Ok(())
    }
}

fn guard(name: &str, log: &Log<String>) -> Child<Guard> {
    let log = log.clone();
    child(name, move || Guard(log.clone())).backoff(Backoff::none())
}

/// A watcher with its log, and one that is to be watched.
fn pair(
    t: &TestSystem,
    change: impl FnOnce(Child<Guard>) -> Child<Guard>,
) -> (ActorRef<Guard>, ActorRef<Guard>, Log<String>) {
    let log = Log::default();
    let watcher = t.spawn(guard("watcher", &log));
    (watcher, t.spawn(change(guard("watched", &Log::default()))), log)
}

#[test]
fn a_monitor_hears_once_why_an_actor_ended() {
    TestSystem::run(async |t| {
        let ends: [(fn(&ActorRef<Guard>), &str); 3] = [
            (ActorRef::stop, "watched stopped"),
            (ActorRef::drain, "watched drained"),
            (ActorRef::kill, "watched killed"),
        ];
        for (end, expected) in ends {
            let (watcher, watched, log) = pair(t, |child| child);
            watcher.ask(Watch::Ends(watched.clone())).await.unwrap();
            end(&watched);
            watched.ended().await;
            t.advance(SECOND).await;
            assert_eq!(log.read(), [expected]);
        }
        t.shutdown().await;
    });
}

#[test]
fn an_end_by_oneself_and_one_by_a_fault_say_so() {
    TestSystem::run(async |t| {
        let (watcher, watched, log) = pair(t, |child| child.restart(Restart::Transient));
        watcher.ask(Watch::Ends(watched.clone())).await.unwrap();
        watched.tell(Finish).await.unwrap();
        assert_eq!(watched.ended().await, StopReason::Finished);
        let failing = t.spawn(guard("failing", &Log::default()).restart(Restart::Temporary));
        watcher.ask(Watch::Ends(failing.clone())).await.unwrap();
        failing.tell(Boom).await.unwrap();
        let StopReason::Faulted(incident) = failing.ended().await else { panic!("a fault ended it") };
        assert_eq!(incident.text(), "boom");
        t.settle().await;
        assert!(log.read()[1].starts_with("failing faulted: failing: boom at "), "{:?}", log.read());
        t.shutdown().await;
    });
}

#[test]
fn a_monitor_that_comes_too_late_hears_at_once() {
    TestSystem::run(async |t| {
        let (watcher, watched, log) = pair(t, |child| child);
        watched.kill();
        watched.ended().await;
        t.advance(60 * SECOND).await;
        watcher.ask(Watch::Ends(watched.clone())).await.unwrap();
        t.settle().await;
        assert_eq!(log.read(), ["watched killed"]);
        t.shutdown().await;
    });
}

#[test]
fn a_restart_is_no_end_and_has_its_own_notice() {
    TestSystem::run(async |t| {
        let (watcher, watched, log) = pair(t, |child| child);
        watcher.ask(Watch::Ends(watched.clone())).await.unwrap();
        watcher.ask(Watch::Restarts(watched.clone())).await.unwrap();
        for _ in 0..2 {
            watched.tell(Boom).await.unwrap();
            t.settle().await;
        }
        assert_eq!(log.read(), ["watched is new: 2", "watched is new: 3"]);
        watched.stop();
        watched.ended().await;
        t.settle().await;
        assert_eq!(log.read().last().unwrap(), "watched stopped");
        assert_eq!(log.read().len(), 3);
        t.shutdown().await;
    });
}

#[test]
fn a_new_value_after_an_open_breaker_is_noticed_too() {
    TestSystem::run(async |t| {
        let (watcher, watched, log) = pair(t, |child| child.intensity(0, SECOND).reset(5 * SECOND));
        watcher.ask(Watch::Restarts(watched.clone())).await.unwrap();
        watched.tell(Boom).await.unwrap();
        t.advance(SECOND).await;
        assert_eq!((log.read().len(), watched.state()), (0, ActorState::Failed));
        t.advance(10 * SECOND).await;
        assert_eq!(log.read(), ["watched is new: 2"]);
        t.shutdown().await;
    });
}

#[test]
fn a_notice_finds_its_way_into_a_full_mailbox_and_before_the_rest() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (watcher, watched) = (t.spawn(guard("watcher", &log).bound(1)), t.spawn(guard("watched", &Log::default())));
        watcher.ask(Watch::Ends(watched.clone())).await.unwrap();
        let (hold, mut held) = hold();
        watcher.tell(hold).await.unwrap();
        held.began().await;
        watcher.tell(Note(1)).await.unwrap();
        assert!(watcher.try_tell(Note(2)).is_err());
        watched.stop();
        watched.ended().await;
        held.let_go();
        t.settle().await;
        assert_eq!(log.read(), ["watched stopped", "note 1"]);
        t.shutdown().await;
    });
}

/// Keeps watching over its own restart: the notice is for the actor, not for its value.
#[test]
fn a_watcher_that_restarts_still_hears() {
    TestSystem::run(async |t| {
        let (watcher, watched, log) = pair(t, |child| child);
        watcher.ask(Watch::Ends(watched.clone())).await.unwrap();
        watcher.tell(Boom).await.unwrap();
        t.settle().await;
        watched.stop();
        watched.ended().await;
        t.settle().await;
        assert_eq!(log.read(), ["watched stopped"]);
        t.shutdown().await;
    });
}

#[test]
fn a_watcher_that_has_ended_bothers_nobody() {
    TestSystem::run(async |t| {
        let (watcher, watched, log) = pair(t, |child| child);
        watcher.ask(Watch::Ends(watched.clone())).await.unwrap();
        watcher.stop();
        watcher.ended().await;
        watched.stop();
        watched.ended().await;
        assert_eq!((log.read().len(), t.system().dead_letters().total()), (0, 0));
        t.shutdown().await;
    });
}

/// Links two guards; the first one asked for it.
async fn linked(t: &TestSystem) -> (ActorRef<Guard>, ActorRef<Guard>) {
    let make = |name| guard(name, &Log::default()).restart(Restart::Transient);
    let (one, other) = (t.spawn(make("one")), t.spawn(make("other")));
    one.ask(Watch::Link(other.clone())).await.expect("it listens");
    (one, other)
}

#[test]
fn a_link_takes_an_abnormal_end_along_both_ways() {
    TestSystem::run(async |t| {
        for turned in [false, true] {
            let (one, other) = linked(t).await;
            let (ends, follows) = if turned { (&other, &one) } else { (&one, &other) };
            ends.kill();
            assert_eq!(follows.ended().await, StopReason::Linked(ends.name()));
        }
        let failing = t.spawn(guard("failing", &Log::default()).restart(Restart::Temporary));
        let follows = t.spawn(guard("follows", &Log::default()));
        follows.ask(Watch::Link(failing.clone())).await.unwrap();
        failing.tell(Boom).await.unwrap();
        assert_eq!(follows.ended().await, StopReason::Linked("failing".to_owned()));
        t.shutdown().await;
    });
}

#[test]
fn a_link_lets_a_normal_end_and_a_restart_be() {
    TestSystem::run(async |t| {
        let ends: [fn(&ActorRef<Guard>); 3] = [ActorRef::stop, ActorRef::drain, |one| drop(one.try_tell(Finish))];
        for end in ends {
            let (one, other) = linked(t).await;
            one.tell(Boom).await.unwrap();
            t.settle().await;
            assert_eq!(other.ask(Note(1)).await.unwrap(), 1, "a restart is no end");
            end(&one);
            one.ended().await;
            t.advance(SECOND).await;
            assert_eq!(other.ask(Note(2)).await.unwrap(), 2);
        }
        t.shutdown().await;
    });
}

#[test]
fn an_end_travels_along_a_chain_of_links() {
    TestSystem::run(async |t| {
        let chain: Vec<_> = (0..4).map(|n| t.spawn(guard(&format!("n{n}"), &Log::default()))).collect();
        for pair in chain.windows(2) {
            pair[0].ask(Watch::Link(pair[1].clone())).await.unwrap();
        }
        chain[1].kill();
        for (at, because) in [(0, "n1"), (2, "n1"), (3, "n2")] {
            assert_eq!(chain[at].ended().await, StopReason::Linked(because.to_owned()));
        }
        t.shutdown().await;
    });
}

#[test]
fn a_link_to_one_that_was_killed_before_takes_effect_at_once() {
    TestSystem::run(async |t| {
        let (one, other) = (t.spawn(guard("one", &Log::default())), t.spawn(guard("other", &Log::default())));
        other.kill();
        other.ended().await;
        one.ask(Watch::Link(other)).await.unwrap();
        assert_eq!(one.ended().await, StopReason::Linked("other".to_owned()));
        t.shutdown().await;
    });
}

#[test]
fn a_linked_end_finishes_the_running_turn() {
    TestSystem::run(async |t| {
        let (one, other) = linked(t).await;
        let (hold, mut held) = hold();
        let mut asked = pin!(other.ask(hold).into_future());
        assert!(poll!(&mut asked).is_pending());
        held.began().await;
        one.kill();
        one.ended().await;
        t.advance(SECOND).await;
        assert_eq!(other.state(), ActorState::Stopping);
        held.let_go();
        asked.await.unwrap();
        assert_eq!(other.ended().await, StopReason::Linked("one".to_owned()));
        t.shutdown().await;
    });
}

/// Notices cross threads: every watcher hears of every end exactly once, whether it came before or after the watch.
#[test]
fn on_many_threads_every_end_is_heard_exactly_once() {
    block_on(async {
        let system = System::builder().workers(3).start().await.unwrap();
        let log = Log::default();
        let watcher = system.spawn(guard("watcher", &log));
        let watched: Vec<_> = (0..300).map(|n| system.spawn(guard(&format!("n{n}"), &Log::default()))).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| watched.iter().for_each(ActorRef::stop));
            let watch =
                |one: &ActorRef<Guard>| block_on(async { watcher.tell(Watch::Ends(one.clone())).await.is_ok() });
            assert!(watched.iter().rev().all(watch));
        });
        for one in &watched {
            one.ended().await;
        }
        watcher.drain();
        watcher.ended().await;
        let (mut heard, mut expected) = (log.read(), (0..300).map(|n| format!("n{n} stopped")).collect::<Vec<_>>());
        heard.sort();
        expected.sort();
        assert_eq!(heard, expected);
        system.shutdown(Drain::default()).await;
    });
}
