//! Runs the example `market_pipeline` as a user does and looks at what comes out.
//!
//! `cargo test` builds the program beforehand. The figures are compared with
//! ones computed here from the files, by code that shares nothing with the
//! example's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const SERIES_TABLE: &str = "\
| series     | frequency | prices | drawdown | from peak  | to trough  | last volatility | highest |
|------------|-----------|--------|----------|------------|------------|-----------------|---------|
| sp500-2000 | daily     |   5105 |  -56.8 % | 2007-10-09 | 2009-03-09 |          3.71 % |  6.10 % |
| MSFT       | monthly   |    123 |  -63.4 % | 2000-03-01 | 2009-02-01 |          8.17 % | 18.51 % |
| AMZN       | monthly   |    123 |  -91.3 % | 2000-02-01 | 2001-09-01 |         13.05 % | 29.23 % |
| IBM        | monthly   |    123 |  -55.3 % | 2000-08-01 | 2002-09-01 |          7.40 % | 13.63 % |
| GOOG       | monthly   |     68 |  -58.6 % | 2007-10-01 | 2008-11-01 |          8.98 % | 14.39 % |
| AAPL       | monthly   |    123 |  -79.2 % | 2000-03-01 | 2003-03-01 |         11.76 % | 24.14 % |
| sp500      | monthly   |    123 |  -52.6 % | 2007-10-01 | 2009-02-01 |          6.93 % |  7.15 % |
";

const CORRELATION_TABLE: &str = "\
| series | index | months | correlation |
|--------|-------|--------|-------------|
| MSFT   | sp500 |    122 |       0.580 |
| AMZN   | sp500 |    122 |       0.502 |
| IBM    | sp500 |    122 |       0.662 |
| GOOG   | sp500 |     67 |       0.427 |
| AAPL   | sp500 |    122 |       0.536 |
";

const STEPS: [&str; 7] = ["validate", "assemble", "process", "analyse", "correlate", "store", "report"];

const NO_CORRELATION: &str = "no correlation table: the input comes without a monthly index series";

/// A folder for one test's files, empty at first, and the program run in it.
struct Desk {
    folder: PathBuf,
}

/// What a run left behind.
struct Run {
    code: i32,
    output: String,
    errors: String,
}

