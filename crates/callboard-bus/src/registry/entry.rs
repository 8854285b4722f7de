//! One registered instance of a module.

use std::cmp::Ordering;
use std::mem;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use callboard_actor::{ActorId, Recipient};
use parking_lot::Mutex;

use super::instance::Instance;
use super::load::Load;
use super::standing::Standing;
use crate::callable::Callable;
use crate::descriptor::{Descriptor, Health};
use crate::discovery::{Candidate, Capabilities, Capability};
use crate::lookup::UnavailableReason;
use crate::probe::Probe;
use crate::subscription::Subscription;

/// When to come back to an instance that takes calls after all.
const SOON: Duration = Duration::from_millis(1);

/// One instance.
#[derive(Clone)]
pub(crate) struct Entry {
    number: u64,
    descriptor: Arc<Descriptor>,
    operations: Arc<[Arc<dyn Callable>]>,
    instance: Arc<dyn Instance>,
    /// It has not said that it is unhealthy.
    is_willing: bool,
    /// Lives as long as what was given to whoever has registered it.
    hold: Weak<()>,
    /// What says how it is.
    probe: Option<Recipient<Probe>>,
    /// What brings it the events that it hears.
    subscriptions: Arc<Mutex<Vec<Subscription>>>,
    /// What its calls are counted with, where its balance asks for that.
    load: Option<Load>,
    /// Its operations as capabilities, made when somebody first looks for them.
    able: Arc<OnceLock<Vec<Arc<Capability>>>>,
}

impl Entry {
    pub(crate) fn new(descriptor: Descriptor, operations: Vec<Arc<dyn Callable>>, instance: Arc<dyn Instance>) -> Self {
        let descriptor = Arc::new(descriptor);
        Self {
            number: 0,
            descriptor,
            operations: operations.into(),
            instance,
            is_willing: true,
            hold: Weak::new(),
            probe: None,
            subscriptions: Arc::default(),
            load: None,
            able: Arc::default(),
        }
    }

    /// The same with what says how it is.
    pub(crate) fn probed(self, probe: Option<Recipient<Probe>>) -> Self {
        Self { probe, ..self }
    }

    pub(super) fn probe(&self) -> Option<&Recipient<Probe>> {
        self.probe.as_ref()
    }

    /// The same with what brings it events.
    pub(crate) fn subscribed(self, subscriptions: Vec<Subscription>) -> Self {
        Self { subscriptions: Arc::new(Mutex::new(subscriptions)), ..self }
    }

    /// The same with its calls counted.
    pub(crate) fn counted(self, load: Option<Load>) -> Self {
        Self { load, ..self }
    }

    /// How many calls it has in hand, as far as they are counted.
    pub(super) fn calls(&self) -> usize {
        self.load.as_ref().map_or(0, Load::calls)
    }

    /// It is not registered any more: ends its subscriptions, whoever still looks at it.
    pub(super) fn unsubscribe(&self) {
        let ended = mem::take(&mut *self.subscriptions.lock());
        drop(ended);
    }

    /// The same under this number, for as long as somebody holds on to it.
    pub(crate) fn numbered(self, number: u64, hold: &Arc<()>) -> Self {
        Self { number, hold: Arc::downgrade(hold), ..self }
    }

    /// Whether somebody can still take it back.
    pub(super) fn is_held(&self) -> bool {
        self.hold.strong_count() > 0
    }

    /// Tells it apart from every other entry that there was.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    pub(crate) const fn descriptor(&self) -> &Arc<Descriptor> {
        &self.descriptor
    }

    pub(super) fn operations(&self) -> &[Arc<dyn Callable>] {
        &self.operations
    }

    pub(crate) fn instance(&self) -> &dyn Instance {
        &*self.instance
    }

    pub(crate) fn actor(&self) -> ActorId {
        self.descriptor.actor
    }

    /// The same with another word on its health.
    pub(super) fn with_health(&self, health: Health) -> Self {
        let is_willing = !matches!(health, Health::Unhealthy(_));
        let descriptor = Arc::new(Descriptor { health, ..Descriptor::clone(&self.descriptor) });
        Self { descriptor, is_willing, ..self.clone() }
    }

    /// The same with other capabilities besides its operations.
    pub(super) fn with_capabilities(&self, capabilities: Capabilities) -> Self {
        let descriptor = Arc::new(Descriptor { capabilities, ..Descriptor::clone(&self.descriptor) });
        Self { descriptor, ..self.clone() }
    }

    /// The same with an operation more, which goes before what was advertised under its name.
    pub(super) fn with_operation(&self, operation: Arc<dyn Callable>) -> Self {
        let operation = Load::counting(self.load.as_ref(), operation);
        let mut descriptor = Descriptor::clone(&self.descriptor);
        descriptor.capabilities.withdraw(&operation.descriptor().address);
        descriptor.operations.push(Arc::clone(operation.descriptor()));
        let operations = self.operations.iter().cloned().chain([operation]).collect();
        Self { descriptor: Arc::new(descriptor), operations, able: Arc::default(), ..self.clone() }
    }

    /// All that it can do, as far as it says so itself.
    pub(super) fn candidates(&self) -> impl Iterator<Item = Arc<Candidate>> {
        let operations = || self.descriptor.operations.iter();
        let able = self
            .able
            .get_or_init(|| operations().map(|operation| Arc::new(Capability::of_operation(operation))).collect());
        let able = able.iter().chain(self.descriptor.capabilities.iter());
        able.map(|able| Candidate { entry: self.number, ..Candidate::of(&self.descriptor, Arc::clone(able)) }.into())
    }

    /// Highest version first, then in the order of arrival. What is said of the build does not count.
    pub(super) fn rank(&self, other: &Self) -> Ordering {
        let (one, another) = (&self.descriptor.version, &other.descriptor.version);
        another.cmp_precedence(one).then(self.number.cmp(&other.number))
    }

    /// Whether their versions are equals.
    pub(super) fn is_equal(&self, other: &Self) -> bool {
        self.descriptor.version.cmp_precedence(&other.descriptor.version) == Ordering::Equal
    }

    /// What it would say to a call now.
    #[inline]
    pub(super) fn standing(&self) -> Standing {
        let standing = self.instance.standing();
        if self.is_willing { standing } else { standing.max(Standing::Unwilling) }
    }

    /// Whether the breaker of its actor lets nothing through.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.instance.standing(), Standing::Restarting(_) | Standing::Refusing(_))
    }

    /// Why it is not handed out.
    pub(super) fn reason(&self) -> UnavailableReason {
        match self.standing() {
            // It has begun to take calls while it was being passed over.
            Standing::Serving | Standing::Starting => UnavailableReason::BreakerOpen(Some(SOON)),
            standing => self.reason_of(standing),
        }
    }

    /// Why nobody is told to use it; nothing when it serves.
    pub(super) fn obstacle(&self) -> Option<UnavailableReason> {
        let standing = self.standing();
        (standing != Standing::Serving).then(|| self.reason_of(standing))
    }

    fn reason_of(&self, standing: Standing) -> UnavailableReason {
        match standing {
            Standing::Serving | Standing::Starting => UnavailableReason::Starting,
            Standing::Restarting(wait) => UnavailableReason::Restarting(wait),
            Standing::Refusing(wait) => UnavailableReason::BreakerOpen(wait),
            Standing::Unwilling => {
                UnavailableReason::Unhealthy(self.descriptor.health.reason().unwrap_or_default().to_owned())
            }
            Standing::Stopping => UnavailableReason::Stopping,
            Standing::Stopped => UnavailableReason::Stopped,
        }
    }
}
