//! What modules offer of that which a definition calls.

use std::collections::HashMap;
use std::sync::Arc;

use callboard_bus::{Address, LookupError, Modules, OperationDescriptor};

use crate::definition::{Absent, Definition, Handler, Operations, Signature};

/// The operations that the handlers of one definition name, as they are at one moment.
#[derive(Debug)]
pub(super) struct Offered(HashMap<String, Result<Arc<OperationDescriptor>, Absent>>);

impl Offered {
    pub(super) fn of(definition: &Definition, modules: &Modules) -> Self {
        let handlers = definition.steps().iter().flat_map(|step| {
            let undo = step.compensate.as_ref().map(|undo| &undo.handler);
            [Some(&step.handler), undo].into_iter().flatten()
        });
        Self(handlers.map(|handler| (handler.to_string(), resolve(handler, modules))).collect())
    }
}

impl Operations for Offered {
    fn find(&self, handler: &Handler) -> Result<Signature<'_>, Absent> {
        match self.0.get(&handler.to_string()) {
            Some(Ok(there)) => Ok(Signature { message: Some(&there.message_schema), reply: Some(&there.reply_schema) }),
            Some(Err(absent)) => Err(absent.clone()),
            None => Ok(Signature::default()),
        }
    }
}

fn resolve(handler: &Handler, modules: &Modules) -> Result<Arc<OperationDescriptor>, Absent> {
    let address = handler.to_string().parse::<Address>().map_err(LookupError::from);
    address.and_then(|address| modules.resolve(&address)).map_err(|error| match error {
        LookupError::UnknownOperation { hint, .. } => Absent::Operation { offered: hint.offered().to_vec() },
        LookupError::Version { there, .. } => Absent::Version { there },
        LookupError::UnknownModule { hint, .. } => Absent::Module { offered: hint.offered().to_vec() },
        _ => Absent::Module { offered: Vec::new() },
    })
}
