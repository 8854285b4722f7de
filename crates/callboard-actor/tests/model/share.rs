//! A shared value is dropped once, by the last who has a share of it, and after all that the others did with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use callboard_actor::Share;
use callboard_actor::model::{Mark, Thread, spawn};

use crate::{check, check_all};

/// What is shared: each thread leaves a mark in it before it lets go of it.
struct Sheet {
    marks: Vec<Mark>,
    dropped: Arc<AtomicU64>,
}

impl Drop for Sheet {
    fn drop(&mut self) {
        assert!(self.marks.iter().all(Mark::is_set), "whoever drops it sees what all others did with it");
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// A sheet for so many threads, and how often it was dropped.
fn sheet(threads: usize) -> (Share<Sheet>, Arc<AtomicU64>) {
    let dropped = Arc::new(AtomicU64::new(0));
    let marks = (0..threads).map(|_| Mark::new()).collect();
    (Share::new(Sheet { marks, dropped: Arc::clone(&dropped) }), dropped)
}

/// A thread with a share of its own, which hands on a part of it and takes one more.
fn hold(mut share: Share<Sheet>, number: usize) -> Thread<()> {
    spawn(move || {
        let (handed_on, more) = (share.split(), share.clone());
        drop(share);
        more.marks[number].set();
        drop(more);
        drop(handed_on);
    })
}

/// Protects the order with which a share takes its weight off, and that in `drop_whole`: with `Relaxed` in the place of either, the
/// last to let go does not see all marks.
#[test]
fn the_last_to_let_go_drops_it() {
    check(2000, || {
        let (mut first, dropped) = sheet(3);
        let threads: Vec<_> = (0..2).map(|number| hold(first.split(), number)).collect();
        first.marks[2].set();
        drop(first);
        threads.into_iter().for_each(Thread::join);
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn every_schedule_of_two_holders() {
    check_all(|| {
        let (mut first, dropped) = sheet(2);
        let far = first.split();
        let far = spawn(move || {
            far.marks[0].set();
            drop(far);
        });
        first.marks[1].set();
        drop((first.clone(), first));
        far.join();
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    });
}
