//! Promises 12 and 13, for layers above: what an asker leaves behind when it stops waiting lasts as long as its turn, F-BUS-09;
//! and the receiver sees what the asker calls its request.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context as Task, Waker};

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, AskFuture, Context, Drain, Fault, Handler, Message, MessageId, System, TraceContext, block_on,
};
use tokio::sync::{Semaphore, oneshot};

/// Does not end its turn, or its commit, before somebody says so.
struct Gate(Arc<Semaphore>);

impl Actor for Gate {}

#[derive(Message)]
#[message(reply = ())]
struct Pass {
    in_commit: bool,
}

impl Handler<Pass> for Gate {
    async fn handle(&mut self, pass: Pass, cx: &mut Context<Self>) -> Result<(), Fault> {
        let gate = Arc::clone(&self.0);
        // Nobody closes it.
        let opened = async move { gate.acquire().await.map(tokio::sync::SemaphorePermit::forget).map_err(Fault::from) };
        if pass.in_commit {
            cx.commit_with(opened);
            return Ok(());
        }
        opened.await
    }
}

fn gate(t: &TestSystem) -> (Arc<Semaphore>, ActorRef<Gate>) {
    let open = Arc::new(Semaphore::new(0));
    let theirs = Arc::clone(&open);
    (open, t.spawn(move || Gate(Arc::clone(&theirs))))
}

fn begin(gate: &ActorRef<Gate>, in_commit: bool) -> AskFuture<&ActorRef<Gate>, Pass> {
    let mut asked = gate.ask(Pass { in_commit }).into_future();
    assert!(Pin::new(&mut asked).poll(&mut Task::from_waker(Waker::noop())).is_pending());
    asked
}

/// Whether it is still there is seen by the other one.
fn something() -> (Arc<()>, Weak<()>) {
    let something = Arc::new(());
    let seen = Arc::downgrade(&something);
    (something, seen)
}

fn is_there(seen: &Weak<()>) -> bool {
    seen.strong_count() > 0
}

/// F-BUS-09: until the handler has ended, and its commit; and no turn begins for one who has left.
#[test]
fn it_lasts_as_long_as_the_turn() {
    TestSystem::run(async |t| {
        for in_commit in [false, true] {
            let (open, gate) = gate(t);
            let (mut running, mut queued) = (begin(&gate, in_commit), begin(&gate, in_commit));
            t.settle().await;
            let ((first, of_running), (second, of_queued)) = (something(), something());
            queued.leave_behind(second);
            assert!(!is_there(&of_queued), "its turn has not begun and never will");
            running.leave_behind(first);
            drop((running, queued));
            t.settle().await;
            assert!(is_there(&of_running));
            open.add_permits(1);
            t.settle().await;
            assert!(!is_there(&of_running));
            gate.ask(Pass { in_commit: false }).timeout(std::time::Duration::from_secs(1)).await.unwrap_err();
            let counts = t.inspect().actor(&gate.name()).unwrap().messages;
            assert_eq!((counts.handled, counts.abandoned), (1, 1));
            gate.kill();
        }
        t.shutdown().await;
    });
}

/// F-BUS-09: nor does it outlast an actor that is killed, or that had ended before; what was not sent or has been answered
/// has no turn.
#[test]
fn it_goes_with_the_actor() {
    TestSystem::run(async |t| {
        let (open, gate) = gate(t);
        let mut fresh = gate.ask(Pass { in_commit: false }).into_future();
        let (left, seen) = something();
        fresh.leave_behind(left);
        assert!(!is_there(&seen));
        let mut answered = begin(&gate, false);
        open.add_permits(1);
        (&mut answered).await.unwrap();
        let (left, seen) = something();
        answered.leave_behind(left);
        t.settle().await;
        assert!(!is_there(&seen));
        let (mut one, mut other) = (begin(&gate, false), begin(&gate, false));
        t.settle().await;
        let (left, seen) = something();
        one.leave_behind(left);
        gate.kill();
        t.settle().await;
        assert!(!is_there(&seen));
        let (left, seen) = something();
        other.leave_behind(left);
        t.settle().await;
        assert!(!is_there(&seen));
        t.shutdown().await;
    });
}

/// Says when it is dropped.
struct Tells(Option<oneshot::Sender<()>>);

