use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, Context, Fault, Handler, Message, StopReason};
use callboard_bus::{EventsExt, Module, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use super::overseer::Overseer;
use super::{Workflows, WorkflowsExt};
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
    Module::new("sleeper", "1.0.0").serve(&sleeper).operation::<Sleep>("sleep").register(t.system()).await.unwrap();
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
        assert_eq!(workflows.totals().await.unwrap().active, 2);
        t.shutdown().await;
    });
}
