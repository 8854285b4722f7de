//! What a module can do: [`Capability`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callboard_actor::ErrorCode;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use thiserror::Error;

use crate::address::check_name;
use crate::descriptor::OperationDescriptor;
use crate::redaction::OneLine;
use crate::schema::validity::{self, InvalidSchema};

/// Something that a module can do, as it says itself. What it holds has been checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CapabilityBuilder", into = "CapabilityBuilder")]
#[non_exhaustive]
pub struct Capability {
    /// Its name, unique in its module: `data_processor`. That of an operation is `module.operation`.
    pub capability_id: String,
    /// What people call it.
    pub name: String,
    /// What it is one of; may be empty.
    pub capability_type: String,
    /// What it is for, in a sentence; may be empty.
    pub description: String,
    /// Its version, which need not be that of the module.
    pub version: Version,
    /// The JSON Schema (draft 2020-12) of what it takes.
    pub input_schema: Json,
    /// The JSON Schema (draft 2020-12) of what it answers.
    pub output_schema: Json,
    /// Whoever wants to use it needs all of these.
    pub required_permissions: BTreeSet<String>,
    /// Words to find it by.
    pub tags: BTreeSet<String>,
    /// Whether it may be used now, as its module says.
    pub is_available: bool,
}

/// A capability before it is checked, and its form as configuration. What is not said is empty; the schemas take
/// anything, and it is available.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "a builder does nothing until it is built"]
pub struct CapabilityBuilder {
    capability_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    capability_type: String,
    #[serde(default)]
    description: String,
    version: String,
    #[serde(default = "anything")]
    input_schema: Json,
    #[serde(default = "anything")]
    output_schema: Json,
    #[serde(default)]
    required_permissions: BTreeSet<String>,
    #[serde(default)]
    tags: BTreeSet<String>,
    #[serde(default = "available")]
    is_available: bool,
}

/// Why something is no capability, or is not taken as one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CapabilityError {
    /// A name that cannot be one.
    #[error("{field}: `{}` {reason}", OneLine(.value))]
    BadName {
        /// The field.
        field: &'static str,
        /// What it is.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A version that is not semantic.
    #[error("version of `{capability_id}`: `{}` cannot be read: {reason}", OneLine(.version))]
    BadVersion {
        /// The capability.
        capability_id: String,
        /// What it is.
        version: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A schema that is none.
    #[error("{field} of `{capability_id}`: {fault}")]
    BadSchema {
        /// The capability.
        capability_id: String,
        /// Which of its schemas.
        field: &'static str,
        /// What is wrong with it, and where.
        fault: InvalidSchema,
    },
    /// The module has one of this name.
    #[error("there is a capability `{capability_id}` already: withdraw it first, or give one of them another id")]
    AlreadyExists {
        /// The name.
        capability_id: String,
    },
}

impl CapabilityError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::AlreadyExists { .. } => ErrorCode::AlreadyExists,
            Self::BadName { .. } => ErrorCode::InvalidName,
            Self::BadVersion { .. } | Self::BadSchema { .. } => ErrorCode::ValidationFailed,
        }
    }
}

impl Capability {
    /// The type of those that are operations of their modules.
    pub const OPERATION: &'static str = "operation";

    /// An operation of a module is something that it can do. Who made the operation has derived the schemas.
    pub(crate) fn of_operation(operation: &OperationDescriptor) -> Self {
        Self {
            capability_id: operation.address.clone(),
            name: operation.name.clone(),
            capability_type: Self::OPERATION.to_owned(),
            description: operation.description.clone(),
            version: operation.version.clone(),
            input_schema: operation.message_schema.clone(),
            output_schema: operation.reply_schema.clone(),
            required_permissions: BTreeSet::new(),
            tags: BTreeSet::new(),
            is_available: true,
        }
    }

    /// A capability with this name and this semantic version.
    pub fn builder(capability_id: impl Into<String>, version: impl Into<String>) -> CapabilityBuilder {
        CapabilityBuilder {
            capability_id: capability_id.into(),
            name: String::new(),
            capability_type: String::new(),
            description: String::new(),
            version: version.into(),
            input_schema: anything(),
            output_schema: anything(),
            required_permissions: BTreeSet::new(),
            tags: BTreeSet::new(),
            is_available: true,
        }
    }
}

impl CapabilityBuilder {
    /// What people call it; its id if they are not told.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What it is one of.
    pub fn capability_type(mut self, capability_type: impl Into<String>) -> Self {
        self.capability_type = capability_type.into();
        self
    }

    /// What it is for, in a sentence.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// The JSON Schema of what it takes.
    pub fn input_schema(mut self, schema: Json) -> Self {
        self.input_schema = schema;
        self
    }

