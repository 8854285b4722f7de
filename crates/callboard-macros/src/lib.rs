//! Derives of the callboard actor framework: sugar only, all of it can be written by hand.
//!
//! Use them through `callboard` or `callboard-actor`, whose feature `macros` (on by default)
//! re-exports them:
//!
//! | macro | what it writes |
//! |---|---|
//! | [`derive@Message`] | the `impl Message` of a type |
//! | [`derive@Event`] | the name that a type of events is published under |
//! | [`macro@module`] | all that makes a module of a type with methods |
//! | [`macro@main`] | a `fn main` that runs an `async fn main` to its end |
//!
//! The code they write names the crate that the expanding package depends on: `callboard` if
//! it is among its dependencies, else `callboard-actor`, under whatever name `Cargo.toml` gives
//! it. `crate = path` overrides that, for a package which re-exports the framework.
//!
//! This crate does not look at actors or handlers, and nothing of it exists at run time.

mod crate_path;
mod duration;
mod event;
mod keys;
mod main_fn;
mod message;
mod module;
mod names;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Implements `Message` for a struct, enum or union.
///
/// Without any key the message has the reply `()`, the priority `Normal`, no timeout of its
/// own, and is not kept. Each key of `#[message(..)]` is optional and stands at most once:
///
/// | key | value | meaning |
/// |---|---|---|
/// | `reply` | a type | what a handler answers: `Message::Reply`; must be `Send + 'static` |
/// | `priority` | `Critical`, `High`, `Normal`, `Low` or `Background` | the lane of a send that names none |
/// | `timeout` | text: `"2s"`, `"150ms"`, `"1m 30s"` | how long an ask waits that names no timeout; units `ns`, `us`, `ms`, `s`, `m`, `h`, `d` |
/// | `keep` | none | a copy is kept while a turn runs, and the message is run again when that turn fails; the type must be `Clone` |
/// | `crate` | a path | where the framework is found, if not in the dependencies of the expanding package |
///
/// # Examples
///
/// ```
/// # mod callboard {
/// #     pub use callboard_macros::Message;
/// #     pub trait Message: Sized + Send + 'static {
/// #         type Reply: Send + 'static;
/// #         const PRIORITY: Priority = Priority::Normal;
/// #         const TIMEOUT: Option<std::time::Duration> = None;
/// #         const KEEP: Option<fn(&mut Self) -> Self> = None;
/// #     }
/// #     #[derive(Debug, PartialEq)]
/// #     pub enum Priority { High, Normal }
/// # }
/// use callboard::{Message, Priority};
/// use std::time::Duration;
///
/// struct Declined;
///
/// #[derive(Clone, Message)]
/// # #[message(crate = callboard)]
/// #[message(reply = Result<u64, Declined>, priority = High, timeout = "2s", keep)]
/// struct Withdraw {
///     cents: u64,
/// }
///
/// assert_eq!(Withdraw::PRIORITY, Priority::High);
/// assert_eq!(Withdraw::TIMEOUT, Some(Duration::from_secs(2)));
/// assert!(Withdraw::KEEP.is_some());
/// ```
///
/// The same by hand:
///
/// ```
/// # use std::time::Duration;
/// # trait Message: Sized + Send + 'static {
/// #     type Reply: Send + 'static;
/// #     const PRIORITY: Priority = Priority::Normal;
/// #     const TIMEOUT: Option<Duration> = None;
/// #     const KEEP: Option<fn(&mut Self) -> Self> = None;
/// # }
/// # enum Priority { High, Normal }
/// # struct Declined;
/// # #[derive(Clone)]
/// # struct Withdraw { cents: u64 }
/// impl Message for Withdraw {
///     type Reply = Result<u64, Declined>;
///     const PRIORITY: Priority = Priority::High;
///     const TIMEOUT: Option<Duration> = Some(Duration::from_secs(2));
///     const KEEP: Option<fn(&mut Self) -> Self> = Some(|message| message.clone());
/// }
/// ```
///
/// # Generic messages
///
/// Type parameters need no bounds of their own. The written `impl` holds for those arguments
/// with which the message and its reply are `Send + 'static`, and `Clone` when it is kept:
///
/// ```
/// # mod callboard {
/// #     pub use callboard_macros::Message;
/// #     pub trait Message: Sized + Send + 'static {
/// #         type Reply: Send + 'static;
/// #     }
/// # }
/// # use callboard::Message;
/// #[derive(Message)]
/// # #[message(crate = callboard)]
/// #[message(reply = Option<T>)]
/// struct Swap<T>(T);
///
/// fn is_message<M: Message>() {}
/// is_message::<Swap<String>>();
/// ```
#[proc_macro_derive(Message, attributes(message))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input);
    finish(message::expand(&input))
}

