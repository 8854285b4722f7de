//! Rules about the tree itself; the message of each says what to do when it is broken.

mod arrows;
mod examples;
mod features;
mod message_path;
mod tokens;
mod tree;

use proc_macro2::{Group, Ident};
use std::path::Path;
use toml::Value;
use tree::{NOT_OURS, crates, entries, manifest, members, name_of, read, root, rust_files, shown};

/// Must be there, and beside them nothing else may be.
const TOP_LEVEL: [&str; 15] = [
    ".ci",
    ".clippy.toml",
    ".deny.toml",
    ".github",
    ".gitignore",
    ".rustfmt.toml",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "crates",
    "docs",
    "examples",
];

/// May be there.
const TOP_LEVEL_TOO: [&str; 1] = [".cargo"];

const ENGINE_FILES: [&str; 3] = ["host", "interop", "system"];
const UNSAFE_FILES: [&str; 6] = ["bound.rs", "envelope.rs", "share.rs", "turn.rs", "turn/boxed.rs", "turn/in_place.rs"];

const STD_PRELUDE: &str = "AsMut AsRef Box Clone Copy Debug Default DoubleEndedIterator Drop Eq \
    Err ExactSizeIterator Extend Fn FnMut FnOnce From FromIterator Future Hash Into IntoFuture \
    IntoIterator Iterator None Ok Option Ord PartialEq PartialOrd Result Send Sized Some String \
    Sync ToOwned ToString TryFrom TryInto Unpin Vec drop";

#[test]
fn arrows_between_crates_are_those_of_the_architecture() {
    let mut faults = Vec::new();
    for name in crates() {
        let Some(place) = arrows::find_place(&name) else {
            faults.push(format!("crates/{name}: give it a row in docs/architecture.md and in arrows.rs of this test"));
            continue;
        };
        for (kind, to) in arrows::strange_arrows(place, &manifest(&root().join("crates").join(&name))) {
            faults.push(format!("crates/{name}: {to} in [{kind}] is no arrow of docs/architecture.md; move what is needed further down, or pass it in"));
        }
    }
    assert_none(&faults);
}

#[test]
fn the_top_level_holds_what_the_architecture_names() {
    let found: Vec<String> = entries(&root()).iter().map(|path| name_of(path)).collect();
    let is_known = |name: &str| TOP_LEVEL.contains(&name) || TOP_LEVEL_TOO.contains(&name) || NOT_OURS.contains(&name);
    let strange = found.iter().filter(|name| !is_known(name));
    let missing = TOP_LEVEL.iter().filter(|name| !found.iter().any(|found| found == *name));
    let mut faults: Vec<String> = strange
        .map(|name| format!("{name}: move it into one of the folders that docs/architecture.md names"))
        .collect();
    faults.extend(missing.map(|name| format!("{name}: must be at the top level")));
    assert_none(&faults);
}

