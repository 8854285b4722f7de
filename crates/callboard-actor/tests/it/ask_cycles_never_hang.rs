//! Promise 14: ask cycles. An ask that would wait for itself fails at once and names the circle; of crossing asks at
//! least one sees it; a turn that has ended refuses nobody; and a bounded `tell` to an actor that waits for this very
//! turn returns `Full`.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, AskError, Context, Drain, Fault, Handler, Message, System, TellError, block_on, child,
};
use futures::future::join_all;
use futures::poll;
use tokio::sync::oneshot;

use crate::common::{Hold, Log, hold};

const SECOND: Duration = Duration::from_secs(1);

/// Knows others by what it is told.
#[derive(Default)]
struct Node {
    known: Vec<ActorRef<Node>>,
    log: Log,
}

impl Actor for Node {}

#[derive(Message)]
struct Meet(ActorRef<Node>);

impl Handler<Meet> for Node {
    async fn handle(&mut self, meet: Meet, _: &mut Context<Self>) -> Result<(), Fault> {
        self.known.push(meet.0);
        Ok(())
    }
}

/// Goes on so many steps along the first known actors; answers with the circle that the last ask would have closed.
#[derive(Message)]
#[message(reply = Option<Vec<String>>)]
struct Walk(usize);

impl Handler<Walk> for Node {
    async fn handle(&mut self, walk: Walk, _: &mut Context<Self>) -> Result<Option<Vec<String>>, Fault> {
        if walk.0 == 0 {
            return Ok(None);
        }
        match self.known[0].ask(Walk(walk.0 - 1)).await {
            Ok(found) => Ok(found),
            Err(AskError::AskCycle { path }) => Ok(Some(path)),
            Err(other) => Err(other.into()),
        }
    }
}

/// Waits in its turn.
impl Handler<Hold> for Node {
    async fn handle(&mut self, hold: Hold, _: &mut Context<Self>) -> Result<(), Fault> {
        hold.run().await;
        Ok(())
    }
}

#[derive(Message)]
struct Nothing;

