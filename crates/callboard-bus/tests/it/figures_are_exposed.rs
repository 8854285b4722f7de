//! F-MET-13: the figures in the text format of Prometheus equal a hand count, under names that stay the same.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{BreakerMode, BreakerRules, Trip, Window, child};
use callboard_bus::dead_letter_queue::{DeadLetterQueueExt, LetterBounds};
use callboard_bus::retry::Jitter;
use callboard_bus::{
    CallSettings, Event, EventsExt, Manifest, ModulesExt, Monitoring, MonitoringExt, OperationsExt, RetryPolicy, Value,
};
use tokio::sync::oneshot;

use crate::listener::{Heard, Hold};
use crate::prometheus_text::{Exposed, exposed, text};
use crate::the_exposition_is_well_formed::Three;
use crate::trouble::{Script, Turn, Work, press, work};

const MILLISECOND: Duration = Duration::from_millis(1);

/// The line of a figure without labels.
fn line(t: &TestSystem, name: &str) -> String {
    let text = text(t);
    let found = text.lines().find(|line| line.split(' ').next() == Some(name));
    found.unwrap_or_else(|| panic!("there is no {name}")).to_owned()
}

/// F-BUS-02, F-MET-13: three events of four that are published are wanted by nobody: one has no subscriber, one none on its
/// channel, and one none whose filter lets it in.
#[test]
fn what_nobody_wanted_is_exposed() {
    TestSystem::run(async |t| {
        let (system, probe) = (t.system(), t.probe::<Event>());
        assert_eq!(line(t, "callboard_messages_unrouted_total"), "callboard_messages_unrouted_total 0");
        system.channel("c").create().await.unwrap();
        let filtered = system.subscribe("a", probe.recipient()).filter(|event| event.data.is_null());
        let _subscription = filtered.await.unwrap();
        system.publish("b", Value::Null).await.unwrap();
        system.publish("a", Value::Null).channel("c").await.unwrap();
        system.publish("a", 1).await.unwrap();
        system.publish("a", Value::Null).await.unwrap();
        assert_eq!(line(t, "callboard_messages_unrouted_total"), "callboard_messages_unrouted_total 3");
        assert_eq!(line(t, "callboard_events_published_total"), "callboard_events_published_total 4");
        t.shutdown().await;
    });
}

/// F-BUS-11, F-MET-13: of three filters one panics and one does not fit; each sees two events.
#[test]
fn filters_that_fail_are_exposed() {
    TestSystem::run(async |t| {
        let (system, probe) = (t.system(), t.probe::<Event>());
        let _panics = system.subscribe(">", probe.recipient()).filter(|_| panic!("it was to panic")).await.unwrap();
        let _errs = system.subscribe(">", probe.recipient()).filter_expression("data.total > 3").await.unwrap();
        let _fine = system.subscribe(">", probe.recipient()).filter(|_| false).await.unwrap();
        system.publish("a", "no total").await.unwrap();
        system.publish("b", "no total").await.unwrap();
        assert_eq!(line(t, "callboard_filter_errors_total"), "callboard_filter_errors_total 4");
        t.shutdown().await;
    });
}

/// F-BUS-19, F-MET-13: one event expires in a mailbox, one in hand, one on a channel, and one for a function that is busy; another
/// lasts.
#[test]
fn what_has_expired_is_exposed() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        system.channel("c").create().await.unwrap();
        let slow = t.spawn(child("slow", heard.listener()));
        let _plain = system.subscribe("plain", slow.recipient()).await.unwrap();
        let _on_c = system.subscribe("*", slow.recipient()).on_channel("c").await.unwrap();
        let rest = async |_| {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(())
        };
        let _function = system.subscribe_fn("call", rest).await.unwrap();
        let (go, held) = oneshot::channel();
        slow.tell(Hold(held)).await.unwrap();
        system.publish("call", Value::Null).await.unwrap();
        t.settle().await;
        let ttl = Duration::from_millis(500);
        system.publish("plain", Value::Null).ttl(ttl).await.unwrap();
        system.publish("call", Value::Null).ttl(ttl).await.unwrap();
        for (name, ttl) in [("in_hand", ttl), ("queued", ttl), ("lasts", 10 * ttl)] {
            system.publish(name, Value::Null).channel("c").ttl(ttl).await.unwrap();
        }
        assert_eq!(line(t, "callboard_messages_expired_total"), "callboard_messages_expired_total 0");
        t.advance(ttl).await;
        drop(go);
        t.advance(Duration::from_secs(60)).await;
        assert_eq!(heard.take(), ["lasts"]);
        assert_eq!(line(t, "callboard_messages_expired_total"), "callboard_messages_expired_total 4");
        assert_eq!(exposed(t).value("callboard_dlq_added_total", &[("reason", "expired")]), Some(4.0));
        t.shutdown().await;
    });
}

