//! Whoever cancels, pauses or closes a run before its calls are made has come in time: what stands in line is looked at again.

use std::time::Duration;

use callboard_workflow::run::RunState;

use crate::workshop::{step, workshop};

#[test]
fn a_run_that_is_cancelled_at_once_calls_nobody() {
    workshop(1, async |shop| {
        shop.register(&format!("steps:\n{}", step("a", "", ""))).await;
        let run = shop.start("w").await;
        run.cancel_without_undo("it was a mistake").await.unwrap();
        assert_eq!(run.ended().await.state(), RunState::Cancelled);
        assert_eq!(shop.book.calls("a"), 0);
    });
}

#[test]
fn a_run_that_is_paused_at_once_calls_nobody_until_it_goes_on() {
    workshop(1, async |shop| {
        shop.register(&format!("steps:\n{}{}", step("a", "", ""), step("b", "", ""))).await;
        let run = shop.start("w").await;
        run.pause().await.unwrap();
        shop.t.advance(Duration::from_secs(60)).await;
        assert_eq!((shop.book.calls("a"), shop.book.calls("b")), (0, 0));
        run.resume().await.unwrap();
        assert_eq!(run.ended().await.state(), RunState::Completed);
        assert_eq!((shop.book.calls("a"), shop.book.calls("b")), (1, 1));
    });
}

#[test]
fn a_paused_run_that_is_cancelled_calls_nobody_either() {
    workshop(1, async |shop| {
        shop.register(&format!("steps:\n{}", step("a", "", ""))).await;
        let run = shop.start("w").await;
        run.pause().await.unwrap();
        run.cancel_without_undo("never mind").await.unwrap();
        assert_eq!(run.ended().await.state(), RunState::Cancelled);
        assert_eq!(shop.book.calls("a"), 0);
    });
}

#[test]
fn the_items_behind_the_one_that_failed_are_not_called() {
    workshop(1, async |shop| {
        shop.register(
            "steps:
- step_id: each
  handler: work.do
  input_mapping: {name: {value: each}, is_broken: {value: true}}
  map: {over: items}
",
        )
        .await;
        let items: Vec<u64> = (0..1000).collect();
        let run = shop.workflows.start("w", serde_json::json!({ "items": items })).await.unwrap();
        assert_eq!(run.ended().await.state(), RunState::Failed);
        assert_eq!(shop.book.calls("each"), 1);
    });
}

/// The end of the run stands in line when the wish to try again comes.
#[test]
fn a_step_that_is_retried_at_the_very_end_keeps_its_run() {
    workshop(1, async |shop| {
        shop.register(&format!("steps:\n{}", step("a", "wait_ms: {value: 10}, is_broken: {value: true}", ""))).await;
        let run = shop.start("w").await;
        run.pause().await.unwrap();
        run.resume().await.unwrap();
        shop.t.advance(Duration::from_millis(5)).await;
        run.pause().await.unwrap();
        shop.t.advance(Duration::from_millis(50)).await;
        run.resume().await.unwrap();
        // It may have ended by now; then this begins it again.
        run.retry("a").await.unwrap();
        let report = run.ended().await;
        assert!(report.died().is_none(), "{:?}", report.died());
        assert_eq!(report.state(), RunState::Failed);
        assert_eq!(shop.book.calls("a"), 2);
    });
}
