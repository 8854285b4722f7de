//! All contracts of a system: [`Contracts`].

use std::collections::BTreeMap;

use thiserror::Error;

use super::{Contract, ContractError, Violation};
use crate::discovery::Capability;

/// The contracts that were made. Each is between one consumer and one provider about one capability.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contracts(BTreeMap<Parties, Contract>);

/// Consumer, provider, capability.
type Parties = (String, String, String);

/// A contract that held when it was made, and holds no more.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Breach {
    /// The provider does not offer the capability any more.
    #[error("{} needs `{}`, which {} offers no more", .0.consumer, .0.capability, .0.provider)]
    Gone(Contract),
    /// It offers another one under its name.
    #[error(transparent)]
    Broken(#[from] ContractError),
}

impl Contracts {
    /// Keeps a contract if it holds, in the place of the one before between the same about the same. What it answers with
    /// is as in [`Contract::check`].
    ///
    /// # Errors
    ///
    /// It does not hold. Then nothing has changed.
    pub fn make(&mut self, contract: Contract, capability: &Capability) -> Result<Violation, ContractError> {
        let doubts = contract.check(capability)?;
        self.0.insert(parties(&contract), contract);
        Ok(doubts)
    }

    /// Forgets what a module needed of others: it is gone, or says anew what it needs.
    pub fn forget(&mut self, consumer: &str) {
        self.0.retain(|(own, ..), _| own != consumer);
    }

    /// The contracts that hold no more, with the capabilities that are there now by provider and id.
    pub fn breaches<'c>(&self, find: impl Fn(&str, &str) -> Option<&'c Capability>) -> Vec<Breach> {
        let breach = |contract: &Contract| match find(&contract.provider, &contract.capability) {
            Some(capability) => contract.check(capability).err().map(Breach::Broken),
            None => Some(Breach::Gone(contract.clone())),
        };
        self.0.values().filter_map(breach).collect()
    }

    /// All of them, by consumer, provider and capability.
    pub fn iter(&self) -> impl Iterator<Item = &Contract> {
        self.0.values()
    }
}

fn parties(contract: &Contract) -> Parties {
    let Contract { consumer, provider, capability, .. } = contract.clone();
    (consumer, provider, capability)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Breach, Contracts};
    use crate::contract::Contract;
    use crate::discovery::Capability;

    fn capability(kind: &str) -> Capability {
        Capability::builder("add", "1.0.0").input_schema(json!({ "type": kind })).build().unwrap()
    }

    fn contract(consumer: &str) -> Contract {
        Contract::new(consumer, "lab", "add", "^1".parse().unwrap()).sends(json!({ "type": "integer" }))
    }

    #[test]
    fn f_dsc_05_a_contract_is_checked_when_made_and_when_a_side_registers_again() {
        let mut contracts = Contracts::default();
        contracts.make(contract("web"), &capability("number")).unwrap();
        assert!(contracts.make(contract("cli"), &capability("string")).is_err());
        assert_eq!(contracts.iter().map(|kept| kept.consumer.as_str()).collect::<Vec<_>>(), ["web"]);

        let [same, narrower] = [capability("integer"), capability("string")];
        assert!(contracts.breaches(|_, _| Some(&same)).is_empty());
        assert!(matches!(contracts.breaches(|_, _| Some(&narrower))[..], [Breach::Broken(_)]));
        let gone = contracts.breaches(|_, _| None);
        assert_eq!(gone[0].to_string(), "web needs `add`, which lab offers no more");

        contracts.forget("web");
        assert!(contracts.breaches(|_, _| None).is_empty());
    }
}
