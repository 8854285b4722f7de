//! Faults of modules and of the actors of runs: everybody is told, and nothing is kept.

use std::num::NonZeroU32;
use std::time::Duration;

use callboard_actor::StopReason;
use callboard_actor::testing::TestSystem;
use callboard_bus::Value;
use callboard_workflow::run::{RunState, StepState};
use callboard_workflow::{RunError, RunRef};
use serde_json::json;

use crate::workshop::{Workshop, step, workshop};

const PUTS_AWAY: &str = "compensate: {handler: undo.it, input_mapping: {name: {value: a}}}";

/// F-WF-12
#[test]
fn a_handler_that_panics_fails_its_step() {
    workshop(1, async |shop| {
        let text =
            format!("steps:\n{}{}", step("a", "", PUTS_AWAY), step("b", "panics: {value: true}", "depends_on: [a]"));
        shop.register(&text).await;
        let report = shop.start("w").await.ended().await;
        assert_eq!(report.state(), RunState::Failed);
        let failure = report.failure_of("b").unwrap();
        assert_eq!(failure.code, "handler_panicked");
        assert!(failure.message.contains("b was told to panic"), "{}", failure.message);
        assert_eq!(report.state_of("a"), Some(StepState::Compensated));
    });
}

/// F-WF-12
#[test]
fn a_domain_error_fails_its_step_without_another_try() {
    workshop(1, async |shop| {
        shop.register(&format!("steps:\n{}", step("a", "is_broken: {value: true}", "retry: {max_retries: 5}"))).await;
        let report = shop.start("w").await.ended().await;
        let failure = report.failure_of("a").unwrap();
        assert_eq!(
            (report.state(), &*failure.code, &*failure.message),
            (RunState::Failed, "handler_failed", "it is broken")
        );
        assert_eq!(shop.book.calls("a"), 1);
    });
}

#[test]
fn a_module_that_leaves_fails_the_next_step() {
    workshop(1, async |shop| {
        let text =
            format!("steps:\n{}{}", step("a", "wait_ms: {value: 1000}", PUTS_AWAY), step("b", "", "depends_on: [a]"));
        shop.register(&text).await;
        let run = shop.start("w").await;
        shop.t.settle().await;
        shop.workers[0].drain();
        let report = run.ended().await;
        assert_eq!((report.state(), report.state_of("a")), (RunState::Failed, Some(StepState::Compensated)));
        assert_eq!(
            report.output_of("a").map(|output| output.is_null()),
            Some(false),
            "the call that was out is answered"
        );
        assert_eq!(report.failure_of("b").unwrap().code, "unknown_module");
        assert!(report.failure_of("b").unwrap().message.contains("work"));
    });
}

fn runner_of(shop: &Workshop<'_>, run: &RunRef) -> String {
    let name = format!("workflow/{}/{}", run.workflow_id(), run.id());
    let actors = shop.t.inspect().actors;
    assert!(actors.iter().any(|actor| actor.name == name), "it shows in inspection");
    name
}

#[test]
fn the_actors_are_seen_and_go_with_their_runs() {
    workshop(1, async |shop| {
        shop.register(&format!("steps:\n{}", step("a", "wait_ms: {value: 1000}", ""))).await;
        let run = shop.start("w").await;
        let name = runner_of(shop, &run);
        let names = |name: &str| shop.t.inspect().actors.iter().filter(|actor| actor.name == name).count();
        assert_eq!((names("workflows"), names("workflow-runs")), (1, 1));
        run.ended().await;
        shop.t.settle().await;
        assert_eq!(names(&name), 0);
    });
}

#[test]
fn whoever_waits_for_a_run_whose_actor_dies_is_told_and_its_places_are_free() {
    workshop(2, async |shop| {
        shop.register(&format!("steps:\n{}", step("a", "wait_ms: {value: 60000}", ""))).await;
        shop.workflows.limit("work.do", NonZeroU32::new(1));
        let runs = [shop.start("w").await, shop.start("w").await];
        shop.t.settle().await;
        runs[0].kill();
        let report = runs[0].ended().await;
        assert_eq!((report.state(), report.died()), (RunState::Failed, Some(&StopReason::Killed)));
        assert_eq!(report.state_of("a"), Some(StepState::Running));
        assert_eq!(report.show().unwrap().summary.state, RunState::Failed);
        assert!(matches!(runs[0].retry("a").await, Err(RunError::NotNow { .. })));
        shop.t.settle().await;
        assert_eq!(runs[1].show().await.unwrap().progress[0].state, StepState::Running, "it has the place now");
        runs[1].cancel("enough").await.unwrap();
        runs[1].ended().await;
        let totals = shop.workflows.totals().await.unwrap();
        assert_eq!((totals.started, totals.failed, totals.cancelled, totals.active), (2, 1, 1, 0));
    });
}

#[test]
fn a_shutdown_tells_whoever_waits() {
    let report = workshop(1, async |shop| {
        shop.register(&format!("steps:\n{}", step("a", "wait_ms: {value: 60000}", ""))).await;
        let run = shop.start("w").await;
        shop.t.settle().await;
        shop.t.shutdown().await;
        run.ended().await
    });
    assert_eq!(report.state(), RunState::Failed);
    assert!(report.died().is_some());
}

/// What is called may ask the run that calls it, while the call is being made.
#[test]
fn a_module_may_cancel_the_run_that_calls_it() {
    workshop(1, async |shop| {
        let steps = "- {step_id: b, handler: work.cancel, depends_on: [a], input_mapping: {run: {value: itself}}}
- {step_id: c, handler: work.echo, depends_on: [b], input_mapping: {value: {value: 1}}}
";
        shop.register(&format!("steps:\n{}{steps}", step("a", "", PUTS_AWAY))).await;
        let run = shop.workflows.start("w", Value::from(json!({}))).id("itself").await.unwrap();
        let report = run.ended().await;
        assert_eq!(report.state(), RunState::Cancelled);
        // Its own call was answered before it could be dropped.
        let states = ["a", "b", "c"].map(|id| report.state_of(id).unwrap());
        assert_eq!(states, [StepState::Compensated, StepState::Succeeded, StepState::Skipped]);
        assert_eq!(shop.t.now().as_secs(), 0);
    });
}

/// What a run has done is in its report even if the system ends before it.
#[test]
fn the_end_of_the_system_leaves_reports_behind() {
    TestSystem::run(async |t| {
        let shop = Workshop::open(t, 1).await;
        shop.register(&format!(
            "steps:\n{}{}",
            step("a", "", ""),
            step("b", "wait_ms: {value: 60000}", "depends_on: [a]")
        ))
        .await;
        let run = shop.start("w").await;
        t.advance(Duration::from_secs(1)).await;
        drop(shop);
        t.shutdown().await;
        let report = run.ended().await;
        assert_eq!((report.state(), report.died()), (RunState::Failed, Some(&StopReason::Shutdown)));
        assert_eq!(report.state_of("a"), Some(StepState::Succeeded));
        assert_eq!(report.history().map(|history| history.attempts().len()), Some(2));
    });
}