/// Turns `async fn main` into a `fn main` that runs it with `block_on` of the framework.
///
/// The future runs on the main thread, which owns no actors: those live on the threads of the
/// `System` that it starts. The return type is kept, so `?` and exit codes work as ever.
/// `#[callboard::main(crate = path)]` says where the framework is found.
///
/// `async fn main(system: System)` is given a system of all defaults, which is shut down when the function
/// has ended, also by `?`: actors that have started handle first what was sent to them. It is `System::builder().run(main)`, and
/// panics where that has an error, so when the operating system has no threads left.
///
/// # Examples
///
/// ```
/// # mod callboard {
/// #     pub use callboard_macros::main;
/// #     pub fn block_on<F: Future>(future: F) -> F::Output {
/// #         let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
/// #         match std::pin::pin!(future).poll(&mut cx) {
/// #             std::task::Poll::Ready(output) => output,
/// #             std::task::Poll::Pending => unreachable!("the example never waits"),
/// #         }
/// #     }
/// # }
/// # #[callboard::main(crate = callboard)]
/// # /*
/// #[callboard::main]
/// # */
/// async fn main() -> Result<(), std::num::ParseIntError> {
///     let answer: u32 = "42".parse()?;
///     assert_eq!(answer, 42);
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, function: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments);
    let function = parse_macro_input!(function);
    finish(main_fn::expand(arguments, function))
}

/// Implements `DomainEvent` for a type: the events that are made of it have this name.
///
/// ```text
/// #[derive(Event, Serialize, Deserialize)]
/// #[event("data.updated")]
/// struct DataUpdated { id: u64 }
/// ```
///
/// `#[event("..", crate = path)]` says where the framework is found.
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input);
    finish(event::expand(&input))
}

