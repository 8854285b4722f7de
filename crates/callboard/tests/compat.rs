//! F-COMPAT-01 to F-COMPAT-03, F-BUS-24: programs of the first version go on, with a warning of the compiler and with the same effect.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use callboard::bus::{Event, EventsExt, Publish, Subscribe, Value};
use callboard::compat::{register_module_message_handler, send_module_message};
use callboard::testing::TestSystem;
use callboard::{ErrorCode, Fault, Priority, System};
use tokio::sync::Semaphore;

/// What a handler has been given.
type Seen = Arc<Mutex<Vec<Event>>>;

type Register = fn(&System, Seen) -> Subscribe;
type Send = fn(&System, u64) -> Publish<'static>;

fn registered_now(system: &System, seen: Seen) -> Subscribe {
    register_module_message_handler(system, "Config", move |event| {
        seen.lock().unwrap().push(event);
        async { Ok(()) }
    })
}

// That the old names warn is expected: without the warning this does not compile free of others.
#[expect(deprecated)]
fn registered_as_before(system: &System, seen: Seen) -> Subscribe {
    callboard::compat::v1::subscribe_module_message(system, "Config", move |event| {
        seen.lock().unwrap().push(event);
        async { Ok(()) }
    })
}

fn sent_now(system: &System, number: u64) -> Publish<'static> {
    send_module_message(system, "Config", "Changed", number)
}

#[expect(deprecated)]
fn sent_as_before(system: &System, number: u64) -> Publish<'static> {
    callboard::compat::v1::publish_module_message(system, "Config", "Changed", number)
}

fn sent_by_the_bus(system: &System, number: u64) -> Publish<'static> {
    system.send_message("Config", "Changed", number)
}

/// All that does not say which event it is.
fn shape(event: &Event) -> (String, String, Value, Priority, Option<String>, String, bool) {
    let channel = event.channel().map(ToString::to_string);
    let source = event.source.to_string();
    let has_end = event.expires().is_some();
    (
        event.name.to_string(),
        event.message_type().to_owned(),
        event.data.clone(),
        event.priority,
        channel,
        source,
        has_end,
    )
}

/// F-COMPAT-01, F-COMPAT-02, F-BUS-24: under every name the same handlers get the same messages, one at a time and in order,
/// with the priority of who says none; what is refused is refused with the same code.
#[test]
fn old_names_and_new_ones_do_the_same() {
    TestSystem::run(async |t| {
        let sends: [Send; 3] = [sent_now, sent_as_before, sent_by_the_bus];
        for send in sends {
            assert_eq!(send(t.system(), 1).await.unwrap_err().code(), ErrorCode::UnknownChannel);
        }
        t.system().channel("Config").create().await.unwrap();
        let registers: [Register; 2] = [registered_now, registered_as_before];
        let (now, before) = (Seen::default(), Seen::default());
        let subscriptions = [
            registers[0](t.system(), Arc::clone(&now)).await.unwrap(),
            registers[1](t.system(), Arc::clone(&before)).await.unwrap(),
        ];
        for send in sends {
            for number in [7, 8] {
                let receipt = send(t.system(), number).await.unwrap();
                assert_eq!((receipt.delivered, receipt.refused, receipt.filtered), (2, 0, 0));
            }
        }
        t.settle().await;
        let [now, before] = [now, before].map(|seen| seen.lock().unwrap().clone());
        assert_eq!((&now, now.len()), (&before, 6), "who hears is heard alike");
        let shapes: Vec<_> = now.iter().map(shape).collect();
        assert_eq!((&shapes[..2], &shapes[..2]), (&shapes[2..4], &shapes[4..]), "who says it says the same");
        assert_eq!((shapes[0].2.clone(), shapes[0].3), (7.into(), Priority::Normal));
        assert_eq!(shapes[0].4.as_deref(), Some("Config"));
        drop(subscriptions);
        t.shutdown().await;
    });
}

/// Two messages that are handled side by side, or not.
struct Together {
    begun: AtomicUsize,
    may_end: Semaphore,
}

// As above.
#[expect(deprecated)]
fn waiting_as_before(system: &System, together: Arc<Together>) -> Subscribe {
    callboard::compat::v1::subscribe_module_message(system, "Config", move |_| meet(Arc::clone(&together)))
}

fn waiting_now(system: &System, together: Arc<Together>) -> Subscribe {
    register_module_message_handler(system, "Config", move |_| meet(Arc::clone(&together)))
}

/// Counts who has begun, and ends when the semaphore lets it.
async fn meet(together: Arc<Together>) -> Result<(), Fault> {
    together.begun.fetch_add(1, Ordering::SeqCst);
    together.may_end.acquire().await.map(drop).map_err(Fault::permanent)
}

/// How many of two messages a handler has begun with while none of them may end.
async fn begun_at_once(t: &TestSystem, subscribe: impl FnOnce(Arc<Together>) -> Subscribe) -> usize {
    let together = Arc::new(Together { begun: AtomicUsize::new(0), may_end: Semaphore::new(0) });
    let subscription = subscribe(Arc::clone(&together)).await.unwrap();
    for number in [7, 8] {
        send_module_message(t.system(), "Config", "Changed", number).await.unwrap();
    }
    t.settle().await;
    let begun = together.begun.load(Ordering::SeqCst);
    together.may_end.add_permits(1);
    t.settle().await;
    assert_eq!(together.begun.load(Ordering::SeqCst), 2, "and with the other one afterwards");
    drop(subscription);
    begun
}

/// F-COMPAT-01: what was `-RunAsync` is `concurrency`, which both names lead to; without it a handler has one message at a time.
#[test]
fn under_both_names_handlers_run_side_by_side_when_told() {
    TestSystem::run(async |t| {
        t.system().channel("Config").create().await.unwrap();
        for waiting in [waiting_now, waiting_as_before] {
            assert_eq!(begun_at_once(t, |together| waiting(t.system(), together)).await, 1);
            assert_eq!(begun_at_once(t, |together| waiting(t.system(), together).concurrency(2)).await, 2);
        }
        t.shutdown().await;
    });
}

/// F-COMPAT-03: each step of the chapter is there, and each of its programs is run: no block says that it is not.
#[test]
fn every_program_of_the_migration_is_run() {
    let page = include_str!("../../../docs/migration.md");
    for chapter in ["names", "security", "retries and breakers", "health", "configuration"] {
        assert!(page.to_lowercase().contains(&format!("## {chapter}")), "there is no chapter on {chapter}");
    }
    let fences: Vec<&str> = page.lines().filter(|line| line.starts_with("```")).collect();
    let (opening, closing): (Vec<_>, Vec<_>) = fences.chunks(2).map(|pair| (pair[0], pair[1])).unzip();
    assert!(opening.len() >= 5, "{opening:?}");
    assert!(opening.iter().all(|fence| *fence == "```rust"), "{opening:?}");
    assert!(closing.iter().all(|fence| *fence == "```"), "{closing:?}");
}
