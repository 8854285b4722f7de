//! Whatever fails in an actor, it gets a new value, keeps its reference and its queue, and the fault is on record.
//!
//! Promise 6: the fault path.

use std::future::{Future, IntoFuture, ready};
use std::panic::panic_any;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, ActorSnapshot, ActorState, AskError, Backoff, Child, Context, ErrorCode, Fault, FaultClass,
    FaultKind, Handler, Message, Overflow, Priority, Restart, StopReason, SyncHandler, child, child_with,
};
use futures::FutureExt;

use crate::common::Log;
use crate::puppet::{Act, Diary, Do, Puppet, Say, Script, ms, s};

/// Panics when it is dropped while it is armed, unless a panic is under way already.
#[derive(Clone, Default)]
struct Bomb(Arc<AtomicBool>);

impl Bomb {
    fn armed() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    fn disarm(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0.load(Ordering::SeqCst) && !std::thread::panicking() {
            panic!("a bomb went off");
        }
    }
}

/// An actor with many ways to fail.
struct Glass {
    diary: Diary,
    /// Goes off with the value.
    bomb: Option<Bomb>,
}

impl Actor for Glass {}

fn glass(diary: &Diary) -> Child<Glass> {
    let diary = diary.clone();
    child("glass", move || Glass { diary: diary.clone(), bomb: None }).backoff(Backoff::none())
}

/// Hits the glass where it says. Answers with the generation when nothing broke at once.
#[derive(Clone, Debug, Message)]
#[message(reply = u64)]
struct Hit(Way);

/// The ways to break it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Not,
    Error,
    PanicAtOnce,
    PanicLater,
    PanicWithoutText,
    PanicWithBomb,
    OutOfTime,
    Commit,
    CommitPanic,
    SpawnAtOnce,
    SpawnLater,
    Carried,
    Interval,
    Blocking,
    Effect,
}

impl Handler<Hit> for Glass {
    async fn handle(&mut self, Hit(way): Hit, cx: &mut Context<Self>) -> Result<u64, Fault> {
        match way {
            Way::Not => {}
            Way::Error => return Err(Fault::retryable("it broke")),
            Way::PanicAtOnce => panic!("it broke"),
            Way::PanicLater => {
                tokio::time::sleep(s(1)).await;
                panic!("it broke");
            }
            Way::PanicWithoutText => panic_any(17),
            Way::PanicWithBomb => panic_any(Bomb::armed()),
            Way::OutOfTime => tokio::time::sleep(s(1_000_000)).await,
            Way::Commit => cx.commit_with(async { Err(Fault::permanent("it broke")) }),
            Way::CommitPanic => cx.commit_with(async { panic!("it broke") }),
            Way::SpawnAtOnce => drop(cx.spawn(async { panic!("it broke") })),
            Way::SpawnLater => drop(cx.spawn(async {
                tokio::time::sleep(s(1)).await;
                panic!("it broke");
            })),
            Way::Carried => {
                let carried = cx.carry(async { panic!("it broke") });
                cx.spawn(carried);
            }
            Way::Interval => drop(cx.send_every(s(1), || -> Hit { panic!("it broke") })),
            Way::Blocking => drop(cx.blocking(|| -> Hit { panic!("it broke") })),
            Way::Effect => cx.effect(|| panic!("it broke")),
        }
        Ok(cx.generation())
    }
}

/// Fails before there is a future.
#[derive(Clone, Debug, Message)]
#[message(reply = u64)]
struct HitEarly;

impl Handler<HitEarly> for Glass {
    #[allow(clippy::manual_async_fn)]
    fn handle(&mut self, _: HitEarly, _: &mut Context<Self>) -> impl Future<Output = Result<u64, Fault>> {
        if self.bomb.is_none() {
            panic!("it broke");
        }
        ready(Ok(0))
    }
}

/// Fails in a plain function.
#[derive(Clone, Debug, Message)]
#[message(reply = u64)]
struct HitPlain;

impl SyncHandler<HitPlain> for Glass {
    fn handle(&mut self, _: HitPlain, _: &mut Context<Self>) -> Result<u64, Fault> {
        panic!("it broke")
    }
}

/// Is noted, so that what was queued can be seen to be served.
#[derive(Clone, Debug, Message)]
#[message(reply = u64)]
struct Note(u32);

