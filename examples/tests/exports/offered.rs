//! What the modules of the examples offer, held against a file that is kept: whoever changes an operation sees here what
//! that is to those who use it.

use std::fs;
use std::path::Path;

use callboard::bus::contract::Export;
use callboard::bus::contract::diff::{Verdict, diff};
use callboard::bus::{Module, ModulesExt, module};
use callboard::one_for_one;
use callboard::testing::TestSystem;

use crate::archive::Archive;
use crate::chaos::Chaos;
use crate::communication_module as communication;
use crate::configuration_core::ConfigurationCore;
use crate::lab_runner::{LabRunner, Watcher};
use crate::processor::Processor;
use crate::storage::Storage;
use crate::validator::Validator;

/// Registers what a module says of itself.
async fn register<M: Module>(t: &TestSystem, make: impl Fn() -> M + Send + Sync + 'static) {
    M::manifest().register(&t.spawn(make)).await.expect("nothing is wrong with it");
}

fn exported() -> Export {
    TestSystem::run(async |t| {
        let (chaos, archive) = (Chaos::NONE, Archive::new(env!("CARGO_TARGET_TMPDIR").into()));
        register(t, || ConfigurationCore).await;
        register(t, LabRunner::default).await;
        register(t, || Watcher).await;
        register(t, move || Validator { chaos }).await;
        register(t, move || Processor { chaos }).await;
        register(t, move || Storage { archive: archive.clone(), chaos }).await;
        let team = one_for_one().child(module::<communication::Board>()).child(module::<communication::Storage>());
        let team = team.child(module::<communication::Processor>());
        t.system().supervise(team).await.expect("they fit together");
        t.settle().await;
        let exported = t.system().modules().export();
        t.shutdown().await;
        exported
    })
}

#[test]
fn what_the_examples_offer_is_what_is_kept() {
    let (exported, kept) = (exported(), include_str!("modules.json"));
    let written = exported.to_json().unwrap();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples.json");
    fs::write(&place, &written).unwrap();
    let report = diff(&Export::from_json(kept).unwrap(), &exported);
    assert!(written == kept, "the export is another; it was written to {}\n{report}", place.display());
}

#[test]
fn a_change_of_an_example_is_judged() {
    let (before, now) = (Export::from_json(include_str!("modules.json")).unwrap(), exported());
    assert!(diff(&before, &now).is_kept());
    let mut fewer = now.clone();
    let lab = fewer.modules.iter_mut().find(|module| module.name == "LabRunner").unwrap();
    lab.operations.clear();
    let report = diff(&before, &fewer);
    assert!(!report.is_kept());
    assert!(report.modules[0].changes.iter().all(|change| change.verdict == Verdict::Breaking), "{report}");
    let report = diff(&fewer, &before);
    assert!(report.modules[0].changes.iter().all(|change| change.verdict == Verdict::Compatible), "{report}");
    assert!(report.to_string().contains("a minor step is needed, and it took none"), "{report}");
}
