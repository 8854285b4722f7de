//! Pictures and charts of runs: everything that happened is in them, and the critical path is what decided the end (F-WF-13).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use callboard_bus::picture::{Folding, Gantt, GanttRow, Node, Picture, Span, SpanKind, State};
use callboard_bus::retry::FailureClass;
use callboard_bus::{RetryPolicy, Value};
use callboard_workflow::definition::{CompensationBuilder, Definition, Join, StepBuilder};
use callboard_workflow::graph::StepIndex;
use callboard_workflow::history::{Attempt, Outcome, Stretch, Work};
use callboard_workflow::run::{Command, Event, RunState, StepState, Timer, Undo};
use proptest::prelude::*;
use roxmltree::Document;
use serde_json::json;

use crate::driver::{Driver, Passed, Reply, failing, fine, read, value};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// `label: kind from-to, kind from-to` of each row, in the order of the rows.
fn told(gantt: &Gantt) -> Vec<String> {
    let span = |span: &Span| format!("{} {}-{}", span.kind.name(), span.from.as_millis(), span.to.as_millis());
    let row = |row: &GanttRow| {
        let spans: Vec<_> = row.spans.iter().map(span).collect();
        format!("{}{}: {}", if row.is_critical { "*" } else { "" }, row.label, spans.join(", "))
    };
    gantt.rows.iter().map(row).collect()
}

fn chart(driver: &Driver<'_>) -> Vec<String> {
    told(&driver.history.gantt(&driver.run, driver.now))
}

#[test]
fn queues_attempts_and_pauses_have_spans_of_their_own() {
    let definition = read(
        "steps:
- {step_id: a, handler: m.f}
- {step_id: b, handler: m.f, depends_on: [a], retry: {max_retries: 3, initial_delay: 100ms, jitter: none}}
- {step_id: c, handler: m.f, depends_on: [a]}
- {step_id: d, handler: m.f, depends_on: [b, c], when: false}",
    );
    let reply = |name: &str, attempt: u32, _: &Value| match (name, attempt) {
        ("b", 1) => Reply::Fail(30, FailureClass::Transient),
        ("b", _) => Reply::Ok(40, value(json!({}))),
        _ => Reply::Ok(20, value(json!({}))),
    };
    let driver = Driver::queueing(5, &definition, Value::Null, reply).finish();
    assert_eq!(driver.run.state(), RunState::Completed);
    assert_eq!(
        chart(&driver),
        [
            "*a: queued 0-5, running 5-25",
            "*b: queued 25-30, failed attempt 30-60, pause before a retry 60-160, queued 160-165, running 165-205",
            "c: queued 25-30, running 30-50",
            "d: ",
        ]
    );
}

#[test]
fn a_pause_is_time_in_which_a_step_waits() {
    let definition = read("steps:\n- {step_id: a, handler: m.f}\n- {step_id: b, handler: m.f, depends_on: [a]}");
    let mut driver = Driver::new(&definition, Value::Null, |_, _, _| Reply::Ok(20, value(json!({}))));
    driver.later(10, Event::PauseRequested);
    driver.later(60, Event::Resumed);
    driver.until(40);
    assert_eq!(chart(&driver), ["a: running 0-20", "b: waiting 20-40"]);
    let driver = driver.finish();
    assert_eq!(chart(&driver), ["*a: running 0-20", "*b: waiting 20-60, running 60-80"]);
}

#[test]
fn what_is_undone_has_a_row_of_its_own() {
    let definition = read(
        "steps:
- {step_id: book, handler: m.f, compensate: {handler: m.undo}}
- {step_id: pay, handler: m.f, depends_on: [book], compensate: {handler: m.undo}}
- {step_id: ship, handler: m.f, depends_on: [pay]}",
    );
    let driver = Driver::new(&definition, Value::Null, failing(&["ship"])).finish();
    assert_eq!(
        chart(&driver),
        [
            "*book: running 0-1",
            "*undo book: compensating 4-5",
            "*pay: running 1-2",
            "*undo pay: compensating 3-4",
            "*ship: failed attempt 2-3",
        ]
    );
    let path: Vec<_> = driver.history.critical_path(&driver.run).iter().map(|part| part.to.as_millis()).collect();
    assert_eq!(path, [1, 2, 3, 4, 5]);
}

