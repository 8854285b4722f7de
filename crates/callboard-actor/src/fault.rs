//! What went wrong in an actor: [`Fault`] for the supervisor, [`Incident`] for everyone else.

use std::any::Any;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo, catch_unwind};
use std::sync::{Arc, Once};

use serde::{Deserialize, Serialize};

use crate::error::{AskFailure, ErrorCode};

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultClass {
    /// The cause may pass: a time-out, a refused connection, an actor that is restarting.
    Retryable,
    /// The same input would fail again.
    Permanent,
}

/// Which of the ways to fail it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// A handler answered with a [`Fault`].
    Error,
    /// Code of the actor panicked.
    Panic,
    /// A turn took longer than its time limit.
    TurnTimeout,
    /// The factory or [`Actor::started`](crate::Actor::started) failed.
    Start,
    /// The factory and `started` took longer than the start time limit.
    StartTimeout,
    /// A timer, an interval or a spawned future of the actor panicked.
    Task,
    /// A turn did not give its thread back; the actor was replaced on another arbiter.
    Stuck,
    /// The supervisor below it gave up.
    Escalated,
    /// The value of a permanent actor ended by itself, which is no fault; as an incident it shows only where a supervisor
    /// gave up because that happened too often.
    Finished,
}

/// An error for the supervisor: it ends the turn, and the value is replaced.
///
/// `?` turns any `std::error::Error` into one. The class is [`Permanent`](FaultClass::Permanent) unless something in
/// the chain of sources says otherwise; [`Fault::retryable`] says so explicitly. Like `anyhow::Error` it is not itself
/// a `std::error::Error`, because then `?` could not convert every other one.
pub struct Fault(Box<Body>);

struct Body {
    kind: FaultKind,
    class: FaultClass,
    text: Cow<'static, str>,
    location: Option<String>,
    backtrace: Option<String>,
}

impl Fault {
    /// A fault whose cause may pass.
    #[must_use]
    #[track_caller]
    pub fn retryable(text: impl fmt::Display) -> Self {
        Self::new(FaultKind::Error, FaultClass::Retryable, text.to_string()).at(Location::caller())
    }

    /// A fault that the same input would cause again.
    #[must_use]
    #[track_caller]
    pub fn permanent(text: impl fmt::Display) -> Self {
        Self::new(FaultKind::Error, FaultClass::Permanent, text.to_string()).at(Location::caller())
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        self.0.class
    }

    /// Which of the ways to fail it was.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        self.0.kind
    }

    /// What went wrong, with the texts of its causes.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// File, line and column where it was made or where the panic was raised, when known.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }

    pub(crate) fn new(kind: FaultKind, class: FaultClass, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Body { kind, class, text: text.into(), location: None, backtrace: None }))
    }

    fn copied(&self) -> Self {
        let Body { kind, class, text, location, backtrace } = &*self.0;
        let (text, location, backtrace) = (text.clone(), location.clone(), backtrace.clone());
        Self(Box::new(Body { kind: *kind, class: *class, text, location, backtrace }))
    }

    /// The same fault, seen as `kind`: a panic in a factory is a failed start.
    pub(crate) fn seen_as(mut self, kind: FaultKind) -> Self {
        self.0.kind = kind;
        self
    }

    fn at(mut self, location: &Location<'_>) -> Self {
        self.0.location = Some(place(location));
        self
    }
}

impl Fault {
    /// What `?` would make of this error.
    #[track_caller]
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        Self::new(FaultKind::Error, class_of(error), with_causes(error)).at(Location::caller())
    }
}

impl<E: Error + 'static> From<E> for Fault {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::of(&error)
    }
}

/// The class that an error of ours in the chain names; anything unknown is permanent, so that nothing is retried by
/// guessing.
fn class_of(error: &(dyn Error + 'static)) -> FaultClass {
    let retryable = causes(error).filter_map(|cause| cause.downcast_ref::<AskFailure>()).any(AskFailure::is_retryable);
    if retryable { FaultClass::Retryable } else { FaultClass::Permanent }
}

fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    // The failure of an ask in the chain carries a class, not a text of its own.
    for cause in causes(error).skip(1).filter(|cause| !cause.is::<AskFailure>()) {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}

/// On one line, as it may repeat what somebody has sent.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(f, &self.0.text)?;
        match &self.0.location {
            Some(location) => write!(f, " at {location}"),
            None => Ok(()),
        }
    }
}

