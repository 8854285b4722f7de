//! F-FUT-03: the instances of a module share its calls as the module says, within 5 %.

use std::future::IntoFuture;

use callboard_actor::testing::TestSystem;
use callboard_actor::{ActorRef, Child, Context, Fault, Message, child};
use callboard_bus::{Balance, CallFuture, Health, Manifest, Module, ModulesExt, Registration, from_value, module};
use futures::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::module_kit::{Adder, Rest, SECOND, Who, adder, offer, who};

/// Instances with the numbers from 1, and these weights.
async fn instances(t: &TestSystem, balance: Balance, weights: &[u32]) -> Vec<(ActorRef<Adder>, Registration)> {
    let mut all = Vec::new();
    for (id, weight) in (1..).zip(weights) {
        let actor = t.spawn(adder(id));
        let registration = offer("1.0.0").balance(balance).weight(*weight).register(&actor).await.unwrap();
        all.push((actor, registration));
    }
    t.settle().await;
    all
}

/// How many of the next calls each of the instances answers.
async fn shares(t: &TestSystem, instances: usize, calls: usize) -> Vec<usize> {
    let mut shares = vec![0; instances];
    for _ in 0..calls {
        shares[usize::try_from(who(t.system(), "").await.unwrap()).unwrap() - 1] += 1;
    }
    shares
}

/// Whether each share is within 5 % of what the weights say.
fn is_fair(shares: &[usize], weights: &[u32]) -> bool {
    let (calls, total) = (shares.iter().sum::<usize>() as f64, f64::from(weights.iter().sum::<u32>()));
    shares.iter().zip(weights).all(|(share, weight)| {
        let wanted = calls * f64::from(*weight) / total;
        (*share as f64 - wanted).abs() <= wanted * 0.05
    })
}

#[test]
fn by_turns() {
    TestSystem::run(async |t| {
        let _all = instances(t, Balance::RoundRobin, &[1, 1, 1, 1]).await;
        let shares = shares(t, 4, 4_000).await;
        assert!(is_fair(&shares, &[1; 4]), "{shares:?}");
        t.shutdown().await;
    });
}

#[test]
fn by_weight() {
    TestSystem::run(async |t| {
        let all = instances(t, Balance::Weighted, &[5, 1, 2]).await;
        let counts = shares(t, 3, 4_000).await;
        assert!(is_fair(&counts, &[5, 1, 2]), "{counts:?}");
        let few = shares(t, 3, 16).await;
        assert!(few.iter().all(|share| *share > 0), "they are mixed: {few:?}");
        all[0].1.set_health(Health::Unhealthy("on purpose".into())).await.unwrap();
        let counts = shares(t, 3, 3_000).await;
        assert!(counts[0] == 0 && is_fair(&counts[1..], &[1, 2]), "{counts:?}");
        t.shutdown().await;
    });
}

/// How many turns each has had.
fn handled(t: &TestSystem) -> Vec<u64> {
    let snapshot = t.inspect();
    (1..).map_while(|id| snapshot.actor(&format!("adder-{id}"))).map(|actor| actor.messages.sent).collect()
}

/// A call that an instance is busy with for so many seconds.
fn rest(t: &TestSystem, seconds: u64) -> CallFuture<'static> {
    t.system().call("adder.rest", json!({ "seconds": seconds })).timeout(200 * SECOND).into_future()
}

#[test]
fn by_load() {
    TestSystem::run(async |t| {
        let _all = instances(t, Balance::LeastLoaded, &[1; 4]).await;
        let calls = futures::future::join(join_all((0..400).map(|_| rest(t, 1))), async {
            t.settle().await;
            assert_eq!(handled(t), [100; 4], "as many are waiting at each");
        });
        assert!(calls.await.0.into_iter().all(|answer| answer.is_ok()));
        t.shutdown().await;
    });
}

#[test]
fn who_is_busy_gets_no_call_while_another_is_not() {
    TestSystem::run(async |t| {
        let _all = instances(t, Balance::LeastLoaded, &[1; 3]).await;
        let busy = join_all((0..3).map(|_| rest(t, 60)));
        let dropped = async {
            t.settle().await;
            let mut more = Box::pin(join_all((0..2).map(|_| rest(t, 60))));
            assert!(futures::poll!(&mut more).is_pending());
            assert_eq!(handled(t), [2, 2, 1]);
            let mut next = rest(t, 1);
            assert!(futures::poll!(&mut next).is_pending());
            assert_eq!(handled(t), [2, 2, 2]);
            drop((more, next));
            let mut free = Box::pin(join_all((0..3).map(|_| rest(t, 1))));
            assert!(futures::poll!(&mut free).is_pending());
            assert_eq!(handled(t), [3, 3, 3], "calls that nobody waits for any more are no load");
        };
        let (answers, ()) = futures::join!(busy, dropped);
        assert!(answers.into_iter().all(|answer| answer.is_ok()));
        t.shutdown().await;
    });
}

/// Takes a while, and says who it is.
struct Clerk(u64);

#[derive(Message, Clone, Serialize, Deserialize, JsonSchema)]
#[message(reply = u64)]
struct Write {}

#[module(name = "clerk", version = "1.0.0")]
impl Clerk {
    #[request("write")]
    async fn write(&mut self, _: Write, cx: &mut Context<Self>) -> Result<u64, Fault> {
        cx.system().sleep(SECOND).await;
        Ok(self.0)
    }
}

