//! Runs the example `wfformat` as a user does, on small instances of its own and, if the environment
//! variable `CALLBOARD_WFINSTANCES` names a folder of others, on those.
//!
//! `cargo test` builds the program beforehand.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use roxmltree::Document;

/// What a run left behind.
struct Run {
    code: i32,
    output: String,
    errors: String,
}

impl Run {
    fn of(arguments: &[&str]) -> Self {
        let output = Command::new(program()).args(arguments).output().unwrap();
        Self {
            code: output.status.code().unwrap(),
            output: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn assert_success(&self) {
        assert_eq!((self.code, self.errors.as_str()), (0, ""), "{}", self.output);
    }

    fn line(&self, name: &str) -> &str {
        let line = self.output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.output))
    }

    fn steps(&self) -> usize {
        let (before, _) = self.line("workflow").split_once(" steps on ").unwrap();
        before.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// It ended with exit code 2 and one line that has all these words in it, and printed nothing else.
    fn assert_refused(&self, words: &[&str]) {
        assert_eq!((self.code, self.output.as_str()), (2, ""), "{}", self.errors);
        assert_eq!(self.errors.lines().count(), 1, "{}", self.errors);
        assert!(self.errors.starts_with("error: "), "{}", self.errors);
        for word in words {
            assert!(self.errors.contains(word), "{word:?} is not in {:?}", self.errors);
        }
    }
}

/// Cargo puts the examples of a profile next to the folder that its tests run from.
fn program() -> PathBuf {
    let tests = env::current_exe().unwrap();
    let profile = tests.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join(format!("wfformat{}", env::consts::EXE_SUFFIX));
    assert!(program.exists(), "build it first: cargo build -p examples --example wfformat");
    program
}

fn own(file: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/wfformat").join(file).to_str().unwrap().to_owned()
}

/// An empty folder for one test.
fn desk(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wfformat").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The ids of the boxes of a graph, and the labels of a chart's rows.
fn drawn(folder: &Path) -> (Vec<String>, Vec<String>) {
    let texts = ["graph.svg", "chart.svg"].map(|file| fs::read_to_string(folder.join(file)).unwrap());
    let [graph, chart] = texts.each_ref().map(|text| Document::parse(text).unwrap());
    let boxes = graph.descendants().filter_map(|tag| tag.attribute("data-id").map(str::to_owned));
    let rows = chart.descendants().filter(|tag| tag.attribute("class").is_some_and(|class| class.starts_with("row")));
    let labels = rows.filter_map(|row| row.children().find(|tag| tag.has_tag_name("text"))?.text());
    (boxes.collect(), labels.map(str::to_owned).collect())
}

#[test]
fn what_a_run_took_is_held_against_its_critical_path() {
    let run = Run::of(&[&own("breakfast.json"), "--scale", "0.01"]);
    run.assert_success();
    assert_eq!(run.line("workflow"), "breakfast, 7 steps on 4 levels, 3 on the widest");
    assert_eq!(run.line("scale"), "0.01");
    assert_eq!(run.line("one after the other"), "115 ms");
    assert_eq!(run.line("critical path"), "80 ms, boil → brew → pour → serve");
    let (makespan, beyond) = run.line("makespan").split_once(", ").unwrap();
    assert!(makespan.ends_with(" ms") || makespan.ends_with(" s"), "{makespan}");
    let beyond: f64 = beyond.strip_suffix(" % longer than the critical path").unwrap().parse().unwrap();
    assert!(beyond >= 0.0, "no run is quicker than its critical path");
    assert!(run.line("steps per second").parse::<f64>().unwrap() > 0.0);
    assert!(!run.output.contains("pictures"));
}

#[test]
fn a_run_that_waits_for_nothing_has_no_critical_path_to_beat() {
    let run = Run::of(&[&own("survey.json"), "--scale=0"]);
    run.assert_success();
    assert_eq!(run.line("workflow"), "survey, 35 steps on 4 levels, 30 on the widest");
    assert_eq!(run.line("critical path"), "0, as nothing waits");
    assert!(!run.line("makespan").contains('%'));
}

#[test]
fn graph_and_chart_show_every_step() {
    let folder = desk("pictures");
    let out = folder.join("new/folder");
    let run = Run::of(&[&own("breakfast.json"), "--scale", "0.002", "--svg", out.to_str().unwrap()]);
    run.assert_success();
    let (graph, chart) = (out.join("graph.svg"), out.join("chart.svg"));
    assert_eq!(run.line("pictures"), format!("{}, {}", graph.display(), chart.display()));
    let (mut boxes, mut rows) = drawn(&out);
    boxes.sort();
    rows.sort();
    assert_eq!(boxes, ["boil", "brew", "butter", "cups", "pour", "serve", "toast"]);
    assert_eq!(rows, boxes);
    let chart = fs::read_to_string(chart).unwrap();
    assert!(chart.contains("Critical path, "), "the path that was walked is told");
}

#[test]
fn a_wide_level_is_folded() {
    let out = desk("folded");
    Run::of(&[&own("survey.json"), "--scale", "0.001", "--svg", out.to_str().unwrap()]).assert_success();
    let (boxes, rows) = drawn(&out);
    assert_eq!(rows.len(), 35);
    assert!(boxes.len() < 10, "{boxes:?}");
}

#[test]
fn wrong_usage_is_told_in_one_line() {
    let file = own("breakfast.json");
    Run::of(&[]).assert_refused(&["name a file of WfFormat 1.5", "--help"]);
    Run::of(&[&file, "--fast"]).assert_refused(&["there is no option \"--fast\"", "--help"]);
    Run::of(&[&file, &file]).assert_refused(&["there are two files"]);
    Run::of(&[&file, "--svg"]).assert_refused(&["--svg needs a value"]);
    Run::of(&[&file, "--scale"]).assert_refused(&["--scale needs a value"]);
    for scale in ["-1", "NaN", "inf", "much", ""] {
        Run::of(&[&file, "--scale", scale]).assert_refused(&["--scale takes a number from 0 on", scale]);
    }
    let help = Run::of(&["--help"]);
    help.assert_success();
    assert!(help.output.contains("--scale S") && help.output.contains("--svg DIR"));
}

#[test]
fn a_file_that_cannot_be_run_is_told_in_one_line() {
    let folder = desk("bad");
    let bad = |name: &str, text: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let text = fs::read_to_string(own("breakfast.json")).unwrap();
    Run::of(&["nowhere.json"]).assert_refused(&["cannot read nowhere.json: No such file"]);
    Run::of(&[folder.to_str().unwrap()]).assert_refused(&["cannot read ", "irectory"]);
    Run::of(&[&bad("empty.json", b"")]).assert_refused(&["empty.json", "not an instance of WfFormat", "line 1"]);
    Run::of(&[&bad("bytes.json", b"\xff\xfe{")]).assert_refused(&["bytes.json", "not an instance of WfFormat"]);
    let older = bad("older.json", text.replace("\"1.5\"", "\"1.4\"").as_bytes());
    Run::of(&[&older]).assert_refused(&["older.json", "WfFormat 1.4", "only 1.5"]);
    let half = bad("half.json", text.replace("[\"brew\"]", "[]").as_bytes());
    Run::of(&[&half]).assert_refused(&["half.json", "`brew`"]);
    let long = bad("long.json", text.replace("4.0", "1e300").as_bytes());
    Run::of(&[&long]).assert_refused(&["long.json", "`brew`", "longer than any clock"]);
    let ring =
        text.replace("\"parents\": [], \"children\": [\"brew\"]", "\"parents\": [\"serve\"], \"children\": [\"brew\"]");
    let ring = bad("ring.json", ring.replace("\"children\": []", "\"children\": [\"boil\"]").as_bytes());
    Run::of(&[&ring]).assert_refused(&["ring.json", "boil → serve → pour → brew → boil"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_told_before_anything_runs() {
    let file = desk("file").join("file");
    fs::write(&file, "in the way").unwrap();
    let below = file.join("below");
    // It would take a day.
    let run = Run::of(&[&own("breakfast.json"), "--scale", "10000", "--svg", below.to_str().unwrap()]);
    run.assert_refused(&["cannot write to ", "below"]);
}

/// F-WF-03: real graphs, to the end.
#[test]
fn instances_of_the_folder_are_run_and_drawn() {
    let Some(folder) = env::var_os("CALLBOARD_WFINSTANCES") else { return };
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    assert!(!files.is_empty());
    for file in files {
        for scale in ["0", "0.0001"] {
            let out = desk("instances");
            let run = Run::of(&[file.to_str().unwrap(), "--scale", scale, "--svg", out.to_str().unwrap()]);
            run.assert_success();
            let steps = run.steps();
            let (boxes, rows) = drawn(&out);
            assert!((1..=steps.min(100)).contains(&boxes.len()), "{} boxes", boxes.len());
            // The last row of a long chart tells of all that are left out.
            assert_eq!(rows.len(), if steps > 60 { 59 } else { steps });
        }
    }
}
