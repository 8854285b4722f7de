//! What a program that is there already brings along: who its users are ([`AuthProvider`]), which modules it knows
//! ([`RegistryBackend`]), and where its routes lead ([`RouteProvider`]). Each has one of ours beside it, to begin with.
//!
//! ```
//! # use callboard_actor::{Actor, Context, Drain, ErrorCode, Fault, Message, SyncHandler, System, block_on};
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # struct Open {}
//! # impl Message for Open { type Reply = bool; }
//! # struct Vault;
//! # impl Actor for Vault {}
//! # impl SyncHandler<Open> for Vault {
//! #     fn handle(&mut self, _: Open, _: &mut Context<Self>) -> Result<bool, Fault> { Ok(true) }
//! # }
//! use callboard_bus::discovery::Permissions;
//! use callboard_bus::providers::{ApiKeys, ApiRoutes, Principal, ProvidersExt};
//! use callboard_bus::{Manifest, ModulesExt, SecurityLevel};
//! use serde_json::json;
//!
//! # block_on(async {
//! # let system = System::builder().workers(1).start().await?;
//! # let vault = system.spawn(|| Vault);
//! let manifest = Manifest::new("vault", "1.0.0").security_level(SecurityLevel::Authorized);
//! let _registered = manifest.required_permission("vault:open").operation::<Open>("open").register(&vault).await?;
//!
//! let ada = Principal::new("Ada", Permissions::of(["vault:open"]));
//! system.authenticate_by(ApiKeys::default().key("sesame", ada))?;
//! assert_eq!(system.call("vault.open", json!({})).await.unwrap_err().code(), ErrorCode::Unauthenticated);
//! assert_eq!(system.call("vault.open", json!({})).api_key("sesame").await?, true.into());
//!
//! let routes = ApiRoutes::of(&system.modules());
//! let call = system.call_route(&routes, "/api/v1/vault/open", json!({})).await?;
//! assert_eq!(call.api_key("sesame").await?, true.into());
//! # system.shutdown(Drain::default()).await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # What goes wrong in one
//!
//! An error, a panic, or no answer before the deadline of the call never lets anything pass: who calls is nobody, the module is
//! not there, the route leads nowhere. What it was is in the log under `callboard::providers`; the caller is not told.
//!
//! They see what passes by [middleware](crate::middleware): every call, after the [gate](crate::gate) where there is one. A message that is sent to a reference does not;
//! an [admission hook](callboard_actor::Admission) sees that.

mod auth;
mod registry;
mod routes;

use std::error::Error;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use callboard_actor::{ErrorCode, System, WeakSystem};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, select};

pub use self::auth::{ApiKeys, AuthProvider, Principal};
pub use self::registry::RegistryBackend;
pub use self::routes::{ApiRoutes, RouteProvider};
use crate::call::{Call, CallError};
use crate::middleware::{MiddlewareError, Request};
use crate::modules::ModulesExt;
use crate::operations::OperationsExt;
use crate::value::Value;

/// The answer of a provider, on its way. Nothing is the answer of one that knows nothing of it.
pub type Provided<T> = BoxFuture<'static, Result<Option<T>, Box<dyn Error + Send + Sync>>>;

/// Providers for whoever has a [`System`].
pub trait ProvidersExt {
    /// Has this find out who makes each call from now on, whatever the caller says of itself, and lets it pass if the
    /// [level](crate::SecurityLevel) of the module allows it: from `authenticated` on it has to be somebody's, from `authorized` on
    /// of somebody who has the permissions that the module asks for. It is the middleware `authentication` with the priority 20.
    ///
    /// # Errors
    ///
    /// There is a middleware of this name.
    fn authenticate_by(&self, provider: impl AuthProvider) -> Result<(), MiddlewareError>;

    /// Lets those calls alone pass whose module this knows and takes for healthy enough. It is the middleware `registry` with the
    /// priority 30.
    ///
    /// # Errors
    ///
    /// There is a middleware of this name.
    fn registered_in(&self, backend: impl RegistryBackend) -> Result<(), MiddlewareError>;

    /// The call that a route leads to.
    ///
    /// # Errors
    ///
    /// `unknown_operation`: it leads nowhere.
    ///
    /// # Cancel safety
    ///
    /// As that of the provider; no call has been made before this returns.
    fn call_route(
        &self,
        routes: &impl RouteProvider,
        route: &str,
        input: impl Into<Value>,
    ) -> impl Future<Output = Result<Call<'static>, CallError>> + Send;
}

impl ProvidersExt for System {
    fn authenticate_by(&self, provider: impl AuthProvider) -> Result<(), MiddlewareError> {
        let (provider, modules, system) = (Arc::new(provider), self.modules(), self.downgrade());
        self.operations().middleware("authentication").priority(20).install(move |request, next| {
            auth::admit(Arc::clone(&provider), modules.clone(), system.clone(), request, next)
        })
    }

    fn registered_in(&self, backend: impl RegistryBackend) -> Result<(), MiddlewareError> {
        let (backend, system) = (Arc::new(backend), self.downgrade());
        self.operations()
            .middleware("registry")
            .priority(30)
            .install(move |request, next| registry::admit(Arc::clone(&backend), system.clone(), request, next))
    }

    fn call_route(
        &self,
        routes: &impl RouteProvider,
        route: &str,
        input: impl Into<Value>,
    ) -> impl Future<Output = Result<Call<'static>, CallError>> + Send {
        let (modules, route, input) = (self.modules(), route.to_owned(), input.into());
        // What it does before its answer is on its way is guarded as well.
        let asked = std::panic::catch_unwind(AssertUnwindSafe(|| routes.resolve(&route)));
        async move {
            let answer = match asked {
                Ok(asked) => guarded("routes", || asked).await,
                Err(_) => Err(told("routes", "it panicked")),
            };
            let address = answer.ok().flatten();
            let unknown =
                || CallError::refused(ErrorCode::UnknownOperation, format!("the route {route:?} leads nowhere"));
            address.map(|address| modules.call(&address, input).into_owned()).ok_or_else(unknown)
        }
    }
}

/// A provider gave no answer; what it was is in the log.
struct NoAnswer;

/// Asks a provider, until the call that it is asked for has no time left.
async fn asked<T>(
    what: &'static str,
    system: &WeakSystem,
    request: &Request,
    ask: impl FnOnce() -> Provided<T>,
) -> Result<Option<T>, NoAnswer> {
    let Some(system) = system.upgrade() else { return Err(told(what, "its system is over")) };
    let answer = std::pin::pin!(guarded(what, ask));
    let Some(deadline) = request.deadline else { return answer.await };
    let left = deadline.saturating_sub(system.elapsed());
    match select(answer, system.sleep(left)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err(told(what, "it did not answer in time")),
    }
}

/// Asks a provider; whatever it does, it is an answer or none.
async fn guarded<T>(what: &'static str, ask: impl FnOnce() -> Provided<T>) -> Result<Option<T>, NoAnswer> {
    match AssertUnwindSafe(async move { ask().await }).catch_unwind().await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(told(what, &error.to_string())),
        Err(_) => Err(told(what, "it panicked")),
    }
}

fn told(what: &'static str, reason: &str) -> NoAnswer {
    tracing::warn!(target: "callboard::providers", provider = what, reason, "a provider gave no answer");
    NoAnswer
}
