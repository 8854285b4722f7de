//! What a module says of itself: [`Manifest`].

mod hearing;
mod ticking;

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{Actor, ActorRef, Context, Handler, Message, Recipient, System};
use schemars::JsonSchema;
use semver::Version;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::hearing::Hearing;
use self::ticking::Ticking;
use crate::address::{Address, check_module_name, check_name};
use crate::descriptor::{Descriptor, Health};
use crate::event::Event;
use crate::events::EventsExt;
use crate::modules::ModulesExt;
use crate::operation::Operation;
use crate::pattern::Pattern;
use crate::probe::Probe;
use crate::protocol::Protocol;
use crate::registration::{RegisterError, Registration};
use crate::registry::Entry;
use crate::security_level::SecurityLevel;
use crate::subscription::{SubscribeError, Subscription};
use crate::topic::{Topic, TopicError};

/// What a module is: its name and version, what it offers, what it hears and what it needs. Nothing of it is checked before
/// [`register`](Self::register), which names what is wrong.
///
/// Every actor can be a module, registered by whoever has a reference to it:
///
/// ```
/// # use callboard_actor::{Actor, Context, Drain, Fault, Message, SyncHandler, System};
/// # #[derive(serde::Deserialize, schemars::JsonSchema)]
/// # struct Put { key: String }
/// # impl Message for Put { type Reply = Result<u64, std::io::Error>; }
/// # #[derive(Default)]
/// # struct Storage(u64);
/// # impl Actor for Storage {}
/// # impl SyncHandler<Put> for Storage {
/// #     fn handle(&mut self, put: Put, _: &mut Context<Self>) -> Result<Result<u64, std::io::Error>, Fault> {
/// #         if put.key.is_empty() { return Ok(Err(std::io::Error::other("a key must not be empty"))) }
/// #         self.0 += 1;
/// #         Ok(Ok(self.0))
/// #     }
/// # }
/// use callboard_bus::{Manifest, ModulesExt, Value};
///
/// # callboard_actor::block_on(async {
/// # let system = System::builder().workers(1).start().await?;
/// let storage = system.spawn(Storage::default);
/// let registration = Manifest::new("storage", "1.2.0")
///     .description("keeps what it is given")
///     .fallible::<Put, _, _>("put")
///     .register(&storage)
///     .await?;
///
/// let number = system.call("storage.put@^1", serde_json::json!({ "key": "a" })).await?;
/// assert_eq!(number, Value::from(1));
/// registration.unregister().await?;
/// let gone = system.call("storage.put", serde_json::json!({ "key": "a" })).await.unwrap_err();
/// assert_eq!(gone.to_string(), "there is no module `storage`");
/// # system.shutdown(Drain::default()).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// One that knows by itself what it is implements [`Module`](crate::Module).
#[must_use = "a module is found once it is registered"]
pub struct Manifest<A: Actor> {
    name: String,
    version: String,
    description: String,
    owner: String,
    tags: Vec<String>,
    protocols: Option<Vec<Protocol>>,
    security_level: SecurityLevel,
    replicas: usize,
    requires: Vec<String>,
    publishes: Vec<String>,
    operations: Vec<Operation<A>>,
    hearings: Vec<Hearing<A>>,
    tickings: Vec<Ticking<A>>,
    probe: Option<Probed<A>>,
}

/// What of an actor is asked how it is.
type Probed<A> = fn(&ActorRef<A>) -> Recipient<Probe>;

