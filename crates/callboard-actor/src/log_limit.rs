//! How often something is written into the log that could happen in masses: [`LogLimit`]. Pure.

use std::time::Duration;

/// At most one line a second, with the number of those left out.
#[derive(Clone, Debug, Default)]
pub struct LogLimit {
    last: Option<Duration>,
    silent: u64,
}

impl LogLimit {
    /// `Some(n)` when a line may be written at this moment: n were left out since the last one.
    pub fn permit(&mut self, now: Duration) -> Option<u64> {
        if self.last.is_some_and(|last| now < last.saturating_add(Duration::from_secs(1))) {
            self.silent += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.silent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_gets_a_line_a_second() {
        let mut limit = LogLimit::default();
        let lines: Vec<_> = [0, 300, 900, 1000, 1500].map(|ms| limit.permit(Duration::from_millis(ms))).into();
        assert_eq!(lines, [Some(0), None, None, Some(2), None]);
    }
}
