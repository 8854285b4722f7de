//! How long an actor waits before it is restarted.
//!
//! Promise 7 and the table of defaults: 0 for the first fault in the intensity window, then growing up to a cap, with
//! full jitter.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{ActorRef, ActorState, Backoff, StartError, System, one_for_one};

use crate::puppet::{Act, Diary, Do, Puppet, Script, ms, s};

/// Fails so often, and measures at each fault what a sender is told and how long the actor then really stays away.
async fn delays(t: &TestSystem, actor: &ActorRef<Puppet>, faults: usize) -> Vec<Duration> {
    let mut delays = Vec::new();
    for _ in 0..faults {
        let _ = actor.ask(Do(Act::Fail)).await;
        let told = actor.try_tell(Do(Act::Well)).err().and_then(|error| error.retry_after()).unwrap_or_default();
        if !told.is_zero() {
            // The runtime's timer counts in whole milliseconds.
            t.advance(told.saturating_sub(ms(2))).await;
            assert!(actor.state() == ActorState::BackingOff || told < ms(4), "back before the {told:?} were over");
            t.advance(ms(4)).await;
        }
        t.settle().await;
        assert_eq!(actor.state(), ActorState::Running, "still away after {told:?}");
        delays.push(told);
    }
    delays
}

fn puppet(t: &TestSystem, backoff: Option<Backoff>) -> ActorRef<Puppet> {
    let child = Script::new("a", &Diary::default()).child().intensity(1_000, s(100_000));
    t.spawn(match backoff {
        Some(backoff) => child.backoff(backoff),
        None => child,
    })
}

fn millis(delays: &[Duration]) -> Vec<u128> {
    delays.iter().map(Duration::as_millis).collect()
}

#[test]
fn the_first_is_at_once_and_then_they_double_up_to_the_cap() {
    TestSystem::run(async |t| {
        let a = puppet(t, Some(Backoff::default().without_jitter()));
        let expected = [0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000];
        assert_eq!(millis(&delays(t, &a, 12).await), expected);
        t.shutdown().await;
    });
}

#[test]
fn other_settings_are_heeded() {
    let tripling = Backoff::exponential(s(1), 3.0, s(20)).without_jitter();
    for (backoff, expected) in [
        (Backoff::none(), [0, 0, 0, 0, 0]),
        (Backoff::fixed(s(2)), [0, 2_000, 2_000, 2_000, 2_000]),
        (tripling, [0, 1_000, 3_000, 9_000, 20_000]),
    ] {
        TestSystem::run(async |t| {
            let a = puppet(t, Some(backoff));
            assert_eq!(millis(&delays(t, &a, 5).await), expected);
            t.shutdown().await;
        });
    }
}

#[test]
fn jitter_draws_between_nothing_and_the_full_delay_and_a_seed_draws_the_same_again() {
    let drawn = |seed| {
        TestSystem::run_with(System::builder().seed(seed), async |t| {
            let drawn = delays(t, &puppet(t, None), 9).await;
            t.shutdown().await;
            drawn
        })
    };
    let full = [0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800];
    let mut lowest = 1.0f64;
    let mut highest = 0.0f64;
    for seed in 0..20 {
        let drawn = drawn(seed);
        assert!(drawn[0].is_zero());
        for (drawn, full) in drawn.iter().zip(full).skip(1) {
            let share = drawn.as_secs_f64() * 1_000.0 / f64::from(full);
            assert!((0.0..=1.0).contains(&share), "{drawn:?} of {full} ms");
            (lowest, highest) = (lowest.min(share), highest.max(share));
        }
    }
    assert!(lowest < 0.1 && highest > 0.9, "full jitter uses the whole range, not {lowest} to {highest}");
}

#[test]
fn once_a_fault_has_left_the_window_the_next_is_a_first_one_again() {
    TestSystem::run(async |t| {
        let script = Script::new("a", &Diary::default());
        let a = t.spawn(script.child().intensity(5, s(30)).backoff(Backoff::fixed(s(3))));
        assert_eq!(millis(&delays(t, &a, 2).await), [0, 3_000]);
        t.advance(s(30)).await;
        assert_eq!(millis(&delays(t, &a, 2).await), [0, 3_000]);
        t.shutdown().await;
    });
}

#[test]
fn settings_that_cannot_work_are_refused_wherever_a_supervisor_is_started() {
    TestSystem::run(async |t| {
        let shrinking = || one_for_one().backoff(Backoff::exponential(s(1), 0.5, s(30)));
        let outer = t.system().supervise(one_for_one()).await.unwrap();
        for refused in [t.system().supervise(shrinking()).await, outer.supervise(shrinking())] {
            let Err(StartError::Invalid(faults)) = refused else { panic!("{refused:?}") };
            assert!(faults[0].contains("a factor of 0.5 would shrink the delay"), "{faults:?}");
        }
        assert!(outer.supervise(one_for_one()).is_ok());
        t.shutdown().await;
    });
}
