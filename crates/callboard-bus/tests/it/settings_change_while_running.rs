//! Settings that may change while the system runs do so at once, for everybody, and in the books.

use std::sync::Arc;
use std::thread;

use callboard_actor::{ErrorCode, block_on};
use callboard_bus::config::{Config, ConfigChange, LiveConfig, Profile};
use futures::FutureExt;

fn live() -> LiveConfig {
    LiveConfig::new(Config::load().profile(Profile::Enhanced).finish().unwrap())
}

fn source(live: &LiveConfig, key: &str) -> String {
    live.settings().into_iter().find(|setting| setting.key == key).unwrap().source.to_string()
}

/// F-CFG-17: concurrency, thresholds, cache sizes, interval, tracing; each change says old and new for the audit.
#[test]
fn what_may_change_changes_and_says_from_what_to_what() {
    let live = live();
    let table = [
        ("bus.max_concurrent_messages", "50", "1000", "50"),
        ("circuit_breaker.failure_threshold", "3", "10", "3"),
        ("circuit_breaker.recovery_timeout", "10", "30s", "10s"),
        ("discovery.cache_ttl", "1m", "5m", "1m"),
        ("events.max_history", "20", "2000", "20"),
        ("events.store_max_events", "200", "10000", "200"),
        ("bus.processor_interval", "10", "50ms", "10ms"),
        ("tracing.enabled", "true", "false", "true"),
    ];
    for (key, words, old, new) in table {
        let ConfigChange { key: changed, old: was, new: is, .. } = live.set(key, words).unwrap();
        assert_eq!((changed, &*was, &*is), (key, old, new));
        assert_eq!(source(&live, key), "set at run time");
    }
    let config = live.current();
    assert_eq!((config.bus.max_concurrent_messages, config.tracing.enabled), (50, true));
    let change = live.set("retry.max_retries", 6).unwrap();
    let json = serde_json::to_value(&change).unwrap();
    assert_eq!(json, serde_json::json!({ "key": "retry.max_retries", "old": "5", "new": "6" }));
}

/// F-CFG-17
#[test]
fn what_may_not_change_is_refused_and_nothing_is_changed() {
    let live = live();
    let before = live.current();
    let too_late = [
        ("store.redis_url", "redis://:secret@localhost"),
        ("security.require_authentication", "false"),
        ("security.allowed_modules", "a"),
        ("security.default_token_expiration", "5"),
    ];
    for (key, words) in too_late {
        let refused = live.set(key, words).unwrap_err();
        let text = refused.to_string();
        assert!(text.contains(key) && !text.contains("secret"), "{text}");
        let end = "comes too late: the setting cannot change while the system runs; set it and start anew";
        assert!(text.ends_with(end), "{text}");
    }
    let wrong = [
        ("bus.max_concurrent_messages", "0", "`0` is out of range; allowed: a whole number from 1 to 1000000"),
        ("tracing.enabled", "perhaps", "`perhaps` is neither true nor false; allowed: true, false"),
        ("retry.max_delay", "1ms", "retry.initial_delay: `500ms` is longer than retry.max_delay; allowed: at most 1ms"),
        ("bus.max_concurent_messages", "1", "did you mean `bus.max_concurrent_messages`?"),
    ];
    for (key, words, reason) in wrong {
        let refused = live.set(key, words).unwrap_err();
        assert_eq!((refused.code(), refused.problems().len()), (ErrorCode::InvalidConfig, 1));
        assert!(refused.to_string().contains(reason), "{refused}");
    }
    assert!(Arc::ptr_eq(&before, &live.current()));
}

#[test]
fn a_watch_shows_each_change_once_and_ends_with_the_last_handle() {
    block_on(async {
        let live = live();
        let (mut early, other) = (live.watch(), live.clone());
        assert!(early.changed().now_or_never().is_none(), "nothing has changed");
        live.set("retry.max_retries", 5).unwrap();
        assert!(early.changed().now_or_never().is_none(), "it was so already");

        other.set("retry.max_retries", 6).unwrap();
        other.set("retry.max_retries", 7).unwrap();
        let mut late = live.watch();
        assert_eq!(early.changed().await.unwrap().retry.max_retries, 7, "the last one of both");
        assert!(early.changed().now_or_never().is_none());
        assert!(late.changed().now_or_never().is_none(), "it was so when the watch began");

        drop((live, other));
        assert_eq!(early.changed().await, None);
        assert_eq!(early.current().retry.max_retries, 7);
    });
}

/// Each of the threads owns a setting; were a change built on a state that is no longer the last one, one would be lost.
#[test]
fn changes_from_many_threads_are_all_there() {
    const ROUNDS: u32 = 200;
    let live = live();
    let keys = ["bus.max_concurrent_messages", "discovery.max_results", "events.max_history", "retry.max_retries"];
    let threads = keys.map(|key| {
        let live = live.clone();
        thread::spawn(move || {
            for number in 1..=ROUNDS {
                live.set(key, number).unwrap();
            }
        })
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let Config { bus, discovery, events, retry, .. } = Config::clone(&live.current());
    let found = [bus.max_concurrent_messages, discovery.max_results, events.max_history, retry.max_retries];
    assert_eq!(found, [ROUNDS; 4]);
}
