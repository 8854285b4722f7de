//! A module written by hand: [`Module`], and [`ServedModule`] when it is known who serves it.

use std::any::type_name;
use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use callboard_actor::{Actor, ActorRef, Handler, Message};
use schemars::JsonSchema;
use semver::Version;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::address::{check_module_name, check_name};
use crate::call::CallError;
use crate::descriptor::{Descriptor, Health, OperationDescriptor};
use crate::modules::ModulesExt;
use crate::operation::{Operation, TypedOperation, fallible, plain};
use crate::registration::{RegisterError, Registration};
use crate::registry::Entry;
use crate::schema;
use crate::value::Value;

/// What a module is, before it is said who serves it. Whatever is wrong with it comes out of
/// [`ServedModule::register`].
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
/// use callboard_bus::{Module, ModulesExt, Value};
///
/// # callboard_actor::block_on(async {
/// # let system = System::builder().workers(1).start().await?;
/// let storage = system.spawn(Storage::default);
/// let registration = Module::new("storage", "1.2.0")
///     .description("keeps what it is given")
///     .serve(&storage)
///     .fallible::<Put, _, _>("put")
///     .register(&system)
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
#[derive(Clone, Debug)]
#[must_use = "a module is found once it is registered"]
pub struct Module {
    name: String,
    version: String,
    description: String,
    tags: Vec<String>,
    requires: Vec<String>,
}

impl Module {
    /// A module with this name and this semantic version. Its instances share both, though there may be instances of
    /// other versions beside them.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        let (name, version) = (name.into(), version.into());
        Self { name, version, description: String::new(), tags: Vec::new(), requires: Vec::new() }
    }

    /// What it is for, in a sentence.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// A word to find it by.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// An operation that it needs of another module: `storage.put@^1`. See
    /// [`Modules::missing`](crate::Modules::missing).
    pub fn requires(mut self, address: impl Into<String>) -> Self {
        self.requires.push(address.into());
        self
    }

    /// The actor that is one instance of it.
    pub fn serve<A: Actor>(self, actor: &ActorRef<A>) -> ServedModule<A> {
        ServedModule { module: self, actor: actor.clone(), operations: Vec::new() }
    }
}

/// A module with the actor that serves it.
#[must_use = "a module is found once it is registered"]
pub struct ServedModule<A: Actor> {
    module: Module,
    actor: ActorRef<A>,
    operations: Vec<Offered<A>>,
}

/// An operation that waits for the version of its module.
struct Offered<A: Actor> {
    name: String,
    make: fn(ActorRef<A>, OperationDescriptor) -> Arc<dyn Operation>,
    message: &'static str,
    schemas: (Json, Json),
}

/// How the answer of a handler becomes an output.
type Answer<M> = fn(<M as Message>::Reply) -> Result<Value, CallError>;

impl<A: Actor> ServedModule<A> {
    /// Offers a message that the actor handles. A caller's payload becomes the message and its reply the output.
    pub fn operation<M>(self, name: impl Into<String>) -> Self
    where
        A: Handler<M>,
        M: Message + DeserializeOwned + JsonSchema,
        M::Reply: Serialize + JsonSchema,
    {
        let schemas = (schema::of_input::<M>(), schema::of_output::<M::Reply>());
        self.offer::<M>(name.into(), schemas, |actor, descriptor| make::<A, M>(actor, plain, descriptor))
    }

    /// Offers a message whose reply is a `Result`: `Ok` is the output, `Err` is [`CallError::Failed`] for a caller by
    /// name, of the class that `?` in a handler would give it.
    pub fn fallible<M, T, E>(self, name: impl Into<String>) -> Self
    where
        A: Handler<M>,
        M: Message<Reply = Result<T, E>> + DeserializeOwned + JsonSchema,
        T: Serialize + JsonSchema + 'static,
        E: Error + 'static,
    {
        let schemas = (schema::of_input::<M>(), schema::of_output::<T>());
        self.offer::<M>(name.into(), schemas, |actor, descriptor| make::<A, M>(actor, fallible, descriptor))
    }

    /// Lets it be found, as one more instance of its module. It is found until it is unregistered or its actor ends. An
    /// actor that was registered under this name before takes the place of what it was, unless somebody still holds that
    /// [`Registration`]: so an actor can register itself in `started`, which every restart does again.
    ///
    /// # Errors
    ///
    /// [`RegisterError`]: the first thing that is wrong with what was said of it, that the same actor is registered
    /// under this name already, or that it is about to end.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the module is not registered; for a moment it may have been, and what its actor was
    /// registered as before may have been replaced for good.
    pub async fn register(self, home: &impl ModulesExt) -> Result<Registration, RegisterError> {
        home.modules().register(self.into_entry()?).await
    }

    fn offer<M>(
        mut self,
        name: String,
        schemas: (Json, Json),
        make: fn(ActorRef<A>, OperationDescriptor) -> Arc<dyn Operation>,
    ) -> Self {
        self.operations.push(Offered { name, make, message: type_name::<M>(), schemas });
        self
    }

    pub(crate) fn into_entry(self) -> Result<Entry, RegisterError> {
        let Self { module, actor, operations } = self;
        let version = module.checked(&operations)?;
        let name = module.name;
        let operations = operations.into_iter().map(|offered| offered.into_operation(&name, &version, &actor));
        let operations: Vec<_> = operations.collect();
        let requires = module.requires.iter().map(|address| address.parse());
        let descriptor = Descriptor {
            requires: requires.collect::<Result<_, _>>()?,
            name,
            version,
            description: module.description,
            tags: module.tags,
            operations: operations.iter().map(|operation| Arc::clone(operation.descriptor())).collect(),
            health: Health::default(),
            actor: actor.id(),
            instance: actor.name(),
        };
        Ok(Entry::new(descriptor, operations, Arc::new(actor)))
    }
}

impl Module {
    /// Its version, once its names are found to be names.
    fn checked<A: Actor>(&self, operations: &[Offered<A>]) -> Result<Version, RegisterError> {
        let bad = |what, name: &str, reason| RegisterError::BadName { what, name: name.to_owned(), reason };
        check_module_name(&self.name).map_err(|reason| bad("module", &self.name, reason))?;
        let mut seen = HashSet::new();
        for Offered { name, .. } in operations {
            check_name(name).map_err(|reason| bad("operation", name, reason))?;
            if !seen.insert(name) {
                return Err(RegisterError::OperationTwice { module: self.name.clone(), operation: name.clone() });
            }
        }
        let version = Version::parse(&self.version);
        version.map_err(|error| RegisterError::BadVersion {
            module: self.name.clone(),
            version: self.version.clone(),
            reason: error.to_string(),
        })
    }
}

impl<A: Actor> Offered<A> {
    fn into_operation(self, module: &str, version: &Version, actor: &ActorRef<A>) -> Arc<dyn Operation> {
        let (message_schema, reply_schema) = self.schemas;
        let address = format!("{module}.{}", self.name);
        let (name, message, version) = (self.name, self.message, version.clone());
        let descriptor = OperationDescriptor { address, name, version, message, message_schema, reply_schema };
        (self.make)(actor.clone(), descriptor)
    }
}

fn make<A: Handler<M>, M: Message + DeserializeOwned>(
    actor: ActorRef<A>,
    answer: Answer<M>,
    descriptor: OperationDescriptor,
) -> Arc<dyn Operation> {
    Arc::new(TypedOperation::new(actor, answer, descriptor))
}

impl<A: Actor> fmt::Debug for ServedModule<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedModule").field("module", &self.module).field("actor", &self.actor).finish_non_exhaustive()
    }
}
