//! The actor of one run: [`Runner`]. It carries out what the [`Run`](crate::run::Run) wants done, and tells it what happened.
//!
//! The calls of all steps are polled by one future beside the turns of the actor, the *pump*: a step costs no message and no
//! task of its own. A call to a module that rests on the same thread is answered within the poll that makes it, so a chain of
//! such steps runs to its end in one go, with a pause for others after every [`BATCH`] commands.
//!
//! The pump and the turns of the actor share a [`Bench`]. While a call is polled nothing of it is borrowed but the
//! set of calls, because what is called may run on this very stack and ask this very actor.
//!
//! The pump sees to the moments that the run waits for as well. It looks whether one has come when no answer is left to be
//! taken, and after every [`BATCH`] commands, and sets an alarm when it has nothing else to do: a run whose calls are all
//! answered at once never sets one.

mod alarm;
mod bench;
mod errand;
mod errands;
mod order;
mod timers;
mod vigil;

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use callboard_actor::{Actor, Child, Context, Fault, Message, Overflow, Restart, SyncHandler, child_with};
use parking_lot::Mutex;

use self::bench::Bench;
pub(crate) use self::bench::Outset;
pub(crate) use self::order::{Order, continued};
use crate::progress::{RunProgress, RunSummary};
use crate::record::Record;
use crate::run_ref::RunError;
use crate::stuck::StuckRun;

/// So many commands are carried out before others of the thread have their turn.
const BATCH: u32 = 256;

/// The actor of one run. See the head of this module.
pub(crate) struct Runner {
    bench: Rc<Bench>,
}

/// Where are you?
pub(crate) struct Show;

/// All that there is, for people to look at: it costs as much as the run is large.
pub(crate) struct Copy;

/// Where are you, in short?
pub(crate) struct Summarize;

/// Are you stuck?
pub(crate) struct IsStuck;

impl Message for Show {
    type Reply = Option<RunProgress>;
}

impl Message for Copy {
    type Reply = Option<Record>;
}

impl Message for Summarize {
    type Reply = Option<RunSummary>;
}

impl Message for IsStuck {
    type Reply = Option<StuckRun>;
}

impl Message for Order {
    type Reply = Result<(), RunError>;
}

impl Runner {
    /// The actor to be started. It is never started again: what it knew is lost with it.
    pub(crate) fn child(outset: Outset) -> Child<Self> {
        let name = outset.actor_name();
        let outset = Arc::new(Mutex::new(Some(outset)));
        let make = async move |cx: &mut Context<Self>| {
            let outset = outset.lock().take().ok_or_else(|| Fault::permanent("a run is started once"))?;
            Ok(Self { bench: Rc::new(Bench::new(outset, cx.system(), cx.me())) })
        };
        // Whoever wants something of a run waits for room, whatever the system's other actors do.
        child_with(name, make).restart(Restart::Temporary).overflow(Overflow::Wait)
    }
}

impl Actor for Runner {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
        let bench = Rc::downgrade(&self.bench);
        // The bench, and with it calls and places, goes with the value and not with the task, which may outlive it a little.
        cx.spawn(poll_fn(move |task| bench.upgrade().map_or(Poll::Ready(()), |bench| bench.pump(task))));
        Ok(())
    }
}

impl SyncHandler<Order> for Runner {
    fn handle(&mut self, order: Order, _: &mut Context<Self>) -> Result<Result<(), RunError>, Fault> {
        Ok(self.bench.obey(order))
    }
}

impl SyncHandler<Show> for Runner {
    fn handle(&mut self, _: Show, _: &mut Context<Self>) -> Result<Option<RunProgress>, Fault> {
        Ok(self.bench.look(|record| RunProgress::of(&record.run)))
    }
}

impl SyncHandler<Copy> for Runner {
    fn handle(&mut self, _: Copy, _: &mut Context<Self>) -> Result<Option<Record>, Fault> {
        Ok(self.bench.look(Record::clone))
    }
}

impl SyncHandler<Summarize> for Runner {
    fn handle(&mut self, _: Summarize, _: &mut Context<Self>) -> Result<Option<RunSummary>, Fault> {
        Ok(self.bench.look(|record| RunSummary::of(&record.run)))
    }
}

impl SyncHandler<IsStuck> for Runner {
    fn handle(&mut self, _: IsStuck, _: &mut Context<Self>) -> Result<Option<StuckRun>, Fault> {
        Ok(self.bench.stuck())
    }
}
