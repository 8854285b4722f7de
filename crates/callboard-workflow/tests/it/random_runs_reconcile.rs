//! Random graphs with random failures and cancels, through the real actors.

use std::collections::HashMap;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_bus::Value;
use callboard_workflow::definition::{CompensationBuilder, Definition, StepBuilder};
use callboard_workflow::graph::StepIndex;
use callboard_workflow::run::{RunState, StepState};
use proptest::prelude::*;
use serde_json::json;

use crate::workshop::{Note, Workshop};

/// A step of a random graph.
#[derive(Clone, Debug)]
struct Node {
    parents: Vec<usize>,
    wait: u64,
    fails: u32,
    is_broken: bool,
    is_undone: bool,
}

fn node(at: usize) -> impl Strategy<Value = Node> {
    let parents = prop::collection::btree_set(0..at.max(1), 0..=3.min(at));
    let parents = parents.prop_map(move |parents| parents.into_iter().filter(|parent| *parent < at).collect());
    (parents, 0..30_u64, 0..3_u32, prop::bool::weighted(0.1), any::<bool>())
        .prop_map(|(parents, wait, fails, is_broken, is_undone)| Node { parents, wait, fails, is_broken, is_undone })
}

fn graph() -> impl Strategy<Value = Vec<Node>> {
    (1..12_usize).prop_flat_map(|steps| (0..steps).map(node).collect::<Vec<_>>())
}

fn definition(nodes: &[Node], limit: Option<u32>) -> Definition {
    let retry =
        callboard_bus::RetryPolicy::builder().initial_delay(Duration::from_millis(5)).max_retries(2).build().unwrap();
    let steps = nodes.iter().enumerate().map(|(at, node)| {
        let step =
            StepBuilder::new(format!("s{at}"), "work.do").after(node.parents.iter().map(|parent| format!("s{parent}")));
        let step = step.constant("name", Value::from(format!("s{at}"))).constant("wait_ms", Value::from(node.wait));
        let step = step
            .constant("fails", Value::from(u64::from(node.fails)))
            .constant("is_broken", Value::from(node.is_broken));
        let undo = CompensationBuilder::new("undo.it").constant("name", Value::from(format!("s{at}")));
        if node.is_undone { step.retry(retry).compensate(undo) } else { step.retry(retry) }
    });
    let builder = steps.fold(Definition::builder("w"), |builder, step| builder.step(step));
    let builder = limit.into_iter().fold(builder, |builder, limit| builder.limit("work.do", limit));
    builder.build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// F-WF-03, F-WF-11
    #[test]
    fn every_step_is_done_once_after_its_parents_or_undone(
        nodes in graph(),
        cancel in prop::option::of(0..150_u64),
        pause in prop::option::of((0..50_u64, 1..100_u64)),
        limit in prop::option::of(1..4_u32),
    ) {
        TestSystem::run(async |t| {
            let shop = Workshop::open(t, 12).await;
            shop.workflows.register(definition(&nodes, limit)).await.unwrap();
            let run = shop.workflows.start("w", Value::from(json!({}))).await.unwrap();
            if let Some((after, long)) = pause {
                t.advance(Duration::from_millis(after)).await;
                let _ = run.pause().await;
                t.advance(Duration::from_millis(long)).await;
                let _ = run.resume().await;
            }
            if let Some(after) = cancel {
                t.advance(Duration::from_millis(after)).await;
                let _ = run.cancel("chance").await;
            }
            let report = run.ended().await;
            check(&nodes, &shop, &report);
            if let Some(limit) = limit {
                assert!(shop.book.widest() <= limit as usize);
            }
            let totals = shop.workflows.totals().await.unwrap();
            let ended = totals.completed + totals.failed + totals.cancelled + totals.timed_out;
            assert_eq!((totals.started, totals.active, ended), (1, 0, 1));
            drop(shop);
            t.shutdown().await;
        });
    }
}

fn check(nodes: &[Node], shop: &Workshop<'_>, report: &callboard_workflow::RunReport) {
    let (notes, run) = (shop.book.notes(), report.run().unwrap());
    let place = |wanted: Note| notes.iter().position(|note| *note == wanted);
    let done = |at: usize| place(Note::Done(format!("s{at}")));
    let mut counts: HashMap<&Note, usize> = HashMap::new();
    notes.iter().filter(|note| !matches!(note, Note::Begun(_))).for_each(|note| *counts.entry(note).or_default() += 1);
    assert!(counts.values().all(|count| *count == 1), "{notes:?}");
    for (at, node) in nodes.iter().enumerate() {
        let state = run.task_state(StepIndex::new(at).into()).unwrap();
        assert!(state.is_settled(), "{state}");
        if let Some(begun) = place(Note::Begun(format!("s{at}"))) {
            assert!(node.parents.iter().all(|parent| done(*parent).is_some_and(|done| done < begun)));
        }
        let undone = place(Note::Undone(format!("s{at}")));
        match state {
            StepState::Succeeded => assert!(done(at).is_some() && undone.is_none()),
            StepState::Compensated => assert!(done(at).unwrap() < undone.unwrap()),
            _ => assert!(undone.is_none()),
        }
        let has_to_be_undone = node.is_undone && report.state() != RunState::Completed;
        assert!(!(has_to_be_undone && state == StepState::Succeeded), "s{at} was left as it is");
    }
    let is_sound = nodes.iter().all(|node| !node.is_broken);
    match report.state() {
        RunState::Completed => assert!(is_sound && (0..nodes.len()).all(|at| done(at).is_some())),
        RunState::Failed => assert!(!is_sound),
        state => assert_eq!(state, RunState::Cancelled),
    }
}
