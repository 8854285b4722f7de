//! F-CFG-01 to F-CFG-17: what the configuration says is done, from the start on and as soon as it changes; what is said nearer goes
//! over it; and every change is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{BreakerState, ErrorCode, StartError, System};
use callboard_bus::config::{Config, LiveConfig, Profile};
use callboard_bus::discovery::{DiscoveryQuery, Permissions};
use callboard_bus::monitoring::{Component, Level, MonitoringExt};
use callboard_bus::retry::Jitter;
use callboard_bus::{
    AuditExt, AuditRecord, AuditSink, BuilderConfigExt, CallSettings, ConfigExt, EventsExt, JobsExt, ModulesExt,
    OperationsExt, Operator, PublishError, RetryPolicy, Value, from_value,
};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::log_lines::Log;
use crate::module_kit::{Seen, found};
use crate::trouble::{Script, Turn, press, work};

const SECOND: Duration = Duration::from_secs(1);
/// Retries would blur what breakers and time-outs do.
const ONCE: (&str, &str) = ("CALLBOARD_RETRY__MAX_RETRIES", "0");

fn loaded(profile: Profile, variables: &[(&str, &str)]) -> LiveConfig {
    let loader = Config::load().profile(profile).environment(variables.iter().copied());
    LiveConfig::new(loader.finish().unwrap())
}

/// A test in a system that has this configuration from the start.
fn configured(live: &LiveConfig, test: impl AsyncFnOnce(&TestSystem)) {
    TestSystem::run_with(System::builder().config(live.clone()), async |t| {
        test(t).await;
        t.shutdown().await;
    });
}

fn state(t: &TestSystem) -> Option<BreakerState> {
    t.system().operations().status("press.work").unwrap().breaker
}

/// F-CFG-03, F-CFG-17: an ask and a call that name no time have that of the configuration; who names one, or whose message
/// does, has another.
#[test]
fn a_message_has_its_time() {
    let live = loaded(Profile::Base, &[("MESSAGE_TIMEOUT_SECONDS", "7"), ONCE]);
    configured(&live, async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new().no_breaker()).await;
        let (adder, _adder) = found(t.system(), "1.0.0", 1).await;
        let takes = async |expected: Duration| {
            script.next(Turn::Long(60 * SECOND), 1);
            let began = t.now();
            assert_eq!(work(t).await.unwrap_err().code(), ErrorCode::Timeout);
            assert_eq!(t.now() - began, expected);
            t.advance(60 * SECOND).await;
        };
        takes(7 * SECOND).await;
        live.set("bus.message_timeout", "3s").unwrap();
        takes(3 * SECOND).await;
        let asked = adder.ask(crate::module_kit::Rest { seconds: 60 });
        let began = t.now();
        asked.await.unwrap_err();
        assert_eq!(t.now() - began, 3 * SECOND);
        t.advance(60 * SECOND).await;
        let seen = async || from_value::<Seen>(&t.system().call("adder.look", json!({})).await.unwrap()).unwrap();
        assert_eq!(seen().await.seconds, Some(3600), "its message says so");
        t.system().operations().set(CallSettings::new().timeout(5 * SECOND)).unwrap();
        takes(5 * SECOND).await;
    });
}

/// F-CFG-02, F-CFG-17: so many calls from outside are under way at once as it says, from the start on and whenever that changes.
#[test]
fn so_many_calls_are_let_in() {
    let live = loaded(Profile::Base, &[("MAX_CONCURRENT_MESSAGES", "2")]);
    configured(&live, async |t| {
        let limit = || t.system().operations().concurrency().limit;
        assert_eq!(limit(), 2);
        live.set("bus.max_concurrent_messages", "50").unwrap();
        assert_eq!(limit(), 50);
        live.set("bus.max_concurrent_messages", "0").unwrap_err();
        assert_eq!(limit(), 50);
    });
}

/// F-CFG-03: with retries too, the time is for all attempts.
#[test]
fn the_time_is_for_all_attempts() {
    let live = loaded(Profile::Base, &[("MESSAGE_TIMEOUT_SECONDS", "5"), ("CALLBOARD_RETRY__JITTER", "none")]);
    configured(&live, async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        script.next(Turn::Busy, 9);
        let began = t.now();
        assert_eq!(work(t).await.unwrap_err().attempts(), 3);
        assert_eq!(t.now() - began, 3 * SECOND, "the fourth would begin after 7 s");
    });
}

