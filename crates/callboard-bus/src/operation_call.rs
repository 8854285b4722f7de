//! Calls by the methods of a module's reference: [`OperationCall`].

use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use callboard_actor::{ActorRef, Handler, Message};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde::Serialize;

use crate::authoring::{Read, Show};
use crate::call::{CallError, Carrier, Placed, Plan, Way as CallWay, call_builder};
use crate::callable::{Answer, CallOptions, Unfit, caught, fallible, panicked, plain};
use crate::concurrency::{Concurrency, Place};
use crate::offered::Offered;
use crate::operation::{Attempt, Leave, OperationState};
use crate::registry::{Held, Load};
use crate::value::{Value, ValueError};

/// A call of an operation with its types, about to be made: `.await` makes it and waits for the answer. It is what the methods
/// return that `#[module]` writes for the reference of a module.
///
/// It goes to this very actor, and is an ask of it: inside a turn it inherits what is left of the turn's deadline, at least
/// its priority, and its baggage. It passes by the breaker, the counts, the settings and the middleware of its operation as a
/// [`Call`](crate::Call) by name does. While there is neither middleware nor a policy for retries no payload is made of
/// the message. Where there is, middleware is shown the message as a value, if it implements `Serialize`, and `null`
/// otherwise; what is made of the input or of the output on the way is read back.
///
/// A message that implements `Serialize` is held to what its schema asks for beyond its type, a shortest length say, in the form
/// that it is written as. So calls of an operation that has such a schema write the message; those of others need not.
///
/// It takes a message that implements `Clone`, or `Serialize` and `Deserialize`, to make more than one attempt of it.
///
/// Of an actor that is registered as no module it is an ask and no more.
///
/// # Errors
///
/// [`CallError`]. What a fallible operation answers is not one: it is in the reply, unless it was tried again and no attempt
/// is left.
///
/// # Cancel safety
///
/// As that of [`ActorRef::ask`]: dropped before it has ended, the operation may or may not have been carried out. If its
/// turn has not begun it never will.
#[must_use = "a call is made when it is awaited"]
pub struct OperationCall<'a, A: Handler<M>, M: Message> {
    actor: &'a ActorRef<A>,
    message: M,
    kind: &'static OperationKind<M>,
    /// Nothing for nearly all calls.
    options: Option<Box<CallOptions>>,
}

/// What the code that `#[module]` writes knows of an operation.
pub struct OperationKind<M: Message> {
    /// Its place among the operations of its module.
    place: usize,
    answer: Answer<M::Reply>,
    has_failed: fn(&M::Reply) -> bool,
    forms: fn() -> Forms<M>,
}

/// What else can be made of a message and its reply, as far as their types allow.
pub struct Forms<M: Message> {
    /// Another one of the message.
    pub copy: Option<fn(&M) -> M>,
    /// The message as a value.
    pub show: Option<Show<M>>,
    /// A message of a value.
    pub read: Option<Read<M>>,
    /// A reply of an output.
    pub read_reply: Option<Read<M::Reply>>,
}

impl<M: Message> OperationKind<M> {
    /// One whose reply is its output.
    #[must_use]
    pub const fn plain(place: usize, forms: fn() -> Forms<M>) -> Self
    where
        M::Reply: Serialize,
    {
        Self { place, answer: plain, has_failed: |_| false, forms }
    }

    /// One whose reply is an output or a failure.
    #[must_use]
    pub const fn fallible<T, E>(place: usize, forms: fn() -> Forms<M>) -> Self
    where
        M: Message<Reply = Result<T, E>>,
        T: Serialize + 'static,
        E: Error + 'static,
    {
        Self { place, answer: fallible, has_failed: Result::is_err, forms }
    }
}

impl<M: Message> Forms<M> {
    fn shown(&self, message: &M) -> Option<Value> {
        let show = self.show?;
        caught(|| show(message))?.ok()
    }
}

