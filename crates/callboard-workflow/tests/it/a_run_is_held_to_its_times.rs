//! Retries, timeouts, cancellation, pause and retry by hand, all on virtual time.

use callboard_bus::Value;
use callboard_bus::retry::FailureClass;
use callboard_workflow::run::{Event, RunState, StepState, Timer, Undo};
use serde_json::json;

use crate::driver::{Driver, Reply, failing, fine, read, value};

fn empty() -> Value {
    value(json!({}))
}

/// F-WF-12
#[test]
fn a_transient_failure_is_tried_again_and_a_permanent_one_is_not() {
    let definition = read("steps:\n- {step_id: a, handler: m.f, retry: {max_retries: 3, jitter: none}}");
    for (class, calls, millis) in
        [(FailureClass::Transient, 4, 7004), (FailureClass::Unknown, 4, 7004), (FailureClass::Permanent, 1, 1)]
    {
        let driver = Driver::new(&definition, empty(), |_, _, _| Reply::Fail(1, class)).finish();
        assert_eq!((driver.seen.len(), driver.now.as_millis()), (calls, millis), "{class:?}");
        assert_eq!(driver.run.state(), RunState::Failed);
    }
}

#[test]
fn a_step_that_succeeds_at_last_has_succeeded() {
    let definition =
        read("steps:\n- {step_id: a, handler: m.f, retry: {}}\n- {step_id: b, handler: m.f, depends_on: [a]}");
    let reply = |name: &str, attempt: u32, _: &Value| match (name, attempt) {
        ("a", 1 | 2) => Reply::Fail(1, FailureClass::Transient),
        _ => Reply::Ok(1, Value::Null),
    };
    let driver = Driver::new(&definition, empty(), reply).finish();
    assert_eq!(driver.calls(), ["a", "a", "a", "b"]);
    assert_eq!(driver.run.attempt_of(driver.task("a")), 3);
    assert_eq!(driver.run.key_of(driver.task("a")).as_deref(), Some("w#run#a"));
    assert_eq!(driver.run.state(), RunState::Completed);
}

/// F-WF-07: the attempt is given up, and what it still says does not count.
#[test]
fn an_attempt_that_takes_too_long_is_given_up() {
    let text = "steps:\n- {step_id: a, handler: m.f, timeout: 100ms, retry: {max_retries: 1, jitter: none}}";
    let driver = Driver::new(&read(text), empty(), |_, _, _| Reply::Ok(150, Value::Null)).finish();
    assert_eq!((driver.seen.len(), driver.run.state()), (2, RunState::Failed));
    let failure = driver.run.failure_of(driver.task("a")).unwrap();
    assert_eq!((&*failure.code, &*failure.message), ("timeout", "not done within 100ms"));
}

/// F-WF-07: what runs is cancelled, what has not begun is skipped.
#[test]
fn a_run_that_takes_too_long_is_stopped() {
    let definition = read(
        "timeout: 1s
steps:
- {step_id: done, handler: m.f}
- {step_id: stuck, handler: m.f, depends_on: [done]}
- {step_id: failing, handler: m.f, retry: {max_retries: 9, initial_delay: 10s, jitter: none}}
- {step_id: behind, handler: m.f, depends_on: [stuck], join: all_done}",
    );
    let reply = |name: &str, _: u32, _: &Value| match name {
        "stuck" => Reply::Never,
        "failing" => Reply::Fail(1, FailureClass::Transient),
        _ => Reply::Ok(1, Value::Null),
    };
    let mut driver = Driver::new(&definition, empty(), reply);
    driver.until(999);
    assert_eq!(driver.run.state(), RunState::Running);
    driver.until(1001);
    assert_eq!((driver.run.state(), driver.finished.as_slice()), (RunState::TimedOut, [RunState::TimedOut].as_slice()));
    // The next attempt of `failing` could not begin before the deadline, so it failed at once.
    assert_eq!(driver.states(), "done succeeded, stuck cancelled, failing failed, behind skipped");
    let driver = driver.finish();
    assert_eq!(driver.calls(), ["done", "failing", "stuck"]);
}

/// A call that is told to stop may still end well or badly; then that is how it ended.
#[test]
fn a_cancelled_run_waits_for_its_calls() {
    let definition = read("steps:\n- {step_id: a, handler: m.f}\n- {step_id: b, handler: m.f, depends_on: [a]}");
    let mut driver = Driver::new(&definition, empty(), |_, _, _| Reply::Ok(10, Value::Null));
    driver.later(9, Event::CancelRequested { reason: "no more".into(), undo: Undo::Completed });
    driver.until(9);
    assert_eq!((driver.run.state(), driver.state("a")), (RunState::Stopping, StepState::Cancelling));
    let driver = driver.finish();
    assert_eq!((driver.run.state(), driver.states()), (RunState::Cancelled, "a succeeded, b skipped".to_owned()));
}