/// A text with its control characters escaped, so that it forges no line of a log and does nothing to a terminal.
fn write_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    text.chars().try_for_each(|sign| match sign.is_control() {
        true => write!(f, "{}", sign.escape_default()),
        false => f.write_char(sign),
    })
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("kind", &self.0.kind)
            .field("class", &self.0.class)
            .field("text", &self.0.text)
            .field("location", &self.0.location)
            .finish_non_exhaustive()
    }
}

/// One fault of one actor, as askers, monitors, dead letters and inspection see it. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Incident(Arc<Report>);

#[derive(PartialEq, Eq, Serialize)]
struct Report {
    actor: String,
    generation: u64,
    message: Option<&'static str>,
    kind: FaultKind,
    class: FaultClass,
    text: Cow<'static, str>,
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backtrace: Option<String>,
}

impl Incident {
    pub(crate) fn new(actor: String, generation: u64, message: Option<&'static str>, fault: Fault) -> Self {
        let Body { kind, class, text, location, backtrace } = *fault.0;
        Self(Arc::new(Report { actor, generation, message, kind, class, text, location, backtrace }))
    }

    /// The name of the actor that failed.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.0.actor
    }

    /// Which value of the actor failed; the first one is generation 1.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// The type of the message whose turn failed, when it was a turn.
    #[must_use]
    pub fn message(&self) -> Option<&'static str> {
        self.0.message
    }

    /// Which of the ways to fail it was.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        self.0.kind
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        self.0.class
    }

    /// The panic's or the fault's own words.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// File, line and column, when known.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }

    /// The stack at the panic; only when the system was built with backtraces.
    #[must_use]
    pub fn backtrace(&self) -> Option<&str> {
        self.0.backtrace.as_deref()
    }

    /// The stable code of this failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self.0.kind {
            FaultKind::Panic | FaultKind::Task => ErrorCode::HandlerPanicked,
            FaultKind::TurnTimeout | FaultKind::StartTimeout | FaultKind::Stuck => ErrorCode::Timeout,
            FaultKind::Error | FaultKind::Start | FaultKind::Escalated | FaultKind::Finished => {
                ErrorCode::HandlerFailed
            }
        }
    }

    /// The incident as a fault of someone else: what a supervisor tells its own parent.
    pub(crate) fn escalate(&self) -> Fault {
        Fault::new(FaultKind::Escalated, self.0.class, self.to_string())
    }
}

impl Serialize for Incident {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// On one line, as a [`Fault`].
impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.0.actor)?;
        write_line(f, &self.0.text)?;
        match &self.0.location {
            Some(location) => write!(f, " at {location}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Incident({self})")
    }
}

/// Runs code of an actor; a panic in it becomes a fault with the text and the place. The panic is printed as usual
/// unless the caller is within [`silence`].
#[inline]
pub(crate) fn catch<R>(body: impl FnOnce() -> R) -> Result<R, Fault> {
    catch_unwind(AssertUnwindSafe(body)).map_err(fault_of_payload)
}

/// The payload is the user's, and may panic in its turn when it is dropped; what it throws then is not dropped at all.
#[cold]
fn fault_of_payload(payload: Box<dyn Any + Send>) -> Fault {
    let fault = fault_of_panic(&*payload);
    if let Err(thrown) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(thrown);
        LAST_PANIC.set(None);
    }
    fault
}

/// The same for code that does not run under a driver.
pub(crate) fn guard<R>(body: impl FnOnce() -> R) -> Result<R, Fault> {
    let _silent = silence();
    catch(body)
}

/// Keeps the panic hook silent on this thread until the guard is dropped: whoever holds it catches every panic.
#[must_use]
pub(crate) struct Silence(bool);

