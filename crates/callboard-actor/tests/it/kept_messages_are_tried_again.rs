//! Promise 11: quarantine. A kept message whose turn fails is tried again before the rest of its lane, with its attempts
//! counted at turn start; after the last one it waits in quarantine, to be shown, tried anew or dropped. Of other
//! messages the record remains. Promise 2 holds throughout: a sender's messages stay in order.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, ActorState, AskError, Backoff, Child, Context, DeadReason, Defaults, Fault, Handler, Message,
    Overflow, Priority, Restart, RetryError, SyncHandler, System, child,
};
use futures::poll;

use crate::common::{Hold, Log, counts, hold};

const SECOND: Duration = Duration::from_secs(1);

/// Writes down each attempt, as (number, attempt).
struct Clerk(Log<(u64, u32)>);

impl Actor for Clerk {}

/// A job that succeeds at the given attempt.
#[derive(Clone, Debug, Message)]
#[message(reply = u32, keep)]
struct Job {
    number: u64,
    succeeds_at: u32,
}

impl SyncHandler<Job> for Clerk {
    fn handle(&mut self, job: Job, cx: &mut Context<Self>) -> Result<u32, Fault> {
        self.0.write((job.number, cx.attempt()));
        if cx.attempt() < job.succeeds_at { Err(Fault::retryable("not yet")) } else { Ok(cx.attempt()) }
    }
}

/// The same for a type that is not kept.
#[derive(Debug, Message)]
#[message(priority = Low)]
struct Once(u64);

impl SyncHandler<Once> for Clerk {
    fn handle(&mut self, once: Once, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.0.write((once.0, cx.attempt()));
        panic!("it is tried only once")
    }
}

/// A kept turn that never ends.
#[derive(Clone, Message)]
#[message(keep)]
struct Endless(u64);

impl Handler<Endless> for Clerk {
    async fn handle(&mut self, endless: Endless, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.0.write((endless.0, cx.attempt()));
        std::future::pending().await
    }
}

impl Handler<Hold> for Clerk {
    async fn handle(&mut self, hold: Hold, _: &mut Context<Self>) -> Result<(), Fault> {
        hold.run().await;
        Ok(())
    }
}

fn job(number: u64, succeeds_at: u32) -> Job {
    Job { number, succeeds_at }
}

fn clerk(log: &Log<(u64, u32)>) -> Child<Clerk> {
    let log = log.clone();
    child("clerk", move || Clerk(log.clone())).backoff(Backoff::none()).intensity(u32::MAX, 3600 * SECOND)
}

/// Runs jobs that are all queued before the first one begins.
async fn queued(t: &TestSystem, clerk: &ActorRef<Clerk>, jobs: &[Job]) {
    let (hold, mut held) = hold();
    clerk.tell(hold).await.expect("there is room");
    held.began().await;
    for job in jobs {
        clerk.tell(job.clone()).await.expect("there is room");
    }
    held.let_go();
    t.settle().await;
}

#[test]
fn it_runs_again_before_the_rest_of_its_lane_and_counts_its_attempts() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let clerk = t.spawn(clerk(&log));
        queued(t, &clerk, &[job(1, 1), job(2, 3), job(3, 2), job(4, 1)]).await;
        assert_eq!(log.read(), [(1, 1), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (4, 1)]);
        let counts = counts(t.system(), "clerk");
        assert_eq!((counts.sent, counts.handled, counts.quarantined), (5, 5, 0), "{counts:?}");
        assert!(counts.adds_up(), "{counts:?}");
        t.shutdown().await;
    });
}

#[test]
fn its_asker_waits_for_the_last_attempt() {
    TestSystem::run(async |t| {
        let clerk = t.spawn(clerk(&Log::default()).backoff(Backoff::fixed(SECOND)));
        assert_eq!(clerk.ask(job(1, 3)).await.unwrap(), 3);
        let began = t.now();
        let Err(AskError::Faulted(incident)) = clerk.ask(job(2, 9)).await else { panic!("it never succeeds") };
        assert_eq!(incident.text(), "not yet");
        assert!((2.0..2.1).contains(&(t.now() - began).as_secs_f64()), "two back-offs: {:?}", t.now() - began);
        t.shutdown().await;
    });
}

