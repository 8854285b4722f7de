//! What calls go through on their way to a module: functions of a [`Request`] and of what is [`Next`], as in axum.
//!
//! ```
//! # use callboard_actor::{Actor, Context, Drain, Fault, Message, SyncHandler, System, block_on};
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # struct Add(u64);
//! # impl Message for Add { type Reply = u64; }
//! # #[derive(Default)]
//! # struct Counter(u64);
//! # impl Actor for Counter {}
//! # impl SyncHandler<Add> for Counter {
//! #     fn handle(&mut self, Add(n): Add, _: &mut Context<Self>) -> Result<u64, Fault> { self.0 += n; Ok(self.0) }
//! # }
//! use callboard_actor::ErrorCode;
//! use callboard_bus::middleware::{Next, Request};
//! use callboard_bus::{CallError, Manifest, ModulesExt, OperationsExt, Value};
//!
//! async fn require_key(request: Request, next: Next) -> Result<Value, CallError> {
//!     if request.api_key.as_deref() != Some("sesame") {
//!         return Err(CallError::refused(ErrorCode::Unauthenticated, "this needs a key"));
//!     }
//!     next.run(request).await
//! }
//!
//! # block_on(async {
//! # let system = System::builder().workers(1).start().await?;
//! # let counter = system.spawn(Counter::default);
//! # let _registered = Manifest::new("counter", "1.0.0").operation::<Add>("add").register(&counter).await?;
//! system.operations().middleware("key").priority(20).on_module("counter").install(require_key)?;
//! let refused = system.call("counter.add", 1).await.unwrap_err();
//! assert_eq!(refused.code(), ErrorCode::Unauthenticated);
//! assert_eq!(system.call("counter.add", 1).api_key("sesame").await?, Value::from(1));
//! # system.shutdown(Drain::default()).await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Who is asked first is said by a number: the lowest is outermost. A middleware may answer by itself, change what goes in and
//! what comes out, and see errors; [`Next::run`] takes `self`, so no call goes in twice. What is tried again, is tried again
//! inside of all of them but those that are for [each attempt](crate::MiddlewareBuilder::each_attempt): these stand behind all others,
//! and see which attempt it is. A panic in one costs its call and nothing else.

mod builtin;
mod tower;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{ErrorCode, Lineage};
use futures::FutureExt;
use futures::future::BoxFuture;
use thiserror::Error;

pub use self::builtin::{fallback, log_calls, require_user};
pub use self::tower::{Pass, Passing, layer};
use crate::call::CallError;
use crate::providers::Principal;
use crate::value::Value;

/// The answer of a call, on its way.
pub type Answer = BoxFuture<'static, Result<Value, CallError>>;

/// A call on its way in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// `module.operation`.
    pub operation: Arc<str>,
    /// What goes in. Of a call with types whose message cannot be shown as a value it is null; what is put there goes in instead.
    pub input: Value,
    /// The key that the caller shows.
    pub api_key: Option<String>,
    /// Who calls, as far as somebody has found out.
    pub user: Option<String>,
    /// The same with what they may, in the words of the [gate](crate::gate) or, where that was not asked, of the caller.
    pub principal: Option<Principal>,
    /// Whatever else the caller or a middleware has to say.
    pub metadata: BTreeMap<String, Value>,
    /// When the caller stops waiting, by the clock of the system; where the call or its settings say so.
    pub deadline: Option<Duration>,
    /// The id of the call, the same in all attempts; what it belongs to, and its trace.
    pub lineage: Lineage,
    /// Which attempt this is, from 1 on, for middleware that [each attempt](crate::MiddlewareBuilder::each_attempt) goes
    /// through; nothing for what stands around all of them.
    pub attempt: Option<u32>,
}

impl Request {
    /// The name of the module.
    #[must_use]
    pub fn module(&self) -> &str {
        self.operation.rsplit_once('.').map_or(&*self.operation, |(module, _)| module)
    }
}

/// Something that calls go through. Every `Fn(Request, Next)` that returns a future of the answer is one.
pub trait Middleware: Send + Sync + 'static {
    /// Lets the call pass by [`Next::run`], or answers it.
    fn handle(&self, request: Request, next: Next) -> Answer;
}

impl<F, T> Middleware for F
where
    F: Fn(Request, Next) -> T + Send + Sync + 'static,
    T: Future<Output = Result<Value, CallError>> + Send + 'static,
{
    fn handle(&self, request: Request, next: Next) -> Answer {
        Box::pin(self(request, next))
    }
}

