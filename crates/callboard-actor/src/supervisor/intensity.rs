//! How often is too often: restarts counted in a sliding window. Pure; the moments are arguments.

use std::collections::VecDeque;
use std::time::Duration;

/// At most so many restarts in so long; one more and the supervisor gives up (as in OTP, "more than R in T").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// R: how many restarts are still fine.
    pub restarts: u32,
    /// T: the length of the window.
    pub within: Duration,
}

impl Default for Intensity {
    /// More than 5 in 30 s is too often.
    fn default() -> Self {
        Self { restarts: 5, within: Duration::from_secs(30) }
    }
}

/// The restarts of one window: the licence that a child, or a group of children, restarts under.
#[derive(Debug, Default)]
pub(crate) struct Licence {
    /// Moments of the restarts in the window, oldest first.
    restarts: VecDeque<Duration>,
}

impl Licence {
    /// Uses one restart at `now`. `Some(n)` when it is the n-th in the window and within the intensity; `None` when it
    /// would be one too many.
    pub(crate) fn take(&mut self, intensity: Intensity, now: Duration) -> Option<u32> {
        while self.restarts.front().is_some_and(|&oldest| oldest + intensity.within <= now) {
            self.restarts.pop_front();
        }
        if self.restarts.len() >= intensity.restarts as usize {
            return None;
        }
        self.restarts.push_back(now);
        u32::try_from(self.restarts.len()).ok()
    }

    /// Forgets the window: a breaker that closes starts anew.
    pub(crate) fn renew(&mut self) {
        self.restarts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_more_than_the_intensity_is_too_many() {
        let mut licence = Licence::default();
        let intensity = Intensity { restarts: 2, within: Duration::from_secs(10) };
        assert_eq!(licence.take(intensity, Duration::from_secs(0)), Some(1));
        assert_eq!(licence.take(intensity, Duration::from_secs(1)), Some(2));
        assert_eq!(licence.take(intensity, Duration::from_secs(2)), None);
        assert_eq!(licence.take(intensity, Duration::from_secs(10)), Some(2), "the first has left the window");
    }

    proptest! {
        #[test]
        fn it_equals_counting_by_hand(limit in 0u32..6, within in 1u64..20, steps in prop::collection::vec(0u64..5, 0..60)) {
            let intensity = Intensity { restarts: limit, within: Duration::from_secs(within) };
            let mut licence = Licence::default();
            let mut granted: Vec<u64> = Vec::new();
            let mut now = 0;
            for step in steps {
                now += step;
                let recent = granted.iter().filter(|&&at| at + within > now).count();
                let expected = (recent < limit as usize).then_some(recent as u32 + 1);
                prop_assert_eq!(licence.take(intensity, Duration::from_secs(now)), expected);
                if expected.is_some() { granted.push(now); }
            }
        }
    }
}
