//! What a turn publishes leaves when the turn ends well, and never when it does not.

use std::time::Duration;

use callboard_actor::testing::{Probe, TestSystem};
use callboard_actor::{
    Actor, ActorRef, Child, Context, ErrorCode, Fault, Handler, Message, Priority, SyncHandler, child, child_with,
};
use callboard_bus::dead_letter_queue::{DeadLetterQueueExt, LetterFilter};
use callboard_bus::{Event, EventId, EventOptions, EventsExt, PublishError, Subscription, TurnEventsExt, Value};
use tokio::sync::oneshot;

use crate::listener::{Heard, Hold, Listener};

struct Clerk;

impl Actor for Clerk {}

/// Publishes two events around a wait, and then the turn ends well or not.
#[derive(Message)]
#[message(reply = Vec<EventId>)]
struct Work {
    wait: oneshot::Receiver<()>,
    ends_well: bool,
}

impl Handler<Work> for Clerk {
    async fn handle(&mut self, work: Work, cx: &mut Context<Self>) -> Result<Vec<EventId>, Fault> {
        let first = cx.publish("work.begun", Value::from(1))?;
        let _ = work.wait.await;
        let second = cx.publish("work.done", Value::from(2))?;
        if work.ends_well { Ok(vec![first, second]) } else { Err(Fault::permanent("it was to fail")) }
    }
}

/// What a bad name is answered with.
#[derive(Message)]
#[message(reply = PublishError)]
struct Misname;

impl Handler<Misname> for Clerk {
    async fn handle(&mut self, _: Misname, cx: &mut Context<Self>) -> Result<PublishError, Fault> {
        Ok(cx.publish("work.*", Value::Null).unwrap_err())
    }
}

/// Publishes an event with these options.
#[derive(Message)]
#[message(reply = EventId)]
struct Report(EventOptions);

impl Handler<Report> for Clerk {
    async fn handle(&mut self, report: Report, cx: &mut Context<Self>) -> Result<EventId, Fault> {
        Ok(cx.publish_with("work.report", Value::Null, report.0)?)
    }
}

async fn office(t: &TestSystem) -> (ActorRef<Clerk>, Probe<Event>, Subscription) {
    let probe = t.probe();
    let subscription = t.system().subscribe("work.*", probe.recipient()).await.unwrap();
    (t.spawn(child("clerk", || Clerk)), probe, subscription)
}

fn done() -> oneshot::Receiver<()> {
    oneshot::channel().1
}

#[test]
fn a_turn_that_ends_well_publishes_in_order() {
    TestSystem::run(async |t| {
        let (clerk, probe, _subscription) = office(t).await;
        let ids = clerk.ask(Work { wait: done(), ends_well: true }).await.unwrap();
        t.settle().await;
        let got = probe.take();
        assert_eq!(got.iter().map(|event| event.id).collect::<Vec<_>>(), ids);
        assert!(got.iter().all(|event| &*event.source == "clerk"));
        assert_eq!(got.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), ["work.begun", "work.done"]);
        t.shutdown().await;
    });
}

#[test]
fn a_turn_that_fails_publishes_nothing() {
    TestSystem::run(async |t| {
        let (clerk, probe, _subscription) = office(t).await;
        assert!(clerk.ask(Work { wait: done(), ends_well: false }).await.is_err());
        probe.expect_none(Duration::from_secs(60)).await;
        assert!(clerk.ask(Work { wait: done(), ends_well: true }).await.is_ok());
        t.settle().await;
        assert_eq!(probe.take().len(), 2, "the next turn has only its own");
        t.shutdown().await;
    });
}

#[test]
fn nothing_leaves_before_the_turn_has_ended() {
    TestSystem::run(async |t| {
        let (clerk, probe, subscription) = office(t).await;
        let late = t.probe();
        let (go, wait) = oneshot::channel();
        clerk.tell(Work { wait, ends_well: true }).await.unwrap();
        probe.expect_none(Duration::from_secs(60)).await;
        // It is the end of the turn that publishes: who subscribes before it gets the event, who leaves does not.
        let _late = t.system().subscribe("work.begun", late.recipient()).await.unwrap();
        subscription.unsubscribe().await;
        drop(go);
        t.settle().await;
        let (late, early) = (late.take(), probe.take());
        assert_eq!((late.len(), early.len()), (1, 0));
        t.shutdown().await;
    });
}

/// A listener to the work that is in the middle of a turn until it is let go.
async fn held_up(t: &TestSystem, listener: Child<Listener>) -> (ActorRef<Listener>, Subscription, oneshot::Sender<()>) {
    let listener = t.spawn(listener);
    let subscription = t.system().subscribe("work.*", listener.recipient()).await.unwrap();
    let (go, held) = oneshot::channel();
    listener.tell(Hold(held)).await.unwrap();
    t.settle().await;
    (listener, subscription, go)
}

/// As with the system's own `publish`: the urgent one overtakes, and comes under the id that it was given.
#[test]
fn an_event_of_a_turn_has_the_priority_and_the_id_that_it_was_given() {
    TestSystem::run(async |t| {
        let (clerk, probe, _subscription) = office(t).await;
        let heard = Heard::default();
        let (_, _slow, go) = held_up(t, child("slow", heard.listener())).await;
        clerk.ask(Work { wait: done(), ends_well: true }).await.unwrap();
        let id = t.system().events().fresh_id();
        let options = EventOptions::default().priority(Priority::High).id(id);
        assert_eq!(clerk.ask(Report(options)).await.unwrap(), id);
        drop(go);
        t.settle().await;
        assert_eq!(heard.take(), ["work.report", "work.begun", "work.done"]);
        assert!(probe.take().iter().any(|event| event.id == id));
        t.shutdown().await;
    });
}