impl Drop for Tells {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            let _ = tell.send(());
        }
    }
}

/// F-BUS-09: from a thread that has no runtime, of an actor on another one.
#[test]
fn a_thread_without_a_runtime_leaves_it_too() {
    block_on(async {
        let system = System::builder().workers(2).start().await.unwrap();
        let open = Arc::new(Semaphore::new(0));
        let theirs = Arc::clone(&open);
        let gate = system.spawn(move || Gate(Arc::clone(&theirs)));
        let (tell, mut told) = oneshot::channel();
        let asking = std::thread::spawn({
            let gate = gate.clone();
            move || {
                let mut asked = begin(&gate, false);
                while gate.system().inspect().actor(&gate.name()).is_none_or(|gate| gate.messages.running == 0) {
                    std::thread::yield_now();
                }
                asked.leave_behind(Tells(Some(tell)));
            }
        });
        asking.join().unwrap();
        assert!(told.try_recv().is_err(), "the handler is at work");
        open.add_permits(1);
        told.await.unwrap();
        system.shutdown(Drain::default()).await;
    });
}

/// What a turn knows of its request.
type Known = (Option<MessageId>, Option<MessageId>, u32, Option<TraceContext>);

/// Tells what it knows, and has the next one do so.
struct Hop(Option<ActorRef<Hop>>);

impl Actor for Hop {}

#[derive(Message)]
#[message(reply = Vec<Known>)]
struct Tell;

impl Handler<Tell> for Hop {
    async fn handle(&mut self, _: Tell, cx: &mut Context<Self>) -> Result<Vec<Known>, Fault> {
        let trace = cx.baggage::<TraceContext>().map(|trace| *trace);
        let mut known = vec![(cx.message_id(), cx.correlation_id(), cx.attempt(), trace)];
        if let Some(next) = &self.0 {
            known.extend(next.ask(Tell).await?);
        }
        Ok(known)
    }
}

/// F-RTY-06: the id and the number of the attempt are the message's own, and what it belongs to goes on from hop to hop; the next
/// message of the same actor knows nothing of it.
#[test]
fn the_receiver_sees_the_request() {
    TestSystem::run(async |t| {
        let last = t.spawn(|| Hop(None));
        let first = t.spawn(move || Hop(Some(last.clone())));
        let (id, own) =
            (t.system().fresh_id(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap());
        let known = first.ask(Tell).request(id, 3).baggage::<TraceContext>(own).await.unwrap();
        assert_eq!(known, [(Some(id), Some(id), 3, Some(own)), (None, Some(id), 1, Some(own))]);
        let known = first.ask(Tell).await.unwrap();
        assert_eq!(known, [(None, None, 1, None), (None, None, 1, None)]);
        t.shutdown().await;
    });
}

/// An ask that waits can be waited for elsewhere, and what it was taken from holds nothing of it: what is left behind there is
/// free at once, and dropping it gives up nothing.
#[test]
fn an_ask_is_waited_for_where_it_is_moved_to() {
    TestSystem::run(async |t| {
        let (open, gate) = gate(t);
        let mut here = begin(&gate, false);
        let there = here.take_owned();
        t.settle().await;
        let (left, seen) = something();
        here.leave_behind(left);
        t.settle().await;
        assert!(!is_there(&seen));
        assert!(Pin::new(&mut here).poll(&mut Task::from_waker(Waker::noop())).is_pending());
        drop(here);
        drop(gate);
        let answered = tokio::task::spawn_local(there);
        open.add_permits(1);
        answered.await.unwrap().unwrap();
        t.shutdown().await;
    });
}

/// What has not been polled is given back, and is not sent any more; afterwards there is nothing to give back.
#[test]
fn what_has_not_been_sent_can_be_recalled() {
    TestSystem::run(async |t| {
        let (_open, gate) = gate(t);
        let mut fresh = gate.ask(Pass { in_commit: true }).into_future();
        assert!(fresh.recall().is_some_and(|pass| pass.in_commit));
        assert!(Pin::new(&mut fresh).poll(&mut Task::from_waker(Waker::noop())).is_pending());
        assert!(fresh.recall().is_none() && begin(&gate, false).recall().is_none());
        t.settle().await;
        assert_eq!(t.inspect().actor(&gate.name()).unwrap().messages.sent, 1);
        t.shutdown().await;
    });
}
