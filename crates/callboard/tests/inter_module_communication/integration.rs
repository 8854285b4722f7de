//! F-TST-06, F-MET-01: workflows from end to end, and what the figures say of them.

use callboard::bus::monitoring::Level;
use callboard::bus::{EventsExt, MonitoringExt};
use callboard::prelude::*;
use callboard::testing::TestSystem;
use callboard::workflow::definition::Definition;
use callboard::workflow::run::RunState;
use serde_json::json;

use crate::shop::{SECOND, open};

const SALE: &str = "workflow_id: sale
version: 1.0.0
trigger_events: [customer.came]
steps:
- step_id: order
  handler: till.order@^1
  input_mapping: {pieces: wanted}
- step_id: take
  handler: stock.take
  input_mapping: {pieces: sold}
  depends_on: [order]
";

/// An event starts it, one module calls another, and the figures know all of it.
#[test]
fn an_event_starts_a_workflow_through_both_modules() {
    TestSystem::run(async |t| {
        open(t).await;
        let (system, monitoring) = (t.system(), t.system().monitoring());
        let workflows = system.workflows();
        workflows.register(Definition::read(SALE).unwrap()).await.unwrap();
        let came = system.publish("customer.came", json!({ "wanted": 3 })).await.unwrap();
        let report = workflows.run_of_event("sale", came.id).await.unwrap().ended().await;
        assert_eq!(report.state(), RunState::Completed);
        let left = system.call("stock.take", json!({ "pieces": 0 })).await.unwrap();
        assert_eq!(left, 999_994.into());
        t.settle().await;
        let figures = monitoring.metrics().communication();
        assert_eq!((figures.workflows_started, figures.active_workflows), (1, 0));
        assert_eq!((figures.success_rate, figures.events_published), (Some(1.0), 2));
        assert_eq!(monitoring.status().check_health().await.overall_health, Level::Healthy);
        t.shutdown().await;
    });
}

/// F-MET-01: a run that goes on is active, and is not when it has ended.
#[test]
fn a_run_that_goes_on_is_active() {
    TestSystem::run(async |t| {
        open(t).await;
        let workflows = t.system().workflows();
        workflows.register(Definition::read(SALE).unwrap()).await.unwrap();
        let monitoring = t.system().monitoring();
        t.system().call("stock.fail", json!({ "Hang": 60 })).timeout(SECOND).await.unwrap_err();
        let run = workflows.start("sale", json!({ "wanted": 1 })).await.unwrap();
        t.advance(SECOND).await;
        let counts = monitoring.metrics().workflows;
        assert_eq!((counts.started, counts.active, counts.failed), (1, 1, 0));
        assert_eq!(run.ended().await.state(), RunState::Failed);
        t.settle().await;
        let counts = monitoring.metrics().workflows;
        assert_eq!((counts.started, counts.active, counts.failed), (1, 0, 1));
        t.shutdown().await;
    });
}
