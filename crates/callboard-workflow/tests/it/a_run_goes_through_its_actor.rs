//! Runs through the actors, from the start to the report.

use std::time::Duration;

use callboard_actor::ErrorCode;
use callboard_bus::Value;
use callboard_workflow::progress::Wait;
use callboard_workflow::run::{RunState, StepState};
use callboard_workflow::workflows::{FindError, RegisterError, StartError};
use callboard_workflow::{Progress, RunError};
use semver::Version;
use serde_json::json;

use crate::workshop::{read, step, workshop};

fn value(json: serde_json::Value) -> Value {
    json.into()
}

/// F-WF-01, F-WF-05
#[test]
fn a_chain_hands_on_what_its_steps_reply() {
    workshop(1, async |shop| {
        shop.register(
            "steps:
- {step_id: first, handler: work.do, input_mapping: {name: {value: first}, reply: given}}
- {step_id: second, handler: work.echo@^1, depends_on: [first], input_mapping: {value: rows.count}}
",
        )
        .await;
        let input = value(json!({ "given": { "rows": { "count": 7 } } }));
        let run = shop.workflows.start("w", input.clone()).await.unwrap();
        let report = run.ended().await;
        assert_eq!(report.state(), RunState::Completed);
        assert_eq!(report.output_of("second"), Some(&value(json!({ "value": 7 }))));
        assert_eq!(report.context(), value(json!({ "given": input_rows(), "rows": { "count": 7 }, "value": 7 })));
        assert_eq!(shop.book.keys(), [format!("w#{}#first", run.id())]);
        assert_eq!((run.input(), &**run.workflow_id()), (&input, "w"));
    });

    fn input_rows() -> serde_json::Value {
        json!({ "rows": { "count": 7 } })
    }
}

/// F-WF-05
#[test]
fn what_is_not_in_the_context_fails_the_step_before_its_handler_is_called() {
    workshop(1, async |shop| {
        shop.register("steps:\n- {step_id: a, handler: work.do, input_mapping: {name: not.there}}\n").await;
        let report = shop.start("w").await.ended().await;
        let failure = report.failure_of("a").unwrap();
        assert_eq!((report.state(), &*failure.code), (RunState::Failed, "validation_failed"));
        assert!(failure.message.contains("not.there"), "{}", failure.message);
        assert_eq!(shop.book.calls("a"), 0);
    });
}

/// F-WF-03
#[test]
fn the_branches_of_a_diamond_run_at_the_same_time() {
    workshop(3, async |shop| {
        let after = "depends_on: [a]";
        let wait = "wait_ms: {value: 1000}";
        let branches = ["b", "c", "d"].map(|name| step(name, wait, after)).concat();
        let text = format!("steps:\n{}{branches}{}", step("a", "", ""), step("e", "", "depends_on: [b, c, d]"));
        shop.register(&text).await;
        let before = shop.t.now();
        let report = shop.start("w").await.ended().await;
        assert_eq!(report.state(), RunState::Completed);
        assert_eq!(shop.book.widest(), 3);
        assert!(shop.t.now() - before < Duration::from_millis(1100), "{:?}", shop.t.now() - before);
        let done = shop.book.done();
        assert_eq!((done.first().unwrap().as_str(), done.last().unwrap().as_str()), ("a", "e"));
    });
}

#[test]
fn a_map_of_a_thousand_items_keeps_its_bound_and_its_order() {
    workshop(12, async |shop| {
        shop.register(
            "steps:
- step_id: each
  handler: work.do
  input_mapping: {name: {value: each}, reply: item, wait_ms: {value: 5}}
  map: {over: items, max_parallel: 10}
",
        )
        .await;
        let items: Vec<u64> = (0..1000).collect();
        let run = shop.workflows.start("w", value(json!({ "items": items }))).await.unwrap();
        let report = run.ended().await;
        assert_eq!(report.state(), RunState::Completed);
        assert_eq!(report.output_of("each"), Some(&value(json!(items))));
        assert_eq!((shop.book.widest(), shop.book.calls("each")), (10, 1000));
    });
}