impl Handler<Nothing> for Node {
    async fn handle(&mut self, _: Nothing, _: &mut Context<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

/// So many actors, each of which knows the next, and the last the first.
async fn circle(system: &System, length: usize) -> Vec<ActorRef<Node>> {
    let nodes: Vec<_> = (0..length).map(|n| system.spawn(child(format!("n{n}"), Node::default))).collect();
    for (at, node) in nodes.iter().enumerate() {
        node.ask(Meet(nodes[(at + 1) % length].clone())).await.expect("it listens");
    }
    nodes
}

#[test]
fn a_circle_of_any_length_is_refused_at_once_and_named() {
    for length in [1, 2, 5] {
        TestSystem::run(async |t| {
            let nodes = circle(t.system(), length).await;
            let began = t.now();
            let path = nodes[0].ask(Walk(length)).await.unwrap().expect("the last step closes the circle");
            // The last actor asks the first: its wait is the one that is refused.
            let names = (0..=length).map(|step| format!("n{}", (step + length - 1) % length)).collect::<Vec<_>>();
            assert_eq!(path, names, "length {length}");
            assert!(t.now() - began < Duration::from_millis(5));
            t.shutdown().await;
        });
    }
}

#[test]
fn a_chain_that_closes_no_circle_is_answered() {
    TestSystem::run(async |t| {
        let nodes = circle(t.system(), 5).await;
        assert_eq!(nodes[0].ask(Walk(4)).await.unwrap(), None);
        // Two chains that meet are no circle either.
        let (one, other) = (nodes[0].ask(Walk(3)).into_future(), nodes[1].ask(Walk(3)).into_future());
        let (one, other) = futures::join!(one, other);
        assert_eq!((one.unwrap(), other.unwrap()), (None, None));
        t.shutdown().await;
    });
}

#[test]
fn a_turn_that_has_ended_refuses_nobody() {
    TestSystem::run(async |t| {
        let nodes = circle(t.system(), 2).await;
        for _ in 0..100 {
            for node in &nodes {
                assert_eq!(node.ask(Walk(1)).await.unwrap(), None, "the ask of the other way is over");
            }
        }
        t.shutdown().await;
    });
}

/// Asks, gives up after a while, and then goes on with its turn.
#[derive(Message)]
#[message(reply = bool)]
struct Impatient(Hold);

impl Handler<Impatient> for Node {
    async fn handle(&mut self, impatient: Impatient, _: &mut Context<Self>) -> Result<bool, Fault> {
        let timed_out = tokio::time::timeout(SECOND, self.known[0].ask(Nothing).into_future()).await.is_err();
        impatient.0.run().await;
        Ok(timed_out)
    }
}

#[test]
fn an_ask_that_was_given_up_is_no_wait_any_more() {
    TestSystem::run(async |t| {
        let nodes = circle(t.system(), 2).await;
        let ((block, mut blocked), (stay, mut staying)) = (hold(), hold());
        nodes[1].tell(block).await.unwrap();
        blocked.began().await;
        let mut gave_up = pin!(nodes[0].ask(Impatient(stay)).into_future());
        assert!(poll!(&mut gave_up).is_pending());
        staying.began().await;
        blocked.let_go();
        let mut asked = pin!(nodes[1].ask(Walk(1)).into_future());
        assert!(poll!(&mut asked).is_pending());
        t.advance(SECOND).await;
        assert!(poll!(&mut asked).is_pending(), "it waits for the turn, which will end");
        staying.let_go();
        assert!(gave_up.await.unwrap());
        assert_eq!(asked.await.unwrap(), None);
        t.shutdown().await;
    });
}

/// Begins an ask in its turn, and has a spawned future wait for the answer.
#[derive(Message)]
struct Begin;

impl Handler<Begin> for Node {
    async fn handle(&mut self, _: Begin, cx: &mut Context<Self>) -> Result<(), Fault> {
        let (other, log) = (self.known[0].clone(), self.log.clone());
        let mut ask = Box::pin(async move { other.ask(Walk(0)).await });
        assert!(poll!(&mut ask).is_pending());
        cx.spawn(async move { log.write(u64::from(ask.await.is_ok())) });
        Ok(())
    }
}

/// The wait belongs to the turn, not to the future that was moved out of it.
#[test]
fn an_ask_that_outlives_its_turn_is_no_wait_of_that_actor_any_more() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let writer = log.clone();
        let first = t.spawn(child("first", move || Node { known: Vec::new(), log: writer.clone() }));
        let second = t.spawn(child("second", Node::default));
        first.ask(Meet(second.clone())).await.unwrap();
        second.ask(Meet(first.clone())).await.unwrap();
        let (block, mut blocked) = hold();
        second.tell(block).await.unwrap();
        blocked.began().await;
        first.ask(Begin).await.unwrap();
        // The turn of `first` is over; what is asked of it now is no circle.
        let mut walk = pin!(second.ask(Walk(1)).priority(callboard_actor::Priority::High).into_future());
        assert!(poll!(&mut walk).is_pending());
        blocked.let_go();
        assert_eq!(walk.await.unwrap(), None);
        t.settle().await;
        assert_eq!(log.read(), [1]);
        t.shutdown().await;
    });
}

/// Asks from a future that it carried away and does not wait for.
#[derive(Message)]
struct Aside;

impl Handler<Aside> for Node {
    async fn handle(&mut self, _: Aside, cx: &mut Context<Self>) -> Result<(), Fault> {
        let (me, log) = (cx.me(), self.log.clone());
        let asks = cx.carry(async move { log.write(u64::from(me.ask(Walk(0)).await.is_ok())) });
        cx.spawn(asks);
        Ok(())
    }
}

#[test]
fn a_future_beside_the_turn_may_ask_its_own_actor() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let writer = log.clone();
        let node = t.spawn(move || Node { known: Vec::new(), log: writer.clone() });
        node.ask(Aside).await.unwrap();
        t.settle().await;
        assert_eq!(log.read(), [1]);
        t.shutdown().await;
    });
}

