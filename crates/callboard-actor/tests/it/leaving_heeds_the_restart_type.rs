//! An actor leaves by itself in two ways. `stop` ends it for good, whatever its restart type. `exit` ends its value normally:
//! a transient or temporary actor has then finished. Either is a planned end: monitors are told which, links do not carry
//! it on, siblings go on as they are, and no restart is used up.

use std::future::IntoFuture;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, ActorState, AskError, Backoff, Child, Context, DeadReason, Down, Fault, GiveUp, Handler, Message,
    Restart, StopReason, Supervise, SyncHandler, child, one_for_all, one_for_one, rest_for_one,
};

use crate::common::{Held, Hold, Note, hold};
use crate::puppet::Diary;

const SECOND: Duration = Duration::from_secs(1);

/// How a value leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Way {
    #[default]
    Stays,
    Stops,
    Exits,
    StopsAndExits,
    ExitsAndStops,
}

impl Way {
    fn go(self, cx: &mut Context<Guest>) {
        match self {
            Self::Stays => {}
            Self::Stops => cx.stop(),
            Self::Exits => cx.exit(),
            Self::StopsAndExits => {
                cx.stop();
                cx.exit();
            }
            Self::ExitsAndStops => {
                cx.exit();
                cx.stop();
            }
        }
    }

    /// What a monitor hears of an actor that has left this way.
    fn reason(self) -> StopReason {
        if self == Self::Exits { StopReason::Finished } else { StopReason::Stopped }
    }
}

/// Leaves at its start, or in a turn; and notes what happens to it.
struct Guest {
    name: &'static str,
    diary: Diary,
    at_start: Way,
}

impl Guest {
    fn child(name: &'static str, diary: &Diary) -> Child<Self> {
        Self::leaving_at_start(name, diary, Way::Stays)
    }

    fn leaving_at_start(name: &'static str, diary: &Diary, at_start: Way) -> Child<Self> {
        let diary = diary.clone();
        child(name, move || Self { name, diary: diary.clone(), at_start })
    }
}

impl Actor for Guest {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.diary.note(format_args!("{} starts", self.name));
        self.at_start.go(cx);
        Ok(())
    }

    async fn stopped(self, why: StopReason) {
        self.diary.note(format_args!("{} says goodbye: {why}", self.name));
    }
}

