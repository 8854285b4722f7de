//! The result for people: medians, spread, goals and verdicts.

use comfy_table::{Cell, CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::{
    entrant::Entrant,
    report::{Row, Verdict},
    spread::Spread,
    workload::{Goal, Workload},
};

/// Draws the rows.
pub fn draw(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(head());
    let tell = rows.iter().find(|row| row.workload == Workload::Tell);
    let tell = tell.and_then(|row| row.spread(Entrant::Callboard));
    for row in rows {
        table.add_row(cells(row, tell.map(|tell| tell.median)));
    }
    table.to_string()
}

fn head() -> Vec<Cell> {
    let entrants = Entrant::ALL.iter().map(|entrant| entrant.name());
    let columns = ["workload"].into_iter().chain(entrants);
    let goals = ["ratio", "must", "aim", "verdict", "callboard min..max"];
    columns.chain(goals).map(Cell::new).collect()
}

fn cells(row: &Row, tell: Option<f64>) -> Vec<Cell> {
    let workload = row.workload;
    let own = row.spread(Entrant::Callboard);
    let mut cells = vec![Cell::new(workload.name())];
    cells.extend(Entrant::ALL.iter().map(|&entrant| {
        let spread = row.spread(entrant);
        right(spread.map(|spread| figure(workload, spread.median)))
    }));
    cells.push(right(row.ratio().map(|ratio| format!("{ratio:.2}"))));
    cells.push(right(workload.must().map(|must| goal(workload, must))));
    cells.push(right(workload.aim().map(|aim| goal(workload, aim))));
    cells.push(Cell::new(words(row.verdict(tell))));
    cells.push(right(own.map(|spread| range(workload, spread))));
    cells
}

fn right(text: Option<String>) -> Cell {
    let text = text.unwrap_or_else(|| "–".to_owned());
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Aim => "meets the aim",
        Verdict::Must => "meets the must",
        Verdict::Missed => "MISSES THE MUST",
        Verdict::ShortOfAim => "short of the aim",
        Verdict::Open => "–",
    }
}

fn goal(workload: Workload, goal: Goal) -> String {
    match goal {
        Goal::Ratio(ratio) => format!("{ratio:.2}"),
        Goal::OfTell(factor) => format!("{factor:.1} x tell"),
        Goal::Time(limit) | Goal::Figure(limit) | Goal::AtLeast(limit) => figure(workload, limit),
    }
}

fn range(workload: Workload, spread: Spread) -> String {
    let Spread { min, max, .. } = spread;
    format!("{}..{}", figure(workload, min), figure(workload, max))
}

fn figure(workload: Workload, figure: f64) -> String {
    match workload.unit() {
        Some("percent") => format!("{figure:.1} %"),
        Some(unit) => format!("{figure:.0} {unit}"),
        None => time(figure),
    }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 10_000.0 => format!("{ns:.1} ns"),
        ns if ns < 10_000_000.0 => format!("{:.1} us", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    }
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
}
