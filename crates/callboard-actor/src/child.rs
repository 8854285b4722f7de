//! How an actor is to be started and looked after: [`Child`], and the defaults behind it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::actor::Actor;
use crate::breaker::BreakerRules;
use crate::context::{Context, Factory, Plain, Waiting};
use crate::fault::Fault;
use crate::mailbox::{Bounds, Overflow};
use crate::message::Priority;
use crate::part::{AnyPart, Part};
use crate::supervisor::{Backoff, GiveUp, Intensity, Licence, Strategy};
use crate::sync::Mutex;

/// Whether an actor begins again after its value has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Always.
    #[default]
    Permanent,
    /// After a fault only.
    Transient,
    /// Never, not even together with a sibling.
    Temporary,
}

/// Which thread an actor lives on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Placement {
    /// The arbiters of the system in turn.
    #[default]
    Spread,
    /// The arbiter with this number, from 0; a number beyond the last one counts on from the first. When a turn has not
    /// given that thread back, another one, with a warning in the log.
    Pinned(usize),
    /// A thread of its own, which ends with the actor.
    Dedicated,
}

/// What every actor starts out with. All of it can be changed per system, per supervisor and per actor.
///
/// | what | default |
/// |---|---|
/// | bound per lane; places on top for `Critical` | 1,024; 256 |
/// | what a full lane does | senders wait |
/// | ask timeout; turn time limit; start time limit | 30 s; none; 10 s |
/// | restart type | permanent |
/// | restart intensity | more than 5 in 30 s is too often |
/// | restart back-off | 0, then 100 ms doubling up to 30 s, full jitter |
/// | breaker | opens with the intensity, reset time 30 s |
/// | attempts of a kept message | 3 |
/// | dead letters; quarantine | the last 1,000 each |
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Defaults {
    /// Places per lane of a mailbox.
    pub bound: u32,
    /// Places on top of the bound that only `Critical` messages may take.
    pub critical_reserve: u32,
    /// What happens to a message that finds no room.
    pub overflow: Overflow,
    /// How long an ask waits when neither the call nor the message type says.
    pub ask_timeout: Duration,
    /// How long a turn may take.
    pub turn_limit: Option<Duration>,
    /// How long a factory together with `started`, or `stopped`, may take.
    pub start_limit: Duration,
    /// Whether an actor begins again.
    pub restart: Restart,
    /// How often is too often.
    pub intensity: Intensity,
    /// How long to wait before a restart.
    pub backoff: Backoff,
    /// When the actor's breaker opens, and for how long.
    pub breaker: BreakerRules,
    /// How often a kept message is tried before it is quarantined.
    pub attempts: u32,
    /// How many dead letters are kept to be looked at.
    pub dead_letters: usize,
    /// How many quarantined messages are kept.
    pub quarantine: usize,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            bound: 1024,
            critical_reserve: 256,
            overflow: Overflow::Wait,
            ask_timeout: Duration::from_secs(30),
            turn_limit: None,
            start_limit: Duration::from_secs(10),
            restart: Restart::Permanent,
            intensity: Intensity::default(),
            backoff: Backoff::default(),
            breaker: BreakerRules::default(),
            attempts: 3,
            dead_letters: 1000,
            quarantine: 1000,
        }
    }
}

impl Defaults {
    /// What cannot work in these settings.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = self.breaker.faults();
        faults.extend(self.backoff.faults());
        if self.bound == 0 {
            faults.push("bound: a mailbox needs at least one place per lane".to_owned());
        }
        if self.attempts == 0 {
            faults.push("attempts: a message has to be tried at least once".to_owned());
        }
        if self.ask_timeout.is_zero() || self.start_limit.is_zero() || self.turn_limit == Some(Duration::ZERO) {
            faults.push("ask_timeout, start_limit, turn_limit: a limit of zero would fail everything".to_owned());
        }
        faults
    }
}

/// Decides about every message before it reaches a mailbox: the one place for a gate of security.
///
/// An actor without a hook pays nothing for it.
pub trait Admission: Send + Sync {
    /// Lets the message pass or says why not.
    ///
    /// # Errors
    ///
    /// The reason, which the sender gets together with its message.
    fn admit(&self, request: &AdmissionRequest<'_>) -> Result<(), String>;
}

/// What an [`Admission`] hook decides about.
#[derive(Debug)]
#[non_exhaustive]
pub struct AdmissionRequest<'a> {
    /// The name of the receiving actor.
    pub actor: &'a str,
    /// The type of the message.
    pub message: &'static str,
    /// What travels with the turn that sends, if it is sent from one.
    pub baggage: Option<&'a crate::Baggage>,
}

