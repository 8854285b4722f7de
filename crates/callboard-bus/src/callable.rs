//! An operation without its types: a payload goes in, becomes a message, and the reply comes out as a payload.

use std::any::{Any, TypeId, type_name};
use std::collections::BTreeMap;
use std::error::Error;
use std::future::{Future, IntoFuture};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use callboard_actor::{ActorRef, Ask, AskError, Fault, Handler, Message, MessageId, Priority, Recipient, TraceContext};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::call::{CallError, Failure, Placed};
use crate::concurrency::Place;
use crate::descriptor::OperationDescriptor;
use crate::gate::AuthContext;
use crate::operation::{Leave, OperationState};
use crate::registry::Load;
use crate::retry::RetryPolicy;
use crate::schema::{SchemaFault, Validation, WantedObject};
use crate::value::{Brief, Value, ValueError, from_value};

/// What came of an ask, and the place of the call, unless that stays with a handler that nobody waits for any more.
pub(crate) type Answered = (Result<Value, CallError>, Option<Place>);

/// The answer on its way.
pub(crate) type Asked = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// How far the first poll of an ask came. Where the answer is there at once, nothing is kept of it.
pub(crate) enum First {
    Answered(Answered),
    /// It has been polled.
    Asked(Asked),
}

/// How a call is made, where it says so; what is not set is as the message type and the running turn have it.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallOptions {
    pub(crate) priority: Option<Priority>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) idempotency_key: Option<Arc<str>>,
    pub(crate) takes_nothing_along: bool,
    /// Nothing for nearly all calls.
    pub(crate) more: Option<Box<MoreOptions>>,
}

/// What makes a call more than one attempt, or is for middleware.
#[derive(Clone, Debug, Default)]
pub(crate) struct MoreOptions {
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) ignores_breaker: bool,
    pub(crate) is_test: bool,
    /// It comes out of a dead letter, where it goes back to.
    pub(crate) is_redelivered: bool,
    /// What the caller shows.
    pub(crate) auth: AuthContext,
    pub(crate) metadata: BTreeMap<String, Value>,
    /// What it is told apart by in all its attempts.
    pub(crate) message_id: Option<MessageId>,
    /// Which attempt of a call this is; 0 for the call itself.
    pub(crate) attempt: u32,
    pub(crate) trace: Option<TraceContext>,
}

/// What the registry keeps of an operation.
pub(crate) trait Callable: Send + Sync {
    /// Reads the payload and asks the actor, which is polled once.
    ///
    /// # Errors
    ///
    /// A payload that does not fit the message.
    fn ask(
        &self,
        input: &Value,
        options: &CallOptions,
        place: Option<Place>,
        task: &mut Task<'_>,
    ) -> Result<First, Unfit>;

    /// How much its instance has to do, where that is counted.
    fn load(&self) -> Option<&Load> {
        None
    }

    fn descriptor(&self) -> &Arc<OperationDescriptor>;

    /// What its messages are held to.
    fn validation(&self) -> &Arc<Validation>;

    /// What all its instances share.
    fn state(&self) -> &Arc<OperationState>;

    /// The type of the message.
    fn message(&self) -> TypeId;

    /// The `Recipient` of the message.
    fn recipient(&self) -> &dyn Any;
}

/// How a reply becomes an output, or a failure.
pub(crate) type Answer<R> = fn(&R, &OperationState) -> Result<Value, CallError>;

/// The one kind of operation that there is.
pub(crate) struct TypedOperation<A: Handler<M>, M: Message> {
    actor: ActorRef<A>,
    recipient: Recipient<M>,
    answer: Answer<M::Reply>,
    descriptor: Arc<OperationDescriptor>,
    state: Arc<OperationState>,
    validation: Arc<Validation>,
}

/// Why a payload is not one that an operation takes.
pub(crate) enum Unfit {
    /// It cannot be read as the message.
    Value(ValueError),
    /// There is more to be said, by the schema.
    Schema(Vec<SchemaFault>),
}

impl<A: Handler<M>, M: Message> TypedOperation<A, M> {
    pub(crate) fn new(
        actor: ActorRef<A>,
        answer: Answer<M::Reply>,
        descriptor: OperationDescriptor,
        validation: Validation,
        state: Arc<OperationState>,
    ) -> Self {
        let recipient = actor.recipient();
        Self { actor, recipient, answer, descriptor: Arc::new(descriptor), state, validation: Arc::new(validation) }
    }
}

impl<A: Handler<M>, M: Message + DeserializeOwned> TypedOperation<A, M> {
    fn read(&self, input: &Value) -> Result<M, Unfit> {
        let read = caught(|| from_value(input)).unwrap_or_else(|| Err(panicked("read")));
        fitting(read, input, &self.validation, &self.descriptor.message_schema)
    }
}

/// What has been read of an input, if that is what the schema describes. Reading tells the first thing that is wrong, the schema
/// all of them; and there may be more in the schema.
pub(crate) fn fitting<M>(
    read: Result<M, ValueError>,
    input: &Value,
    validation: &Validation,
    schema: &Json,
) -> Result<M, Unfit> {
    if read.is_ok() && !validation.doubts(input) {
        return read.map_err(Unfit::Value);
    }
    let faults = validation.faults(schema, input);
    match read {
        Ok(message) if faults.is_empty() => Ok(message),
        // It says it in its own words, and at its place.
        Err(fault) if faults.len() < 2 => Err(Unfit::Value(no_object(schema, input).unwrap_or(fault))),
        _ => Err(Unfit::Schema(faults)),
    }
}