/// F-WF-12
#[test]
fn a_step_that_fails_is_tried_again_when_its_time_has_come() {
    workshop(1, async |shop| {
        let retry = "retry: {max_retries: 3, initial_delay: 10s, jitter: none}";
        shop.register(&format!("steps:\n{}", step("a", "fails: {value: 2}", retry))).await;
        let before = shop.t.now();
        let run = shop.start("w").await;
        shop.t.advance(Duration::from_secs(5)).await;
        let shown = run.show().await.unwrap();
        assert_eq!((shown.progress[0].state, shown.progress[0].attempt), (StepState::Retrying, 1));
        assert_eq!(shown.progress[0].waits_for, Some(Wait::NextAttempt));
        assert_eq!(run.ended().await.state(), RunState::Completed);
        let took = shop.t.now() - before;
        assert!((30..31).contains(&took.as_secs()), "10 s and 20 s: {took:?}");
        let keys = shop.book.keys();
        assert_eq!(keys.len(), 3);
        assert!(keys.iter().all(|key| *key == keys[0]), "all attempts have one key: {keys:?}");
    });
}

/// F-WF-07
#[test]
fn a_step_that_takes_too_long_is_given_up() {
    workshop(1, async |shop| {
        shop.register(&format!("steps:\n{}", step("a", "wait_ms: {value: 60000}", "timeout: 5s"))).await;
        let before = shop.t.now();
        let report = shop.start("w").await.ended().await;
        assert_eq!(report.state(), RunState::Failed);
        assert_eq!(report.failure_of("a").unwrap().code, "timeout");
        assert_eq!((shop.t.now() - before).as_secs(), 5);
    });
}

/// A thread that is taken for a moment keeps the run from looking, and not the answer from being in time.
#[test]
fn an_answer_that_is_there_in_time_counts_however_late_it_is_seen() {
    workshop(1, async |shop| {
        let parameters = "wait_ms: {value: 980}, busy_ms: {value: 70}";
        shop.register(&format!("timeout: 1s\nsteps:\n{}", step("a", parameters, "timeout: 1s"))).await;
        let begun = shop.t.system().elapsed();
        let report = shop.start("w").await.ended().await;
        assert_eq!((report.state(), report.failure_of("a").map(|failure| &*failure.code)), (RunState::Completed, None));
        assert!(report.ended() >= begun + Duration::from_millis(1050), "it was seen late");
    });
}

/// F-WF-07
#[test]
fn a_run_that_takes_too_long_stops_and_undoes_what_was_done() {
    workshop(2, async |shop| {
        let undo = "compensate: {handler: undo.it, input_mapping: {name: {value: a}}}";
        let slow = step("b", "wait_ms: {value: 60000}", "depends_on: [a]");
        let text = format!("timeout: 7s\nsteps:\n{}{slow}{}", step("a", "", undo), step("c", "", "depends_on: [b]"));
        shop.register(&text).await;
        let before = shop.t.now();
        let report = shop.start("w").await.ended().await;
        assert_eq!(report.state(), RunState::TimedOut);
        assert_eq!((shop.t.now() - before).as_secs(), 7);
        let states = ["a", "b", "c"].map(|id| report.state_of(id).unwrap());
        assert_eq!(states, [StepState::Compensated, StepState::Cancelled, StepState::Skipped]);
        assert_eq!(shop.book.undone(), ["a"]);
    });
}

/// F-WF-07
#[test]
fn a_run_whose_definition_says_nothing_has_an_hour() {
    workshop(1, async |shop| {
        shop.register(&format!("steps:\n{}", step("a", "wait_ms: {value: 36000000}", ""))).await;
        let before = shop.t.now();
        let report = shop.start("w").await.ended().await;
        assert_eq!(report.state(), RunState::TimedOut);
        assert_eq!((shop.t.now() - before).as_secs(), 3600);
    });
}

