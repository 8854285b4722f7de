//! Events of any kind, in any order, for work and attempts that are there or not: nothing panics, no state is reached but by
//! an arrow of the diagram (a debug assertion of the engine), and the count of calls stays right.

use callboard_bus::Value;
use callboard_bus::retry::FailureClass;
use callboard_workflow::definition::Definition;
use callboard_workflow::graph::StepIndex;
use callboard_workflow::history::History;
use callboard_workflow::progress::RunProgress;
use callboard_workflow::run::{Command, Event, Run, Task, Timer, Undo};
use proptest::prelude::*;
use serde_json::json;

use crate::driver::{failure, read, value};

const STEPS: usize = 6;

fn definition() -> Definition {
    read(
        "timeout: 1s
steps:
- {step_id: a, handler: m.f, timeout: 100ms, retry: {max_retries: 2, initial_delay: 1ms}, compensate: m.undo}
- {step_id: each, handler: m.f, depends_on: [a], map: {over: list, max_parallel: 2, fail_after: 2}, compensate: {handler: m.undo, retry: {}}}
- {step_id: any, handler: m.f, depends_on: [a, each], join: any, input_mapping: {x: x}}
- {step_id: done, handler: m.f, depends_on: [each], join: all_done}
- {step_id: when, handler: m.f, depends_on: [a], when: x == 1, output_mapping: {y: y}, compensate: m.undo}
- {step_id: last, handler: m.f, depends_on: [any, done, when]}",
    )
}

fn event() -> impl Strategy<Value = Event> {
    let task = (0..=STEPS, prop::option::weighted(0.4, 0u32..5))
        .prop_map(|(step, item)| Task { step: StepIndex::new(step), item });
    let attempt = prop_oneof![4 => Just(1u32), 2 => Just(2), 1 => Just(0), 1 => Just(u32::MAX)];
    let class = prop_oneof![Just(FailureClass::Transient), Just(FailureClass::Unknown), Just(FailureClass::Permanent)];
    let output = prop_oneof![Just(json!({ "x": 1, "y": 2 })), Just(json!(null)), Just(json!({ "x": "one" }))];
    (task, attempt, class, output, 0..22).prop_map(|(task, attempt, class, output, kind)| match kind {
        0..=3 => Event::Started { task, attempt },
        4..=8 => Event::Succeeded { task, attempt, output: value(output) },
        9 => Event::Failed { task, attempt, failure: failure(class) },
        10 => Event::Cancelled { task, attempt },
        11 => Event::TimerFired(Timer::Timeout(task, attempt)),
        12 => Event::TimerFired(Timer::Retry(task, attempt)),
        13 => Event::TimerFired(Timer::CompensationTimeout(task, attempt)),
        14 => Event::TimerFired(Timer::CompensationRetry(task, attempt)),
        15 => Event::TimerFired(Timer::Deadline),
        16 => Event::CompensationSucceeded { task, attempt },
        17 => Event::CompensationFailed { task, attempt, failure: failure(class) },
        18 => Event::CancelRequested { reason: "chance".into(), undo: Undo::Completed },
        19 => Event::PauseRequested,
        20 => Event::Resumed,
        _ => Event::RetryRequested { step: task.step },
    })
}

/// Calls that are out, counted by looking at everything.
fn calls_out(run: &Run) -> usize {
    let is_active = |task: &Task| run.task_state(*task).is_some_and(|state| state.is_active());
    let steps = (0..STEPS).map(StepIndex::new);
    let tasks = steps.flat_map(|step| match run.item_count(step) {
        0 => vec![Task { step, item: None }],
        count => (0..count).map(|item| Task { step, item: Some(item) }).collect(),
    });
    tasks.filter(is_active).count()
}

/// Draws the history of a run that these events happened to, each at its millisecond.
fn draw(events: Vec<(u64, Event)>, items: usize) -> Result<(), TestCaseError> {
    let (mut commands, mut now) = (Vec::new(), std::time::Duration::from_millis(100));
    let input = value(json!({ "list": vec![1; items], "x": 1 }));
    let mut run = Run::start(&definition(), "chance", input, now, &mut commands);
    let mut history = History::new(now);
    history.note_commands(&commands, now);
    for (millis, event) in events {
        now = std::time::Duration::from_millis(millis);
        commands.clear();
        history.note_event(&event, now);
        run.apply(event, now, &mut commands);
        history.note_commands(&commands, now);
    }
    let gantt = history.gantt(&run, now);
    for row in &gantt.rows {
        prop_assert!(row.spans.iter().all(|span| span.from <= span.to), "{row:?}");
        prop_assert!(row.spans.windows(2).all(|pair| pair[0].to == pair[1].from), "{row:?}");
    }
    prop_assert!(gantt.to_svg(9).is_ok());
    prop_assert!(history.critical_path(&run).windows(2).all(|pair| pair[0].to == pair[1].from));
    prop_assert_eq!(history.picture(&run).nodes().len(), STEPS);
    Ok(())
}

/// A step that was tried again at a moment before its first end.
#[test]
fn a_path_is_whole_though_the_clock_went_back() {
    let task = |step| Task { step: StepIndex::new(step), item: None };
    let output = value(json!({ "x": 1, "y": 2 }));
    let events = vec![
        (0, Event::Cancelled { task: task(0), attempt: 1 }),
        (297, Event::Succeeded { task: task(3), attempt: 1, output }),
        (0, Event::RetryRequested { step: StepIndex::new(0) }),
        (101, Event::Cancelled { task: task(0), attempt: 2 }),
    ];
    draw(events, 0).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_events_do_no_harm(events in prop::collection::vec((0u64..30, event()), 0..120), items in 0usize..5) {
        let (mut commands, mut now) = (Vec::new(), std::time::Duration::ZERO);
        let input = value(json!({ "list": vec![1; items], "x": 1 }));
        let mut run = Run::start(&definition(), "chance", input, now, &mut commands);
        for (millis, event) in events {
            now += std::time::Duration::from_millis(millis);
            let (was_final, before) = (run.state().is_final(), run.state());
            commands.clear();
            run.apply(event, now, &mut commands);
            prop_assert_eq!(run.active() as usize, calls_out(&run));
            let ends = commands.iter().filter(|command| matches!(command, Command::Finished { .. })).count();
            prop_assert!(ends <= 1);
            prop_assert_eq!(ends == 1, run.state().is_final() && !(was_final && before == run.state() && commands.is_empty()));
            // Nobody waits for nothing.
            if !run.state().is_final() && run.state() != callboard_workflow::run::RunState::Paused {
                prop_assert!(!RunProgress::of(&run).holdups().is_empty(), "{:?}", run);
            }
        }
        let _: Value = run.context();
    }

    /// A history has a chart and a path, even by a clock that goes back.
    #[test]
    fn any_events_can_be_drawn(events in prop::collection::vec((0u64..300, event()), 0..120), items in 0usize..5) {
        draw(events, items)?;
    }
}
