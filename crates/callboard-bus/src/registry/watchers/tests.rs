use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, ActorRef, Context, Fault, Overflow, SyncHandler, child};
use proptest::prelude::*;

use super::{MANY, ModuleChange, Watchers, without_the_past};
use crate::contract::{Breach, Contract, ContractChange};
use crate::descriptor::{Descriptor, Health};
use crate::manifest::Manifest;

struct Idle;

impl Actor for Idle {}

impl SyncHandler<ModuleChange> for Idle {
    fn handle(&mut self, _: ModuleChange, _: &mut Context<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

fn descriptor(actor: &ActorRef<Idle>, health: u8) -> Arc<Descriptor> {
    let manifest = Manifest::new("idle", "1.0.0");
    let checked = manifest.checked().unwrap();
    let entry = manifest.entry(checked, actor);
    let health = Health::Degraded(health.to_string());
    Arc::new(Descriptor { health, ..Descriptor::clone(entry.descriptor()) })
}

/// What one knows who has heard all this, beginning with what was known.
fn known<'a>(
    mut known: BTreeMap<String, Health>,
    changes: impl IntoIterator<Item = &'a ModuleChange>,
) -> BTreeMap<String, Health> {
    for change in changes {
        let now = change.descriptor();
        let before = match change {
            ModuleChange::Departed(_) => known.remove(&now.instance),
            _ => known.insert(now.instance.clone(), now.health.clone()),
        };
        assert_eq!(before.is_none(), matches!(change, ModuleChange::Arrived(_)), "{change:?} of what was {before:?}");
    }
    known
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Wherever the telling stopped, what is left leads to the same end, with no more than one word on each instance.
    #[test]
    fn what_is_left_leads_to_the_same_end(
        steps in prop::collection::vec((0_usize..4, any::<bool>(), any::<u8>()), 0..40),
        told in any::<prop::sample::Index>(),
    ) {
        TestSystem::run(async |t| {
            let actors: Vec<_> = (0..4).map(|id| t.spawn(child(format!("idle-{id}"), || Idle))).collect();
            let mut is_there = [false; 4];
            let mut changes = Vec::new();
            for (which, goes, health) in steps {
                let now = descriptor(&actors[which], health);
                changes.push(match (is_there[which], goes) {
                    (true, true) => ModuleChange::Departed(now),
                    (true, false) => ModuleChange::Changed(now),
                    (false, _) => ModuleChange::Arrived(now),
                });
                is_there[which] = !(is_there[which] && goes);
            }
            let (told, untold) = changes.split_at(told.index(changes.len() + 1));
            let untold: VecDeque<_> = untold.iter().cloned().collect();
            let (before, left) = (known(BTreeMap::new(), told), without_the_past(&untold));
            assert_eq!(known(before.clone(), &left), known(before, &untold));
            assert!(left.len() <= 4, "{left:?}");
            t.shutdown().await;
        });
    }
}

/// A watcher that hangs is owed no more than there is to know.
#[test]
fn what_is_kept_for_one_watcher_is_bounded() {
    TestSystem::run(async |t| {
        let actor = t.spawn(child("idle", || Idle));
        let hung = t.spawn(child("hung", || Idle).bound(1).overflow(Overflow::Reject));
        let (mut watchers, hold) = (Watchers::default(), Arc::new(()));
        watchers.add(hung.recipient(), Arc::downgrade(&hold), VecDeque::new());
        for _ in 0..3 * MANY {
            watchers.note(&ModuleChange::Arrived(descriptor(&actor, 0)));
            watchers.note(&ModuleChange::Departed(descriptor(&actor, 0)));
            assert!(watchers.all[0].untold.len() <= MANY);
        }
        drop(hold);
        assert!(watchers.tell().is_none());
        assert!(watchers.all.is_empty(), "nobody holds on to the watch");
        t.shutdown().await;
    });
}

/// Who was not told of a contract when it was made hears how it is now, or nothing when it is gone.
#[test]
fn what_is_left_of_contracts_is_how_they_are() {
    let contract = |provider: &str| Contract::new("web", provider, "count", "^1".parse().unwrap());
    let broken = |provider: &str| {
        let breach = Breach::Gone(Box::new(contract(provider)));
        ContractChange::Broken { contract: contract(provider), breach }
    };
    let untold: VecDeque<_> = [
        ContractChange::Made(contract("mended")),
        ContractChange::Made(contract("gone")),
        broken("told of"),
        broken("mended"),
        ContractChange::Forgotten(contract("gone")),
        ContractChange::Mended(contract("mended")),
        ContractChange::Forgotten(contract("told of")),
    ]
    .into();
    let left = [ContractChange::Made(contract("mended")), ContractChange::Forgotten(contract("told of"))];
    assert!(without_the_past(&untold).into_iter().eq(left));
}
