//! The functions that docs/message-path.md names.

use crate::tokens::idents;
use crate::tree::{root, rust_files};

/// Every `file::function` between back-ticks in the tables of a page.
pub(crate) fn named_functions(page: &str) -> Vec<(&str, &str)> {
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let spans = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    spans.filter_map(as_file_and_function).collect()
}

/// Whether the file of callboard-actor, or one in the folder beside it, has that function.
pub(crate) fn exists(file: &str, function: &str) -> bool {
    let place = root().join("crates/callboard-actor/src").join(file);
    let mut files = rust_files(&place);
    files.push(place.with_extension("rs"));
    files.retain(|path| path.exists());
    files.iter().any(|path| {
        let idents = idents(path);
        idents.windows(2).any(|pair| pair[0] == "fn" && pair[1] == function)
    })
}

/// Anything that is not all in small letters names something else than a function of a file.
fn as_file_and_function(span: &str) -> Option<(&str, &str)> {
    let (file, function) = span.split_once("::")?;
    (is_small(file) && is_small(function)).then_some((file, function))
}

fn is_small(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}
