//! Events about breakers: `$sys.breaker.open`, `$sys.breaker.half_open`, `$sys.breaker.closed` and so on, by the state that the
//! breaker of an operation or of an instance of a module has come into.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use callboard_actor::{
    Actor, BreakerChange, BreakerState, Context, Fault, Message, Observer, Overflow, SyncHandler, System, Target,
    WeakRef, child,
};

use crate::events::EventsExt;
use crate::modules;
use crate::publish::{EventOptions, Manner};
use crate::topic::Topic;
use crate::value::{Object, Value};

/// A breaker is in another state, or somebody has reset it.
pub(crate) struct BreakerNews {
    pub(crate) of: BreakerOf,
    pub(crate) from: BreakerState,
    pub(crate) to: BreakerState,
    /// How long until it lets a probe through.
    pub(crate) retry_after: Option<Duration>,
    /// Who did it, if somebody did.
    pub(crate) by: Option<Arc<str>>,
}

/// Whose breaker it is.
pub(crate) enum BreakerOf {
    /// `module.operation`.
    Operation(Arc<str>),
    Instance {
        module: String,
        name: String,
    },
}

/// What the system keeps. The reference is weak, as it would keep the system alive that keeps it.
#[derive(Default)]
pub(crate) struct BreakerEvents {
    crier: OnceLock<WeakRef<Crier>>,
    is_told: OnceLock<()>,
}

impl BreakerEvents {
    /// Those of a system, which from the first time on is told of the breakers of its actors.
    pub(crate) fn of(system: &System) -> Arc<Self> {
        let events = system.extension(Self::default);
        events.is_told.get_or_init(|| system.observe(Arc::clone(&events) as _));
        events
    }

    /// Has it published soon, in the order in which it is told: whoever tells may hold a lock, and subscribers' filters run
    /// where an event is published.
    pub(crate) fn tell(&self, system: &System, news: BreakerNews) {
        let from = news.from.as_str();
        tracing::info!(target: "callboard::breaker", of = news.of.name(), from, to = news.to.as_str(), by = news.by.as_deref(), "a breaker has changed");
        let crier = self
            .crier
            .get_or_init(|| system.spawn(child("breaker-events", || Crier).overflow(Overflow::Reject)).downgrade());
        // When the system is over nobody is left to hear it.
        let Some(crier) = crier.upgrade() else { return };
        if crier.try_tell(news).is_err() {
            Target::<BreakerNews>::bury(&crier);
        }
    }
}

impl Observer for BreakerEvents {
    fn breaker_changed(&self, system: &System, change: &BreakerChange) {
        // Whoever is no module is looked after by its own supervisor alone.
        let Some(module) = modules::module_of(system, change.actor_id) else { return };
        let of = BreakerOf::Instance { module, name: change.actor.clone() };
        let BreakerChange { from, to, retry_after, .. } = *change;
        self.tell(system, BreakerNews { of, from, to, retry_after, by: None });
    }
}

impl BreakerOf {
    fn name(&self) -> &str {
        match self {
            Self::Operation(address) => address,
            Self::Instance { name, .. } => name,
        }
    }

    fn fields(self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Operation(address) => vec![("operation", (*address).into())],
            Self::Instance { module, name } => {
                vec![("module", module.as_str().into()), ("instance", name.as_str().into())]
            }
        }
    }
}

impl BreakerNews {
    fn into_event(self) -> Option<(Topic, Value)> {
        let name = format!("$sys.breaker.{}", self.to.as_str()).parse().ok()?;
        let millis = self.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        let mut fields = self.of.fields();
        fields.extend([
            ("from", self.from.as_str().into()),
            ("to", self.to.as_str().into()),
            ("retry_after_ms", millis.map_or(Value::Null, Value::from)),
            ("by", self.by.as_deref().map_or(Value::Null, Value::from)),
        ]);
        Some((name, Value::Object(fields.into_iter().collect::<Object>())))
    }
}

/// The actor that publishes them.
#[derive(Debug)]
struct Crier;

impl Actor for Crier {}

impl Message for BreakerNews {
    type Reply = ();
}

impl SyncHandler<BreakerNews> for Crier {
    fn handle(&mut self, news: BreakerNews, cx: &mut Context<Self>) -> Result<(), Fault> {
        let events = EventsExt::events(&cx.system());
        if let Some((name, data)) = news.into_event() {
            let draft = events.draft(name, data, None, EventOptions::default(), Manner::OfTheSystem)?;
            events.deliver_at_once(&mut draft.publish(&events));
        }
        Ok(())
    }
}
