//! What becomes of contracts: [`ContractChange`].

use callboard_actor::Message;

use super::{Breach, Contract};

/// What those are told who watch the contracts of a system.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ContractChange {
    /// Two modules have agreed, or had when the watch began.
    Made(Contract),
    /// They do not agree any more, as one of them is another than it was.
    Broken {
        /// What they had agreed on.
        contract: Contract,
        /// Why it does not hold.
        breach: Breach,
    },
    /// They agree again.
    Mended(Contract),
    /// The consumer is gone, and what it needed is forgotten.
    Forgotten(Contract),
}

impl Message for ContractChange {
    type Reply = ();
}

impl ContractChange {
    /// What it is about.
    #[must_use]
    pub const fn contract(&self) -> &Contract {
        match self {
            Self::Made(contract) | Self::Mended(contract) | Self::Forgotten(contract) => contract,
            Self::Broken { contract, .. } => contract,
        }
    }
}
