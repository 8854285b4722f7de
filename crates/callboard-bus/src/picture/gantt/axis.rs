//! The time axis: where a moment is, round ticks, and times in words.

use std::time::Duration;

use super::Span;

const MOST_TICKS: u128 = 9;
const BINS: usize = 190;

const SECOND: u128 = 1_000_000_000;
const MINUTE: u128 = 60 * SECOND;
const HOUR: u128 = 60 * MINUTE;
const DAY: u128 = 24 * HOUR;

/// An axis from the beginning of the first span to the end of the last one.
#[derive(Debug)]
pub(super) struct Axis {
    start: Duration,
    length: Duration,
    width: f64,
}

impl Axis {
    pub(super) fn new<'a>(spans: impl Iterator<Item = &'a Span>, width: f64) -> Self {
        let ends = spans.map(|span| (span.from, span.to));
        let ends = ends.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1))).unwrap_or_default();
        Self { start: ends.0, length: ends.1.saturating_sub(ends.0), width }
    }

    pub(super) fn length(&self) -> Duration {
        self.length
    }

    pub(super) fn width(&self) -> f64 {
        self.width
    }

    /// The distance from the beginning of the axis.
    pub(super) fn place(&self, time: Duration) -> f64 {
        self.width * self.share(time)
    }

    /// Places and texts of the ticks.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let length = self.length.as_nanos();
        let step = round_step(length);
        let ticks = (0..=length / step).map(|tick| tick * step);
        ticks.map(|tick| (self.width * tick as f64 / length.max(1) as f64, words(tick))).collect()
    }

    /// How many of the spans are under way on average in each of equal parts of the axis.
    pub(super) fn density<'a>(&self, spans: impl Iterator<Item = &'a Span>) -> Vec<f64> {
        let mut bins = vec![0.0; BINS];
        for span in spans {
            let [from, to] = [span.from, span.to].map(|time| self.share(time) * BINS as f64);
            for (bin, sum) in bins.iter_mut().enumerate().take(to.ceil() as usize).skip(from as usize) {
                *sum += to.min((bin + 1) as f64) - from.max(bin as f64);
            }
        }
        bins
    }

    fn share(&self, time: Duration) -> f64 {
        let length = self.length.as_nanos().max(1) as f64;
        time.saturating_sub(self.start).as_nanos() as f64 / length
    }
}

/// How many of the spans are under way at the same time, at most. One that ends when another begins makes room for it.
pub(super) fn most_at_once<'a>(spans: impl Iterator<Item = &'a Span>) -> usize {
    let mut changes: Vec<(Duration, bool)> = spans.flat_map(|span| [(span.from, true), (span.to, false)]).collect();
    changes.sort_unstable();
    let (mut running, mut most) = (0_usize, 0);
    for (_, begins) in changes {
        // A span without length ends before it begins.
        running = if begins { running + 1 } else { running.saturating_sub(1) };
        most = most.max(running);
    }
    most
}

/// The least round step with few enough ticks.
fn round_step(length: u128) -> u128 {
    let is_wide = |step: &u128| length / step < MOST_TICKS;
    round_steps().find(is_wide).unwrap_or(u128::MAX)
}

/// 1, 2 and 5 of every power of ten of nanoseconds to seconds; what clocks and calendars make of sixty and twenty-four; and
/// again of days.
fn round_steps() -> impl Iterator<Item = u128> {
    let tens = |unit: u128, powers: u32| {
        (0..powers).flat_map(move |power| [1, 2, 5].map(|digit| unit * digit * 10_u128.pow(power)))
    };
    let clock = [15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE];
    let hours = [HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];
    let below = tens(1, 11).take_while(|step| *step <= 10 * SECOND);
    below.chain(clock).chain(hours).chain(tens(DAY, 18))
}

/// A time in words: three digits, or two units from a minute on.
pub(super) fn short(time: Duration) -> String {
    words(time.as_nanos())
}

