//! F-CFG-08: what the configuration says of runs holds where neither the definition nor somebody in code says otherwise.

use callboard_bus::config::{Config, LiveConfig};
use callboard_bus::{ConfigExt, OperationsExt};
use callboard_workflow::run::RunState;
use std::time::Duration;

use crate::workshop::{Workshop, step, workshop};

fn live(variables: &[(&str, &str)]) -> LiveConfig {
    LiveConfig::new(Config::load().environment(variables.iter().copied()).finish().unwrap())
}

/// How long a run takes whose only step never ends.
async fn endless(shop: &Workshop<'_>, workflow: &str, fields: &str) -> u64 {
    let slow = step("a", "wait_ms: {value: 36000000}", "");
    shop.register(&format!("workflow_id: {workflow}\nversion: 1.0.0\n{fields}steps:\n{slow}")).await;
    let before = shop.t.now();
    assert_eq!(shop.start(workflow).await.ended().await.state(), RunState::TimedOut);
    (shop.t.now() - before).as_secs()
}

/// F-CFG-08, F-CFG-17: by the name of the specification, and changed while the system runs.
#[test]
fn a_run_has_the_time_that_the_configuration_says() {
    workshop(1, async |shop| {
        let live = live(&[("WORKFLOW_TIMEOUT_SECONDS", "60")]);
        shop.t.system().configure(live.clone()).unwrap();
        assert_eq!(endless(shop, "a", "").await, 60);
        live.set("workflow.timeout", "90").unwrap();
        assert_eq!(endless(shop, "b", "").await, 90);
        assert_eq!(endless(shop, "c", "timeout: 7s\n").await, 7, "the definition says so");
        shop.workflows.run_timeout(Duration::from_secs(20));
        assert_eq!(endless(shop, "d", "").await, 20, "somebody says so in code");
    });
}

/// The attempts of a step that says so are those of its run alone; of one that says nothing they are those of its call.
#[test]
fn attempts_do_not_multiply() {
    workshop(1, async |shop| {
        let live = live(&[("CALLBOARD_RETRY__MAX_RETRIES", "2"), ("CALLBOARD_RETRY__JITTER", "none")]);
        shop.t.system().configure(live).unwrap();
        let begun = || shop.t.system().operations().status("work.do").unwrap().counts.begun;
        let failing = "fails: {value: 9}";
        let says = "retry: {max_retries: 1, jitter: none}";
        shop.register(&format!("steps:\n{}", step("a", failing, says))).await;
        assert_eq!(shop.start("w").await.ended().await.state(), RunState::Failed);
        assert_eq!(begun(), 2);
        shop.register(&format!("workflow_id: v\nversion: 1.0.0\nsteps:\n{}", step("b", failing, ""))).await;
        assert_eq!(shop.start("v").await.ended().await.state(), RunState::Failed);
        assert_eq!(begun(), 2 + 3);
    });
}
