//! What the registry knows of modules is enough to check what they need, to draw that, to write down what they offer, and to
//! see later what has changed.

use std::path::Path;
use std::sync::Arc;

use callboard_actor::testing::TestSystem;
use callboard_bus::contract::diff::{Verdict, diff};
use callboard_bus::contract::{Export, ExportedModule};
use callboard_bus::discovery::{Candidate, Capability, DiscoveryQuery, Permissions};
use callboard_bus::module_graph::{ModuleGraph, ModuleNode};
use callboard_bus::{Descriptor, Manifest, ModulesExt};

use crate::module_kit::{Add, Who, adder, found};

/// Two instances of an adder, and one who needs them.
async fn modules(t: &TestSystem) -> Vec<Arc<Descriptor>> {
    let system = t.system();
    for id in [1, 2] {
        found(system, "1.0.0", id).await;
    }
    let client = Manifest::new("client", "0.2.0").description("asks").tag("web").requires("adder.who@^1");
    client.operation::<Add>("sum").register(&system.spawn(adder(3))).await.unwrap();
    system.modules().list()
}

#[test]
fn what_they_need_is_checked_in_one_line() {
    TestSystem::run(async |t| {
        let modules = modules(t).await;
        let graph = ModuleGraph::new(modules.iter().map(|module| ModuleNode::from(&**module))).unwrap();
        assert_eq!(graph.start_order().map(|module| module.name.as_str()).collect::<Vec<_>>(), ["adder", "client"]);
        t.shutdown().await;
    });
}

#[test]
fn what_they_offer_is_the_same_file() {
    TestSystem::run(async |t| {
        let modules = modules(t).await;
        let written = Export::new(modules.iter().map(|module| ExportedModule::from(&**module))).to_json().unwrap();
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("modules.json");
        std::fs::write(&kept, &written).unwrap();
        let expected = include_str!("exports_golden/modules.json");
        assert!(written == expected, "the export differs from the golden one; it was written to {}", kept.display());
        assert_eq!(Export::from_json(expected).unwrap().modules.len(), 2);
        t.shutdown().await;
    });
}

#[test]
fn an_operation_that_is_gone_is_seen() {
    TestSystem::run(async |t| {
        let modules = modules(t).await;
        let old = Export::new(modules.iter().map(|module| ExportedModule::from(&**module)));
        let adder = t.system().spawn(adder(4));
        let fewer = Manifest::new("adder", "1.0.1").operation::<Who>("who").register(&adder).await;
        fewer.unwrap();
        let is_new = |module: &&Arc<Descriptor>| module.version.patch == 1 || module.name == "client";
        let modules = t.system().modules().list();
        let new = Export::new(modules.iter().filter(is_new).map(|module| ExportedModule::from(&**module)));
        let report = diff(&old, &new);
        assert!(!report.is_kept());
        assert_eq!(report.modules.len(), 1);
        assert!(report.modules[0].changes.iter().all(|change| change.verdict == Verdict::Breaking), "{report}");
        assert!(report.to_string().contains("breaking: `add` is gone"), "{report}");
        t.shutdown().await;
    });
}

/// F-DSC-03
#[test]
fn a_module_is_found_by_what_it_says_of_itself() {
    TestSystem::run(async |t| {
        let capability = Arc::new(Capability::builder("counting", "1.0.0").build().unwrap());
        let modules = modules(t).await;
        let candidate = |module: &Arc<Descriptor>| Arc::new(Candidate::of(module, Arc::clone(&capability)));
        let candidates: Vec<_> = modules.iter().map(candidate).collect();
        let found = |query: DiscoveryQuery| -> Vec<String> {
            let found = query.select(&Permissions::default(), &candidates).found;
            found.iter().map(|found| found.instance.clone()).collect()
        };
        assert_eq!(found(DiscoveryQuery::default().tag("web")), ["adder-3"]);
        let offering = DiscoveryQuery::default().requirement("adder.divide@^1".parse().unwrap());
        assert_eq!(found(offering), ["adder-1", "adder-2"]);
        t.shutdown().await;
    });
}
