//! What two modules have agreed on: [`Contract`]. Checked when it is made, and again whenever one of them changes. Pure.
//!
//! ```
//! use callboard_bus::contract::Contract;
//! use callboard_bus::discovery::Capability;
//! use serde_json::json;
//!
//! let number = |bits: &str| json!({ "type": "integer", "format": bits });
//! let processor = Capability::builder("count", "1.2.0").input_schema(number("int64")).output_schema(number("int32"));
//! let processor = processor.build()?;
//! let contract = Contract::new("web", "lab", "count", "^1".parse()?).sends(number("int32")).expects(number("int32"));
//! assert!(contract.check(&processor)?.is_empty());
//!
//! let narrower = Capability::builder("count", "1.3.0").input_schema(number("int16")).output_schema(number("int16"));
//! assert_eq!(
//!     contract.check(&narrower.build()?).unwrap_err().to_string(),
//!     "web and lab do not agree on `count` 1.3.0: sent /: it may break `format` `int16`",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod change;
pub mod diff;
mod error;
mod export;
mod ledger;
mod negotiation;

use std::fmt;

use callboard_actor::ErrorCode;
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use thiserror::Error;

use crate::discovery::Capability;
use crate::schema::compatibility::{Misfit, misfits};

pub use self::change::ContractChange;
pub use self::error::NegotiateError;
pub use self::export::{Export, ExportError, ExportedModule, ExportedOperation};
pub use self::ledger::{Breach, Contracts, HeldContract};
pub use self::negotiation::{Agreement, Loser, LostReason, Need, NoAgreement, negotiate};

/// That one module uses a capability of another, and how it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Contract {
    /// The module that uses it.
    pub consumer: String,
    /// The module whose it is.
    pub provider: String,
    /// Its id.
    pub capability: String,
    /// The versions of it that will do.
    pub version_req: VersionReq,
    /// The JSON Schema of what the consumer sends.
    pub input_schema: Json,
    /// The JSON Schema of what the consumer can read as an answer.
    pub output_schema: Json,
}

/// A contract that does not hold.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{consumer} and {provider} do not agree on `{capability}` {version}: {reason}")]
#[non_exhaustive]
pub struct ContractError {
    /// The module that uses the capability.
    pub consumer: String,
    /// The module whose it is.
    pub provider: String,
    /// The id of what the contract was held against.
    pub capability: String,
    /// Its version.
    pub version: Version,
    /// Why it does not hold.
    pub reason: Box<ContractFault>,
}

/// Why a contract does not hold.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ContractFault {
    /// It is about another capability, the one that is named here.
    #[error("the contract is about `{0}`")]
    OtherCapability(String),
    /// The version does not match.
    #[error("the contract asks for {0}")]
    Version(VersionReq),
    /// One side writes what the other does not read.
    #[error("{0}")]
    Violation(Violation),
}

/// Where two sides disagree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// In what the consumer sends.
    pub sent: Vec<Misfit>,
    /// In what the provider answers.
    pub answered: Vec<Misfit>,
}

impl Contract {
    /// A contract that says nothing of payloads yet: until [`sends`](Self::sends) says otherwise the consumer may send
    /// anything, and it can read anything.
    #[must_use]
    pub fn new(
        consumer: impl Into<String>,
        provider: impl Into<String>,
        capability: impl Into<String>,
        version_req: VersionReq,
    ) -> Self {
        let [input_schema, output_schema] = [Json::Bool(true), Json::Bool(true)];
        let (consumer, provider, capability) = (consumer.into(), provider.into(), capability.into());
        Self { consumer, provider, capability, version_req, input_schema, output_schema }
    }

    /// What the consumer sends.
    #[must_use]
    pub fn sends(mut self, schema: Json) -> Self {
        self.input_schema = schema;
        self
    }

    /// What the consumer can read as an answer.
    #[must_use]
    pub fn expects(mut self, schema: Json) -> Self {
        self.output_schema = schema;
        self
    }

    /// Whether the contract holds with this capability of the provider. What it answers with are the places about which
    /// it cannot be told: the schemas there say more than is understood, see
    /// [`compatibility`](crate::schema::compatibility).
    ///
    /// # Errors
    ///
    /// The capability is another, its version does not match, or what one side writes the other does not read.
    pub fn check(&self, capability: &Capability) -> Result<Violation, ContractError> {
        if self.capability != capability.capability_id {
            return Err(self.broken(capability, ContractFault::OtherCapability(self.capability.clone())));
        }
        if !self.version_req.matches(&capability.version) {
            return Err(self.broken(capability, ContractFault::Version(self.version_req.clone())));
        }
        let (doubts, violation) = self.compare(capability);
        let is_kept = violation.is_empty();
        if is_kept { Ok(doubts) } else { Err(self.broken(capability, ContractFault::Violation(violation))) }
    }