fn words(nanos: u128) -> String {
    match nanos {
        0 => "0".to_owned(),
        1..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{} µs", digits(nanos as f64 / 1e3)),
        1_000_000..SECOND => format!("{} ms", digits(nanos as f64 / 1e6)),
        SECOND..MINUTE => format!("{} s", digits(nanos as f64 / 1e9)),
        MINUTE..HOUR => two_units(nanos, (MINUTE, "min"), (SECOND, "s")),
        HOUR..DAY => two_units(nanos, (HOUR, "h"), (MINUTE, "min")),
        _ => two_units(nanos, (DAY, "d"), (HOUR, "h")),
    }
}

fn digits(value: f64) -> String {
    let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    let text = format!("{value:.decimals$}");
    if decimals == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

fn two_units(nanos: u128, (large, large_name): (u128, &str), (small, small_name): (u128, &str)) -> String {
    let (whole, rest) = (nanos / large, nanos % large / small);
    if rest == 0 { format!("{whole} {large_name}") } else { format!("{whole} {large_name} {rest} {small_name}") }
}

#[cfg(test)]
mod tests {
    use super::super::SpanKind;
    use super::*;
    use proptest::prelude::*;

    fn axis(length: Duration) -> Axis {
        Axis::new([Span::new(SpanKind::Running, Duration::ZERO, length)].iter(), 760.0)
    }

    fn texts(length: Duration) -> Vec<String> {
        axis(length).ticks().into_iter().map(|tick| tick.1).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(texts(Duration::from_nanos(7)).join(" "), "0 1 ns 2 ns 3 ns 4 ns 5 ns 6 ns 7 ns");
        assert_eq!(
            texts(Duration::from_nanos(1_700)).join(" "),
            "0 200 ns 400 ns 600 ns 800 ns 1 µs 1.2 µs 1.4 µs 1.6 µs"
        );
        assert_eq!(texts(Duration::from_millis(2_300)).join(" "), "0 500 ms 1 s 1.5 s 2 s");
        assert_eq!(texts(Duration::from_secs(70)).join(" "), "0 10 s 20 s 30 s 40 s 50 s 1 min 1 min 10 s");
        assert_eq!(texts(Duration::from_secs(3 * 3600)).join(" "), "0 30 min 1 h 1 h 30 min 2 h 2 h 30 min 3 h");
        assert_eq!(texts(Duration::from_secs(200 * 3600)).join(" "), "0 1 d 2 d 3 d 4 d 5 d 6 d 7 d 8 d");
        assert_eq!(texts(Duration::ZERO), ["0"]);
    }

    #[test]
    fn times_are_told_in_three_digits_or_two_units() {
        let told = [1_234_567, 12_340_000_000, 999_400_000_000, 4_000_000_000_000].map(Duration::from_nanos).map(short);
        assert_eq!(told, ["1.23 ms", "12.3 s", "16 min 39 s", "1 h 6 min"]);
    }

    #[test]
    fn what_overlaps_is_counted() {
        let span = |from, to| Span::new(SpanKind::Running, Duration::from_secs(from), Duration::from_secs(to));
        let spans = [span(0, 19), span(5, 10), span(10, 19)];
        assert_eq!(most_at_once(spans.iter()), 2);
        let density = Axis::new(spans.iter(), 100.0).density(spans.iter());
        assert_eq!([density[0], density[60], density[BINS - 1]], [1.0, 2.0, 2.0]);
    }

    proptest! {
        #[test]
        fn there_are_a_few_ticks_on_every_axis(seconds in any::<u64>(), shift in 0u32..64, nanos in 0u32..1_000_000_000) {
            let ticks = axis(Duration::new(seconds >> shift, nanos)).ticks();
            prop_assert!((1..=10).contains(&ticks.len()));
            prop_assert!(ticks.iter().all(|(at, _)| (0.0..=760.01).contains(at)));
            prop_assert!(ticks.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1));
        }
    }
}
