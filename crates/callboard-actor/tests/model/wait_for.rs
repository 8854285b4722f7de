//! Who waits for whom: of those who close a circle together one at least is told, and nobody is told of a circle that never
//! was.

use callboard_actor::model::{Party, Thread, parties, spawn};

use crate::check;

/// Begins to wait and goes on waiting until it is joined; true when it was told of a circle.
fn wait(waiting: &Party, target: &Party) -> Thread<(bool, Option<callboard_actor::model::Waiting>)> {
    let (waiting, target) = (waiting.clone(), target.clone());
    spawn(move || match waiting.wait(&target) {
        Ok(wait) => (false, Some(wait)),
        Err(path) => {
            assert_eq!(path.first(), path.last());
            (true, None)
        }
    })
}

/// Promise 14: ask cycles. Protects that a wait is registered before it is looked for a circle.
#[test]
fn two_that_ask_each_other_do_not_both_wait() {
    check(1500, || {
        let all = parties(&["a", "b"]);
        let there = wait(&all[0], &all[1]);
        let back = wait(&all[1], &all[0]);
        let (there, back) = (there.join(), back.join());
        assert!(there.0 || back.0, "both wait for ever");
    });
}

/// The same around three.
#[test]
fn three_that_ask_around_do_not_all_wait() {
    check(1500, || {
        let all = parties(&["a", "b", "c"]);
        let waits: Vec<_> = (0..3).map(|at| wait(&all[at], &all[(at + 1) % 3])).collect();
        let waits: Vec<_> = waits.into_iter().map(Thread::join).collect();
        assert!(waits.iter().any(|(told, _)| *told), "all wait for ever");
    });
}

/// `b` waits for `c` all the time; `c` waits for `a` and, when that is over, `a` for `b`. The three waits never exist
/// together, so nobody may be refused. Protects the second look along the path.
#[test]
fn waits_that_never_were_together_are_no_circle() {
    check(2000, || {
        let all = parties(&["a", "b", "c"]);
        let (a, b, c) = (all[0].clone(), all[1].clone(), all[2].clone());
        let far = spawn({
            let (a, b, c) = (a.clone(), b.clone(), c.clone());
            move || {
                drop(c.wait(&a).expect("no circle"));
                drop(a.wait(&b).expect("no circle"));
            }
        });
        drop(b.wait(&c).expect("no circle"));
        far.join();
    });
}
