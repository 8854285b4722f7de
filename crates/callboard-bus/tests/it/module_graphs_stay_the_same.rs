//! The picture of which module needs which is compared with files, to the byte: a change of looks is meant, or it is a
//! mistake.

use std::path::Path;

use callboard_bus::module_graph::{ModuleGraph, ModuleNode};
use callboard_bus::picture::Picture;
use semver::Version;

fn shop() -> Picture {
    let module = |name: &str, minor: u64, operations: &[&str], needs: &[&str]| {
        let module = ModuleNode::new(name, Version::new(1, minor, 0));
        let module = operations.iter().fold(module, |module, operation| module.provides(*operation));
        needs.iter().fold(module, |module, needed| module.requires(needed.parse().unwrap()))
    };
    let modules = [
        module("web", 0, &["page"], &["orders.place@^1", "orders.list", "catalogue.find"]),
        module("orders", 4, &["place", "list"], &["storage.put@^1", "payments.charge"])
            .may_use("mail.send".parse().unwrap()),
        module("catalogue", 2, &["find"], &["storage.get"]).may_use("cache.get".parse().unwrap()),
        module("payments", 0, &["charge", "refund"], &["storage.put@~1.2"]),
        module("mail", 1, &["send"], &[]),
        module("storage", 2, &["put", "get", "list"], &[]),
    ];
    ModuleGraph::new(modules).unwrap().picture("The shop")
}

fn assert_same(name: &str, written: &str, expected: &str) {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&kept, written).unwrap();
    assert!(
        written == expected,
        "the picture differs from pictures_golden/{name}; it was written to {}",
        kept.display()
    );
}

#[test]
fn the_svg_is_the_same() {
    assert_same("modules.svg", &shop().to_svg(), include_str!("pictures_golden/modules.svg"));
}

#[test]
fn the_dot_is_the_same() {
    assert_same("modules.dot", &shop().to_dot(), include_str!("pictures_golden/modules.dot"));
}

#[test]
fn the_mermaid_is_the_same() {
    assert_same("modules.mmd", &shop().to_mermaid(), include_str!("pictures_golden/modules.mmd"));
}
