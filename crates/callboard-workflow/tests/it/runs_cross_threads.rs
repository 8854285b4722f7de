//! Runs and modules on several threads, in real time.

use std::num::NonZeroU32;

use callboard_actor::{Drain, System, block_on, child};
use callboard_bus::{Manifest, Value};
use callboard_workflow::run::RunState;
use callboard_workflow::{RunRef, Workflows, WorkflowsExt};
use serde_json::json;

use crate::workshop::{Book, Do, Worker, read, step};

const THREADS: usize = 3;
const RUNS: u32 = 40;

async fn start(workflows: &Workflows) -> Vec<RunRef> {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        runs.push(workflows.start("w", Value::from(json!({}))).await.unwrap());
    }
    runs
}

/// F-WF-11
#[test]
fn many_runs_on_several_threads_share_a_limit_and_end() {
    block_on(async {
        let system = System::builder().workers(THREADS).start().await.unwrap();
        let book = Book::default();
        for thread in 0..THREADS {
            let own = book.clone();
            let worker = system.spawn(child(format!("worker-{thread}"), move || Worker::new(&own)).pinned(thread));
            Manifest::new("work", "1.2.0").fallible::<Do, _, _>("do").register(&worker).await.unwrap();
        }
        let workflows = system.workflows();
        workflows.limit("work.do", NonZeroU32::new(2));
        let branches: String = (0..5).map(|branch| step(&format!("b{branch}"), "", "depends_on: [a]")).collect();
        let last = step("z", "", "depends_on: [b0, b1, b2, b3, b4]");
        let definition = read(&format!("steps:\n{}{branches}{last}", step("a", "", "")));
        workflows.register(definition).await.unwrap();

        let undisturbed = start(&workflows).await;
        for run in &undisturbed {
            assert_eq!(run.ended().await.state(), RunState::Completed);
        }
        assert_eq!((book.calls("a"), book.calls("z")), (RUNS, RUNS));
        assert!(book.widest() <= 2, "{} calls at once", book.widest());

        let disturbed = start(&workflows).await;
        for run in disturbed.iter().step_by(2) {
            // Some are cancelled in time, and some have ended.
            let _ = run.cancel("enough").await;
        }
        for (at, run) in disturbed.iter().enumerate() {
            let state = run.ended().await.state();
            assert!(state == RunState::Completed || at % 2 == 0 && state == RunState::Cancelled, "{state}");
        }
        let totals = workflows.totals().await.unwrap();
        assert_eq!((totals.started, totals.active), (u64::from(2 * RUNS), 0));
        assert_eq!(totals.completed + totals.cancelled, totals.started);
        system.shutdown(Drain::default()).await;
    });
}
