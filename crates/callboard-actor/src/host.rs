//! The arbiters and their hosts: the one place where drivers meet actix.
//!
//! Each arbiter runs one actix actor, the [`Host`], which starts the drivers placed there, and one task, the
//! [`Runner`], which polls them; they end with it. No payload passes through the host's mailbox, only the order to start something.

#[cfg(feature = "test-util")]
pub(crate) mod paused;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use actix::{Actor as _, Addr, Context, Handler, Message};
use tokio::task::spawn_local;

use crate::actor::Actor;
use crate::bound::thread_id;
use crate::cell::ActorCell;
use crate::child::Placement;
use crate::driver::{self, Driver, DriverTask};
use crate::fault::{Fault, FaultClass, FaultKind, Incident, install_panic_hook, record_backtraces};
use crate::run_queue::{RunQueue, Runner};
use crate::system::{Beginning, SystemCore, start_all};

/// The actix actor of one arbiter.
#[derive(Debug)]
pub(crate) struct Host;

impl actix::Actor for Host {
    type Context = Context<Self>;
}

/// The order to run something on the arbiter's thread.
struct Launch(Box<dyn FnOnce() + Send>);

impl Message for Launch {
    type Result = ();
}

impl Handler<Launch> for Host {
    type Result = ();

    fn handle(&mut self, launch: Launch, _: &mut Context<Self>) {
        (launch.0)();
    }
}

/// The order to end.
struct End;

impl Message for End {
    type Result = ();
}

impl Handler<End> for Host {
    type Result = ();

    fn handle(&mut self, _: End, context: &mut Context<Self>) {
        use actix::ActorContext as _;
        context.stop();
    }
}

/// One thread of a system.
#[derive(Debug)]
pub(crate) struct Arbiter {
    host: Addr<Host>,
    queue: Arc<RunQueue>,
    thread: u64,
    /// False once a turn has not given the thread back.
    usable: AtomicBool,
    handle: Option<actix_rt::ArbiterHandle>,
}

impl Arbiter {
    /// Starts the host on the calling thread, which must run an arbiter.
    pub(crate) fn here(system: Weak<SystemCore>, backtraces: bool) -> Self {
        install_panic_hook();
        record_backtraces(backtraces);
        let queue = Arc::new(RunQueue::new());
        spawn_local(Runner::new(Arc::clone(&queue), system));
        Self { host: Host.start(), queue, thread: thread_id(), usable: AtomicBool::new(true), handle: None }
    }

    /// Starts an arbiter on a thread of its own. Must be called on a thread of the system.
    pub(crate) async fn start(system: Weak<SystemCore>, backtraces: bool) -> Option<Self> {
        let arbiter = actix_rt::Arbiter::new();
        let (tell, told) = oneshot::async_channel();
        arbiter.spawn_fn(move || {
            // Whoever waits for the arbiter may have gone.
            let _ = tell.send(Self::here(system, backtraces));
        });
        let mut started = told.await.ok()?;
        started.handle = Some(arbiter.handle());
        Some(started)
    }

    pub(crate) fn is_usable(&self) -> bool {
        self.usable.load(Ordering::Relaxed)
    }

    /// Whether this is the calling thread.
    fn is_here(&self) -> bool {
        thread_id() == self.thread
    }

    /// Runs something on this thread: at once when it is the calling one.
    pub(crate) fn run(&self, work: impl FnOnce() + Send + 'static) {
        if self.is_here() {
            return work();
        }
        self.host.do_send(Launch(Box::new(work)));
    }

    /// Ends the thread; drivers that are left end with it.
    pub(crate) fn stop(&self) {
        self.host.do_send(End);
        if let Some(handle) = &self.handle {
            handle.stop();
        }
    }
}

/// The life of the keeper's thread: it starts the arbiters, the root supervisor and the first children, says that they
/// are there, and then lets alarms go off until the system is over.
pub(crate) fn keep(core: &Arc<SystemCore>, workers: usize, beginning: Beginning, tell: oneshot::Sender<()>) {
    actix_rt::System::new().block_on(async move {
        let mut arbiters = Vec::with_capacity(workers);
        for _ in 0..workers {
            let Some(arbiter) = Arbiter::start(Arc::downgrade(core), core.backtraces).await else { return };
            arbiters.push(arbiter);
        }
        core.set_threads(arbiters, Arbiter::here(Arc::downgrade(core), core.backtraces));
        core.start_root();
        let begin = async {
            start_all(core, beginning).await;
            // Whoever wanted the system may have gone; it runs all the same.
            let _ = tell.send(());
            std::future::pending::<()>().await
        };
        tokio::select! {
            () = core.alarms.keep(&core.clock) => {}
            () = core.over.notified() => {}
            () = begin => {}
        }
    });
}

/// The arbiters that actors are placed on, and which is next.
#[derive(Debug)]
pub(crate) struct Arbiters {
    shared: Vec<Arbiter>,
    next: AtomicUsize,
}