#[test]
fn a_cancelled_run_undoes_its_steps_the_last_first() {
    workshop(2, async |shop| {
        let undo = |name: &str| format!("compensate: {{handler: undo.it, input_mapping: {{name: {{value: {name}}}}}}}");
        let text = format!(
            "steps:\n{}{}{}",
            step("a", "", &undo("a")),
            step("b", "", &format!("depends_on: [a], {}", undo("b"))),
            step("c", "wait_ms: {value: 60000}", &format!("depends_on: [b], {}", undo("c"))),
        );
        shop.register(&text).await;
        let run = shop.start("w").await;
        shop.t.advance(Duration::from_secs(1)).await;
        run.cancel("nobody wants it").await.unwrap();
        let report = run.ended().await;
        assert_eq!(report.state(), RunState::Cancelled);
        assert_eq!(report.summary().unwrap().reason.as_deref(), Some("nobody wants it"));
        assert_eq!(shop.book.undone(), ["b", "a"]);
        assert_eq!(report.state_of("c"), Some(StepState::Cancelled));
        assert_eq!(run.cancel("again").await, Err(RunError::Ended));
        assert_eq!(shop.t.now().as_secs(), 1, "the call was dropped and not waited for");
    });
}

#[test]
fn nothing_begins_in_a_paused_run() {
    workshop(1, async |shop| {
        let text = format!("steps:\n{}{}", step("a", "wait_ms: {value: 1000}", ""), step("b", "", "depends_on: [a]"));
        shop.register(&text).await;
        let run = shop.start("w").await;
        shop.t.settle().await;
        run.pause().await.unwrap();
        run.pause().await.unwrap();
        shop.t.advance(Duration::from_secs(10)).await;
        let shown = run.show().await.unwrap();
        assert_eq!(shown.summary.state, RunState::Paused);
        assert_eq!(shown.progress[1].waits_for, Some(Wait::Resume));
        assert_eq!((shop.book.calls("a"), shop.book.calls("b")), (1, 0));
        run.resume().await.unwrap();
        assert_eq!(run.ended().await.state(), RunState::Completed);
        assert_eq!(run.resume().await, Err(RunError::Ended));
    });
}

#[test]
fn a_failed_step_of_a_run_that_is_over_can_be_tried_again() {
    workshop(1, async |shop| {
        let text = format!(
            "steps:\n{}{}{}",
            step("a", "", ""),
            step("b", "fails: {value: 1}", "depends_on: [a]"),
            step("c", "", "depends_on: [b]")
        );
        shop.register(&text).await;
        let run = shop.start("w").await;
        let report = run.ended().await;
        assert_eq!(report.state(), RunState::Failed);
        assert_eq!(report.failed_steps()[0].task, "b");
        let unknown = run.retry("bb").await.unwrap_err();
        assert_eq!(unknown.to_string(), "the run has no step `bb`, did you mean `b`?");
        assert!(matches!(run.retry("a").await, Err(RunError::NotNow { state: RunState::Failed })));
        run.retry("b").await.unwrap();
        assert_eq!(run.ended().await.state(), RunState::Completed);
        assert_eq!((shop.book.calls("a"), shop.book.calls("b"), shop.book.calls("c")), (1, 2, 1));
        let totals = shop.workflows.totals().await.unwrap();
        assert_eq!((totals.started, totals.failed, totals.completed, totals.active), (2, 1, 1, 0));
    });
}

#[test]
fn a_failed_step_can_be_tried_again_while_others_run() {
    workshop(2, async |shop| {
        let text = format!("steps:\n{}{}", step("a", "fails: {value: 1}", ""), step("b", "wait_ms: {value: 5000}", ""));
        shop.register(&text).await;
        let run = shop.start("w").await;
        shop.t.advance(Duration::from_secs(1)).await;
        run.retry("a").await.unwrap();
        assert_eq!(run.ended().await.state(), RunState::Completed);
        assert_eq!(shop.book.calls("b"), 1);
    });
}

