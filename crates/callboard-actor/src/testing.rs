//! Testing actors on virtual time: [`TestSystem`], [`Probe`], and fault injection.
//!
//! A test system runs on the calling thread alone. Its clock moves only when nothing else can: an hour of timers takes
//! milliseconds, and the same test takes the same steps each time.
//!
//! ```
//! # use callboard_actor as callboard;
//! use std::time::Duration;
//! use callboard::testing::TestSystem;
//! # use callboard::{Actor, Context, Fault, Handler, Message};
//! # struct Tick; impl Message for Tick { type Reply = u32; }
//! # #[derive(Default)] struct Clock(u32);
//! # impl Actor for Clock {
//! #     async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
//! #         cx.send_every(Duration::from_secs(1), || Tick); Ok(())
//! #     }
//! # }
//! # impl Handler<Tick> for Clock {
//! #     async fn handle(&mut self, _: Tick, _: &mut Context<Self>) -> Result<u32, Fault> { self.0 += 1; Ok(self.0) }
//! # }
//!
//! TestSystem::run(async |t| {
//!     let clock = t.spawn(Clock::default);            // sends itself a `Tick` every second
//!     t.advance(Duration::from_secs(3600)).await;
//!     t.settle().await;                            // and lets what falls due at the last moment happen
//!     assert_eq!(clock.ask(Tick).await.unwrap(), 3601);
//!     t.shutdown().await;
//! });
//! ```

mod injection;
mod probe;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::injection::Injection;
pub use self::probe::Probe;
use crate::actor::Actor;
use crate::actor_ref::ActorRef;
use crate::child::IntoChild;
use crate::clock::Clock;
use crate::host::{Arbiter, paused};
use crate::inspect::Snapshot;
use crate::message::Message;
use crate::shutdown::{Drain, ShutdownReport};
use crate::system::{System, SystemBuilder, start_all};

/// A system on virtual time, for the length of one test.
pub struct TestSystem {
    system: System,
}

impl TestSystem {
    /// Runs a test in a system with all defaults.
    ///
    /// # Panics
    ///
    /// If the test panics, or leaves actors running: [`shutdown`](Self::shutdown) ends them all.
    pub fn run<T>(test: impl AsyncFnOnce(&Self) -> T) -> T {
        Self::run_with(System::builder(), test)
    }

    /// Runs a test in a system with these settings; the number of workers is always one.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run), and if the settings cannot work.
    pub fn run_with<T>(builder: SystemBuilder, test: impl AsyncFnOnce(&Self) -> T) -> T {
        paused::block_on(async {
            let this = Self { system: start_here(builder).await };
            let result = test(&this).await;
            this.check_leftovers();
            result
        })
    }

    /// The system, for everything that is not special to tests.
    #[must_use]
    pub fn system(&self) -> &System {
        &self.system
    }

    /// Starts an actor, as [`System::spawn`].
    pub fn spawn<A: Actor>(&self, child: impl IntoChild<A>) -> ActorRef<A> {
        self.system.spawn(child)
    }

    /// Starts an actor that keeps every message of a type for the test to look at.
    pub fn probe<M: Message>(&self) -> Probe<M>
    where
        M::Reply: Default,
    {
        Probe::new(&self.system)
    }

    /// Virtual time since the system started.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.system.elapsed()
    }

    /// Lets virtual time pass; every timer that falls due on the way goes off in order. One that is due at the very end
    /// may still be about to: [`settle`](Self::settle) lets it.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, less time has passed.
    pub async fn advance(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    /// Lets everything happen that can happen without time passing, and then one millisecond.
    ///
    /// # Cancel safety
    ///
    /// As [`advance`](Self::advance).
    pub async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// Keeps virtual time from passing while a real thread works, until the guard is dropped.
    pub fn hold_time(&self) -> HeldTime {
        let (release, held) = std::sync::mpsc::channel::<()>();
        // tokio does not advance a paused clock while work is on its blocking pool.
        tokio::task::spawn_blocking(move || {
            // The guard is gone, one way or the other.
            let _ = held.recv();
        });
        HeldTime { _release: release }
    }

    /// What everything looks like now.
    #[must_use]
    pub fn inspect(&self) -> Snapshot {
        self.system.inspect()
    }

    /// Ends all actors, as [`System::shutdown`] with all defaults.
    ///
    /// # Cancel safety
    ///
    /// As there: once polled it goes on.
    pub async fn shutdown(&self) -> ShutdownReport {
        self.system.shutdown(Drain::default()).await
    }

    fn check_leftovers(&self) {
        let root = self.system.core().root().map(|root| root.node().core().id);
        let left = self.system.core().directory.all();
        let names: Vec<_> =
            left.iter().filter(|node| Some(node.core().id) != root).map(|node| node.core().name()).collect();
        assert!(names.is_empty(), "the test left actors running: {}; end them with `shutdown`", names.join(", "));
    }
}

impl fmt::Debug for TestSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestSystem").field("now", &self.now()).finish_non_exhaustive()
    }
}

/// Virtual time stands still while this lives.
#[derive(Debug)]
#[must_use = "time passes again when this is dropped"]
pub struct HeldTime {
    _release: std::sync::mpsc::Sender<()>,
}

/// A system whose only thread is the calling one.
async fn start_here(builder: SystemBuilder) -> System {
    if let Err(error) = builder.check() {
        panic!("{error}");
    }
    let core = Arc::new(builder.core(Clock::of_this_runtime(), true));
    let arbiter = || Arbiter::here(Arc::downgrade(&core), false);
    core.set_threads(vec![arbiter()], arbiter());
    let keeper = Arc::clone(&core);
    tokio::task::spawn_local(async move { keeper.alarms.keep(&keeper.clock).await });
    core.start_root();
    start_all(&core, builder.beginning()).await;
    System::of(&core)
}
