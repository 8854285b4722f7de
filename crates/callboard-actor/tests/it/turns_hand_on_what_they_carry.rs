//! Promise 13: inheritance. Inside a turn every ask takes along what is left of the deadline, at least the priority, and
//! the baggage; a spawned future does so when the turn carries it away.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, AskError, Baggage, Context, Drain, Fault, Handler, Message, Priority, Stage, SyncHandler, System,
    block_on, child,
};
use tokio::sync::oneshot;

use crate::common::Log;

const SECOND: Duration = Duration::from_secs(1);

/// What travels along, in these tests.
#[derive(Clone, Debug, PartialEq)]
struct User(&'static str);

/// What a turn knew.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    deadline: Option<Duration>,
    priority: Priority,
    user: Option<User>,
}

/// Looks around, and has the next hop do the same.
struct Hop(Option<ActorRef<Hop>>);

impl Actor for Hop {}

impl Hop {
    fn seen(cx: &Context<Self>) -> Seen {
        Seen {
            deadline: cx.deadline(),
            priority: cx.priority(),
            user: cx.baggage::<User>().map(|user| (*user).clone()),
        }
    }
}

/// Passes on from hop to hop; the least urgent of types, so that whatever else is seen was inherited.
#[derive(Message)]
#[message(reply = Vec<Seen>, priority = Background, timeout = "1h")]
struct Pass {
    user: Option<User>,
    wait: Duration,
    inherits: bool,
}

impl Handler<Pass> for Hop {
    async fn handle(&mut self, pass: Pass, cx: &mut Context<Self>) -> Result<Vec<Seen>, Fault> {
        let mut seen = vec![Self::seen(cx)];
        if let Some(user) = pass.user {
            cx.add_baggage(user);
        }
        let Some(next) = &self.0 else { return Ok(seen) };
        tokio::time::sleep(pass.wait).await;
        let ask = next.ask(Pass { user: None, ..pass });
        seen.extend(if pass.inherits { ask.await } else { ask.no_inherit().await }?);
        Ok(seen)
    }
}

fn pass() -> Pass {
    Pass { user: Some(User("ada")), wait: SECOND, inherits: true }
}

/// Four actors in a row: three hops.
fn row(system: &System) -> ActorRef<Hop> {
    let mut next = None;
    for _ in 0..4 {
        let behind = next.take();
        next = Some(system.spawn(move || Hop(behind.clone())));
    }
    next.expect("four were made")
}

/// The deadline in whole seconds, rounded to the nearest.
fn seconds(seen: &[Seen]) -> Vec<Option<u64>> {
    seen.iter().map(|seen| seen.deadline.map(|left| left.as_secs_f64().round() as u64)).collect()
}

#[test]
fn deadline_priority_and_baggage_go_over_three_hops() {
    TestSystem::run(async |t| {
        let first = row(t.system());
        let seen = first.ask(pass()).timeout(20 * SECOND).priority(Priority::High).await.unwrap();
        assert_eq!(seconds(&seen), [Some(20), Some(19), Some(18), Some(17)], "what is left");
        assert!(seen.iter().all(|seen| seen.priority == Priority::High), "{seen:?}");
        let users: Vec<_> = seen.into_iter().map(|seen| seen.user).collect();
        assert_eq!(users, [None, Some(User("ada")), Some(User("ada")), Some(User("ada"))]);
        t.shutdown().await;
    });
}

#[test]
fn when_the_deadline_passes_every_hop_has_timed_out() {
    TestSystem::run(async |t| {
        let first = row(t.system());
        let asked = first.ask(pass()).timeout(2500 * SECOND / 1000).await;
        // A hop that hands its own time-out on as a fault may be the first to be heard.
        let in_time = matches!(asked, Err(AskError::Timeout { stage: Stage::Handler } | AskError::Faulted(_)));
        assert!(in_time && (2.5..2.6).contains(&t.now().as_secs_f64()), "{asked:?} at {:?}", t.now());
        assert_eq!(first.ask(pass()).timeout(20 * SECOND).await.unwrap().len(), 4, "every hop is free again");
        assert!((5.5..5.6).contains(&t.now().as_secs_f64()), "{:?}", t.now());
        t.shutdown().await;
    });
}

#[test]
fn an_ask_takes_nothing_along_when_told_so() {
    TestSystem::run(async |t| {
        let seen = row(t.system()).ask(Pass { inherits: false, ..pass() }).timeout(20 * SECOND).await.unwrap();
        assert_eq!(seconds(&seen), [Some(20), Some(3600), Some(3600), Some(3600)]);
        assert!(seen.iter().all(|seen| seen.priority == Priority::Background && seen.user.is_none()), "{seen:?}");
        t.shutdown().await;
    });
}