/// F-CFG-04, F-CB-04: on the fifth failure in a row and not on the fourth, a success in between begins the count anew; a
/// change holds for the next call; 0 is no threshold.
#[test]
fn a_breaker_opens_after_as_many_failures_as_the_configuration_says() {
    let live = loaded(Profile::Base, &[("CIRCUIT_BREAKER_FAILURE_THRESHOLD", "5"), ONCE]);
    configured(&live, async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        script.next(Turn::Busy, 4);
        script.next(Turn::Well, 1);
        script.next(Turn::Busy, 4);
        for _ in 0..9 {
            let _ = work(t).await;
            assert_eq!(state(t), Some(BreakerState::Closed));
        }
        script.next(Turn::Busy, 1);
        work(t).await.unwrap_err();
        assert_eq!(state(t), Some(BreakerState::Open));

        live.set("circuit_breaker.failure_threshold", 2).unwrap();
        assert_eq!(state(t), Some(BreakerState::Closed), "by other rules it begins anew");
        script.next(Turn::Busy, 2);
        work(t).await.unwrap_err();
        assert_eq!(state(t), Some(BreakerState::Closed));
        work(t).await.unwrap_err();
        assert_eq!(state(t), Some(BreakerState::Open));
    });
    let none = Config::load().environment([("CIRCUIT_BREAKER_FAILURE_THRESHOLD", "0")]).finish().unwrap_err();
    assert_eq!(none.code(), ErrorCode::InvalidConfig);
    assert_eq!(live.set("circuit_breaker.failure_threshold", 0).unwrap_err().code(), ErrorCode::InvalidConfig);
}

/// F-CFG-14, F-CB-05: of the enhanced profile: on the tenth, and the first probe after 30 s and not after 29.9 s.
#[test]
fn the_enhanced_profile_is_more_patient() {
    configured(&loaded(Profile::Enhanced, &[ONCE]), async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        script.next(Turn::Busy, 10);
        for _ in 0..9 {
            work(t).await.unwrap_err();
        }
        assert_eq!(state(t), Some(BreakerState::Closed));
        work(t).await.unwrap_err();
        assert_eq!(state(t), Some(BreakerState::Open));
        t.advance(Duration::from_millis(29_900)).await;
        let refused = work(t).await.unwrap_err();
        assert_eq!((refused.code(), script.calls()), (ErrorCode::CircuitOpen, 10));
        t.advance(Duration::from_millis(100)).await;
        work(t).await.unwrap();
        assert_eq!((state(t), script.calls()), (Some(BreakerState::Closed), 11));
    });
}

/// F-CFG-14: the base column has 30 s too, and another time holds for who sets it.
#[test]
fn a_breaker_stays_open_as_long_as_the_configuration_says() {
    let live = loaded(Profile::Base, &[ONCE]);
    live.set("circuit_breaker.recovery_timeout", "400s").unwrap();
    configured(&live, async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        script.next(Turn::Busy, 5);
        for _ in 0..5 {
            work(t).await.unwrap_err();
        }
        assert_eq!(work(t).await.unwrap_err().retry_after(), Some(400 * SECOND));
    });
}

/// F-CFG-13, F-RTY-02: 500, 750, 1125, 1687.5 and 2531.25 ms after the first attempt and then after each other, to the
/// millisecond in which a timer goes off.
#[test]
fn calls_are_tried_again_as_the_profile_says() {
    let live = loaded(Profile::Enhanced, &[("CALLBOARD_RETRY__JITTER", "none")]);
    configured(&live, async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        script.next(Turn::Busy, 6);
        let began = t.now();
        let job = t.system().jobs().start(t.system().call("press.work", 1)).unwrap();
        let mut due = Duration::ZERO;
        for (made, delay) in (1..).zip([500.0, 750.0, 1125.0, 1687.5, 2531.25]) {
            due += Duration::from_secs_f64(delay / 1000.0);
            t.advance(began + due - 2 * MILLISECOND - t.now()).await;
            assert_eq!(script.calls(), made, "before {due:?}");
            t.advance(began + due + 8 * MILLISECOND - t.now()).await;
            assert_eq!(script.calls(), made + 1, "after {due:?}");
        }
        assert_eq!(job.ended().await.as_str(), "failed");
        live.set("retry.max_retries", 0).unwrap();
        script.next(Turn::Busy, 1);
        assert_eq!((work(t).await.unwrap_err().attempts(), script.calls()), (1, 7));
    });
}

