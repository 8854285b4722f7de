//! A gate for stories: it knows three people by their keys, and writes down what it is asked.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use callboard_bus::discovery::Permissions;
use callboard_bus::gate::{Access, AuthContext, Gate, GateError, Unproven};
use callboard_bus::providers::Principal;

/// Who may do everything.
pub(crate) const ADA: &str = "key of ada";
/// Who is known and may do what he is [allowed](Stub::allow).
pub(crate) const BOB: &str = "key of bob";

/// All that a gate asks for, and what the vault does.
const EVERYTHING: [&str; 13] = [
    "api:call",
    "breaker:reset",
    "channel:publish",
    "channel:subscribe",
    "config:write",
    "dlq:purge",
    "dlq:retry",
    "dlq:reveal",
    "events:broadcast",
    "events:publish",
    "events:subscribe",
    "message:send",
    "vault:open",
];

/// See the head of this file.
#[derive(Clone, Default)]
pub(crate) struct Stub(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    of_bob: BTreeSet<String>,
    asked: Vec<Asked>,
}

/// What the gate was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) scope: &'static str,
    pub(crate) resource: String,
    pub(crate) by: Option<String>,
    pub(crate) is_inside: bool,
}

impl Stub {
    /// What Bob may do from now on.
    pub(crate) fn allow<const N: usize>(&self, permissions: [&str; N]) {
        self.0.lock().unwrap().of_bob = permissions.map(str::to_owned).into();
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    fn who(&self, auth: &AuthContext) -> Result<Principal, GateError> {
        if let Some(principal) = &auth.principal {
            return Ok(principal.clone());
        }
        match auth.api_key.as_deref() {
            Some(ADA) => Ok(ada()),
            Some(BOB) => Ok(Principal::new("bob", Permissions::of(&self.0.lock().unwrap().of_bob))),
            Some(_) => Err(GateError::unproven(Unproven::BadSignature)),
            None => Err(GateError::unproven(Unproven::Missing)),
        }
    }
}

/// Who may do everything.
pub(crate) fn ada() -> Principal {
    Principal::new("ada", Permissions::of(EVERYTHING))
}

pub(crate) fn key(key: &str) -> AuthContext {
    AuthContext::default().api_key(key)
}

impl Gate for Stub {
    fn admit(&self, auth: &AuthContext, access: &Access<'_>) -> Result<Option<Principal>, GateError> {
        let (scope, resource) = (access.scope(), access.resource().into_owned());
        let who = self.who(auth);
        let by = who.as_ref().ok().map(|who| who.user.clone());
        self.0.lock().unwrap().asked.push(Asked { scope, resource, by, is_inside: auth.is_inside() });
        let who = who?;
        if who.permissions.hold(scope) { Ok(Some(who)) } else { Err(GateError::missing(scope)) }
    }
}
