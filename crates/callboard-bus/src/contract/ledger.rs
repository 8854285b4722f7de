//! All contracts of a system: [`Contracts`].

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use callboard_actor::ErrorCode;
use thiserror::Error;

use super::{Contract, ContractChange, ContractError, Violation};
use crate::discovery::Capability;

/// The contracts that were made. Each is between one consumer and one provider about one capability.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contracts(BTreeMap<Parties, HeldContract>);

/// Consumer, provider, capability.
type Parties = (String, String, String);

/// A contract that was made, and whether it still holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HeldContract {
    /// What was agreed on.
    pub contract: Contract,
    /// What could not be decided when it was looked at last.
    pub doubts: Violation,
    /// Why it does not hold; nothing when it does.
    pub breach: Option<Breach>,
}

/// A contract that held when it was made, and holds no more.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Breach {
    /// The provider does not offer the capability any more.
    #[error("{} needs `{}`, which {} offers no more", .0.consumer, .0.capability, .0.provider)]
    Gone(Box<Contract>),
    /// It offers another one under its name.
    #[error(transparent)]
    Broken(#[from] ContractError),
}

impl Breach {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Gone(_) => ErrorCode::UnknownModule,
            Self::Broken(error) => error.code(),
        }
    }
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
        self.keep(contract, doubts.clone());
        Ok(doubts)
    }

    /// Keeps a contract that holds.
    pub(crate) fn keep(&mut self, contract: Contract, doubts: Violation) {
        self.0.insert(parties(&contract), HeldContract { contract, doubts, breach: None });
    }

    /// Forgets what a module needed of others, which is what it answers with: the module is gone.
    pub fn forget(&mut self, consumer: &str) -> Vec<Contract> {
        let all = mem::take(&mut self.0).into_iter();
        let (forgotten, kept): (BTreeMap<_, _>, _) = all.partition(|((own, ..), _)| own == consumer);
        self.0 = kept;
        forgotten.into_values().map(|held| held.contract).collect()
    }

    /// Looks again at the contracts that are concerned, with the capabilities that are there now by provider and id. One
    /// holds as long as any of those does.
    pub fn recheck(
        &mut self,
        is_concerned: impl Fn(&Contract) -> bool,
        find: impl Fn(&str, &str) -> Vec<Arc<Capability>>,
    ) -> Vec<ContractChange> {
        let concerned = self.0.values_mut().filter(|held| is_concerned(&held.contract));
        let changes = concerned.filter_map(|held| {
            let offered = find(&held.contract.provider, &held.contract.capability);
            held.look_again(&offered)
        });
        changes.collect()
    }

    /// Those that hold no more.
    pub fn breaches(&self) -> impl Iterator<Item = &Breach> {
        self.iter().filter_map(|held| held.breach.as_ref())
    }

    /// What there is to tell to one who knows nothing yet.
    pub(crate) fn changes(&self) -> Vec<ContractChange> {
        let change = |held: &HeldContract| match held.breach.clone() {
            Some(breach) => ContractChange::Broken { contract: held.contract.clone(), breach },
            None => ContractChange::Made(held.contract.clone()),
        };
        self.iter().map(change).collect()
    }

    /// All of them, by consumer, provider and capability.
    pub fn iter(&self) -> impl Iterator<Item = &HeldContract> {
        self.0.values()
    }
}

impl HeldContract {
    /// What has changed by what is offered now.
    fn look_again(&mut self, offered: &[Arc<Capability>]) -> Option<ContractChange> {
        match standing(&self.contract, offered) {
            Ok(doubts) => {
                self.doubts = doubts;
                self.breach.take().map(|_| ContractChange::Mended(self.contract.clone()))
            }
            Err(breach) if self.breach.as_ref() == Some(&breach) => None,
            Err(breach) => {
                self.breach = Some(breach.clone());
                Some(ContractChange::Broken { contract: self.contract.clone(), breach })
            }
        }
    }
}

/// The breach is that of the first.
fn standing(contract: &Contract, offered: &[Arc<Capability>]) -> Result<Violation, Breach> {
    let mut first = None;
    for capability in offered {
        match contract.check(capability) {
            Ok(doubts) => return Ok(doubts),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.map_or_else(|| Breach::Gone(Box::new(contract.clone())), Breach::Broken))
}

fn parties(contract: &Contract) -> Parties {
    let Contract { consumer, provider, capability, .. } = contract;
    (consumer.clone(), provider.clone(), capability.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use callboard_actor::ErrorCode;
    use serde_json::json;

    use super::Contracts;
    use crate::contract::{Contract, ContractChange};
    use crate::discovery::Capability;

    fn capability(version: &str, kind: &str) -> Arc<Capability> {
        Capability::builder("add", version).input_schema(json!({ "type": kind })).build().unwrap().into()
    }

    fn contract(consumer: &str) -> Contract {
        Contract::new(consumer, "lab", "add", "^1".parse().unwrap()).sends(json!({ "type": "integer" }))
    }

    /// What becomes of all of them when this is offered.
    fn recheck(contracts: &mut Contracts, offered: &[Arc<Capability>]) -> Vec<ContractChange> {
        contracts
            .recheck(|_| true, |provider, id| if (provider, id) == ("lab", "add") { offered.to_vec() } else { vec![] })
    }

    #[test]
    fn f_dsc_05_a_contract_is_checked_when_made_and_when_a_side_registers_again() {
        let mut contracts = Contracts::default();
        contracts.make(contract("web"), &capability("1.0.0", "number")).unwrap();
        assert!(contracts.make(contract("cli"), &capability("1.0.0", "string")).is_err());
        assert_eq!(contracts.iter().map(|held| held.contract.consumer.as_str()).collect::<Vec<_>>(), ["web"]);

        let [same, narrower] = [capability("1.1.0", "integer"), capability("1.2.0", "string")];
        assert!(recheck(&mut contracts, &[Arc::clone(&same)]).is_empty());
        let broken = recheck(&mut contracts, &[Arc::clone(&narrower)]);
        assert!(
            matches!(&broken[..], [ContractChange::Broken { breach, .. }] if breach.code() == ErrorCode::ContractViolation)
        );
        assert!(recheck(&mut contracts, &[Arc::clone(&narrower)]).is_empty(), "it is told once");
        assert_eq!(
            recheck(&mut contracts, &[narrower, same]),
            [ContractChange::Mended(contract("web"))],
            "one will do"
        );
        recheck(&mut contracts, &[]);
        let gone: Vec<_> = contracts.breaches().map(ToString::to_string).collect();
        assert_eq!(gone, ["web needs `add`, which lab offers no more"]);

        assert_eq!(contracts.forget("web"), [contract("web")]);
        assert_eq!(contracts, Contracts::default());
    }
}
