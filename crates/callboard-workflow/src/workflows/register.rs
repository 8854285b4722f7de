//! Registering a definition: [`Register`].

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use callboard_bus::ModulesExt;

use super::offered::Offered;
use super::overseer::Admit;
use super::{RegisterError, Registered, Unreachable, Workflows};
use crate::definition::Definition;

/// A definition about to be registered: `.await` does it.
///
/// # Errors
///
/// [`RegisterError`].
///
/// # Cancel safety
///
/// Dropped before it has ended, it may or may not be registered.
#[must_use = "a definition is registered when this is awaited"]
#[derive(Debug)]
pub struct Register {
    workflows: Workflows,
    definition: Definition,
    is_strict: bool,
}

impl Register {
    pub(super) fn new(workflows: Workflows, definition: Definition) -> Self {
        Self { workflows, definition, is_strict: false }
    }

    /// Refuses a definition that does not fit the modules that are there now (F-WF-02). Otherwise a step that calls what
    /// is not there fails when its turn comes.
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    async fn register(self) -> Result<(), RegisterError> {
        let workflow_id = || self.definition.workflow_id().to_string();
        if self.is_strict {
            let offered = Offered::of(&self.definition, &self.workflows.system.modules());
            let checked = self.definition.check(&offered);
            checked.map_err(|faults| RegisterError::Invalid { workflow_id: workflow_id(), faults })?;
        }
        let registered = Registered::new(self.definition.clone(), self.workflows.patience());
        let registered = registered.map_err(|fault| RegisterError::Handler { workflow_id: workflow_id(), fault })?;
        self.workflows.actor().ask(Admit(registered)).await.map_err(Unreachable::from)?
    }
}

impl IntoFuture for Register {
    type Output = Result<(), RegisterError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.register())
    }
}
