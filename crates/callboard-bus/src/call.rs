//! Calls by name: [`Call`], with values, and [`PackedCall`], with MessagePack.

mod builder;
mod burial;
mod conduct;
mod error;
mod placed;
mod reply;

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

pub(crate) use self::builder::call_builder;
pub(crate) use self::burial::Way;
pub(crate) use self::conduct::{Carrier, Plan};
use self::error::why_not_taken;
pub(crate) use self::error::without_message;
pub use self::error::{CallError, Failure};
pub(crate) use self::placed::Placed;
pub use self::reply::{Reply, ReplyFuture, WithReply};
use crate::address::{Address, AddressError};
use crate::balance::CallKey;
use crate::callable::{Asked, CallOptions, First};
use crate::codec::{self, Limits};
use crate::concurrency::Place;
use crate::gate::AuthContext;
use crate::lookup::{LookupError, UnavailableReason};
use crate::modules::Modules;
use crate::operation::Attempt;
use crate::registry::{Offer, Route, Tried};
use crate::value::Value;

/// A call by name about to be made: `.await` makes it and waits for the answer.
///
/// It is an ask of the instance that is chosen when the call is first polled, and inherits as an ask does: inside a turn
/// what is left of its deadline, at least its priority, and its baggage. An instance that hands the message back at once, as
/// its breaker has just opened, it has begun to stop or it waits for the caller itself, is passed over for the next one.
///
/// # Errors
///
/// [`CallError`].
///
/// # Cancel safety
///
/// As that of [`ActorRef::ask`](callboard_actor::ActorRef::ask): dropped before it has ended, the operation may or may
/// not have been carried out. If its turn has not begun it never will.
#[must_use = "a call is made when it is awaited"]
pub struct Call<'a> {
    modules: Cow<'a, Modules>,
    address: Result<Cow<'a, Address>, Box<AddressError>>,
    payload: Payload,
    options: CallOptions,
    /// Of one that is an attempt of another call, see `conduct`, which has found room for it.
    place: Option<Place>,
}

/// What goes in, read as late as can be: a name that leads nowhere costs no reading.
enum Payload {
    Value(Value),
    /// What few calls have is behind one box, as a call is moved a few times on its way.
    Rare(Box<Rare>),
}

/// A payload of which there is more to say.
struct Rare {
    content: Content,
    key: Option<CallKey>,
}

enum Content {
    Value(Value),
    Packed(Vec<u8>, Limits),
}

impl<'a> Call<'a> {
    #[inline]
    pub(crate) fn new(modules: &'a Modules, address: &'a Address, input: Value) -> Self {
        Self::with(Cow::Borrowed(modules), Ok(Cow::Borrowed(address)), Payload::Value(input))
    }

    /// One that borrows nothing.
    pub(crate) fn owned(modules: Modules, address: Result<Address, AddressError>, input: Value) -> Self {
        Self::with(Cow::Owned(modules), address.map(Cow::Owned), Payload::Value(input))
    }

    #[inline]
    fn with(modules: Cow<'a, Modules>, address: Result<Cow<'a, Address>, AddressError>, payload: Payload) -> Self {
        Self { modules, address: address.map_err(Box::new), payload, options: CallOptions::default(), place: None }
    }

    /// The same without what it borrows, for another task to make it.
    pub fn into_owned(self) -> Call<'static> {
        let Self { modules, address, payload, options, place } = self;
        let (modules, address) = (Cow::Owned(modules.into_owned()), address.map(Cow::into_owned).map(Cow::Owned));
        Call { modules, address, payload, options, place }
    }

    /// What the call is about: where the balance of the module is [by key](crate::Balance::ConsistentHash), calls with the
    /// same key go to the same instance as long as it takes calls.
    pub fn key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.payload = self.payload.with_key(CallKey::of(key.as_ref()));
        self
    }

    call_builder!();

    /// The same for another turn to make: it shows what it would show here.
    pub(crate) fn shown_here(mut self) -> Self {
        let here = AuthContext::here();
        let shows_more = !here.is_empty() || here.is_inside();
        if shows_more && !self.options.takes_nothing_along {
            let more = self.options.more();
            more.auth = std::mem::take(&mut more.auth).or_here();
        }
        self
    }

    /// The name that is called, as far as it is one.
    pub(crate) fn operation(&self) -> Arc<str> {
        self.address.as_ref().map_or_else(|_| Arc::default(), |address| Arc::clone(address.name()))
    }

    fn options_mut(&mut self) -> &mut CallOptions {
        &mut self.options
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("address", &self.address).field("options", &self.options).finish_non_exhaustive()
    }
}