/// Asks the other side while that asks this one; answers whether the ask was refused.
#[derive(Message)]
#[message(reply = bool, timeout = "10m")]
struct Cross;

impl Handler<Cross> for Node {
    async fn handle(&mut self, _: Cross, _: &mut Context<Self>) -> Result<bool, Fault> {
        match self.known[0].ask(Nothing).await {
            Ok(()) => Ok(false),
            Err(AskError::AskCycle { .. }) => Ok(true),
            Err(other) => Err(other.into()),
        }
    }
}

/// 5,000 pairs on four threads, each asking the other at once: every ask comes to an end, and by an answer or a refusal,
/// not by its time-out of ten minutes.
#[test]
fn ten_thousand_crossing_asks_all_end() {
    block_on(async {
        let system = System::builder().workers(4).start().await.unwrap();
        let (nodes, mut pairs) = (circle_of_pairs(&system, 5_000).await, 0);
        let asked = nodes.iter().map(|node| node.ask(Cross).into_future());
        let refused: Vec<bool> = join_all(asked).await.into_iter().map(|asked| asked.unwrap()).collect();
        for pair in refused.chunks(2) {
            pairs += usize::from(pair[0] || pair[1]);
        }
        assert!(refused.len() == 10_000 && pairs <= 5_000);
        for node in &nodes {
            assert!(node.ask(Nothing).await.is_ok(), "and everybody still listens");
        }
        system.shutdown(Drain::default()).await;
    });
}

async fn circle_of_pairs(system: &System, pairs: usize) -> Vec<ActorRef<Node>> {
    let nodes: Vec<_> = (0..2 * pairs).map(|_| system.spawn(Node::default)).collect();
    for pair in nodes.chunks(2) {
        pair[0].ask(Meet(pair[1].clone())).await.expect("it listens");
        pair[1].ask(Meet(pair[0].clone())).await.expect("it listens");
    }
    nodes
}

/// Waits for its partner in its turn, so that both turns are under way for certain before either asks.
#[derive(Message)]
#[message(reply = bool, timeout = "10m")]
struct Meeting {
    here: oneshot::Sender<()>,
    there: oneshot::Receiver<()>,
}

impl Handler<Meeting> for Node {
    async fn handle(&mut self, meeting: Meeting, cx: &mut Context<Self>) -> Result<bool, Fault> {
        let _ = meeting.here.send(());
        let _ = meeting.there.await;
        self.handle(Cross, cx).await
    }
}

#[test]
fn of_two_turns_that_ask_each_other_exactly_the_circle_is_refused() {
    block_on(async {
        let system = System::builder().workers(2).start().await.unwrap();
        let nodes = circle_of_pairs(&system, 1).await;
        for _ in 0..1000 {
            let ((left, right), (to_left, from_right)) = (oneshot::channel(), oneshot::channel());
            let one = nodes[0].ask(Meeting { here: left, there: from_right }).into_future();
            let other = nodes[1].ask(Meeting { here: to_left, there: right }).into_future();
            let (one, other) = futures::join!(one, other);
            assert!(one.unwrap() || other.unwrap(), "one of the two must not wait");
        }
        system.shutdown(Drain::default()).await;
    });
}

/// Tells its asker, whose mailbox is full; answers with what came of it.
#[derive(Message)]
#[message(reply = &'static str)]
struct TellBack(ActorRef<Node>);

impl Handler<TellBack> for Node {
    async fn handle(&mut self, back: TellBack, _: &mut Context<Self>) -> Result<&'static str, Fault> {
        Ok(match back.0.tell(Nothing).await {
            Ok(()) => "told",
            Err(TellError::Full(Nothing)) => "full",
            Err(_) => "something else",
        })
    }
}

/// Has the next one tell back to the first of the row.
#[derive(Message)]
#[message(reply = &'static str)]
struct Through(usize, ActorRef<Node>);