/// An actor to be started: its factory, and what differs from the defaults. Made by [`child`] or [`child_with`].
#[must_use = "a child does nothing until it is spawned"]
pub struct Child<A: Actor> {
    pub(crate) name: Option<Box<str>>,
    pub(crate) factory: Factory<A>,
    pub(crate) part: Option<AnyPart>,
    changes: Vec<Change>,
}

/// One setting that differs from the defaults.
type Change = Box<dyn FnOnce(&mut Policy) + Send>;

/// An actor whose value `make` builds, on the actor's own thread, at each start. A name tells it apart in inspection and
/// lets it be found; two actors may have the same one.
pub fn child<A: Actor>(name: impl Into<String>, make: impl Fn() -> A + Send + Sync + 'static) -> Child<A> {
    Child::new(Some(name.into()), Box::new(Plain(make)))
}

/// An actor whose value is built by code that may wait and fail: an error, a panic or a time-out in it is a failed start.
///
/// ```
/// # use callboard_actor as callboard;
/// # use callboard::{Actor, Context, Fault, child_with};
/// # struct Journal(std::fs::File);
/// # impl Actor for Journal {}
/// let journal = child_with("journal", async |_: &mut Context<Journal>| -> Result<Journal, Fault> {
///     Ok(Journal(std::fs::File::open("journal.log")?))
/// });
/// ```
pub fn child_with<A: Actor, F>(name: impl Into<String>, make: F) -> Child<A>
where
    F: AsyncFn(&mut Context<A>) -> Result<A, Fault> + Send + Sync + 'static,
{
    Child::new(Some(name.into()), Box::new(Waiting(make)))
}

impl<A: Actor> Child<A> {
    fn new(name: Option<String>, factory: Factory<A>) -> Self {
        Self { name: name.map(String::into_boxed_str), factory, part: None, changes: Vec::new() }
    }

    /// What it is to the layer that made it, which says what must start before it. For a child that is named to a
    /// supervisor before that starts; one that is spawned starts at once.
    pub fn part(mut self, part: impl Part) -> Self {
        self.part = Some(AnyPart::new(part));
        self
    }

    /// Places per lane of its mailbox, at least one. Below 64 the number is exact; from there on, senders on the actor's
    /// own thread who race with others may exceed it by the few messages pushed in that moment.
    pub fn bound(self, per_lane: u32) -> Self {
        self.change(move |policy| policy.bounds.per_lane = per_lane.max(1))
    }

    /// What happens to a message that finds no room.
    pub fn overflow(self, overflow: Overflow) -> Self {
        self.change(move |policy| policy.bounds.overflow = overflow)
    }

    /// The most urgent priority that senders may claim; what claims more is served with this one.
    pub fn ceiling(self, priority: Priority) -> Self {
        self.change(move |policy| policy.bounds.ceiling = priority.lane() as u8)
    }

    /// Whether it begins again after its value has ended.
    pub fn restart(self, restart: Restart) -> Self {
        self.change(move |policy| policy.restart = restart)
    }

    /// How long to wait before a restart.
    pub fn backoff(self, backoff: Backoff) -> Self {
        self.change(move |policy| policy.backoff = backoff)
    }

    /// More than so many restarts in so long are too often. Under [`one_for_all`](crate::one_for_all) and
    /// [`rest_for_one`](crate::rest_for_one), where groups restart, the supervisor's own intensity counts instead.
    pub fn intensity(self, restarts: u32, within: Duration) -> Self {
        self.change(move |policy| policy.intensity = Intensity { restarts, within })
    }

    /// How long its breaker stays open the first time.
    pub fn reset(self, reset: Duration) -> Self {
        self.change(move |policy| policy.breaker.reset = reset.max(Duration::from_nanos(1)))
    }

    /// When its breaker opens, and for how long.
    pub fn breaker(self, rules: BreakerRules) -> Self {
        self.change(move |policy| policy.breaker = rules)
    }

    /// How often a kept message is tried before it is quarantined, at least once.
    pub fn attempts(self, attempts: u32) -> Self {
        self.change(move |policy| policy.attempts = attempts.max(1))
    }

    /// How long a turn may take. A handler that still waits then is dropped and its turn fails; one that does not give
    /// its thread back, for half as long again and at least 50 ms more, is reported as stuck and replaced on another
    /// arbiter.
    pub fn turn_limit(self, limit: Duration) -> Self {
        self.change(move |policy| policy.turn_limit = Some(limit))
    }