impl Arbiters {
    pub(crate) fn new(shared: Vec<Arbiter>) -> Self {
        Self { shared, next: AtomicUsize::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.shared.len()
    }

    /// The arbiter with this number; numbers beyond the last count on from the first.
    pub(crate) fn get(&self, index: usize) -> &Arbiter {
        &self.shared[index % self.shared.len()]
    }

    pub(crate) fn all(&self) -> &[Arbiter] {
        &self.shared
    }

    /// Whose turn it is; arbiters that are not usable are passed over unless none is left.
    fn spread(&self) -> usize {
        let count = self.shared.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed) % count;
        if self.shared[first].is_usable() {
            return first;
        }
        let mut order = (1..count).map(|step| (first + step) % count);
        order.find(|&index| self.shared[index].is_usable()).unwrap_or(first)
    }

    /// Where an actor is to live. One that is pinned to an arbiter whose thread does not come back would never start there.
    fn place(&self, placement: Placement) -> usize {
        match placement {
            Placement::Pinned(index) => {
                let wanted = index % self.shared.len();
                if self.shared[wanted].is_usable() { wanted } else { self.spread() }
            }
            Placement::Spread | Placement::Dedicated => self.spread(),
        }
    }

    /// The thread does not come back; its neighbours are reported by the caller.
    fn retire(&self, index: usize) {
        if let Some(arbiter) = self.shared.get(index) {
            arbiter.usable.store(false, Ordering::Relaxed);
        }
    }
}

/// Starts the first driver of an actor where its policy places it.
pub(crate) fn launch<A: Actor>(cell: Arc<ActorCell<A>>) {
    let core = &cell.core;
    if core.policy.placement == Placement::Dedicated && !core.system.is_virtual {
        return launch_dedicated(cell);
    }
    let arbiters = core.system.arbiters();
    let index = arbiters.place(core.policy.placement);
    if let Placement::Pinned(wanted) = core.policy.placement
        && wanted % arbiters.len() != index
    {
        let actor = core.name();
        tracing::warn!(target: "callboard::supervisor", %actor, wanted, index, "pinned to a lost arbiter; starts on another");
    }
    core.arbiter.store(index as u32, Ordering::Relaxed);
    let arbiter = arbiters.get(index);
    let queue = Arc::clone(&arbiter.queue);
    if arbiter.is_here() {
        return driver::start(&cell, queue);
    }
    let system = Arc::clone(&core.system);
    system.arbiters().get(index).run(move || driver::start(&cell, queue));
}

/// The number that inspection shows for an actor on a thread of its own.
pub(crate) const DEDICATED: u32 = u32::MAX;

/// Gives an actor a thread of its own, which ends with it. The keeper starts it, as only a thread of the system can.
fn launch_dedicated<A: Actor>(cell: Arc<ActorCell<A>>) {
    cell.core.arbiter.store(DEDICATED, Ordering::Relaxed);
    let system = Arc::clone(&cell.core.system);
    let backtraces = system.backtraces;
    system.keeper().run(move || {
        let arbiter = actix_rt::Arbiter::new();
        let handle = arbiter.handle();
        arbiter.spawn_fn(move || {
            install_panic_hook();
            record_backtraces(backtraces);
            spawn_local(async move {
                DriverTask::new(Driver::new(cell)).await;
                handle.stop();
            });
        });
    });
}

/// A turn does not give its thread back: a driver of a new generation goes on elsewhere, and whatever the old one still
/// holds reaches nobody.
pub(crate) fn replace<A: Actor>(cell: Arc<ActorCell<A>>) {
    let core = &cell.core;
    let stuck = core.generation();
    let Some(generation) = core.next_generation(stuck) else { return };
    let system = Arc::clone(&core.system);
    let old = core.arbiter.load(Ordering::Relaxed);
    system.arbiters().retire(old as usize);
    let text = format!("its turn did not give arbiter {old} back");
    let incident = Incident::new(core.name(), stuck, None, Fault::new(FaultKind::Stuck, FaultClass::Permanent, text));
    let neighbours = system.directory.on_arbiter(old);
    tracing::error!(target: "callboard::supervisor", %incident, ?neighbours, "stuck; replaced on another arbiter");
    core.with_rare(|rare| {
        rare.faults.faults += 1;
        rare.faults.stuck.push(stuck);
        rare.faults.last = Some(incident.clone());
        rare.faults.fenced_ask = core.running.load(Ordering::SeqCst) & !1;
    });
    system.alarms.wake_askers_of(core.id);
    let index = system.arbiters().spread();
    core.arbiter.store(index as u32, Ordering::Relaxed);
    system.arbiters().get(index).run(move || {
        drop(spawn_local(DriverTask::new(Driver::replacing(cell, generation, incident))));
    });
}