impl Desk {
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("market_pipeline").join(test);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    /// Writes a file that the run can name, as its working directory is this desk.
    fn file(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    /// Runs the program with these arguments, and with the desk's `out` for its result.
    fn run(&self, arguments: &str) -> Run {
        let output = Command::new(program())
            .args(["--out", "out"])
            .args(arguments.split_whitespace())
            .current_dir(&self.folder)
            .output()
            .unwrap();
        Run {
            code: output.status.code().unwrap(),
            output: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn result_text(&self) -> String {
        fs::read_to_string(self.folder.join("out/result.json")).unwrap()
    }

    /// The names of the files in the desk's `out`.
    fn left(&self) -> Vec<OsString> {
        let entries = fs::read_dir(self.folder.join("out")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    fn picture(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join("out").join(name)).unwrap()
    }

    fn result(&self) -> Value {
        serde_json::from_str(&self.result_text()).unwrap()
    }
}

impl Run {
    fn assert_success(&self) {
        assert_eq!((self.code, self.errors.as_str()), (0, ""), "{}", self.output);
    }

    /// It ended with this exit code and one line, which has all these words in it.
    fn assert_one_line(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}", self.errors);
        assert_eq!(self.errors.lines().count(), 1, "{}", self.errors);
        for word in words {
            assert!(self.errors.contains(word), "{word:?} is not in {:?}", self.errors);
        }
    }

    fn assert_line(&self, line: &str) {
        assert!(self.output.lines().any(|other| other == line), "{line:?} is not in {}", self.output);
    }

    /// The report, without what the run cost.
    fn report(&self) -> &str {
        let end = self.output.find("result file: ").unwrap();
        &self.output[..end]
    }

    fn figure(&self, name: &str) -> u64 {
        let value = self.output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.unwrap_or_else(|| panic!("no {name} in {}", self.output)).parse().unwrap()
    }

    /// The cells of the row of a series.
    fn row(&self, symbol: &str) -> Vec<&str> {
        let rows = self.output.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        rows.into_iter().find(|cells| cells.get(1) == Some(&symbol)).unwrap()
    }
}

/// Cargo puts the examples of a profile next to the folder that its tests run from.
fn program() -> PathBuf {
    let tests = env::current_exe().unwrap();
    let profile = tests.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join(format!("market_pipeline{}", env::consts::EXE_SUFFIX));
    assert!(program.exists(), "build it first: cargo build -p examples --example market_pipeline");
    program
}

fn bundled(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file)).unwrap()
}

#[test]
fn the_bundled_data_give_these_tables() {
    let run = Desk::new("bundled").run("");
    run.assert_success();
    assert!(run.output.contains(SERIES_TABLE), "{}", run.output);
    assert!(run.output.contains(CORRELATION_TABLE), "{}", run.output);
    run.assert_line("in quarantine: 0");
    run.assert_line("result file: out/result.json");
    assert!(run.figure("messages") >= 300);
    assert_eq!((run.figure("restarts"), run.figure("breaker trips")), (0, 0));
}

#[test]
fn in_a_pipe_each_step_is_a_plain_line() {
    let run = Desk::new("pipe").run("");
    let mut places = Vec::new();
    for step in STEPS.map(|step| format!("{step}: ")).into_iter().chain(["turns: p50 ".to_owned()]) {
        let lines = run.output.lines().enumerate().filter(|(_, line)| line.starts_with(&step));
        let lines: Vec<usize> = lines.map(|(place, _)| place).collect();
        assert_eq!(lines.len(), 1, "{step}");
        places.extend(lines);
    }
    assert!(places.is_sorted(), "{}", run.output);
    assert!(!run.output.contains('\u{1b}') && !run.output.contains('\r'));
}

#[test]
fn chaos_changes_nothing_but_the_count_of_restarts() {
    let desk = Desk::new("chaos");
    let calm = desk.run("");
    let calm_result = desk.result_text();
    for chaos in ["--chaos", "--chaos --seed 2", "--chaos 0.4 --seed 3"] {
        let run = desk.run(chaos);
        run.assert_success();
        assert_eq!(run.report(), calm.report());
        assert_eq!(desk.result_text(), calm_result);
        assert!(run.figure("panics") >= 50, "{}", run.output);
        assert!(run.figure("restarts") >= 50, "{}", run.output);
        assert!(run.figure("breaker trips") >= 1, "{}", run.output);
    }
}

/// Twenty seeds at the default probability: whatever panics when, the table and the file stay the same.
#[test]
fn twenty_seeds_of_chaos_agree() {
    let desk = Desk::new("seeds");
    let calm = desk.run("");
    let calm_result = desk.result_text();
    for seed in 1..=20 {
        let run = desk.run(&format!("--chaos --seed {seed}"));
        run.assert_success();
        assert_eq!(run.report(), calm.report(), "seed {seed}");
        assert_eq!(desk.result_text(), calm_result, "seed {seed}");
        assert!(run.figure("panics") >= 50 && run.figure("breaker trips") >= 1, "seed {seed}: {}", run.output);
    }
}

#[test]
fn a_seed_repeats_the_very_panics() {
    let desk = Desk::new("seed");
    let panics = |arguments| desk.run(arguments).figure("panics");
    assert_eq!(panics("--chaos 0.3 --seed 11"), panics("--chaos 0.3 --seed 11"));
    assert_eq!(panics("--chaos 0 --seed 11"), 0);
}

#[test]
fn storing_twice_gives_the_same_bytes_and_leaves_nothing_else() {
    let desk = Desk::new("twice");
    desk.run("").assert_success();
    let first = desk.result_text();
    desk.run("").assert_success();
    assert_eq!(desk.result_text(), first);
    assert_eq!(desk.left(), ["dag.svg", "gantt.svg", "result.json"]);
}

#[test]
fn a_changed_price_changes_the_drawdown() {
    let desk = Desk::new("changed");
    let changed: Vec<String> = bundled("sp500-2000.csv").lines().map(with_lower_trough).collect();
    desk.file("changed.csv", &changed.join("\n"));
    let run = desk.run("--input changed.csv");
    run.assert_success();
    assert_eq!(run.row("changed")[4..7], ["-61.7 %", "2007-10-09", "2009-03-09"]);
    run.assert_line(NO_CORRELATION);
}

/// The close of 2009-03-09 becomes 600.
fn with_lower_trough(line: &str) -> String {
    let mut fields: Vec<&str> = line.split(',').collect();
    if fields[0] == "2009-03-09" {
        fields[4] = "600";
    }
    fields.join(",")
}

#[test]
fn the_unchanged_daily_file_as_input_gives_the_row_of_the_bundled_data() {
    let desk = Desk::new("unchanged");
    desk.file("sp500-2000.csv", &bundled("sp500-2000.csv"));
    let run = desk.run("--input sp500-2000.csv");
    run.assert_success();
    assert_eq!(run.row("sp500-2000")[4..7], ["-56.8 %", "2007-10-09", "2009-03-09"]);
    assert_eq!(desk.result()["correlations"], Value::Array(Vec::new()));
}

const MALFORMED: &str = "\
Symbol,Date,Open,High,Low,Close,Note
ABC,2020-01-02,10,11,9,10,
ABC,2020-01-32,10,11,9,10,no such day
ABC,2020-01-03,10,9,11,10,high below low
ABC,2020-01-06,10,11,9,n/a,no number
ABC,2020-01-07,10,11,9,12
ABC,Jan 8 2020,10,13,9,12,the other format
ABC,2020-01-08,10,13,9,12,twice
ABC,2020-01-07,10,13,9,12,falling
ABC,2020-01-09,10,13,9,-3,below zero
ABC,\"2020-01-10,10,13,9,6,a stray mark
,2020-01-10,10,13,9,6,no symbol
ABC,2020-01-10,,,,9,sound
";

#[test]
fn malformed_rows_go_to_quarantine_and_the_rest_goes_on() {
    let desk = Desk::new("malformed");
    desk.file("malformed.csv", MALFORMED);
    let run = desk.run("--input malformed.csv");
    run.assert_success();
    assert_eq!(run.row("ABC")[2..7], ["daily", "3", "-25.0 %", "2020-01-08", "2020-01-10"]);
    run.assert_line("in quarantine: 9");
    for (line, column, reason) in [
        (3, "date", "\"2020-01-32\" is no date; write 2000-01-31 or Jan 31 2000"),
        (4, "high", "high 9 is below low 11"),
        (5, "close", "\"n/a\" is no number"),
        (6, "note", "the row has 6 fields, the header 7"),
        (8, "date", "2020-01-08 is also the date of line 7"),
        (9, "date", "the dates must rise: 2020-01-07 comes after 2020-01-08 of line 7"),
        (10, "close", "\"-3\" is no price above zero"),
        (11, "open", "the row has 2 fields, the header 7"),
        (12, "symbol", "the symbol is missing"),
    ] {
        run.assert_line(&format!("  malformed.csv, line {line}, column {column}: {reason}"));
        let fault = serde_json::json!({ "file": "malformed.csv", "line": line, "column": column, "reason": reason });
        assert!(desk.result()["quarantine"].as_array().unwrap().contains(&fault), "{fault}");
    }
}

#[test]
fn chaos_keeps_every_malformed_row_in_quarantine_once() {
    let desk = Desk::new("malformed_chaos");
    desk.file("malformed.csv", MALFORMED);
    let calm = desk.run("--input malformed.csv");
    let run = desk.run("--input malformed.csv --chaos 0.6");
    run.assert_success();
    assert_eq!(run.report(), calm.report());
}

#[test]
fn bytes_that_are_no_text_spoil_only_their_row() {
    let desk = Desk::new("bytes");
    fs::write(desk.folder.join("bytes.csv"), b"date,price\n2020-01-01,4\n2020-01-02,\xff\xfe\n2020-01-03,3\n").unwrap();
    let run = desk.run("--input bytes.csv");
    run.assert_success();
    assert_eq!(run.row("bytes")[3..5], ["2", "-25.0 %"]);
    run.assert_line("in quarantine: 1");
}

#[test]
fn gaps_are_warnings() {
    let desk = Desk::new("gaps");
    let daily = "A,2020-01-01,1\nA,2020-01-02,1\nA,2020-01-12,1\nA,2020-01-13,1\nA,2020-01-24,1\n";
    let monthly = "B,Jan 1 2020,1\nB,Feb 1 2020,1\nB,Mar 1 2020,1\nB,May 1 2020,1\n";
    desk.file("gaps.csv", &format!("symbol,date,price\n{daily}{monthly}"));
    let run = desk.run("--input gaps.csv");
    run.assert_success();
    run.assert_line("gaps (a warning): 2");
    run.assert_line("  gaps.csv, A: no price for 11 days from 2020-01-13 to 2020-01-24");
    run.assert_line("  gaps.csv, B: no price for 61 days from 2020-03-01 to 2020-05-01");
    run.assert_line("in quarantine: 0");
}

#[test]
fn a_short_series_has_a_dash_for_its_volatility() {
    let desk = Desk::new("short");
    let prices = |count: usize| -> String { (1..=count).map(|day| format!("2020-01-{day:02},{day}\n")).collect() };
    for (count, dash) in [(21, true), (22, false)] {
        desk.file("short.csv", &format!("date,adjclose\n{}", prices(count)));
        let run = desk.run("--input short.csv");
        run.assert_success();
        assert_eq!(run.row("short")[7] == "–", dash);
        assert_eq!(run.row("short")[4..7], ["0.0 %", "–", "–"]);
    }
}

#[test]
fn an_input_that_cannot_be_used_ends_with_one_line_and_2() {
    let desk = Desk::new("unusable");
    desk.run("--input nowhere.csv").assert_one_line(2, &["nowhere.csv", "cannot read"]);
    desk.file("no_price.csv", "date,volume\n2020-01-01,5\n");
    desk.run("--input no_price.csv").assert_one_line(2, &["no_price.csv", "close, adjclose or price"]);
    desk.file("no_date.csv", "day,price\n2020-01-01,5\n");
    desk.run("--input no_date.csv").assert_one_line(2, &["no_date.csv", "no column date"]);
    desk.file("empty.csv", "");
    desk.run("--input empty.csv").assert_one_line(2, &["empty.csv", "no column date"]);
    assert!(!desk.folder.join("out").exists());
}

#[test]
fn a_header_without_rows_is_an_empty_report() {
    let desk = Desk::new("no_rows");
    desk.file("no_rows.csv", "date,price\n");
    let run = desk.run("--input no_rows.csv --chaos");
    run.assert_success();
    assert_eq!(desk.result()["series"], Value::Array(Vec::new()));
}

#[test]
fn bad_usage_ends_with_one_line_and_2() {
    let desk = Desk::new("usage");
    for arguments in ["--speed", "--chaos 2", "--chaos --seed x", "--seed 4", "--input", "--without printer"] {
        desk.run(arguments).assert_one_line(2, &["--"]);
    }
}

#[test]
fn help_names_every_option() {
    let run = Desk::new("help").run("--help");
    run.assert_success();
    for option in ["--input", "--workflow", "--out", "--chaos", "--seed", "--without"] {
        assert!(run.output.contains(option));
    }
}

#[test]
fn a_missing_module_is_named_in_one_line_and_1() {
    let desk = Desk::new("without");
    for module in ["validator", "processor", "storage"] {
        let run = desk.run(&format!("--without {module}"));
        run.assert_one_line(1, &["unknown_module", &format!("there is no module `{module}_module`")]);
        assert_eq!(run.output, "", "nothing was begun");
    }
}

/// F-WF-13
#[test]
fn the_run_is_drawn_as_a_graph_and_over_time() {
    let desk = Desk::new("pictures");
    let run = desk.run("--chaos");
    run.assert_success();
    run.assert_line("pictures: out/dag.svg, out/gantt.svg");
    for picture in ["dag.svg", "gantt.svg"] {
        let text = desk.picture(picture);
        let drawn = roxmltree::Document::parse(&text).unwrap();
        assert_eq!(drawn.root_element().tag_name().name(), "svg");
        assert!(text.contains("Data Processing Pipeline"), "{picture}");
    }
    for name in ["Validate Data", "Assemble Series", "Process Data", "Analyse Series", "Correlate", "Store Results"] {
        assert!(desk.picture("dag.svg").contains(name), "{name}");
    }
}

/// Steps of the user's own, in an order of their own: no rolling figures, nothing stored.
const OWN: &str = "
workflow_id: my_own
version: 0.1.0
trigger_events: [data.batch.received]
steps:
  - step_id: look
    handler: validator_module.validate_data
    map: {over: batch_data}
    input_mapping: {data: item}
  - step_id: join
    handler: validator_module.assemble
    depends_on: [look]
    input_mapping: {pieces: steps.look.output}
  - step_id: measure
    handler: processor_module.analyse
    depends_on: [join]
    map: {over: series}
    input_mapping: {series: item}
";

/// F-WF-01
#[test]
fn a_workflow_of_the_users_own_runs_over_the_same_modules() {
    let desk = Desk::new("own");
    desk.file("own.yaml", OWN);
    let run = desk.run("--workflow own.yaml");
    run.assert_success();
    for line in ["join: done", "measure: 7 items", "pictures: out/dag.svg, out/gantt.svg"] {
        run.assert_line(line);
    }
    assert!(!run.output.contains("drawdown"), "it has no report");
    assert_eq!(desk.left(), ["dag.svg", "gantt.svg"]);
    assert!(desk.picture("dag.svg").contains("measure"));
}

#[test]
fn a_workflow_that_cannot_be_used_ends_with_one_line() {
    let desk = Desk::new("own_unusable");
    desk.run("--workflow nowhere.yaml").assert_one_line(2, &["nowhere.yaml", "cannot read"]);
    let with = |from: &str, to: &str| desk.file("own.yaml", &OWN.replace(from, to));
    with("depends_on: [join]", "depends_on: [jion]");
    desk.run("--workflow own.yaml").assert_one_line(2, &["own.yaml", "line 16", "jion"]);
    with("data.batch.received", "data.batch.sent");
    desk.run("--workflow own.yaml").assert_one_line(2, &["own.yaml", "trigger_events", "data.batch.received"]);
    with("processor_module.analyse", "processor_module.analyze");
    let words = ["unknown_operation", "step `measure`", "did you mean `processor_module.analyse`?"];
    desk.run("--workflow own.yaml").assert_one_line(1, &words);
    with("{series: item}", "{serie: item}");
    desk.run("--workflow own.yaml").assert_one_line(1, &["workflow_invalid", "serie"]);
    assert!(desk.left().is_empty());
}

#[test]
fn a_run_that_fails_names_the_step_and_is_drawn_all_the_same() {
    let desk = Desk::new("own_fails");
    desk.file("own.yaml", &OWN.replace("over: series", "over: quarantine"));
    desk.file("malformed.csv", MALFORMED);
    let run = desk.run("--workflow own.yaml --input malformed.csv");
    run.assert_one_line(1, &["validation_failed", "measure"]);
    run.assert_line("join: done");
    assert!(desk.picture("dag.svg").contains("failed"));
}

#[test]
fn a_folder_that_cannot_be_written_is_named_in_one_line_and_1() {
    let desk = Desk::new("unwritable");
    desk.file("out", "a file where the folder should be");
    desk.run("").assert_one_line(1, &["cannot create the folder", "out"]);
}

/// Prices of one series as the files have them, in their order.
type Prices = Vec<(String, f64)>;

#[test]
fn all_figures_are_those_that_plain_code_finds() {
    let desk = Desk::new("figures");
    desk.run("").assert_success();
    let result = desk.result();
    let expected = bundled_prices();
    let series = result["series"].as_array().unwrap();
    assert_eq!(series.len(), expected.len());
    for (series, (symbol, prices)) in series.iter().zip(&expected) {
        assert_eq!(series["symbol"], symbol.as_str());
        assert_eq!(series["prices"], prices.len());
        assert_drawdown(&series["drawdown"], prices);
        assert_volatility(series["volatility"].as_array().unwrap(), prices);
    }
    assert_correlations(result["correlations"].as_array().unwrap(), &expected);
}

fn bundled_prices() -> Vec<(String, Prices)> {
    let mut all = vec![("sp500-2000".to_owned(), prices("sp500-2000.csv", |_| true, 0, 4))];
    for symbol in ["MSFT", "AMZN", "IBM", "GOOG", "AAPL"] {
        all.push((symbol.to_owned(), prices("stocks.csv", |fields| fields[0] == symbol, 1, 2)));
    }
    all.push(("sp500".to_owned(), prices("sp500.csv", |_| true, 0, 1)));
    all
}

fn prices(file: &str, wanted: impl Fn(&[&str]) -> bool, date: usize, price: usize) -> Prices {
    let text = bundled(file);
    let rows = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    rows.filter(|fields| wanted(fields)).map(|fields| (iso(fields[date]), fields[price].parse().unwrap())).collect()
}

/// `Aug 1 2004` is `2004-08-01`.
fn iso(date: &str) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    match date.split(' ').collect::<Vec<_>>()[..] {
        [month, day, year] => format!("{year}-{:02}-{day:0>2}", MONTHS.find(month).unwrap() / 3 + 1),
        _ => date.to_owned(),
    }
}

