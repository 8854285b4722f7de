//! A run in which nothing happens is noticed, told of with what it waits for and what to do, and listed (F-WF-08).

use std::io::{self, Write};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_bus::{Event, EventsExt, Value};
use callboard_workflow::progress::Wait;
use callboard_workflow::{Progress, StuckRun};
use serde_json::json;

use crate::driver::{Driver, Reply, read, value};
use crate::workshop::{Workshop, step, workshop};

const MINUTE: Duration = Duration::from_secs(60);

/// Two steps one after the other that take a while each.
fn slow(minutes: [u64; 2]) -> String {
    let [a, b] = minutes.map(|minutes| format!("wait_ms: {{value: {}}}", minutes * 60_000));
    format!("timeout: 10h\nsteps:\n{}{}", step("a", &a, ""), step("b", &b, "depends_on: [a]"))
}

async fn stuck_tasks(shop: &Workshop<'_>) -> Vec<(String, u64)> {
    let stuck = shop.workflows.stuck().await.unwrap();
    stuck.into_iter().map(|run| (run.holdups[0].task.clone(), run.stuck_ms / 60_000)).collect()
}

/// F-WF-08
#[test]
fn a_run_that_does_not_go_on_is_noticed_once_until_it_does() {
    workshop(1, async |shop| {
        let probe = shop.t.probe::<Event>();
        let _subscription = shop.t.system().subscribe("$workflow.run.stuck", probe.recipient()).await.unwrap();
        shop.register(&slow([25, 60])).await;
        let run = shop.start("w").await;
        let mut tail = run.tail();
        shop.t.advance(MINUTE * 9).await;
        assert_eq!(stuck_tasks(shop).await, []);
        assert!(probe.take().is_empty());

        shop.t.advance(MINUTE * 2).await;
        assert_eq!(stuck_tasks(shop).await, [("a".to_owned(), 11)]);
        shop.t.advance(MINUTE * 12).await;
        let events = probe.take();
        assert_eq!(events.len(), 1, "it is told once, by an alarm that nobody had to ask for");
        let said = |key: &str| events[0].data.get(&key.parse().unwrap()).cloned();
        assert_eq!(said("run_id"), Some(Value::from(run.id().to_string())));
        assert_eq!(said("stuck_ms"), Some(Value::from(600_000)));

        shop.t.advance(MINUTE * 10).await;
        assert_eq!(stuck_tasks(shop).await, [], "b began eight minutes ago");
        shop.t.advance(MINUTE * 3).await;
        assert_eq!(stuck_tasks(shop).await, [("b".to_owned(), 11)]);
        assert_eq!(probe.take().len(), 1);
        run.ended().await;
        assert_eq!(stuck_tasks(shop).await, []);
        let mut told = 0;
        while let Some(news) = tail.next().await {
            told += u32::from(matches!(news, Progress::Stuck(_)));
        }
        assert_eq!(told, 2);
    });
}

#[test]
fn a_run_that_is_paused_by_hand_is_not_stuck() {
    workshop(1, async |shop| {
        let probe = shop.t.probe::<Event>();
        let _subscription = shop.t.system().subscribe("$workflow.run.stuck", probe.recipient()).await.unwrap();
        shop.register(&slow([200, 1])).await;
        let run = shop.start("w").await;
        shop.t.advance(MINUTE).await;
        run.pause().await.unwrap();
        shop.t.advance(MINUTE * 60).await;
        assert_eq!(stuck_tasks(shop).await, []);
        run.resume().await.unwrap();
        shop.t.advance(MINUTE * 9).await;
        assert!(probe.take().is_empty());
        shop.t.advance(MINUTE * 2).await;
        assert_eq!(stuck_tasks(shop).await, [("a".to_owned(), 11)]);
        assert_eq!(probe.take().len(), 1);
    });
}

#[test]
fn how_long_is_too_long_can_be_set_for_runs_to_come() {
    workshop(1, async |shop| {
        shop.workflows.stuck_after(MINUTE);
        shop.register(&slow([30, 1])).await;
        let run = shop.start("w").await;
        shop.workflows.stuck_after(Duration::MAX);
        shop.t.advance(MINUTE * 2).await;
        assert_eq!(stuck_tasks(shop).await, [("a".to_owned(), 2)]);
        run.cancel("").await.unwrap();
        shop.start("w").await;
        shop.t.advance(MINUTE * 20).await;
        assert_eq!(stuck_tasks(shop).await, []);
    });
}

#[test]
fn the_longest_comes_first_and_who_waits_for_a_place_says_so() {
    workshop(2, async |shop| {
        shop.workflows.limit("work.do", NonZeroU32::new(1));
        shop.register(&slow([100, 1])).await;
        shop.start("w").await;
        shop.t.advance(MINUTE).await;
        shop.start("w").await;
        shop.t.advance(MINUTE * 15).await;
        let stuck = shop.workflows.stuck().await.unwrap();
        let waits: Vec<_> = stuck.iter().map(|run| run.holdups[0].waits_for.clone().unwrap()).collect();
        assert_eq!(waits, [Wait::Reply("work.do".to_owned()), Wait::Slot("work.do".to_owned())]);
        assert!(stuck[1].recommendation.ends_with("raise the limit"), "{}", stuck[1].recommendation);
    });
}

/// Everything that is written while this lives.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// F-WF-08
#[test]
fn the_log_warns_and_says_what_to_do() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        workshop(1, async |shop| {
            shop.register(&slow([30, 1])).await;
            shop.workflows.start("w", Value::from(json!({}))).id("seven").await.unwrap();
            shop.t.advance(MINUTE * 11).await;
        });
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let warning = log.lines().find(|line| line.contains("WARN")).unwrap();
    for word in ["callboard::workflow", "run=seven", "a run does not go on", "`work.do` does not reply to `a`"] {
        assert!(warning.contains(word), "{word}: {warning}");
    }
}

#[test]
fn of_a_mapped_step_it_is_the_item_that_waits_longest() {
    let steps = read("steps: [{step_id: each, handler: m.f, map: {over: list, max_parallel: 3}}]");
    let reply = |name: &str, _: u32, _: &Value| match name {
        "each[0]" => Reply::Ok(2, Value::Null),
        _ => Reply::Never,
    };
    let mut driver = Driver::new(&steps, value(json!({ "list": [1, 2, 3, 4, 5] })), reply);
    driver.until(100);
    let stuck = |run, now| StuckRun::of(run, Duration::from_secs(5), Duration::from_millis(now));
    assert_eq!(stuck(&driver.run, 5_001), None);
    let found = stuck(&driver.run, 5_002).unwrap();
    assert_eq!((found.stuck_ms, found.holdups.len(), &*found.holdups[0].task), (5_000, 1, "each[1]"));
    assert_eq!(
        found.recommendation,
        "`m.f` does not reply to `each[1]`: look at its module, give the step a `timeout`, or cancel the run"
    );
}
