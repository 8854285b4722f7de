//! What reached nobody, as health shows it: [`DeadLetterHealth`].

use std::collections::BTreeMap;

use callboard_actor::{DeadLetter, DeadReason};
use serde::Serialize;

use super::Monitoring;
use crate::dead_letter_queue::{DeadLetterQueueExt, LetterHealth};

/// So many are shown.
const SHOWN: usize = 10;

/// Messages that reached nobody, and those whose turns failed.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DeadLetterHealth {
    /// How many there ever were, by reason.
    pub by_reason: BTreeMap<DeadReason, u64>,
    /// The last ten, oldest first.
    pub last: Vec<DeadLetter>,
    /// How many messages failed in their turns.
    pub quarantined: u64,
    /// How many there ever were.
    pub total: u64,
    /// Those that are kept to be looked at and retried.
    pub kept: LetterHealth,
}

impl DeadLetterHealth {
    pub(super) fn read(monitoring: &Monitoring) -> Self {
        let system = monitoring.system();
        let (by_reason, mut last) = (system.dead_letters().counts(), system.dead_letters().list());
        last.drain(..last.len().saturating_sub(SHOWN));
        Self {
            total: by_reason.values().sum(),
            by_reason,
            last,
            quarantined: system.inspect().quarantined,
            kept: system.dead_letter_queue().health(),
        }
    }
}
