//! A counter loses nothing, whichever thread is the first.

use std::sync::Arc;

use callboard_actor::Count;
use callboard_actor::model::{Thread, spawn};

use crate::{check, check_all};

fn add(count: &Arc<Count>, more: u64) -> Thread<()> {
    let count = Arc::clone(count);
    spawn(move || (0..2).for_each(|_| count.add(more)))
}

/// Protects the compare-and-swap of `add_from`: two threads that both count without a locked instruction lose what the other
/// has added.
#[test]
fn all_that_is_added_is_counted() {
    check(2000, || {
        let count = Arc::new(Count::default());
        let threads: Vec<_> = (1..=3).map(|more| add(&count, more)).collect();
        threads.into_iter().for_each(Thread::join);
        assert_eq!(count.read(), 12);
    });
}

#[test]
fn every_schedule_of_two_threads() {
    check_all(|| {
        let count = Arc::new(Count::default());
        let far = add(&count, 1);
        count.add(5);
        far.join();
        assert_eq!(count.read(), 7);
    });
}