    /// The JSON Schema of what it answers.
    pub fn output_schema(mut self, schema: Json) -> Self {
        self.output_schema = schema;
        self
    }

    /// What a caller needs to be allowed; all that are named.
    pub fn required_permission(mut self, permission: impl Into<String>) -> Self {
        self.required_permissions.insert(permission.into());
        self
    }

    /// A word to find it by.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.insert(tag.into());
        self
    }

    /// Whether it may be used now.
    pub const fn available(mut self, is_available: bool) -> Self {
        self.is_available = is_available;
        self
    }

    /// The capability.
    ///
    /// # Errors
    ///
    /// A name, version or schema that is none; the first that there is.
    pub fn build(self) -> Result<Capability, CapabilityError> {
        let Self { capability_id, capability_type, .. } = &self;
        named("capability_id", capability_id, check_id)?;
        if !capability_type.is_empty() {
            named("capability_type", capability_type, check_name)?;
        }
        let version = self.version()?;
        self.check_schema("input_schema", &self.input_schema)?;
        self.check_schema("output_schema", &self.output_schema)?;
        Ok(Capability {
            name: if self.name.is_empty() { self.capability_id.clone() } else { self.name },
            capability_id: self.capability_id,
            capability_type: self.capability_type,
            description: self.description,
            version,
            input_schema: self.input_schema,
            output_schema: self.output_schema,
            required_permissions: self.required_permissions,
            tags: self.tags,
            is_available: self.is_available,
        })
    }

    fn version(&self) -> Result<Version, CapabilityError> {
        Version::parse(&self.version).map_err(|fault| CapabilityError::BadVersion {
            capability_id: self.capability_id.clone(),
            version: self.version.clone(),
            reason: fault.to_string(),
        })
    }

    fn check_schema(&self, field: &'static str, schema: &Json) -> Result<(), CapabilityError> {
        let capability_id = || self.capability_id.clone();
        validity::check(schema).map_err(|fault| CapabilityError::BadSchema {
            capability_id: capability_id(),
            field,
            fault,
        })
    }
}

impl TryFrom<CapabilityBuilder> for Capability {
    type Error = CapabilityError;

    fn try_from(builder: CapabilityBuilder) -> Result<Self, CapabilityError> {
        builder.build()
    }
}

impl From<Capability> for CapabilityBuilder {
    fn from(capability: Capability) -> Self {
        Self {
            capability_id: capability.capability_id,
            name: capability.name,
            capability_type: capability.capability_type,
            description: capability.description,
            version: capability.version.to_string(),
            input_schema: capability.input_schema,
            output_schema: capability.output_schema,
            required_permissions: capability.required_permissions,
            tags: capability.tags,
            is_available: capability.is_available,
        }
    }
}

/// The capabilities of one module.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(into = "Vec<Capability>")]
pub struct Capabilities(BTreeMap<String, Arc<Capability>>);

impl Capabilities {
    /// Adds one.
    ///
    /// # Errors
    ///
    /// There is one of its name; see [`withdraw`](Self::withdraw).
    pub fn advertise(&mut self, capability: Capability) -> Result<(), CapabilityError> {
        let capability_id = capability.capability_id.clone();
        if self.0.contains_key(&capability_id) {
            return Err(CapabilityError::AlreadyExists { capability_id });
        }
        self.0.insert(capability_id, Arc::new(capability));
        Ok(())
    }

    /// Takes one away; nothing when there is none of that name.
    pub fn withdraw(&mut self, capability_id: &str) -> Option<Arc<Capability>> {
        self.0.remove(capability_id)
    }

    /// Says whether one may be used now. Whether there is one of that name.
    pub fn set_available(&mut self, capability_id: &str, is_available: bool) -> bool {
        let known = self.0.get_mut(capability_id);
        known.map(|capability| Arc::make_mut(capability).is_available = is_available).is_some()
    }

    /// One by its name.
    #[must_use]
    pub fn get(&self, capability_id: &str) -> Option<&Arc<Capability>> {
        self.0.get(capability_id)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Capability>> {
        self.0.values()
    }

    /// Adds one if its name is free.
    pub(crate) fn add(&mut self, capability: &Arc<Capability>) {
        self.0.entry(capability.capability_id.clone()).or_insert_with(|| Arc::clone(capability));
    }

    /// Adds those of others whose names are free here.
    pub(crate) fn adopt(&mut self, others: &Self) {
        others.iter().for_each(|capability| self.add(capability));
    }
}

impl From<Capabilities> for Vec<Capability> {
    fn from(Capabilities(capabilities): Capabilities) -> Self {
        capabilities.into_values().map(Arc::unwrap_or_clone).collect()
    }
}

/// An operation is named by its module and its own name, each of which may be as long as a name.
fn check_id(capability_id: &str) -> Result<(), &'static str> {
    const LONGEST: usize = 257;
    if capability_id.len() > LONGEST {
        return Err("is longer than 257 bytes");
    }
    capability_id.split('.').try_for_each(check_name)
}