#[test]
fn after_its_attempts_it_is_in_quarantine_and_can_be_shown() {
    for attempts in [1, 2, 3] {
        TestSystem::run(async |t| {
            let log = Log::default();
            let clerk = t.spawn(clerk(&log).attempts(attempts));
            queued(t, &clerk, &[job(1, 9), job(2, 1)]).await;
            let tried = (1..=attempts).map(|attempt| (1, attempt)).chain([(2, 1)]).collect::<Vec<_>>();
            assert_eq!(log.read(), tried);
            let [record] = &t.system().quarantine().list()[..] else { panic!("one message failed for good") };
            assert!(record.message.ends_with("::Job") && record.is_kept);
            assert_eq!((record.attempts, record.priority), (attempts, Priority::Normal));
            assert_eq!((record.incident.text(), record.incident.actor()), ("not yet", "clerk"));
            let counts = counts(t.system(), "clerk");
            assert!(counts.adds_up() && counts.quarantined == 1, "{counts:?}");
            t.shutdown().await;
        });
    }
}

#[test]
fn by_default_it_is_tried_three_times() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let clerk = t.spawn(clerk(&log));
        assert!(clerk.ask(job(1, 9)).await.is_err());
        assert_eq!(log.read(), [(1, 1), (1, 2), (1, 3)]);
        t.shutdown().await;
    });
}

#[test]
fn of_other_messages_the_record_remains() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let clerk = t.spawn(clerk(&log));
        clerk.tell(Once(1)).await.unwrap();
        t.settle().await;
        assert_eq!(log.read(), [(1, 1)]);
        let [record] = &t.system().quarantine().list()[..] else { panic!("one message failed") };
        assert!(record.message.ends_with("::Once") && !record.is_kept);
        assert_eq!((record.attempts, record.priority), (1, Priority::Low));
        assert_eq!(t.system().quarantine().retry(record.id), Err(RetryError::NotKept));
        assert!(t.system().quarantine().discard(record.id));
        assert_eq!(t.system().quarantine().retry(record.id), Err(RetryError::Unknown));
        t.shutdown().await;
    });
}

#[test]
fn a_quarantined_message_can_be_tried_anew_with_all_its_attempts() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let clerk = t.spawn(clerk(&log).attempts(2));
        queued(t, &clerk, &[job(1, 9)]).await;
        let quarantine = t.system().quarantine();
        let id = quarantine.list()[0].id;
        quarantine.retry(id).unwrap();
        assert_eq!(quarantine.retry(id), Err(RetryError::Unknown), "it is on its way");
        t.settle().await;
        assert_eq!(log.read(), [(1, 1), (1, 2), (1, 1), (1, 2)]);
        assert_eq!((quarantine.list().len(), quarantine.total()), (1, 2), "and is back");
        assert!(counts(t.system(), "clerk").adds_up());
        t.shutdown().await;
    });
}

#[test]
fn a_quarantined_message_can_be_dropped_for_good() {
    TestSystem::run(async |t| {
        let clerk = t.spawn(clerk(&Log::default()));
        queued(t, &clerk, &[job(1, 9), job(2, 9)]).await;
        let quarantine = t.system().quarantine();
        let id = quarantine.list()[0].id;
        assert!(quarantine.discard(id));
        assert!(!quarantine.discard(id));
        assert_eq!(quarantine.retry(id), Err(RetryError::Unknown));
        assert_eq!((quarantine.list().len(), quarantine.total()), (1, 2));
        t.shutdown().await;
    });
}

