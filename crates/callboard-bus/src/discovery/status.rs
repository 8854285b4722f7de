//! How discovery is: [`DiscoveryStatus`].

use std::time::Duration;

use serde::Serialize;

use super::CacheCounts;
use crate::contract::Contracts;
use crate::descriptor::Health;

/// How discovery is, for whoever looks after the system.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DiscoveryStatus {
    /// Degraded while a contract does not hold.
    pub health: Health,
    /// What became of the questions so far.
    pub cache: CacheCounts,
    /// The share of questions that were answered by what was kept, from 0 to 1; nothing before the first one.
    pub hit_rate: Option<f64>,
    /// How many contracts there are.
    pub contracts: usize,
    /// What is wrong with those that do not hold.
    pub broken: Vec<String>,
    /// When all contracts were looked at last, beside those whose sides change, which are at once: since the system
    /// started. Nothing before the first time.
    pub contracts_checked: Option<Duration>,
}

impl DiscoveryStatus {
    pub(crate) fn new(cache: CacheCounts, contracts: &Contracts, contracts_checked: Option<Duration>) -> Self {
        let broken: Vec<_> = contracts.breaches().map(ToString::to_string).collect();
        let (hit_rate, contracts) = (cache.hit_rate(), contracts.iter().count());
        Self { health: health(&broken, contracts), cache, hit_rate, contracts, broken, contracts_checked }
    }
}

fn health(broken: &[String], contracts: usize) -> Health {
    match broken {
        [] => Health::Healthy,
        [first, ..] => Health::Degraded(format!("{} of {contracts} contracts hold no more: {first}", broken.len())),
    }
}