impl SyncHandler<Note> for Glass {
    fn handle(&mut self, Note(number): Note, cx: &mut Context<Self>) -> Result<u64, Fault> {
        self.diary.note(number);
        Ok(cx.generation())
    }
}

fn seen(t: &TestSystem, name: &str) -> ActorSnapshot {
    t.inspect().actor(name).expect("it is there").clone()
}

/// After one fault: a second value, the queue served by it, everything on record.
async fn assert_replaced(t: &TestSystem, glass: &ActorRef<Glass>, diary: &Diary, kind: FaultKind, text: &str) {
    assert_eq!(glass.ask(Note(9)).await.unwrap(), 2, "{text}: the reference reaches the new value");
    assert_eq!(diary.take(), ["8", "9"], "{text}: the queue is kept");
    let seen = seen(t, "glass");
    assert_eq!((seen.state, seen.faults, seen.restarts), (ActorState::Running, 1, 1), "{text}");
    let incident = seen.last_fault.expect("the fault is on record");
    assert_eq!((incident.kind(), incident.text(), incident.generation()), (kind, text, 1));
    assert!(seen.messages.adds_up(), "{text}: {:?}", seen.messages);
}

#[test]
fn a_turn_that_fails_tells_its_asker_at_once() {
    let broke = "it broke";
    for (way, kind, text) in [
        (Way::Error, FaultKind::Error, broke),
        (Way::PanicAtOnce, FaultKind::Panic, broke),
        (Way::PanicLater, FaultKind::Panic, broke),
        (Way::PanicWithoutText, FaultKind::Panic, "a panic whose payload is no text"),
        (Way::PanicWithBomb, FaultKind::Panic, "a panic whose payload is no text"),
        (Way::OutOfTime, FaultKind::TurnTimeout, "the turn took longer than its limit of 5s"),
        (Way::Commit, FaultKind::Error, broke),
        (Way::CommitPanic, FaultKind::Panic, broke),
    ] {
        TestSystem::run(async |t| {
            let diary = Diary::default();
            let glass = t.spawn(glass(&diary).turn_limit(s(5)));
            let mut asked = pin!(glass.ask(Hit(way)).into_future());
            assert!(asked.as_mut().now_or_never().is_none());
            glass.try_tell(Note(8)).unwrap();
            let answer = asked.await;
            let Err(AskError::Faulted(incident)) = answer else { panic!("{way:?}: {answer:?}") };
            assert_eq!((incident.kind(), incident.text(), incident.actor()), (kind, text, "glass"), "{way:?}");
            assert!(incident.message().is_some_and(|message| message.ends_with("::Hit")), "{way:?}");
            assert_replaced(t, &glass, &diary, kind, text).await;
            let record = &t.system().quarantine().list()[0];
            assert_eq!((record.is_kept, record.attempts, &record.incident), (false, 1, &incident), "{way:?}");
            t.shutdown().await;
        });
    }
}

#[test]
fn a_handler_that_fails_before_it_has_a_future_fails_its_turn() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let early = t.spawn(glass(&diary));
        assert!(matches!(early.ask(HitEarly).await, Err(AskError::Faulted(incident)) if incident.text() == "it broke"));
        early.try_tell(Note(8)).unwrap();
        assert_replaced(t, &early, &diary, FaultKind::Panic, "it broke").await;
        early.kill();
        early.ended().await;
        let plain = t.spawn(glass(&diary));
        assert!(matches!(plain.ask(HitPlain).await, Err(AskError::Faulted(incident)) if incident.text() == "it broke"));
        plain.try_tell(Note(8)).unwrap();
        assert_replaced(t, &plain, &diary, FaultKind::Panic, "it broke").await;
        t.shutdown().await;
    });
}

#[test]
fn what_runs_beside_the_turns_fails_its_actor() {
    for way in [Way::SpawnAtOnce, Way::SpawnLater, Way::Carried, Way::Interval, Way::Blocking] {
        TestSystem::run(async |t| {
            let diary = Diary::default();
            let glass = t.spawn(glass(&diary));
            assert_eq!(glass.ask(Hit(way)).await.unwrap(), 1, "{way:?}: the turn itself ends well");
            while seen(t, "glass").faults == 0 {
                t.advance(ms(100)).await;
            }
            glass.try_tell(Note(8)).unwrap();
            assert_replaced(t, &glass, &diary, FaultKind::Task, "it broke").await;
            let incident = seen(t, "glass").last_fault.unwrap();
            let location = incident.location().unwrap_or_default();
            assert!(location.contains("every_fault_takes_the_one_path.rs"), "{way:?}: where it was: {location:?}");
            t.shutdown().await;
        });
    }
}