#[test]
fn a_pause_lets_nothing_begin_and_everything_end() {
    let definition = read(
        "steps:
- {step_id: a, handler: m.f}
- {step_id: b, handler: m.f, depends_on: [a]}
- {step_id: again, handler: m.f, retry: {max_retries: 1, jitter: none}}",
    );
    let reply = |name: &str, attempt: u32, _: &Value| match (name, attempt) {
        ("again", 1) => Reply::Fail(1, FailureClass::Transient),
        _ => Reply::Ok(10, Value::Null),
    };
    let mut driver = Driver::new(&definition, empty(), reply);
    driver.until(5);
    driver.apply(Event::PauseRequested);
    driver.until(5000);
    assert_eq!((driver.run.state(), driver.states()), (RunState::Paused, "a succeeded, b held, again held".to_owned()));
    driver.apply(Event::PauseRequested);
    driver.apply(Event::Resumed);
    assert_eq!(driver.states(), "a succeeded, b queued, again queued");
    assert_eq!(driver.finish().run.state(), RunState::Completed);
}

/// A run whose last step ends in a pause ends when it is resumed.
#[test]
fn a_paused_run_does_not_end() {
    let mut driver = Driver::new(&read("steps:\n- {step_id: a, handler: m.f}"), empty(), fine);
    driver.apply(Event::PauseRequested);
    driver.until(10);
    assert_eq!((driver.run.state(), driver.state("a")), (RunState::Paused, StepState::Succeeded));
    driver.apply(Event::Resumed);
    assert_eq!(driver.finished, [RunState::Completed]);
}

/// F-WF-12: the run goes on at the step that failed; what was done is not done again.
#[test]
fn a_failed_step_is_tried_again_by_hand() {
    let definition = read(
        "timeout: 10s
steps:
- {step_id: a, handler: m.f}
- {step_id: b, handler: m.f, depends_on: [a]}
- {step_id: c, handler: m.f, depends_on: [b]}
- {step_id: d, handler: m.f, depends_on: [c, a]}",
    );
    let reply = |name: &str, attempt: u32, _: &Value| match (name, attempt) {
        ("b", 1) => Reply::Fail(1, FailureClass::Permanent),
        _ => Reply::Ok(1, Value::Null),
    };
    let mut driver = Driver::new(&definition, empty(), reply);
    driver.until(9000);
    assert_eq!(driver.states(), "a succeeded, b failed, c skipped, d skipped");
    let step = driver.task("b").step;
    driver.apply(Event::RetryRequested { step: driver.task("c").step });
    assert_eq!(driver.run.state(), RunState::Failed, "only a step that failed can be tried again");
    driver.apply(Event::RetryRequested { step });
    assert_eq!(driver.run.state(), RunState::Running);
    assert_eq!(driver.run.deadline().unwrap().as_millis(), 19_000);
    let driver = driver.finish();
    assert_eq!(driver.calls(), ["a", "b", "b", "c", "d"]);
    assert_eq!(driver.finished, [RunState::Failed, RunState::Completed]);
}

/// Late, early and repeated events of any kind change nothing.
#[test]
fn nothing_changes_after_the_end() {
    let definition =
        read("steps:\n- {step_id: a, handler: m.f, timeout: 1s}\n- {step_id: b, handler: m.f, depends_on: [a]}");
    for fails in [&[][..], &["b"]] {
        let mut driver = Driver::new(&definition, empty(), failing(fails)).finish();
        let (before, a, b) = (format!("{:?}", driver.run), driver.task("a"), driver.task("b"));
        let failure = crate::driver::failure(FailureClass::Transient);
        let events = [a, b].into_iter().flat_map(|task| {
            (0..3).flat_map({
                let failure = failure.clone();
                move |attempt| {
                    [
                        Event::Started { task, attempt },
                        Event::Succeeded { task, attempt, output: value(json!({ "late": true })) },
                        Event::Failed { task, attempt, failure: failure.clone() },
                        Event::Cancelled { task, attempt },
                        Event::CompensationSucceeded { task, attempt },
                        Event::CompensationFailed { task, attempt, failure: failure.clone() },
                        Event::TimerFired(Timer::Timeout(task, attempt)),
                        Event::TimerFired(Timer::Retry(task, attempt)),
                        Event::TimerFired(Timer::CompensationRetry(task, attempt)),
                        Event::TimerFired(Timer::CompensationTimeout(task, attempt)),
                        Event::TimerFired(Timer::Deadline),
                        Event::PauseRequested,
                        Event::Resumed,
                        Event::CancelRequested { reason: "late".into(), undo: Undo::Completed },
                        Event::RetryRequested { step: a.step },
                    ]
                }
            })
        });
        for event in events {
            let mut commands = Vec::new();
            driver.run.apply(event.clone(), driver.now, &mut commands);
            assert_eq!(commands, [], "{event:?}");
            assert_eq!(format!("{:?}", driver.run), before, "{event:?}");
        }
    }
}