const MILLISECOND: Duration = Duration::from_millis(1);

/// F-CFG-13, F-RTY-01: of the base profile 3 retries after 1, 2 and 4 s.
#[test]
fn the_base_profile_tries_again_three_times() {
    let live = loaded(Profile::Base, &[("CALLBOARD_RETRY__JITTER", "none")]);
    configured(&live, async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        script.next(Turn::Busy, 4);
        let began = t.now();
        assert_eq!(work(t).await.unwrap_err().attempts(), 4);
        assert_eq!(t.now() - began, 7 * SECOND);
    });
}

/// F-CFG-05, F-CFG-06, F-CFG-17: the cache and the limit of an answer.
#[test]
fn discovery_is_as_the_configuration_says() {
    let live = loaded(Profile::Base, &[("DISCOVERY_CACHE_TTL_SECONDS", "60"), ("MAX_DISCOVERY_RESULTS", "2")]);
    configured(&live, async |t| {
        let (_adder, _registration) = found(t.system(), "1.0.0", 1).await;
        let modules = t.system().modules();
        let find = || modules.discover(&DiscoveryQuery::default(), &Permissions::default());
        let hits = || modules.discovery_status().cache.hits;
        assert_eq!((find().found.len(), find().truncated, hits()), (2, true, 1));
        t.advance(59 * SECOND).await;
        find();
        assert_eq!(hits(), 2);
        t.advance(SECOND).await;
        find();
        assert_eq!(hits(), 2, "it was too old");
        live.set("discovery.max_results", 5).unwrap();
        assert_eq!(find().found.len(), 5);
        let one = || modules.discover(&DiscoveryQuery::default().name("adder"), &Permissions::default());
        live.set("discovery.cache_size", 1).unwrap();
        (0..2).for_each(|_| drop((find(), one())));
        assert_eq!((hits(), modules.discovery_status().cache.entries), (0, 1), "there is room for one");
        live.set("discovery.cache_size", 2).unwrap();
        (0..2).for_each(|_| drop((find(), one())));
        assert_eq!((hits(), modules.discovery_status().cache.entries), (2, 2));
        live.set("discovery.cache_ttl", 0).unwrap();
        find();
        find();
        assert_eq!(hits(), 0, "nothing is kept");
    });
}

/// F-CFG-09, F-CFG-17: 1,000, of the enhanced profile 2,000, and what is set.
#[test]
fn so_many_events_are_remembered_as_the_configuration_says() {
    for (profile, expected) in [(Profile::Base, 1000), (Profile::Enhanced, 2000)] {
        let live = loaded(profile, &[]);
        configured(&live, async |t| {
            for number in 0..2100 {
                t.system().publish("a", number).await.unwrap();
            }
            let kept = || t.system().events().history().list().len();
            assert_eq!(kept(), expected);
            live.set("events.max_history", 3).unwrap();
            assert_eq!(kept(), 3);
        });
    }
}

/// F-CFG-10, F-CFG-17: one more than may be is `busy`.
#[test]
fn so_many_messages_wait_as_the_configuration_says() {
    let live = loaded(Profile::Base, &[("CALLBOARD_BUS__MAX_MESSAGE_QUEUE_SIZE", "2")]);
    configured(&live, async |t| {
        let gate = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&gate);
        t.system().channel("c").create().await.unwrap();
        let listen = move |_| {
            let held = Arc::clone(&held);
            async move { held.acquire().await.map(|permit| permit.forget()).map_err(Into::into) }
        };
        let _subscription = t.system().subscribe_fn(">", listen).on_channel("c").await.unwrap();
        let publish = async || t.system().publish("a", Value::Null).channel("c").await;
        publish().await.unwrap();
        publish().await.unwrap();
        let full = publish().await.unwrap_err();
        assert_eq!(full, PublishError::SystemFull { channel: "c".into(), limit: 2 });
        assert_eq!(full.code(), ErrorCode::Busy);
        live.set("bus.max_message_queue_size", 3).unwrap();
        publish().await.unwrap();
        assert_eq!((publish().await.unwrap_err().code(), t.system().channels().queued()), (ErrorCode::Busy, 3));
        gate.add_permits(3);
    });
}

