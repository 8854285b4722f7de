//! What a module is told again and again.

use std::any::type_name;
use std::time::Duration;

use callboard_actor::{Actor, Context, Handler, Message};

/// A message at every end of a period.
pub(super) struct Ticking<A: Actor> {
    period: Duration,
    message: &'static str,
    start: fn(&mut Context<A>, Duration),
}

impl<A: Actor> Ticking<A> {
    pub(super) fn new<M>(period: Duration) -> Self
    where
        A: Handler<M>,
        M: Message + Default,
    {
        let start = |cx: &mut Context<A>, period| drop(cx.send_every(period, M::default));
        Self { period, message: type_name::<M>(), start }
    }

    pub(super) fn start(&self, cx: &mut Context<A>) {
        (self.start)(cx, self.period);
    }

    /// Nothing can be told all the time.
    pub(super) fn is_endless(&self) -> bool {
        self.period.is_zero()
    }

    pub(super) fn message(&self) -> &'static str {
        self.message
    }
}