/// Leaves in a turn, which then ends well or not.
#[derive(Message)]
struct Leave(Way, Result<(), &'static str>);

impl SyncHandler<Leave> for Guest {
    fn handle(&mut self, leave: Leave, cx: &mut Context<Self>) -> Result<(), Fault> {
        leave.0.go(cx);
        leave.1.map_err(Fault::permanent)
    }
}

impl SyncHandler<Note> for Guest {
    fn handle(&mut self, note: Note, cx: &mut Context<Self>) -> Result<u64, Fault> {
        self.diary.note(format_args!("{} notes {}", self.name, note.0));
        Ok(cx.generation())
    }
}

impl Handler<Hold> for Guest {
    async fn handle(&mut self, hold: Hold, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.exit();
        hold.run().await;
        Ok(())
    }
}

/// Keeps the reasons it hears, and is tied to whom it watches.
struct Watcher(Diary);

impl Actor for Watcher {}

#[derive(Message)]
struct Watch(ActorRef<Guest>);

impl SyncHandler<Watch> for Watcher {
    fn handle(&mut self, watch: Watch, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.monitor(&watch.0);
        cx.link(&watch.0);
        Ok(())
    }
}

impl SyncHandler<Down> for Watcher {
    fn handle(&mut self, down: Down, _: &mut Context<Self>) -> Result<(), Fault> {
        self.0.note(format_args!("{} is down: {}", down.name, down.reason));
        Ok(())
    }
}

fn watcher(t: &TestSystem, diary: &Diary) -> ActorRef<Watcher> {
    let diary = diary.clone();
    t.spawn(child("watcher", move || Watcher(diary.clone())))
}

/// The end of a guest, which must not be long in coming.
async fn end(guest: &ActorRef<Guest>) -> StopReason {
    tokio::time::timeout(3600 * SECOND, guest.ended()).await.expect("it has left")
}

/// Those that are not begun again after a normal end of their value.
const LEAVING_FOR_GOOD: [(Restart, Way); 5] = [
    (Restart::Permanent, Way::Stops),
    (Restart::Transient, Way::Stops),
    (Restart::Transient, Way::Exits),
    (Restart::Temporary, Way::Stops),
    (Restart::Temporary, Way::Exits),
];

#[test]
fn a_monitor_hears_whether_it_stopped_or_finished() {
    for (restart, way) in LEAVING_FOR_GOOD {
        TestSystem::run(async |t| {
            let diary = Diary::default();
            let (watcher, guest) = (watcher(t, &diary), t.spawn(Guest::child("guest", &diary).restart(restart)));
            watcher.ask(Watch(guest.clone())).await.unwrap();
            guest.ask(Leave(way, Ok(()))).await.unwrap();
            assert_eq!(end(&guest).await, way.reason(), "{restart:?}");
            t.settle().await;
            let why = way.reason();
            let told = ["guest starts".into(), format!("guest says goodbye: {why}"), format!("guest is down: {why}")];
            assert_eq!(diary.take(), told, "{restart:?}");
            assert_eq!(watcher.state(), ActorState::Running, "a planned end is not carried on");
            watcher.ask(Watch(guest)).await.unwrap();
            t.settle().await;
            assert_eq!(diary.take(), [format!("guest is down: {why}")], "whoever asks later hears the same");
            t.shutdown().await;
        });
    }
}

#[test]
fn it_may_leave_before_it_has_served_anyone() {
    for (restart, way) in LEAVING_FOR_GOOD {
        TestSystem::run(async |t| {
            let diary = Diary::default();
            let guest = t.spawn(Guest::leaving_at_start("guest", &diary, way).restart(restart));
            guest.tell(Note(1)).await.unwrap();
            let (asked, why) = futures::join!(guest.ask(Note(2)).into_future(), end(&guest));
            assert!(matches!(asked, Err(AskError::Stopped(None))), "{asked:?}");
            assert_eq!(why, way.reason(), "{restart:?}");
            assert_eq!(diary.take(), ["guest starts".into(), format!("guest says goodbye: {why}")]);
            assert_eq!(t.system().dead_letters().counts()[&DeadReason::Stopped], 2);
            t.shutdown().await;
        });
    }
}

#[test]
fn stop_is_the_stronger_word() {
    for way in [Way::StopsAndExits, Way::ExitsAndStops] {
        for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
            TestSystem::run(async |t| {
                let guest = t.spawn(Guest::child("guest", &Diary::default()).restart(restart));
                guest.ask(Leave(way, Ok(()))).await.unwrap();
                assert_eq!(end(&guest).await, StopReason::Stopped, "{way:?}");
                t.shutdown().await;
            });
        }
    }
}

/// The turn goes on to its end, and only then the actor leaves; what waits behind it is buried.
#[test]
fn it_leaves_when_the_turn_is_over() {
    for restart in [Restart::Transient, Restart::Temporary] {
        TestSystem::run(async |t| {
            let guest = t.spawn(Guest::child("guest", &Diary::default()).restart(restart));
            let (hold, mut held): (Hold, Held) = hold();
            guest.tell(hold).await.unwrap();
            held.began().await;
            guest.tell(Note(1)).await.unwrap();
            t.advance(60 * SECOND).await;
            assert_eq!(guest.state(), ActorState::Running);
            held.let_go();
            assert_eq!(end(&guest).await, StopReason::Finished);
            assert_eq!(t.system().dead_letters().counts()[&DeadReason::Stopped], 1);
            t.shutdown().await;
        });
    }
}

#[test]
fn whoever_fails_has_not_left() {
    for way in [Way::Stops, Way::Exits] {
        for restart in [Restart::Permanent, Restart::Transient] {
            TestSystem::run(async |t| {
                let guest = t.spawn(Guest::child("guest", &Diary::default()).restart(restart));
                assert!(matches!(guest.ask(Leave(way, Err("it fails"))).await, Err(AskError::Faulted(_))));
                assert_eq!(guest.ask(Note(1)).await.unwrap(), 2, "a fault brings a new value");
                assert_eq!(guest.ask(Note(2)).await.unwrap(), 2, "which knows nothing of leaving");
                t.shutdown().await;
            });
        }
        TestSystem::run(async |t| {
            let (diary, restart) = (Diary::default(), Restart::Temporary);
            let guest = t.spawn(Guest::child("guest", &diary).restart(restart));
            let watcher = watcher(t, &diary);
            watcher.ask(Watch(guest.clone())).await.unwrap();
            assert!(guest.ask(Leave(way, Err("it fails"))).await.is_err());
            let StopReason::Faulted(incident) = end(&guest).await else { panic!("it did not leave, it failed") };
            assert_eq!(incident.text(), "it fails");
            assert_eq!(watcher.ended().await, StopReason::Linked("guest".to_owned()), "that is not a planned end");
            t.shutdown().await;
        });
    }
}