/// F-DLQ-03, F-MET-13: five letters for which there are three places, and later two.
#[test]
fn letters_that_left_are_exposed() {
    TestSystem::run(async |t| {
        let letters = t.system().dead_letter_queue();
        letters.set_bounds(LetterBounds::default().letters(3));
        assert_eq!(exposed(t).value("callboard_dlq_oldest_age_seconds", &[]), None, "there is none yet");
        for number in 0..5 {
            t.system().modules().send(&"nobody.work".parse().unwrap(), Work(number)).unwrap_err();
            t.advance(Duration::from_secs(1)).await;
        }
        assert_eq!(line(t, "callboard_dlq_evicted_total"), "callboard_dlq_evicted_total 2");
        letters.set_bounds(LetterBounds::default().letters(2));
        assert_eq!(line(t, "callboard_dlq_evicted_total"), "callboard_dlq_evicted_total 3");
        let (read, reason) = (exposed(t), [("reason", "undeliverable")]);
        assert_eq!(read.value("callboard_dlq_messages", &reason), Some(2.0));
        assert_eq!(read.value("callboard_dlq_added_total", &reason), Some(5.0));
        assert_eq!(read.value("callboard_dlq_oldest_age_seconds", &[]), Some(2.0));
        assert_eq!(read.value("callboard_dlq_messages", &[("reason", "poison")]), Some(0.0));
        t.shutdown().await;
    });
}

/// F-MET-13: eight calls: two go well; two fail for good, one of them by a panic, and one in a way that may pass; one times out, for
/// one nobody waits, and one is rejected by the breaker, which is held open. And one is of a name that there is not.
#[test]
fn calls_are_exposed_by_their_outcomes() {
    TestSystem::run(async |t| {
        let (system, script) = (t.system(), Script::default());
        let _press = press(t, &script, CallSettings::new()).await;
        for turn in [Turn::Well, Turn::Long(8 * MILLISECOND), Turn::Wrong, Turn::Busy, Turn::Panic] {
            script.next(turn, 1);
            let _ = work(t).await;
        }
        script.next(Turn::Long(MILLISECOND), 1);
        {
            let call = std::pin::pin!(work(t));
            assert!(futures::poll!(call).is_pending());
            assert_eq!(exposed(t).value("callboard_messages_in_flight", &[("module", "press")]), Some(1.0));
        }
        t.advance(MILLISECOND).await;
        // Of a call that nobody waited for something may be left.
        script.clear();
        script.next(Turn::Long(2 * MILLISECOND), 1);
        system.call("press.work", 1).timeout(MILLISECOND).await.unwrap_err();
        system.operations().set_breaker_mode("press.work", BreakerMode::ForcedOpen).unwrap();
        work(t).await.unwrap_err();
        system.call("press.wrok", 1).await.unwrap_err();

        let read = exposed(t);
        let outcome = |outcome| {
            let labels = [("module", "press"), ("operation", "press.work"), ("outcome", outcome)];
            read.value("callboard_api_calls_total", &labels).unwrap()
        };
        let outcomes = ["succeeded", "permanent", "transient", "unknown", "abandoned", "rejected"];
        assert_eq!(outcomes.map(outcome), [2.0, 2.0, 1.0, 1.0, 1.0, 1.0]);
        let calls = read.family("callboard_api_calls_total").unwrap();
        assert_eq!(calls.sum(), 8.0, "and none of `press.other`");
        let whole = |name| read.value(name, &[]).unwrap();
        assert_eq!((whole("callboard_messages_sent_total"), whole("callboard_messages_processed_total")), (7.0, 2.0));
        assert_eq!(whole("callboard_messages_rejected_total"), 2.0);
        assert_eq!((whole("callboard_restarts_total"), whole("callboard_audit_records_total")), (1.0, 1.0));
        t.shutdown().await;
    });
}