/// F-WF-01, F-WF-06
#[test]
fn runs_keep_their_definition_when_a_newer_one_is_registered() {
    workshop(2, async |shop| {
        let version = |version: &str, wait: u64| {
            let step = step("a", &format!("wait_ms: {{value: {wait}}}, reply: {{value: {{version: {version}}}}}"), "");
            read(&format!("workflow_id: w\nversion: {version}\nsteps:\n{step}"))
        };
        shop.workflows.register(version("1.0.0", 1000)).await.unwrap();
        let old = shop.start("w").await;
        shop.workflows.register(version("1.10.0", 0)).await.unwrap();
        shop.workflows.register(version("1.9.0", 0)).await.unwrap();
        let twice = shop.workflows.register(version("1.0.0", 0)).await.unwrap_err();
        assert!(matches!(twice, RegisterError::AlreadyExists { .. }) && twice.code() == ErrorCode::AlreadyExists);
        let new = shop.start("w").await;
        let chosen = shop.workflows.start("w", value(json!({}))).version(Version::new(1, 9, 0)).await.unwrap();
        assert_eq!([&old, &new, &chosen].map(|run| run.version().to_string()), ["1.0.0", "1.10.0", "1.9.0"]);
        for run in [old, new, chosen] {
            let version = run.version().to_string();
            assert_eq!(run.ended().await.context(), value(json!({ "version": version })));
        }
        let unknown = shop.workflows.start("w", value(json!({}))).version(Version::new(2, 0, 0)).await.unwrap_err();
        assert_eq!(unknown.to_string(), "there is no version 2.0.0 of workflow `w`, there is 1.0.0, 1.9.0, 1.10.0");
        assert_eq!(shop.workflows.definitions().len(), 3);
    });
}

/// F-WF-06
#[test]
fn a_start_by_a_name_is_made_once() {
    workshop(1, async |shop| {
        shop.register(&format!("steps:\n{}", step("a", "wait_ms: {value: 1000}", ""))).await;
        let start = |input| shop.workflows.start("w", value(input)).id("order 17");
        let first = start(json!({ "n": 1 })).await.unwrap();
        let again = start(json!({ "n": 1.0 })).await.unwrap();
        let other = start(json!({ "n": 2 })).await.unwrap_err();
        assert!(matches!(other, StartError::OtherInput { .. }) && other.code() == ErrorCode::AlreadyExists);
        assert_eq!(first.ended().await.ended(), again.ended().await.ended());
        let late = start(json!({ "n": 1 })).await.unwrap();
        assert_eq!(late.report().unwrap().state(), RunState::Completed);
        assert_eq!(shop.book.calls("a"), 1);
        assert_eq!(shop.workflows.totals().await.unwrap().started, 1);

        let unknown = shop.workflows.start("ww", value(json!({}))).await.unwrap_err();
        assert_eq!(unknown.to_string(), "there is no workflow `ww`, did you mean `w`?");
        assert_eq!(unknown.code(), ErrorCode::UnknownWorkflow);
        let bad = shop.workflows.start("w", value(json!({}))).id("a\nb").await.unwrap_err();
        assert_eq!(bad.code(), ErrorCode::InvalidName);
    });
}

#[test]
fn runs_are_found_by_their_names() {
    workshop(1, async |shop| {
        let text = |id: &str| format!("workflow_id: {id}\nversion: 1.0.0\nsteps:\n{}", step("a", "", ""));
        shop.register(&text("one")).await;
        shop.register(&text("other")).await;
        for (workflow, run) in [("one", "x"), ("one", "y"), ("other", "x")] {
            shop.workflows.start(workflow, value(json!({}))).id(run).await.unwrap();
        }
        assert_eq!(&**shop.workflows.run("y").await.unwrap().workflow_id(), "one");
        assert_eq!(&**shop.workflows.run("other/x").await.unwrap().workflow_id(), "other");
        let both = shop.workflows.run("x").await.unwrap_err();
        assert_eq!(both.to_string(), "`x` is a run of one and of other: say `workflow/run`");
        let none = shop.workflows.run("z").await.unwrap_err();
        assert!(matches!(none, FindError::UnknownExecution { .. }) && none.code() == ErrorCode::UnknownExecution);
        let list = shop.workflows.list().await.unwrap();
        assert_eq!(list.len(), 3);
    });
}

