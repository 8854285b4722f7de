//! What the data of a channel's messages has to be like: [`DataSchema`]. Pure.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::schema::validity::{self, InvalidSchema};
use crate::schema::{SchemaFault, Validation};
use crate::value::Value;

/// See the head of this file.
pub(crate) struct DataSchema {
    schema: Arc<Json>,
    validation: Validation,
}

impl DataSchema {
    /// # Errors
    ///
    /// What is no schema.
    pub(super) fn new(schema: Json) -> Result<Self, InvalidSchema> {
        validity::check(&schema)?;
        let validation = Validation::new(&schema);
        Ok(Self { schema: Arc::new(schema), validation })
    }

    pub(super) fn schema(&self) -> &Arc<Json> {
        &self.schema
    }

    /// Everything that is wrong with the data, up to a hundred.
    pub(super) fn faults(&self, data: &Value) -> Vec<SchemaFault> {
        self.validation.faults(&self.schema, data)
    }
}

impl fmt::Debug for DataSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataSchema({})", self.schema)
    }
}