/// Calls by the methods of a reference are load as well, whether or not there is more to them than one attempt.
#[test]
fn calls_with_types_are_load() {
    TestSystem::run(async |t| {
        let mut all = Vec::new();
        for id in 0..3 {
            let clerk = t.spawn(move || Clerk(id));
            let manifest = Clerk::manifest().balance(Balance::LeastLoaded);
            all.push((clerk.clone(), manifest.register(&clerk).await.unwrap()));
        }
        t.settle().await;
        let (first, last) = (&all[0].0, &all[2].0);
        let mut typed = [first.write(Write {}).into_future(), last.write(Write {}).user("ada").into_future()];
        for call in &mut typed {
            assert!(futures::poll!(call).is_pending());
        }
        let next = async || from_value::<u64>(&t.system().call("clerk.write", json!({})).await.unwrap()).unwrap();
        assert_eq!(next().await, 1, "the others are busy");
        drop(typed);
        let mut chosen = [next().await, next().await, next().await];
        chosen.sort_unstable();
        assert_eq!(chosen, [0, 1, 2], "nobody waits for them any more");
        t.shutdown().await;
    });
}

/// The balance that came last counts, and a default route is as it was.
#[test]
fn the_instance_that_came_last_says_how() {
    TestSystem::run(async |t| {
        let _all = instances(t, Balance::Weighted, &[1, 1]).await;
        let last = t.spawn(adder(3));
        let _last = offer("1.0.0").register(&last).await.unwrap();
        t.settle().await;
        let listed: Vec<_> = t.system().modules().list().iter().map(|module| module.balance).collect();
        assert_eq!(listed, [Balance::Weighted, Balance::Weighted, Balance::RoundRobin]);
        let answers = shares(t, 3, 3).await;
        assert_eq!(answers, [1, 1, 1], "each in its turn");
        t.shutdown().await;
    });
}

/// Without a key calls take turns.
#[test]
fn by_key_without_one() {
    TestSystem::run(async |t| {
        let _all = instances(t, Balance::ConsistentHash, &[1, 1, 1]).await;
        assert_eq!(shares(t, 3, 9).await, [3, 3, 3]);
        t.shutdown().await;
    });
}

/// Who answers the calls with each of these keys.
async fn by_keys(t: &TestSystem, keys: usize) -> Vec<u64> {
    let mut answers = Vec::new();
    for key in 0..keys {
        let answer = t.system().call("adder.who", json!({})).key(format!("customer-{key}")).await.unwrap();
        answers.push(from_value(&answer).unwrap());
    }
    answers
}

#[test]
fn by_key() {
    const KEYS: usize = 20_000;
    TestSystem::run(async |t| {
        let all = instances(t, Balance::ConsistentHash, &[1; 4]).await;
        let before = by_keys(t, KEYS).await;
        let mut shares = vec![0; 4];
        before.iter().for_each(|id| shares[usize::try_from(*id).unwrap() - 1] += 1);
        assert!(is_fair(&shares, &[1; 4]), "{shares:?}");
        assert_eq!(by_keys(t, 100).await, before[..100], "the same key leads to the same instance");

        all[1].1.set_health(Health::Unhealthy("on purpose".into())).await.unwrap();
        let without = by_keys(t, 1_000).await;
        let moved = before.iter().zip(&without).filter(|(before, now)| before != now);
        assert!(moved.clone().all(|(before, now)| *before == 2 && *now != 2), "only its own keys move");
        assert!(moved.count() > 0);
        all[1].1.set_health(Health::Healthy).await.unwrap();
        assert_eq!(by_keys(t, 1_000).await, before[..1_000], "and come back");

        let fifth = t.spawn(adder(5));
        let _fifth = offer("1.0.0").balance(Balance::ConsistentHash).register(&fifth).await.unwrap();
        t.settle().await;
        let with = by_keys(t, 1_000).await;
        assert!(before.iter().zip(&with).all(|(before, now)| before == now || *now == 5), "it gets, and nobody else");
        assert!(with.contains(&5));
        t.shutdown().await;
    });
}

/// A key means something where the balance is by key, and nothing elsewhere.
#[test]
fn a_key_changes_no_other_balance() {
    TestSystem::run(async |t| {
        let _all = instances(t, Balance::RoundRobin, &[1, 1]).await;
        let packed = callboard_bus::codec::encode(&json!({})).unwrap();
        for _ in 0..2 {
            t.system().call_packed("adder.who", packed.clone()).key("a").await.unwrap();
            t.system().call("adder.who", json!({})).key("a").await.unwrap();
        }
        assert_eq!(handled(t), [2, 2]);
        t.shutdown().await;
    });
}

fn unnamed(id: u64) -> Child<Adder> {
    child("adder", move || Adder::new(id))
}

/// What an actor is told past its name is not counted.
#[test]
fn messages_past_the_name_are_no_load() {
    TestSystem::run(async |t| {
        let mut all = Vec::new();
        for id in 1..=2 {
            let actor = t.spawn(unnamed(id));
            let manifest = Manifest::new("adder", "1.0.0").balance(Balance::LeastLoaded).operation::<Who>("who");
            all.push((manifest.register(&actor).await.unwrap(), actor));
        }
        t.settle().await;
        all[0].1.tell(Rest { seconds: 5 }).await.unwrap();
        let answers = join_all((0..4).map(|_| who(t.system(), ""))).await;
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, [1, 2, 2, 2], "the first had to wait for one that seemed free, and the others saw that");
        assert!(t.now() >= 5 * SECOND);
        t.shutdown().await;
    });
}