    /// How long its factory together with `started`, or `stopped`, may take.
    pub fn start_limit(self, limit: Duration) -> Self {
        self.change(move |policy| policy.start_limit = limit)
    }

    /// Which thread it lives on.
    pub fn placement(self, placement: Placement) -> Self {
        self.change(move |policy| policy.placement = placement)
    }

    /// Lives on the arbiter with this number, from 0; see [`Placement::Pinned`].
    pub fn pinned(self, arbiter: usize) -> Self {
        self.placement(Placement::Pinned(arbiter))
    }

    /// Lives on a thread of its own; see [`Placement::Dedicated`].
    pub fn dedicated(self) -> Self {
        self.placement(Placement::Dedicated)
    }

    /// Asks this hook about every message.
    pub fn admission(self, hook: impl Admission + 'static) -> Self {
        self.change(move |policy| policy.admission = Some(Arc::new(hook)))
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Policy) + Send + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Name, factory, and the policy that comes of these changes to `base`.
    pub(crate) fn apply(self, base: &Arc<Policy>) -> (Option<Box<str>>, Factory<A>, Arc<Policy>) {
        if self.changes.is_empty() {
            return (self.name, self.factory, Arc::clone(base));
        }
        let mut policy = Policy::clone(base);
        self.changes.into_iter().for_each(|change| change(&mut policy));
        (self.name, self.factory, Arc::new(policy))
    }
}

impl<A: Actor> fmt::Debug for Child<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What can be spawned: a [`Child`], or simply the function that builds an actor.
pub trait IntoChild<A: Actor> {
    /// The child to start.
    fn into_child(self) -> Child<A>;

    /// The children to start where there may be several, as under a supervisor.
    fn into_children(self) -> Vec<Child<A>>
    where
        Self: Sized,
    {
        vec![self.into_child()]
    }
}

impl<A: Actor> IntoChild<A> for Child<A> {
    fn into_child(self) -> Self {
        self
    }
}

impl<A: Actor, F: Fn() -> A + Send + Sync + 'static> IntoChild<A> for F {
    fn into_child(self) -> Child<A> {
        Child::new(None, Box::new(Plain(self)))
    }
}

/// What a test does to a message before its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "test-util"), allow(dead_code))]
pub(crate) enum Interference {
    None,
    Panic,
    Delay(Duration),
    Lose,
}

/// Everything that is decided about an actor before it starts. Shared by actors that differ in nothing.
#[derive(Clone)]
pub(crate) struct Policy {
    pub(crate) bounds: Bounds,
    pub(crate) turn_limit: Option<Duration>,
    pub(crate) start_limit: Duration,
    pub(crate) restart: Restart,
    pub(crate) intensity: Intensity,
    pub(crate) backoff: Backoff,
    pub(crate) breaker: BreakerRules,
    pub(crate) attempts: u32,
    pub(crate) placement: Placement,
    pub(crate) admission: Option<Arc<dyn Admission>>,
    /// What a test does to messages before their turns.
    pub(crate) interference: Option<Arc<dyn Fn() -> Interference + Send + Sync>>,
    /// It says itself when its start is over, which is later than when it serves messages.
    pub(crate) says_when_started: bool,
    pub(crate) strategy: Strategy,
    pub(crate) give_up: GiveUp,
    /// The licence that all children of an escalating supervisor share; `None` when each has its own.
    pub(crate) licence: Option<Arc<Mutex<Licence>>>,
}

impl Policy {
    pub(crate) fn new(defaults: &Defaults) -> Self {
        Self {
            bounds: Bounds {
                ceiling: Priority::Critical.lane() as u8,
                per_lane: defaults.bound,
                reserve: defaults.critical_reserve,
                overflow: defaults.overflow,
            },
            turn_limit: defaults.turn_limit,
            start_limit: defaults.start_limit,
            restart: defaults.restart,
            intensity: defaults.intensity,
            backoff: defaults.backoff,
            breaker: defaults.breaker.clone(),
            attempts: defaults.attempts,
            placement: Placement::Spread,
            admission: None,
            interference: None,
            says_when_started: false,
            strategy: Strategy::OneForOne,
            give_up: GiveUp::OpenBreaker,
            licence: None,
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("bounds", &self.bounds).field("restart", &self.restart).finish_non_exhaustive()
    }
}
