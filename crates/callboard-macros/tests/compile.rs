//! The derives as the compiler sees them: what must compile and run, and what must not, with
//! the message and the place that the user is shown.

use std::process::Command;

/// The compiler whose wording `tests/fail/*.stderr` holds; the same that `.ci/run` asks for.
const WORDING_OF: &str = "rustc 1.95.";

#[test]
fn what_is_right_compiles_and_runs() {
    trybuild::TestCases::new().pass("tests/pass/*.rs");
}

/// Other compilers word their own messages otherwise, so they are not held to these; the
/// messages of the derives themselves are compared on every compiler by the unit tests.
#[test]
fn what_is_wrong_is_told_at_its_place() {
    if compiler().starts_with(WORDING_OF) {
        trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
    }
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output();
    String::from_utf8(version.expect("rustc runs").stdout).expect("its version is text")
}
