//! Who calls: [`AuthProvider`], and [`ApiKeys`] to begin with.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use callboard_actor::{ErrorCode, WeakSystem};

use super::{Provided, asked};
use crate::call::CallError;
use crate::descriptor::Descriptor;
use crate::discovery::Permissions;
use crate::middleware::{Next, Request};
use crate::modules::Modules;
use crate::security_level::SecurityLevel;
use crate::value::Value;

/// Finds out who makes a call.
pub trait AuthProvider: Send + Sync + 'static {
    /// By what the caller shows: its key, what is in the metadata. Nothing where that is nobody.
    fn authenticate(&self, request: &Request) -> Provided<Principal>;
}

/// Somebody who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// Who that is.
    pub user: String,
    /// What they may.
    pub permissions: Permissions,
}

impl Principal {
    /// Somebody who may do this.
    pub fn new(user: impl Into<String>, permissions: Permissions) -> Self {
        Self { user: user.into(), permissions }
    }
}

/// Users by the key that they show. For few of them, and keys that are long and random: they are held as they are.
#[derive(Clone, Default)]
#[must_use = "keys count where a system authenticates by them"]
pub struct ApiKeys(HashMap<String, Principal>);

impl ApiKeys {
    /// Whoever shows this key is this one. An empty key is nobody's.
    pub fn key(mut self, key: impl Into<String>, principal: Principal) -> Self {
        let key = key.into();
        if !key.is_empty() {
            self.0.insert(key, principal);
        }
        self
    }
}

impl AuthProvider for ApiKeys {
    fn authenticate(&self, request: &Request) -> Provided<Principal> {
        let principal = request.api_key.as_ref().and_then(|key| self.0.get(key)).cloned();
        Box::pin(async move { Ok(principal) })
    }
}

/// No key.
impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys").field("keys", &self.0.len()).finish()
    }
}

/// Lets a call pass that its module may have.
pub(super) async fn admit<P: AuthProvider>(
    provider: Arc<P>,
    modules: Modules,
    system: WeakSystem,
    mut request: Request,
    next: Next,
) -> Result<Value, CallError> {
    let Ok(principal) = asked("authentication", &system, &request, || provider.authenticate(&request)).await else {
        return Err(CallError::refused(ErrorCode::Unauthenticated, "who calls could not be found out"));
    };
    check_all(&modules, request.module(), principal.as_ref())?;
    // Whatever the caller has said of itself.
    request.user = principal.as_ref().map(|principal| principal.user.clone());
    request.principal = principal;
    next.run(request).await
}

/// Any instance may be the one that is asked, so the call has to be one for all of them.
fn check_all(modules: &Modules, module: &str, principal: Option<&Principal>) -> Result<(), CallError> {
    let snapshot = modules.snapshot();
    snapshot.instances(module).iter().try_for_each(|instance| check(instance.descriptor(), principal))
}

fn check(descriptor: &Descriptor, principal: Option<&Principal>) -> Result<(), CallError> {
    if descriptor.security_level < SecurityLevel::Authenticated {
        return Ok(());
    }
    let Some(principal) = principal else {
        return Err(CallError::refused(ErrorCode::Unauthenticated, "Authentication required"));
    };
    if descriptor.security_level < SecurityLevel::Authorized {
        return Ok(());
    }
    match descriptor.required_permissions.iter().find(|permission| !principal.permissions.hold(permission)) {
        None => Ok(()),
        Some(missing) => {
            let text = format!("`{}` asks for the permission `{missing}`", descriptor.name);
            Err(CallError::refused(ErrorCode::PermissionDenied, text))
        }
    }
}