/// Makes a module of a type: an actor that is found by its name, and whose methods are called by theirs.
///
/// It stands on the type's own `impl` block, which stays as it is. The keys, of which `name` alone must be there:
///
/// | key | |
/// |---|---|
/// | `name = ".."` | the name of the module |
/// | `version = ".."` | its semantic version; else that of the package |
/// | `description = ".."` | in a sentence; else the first paragraph above the block |
/// | `owner = ".."` | who looks after it |
/// | `tags("..", ..)` | words to find it by |
/// | `requires("storage.put@^1", ..)` | operations of others that it needs |
/// | `may_use("audit.note", ..)` | operations of others that it can do without |
/// | `publishes("data.updated", ..)` | events that it publishes |
/// | `advertises(Capability::builder(..), ..)` | what it can do besides its operations |
/// | `protocols(RequestResponse, ..)` | in which ways it takes part; else those that its methods speak for |
/// | `security_level = Authenticated` | who may use it |
/// | `required_permissions("lab", ..)` | what a caller needs to be shown it |
/// | `balance = LeastLoaded` | how calls are spread over its instances |
/// | `weight = 3` | how many calls an instance gets for each of one with the weight 1 |
/// | `replicas = 3` | how many instances are started |
/// | `crate = path` | where the framework is found |
///
/// The methods with a part in it; each may be `async` or not, and take the context last or not:
///
/// | method | |
/// |---|---|
/// | `#[request("name")] fn (&mut self, message: M) -> M::Reply` | the operation `module.name`; after the name the keys below. It may return `Result<M::Reply, Fault>`; how it refuses is said under *Refusals and faults* |
/// | `#[event("pattern")] fn (&mut self, event: E)` | hears events that are published without a channel, and broadcasts: `Event` as it is, or their data as any type; without a pattern those of the name that `E` has by `#[derive(Event)]`; with `channel = "name"` what is published on that channel, which has to be there, instead |
/// | `#[every("30s")] fn (&mut self)` | is called again and again, after each start |
/// | `#[probe] fn (&mut self) -> Health` | says how the module is |
/// | `async fn start(cx: &mut Context<Self>) -> Result<Self, Fault>` | builds the value, at each start |
/// | `async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault>` | runs after it |
/// | `async fn stop(self, why: StopReason)` | runs last |
///
/// Of an operation more can be said after its name, in the words of `Operation` and of `CallSettings`:
///
/// | key | |
/// |---|---|
/// | `idempotent`, `for_modules`, `deprecated = ".."` | as the methods of `Operation` with these names |
/// | `parameters = ..` | what it takes, by an expression: a table, `Parameters` |
/// | `blocking` | it blocks its thread: it runs on the pool for that, as `fn (&self, message: M) -> M::Reply` or without a `self` |
/// | `timeout = "2s"`, `rate(100, "1s")`, `no_breaker` | how its calls are made |
/// | `retry = ..` | the same, by an expression that is a `RetryPolicy`: `retry = twice()`, where `twice` is a function |
/// | `breaker = ..` | the same, by an expression that is `BreakerRules`: `breaker = BreakerRules::tripping_on([Trip::Consecutive(3)])` |
/// | `dead_letters(Permanent, ..)` | calls that end by an error of these classes leave a dead letter |
///
/// An operation that blocks with `&self` is given a clone of the value: what it shares with the actor lies behind an `Arc`. The turn
/// waits for it as for anything else, so the messages of the actor wait as well, and other actors on the thread do not. It may have begun
/// when its turn ends before its time; then it goes on to its end, and what comes of it is dropped.
///
/// The expressions of `retry` and `breaker` may be anything that can be written where the block stands; they are evaluated when
/// the manifest is made:
///
/// ```text
/// fn twice() -> RetryPolicy {
///     RetryPolicy::builder().max_retries(1).build().expect("it can work")
/// }
///
/// #[request("put", retry = twice(), breaker = BreakerRules::tripping_on([Trip::Consecutive(3)]))]
/// ```
///
/// # Refusals and faults
///
/// An operation that may say no has a message with `reply = Result<T, E>`, and its method returns `Result<T, E>`. `E` is an
/// `std::error::Error`:
///
/// ```text
/// #[derive(Message, Deserialize, JsonSchema)]
/// #[message(reply = Result<u32, NotReserved>)]
/// struct Reserve { sku: String }
///
/// #[request("reserve")]
/// fn reserve(&mut self, reserve: Reserve) -> Result<u32, NotReserved> { .. }
/// ```
///
/// | the method returns | what it is | what it costs |
/// |---|---|---|
/// | `Err(E)` in the reply | an answer, a no: `CallError::Failed` for a caller by name | the module nothing: its value stays as it is |
/// | `Err(Fault)` beside the reply, as in `Result<M::Reply, Fault>` | a fault, as a panic is one | the module its value: it is restarted, and that counts in its actor's breaker |
///
/// Whether an `E` in the reply is tried again by `retry`, and whether it counts in the operation's breaker, depends on its
/// class: one that may pass is and does, one that is permanent is not and does not. An error says that it may pass by its
/// causes: somewhere in its chain of `source`s stands an `AskError`, a `CallError` or another error of the framework which
/// has the mark for that among its own causes, as those have that tell of a full mailbox, of a time-out or of an instance
/// that takes no calls now. That goes over all words. Nothing else of its type is looked at, and no error says by its causes
/// that it is permanent.
///
/// Otherwise the words of the error speak for it, its own and those of its causes, in upper or lower case: it may pass with
/// `timeout`, `connection`, `network`, `unavailable` or `busy` in them, unless there is one of `validation`,
/// `authentication`, `authorization` and `not found` as well; without any of these words it is permanent:
///
/// ```text
/// #[derive(Debug, thiserror::Error)]
/// enum NotReserved {
///     /// Tried again where the `CallError` has the mark, whatever the words are; and else as the words of both say.
///     #[error("the store did not answer")]
///     Store(#[from] CallError),
///     /// Tried again, for the word `busy`.
///     #[error("the shelf is busy")]
///     Busy,
///     /// Not tried again, as no word speaks for it.
///     #[error("only {left} are left")]
///     TooFew { left: u32 },
/// }
/// ```
///
/// `system.operations().classify_by(..)` puts a function of the error in the place of the words. It is given the error itself,
/// so it may ask for its type: `error.downcast_ref::<NotReserved>()`.
///
/// # What is written
///
/// It writes the `impl`s of `Actor`, `Module`, `Start` and of a handler for each method, and a trait `NameOperations` by
/// which the operations are methods of an `ActorRef<Name>`. All of it can be written by hand.
#[proc_macro_attribute]
pub fn module(arguments: TokenStream, block: TokenStream) -> TokenStream {
    let block = parse_macro_input!(block);
    finish(module::expand(arguments.into(), block))
}

fn finish(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expanded.unwrap_or_else(syn::Error::into_compile_error).into()
}
