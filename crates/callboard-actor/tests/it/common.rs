//! Small actors and helpers that several stories use.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, ActorRef, Context, Fault, Handler, Message, MessageCounts, SyncHandler, System, child};
use tokio::sync::oneshot;

/// What an actor writes down for the test to read; shared by all its values.
#[derive(Clone, Debug)]
pub(crate) struct Log<T = u64>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Log<T> {
    pub(crate) fn write(&self, entry: T) {
        self.entries().push(entry);
    }

    pub(crate) fn read(&self) -> Vec<T> {
        self.entries().clone()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What nobody has written down, or received.
pub(crate) const NOTHING: [u64; 0] = [];

/// Writes down the numbers it is told, and its turns can be held.
pub(crate) struct Desk(Log);

impl Actor for Desk {}

/// The factory of a desk that writes into `log`.
pub(crate) fn desk(log: &Log) -> impl Fn() -> Desk + Send + Sync + 'static {
    let log = log.clone();
    move || Desk(log.clone())
}

/// Is written down, and is the answer.
#[derive(Clone, Copy, Debug, Message, PartialEq, Eq)]
#[message(reply = u64)]
pub(crate) struct Note(pub(crate) u64);

impl SyncHandler<Note> for Desk {
    fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<u64, Fault> {
        self.0.write(note.0);
        Ok(note.0)
    }
}

/// A turn that lasts until the test lets go.
#[derive(Message)]
pub(crate) struct Hold {
    began: oneshot::Sender<()>,
    go: oneshot::Receiver<()>,
}

/// The test's end of a [`Hold`].
pub(crate) struct Held {
    began: oneshot::Receiver<()>,
    go: oneshot::Sender<()>,
}

pub(crate) fn hold() -> (Hold, Held) {
    let (tell_began, began) = oneshot::channel();
    let (go, told_go) = oneshot::channel();
    (Hold { began: tell_began, go: told_go }, Held { began, go })
}

impl Hold {
    /// What the turn does: says that it has begun, and waits.
    pub(crate) async fn run(self) {
        let _ = self.began.send(());
        let _ = self.go.await;
    }
}

impl Held {
    /// Waits until the turn has begun.
    pub(crate) async fn began(&mut self) {
        (&mut self.began).await.expect("the held turn begins");
    }

    /// Lets the turn end; nothing happens when it was dropped meanwhile.
    pub(crate) fn let_go(self) {
        let _ = self.go.send(());
    }
}

impl Handler<Hold> for Desk {
    async fn handle(&mut self, hold: Hold, _: &mut Context<Self>) -> Result<(), Fault> {
        hold.run().await;
        Ok(())
    }
}

/// A turn that panics.
#[derive(Message)]
pub(crate) struct Boom;

impl SyncHandler<Boom> for Desk {
    fn handle(&mut self, _: Boom, _: &mut Context<Self>) -> Result<(), Fault> {
        panic!("boom")
    }
}

/// What happened to the messages of the actor with this name.
pub(crate) fn counts(system: &System, name: &str) -> MessageCounts {
    system.inspect().actor(name).expect("the actor is there").messages
}

/// A waker that counts how often it was used.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The `n`-th number of a seed ("SplitMix"): the same in every run.
pub(crate) fn draw(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add((n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A desk that was given nothing but a name, in the middle of a turn.
pub(crate) async fn busy(t: &TestSystem, log: &Log) -> (ActorRef<Desk>, Held) {
    let desk = t.spawn(child("desk", desk(log)));
    let (hold, mut held) = hold();
    desk.tell(hold).await.expect("there is room");
    held.began().await;
    (desk, held)
}