#[test]
fn an_effect_that_panics_fails_its_actor() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let glass = t.spawn(glass(&diary));
        let _ = glass.ask(Hit(Way::Effect)).await;
        glass.try_tell(Note(8)).unwrap();
        assert_replaced(t, &glass, &diary, FaultKind::Panic, "it broke").await;
        t.shutdown().await;
    });
}

#[test]
fn a_future_that_fails_while_a_turn_waits_fails_that_turn() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let glass = t.spawn(glass(&diary));
        glass.ask(Hit(Way::SpawnLater)).await.unwrap();
        let began = t.now();
        let mut asked = pin!(glass.ask(Hit(Way::OutOfTime)).into_future());
        assert!(asked.as_mut().now_or_never().is_none());
        glass.try_tell(Note(8)).unwrap();
        let answer = asked.await;
        assert!(
            matches!(&answer, Err(AskError::Faulted(incident)) if incident.kind() == FaultKind::Task),
            "{answer:?}"
        );
        assert_eq!((t.now() - began).as_secs(), 1, "at once");
        assert_replaced(t, &glass, &diary, FaultKind::Task, "it broke").await;
        t.shutdown().await;
    });
}

/// Sets everything going that ends with its value.
#[derive(Clone, Debug, Message)]
struct Begin(ActorRefOf);

type ActorRefOf = ActorRef<Glass>;

impl SyncHandler<Begin> for Glass {
    fn handle(&mut self, Begin(other): Begin, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.send_after(s(2), Note(1));
        cx.send_every(s(2), || Note(2));
        cx.schedule(&other, s(2), Note(3));
        let (me, diary) = (cx.me(), self.diary.clone());
        cx.spawn(async move {
            tokio::time::sleep(s(2)).await;
            diary.note("4");
            let _ = me.tell(Note(5)).await;
        });
        Ok(())
    }
}

/// Leaves effects behind in a turn that fails.
#[derive(Clone, Debug, Message)]
struct SendAndFail(ActorRefOf);

impl SyncHandler<SendAndFail> for Glass {
    fn handle(&mut self, SendAndFail(other): SendAndFail, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.send(&other, Note(6));
        cx.schedule(&other, s(1), Note(7));
        Err(Fault::permanent("it broke"))
    }
}

#[test]
fn timers_futures_and_effects_of_the_old_value_go_with_it() {
    TestSystem::run(async |t| {
        let (diary, other_diary) = (Diary::default(), Diary::default());
        let (glass, other) = (t.spawn(glass(&diary)), t.spawn(glass(&other_diary)));
        glass.ask(Begin(other.clone())).await.unwrap();
        t.advance(s(1)).await;
        let _ = glass.ask(SendAndFail(other.clone())).await;
        t.advance(s(60)).await;
        assert_eq!((diary.take(), other_diary.take()), (vec![], vec![]));
        t.shutdown().await;
    });
}

/// The ways in which the making of a value can fail, with what is on record then.
const FAILING_STARTS: [(Act, FaultKind); 4] = [
    (Act::Fail, FaultKind::Start),
    (Act::Panic, FaultKind::Start),
    (Act::Sleep(s(1_000_000)), FaultKind::StartTimeout),
    (Act::SleepThenFail(s(1)), FaultKind::Start),
];

#[test]
fn a_start_that_fails_is_tried_again() {
    for (act, kind) in FAILING_STARTS {
        for fails in [
            |script: &Script, act| {
                script.build(act);
            },
            |script: &Script, act| {
                script.start(act);
            },
        ] {
            TestSystem::run(async |t| {
                let diary = Diary::default();
                let script = Script::new("a", &diary);
                fails(&script, act);
                let a = t.spawn(script.child().backoff(Backoff::none()));
                a.try_tell(Say(1)).unwrap();
                t.advance(s(11)).await;
                assert_eq!(diary.take(), ["a starts", "a says 1"], "{act:?} at the first start");
                let first = seen(t, "a").last_fault.expect("it is on record");
                assert_eq!((first.kind(), first.generation(), first.message()), (kind, 1, None));
                fails(&script, act);
                a.try_tell(Do(Act::Fail)).unwrap();
                a.try_tell(Say(2)).unwrap();
                t.advance(s(11)).await;
                assert_eq!(diary.take(), ["a starts", "a says 2"], "{act:?} at a restart");
                let seen = seen(t, "a");
                assert_eq!((seen.faults, seen.restarts, seen.generation), (3, 3, 4), "each try is a value of its own");
                assert_eq!(seen.last_fault.map(|incident| incident.kind()), Some(kind));
                t.shutdown().await;
            });
        }
    }
}

