use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, Context, Fault, Handler, Message, StopReason, SyncHandler};
use callboard_bus::{EventsExt, Manifest, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use super::overseer::Overseer;
use super::{RunTotals, Workflows, WorkflowsExt};
use crate::definition::Definition;
use crate::run::RunState;

struct Sleeper;

impl Actor for Sleeper {}

#[derive(Deserialize, JsonSchema)]
struct Sleep {}

impl Message for Sleep {
    type Reply = ();
}

impl Handler<Sleep> for Sleeper {
    async fn handle(&mut self, _: Sleep, _: &mut Context<Self>) -> Result<(), Fault> {
        std::future::pending().await
    }
}

async fn open(t: &TestSystem) -> Workflows {
    let sleeper = t.spawn(|| Sleeper);
    Manifest::new("sleeper", "1.0.0").operation::<Sleep>("sleep").register(&sleeper).await.unwrap();
    let text = "workflow_id: w\nversion: 1.0.0\ntrigger_events: [a.b]\nsteps: [{step_id: a, handler: sleeper.sleep}]";
    let workflows = t.system().workflows();
    workflows.register(Definition::read(text).unwrap()).await.unwrap();
    workflows
}

#[test]
fn when_the_actor_dies_its_runs_have_failed_and_its_definitions_stay() {
    TestSystem::run(async |t| {
        let workflows = open(t).await;
        let run = workflows.start("w", Value::Null).id("1").await.unwrap();
        t.settle().await;
        t.system().find::<Overseer>("workflows").unwrap().kill();
        let report = run.ended().await;
        assert_eq!((report.state(), report.died()), (RunState::Failed, Some(&StopReason::Stopped)));
        t.settle().await;
        assert!(!t.inspect().actors.iter().any(|actor| actor.name.starts_with("workflow")));

        assert_eq!(workflows.definitions().len(), 1);
        let again = workflows.start("w", Value::Null).id("1").await.unwrap();
        assert!(again.report().is_none());
        let event = t.system().publish("a.b", Value::Null).await.unwrap();
        assert_eq!(event.delivered, 1);
        assert!(workflows.run_of_event("w", event.id).await.is_ok());
        assert_eq!(
            workflows.totals().await.unwrap(),
            RunTotals { started: 3, active: 2, failed: 1, ..Default::default() }
        );
        t.shutdown().await;
    });
}

/// A fault of the actor, which nothing from outside can make.
struct Break;

impl Message for Break {
    type Reply = ();
}

impl SyncHandler<Break> for Overseer {
    fn handle(&mut self, _: Break, _: &mut Context<Self>) -> Result<(), Fault> {
        Err(Fault::retryable("it is broken"))
    }
}

/// F-WF-11
#[test]
fn after_a_fault_of_the_actor_what_was_started_is_still_the_sum_of_what_became_of_it() {
    TestSystem::run(async |t| {
        let workflows = open(t).await;
        let cancelled = workflows.start("w", Value::Null).await.unwrap();
        cancelled.cancel("").await.unwrap();
        cancelled.ended().await;
        let running = workflows.start("w", Value::Null).await.unwrap();
        let actor = t.system().find::<Overseer>("workflows").unwrap();
        assert!(actor.ask(Break).await.is_err());
        assert_eq!(running.ended().await.state(), RunState::Failed);
        let totals = RunTotals { started: 2, cancelled: 1, failed: 1, ..RunTotals::default() };
        assert_eq!(workflows.totals().await.unwrap(), totals);
        workflows.start("w", Value::Null).await.unwrap();
        let totals = RunTotals { started: 3, active: 1, ..totals };
        assert_eq!(workflows.totals().await.unwrap(), totals);
        t.shutdown().await;
    });
}
