//! Workflows of steps that do nothing: what a step costs beside its work.

use std::{
    future::pending,
    time::{Duration, Instant},
};

use callboard::{Actor, ActorRef, Context, Fault, Handler, Message, System, child};
use callboard_bus::{Manifest, Object};
use callboard_workflow::{
    RunRef, WorkflowsExt,
    definition::{Definition, StepBuilder},
    run::RunState,
};
use futures::future::join_all;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{callboard_peer::Callboard, memory, peer::Peer, size::Size, workload::Workload};

/// Steps of a chain.
const CHAIN: u64 = 10;
/// Runs at once.
const MANY: u64 = 1_000;
/// Steps beside each other in a diamond.
const WIDE: u64 = 100;

/// Runs the workload once: steps per second, or bytes per waiting run. `None`
/// for all others.
pub fn run(workload: Workload, size: Size) -> Option<f64> {
    let steps = size.operations(workload);
    match workload {
        Workload::WorkflowChain => Some(steps_per_second(chain(), steps, 1)),
        Workload::WorkflowDiamond => Some(steps_per_second(diamond(), steps, 1)),
        Workload::WorkflowMontage => Some(steps_per_second(montage(), steps, 1)),
        Workload::WorkflowMany => Some(steps_per_second(chain(), steps, MANY)),
        Workload::RunBytes => bytes_per_run(steps),
        _ => None,
    }
}

/// Runs until so many steps have been taken, so many runs at once, on one
/// thread.
fn steps_per_second(definition: Definition, steps: u64, at_once: u64) -> f64 {
    let each = definition.steps().len() as u64;
    let rounds = steps.div_ceil(each * at_once);
    let elapsed = Callboard::on_one_thread(move |system| async move {
        let _idler = idler(&system).await;
        let workflows = system.workflows();
        workflows.register(definition).strict().await.expect("the definition is sound");
        let start = Instant::now();
        for _ in 0..rounds {
            let runs = start_runs(&system, at_once).await;
            for run in runs {
                assert_eq!(run.ended().await.state(), RunState::Completed);
            }
        }
        start.elapsed()
    });
    per_second(rounds * each * at_once, elapsed)
}

async fn start_runs(system: &System, runs: u64) -> Vec<RunRef> {
    let workflows = system.workflows();
    let started = join_all((0..runs).map(|_| workflows.start("bench", Object::default()).into_future())).await;
    started.into_iter().map(|run| run.expect("the run starts")).collect()
}

/// The weight of a run of ten steps that waits for the answer of the first one,
/// its actor and its names included.
fn bytes_per_run(runs: u64) -> Option<f64> {
    let bytes = Callboard::on_one_thread(move |system| async move {
        let _idler = system.spawn(child("idler", || Idler).bound(u32::try_from(2 * runs).expect("few runs")));
        let module = Manifest::new("idler", "1.0.0").operation::<Nothing>("nothing");
        module.operation::<Wait>("wait").register(&_idler).await.expect("the name is free");
        let workflows = system.workflows();
        let first = StepBuilder::new("s0", "idler.wait");
        let definition = line(Definition::builder("bench").version("1.0.0").step(first), 1);
        workflows.register(definition.build().expect("a chain is sound")).await.expect("the definition is sound");
        // Tables have grown before, and the one that waits in its handler is the first.
        let _first = start_runs(&system, 1).await;
        memory::start_counting();
        let waiting = start_runs(&system, runs).await;
        let bytes = memory::bytes_since_start();
        drop(waiting);
        bytes
    });
    bytes.map(|bytes| bytes as f64 / runs as f64)
}

fn per_second(steps: u64, elapsed: Duration) -> f64 {
    steps as f64 / elapsed.as_secs_f64()
}

fn chain() -> Definition {
    let first = Definition::builder("bench").version("1.0.0").step(step("s0"));
    line(first, 1).build().expect("a chain is sound")
}

fn line(
    builder: callboard_workflow::definition::DefinitionBuilder,
    from: u64,
) -> callboard_workflow::definition::DefinitionBuilder {
    (from..CHAIN).fold(builder, |builder, at| builder.step(step(format!("s{at}")).after([format!("s{}", at - 1)])))
}

fn diamond() -> Definition {
    let sides = (0..WIDE).map(|side| format!("side{side}"));
    let split = Definition::builder("bench").version("1.0.0").step(step("split"));
    let beside = sides.clone().fold(split, |builder, side| builder.step(step(side).after(["split"])));
    beside.step(step("join").after(sides)).build().expect("a diamond is sound")
}

/// The shape of a mosaic of the sky in three colours, after the workflow
/// `montage-chameleon-2mass-015d` of the WfCommons collection: sixteen images
/// a colour, a difference for each pair that overlaps.
fn montage() -> Definition {
    const IMAGES: usize = 16;
    const DIFFERENCES: usize = 66;
    let mut builder = Definition::builder("bench").version("1.0.0");
    for colour in ["j", "h", "k"] {
        let named = |kind: &str, at: usize| format!("{kind}_{colour}{at}");
        let all = |kind: &'static str, count| (0..count).map(move |at| format!("{kind}_{colour}{at}"));
        for at in 0..IMAGES {
            builder = builder.step(step(named("project", at)));
        }
        for at in 0..DIFFERENCES {
            let (left, right) = (at % IMAGES, (at + 1 + at / IMAGES) % IMAGES);
            builder = builder.step(step(named("diff", at)).after([named("project", left), named("project", right)]));
        }
        builder = builder.step(step(named("concat", 0)).after(all("diff", DIFFERENCES)));
        builder = builder.step(step(named("model", 0)).after([named("concat", 0)]));
        for at in 0..IMAGES {
            builder = builder.step(step(named("background", at)).after([named("model", 0), named("project", at)]));
        }
        builder = builder.step(step(named("table", 0)).after(all("background", IMAGES)));
        let parts = all("background", IMAGES).chain([named("table", 0)]);
        builder = builder.step(step(named("add", 0)).after(parts));
        builder = builder.step(step(named("view", 0)).after([named("add", 0)]));
    }
    let whole = step("view").after(["add_j0", "add_h0", "add_k0"]);
    builder.step(whole).build().expect("the graph is sound")
}

fn step(id: impl Into<String>) -> StepBuilder {
    StepBuilder::new(id, "idler.nothing")
}

async fn idler(system: &System) -> ActorRef<Idler> {
    let idler = system.spawn(|| Idler);
    let module = Manifest::new("idler", "1.0.0").operation::<Nothing>("nothing");
    module.register(&idler).await.expect("the name is free");
    idler
}

/// Does nothing, or nothing for ever.
#[derive(Debug)]
struct Idler;

#[derive(Debug, Deserialize, JsonSchema)]
struct Nothing {}

#[derive(Debug, Deserialize, JsonSchema)]
struct Wait {}

impl Actor for Idler {}

impl Message for Nothing {
    type Reply = ();
}

impl Message for Wait {
    type Reply = ();
}

impl Handler<Nothing> for Idler {
    async fn handle(&mut self, _: Nothing, _: &mut Context<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

impl Handler<Wait> for Idler {
    async fn handle(&mut self, _: Wait, _: &mut Context<Self>) -> Result<(), Fault> {
        pending().await
    }
}
