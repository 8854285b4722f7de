//! The books of events: each delivery is in exactly one count, and who has subscribed is listed with what it got.

use std::collections::HashSet;
use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Backoff, DeadReason, ErrorCode, Overflow, Priority, child};
use callboard_bus::dead_letter_queue::{DeadLetterQueueExt, LetterFilter};
use callboard_bus::{ChannelOverflow, Event, EventsExt, Subscription, Value};
use futures::poll;
use proptest::prelude::*;
use tokio::sync::oneshot;

use crate::listener::{Heard, Hold};

/// F-BUS-02: what nobody wants is published, and counted.
#[test]
fn what_nobody_wants_is_counted() {
    TestSystem::run(async |t| {
        let (system, probe) = (t.system(), t.probe::<Event>());
        system.channel("c").create().await.unwrap();
        system.publish("a", Value::Null).await.unwrap();
        system.publish("a", Value::Null).channel("c").await.unwrap();
        let _subscription =
            system.subscribe("a", probe.recipient()).filter(|event| event.data == 1.into()).await.unwrap();
        system.publish("a", 2).await.unwrap();
        system.publish("a", 1).await.unwrap();
        let counts = system.events().counts();
        assert_eq!((counts.published, counts.unrouted, counts.delivered, counts.filtered), (4, 3, 1, 1));
        assert!(counts.adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-19: an event whose time is over is never handed to a handler, on whatever way it is, and is a dead letter.
#[test]
fn what_has_expired_reaches_no_handler() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        system.channel("c").create().await.unwrap();
        let slow = t.spawn(child("slow", heard.listener()));
        let _plain = system.subscribe("*", slow.recipient()).await.unwrap();
        let _on_c = system.subscribe("*", slow.recipient()).on_channel("c").await.unwrap();
        let (go, held) = oneshot::channel();
        slow.tell(Hold(held)).await.unwrap();
        t.settle().await;
        let ttl = Duration::from_millis(500);
        system.publish("plain", Value::Null).ttl(ttl).await.unwrap();
        for name in ["in_hand", "queued"] {
            system.publish(name, Value::Null).channel("c").ttl(ttl).await.unwrap();
        }
        system.publish("lasts", Value::Null).channel("c").ttl(10 * ttl).await.unwrap();
        t.advance(ttl).await;
        drop(go);
        t.settle().await;
        assert_eq!(heard.take(), ["lasts"]);
        assert_eq!(system.dead_letters().counts()[&DeadReason::Expired], 3);
        let letters = system.dead_letter_queue().list(&LetterFilter::all());
        let known: HashSet<_> = letters.iter().map(|one| (one.subject.as_str(), one.cause.code)).collect();
        assert_eq!(known, HashSet::from(["plain", "in_hand", "queued"].map(|name| (name, ErrorCode::Expired))));
        assert_eq!(letters.len(), 3);
        let counts = system.events().counts();
        assert_eq!((counts.expired, counts.delivered), (2, 2), "the plain one is in the books of its actor");
        assert!(counts.adds_up());
        assert!(t.inspect().actor("slow").unwrap().messages.adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-19: what could never be handled is refused.
#[test]
fn a_time_to_live_of_nothing_is_refused() {
    TestSystem::run(async |t| {
        let fault = t.system().publish("a", Value::Null).ttl(Duration::ZERO).await.unwrap_err();
        assert_eq!(fault.code(), ErrorCode::ValidationFailed);
        assert!(t.system().publish("a", Value::Null).ttl(Duration::MAX).await.is_ok());
        t.shutdown().await;
    });
}

/// A time to live is no deadline: what the handler asks has its own time.
#[test]
fn a_handler_may_take_longer_than_the_time_to_live() {
    use callboard_actor::{Actor, Context, Fault, Handler};

    struct Slow(oneshot::Sender<Option<Duration>>);
    impl Actor for Slow {}
    impl Handler<Event> for Slow {
        async fn handle(&mut self, _: Event, cx: &mut Context<Self>) -> Result<(), Fault> {
            let (unused, _) = oneshot::channel();
            let deadline = cx.deadline();
            tokio::time::sleep(Duration::from_secs(60)).await;
            let _ = std::mem::replace(&mut self.0, unused).send(deadline);
            Ok(())
        }
    }

    TestSystem::run(async |t| {
        let (tell, told) = oneshot::channel();
        let tell = std::sync::Mutex::new(Some(tell));
        let slow = t.spawn(child("slow", move || Slow(tell.lock().unwrap().take().unwrap())));
        t.system().channel("c").create().await.unwrap();
        let _subscription = t.system().subscribe("*", slow.recipient()).on_channel("c").await.unwrap();
        t.system().publish("a", Value::Null).channel("c").ttl(Duration::from_secs(1)).await.unwrap();
        t.advance(Duration::from_secs(61)).await;
        assert_eq!(told.await, Ok(None));
        let counts = t.system().events().counts();
        assert_eq!((counts.delivered, counts.expired), (1, 0));
        t.shutdown().await;
    });
}

/// F-BUS-18: id, channel, pattern, type, owner, whether it is active, what it got and what it did not take, and when.
#[test]
fn subscriptions_are_listed() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        assert_eq!(system.events().list_subscriptions(), []);
        system.channel("c").create().await.unwrap();
        let owner = t.spawn(child("owner", heard.listener()).backoff(Backoff::none()).attempts(1));
        let on_c = system.subscribe("x.*", owner.recipient()).on_channel("c").message_type("Changed").await.unwrap();
        let plain = system.subscribe(">", owner.recipient()).await.unwrap();
        let function = system.subscribe_fn("mail.*", async |_| Ok(())).await.unwrap();
        t.advance(Duration::from_secs(5)).await;
        system.publish("x.one", false).channel("c").message_type("Changed").await.unwrap();
        system.publish("x.two", true).channel("c").message_type("Changed").await.unwrap();
        let last = system.publish("order.made", false).await.unwrap();
        t.settle().await;
        let list = system.events().list_subscriptions();
        assert_eq!(list.iter().map(|one| one.id).collect::<Vec<_>>(), [on_c.id(), plain.id(), function.id()]);
        let (one, two, three) = (&list[0], &list[1], &list[2]);
        assert_eq!(
            (one.pattern.as_str(), one.message_type.as_deref(), one.owner.as_str()),
            ("x.*", Some("Changed"), "owner")
        );
        assert_eq!(one.channel.as_ref().map(ToString::to_string).as_deref(), Some("c"));
        assert_eq!((one.actor, one.is_active, one.delivered, one.errors), (Some(owner.id()), true, 1, 1));
        assert_eq!((two.channel.as_ref(), two.delivered, two.errors, two.queued), (None, 1, 0, 0));
        let published = system.events().history().list().into_iter().find(|event| event.id == last.id).unwrap();
        assert_eq!((two.last_delivery, three.last_delivery), (Some(published.time), None));
        assert!(three.owner.contains("subscriptions_are_listed"), "{}", three.owner);
        drop(plain);
        assert_eq!(system.events().list_subscriptions().len(), 2);
        owner.stop();
        owner.ended().await;
        assert_eq!(system.events().list_subscriptions().len(), 1, "they end with their owner");
        assert!(!on_c.info().is_active);
        t.shutdown().await;
    });
}

/// A publisher that stops waiting for room leaves nothing in flight.
#[test]
fn who_gives_up_is_counted() {
    TestSystem::run(async |t| {
        let small = t.spawn(child("small", Heard::default().listener()).bound(1));
        let _subscription = t.system().subscribe("a", small.recipient()).await.unwrap();
        let (go, held) = oneshot::channel();
        small.tell(Hold(held)).await.unwrap();
        t.settle().await;
        t.system().publish("a", Value::Null).await.unwrap();
        {
            let mut publishing = pin!(t.system().publish("a", Value::Null).into_future());
            assert!(poll!(&mut publishing).is_pending());
            assert_eq!(t.system().events().counts().in_flight, 1);
        }
        let counts = t.system().events().counts();
        assert_eq!((counts.delivered, counts.given_up, counts.in_flight), (1, 1, 0));
        assert!(counts.adds_up());
        drop(go);
        t.shutdown().await;
    });
}

/// What happens next; numbers count round.
#[derive(Clone, Debug)]
enum Step {
    Subscribe { on: usize, how: usize },
    Leave(usize),
    Publish { on: usize, fails: bool, ttl: bool, priority: Priority },
    Broadcast,
    Hold(usize),
    LetGo,
    StopOne(usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let priority = prop::sample::select(Priority::ALL.to_vec());
    let step = prop_oneof![
        3 => (0..3usize, 0..4usize).prop_map(|(on, how)| Step::Subscribe { on, how }),
        1 => any::<usize>().prop_map(Step::Leave),
        8 => (0..3usize, prop::bool::weighted(0.1), any::<bool>(), priority)
            .prop_map(|(on, fails, ttl, priority)| Step::Publish { on, fails, ttl, priority }),
        1 => Just(Step::Broadcast),
        2 => any::<usize>().prop_map(Step::Hold),
        1 => Just(Step::LetGo),
        1 => any::<usize>().prop_map(Step::StopOne),
        3 => (0..400u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..60)
}

const SCOPES: [Option<&str>; 3] = [None, Some("rejects"), Some("drops")];

/// A system with two small channels, and actors of all kinds.
struct World<'t> {
    t: &'t TestSystem,
    heard: Heard,
    actors: Vec<callboard_actor::ActorRef<crate::listener::Listener>>,
    subscriptions: Vec<Subscription>,
    held: Vec<oneshot::Sender<()>>,
}

impl World<'_> {
    async fn take(&mut self, step: Step) {
        let system = self.t.system();
        match step {
            Step::Subscribe { on, how } => {
                let actor = child("actor", self.heard.listener()).bound(2).backoff(Backoff::none()).attempts(1);
                let actor = self.t.spawn(actor.overflow([Overflow::Reject, Overflow::DropOldest][how % 2]));
                let mut subscribing = match how {
                    3 => system.subscribe_fn(">", async |_| Ok(())),
                    _ => system.subscribe(">", actor.recipient()),
                };
                if how == 2 {
                    subscribing = subscribing.filter_expression("data == 'x'");
                }
                if let Some(channel) = SCOPES[on] {
                    subscribing = subscribing.on_channel(channel);
                }
                self.subscriptions.push(subscribing.await.unwrap());
                self.actors.push(actor);
            }
            Step::Leave(at) => {
                if let Some(at) = at.checked_rem(self.subscriptions.len()) {
                    drop(self.subscriptions.swap_remove(at));
                }
            }
            Step::Publish { on, fails, ttl, priority } => {
                let mut publish = system.publish("a", fails).priority(priority);
                if ttl {
                    publish = publish.ttl(Duration::from_millis(100));
                }
                if let Some(channel) = SCOPES[on] {
                    publish = publish.channel(channel);
                }
                // That a channel is full is one of the outcomes.
                let _ = publish.await;
            }
            Step::Broadcast => drop(system.broadcast("b", Value::Null).await.unwrap()),
            Step::Hold(at) => {
                if let Some(at) = at.checked_rem(self.actors.len()) {
                    let (go, held) = oneshot::channel();
                    self.held.push(go);
                    // One that is full or has ended is not held.
                    let _ = self.actors[at].try_tell(Hold(held));
                }
            }
            Step::LetGo => self.held.clear(),
            Step::StopOne(at) => {
                if let Some(at) = at.checked_rem(self.actors.len()) {
                    self.actors[at].stop();
                }
            }
            Step::Wait(millis) => self.t.advance(Duration::from_millis(millis)).await,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// F-BUS-12: whoever comes, goes, fails, is held, is full or ends: what was routed is the sum of what became of it, and
    /// in the end nothing is in flight.
    #[test]
    fn the_books_of_any_run_add_up(steps in steps()) {
        TestSystem::run(async |t| {
            t.system().channel("rejects").bound(3).create().await.unwrap();
            t.system().channel("drops").bound(3).overflow(ChannelOverflow::DropOldest).create().await.unwrap();
            let (actors, subscriptions, held) = (Vec::new(), Vec::new(), Vec::new());
            let mut world = World { t, heard: Heard::default(), actors, subscriptions, held };
            for step in steps {
                world.take(step).await;
                let counts = t.system().events().counts();
                assert!(counts.adds_up(), "{counts:?}");
                for channel in t.system().channels().list() {
                    assert!(channel.depth <= channel.bound, "{channel:?}");
                }
            }
            world.held.clear();
            t.advance(Duration::from_secs(120)).await;
            let counts = t.system().events().counts();
            assert!(counts.adds_up() && counts.in_flight == 0, "{counts:?}");
            assert_eq!(t.system().channels().queued(), 0);
            for actor in t.inspect().actors {
                assert!(actor.messages.adds_up(), "{actor:?}");
            }
            drop(world);
            t.shutdown().await;
        });
    }
}
