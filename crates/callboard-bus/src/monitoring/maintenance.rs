//! The background tick: the actor [`Maintenance`].

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use callboard_actor::{
    Actor, ActorRef, Context, Fault, Message, Priority, SyncHandler, System, TaskHandle, WeakRef, child,
};
use parking_lot::Mutex;

use super::figures::Figures;
use super::sweep::sweep;
use super::timeline::Sample;
use super::{Ledger, Shared};
use crate::events::EventsExt;
use crate::modules::ModulesExt;

/// The name of the actor.
const NAME: &str = "maintenance";

/// Starts the maintenance of a system, unless it has been started.
pub(crate) fn maintain(system: &System) {
    let shared = Shared::of(system);
    shared.maintained.actor.get_or_init(|| {
        let own = Arc::clone(&shared);
        let make = move || Maintenance { shared: Arc::clone(&own), ticking: None };
        system.spawn(child(NAME, make)).downgrade()
    });
}

/// The actor as all others see it. The reference is weak, as it would keep the system alive that keeps it.
#[derive(Debug)]
pub(super) struct Maintained {
    actor: OnceLock<WeakRef<Maintenance>>,
    interval: Mutex<Duration>,
}

impl Default for Maintained {
    fn default() -> Self {
        Self { actor: OnceLock::new(), interval: Mutex::new(Duration::from_millis(100)) }
    }
}

impl Maintained {
    pub(super) fn actor(&self) -> Option<ActorRef<Maintenance>> {
        self.actor.get()?.upgrade()
    }

    /// Counts from the next [`Retime`] on.
    pub(super) fn set_interval(&self, interval: Duration) {
        *self.interval.lock() = interval;
    }

    fn interval(&self) -> Duration {
        *self.interval.lock()
    }
}

/// See the head of this file. What it finds out is shared, and so outlives it.
pub(super) struct Maintenance {
    shared: Arc<Shared>,
    ticking: Option<TaskHandle>,
}

impl Maintenance {
    fn tick_from_now_on(&mut self, cx: &mut Context<Self>) {
        if let Some(ticking) = self.ticking.take() {
            ticking.cancel();
        }
        self.ticking = Some(cx.send_every(self.shared.maintained.interval(), || Tick));
    }
}

impl Actor for Maintenance {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.tick_from_now_on(cx);
        Ok(())
    }
}

/// The time has come.
struct Tick;

impl Message for Tick {
    type Reply = ();
}

impl SyncHandler<Tick> for Maintenance {
    fn handle(&mut self, _: Tick, cx: &mut Context<Self>) -> Result<(), Fault> {
        let system = cx.system();
        system.extension(Ledger::default).next_tick();
        sweep(&system.events());
        self.shared.sample(&system);
        self.shared.look_around(&system);
        Ok(())
    }
}

/// The interval is another one.
pub(super) struct Retime;

impl Message for Retime {
    type Reply = ();
    const PRIORITY: Priority = Priority::High;
}

impl SyncHandler<Retime> for Maintenance {
    fn handle(&mut self, _: Retime, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.tick_from_now_on(cx);
        Ok(())
    }
}

impl Shared {
    /// Keeps the figures of this moment, if it is time for that and somebody may want to see them.
    fn sample(&self, system: &System) {
        let now = self.started + system.elapsed();
        if self.is_watched() && self.timeline.lock().is_due(now) {
            // Read outside of the lock: nobody else adds any.
            let sample = Sample::new(now, &Figures::read(system, self));
            self.timeline.lock().add(sample);
        }
    }

    /// Looks for what does not move, if it is time for that.
    fn look_around(&self, system: &System) {
        let now = system.elapsed();
        if !self.watch.lock().is_due(now) {
            return;
        }
        self.watch.lock().look(&system.events(), now);
        if self.is_watched() {
            let modules: HashSet<_> = system.modules().list().iter().map(|instance| instance.actor).collect();
            let actors = system.inspect().actors;
            self.stalls.lock().look(actors.iter().filter(|actor| modules.contains(&actor.id)));
        }
    }
}

impl fmt::Debug for Maintenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Maintenance").field("shared", &self.shared).finish_non_exhaustive()
    }
}