impl Handler<Through> for Node {
    async fn handle(&mut self, through: Through, _: &mut Context<Self>) -> Result<&'static str, Fault> {
        let Through(left, first) = through;
        Ok(match left {
            0 => self.known[0].ask(TellBack(first)).await?,
            _ => self.known[0].ask(Through(left - 1, first)).await?,
        })
    }
}

#[test]
fn a_tell_that_would_wait_for_its_own_turn_is_told_that_there_is_no_room() {
    for (between, bound) in [(0, 1), (3, 1), (0, 100)] {
        TestSystem::run(async |t| {
            let mut nodes = vec![t.spawn(child("first", Node::default).bound(bound))];
            nodes.extend((0..=between).map(|_| t.spawn(Node::default)));
            for pair in nodes.windows(2) {
                pair[0].ask(Meet(pair[1].clone())).await.unwrap();
            }
            let (block, mut blocked) = hold();
            nodes[0].tell(block).await.unwrap();
            blocked.began().await;
            let mut through = pin!(nodes[0].ask(Through(between, nodes[0].clone())).into_future());
            assert!(poll!(&mut through).is_pending());
            blocked.let_go();
            // As soon as its turn has begun, its lane is filled behind it.
            while nodes[0].state() == callboard_actor::ActorState::Running && nodes[0].try_tell(Nothing).is_ok() {}
            let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(nodes[0].tell(Nothing).into_future())).collect();
            for tell in &mut waiting {
                assert!(poll!(tell).is_pending());
            }
            assert_eq!(through.await.unwrap(), "full", "{between} between, {bound} places");
            for tell in waiting {
                tell.await.unwrap();
            }
            t.shutdown().await;
        });
    }
}

#[test]
#[allow(non_local_definitions)]
fn a_tell_that_waits_for_room_closes_a_circle_too() {
    struct Both(Log);
    impl Actor for Both {}
    impl Handler<TellBack> for Both {
        async fn handle(&mut self, back: TellBack, cx: &mut Context<Self>) -> Result<&'static str, Fault> {
            // Nobody asks this turn: it waits for room, until the other one's turn is over.
            let waits = Node::default().handle_in(back, cx).await;
            self.0.write(1);
            waits
        }
    }
    impl Handler<Nothing> for Both {
        async fn handle(&mut self, _: Nothing, _: &mut Context<Self>) -> Result<(), Fault> {
            Ok(())
        }
    }
    impl Node {
        async fn handle_in(&mut self, back: TellBack, _: &mut Context<Both>) -> Result<&'static str, Fault> {
            back.0.tell(Nothing).await.map_err(|error| Fault::permanent(error.to_string()))?;
            Ok("told")
        }
    }
    #[derive(Message)]
    #[message(reply = bool)]
    struct AskBoth(ActorRef<Both>, Hold);
    impl Handler<AskBoth> for Node {
        async fn handle(&mut self, ask: AskBoth, _: &mut Context<Self>) -> Result<bool, Fault> {
            ask.1.run().await;
            Ok(matches!(ask.0.ask(Nothing).await, Err(AskError::AskCycle { .. })))
        }
    }
    TestSystem::run(async |t| {
        let log = Log::default();
        let node = t.spawn(child("node", Node::default).bound(1));
        let writer = log.clone();
        let both = t.spawn(move || Both(writer.clone()));
        let (stay, mut staying) = hold();
        let mut refused = pin!(node.ask(AskBoth(both.clone(), stay)).into_future());
        assert!(poll!(&mut refused).is_pending());
        staying.began().await;
        node.tell(Nothing).await.unwrap();
        let mut told = pin!(both.ask(TellBack(node.clone())).into_future());
        assert!(poll!(&mut told).is_pending());
        t.settle().await;
        staying.let_go();
        assert!(refused.await.unwrap(), "the other turn waits for room in this mailbox");
        assert_eq!(told.await.unwrap(), "told");
        assert_eq!(log.read(), [1]);
        t.shutdown().await;
    });
}
