use std::sync::Arc;

use callboard_actor::testing::{Injection, TestSystem};
use callboard_actor::{Actor, AskError};
use serde_json::json;

use super::{Board, Register, Registry, Snapshot, Watch};
use crate::contract::{Contract, ContractChange, Contracts, Violation};
use crate::discovery::Capability;
use crate::manifest::Manifest;
use crate::registry::{Entry, ModuleChange};

struct Idle;

impl Actor for Idle {}

fn entry(t: &TestSystem, name: &str) -> (callboard_actor::ActorRef<Idle>, Entry) {
    entry_of(t, Manifest::new(name, "1.0.0"))
}

fn entry_of(t: &TestSystem, manifest: Manifest<Idle>) -> (callboard_actor::ActorRef<Idle>, Entry) {
    let actor = t.spawn(|| Idle);
    let checked = manifest.checked().unwrap();
    let entry = manifest.entry(checked, &actor);
    (actor, entry)
}

/// Its third turn fails. What is registered, who watches, and whose ends it hears of outlive the value.
#[test]
fn a_new_value_goes_on_where_the_last_one_was() {
    TestSystem::run(async |t| {
        let board = Arc::<Board>::default();
        let registry = t.spawn(Registry::child(&board).inject(Injection::new().panic_at(3)));
        let probe = t.probe::<ModuleChange>();
        let (first, entry_of_first) = entry(t, "first");
        registry.ask(Register(entry_of_first)).await.unwrap().unwrap();
        let watch = Arc::new(());
        registry.ask(Watch(probe.recipient(), Arc::downgrade(&watch))).await.unwrap();
        let failed = registry.ask(Register(entry(t, "never").1)).await;
        assert!(matches!(failed, Err(AskError::Faulted(_))), "{failed:?}");
        assert_eq!(board.snapshot().list().len(), 1);
        registry.ask(Register(entry(t, "second").1)).await.unwrap().unwrap();
        first.stop();
        first.ended().await;
        t.settle().await;
        let heard = probe.take();
        let names: Vec<_> = heard.iter().map(|change| change.descriptor().name.as_str()).collect();
        assert_eq!(names, ["first", "second", "first"]);
        assert!(matches!(heard[2], ModuleChange::Departed(_)), "{:?}", heard[2]);
        t.shutdown().await;
    });
}

/// F-DSC-05: whichever side registers again, the contract is looked at; where neither does it is not.
#[test]
fn a_contract_is_looked_at_whichever_side_registers() {
    TestSystem::run(async |t| {
        let takes_texts = Capability::builder("add", "1.0.0").input_schema(json!({ "type": "string" }));
        let (_lab, lab) = entry_of(t, Manifest::new("lab", "1.0.0").advertises(takes_texts));
        let (_web, web) = entry(t, "web");
        // The contract is kept unseen, so that what is wrong with it is not known yet.
        let mut contracts = Contracts::default();
        let numbers = Contract::new("web", "lab", "add", "^1".parse().unwrap()).sends(json!({ "type": "integer" }));
        contracts.keep(numbers, Violation::default());
        let broken_by = |module: &str| {
            let snapshot = Snapshot::default().with(lab.clone()).with(web.clone()).with_contracts(contracts.clone());
            let (settled, changes) = snapshot.settled(module);
            assert_eq!(settled.contracts().breaches().count(), changes.len());
            changes.iter().filter(|change| matches!(change, ContractChange::Broken { .. })).count()
        };
        assert_eq!(["web", "lab", "other"].map(broken_by), [1, 1, 0]);
        t.shutdown().await;
    });
}
