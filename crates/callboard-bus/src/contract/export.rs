//! What modules offer, as a file: [`Export`]. To be kept beside the code, and held against a later one by
//! [`diff`](super::diff).

use std::sync::Arc;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use thiserror::Error;

use crate::descriptor::Descriptor;

/// What modules offered when this was written, by name and version.
///
/// ```json
/// { "format": 1, "modules": [ { "name": "storage", "version": "1.2.0", "description": "", "tags": [], "requires": [],
///   "operations": [ { "name": "put", "input": true, "output": { "type": "integer" } } ] } ] }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
#[non_exhaustive]
pub struct Export {
    format: u32,
    /// By name, and of one name the lowest version first.
    pub modules: Vec<ExportedModule>,
}

/// An export before its format is looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u64,
    modules: Vec<ExportedModule>,
}

/// One module, whatever its instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExportedModule {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// What it is for.
    pub description: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The addresses of the operations that it needs.
    pub requires: Vec<String>,
    /// What it offers, by name.
    pub operations: Vec<ExportedOperation>,
}

/// One operation of a module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExportedOperation {
    /// Its name.
    pub name: String,
    /// The JSON Schema of what it takes.
    pub input: Json,
    /// The JSON Schema of what it answers.
    pub output: Json,
}

/// Why a text is no export.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// It is not what an export looks like.
    #[error("this is no export of modules: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Another release has written it.
    #[error("the export has the format {found}, and {} is read here: write it again with this release", Export::FORMAT)]
    Format {
        /// The number in it.
        found: u64,
    },
}

impl Export {
    /// The number of the format that is written, and the only one that is read.
    pub const FORMAT: u32 = 1;

    /// Of these modules. Those of one name and version count once, as the instances of a module do.
    #[must_use]
    pub fn new(modules: impl IntoIterator<Item = ExportedModule>) -> Self {
        let mut modules: Vec<_> = modules.into_iter().map(ExportedModule::in_order).collect();
        modules.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
        modules.dedup_by(|one, other| (&one.name, &one.version) == (&other.name, &other.version));
        Self { format: Self::FORMAT, modules }
    }

    /// As text, the same for the same modules.
    ///
    /// # Errors
    ///
    /// A schema that is no JSON, which there is none of.
    pub fn to_json(&self) -> Result<String, ExportError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Out of text.
    ///
    /// # Errors
    ///
    /// No export, or one of another format.
    pub fn from_json(text: &str) -> Result<Self, ExportError> {
        // Another format may have other fields, so its number is looked at first.
        #[derive(Deserialize)]
        struct Head {
            format: u64,
        }
        let Head { format } = serde_json::from_str(text)?;
        check_format(format)?;
        Ok(serde_json::from_str(text)?)
    }
}

impl TryFrom<Written> for Export {
    type Error = ExportError;

    fn try_from(Written { format, modules }: Written) -> Result<Self, ExportError> {
        check_format(format)?;
        Ok(Self::new(modules))
    }
}

/// The modules as they are registered.
impl FromIterator<Arc<Descriptor>> for Export {
    fn from_iter<I: IntoIterator<Item = Arc<Descriptor>>>(descriptors: I) -> Self {
        Self::new(descriptors.into_iter().map(|descriptor| ExportedModule::from(&*descriptor)))
    }
}

fn check_format(found: u64) -> Result<(), ExportError> {
    if found == u64::from(Export::FORMAT) { Ok(()) } else { Err(ExportError::Format { found }) }
}

impl ExportedModule {
    /// A module that offers nothing.
    #[must_use]
    pub fn new(name: impl Into<String>, version: Version) -> Self {
        let [tags, requires] = [Vec::new(), Vec::new()];
        Self { name: name.into(), version, description: String::new(), tags, requires, operations: Vec::new() }
    }

    /// Offers an operation.
    #[must_use]
    pub fn operation(mut self, name: impl Into<String>, input: Json, output: Json) -> Self {
        self.operations.push(ExportedOperation { name: name.into(), input, output });
        self
    }

    fn in_order(mut self) -> Self {
        self.tags.sort_unstable();
        self.requires.sort_unstable();
        self.operations.sort_by(|one, other| one.name.cmp(&other.name));
        self
    }
}

impl From<&Descriptor> for ExportedModule {
    fn from(descriptor: &Descriptor) -> Self {
        let operations = descriptor.operations.iter().map(|operation| ExportedOperation {
            name: operation.name.clone(),
            input: operation.message_schema.clone(),
            output: operation.reply_schema.clone(),
        });
        Self {
            name: descriptor.name.clone(),
            version: descriptor.version.clone(),
            description: descriptor.description.clone(),
            tags: descriptor.tags.clone(),
            requires: descriptor.requires.iter().map(ToString::to_string).collect(),
            operations: operations.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use semver::Version;
    use serde_json::json;

    use super::{Export, ExportError, ExportedModule};

    fn export() -> Export {
        let storage = |minor| {
            let mut storage = ExportedModule::new("storage", Version::new(1, minor, 0))
                .operation("put", json!({ "type": "string" }), json!(true))
                .operation("get", json!(true), json!({ "type": "string" }));
            storage.tags = vec!["slow".to_owned(), "durable".to_owned()];
            storage
        };
        let mut web = ExportedModule::new("web", Version::new(0, 1, 0));
        web.requires.push("storage.put@^1".to_owned());
        Export::new([web, storage(2), storage(1), storage(2)])
    }

    /// The bytes are a promise: a file that is kept has to be read by what comes later.
    #[test]
    fn the_file_is_the_same() {
        assert_eq!(export().to_json().unwrap(), include_str!("export/golden.json"));
        assert_eq!(Export::from_json(include_str!("export/golden.json")).unwrap(), export());
    }

    #[test]
    fn another_format_is_refused_by_its_number() {
        let fault = Export::from_json(r#"{ "format": 2, "things": [] }"#).unwrap_err();
        assert!(matches!(fault, ExportError::Format { found: 2 }), "{fault}");
        let fault = serde_json::from_str::<Export>(r#"{ "format": 2, "modules": [] }"#).unwrap_err();
        assert!(fault.to_string().starts_with("the export has the format 2, and 1 is read here"), "{fault}");
        let faults = ["", "[]", "{}", r#"{ "format": 1 }"#, r#"{ "format": 1, "modules": [], "more": 1 }"#];
        assert!(faults.iter().all(|text| matches!(Export::from_json(text), Err(ExportError::Malformed(_)))));
    }
}