fn assert_near(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1e-3), "{found} instead of {expected}");
}

/// Looks at every pair of days.
fn assert_drawdown(found: &Value, prices: &Prices) {
    let mut deepest = (0.0, "", "");
    for (later, (trough, low)) in prices.iter().enumerate() {
        for (peak, high) in &prices[..later] {
            let change = (low - high) / high;
            if change < deepest.0 {
                deepest = (change, peak, trough);
            }
        }
    }
    assert_near(&found["change"], deepest.0);
    assert_eq!((&found["peak"]["date"], &found["trough"]["date"]), (&deepest.1.into(), &deepest.2.into()));
}

/// By the other formula: the mean of the squares less the square of the mean.
fn assert_volatility(found: &[Value], prices: &Prices) {
    let returns: Vec<f64> = prices.windows(2).map(|pair| (pair[1].1 - pair[0].1) / pair[0].1).collect();
    assert_eq!(found.len(), returns.len().saturating_sub(20));
    for (end, found) in (21..).zip(found) {
        let window = &returns[end - 21..end];
        let (sum, squares) = window.iter().fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
        assert_near(&found["value"], ((squares - sum * sum / 21.0) / 20.0).sqrt());
        assert_eq!(found["date"], prices[end].0.as_str());
    }
}

fn assert_correlations(found: &[Value], series: &[(String, Prices)]) {
    let index = returns_by_month(&series[6].1);
    assert_eq!(found.len(), 5);
    for (found, (symbol, prices)) in found.iter().zip(&series[1..6]) {
        let own = returns_by_month(prices);
        let pairs: Vec<(f64, f64)> = own.iter().filter_map(|(month, x)| Some((*x, *index.get(month)?))).collect();
        assert_eq!((&found["symbol"], &found["index"]), (&symbol.as_str().into(), &"sp500".into()));
        assert_eq!(found["months"], pairs.len());
        assert_near(&found["coefficient"], pearson(&pairs));
    }
}

/// The bundled months have no gaps, which the test of the counts would show.
fn returns_by_month(prices: &Prices) -> BTreeMap<String, f64> {
    prices.windows(2).map(|pair| (pair[1].0[..7].to_owned(), (pair[1].1 - pair[0].1) / pair[0].1)).collect()
}

/// From the plain sums.
fn pearson(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let sum = |f: fn(f64, f64) -> f64| -> f64 { pairs.iter().map(|(x, y)| f(*x, *y)).sum() };
    let (x, y) = (sum(|x, _| x), sum(|_, y| y));
    let covariance = n * sum(|x, y| x * y) - x * y;
    covariance / ((n * sum(|x, _| x * x) - x * x).sqrt() * (n * sum(|_, y| y * y) - y * y).sqrt())
}
