//! Limits over several runs.

use std::num::NonZeroU32;

use callboard_bus::Value;
use callboard_workflow::run::RunState;
use serde_json::json;

use crate::workshop::{Note, read, workshop};

/// A workflow of one mapped step.
fn mapped(id: &str, limits: &str) -> String {
    format!(
        "workflow_id: {id}
version: 1.0.0
limits: {{{limits}}}
steps:
- step_id: each
  handler: work.do
  input_mapping: {{name: item, wait_ms: {{value: 10}}}}
  map: {{over: items}}
"
    )
}

fn items(of: &str, count: usize) -> Value {
    let items: Vec<_> = (0..count).map(|item| format!("{of}{item}")).collect();
    json!({ "items": items }).into()
}

#[test]
fn two_runs_share_the_places_of_their_definition_in_turn() {
    workshop(4, async |shop| {
        shop.register(&mapped("w", "work.do: 2")).await;
        let wide = shop.workflows.start("w", items("wide", 100)).await.unwrap();
        shop.t.settle().await;
        let narrow = shop.workflows.start("w", items("narrow", 10)).await.unwrap();
        assert_eq!(narrow.ended().await.state(), RunState::Completed);
        let done = shop.book.done();
        let of_the_wide = done.iter().filter(|name| name.starts_with("wide")).count();
        assert!((8..=14).contains(&of_the_wide), "{of_the_wide} of the wide run before the narrow one was done");
        assert_eq!(wide.ended().await.state(), RunState::Completed);
        assert_eq!((shop.book.widest(), shop.book.done().len()), (2, 110));
    });
}

#[test]
fn limits_of_the_system_hold_over_workflows_and_beside_their_own() {
    workshop(8, async |shop| {
        shop.workflows.limit("work.do", NonZeroU32::new(3));
        shop.register(&mapped("one", "work.do: 2")).await;
        shop.workflows.register(read(&mapped("two", "").replace("limits: {}\n", ""))).await.unwrap();
        let one = shop.workflows.start("one", items("one", 30)).await.unwrap();
        let two = shop.workflows.start("two", items("two", 30)).await.unwrap();
        assert_eq!([one.ended().await.state(), two.ended().await.state()], [RunState::Completed; 2]);
        assert_eq!(shop.book.widest(), 3);
        // Between the beginning and the end of a call of `one`, at most one other of it begins.
        let mut open = 0_i32;
        for note in shop.book.notes() {
            match note {
                Note::Begun(name) if name.starts_with("one") => open += 1,
                Note::Done(name) if name.starts_with("one") => open -= 1,
                _ => {}
            }
            assert!(open <= 2);
        }
    });
}

#[test]
fn a_definition_that_is_refused_sets_no_limits() {
    workshop(4, async |shop| {
        shop.register(&mapped("w", "work.do: 1")).await;
        assert!(shop.workflows.register(read(&mapped("w", "work.do: 4"))).await.is_err());
        let run = shop.workflows.start("w", items("item", 10)).await.unwrap();
        assert_eq!(run.ended().await.state(), RunState::Completed);
        assert_eq!(shop.book.widest(), 1);
    });
}

#[test]
fn a_paused_run_leaves_its_turns_to_others() {
    workshop(4, async |shop| {
        shop.register(&mapped("w", "work.do: 1")).await;
        let paused = shop.workflows.start("w", items("paused", 10)).await.unwrap();
        let other = shop.workflows.start("w", items("other", 10)).await.unwrap();
        shop.t.settle().await;
        paused.pause().await.unwrap();
        assert_eq!(other.ended().await.state(), RunState::Completed);
        assert!(shop.book.done().iter().filter(|name| name.starts_with("paused")).count() <= 1);
        paused.resume().await.unwrap();
        assert_eq!(paused.ended().await.state(), RunState::Completed);
        assert_eq!(shop.book.widest(), 1);
    });
}

/// One of two places is no use to a run that is paused while it waits for the other.
#[test]
fn a_paused_run_leaves_the_place_that_it_has_to_others() {
    workshop(4, async |shop| {
        shop.workflows.limit("work.do", NonZeroU32::new(1));
        shop.register(&mapped("w", "work.do: 1")).await;
        shop.register(&mapped("first", "work.do: 1")).await;
        let first = shop.workflows.start("first", items("first", 1)).await.unwrap();
        let paused = shop.workflows.start("w", items("paused", 3)).await.unwrap();
        shop.t.settle().await;
        paused.pause().await.unwrap();
        let other = shop.workflows.start("w", items("other", 3)).await.unwrap();
        assert_eq!([first.ended().await.state(), other.ended().await.state()], [RunState::Completed; 2]);
        assert_eq!(shop.book.calls("paused0"), 0);
        paused.resume().await.unwrap();
        assert_eq!(paused.ended().await.state(), RunState::Completed);
        let of_the_paused: Vec<_> = shop.book.done().into_iter().filter(|name| name.starts_with("paused")).collect();
        assert_eq!(of_the_paused, ["paused0", "paused1", "paused2"]);
        assert_eq!(shop.book.widest(), 1);
    });
}

#[test]
fn a_run_that_is_resumed_at_once_has_lost_no_call() {
    workshop(4, async |shop| {
        shop.register(&mapped("w", "work.do: 1")).await;
        let other = shop.workflows.start("w", items("other", 3)).await.unwrap();
        let run = shop.workflows.start("w", items("item", 10)).await.unwrap();
        shop.t.settle().await;
        let (paused, resumed) = tokio::join!(run.pause(), run.resume());
        assert_eq!((paused, resumed), (Ok(()), Ok(())));
        assert_eq!([other.ended().await.state(), run.ended().await.state()], [RunState::Completed; 2]);
        assert_eq!((shop.book.widest(), shop.book.done().len()), (1, 13));
    });
}

#[test]
fn a_paused_run_that_is_cancelled_waits_for_no_place() {
    workshop(4, async |shop| {
        shop.register(&mapped("w", "work.do: 1")).await;
        let other = shop.workflows.start("w", items("other", 3)).await.unwrap();
        let run = shop.workflows.start("w", items("item", 10)).await.unwrap();
        shop.t.settle().await;
        run.pause().await.unwrap();
        run.cancel("it was not needed").await.unwrap();
        assert_eq!(run.ended().await.state(), RunState::Cancelled);
        assert_eq!(other.ended().await.state(), RunState::Completed);
        assert_eq!(shop.book.calls("item9"), 0);
    });
}

#[test]
fn a_cancelled_run_gives_its_places_back() {
    workshop(4, async |shop| {
        shop.register(&mapped("w", "work.do: 2")).await;
        let cancelled = shop.workflows.start("w", items("cancelled", 50)).await.unwrap();
        let other = shop.workflows.start("w", items("other", 10)).await.unwrap();
        shop.t.settle().await;
        cancelled.cancel("").await.unwrap();
        assert_eq!(cancelled.ended().await.state(), RunState::Cancelled);
        assert_eq!(other.ended().await.state(), RunState::Completed);
        assert_eq!(shop.book.calls("other9"), 1);
    });
}
