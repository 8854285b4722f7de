//! When a step starts, when it is skipped, and what fails the run (F-WF-03).

use callboard_workflow::run::RunState;
use serde_json::json;

use crate::driver::{Driver, Reply, failing, read, value};

/// What becomes of `c` with each join, when `a` and `b` end as given: `+` succeeded, `-` failed, `o` skipped.
const TABLE: [(&str, &str, &str, RunState); 24] = {
    use RunState::{Completed, Failed};
    [
        ("++", "all", "succeeded", Completed),
        ("+-", "all", "skipped", Failed),
        ("+o", "all", "skipped", Completed),
        ("-o", "all", "skipped", Failed),
        ("oo", "all", "skipped", Completed),
        ("--", "all", "skipped", Failed),
        ("++", "any", "succeeded", Completed),
        ("+-", "any", "succeeded", Completed),
        ("+o", "any", "succeeded", Completed),
        ("-o", "any", "skipped", Failed),
        ("oo", "any", "skipped", Completed),
        ("--", "any", "skipped", Failed),
        ("++", "2", "succeeded", Completed),
        ("+-", "2", "skipped", Failed),
        ("+o", "2", "skipped", Completed),
        ("-o", "2", "skipped", Failed),
        ("oo", "2", "skipped", Completed),
        ("--", "2", "skipped", Failed),
        ("++", "all_done", "succeeded", Completed),
        ("+-", "all_done", "succeeded", Failed),
        ("+o", "all_done", "succeeded", Completed),
        ("-o", "all_done", "succeeded", Failed),
        ("oo", "all_done", "succeeded", Completed),
        ("--", "all_done", "succeeded", Failed),
    ]
};

/// F-WF-03
#[test]
fn every_row_of_the_table_of_joins_holds() {
    for (parents, join, expected, state) in TABLE {
        let when = |at: usize| if parents.as_bytes()[at] == b'o' { "when: false" } else { "when: true" };
        let definition = read(&format!(
            "steps:\n- {{step_id: a, handler: m.f, {}}}\n- {{step_id: b, handler: m.f, {}}}\n\
             - {{step_id: c, handler: m.f, depends_on: [a, b], join: {join}}}\n\
             - {{step_id: d, handler: m.f, depends_on: [c]}}",
            when(0),
            when(1)
        ));
        let fails: Vec<_> =
            [(0, "a"), (1, "b")].into_iter().filter(|(at, _)| parents.as_bytes()[*at] == b'-').collect();
        let fails: Vec<_> = fails.into_iter().map(|(_, name)| name).collect();
        let driver = Driver::new(&definition, value(json!({})), failing(&fails)).finish();
        let row = format!("{parents} {join}: {}", driver.states());
        assert_eq!(driver.state("c").as_str(), expected, "{row}");
        assert_eq!(driver.state("d").as_str(), expected, "what is behind a step shares its fate: {row}");
        assert_eq!((driver.run.state(), driver.finished.as_slice()), (state, [state].as_slice()), "{row}");
    }
}

/// Independent steps start at once; a chain waits. F-WF-03
#[test]
fn independent_steps_run_side_by_side() {
    let diamond = read(
        "steps:
- {step_id: a, handler: m.f}
- {step_id: b, handler: m.f, depends_on: [a]}
- {step_id: c, handler: m.f, depends_on: [a]}
- {step_id: d, handler: m.f, depends_on: [b, c]}",
    );
    let driver = Driver::new(&diamond, value(json!({})), |_, _, _| Reply::Ok(10, value(json!({})))).finish();
    assert_eq!(driver.calls(), ["a", "b", "c", "d"]);
    assert_eq!(driver.now.as_millis(), 30);
    assert_eq!(driver.run.state(), RunState::Completed);
}

/// With `any` the slower one is still done, and the step behind is not done twice.
#[test]
fn any_starts_at_the_first_and_only_once() {
    let definition = read(
        "steps:
- {step_id: slow, handler: m.f}
- {step_id: quick, handler: m.f}
- {step_id: next, handler: m.f, depends_on: [slow, quick], join: any}",
    );
    let speeds = |name: &str, _: u32, _: &_| Reply::Ok(if name == "slow" { 100 } else { 1 }, value(json!({})));
    let driver = Driver::new(&definition, value(json!({})), speeds).finish();
    assert_eq!(driver.calls(), ["slow", "quick", "next"]);
    assert_eq!(driver.states(), "slow succeeded, quick succeeded, next succeeded");
}

/// A failure stops only what depends on it, and is forgiven through a chain that ends in `any`.
#[test]
fn a_failure_is_forgiven_where_any_takes_the_other_way() {
    let definition = read(
        "steps:
- {step_id: first, handler: m.f}
- {step_id: second, handler: m.f, depends_on: [first]}
- {step_id: other, handler: m.f}
- {step_id: last, handler: m.f, depends_on: [second, other], join: any}",
    );
    let driver = Driver::new(&definition, value(json!({})), failing(&["first"])).finish();
    assert_eq!(driver.states(), "first failed, second skipped, other succeeded, last succeeded");
    assert_eq!(driver.run.state(), RunState::Completed);
    let driver = Driver::new(&definition, value(json!({})), failing(&["first", "last"])).finish();
    assert_eq!(driver.run.state(), RunState::Failed);
}