#[test]
fn a_transient_actor_that_has_failed_may_finish_later() {
    TestSystem::run(async |t| {
        let guest = t.spawn(Guest::child("guest", &Diary::default()).restart(Restart::Transient));
        assert!(guest.ask(Leave(Way::Stays, Err("it fails"))).await.is_err());
        assert_eq!(guest.ask(Note(1)).await.unwrap(), 2);
        guest.ask(Leave(Way::Exits, Ok(()))).await.unwrap();
        assert_eq!(end(&guest).await, StopReason::Finished);
        t.shutdown().await;
    });
}

/// Three under one supervisor, of which the one in the middle leaves.
async fn group(t: &TestSystem, supervise: Supervise, diary: &Diary, restart: Restart) -> [ActorRef<Guest>; 3] {
    let supervisor = t.system().supervise(supervise.backoff(Backoff::none())).await.unwrap();
    let guests = ["one", "two", "three"].map(|name| {
        supervisor.spawn(Guest::child(name, diary).restart(if name == "two" { restart } else { Restart::Permanent }))
    });
    t.settle().await;
    assert_eq!(diary.take(), ["one starts", "two starts", "three starts"]);
    guests
}

#[test]
fn siblings_go_on_when_one_has_left_for_good() {
    for (restart, way) in LEAVING_FOR_GOOD {
        for supervise in [one_for_one, one_for_all, rest_for_one] {
            TestSystem::run(async |t| {
                let diary = Diary::default();
                let [one, two, three] = group(t, supervise(), &diary, restart).await;
                two.ask(Leave(way, Ok(()))).await.unwrap();
                assert_eq!(end(&two).await, way.reason(), "{restart:?}");
                t.advance(60 * SECOND).await;
                assert_eq!(diary.take(), [format!("two says goodbye: {}", way.reason())], "nobody else starts anew");
                assert_eq!((one.ask(Note(1)).await.unwrap(), three.ask(Note(1)).await.unwrap()), (1, 1));
                assert_eq!(t.inspect().totals.restarts, 0);
                t.shutdown().await;
            });
        }
    }
}

#[test]
fn who_has_left_does_not_come_back_with_the_others() {
    for (restart, way) in LEAVING_FOR_GOOD {
        TestSystem::run(async |t| {
            let diary = Diary::default();
            let [one, two, three] = group(t, one_for_all(), &diary, restart).await;
            two.ask(Leave(way, Ok(()))).await.unwrap();
            end(&two).await;
            diary.take();
            assert!(one.ask(Leave(Way::Stays, Err("it fails"))).await.is_err());
            t.settle().await;
            assert_eq!((one.ask(Note(1)).await.unwrap(), three.ask(Note(1)).await.unwrap()), (2, 2));
            let told = ["three says goodbye: restarted with a sibling", "one starts", "three starts"];
            assert_eq!(diary.take()[..3], told, "{restart:?}");
            assert_eq!(two.state(), ActorState::Stopped);
            t.shutdown().await;
        });
    }
}

/// With a supervisor that gives up at the first fault, any end that counted as one would take the others along.
#[test]
fn leaving_for_good_uses_up_no_restart() {
    for (restart, way) in LEAVING_FOR_GOOD {
        for supervise in [one_for_one, one_for_all, rest_for_one] {
            TestSystem::run(async |t| {
                let strict = supervise().intensity(0, 3600 * SECOND).on_give_up(GiveUp::Escalate);
                let [one, two, three] = group(t, strict, &Diary::default(), restart).await;
                two.ask(Leave(way, Ok(()))).await.unwrap();
                end(&two).await;
                t.advance(60 * SECOND).await;
                assert_eq!((one.ask(Note(1)).await.unwrap(), three.ask(Note(1)).await.unwrap()), (1, 1), "{restart:?}");
                t.shutdown().await;
            });
        }
    }
}
