//! Every step exactly once and after all that it depends on, or undone in reverse, on random graphs with random failures,
//! delays, cancellations, pauses and deadlines (F-WF-03, F-WF-07).

use std::collections::{HashMap, HashSet};

use callboard_bus::Value;
use callboard_bus::retry::FailureClass;
use callboard_workflow::definition::{CompensationBuilder, Definition, Join, StepBuilder};
use callboard_workflow::graph::StepIndex;
use callboard_workflow::run::{Event, RunState, StepState, Undo};
use proptest::prelude::*;
use serde_json::json;

use crate::driver::{Driver, Reply, Seen, value};

#[derive(Clone, Debug)]
struct Plan {
    parents: Vec<Vec<usize>>,
    joins: Vec<u32>,
    /// Delay, then how the attempts end: 0 well, 1 transient, 2 permanent, 3 never.
    steps: Vec<(u64, Vec<u8>)>,
    undo_fails: Vec<bool>,
}

fn plan(outcomes: impl Strategy<Value = u8> + Clone + 'static) -> impl Strategy<Value = Plan> {
    (1usize..25).prop_flat_map(move |count| {
        let parents = prop::collection::vec(prop::collection::btree_set(0..count, 0..4), count);
        let steps = prop::collection::vec((0u64..50, prop::collection::vec(outcomes.clone(), 1..4)), count);
        let joins = prop::collection::vec(0u32..8, count);
        let undo_fails = prop::collection::vec(prop::bool::weighted(0.1), count);
        (parents, joins, steps, undo_fails).prop_map(|(parents, joins, steps, undo_fails)| {
            let below = |(own, set): (usize, std::collections::BTreeSet<usize>)| {
                set.into_iter().filter(|at| *at < own).collect()
            };
            let parents = parents.into_iter().enumerate().map(below).collect();
            Plan { parents, joins, steps, undo_fails }
        })
    })
}

/// `strict` has only joins of all.
fn definition(plan: &Plan, strict: bool) -> Definition {
    let mut builder = Definition::builder("random").timeout(std::time::Duration::from_secs(1));
    for (step, parents) in plan.parents.iter().enumerate() {
        let join = match plan.joins[step] {
            _ if strict => Join::All,
            5 if !parents.is_empty() => Join::Any,
            6 if !parents.is_empty() => Join::AtLeast(1.try_into().unwrap()),
            7 => Join::AllDone,
            _ => Join::All,
        };
        let retry =
            callboard_bus::RetryPolicy::builder().max_retries(2).initial_delay(std::time::Duration::from_millis(3));
        let step = StepBuilder::new(format!("s{step}"), "m.f")
            .after(parents.iter().map(|parent| format!("s{parent}")))
            .join(join)
            .retry(retry.build().unwrap())
            .timeout(std::time::Duration::from_millis(200))
            .compensate(CompensationBuilder::new("m.undo"));
        builder = builder.step(step);
    }
    builder.build().unwrap()
}

fn number(name: &str) -> usize {
    name.trim_start_matches("undo ").trim_start_matches('s').parse().unwrap()
}

fn reply<'p>(plan: &'p Plan) -> impl FnMut(&str, u32, &Value) -> Reply + 'p {
    move |name, attempt, _| {
        let step = number(name);
        let (delay, outcomes) = &plan.steps[step];
        if name.starts_with("undo") {
            return if plan.undo_fails[step] {
                Reply::Fail(*delay, FailureClass::Permanent)
            } else {
                Reply::Ok(*delay, Value::Null)
            };
        }
        match outcomes.get(attempt as usize - 1).copied().unwrap_or(0) {
            0 => Reply::Ok(*delay, value(json!({ name: attempt }))),
            1 => Reply::Fail(*delay, FailureClass::Transient),
            2 => Reply::Fail(*delay, FailureClass::Permanent),
            _ => Reply::Never,
        }
    }
}

