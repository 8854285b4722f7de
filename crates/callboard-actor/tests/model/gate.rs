//! The half-open gate: so many pass as there are permits, and a permit comes back at most once and to its own round only.

use callboard_actor::ActorState;
use callboard_actor::model::{Entered, Gate, Shared, Thread, spawn};

use crate::{check, check_all};

/// How many hold a permit at this moment, and how many did at most.
type Holders = Shared<(u32, u32)>;

fn take(holders: &Holders) {
    holders.with(|(now, most)| {
        *now += 1;
        *most = (*most).max(*now);
    });
}

/// Enters; one that got a permit lets go of it again.
fn knock_and_give_back(gate: &Gate, holders: &Holders, times: usize) -> Thread<()> {
    let (gate, holders) = (gate.clone(), holders.clone());
    spawn(move || {
        for _ in 0..times {
            if let Entered::Probe(round) = gate.enter() {
                take(&holders);
                holders.with(|(now, _)| *now -= 1);
                gate.give_back(round);
            }
        }
    })
}

/// How many permits the running round has left.
fn left(gate: &Gate) -> u32 {
    (0..).find(|_| !matches!(gate.enter(), Entered::Probe(_))).expect("a round has few permits")
}

/// Protects the compare-and-swap of `enter` and `give_back`.
#[test]
fn there_are_never_more_probes_than_permits_and_each_comes_back_once() {
    for permits in [1, 2] {
        check(3000, move || {
            let (gate, holders) = (Gate::new(), Shared::new((0, 0)));
            gate.probe(permits);
            let senders: Vec<_> = (0..3).map(|_| knock_and_give_back(&gate, &holders, 2)).collect();
            senders.into_iter().for_each(Thread::join);
            assert!(holders.with(|(_, most)| *most) <= permits);
            assert_eq!(left(&gate), permits);
        });
    }
}

#[test]
fn every_schedule_of_two_senders_and_one_permit() {
    check_all(|| {
        let gate = Gate::new();
        let round = gate.probe(1);
        let other = gate.clone();
        let far = spawn(move || other.enter() == Entered::Probe(round));
        let here = gate.enter() == Entered::Probe(round);
        let there = far.join();
        assert!(here != there, "exactly one has the permit");
        gate.give_back(round);
        assert_eq!(gate.enter(), Entered::Probe(round));
    });
}

/// A permit of a round that is over, because it failed or because a new one has begun, is not added to the next.
/// Protects the epoch in the word.
#[test]
fn a_late_permit_does_not_count_in_a_later_round() {
    check(3000, || {
        let gate = Gate::new();
        let first = gate.probe(2);
        let senders: Vec<_> = (0..2).map(|_| hold_and_give_back(&gate)).collect();
        gate.set_state(ActorState::Failed);
        let second = gate.probe(1);
        assert_ne!(first, second);
        let rounds: Vec<_> = senders.into_iter().filter_map(Thread::join).collect();
        assert!(rounds.iter().all(|round| *round == first || *round == second));
        assert_eq!(left(&gate), 1, "{rounds:?}");
    });
}

#[test]
fn every_schedule_of_a_late_permit() {
    check_all(|| {
        let gate = Gate::new();
        let first = gate.probe(1);
        assert_eq!(gate.enter(), Entered::Probe(first));
        let late = gate.clone();
        let far = spawn(move || late.give_back(first));
        let second = gate.probe(1);
        assert_eq!(gate.enter(), Entered::Probe(second));
        far.join();
        assert_eq!(gate.enter(), Entered::Refused);
    });
}

fn hold_and_give_back(gate: &Gate) -> Thread<Option<u32>> {
    let gate = gate.clone();
    spawn(move || {
        let Entered::Probe(round) = gate.enter() else { return None };
        shuttle::thread::yield_now();
        gate.give_back(round);
        Some(round)
    })
}

/// Whoever comes after the end has been announced to it is told of the end, and a hand that holds the gate open or shut
/// does not undo a change of state. Protects that every change is one compare-and-swap of the whole word.
#[test]
fn changes_of_state_by_two_hands_do_not_undo_each_other() {
    check(3000, || {
        let gate = Gate::new();
        gate.probe(1);
        let (driver, hand) = (gate.clone(), gate.clone());
        let driver = spawn(move || {
            driver.set_state(ActorState::Running);
            driver.set_state(ActorState::Stopping);
            driver.set_state(ActorState::Stopped);
            assert_eq!(driver.enter(), Entered::Stopped);
        });
        let hand = spawn(move || {
            hand.force_open(true);
            assert!(!hand.is_open());
            hand.force_open(false);
        });
        if let Entered::Probe(round) = gate.enter() {
            gate.give_back(round);
        }
        driver.join();
        hand.join();
        assert_eq!((gate.state(), gate.enter(), gate.is_open()), (ActorState::Stopped, Entered::Stopped, false));
    });
}
