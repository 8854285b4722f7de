//! The files and manifests of the workspace.

use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Made by git and cargo, not by us.
pub(crate) const NOT_OURS: [&str; 2] = [".git", "target"];

/// The names of the folders in `crates/`.
pub(crate) fn crates() -> Vec<String> {
    let mut folders = entries(&root().join("crates"));
    folders.retain(|path| path.is_dir());
    folders.iter().map(|path| name_of(path)).collect()
}

/// The folders of all packages of the workspace.
pub(crate) fn members() -> Vec<PathBuf> {
    let crates = crates().into_iter().map(|name| root().join("crates").join(name));
    crates.chain([root().join("examples"), root().join("benches")]).collect()
}

pub(crate) fn manifest(folder: &Path) -> Table {
    let path = folder.join("Cargo.toml");
    let parsed = read(&path).parse();
    parsed.unwrap_or_else(|error| panic!("{}: {error}", shown(&path)))
}

/// The table `name` in `parent`; empty when there is none.
pub(crate) fn table(parent: &Table, name: &str) -> Table {
    let found = parent.get(name).and_then(Value::as_table);
    found.cloned().unwrap_or_default()
}

/// All files of ours that end in `.rs`, in or under `folder`; none when it is not there.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in entries(folder) {
        if path.is_dir() && !NOT_OURS.contains(&name_of(&path).as_str()) {
            found.extend(rust_files(&path));
        } else if name_of(&path).ends_with(".rs") {
            found.push(path);
        }
    }
    found
}

/// What lies directly in `folder`, by name; nothing when it is not there.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    paths
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", shown(path)))
}

/// The top of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let top = here.ancestors().nth(2);
    top.expect("the crate stands in crates/ of the workspace").to_owned()
}

pub(crate) fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A path as seen from the top of the workspace, with `/` on every system.
pub(crate) fn shown(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}