/// What must hold at the end of any run, whatever happened.
fn assert_sound(driver: &Driver<'_>, plan: &Plan) -> Result<(), TestCaseError> {
    let run = &driver.run;
    prop_assert!(run.state().is_final(), "{}: {}", run.state(), driver.states());
    prop_assert_eq!(driver.finished.len(), 1);
    prop_assert_eq!(run.active(), 0);
    let state = |step: usize| run.task_state(StepIndex::new(step).into()).unwrap();
    for step in 0..plan.parents.len() {
        let ended = matches!(
            state(step),
            StepState::Succeeded
                | StepState::Failed
                | StepState::Cancelled
                | StepState::Skipped
                | StepState::Compensated
                | StepState::CompensationFailed
        );
        prop_assert!(ended, "{}", driver.states());
    }
    // Each attempt once, and undone only after everything behind it that was undone.
    let (mut calls, mut undone) = (HashSet::new(), HashMap::new());
    for (at, seen) in driver.seen.iter().enumerate() {
        match seen {
            Seen::Call(name, attempt, _) => prop_assert!(calls.insert((number(name), *attempt))),
            Seen::Undo(name, attempt, _) => prop_assert!(undone.insert((number(name), *attempt), at).is_none()),
        }
    }
    for ((step, _), at) in &undone {
        for child in (0..plan.parents.len()).filter(|child| plan.parents[*child].contains(step)) {
            if let Some(child_at) = undone.get(&(child, 1)) {
                prop_assert!(child_at < at, "s{step} was undone before s{child}");
            }
            prop_assert!(!matches!(state(child), StepState::Succeeded | StepState::CompensationFailed));
        }
    }
    match run.state() {
        RunState::Completed => prop_assert!(undone.is_empty()),
        RunState::CompensationFailed => {
            prop_assert!((0..plan.parents.len()).any(|step| state(step) == StepState::CompensationFailed));
        }
        _ => {
            prop_assert!((0..plan.parents.len()).all(|step| state(step) != StepState::Succeeded), "{}", driver.states())
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// F-WF-03
    #[test]
    fn without_failures_every_step_is_done_once_and_after_its_parents(plan in plan(Just(0))) {
        let driver = Driver::new(&definition(&plan, true), Value::Null, reply(&plan)).finish();
        assert_sound(&driver, &plan)?;
        prop_assert_eq!(driver.run.state(), RunState::Completed);
        let place: HashMap<usize, usize> = driver.calls().iter().enumerate().map(|(at, name)| (number(name), at)).collect();
        prop_assert_eq!(place.len(), plan.parents.len());
        prop_assert_eq!(driver.seen.len(), plan.parents.len());
        for (step, parents) in plan.parents.iter().enumerate() {
            prop_assert!(parents.iter().all(|parent| place[parent] < place[&step]));
        }
    }

    /// F-WF-07
    #[test]
    fn whatever_fails_the_run_ends_sound(plan in plan(prop_oneof![8 => Just(0u8), 1 => Just(1), 1 => Just(2), 1 => Just(3)])) {
        let driver = Driver::new(&definition(&plan, false), Value::Null, reply(&plan)).finish();
        assert_sound(&driver, &plan)?;
    }

    #[test]
    fn whoever_interferes_the_run_ends_sound(
        plan in plan(prop_oneof![12 => Just(0u8), 1 => Just(1), 1 => Just(2), 1 => Just(3)]),
        cancel in prop::option::of(0u64..120),
        pause in prop::option::of((0u64..100, 1u64..100)),
    ) {
        let mut driver = Driver::new(&definition(&plan, false), Value::Null, reply(&plan));
        if let Some((at, length)) = pause {
            driver.later(at, Event::PauseRequested);
            driver.later(at + length, Event::Resumed);
        }
        if let Some(at) = cancel {
            driver.later(at, Event::CancelRequested { reason: "enough".into(), undo: Undo::Completed });
        }
        let driver = driver.finish();
        assert_sound(&driver, &plan)?;
    }

    /// The same events at the same times give the same run.
    #[test]
    fn a_run_follows_from_its_events(plan in plan(prop_oneof![4 => Just(0u8), 1 => Just(1), 1 => Just(2)])) {
        let definition = definition(&plan, false);
        let one = Driver::new(&definition, Value::Null, reply(&plan)).finish();
        let other = Driver::new(&definition, Value::Null, reply(&plan)).finish();
        prop_assert_eq!(format!("{:?}", one.run), format!("{:?}", other.run));
        prop_assert_eq!(one.seen, other.seen);
    }

    /// F-WF-01: what one face says, the other reads.
    #[test]
    fn any_definition_is_read_back(plan in plan(Just(0))) {
        let definition = definition(&plan, false);
        let text = definition.to_json().to_string();
        prop_assert_eq!(Definition::read(&text).unwrap(), definition);
    }
}
