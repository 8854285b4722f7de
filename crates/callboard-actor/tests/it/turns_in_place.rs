//! Promises 5, 6 and 17, where turns are executed in place: a future that panics, is dropped or is cancelled at any await
//! leaves neither a leak nor a second drop behind, and neither does any message or reply, of whatever size, on whatever way.

use std::future::Future;
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::task::{Context as Task, Poll};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, ActorState, AskError, Backoff, Context, Drain, Fault, Handler, Message, Overflow, System,
    block_on, child,
};
use tokio::sync::{Notify, Semaphore};

/// Counts what is alive. A drop too many makes it negative, a leak leaves it positive.
#[derive(Clone, Debug, Default)]
struct Census(Arc<AtomicI64>);

impl Census {
    fn birth(&self) -> Alive {
        self.0.fetch_add(1, Ordering::SeqCst);
        Alive { census: self.clone(), canary: Box::new(0xfeed) }
    }

    fn count(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Something that is alive; on the heap, so that a sanitizer sees a second drop.
#[derive(Debug)]
struct Alive {
    census: Census,
    canary: Box<u32>,
}

impl Clone for Alive {
    fn clone(&self) -> Self {
        self.census.birth()
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        assert_eq!(*self.canary, 0xfeed);
        self.census.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What a turn does at its n-th step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Nothing,
    Panic(u32),
    Fail(u32),
    Stall(u32),
}

/// A worker whose turns borrow from themselves, from the value and from the context across awaits.
struct Worker {
    census: Census,
    _mine: Alive,
    text: String,
    go: Arc<Semaphore>,
}

impl Actor for Worker {}

fn worker(census: &Census, go: &Arc<Semaphore>) -> impl Fn() -> Worker + Send + Sync + 'static {
    let (census, go) = (census.clone(), Arc::clone(go));
    move || Worker { census: census.clone(), _mine: census.birth(), text: "value".to_owned(), go: Arc::clone(&go) }
}

impl Worker {
    /// Three awaits, each with borrows of a local, of the value and of the context alive.
    async fn work(&mut self, at: At, cx: &mut Context<Self>) -> Result<usize, Fault> {
        let guard = self.census.birth();
        let local = [self.text.clone(), format!("{:?}", guard.canary)];
        let (first, text, go) = (&local[0], &mut self.text, &self.go);
        let mut length = 0;
        for step in 1..=3 {
            match at {
                At::Panic(n) if n == step => panic!("at step {step}"),
                At::Fail(n) if n == step => return Err(Fault::permanent("at a step")),
                At::Stall(n) if n == step => std::future::pending().await,
                At::Nothing | At::Panic(_) | At::Fail(_) | At::Stall(_) => {}
            }
            let borrowed: &str = &first[..step as usize];
            tokio::task::yield_now().await;
            let permit = go.acquire().await?;
            length += borrowed.len() + cx.generation().min(1) as usize;
            text.push_str(&borrowed[..1]);
            drop(permit);
        }
        Ok(length)
    }
}

macro_rules! message {
    ($(#[$attr:meta])* $name:ident, $padding:ty $(, keep = $keep:expr)?) => {
        $(#[$attr])*
        #[derive(Clone)]
        struct $name {
            at: At,
            alive: Alive,
            padding: $padding,
        }

        impl Message for $name {
            type Reply = Alive;
            $(const KEEP: Option<fn(&mut Self) -> Self> = $keep;)?
        }

        impl Handler<$name> for Worker {
            async fn handle(&mut self, message: $name, cx: &mut Context<Self>) -> Result<Alive, Fault> {
                let before = (&raw const message.padding).addr();
                assert_eq!(before % align_of::<$padding>(), 0);
                self.work(message.at, cx).await?;
                assert!(message.padding == <$padding>::default());
                Ok(message.alive)
            }
        }

        impl Sized4 for $name {
            fn make(at: At, census: &Census) -> Self {
                Self { at, alive: census.birth(), padding: <$padding>::default() }
            }
        }
    };
}

/// A message that the stories make in one of its sizes.
trait Sized4: Message<Reply = Alive> {
    fn make(at: At, census: &Census) -> Self;
}

#[derive(Clone, Copy, Default, PartialEq)]
#[repr(align(64))]
struct Wide([u64; 8]);

#[derive(Clone, Copy, Default, PartialEq)]
struct Long([[u64; 16]; 8]);

message!(/** In the slot of the envelope. */ Small, ());
message!(/** In a box, as it is too long. */ Big, Long);
message!(/** In a box, as its alignment is that of a cache line. */ Aligned, Wide);
message!(/** Run again after a fault. */ Kept, (), keep = Some(|message| message.clone()));

/// No bytes at all.
struct Zero;

impl Message for Zero {
    type Reply = ();
}

impl Handler<Zero> for Worker {
    async fn handle(&mut self, _: Zero, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.work(At::Nothing, cx).await.map(drop)
    }
}

/// Everything but the value of the actor is gone.
fn only_the_value_lives(census: &Census) {
    assert_eq!(census.count(), 1, "a leak, or a drop too many");
}

async fn settle(t: &TestSystem) {
    t.settle().await;
    t.settle().await;
}

/// One size of message on all its ways.
async fn ways<M: Sized4>(t: &TestSystem, attempts: u32)
where
    Worker: Handler<M>,
{
    for at in [At::Nothing, At::Panic(1), At::Panic(2), At::Panic(3), At::Fail(1), At::Fail(2), At::Fail(3)] {
        let (census, go) = (Census::default(), Arc::new(Semaphore::new(1)));
        let child =
            child("worker", worker(&census, &go)).backoff(Backoff::none()).intensity(1000, Duration::from_secs(1));
        let actor = t.spawn(child.attempts(attempts));
        let answer = actor.ask(M::make(at, &census)).await;
        assert_eq!(answer.is_ok(), at == At::Nothing, "{at:?}");
        drop(answer);
        actor.tell(M::make(at, &census)).await.expect("it runs");
        settle(t).await;
        for kept in t.system().quarantine().list() {
            assert!(t.system().quarantine().discard(kept.id));
        }
        only_the_value_lives(&census);
        actor.stop();
        actor.ended().await;
        assert_eq!(census.count(), 0);
    }
}

#[test]
fn a_turn_that_ends_at_any_step_leaves_nothing_behind() {
    TestSystem::run(async |t| {
        ways::<Small>(t, 1).await;
        ways::<Big>(t, 1).await;
        ways::<Aligned>(t, 1).await;
        ways::<Kept>(t, 3).await;
        t.shutdown().await;
    });
}

#[test]
fn a_message_of_no_bytes_is_a_message() {
    TestSystem::run(async |t| {
        let (census, go) = (Census::default(), Arc::new(Semaphore::new(1)));
        let actor = t.spawn(worker(&census, &go));
        actor.ask(Zero).await.unwrap();
        actor.tell(Zero).await.unwrap();
        actor.ask(Zero).await.unwrap();
        only_the_value_lives(&census);
        t.shutdown().await;
        assert_eq!(census.count(), 0);
    });
}

/// Kills an actor in the middle of a turn, with messages behind it, at each await.
async fn killed<M: Sized4>(t: &TestSystem)
where
    Worker: Handler<M>,
{
    for step in 1..=3 {
        let (census, go) = (Census::default(), Arc::new(Semaphore::new(1)));
        let actor = t.spawn(worker(&census, &go));
        let asked = actor.clone();
        let message = M::make(At::Stall(step), &census);
        let asker = tokio::task::spawn_local(async move { asked.ask(message).await });
        settle(t).await;
        for _ in 0..3 {
            actor.tell(M::make(At::Nothing, &census)).await.unwrap();
        }
        actor.kill();
        assert!(matches!(asker.await.unwrap(), Err(AskError::Stopped(None))));
        actor.ended().await;
        assert_eq!(census.count(), 0, "killed at step {step}");
    }
}

#[test]
fn a_kill_at_any_await_drops_the_turn_once() {
    TestSystem::run(async |t| {
        killed::<Small>(t).await;
        killed::<Big>(t).await;
        killed::<Aligned>(t).await;
        killed::<Kept>(t).await;
        t.shutdown().await;
    });
}

#[test]
fn a_turn_that_is_cut_short_is_dropped_once() {
    TestSystem::run(async |t| {
        for step in 1..=3 {
            let (census, go) = (Census::default(), Arc::new(Semaphore::new(1)));
            let actor = t.spawn(child("worker", worker(&census, &go)).turn_limit(Duration::from_secs(1)));
            let answer = actor.ask(Aligned::make(At::Stall(step), &census)).await;
            assert!(matches!(answer, Err(AskError::Faulted(_))));
            drop(answer);
            settle(t).await;
            only_the_value_lives(&census);
        }
        t.shutdown().await;
    });
}

#[test]
fn an_asker_that_goes_away_at_any_moment_costs_nothing() {
    TestSystem::run(async |t| {
        let (census, go) = (Census::default(), Arc::new(Semaphore::new(0)));
        let actor = t.spawn(worker(&census, &go));
        // One asker whose turn is running, and one whose message is queued.
        for _ in 0..2 {
            let gone = tokio::time::timeout(Duration::from_millis(1), actor.ask(Big::make(At::Nothing, &census))).await;
            assert!(gone.is_err());
        }
        go.add_permits(1);
        actor.ask(Zero).await.unwrap();
        only_the_value_lives(&census);
        t.shutdown().await;
        assert_eq!(census.count(), 0);
    });
}

#[test]
fn messages_that_reach_nobody_are_dropped_once() {
    TestSystem::run(async |t| {
        for overflow in [Overflow::Reject, Overflow::DropOldest, Overflow::DropNewest] {
            let (census, go) = (Census::default(), Arc::new(Semaphore::new(0)));
            let actor = t.spawn(child("worker", worker(&census, &go)).bound(2).overflow(overflow));
            actor.tell(Small::make(At::Nothing, &census)).await.unwrap();
            settle(t).await;
            for _ in 0..4 {
                drop(actor.try_tell(Big::make(At::Nothing, &census)));
                drop(actor.try_tell(Small::make(At::Nothing, &census)));
            }
            go.add_permits(1);
            settle(t).await;
            only_the_value_lives(&census);
        }
        t.shutdown().await;
    });
}

#[test]
fn messages_that_expire_or_are_refused_are_dropped_once() {
    TestSystem::run(async |t| {
        let (census, go) = (Census::default(), Arc::new(Semaphore::new(0)));
        let actor = t.spawn(worker(&census, &go));
        actor.tell(Small::make(At::Nothing, &census)).await.unwrap();
        settle(t).await;
        actor.tell(Aligned::make(At::Nothing, &census)).ttl(Duration::from_millis(5)).await.unwrap();
        let late = actor.ask(Big::make(At::Nothing, &census)).timeout(Duration::from_millis(5)).await;
        assert!(matches!(late, Err(AskError::Timeout { .. })));
        drop(late);
        go.add_permits(1);
        settle(t).await;
        only_the_value_lives(&census);
        actor.stop();
        actor.ended().await;
        let refused = actor.ask(Kept::make(At::Nothing, &census)).await.unwrap_err();
        assert_eq!(census.count(), 1, "it is handed back");
        drop(refused.into_message());
        assert_eq!(census.count(), 0);
        t.shutdown().await;
    });
}

#[test]
fn a_sender_that_waits_for_room_and_goes_takes_its_message_along() {
    TestSystem::run(async |t| {
        let (census, go) = (Census::default(), Arc::new(Semaphore::new(0)));
        let actor = t.spawn(child("worker", worker(&census, &go)).bound(1));
        actor.tell(Small::make(At::Nothing, &census)).await.unwrap();
        settle(t).await;
        actor.tell(Small::make(At::Nothing, &census)).await.unwrap();
        let waits =
            tokio::time::timeout(Duration::from_millis(1), actor.tell(Big::make(At::Nothing, &census)).into_future());
        assert!(waits.await.is_err());
        go.add_permits(1);
        settle(t).await;
        only_the_value_lives(&census);
        t.shutdown().await;
        assert_eq!(census.count(), 0);
    });
}

#[test]
fn a_thousand_restarts_leave_one_value() {
    TestSystem::run(async |t| {
        let (census, go) = (Census::default(), Arc::new(Semaphore::new(1)));
        let policy = child("worker", worker(&census, &go)).backoff(Backoff::none());
        let actor = t.spawn(policy.intensity(10_000, Duration::from_secs(1)));
        for turn in 0..1000 {
            let at = At::Panic(1 + turn % 3);
            match turn % 3 {
                0 => assert!(actor.ask(Small::make(at, &census)).await.is_err()),
                1 => assert!(actor.ask(Big::make(at, &census)).await.is_err()),
                _ => assert!(actor.ask(Aligned::make(at, &census)).await.is_err()),
            }
        }
        assert!(actor.ask(Small::make(At::Nothing, &census)).await.is_ok());
        only_the_value_lives(&census);
        t.shutdown().await;
        assert_eq!(census.count(), 0);
    });
}

/// An actor whose futures are written by hand.
struct Odd(Arc<Oddities>);

#[derive(Default)]
struct Oddities {
    notify: Notify,
    census: Census,
    dropped: AtomicUsize,
}

impl Actor for Odd {}

/// A panic while something that was pinned is still registered elsewhere; the payload panics when it is dropped.
#[derive(Message)]
struct PanicBesideNotified;

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the payload panics too");
    }
}

impl Handler<PanicBesideNotified> for Odd {
    fn handle(&mut self, _: PanicBesideNotified, _: &mut Context<Self>) -> impl Future<Output = Result<(), Fault>> {
        let shared = &self.0;
        let waits = shared.notify.notified();
        // Not an `async` block of its own, which would drop the neighbour while it unwinds.
        let mut both = Box::pin(waits);
        let inline = shared.notify.notified();
        Beside {
            inline,
            explode: move |task: &mut Task<'_>| {
                let _ = both.as_mut().poll(task);
                panic_any(Bomb)
            },
        }
    }
}

struct Beside<N, E> {
    inline: N,
    explode: E,
}

impl<N: Future<Output = ()>, E: FnMut(&mut Task<'_>) + Unpin> Future for Beside<N, E> {
    type Output = Result<(), Fault>;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        // SAFETY: `inline` is pinned with this, and `explode` is `Unpin`.
        #[allow(unsafe_code)]
        let (inline, explode) = unsafe {
            let this = self.get_unchecked_mut();
            (Pin::new_unchecked(&mut this.inline), &mut this.explode)
        };
        assert!(inline.poll(task).is_pending());
        explode(task);
        Poll::Pending
    }
}

