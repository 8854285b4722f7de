//! Promise 11: dead letters. What reached nobody and was not handed back is recorded with its reason, counted, and kept
//! in a ring. Promise 1: `Ok` from `tell` means enqueued, nothing more.

use std::time::Duration;

use callboard_actor::testing::{Injection, TestSystem};
use callboard_actor::{
    Actor, AskError, Context, DeadReason, Defaults, ErrorCode, Fault, Message, Overflow, Priority, Recipient, Stage,
    SyncHandler, System, child,
};

use crate::common::{Log, NOTHING, Note, busy, counts, desk, hold};

const SECOND: Duration = Duration::from_secs(1);

fn reasons(t: &TestSystem) -> Vec<DeadReason> {
    t.system().dead_letters().list().iter().map(|letter| letter.reason).collect()
}

/// F-BUS-19.
#[test]
fn a_time_to_live_that_is_over_before_the_turn_makes_a_dead_letter() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, &log).await;
        desk.tell(Note(1)).ttl(5 * SECOND).priority(Priority::Low).await.unwrap();
        desk.tell(Note(2)).ttl(15 * SECOND).await.unwrap();
        desk.tell(Note(3)).await.unwrap();
        t.advance(10 * SECOND).await;
        held.let_go();
        t.settle().await;
        assert_eq!(log.read(), [2, 3]);
        let [letter] = &t.system().dead_letters().list()[..] else { panic!("one message was too old") };
        assert_eq!(
            (letter.reason, letter.priority, letter.actor.as_str()),
            (DeadReason::Expired, Priority::Low, "desk")
        );
        assert!(letter.message.ends_with("::Note") && letter.actor_id == desk.id() && letter.at > Duration::ZERO);
        let counts = counts(t.system(), "desk");
        assert!(counts.adds_up() && counts.expired == 1, "{counts:?}");
        t.shutdown().await;
    });
}

/// F-BUS-19: none at all is refused, and the message handed back, by every way of sending.
#[test]
fn a_time_to_live_of_nothing_is_refused() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let desk = t.spawn(child("desk", desk(&log)));
        let refused = desk.tell(Note(1)).ttl(Duration::ZERO).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::ValidationFailed);
        assert_eq!(refused.to_string(), "a time to live of 0: it would be over before any turn could begin");
        assert_eq!(refused.into_message().0, 1);
        let refused = desk.tell(Note(2)).ttl(Duration::ZERO).at_once().unwrap_err();
        assert_eq!((refused.code(), refused.into_message().0), (ErrorCode::ValidationFailed, 2));
        let refused = desk.tell(Note(3)).ttl(Duration::ZERO).handled().await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::ValidationFailed);
        assert_eq!(refused.into_message().map(|note| note.0), Some(3));
        t.settle().await;
        assert_eq!((log.read(), counts(t.system(), "desk").sent), (vec![], 0));
        t.shutdown().await;
    });
}

#[test]
fn a_turn_that_has_begun_outlives_its_time_to_live() {
    TestSystem::run(async |t| {
        let desk = t.spawn(child("desk", desk(&Log::default())));
        let (hold, mut held) = hold();
        desk.tell(hold).ttl(SECOND).await.unwrap();
        held.began().await;
        t.advance(60 * SECOND).await;
        held.let_go();
        t.settle().await;
        assert_eq!((counts(t.system(), "desk").handled, reasons(t)), (1, vec![]));
        t.shutdown().await;
    });
}

#[test]
fn each_reason_has_its_name() {
    TestSystem::run(async |t| {
        let (stopped, held) = busy(t, &Log::default()).await;
        stopped.tell(Note(1)).await.unwrap();
        stopped.stop();
        held.let_go();
        stopped.ended().await;
        let (killed, _held) = busy(t, &Log::default()).await;
        killed.kill();
        killed.ended().await;
        let lost = t.spawn(child("lost", desk(&Log::default())).inject(Injection::new().lose_at(1)));
        assert!(matches!(lost.ask(Note(2)).await, Err(AskError::Dropped)));
        assert_eq!(reasons(t), [DeadReason::Stopped, DeadReason::Killed, DeadReason::Lost]);
        let all = t.system().dead_letters().counts();
        assert!(all.values().all(|&count| count == 1) && all.len() == 3);
        assert_eq!((t.system().dead_letters().total(), t.inspect().dead_letters), (3, 3));
        t.shutdown().await;
    });
}