#[test]
fn items_wait_for_each_other_in_a_queue() {
    let definition = read("steps:\n- {step_id: e, handler: m.f, map: {over: list, max_parallel: 2}}");
    let reply = |name: &str, _: u32, _: &Value| Reply::Ok(if name == "e[0]" { 50 } else { 20 }, Value::Null);
    let driver = Driver::new(&definition, value(json!({ "list": [1, 2, 3] })), reply).finish();
    assert_eq!(chart(&driver), ["*e[0]: running 0-50", "e[1]: running 0-20", "e[2]: queued 0-20, running 20-40"]);
    let picture = driver.history.picture(&driver.run);
    assert!(picture.to_dot().contains("m.f · 3 items: 3 done · 50 ms"), "{}", picture.to_dot());
    assert_eq!(picture.counts().summary(), "1 done");
}

#[test]
fn what_was_stopped_is_neither_done_nor_failed() {
    let definition = read("steps:\n- {step_id: a, handler: m.f}\n- {step_id: b, handler: m.f, depends_on: [a]}");
    let mut driver = Driver::new(&definition, Value::Null, |_, _, _| Reply::Never);
    driver.later(10, Event::CancelRequested { reason: "enough".into(), undo: Undo::Nothing });
    let driver = driver.finish();
    assert_eq!(chart(&driver), ["*a: stopped attempt 0-11", "b: "]);
}

#[test]
fn an_attempt_that_took_too_long_has_failed() {
    let definition = read("steps:\n- {step_id: a, handler: m.f, timeout: 30ms}");
    let driver = Driver::new(&definition, Value::Null, |_, _, _| Reply::Never).finish();
    assert_eq!(chart(&driver), ["*a: failed attempt 0-30"]);
    assert_eq!(driver.history.attempts()[0].outcome, Outcome::TimedOut);
}

#[test]
fn an_answer_without_use_is_a_failed_attempt() {
    let definition = read("steps:\n- {step_id: a, handler: m.f, output_mapping: {key: there.not}}");
    let driver = Driver::new(&definition, Value::Null, fine).finish();
    assert_eq!(driver.run.state(), RunState::Failed);
    assert_eq!(chart(&driver), ["*a: failed attempt 0-1"]);
}

#[test]
fn the_first_to_succeed_decides_when_any_is_enough() {
    let definition = read(
        "steps:
- {step_id: slow, handler: m.f}
- {step_id: quick, handler: m.f}
- {step_id: next, handler: m.f, depends_on: [slow, quick], join: any}",
    );
    let reply = |name: &str, _: u32, _: &Value| Reply::Ok(if name == "quick" { 10 } else { 100 }, value(json!({})));
    let driver = Driver::new(&definition, Value::Null, reply).finish();
    let critical = |picture: &Picture| {
        let nodes = picture.nodes().iter().filter(|node| node.is_critical());
        nodes.map(|node| node.id().to_owned()).collect::<Vec<_>>()
    };
    let picture = driver.history.picture(&driver.run);
    assert_eq!(critical(&picture), ["quick", "next"]);
    assert_eq!(picture.edges().iter().filter(|edge| edge.is_critical()).count(), 1);
    assert!(critical(&driver.run.picture()).is_empty());
}

#[test]
fn a_step_that_is_tried_again_by_hand_has_waited_for_it() {
    let definition = read("steps:\n- {step_id: a, handler: m.f}\n- {step_id: b, handler: m.f, depends_on: [a]}");
    let reply = |name: &str, attempt: u32, _: &Value| match (name, attempt) {
        ("a", 1) => Reply::Fail(10, FailureClass::Permanent),
        _ => Reply::Ok(10, value(json!({}))),
    };
    let mut driver = Driver::new(&definition, Value::Null, reply);
    driver.until(50);
    assert_eq!((driver.run.state(), driver.history.ended()), (RunState::Failed, Some(ms(10))));
    driver.apply(Event::RetryRequested { step: driver.task("a").step });
    assert_eq!(driver.history.ended(), None);
    let driver = driver.finish();
    assert_eq!(chart(&driver), ["*a: failed attempt 0-10, waiting 10-50, running 50-60", "*b: running 60-70"]);
}