/// What is behind a middleware.
#[must_use = "a call that is not let pass is answered by whoever holds this"]
pub struct Next {
    all: Arc<[Arc<Named>]>,
    passed: usize,
    /// How many of them come before the end.
    until: usize,
    end: End,
}

/// What a call comes to in the end.
type End = Box<dyn FnOnce(Request) -> Answer + Send>;

impl Next {
    /// Those around all attempts.
    pub(crate) fn around(all: Arc<[Arc<Named>]>, end: impl FnOnce(Request) -> Answer + Send + 'static) -> Self {
        let until = within(&all);
        Self { all, passed: 0, until, end: Box::new(end) }
    }

    /// Those that each attempt goes through, if there are any.
    pub(crate) fn within(all: &Arc<[Arc<Named>]>) -> Option<impl FnOnce(End) -> Self + use<>> {
        let (passed, until) = (within(all), all.len());
        let all = (passed < until).then(|| Arc::clone(all))?;
        Some(move |end| Self { all, passed, until, end })
    }

    /// Lets the call pass, once.
    pub fn run(mut self, request: Request) -> Answer {
        let named = self.all[..self.until].get(self.passed).cloned();
        let Some(named) = named else { return (self.end)(request) };
        self.passed += 1;
        named.middleware.handle(request, self)
    }

    /// The same, and a panic on the way is an error.
    pub(crate) async fn run_alone(self, request: Request) -> Result<Value, CallError> {
        let operation = Arc::clone(&request.operation);
        // Whatever has panicked is gone with the call.
        let guarded = std::panic::AssertUnwindSafe(async move { self.run(request).await });
        guarded.catch_unwind().await.unwrap_or(Err(CallError::Panicked { operation }))
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all[self.passed..self.until].iter().map(|named| &named.name)).finish()
    }
}

/// Which calls go through a middleware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    Module(String),
    /// `module.operation`.
    Operation(String),
}

impl Scope {
    fn covers(&self, address: &str) -> bool {
        match self {
            Self::All => true,
            Self::Module(module) => address.rsplit_once('.').is_some_and(|(named, _)| named == module),
            Self::Operation(operation) => operation == address,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all calls"),
            Self::Module(module) => write!(f, "module {module}"),
            Self::Operation(operation) => f.write_str(operation),
        }
    }
}

/// A middleware with its name and its place.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) priority: i32,
    pub(crate) scope: Scope,
    /// Each attempt goes through it, and not only the call.
    pub(crate) is_within: bool,
    middleware: Box<dyn Middleware>,
}

impl Named {
    pub(crate) fn new(name: String, priority: i32, scope: Scope, middleware: impl Middleware) -> Self {
        Self { name, priority, scope, is_within: false, middleware: Box::new(middleware) }
    }

    /// The same for each attempt.
    pub(crate) fn within(self, is_within: bool) -> Self {
        Self { is_within, ..self }
    }
}

/// `10 logging (all calls)`, `10 signing (all calls, each attempt)`.
impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = if self.is_within { ", each attempt" } else { "" };
        write!(f, "{} {} ({}{each})", self.priority, self.name, self.scope)
    }
}

/// How many stand around all attempts; those that each goes through come behind them.
fn within(all: &[Arc<Named>]) -> usize {
    all.partition_point(|named| !named.is_within)
}

/// Those that the calls of an operation go through, the outermost first; of one priority, those that were installed first.
pub(crate) fn for_operation(all: &[Arc<Named>], address: &str) -> Arc<[Arc<Named>]> {
    let mut chosen: Vec<_> = all.iter().filter(|named| named.scope.covers(address)).cloned().collect();
    chosen.sort_by_key(|named| (named.is_within, named.priority));
    chosen.into()
}

/// A middleware that was not installed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MiddlewareError {
    /// There is one of this name.
    #[error("there is a middleware `{0}` already: remove it first, or choose another name")]
    AlreadyExists(String),
    /// A name must say something.
    #[error("a middleware needs a name")]
    NoName,
    /// A name that could not be shown as it is.
    #[error("{0:?} cannot be the name of a middleware: it has control characters")]
    InvalidName(String),
}

impl MiddlewareError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::AlreadyExists(_) => ErrorCode::AlreadyExists,
            Self::NoName | Self::InvalidName(_) => ErrorCode::InvalidName,
        }
    }
}
