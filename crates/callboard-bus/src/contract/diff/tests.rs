use proptest::prelude::*;
use semver::Version;
use serde_json::{Value as Json, json};

use super::{ChangeKind, DiffReport, Step, Verdict, diff, taken};
use crate::contract::{Export, ExportedModule};

fn module(version: &str, input: Json, output: Json) -> ExportedModule {
    ExportedModule::new("storage", version.parse().unwrap()).operation("put", input, output)
}

fn changed(old: &ExportedModule, new: &ExportedModule) -> DiffReport {
    diff(&Export::new([old.clone()]), &Export::new([new.clone()]))
}

/// What has changed, how far the version has to go, and whether it did.
fn told(old: &ExportedModule, new: &ExportedModule) -> (Vec<String>, Step, bool) {
    let report = changed(old, new);
    let [only] = &report.modules[..] else { panic!("one module has changed, and not {report:?}") };
    (only.changes.iter().map(ToString::to_string).collect(), only.needed, only.is_kept())
}

fn record(properties: &Json, required: &[&str]) -> Json {
    json!({ "type": "object", "properties": properties, "required": required })
}

#[test]
fn what_is_taken_may_grow_and_what_is_answered_may_shrink() {
    let one = record(&json!({ "key": { "type": "string" } }), &["key"]);
    let optional = record(&json!({ "key": { "type": "string" }, "note": { "type": "string" } }), &["key"]);
    let required = record(&json!({ "key": { "type": "string" }, "note": { "type": "string" } }), &["key", "note"]);
    let with = |version: &str, input: &Json, output: &Json| module(version, input.clone(), output.clone());
    assert_eq!(
        told(&with("1.0.0", &one, &one), &with("1.1.0", &optional, &required)),
        (
            vec![
                "compatible: `put` takes more than before".to_owned(),
                "compatible: `put` answers otherwise, and as readably as before".to_owned()
            ],
            Step::Minor,
            true
        )
    );
    assert_eq!(
        told(&with("1.0.0", &one, &required), &with("1.1.0", &required, &one)),
        (
            vec![
                "breaking: `put` takes less than before: /note: it is required and may be missing".to_owned(),
                "breaking: `put` answers otherwise than before: /note: it is required and may be missing".to_owned(),
            ],
            Step::Major,
            false
        )
    );
    assert!(told(&with("1.0.0", &one, &required), &with("2.0.0", &required, &one)).2);
}

#[test]
fn operations_and_modules_come_and_go() {
    let (none, some) =
        (ExportedModule::new("storage", Version::new(1, 0, 0)), module("1.1.0", json!(true), json!(true)));
    assert_eq!(told(&none, &some), (vec!["compatible: `put` is new".to_owned()], Step::Minor, true));
    let mut later = none.clone();
    later.version = Version::new(1, 2, 0);
    assert_eq!(told(&some, &later), (vec!["breaking: `put` is gone".to_owned()], Step::Major, false));
    let [empty, full] = [Export::new([]), Export::new([some])];
    assert!(diff(&empty, &full).is_kept() && !diff(&full, &empty).is_kept());
    assert_eq!(diff(&full, &empty).modules[0].changes[0].kind, ChangeKind::ModuleRemoved);
}

#[test]
fn what_is_not_of_the_payload_is_compatible() {
    let old = module("1.0.0", json!({ "type": "string" }), json!(true));
    let mut new = module("1.0.1", json!({ "type": "string", "title": "Key" }), json!({}));
    new.description = "keeps things".to_owned();
    let (changes, needed, is_kept) = told(&old, &new);
    assert_eq!(
        changes,
        ["compatible: `put` is described in other words", "compatible: it is described in other words"]
    );
    assert_eq!((needed, is_kept), (Step::Patch, true));
    new.requires.push("disk.write@^1".to_owned());
    let (changes, needed, is_kept) = told(&old, &new);
    assert_eq!(changes[1], "compatible: it requires now also disk.write@^1");
    assert_eq!((needed, is_kept), (Step::Minor, false));
}

#[test]
fn names_forge_no_lines() {
    let mut new = module("1.0.0", json!({ "properties": { "a\nb": { "type": "null" } } }), json!(true));
    new.requires.push("a\n  compatible: all is well".to_owned());
    let text = changed(&module("1.0.0", json!(true), json!(true)), &new).to_string();
    assert_eq!(text.lines().count(), 3, "{text}");
    let mut strange = ExportedModule::new("a\nb", Version::new(1, 0, 0));
    strange = strange.operation("c\nd", json!(true), json!(true));
    let text = diff(&Export::new([]), &Export::new([strange])).to_string();
    assert_eq!(text, "a\\nb 1.0.0\n  compatible: the module is new\n");
}

#[test]
fn what_cannot_be_told_counts_as_breaking() {
    let old = module("1.0.0", json!({ "type": "string" }), json!(true));
    let new = module("1.1.0", json!({ "not": { "pattern": "^a" } }), json!(true));
    let report = changed(&old, &new);
    assert_eq!(report.modules[0].changes[0].verdict, Verdict::Undecided);
    assert!(!report.is_kept());
}

#[test]
fn versions_beside_each_other_are_held_against_their_own() {
    let [first, second] =
        [module("1.0.0", json!(true), json!(true)), module("2.0.0", json!({ "type": "null" }), json!(true))];
    let both = Export::new([first.clone(), second.clone()]);
    assert_eq!(diff(&both, &both), DiffReport::default());
    let report = diff(&both, &Export::new([second]));
    let [only] = &report.modules[..] else { panic!("{report}") };
    assert_eq!((only.needed, only.taken, only.is_kept()), (Step::Major, Step::Major, true));
}

#[test]
fn a_step_is_told_as_a_caret_has_it() {
    let step = |old: &str, new: &str| taken(&old.parse().unwrap(), &new.parse().unwrap());
    assert_eq!([step("1.2.3", "2.0.0"), step("0.2.3", "0.3.0"), step("0.0.3", "0.0.4")], [Step::Major; 3]);
    assert_eq!([step("1.2.3", "1.3.0"), step("0.2.3", "0.2.4")], [Step::Minor; 2]);
    assert_eq!([step("1.2.3", "1.2.4"), step("1.2.3-rc.1", "1.2.3")], [Step::Patch; 2]);
    assert_eq!([step("1.2.3", "1.2.3"), step("1.2.3", "1.2.2")], [Step::None; 2]);
}

fn any_version() -> impl Strategy<Value = Version> {
    (0u64..3, 0u64..3, 0u64..3).prop_map(|(major, minor, patch)| Version::new(major, minor, patch))
}

proptest! {
    /// Whoever asks for `^old` gets what did not take a major step, and nothing else.
    #[test]
    fn a_major_step_leaves_the_caret(old in any_version(), new in any_version()) {
        let caret: semver::VersionReq = format!("^{old}").parse().unwrap();
        let is_major = taken(&old, &new) == Step::Major;
        prop_assert_eq!(caret.matches(&new), new >= old && !is_major);
    }
}
