//! What a module says of itself: [`Manifest`].

mod checked;
mod hearing;
mod ticking;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{Actor, ActorRef, Context, Handler, Message, Recipient, System};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::checked::Checked;
use self::hearing::Hearing;
use self::ticking::Ticking;
use crate::address::{Address, AddressError};
use crate::balance::Balance;
use crate::descriptor::{Descriptor, Health};
use crate::discovery::CapabilityBuilder;
use crate::event::Event;
use crate::events::EventsExt;
use crate::module_graph::ModuleNode;
use crate::modules::ModulesExt;
use crate::offered::Offered;
use crate::operation::Operation;
use crate::pattern::Pattern;
use crate::probe::Probe;
use crate::protocol::Protocol;
use crate::registration::{RegisterError, Registration};
use crate::registry::{Entry, Load};
use crate::security_level::SecurityLevel;
use crate::subscription::{SubscribeError, Subscription};

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
    required_permissions: Vec<String>,
    replicas: usize,
    balance: Balance,
    weight: u32,
    requires: Vec<String>,
    may_use: Vec<String>,
    publishes: Vec<String>,
    capabilities: Vec<CapabilityBuilder>,
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
            required_permissions: Vec::new(),
            replicas: 1,
            balance: Balance::default(),
            weight: 1,
            requires: Vec::new(),
            may_use: Vec::new(),
            publishes: Vec::new(),
            capabilities: Vec::new(),
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

    /// What a caller needs to be allowed to be shown the module, and what it can do, when it looks for it. What a call needs
    /// is asked for by an [admission hook](callboard_actor::Admission).
    pub fn required_permission(mut self, permission: impl Into<String>) -> Self {
        self.required_permissions.push(permission.into());
        self
    }

    /// How calls are spread over its instances, instead of each in its turn.
    pub fn balance(mut self, balance: Balance) -> Self {
        self.balance = balance;
        self
    }

    /// How many calls it gets for each of an instance with the weight 1, where the balance is
    /// [by weight](Balance::Weighted). None is as good as one.
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight.max(1);
        self
    }

    /// How many instances [`module`](crate::module()) starts, instead of one. None is as good as one.
    pub fn replicas(mut self, count: usize) -> Self {
        self.replicas = count.max(1);
        self
    }

    /// An operation that it needs of another module: `storage.put@^1`. It is there for [`require`](crate::RequireExt). A
    /// system is not started without it, see [`module_graph`](crate::module_graph), and what goes missing later is found by
    /// [`Modules::missing`](crate::Modules::missing).
    pub fn requires(mut self, address: impl Into<String>) -> Self {
        self.requires.push(address.into());
        self
    }

    /// An operation of another module that it can do without. It is there for [`require`](crate::RequireExt), which says
    /// when it is not.
    pub fn may_use(mut self, address: impl Into<String>) -> Self {
        self.may_use.push(address.into());
        self
    }

    /// An event that it publishes; for whoever wants to know, as it may publish others.
    pub fn publishes(mut self, name: impl Into<String>) -> Self {
        self.publishes.push(name.into());
        self
    }

    /// Something that it can do besides its operations, each of which is a capability by itself. More can be advertised
    /// later, see [`Modules::advertise`](crate::Modules::advertise).
    ///
    /// ```
    /// # use callboard_actor::Actor;
    /// # use callboard_bus::{Manifest, discovery::Capability};
    /// # struct Lab; impl Actor for Lab {}
    /// # fn manifest() -> Manifest<Lab> {
    /// let capability = Capability::builder("data_processor", "1.0.0").capability_type("data_processor").tag("analytics");
    /// Manifest::new("lab", "1.2.0").advertises(capability)
    /// # }
    /// ```
    pub fn advertises(mut self, capability: CapabilityBuilder) -> Self {
        self.capabilities.push(capability);
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
    /// actor tell by the type what it hears. While the module is registered it is subscribed: to what is published without a
    /// channel, and to broadcasts. What is published on a [channel](crate::channel) is heard by [`hears_on`](Self::hears_on).
    pub fn hears<M>(mut self, pattern: impl Into<String>) -> Self
    where
        A: Handler<M>,
        M: Message + From<Event>,
    {
        self.hearings.push(Hearing::new::<M>(None, pattern.into()));
        self
    }

    /// Hears what is published on this channel, instead of what is published without one. The channel has to be there when the
    /// module is registered, or channels are [made by themselves](crate::Channels::set_auto_create).
    pub fn hears_on<M>(mut self, channel: impl Into<String>, pattern: impl Into<String>) -> Self
    where
        A: Handler<M>,
        M: Message + From<Event>,
    {
        self.hearings.push(Hearing::new::<M>(Some(channel.into()), pattern.into()));
        self
    }

    /// Has itself told `M` every `period`, from every start on. For a module that [`module`](crate::module()) starts.
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
        let Checked { version, requires, hears, publishes, capabilities } = checked;
        let load = (self.balance == Balance::LeastLoaded).then(Load::default);
        let protocols = self.all_protocols();
        let probe = self.probe.map(|of| of(actor));
        let is_asked = protocols.contains(&Protocol::RequestResponse);
        let operations = self.operations.into_iter().filter(|_| is_asked);
        let operations = operations.map(|operation| operation.serve(&self.name, &version, actor));
        let operations: Vec<_> = operations.map(|operation| Load::counting(load.as_ref(), operation)).collect();
        Offered::keep(actor, &operations);
        let descriptor = Descriptor {
            name: self.name,
            version,
            description: self.description,
            owner: self.owner,
            tags: self.tags,
            protocols,
            security_level: self.security_level,
            required_permissions: self.required_permissions,
            balance: self.balance,
            weight: self.weight,
            requires,
            hears,
            publishes,
            operations: operations.iter().map(|operation| Arc::clone(operation.descriptor())).collect(),
            capabilities,
            health: Health::default(),
            actor: actor.id(),
            instance: actor.name(),
        };
        Entry::new(descriptor, operations, Arc::new(actor.clone())).probed(probe).counted(load)
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
            subscriptions.push(hearing.subscribe(&events, pattern.clone(), actor).await?);
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

    /// The operations of others that it names, those first that it needs.
    pub(crate) fn requirements(&self) -> Result<Vec<Address>, RegisterError> {
        Ok(addresses(self.requires.iter().chain(&self.may_use))?)
    }

    /// What it is to others, before it starts.
    pub(crate) fn node(&self) -> Result<ModuleNode, RegisterError> {
        let Checked { version, requires, .. } = self.checked()?;
        let is_asked = self.all_protocols().contains(&Protocol::RequestResponse);
        let mut node = ModuleNode::new(&self.name, version);
        for operation in self.operations.iter().filter(|_| is_asked) {
            node = if operation.is_for_modules() {
                node.provides_for_modules(operation.name())
            } else {
                node.provides(operation.name())
            };
        }
        let node = requires.into_iter().fold(node, ModuleNode::requires);
        Ok(addresses(&self.may_use)?.into_iter().fold(node, ModuleNode::may_use))
    }

    /// Starts what is to come again and again.
    pub(crate) fn start_ticking(&self, cx: &mut Context<A>) {
        self.tickings.iter().for_each(|ticking| ticking.start(cx));
    }
}

fn addresses<'a>(written: impl IntoIterator<Item = &'a String>) -> Result<Vec<Address>, AddressError> {
    written.into_iter().map(|address| address.parse()).collect()
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
