//! A whole call with all its attempts, against a target that fails as it is told to; time is a number that is moved.

use std::time::Duration;

use callboard_actor::ErrorCode;
use callboard_bus::retry::{Attempt, FailureClass, Jitter, Retry, RetryBudget, RetryPolicy, WhyNot};
use proptest::prelude::*;

/// When each attempt began, and why there was no other.
fn call(
    policy: &RetryPolicy,
    deadline: Duration,
    takes: Duration,
    roll: impl Fn(u32) -> f64,
) -> (Vec<Duration>, WhyNot) {
    let (mut now, mut began) = (Duration::ZERO, Vec::new());
    loop {
        began.push(now);
        let made = u32::try_from(began.len()).unwrap();
        // A caller does not wait for an answer longer than its deadline.
        now = (now + takes).min(deadline);
        let failed = Attempt::new(made, FailureClass::of(ErrorCode::Unavailable, None), now).deadline(deadline);
        match policy.next(&failed, roll(made)) {
            Retry::At(moment) => now = moment,
            Retry::GiveUp(why_not) => return (began, why_not),
        }
    }
}

/// F-RTY-04: a timeout of 30 s and 5 retries.
#[test]
fn no_attempt_begins_after_the_deadline() {
    let seconds = Duration::from_secs;
    let policy = RetryPolicy::builder().max_retries(5).jitter(Jitter::None).build().unwrap();
    let (began, why_not) = call(&policy, seconds(30), seconds(0), |_| 0.0);
    assert_eq!(began, [0, 1, 3, 7, 15].map(seconds));
    assert_eq!(why_not, WhyNot::Deadline { attempts: 5 });
    let (began, why_not) = call(&policy, seconds(32), seconds(0), |_| 0.0);
    assert_eq!((began.len(), why_not), (6, WhyNot::Exhausted { attempts: 6 }));
    let (began, _) = call(&policy, seconds(30), seconds(29), |_| 0.0);
    assert_eq!(began.len(), 1);
}

/// F-RTY-06: a module that is down is called little more than one that is up.
#[test]
fn a_budget_keeps_a_storm_small() {
    let (mut budget, mut attempts) = (RetryBudget::default(), 0);
    for _ in 0..10_000 {
        budget.note_call();
        attempts += 1 + (0..3).take_while(|_| budget.try_retry()).count();
    }
    assert!((10_000..=12_010).contains(&attempts), "{attempts} attempts");
}

proptest! {
    #[test]
    fn a_call_never_outlasts_its_deadline(
        retries in 0u32..10,
        first in 0u64..5_000,
        factor in 1.0f64..4.0,
        deadline in 1u64..60_000,
        takes in 0u64..10_000,
        rolls in prop::collection::vec(0.0f64..=1.0, 10),
    ) {
        let millis = Duration::from_millis;
        let policy = RetryPolicy::builder().max_retries(retries).initial_delay(millis(first)).factor(factor).build().unwrap();
        let (began, why_not) = call(&policy, millis(deadline), millis(takes), |made| rolls[made as usize - 1]);
        prop_assert!(began.len() <= retries as usize + 1);
        prop_assert!(began.iter().all(|&moment| moment < millis(deadline)));
        prop_assert!(began.windows(2).all(|pair| pair[1] >= pair[0] + millis(takes)));
        let attempts = u32::try_from(began.len()).unwrap();
        let expected = [WhyNot::Exhausted { attempts }, WhyNot::Deadline { attempts }];
        prop_assert!(expected.contains(&why_not));
    }
}