/// F-WF-08
#[test]
fn a_run_says_what_it_waits_for_and_since_when() {
    workshop(1, async |shop| {
        let text = format!(
            "steps:\n{}{}{}",
            step("a", "wait_ms: {value: 60000}", ""),
            step("b", "", "depends_on: [a]"),
            step("c", "wait_ms: {value: 1000}", ""),
        );
        let text = format!("limits: {{work.do: 1}}\n{text}");
        shop.register(&text).await;
        let run = shop.start("w").await;
        shop.t.advance(Duration::from_secs(30)).await;
        let shown = run.show().await.unwrap();
        let waits: Vec<_> = shown.progress.iter().map(|task| task.waits_for.clone().unwrap()).collect();
        assert_eq!(waits[0], Wait::Reply("work.do".into()));
        assert_eq!(waits[1], Wait::Steps(vec!["a".into()]));
        assert_eq!(waits[2], Wait::Slot("work.do".into()));
        let longest = shown.holdups()[0];
        assert_eq!(longest.task, "a");
        assert!(shop.t.now().as_millis() as u64 - longest.since_ms >= 30_000);
        assert!(run.picture().await.unwrap().to_mermaid().contains("work.do"));
        let report = run.ended().await;
        assert_eq!(report.state(), RunState::Completed);
        assert_eq!(report.history().unwrap().attempts().len(), 3);
        assert!(report.picture().unwrap().to_dot().contains("\"a\""));
    });
}

#[test]
fn who_watches_sees_every_state_until_the_end() {
    workshop(1, async |shop| {
        let text = format!("steps:\n{}{}", step("a", "wait_ms: {value: 10}", ""), step("b", "", "depends_on: [a]"));
        shop.register(&text).await;
        let run = shop.start("w").await;
        let mut tail = run.tail();
        let mut seen = Vec::new();
        while let Some(progress) = tail.next().await {
            seen.push(match progress {
                Progress::Run(run) => run.state.to_string(),
                Progress::Step(step) => format!("{} {}", step.task, step.state),
                other => format!("{other:?}"),
            });
        }
        assert_eq!(seen, ["a running", "a succeeded", "b queued", "b running", "b succeeded", "completed"]);
        assert!(run.tail().next().await.is_none(), "there is nothing to see any more");
    });
}

/// F-WF-02
#[test]
fn what_is_called_must_be_there_when_it_is_called_or_when_it_is_registered() {
    workshop(1, async |shop| {
        let definition = |id: &str, handler: &str| {
            let step = format!("- {{step_id: a, handler: {handler}, retry: {{max_retries: 3}}}}\n");
            read(&format!("workflow_id: {id}\nversion: 1.0.0\nsteps:\n{step}"))
        };
        let strict = shop.workflows.register(definition("w", "works.echo")).strict().await.unwrap_err();
        assert_eq!(strict.code(), ErrorCode::WorkflowInvalid);
        assert!(strict.to_string().contains("works.echo"), "{strict}");
        for (id, handler, code) in [
            ("module", "wrok.echo", "unknown_module"),
            ("operation", "work.eco", "unknown_operation"),
            ("version", "work.echo@^2", "version_incompatible"),
        ] {
            shop.workflows.register(definition(id, handler)).await.unwrap();
            let report = shop.start(id).await.ended().await;
            let failure = report.failure_of("a").unwrap();
            assert_eq!((report.state(), &*failure.code), (RunState::Failed, code), "{}", failure.message);
            let run = report.run().unwrap();
            assert_eq!(run.attempt_of(run.definition().find("a").unwrap().into()), 1, "it is not tried again");
        }
        let missing = shop.workflows.register(definition("input", "work.echo")).strict().await.unwrap_err();
        assert!(missing.to_string().contains("value"), "{missing}");
        shop.register("steps:\n- {step_id: a, handler: work.echo, input_mapping: {value: {value: 1}}}\n").await;
    });
}
