//! What a module offers to be called: [`Operation`].

mod counts;
mod durations;
mod latencies;
mod quota;
mod settings;
mod state;

use std::any::type_name;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{Actor, ActorRef, Handler, Message, Priority};
use schemars::JsonSchema;
use semver::Version;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::callable::{Answer, Callable, TypedOperation, fallible, plain};
use crate::descriptor::OperationDescriptor;
use crate::operations;
use crate::parameters::Parameters;
use crate::schema::{self, Validation};

pub use self::counts::{CallCounts, CallTimes};
pub(crate) use self::durations::Durations;
pub(crate) use self::latencies::Latencies;
pub use self::settings::{CallSettings, CallSettingsError, OperationBreaker};
pub(crate) use self::state::{Attempt, Conduct, Leave, OperationState, Status, roll};

/// A message that `A` handles, under a name that it is called by. See [`Manifest::offer`](crate::Manifest::offer).
#[must_use = "an operation is offered by a manifest"]
pub struct Operation<A: Actor> {
    name: String,
    description: String,
    is_idempotent: bool,
    is_for_modules: bool,
    is_blocking: bool,
    deprecated: Option<String>,
    message: &'static str,
    priority: Priority,
    timeout: Option<Duration>,
    settings: CallSettings,
    /// Of the message and of the output; made when it is registered, as that takes a while.
    schemas: fn() -> (Json, Json),
    /// What it takes, where the type does not say it.
    parameters: Option<Parameters>,
    make: Make<A>,
}

/// Makes what the registry keeps of it.
type Make<A> = fn(ActorRef<A>, OperationDescriptor, Validation, Arc<OperationState>) -> Arc<dyn Callable>;

impl<A: Actor> Operation<A> {
    /// A caller's payload becomes the message and its reply the output.
    pub fn new<M>(name: impl Into<String>) -> Self
    where
        A: Handler<M>,
        M: Message + DeserializeOwned + JsonSchema,
        M::Reply: Serialize + JsonSchema,
    {
        let schemas = || (schema::of_message::<M>(), schema::of_output::<M::Reply>());
        Self::of::<M>(name.into(), schemas, |actor, descriptor, validation, state| {
            make::<A, M>(actor, plain, descriptor, validation, state)
        })
    }

    /// The reply of the message is a `Result`: `Ok` is the output, `Err` is [`CallError::Failed`](crate::CallError::Failed) for a caller by name, of
    /// the class that `?` in a handler would give it.
    pub fn fallible<M, T, E>(name: impl Into<String>) -> Self
    where
        A: Handler<M>,
        M: Message<Reply = Result<T, E>> + DeserializeOwned + JsonSchema,
        T: Serialize + JsonSchema + 'static,
        E: Error + 'static,
    {
        let schemas = || (schema::of_message::<M>(), schema::of_output::<T>());
        Self::of::<M>(name.into(), schemas, |actor, descriptor, validation, state| {
            make::<A, M>(actor, fallible, descriptor, validation, state)
        })
    }

    fn of<M: Message>(name: String, schemas: fn() -> (Json, Json), make: Make<A>) -> Self {
        Self {
            name,
            description: String::new(),
            is_idempotent: false,
            is_for_modules: false,
            is_blocking: false,
            deprecated: None,
            message: type_name::<M>(),
            priority: M::PRIORITY,
            timeout: M::TIMEOUT,
            settings: CallSettings::new(),
            schemas,
            parameters: None,
            make,
        }
    }

    /// What it does, in a sentence.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Doing it twice under the same message has the effect of doing it once.
    pub fn idempotent(mut self) -> Self {
        self.is_idempotent = true;
        self
    }

    /// It is there for other modules alone: a system in which none of them requires it is not started, see
    /// [`module_graph`](crate::module_graph).
    pub fn for_modules(mut self) -> Self {
        self.is_for_modules = true;
        self
    }

    /// Its handler blocks, for which it uses the pool for that by [`Context::run_blocking`](callboard_actor::Context::run_blocking),
    /// and so takes longer than others while it costs its neighbours nothing. This says so to whoever reads the
    /// [descriptor](OperationDescriptor); the handler does it.
    ///
    /// ```
    /// # use callboard_actor::{Actor, Context, Fault, Handler, Message};
    /// # use callboard_bus::{Manifest, Operation};
    /// # #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// # struct Load { path: String }
    /// # impl Message for Load { type Reply = Vec<u8>; }
    /// # struct Archive;
    /// # impl Actor for Archive {}
    /// impl Handler<Load> for Archive {
    ///     async fn handle(&mut self, load: Load, cx: &mut Context<Self>) -> Result<Vec<u8>, Fault> {
    ///         Ok(cx.run_blocking(move || std::fs::read(load.path)).await??)
    ///     }
    /// }
    ///
    /// fn manifest() -> Manifest<Archive> {
    ///     Manifest::new("archive", "1.0.0").offer(Operation::new::<Load>("load").blocking())
    /// }
    /// ```
    pub fn blocking(mut self) -> Self {
        self.is_blocking = true;
        self
    }