fn odd(t: &TestSystem, shared: &Arc<Oddities>) -> ActorRef<Odd> {
    let shared = Arc::clone(shared);
    let make = move || Odd(Arc::clone(&shared));
    t.spawn(child("odd", make).backoff(Backoff::none()).intensity(1000, Duration::from_secs(1)))
}

/// What was pinned is dropped before its memory goes, else the next notification writes into what is no longer there.
#[test]
fn a_pinned_neighbour_is_dropped_even_when_the_payload_of_a_panic_panics() {
    TestSystem::run(async |t| {
        let shared = Arc::new(Oddities::default());
        let actor = odd(t, &shared);
        for _ in 0..3 {
            assert!(matches!(actor.ask(PanicBesideNotified).await, Err(AskError::Faulted(_))));
            shared.notify.notify_waiters();
        }
        assert_eq!(actor.state(), ActorState::Running);
        t.shutdown().await;
        shared.notify.notify_waiters();
    });
}

/// A future that panics when it is dropped: once it has ended, or where it stands.
#[derive(Message)]
struct PanicInDrop {
    ends: bool,
}

struct Fragile<'a> {
    ends: bool,
    waited: bool,
    alive: Option<Alive>,
    shared: &'a Oddities,
}

impl Future for Fragile<'_> {
    type Output = Result<(), Fault>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        if self.ends && std::mem::replace(&mut self.waited, true) {
            return Poll::Ready(Ok(()));
        }
        if self.ends {
            task.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Fragile<'_> {
    fn drop(&mut self) {
        drop(self.alive.take());
        self.shared.dropped.fetch_add(1, Ordering::SeqCst);
        panic!("a future that cannot be dropped");
    }
}

