//! Actors are looked up by name once they have started.

use callboard_actor::testing::TestSystem;
use callboard_actor::{ActorState, System, one_for_one};

use crate::puppet::{Act, Diary, Do, Puppet, Script, s};

#[test]
fn one_that_is_starting_is_not_found_yet_and_one_that_restarts_is() {
    TestSystem::run(async |t| {
        let script = Script::new("a", &Diary::default());
        script.start(Act::Sleep(s(5))).start(Act::Sleep(s(5)));
        let a = t.spawn(script.child());
        t.settle().await;
        assert_eq!((a.state(), t.system().find::<Puppet>("a")), (ActorState::Starting, None));
        t.advance(s(5)).await;
        assert_eq!(t.system().find::<Puppet>("a"), Some(a.clone()));
        a.try_tell(Do(Act::Fail)).unwrap();
        t.settle().await;
        assert_eq!((a.state(), t.system().find::<Puppet>("a").is_some()), (ActorState::Restarting, true));
        a.stop();
        a.ended().await;
        assert_eq!(t.system().find::<Puppet>("a"), None);
        t.shutdown().await;
    });
}

#[test]
fn of_two_with_one_name_the_first_that_has_started_is_found() {
    TestSystem::run(async |t| {
        let slow = Script::new("a", &Diary::default());
        slow.start(Act::Sleep(s(5)));
        let slow = t.spawn(slow.child());
        let quick = t.spawn(Script::new("a", &Diary::default()).child());
        t.settle().await;
        assert_eq!(t.system().find::<Puppet>("a"), Some(quick));
        t.advance(s(6)).await;
        assert_eq!(t.system().find::<Puppet>("a"), Some(slow));
        t.shutdown().await;
    });
}

/// What a layer above prepares is there before the first actors start, and can find none.
#[test]
fn a_system_is_prepared_before_its_first_actors_start() {
    let diary = Diary::default();
    let first = one_for_one().child(Script::new("a", &diary).child());
    let later = diary.clone();
    let prepare = move |system: &System| {
        assert_eq!((system.find::<Puppet>("a"), later.take().is_empty()), (None, true));
        system.set_ask_timeout(s(7));
    };
    TestSystem::run_with(System::builder().supervise(first).prepare(prepare), async |t| {
        assert!(t.system().find::<Puppet>("a").is_some());
        assert_eq!(t.system().ask_timeout(), s(7));
        let weak = t.system().downgrade();
        assert_eq!(weak.upgrade().unwrap().ask_timeout(), s(7));
        t.shutdown().await;
    });
}
