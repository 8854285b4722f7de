//! A value that lives on one thread has one home, and answers nowhere else.

use callboard_actor::model::{Home, Thread, spawn};

use crate::{check, check_all};

fn settle(home: &Home) -> Thread<bool> {
    let home = home.clone();
    spawn(move || {
        let before = home.get();
        let claimed = home.claim();
        assert_eq!(before, None);
        assert_eq!(home.get(), claimed.then_some(7), "it answers at home and nowhere else");
        claimed
    })
}

/// Protects the compare-and-swap of `claim`: the value is reached without a lock, so two homes would be a data race.
#[test]
fn one_thread_becomes_the_home() {
    check(2000, || {
        let home = Home::new(7);
        let claimed: Vec<bool> =
            (0..3).map(|_| settle(&home)).collect::<Vec<_>>().into_iter().map(Thread::join).collect();
        assert_eq!(claimed.into_iter().filter(|claimed| *claimed).count(), 1);
        assert_eq!(home.get(), None);
    });
}

#[test]
fn every_schedule_of_two_threads() {
    check_all(|| {
        let home = Home::new(7);
        let far = settle(&home);
        let here = home.claim();
        assert_eq!(home.get(), here.then_some(7));
        assert!(here != far.join());
    });
}
