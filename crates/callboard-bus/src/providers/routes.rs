//! Where routes lead: [`RouteProvider`], and [`ApiRoutes`] to begin with.

use super::Provided;
use crate::address::Address;
use crate::modules::Modules;

/// Knows which operation a route leads to.
pub trait RouteProvider: Send + Sync + 'static {
    /// The operation; nothing for a route that leads nowhere.
    fn resolve(&self, route: &str) -> Provided<Address>;
}

/// `/api/v{major}/{module}/{operation}` for every operation that is registered, as long as it is.
#[derive(Clone, Debug)]
pub struct ApiRoutes(Modules);

impl ApiRoutes {
    /// Those of these modules.
    #[must_use]
    pub fn of(modules: &Modules) -> Self {
        Self(modules.clone())
    }

    fn address(&self, route: &str) -> Option<Address> {
        let (major, name) = route.strip_prefix("/api/v")?.split_once('/')?;
        let (module, operation) = name.rsplit_once('/')?;
        // Only digits, and as they would be written.
        let major = major.parse::<u64>().ok().filter(|number| number.to_string() == major)?;
        let address: Address = format!("{module}.{operation}@^{major}").parse().ok()?;
        self.0.resolve(&address).is_ok().then_some(address)
    }
}

impl RouteProvider for ApiRoutes {
    fn resolve(&self, route: &str) -> Provided<Address> {
        let address = self.address(route);
        Box::pin(async move { Ok(address) })
    }
}
