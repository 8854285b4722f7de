//! Who may do what: one [`Gate`] that every act on a system passes, what whoever acts shows it ([`AuthContext`]), what is to be
//! done ([`Access`]), and why not ([`GateError`]).
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
//! use callboard_bus::gate::{Access, AuthContext, BuilderGateExt, Gate, GateError, Unproven};
//! use callboard_bus::providers::Principal;
//! use callboard_bus::{EventsExt, Manifest, ModulesExt, SecurityLevel, Value};
//! use serde_json::json;
//!
//! /// Knows one key, whose owner may call and do nothing else.
//! struct OneKey;
//!
//! impl Gate for OneKey {
//!     fn admit(&self, auth: &AuthContext, access: &Access<'_>) -> Result<Option<Principal>, GateError> {
//!         match (auth.api_key.as_deref(), access.scope()) {
//!             (Some("sesame"), "api:call") => Ok(Some(Principal::new("Ada", Permissions::of(["vault:open"])))),
//!             (Some("sesame"), scope) => Err(GateError::missing(scope)),
//!             (Some(_), _) => Err(GateError::unproven(Unproven::BadSignature)),
//!             (None, _) => Err(GateError::unproven(Unproven::Missing)),
//!         }
//!     }
//! }
//!
//! # block_on(async {
//! let system = System::builder().workers(1).gate(OneKey).start().await?;
//! # let vault = system.spawn(|| Vault);
//! let manifest = Manifest::new("vault", "1.0.0").security_level(SecurityLevel::Authorized);
//! let _registered = manifest.required_permission("vault:open").operation::<Open>("open").register(&vault).await?;
//!
//! let ada = AuthContext::default().api_key("sesame");
//! assert_eq!(system.call("vault.open", json!({})).await.unwrap_err().code(), ErrorCode::Unauthenticated);
//! assert_eq!(system.call("vault.open", json!({})).auth(ada.clone()).await?, true.into());
//!
//! let refused = system.publish("vault.opened", Value::Null).auth(ada).await.unwrap_err();
//! assert_eq!(refused.to_string(), "not permitted: `events:publish` is missing");
//! # system.shutdown(Drain::default()).await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # What passes it
//!
//! | an act | who is asked about |
//! |---|---|
//! | a call, by name or with types, of a job or by a route | what the call shows |
//! | a message sent by name; a reference that is looked up | what is shown with it |
//! | publishing, a broadcast | what the publisher shows |
//! | subscribing | what the subscriber shows |
//! | dead letters: retry, purge, reveal | whoever does it; and for each letter that is retried once more whoever has sent it, or else whoever retries |
//! | a breaker that is reset or held by hand; a setting that is changed | whoever does it |
//!
//! Who shows nothing, shows what the running turn is for, if its baggage has an [`AuthContext`]; otherwise nothing, and the gate is
//! told whether it is done [inside](AuthContext::is_inside), in a turn. The gate is asked once for an act, before middleware,
//! breaker and handler, and not again for an attempt of the same call.
//!
//! What a system tells of itself (`$sys.breaker.>`) passes no gate. Neither does a message to a reference that somebody holds:
//! an [admission hook](callboard_actor::Admission) sees that. Within a process the gate keeps honest people honest; code that
//! is not trusted belongs into another process.
//!
//! # What a module asks for
//!
//! | [level](SecurityLevel) | a call or a message passes |
//! |---|---|
//! | `public` | always; the gate is not asked |
//! | `authenticated` | if the gate admits it and names somebody |
//! | `authorized` | if besides that somebody has all permissions that the module requires |
//! | `privileged` | as before; each use goes into the [audit](crate::Audit), whether or not it passes |
//!
//! Of several instances the strictest counts, as any of them may be asked. Without a gate nothing of this is checked, and
//! nothing is paid for it but a look whether there is one.

mod access;
mod auth_context;
mod error;

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use callboard_actor::{Actor, Context, System, SystemBuilder};

pub use self::access::Access;
pub use self::auth_context::AuthContext;
pub use self::error::{AlreadyGuarded, GateError, Unproven};
use crate::audit::{AuditExt, AuditKind};
use crate::modules::ModulesExt;
use crate::operations::OperationsExt;
use crate::providers::Principal;
use crate::security_level::SecurityLevel;

/// Decides about every act on a system. It is asked on the thread of whoever acts, so it must neither wait nor take long; one that
/// panics admits nothing.
pub trait Gate: Send + Sync + 'static {
    /// Lets somebody do something, and says who that is where it has found out.
    ///
    /// # Errors
    ///
    /// [`GateError`]: why not. Nothing is done then.
    fn admit(&self, auth: &AuthContext, access: &Access<'_>) -> Result<Option<Principal>, GateError>;

    /// The level that modules have at least, whatever they say of themselves.
    fn least_level(&self) -> SecurityLevel {
        SecurityLevel::Public
    }
}

/// The gate of a system that runs.
pub trait GateExt {
    /// Has this decide about every act from now on. It stays until the system ends.
    ///
    /// # Errors
    ///
    /// There is a gate already.
    fn guard_by(&self, gate: impl Gate) -> Result<(), AlreadyGuarded>;

    /// Whether there is a gate.
    fn is_guarded(&self) -> bool;

    /// How many acts the gate has refused.
    fn refused_acts(&self) -> u64;
}

/// The gate of a system that is about to start.
pub trait BuilderGateExt {
    /// Has this decide about every act from before the first actor starts. Said again, the first one holds, and a line in the log
    /// says so.
    #[must_use = "a builder does nothing until it is started"]
    fn gate(self, gate: impl Gate) -> Self;
}

