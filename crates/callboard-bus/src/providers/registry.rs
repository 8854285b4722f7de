//! Which modules there are, in the words of another registry: [`RegistryBackend`].

use std::sync::Arc;

use callboard_actor::{ErrorCode, WeakSystem};

use super::{Provided, asked};
use crate::call::CallError;
use crate::descriptor::Health;
use crate::middleware::{Next, Request};
use crate::modules::Modules;
use crate::value::Value;

/// Knows modules and how they are. [`Modules`] is the one of ours.
pub trait RegistryBackend: Send + Sync + 'static {
    /// How the module is, by its name; nothing for one that is not registered.
    fn health(&self, module: &str) -> Provided<Health>;
}

/// As healthy as its healthiest instance.
impl RegistryBackend for Modules {
    fn health(&self, module: &str) -> Provided<Health> {
        let snapshot = self.snapshot();
        let healths = snapshot.instances(module).iter().map(|instance| instance.descriptor().health.clone());
        let best = healths.min_by_key(severity);
        Box::pin(async move { Ok(best) })
    }
}

const fn severity(health: &Health) -> u8 {
    match health {
        Health::Healthy => 0,
        Health::Degraded(_) => 1,
        Health::Unhealthy(_) => 2,
    }
}

/// Lets a call pass whose module is there.
pub(super) async fn admit<B: RegistryBackend>(
    backend: Arc<B>,
    system: WeakSystem,
    request: Request,
    next: Next,
) -> Result<Value, CallError> {
    let module = request.module();
    match asked("registry", &system, &request, || backend.health(module)).await {
        Ok(Some(Health::Healthy | Health::Degraded(_))) => next.run(request).await,
        Ok(Some(Health::Unhealthy(reason))) => {
            Err(CallError::refused(ErrorCode::Unavailable, format!("module `{module}` is unhealthy: {reason}")))
        }
        Ok(None) | Err(_) => {
            Err(CallError::refused(ErrorCode::UnknownModule, format!("there is no module `{module}` in the registry")))
        }
    }
}
