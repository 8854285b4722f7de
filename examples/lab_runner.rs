//! `cargo run --release --example lab_runner`
//!
//! A laboratory tells what becomes of its steps, and a watcher that knows nothing of it prints a line for each: it hears
//! every event whose name begins with `LabStep`.

use std::time::Instant;

use callboard::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Event, Serialize, Deserialize)]
#[event("LabStepStarted")]
#[serde(rename_all = "PascalCase")]
struct LabStepStarted {
    step_name: String,
}

#[derive(Event, Serialize, Deserialize)]
#[event("LabStepCompleted")]
#[serde(rename_all = "PascalCase")]
struct LabStepCompleted {
    step_name: String,
    /// In milliseconds.
    duration: u128,
}

#[derive(Event, Serialize, Deserialize)]
#[event("LabStepFailed")]
#[serde(rename_all = "PascalCase")]
struct LabStepFailed {
    step_name: String,
    error: String,
}

#[derive(Message, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct ExecuteStep {
    step_name: String,
    grams: f64,
}

#[derive(Default)]
pub(crate) struct LabRunner {
    grams: f64,
}

#[module(name = "LabRunner", version = "1.0.0", publishes("LabStepStarted", "LabStepCompleted", "LabStepFailed"))]
impl LabRunner {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self::default())
    }

    #[request("ExecuteStep")]
    fn execute(&mut self, step: ExecuteStep, cx: &mut Context<Self>) -> Result<(), Fault> {
        let (began, step_name) = (Instant::now(), step.step_name);
        cx.emit(&LabStepStarted { step_name: step_name.clone() })?;
        if self.grams + step.grams < 0.0 {
            let error = format!("{} g are left", self.grams);
            cx.emit(&LabStepFailed { step_name, error })?;
        } else {
            self.grams += step.grams;
            cx.emit(&LabStepCompleted { step_name, duration: began.elapsed().as_millis() })?;
        }
        Ok(())
    }
}

pub(crate) struct Watcher;

#[module(name = "Watcher", version = "1.0.0")]
impl Watcher {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self)
    }

    #[event("LabStep*")]
    fn on_step(&mut self, event: Event) -> Result<(), Fault> {
        match event.name.as_str() {
            "LabStepStarted" => println!("Step started: {}", event.read::<LabStepStarted>()?.step_name),
            "LabStepCompleted" => {
                let LabStepCompleted { step_name, duration } = event.read()?;
                println!("Step completed: {step_name} in {duration}ms");
            }
            "LabStepFailed" => {
                let LabStepFailed { step_name, error } = event.read()?;
                println!("Step failed: {step_name} - {error}");
            }
            other => println!("Step of another kind: {other}"),
        }
        Ok(())
    }
}

#[callboard::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let team = one_for_one().child(module::<Watcher>()).child(module::<LabRunner>());
    let system = System::builder().supervise(team).start().await?;
    for (step, grams) in [("weigh in", 12.5), ("take out", -20.0)] {
        system.call("LabRunner.ExecuteStep", json!({ "StepName": step, "Grams": grams })).await?;
    }
    // Lets the watcher finish what it has heard.
    system.shutdown(Drain::default()).await;
    Ok(())
}
