//! The turn that the calling thread is in: what an ask inherits, and whose wait it is.
//!
//! The scope is ambient: it is set around each poll of a driver on its arbiter, and of a future wrapped by
//! [`Context::carry`](crate::Context::carry). It is one of the few thread-locals of the crate, because a handler's
//! future passes through code that knows nothing of us.

use std::any::Any;
use std::any::TypeId;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Arc;

use crate::cell::Node;
use crate::clock::Nanos;
use crate::message::{MessageId, Priority};

/// What travels along with every ask that is made inside a turn.
#[derive(Clone, Debug)]
pub(crate) struct TurnScope {
    pub(crate) node: Arc<dyn Node>,
    /// When the turn's own asker stops waiting; 0 when nobody waits.
    pub(crate) deadline: Cell<Nanos>,
    pub(crate) lane: Cell<u8>,
    /// When it was found that the running message had not expired.
    pub(crate) checked: Cell<Nanos>,
    /// Whether this is the turn itself, or a future that it carried away and does not wait for.
    pub(crate) waits: bool,
    /// Something ends with this turn: a wait that was registered, or what its asker has left behind.
    pub(crate) has_loose_ends: Cell<bool>,
    along: Brought,
}

/// What few messages bring along.
#[derive(Clone, Debug, Default)]
pub(crate) struct Along {
    pub(crate) baggage: Option<Baggage>,
    /// The id of the running message, where its asker gave it one.
    pub(crate) message_id: Option<MessageId>,
    /// The request that it belongs to, where that has an id.
    pub(crate) correlation: Option<MessageId>,
}

/// What a turn has along, if it has something. It is taken out to be looked at, so there is no more of it than a pointer.
#[derive(Default)]
struct Brought(Cell<Option<Box<Along>>>);

impl Brought {
    fn look<R>(&self, look: impl FnOnce(&Along) -> R) -> Option<R> {
        let along = self.0.take()?;
        let seen = look(&along);
        self.0.set(Some(along));
        Some(seen)
    }
}

impl Clone for Brought {
    fn clone(&self) -> Self {
        Self(Cell::new(self.look(Along::clone).map(Box::new)))
    }
}

impl fmt::Debug for Brought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Brought").field(&self.look(Along::clone)).finish()
    }
}

impl TurnScope {
    pub(crate) fn new(node: Arc<dyn Node>) -> Self {
        Self {
            node,
            deadline: Cell::new(0),
            lane: Cell::new(Priority::Normal.lane() as u8),
            checked: Cell::new(0),
            waits: true,
            has_loose_ends: Cell::new(false),
            along: Brought::default(),
        }
    }

    /// Makes this what the turn has, and all of it.
    pub(crate) fn bring(&self, along: Option<Along>) {
        self.along.0.set(along.map(Box::new));
    }

    /// Looks at what the turn has, which is nothing in most.
    pub(crate) fn along<R>(&self, look: impl FnOnce(&Along) -> R) -> Option<R> {
        self.along.look(look)
    }

    pub(crate) fn add_baggage<T: Any + Send + Sync>(&self, value: T) {
        let mut along = self.along.0.take().unwrap_or_default();
        along.baggage = Some(along.baggage.take().unwrap_or_default().with(value));
        self.along.0.set(Some(along));
    }

    /// The same inheritance for a future that the turn does not wait for.
    pub(crate) fn carried(&self) -> Self {
        Self { waits: false, ..self.clone() }
    }
}

/// Values of any type that travel with a message: a trace, an identity. Immutable and shared.
#[derive(Clone, Default)]
pub struct Baggage(Arc<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Baggage {
    /// The same with one value more, replacing one of the same type.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(&self, value: T) -> Self {
        let mut items = HashMap::clone(&self.0);
        items.insert(TypeId::of::<T>(), Arc::new(value));
        Self(Arc::new(items))
    }

    /// These, and of the others those of other types.
    pub(crate) fn over(self, others: Option<Self>) -> Self {
        let Some(Self(others)) = others else { return self };
        let mut items = HashMap::clone(&others);
        items.extend(self.0.iter().map(|(kind, value)| (*kind, Arc::clone(value))));
        Self(Arc::new(items))
    }

    /// The value of this type, if one travels along.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::clone(self.0.get(&TypeId::of::<T>())?).downcast().ok()
    }
}

impl std::fmt::Debug for Baggage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Baggage({} values)", self.0.len())
    }
}

/// Without a destructor the thread-local is a plain place in memory. None is needed: whoever enters a scope leaves it.
type Current = RefCell<ManuallyDrop<Option<Rc<TurnScope>>>>;

thread_local! {
    static CURRENT: Current = const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Puts the scope before it back when dropped.
#[must_use]
pub(crate) struct Entered(Option<Rc<TurnScope>>);

/// Makes `scope` the calling thread's until the guard is dropped.
#[inline(always)]
pub(crate) fn enter(scope: Rc<TurnScope>) -> Entered {
    Entered(replace(Some(scope)))
}

/// Makes `scope` the calling thread's for this work. The guard leaves by itself only when the work panics: its destructor
/// would be a call in each turn.
#[inline(always)]
pub(crate) fn within<R>(scope: Rc<TurnScope>, work: impl FnOnce() -> R) -> R {
    let entered = enter(scope);
    let result = work();
    entered.leave();
    result
}

impl Entered {
    #[inline(always)]
    fn leave(self) {
        let mut entered = ManuallyDrop::new(self);
        drop(replace(entered.0.take()));
    }
}

impl Drop for Entered {
    #[inline(always)]
    fn drop(&mut self) {
        drop(replace(self.0.take()));
    }
}

#[inline(always)]
fn replace(scope: Option<Rc<TurnScope>>) -> Option<Rc<TurnScope>> {
    ManuallyDrop::into_inner(CURRENT.replace(ManuallyDrop::new(scope)))
}

/// Whether the calling thread is in a turn, or polls a future that one has [carried away](crate::Context::carry): what is sent
/// now is part of what somebody is at work on.
#[inline(always)]
#[must_use]
pub fn is_in_turn() -> bool {
    CURRENT.with_borrow(|scope| scope.is_some())
}

/// What travels along with whatever the calling thread's turn asks, if it is in a turn that has something.
#[must_use]
pub fn current_baggage() -> Option<Baggage> {
    current(|scope| scope.along(|along| along.baggage.clone())).flatten().flatten()
}

/// Looks at the scope of the calling thread, if it is in one.
#[inline]
pub(crate) fn current<R>(look: impl FnOnce(&TurnScope) -> R) -> Option<R> {
    CURRENT.with_borrow(|scope| scope.as_deref().map(look))
}
