//! Which crate may depend on which, and which does.

use crate::tree::table;
use toml::{Table, Value};

/// A crate, its level, and those of ours that it may depend on.
pub(crate) struct Place {
    name: &'static str,
    level: u8,
    may_use: &'static [&'static str],
}

const BELOW_THE_FACADE: &[&str] = &["actor", "bus", "events", "macros", "security", "store", "workflow"];

const EVERYTHING: &[&str] =
    &["actor", "bus", "cluster", "events", "gateway", "macros", "security", "store", "workflow"];

/// The table of docs/architecture.md. The names are without the `callboard-` in front.
#[rustfmt::skip]
const PLACES: [Place; 11] = [
    Place { name: "macros", level: 0, may_use: &[] },
    Place { name: "store", level: 0, may_use: &[] },
    Place { name: "actor", level: 0, may_use: &["macros"] },
    Place { name: "security", level: 1, may_use: &["actor", "store"] },
    Place { name: "bus", level: 1, may_use: &["actor", "macros", "security", "store"] },
    Place { name: "events", level: 2, may_use: &["actor", "bus", "macros", "store"] },
    Place { name: "workflow", level: 2, may_use: &["actor", "bus", "events", "macros", "store"] },
    Place { name: "cluster", level: 3, may_use: BELOW_THE_FACADE },
    Place { name: "gateway", level: 3, may_use: BELOW_THE_FACADE },
    Place { name: "callboard", level: 3, may_use: EVERYTHING },
    Place { name: "cli", level: 4, may_use: &["callboard"] },
];

pub(crate) fn find_place(package: &str) -> Option<&'static Place> {
    let name = package.strip_prefix("callboard-").unwrap_or(package);
    PLACES.iter().find(|place| place.name == name)
}

/// The dependencies of a manifest on crates of ours that have no place in the table, each with
/// the name of the table in which it stands.
pub(crate) fn strange_arrows(from: &Place, manifest: &Table) -> Vec<(&'static str, String)> {
    let mut arrows = dependencies(manifest);
    arrows.retain(|(kind, to)| is_ours(to) && !is_allowed(from, kind, to));
    arrows
}

/// Every dependency of a manifest with the name of its table, also those for some targets only.
pub(crate) fn dependencies(manifest: &Table) -> Vec<(&'static str, String)> {
    let targets = table(manifest, "target");
    let scopes = targets.values().filter_map(Value::as_table);
    scopes.chain([manifest]).flat_map(in_scope).collect()
}

fn in_scope(scope: &Table) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, wanted) in table(scope, kind) {
            found.push((kind, package(name, &wanted)));
        }
    }
    found
}

/// The package behind a dependency that may be renamed.
fn package(name: String, wanted: &Value) -> String {
    let package = wanted.get("package").and_then(Value::as_str);
    package.map_or(name, str::to_owned)
}

fn is_ours(package: &str) -> bool {
    package == "callboard" || package.starts_with("callboard-")
}

/// Tests may also use what stands at or below the level of their crate, and the crate itself.
fn is_allowed(from: &Place, kind: &str, to: &str) -> bool {
    find_place(to)
        .is_some_and(|to| from.may_use.contains(&to.name) || (kind == "dev-dependencies" && to.level <= from.level))
}