#[test]
fn every_example_opens_with_its_own_command() {
    let mut targets = examples::targets();
    targets.retain(|(name, path)| !examples::opens_with_command(&root().join("examples").join(path), name));
    let faults = targets.iter().map(|(name, path)| {
        format!("examples/{path}: open with the comment `//! cargo run --release --example {name}`")
    });
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn every_file_beside_the_manifest_of_the_examples_is_one() {
    let declared = examples::targets();
    let mut files: Vec<String> = entries(&root().join("examples")).iter().map(|path| name_of(path)).collect();
    files.retain(|file| file.ends_with(".rs") && !declared.iter().any(|(_, path)| path == file));
    let faults =
        files.iter().map(|file| format!("examples/{file}: declare it as an [[example]] in examples/Cargo.toml"));
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn the_message_path_page_names_functions_that_exist() {
    let page = read(&root().join("docs/message-path.md"));
    let mut named = message_path::named_functions(&page);
    assert!(
        named.len() >= 5,
        "docs/message-path.md: name the function of each hop as `file::function` in the table; found {named:?}"
    );
    named.retain(|(file, function)| !message_path::exists(file, function));
    let faults = named.iter().map(|(file, function)| {
        format!(
            "docs/message-path.md: `{file}::{function}` is not in crates/callboard-actor/src; name what took its place"
        )
    });
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn the_page_of_features_names_tests_that_run() {
    let page = read(&root().join("docs/features.md"));
    let rows = features::rows(&page);
    assert!(rows.len() >= 100, "docs/features.md: a row of the tables begins with its id; found {}", rows.len());
    assert_none(&rows.iter().flat_map(features::faults).collect::<Vec<_>>());
}

#[test]
fn a_module_with_children_is_a_file_beside_their_folder() {
    let mut files = rust_files(&root());
    files.retain(|path| name_of(path) == "mod.rs");
    let faults = files.iter().map(|path| format!("{}: name it after its folder and put it beside that", shown(path)));
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn only_the_engine_files_name_actix() {
    let mut files = rust_files(&root().join("crates"));
    files.retain(|path| !may_name_actix(path));
    let faults = files.iter().flat_map(|path| {
        let used = tokens::idents(path).into_iter().filter(is_actix);
        used.map(|ident| tokens::at(path, ident.span()))
    });
    let faults = faults.map(|place| {
        format!("{place}: only host.rs, system.rs and interop.rs of callboard-actor name actix; let one of them do it")
    });
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn only_the_actor_crate_depends_on_actix() {
    let mut names = crates();
    names.retain(|name| name != "callboard-actor" && depends_on_actix(&root().join("crates").join(name)));
    let faults = names.iter().map(|name| format!("crates/{name}: depend on callboard-actor instead of actix"));
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn only_the_named_files_allow_unsafe_code() {
    let mut files = rust_files(&root().join("crates"));
    files.retain(|path| !may_be_unsafe(path));
    let faults = files.iter().flat_map(|path| {
        let allowing = tokens::attributes(path).into_iter().filter(allows_unsafe);
        allowing.map(|attribute| tokens::at(path, attribute.span_open()))
    });
    let faults = faults.map(|place| {
        format!(
            "{place}: only envelope.rs, turn.rs with its folder, bound.rs and share.rs of callboard-actor allow unsafe code; use what they offer"
        )
    });
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn no_test_is_ignored() {
    let faults = rust_files(&root()).into_iter().flat_map(|path| ignored_tests(&path));
    let faults = faults.map(|place| format!("{place}: make the test run, or remove it"));
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn the_prelude_is_small_and_hides_nothing_of_rusts_own() {
    let mut names = tokens::used_names(&root().join("crates/callboard/src/prelude.rs"));
    assert!(
        (1..=15).contains(&names.len()),
        "crates/callboard/src/prelude.rs: it holds one to fifteen names, and these are {}: {names:?}",
        names.len()
    );
    names.retain(|name| STD_PRELUDE.split(' ').any(|hidden| hidden == name));
    let faults = names
        .iter()
        .map(|name| format!("crates/callboard/src/prelude.rs: `{name}` hides a name of Rust's own; leave it out"));
    assert_none(&faults.collect::<Vec<_>>());
}

/// A manifest cannot inherit lints and change one, so the programs that talk on standard output
/// hold a copy of all but `print_stdout`.
#[test]
fn every_member_has_the_lints_of_the_workspace() {
    let mut copied = manifest(&root())["workspace"]["lints"].clone();
    let clippy = copied["clippy"].as_table_mut().expect("there are lints of clippy");
    clippy.remove("print_stdout");
    let inherited: Value = toml::Table::from_iter([("workspace".to_owned(), Value::from(true))]).into();
    let mut members = members();
    members.retain(|member| {
        let manifest = manifest(member);
        let lints = manifest.get("lints");
        lints != Some(&inherited) && lints != Some(&copied)
    });
    let faults = members.iter().map(|member| format!("{}/Cargo.toml: take the lints of the workspace", shown(member)));
    assert_none(&faults.collect::<Vec<_>>());
}

/// The engine files and what lies in the folders beside them, and the tests that are about it.
fn may_name_actix(path: &Path) -> bool {
    let shown = shown(path);
    let Some(inside) = shown.strip_prefix("crates/callboard-actor/") else {
        return false;
    };
    let module = inside.strip_prefix("src/").and_then(|file| file.split(['/', '.']).next());
    let is_test = inside.starts_with("tests/") && name_of(path).starts_with("actix_");
    is_test || module.is_some_and(|module| ENGINE_FILES.contains(&module))
}

fn is_actix(ident: &Ident) -> bool {
    ident == "actix" || ident == "actix_rt"
}

fn depends_on_actix(folder: &Path) -> bool {
    let dependencies = arrows::dependencies(&manifest(folder));
    dependencies.iter().any(|(_, to)| to.starts_with("actix"))
}

fn may_be_unsafe(path: &Path) -> bool {
    let shown = shown(path);
    let file = shown.strip_prefix("crates/callboard-actor/src/");
    // The test of the turns themselves pins by hand what a user might pin by hand.
    shown == "crates/callboard-actor/tests/it/turns_in_place.rs"
        || file.is_some_and(|file| UNSAFE_FILES.contains(&file))
}

fn allows_unsafe(attribute: &Group) -> bool {
    let weakens = ["allow", "expect", "warn"].iter().any(|word| tokens::mentions(attribute, word));
    weakens && tokens::mentions(attribute, "unsafe_code")
}

/// Where tests of a file, those in its documentation among them, are told not to run.
fn ignored_tests(path: &Path) -> Vec<String> {
    let attributes = tokens::attributes(path).into_iter();
    let ignored = attributes.filter(|attribute| tokens::mentions(attribute, "ignore"));
    let mut places: Vec<String> = ignored.map(|attribute| tokens::at(path, attribute.span_open())).collect();
    for (number, line) in read(path).lines().enumerate() {
        if is_ignored_fence(line) {
            places.push(format!("{}:{}", shown(path), number + 1));
        }
    }
    places
}

fn is_ignored_fence(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '/', '!']);
    let info = line.strip_prefix("```").unwrap_or_default();
    info.split(',').any(|word| word.trim().starts_with("ignore"))
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}