impl<'a> IntoFuture for Call<'a> {
    type Output = Result<Value, CallError>;
    type IntoFuture = CallFuture<'a>;

    #[inline]
    fn into_future(self) -> CallFuture<'a> {
        CallFuture(State::Fresh(self))
    }
}

/// The future of a [`Call`].
#[must_use = "a call is made when it is awaited"]
pub struct CallFuture<'a>(State<'a>);

enum State<'a> {
    Fresh(Call<'a>),
    Asked(Asked, Attempt),
    Conducted(Conducted),
    Done,
}

impl CallFuture<'_> {
    /// The same without what it borrows, to be kept. Once it has been polled it borrows nothing, and this costs nothing.
    pub fn into_owned(self) -> CallFuture<'static> {
        CallFuture(match self.0 {
            State::Fresh(call) => State::Fresh(call.into_owned()),
            State::Asked(asked, attempt) => State::Asked(asked, attempt),
            State::Conducted(conducted) => State::Conducted(conducted),
            State::Done => State::Done,
        })
    }
}

/// A call that is more than one attempt, on its way.
type Conducted = Pin<Box<dyn Future<Output = Result<Value, CallError>> + Send>>;

impl Future for CallFuture<'_> {
    type Output = Result<Value, CallError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        if let State::Fresh(call) = &mut self.0 {
            match call.begin(task) {
                Begun::Done(result) => {
                    self.0 = State::Done;
                    return Poll::Ready(result);
                }
                Begun::Asked(asked, attempt) => {
                    self.0 = State::Asked(asked, attempt);
                    return Poll::Pending;
                }
                Begun::Conducted(conducted) => self.0 = State::Conducted(conducted),
            }
        }
        let (result, _place) = match &mut self.0 {
            State::Asked(asked, _) => ready!(asked.as_mut().poll(task)),
            State::Conducted(conducted) => (ready!(conducted.as_mut().poll(task)), None),
            State::Fresh(_) | State::Done => return Poll::Pending,
        };
        if let State::Asked(_, attempt) = std::mem::replace(&mut self.0, State::Done) {
            attempt.settle(result.as_ref().err());
        }
        Poll::Ready(result)
    }
}

/// How a call goes on after its first poll.
enum Begun {
    Done(Result<Value, CallError>),
    Asked(Asked, Attempt),
    /// There is more to it than one attempt. It has not been polled.
    Conducted(Conducted),
}

/// How far the first poll of an attempt came.
enum Made {
    Done(Result<Value, CallError>),
    Asked(Asked),
}

/// What an instance did with a call.
enum Answer {
    Taken(Made),
    /// Nothing has happened, and another may take it, in the same place.
    HandedBack(CallError, UnavailableReason, Option<Place>),
}

