//! An observer is told of every message that fails, with what is left of it, and of every breaker that changes.

use std::any::Any;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, Backoff, BreakerChange, BreakerState, Context, DeadLetter, DeadReason, Fault, Message, MessageId, Observer,
    Overflow, Quarantined, SyncHandler, System, child,
};

use crate::common::{Hold, Log, desk, hold};

const SECOND: Duration = Duration::from_secs(1);

/// A job that fails until it was put back, and shows its number alone.
#[derive(Clone)]
struct Job(u64);

impl Message for Job {
    type Reply = ();
    const KEEP: Option<fn(&mut Self) -> Self> = Some(|message| message.clone());
    const CONTENT: Option<fn(&Self) -> &dyn Any> = Some(|job| &job.0);
}

struct Clerk(Log<Option<MessageId>>);

impl Actor for Clerk {}

impl SyncHandler<Job> for Clerk {
    fn handle(&mut self, _: Job, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.0.write(cx.redelivered_from());
        Err(Fault::permanent("it always fails"))
    }
}

/// Writes down what it is told.
#[derive(Default)]
struct Book {
    buried: Mutex<Vec<(DeadReason, bool, bool)>>,
    quarantined: Mutex<Vec<(MessageId, Option<u64>, u32, bool)>>,
    left: Mutex<Vec<(&'static str, MessageId)>>,
    changes: Mutex<Vec<BreakerChange>>,
}

impl Observer for Book {
    fn buried(&self, _: &System, letter: &DeadLetter, content: Option<&dyn Any>) {
        self.buried.lock().unwrap().push((letter.reason, content.is_some(), letter.is_awaited));
    }

    fn quarantined(&self, _: &System, record: &Quarantined, content: Option<&dyn Any>) {
        let number = content.and_then(|content| content.downcast_ref()).copied();
        self.quarantined.lock().unwrap().push((record.id, number, record.attempts, record.is_awaited));
    }

    fn put_back(&self, id: MessageId) {
        self.left.lock().unwrap().push(("put back", id));
    }

    fn discarded(&self, id: MessageId) {
        self.left.lock().unwrap().push(("discarded", id));
    }

    fn breaker_changed(&self, _: &System, change: &BreakerChange) {
        self.changes.lock().unwrap().push(change.clone());
    }
}

fn observed(t: &TestSystem) -> Arc<Book> {
    let book = Arc::<Book>::default();
    t.system().observe(Arc::clone(&book) as _);
    book
}

/// Put back it comes again under the same id, and its turn knows.
#[test]
fn what_is_put_back_and_fails_again_is_the_same_case() {
    TestSystem::run(async |t| {
        let (book, log) = (observed(t), Log::default());
        let shared = log.clone();
        let clerk = t.spawn(child("clerk", move || Clerk(shared.clone())).backoff(Backoff::none()).attempts(2));
        clerk.tell(Job(7)).await.unwrap();
        t.settle().await;
        let [first] = book.quarantined.lock().unwrap()[..] else { panic!("it failed once") };
        assert_eq!((first.1, first.2, first.3), (Some(7), 2, false));
        t.system().quarantine().retry(first.0).unwrap();
        t.settle().await;
        assert_eq!(*book.quarantined.lock().unwrap(), [first, first]);
        assert_eq!(log.read(), [None, None, Some(first.0), Some(first.0)]);
        clerk.ask(Job(8)).await.unwrap_err();
        assert_eq!(log.read()[4..], [None, None], "another message");
        let awaited = book.quarantined.lock().unwrap()[2];
        assert_eq!((awaited.1, awaited.3), (Some(8), true));
        assert!(t.system().quarantine().discard(awaited.0));
        assert_eq!(*book.left.lock().unwrap(), [("put back", first.0), ("discarded", awaited.0)]);
        t.shutdown().await;
    });
}

/// Of each loss it is told whether somebody knows of it already.
#[test]
fn what_is_lost_is_shown_with_what_is_left_of_it() {
    TestSystem::run(async |t| {
        let book = observed(t);
        let narrow = child("desk", desk(&Log::default())).bound(2).overflow(Overflow::DropOldest);
        let desk = t.spawn(narrow);
        let (first, mut held) = hold();
        desk.tell(first).await.unwrap();
        held.began().await;
        let (old, late, left) = (hold().0, hold().0, hold().0);
        desk.tell(old).await.unwrap();
        desk.tell(late).ttl(SECOND).await.unwrap();
        desk.tell(left).await.unwrap();
        t.advance(2 * SECOND).await;
        let asked = desk.clone();
        let waits = t.system().run_on(0, move || async move { asked.ask::<Hold>(hold().0).await.is_err() });
        let waits = futures::future::join(waits, async {
            t.settle().await;
            desk.kill();
            t.settle().await;
        });
        assert!(waits.await.0);
        let buried = book.buried.lock().unwrap().clone();
        let shed = (DeadReason::Shed, true, false);
        assert_eq!(buried[..2], [shed, shed], "{buried:?}");
        assert_eq!(buried[2], (DeadReason::Killed, false, false), "what runs is not there any more");
        let last = [(DeadReason::Stopped, true, false), (DeadReason::Stopped, true, true)];
        assert_eq!(buried[3..], last, "{buried:?}");
        t.shutdown().await;
    });
}

#[test]
fn every_change_of_a_breaker_is_told() {
    TestSystem::run(async |t| {
        let book = observed(t);
        let clerk = child("clerk", || Clerk(Log::default())).backoff(Backoff::none()).intensity(0, SECOND).attempts(1);
        let clerk = t.spawn(clerk);
        clerk.tell(Job(1)).await.unwrap();
        t.settle().await;
        clerk.breaker().disable();
        t.settle().await;
        clerk.breaker().automatic();
        t.settle().await;
        let changes = book.changes.lock().unwrap().clone();
        let states: Vec<_> = changes.iter().map(|change| (change.from, change.to)).collect();
        assert_eq!(
            states,
            [
                (BreakerState::Closed, BreakerState::Open),
                (BreakerState::Open, BreakerState::Disabled),
                (BreakerState::Disabled, BreakerState::Closed)
            ]
        );
        assert_eq!((changes[0].actor.as_str(), changes[0].actor_id), ("clerk", clerk.id()));
        assert!(changes[0].retry_after.is_some() && changes[1].retry_after.is_none());
        t.shutdown().await;
    });
}
