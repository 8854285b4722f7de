//! The result for a page of the docs: a table in Markdown, with notes on what is missing in it.

use crate::{
    chart,
    entrant::Entrant,
    report::{self, Row},
    table,
};

/// A note, with the names of the rows that it belongs to.
type Note = (&'static str, Vec<String>);

/// The table, and a list of notes below it.
#[must_use]
pub fn write(rows: &[Row]) -> String {
    let entrants = chart::present(rows);
    let tell = report::own_tell(rows);
    let cells = rows.iter().map(|row| line(&in_code(table::cells(row, &entrants, tell))));
    let table: Vec<String> = head(&entrants).into_iter().chain(cells).collect();
    let notes: Vec<String> = notes(rows, &entrants).iter().map(item).collect();
    [table.join("\n"), notes.join("\n")].join("\n\n").trim_end().to_owned()
}

fn head(entrants: &[Entrant]) -> [String; 2] {
    let columns = table::columns(entrants);
    let names: Vec<_> = columns.iter().map(|column| column.name.to_owned()).collect();
    let rules: Vec<_> = columns.iter().map(|column| if column.is_text { "---" } else { "--:" }).collect();
    [line(&names), format!("|{}|", rules.join("|"))]
}

/// The name of the row is one that can be typed.
fn in_code(mut cells: Vec<String>) -> Vec<String> {
    cells[0] = format!("`{}`", cells[0]);
    cells
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
| row | callboard | actix | callboard / actix | must | aim | verdict | spread of callboard |
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
