//! An actor that knows by itself what it is as a module: [`Module`], and [`module()`] to start it.

use std::fmt;
use std::future::{Future, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use callboard_actor::{Actor, Child, Context, Fault, IntoChild, child_with};
use futures::future::LocalBoxFuture;

use crate::manifest::Manifest;
use crate::module_graph::ModulePart;

/// An actor that is a module. Written by hand, or by `#[module]`.
///
/// ```
/// use callboard_actor::{Actor, Context, Drain, Fault, Message, SyncHandler, System, block_on, one_for_one};
/// use callboard_bus::{Manifest, Module, ModulesExt, Start, module};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Add(u64);
/// # impl Message for Add { type Reply = u64; }
///
/// struct Counter(u64);
/// impl Actor for Counter {}
/// # impl SyncHandler<Add> for Counter {
/// #     fn handle(&mut self, Add(n): Add, _: &mut Context<Self>) -> Result<u64, Fault> { self.0 += n; Ok(self.0) }
/// # }
///
/// impl Module for Counter {
///     fn manifest() -> Manifest<Self> {
///         Manifest::new("counter", "1.0.0").operation::<Add>("add")
///     }
/// }
///
/// impl Start for Counter {
///     async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
///         Ok(Self(40))
///     }
/// }
///
/// block_on(async {
///     let system = System::builder().supervise(one_for_one().child(module::<Counter>())).start().await?;
///     assert_eq!(system.call("counter.add", 2).await?, 42.into());
///     system.shutdown(Drain::default()).await;
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })
/// # .unwrap();
/// ```
pub trait Module: Actor {
    /// What it is. It is asked at every start, so what it says must not change.
    fn manifest() -> Manifest<Self>;
}

/// A module that builds its own value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how it is built",
    note = "write `async fn start(cx: &mut Context<Self>) -> Result<Self, Fault>` in its `#[module]` block",
    note = "or hand the value in: `module_from(|| ..)`"
)]
pub trait Start: Module {
    /// Builds the value, on the actor's own thread, at each start. What it needs of others it finds with
    /// [`require`](crate::RequireExt::require).
    ///
    /// # Errors
    ///
    /// An error, a panic or the start limit (10 s by default) is a failed start, which the supervisor treats like any
    /// other fault. The module is not found before it has started once.
    ///
    /// # Cancel safety
    ///
    /// Dropped at an `await` when the start limit is over or the actor is told to end.
    fn start(cx: &mut Context<Self>) -> impl Future<Output = Result<Self, Fault>>;
}

/// The actors of a module that builds its own value, to be started by a supervisor: each registers itself when its first
/// start has ended well, and hears from then on what it hears.
///
/// Among the children that are named to a supervisor it starts when the modules that it requires have started, and ends
/// before them. [`SystemBuilder::start`](callboard_actor::SystemBuilder::start) refuses modules that do not fit together, with
/// everything that is wrong; see [`module_graph`](crate::module_graph).
pub fn module<M: Start>() -> ModuleChild<M> {
    ModuleChild::new(Arc::new(|cx| Box::pin(M::start(cx))))
}

/// The actors of a module whose value `make` builds, as [`module()`].
pub fn module_from<M: Module>(make: impl Fn() -> M + Send + Sync + 'static) -> ModuleChild<M> {
    ModuleChild::new(Arc::new(move |_| Box::pin(ready(Ok(make())))))
}

/// A module to be started; made by [`module()`] or [`module_from`].
#[must_use = "a module does nothing until it is spawned"]
pub struct ModuleChild<M: Module> {
    build: Build<M>,
    instances: usize,
    tune: Vec<Change<M>>,
}

/// Settings that differ from the defaults.
type Change<M> = Box<dyn Fn(Child<M>) -> Child<M> + Send>;

/// Builds the value at each start.
type Build<M> = Arc<dyn for<'c> Fn(&'c mut Context<M>) -> LocalBoxFuture<'c, Result<M, Fault>> + Send + Sync>;

impl<M: Module> ModuleChild<M> {
    fn new(build: Build<M>) -> Self {
        Self { build, instances: M::manifest().instances(), tune: Vec::new() }
    }

    /// How many instances a supervisor starts, instead of as many as the manifest says. None is as good as one.
    pub fn replicas(mut self, count: usize) -> Self {
        self.instances = count.max(1);
        self
    }

    /// Changes the settings of the actor of every instance.
    ///
    /// ```
    /// # use callboard_actor::Child;
    /// # use callboard_bus::{ModuleChild, Module};
    /// # fn tuned<M: Module>(module: ModuleChild<M>) -> ModuleChild<M> {
    /// module.tune(|child| child.bound(64).dedicated())
    /// # }
    /// ```
    pub fn tune(mut self, change: impl Fn(Child<M>) -> Child<M> + Send + 'static) -> Self {
        self.tune.push(Box::new(change));
        self
    }

    fn instance(&self, name: String) -> Child<M> {
        let child = hosted(name, Arc::clone(&self.build)).part(ModulePart::of(&M::manifest()));
        self.tune.iter().fold(child, |child, change| change(child))
    }
}

impl<M: Module> IntoChild<M> for ModuleChild<M> {
    fn into_child(self) -> Child<M> {
        self.instance(M::manifest().name().to_owned())
    }

    /// One for each instance; several have their numbers behind their names, from 1.
    fn into_children(self) -> Vec<Child<M>> {
        if self.instances == 1 {
            return vec![self.into_child()];
        }
        let manifest = M::manifest();
        (1..=self.instances).map(|number| self.instance(format!("{}-{number}", manifest.name()))).collect()
    }
}

/// An actor that registers itself. Once is enough: what is registered is the actor, which keeps its place through every
/// restart, and somebody may have taken it away meanwhile.
fn hosted<M: Module>(name: String, build: Build<M>) -> Child<M> {
    let is_registered = AtomicBool::new(false);
    child_with(name, async move |cx: &mut Context<M>| {
        let value = build(cx).await?;
        let manifest = M::manifest();
        manifest.start_ticking(cx);
        if !is_registered.load(Ordering::Relaxed) {
            manifest.register(&cx.me()).await?;
            is_registered.store(true, Ordering::Relaxed);
        }
        Ok(value)
    })
}

impl<M: Module> fmt::Debug for ModuleChild<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleChild").field("instances", &self.instances).finish_non_exhaustive()
    }
}