impl<A: Actor> Manifest<A> {
    /// A module with this name and this semantic version. Its instances share both, though there may be instances of
    /// other versions beside them.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            description: String::new(),
            owner: String::new(),
            tags: Vec::new(),
            protocols: None,
            security_level: SecurityLevel::default(),
            replicas: 1,
            requires: Vec::new(),
            publishes: Vec::new(),
            operations: Vec::new(),
            hearings: Vec::new(),
            tickings: Vec::new(),
            probe: None,
        }
    }

    /// What it is for, in a sentence.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Who looks after it.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = owner.into();
        self
    }

    /// A word to find it by.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// The ways in which it takes part, instead of those that its operations and the events that it hears speak for.
    pub fn protocols(mut self, protocols: impl IntoIterator<Item = Protocol>) -> Self {
        self.protocols = Some(protocols.into_iter().collect());
        self
    }

    /// Who may use it, instead of anybody.
    pub fn security_level(mut self, level: SecurityLevel) -> Self {
        self.security_level = level;
        self
    }

    /// How many instances [`module`](crate::module) starts, instead of one. None is as good as one.
    pub fn replicas(mut self, count: usize) -> Self {
        self.replicas = count.max(1);
        self
    }

    /// An operation that it needs of another module: `storage.put@^1`. It is there for [`require`](crate::RequireExt), and
    /// what is missing is found by [`Modules::missing`](crate::Modules::missing).
    pub fn requires(mut self, address: impl Into<String>) -> Self {
        self.requires.push(address.into());
        self
    }

    /// An event that it publishes; for whoever wants to know, as it may publish others.
    pub fn publishes(mut self, name: impl Into<String>) -> Self {
        self.publishes.push(name.into());
        self
    }

    /// Offers a message that the actor handles. A caller's payload becomes the message and its reply the output.
    pub fn operation<M>(self, name: impl Into<String>) -> Self
    where
        A: Handler<M>,
        M: Message + DeserializeOwned + JsonSchema,
        M::Reply: Serialize + JsonSchema,
    {
        self.offer(Operation::new::<M>(name))
    }

    /// Offers a message whose reply is a `Result`, see [`Operation::fallible`].
    pub fn fallible<M, T, E>(self, name: impl Into<String>) -> Self
    where
        A: Handler<M>,
        M: Message<Reply = Result<T, E>> + DeserializeOwned + JsonSchema,
        T: Serialize + JsonSchema + 'static,
        E: Error + 'static,
    {
        self.offer(Operation::fallible::<M, _, _>(name))
    }

    /// Offers an operation of which there is more to say.
    pub fn offer(mut self, operation: Operation<A>) -> Self {
        self.operations.push(operation);
        self
    }

    /// Hears the events whose names match, as messages `M`: [`Event`] itself, or a type that is made of one, which lets an
    /// actor tell by the type what it hears. While the module is registered it is subscribed.
    pub fn hears<M>(mut self, pattern: impl Into<String>) -> Self
    where
        A: Handler<M>,
        M: Message + From<Event>,
    {
        self.hearings.push(Hearing::new::<M>(pattern.into()));
        self
    }

    /// Has itself told `M` every `period`, from every start on. For a module that [`module`](crate::module) starts.
    pub fn every<M>(mut self, period: Duration) -> Self
    where
        A: Handler<M>,
        M: Message + Default,
    {
        self.tickings.push(Ticking::new::<M>(period));
        self
    }

    /// Says how it is when it is asked, see [`Probe`]. The registry asks every 5 s, and takes no answer for a bad one; what
    /// [`Registration::set_health`] has said holds until then.
    pub fn probe(mut self) -> Self
    where
        A: Handler<Probe>,
    {
        self.probe = Some(ActorRef::recipient);
        self
    }

    /// Lets the module be found, with this actor as one more instance of it. It is found until it is unregistered or its
    /// actor ends. An actor that was registered under this name before takes the place of what it was, unless somebody still
    /// holds that [`Registration`]: so an actor can register itself in `started`, which every restart does again.
    ///
    /// # Errors
    ///
    /// [`RegisterError`]: the first thing that is wrong with the manifest, that the same actor is registered under this
    /// name already, or that it is about to end.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the module is not registered; for a moment it may have been, and what its actor was
    /// registered as before may have been replaced for good.
    pub async fn register(self, actor: &ActorRef<A>) -> Result<Registration, RegisterError> {
        let (system, checked) = (actor.system(), self.checked()?);
        let subscriptions = self.subscribe(&system, &checked.hears, actor).await?;
        system.modules().register(self.entry(checked, actor).subscribed(subscriptions)).await
    }

    pub(crate) fn entry(self, checked: Checked, actor: &ActorRef<A>) -> Entry {
        let Checked { version, requires, hears, publishes } = checked;
        let protocols = self.all_protocols();
        let probe = self.probe.map(|of| of(actor));
        let is_asked = protocols.contains(&Protocol::RequestResponse);
        let operations = self.operations.into_iter().filter(|_| is_asked);
        let operations: Vec<_> = operations.map(|operation| operation.serve(&self.name, &version, actor)).collect();
        let descriptor = Descriptor {
            name: self.name,
            version,
            description: self.description,
            owner: self.owner,
            tags: self.tags,
            protocols,
            security_level: self.security_level,
            requires,
            hears,
            publishes,
            operations: operations.iter().map(|operation| Arc::clone(operation.descriptor())).collect(),
            health: Health::default(),
            actor: actor.id(),
            instance: actor.name(),
        };
        Entry::new(descriptor, operations, Arc::new(actor.clone())).probed(probe)
    }

    async fn subscribe(
        &self,
        system: &System,
        patterns: &[Pattern],
        actor: &ActorRef<A>,
    ) -> Result<Vec<Subscription>, SubscribeError> {
        let events = system.events();
        let mut subscriptions = Vec::new();
        for (pattern, hearing) in patterns.iter().zip(&self.hearings) {
            subscriptions.push(events.subscribe_ear(pattern.clone(), hearing.mailbox(actor)).await?);
        }
        Ok(subscriptions)
    }

    /// What it says, and otherwise what its operations and the events that it hears speak for.
    fn all_protocols(&self) -> Vec<Protocol> {
        let mut protocols = self.protocols.clone().unwrap_or_else(|| self.evident_protocols());
        protocols.sort_unstable();
        protocols.dedup();
        protocols
    }

    fn evident_protocols(&self) -> Vec<Protocol> {
        use Protocol as P;
        let asked = [P::RequestResponse, P::PointToPoint, P::Workflow];
        let hearing = [P::PubSub, P::EventDriven, P::Broadcast];
        let asked = asked.into_iter().filter(|_| !self.operations.is_empty());
        asked.chain(hearing.into_iter().filter(|_| !self.hearings.is_empty())).collect()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn instances(&self) -> usize {
        self.replicas
    }

    pub(crate) fn requirements(&self) -> Result<Vec<Address>, RegisterError> {
        Ok(self.requires.iter().map(|address| address.parse()).collect::<Result<_, _>>()?)
    }

    /// Starts what is to come again and again.
    pub(crate) fn start_ticking(&self, cx: &mut Context<A>) {
        self.tickings.iter().for_each(|ticking| ticking.start(cx));
    }
}