#[test]
fn an_asker_whose_message_waited_for_a_start_that_failed_for_good_hears_why() {
    TestSystem::run(async |t| {
        let script = Script::new("a", &Diary::default());
        script.start(Act::SleepThenFail(s(1)));
        let a = t.spawn(script.child().restart(Restart::Temporary));
        let answer = a.ask(Say(1)).await;
        let Err(AskError::Ended(incident)) = &answer else { panic!("{answer:?}") };
        assert_eq!((incident.kind(), incident.text()), (FaultKind::Start, "told to fail"));
        assert_eq!(answer.as_ref().map_err(AskError::code), Err(ErrorCode::Unavailable));
        assert!(matches!(a.ask(Say(2)).await, Err(AskError::Stopped(Some(Say(2))))));
        t.shutdown().await;
    });
}

#[test]
fn an_asker_behind_the_turn_that_ended_the_actor_hears_why_and_knows_that_it_never_ran() {
    TestSystem::run(async |t| {
        let a = t.spawn(Script::new("a", &Diary::default()).child().restart(Restart::Temporary));
        let (first, second) = futures::join!(a.ask(Do(Act::Fail)).into_future(), a.ask(Say(1)).into_future());
        assert!(matches!(first, Err(AskError::Faulted(_))), "{first:?}");
        assert!(matches!(&second, Err(AskError::Ended(incident)) if incident.text() == "told to fail"), "{second:?}");
        t.shutdown().await;
    });
}

#[test]
fn factory_and_started_share_one_limit() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let script = Script::new("a", &diary);
        script.build(Act::Sleep(s(6))).start(Act::Sleep(s(6)));
        let a = t.spawn(script.child());
        t.advance(s(10) - ms(2)).await;
        assert_eq!(a.state(), ActorState::Starting);
        t.advance(ms(4)).await;
        assert_eq!((a.state(), diary.take()), (ActorState::Running, vec!["a starts".to_owned()]));
        assert_eq!(seen(t, "a").last_fault.map(|incident| incident.kind()), Some(FaultKind::StartTimeout));
        t.shutdown().await;
    });
}

#[test]
fn a_plain_factory_that_panics_is_called_again() {
    TestSystem::run(async |t| {
        let calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&calls);
        let glass = t.spawn(
            child("glass", move || {
                // The first start and the first restart fail.
                assert!(counted.fetch_add(1, Ordering::SeqCst) % 2 == 1, "no glass today");
                Glass { diary: Diary::default(), bomb: None }
            })
            .backoff(Backoff::none()),
        );
        assert_eq!(glass.ask(Note(1)).await.unwrap(), 2);
        let incident = seen(t, "glass").last_fault.unwrap();
        assert_eq!((incident.kind(), incident.text()), (FaultKind::Start, "no glass today"));
        let _ = glass.ask(Hit(Way::Error)).await;
        assert_eq!(glass.ask(Note(1)).await.unwrap(), 4);
        assert_eq!(calls.load(Ordering::SeqCst), 4);
        t.shutdown().await;
    });
}

#[test]
fn a_factory_that_always_fails_ends_in_failed_and_is_probed() {
    TestSystem::run(async |t| {
        let calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&calls);
        let hopeless = async move |_: &mut Context<Glass>| -> Result<Glass, Fault> {
            counted.fetch_add(1, Ordering::SeqCst);
            Err(Fault::permanent("never"))
        };
        let glass = t.spawn(child_with("glass", hopeless).backoff(Backoff::none()));
        t.settle().await;
        assert_eq!(
            (glass.state(), calls.load(Ordering::SeqCst)),
            (ActorState::Failed, 6),
            "one start and five restarts"
        );
        t.advance(s(31)).await;
        assert_eq!((glass.state(), calls.load(Ordering::SeqCst)), (ActorState::Failed, 7), "one probe");
        t.shutdown().await;
    });
}