impl<M: Message> fmt::Debug for OperationKind<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperationKind<{}>({})", std::any::type_name::<M>(), self.place)
    }
}

impl<M: Message> fmt::Debug for Forms<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Forms<{}>", std::any::type_name::<M>())
    }
}

impl<'a, A: Handler<M>, M: Message> OperationCall<'a, A, M> {
    /// A call that nothing more has been said of.
    #[inline]
    pub fn new(actor: &'a ActorRef<A>, message: M, kind: &'static OperationKind<M>) -> Self {
        Self { actor, message, kind, options: None }
    }

    call_builder!();

    fn options_mut(&mut self) -> &mut CallOptions {
        self.options.get_or_insert_default()
    }
}

impl<'a, A: Handler<M>, M: Message> IntoFuture for OperationCall<'a, A, M> {
    type Output = Result<M::Reply, CallError>;
    type IntoFuture = OperationCallFuture<'a, A, M>;

    #[inline]
    fn into_future(self) -> OperationCallFuture<'a, A, M> {
        let Self { actor, message, kind, options } = self;
        let ask = actor.ask(message);
        let ask = match &options {
            None => ask,
            Some(options) => options.apply_to(ask),
        };
        let (asked, fresh) = (Placed::new(ask.into_future(), None), Some(Fresh { actor, kind, options }));
        OperationCallFuture { fresh, asked, known: None, conducted: None }
    }
}

impl<A: Handler<M>, M: Message> fmt::Debug for OperationCall<'_, A, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperationCall<{}>", std::any::type_name::<M>())
    }
}

/// The future of an [`OperationCall`].
#[must_use = "a call is made when it is awaited"]
pub struct OperationCallFuture<'a, A: Handler<M>, M: Message> {
    /// Until it is first polled.
    fresh: Option<Fresh<'a, A, M>>,
    /// The one attempt of nearly all calls. It is here from the start, as it is large and every move of it costs.
    asked: Placed<&'a ActorRef<A>, M, &'a Arc<Concurrency>>,
    /// Whom to tell how that ends.
    known: Option<Known<'a, M>>,
    /// A call that is more than one attempt.
    conducted: Option<BoxFuture<'a, Result<M::Reply, CallError>>>,
}

/// What is needed to begin.
struct Fresh<'a, A: Handler<M>, M: Message> {
    actor: &'a ActorRef<A>,
    kind: &'static OperationKind<M>,
    options: Option<Box<CallOptions>>,
}

/// What is known of the attempt of a call that is no more than one.
struct Known<'a, M: Message> {
    attempt: Attempt<&'a OperationState>,
    kind: &'static OperationKind<M>,
    /// The call as one that its instance has in hand.
    _load: Option<Held>,
}

/// Nothing in it is pinned: the future of an ask is not, and the other one is boxed.
impl<A: Handler<M>, M: Message> Unpin for OperationCallFuture<'_, A, M> {}

impl<A: Handler<M>, M: Message> Future for OperationCallFuture<'_, A, M> {
    type Output = Result<M::Reply, CallError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        if let Some(fresh) = self.fresh.take()
            && let Err(error) = self.begin(fresh)
        {
            // Who polls this once more sends nothing.
            drop(self.asked.recall());
            return Poll::Ready(Err(error));
        }
        if let Some(conducted) = &mut self.conducted {
            let result = ready!(conducted.as_mut().poll(task));
            self.conducted = None;
            return Poll::Ready(result);
        }
        let (result, _place) = ready!(Pin::new(&mut self.asked).poll(task));
        let Some(Known { attempt, kind, .. }) = self.known.take() else {
            return Poll::Ready(result.map_err(|error| CallError::road(None, error)));
        };
        let result = result.map_err(|error| CallError::road(attempt.operation(), error));
        kind.settle(attempt, &result);
        Poll::Ready(result)
    }
}

