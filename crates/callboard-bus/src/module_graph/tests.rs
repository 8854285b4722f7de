use proptest::prelude::*;
use semver::Version;

use super::{GraphFault, ModuleGraph, ModuleNode};
use crate::address::Address;

fn node(name: &str, version: &str, provides: &[&str], requires: &[&str]) -> ModuleNode {
    let node = provides
        .iter()
        .fold(ModuleNode::new(name, version.parse().unwrap()), |node, operation| node.provides(*operation));
    requires.iter().fold(node, |node, required| node.requires(required.parse().unwrap()))
}

fn faults(modules: &[ModuleNode]) -> Vec<String> {
    let faults = ModuleGraph::new(modules.iter().cloned()).unwrap_err();
    faults.errors().iter().map(GraphFault::to_string).collect()
}

fn started(modules: &[ModuleNode]) -> Vec<String> {
    ModuleGraph::new(modules.iter().cloned()).unwrap().start_order().map(ModuleNode::label).collect()
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let modules = [
        node("web", "1.0.0", &["get"], &["storage.putt", "storage.put@^2", "nobody.there", "web.get"]),
        node("storage", "1.2.0", &["put"], &["cache.get"]),
        node("cache", "0.3.0", &["get"], &["storage.put@^1"]),
    ];
    assert_eq!(
        faults(&modules),
        [
            "web 1.0.0 requires storage.putt: the module has no such operation, did you mean `storage.put`?",
            "web 1.0.0 requires storage.put@^2: there is only 1.2.0",
            "web 1.0.0 requires nobody.there: there is no such module",
            "web 1.0.0 requires web.get: that is itself",
            "modules require each other, storage → cache → storage: make one of them do without",
        ]
    );
    let text = ModuleGraph::new(modules).unwrap_err().to_string();
    assert_eq!(text.lines().count(), 5);
}

#[test]
fn what_others_need_starts_first_and_stops_last() {
    let modules = [
        node("a", "1.0.0", &[], &["d.x"]),
        node("b", "1.0.0", &["x"], &[]),
        node("c", "1.0.0", &[], &["b.x"]),
        node("d", "1.0.0", &["x"], &["b.x"]),
    ];
    assert_eq!(started(&modules), ["b 1.0.0", "c 1.0.0", "d 1.0.0", "a 1.0.0"]);
    let graph = ModuleGraph::new(modules).unwrap();
    let stopped: Vec<_> = graph.stop_order().map(|module| module.name.as_str()).collect();
    assert_eq!(stopped, ["a", "d", "c", "b"]);
    assert_eq!((graph.as_petgraph().node_count(), graph.as_petgraph().edge_count()), (4, 3));
}

#[test]
fn all_versions_that_match_are_needed() {
    let versions = ["1.0.0", "1.1.0", "2.0.0"].map(|version| node("storage", version, &["put"], &[]));
    let modules = [&[node("web", "1.0.0", &[], &["storage.put@^1"])], &versions[..]].concat();
    assert_eq!(started(&modules), ["storage 1.0.0", "storage 1.1.0", "web 1.0.0", "storage 2.0.0"]);
}

#[test]
fn what_a_module_can_do_without_is_a_warning() {
    let web = node("web", "1.0.0", &[], &[]).may_use("cache.get@^1".parse().unwrap());
    let alone = ModuleGraph::new([web.clone()]).unwrap();
    let warnings: Vec<_> = alone.warnings().iter().map(GraphFault::to_string).collect();
    assert_eq!(warnings, ["web 1.0.0 would use cache.get@^1: there is no such module"]);
    let modules = [web, node("cache", "1.0.0", &["get"], &[])];
    assert_eq!(started(&modules), ["cache 1.0.0", "web 1.0.0"]);
    assert!(ModuleGraph::new(modules).unwrap().warnings().is_empty());
}

#[test]
fn what_nobody_uses_is_a_fault_only_where_its_author_says_so() {
    let storage = node("storage", "1.0.0", &["put", "get"], &[]);
    assert!(ModuleGraph::new([storage.clone()]).is_ok());
    let storage = storage.provides_for_modules("compact");
    assert_eq!(
        faults(std::slice::from_ref(&storage)),
        ["storage 1.0.0 provides `compact` for modules, and none requires it"]
    );
    assert!(ModuleGraph::new([storage, node("keeper", "1.0.0", &[], &["storage.compact"])]).is_ok());
}

