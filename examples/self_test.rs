//! `cargo run --release --example self_test`
//!
//! A running system tests itself, and says how it is doing. What follows `--` chooses:
//!
//! ```text
//! basic                              quick; this is what it does by itself
//! stress SECONDS CONCURRENCY         as many messages as go through
//! full SECONDS CONCURRENCY           both, and what may not be, and what comes back
//! channel NAME                       a message there and back
//! operation MODULE NAME JSON         one call
//! top count|time|errors              the operations that are called most, take longest, fail most
//! metrics | history | status         indented JSON
//! ```
//!
//! It ends with 0 when all is well, with 1 when a test has failed, and with 2 when it does not understand.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use callboard::bus::monitoring::{Level, TopBy};
use callboard::bus::self_test::{Load, SelfTestReport, TestOutcome};
use callboard::bus::{CallError, SelfTestExt, Value};
use callboard::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

const USAGE: u8 = 2;

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = Value)]
#[serde(rename_all = "PascalCase")]
struct ExecuteStep {
    step_name: String,
}

#[derive(Message, Deserialize, JsonSchema)]
struct Rest;

struct LabRunner;

#[module(name = "LabRunner", version = "1.0.0")]
impl LabRunner {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self)
    }

    #[request("ExecuteStep")]
    fn execute(&mut self, step: ExecuteStep) -> Value {
        json!({ "Success": true, "StepName": step.step_name }).into()
    }

    #[request("Rest")]
    async fn rest(&mut self, _: Rest) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What failed, as an exit code; or how the arguments are wrong.
type Outcome = Result<bool, Box<dyn std::error::Error>>;

async fn run(system: &System, arguments: &[&str]) -> Outcome {
    let tests = system.self_test();
    match arguments {
        [] | ["basic"] => Ok(report(&tests.basic().await)),
        ["stress", seconds, concurrency] => Ok(report(&tests.stress(load(seconds, concurrency)?).await?)),
        ["full", seconds, concurrency] => Ok(report(&tests.full(load(seconds, concurrency)?).await?)),
        ["channel", name] => Ok(outcome(&tests.channel(name, Duration::from_secs(10)).await)),
        ["operation", module, name, input] => {
            let input: serde_json::Value = serde_json::from_str(input)?;
            Ok(outcome(&tests.operation(module, name, input).await))
        }
        ["top", by] => top(system, by).await,
        ["metrics" | "history" | "status"] => show(system, arguments[0]).await,
        _ => Err("it is one of basic, stress, full, channel, operation, top, metrics, history and status".into()),
    }
}

fn load(seconds: &str, concurrency: &str) -> Result<Load, Box<dyn std::error::Error>> {
    let seconds: f64 = seconds.parse()?;
    let duration = Duration::try_from_secs_f64(seconds)?;
    Ok(Load::new(duration, concurrency.parse()?))
}

fn report(report: &SelfTestReport) -> bool {
    println!("{report}");
    report.is_success()
}

fn outcome(outcome: &TestOutcome) -> bool {
    println!("success: {}", outcome.success);
    outcome.errors.iter().for_each(|error| println!("{error}"));
    outcome.output.iter().for_each(|output| println!("{output}"));
    outcome.success
}

/// A call that goes well and one that does not.
async fn call(system: &System) -> Result<(), CallError> {
    system.call("LabRunner.ExecuteStep", json!({ "StepName": "DeployVM" })).await?;
    system.call("LabRunner.ExecuteStep", json!({})).await.expect_err("a parameter is missing");
    Ok(())
}

async fn top(system: &System, by: &str) -> Outcome {
    let by = match by {
        "count" => TopBy::Count,
        "time" => TopBy::Time,
        "errors" => TopBy::Errors,
        _ => return Err("the top is by count, time or errors".into()),
    };
    call(system).await?;
    system.call("LabRunner.Rest", json!(null)).await?;
    for operation in system.monitoring().metrics().top_operations(by, 10) {
        println!("{}: {} calls, {} failed", operation.name, operation.counts.begun, operation.errors());
    }
    Ok(true)
}

async fn show(system: &System, what: &str) -> Outcome {
    let monitoring = system.monitoring();
    call(system).await?;
    match what {
        "metrics" => println!("{}", monitoring.metrics()),
        "history" => {
            system.sleep(Duration::from_millis(1_300)).await;
            println!("{}", monitoring.metrics_with_history().performance());
        }
        _ => {
            let status = monitoring.status().details().check_health().await;
            println!("{status}");
            return Ok(status.overall_health != Level::Unhealthy);
        }
    }
    Ok(true)
}

#[callboard::main]
async fn main() -> ExitCode {
    let system = System::builder().supervise(one_for_one().child(module::<LabRunner>())).start().await;
    let system = system.expect("a thread can be started");
    system.channel("Configuration").create().await.expect("it is the first one");
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let exit_code = match run(&system, &arguments).await {
        Ok(is_well) => ExitCode::from(u8::from(!is_well)),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(USAGE)
        }
    };
    system.shutdown(Drain::default()).await;
    exit_code
}