/// Its asker was answered long ago: that deadline does not concern the operator.
#[test]
fn an_ask_can_be_tried_anew_long_after_its_deadline() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let clerk = t.spawn(clerk(&log).attempts(1));
        assert!(clerk.ask(job(1, 9)).timeout(5 * SECOND).await.is_err());
        assert!(clerk.tell(job(2, 9)).ttl(5 * SECOND).await.is_ok());
        t.advance(3600 * SECOND).await;
        for record in t.system().quarantine().list() {
            t.system().quarantine().retry(record.id).unwrap();
        }
        t.settle().await;
        assert_eq!(log.read(), [(1, 1), (2, 1), (1, 1), (2, 1)]);
        assert_eq!(t.system().dead_letters().total(), 0);
        t.shutdown().await;
    });
}

#[test]
fn what_its_actor_does_not_take_stays_in_quarantine() {
    TestSystem::run(async |t| {
        let clerk = t.spawn(clerk(&Log::default()).attempts(1).bound(1).backoff(Backoff::fixed(SECOND)));
        for number in 0..2 {
            assert!(clerk.ask(job(number, 9)).await.is_err());
        }
        let quarantine = t.system().quarantine();
        let id = quarantine.list()[0].id;
        assert_eq!(clerk.state(), ActorState::BackingOff);
        assert_eq!(quarantine.retry(id), Err(RetryError::NotTaken), "it backs off");
        t.advance(2 * SECOND).await;
        let (hold, mut held) = hold();
        clerk.tell(hold).await.unwrap();
        held.began().await;
        clerk.tell(job(7, 1)).await.unwrap();
        assert_eq!(quarantine.retry(id), Err(RetryError::NotTaken), "it has no room");
        held.let_go();
        t.settle().await;
        clerk.stop();
        clerk.ended().await;
        assert_eq!(quarantine.retry(id), Err(RetryError::NotTaken), "it has ended");
        assert_eq!(quarantine.list().len(), 2);
        t.shutdown().await;
    });
}

/// Promise 17 for messages that come back to a mailbox that sheds.
#[test]
fn what_comes_back_to_a_full_mailbox_that_sheds_is_not_lost_in_silence() {
    for overflow in [Overflow::DropOldest, Overflow::DropNewest] {
        TestSystem::run(async |t| {
            let clerk = t.spawn(clerk(&Log::default()).attempts(1).bound(1).overflow(overflow));
            assert!(clerk.ask(job(1, 9)).await.is_err());
            let (hold, mut held) = hold();
            clerk.tell(hold).await.unwrap();
            held.began().await;
            clerk.tell(job(2, 1)).await.unwrap();
            let quarantine = t.system().quarantine();
            let retried = quarantine.retry(quarantine.list()[0].id);
            held.let_go();
            t.settle().await;
            let counts = counts(t.system(), "clerk");
            assert!(counts.adds_up(), "{overflow:?}: {counts:?}");
            let shed = t.system().dead_letters().counts().get(&DeadReason::Shed).copied().unwrap_or(0);
            assert_eq!(u64::from(retried.is_ok()), shed, "{overflow:?}: {retried:?} and {shed} shed");
            t.shutdown().await;
        });
    }
}

#[test]
fn a_turn_that_is_cut_short_has_used_its_attempt() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let clerk = t.spawn(clerk(&log).turn_limit(SECOND));
        let began = t.now();
        assert!(clerk.ask(Endless(1)).await.is_err());
        assert_eq!(log.read(), [(1, 1), (1, 2), (1, 3)]);
        assert!((3.0..3.1).contains(&(t.now() - began).as_secs_f64()));
        t.shutdown().await;
    });
}

#[test]
fn one_whose_actor_is_not_started_again_has_run_all_the_same_and_its_asker_hears_why() {
    TestSystem::run(async |t| {
        let clerk = t.spawn(clerk(&Log::default()).restart(Restart::Temporary));
        let answer = clerk.ask(job(1, 9)).await;
        assert!(matches!(&answer, Err(AskError::Faulted(incident)) if incident.text() == "not yet"), "{answer:?}");
        t.shutdown().await;
    });
}

