use std::time::{Duration, SystemTime};

use callboard_actor::testing::TestSystem;
use callboard_actor::{ErrorCode, Priority};
use proptest::prelude::*;

use super::super::fingerprint::Fingerprint;
use super::super::letter::{Cause, LetterKind, LetterReason};
use super::*;

fn letter(id: MessageId, second: u64, bytes: u64) -> Letter {
    let (cause, at) = (Cause::new(ErrorCode::Busy, "full"), SystemTime::UNIX_EPOCH + Duration::from_secs(second));
    Letter {
        id,
        reason: LetterReason::Overflow,
        fingerprint: Fingerprint::of("lab", "a", &cause),
        cause,
        kind: LetterKind::Event,
        module: "lab".to_owned(),
        actor: None,
        subject: "a".to_owned(),
        source: None,
        channel: None,
        event: None,
        message_type: "a".to_owned(),
        priority: Priority::Normal,
        attempts: 3,
        deliveries: 1,
        first_failure: at,
        last_failure: at,
        bytes,
        is_retriable: true,
    }
}

/// Ids in the order in which they were made.
fn ids(number: usize) -> Vec<MessageId> {
    let mut ids = Vec::new();
    TestSystem::run(async |t| {
        for _ in 0..number {
            ids.push(t.system().fresh_id());
            t.settle().await;
        }
        t.shutdown().await;
    });
    ids
}

/// What is done to a shelf of ten letters at most, to one of twenty.
#[derive(Clone, Debug)]
enum Step {
    File(usize, u64),
    Purge(usize),
    Lend(usize),
    Bind(usize, u64),
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..20_usize;
    prop_oneof![
        4 => (which.clone(), 0..40_u64).prop_map(|(which, bytes)| Step::File(which, bytes)),
        1 => which.clone().prop_map(Step::Purge),
        2 => which.prop_map(Step::Lend),
        1 => (0..10_usize, 0..100_u64).prop_map(|(letters, bytes)| Step::Bind(letters, bytes)),
    ]
}

proptest! {
    /// F-DLQ-03: it equals a plain list that is cut at its front, its counts add up, and it never holds more than it may.
    #[test]
    fn f_dlq_03_it_equals_its_model(steps in prop::collection::vec(step(), 0..80)) {
        let ids = ids(20);
        let (mut shelf, mut model) = (Shelf::default(), Vec::<(usize, u64)>::new());
        let mut evicted = 0;
        for (second, step) in steps.into_iter().enumerate() {
            match step {
                Step::File(which, bytes) => {
                    model.retain(|(there, _)| *there != which);
                    model.push((which, bytes));
                    shelf.file(Filed { letter: letter(ids[which], second as u64, bytes), content: Some(()) });
                }
                Step::Purge(which) => {
                    model.retain(|(there, _)| *there != which);
                    shelf.purge(ids[which]);
                }
                Step::Lend(which) => {
                    model.retain(|(there, _)| *there != which);
                    shelf.lend(ids[which]);
                }
                Step::Bind(letters, bytes) => drop(shelf.bind(LetterBounds::default().letters(letters).bytes(bytes))),
            }
            let bounds = shelf.bounds();
            while model.len() > bounds.letters || model.iter().map(|(_, bytes)| bytes).sum::<u64>() > bounds.bytes {
                model.remove(0);
                evicted += 1;
            }
            let there: Vec<_> = shelf.letters().map(|letter| letter.id).collect();
            prop_assert_eq!(there, model.iter().map(|(which, _)| ids[*which]).collect::<Vec<_>>());
            let counts = shelf.counts();
            prop_assert_eq!((counts.letters, counts.evicted), (model.len(), evicted));
            prop_assert_eq!(counts.bytes, model.iter().map(|(_, bytes)| bytes).sum::<u64>());
            prop_assert!(counts.adds_up(), "{:?}", counts);
        }
    }
}

/// One that comes back goes on where it left off; what is remembered of those that are away is bounded.
#[test]
fn what_comes_back_is_the_same_letter() {
    let ids = ids(2);
    let mut shelf = Shelf::default();
    let file = |shelf: &mut Shelf<()>, id, second| {
        shelf.file(Filed { letter: letter(id, second, 1), content: Some(()) });
    };
    file(&mut shelf, ids[0], 10);
    file(&mut shelf, ids[1], 11);
    let lent = shelf.lend(ids[0]).unwrap().letter;
    assert_eq!((lent.attempts, lent.deliveries), (3, 1));
    assert!(shelf.get(ids[0]).is_none() && shelf.lend(ids[0]).is_none());
    file(&mut shelf, ids[0], 20);
    let back = &shelf.get(ids[0]).unwrap().letter;
    assert_eq!((back.attempts, back.deliveries), (6, 2));
    assert_eq!(back.last_failure.duration_since(back.first_failure).unwrap(), Duration::from_secs(10));
    assert_eq!(shelf.letters().last().unwrap().id, ids[0], "it failed last");
    assert_eq!((shelf.counts().retried, shelf.counts().returned), (1, 1));
}
