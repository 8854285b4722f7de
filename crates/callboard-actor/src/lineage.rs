//! What a message is told apart by, and what it belongs to: its [`Lineage`].

use crate::envelope::Header;
use crate::message::MessageId;
use crate::scope::{self, TurnScope};
use crate::trace::{TraceContext, TraceId};

/// What a message is told apart by, and what it belongs to. Every line of the log that is about a message has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lineage {
    /// The message: the same for all attempts of a call.
    pub message_id: MessageId,
    /// The request that all began with: of what is asked in a turn that of the turn's own message.
    pub correlation_id: MessageId,
    /// What is followed across processes, if something is.
    pub trace: Option<TraceContext>,
}

impl Lineage {
    /// Of a message that belongs to these.
    #[must_use]
    pub fn new(message_id: MessageId, correlation_id: Option<MessageId>, trace: Option<TraceContext>) -> Self {
        Self { message_id, correlation_id: correlation_id.unwrap_or(message_id), trace }
    }

    /// Of a message that is sent here: it belongs to what the turn does that the calling thread is in, if it is in one.
    #[must_use]
    pub fn here(message_id: MessageId) -> Self {
        scope::current(|scope| Self::within(scope, message_id)).unwrap_or_else(|| Self::new(message_id, None, None))
    }

    /// Of a message that belongs to what is done in this scope.
    pub(crate) fn within(scope: &TurnScope, message_id: MessageId) -> Self {
        let of_turn = scope.along(|along| (along.correlation, TraceContext::of(along.baggage.as_ref())));
        let (correlation_id, trace) = of_turn.unwrap_or_default();
        Self::new(message_id, correlation_id, trace)
    }

    /// Of a message with this header, which gets this id where it has none.
    pub(crate) fn of(header: Option<&Header>, otherwise: MessageId) -> Self {
        let Some(header) = header else { return Self::new(otherwise, None, None) };
        let trace = TraceContext::of(header.baggage.as_ref());
        Self::new(header.message_id.unwrap_or(otherwise), header.correlation_id, trace)
    }

    /// The trace, or what stands for it where none travels along: the id of the correlation, which has as many bits.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        TraceId::new(self.trace.map_or(self.correlation_id.as_u128(), TraceContext::trace_id))
    }
}