impl Call<'_> {
    fn begin(&mut self, task: &mut Task<'_>) -> Begun {
        self.try_begin(task).unwrap_or_else(|error| Begun::Done(Err(self.modules.misdirect(error))))
    }

    fn try_begin(&mut self, task: &mut Task<'_>) -> Result<Begun, CallError> {
        let address = self.address.as_ref().map_err(|fault| LookupError::from(AddressError::clone(fault)))?;
        if self.options.timeout == Some(Duration::ZERO) {
            return Err(CallError::NoTime);
        }
        let snapshot = self.modules.snapshot();
        let route = snapshot.route(address)?;
        let state = route.state();
        let place =
            self.place.take().or_else(|| state.enter_at_once(self.options.more.is_some()).map(Place::into_owned));
        let Some(place) = place else {
            let input = self.payload.read(address)?.into_owned();
            let descriptor = route.describe(address.requirement()).ok();
            let (modules, address) = (Modules::clone(&self.modules), Address::clone(address));
            let by_name = ByName { modules, address, key: self.payload.key() };
            let plan = Plan::new(by_name, Arc::clone(state), self.options.clone(), descriptor.as_deref());
            return Ok(Begun::Conducted(Box::pin(plan.carry_out(input))));
        };
        let attempt = Attempt::admitted(&**state, self.options.leave())?.told_by(!self.options.is_attempt());
        match self.make(route, address, place, task).unwrap_or_else(|error| Made::Done(Err(error))) {
            Made::Asked(asked) => Ok(Begun::Asked(asked, attempt.kept_by(Arc::clone(state)))),
            Made::Done(result) => {
                attempt.settle(result.as_ref().err());
                Ok(Begun::Done(result))
            }
        }
    }

    /// Chooses an instance and asks it.
    fn make(&self, route: &Route, address: &Address, place: Place, task: &mut Task<'_>) -> Result<Made, CallError> {
        let input = self.payload.read(address)?;
        let mut ask = |offer: &Offer, place: Option<Place>| self.ask(address, offer, &input, place, task);
        let Some(first) = route.choose(address.requirement(), self.payload.key()) else {
            return Err(route.refusal(address.requirement(), &Tried::new()).into());
        };
        match ask(first, Some(place))? {
            Answer::Taken(made) => Ok(made),
            Answer::HandedBack(error, reason, place) => ask_others(route, address, (first, error, reason), place, ask),
        }
    }

    fn ask(
        &self,
        address: &Address,
        offer: &Offer,
        input: &Value,
        place: Option<Place>,
        task: &mut Task<'_>,
    ) -> Result<Answer, CallError> {
        let asked = offer.operation().ask(input, &self.options, place, task);
        let (result, place) = match asked.map_err(|unfit| CallError::unfit(Arc::clone(address.name()), unfit))? {
            First::Asked(asked) => return Ok(Answer::Taken(Made::Asked(asked))),
            First::Answered(answered) => answered,
        };
        Ok(match result.map_err(|error| (why_not_taken(&error), error)) {
            Ok(output) => Answer::Taken(Made::Done(Ok(output))),
            Err((Some(reason), error)) => Answer::HandedBack(error, reason, place),
            Err((None, error)) => Answer::Taken(Made::Done(Err(error))),
        })
    }
}

/// An attempt of such a call is a call by name that is no more than that.
struct ByName {
    modules: Modules,
    address: Address,
    key: Option<CallKey>,
}

impl Carrier for ByName {
    fn carry(
        &mut self,
        input: &Value,
        options: CallOptions,
        place: Place,
    ) -> impl Future<Output = Result<Value, CallError>> + Send + use<> {
        let payload = Payload::Value(input.clone());
        let payload = self.key.into_iter().fold(payload, Payload::with_key);
        let (modules, address) = (Cow::Owned(self.modules.clone()), Ok(Cow::Owned(self.address.clone())));
        Call { modules, address, payload, options, place: Some(place) }.into_future()
    }

    fn way(&self) -> Option<Way> {
        Some(Way { address: self.address.clone(), key: self.key, is_shown: true })
    }
}

