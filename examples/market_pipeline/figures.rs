//! What the run cost, as the framework itself has counted it.

use std::fmt;
use std::time::Duration;

use callboard::Snapshot;

use crate::chaos::Chaos;

/// The figures that the last lines of the output show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    pub(crate) messages: u64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) panics: u64,
    pub(crate) restarts: u64,
    pub(crate) trips: u64,
    pub(crate) chaos: Option<Chaos>,
}

impl Figures {
    /// Reads the sums over all actors of a system.
    ///
    /// A message counts once, when a mailbox takes it. What the supervisor
    /// and its children say to each other goes past the lanes and is left out.
    pub(crate) fn of(snapshot: &Snapshot, chaos: Option<Chaos>) -> Self {
        let lanes = snapshot.actors.iter().flat_map(|actor| &actor.lanes);
        Self {
            messages: lanes.map(|lane| lane.sent).sum(),
            p50: snapshot.turns.p50,
            p99: snapshot.turns.p99,
            panics: snapshot.totals.faults,
            restarts: snapshot.totals.restarts,
            trips: snapshot.totals.breaker_trips,
            chaos,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "messages: {}", self.messages)?;
        writeln!(f, "turns: p50 {:.1?}, p99 {:.1?}", self.p50, self.p99)?;
        if let Some(Chaos { probability, seed }) = self.chaos {
            writeln!(f, "chaos: every turn panics with probability {probability}, seed {seed}")?;
            writeln!(f, "panics: {}", self.panics)?;
        }
        writeln!(f, "restarts: {}", self.restarts)?;
        write!(f, "breaker trips: {}", self.trips)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_told_where_they_are_wanted() {
        let calm = Figures {
            messages: 480,
            p50: Duration::from_nanos(12_340),
            p99: Duration::from_micros(2_500),
            panics: 57,
            restarts: 57,
            trips: 3,
            chaos: None,
        };
        let expected = "messages: 480\nturns: p50 12.3µs, p99 2.5ms\nrestarts: 57\nbreaker trips: 3";
        assert_eq!(calm.to_string(), expected);
        let wild = Figures { chaos: Some(Chaos { probability: 0.2, seed: 1 }), ..calm };
        assert!(wild.to_string().contains("chaos: every turn panics with probability 0.2, seed 1\npanics: 57\n"));
    }
}
