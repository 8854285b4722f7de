//! `cargo run --release --example communication_module`
//!
//! A module that uses every way to take part: it answers requests, hears an event and changes its mind, publishes what it
//! has done, is a step of a workflow, is found by what it can do, and is measured.

use callboard::SystemBuilder;
use callboard::bus::Health;
use callboard::bus::discovery::{DiscoveryQuery, Permissions};
use callboard::bus::module_graph::assert_graph;
use callboard::prelude::*;
use callboard::workflow::definition::Definition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Serialize, JsonSchema)]
struct Processed {
    data: Vec<u64>,
}

#[derive(Debug, Message, Deserialize, JsonSchema)]
#[message(reply = Processed)]
struct Process {
    data: Vec<u64>,
}

pub(crate) struct Processor {
    storage: Recipient<Store>,
    factor: u64,
}

/// Multiplies numbers and keeps the result.
#[module(
    name = "processor",
    version = "1.1.0",
    tags("analytics"),
    requires("storage.store@^1"),
    publishes("status.processed")
)]
impl Processor {
    async fn start(cx: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self { storage: cx.require().await?, factor: 1 })
    }

    /// Multiplies each number.
    #[request("process_data", idempotent)]
    async fn process(&mut self, Process { data }: Process, cx: &mut Context<Self>) -> Result<Processed, Fault> {
        let data: Vec<u64> = data.into_iter().map(|n| n * self.factor).collect();
        let kept = self.storage.ask(Store { data: data.clone() }).await?;
        cx.publish("status.processed", json!({ "kept": kept }))?;
        Ok(Processed { data })
    }

    #[event("data.updated")]
    fn on_update(&mut self, factor: u64) {
        self.factor = factor;
    }

    #[probe]
    fn probe(&mut self) -> Health {
        if self.factor == 0 { Health::Degraded("everything comes to nothing".into()) } else { Health::Healthy }
    }
}

#[derive(Debug, Message, Deserialize, JsonSchema)]
#[message(reply = usize)]
struct Store {
    data: Vec<u64>,
}

#[derive(Default)]
pub(crate) struct Storage {
    kept: usize,
}

/// Counts what it is given.
#[module(name = "storage", version = "1.0.0")]
impl Storage {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self::default())
    }

    #[request("store")]
    fn store(&mut self, Store { data }: Store) -> usize {
        self.kept += data.len();
        self.kept
    }
}

pub(crate) struct Board;

/// Shows what others say of themselves.
#[module(name = "board", version = "1.0.0")]
impl Board {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self)
    }

    #[event("status.*")]
    fn on_status(&mut self, event: Event) {
        println!("status: {} {}", event.name, event.data);
    }
}

/// Named in any order: they start in that of their needs.
fn app() -> SystemBuilder {
    let team = one_for_one().child(module::<Board>()).child(module::<Processor>()).child(module::<Storage>());
    System::builder().supervise(team)
}

const BATCH: &str = "
workflow_id: batch
version: 1.0.0
trigger_events: [data.batch.received]
steps:
- step_id: process
  handler: processor.process_data@^1
  input_mapping: {data: batch}
- step_id: store
  handler: storage.store@^1
  depends_on: [process]
  input_mapping: {data: steps.process.output.data}
";

#[callboard::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let order: Vec<_> = assert_graph(&app()).start_order().map(|module| module.name.clone()).collect();
    println!("starts: {}", order.join(", "));
    let system = app().start().await?;

    let found = system.modules().discover(&DiscoveryQuery::default().tag("analytics"), &Permissions::default());
    for candidate in &found.found {
        println!("found: {} of {} {}", candidate.capability.capability_id, candidate.module, candidate.module_version);
    }

    let data = json!({ "data": [1, 2, 3] });
    println!("before: {}", system.call("processor.process_data@^1", data.clone()).await?);
    let receipt = system.publish("data.updated", 10).await?;
    println!("told {} module of the new factor", receipt.delivered);
    println!("after: {}", system.call("processor.process_data@^1", data).await?);

    let workflows = system.workflows();
    workflows.register(Definition::read(BATCH)?).strict().await?;
    let receipt = system.publish("data.batch.received", json!({ "batch": [7, 8] })).await?;
    let report = workflows.run_of_event("batch", receipt.id).await?.ended().await;
    println!(
        "workflow: {:?}, {} kept",
        report.state(),
        report.output_of("store").ok_or("the last step has an output")?
    );

    for status in system.operations().list() {
        let (name, counts) = (&status.descriptor.address, status.counts);
        println!("{name}: {} calls, {} succeeded, breaker {:?}", counts.begun, counts.succeeded, status.breaker);
    }
    system.shutdown(Drain::default()).await;
    Ok(())
}
