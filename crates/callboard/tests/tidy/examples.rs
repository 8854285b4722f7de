//! What the manifest of the examples declares, and how their files open.

use crate::tree::{manifest, read, root};
use std::path::Path;
use toml::Value;

/// The name and the path, as seen from `examples/`, of each declared example.
pub(crate) fn targets() -> Vec<(String, String)> {
    let manifest = manifest(&root().join("examples"));
    let targets = manifest.get("example").and_then(Value::as_array);
    let targets = targets.cloned().unwrap_or_default();
    let texts = targets.iter().map(|target| (text(target, "name"), text(target, "path")));
    texts.collect()
}

/// Whether one of the comment lines at the top of the file is the command that runs it.
pub(crate) fn opens_with_command(path: &Path, example: &str) -> bool {
    let source = read(path);
    let mut comment = source.lines().take_while(|line| line.starts_with("//"));
    comment.any(|line| names_command(line, example))
}

fn text(target: &Value, key: &str) -> String {
    let text = target.get(key).and_then(Value::as_str);
    text.expect("an [[example]] has a `name` and a `path`").to_owned()
}

/// The command may go on, but the name of the example may not.
fn names_command(line: &str, example: &str) -> bool {
    let command = format!("cargo run --release --example {example}");
    let Some((_, after)) = line.split_once(&command) else {
        return false;
    };
    !after.starts_with(|next: char| next.is_alphanumeric() || "_-".contains(next))
}