    /// It should not be called any more: why, and what should instead.
    pub fn deprecated(mut self, why: impl Into<String>) -> Self {
        self.deprecated = Some(why.into());
        self
    }

    /// It takes these parameters, which are known when the program runs, instead of what the type of its message says. Calls by name are
    /// held to them, all problems are told at once, and what is not among them is refused. The message is made of what passes, so
    /// its type is to take all of that: [`Value`](crate::Value), [`Object`](crate::Object), or something that is made of one.
    ///
    /// ```
    /// # use callboard_actor::{Actor, Context, Drain, Fault, Message, SyncHandler, System, block_on};
    /// use callboard_bus::{Manifest, ModulesExt, Object, Operation, ParameterType, Parameters};
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct ExecuteStep(Object);
    /// # impl Message for ExecuteStep { type Reply = String; }
    /// # struct LabRunner;
    /// # impl Actor for LabRunner {}
    /// # impl SyncHandler<ExecuteStep> for LabRunner {
    /// #     fn handle(&mut self, ExecuteStep(given): ExecuteStep, _: &mut Context<Self>) -> Result<String, Fault> {
    /// #         Ok(format!("{:?}", given.get("step_name")))
    /// #     }
    /// # }
    ///
    /// # block_on(async {
    /// # let system = System::builder().workers(1).start().await?;
    /// # let runner = system.spawn(|| LabRunner);
    /// let table = Parameters::new()
    ///     .required("step_name", ParameterType::String, "Name of the step to execute")
    ///     .optional("parameters", ParameterType::Object, "What the step is given");
    /// let execute = Operation::new::<ExecuteStep>("execute_step").parameters(table);
    /// let _registered = Manifest::new("lab_runner", "1.0.0").offer(execute).register(&runner).await?;
    ///
    /// let refused = system.call("lab_runner.execute_step", serde_json::json!({ "step": 7 })).await.unwrap_err();
    /// assert_eq!(refused.code().code(), "validation_failed");
    /// # system.shutdown(Drain::default()).await;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn parameters(mut self, parameters: Parameters) -> Self {
        self.parameters = Some(parameters);
        self
    }

    /// How its calls are made, where the call does not say. What cannot work in it is found when it is registered.
    pub fn settings(mut self, settings: CallSettings) -> Self {
        self.settings = settings;
        self
    }

    pub(crate) fn check_settings(&self) -> Result<(), CallSettingsError> {
        let faults = self.parameters.as_ref().map(Parameters::faults).unwrap_or_default();
        if !faults.is_empty() {
            return Err(CallSettingsError(faults));
        }
        self.settings.clone().checked().map(drop)
    }

    pub(crate) fn is_for_modules(&self) -> bool {
        self.is_for_modules
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn serve(self, module: &str, version: &Version, actor: &ActorRef<A>) -> Arc<dyn Callable> {
        let (of_message, reply_schema) = (self.schemas)();
        let (message_schema, validation) = match &self.parameters {
            Some(parameters) => (parameters.schema(), Validation::always()),
            None => {
                let validation = Validation::new(&of_message);
                (of_message, validation)
            }
        };
        let descriptor = OperationDescriptor {
            address: format!("{module}.{}", self.name),
            name: self.name,
            version: version.clone(),
            description: self.description,
            is_idempotent: self.is_idempotent,
            is_blocking: self.is_blocking,
            deprecated: self.deprecated,
            priority: self.priority,
            timeout: self.timeout,
            message: self.message,
            message_schema,
            reply_schema,
        };
        let system = actor.system();
        let shared = system.extension(operations::Shared::default);
        let state = shared.state(&system, &descriptor.address, &self.settings);
        (self.make)(actor.clone(), descriptor, validation, state)
    }
}

fn make<A: Handler<M>, M: Message + DeserializeOwned>(
    actor: ActorRef<A>,
    answer: Answer<M::Reply>,
    descriptor: OperationDescriptor,
    validation: Validation,
    state: Arc<OperationState>,
) -> Arc<dyn Callable> {
    Arc::new(TypedOperation::new(actor, answer, descriptor, validation, state))
}

impl<A: Actor> fmt::Debug for Operation<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("name", &self.name).field("message", &self.message).finish_non_exhaustive()
    }
}