/// What finds no room in the lane of its priority is a dead letter that is known by name: in another lane it would be
/// overtaken by those that come later.
#[test]
fn an_urgent_event_that_finds_no_room_does_not_wait() {
    TestSystem::run(async |t| {
        let (clerk, ..) = office(t).await;
        let heard = Heard::default();
        let (small, _small, go) = held_up(t, child("small", heard.listener()).bound(1)).await;
        let urgent = EventOptions::default().priority(Priority::High);
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(clerk.ask(Report(urgent.clone())).await.unwrap());
        }
        let letters = t.system().dead_letter_queue().list(&LetterFilter::all());
        assert_eq!(letters.iter().filter_map(|letter| letter.event).collect::<Vec<_>>(), ids[1..]);
        let letter = &letters[0];
        assert_eq!((letter.subject.as_str(), letter.priority), ("work.report", Priority::High));
        assert_eq!((letter.actor, letter.cause.code), (Some(small.id()), ErrorCode::Busy));
        assert_eq!(t.system().dead_letters().list()[0].actor_id, small.id());
        drop(go);
        t.settle().await;
        assert_eq!(heard.take().len(), 1);
        assert!(t.inspect().actor("small").unwrap().messages.adds_up());
        t.shutdown().await;
    });
}

#[test]
fn a_bad_name_is_known_at_once() {
    TestSystem::run(async |t| {
        let (clerk, ..) = office(t).await;
        let refused = clerk.ask(Misname).await.unwrap();
        assert!(matches!(refused, PublishError::InvalidName(_)), "{refused}");
        t.shutdown().await;
    });
}

#[test]
fn what_finds_no_room_at_the_end_of_a_turn_is_a_dead_letter() {
    TestSystem::run(async |t| {
        let (clerk, probe, _subscription) = office(t).await;
        let heard = Heard::default();
        let (_, _small, go) = held_up(t, child("small", heard.listener()).bound(1)).await;
        clerk.ask(Work { wait: done(), ends_well: true }).await.unwrap();
        drop(go);
        t.settle().await;
        assert_eq!((heard.take(), probe.take().len()), (vec!["work.begun".to_owned()], 2));
        assert_eq!(t.system().dead_letters().list().len(), 1);
        assert!(t.inspect().actor("small").unwrap().messages.adds_up());
        t.shutdown().await;
    });
}

/// Answers two questions with an event each, and takes its subscription along when it goes.
struct Echo {
    answered: u32,
    _subscription: Subscription,
}

/// Subscribes before the first turn.
async fn echo(cx: &mut Context<Echo>) -> Result<Echo, Fault> {
    let me = cx.me().recipient();
    Ok(Echo { answered: 0, _subscription: cx.subscribe("question", me).await? })
}

impl Actor for Echo {}

impl Handler<Event> for Echo {
    async fn handle(&mut self, event: Event, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.answered += 1;
        cx.publish("work.echo", event.data.clone())?;
        if self.answered == 2 {
            cx.stop();
        }
        Ok(())
    }
}

#[test]
fn an_actor_that_holds_its_subscription_takes_it_along() {
    TestSystem::run(async |t| {
        let (_, probe, _subscription) = office(t).await;
        let echo = t.spawn(child_with("echo", echo));
        t.settle().await;
        for number in 0..3 {
            t.system().publish("question", Value::from(number)).await.unwrap();
            t.settle().await;
        }
        echo.ended().await;
        assert_eq!(
            probe.take().into_iter().map(|event| event.data.clone()).collect::<Vec<_>>(),
            [0, 1].map(Value::from)
        );
        assert_eq!(t.system().events().subscriptions(), 1);
        t.shutdown().await;
    });
}

/// Publishes what it gets itself, from within its turn and without waiting for the end of it.
struct Loop;

impl Actor for Loop {}

impl SyncHandler<Event> for Loop {
    fn handle(&mut self, _: Event, _: &mut Context<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

/// The receipts of so many events.
#[derive(Message)]
#[message(reply = Vec<(usize, usize)>)]
struct Talk(usize);

impl Handler<Talk> for Loop {
    async fn handle(&mut self, talk: Talk, cx: &mut Context<Self>) -> Result<Vec<(usize, usize)>, Fault> {
        let mut receipts = Vec::new();
        for _ in 0..talk.0 {
            let receipt = cx.system().publish("loop", Value::Null).await?;
            receipts.push((receipt.delivered, receipt.refused));
        }
        Ok(receipts)
    }
}

#[test]
fn who_publishes_to_itself_does_not_wait_for_its_own_room() {
    TestSystem::run(async |t| {
        let talker = t.spawn(child("talker", || Loop).bound(2));
        let _subscription = t.system().subscribe("loop", talker.recipient()).await.unwrap();
        assert_eq!(talker.ask(Talk(3)).await.unwrap(), [(1, 0), (1, 0), (0, 1)]);
        assert_eq!(t.system().dead_letters().total(), 1);
        t.settle().await;
        assert!(t.inspect().actor("talker").unwrap().messages.adds_up());
        t.shutdown().await;
    });
}