impl Handler<PanicInDrop> for Odd {
    fn handle(&mut self, message: PanicInDrop, _: &mut Context<Self>) -> impl Future<Output = Result<(), Fault>> {
        Fragile { ends: message.ends, waited: false, alive: Some(self.0.census.birth()), shared: &self.0 }
    }
}

#[test]
fn a_future_that_panics_when_it_is_dropped_is_dropped_once() {
    TestSystem::run(async |t| {
        let shared = Arc::new(Oddities::default());
        let actor = odd(t, &shared);
        let answer = actor.ask(PanicInDrop { ends: true }).await;
        assert!(matches!(answer, Err(AskError::Faulted(_))), "{answer:?}");
        assert_eq!((shared.dropped.load(Ordering::SeqCst), shared.census.count()), (1, 0));
        let asked = actor.clone();
        let asker = tokio::task::spawn_local(async move { asked.ask(PanicInDrop { ends: false }).await });
        t.settle().await;
        actor.kill();
        assert!(asker.await.unwrap().is_err());
        actor.ended().await;
        assert_eq!((shared.dropped.load(Ordering::SeqCst), shared.census.count()), (2, 0));
        t.shutdown().await;
    });
}

/// An answer that panics when it is dropped, as nobody is left to take it.
#[derive(Message)]
#[message(reply = Shrapnel)]
struct AnswerWithABomb(Arc<Semaphore>);

