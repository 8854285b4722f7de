//! How figures are written: the same in the table, in Markdown and in the picture.

use crate::{
    report::Verdict,
    spread::Spread,
    workload::{Goal, Workload},
};

/// What stands in the place of a figure that is not there.
pub(crate) const NONE: &str = "–";

/// A figure with its unit.
pub(crate) fn figure(workload: Workload, figure: f64) -> String {
    match workload.unit() {
        Some("percent") => format!("{figure:.1} %"),
        Some("allocations") => format!("{figure:.3}"),
        Some(unit) => format!("{} {unit}", grouped(figure)),
        None => time(figure),
    }
}

/// From the least to the greatest of the rounds; a unit that both have stands
/// once.
pub(crate) fn range(workload: Workload, spread: Spread) -> String {
    let [min, max] = [spread.min, spread.max].map(|end| figure(workload, end));
    match (min.split_once(' '), max.split_once(' ')) {
        (Some((least, unit)), Some((_, other))) if unit == other => format!("{least}..{max}"),
        _ => format!("{min}..{max}"),
    }
}

/// A goal as it is held against the figures.
pub(crate) fn goal(workload: Workload, goal: Goal) -> String {
    match goal {
        Goal::Ratio(limit) => ratio(limit),
        Goal::OfTell(factor) => format!("{factor:.1} x tell"),
        Goal::Time(limit) | Goal::Figure(limit) | Goal::AtLeast(limit) => figure(workload, limit),
    }
}

/// A part of actix's figure.
pub(crate) fn ratio(ratio: f64) -> String {
    format!("{ratio:.2}")
}

/// How a row stands.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Aim => "meets the aim",
        Verdict::Must => "meets the must",
        Verdict::Missed => "MISSES THE MUST",
        Verdict::ShortOfAim => "short of the aim",
        Verdict::Open => NONE,
    }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 999.5 => format!("{} ns", three_digits(ns)),
        ns if ns < 999_500.0 => format!("{} us", three_digits(ns / 1e3)),
        ns => format!("{} ms", three_digits(ns / 1e6)),
    }
}

/// No round of a workload is steadier than that.
fn three_digits(figure: f64) -> String {
    match figure.abs() {
        below_ten if below_ten < 9.995 => format!("{figure:.2}"),
        below_hundred if below_hundred < 99.95 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

/// A whole number with a comma before every three digits.
fn grouped(figure: f64) -> String {
    let digits = format!("{:.0}", figure.abs());
    let mut text = if figure < 0.0 { "-".to_owned() } else { String::new() };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_change_their_unit_with_their_size() {
        assert_eq!(time(45.26), "45.3 ns");
        assert_eq!(time(50_000.0), "50.0 us");
        assert_eq!(time(12_300_000.0), "12.3 ms");
    }

    #[test]
    fn times_have_three_digits_at_the_edges_too() {
        assert_eq!([5.0, 9.996, 99.96, 999.4, 999.6].map(time), ["5.00 ns", "10.0 ns", "100 ns", "999 ns", "1.00 us"]);
        assert_eq!([999_400.0, 999_600.0].map(time), ["999 us", "1.00 ms"]);
    }

    #[test]
    fn a_range_has_one_unit_where_one_is_enough() {
        let range = |min, max| range(Workload::Tell, Spread { min, median: min, max });
        assert_eq!(range(57.9, 97.0), "57.9..97.0 ns");
        assert_eq!(range(970.0, 1_200.0), "970 ns..1.20 us");
    }

    #[test]
    fn other_figures_have_their_units() {
        assert_eq!(figure(Workload::SpawnBytes, 1_567.6), "1,568 bytes");
        assert_eq!(figure(Workload::WorkflowChain, 261_000.0), "261,000 steps/s");
        assert_eq!(figure(Workload::Inspect, -0.24), "-0.2 %");
    }
}