/// F-CFG-11, F-CFG-17, F-BUS-20: what has expired is swept up every 100 ms, of the enhanced profile every 50 ms, and as often as is
/// set from then on.
#[test]
fn so_often_is_swept_up_as_the_configuration_says() {
    for (profile, after_60_ms) in [(Profile::Base, 1), (Profile::Enhanced, 0)] {
        let live = loaded(profile, &[]);
        configured(&live, async |t| {
            let (channels, gate) = (t.system().channels(), Arc::new(Semaphore::new(0)));
            t.system().channel("c").create().await.unwrap();
            let (held, busy) = (Arc::clone(&gate), channels.clone());
            let listen = move |_| {
                let held = Arc::clone(&held);
                async move { held.acquire().await.map(|permit| permit.forget()).map_err(Into::into) }
            };
            let _subscription = t.system().subscribe_fn(">", listen).on_channel("c").await.unwrap();
            t.system().publish("in_hand", Value::Null).channel("c").await.unwrap();
            let expired = || busy.queued() - 1;
            let publish = async || {
                let event = t.system().publish("short", Value::Null).channel("c").ttl(10 * MILLISECOND);
                event.await.unwrap();
            };
            t.settle().await;
            publish().await;
            t.advance(60 * MILLISECOND - t.now()).await;
            assert_eq!(expired(), after_60_ms, "{profile}");
            t.advance(60 * MILLISECOND).await;
            assert_eq!(expired(), 0, "{profile}");
            live.set("bus.processor_interval", "10s").unwrap();
            t.settle().await;
            publish().await;
            t.advance(9 * SECOND).await;
            assert_eq!(expired(), 1);
            t.advance(2 * SECOND).await;
            assert_eq!(expired(), 0);
            gate.add_permits(1);
        });
    }
}

/// F-CFG-12, F-CFG-17, F-API-08: off, calls are written down by nobody; on, by a line at the start and one at the end.
#[test]
fn calls_are_written_down_where_the_configuration_says() {
    let log = Log::default();
    let live = loaded(Profile::Base, &[ONCE]);
    log.during(|| {
        configured(&live, async |t| {
            let _press = press(t, &Script::default(), CallSettings::new()).await;
            work(t).await.unwrap();
            assert_eq!(log.about("callboard::call"), Vec::<String>::new());
            live.set("tracing.enabled", true).unwrap();
            let pipeline = t.system().operations().pipeline("press.work").unwrap();
            assert_eq!(pipeline.steps()[0], format!("{} $tracing (all calls)", i32::MIN));
            work(t).await.unwrap();
            assert_eq!(log.about("callboard::call").len(), 2);
            live.set("tracing.enabled", false).unwrap();
            work(t).await.unwrap();
            assert_eq!(log.about("callboard::call").len(), 2);
        });
    });
    assert_eq!(Profile::ALL.map(|profile| profile.config().tracing.enabled), [false, true, false, false]);
}

/// F-API-05, F-RTY-05: what the configuration says holds where neither the call nor its operation, nor its module, nor
/// anybody in code says otherwise; each setting by itself.
#[test]
fn the_configuration_has_the_last_word_of_all() {
    let live = loaded(Profile::Base, &[("CALLBOARD_RETRY__MAX_RETRIES", "2"), ("CALLBOARD_RETRY__JITTER", "none")]);
    live.set("bus.message_timeout", "1000s").unwrap();
    live.set("circuit_breaker.failure_threshold", 1000).unwrap();
    configured(&live, async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        let operations = t.system().operations();
        let times = |retries| RetryPolicy::builder().max_retries(retries).jitter(Jitter::None).build().unwrap();
        let attempts = async || {
            script.next(Turn::Busy, 10);
            let before = script.calls();
            work(t).await.unwrap_err();
            script.clear();
            script.calls() - before
        };
        assert_eq!(attempts().await, 3);
        operations.set(CallSettings::new().timeout(500 * SECOND)).unwrap();
        assert_eq!(attempts().await, 3, "nothing is said of retries");
        operations.set(CallSettings::new().retry(times(1))).unwrap();
        assert_eq!(attempts().await, 2);
        live.set("retry.max_retries", 9).unwrap();
        assert_eq!(attempts().await, 2);
        operations.set_of_module("press", CallSettings::new().retry(times(2))).unwrap();
        assert_eq!(attempts().await, 3);
        operations.set_of_operation("press.work", CallSettings::new().retry(times(1)).no_breaker()).unwrap();
        assert_eq!(attempts().await, 2);
        assert_eq!(state(t), None, "what is said of one operation goes over the configured breaker");
        script.next(Turn::Busy, 10);
        let once = t.system().call("press.work", 1).retry(RetryPolicy::none()).await.unwrap_err();
        assert_eq!(once.attempts(), 1);
    });
}