#[test]
fn a_turn_that_nobody_waits_for_has_no_deadline_to_hand_on() {
    struct Teller(ActorRef<Hop>, Log<Vec<Seen>>);
    impl Actor for Teller {}
    #[derive(Message)]
    #[message(priority = Critical)]
    struct Go;
    impl Handler<Go> for Teller {
        async fn handle(&mut self, _: Go, cx: &mut Context<Self>) -> Result<(), Fault> {
            assert_eq!(cx.deadline(), None);
            self.1.write(self.0.ask(Pass { wait: Duration::ZERO, ..pass() }).await?);
            Ok(())
        }
    }
    TestSystem::run(async |t| {
        let (first, log) = (row(t.system()), Log::default());
        let seen = log.clone();
        let teller = t.spawn(move || Teller(first.clone(), seen.clone()));
        teller.tell(Go).ttl(5 * SECOND).await.unwrap();
        t.settle().await;
        let [seen] = &log.read()[..] else { panic!("one ask was answered") };
        assert_eq!(seconds(seen), [Some(3600); 4], "the type's own, and no time to live");
        assert!(seen.iter().all(|seen| seen.priority == Priority::Critical), "{seen:?}");
        t.shutdown().await;
    });
}

/// Asks from futures beside its turn.
struct Sender(ActorRef<Hop>, Log<Vec<Seen>>);

impl Actor for Sender {}

#[derive(Message)]
#[message(priority = High)]
struct Spawn {
    carry: bool,
}

impl SyncHandler<Spawn> for Sender {
    fn handle(&mut self, spawn: Spawn, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.add_baggage(User("ada"));
        let (hop, log) = (self.0.clone(), self.1.clone());
        let beside = async move {
            tokio::time::sleep(SECOND).await;
            log.write(hop.ask(Pass { user: None, wait: Duration::ZERO, inherits: true }).await.unwrap_or_default());
        };
        if spawn.carry {
            let carried = cx.carry(beside);
            cx.spawn(carried);
        } else {
            cx.spawn(beside);
        }
        Ok(())
    }
}

#[test]
fn a_spawned_future_takes_the_turn_along_only_when_it_is_carried() {
    for carry in [true, false] {
        TestSystem::run(async |t| {
            let log = Log::default();
            let (hop, seen) = (t.spawn(|| Hop(None)), log.clone());
            let sender = t.spawn(move || Sender(hop.clone(), seen.clone()));
            sender.ask(Spawn { carry }).timeout(20 * SECOND).await.unwrap();
            // A later turn changes nothing for a future that was carried out of an earlier one.
            sender.ask(Spawn { carry: false }).timeout(500 * SECOND).priority(Priority::Low).await.unwrap();
            t.advance(2 * SECOND).await;
            let seen = &log.read()[0];
            if carry {
                assert_eq!(seconds(seen), [Some(19)]);
                assert_eq!((seen[0].priority, &seen[0].user), (Priority::High, &Some(User("ada"))));
            } else {
                assert_eq!(seconds(seen), [Some(3600)]);
                assert_eq!((seen[0].priority, &seen[0].user), (Priority::Background, &None));
            }
            t.shutdown().await;
        });
    }
}

#[test]
fn a_future_carried_beyond_the_deadline_times_out() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (hop, seen) = (t.spawn(|| Hop(None)), log.clone());
        let sender = t.spawn(move || Sender(hop.clone(), seen.clone()));
        sender.ask(Spawn { carry: true }).timeout(SECOND / 2).await.unwrap();
        t.advance(2 * SECOND).await;
        assert_eq!(log.read(), [vec![]], "nothing was left to wait for");
        t.shutdown().await;
    });
}

/// The identity of one asker is nobody else's.
#[test]
fn baggage_does_not_stay_behind_for_the_next_turn() {
    TestSystem::run(async |t| {
        let last = t.spawn(|| Hop(None));
        let behind = last.clone();
        let first = t.spawn(move || Hop(Some(behind.clone())));
        first.ask(Pass { wait: Duration::ZERO, ..pass() }).await.unwrap();
        for hop in [&first, &last] {
            let seen = hop.ask(Pass { user: None, wait: Duration::ZERO, inherits: true }).await.unwrap();
            assert!(seen.iter().all(|seen| seen.user.is_none()), "{seen:?}");
        }
        t.shutdown().await;
    });
}