#[test]
fn instances_of_a_module_count_once_and_others_must_not_pass_for_them() {
    let storage = node("storage", "1.0.0", &["put"], &[]);
    assert_eq!(started(&[storage.clone(), storage.clone()]), ["storage 1.0.0"]);
    let other = storage.clone().provides("get");
    assert_eq!(
        faults(&[storage, other]),
        ["there are two modules storage 1.0.0 that differ: give one of them another name or version"]
    );
}

#[test]
fn a_picture_shows_versions_and_what_is_needed() {
    let web = node("web", "1.0.0", &["get"], &["storage.put"]).may_use("cache.get".parse().unwrap());
    let modules = [web, node("storage", "1.2.0", &["put", "get"], &[]), node("cache", "0.3.0", &["get"], &[])];
    let picture = ModuleGraph::new(modules).unwrap().picture("Modules");
    let mermaid = picture.to_mermaid();
    for shown in ["web", "1.2.0 · 2 operations", "0.3.0 · 1 operation", "put", "get"] {
        assert!(mermaid.contains(shown), "{shown} is not in {mermaid}");
    }
    assert!(picture.to_dot().contains("storage") && picture.to_svg().contains("storage"));
}

#[test]
fn a_long_chain_overflows_no_stack() {
    let length = 5_000;
    let link = |at: usize, next: usize| {
        let address: Address = format!("m{next}.x").parse().unwrap();
        ModuleNode::new(format!("m{at}"), Version::new(1, 0, 0)).provides("x").requires(address)
    };
    let ring: Vec<_> = (0..length).map(|at| link(at, (at + 1) % length)).collect();
    assert_eq!(ModuleGraph::new(ring.clone()).unwrap_err().errors().len(), 1);
    let last = ModuleNode::new(format!("m{length}"), Version::new(1, 0, 0)).provides("x");
    let chain = (0..length).map(|at| link(at, at + 1)).chain([last]);
    assert_eq!(ModuleGraph::new(chain).unwrap().start_order().count(), length + 1);
}

/// Which of so many modules need which.
fn any_needs() -> impl Strategy<Value = Vec<Vec<usize>>> {
    (1usize..9).prop_flat_map(|count| prop::collection::vec(prop::collection::vec(0..count, 0..3), count))
}

/// Again and again the first that needs nothing but what has started; nothing when some never can.
fn model(needs: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < needs.len() {
        let can = |at: &usize| !order.contains(at) && needs[*at].iter().all(|need| order.contains(need));
        order.push((0..needs.len()).find(can)?);
    }
    Some(order)
}

fn modules(needs: &[Vec<usize>]) -> Vec<ModuleNode> {
    let module = |(at, needs): (usize, &Vec<usize>)| {
        let needs: Vec<_> = needs.iter().map(|need| format!("m{need}.x")).collect();
        let needs: Vec<_> = needs.iter().map(String::as_str).collect();
        node(&format!("m{at}"), "1.0.0", &["x"], &needs)
    };
    needs.iter().enumerate().map(module).collect()
}

proptest! {
    #[test]
    fn the_order_is_that_of_a_plain_model(needs in any_needs()) {
        let graph = ModuleGraph::new(modules(&needs));
        let order = graph.as_ref().ok().map(|graph| {
            graph.start_order().map(|module| module.name[1..].parse().unwrap()).collect::<Vec<usize>>()
        });
        prop_assert_eq!(order, model(&needs));
        for fault in graph.err().iter().flat_map(|faults| faults.errors()) {
            let GraphFault::Cycle { path } = fault else { continue };
            let places: Vec<usize> = path.iter().map(|name| name[1..].parse().unwrap()).collect();
            prop_assert!(places.len() > 2 && places.first() == places.last());
            prop_assert!(places.windows(2).all(|pair| needs[pair[0]].contains(&pair[1])), "{:?} of {:?}", path, needs);
        }
    }
}
