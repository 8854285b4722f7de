//! The children that a supervisor is given start in order, each when the one before has, and its own start is over for its
//! supervisor when theirs are: at its first start and whenever it begins again. As in OTP.

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    ActorState, Backoff, BreakerRules, GiveUp, Restart, Supervise, System, Trip, one_for_all, one_for_one, rest_for_one,
};
use futures::FutureExt;

use crate::puppet::{Act, Diary, Do, Puppet, Script, ms, s};

fn at_once(supervise: Supervise) -> Supervise {
    supervise.intensity(1_000, s(3600)).backoff(Backoff::none())
}

fn scripts<const N: usize>(diary: &Diary, names: [&str; N]) -> [Script; N] {
    names.map(|name| Script::new(name, diary))
}

fn starts<const N: usize>(names: [&str; N]) -> [String; N] {
    names.map(|name| format!("{name} starts"))
}

#[test]
fn each_starts_when_the_one_before_has() {
    for supervise in [one_for_one(), one_for_all(), rest_for_one()] {
        TestSystem::run(async |t| {
            let diary = Diary::default();
            let [a, b, c] = scripts(&diary, ["a", "b", "c"]);
            a.start(Act::Sleep(s(5)));
            b.build(Act::Sleep(s(2)));
            let supervise = at_once(supervise).child(a.child()).child(b.child()).child(c.child());
            assert!(t.system().supervise(supervise).now_or_never().is_none(), "they have not started yet");
            t.advance(s(4)).await;
            assert!(diary.take().is_empty(), "b and c wait for a");
            t.advance(s(2)).await;
            assert_eq!(diary.take(), starts(["a"]));
            t.advance(s(2)).await;
            assert_eq!(diary.take(), starts(["b", "c"]));
            t.shutdown().await;
        });
    }
}

/// Whoever has started them can use them at once.
#[test]
fn a_supervision_is_there_when_its_children_are() {
    let diary = Diary::default();
    let [a, b] = scripts(&diary, ["a", "b"]);
    let [c, d] = scripts(&diary, ["c", "d"]);
    a.start(Act::Sleep(s(5)));
    d.build(Act::Sleep(s(2)));
    let first = one_for_one().child(a.child());
    let second = at_once(one_for_one()).child(b.child());
    TestSystem::run_with(System::builder().supervise(first).supervise(second), async |t| {
        assert_eq!((diary.take(), t.now().as_secs()), (starts(["a", "b"]).to_vec(), 5));
        let third = t.system().supervise(at_once(one_for_one()).child(c.child()).child(d.child())).await.unwrap();
        assert_eq!((diary.take(), t.now().as_secs()), (starts(["c", "d"]).to_vec(), 7));
        third.started().await;
        t.shutdown().await;
    });
}

#[test]
fn one_whose_start_fails_does_not_keep_the_next_one_from_starting() {
    for act in [Act::Fail, Act::Panic, Act::Sleep(s(1_000))] {
        TestSystem::run(async |t| {
            let diary = Diary::default();
            let [a, b] = scripts(&diary, ["a", "b"]);
            a.start(act).start(Act::Sleep(s(8)));
            t.system().supervise(at_once(one_for_one()).child(a.child()).child(b.child())).await.unwrap();
            t.advance(s(11)).await;
            assert!(diary.take().contains(&"b starts".to_owned()), "{act:?}");
            t.advance(s(8)).await;
            assert!(t.inspect().actors.iter().all(|actor| actor.state == ActorState::Running));
            t.shutdown().await;
        });
    }
}

#[test]
fn in_a_group_one_whose_start_fails_begins_the_restart_of_the_group() {
    for supervise in [one_for_all(), rest_for_one()] {
        TestSystem::run(async |t| {
            let diary = Diary::default();
            let [a, b, c] = scripts(&diary, ["a", "b", "c"]);
            b.start(Act::SleepThenFail(s(1))).start(Act::Sleep(s(1)));
            let takes_all = format!("{supervise:?}").contains("OneForAll");
            let supervise = at_once(supervise).child(a.child()).child(b.child()).child(c.child());
            t.system().supervise(supervise).await.unwrap();
            t.advance(s(3)).await;
            let again = ["a stops: restarted with a sibling".to_owned(), "a starts".to_owned()];
            let middle = if takes_all { &again[..] } else { &[] };
            assert_eq!(diary.take(), [&starts(["a"])[..], middle, &starts(["b", "c"])].concat());
            t.shutdown().await;
        });
    }
}

#[test]
fn one_whose_breaker_opens_at_its_start_holds_up_nobody() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let [a, b] = scripts(&diary, ["a", "b"]);
        a.start(Act::Fail);
        let own = a.child().breaker(BreakerRules::tripping_on([Trip::Consecutive(1)]));
        t.system().supervise(at_once(one_for_all()).child(own).child(b.child())).await.unwrap();
        t.settle().await;
        assert_eq!(diary.take(), starts(["b"]));
        t.shutdown().await;
    });
}