fn named(field: &'static str, value: &str, check: fn(&str) -> Result<(), &'static str>) -> Result<(), CapabilityError> {
    check(value).map_err(|reason| CapabilityError::BadName {
        field,
        value: value.chars().take(MOST_SHOWN).collect(),
        reason,
    })
}

/// So many letters of a name that is none are shown.
const MOST_SHOWN: usize = 128;

const fn anything() -> Json {
    Json::Bool(true)
}

const fn available() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use callboard_actor::ErrorCode;
    use serde_json::{Value as Json, json};

    use super::{Capabilities, Capability, CapabilityError};
    use crate::codec::{Limits, decode, decode_json, encode, encode_json};

    fn processor() -> Capability {
        let input =
            json!({ "type": "object", "properties": { "format": { "type": "string", "enum": ["json", "csv"] } } });
        Capability::builder("data_processor", "1.0.0-rc.1+7")
            .name("Data Processing Service")
            .capability_type("data_processor")
            .description("Processes various data formats")
            .input_schema(input)
            .output_schema(json!({ "type": "object", "properties": { "status": { "type": "string" } } }))
            .required_permission("data:process")
            .tag("analytics")
            .tag("batch")
            .available(false)
            .build()
            .unwrap()
    }

    #[test]
    fn f_dsc_01_every_field_goes_through_message_pack_and_json() {
        let capability = processor();
        let limits = Limits::default();
        assert_eq!(decode::<Capability>(&encode(&capability).unwrap(), &limits).unwrap(), capability);
        assert_eq!(decode_json::<Capability>(&encode_json(&capability).unwrap(), &limits).unwrap(), capability);
        let written: Json = serde_json::from_slice(&encode_json(&capability).unwrap()).unwrap();
        assert_eq!(
            written,
            json!({
                "capability_id": "data_processor",
                "name": "Data Processing Service",
                "capability_type": "data_processor",
                "description": "Processes various data formats",
                "version": "1.0.0-rc.1+7",
                "input_schema": capability.input_schema,
                "output_schema": capability.output_schema,
                "required_permissions": ["data:process"],
                "tags": ["analytics", "batch"],
                "is_available": false,
            })
        );
    }

    #[test]
    fn f_dsc_01_what_is_wrong_is_said_with_its_place() {
        let bad = Capability::builder("a", "1.x").build().unwrap_err();
        assert_eq!(bad.code(), ErrorCode::ValidationFailed);
        assert!(bad.to_string().starts_with("version of `a`: `1.x` cannot be read: "), "{bad}");
        let schema = json!({ "properties": { "rows": { "type": "lots" } } });
        let bad = Capability::builder("a", "1.0.0").output_schema(schema).build().unwrap_err();
        assert_eq!(bad.code(), ErrorCode::ValidationFailed);
        assert!(bad.to_string().starts_with("output_schema of `a`: /properties/rows/type: "), "{bad}");
        let bad = Capability::builder("a b", "1.0.0").build().unwrap_err();
        assert_eq!(
            (bad.code(), bad.to_string().as_str()),
            (ErrorCode::InvalidName, "capability_id: `a b` has a space in it")
        );
        let read = serde_json::from_value::<Capability>(json!({ "capability_id": "a", "version": "one" }));
        assert!(read.unwrap_err().to_string().contains("`one` cannot be read"));
    }

    #[test]
    fn f_dsc_01_a_module_has_one_capability_of_a_name() {
        let mut capabilities = Capabilities::default();
        capabilities.advertise(processor()).unwrap();
        let twice = capabilities.advertise(processor()).unwrap_err();
        assert_eq!(twice, CapabilityError::AlreadyExists { capability_id: "data_processor".to_owned() });
        assert_eq!(twice.code(), ErrorCode::AlreadyExists);
        assert!(capabilities.set_available("data_processor", true) && !capabilities.set_available("other", true));
        assert!(capabilities.iter().all(|capability| capability.is_available));
        assert!(capabilities.withdraw("data_processor").is_some());
        assert_eq!(capabilities, Capabilities::default());
    }

    #[test]
    fn what_is_not_said_has_a_sensible_default() {
        let plain = Capability::builder("a", "1.0.0").build().unwrap();
        assert_eq!((plain.name.as_str(), plain.is_available, &plain.input_schema), ("a", true, &json!(true)));
        assert_eq!(
            serde_json::from_value::<Capability>(json!({ "capability_id": "a", "version": "1.0.0" })).unwrap(),
            plain
        );
    }
}