/// One instance has handed the call back: asks the others, each once.
#[cold]
fn ask_others(
    route: &Route,
    address: &Address,
    (first, error, reason): (&Offer, CallError, UnavailableReason),
    mut place: Option<Place>,
    mut ask: impl FnMut(&Offer, Option<Place>) -> Result<Answer, CallError>,
) -> Result<Made, CallError> {
    let mut tried = Tried::from([(first.entry().number(), reason)]);
    for other in route.others(address.requirement(), first) {
        match ask(other, place.take())? {
            Answer::Taken(made) => {
                route.took(other);
                return Ok(made);
            }
            Answer::HandedBack(_, reason, back) => {
                place = back;
                tried.insert(other.entry().number(), reason);
            }
        }
    }
    match route.refusal(address.requirement(), &tried) {
        // Who waits for whom says more than that nobody takes the call.
        LookupError::Unavailable(all) if all.is_ask_cycle() => Err(error),
        refusal => Err(refusal.into()),
    }
}

impl Payload {
    fn packed(bytes: Vec<u8>) -> Self {
        Self::Rare(Box::new(Rare { content: Content::Packed(bytes, Limits::default()), key: None }))
    }

    #[inline]
    fn read(&self, address: &Address) -> Result<Cow<'_, Value>, CallError> {
        match self {
            Self::Value(value) => Ok(Cow::Borrowed(value)),
            Self::Rare(rare) => rare.content.read(address),
        }
    }

    #[inline]
    fn key(&self) -> Option<CallKey> {
        if let Self::Rare(rare) = self { rare.key } else { None }
    }

    fn with_key(self, key: CallKey) -> Self {
        let content = match self {
            Self::Value(value) => Content::Value(value),
            Self::Rare(rare) => rare.content,
        };
        Self::Rare(Box::new(Rare { content, key: Some(key) }))
    }
}

impl Content {
    #[inline(never)]
    fn read(&self, address: &Address) -> Result<Cow<'_, Value>, CallError> {
        match self {
            Self::Value(value) => Ok(Cow::Borrowed(value)),
            Self::Packed(bytes, limits) => codec::decode_value(bytes, limits)
                .map(Cow::Owned)
                .map_err(|fault| CallError::Bytes { operation: Arc::clone(address.name()), fault }),
        }
    }
}

impl fmt::Debug for CallFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Fresh(_) => "CallFuture(not made yet)",
            State::Asked(..) | State::Conducted(_) => "CallFuture(asked)",
            State::Done => "CallFuture(done)",
        })
    }
}

/// A call by name whose payload and answer are MessagePack; otherwise as a [`Call`].
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct PackedCall<'a>(Call<'a>);

impl<'a> PackedCall<'a> {
    pub(crate) fn new(
        modules: Cow<'a, Modules>,
        address: Result<Cow<'a, Address>, AddressError>,
        bytes: Vec<u8>,
    ) -> Self {
        Self(Call::with(modules, address, Payload::packed(bytes)))
    }

    /// As [`Call::into_owned`].
    pub fn into_owned(self) -> PackedCall<'static> {
        PackedCall(self.0.into_owned())
    }

    /// What the payload may be at most.
    pub fn limits(mut self, limits: Limits) -> Self {
        if let Payload::Rare(rare) = &mut self.0.payload
            && let Content::Packed(_, set) = &mut rare.content
        {
            *set = limits;
        }
        self
    }

    /// As [`Call::key`].
    pub fn key(self, key: impl AsRef<[u8]>) -> Self {
        Self(self.0.key(key))
    }

    call_builder!();

    fn options_mut(&mut self) -> &mut CallOptions {
        &mut self.0.options
    }
}

impl<'a> IntoFuture for PackedCall<'a> {
    type Output = Result<Vec<u8>, CallError>;
    type IntoFuture = PackedCallFuture<'a>;

    fn into_future(self) -> PackedCallFuture<'a> {
        PackedCallFuture(self.0.into_future())
    }
}

/// The future of a [`PackedCall`].
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct PackedCallFuture<'a>(CallFuture<'a>);

impl Future for PackedCallFuture<'_> {
    type Output = Result<Vec<u8>, CallError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(task).map(|result| result.and_then(|output| pack(&output)))
    }
}

fn pack(output: &Value) -> Result<Vec<u8>, CallError> {
    codec::encode_value(output).map_err(CallError::Output)
}