#[test]
fn a_panic_in_stopped_changes_nothing_about_the_end() {
    struct Sore(bool);
    impl Actor for Sore {
        #[allow(clippy::manual_async_fn)]
        fn stopped(self, _: StopReason) -> impl Future<Output = ()> {
            assert!(!self.0, "before there is a future");
            async move { panic!("while it is polled") }
        }
    }
    for early in [false, true] {
        TestSystem::run(async |t| {
            let sore = t.spawn(child("sore", move || Sore(early)));
            t.settle().await;
            sore.stop();
            assert_eq!(sore.ended().await, StopReason::Stopped);
            let drained = t.spawn(child("sore", move || Sore(early)));
            t.settle().await;
            drained.drain();
            assert_eq!(drained.ended().await, StopReason::Drained);
            assert!(t.shutdown().await.is_clean());
        });
    }
}

#[test]
fn a_stopped_that_takes_too_long_is_dropped_at_the_start_limit() {
    TestSystem::run(async |t| {
        let script = Script::new("a", &Diary::default());
        script.stop(Act::Sleep(s(1_000_000)));
        let a = t.spawn(script.child().start_limit(s(7)));
        t.settle().await;
        let began = t.now();
        a.stop();
        assert_eq!((a.ended().await, (t.now() - began).as_secs()), (StopReason::Stopped, 7));
        t.shutdown().await;
    });
}

/// Puts a bomb where the test wants one.
#[derive(Message)]
#[message(reply = Bomb)]
struct Load {
    bomb: Bomb,
    keep: bool,
    answer: bool,
    wait: Duration,
}

impl Load {
    fn new(bomb: &Bomb) -> Self {
        Self { bomb: bomb.clone(), keep: false, answer: false, wait: Duration::ZERO }
    }
}

impl Handler<Load> for Glass {
    async fn handle(&mut self, load: Load, _: &mut Context<Self>) -> Result<Bomb, Fault> {
        if !load.wait.is_zero() {
            tokio::time::sleep(load.wait).await;
        }
        if load.keep {
            self.bomb = Some(load.bomb.clone());
        }
        let answer = if load.answer { load.bomb.clone() } else { Bomb::default() };
        if load.answer || load.keep {
            // Only the copies are to go off.
            std::mem::forget(load);
        }
        Ok(answer)
    }
}

/// It still serves, adds up, and can be ended.
async fn assert_alive(t: &TestSystem, glass: &ActorRef<Glass>, what: &str) {
    glass.ask(Note(1)).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    let seen = seen(t, "glass");
    assert_eq!(seen.state, ActorState::Running, "{what}");
    assert!(seen.messages.adds_up(), "{what}: {:?}", seen.messages);
    let report = t.shutdown().await;
    assert!(report.is_clean(), "{what}: {report:?}");
}

#[test]
fn a_message_that_panics_while_its_handler_drops_it_fails_the_turn() {
    TestSystem::run(async |t| {
        let glass = t.spawn(glass(&Diary::default()));
        let armed = Bomb::armed();
        let answer = glass.ask(Load::new(&armed)).await;
        armed.disarm();
        assert!(matches!(&answer, Err(AskError::Faulted(incident)) if incident.text() == "a bomb went off"));
        assert_eq!(seen(t, "glass").generation, 2);
        assert_alive(t, &glass, "in the handler").await;
    });
}

#[test]
fn messages_that_panic_while_they_are_dropped_unserved_harm_nobody() {
    TestSystem::run(async |t| {
        let armed = Bomb::armed();
        let glass = t.spawn(glass(&Diary::default()));
        glass.try_tell(Hit(Way::PanicLater)).unwrap();
        t.settle().await;
        for _ in 0..3 {
            glass.tell(Load::new(&armed)).ttl(ms(1)).await.unwrap();
        }
        {
            let mut asked = pin!(glass.ask(Load::new(&armed)).into_future());
            assert!(asked.as_mut().now_or_never().is_none());
        }
        t.advance(s(2)).await;
        let counts = seen(t, "glass").messages;
        assert_eq!((counts.expired, counts.abandoned), (3, 1), "{counts:?}");
        assert_alive(t, &glass, "expired and abandoned").await;
        armed.disarm();
    });
}

