//! Every arrow of the two diagrams is taken by some run, and no other by any (the second half is a debug assertion of the
//! engine, so every test of this binary checks it).

use std::collections::HashSet;

use callboard_bus::Value;
use callboard_bus::retry::FailureClass;
use callboard_workflow::definition::Definition;
use callboard_workflow::run::{Event, RunState, StepState, Task, Undo};
use serde_json::json;

use crate::driver::{Driver, Reply, read, value};

type Arrows = (HashSet<(RunState, RunState)>, HashSet<(StepState, StepState)>);

/// Steps of every kind, all undone at the end. What a step does is given by the name that the test gives it.
const STEPS: &str = "timeout: 40s
steps:
- {step_id: quick, handler: m.f, compensate: m.undo}
- {step_id: each, handler: m.f, depends_on: [quick], map: {over: list}, compensate: m.undo}
- {step_id: again, handler: m.f, retry: {initial_delay: 4s, jitter: none}, compensate: m.undo}
- {step_id: lacking, handler: m.f, depends_on: [quick], input_mapping: {x: gone}, when: wants_gone}
- {step_id: last, handler: m.f, depends_on: [quick, again], when: wants_last}
- {step_id: behind, handler: m.f, depends_on: [last, each]}";

/// All steps and all items that there are.
fn tasks(driver: &Driver<'_>) -> Vec<Task> {
    let ids = driver.run.definition().steps().iter().map(|step| driver.task(&step.step_id));
    let items = |task: Task| (0..driver.run.item_count(task.step)).map(move |item| Task { item: Some(item), ..task });
    ids.flat_map(|task| std::iter::once(task).chain(items(task))).collect()
}

/// All pairs of states before and after one event.
fn watch(driver: &mut Driver<'_>, arrows: &mut Arrows, event: Option<Event>) -> bool {
    let tasks = tasks(driver);
    let states =
        |driver: &Driver<'_>| tasks.iter().map(|task| driver.run.task_state(*task).unwrap()).collect::<Vec<_>>();
    let (run, before) = (driver.run.state(), states(driver));
    let goes_on = match event {
        Some(event) => {
            driver.apply(event);
            true
        }
        None => driver.step(),
    };
    arrows.0.insert((run, driver.run.state()));
    for (from, to) in before.into_iter().zip(states(driver)) {
        // A retry goes by way of `Waiting` within one event.
        let is_direct = from == to || from.may_become(to);
        let path = if is_direct { [(from, to); 2] } else { [(from, StepState::Waiting), (StepState::Waiting, to)] };
        arrows.1.extend(path);
    }
    goes_on
}

/// Runs with this behaviour, and these events at these moments; at the end every failed step is retried once.
fn follow(
    arrows: &mut Arrows,
    definition: &Definition,
    input: &serde_json::Value,
    events: &[(u64, Event)],
    reply: &dyn Fn(&str, u32) -> Reply,
) {
    let mut driver = Driver::new(definition, value(input.clone()), |name, attempt, _| reply(name, attempt));
    driver.is_terse = events.is_empty() || events[0].0 == 3;
    for (at, event) in events {
        driver.later(*at, event.clone());
    }
    for _ in 0..2 {
        while watch(&mut driver, arrows, None) {}
        for step in ["quick", "each", "again", "lacking", "last"] {
            let step = driver.task(step).step;
            watch(&mut driver, arrows, Some(Event::RetryRequested { step }));
        }
    }
}

/// What the steps that are named do, in every way in which an attempt can end; all others are fine.
fn behaviours() -> Vec<(&'static str, Reply)> {
    let names = ["quick", "each[1]", "again", "last", "undo quick", "undo each[0]", "undo again"];
    let replies = [
        Reply::Never,
        Reply::Fail(2, FailureClass::Permanent),
        Reply::Fail(2, FailureClass::Transient),
        Reply::Ok(30_000, Value::Null),
    ];
    names.into_iter().flat_map(|name| replies.clone().map(|reply| (name, reply))).collect()
}

#[test]
fn every_arrow_is_taken() {
    let mut arrows = Arrows::default();
    let cancel = |undo| Event::CancelRequested { reason: "enough".into(), undo };
    let interferences: Vec<Vec<(u64, Event)>> = vec![
        vec![],
        vec![(0, cancel(Undo::Completed))],
        vec![(3, cancel(Undo::Completed))],
        vec![(3, cancel(Undo::Nothing))],
        vec![(1, Event::PauseRequested), (5000, Event::Resumed)],
        vec![(1, Event::PauseRequested), (5000, cancel(Undo::Completed))],
        vec![(0, Event::PauseRequested), (50_000, Event::Resumed)],
    ];
    let inputs = [
        json!({ "list": [1, 2], "wants_gone": false, "wants_last": true }),
        json!({ "list": 1, "wants_gone": true, "wants_last": false }),
    ];
    let definitions = [read(STEPS), read(&STEPS.replace(", compensate: m.undo", ""))];
    for (name, reply) in behaviours() {
        for (events, input) in interferences.iter().flat_map(|events| inputs.iter().map(move |input| (events, input))) {
            for always in [false, true] {
                let reply = |called: &str, attempt: u32| match called == name && (always || attempt == 1) {
                    true => reply.clone(),
                    false if always && (called, name, attempt) == ("each[0]", "each[1]", 1) => {
                        Reply::Ok(20, Value::Null)
                    }
                    false if called == "last" && name.starts_with("undo") => Reply::Fail(9, FailureClass::Permanent),
                    false => Reply::Ok(2, Value::Null),
                };
                definitions.iter().for_each(|definition| follow(&mut arrows, definition, input, events, &reply));
            }
        }
    }
    let missing_run = RunState::ALL.iter().flat_map(|from| RunState::ALL.iter().map(move |to| (*from, *to)));
    let missing_run: Vec<_> =
        missing_run.filter(|(from, to)| from.may_become(*to) && !arrows.0.contains(&(*from, *to))).collect();
    assert_eq!(missing_run, []);
    let missing = StepState::ALL.iter().flat_map(|from| StepState::ALL.iter().map(move |to| (*from, *to)));
    let missing: Vec<_> =
        missing.filter(|(from, to)| from.may_become(*to) && !arrows.1.contains(&(*from, *to))).collect();
    assert_eq!(missing, []);
}
