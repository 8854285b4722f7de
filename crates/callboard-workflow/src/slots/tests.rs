use std::collections::HashSet;

use super::*;
use proptest::prelude::*;

fn limited(limit: u32) -> (Slots<(u64, u32)>, OperationKey) {
    let mut slots = Slots::default();
    let operation = slots.operation("m.f");
    assert!(slots.set_limit(operation, NonZeroU32::new(limit)).is_empty());
    (slots, operation)
}

#[test]
fn without_a_limit_everything_is_granted() {
    let (mut slots, operation) = limited(0);
    for work in 0..100 {
        assert!(slots.request(operation, RunKey(1), Priority::Low, (1, work)).is_some());
    }
    assert_eq!((slots.in_use(operation), slots.waiting(operation)), (100, 0));
    assert_eq!(slots.operation("m.f"), operation);
    assert_ne!(slots.operation("m.g"), operation);
}

#[test]
fn the_most_urgent_goes_first() {
    let (mut slots, operation) = limited(1);
    assert!(slots.request(operation, RunKey(1), Priority::Low, (1, 0)).is_some());
    for (at, priority) in (1..).zip([Priority::Low, Priority::Background, Priority::Critical, Priority::Normal]) {
        assert!(slots.request(operation, RunKey(1), priority, (1, at)).is_none());
    }
    let order: Vec<_> = std::iter::from_fn(|| slots.release(operation)).map(|(_, at)| at).collect();
    assert_eq!(order, [3, 4, 1, 2]);
}

#[test]
fn a_run_that_is_forgotten_takes_no_turn_until_it_asks_again() {
    let (mut slots, operation) = limited(1);
    assert!(slots.request(operation, RunKey(1), Priority::Normal, (1, 0)).is_some());
    assert!(slots.request(operation, RunKey(1), Priority::Normal, (1, 1)).is_none());
    assert!(slots.request(operation, RunKey(2), Priority::Normal, (2, 0)).is_none());
    assert_eq!(slots.forget(RunKey(1)), [(1, 1)]);
    assert!(slots.request(operation, RunKey(1), Priority::Normal, (1, 2)).is_none());
    assert_eq!(slots.release(operation), Some((2, 0)));
    assert_eq!(slots.release(operation), Some((1, 2)));
    assert_eq!(slots.release(operation), None);
}

#[test]
fn a_raised_limit_lets_more_go_on_and_a_lowered_one_waits() {
    let (mut slots, operation) = limited(1);
    let granted = (0..5).filter(|at| slots.request(operation, RunKey(1), Priority::Normal, (1, *at)).is_some()).count();
    assert_eq!(granted, 1);
    assert_eq!(slots.set_limit(operation, NonZeroU32::new(3)).len(), 2);
    assert!(slots.set_limit(operation, NonZeroU32::new(1)).is_empty());
    assert_eq!((slots.release(operation), slots.release(operation)), (None, None));
    assert_eq!(slots.release(operation), Some((1, 3)));
}

#[derive(Clone, Debug)]
enum Step {
    Request(u64, usize),
    Release,
    Forget(u64),
    Limit(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0u64..4, 0usize..5).prop_map(|(run, priority)| Step::Request(run, priority)),
        6 => Just(Step::Release),
        1 => (0u64..4).prop_map(Step::Forget),
        1 => (1u32..4).prop_map(Step::Limit),
    ];
    prop::collection::vec(step, 1..100)
}

proptest! {
    /// All work is granted or given back exactly once, never more than the limit is out, and no place stays empty
    /// while somebody waits.
    #[test]
    fn nothing_is_lost_and_no_place_is_wasted(steps in steps()) {
        let (mut slots, operation) = limited(2);
        let (mut limit, mut out, mut asked, mut back) = (2, 0u32, 0u32, Vec::new());
        for step in steps {
            let before = out;
            let mut granted = Vec::new();
            match step {
                Step::Request(run, priority) => {
                    granted.extend(slots.request(operation, RunKey(run), Priority::ALL[priority], (run, asked)));
                    asked += 1;
                }
                Step::Release if out > 0 => {
                    out -= 1;
                    granted.extend(slots.release(operation));
                }
                Step::Release => {}
                Step::Forget(run) => back.extend(slots.forget(RunKey(run))),
                Step::Limit(new) => { limit = new; granted = slots.set_limit(operation, NonZeroU32::new(new)); }
            }
            out += u32::try_from(granted.len()).unwrap();
            prop_assert!(out <= limit.max(before));
            prop_assert_eq!(slots.in_use(operation), out);
            back.extend(granted);
            if out < limit {
                prop_assert_eq!(slots.waiting(operation), 0);
            }
        }
        let known: HashSet<_> = back.iter().map(|(_, work)| *work).collect();
        prop_assert_eq!(known.len(), back.len());
        prop_assert_eq!(back.len() + slots.waiting(operation), asked as usize);
    }

    /// Of runs that wait with the same priority, none has a second turn before each other had one; and the work of one
    /// run keeps its order.
    #[test]
    fn runs_take_turns(widths in prop::collection::vec(1u32..30, 1..6)) {
        let (mut slots, operation) = limited(1);
        assert!(slots.request(operation, RunKey(99), Priority::Normal, (99, 0)).is_some());
        for (run, width) in (0..).zip(&widths) {
            for work in 0..*width {
                assert!(slots.request(operation, RunKey(run), Priority::Normal, (run, work)).is_none());
            }
        }
        let order: Vec<_> = std::iter::from_fn(|| slots.release(operation)).collect();
        for (run, width) in (0..).zip(&widths) {
            let own: Vec<_> = order.iter().enumerate().filter(|(_, (other, _))| *other == run).collect();
            prop_assert!(own.iter().map(|(_, (_, work))| *work).eq(0..*width));
            for pair in own.windows(2) {
                prop_assert!(pair[1].0 - pair[0].0 <= widths.len());
            }
        }
    }
}