/// Sends an effect to whom it is told.
struct Clerk(Recipient<Note>);

impl Actor for Clerk {}

#[derive(Message)]
struct Send;

impl SyncHandler<Send> for Clerk {
    fn handle(&mut self, _: Send, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.send(&self.0, Note(1));
        cx.schedule(&self.0, SECOND, Note(2));
        Ok(())
    }
}

#[test]
fn an_effect_for_an_actor_that_has_ended_is_not_lost_in_silence() {
    TestSystem::run(async |t| {
        let gone = t.spawn(child("gone", desk(&Log::default())));
        gone.stop();
        gone.ended().await;
        let to = gone.recipient();
        let clerk = t.spawn(move || Clerk(to.clone()));
        clerk.ask(Send).await.unwrap();
        t.advance(2 * SECOND).await;
        assert_eq!(reasons(t), [DeadReason::Refused; 2]);
        assert!(t.system().dead_letters().list().iter().all(|letter| letter.actor == "gone"));
        t.shutdown().await;
    });
}

#[test]
fn what_is_handed_back_is_no_dead_letter() {
    TestSystem::run(async |t| {
        let desk =
            t.spawn(child("desk", desk(&Log::default())).bound(1).overflow(Overflow::Reject).intensity(0, SECOND));
        let (hold, mut held) = hold();
        desk.tell(hold).await.unwrap();
        held.began().await;
        desk.tell(crate::common::Boom).await.unwrap();
        assert!(desk.tell(Note(1)).await.is_err(), "it has no room");
        held.let_go();
        t.settle().await;
        assert!(desk.tell(Note(2)).await.is_err(), "its breaker is open");
        desk.stop();
        desk.ended().await;
        assert!(desk.tell(Note(3)).await.is_err(), "it has ended");
        assert_eq!(t.system().dead_letters().total(), 0);
        t.shutdown().await;
    });
}

#[test]
fn an_ask_that_expires_in_the_queue_is_told_and_counted() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, &log).await;
        let asked = desk.ask(Note(1)).timeout(SECOND).await;
        assert!(matches!(asked, Err(AskError::Timeout { stage: Stage::Queue })));
        held.let_go();
        t.settle().await;
        let counts = counts(t.system(), "desk");
        assert!(counts.adds_up() && counts.expired + counts.abandoned == 1, "{counts:?}");
        assert_eq!(log.read(), NOTHING);
        t.shutdown().await;
    });
}

#[test]
fn they_are_a_ring_that_counts_what_fell_out() {
    for (size, builder) in [(1000, None), (3, Some(3))] {
        let mut defaults = Defaults::default();
        defaults.dead_letters = builder.unwrap_or(defaults.dead_letters);
        TestSystem::run_with(System::builder().defaults(defaults), async |t| {
            let (desk, held) = busy(t, &Log::default()).await;
            for number in 0..1020 {
                desk.tell(Note(number)).priority(Priority::Critical).await.unwrap();
            }
            desk.stop();
            held.let_go();
            desk.ended().await;
            let letters = t.system().dead_letters();
            assert_eq!((letters.list().len(), letters.total()), (size, 1020));
            assert_eq!(letters.counts()[&DeadReason::Stopped], 1020);
            let ids: std::collections::HashSet<_> = letters.list().iter().map(|letter| letter.id).collect();
            assert_eq!(ids.len(), size, "each record has an id of its own");
            t.shutdown().await;
        });
    }
}

#[test]
fn reasons_and_letters_have_stable_words() {
    let codes = [DeadReason::Stopped, DeadReason::Killed, DeadReason::Expired, DeadReason::Shed, DeadReason::Fenced];
    assert_eq!(
        codes.map(DeadReason::code),
        [ErrorCode::Unavailable, ErrorCode::Unavailable, ErrorCode::Expired, ErrorCode::Busy, ErrorCode::Unavailable]
    );
    TestSystem::run(async |t| {
        let (desk, _held) = busy(t, &Log::default()).await;
        desk.kill();
        desk.ended().await;
        let letter = serde_json::to_value(&t.system().dead_letters().list()[0]).unwrap();
        assert_eq!((&letter["reason"], &letter["priority"]), (&"killed".into(), &"normal".into()));
        t.shutdown().await;
    });
}