#[test]
fn every_state_has_its_colour() {
    let definition = read(
        "steps:
- {step_id: well, handler: m.f, compensate: {handler: m.undo}}
- {step_id: ill, handler: m.f, depends_on: [well]}
- {step_id: never, handler: m.f, depends_on: [ill]}",
    );
    let mut driver = Driver::queueing(2, &definition, Value::Null, failing(&["ill"]));
    let states = |driver: &Driver<'_>| {
        driver.run.picture().nodes().iter().map(|node| node.counts().most_urgent()).collect::<Vec<_>>()
    };
    let mut seen = vec![states(&driver)];
    for millis in [2, 3, 6, 7] {
        driver.until(millis);
        seen.push(states(&driver));
    }
    assert_eq!(seen[0], [State::Ready, State::Waiting, State::Waiting]);
    assert_eq!(seen[1], [State::Running, State::Waiting, State::Waiting]);
    assert_eq!(seen[2], [State::Done, State::Ready, State::Waiting]);
    assert_eq!(seen[3], [State::Running, State::Failed, State::Skipped]);
    assert_eq!(seen[4], [State::Compensated, State::Failed, State::Skipped]);
}

#[test]
fn steps_of_one_name_are_told_apart_and_folded_together() {
    let fan = (0..40).map(|at| StepBuilder::new(format!("job.{at}"), "m.f").name("Resize").after(["first"]));
    let first = StepBuilder::new("first", "m.f").name("Fetch all");
    let definition =
        fan.fold(Definition::builder("w").step(first), |builder, step| builder.step(step)).build().unwrap();
    let picture = definition.picture();
    let labels: Vec<_> = picture.nodes().iter().take(2).map(Node::label).collect();
    assert_eq!(labels, ["Fetch all", "job.0"]);
    let folded = picture.folded(Folding::default());
    assert_eq!(folded.nodes().iter().map(Node::label).collect::<Vec<_>>(), ["Fetch all", "Resize ×40"]);
}

/// Steps by their parents, with how long each attempt takes and how it ends, how many items it has, and its join.
#[derive(Clone, Debug)]
struct Plan {
    steps: Vec<PlannedStep>,
    queue_millis: u64,
}

#[derive(Clone, Debug)]
struct PlannedStep {
    parents: Vec<usize>,
    join: u32,
    items: Option<usize>,
    /// 0 well, 1 transient, 2 permanent, 3 never.
    tries: Vec<(u64, u8)>,
    undo_fails: bool,
}

fn plans(outcomes: impl Strategy<Value = u8> + Clone + 'static, with_items: bool) -> impl Strategy<Value = Plan> {
    (1usize..16, 0u64..4).prop_flat_map(move |(count, queue_millis)| {
        let tries = prop::collection::vec((0u64..40, outcomes.clone()), 1..4);
        let parents = prop::collection::btree_set(0..count, 0..4);
        let step = (parents, 0u32..8, prop::option::weighted(0.2, 0usize..5), tries, prop::bool::weighted(0.1));
        prop::collection::vec(step, count).prop_map(move |steps| {
            type Drawn = (BTreeSet<usize>, u32, Option<usize>, Vec<(u64, u8)>, bool);
            let planned = |(own, (parents, join, items, tries, undo_fails)): (usize, Drawn)| PlannedStep {
                parents: parents.into_iter().filter(|parent| *parent < own).collect(),
                items: items.filter(|_| with_items),
                join,
                tries,
                undo_fails,
            };
            Plan { steps: steps.into_iter().enumerate().map(planned).collect(), queue_millis }
        })
    })
}

fn failures() -> impl Strategy<Value = u8> + Clone {
    prop_oneof![10 => Just(0u8), 2 => Just(1), 1 => Just(2), 1 => Just(3)]
}

/// `strict` has only joins of all.
fn definition(plan: &Plan, strict: bool) -> Definition {
    let retry = RetryPolicy::builder().max_retries(2).initial_delay(ms(3)).build().unwrap();
    let mut builder = Definition::builder("random").timeout(ms(600));
    for (at, planned) in plan.steps.iter().enumerate() {
        let join = match planned.join {
            _ if strict => Join::All,
            5 if !planned.parents.is_empty() => Join::Any,
            6 if !planned.parents.is_empty() => Join::AtLeast(1.try_into().unwrap()),
            7 => Join::AllDone,
            _ => Join::All,
        };
        let parents = planned.parents.iter().map(|parent| format!("s{parent}"));
        let step = StepBuilder::new(format!("s{at}"), "m.f").after(parents).join(join).retry(retry);
        let step = step.timeout(ms(200)).compensate(CompensationBuilder::new("m.undo").retry(retry));
        let items = planned.items.map(|items| format!("lists[{items}]"));
        builder = builder.step(match items {
            Some(over) => step.map(over).max_parallel(2),
            None => step,
        });
    }
    builder.build().unwrap()
}