/// Hears of each record, and makes another change when it hears of one to 7.
struct Sink(LiveConfig, Mutex<Vec<AuditRecord>>);

impl AuditSink for Sink {
    fn record(&self, record: &AuditRecord) {
        self.1.lock().unwrap().push(record.clone());
        if record.to.as_deref() == Some("7") {
            self.0.set("events.max_history", 70).unwrap();
        }
    }
}

/// F-CFG-17: with who did it, what, from what, to what, in the order of the changes, in the one audit that there is; what changes
/// nothing is not told.
#[test]
fn every_change_is_told() {
    let (live, log) = (loaded(Profile::Base, &[]), Log::default());
    configured(&live, async |t| {
        let audit = t.system().audit();
        let sink = Arc::new(Sink(live.clone(), Mutex::default()));
        audit.add_sink(Arc::clone(&sink) as _);
        log.during(|| {
            live.set_by("Ada", "retry.max_retries", 7).unwrap();
            live.set("retry.max_retries", 7).unwrap();
            live.set("retry.max_retries", "many").unwrap_err();
            live.set_by(&Operator::new("ann"), "discovery.cache_ttl", "1m").unwrap();
        });
        let told: Vec<_> = audit.list().iter().map(|record| serde_json::to_value(record).unwrap()).collect();
        let changes = [
            ("Ada", "retry.max_retries", "3", "7"),
            ("system", "events.max_history", "1000", "70"),
            ("ann", "discovery.cache_ttl", "5m", "1m"),
        ];
        for (told, (by, target, from, to)) in told.iter().zip(changes) {
            let at = &told["at"];
            let expected = json!({
                "at": at, "kind": "configuration", "act": "set", "target": target, "by": by, "from": from, "to": to,
            });
            assert_eq!(*told, expected);
        }
        assert_eq!((told.len(), audit.total()), (3, 3));
        assert_eq!(*sink.1.lock().unwrap(), audit.list());
    });
    let lines = log.about("callboard::config");
    assert_eq!(lines.len(), 3, "{lines:?}");
    let first = r#"a setting has changed key="retry.max_retries" old="3" new="7" by="Ada""#;
    assert!(lines[0].contains("INFO") && lines[0].contains(first), "{}", lines[0]);
}