impl GateExt for System {
    fn guard_by(&self, gate: impl Gate) -> Result<(), AlreadyGuarded> {
        Gatekeeper::of(self).0.gate.set(Arc::new(gate)).map_err(|_| AlreadyGuarded)?;
        self.operations().guard();
        Ok(())
    }

    fn is_guarded(&self) -> bool {
        Gatekeeper::of(self).is_there()
    }

    fn refused_acts(&self) -> u64 {
        Gatekeeper::of(self).0.refused.load(Ordering::Relaxed)
    }
}

impl<A: Actor> GateExt for Context<A> {
    fn guard_by(&self, gate: impl Gate) -> Result<(), AlreadyGuarded> {
        self.system().guard_by(gate)
    }

    fn is_guarded(&self) -> bool {
        self.system().is_guarded()
    }

    fn refused_acts(&self) -> u64 {
        self.system().refused_acts()
    }
}

impl BuilderGateExt for SystemBuilder {
    fn gate(self, gate: impl Gate) -> Self {
        self.prepare(move |system| {
            if let Err(error) = system.guard_by(gate) {
                tracing::error!(target: "callboard::gate", %error, "a second gate is not asked");
            }
        })
    }
}

/// What the system keeps of its gate; a clone is one more reference.
#[derive(Clone)]
pub(crate) struct Gatekeeper(Arc<Shared>);

#[derive(Default)]
struct Shared {
    gate: OnceLock<Arc<dyn Gate>>,
    refused: AtomicU64,
}

/// How an operation is used: the access to one with this name, of a module with this level.
pub(crate) type Use = for<'o> fn(&'o str, SecurityLevel) -> Access<'o>;

/// What all instances of a module together ask of whoever calls it.
struct Demand {
    level: SecurityLevel,
    permissions: BTreeSet<String>,
}

impl Gatekeeper {
    pub(crate) fn of(system: &System) -> Self {
        Self(system.extension(Shared::default))
    }

    #[inline]
    pub(crate) fn is_there(&self) -> bool {
        self.0.gate.get().is_some()
    }

    /// Asks the gate, if there is one.
    #[inline]
    pub(crate) fn ask(&self, auth: &AuthContext, access: &Access<'_>) -> Result<Option<Principal>, GateError> {
        self.0.gate.get().map_or(Ok(None), |gate| self.ask_gate(&**gate, auth, access))
    }

    fn ask_gate(
        &self,
        gate: &dyn Gate,
        auth: &AuthContext,
        access: &Access<'_>,
    ) -> Result<Option<Principal>, GateError> {
        let asked = catch_unwind(AssertUnwindSafe(|| gate.admit(auth, access)));
        asked.unwrap_or(Err(GateError::Broken)).map_err(|error| self.refuse(auth, access, error))
    }

    #[cold]
    fn refuse(&self, auth: &AuthContext, access: &Access<'_>, error: GateError) -> GateError {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
        let (scope, resource, by) = (access.scope(), access.resource(), auth.name());
        tracing::info!(target: "callboard::gate", scope, resource = &*resource, by, code = error.code().code(), %error, "refused");
        error
    }

    /// What the module of an operation asks for; nothing where its calls pass no gate.
    pub(crate) fn level_of(&self, system: &System, operation: &str) -> Option<SecurityLevel> {
        self.0.gate.get().map(|gate| Demand::of(&**gate, system, operation).level)
    }

    /// Asks whether a call or a message may go to the module that it names.
    pub(crate) fn ask_use(
        &self,
        system: &System,
        auth: &AuthContext,
        operation: &str,
        access: Use,
    ) -> Result<Option<Principal>, GateError> {
        let Some(gate) = self.0.gate.get() else { return Ok(None) };
        let demand = Demand::of(&**gate, system, operation);
        if demand.level == SecurityLevel::Public {
            return Ok(None);
        }
        let access = access(operation, demand.level);
        let asked = self.ask_gate(&**gate, auth, &access);
        let admitted = asked.and_then(|who| demand.check(who).map_err(|error| self.refuse(auth, &access, error)));
        if demand.level >= SecurityLevel::Privileged {
            write_down(system, auth, &access, &admitted);
        }
        admitted.map(Some)
    }
}

/// Each use of what is privileged.
fn write_down(system: &System, auth: &AuthContext, access: &Access<'_>, admitted: &Result<Principal, GateError>) {
    let by = admitted.as_ref().map_or_else(|_| auth.name().unwrap_or("nobody"), |principal| &principal.user);
    let act = if admitted.is_ok() { access.act().to_owned() } else { format!("{} (denied)", access.act()) };
    system.audit().record(AuditKind::Operation, &act, &access.resource(), by);
}

impl Demand {
    /// Any instance may be the one that is asked, so whoever passes has to be one for all of them.
    fn of(gate: &dyn Gate, system: &System, operation: &str) -> Self {
        let module = operation.rsplit_once('.').map_or(operation, |(module, _)| module);
        let (modules, mut demand) =
            (system.modules(), Self { level: gate.least_level(), permissions: BTreeSet::new() });
        for instance in modules.snapshot().instances(module) {
            let descriptor = instance.descriptor();
            demand.level = demand.level.max(descriptor.security_level);
            demand.permissions.extend(descriptor.required_permissions.iter().cloned());
        }
        demand
    }

    fn check(&self, who: Option<Principal>) -> Result<Principal, GateError> {
        let principal = who.ok_or(GateError::unproven(Unproven::Missing))?;
        if self.level < SecurityLevel::Authorized {
            return Ok(principal);
        }
        match self.permissions.iter().find(|permission| !principal.permissions.hold(permission)) {
            Some(missing) => Err(GateError::missing(missing)),
            None => Ok(principal),
        }
    }
}

impl fmt::Debug for Gatekeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gatekeeper").field("is_there", &self.is_there()).finish_non_exhaustive()
    }
}