/// F-MET-13: of three timed calls two took no time and one 8 ms; the bounds are ends of buckets.
#[test]
fn durations_are_exposed_as_a_histogram() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        assert!(exposed(t).family("callboard_api_call_duration_seconds").is_none(), "none was timed yet");
        for turn in [Turn::Well, Turn::Wrong, Turn::Long(8 * MILLISECOND)] {
            script.next(turn, 1);
            let _ = work(t).await;
        }
        let read = exposed(t);
        let value = |suffix: &str, more: Option<&'static str>| {
            let name = format!("callboard_api_call_duration_seconds{suffix}");
            let mut labels = vec![("module", "press"), ("operation", "press.work")];
            labels.extend(more.map(|bound| ("le", bound)));
            read.value(&name, &labels)
        };
        let within = ["0.000004095", "0.004194303", "0.016777215", "68.719476735", "+Inf"];
        let counts = within.map(|bound| value("_bucket", Some(bound)));
        assert_eq!(counts, [Some(2.0), Some(2.0), Some(3.0), Some(3.0), Some(3.0)]);
        assert_eq!((value("_sum", None), value("_count", None)), (Some(0.008), Some(3.0)));
        t.shutdown().await;
    });
}

/// F-MET-13: what the breaker of an operation is like: in one state, with its shares where there are any.
#[test]
fn breakers_are_exposed_by_their_states() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let rate = Trip::Rate { percent: 60, window: Window::Count(10), minimum: 2 };
        let _press = press(t, &script, CallSettings::new().breaker(BreakerRules::tripping_on([rate]))).await;
        for turn in [Turn::Well, Turn::Busy] {
            script.next(turn, 1);
            let _ = work(t).await;
        }
        let of_work = [("operation", "press.work")];
        let state = |state| exposed(t).value("callboard_circuit_breaker_state", &[of_work[0], ("state", state)]);
        assert_eq!((state("closed"), state("open")), (Some(1.0), Some(0.0)));
        assert_eq!(exposed(t).value("callboard_circuit_breaker_failure_ratio", &of_work), Some(0.5));
        assert_eq!(exposed(t).value("callboard_circuit_breaker_slow_ratio", &of_work), None, "there is no such rule");
        script.next(Turn::Busy, 1);
        work(t).await.unwrap_err();
        work(t).await.unwrap_err();
        assert_eq!((state("closed"), state("open")), (Some(0.0), Some(1.0)));
        assert_eq!(exposed(t).value("callboard_circuit_breaker_transitions_total", &of_work), Some(1.0));
        assert_eq!(exposed(t).value("callboard_circuit_breaker_rejected_total", &of_work), Some(1.0));
        assert_eq!(exposed(t).value("callboard_circuit_breaker_failure_ratio", &of_work), None, "it is not closed");
        t.shutdown().await;
    });
}

/// F-MET-13: the budget allows ten retries at once, and one more for every five calls but the first: 13 of 20.
#[test]
fn retries_are_exposed() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let once = RetryPolicy::builder().max_retries(1).jitter(Jitter::None).build().unwrap();
        let _press = press(t, &script, CallSettings::new().retry(once).no_breaker()).await;
        script.next(Turn::Busy, 1_000);
        for _ in 0..20 {
            work(t).await.unwrap_err();
        }
        let (read, of_work) = (exposed(t), [("module", "press"), ("operation", "press.work")]);
        assert_eq!(read.value("callboard_retries_total", &of_work), Some(13.0));
        assert_eq!(read.value("callboard_retry_budget_exhausted_total", &of_work), Some(7.0));
        let states = &read.family("callboard_circuit_breaker_state").unwrap().series;
        let is_other = states.iter().all(|series| series.labels["operation"] == "press.other");
        assert!(is_other, "the only one that has a breaker");
        t.shutdown().await;
    });
}