/// F-CFG-17: a whole configuration that takes the place of another is written down by what it changes, with passwords hidden.
#[test]
fn what_another_configuration_changes_is_written_down() {
    TestSystem::run(async |t| {
        let given = [("REDIS_URL", "redis://ada:sesame@localhost:6379"), ("MESSAGE_TIMEOUT_SECONDS", "9")];
        t.system().configure(loaded(Profile::Base, &given)).unwrap();
        let told: Vec<_> = t.system().audit().list().iter().map(|record| record.target.clone()).collect();
        assert_eq!(told, ["bus.message_timeout", "store.redis_url"]);
        let text = serde_json::to_string(&t.system().audit().list()).unwrap();
        assert!(text.contains(r#""from":"30s","to":"9s""#) && !text.contains("sesame"), "{text}");
        t.shutdown().await;
    });
}

/// F-CFG-17: what counts at the start alone cannot be another one later; nothing of the other configuration is heeded then.
#[test]
fn another_configuration_takes_over_unless_it_comes_too_late() {
    let first = loaded(Profile::Base, &[]);
    configured(&first, async |t| {
        let system = t.system();
        let late =
            loaded(Profile::Production, &[("MESSAGE_TIMEOUT_SECONDS", "9"), ("REDIS_URL", "redis://localhost:6379")]);
        let error = system.configure(late).unwrap_err();
        let keys: Vec<_> = error.problems().iter().map(|problem| problem.key.clone().unwrap()).collect();
        let expected = ["security.default_token_expiration", "security.require_authentication", "store.redis_url"];
        assert_eq!((error.code(), keys), (ErrorCode::InvalidConfig, expected.map(String::from).to_vec()));
        assert!(error.to_string().contains("comes too late"), "{error}");
        assert_eq!(system.ask_timeout(), 30 * SECOND);

        let second = loaded(Profile::Base, &[("MESSAGE_TIMEOUT_SECONDS", "9")]);
        system.events().keep_history(5);
        system.configure(second.clone()).unwrap();
        assert_eq!(system.ask_timeout(), 9 * SECOND);
        system.publish("a", Value::Null).await.unwrap();
        first.set("bus.message_timeout", "1s").unwrap();
        assert_eq!(
            (system.ask_timeout(), system.config().unwrap().current().bus.message_timeout),
            (9 * SECOND, 9 * SECOND)
        );
        second.set("bus.message_timeout", "2s").unwrap();
        assert_eq!(system.ask_timeout(), 2 * SECOND);
    });
    assert!(first.set("bus.message_timeout", "3s").is_ok(), "nobody has to be there to heed it");
}

/// F-CFG-01, F-CFG-07, F-CFG-15: who says a setting that nothing heeds is told so, once at the start: which, what value, where it is
/// from, and what would heed it; and it is in the status. A password is nowhere.
#[test]
fn what_nothing_heeds_yet_is_told() {
    let (log, variables) = (
        Log::default(),
        [
            ("REDIS_URL", "redis://ada:sesame@localhost:6379"),
            ("EVENT_STORE_MAX_EVENTS", "500"),
            ("CALLBOARD_SECURITY__ALLOWED_MODULES", "LabRunner"),
        ],
    );
    let live = loaded(Profile::Production, &variables);
    let status = log.during(|| {
        let mut status = None;
        configured(&live, async |t| {
            live.set("retry.max_retries", 5).unwrap();
            status = Some((t.system().monitoring().status().await, t.system().unheeded()));
        });
        status.unwrap()
    });
    let expected = [
        ("events.store_max_events", "500", "EVENT_STORE_MAX_EVENTS", "a durable store of events"),
        (
            "security.allowed_modules",
            "LabRunner",
            "CALLBOARD_SECURITY__ALLOWED_MODULES",
            "tokens, and a gate that reads them",
        ),
        ("security.require_authentication", "true", "profile production", "tokens, and a gate that reads them"),
        ("store.redis_url", "redis://", "REDIS_URL", "a store in Redis"),
    ];
    let lines: Vec<_> = log.about("callboard::config").into_iter().filter(|line| line.contains("WARN")).collect();
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    let (status, unheeded) = status;
    for ((line, setting), (key, value, source, by)) in lines.iter().zip(&unheeded).zip(expected) {
        let said = [format!("key=\"{key}\""), format!("value=\"{value}"), source.to_owned(), format!("by=\"{by}\"")];
        assert!(said.iter().all(|said| line.contains(said)), "{line}");
        assert!(line.contains("nothing in this system heeds the setting"), "{line}");
        assert_eq!((setting.key, setting.by), (key, by));
        assert!(setting.value.starts_with(value) && setting.source.to_string().contains(source), "{setting:?}");
    }
    let text = status.to_string();
    assert!(text.contains("nothing heeds the setting store.redis_url = redis://"), "{text}");
    assert!(text.contains("leave it out, or add what heeds it: a store in Redis"), "{text}");
    assert_eq!(status.health_of(Component::Configuration), Level::Healthy);
    assert!(!text.contains("sesame") && !format!("{lines:?}{unheeded:?}").contains("sesame"), "{lines:#?}");
    let quiet = Log::default();
    quiet.during(|| {
        configured(&loaded(Profile::Base, &[ONCE]), async |t| assert_eq!(t.system().unheeded(), []));
    });
    assert_eq!(quiet.about("callboard::config"), Vec::<String>::new());
}

/// A configuration that was made in code is checked as any other.
#[test]
fn a_configuration_may_be_made_in_code() {
    let mut config = Config::default();
    config.bus.message_timeout = 4 * SECOND;
    let loaded = config.clone().checked().unwrap();
    TestSystem::run_with(System::builder().config(loaded), async |t| {
        assert_eq!(t.system().ask_timeout(), 4 * SECOND);
        t.shutdown().await;
    });
    config.retry.factor = f64::NAN;
    assert_eq!(config.checked().unwrap_err().code(), ErrorCode::InvalidConfig);
    assert!(matches!(System::builder().workers(0).check(), Err(StartError::Invalid(_))));
}