#[test]
fn baggage_holds_one_value_per_type() {
    let baggage = Baggage::default().with(User("ada")).with(7u32);
    let other = baggage.with(User("ben"));
    assert_eq!((*baggage.get::<User>().unwrap()).clone(), User("ada"));
    assert_eq!((*other.get::<User>().unwrap()).clone(), User("ben"));
    assert_eq!((other.get::<u32>().as_deref(), other.get::<u64>()), (Some(&7), None));
}

/// A commit belongs to its turn.
#[test]
fn a_commit_asks_as_its_turn_does() {
    struct Committer(ActorRef<Hop>, Log<Vec<Seen>>);
    impl Actor for Committer {}
    #[derive(Message)]
    #[message(priority = High)]
    struct Commit;
    impl SyncHandler<Commit> for Committer {
        fn handle(&mut self, _: Commit, cx: &mut Context<Self>) -> Result<(), Fault> {
            cx.add_baggage(User("ada"));
            let (hop, log) = (self.0.clone(), self.1.clone());
            cx.commit_with(async move {
                log.write(hop.ask(Pass { user: None, wait: Duration::ZERO, inherits: true }).await?);
                Ok(())
            });
            Ok(())
        }
    }
    TestSystem::run(async |t| {
        let log = Log::default();
        let (hop, seen) = (t.spawn(|| Hop(None)), log.clone());
        let committer = t.spawn(move || Committer(hop.clone(), seen.clone()));
        committer.ask(Commit).timeout(20 * SECOND).await.unwrap();
        let seen = &log.read()[0];
        assert_eq!(seconds(seen), [Some(20)]);
        assert_eq!((seen[0].priority, &seen[0].user), (Priority::High, &Some(User("ada"))));
        t.shutdown().await;
    });
}

/// Each system counts time from its own start; what is left of a deadline is the same everywhere.
#[test]
fn a_deadline_is_not_longer_in_a_younger_system() {
    block_on(async {
        let older = System::builder().workers(1).start().await.unwrap();
        let warm = older.spawn(child("warm", || Hop(None)));
        for _ in 0..500 {
            warm.ask(Pass { user: None, wait: Duration::ZERO, inherits: true }).await.unwrap();
        }
        let younger = System::builder().workers(1).start().await.unwrap();
        for (one, other) in [(&older, &younger), (&younger, &older)] {
            let far = other.spawn(|| Hop(None));
            let near = one.spawn(move || Hop(Some(far.clone())));
            let seen = near.ask(Pass { wait: Duration::ZERO, ..pass() }).timeout(600 * SECOND).await.unwrap();
            let (here, there) = (seen[0].deadline.unwrap(), seen[1].deadline.unwrap());
            assert!(there <= here, "{there:?} are left of {here:?}");
        }
        for system in [older, younger] {
            system.shutdown(Drain::default()).await;
        }
    });
}

/// As above: a turn in a younger system that asks an older one has not timed out before it began.
#[test]
fn a_deadline_is_not_shorter_in_an_older_system() {
    struct Asker(ActorRef<Hop>);
    impl Actor for Asker {}
    #[derive(Message)]
    #[message(reply = (Duration, Duration))]
    struct Compare(oneshot::Receiver<()>);
    impl Handler<Compare> for Asker {
        async fn handle(&mut self, compare: Compare, cx: &mut Context<Self>) -> Result<(Duration, Duration), Fault> {
            let _ = compare.0.await;
            let seen = self.0.ask(Pass { user: None, wait: Duration::ZERO, inherits: true }).await?;
            // Taken after the other turn: in the same measure, it cannot be more.
            Ok((seen[0].deadline.unwrap_or_default(), cx.deadline().unwrap_or_default()))
        }
    }
    block_on(async {
        let older = System::builder().workers(1).start().await.unwrap();
        let hop = older.spawn(|| Hop(None));
        for _ in 0..500 {
            hop.ask(Pass { user: None, wait: Duration::ZERO, inherits: true }).await.unwrap();
        }
        let younger = System::builder().workers(1).start().await.unwrap();
        let asker = younger.spawn(move || Asker(hop.clone()));
        let (go, told_go) = oneshot::channel();
        go.send(()).unwrap();
        let (there, after) = asker.ask(Compare(told_go)).timeout(600 * SECOND).await.unwrap();
        assert!(there >= after, "{there:?} were left there, and {after:?} afterwards here");
        for system in [older, younger] {
            system.shutdown(Drain::default()).await;
        }
    });
}