fn lists() -> Value {
    value(json!({ "lists": [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]] }))
}

fn number(name: &str) -> usize {
    let name = name.trim_start_matches("undo ").trim_start_matches('s');
    name.split('[').next().unwrap().parse().unwrap()
}

fn reply<'p>(plan: &'p Plan) -> impl FnMut(&str, u32, &Value) -> Reply + 'p {
    move |name, attempt, _| {
        let planned = &plan.steps[number(name)];
        let (delay, outcome) = planned.tries.get(attempt as usize - 1).copied().unwrap_or((7, 0));
        match (name.starts_with("undo"), outcome) {
            (true, _) if planned.undo_fails => Reply::Fail(delay, FailureClass::Permanent),
            (true, 1) => Reply::Fail(delay, FailureClass::Transient),
            (true, _) | (false, 0) => Reply::Ok(delay, Value::Null),
            (false, 1) => Reply::Fail(delay, FailureClass::Transient),
            (false, 2) => Reply::Fail(delay, FailureClass::Permanent),
            (false, _) => Reply::Never,
        }
    }
}

/// What the log says of attempts, looked up in it again and again.
fn naive(driver: &Driver<'_>) -> Vec<Attempt> {
    let attempt = |(place, (queued, passed)): (usize, &(Duration, Passed))| {
        let Passed::Wanted(command) = passed else { return None };
        let (work, number) = match command {
            Command::Call { task, attempt, .. } => (Work::doing(*task), *attempt),
            Command::Compensate { task, attempt, .. } => (Work::undoing(*task), *attempt),
            _ => return None,
        };
        let rest = &driver.log[place + 1..];
        let told = |wanted: &dyn Fn(&Event) -> Option<Outcome>| {
            rest.iter().find_map(|(at, passed)| match passed {
                Passed::Told(event) => wanted(event).map(|outcome| (*at, outcome)),
                Passed::Wanted(_) => None,
            })
        };
        let is_this = |task, attempt, is_undo| (Work { task, is_undo }, attempt) == (work, number);
        let started = told(&|event| match *event {
            Event::Started { task, attempt } if is_this(task, attempt, false) => Some(Outcome::Open),
            _ => None,
        });
        let ended = told(&|event| match *event {
            Event::Succeeded { task, attempt, .. } if is_this(task, attempt, false) => Some(Outcome::Succeeded),
            Event::Failed { task, attempt, .. } if is_this(task, attempt, false) => Some(Outcome::Failed),
            Event::Cancelled { task, attempt } if is_this(task, attempt, false) => Some(Outcome::Cancelled),
            Event::TimerFired(Timer::Timeout(task, attempt)) if is_this(task, attempt, false) => {
                Some(Outcome::TimedOut)
            }
            Event::CompensationSucceeded { task, attempt } if is_this(task, attempt, true) => Some(Outcome::Succeeded),
            Event::CompensationFailed { task, attempt, .. } if is_this(task, attempt, true) => Some(Outcome::Failed),
            _ => None,
        });
        let retry_at = rest.iter().find_map(|(_, passed)| match passed {
            Passed::Wanted(Command::SetTimer { timer: Timer::Retry(task, attempt), at })
                if is_this(*task, *attempt, false) =>
            {
                Some(*at)
            }
            Passed::Wanted(Command::SetTimer { timer: Timer::CompensationRetry(task, attempt), at })
                if is_this(*task, *attempt - 1, true) =>
            {
                Some(*at)
            }
            _ => None,
        });
        let began = started.map(|(at, _)| at).filter(|at| ended.is_none_or(|(end, _)| *at <= end));
        Some(Attempt {
            work,
            number,
            queued: *queued,
            started: if work.is_undo { Some(*queued) } else { began },
            ended: ended.map(|(at, _)| at),
            outcome: ended.map_or(Outcome::Open, |(_, outcome)| outcome),
            retry_at,
        })
    };
    driver.log.iter().enumerate().filter_map(attempt).collect()
}