#[test]
fn a_kept_message_that_is_killed_or_stopped_is_a_dead_letter() {
    TestSystem::run(async |t| {
        let endless = t.spawn(clerk(&Log::default()));
        let mut asked = pin!(endless.ask(Endless(1)).into_future());
        assert!(poll!(&mut asked).is_pending());
        t.settle().await;
        endless.kill();
        assert!(matches!(asked.await, Err(AskError::Stopped(None))));
        let waiting = t.spawn(clerk(&Log::default()).backoff(Backoff::fixed(60 * SECOND)));
        let mut asked = pin!(waiting.ask(job(1, 9)).into_future());
        assert!(poll!(&mut asked).is_pending());
        t.settle().await;
        assert_eq!(waiting.state(), ActorState::BackingOff, "between two attempts");
        waiting.stop();
        assert!(matches!(asked.await, Err(AskError::Stopped(None))));
        let reasons: Vec<_> = t.system().dead_letters().list().iter().map(|letter| letter.reason).collect();
        assert_eq!(reasons, [DeadReason::Killed, DeadReason::Stopped]);
        assert_eq!(t.system().quarantine().total(), 0);
        t.shutdown().await;
    });
}

#[test]
fn between_two_attempts_it_is_still_counted() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let clerk = t.spawn(clerk(&log).attempts(9).backoff(Backoff::fixed(60 * SECOND)));
        clerk.tell(job(1, 99)).ttl(90 * SECOND).await.unwrap();
        for _ in 0..20 {
            t.advance(10 * SECOND).await;
            let counts = counts(t.system(), "clerk");
            assert!(counts.adds_up(), "at {:?} with {:?}: {counts:?}", t.now(), log.read());
            assert_eq!(counts.sent, 1);
        }
        t.shutdown().await;
    });
}

/// It survives an open breaker, and is the probe.
#[test]
fn it_waits_out_an_open_breaker() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let clerk = t.spawn(clerk(&log).intensity(0, SECOND).reset(10 * SECOND));
        assert_eq!(clerk.ask(job(1, 2)).await.unwrap(), 2);
        assert!(t.now() > 9 * SECOND && clerk.state() == ActorState::Running);
        t.shutdown().await;
    });
}

#[test]
fn a_copy_that_panics_is_a_fault_like_any_other() {
    struct Fragile;
    impl Message for Fragile {
        type Reply = ();
        const KEEP: Option<fn(&mut Self) -> Self> = Some(|_| panic!("no copy of me"));
    }
    impl Drop for Fragile {
        fn drop(&mut self) {
            panic!("nor an end");
        }
    }
    impl SyncHandler<Fragile> for Clerk {
        fn handle(&mut self, _: Fragile, _: &mut Context<Self>) -> Result<(), Fault> {
            Ok(())
        }
    }
    TestSystem::run(async |t| {
        let clerk = t.spawn(clerk(&Log::default()));
        let Err(AskError::Faulted(incident)) = clerk.ask(Fragile).await else { panic!("it cannot be copied") };
        assert_eq!(incident.text(), "no copy of me");
        assert!(!t.system().quarantine().list()[0].is_kept);
        assert!(counts(t.system(), "clerk").adds_up());
        t.shutdown().await;
    });
}

#[test]
fn quarantine_is_a_ring_that_counts_what_fell_out() {
    let mut defaults = Defaults::default();
    defaults.quarantine = 2;
    TestSystem::run_with(System::builder().defaults(defaults), async |t| {
        let clerk = t.spawn(clerk(&Log::default()).attempts(1));
        queued(t, &clerk, &[job(1, 9), job(2, 9), job(3, 9)]).await;
        let quarantine = t.system().quarantine();
        assert_eq!((quarantine.list().len(), quarantine.total(), t.inspect().quarantined), (2, 3, 3));
        t.shutdown().await;
    });
}