#[test]
fn a_queue_of_messages_that_panic_while_they_are_dropped_is_buried_one_by_one() {
    for end in [ActorRef::stop, ActorRef::kill] as [fn(&ActorRef<Glass>); 2] {
        TestSystem::run(async |t| {
            let armed = Bomb::armed();
            let glass = t.spawn(glass(&Diary::default()));
            glass.try_tell(Hit(Way::PanicLater)).unwrap();
            t.settle().await;
            for _ in 0..5 {
                glass.try_tell(Load::new(&armed)).map_err(|_| ()).expect("there is room");
            }
            end(&glass);
            let why = glass.ended().await;
            assert_ne!(why, StopReason::Shutdown, "it ended as it was told to");
            let counts = t.system().dead_letters().counts();
            assert_eq!(counts.get(&callboard_actor::DeadReason::Stopped), Some(&5), "{counts:?}");
            armed.disarm();
            t.shutdown().await;
        });
    }
}

#[test]
fn a_message_that_panics_while_it_is_shed_does_not_harm_the_sender() {
    TestSystem::run(async |t| {
        let armed = Bomb::armed();
        let glass = t.spawn(glass(&Diary::default()).bound(1).overflow(Overflow::DropOldest));
        t.settle().await;
        glass.try_tell(Load::new(&armed)).map_err(|_| ()).expect("there is room");
        glass.try_tell(Note(1)).expect("the oldest makes room");
        t.settle().await;
        armed.disarm();
        assert_eq!(seen(t, "glass").messages.shed, 1);
        assert_alive(t, &glass, "shed").await;
    });
}

#[test]
fn an_answer_that_panics_while_it_is_dropped_harms_nobody() {
    TestSystem::run(async |t| {
        let armed = Bomb::armed();
        let glass = t.spawn(glass(&Diary::default()));
        let told = Load { answer: true, ..Load::new(&armed) };
        glass.try_tell(told).map_err(|_| ()).expect("there is room");
        t.settle().await;
        assert_eq!(seen(t, "glass").messages.handled, 1, "nobody waits for the answer of a tell");
        let asked = Load { answer: true, wait: s(2), ..Load::new(&armed) };
        assert!(matches!(glass.ask(asked).timeout(s(1)).await, Err(AskError::Timeout { .. })));
        t.advance(s(2)).await;
        let counts = seen(t, "glass").messages;
        assert_eq!((counts.handled, counts.late_replies), (2, 1), "{counts:?}");
        assert_alive(t, &glass, "a late answer").await;
        armed.disarm();
    });
}

#[test]
fn a_value_that_panics_while_it_is_dropped_is_replaced_like_any_other() {
    TestSystem::run(async |t| {
        let armed = Bomb::armed();
        let glass = t.spawn(glass(&Diary::default()));
        glass.ask(Load { keep: true, ..Load::new(&armed) }).await.map_err(|_| ()).expect("it is kept");
        let answer = glass.ask(Hit(Way::Error)).await;
        assert!(matches!(&answer, Err(AskError::Faulted(incident)) if incident.text() == "it broke"), "{answer:?}");
        assert_eq!(glass.ask(Note(1)).await.unwrap(), 2);
        assert_alive(t, &glass, "a value").await;
        armed.disarm();
    });
}

#[test]
fn a_value_that_panics_while_it_is_dropped_ends_as_it_was_told_to() {
    for (end, why) in [
        (ActorRef::stop as fn(&ActorRef<Glass>), StopReason::Stopped),
        (ActorRef::drain, StopReason::Drained),
        (ActorRef::kill, StopReason::Killed),
    ] {
        TestSystem::run(async |t| {
            let armed = Bomb::armed();
            let glass = t.spawn(glass(&Diary::default()));
            glass.ask(Load { keep: true, ..Load::new(&armed) }).await.map_err(|_| ()).expect("it is kept");
            end(&glass);
            assert_eq!(glass.ended().await, why);
            t.shutdown().await;
            armed.disarm();
        });
    }
}

/// Holds a bomb over an await, in its turn and in a future beside it.
#[derive(Message)]
struct Hold(Bomb);

impl Handler<Hold> for Glass {
    async fn handle(&mut self, Hold(bomb): Hold, cx: &mut Context<Self>) -> Result<(), Fault> {
        let beside = bomb.clone();
        cx.spawn(async move {
            std::future::pending::<()>().await;
            drop(beside);
        });
        std::future::pending::<()>().await;
        drop(bomb);
        Ok(())
    }
}