fn assert_rows_hold(driver: &Driver<'_>) -> Result<Gantt, TestCaseError> {
    let gantt = driver.history.gantt(&driver.run, driver.now);
    let end = driver.history.ended().unwrap_or(driver.now);
    let mut attempts: BTreeMap<String, usize> = BTreeMap::new();
    for attempt in driver.history.attempts() {
        let name = driver.name(attempt.work.task);
        *attempts.entry(if attempt.work.is_undo { format!("undo {name}") } else { name }).or_default() += 1;
    }
    for row in &gantt.rows {
        prop_assert!(row.spans.iter().all(|span| span.from <= span.to && span.to <= end), "{row:?} {end:?}");
        prop_assert!(row.spans.windows(2).all(|pair| pair[0].to == pair[1].from), "{row:?}");
        let pauses = [SpanKind::Waiting, SpanKind::Retrying, SpanKind::Queued];
        let worked = row.spans.iter().filter(|span| !pauses.contains(&span.kind)).count();
        let queued = row.spans.iter().filter(|span| span.kind == SpanKind::Queued).count();
        let made = attempts.remove(&row.label).unwrap_or(0);
        prop_assert!(worked <= made && made <= worked + queued, "{row:?} {made}");
    }
    prop_assert!(attempts.is_empty(), "without a row: {attempts:?}");
    prop_assert!(gantt.to_svg(20).is_ok());
    Ok(gantt)
}

/// The path begins with the run, each part of it where the one before ends, and follows what depends on what.
fn assert_path_holds(driver: &Driver<'_>, gantt: &Gantt) -> Result<Vec<Stretch>, TestCaseError> {
    let (run, path) = (&driver.run, driver.history.critical_path(&driver.run));
    let graph = run.definition().graph();
    let called = driver.history.attempts().iter().filter_map(|attempt| attempt.ended).max();
    prop_assert!(path.first().is_none_or(|first| first.from == Duration::ZERO));
    prop_assert!(path.last().map(|last| last.to) >= called || !run.state().is_final(), "{path:?}");
    for pair in path.windows(2) {
        let [one, other] = [pair[0], pair[1]];
        prop_assert_eq!(one.to, other.from);
        match (one.work.is_undo, other.work.is_undo) {
            (false, false) => prop_assert!(graph.is_ancestor(one.work.task.step, other.work.task.step)),
            (true, true) => prop_assert!(graph.is_ancestor(other.work.task.step, one.work.task.step)),
            (false, true) => {}
            (true, false) => prop_assert!(false, "done after it was undone: {path:?}"),
        }
    }
    let label = |work: Work| format!("{}{}", if work.is_undo { "undo " } else { "" }, driver.name(work.task));
    let rows: HashMap<&str, &GanttRow> = gantt.rows.iter().map(|row| (row.label.as_str(), row)).collect();
    for part in &path {
        let row = rows[label(part.work).as_str()];
        prop_assert!(row.is_critical);
        prop_assert_eq!(row.spans.first().map(|span| span.from), Some(part.from));
        prop_assert_eq!(row.spans.last().map(|span| span.to), Some(part.to));
    }
    prop_assert_eq!(gantt.rows.iter().filter(|row| row.is_critical).count(), path.len());
    Ok(path)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// F-WF-13
    #[test]
    fn whatever_happens_every_attempt_has_its_place(
        plan in plans(failures(), true),
        cancel in prop::option::of(0u64..120),
        pause in prop::option::of((0u64..100, 1u64..100)),
        look in 0u64..150,
    ) {
        let definition = definition(&plan, false);
        let mut driver = Driver::queueing(plan.queue_millis, &definition, lists(), reply(&plan));
        if let Some((at, length)) = pause {
            driver.later(at, Event::PauseRequested);
            driver.later(at + length, Event::Resumed);
        }
        if let Some(at) = cancel {
            driver.later(at, Event::CancelRequested { reason: "enough".into(), undo: Undo::Completed });
        }
        driver.until(look);
        assert_rows_hold(&driver)?;
        let driver = driver.finish();
        prop_assert!(driver.run.state().is_final());
        let gantt = assert_rows_hold(&driver)?;
        let path = assert_path_holds(&driver, &gantt)?;
        if driver.run.state() == RunState::Completed && pause.is_none() {
            prop_assert_eq!(path.last().map_or(Duration::ZERO, |last| last.to), driver.history.ended().unwrap());
        }
        prop_assert_eq!(driver.history.attempts(), naive(&driver));
    }

    /// Without failures and pauses the path is a longest one through the graph.
    #[test]
    fn f_wf_13_the_critical_path_is_the_longest(plan in plans(Just(0), false)) {
        let driver = Driver::queueing(plan.queue_millis, &definition(&plan, true), lists(), reply(&plan)).finish();
        let delays: Vec<_> = plan.steps.iter().map(|step| ms(plan.queue_millis + step.tries[0].0)).collect();
        let mut ends = vec![Duration::ZERO; delays.len()];
        for (at, step) in plan.steps.iter().enumerate() {
            ends[at] = step.parents.iter().map(|parent| ends[*parent]).max().unwrap_or_default() + delays[at];
        }
        let path = driver.history.critical_path(&driver.run);
        let step = |part: &Stretch| part.work.task.step.get();
        prop_assert_eq!(path.iter().map(|part| delays[step(part)]).sum::<Duration>(), *ends.iter().max().unwrap());
        prop_assert!(path.iter().all(|part| part.to == ends[step(part)]));
        prop_assert!(path.windows(2).all(|pair| plan.steps[step(&pair[1])].parents.contains(&step(&pair[0]))));
        prop_assert_eq!(driver.run.definition().graph().critical_path(&delays).1, path.last().unwrap().to);
    }

    #[test]
    fn every_step_is_in_one_box_and_no_two_boxes_overlap(plan in plans(failures(), true), until in 0u64..300, most in 1usize..30) {
        let definition = definition(&plan, false);
        let mut driver = Driver::queueing(plan.queue_millis, &definition, lists(), reply(&plan));
        driver.until(until);
        for picture in [definition.picture(), driver.run.picture(), driver.history.picture(&driver.run)] {
            assert_shows_all(&definition, &picture.folded(Folding::default().max_boxes(most)))?;
            assert_shows_all(&definition, &picture)?;
        }
    }
}

