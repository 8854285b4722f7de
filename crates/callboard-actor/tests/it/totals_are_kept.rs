//! The totals of a snapshot: everything that happened to messages of the program's own, of actors that have ended too.

use callboard_actor::testing::TestSystem;
use callboard_actor::{Restart, one_for_all};

use crate::puppet::{Act, Diary, Do, Say, Script, ms};

#[test]
fn what_the_framework_says_to_itself_is_no_message_of_theirs() {
    TestSystem::run(async |t| {
        let supervisor = t.system().supervise(one_for_all()).await.unwrap();
        let a = supervisor.spawn(Script::new("a", &Diary::default()).child());
        supervisor.spawn(Script::new("b", &Diary::default()).child());
        for number in 0..3 {
            a.ask(Say(number)).await.unwrap();
        }
        t.settle().await;
        let totals = t.inspect().totals.messages;
        assert_eq!((totals.sent, totals.handled), (3, 3), "{totals:?}");
        t.shutdown().await;
    });
}

#[test]
fn an_actor_that_has_ended_is_still_counted() {
    TestSystem::run(async |t| {
        let a = t.spawn(Script::new("a", &Diary::default()).child().restart(Restart::Transient));
        a.ask(Say(1)).await.unwrap();
        let _ = a.ask(Do(Act::Fail)).await;
        a.try_tell(Do(Act::Sleep(ms(5)))).unwrap();
        a.try_tell(Say(2)).unwrap();
        t.settle().await;
        let before = t.inspect().totals;
        assert_eq!((before.messages.sent, before.faults, before.restarts), (4, 1, 1));
        a.stop();
        a.ended().await;
        let after = t.inspect().totals;
        assert_eq!((after.messages.sent, after.messages.handled, after.messages.dead), (4, 2, 1));
        assert_eq!((after.messages.quarantined, after.faults, after.restarts), (1, 1, 1));
        assert!(after.messages.adds_up(), "{:?}", after.messages);
        t.shutdown().await;
    });
}
