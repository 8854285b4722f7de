//! What reached nobody, as health shows it: [`DeadLetterHealth`].

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use callboard_actor::{DeadLetter, DeadReason};
use serde::ser::Error;
use serde::{Serialize, Serializer};

use super::Monitoring;
use crate::dead_letter_queue::{DeadLetterQueueExt, LetterHealth};
use crate::time;

/// So many are shown.
const SHOWN: usize = 10;

/// Messages that reached nobody, and those whose turns failed.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DeadLetterHealth {
    /// How many there ever were, by reason.
    pub by_reason: BTreeMap<DeadReason, u64>,
    /// The last ten, oldest first.
    #[serde(serialize_with = "serialize_last")]
    pub last: Vec<DeadLetter>,
    /// How many messages failed in their turns.
    pub quarantined: u64,
    /// How many there ever were.
    pub total: u64,
    /// Those that are kept to be looked at and retried.
    pub kept: LetterHealth,
}

/// With the moment of each written as that of all letters.
fn serialize_last<S: Serializer>(last: &[DeadLetter], serializer: S) -> Result<S::Ok, S::Error> {
    let shown = last.iter().map(|letter| {
        let mut shown = serde_json::to_value(letter)?;
        shown["at"] = time::show_moment(UNIX_EPOCH + letter.at).into();
        Ok(shown)
    });
    let shown: Result<Vec<_>, serde_json::Error> = shown.collect();
    shown.map_err(S::Error::custom)?.serialize(serializer)
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
