//! The result for a page of the docs: a table in Markdown, with notes on what is missing in it.

use crate::{
    chart,
    entrant::Entrant,
    report::{self, Row},
    words,
};

/// A note, with the names of the rows that it belongs to.
type Note = (&'static str, Vec<String>);

/// The table, and a list of notes below it.
#[must_use]
pub fn write(rows: &[Row]) -> String {
    let entrants = chart::present(rows);
    let tell = report::own_tell(rows);
    let cells = rows.iter().map(|row| line(&cells(row, &entrants, tell)));
    let table: Vec<String> = head(&entrants).into_iter().chain(cells).collect();
    let notes: Vec<String> = notes(rows, &entrants).iter().map(item).collect();
    [table.join("\n"), notes.join("\n")].join("\n\n").trim_end().to_owned()
}

fn head(entrants: &[Entrant]) -> [String; 2] {
    let mut names = vec!["row".to_owned()];
    names.extend(entrants.iter().map(|entrant| entrant.name().to_owned()));
    names.extend(["callboard / actix", "must", "aim", "", "spread of callboard"].map(str::to_owned));
    let right = names.len() - 1;
    let rules = (0..=right).map(|column| if is_text(column, right) { "---" } else { "--:" }.to_owned());
    [line(&names), format!("|{}|", rules.collect::<Vec<_>>().join("|"))]
}

/// The name and the verdict; all else are figures.
fn is_text(column: usize, last: usize) -> bool {
    column == 0 || column + 1 == last
}

fn cells(row: &Row, entrants: &[Entrant], tell: Option<f64>) -> Vec<String> {
    let workload = row.workload;
    let mut cells = vec![Some(format!("`{workload}`"))];
    let medians = entrants.iter().map(|&entrant| row.median(entrant));
    cells.extend(medians.map(|median| median.map(|median| words::figure(workload, median))));
    cells.push(row.ratio().map(words::ratio));
    cells.push(workload.must().map(|must| words::goal(workload, must)));
    cells.push(workload.aim().map(|aim| words::goal(workload, aim)));
    cells.push(Some(words::verdict(row.verdict(tell)).to_owned()));
    cells.push(row.spread(Entrant::Callboard).map(|spread| words::range(workload, spread)));
    cells.into_iter().map(|cell| cell.unwrap_or_else(|| words::NONE.to_owned())).collect()
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// Why somebody has no figure, once for all rows of which the same can be said.
fn notes(rows: &[Row], entrants: &[Entrant]) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    for row in rows.iter().filter(|row| row.figures.len() < entrants.len()) {
        let Some(words) = row.workload.why_alone() else { continue };
        let name = format!("`{}`", row.workload);
        match notes.iter_mut().find(|(known, _)| *known == words) {
            Some((_, names)) => names.push(name),
            None => notes.push((words, vec![name])),
        }
    }
    notes
}

fn item((words, names): &Note) -> String {
    format!("- {}: {words}.", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::made_up as row, workload::Workload};

    #[test]
    fn a_row_of_the_docs_is_written_by_the_run() {
        let tell = row(Workload::Tell, &[(Entrant::Callboard, [42.0, 84.0, 168.0]), (Entrant::Actix, [182.6; 3])]);
        let expected = "\
| row | callboard | actix | callboard / actix | must | aim |  | spread of callboard |
|---|--:|--:|--:|--:|--:|---|--:|
| `tell` | 84.0 ns | 183 ns | 0.46 | 0.70 | 0.40 | meets the must | 42.0..168 ns |";
        assert_eq!(write(&[tell]), expected);
    }

    #[test]
    fn what_is_missing_is_explained_once() {
        let tell = row(Workload::Tell, &[(Entrant::Callboard, [42.0, 84.0, 168.0]), (Entrant::Actix, [182.6; 3])]);
        let own =
            [Workload::LookUp, Workload::RunBytes].map(|workload| row(workload, &[(Entrant::Callboard, [1.0; 3])]));
        let text = write(&[[tell].as_slice(), &own].concat());
        assert!(text.ends_with("\n\n- `lookup`, `run_bytes`: callboard's own."), "{text}");
    }

    #[test]
    fn a_run_of_callboard_alone_needs_no_notes() {
        let text = write(&[row(Workload::LookUp, &[(Entrant::Callboard, [58.5, 117.0, 234.0])])]);
        assert!(text.ends_with("| `lookup` | 117 ns | – | – | – | – | 58.5..234 ns |"), "{text}");
    }
}