    fn broken(&self, capability: &Capability, reason: ContractFault) -> ContractError {
        ContractError {
            consumer: self.consumer.clone(),
            provider: self.provider.clone(),
            capability: capability.capability_id.clone(),
            version: capability.version.clone(),
            reason: Box::new(reason),
        }
    }

    /// What cannot be decided, and what is surely not agreed.
    fn compare(&self, capability: &Capability) -> (Violation, Violation) {
        let apart = |found: Vec<Misfit>| found.into_iter().partition(|misfit| misfit.undecided().is_some());
        let (sent_doubts, sent) = apart(misfits(&self.input_schema, &capability.input_schema));
        let (answered_doubts, answered) = apart(misfits(&capability.output_schema, &self.output_schema));
        (Violation { sent: sent_doubts, answered: answered_doubts }, Violation { sent, answered })
    }
}

impl ContractError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match *self.reason {
            ContractFault::OtherCapability(_) => ErrorCode::InvalidState,
            ContractFault::Version(_) => ErrorCode::VersionIncompatible,
            ContractFault::Violation(_) => ErrorCode::ContractViolation,
        }
    }
}

impl Violation {
    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.answered.is_empty()
    }
}

/// `sent /rows: it is refused; answered /: ...`.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent = self.sent.iter().map(|misfit| format!("sent {misfit}"));
        let answered = self.answered.iter().map(|misfit| format!("answered {misfit}"));
        f.write_str(&sent.chain(answered).collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use callboard_actor::ErrorCode;
    use serde_json::json;

    use super::{Contract, ContractFault};
    use crate::codec::{Limits, decode, encode};
    use crate::discovery::Capability;

    fn contract() -> Contract {
        let sent = json!({ "type": "object", "properties": { "rows": { "type": "integer" } }, "required": ["rows"] });
        let read = json!({ "type": "object", "properties": { "sum": { "type": "number" } }, "required": ["sum"] });
        Contract::new("web", "lab", "add", "^1.2".parse().unwrap()).sends(sent).expects(read)
    }

    fn capability(version: &str, rows: &str, sum: &str) -> Capability {
        let input = json!({ "type": "object", "properties": { "rows": { "type": rows } }, "required": ["rows"] });
        let output = json!({ "type": "object", "properties": { "sum": { "type": sum } }, "required": ["sum"] });
        Capability::builder("add", version).input_schema(input).output_schema(output).build().unwrap()
    }

    #[test]
    fn f_dsc_05_what_one_side_writes_the_other_must_read() {
        assert!(contract().check(&capability("1.2.0", "number", "integer")).unwrap().is_empty());
        let fault = contract().check(&capability("1.4.0", "string", "string")).unwrap_err();
        assert_eq!(fault.code(), ErrorCode::ContractViolation);
        assert_eq!(
            fault.to_string(),
            "web and lab do not agree on `add` 1.4.0: sent /rows: it is integer, where string is taken; \
             answered /sum: it is string, where number is taken"
        );
    }

    /// F-DSC-05
    #[test]
    fn a_provider_that_registers_again_is_checked_again() {
        let contract = contract();
        assert!(contract.check(&capability("1.2.0", "integer", "number")).is_ok());
        let newer = contract.check(&capability("2.0.0", "integer", "number")).unwrap_err();
        assert_eq!(newer.code(), ErrorCode::VersionIncompatible);
        assert_eq!(newer.to_string(), "web and lab do not agree on `add` 2.0.0: the contract asks for ^1.2");
        let other = Capability::builder("sub", "1.2.0").build().unwrap();
        let fault = contract.check(&other).unwrap_err();
        assert_eq!(*fault.reason, ContractFault::OtherCapability("add".to_owned()));
    }

    #[test]
    fn what_cannot_be_decided_is_handed_back() {
        let schema = json!({ "if": { "required": ["a"] }, "then": { "required": ["b"] } });
        let capability = Capability::builder("add", "1.2.0").input_schema(schema).build().unwrap();
        let doubts = contract().expects(json!(true)).check(&capability).unwrap();
        assert_eq!(doubts.to_string(), "sent /: it cannot be decided: `if` is beyond this check");
    }

    #[test]
    fn a_contract_goes_through_message_pack() {
        let bytes = encode(&contract()).unwrap();
        assert_eq!(decode::<Contract>(&bytes, &Limits::default()).unwrap(), contract());
    }
}