/// What a manifest says, once it is found to be good.
pub(crate) struct Checked {
    version: Version,
    requires: Vec<Address>,
    hears: Vec<Pattern>,
    publishes: Vec<Topic>,
}

impl<A: Actor> Manifest<A> {
    pub(crate) fn checked(&self) -> Result<Checked, RegisterError> {
        check_module_name(&self.name).map_err(|reason| bad_name("module", &self.name, reason))?;
        self.check_operations()?;
        self.check_periods()?;
        let patterns = self.hearings.iter().map(|hearing| hearing.pattern().parse());
        let topics = self.publishes.iter().map(|name| name.parse());
        Ok(Checked {
            version: self.checked_version()?,
            requires: self.requirements()?,
            hears: patterns.collect::<Result<_, TopicError>>()?,
            publishes: topics.collect::<Result<_, TopicError>>()?,
        })
    }

    fn check_operations(&self) -> Result<(), RegisterError> {
        let mut seen = HashSet::new();
        for name in self.operations.iter().map(Operation::name) {
            check_name(name).map_err(|reason| bad_name("operation", name, reason))?;
            if !seen.insert(name) {
                return Err(RegisterError::OperationTwice { module: self.name.clone(), operation: name.to_owned() });
            }
        }
        Ok(())
    }

    fn check_periods(&self) -> Result<(), RegisterError> {
        let Some(ticking) = self.tickings.iter().find(|ticking| ticking.is_endless()) else { return Ok(()) };
        Err(RegisterError::NoPeriod { module: self.name.clone(), message: ticking.message() })
    }

    fn checked_version(&self) -> Result<Version, RegisterError> {
        let version = Version::parse(&self.version);
        version.map_err(|error| RegisterError::BadVersion {
            module: self.name.clone(),
            version: self.version.clone(),
            reason: error.to_string(),
        })
    }
}

fn bad_name(what: &'static str, name: &str, reason: &'static str) -> RegisterError {
    RegisterError::BadName { what, name: name.to_owned(), reason }
}

impl<A: Actor> fmt::Debug for Manifest<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("operations", &self.operations)
            .finish_non_exhaustive()
    }
}