#[test]
fn futures_that_panic_while_they_are_dropped_harm_nobody() {
    TestSystem::run(async |t| {
        let armed = Bomb::armed();
        let glass = t.spawn(glass(&Diary::default()).turn_limit(s(1)));
        let answer = glass.ask(Hold(armed.clone())).await;
        assert!(
            matches!(&answer, Err(AskError::Faulted(incident)) if incident.kind() == FaultKind::TurnTimeout),
            "{answer:?}"
        );
        std::mem::forget(armed);
        assert_eq!(glass.ask(Note(1)).await.unwrap(), 2);
        let killed = t.spawn(child("killed", || Glass { diary: Diary::default(), bomb: None }));
        let armed = Bomb::armed();
        killed.try_tell(Hold(armed.clone())).map_err(|_| ()).expect("there is room");
        std::mem::forget(armed);
        t.settle().await;
        killed.kill();
        assert_eq!(killed.ended().await, StopReason::Killed);
        assert_alive(t, &glass, "futures").await;
    });
}

#[test]
fn a_fault_says_what_and_where_and_whether_it_is_worth_trying_again() {
    TestSystem::run(async |t| {
        let glass = t.spawn(glass(&Diary::default()));
        let retryable = glass.ask(Hit(Way::Error)).await;
        let Err(AskError::Faulted(incident)) = retryable else { panic!("{retryable:?}") };
        assert_eq!((incident.class(), incident.code().code()), (FaultClass::Retryable, "handler_failed"));
        let permanent = glass.ask(Hit(Way::PanicAtOnce)).await;
        let Err(AskError::Faulted(incident)) = permanent else { panic!("{permanent:?}") };
        assert_eq!((incident.class(), incident.code().code()), (FaultClass::Permanent, "handler_panicked"));
        assert!(incident.location().is_some_and(|place| place.contains("every_fault_takes_the_one_path.rs:")));
        assert!(incident.backtrace().is_none(), "backtraces are opt-in");
        let shown = serde_json::to_value(&incident).unwrap();
        assert_eq!((shown["kind"].as_str(), shown["text"].as_str()), (Some("panic"), Some("it broke")));
        t.shutdown().await;
    });
}

#[test]
fn an_urgent_message_behind_a_fault_is_served_before_the_rest() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let glass = t.spawn(glass(&diary));
        t.settle().await;
        glass.try_tell(Hit(Way::PanicAtOnce)).unwrap();
        glass.try_tell(Note(2)).unwrap();
        glass.try_tell(Hit(Way::Not)).unwrap();
        glass.tell(Note(1)).priority(Priority::High).await.unwrap();
        glass.tell(Hit(Way::Error)).priority(Priority::Critical).await.unwrap();
        t.settle().await;
        assert_eq!(diary.take(), ["1", "2"], "lanes outlive values");
        assert_eq!(seen(t, "glass").generation, 3);
        t.shutdown().await;
    });
}

/// Looks where an actor is at the very moment when its asker is woken.
struct Look {
    actor: ActorRef<Puppet>,
    seen: Log<ActorState>,
}

impl std::task::Wake for Look {
    fn wake(self: Arc<Self>) {
        self.seen.write(self.actor.state());
    }
}

#[test]
fn whoever_hears_of_a_fault_finds_its_consequences_in_force() {
    for (allowed, restart, expected) in [
        (5, Restart::Permanent, ActorState::Restarting),
        (0, Restart::Permanent, ActorState::Failed),
        (0, Restart::Temporary, ActorState::Stopped),
    ] {
        TestSystem::run(async |t| {
            let child = Script::new("a", &Diary::default()).child().intensity(allowed, s(30)).restart(restart);
            let a = t.spawn(child);
            t.settle().await;
            let seen = Log::default();
            let waker = Arc::new(Look { actor: a.clone(), seen: seen.clone() }).into();
            let mut asked = Box::pin(a.ask(Do(Act::Fail)).into_future());
            assert!(asked.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
            t.settle().await;
            assert_eq!(seen.read(), [expected]);
            assert!(matches!(asked.await, Err(AskError::Faulted(_))));
            t.shutdown().await;
        });
    }
}