impl<'a, A: Handler<M>, M: Message> OperationCallFuture<'a, A, M> {
    #[inline]
    fn begin(&mut self, fresh: Fresh<'a, A, M>) -> Result<(), CallError> {
        let Fresh { actor, kind, options } = fresh;
        if options.as_ref().is_some_and(|options| options.timeout == Some(Duration::ZERO)) {
            return Err(CallError::NoTime);
        }
        let Some(offered) = Offered::of::<A, M>(actor, kind.place) else { return Ok(()) };
        let Some(place) = offered.state.enter_at_once(options.as_ref().is_some_and(|options| options.more.is_some()))
        else {
            let message = self.asked.recall();
            let call = message.map(|message| OperationCall { actor, message, kind, options });
            self.conducted = call.map(|call| conducted(call, offered));
            return Ok(());
        };
        let attempt = Attempt::admitted(&*offered.state, Leave::Asked)?;
        if offered.asks_for_more()
            && let Err(error) = self.hold(kind, offered)
        {
            attempt.settle(Some(&error));
            return Err(error);
        }
        self.known = Some(Known { attempt, kind, _load: offered.load.as_ref().map(Load::hold) });
        self.asked.seat(place);
        Ok(())
    }

    /// Holds the message to its schema. One that cannot be shown is what its type says, and no more can be known of it.
    #[cold]
    fn hold(&self, kind: &OperationKind<M>, offered: &Offered) -> Result<(), CallError> {
        let shown = self.asked.message().and_then(|message| (kind.forms)().shown(message));
        shown.map_or(Ok(()), |shown| offered.hold(&shown))
    }
}

impl<M: Message> OperationKind<M> {
    /// A failure that is in the reply is one of the call as well.
    #[inline]
    fn settle(&self, attempt: Attempt<&OperationState>, result: &Result<M::Reply, CallError>) {
        match result {
            Ok(reply) if (self.has_failed)(reply) => {
                let failed = self.output(reply, attempt.state());
                attempt.settle(failed.as_ref().err());
            }
            result => attempt.settle(result.as_ref().err()),
        }
    }

    /// The reply as a call by name sees it.
    fn output(&self, reply: &M::Reply, state: &OperationState) -> Result<Value, CallError> {
        let fault = || CallError::Reply { reply: std::any::type_name::<M::Reply>(), fault: panicked("written") };
        caught(|| (self.answer)(reply, state)).unwrap_or_else(|| Err(fault()))
    }
}

impl<A: Handler<M>, M: Message> fmt::Debug for OperationCallFuture<'_, A, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperationCallFuture<{}>", std::any::type_name::<M>())
    }
}

/// A call that is more than one attempt.
fn conducted<'a, A: Handler<M>, M: Message>(
    call: OperationCall<'a, A, M>,
    offered: &Offered,
) -> BoxFuture<'a, Result<M::Reply, CallError>> {
    let OperationCall { actor, message, kind, options } = call;
    let (forms, replied) = ((kind.forms)(), Arc::default());
    let shown = forms.shown(&message);
    let (is_shown, shown) = (shown.is_some(), shown.unwrap_or_default());
    let read_reply = forms.read_reply;
    let typed = Typed {
        actor: actor.clone(),
        message: Some(message),
        shown: shown.clone(),
        is_shown,
        forms,
        kind,
        offered: offered.clone(),
        replied: Arc::clone(&replied),
    };
    let options = options.map(|options| *options).unwrap_or_default();
    let plan = Plan::new(typed, Arc::clone(&offered.state), options, Some(&offered.descriptor));
    Box::pin(async move {
        let result = plan.carry_out(shown).await;
        let replied: Option<Replied<M::Reply>> = replied.lock().take();
        reply_of(result, replied, read_reply)
    })
}

/// What the actor replied in the last attempt, and how that was shown to middleware.
struct Replied<R> {
    reply: R,
    shown: Result<Value, String>,
}

