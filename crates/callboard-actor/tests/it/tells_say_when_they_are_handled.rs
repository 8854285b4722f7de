//! A tell whose sender waits for the end of the turn: as an ask, but without a deadline.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, AskError, Context, DeadReason, Fault, Handler, Message, Overflow, Priority, Stage, SyncHandler, child,
};
use futures::poll;

use crate::common::{Boom, Log, Note, busy, counts, desk, hold};

const HOUR: Duration = Duration::from_secs(3600);

/// F-BUS-19: it waits however long it takes, and then has the answer.
#[test]
fn it_has_no_deadline() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, &log).await;
        let mut told = pin!(desk.tell(Note(1)).handled());
        assert!(poll!(&mut told).is_pending());
        t.advance(HOUR).await;
        assert!(poll!(&mut told).is_pending());
        held.let_go();
        assert_eq!((told.await.unwrap(), log.read()), (1, vec![1]));
        assert!(counts(t.system(), "desk").adds_up());
        t.shutdown().await;
    });
}

/// A time to live is over when the turn would begin.
#[test]
fn one_that_expires_says_so() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, &log).await;
        let mut told = pin!(desk.tell(Note(1)).ttl(HOUR).handled());
        assert!(poll!(&mut told).is_pending());
        t.advance(HOUR).await;
        held.let_go();
        let outcome = told.await;
        assert!(matches!(outcome, Err(AskError::Timeout { stage: Stage::Queue })), "{outcome:?}");
        assert_eq!(t.system().dead_letters().counts()[&DeadReason::Expired], 1);
        assert!(log.read().is_empty() && counts(t.system(), "desk").adds_up());
        t.shutdown().await;
    });
}

/// What the turn asks has the time of an ask, not what is left of the time to live.
#[test]
fn a_time_to_live_lends_no_deadline() {
    struct Clerk;
    impl Actor for Clerk {}
    #[derive(Message)]
    #[message(reply = Option<Duration>)]
    struct Deadline;
    impl Handler<Deadline> for Clerk {
        async fn handle(&mut self, _: Deadline, cx: &mut Context<Self>) -> Result<Option<Duration>, Fault> {
            Ok(cx.deadline())
        }
    }

    TestSystem::run(async |t| {
        let clerk = t.spawn(|| Clerk);
        assert_eq!(clerk.tell(Deadline).ttl(HOUR).handled().await.unwrap(), None);
        assert!(clerk.ask(Deadline).await.unwrap().is_some());
        t.shutdown().await;
    });
}

#[test]
fn it_waits_for_room_and_gives_its_place_away() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let desk = t.spawn(child("desk", desk(&log)).bound(1));
        let (hold, mut held) = hold();
        desk.try_tell(hold).unwrap();
        held.began().await;
        desk.try_tell(Note(1)).unwrap();
        {
            let mut gives_up = pin!(desk.tell(Note(2)).handled());
            assert!(poll!(&mut gives_up).is_pending());
        }
        let mut told = pin!(desk.tell(Note(3)).handled());
        assert!(poll!(&mut told).is_pending());
        held.let_go();
        assert_eq!((told.await.unwrap(), log.read()), (3, vec![1, 3]));
        assert!(counts(t.system(), "desk").adds_up());
        t.shutdown().await;
    });
}

/// Dropped before its turn begins, it never begins.
#[test]
fn one_that_nobody_waits_for_does_not_begin() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, &log).await;
        {
            let mut told = pin!(desk.tell(Note(1)).priority(Priority::High).handled());
            assert!(poll!(&mut told).is_pending());
        }
        held.let_go();
        t.settle().await;
        let counts = counts(t.system(), "desk");
        assert!(log.read().is_empty() && counts.abandoned == 1 && counts.adds_up(), "{counts:?}");
        t.shutdown().await;
    });
}

#[test]
fn a_turn_that_fails_and_an_actor_that_ends_are_told_apart() {
    TestSystem::run(async |t| {
        let desk = t.spawn(child("desk", desk(&Log::default())).overflow(Overflow::Reject));
        let failed = desk.tell(Boom).handled().await;
        assert!(matches!(failed, Err(AskError::Faulted(_))), "{failed:?}");
        desk.stop();
        desk.ended().await;
        let ended = desk.tell(Note(1)).handled().await;
        assert!(matches!(ended, Err(AskError::Stopped(Some(Note(1))))), "{ended:?}");
        t.shutdown().await;
    });
}

/// A turn that waits for itself would never end.
#[test]
fn a_circle_is_refused() {
    struct Loop;
    impl Actor for Loop {}
    #[derive(Message)]
    #[message(reply = bool)]
    struct Outer;
    #[derive(Message)]
    struct Inner;
    impl Handler<Outer> for Loop {
        async fn handle(&mut self, _: Outer, cx: &mut Context<Self>) -> Result<bool, Fault> {
            Ok(matches!(cx.me().tell(Inner).handled().await, Err(AskError::AskCycle { .. })))
        }
    }
    impl SyncHandler<Inner> for Loop {
        fn handle(&mut self, _: Inner, _: &mut Context<Self>) -> Result<(), Fault> {
            Ok(())
        }
    }

    TestSystem::run(async |t| {
        let looping = t.spawn(|| Loop);
        assert!(looping.ask(Outer).into_future().await.unwrap());
        t.shutdown().await;
    });
}

/// What layers above could not deliver is in the ring and in no book.
#[test]
fn a_layer_above_records_its_dead_letters() {
    TestSystem::run(async |t| {
        let desk = t.spawn(child("desk", desk(&Log::default())));
        t.settle().await;
        let who = || (desk.name(), desk.id());
        for reason in [DeadReason::Overflow, DeadReason::Failed, DeadReason::Expired] {
            t.system().record_dead_letter(who(), "a note", Priority::Low, reason, None);
        }
        let codes: Vec<_> = t.system().dead_letters().list().iter().map(|dead| dead.reason.code().code()).collect();
        assert_eq!(codes, ["busy", "handler_failed", "expired"]);
        assert_eq!(counts(t.system(), "desk").sent, 0);
        assert_eq!(desk.recipient::<Note>().name().as_deref(), Some("desk"));
        t.shutdown().await;
    });
}