struct Shrapnel(#[allow(dead_code)] Alive);

impl Drop for Shrapnel {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("an answer that cannot be dropped");
        }
    }
}

impl Handler<AnswerWithABomb> for Odd {
    async fn handle(&mut self, message: AnswerWithABomb, _: &mut Context<Self>) -> Result<Shrapnel, Fault> {
        let guard = self.0.census.birth();
        let answer = Shrapnel(self.0.census.birth());
        let _permit = message.0.acquire().await?;
        drop(guard);
        Ok(answer)
    }
}

/// The future of a turn that waited is gone by then: whatever becomes of the actor, it is not dropped a second time.
#[test]
fn an_answer_that_panics_when_it_is_dropped_does_not_drop_the_turn_twice() {
    TestSystem::run(async |t| {
        let shared = Arc::new(Oddities::default());
        let actor = odd(t, &shared);
        let go = Arc::new(Semaphore::new(0));
        let gone =
            tokio::time::timeout(Duration::from_millis(1), actor.ask(AnswerWithABomb(Arc::clone(&go))).into_future());
        assert!(gone.await.is_err());
        go.add_permits(1);
        settle(t).await;
        assert_eq!(shared.census.count(), 0);
        t.shutdown().await;
    });
}

/// Far senders flood an actor that panics now and then; whatever becomes of each message, all are gone in the end.
#[test]
fn a_flood_from_other_threads_leaves_nothing_behind() {
    let census = Census::default();
    block_on(async {
        let system = System::builder().workers(2).start().await.unwrap();
        let go = Arc::new(Semaphore::new(1));
        let policy = child("worker", worker(&census, &go)).pinned(0).bound(64).backoff(Backoff::none());
        let actor = system.spawn(policy.intensity(100_000, Duration::from_secs(1)));
        let senders: Vec<_> = (0..3).map(|sender| flood(actor.clone(), census.clone(), sender)).collect();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        actor.kill();
        actor.ended().await;
        system.shutdown(Drain::default()).await;
        for kept in system.quarantine().list() {
            assert!(system.quarantine().discard(kept.id));
        }
    });
    assert_eq!(census.count(), 0);
}

fn flood(actor: ActorRef<Worker>, census: Census, sender: u32) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        block_on(async {
            for number in 0..100 {
                let at = if number % 10 == 3 { At::Panic(1 + sender % 3) } else { At::Nothing };
                match number % 4 {
                    0 => drop(actor.tell(Small::make(at, &census)).await),
                    1 => drop(actor.tell(Big::make(at, &census)).await),
                    2 => drop(actor.ask(Aligned::make(at, &census)).await),
                    _ => drop(actor.try_tell(Kept::make(at, &census))),
                }
            }
        });
    })
}