/// The reply itself where nobody has made something else of it.
fn reply_of<R>(
    result: Result<Value, CallError>,
    replied: Option<Replied<R>>,
    read: Option<Read<R>>,
) -> Result<R, CallError> {
    match (result, replied) {
        (Ok(output), Some(Replied { reply, shown: Ok(shown) })) if output == shown => Ok(reply),
        (Err(CallError::Failed(failure)), Some(Replied { reply, shown: Err(shown) })) if failure.text() == shown => {
            Ok(reply)
        }
        (Ok(output), _) => {
            let read = read_by(read, &output);
            read.map_err(|fault| CallError::Reply { reply: std::any::type_name::<R>(), fault })
        }
        (Err(error), _) => Err(error),
    }
}

/// What middleware has put in the place of something with a type.
fn read_by<T>(read: Option<Read<T>>, value: &Value) -> Result<T, ValueError> {
    let type_name = std::any::type_name::<T>();
    let unread = || Err(ValueError::new(format_args!("a middleware has changed it, and no `{type_name}` can be read")));
    read.map_or_else(unread, |read| caught(|| read(value)).unwrap_or_else(|| Err(panicked("read"))))
}

/// An attempt of such a call is an ask.
struct Typed<A: Handler<M>, M: Message> {
    actor: ActorRef<A>,
    /// Gone when an attempt has taken it.
    message: Option<M>,
    shown: Value,
    /// Whether that is the message.
    is_shown: bool,
    forms: Forms<M>,
    kind: &'static OperationKind<M>,
    offered: Offered,
    replied: Arc<Mutex<Option<Replied<M::Reply>>>>,
}

impl<A: Handler<M>, M: Message> Typed<A, M> {
    /// The message itself, unless middleware has changed the input.
    fn take(&mut self, input: &Value) -> Result<M, CallError> {
        if *input != self.shown {
            return self.offered.fitting(read_by(self.forms.read, input), input);
        }
        if self.is_shown {
            self.offered.hold(input)?;
        }
        let again = || read_by(self.forms.read, input).map_err(|fault| self.offered.refusal(Unfit::Value(fault)));
        self.copy().or_else(|| self.message.take()).map_or_else(again, Ok)
    }

    fn copy(&self) -> Option<M> {
        let (copy, message) = (self.forms.copy?, self.message.as_ref()?);
        caught(|| copy(message))
    }
}

impl<A: Handler<M>, M: Message> Carrier for Typed<A, M> {
    fn carry(
        &mut self,
        input: &Value,
        options: CallOptions,
        place: Place,
    ) -> impl Future<Output = Result<Value, CallError>> + Send + use<A, M> {
        let (message, actor, kind) = (self.take(input), self.actor.clone(), self.kind);
        let (state, replied) = (Arc::clone(&self.offered.state), Arc::clone(&self.replied));
        let load = self.offered.load.as_ref().map(Load::hold);
        async move {
            let _load = load;
            let attempt = Attempt::admitted(Arc::clone(&state), options.leave())?.told_by(false);
            let message = match message {
                Ok(message) => message,
                Err(error) => {
                    attempt.settle(Some(&error));
                    return Err(error);
                }
            };
            let ask = options.apply_to(actor.ask(message)).into_future();
            let (asked, _place) = Placed::new(ask, Some(place)).await;
            let result = match asked {
                Ok(reply) => {
                    let result = kind.output(&reply, &state);
                    let shown = result.as_ref().map(Value::clone).map_err(ToString::to_string);
                    *replied.lock() = Some(Replied { reply, shown });
                    result
                }
                Err(error) => Err(CallError::road(Some(state.address()), error)),
            };
            attempt.settle(result.as_ref().err());
            result
        }
    }

    fn way(&self) -> Option<CallWay> {
        let address = self.offered.state.address().parse().ok()?;
        Some(CallWay { address, key: None, is_shown: self.is_shown })
    }

    fn can_repeat(&self) -> bool {
        self.message.is_some() || (self.is_shown && self.forms.read.is_some())
    }
}