fn assert_shows_all(definition: &Definition, picture: &Picture) -> Result<(), TestCaseError> {
    let members = |node: &Node| node.fold().map_or_else(|| vec![node.id().to_owned()], |fold| fold.members.clone());
    let mut drawn: Vec<String> = picture.nodes().iter().flat_map(members).collect();
    let mut steps: Vec<String> = definition.steps().iter().map(|step| step.step_id.to_string()).collect();
    drawn.sort();
    steps.sort();
    prop_assert_eq!(drawn, steps);
    let svg = picture.to_svg();
    let document = Document::parse(&svg).unwrap();
    let boxes = document.descendants().filter(|tag| tag.attribute("class") == Some("box"));
    let boxes = boxes.filter(|tag| tag.parent().is_some_and(|parent| parent.has_attribute("data-id")));
    let areas: Vec<[f64; 4]> = boxes
        .map(|tag| ["x", "y", "width", "height"].map(|name| tag.attribute(name).unwrap().parse().unwrap()))
        .collect();
    prop_assert_eq!(areas.len(), picture.nodes().len());
    for (at, one) in areas.iter().enumerate() {
        let overlap = |other: &&[f64; 4]| {
            (0..2).all(|axis| one[axis] < other[axis] + other[axis + 2] && other[axis] < one[axis] + one[axis + 2])
        };
        prop_assert!(areas[at + 1..].iter().find(overlap).is_none());
    }
    Ok(())
}

/// F-WF-13: as large as real ones are.
#[test]
fn two_thousand_steps_are_at_most_two_hundred_boxes() {
    let mut builder = Definition::builder("large");
    for at in 0..2_000_usize {
        let parents =
            [at / 3, at.saturating_sub(97)].into_iter().filter(|parent| *parent < at).collect::<BTreeSet<_>>();
        let parents = parents.into_iter().map(|parent| format!("k{}_{parent}", parent % 7));
        builder = builder.step(StepBuilder::new(format!("k{}_{at}", at % 7), "m.f").after(parents));
    }
    let definition = builder.build().unwrap();
    let driver =
        Driver::new(&definition, Value::Null, |name, _, _| Reply::Ok(name.len() as u64 % 5, Value::Null)).finish();
    assert!((0..2_000).all(|at| driver.run.task_state(StepIndex::new(at).into()) == Some(StepState::Succeeded)));
    for picture in [definition.picture(), driver.history.picture(&driver.run)] {
        let folded = picture.folded(Folding::default());
        assert!(folded.nodes().len() <= 200, "{}", folded.nodes().len());
        assert_shows_all(&definition, &folded).unwrap();
    }
}
