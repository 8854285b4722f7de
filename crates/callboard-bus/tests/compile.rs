//! F-MOD-01, F-MOD-04, F-MOD-05, F-API-06, F-API-17: what is wrong with a `#[module]` is told where it stands.

use std::process::Command;

/// The compiler whose wording `tests/fail/*.stderr` holds; the same that `.ci/run` asks for.
const WORDING_OF: &str = "rustc 1.95.";

/// Other compilers word their own messages otherwise, so they are not held to these.
#[test]
fn what_is_wrong_with_a_module_is_told_at_its_place() {
    if compiler().starts_with(WORDING_OF) {
        trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
    }
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output();
    String::from_utf8(version.expect("rustc runs").stdout).expect("its version is text")
}