/// See [`Silence`].
#[inline]
pub(crate) fn silence() -> Silence {
    Silence(GUARDED.replace(true))
}

impl Drop for Silence {
    #[inline]
    fn drop(&mut self) {
        GUARDED.set(self.0);
    }
}

/// Drops a value of the user's; a panic in its `Drop` is logged, as nobody is left who could be told.
pub(crate) fn drop_quietly<T>(value: T) {
    if let Err(fault) = guard(|| drop(value)) {
        tracing::warn!(target: "callboard::supervisor", %fault, "a value panicked while it was dropped");
    }
}

thread_local! {
    /// Code of an actor is running, so that a panic is caught and reported and need not be printed.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    /// Stacks are wanted on this thread.
    static BACKTRACES: Cell<bool> = const { Cell::new(false) };
    static LAST_PANIC: RefCell<Option<PanicNote>> = const { RefCell::new(None) };
}

struct PanicNote {
    location: Option<String>,
    backtrace: Option<String>,
}

/// Chains our hook in front of the process's, once per process. Inside guarded code it notes where the panic was and
/// stays silent; anywhere else it hands over to the hook that was there before.
pub(crate) fn install_panic_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| if GUARDED.get() { note_panic(info) } else { previous(info) }));
    });
}

/// Whether panics on the calling thread record their stack; an arbiter sets it as its system was built.
pub(crate) fn record_backtraces(wanted: bool) {
    BACKTRACES.set(wanted);
}

fn note_panic(info: &PanicHookInfo<'_>) {
    let backtrace = BACKTRACES.get().then(|| std::backtrace::Backtrace::force_capture().to_string());
    LAST_PANIC.set(Some(PanicNote { location: info.location().map(place), backtrace }));
}

/// File, line and column, as `Location` prints itself, which allocates four times for it.
fn place(location: &Location<'_>) -> String {
    [location.file(), &location.line().to_string(), &location.column().to_string()].join(":")
}

#[cold]
fn fault_of_panic(payload: &(dyn Any + Send)) -> Fault {
    // A panic that was caught on another thread and is raised again here.
    if let Some(fault) = payload.downcast_ref::<Fault>() {
        return fault.copied();
    }
    let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => Cow::Borrowed(*text),
        (_, Some(text)) => Cow::Owned(text.clone()),
        _ => "a panic whose payload is no text".into(),
    };
    let mut fault = Fault::new(FaultKind::Panic, FaultClass::Permanent, text);
    if let Some(note) = LAST_PANIC.take() {
        fault.0.location = note.location;
        fault.0.backtrace = note.backtrace;
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the file")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn any_error_becomes_a_fault_with_its_causes_and_place() {
        let fault = Fault::from(Outer(std::io::Error::other("disk gone")));
        assert_eq!(fault.text(), "cannot read the file: disk gone");
        assert_eq!(fault.class(), FaultClass::Permanent);
        assert!(fault.location().is_some_and(|place| place.contains("fault.rs")));
    }

    #[test]
    fn what_is_shown_is_one_line() {
        let incident = Incident::new("lab".into(), 1, None, Fault::permanent("no `a\nb\u{1b}[2J`"));
        assert!(incident.to_string().starts_with("lab: no `a\\nb\\u{1b}[2J` at "), "{incident}");
        assert_eq!(incident.text(), "no `a\nb\u{1b}[2J`");
    }

    #[test]
    fn a_failed_ask_keeps_its_class() {
        assert_eq!(Fault::from(AskFailure::Timeout(crate::error::Stage::Queue)).class(), FaultClass::Retryable);
        assert_eq!(Fault::from(AskFailure::Cycle).class(), FaultClass::Permanent);
    }

    #[test]
    fn a_guarded_panic_is_silent_and_located() {
        install_panic_hook();
        let fault = guard(|| panic!("boom {}", 7)).unwrap_err();
        assert_eq!((fault.kind(), fault.text()), (FaultKind::Panic, "boom 7"));
        assert!(fault.location().is_some_and(|place| place.contains("fault.rs")));
    }
}
