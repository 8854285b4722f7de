//! Promise 7: of a group that restarts each child is started again, also when one fails anew in the very moment in which the
//! start of another ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorState, Backoff, Child, Context, Fault, Handler, Message, StopReason, Supervise, SyncHandler, child,
    one_for_all, rest_for_one,
};
use tokio::sync::oneshot;

use crate::common::Note;

/// What a later start waits for, if there is something.
type Gate = Arc<Mutex<Option<oneshot::Receiver<()>>>>;

/// Takes its time to say goodbye.
struct Sibling(Gate);

impl Actor for Sibling {
    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), Fault> {
        let gate = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(gate) = gate {
            gate.await?;
        }
        Ok(())
    }

    async fn stopped(self, _: StopReason) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Fails as soon as it is told to.
#[derive(Message)]
struct Fail(oneshot::Receiver<()>);

impl Handler<Fail> for Sibling {
    async fn handle(&mut self, fail: Fail, _: &mut Context<Self>) -> Result<(), Fault> {
        Err(fail.0.await.map_or_else(Fault::permanent, |()| Fault::permanent("told to fail")))
    }
}

impl SyncHandler<Note> for Sibling {
    fn handle(&mut self, _: Note, cx: &mut Context<Self>) -> Result<u64, Fault> {
        Ok(cx.generation())
    }
}

fn sibling(name: &str, gate: &Gate) -> Child<Sibling> {
    let gate = Arc::clone(gate);
    child(name, move || Sibling(Arc::clone(&gate)))
}

/// In the supervisor's mailbox the fault of the one may stand before the word of the other that it has started.
#[test]
fn a_sibling_that_fails_while_another_starts_does_not_cost_that_its_restart() {
    for (supervise, fails_first) in
        [(one_for_all as fn() -> Supervise, true), (one_for_all, false), (rest_for_one, true), (rest_for_one, false)]
    {
        TestSystem::run(async |t| {
            let group = t.system().supervise(supervise().backoff(Backoff::none())).await.unwrap();
            let gate = Gate::default();
            let (one, two) = (group.spawn(sibling("one", &Gate::default())), group.spawn(sibling("two", &gate)));
            assert_eq!((one.ask(Note(1)).await.unwrap(), two.ask(Note(1)).await.unwrap()), (1, 1));

            let (start, waits) = oneshot::channel();
            *gate.lock().unwrap() = Some(waits);
            let (fail, fails) = oneshot::channel();
            fail.send(()).unwrap();
            assert!(one.ask(Fail(fails)).await.is_err());
            t.advance(Duration::from_secs(2)).await;
            assert_eq!((one.ask(Note(1)).await.unwrap(), two.state()), (2, ActorState::Restarting));

            let (fail, fails) = oneshot::channel();
            one.tell(Fail(fails)).await.unwrap();
            t.settle().await;
            let senders = if fails_first { [fail, start] } else { [start, fail] };
            senders.into_iter().for_each(|sender| sender.send(()).unwrap());
            t.advance(Duration::from_secs(10)).await;
            assert_eq!((one.state(), two.state()), (ActorState::Running, ActorState::Running));
            assert_eq!((one.ask(Note(1)).await.unwrap(), two.ask(Note(1)).await.unwrap()), (3, 3));
            t.shutdown().await;
        });
    }
}
