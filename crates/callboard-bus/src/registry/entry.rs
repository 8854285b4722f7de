//! One registered instance of a module.

use std::cmp::Ordering;
use std::sync::Arc;

use callboard_actor::{ActorId, ActorState};

use super::instance::Instance;
use crate::descriptor::{Descriptor, Health};
use crate::lookup::UnavailableReason;
use crate::operation::Operation;

/// One instance.
#[derive(Clone)]
pub(crate) struct Entry {
    number: u64,
    descriptor: Arc<Descriptor>,
    operations: Arc<[Arc<dyn Operation>]>,
    instance: Arc<dyn Instance>,
    /// It has not said that it is unhealthy.
    is_willing: bool,
}

impl Entry {
    pub(crate) fn new(
        descriptor: Descriptor,
        operations: Vec<Arc<dyn Operation>>,
        instance: Arc<dyn Instance>,
    ) -> Self {
        let descriptor = Arc::new(descriptor);
        Self { number: 0, descriptor, operations: operations.into(), instance, is_willing: true }
    }

    /// The same under this number.
    pub(super) fn numbered(self, number: u64) -> Self {
        Self { number, ..self }
    }

    /// Tells it apart from every other entry that there was.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    pub(crate) const fn descriptor(&self) -> &Arc<Descriptor> {
        &self.descriptor
    }

    pub(super) fn operations(&self) -> &[Arc<dyn Operation>] {
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

    /// Highest version first, then in the order of arrival. What is said of the build does not count.
    pub(super) fn rank(&self, other: &Self) -> Ordering {
        let (one, another) = (&self.descriptor.version, &other.descriptor.version);
        another.cmp_precedence(one).then(self.number.cmp(&other.number))
    }

    /// Whether their versions are equals.
    pub(super) fn is_equal(&self, other: &Self) -> bool {
        self.descriptor.version.cmp_precedence(&other.descriptor.version) == Ordering::Equal
    }

    /// Whether it serves. One that is being probed does: what it cannot take it hands back, and without a message it
    /// would never come to serve again.
    pub(super) fn is_ready(&self) -> bool {
        let state = self.instance.state();
        self.is_willing && (state < ActorState::BackingOff || state == ActorState::Probing)
    }

    /// Whether it refuses, with a word about when to come back.
    pub(super) fn is_waiting(&self) -> bool {
        let state = self.instance.state();
        self.is_willing && matches!(state, ActorState::BackingOff | ActorState::Failed)
    }

    /// Why it is not handed out.
    pub(super) fn reason(&self) -> UnavailableReason {
        match (self.instance.state(), &self.descriptor.health) {
            (ActorState::Stopping, _) => UnavailableReason::Stopping,
            (ActorState::Stopped, _) => UnavailableReason::Stopped,
            (_, Health::Unhealthy(reason)) => UnavailableReason::Unhealthy(reason.clone()),
            _ => UnavailableReason::BreakerOpen(None),
        }
    }
}