#[test]
fn a_supervisor_among_siblings_has_started_when_its_children_have() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let outer = t.system().supervise(at_once(one_for_all())).await.unwrap();
        let [a, b, c] = scripts(&diary, ["a", "b", "c"]);
        let inner = outer.supervise(at_once(one_for_one()).child(a.child()).child(b.child())).unwrap();
        let last = outer.spawn(c.child());
        t.settle().await;
        assert_eq!((inner.state(), diary.take().len()), (ActorState::Running, 3));
        b.start(Act::Sleep(s(5)));
        let _ = last.ask(Do(Act::Fail)).await;
        t.advance(s(4)).await;
        assert_eq!(diary.take().last(), Some(&"a starts".to_owned()));
        assert_eq!(last.state(), ActorState::Restarting, "it waits for b");
        t.advance(s(2)).await;
        assert_eq!((last.state(), diary.take()), (ActorState::Running, starts(["b", "c"]).to_vec()));
        t.shutdown().await;
    });
}

#[test]
fn a_supervisor_that_begins_again_starts_its_children_one_after_the_other() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let [a, b, c] = scripts(&diary, ["a", "b", "c"]);
        let rules = one_for_one().intensity(0, s(30)).on_give_up(GiveUp::Escalate);
        let rules = rules.child(a.child()).child(b.child()).child(c.child());
        t.system().supervise(rules).await.unwrap();
        t.settle().await;
        diary.take();
        a.start(Act::Sleep(s(2)));
        let failing = t.system().find::<Puppet>("c").expect("it has started");
        let _ = failing.ask(Do(Act::Fail)).await;
        t.advance(s(1)).await;
        assert_eq!(diary.take(), ["b", "a"].map(|name| format!("{name} stops: restarted with a sibling")));
        t.advance(s(2)).await;
        assert_eq!(diary.take(), starts(["a", "b", "c"]));
        t.shutdown().await;
    });
}

#[test]
fn a_stop_in_the_middle_ends_those_that_have_started_and_those_that_have_not() {
    for supervise in [one_for_one(), one_for_all()] {
        TestSystem::run(async |t| {
            let diary = Diary::default();
            let [a, b, c] = scripts(&diary, ["a", "b", "c"]);
            b.start(Act::Sleep(s(5)));
            let supervise = at_once(supervise).child(a.child()).child(b.child()).child(c.child());
            let parent = t.system().supervise(one_for_one()).await.unwrap();
            let supervisor = parent.supervise(supervise).unwrap();
            t.advance(s(1)).await;
            supervisor.stop();
            supervisor.ended().await;
            assert!(t.now() < s(2), "nobody waits for a start that is not wanted any more");
            assert_eq!(diary.take(), ["a starts", "a stops: stopped"]);
            assert_eq!(t.inspect().actors.len(), 2, "the root and the parent are left");
            t.shutdown().await;
        });
    }
}

#[test]
fn a_shutdown_in_the_middle_is_clean() {
    TestSystem::run(async |t| {
        let [a, b] = scripts(&Diary::default(), ["a", "b"]);
        a.start(Act::Sleep(s(5)));
        let supervised = t.system().supervise(one_for_one().child(a.child()).child(b.child()));
        assert!(supervised.now_or_never().is_none());
        t.advance(s(1)).await;
        let report = t.shutdown().await;
        assert!(report.is_clean() && t.now() < s(2), "{report:?}");
    });
}

#[test]
fn a_group_restart_in_the_middle_loses_nobody() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let [a, b, late] = scripts(&diary, ["a", "b", "late"]);
        a.start(Act::Sleep(s(5)));
        let supervise = at_once(rest_for_one()).child(a.child()).child(b.child());
        let supervisor = t.system().supervise(supervise).await.unwrap();
        let late = supervisor.spawn(late.child());
        t.settle().await;
        let _ = late.ask(Do(Act::Fail)).await;
        t.advance(s(6)).await;
        assert!(t.inspect().actors.iter().all(|actor| actor.state == ActorState::Running), "{:?}", diary.take());
        t.shutdown().await;
    });
}

#[test]
fn a_temporary_one_that_ends_at_once_is_not_waited_for() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let [a, b] = scripts(&diary, ["a", "b"]);
        a.start(Act::Stop);
        let temporary = a.child().restart(Restart::Temporary);
        t.system().supervise(at_once(one_for_all()).child(temporary).child(b.child())).await.unwrap();
        t.advance(ms(5)).await;
        assert_eq!(diary.take(), ["a starts", "a stops: stopped", "b starts"]);
        t.shutdown().await;
    });
}
