//! A table of wrong definitions; see `wrong_definitions.md` beside this file (F-WF-02, F-WF-03, F-WF-05).

use std::fmt::Write as _;

use callboard_workflow::definition::Definition;
use callboard_workflow::fault::Fault;

const TABLE: &str = include_str!("wrong_definitions.md");

#[test]
fn every_fault_has_a_place_and_a_help() {
    let mut actual = String::new();
    let mut cases = TABLE.split("\n## ");
    actual.push_str(cases.next().unwrap());
    for case in cases {
        let (title, rest) = case.split_once("\n\n").unwrap();
        let lines = rest.lines().take_while(|line| !line.starts_with('>'));
        let lines: Vec<_> = lines.filter_map(|line| line.strip_prefix("    ")).collect();
        write!(actual, "\n## {title}\n\n").unwrap();
        lines.iter().for_each(|line| writeln!(actual, "    {line}").unwrap());
        actual.push('\n');
        let faults = Definition::read(&lines.join("\n")).expect_err(title);
        faults.iter().for_each(|fault| writeln!(actual, "> {}", line(fault)).unwrap());
    }
    assert!(TABLE == actual, "what is said now:\n{actual}");
    assert!(actual.matches("\n## ").count() >= 40);
}

fn line(fault: &Fault) -> String {
    let at = fault.at.map(|at| format!("{}:{}", at.line, at.column)).unwrap_or_default();
    let help = fault.kind.help().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{at} {}: {}{help}", fault.kind.code(), fault.kind)
}