/// What is to be told of a payload that should be an object and is something else altogether.
fn no_object(schema: &Json, input: &Value) -> Option<ValueError> {
    let wanted = WantedObject::by(schema)?;
    let is_none = !matches!(input, Value::Object(_));
    is_none.then(|| ValueError::new(format_args!("expected {wanted}, found {}", Brief(input))))
}

impl<A: Handler<M>, M: Message + DeserializeOwned> Callable for TypedOperation<A, M> {
    fn ask(
        &self,
        input: &Value,
        options: &CallOptions,
        place: Option<Place>,
        task: &mut Task<'_>,
    ) -> Result<First, Unfit> {
        let message = self.read(input)?;
        let mut asked = Placed::new(options.apply_to(self.actor.ask(message)).into_future(), place);
        Ok(match Pin::new(&mut asked).poll(task) {
            Poll::Ready((result, place)) => First::Answered((output(result, self.answer, &self.state), place)),
            Poll::Pending => {
                let (asked, answer, state) = (asked.into_owned(), self.answer, Arc::clone(&self.state));
                First::Asked(Box::pin(async move {
                    let (result, place) = asked.await;
                    (output(result, answer, &state), place)
                }))
            }
        })
    }

    fn descriptor(&self) -> &Arc<OperationDescriptor> {
        &self.descriptor
    }

    fn validation(&self) -> &Arc<Validation> {
        &self.validation
    }

    fn state(&self) -> &Arc<OperationState> {
        &self.state
    }

    fn message(&self) -> TypeId {
        TypeId::of::<M>()
    }

    fn recipient(&self) -> &dyn Any {
        &self.recipient
    }
}

fn output<M: Message>(
    asked: Result<M::Reply, AskError<M>>,
    answer: Answer<M::Reply>,
    state: &OperationState,
) -> Result<Value, CallError> {
    match asked {
        Ok(reply) => caught(|| answer(&reply, state))
            .unwrap_or_else(|| Err(CallError::Reply { reply: type_name::<M::Reply>(), fault: panicked("written") })),
        Err(error) => Err(CallError::road(Some(state.address()), error)),
    }
}

impl CallOptions {
    /// What few calls say.
    pub(crate) fn more(&mut self) -> &mut MoreOptions {
        self.more.get_or_insert_default()
    }

    /// Whether it is one of the attempts of a call that is more than one.
    #[inline]
    pub(crate) fn is_attempt(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.attempt > 0)
    }

    /// What of the breaker and of the counts an attempt has to heed.
    #[inline]
    pub(crate) fn leave(&self) -> Leave {
        match &self.more {
            Some(more) if more.is_test => Leave::Test,
            Some(more) if more.ignores_breaker => Leave::Anyway,
            _ => Leave::Asked,
        }
    }

    pub(crate) fn apply_to<'a, T, M: Message>(&self, mut ask: Ask<'a, T, M>) -> Ask<'a, T, M> {
        if let Some(priority) = self.priority {
            ask = ask.priority(priority);
        }
        if let Some(timeout) = self.timeout {
            ask = ask.timeout(timeout);
        }
        if let Some(key) = &self.idempotency_key {
            ask = ask.idempotency_key(Arc::clone(key));
        }
        if let Some(more) = &self.more {
            ask = more.name(ask);
        }
        if self.takes_nothing_along { ask.no_inherit() } else { ask }
    }
}

impl MoreOptions {
    /// What the receiver sees of who asks.
    fn name<'a, T, M: Message>(&self, mut ask: Ask<'a, T, M>) -> Ask<'a, T, M> {
        if let Some(id) = self.message_id {
            ask = ask.request(id, self.attempt);
        }
        if let Some(trace) = self.trace { ask.baggage(trace) } else { ask }
    }
}

/// What types of users do when they are read or written happens outside of every turn, in whatever polls the call: a panic
/// there must not cost the caller more than the call.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

pub(crate) fn panicked(when: &str) -> ValueError {
    ValueError::new(format_args!("its type panicked when it was {when}"))
}

/// The reply is the output.
pub(crate) fn plain<R: Serialize + 'static>(reply: &R, _: &OperationState) -> Result<Value, CallError> {
    // A value is one already: what was shared stays shared.
    if let Some(value) = (reply as &dyn Any).downcast_ref::<Value>() {
        return Ok(value.clone());
    }
    Value::from_serialize(reply).map_err(|fault| CallError::Reply { reply: type_name::<R>(), fault })
}

/// The reply is the output, or a failure that is one of the call too, of the class that `?` in a handler would give it; one
/// that says nothing of its class is of the one that its words speak for.
pub(crate) fn fallible<T: Serialize + 'static, E: Error + 'static>(
    reply: &Result<T, E>,
    state: &OperationState,
) -> Result<Value, CallError> {
    let error = match reply {
        Ok(output) => return plain(output, state),
        Err(error) => error,
    };
    let by_words = state.conduct().classifier.classify(error);
    Err(CallError::Failed(Failure::new(&Fault::of(error), by_words)))
}
