//! The tests that docs/features.md names.

use std::path::PathBuf;

use crate::tree::{read, root};

/// A row of a table: its id, the tests that are named in it, and what is still open.
pub(crate) struct Row<'p> {
    pub(crate) id: &'p str,
    pub(crate) tests: Vec<&'p str>,
    pub(crate) open: &'p str,
}

/// The rows of all tables of the page.
pub(crate) fn rows(page: &str) -> Vec<Row<'_>> {
    page.lines().filter(|line| line.starts_with("| F-")).map(row).collect()
}

fn row(line: &str) -> Row<'_> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let tests = cells[3].split('`').skip(1).step_by(2).collect();
    Row { id: cells[1], tests, open: cells[4] }
}

/// What is wrong with a row; nothing for most.
pub(crate) fn faults(row: &Row<'_>) -> Vec<String> {
    let mut faults: Vec<_> = row.tests.iter().filter_map(|test| fault(row.id, test)).collect();
    if row.tests.is_empty() && row.open == "–" {
        faults.push(format!("{}: a row that nothing is open in names the tests that assert it", row.id));
    }
    faults.into_iter().map(|fault| format!("docs/features.md: {fault}")).collect()
}

/// What is wrong with one test.
fn fault(id: &str, test: &str) -> Option<String> {
    if test.starts_with(EXPECTED) {
        return fault_of_example(id, test);
    }
    let Some((file, name)) = test.split_once("::") else { return Some(format!("{id}: {test} is no `file::test`")) };
    let path: PathBuf = root().join("crates").join(file);
    if !path.exists() {
        return Some(format!("{id}: there is no file crates/{file}; name what took its place"));
    }
    let text = read(&path);
    if name != "*" && !has_test(&text, name) {
        return Some(format!("{id}: crates/{file} has no test `{name}` that runs; name what took its place"));
    }
    let is_said = names(&head(&text), id) || names(&doc(&text, name), id);
    (!is_said).then(|| {
        format!("{id}: neither the head of crates/{file} nor the comment of `{name}` says that it asserts the row")
    })
}

/// What a file says of all that is in it.
fn head(text: &str) -> String {
    text.lines().filter(|line| line.starts_with("//!")).collect::<Vec<_>>().join("\n")
}

/// What a test says of itself, and its name; nothing for all tests of a file.
fn doc(text: &str, name: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let Some(place) = place_of(&lines, name) else { return String::new() };
    let comments = above(&lines, place).iter().filter(|line| line.starts_with("//"));
    comments.chain([&lines[place]]).copied().collect::<Vec<_>>().join("\n")
}

/// What examples have to print, each in a file of its own.
const EXPECTED: &str = ".ci/expected/";

/// What is wrong with an example that is run and held to what it has to print.
fn fault_of_example(id: &str, expected: &str) -> Option<String> {
    let path = root().join(expected);
    if !path.exists() {
        return Some(format!("{id}: there is no file {expected}"));
    }
    (!names(&read(&path), id)).then(|| format!("{id}: {expected} does not say that it asserts the row"))
}

/// In a comment, as one of a span of rows, or at the front of the name of a test.
fn names(text: &str, id: &str) -> bool {
    let in_name = format!("fn {}_", id.to_lowercase().replace('-', "_"));
    text.contains(id) || text.contains(&in_name) || spans(text).any(|(first, last)| first <= id && id <= last)
}

/// `F-CFG-01 to F-CFG-15`: the first and the last of each.
fn spans(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices(" to F-").filter_map(|(at, _)| {
        let first = text[..at].rsplit(|letter: char| letter.is_whitespace()).next()?;
        let last = text[at + " to ".len()..].split([':', ' ', '.', ',']).next()?;
        let is_one_area = first.rsplit_once('-')?.0 == last.rsplit_once('-')?.0;
        is_one_area.then_some((first, last))
    })
}

/// Whether there is a test of this name, by itself or in `proptest!`. That none is told to be passed over is held of all tests.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    place_of(&lines, name).is_some_and(|place| above(&lines, place).iter().any(|line| line.starts_with("#[test]")))
}

/// The line on which a function begins.
fn place_of(lines: &[&str], name: &str) -> Option<usize> {
    let head = format!("fn {name}(");
    lines.iter().position(|line| line.starts_with(&head))
}

/// The attributes and comments right above a line, in their order.
fn above<'l, 't>(lines: &'l [&'t str], place: usize) -> &'l [&'t str] {
    let count = lines[..place].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//")).count();
    &lines[place - count..place]
}

/// F-X-01 is a row of a page that is in here alone.
#[test]
fn a_page_is_held_to_the_files() {
    let page = "| row | what | asserted by | still open |\n|---|---|---|---|\n\
        | F-X-01 | a | `callboard/tests/tidy/features.rs::a_page_is_held_to_the_files`<br>`gone.rs::x` | – |\n\
        | F-X-02 | b | `callboard/tests/tidy/features.rs::gone` | b |\n| F-X-03 | c | – | – |\n";
    let rows = rows(page);
    let told: Vec<String> = rows.iter().flat_map(faults).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("there is no file crates/gone.rs"), "{told:?}");
    assert!(told[1].contains("no test `gone` that runs"), "{told:?}");
    assert!(told[2].contains("names the tests that assert it"), "{told:?}");
    assert!(names("F-CFG-01 to F-CFG-15: all", "F-CFG-07") && !names("F-CFG-01 to F-CFG-15: all", "F-CFG-16"));
    let file =
        "//! F-X-01.\n\n/// F-X-02\n/// to the end.\n#[test]\nfn a() {}\n\n/// F-X-03\n#[test]\nfn f_x_04_b() {}\n";
    assert!(names(&head(file), "F-X-01") && !names(&head(file), "F-X-02"));
    let said = |name, id| names(&doc(file, name), id);
    assert!(said("a", "F-X-02") && !said("a", "F-X-03") && !said("a", "F-X-01") && !said("*", "F-X-02"));
    assert!(said("f_x_04_b", "F-X-03") && said("f_x_04_b", "F-X-04"));
    assert!(!has_test("fn a() {", "a") && has_test("#[test]\n/// A.\nfn a() {", "a"));
}
