use std::sync::Arc;

use callboard_actor::testing::{Injection, TestSystem};
use callboard_actor::{Actor, AskError};

use super::{Board, Register, Registry, Watch};
use crate::manifest::Manifest;
use crate::registry::{Entry, ModuleChange};

struct Idle;

impl Actor for Idle {}

fn entry(t: &TestSystem, name: &str) -> (callboard_actor::ActorRef<Idle>, Entry) {
    let actor = t.spawn(|| Idle);
    let manifest = Manifest::new(name, "1.0.0");
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