/// F-MET-13: a module that goes takes its series along; what was summed up stays.
#[test]
fn what_goes_takes_its_series_along() {
    TestSystem::run(async |t| {
        let press = press(t, &Script::default(), CallSettings::new()).await;
        work(t).await.unwrap();
        assert!(exposed(t).family("callboard_api_calls_total").is_some());
        press.unregister().await.unwrap();
        t.settle().await;
        let read = exposed(t);
        assert!(read.family("callboard_api_calls_total").is_none());
        assert_eq!(read.value("callboard_messages_processed_total", &[]), Some(1.0));
        t.shutdown().await;
    });
}

/// F-MET-13: what waits, by where it does and by priority: as much as in the view by priority.
#[test]
fn queues_are_exposed_by_their_owners() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        system.channel("c").create().await.unwrap();
        let [module, actor] = ["module", "actor"].map(|name| t.spawn(child(name, heard.listener())));
        let _registered = Manifest::new("lab", "1.0.0").register(&module).await.unwrap();
        let mut held = Vec::new();
        for (listener, name) in [(&module, "to_module"), (&actor, "to_actor")] {
            let (go, hold) = oneshot::channel();
            listener.tell(Hold(hold)).await.unwrap();
            let plain = system.subscribe(name, listener.recipient()).await.unwrap();
            held.push((go, plain));
        }
        let _on_c = system.subscribe("*", actor.recipient()).on_channel("c").await.unwrap();
        t.settle().await;
        for _ in 0..3 {
            system.publish("to_module", Value::Null).await.unwrap();
            system.publish("on_c", Value::Null).channel("c").await.unwrap();
            t.settle().await;
        }
        system.publish("to_actor", Value::Null).await.unwrap();
        let waits = |channel, module| {
            let labels = [("channel", channel), ("module", module), ("priority", "normal")];
            exposed(t).value("callboard_queue_depth", &labels)
        };
        assert_eq!((waits("c", ""), waits("", "lab")), (Some(2.0), Some(3.0)));
        assert_eq!(waits("", ""), Some(2.0), "one by itself, and the first on the channel");
        let sum = exposed(t).family("callboard_queue_depth").unwrap().sum();
        assert_eq!(sum, system.monitoring().queue_status().total() as f64);
        assert_eq!(exposed(t).value("callboard_event_store_events", &[("store", "memory")]), Some(7.0));
        drop(held);
        t.shutdown().await;
    });
}

/// F-MET-13: a family has at most 1,000 series, and nothing is lost from it.
#[test]
fn what_is_too_many_is_other() {
    TestSystem::run(async |t| {
        let probe = t.probe::<Event>();
        let mut subscriptions = Vec::new();
        for number in 0..250 {
            let channel = format!("c-{number:03}");
            t.system().channel(&channel).create().await.unwrap();
            subscriptions.push(t.system().subscribe("a", probe.recipient()).on_channel(&channel).await.unwrap());
            t.system().publish("a", Value::Null).channel(&channel).await.unwrap();
        }
        let read = exposed(t);
        let depths = read.family("callboard_queue_depth").unwrap();
        let rest = [("channel", "other"), ("module", "other"), ("priority", "normal")];
        assert_eq!(depths.series.len(), 1_000);
        assert!(read.value("callboard_queue_depth", &rest) > Some(0.0));
        assert_eq!(depths.sum(), t.system().monitoring().queue_status().total() as f64);
        t.shutdown().await;
    });
}

/// F-MET-13: workflows are there where somebody says how many there are.
#[test]
fn workflows_are_exposed_where_there_are_some() {
    TestSystem::run(async |t| {
        let started = |read: &Exposed| read.value("callboard_workflows_started_total", &[]);
        assert_eq!(started(&exposed(t)), None);
        Monitoring::set_workflows(t.system(), Three);
        let read = exposed(t);
        assert_eq!((started(&read), read.value("callboard_workflows_active", &[])), (Some(3.0), Some(1.0)));
        let finished = |outcome| read.value("callboard_workflows_finished_total", &[("outcome", outcome)]);
        assert_eq!((finished("completed"), finished("failed")), (Some(1.0), Some(1.0)));
        t.shutdown().await;
    });
}
