//! What most drivers never have, behind one pointer: [`Extras`].

use std::any::Any;
use std::cell::RefCell;
use std::pin::Pin;

use crate::actor::Actor;
use crate::alarm::AlarmKey;
use crate::child::Policy;
use crate::clock::Nanos;
use crate::envelope::Envelope;
use crate::mailbox::Private;

use super::health::Health;

/// Allocated when the first of them is there, and kept from then on.
pub(super) struct Extras<A: Actor>(Option<Box<Extra<A>>>);

/// One that is not there is no heavier than its pointer.
struct Extra<A: Actor> {
    retry: Option<Box<(usize, Envelope<A>)>>,
    away: Option<Box<RefCell<Private<Envelope<A>>>>>,
    health: Option<Box<Health>>,
    timer: Option<Timer>,
    armed: Option<Box<Armed>>,
    left: Option<Box<dyn Any + Send>>,
}

/// A moment that the driver waits for.
pub(super) struct Timer {
    pub(super) due: Nanos,
    pub(super) sleep: Pin<Box<tokio::time::Sleep>>,
}

/// The alarm of a turn that has a limit.
pub(super) struct Armed {
    pub(super) alarm: AlarmKey,
    /// The number of the turn.
    pub(super) turn: u64,
}

impl<A: Actor> Default for Extra<A> {
    fn default() -> Self {
        Self { retry: None, away: None, health: None, timer: None, armed: None, left: None }
    }
}

impl<A: Actor> Extras<A> {
    /// With a [`Health`] where the policy needs it from the start.
    pub(super) fn new(policy: &Policy) -> Self {
        let mut extras = Self(None);
        if policy.breaker.needs_successes() {
            extras.health_or_new(policy);
        }
        extras
    }

    fn all(&mut self) -> &mut Extra<A> {
        self.0.get_or_insert_default()
    }

    #[inline]
    fn look<'e, T: ?Sized>(&'e self, look: impl FnOnce(&'e Extra<A>) -> Option<&'e T>) -> Option<&'e T> {
        self.0.as_deref().and_then(look)
    }

    fn take<T>(&mut self, take: impl FnOnce(&mut Extra<A>) -> Option<T>) -> Option<T> {
        self.0.as_deref_mut().and_then(take)
    }

    /// Whether a kept message is between two attempts: it runs before the rest of its lane.
    #[inline]
    pub(super) fn has_retry(&self) -> bool {
        self.look(|extra| extra.retry.as_deref()).is_some()
    }

    pub(super) fn keep_for_retry(&mut self, lane: usize, envelope: Envelope<A>) {
        self.all().retry = Some(Box::new((lane, envelope)));
    }

    pub(super) fn take_retry(&mut self) -> Option<(usize, Envelope<A>)> {
        self.take(|extra| extra.retry.take()).map(|retry| *retry)
    }

    /// The private lanes of a driver that replaced one on another thread.
    #[inline]
    pub(super) fn away(&self) -> Option<&RefCell<Private<Envelope<A>>>> {
        self.look(|extra| extra.away.as_deref())
    }

    pub(super) fn go_away(&mut self) {
        self.all().away = Some(Box::default());
    }

    #[inline]
    pub(super) fn health(&self) -> Option<&Health> {
        self.look(|extra| extra.health.as_deref())
    }

    pub(super) fn health_mut(&mut self) -> Option<&mut Health> {
        self.0.as_deref_mut().and_then(|extra| extra.health.as_deref_mut())
    }

    pub(super) fn health_or_new(&mut self, policy: &Policy) -> &mut Health {
        self.all().health.get_or_insert_with(|| Box::new(Health::new(policy)))
    }

    /// What the driver waits for, if it has waited for something since it was told to forget it.
    pub(super) fn due(&self) -> Option<Nanos> {
        self.look(|extra| extra.timer.as_ref()).map(|timer| timer.due)
    }

    /// The timer for this moment, made where there is none.
    pub(super) fn timer(&mut self, due: Nanos, sleep: impl FnOnce() -> tokio::time::Sleep) -> &mut Timer {
        let timer = &mut self.all().timer;
        if timer.as_ref().is_some_and(|timer| timer.due != due) {
            *timer = None;
        }
        timer.get_or_insert_with(|| Timer { due, sleep: Box::pin(sleep()) })
    }

    pub(super) fn forget_timer(&mut self) {
        drop(self.take(|extra| extra.timer.take()));
    }

    pub(super) fn arm(&mut self, alarm: AlarmKey, turn: u64) {
        self.all().armed = Some(Box::new(Armed { alarm, turn }));
    }

    pub(super) fn disarm(&mut self) -> Option<Armed> {
        self.take(|extra| extra.armed.take()).map(|armed| *armed)
    }

    /// Whether the asker of the running turn has left something behind, to be dropped when that has ended.
    pub(super) fn has_left(&self) -> bool {
        self.look(|extra| extra.left.as_deref()).is_some()
    }

    pub(super) fn keep_left(&mut self, left: Box<dyn Any + Send>) {
        self.all().left = Some(left);
    }

    pub(super) fn take_left(&mut self) -> Option<Box<dyn Any + Send>> {
        self.take(|extra| extra.left.take())
    }
}
