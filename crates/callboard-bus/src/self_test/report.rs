//! What comes of self tests: [`SelfTestReport`] and [`TestOutcome`]. Pure.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::TestFault;
use crate::value::Value;

/// How several tests went. As text it is a line for each and their share.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SelfTestReport {
    /// How many of them went well, in percent.
    pub pass_rate: f64,
    /// The figures of the stress test, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stress: Option<StressFigures>,
    /// The tests, in the order in which they were run.
    pub tests: Vec<TestResult>,
}

/// How a test went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TestResult {
    /// What was seen, or why it failed.
    pub details: String,
    /// How long it took; in JSON in milliseconds.
    #[serde(serialize_with = "millis")]
    pub duration: Duration,
    /// What was tested.
    pub name: &'static str,
    /// Whether it went well.
    pub success: bool,
}

/// What a stress test has seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct StressFigures {
    /// How many messages were under way at once.
    pub concurrency: usize,
    /// Messages that came more than once.
    pub duplicated: u64,
    /// Messages that never came.
    pub lost: u64,
    /// Messages that were published.
    pub messages: u64,
    /// Half of the messages came within this time; in JSON in milliseconds. Nothing when none came.
    #[serde(serialize_with = "optional_millis")]
    pub p50: Option<Duration>,
    /// 99 % of them did.
    #[serde(serialize_with = "optional_millis")]
    pub p99: Option<Duration>,
    /// Messages a second.
    pub throughput: f64,
    /// For how long messages were published; in JSON in milliseconds.
    #[serde(serialize_with = "millis")]
    pub took: Duration,
}

/// How the test of one thing went.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TestOutcome {
    /// How long it took; in JSON in milliseconds.
    #[serde(serialize_with = "millis")]
    pub duration: Duration,
    /// Why it failed: `code: words` in JSON.
    pub errors: Vec<TestFault>,
    /// What an operation answered.
    pub output: Option<Value>,
    /// Whether it went well.
    pub success: bool,
}

impl SelfTestReport {
    pub(super) fn of(tests: Vec<TestResult>) -> Self {
        let passed = tests.iter().filter(|test| test.success).count();
        let pass_rate = if tests.is_empty() { 0.0 } else { passed as f64 * 100.0 / tests.len() as f64 };
        Self { pass_rate, stress: None, tests }
    }

    /// Whether all tests went well.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.tests.iter().all(|test| test.success)
    }
}

impl TestResult {
    pub(super) fn new(name: &'static str, duration: Duration, result: Result<String, TestFault>) -> Self {
        let success = result.is_ok();
        Self { details: result.unwrap_or_else(|fault| fault.to_string()), duration, name, success }
    }
}

impl TestOutcome {
    pub(super) fn new(duration: Duration, result: Result<Option<Value>, TestFault>) -> Self {
        match result {
            Ok(output) => Self { duration, errors: Vec::new(), output, success: true },
            Err(fault) => Self { duration, errors: vec![fault], output: None, success: false },
        }
    }
}

impl fmt::Display for SelfTestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for TestResult { name, success, details, .. } in &self.tests {
            writeln!(f, "{} {name}: {details}", if *success { "ok    " } else { "FAILED" })?;
        }
        write!(f, "pass rate: {:.0} %", self.pass_rate)
    }
}

impl fmt::Display for StressFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { messages, concurrency, throughput, lost, duplicated, .. } = self;
        let millis = |time: Option<Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0);
        write!(f, "{messages} messages, {concurrency} at once, {throughput:.0} a second, ")?;
        write!(
            f,
            "p50 {:.3} ms, p99 {:.3} ms, lost {lost}, duplicated {duplicated}",
            millis(self.p50),
            millis(self.p99)
        )
    }
}

fn millis<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64() * 1_000.0)
}

fn optional_millis<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64() * 1_000.0).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use callboard_actor::ErrorCode;
    use serde_json::json;

    use super::*;

    fn result(is_well: bool) -> TestResult {
        let fault = TestFault::new(ErrorCode::Timeout, "it took too long");
        let seen = if is_well { Ok("1 message".to_owned()) } else { Err(fault) };
        TestResult::new("messages", Duration::from_micros(1_500), seen)
    }

    #[test]
    fn a_report_has_its_shape() {
        let report = SelfTestReport::of(vec![result(true), result(false), result(true), result(true)]);
        assert_eq!((report.pass_rate, report.is_success()), (75.0, false));
        let shown = serde_json::to_value(&report).unwrap();
        assert_eq!(
            shown["Tests"][1],
            json!({ "Name": "messages", "Success": false, "Duration": 1.5, "Details": "timeout: it took too long" })
        );
        assert_eq!(shown["PassRate"], 75.0);
        assert!(report.to_string().ends_with("ok     messages: 1 message\npass rate: 75 %"), "{report}");
    }
}
