//! Plain actix actors beside ours, both ways: theirs as a recipient of ours, ours as a recipient of theirs, and what either
//! side sees when the other has ended, fails, or does not answer.

use std::future::IntoFuture;
use std::time::Duration;

use actix::dev::MessageResponse;
use actix::{Actor as _, ActorContext as _, MailboxError, ResponseActFuture};
use callboard_actor::{
    Actor, ActorRef, AskError, Context, Drain, Fault, Handler, Message, Priority, Recipient, Stage, System, TellError,
    block_on, child,
};

use crate::common::{Log, NOTHING};

/// Sooner than anything else that a test waits for.
const SOON: Duration = Duration::from_millis(20);

/// Crosses in both directions.
#[derive(Debug, Message, PartialEq, Eq)]
#[message(reply = u64)]
struct Double(u64);

impl actix::Message for Double {
    type Result = u64;
}

/// Is never answered.
#[derive(Message)]
#[message(reply = u64)]
struct Endless;

impl actix::Message for Endless {
    type Result = u64;
}

/// Ends the actor that gets it, or fails its turn.
#[derive(Message)]
struct Leave;

impl actix::Message for Leave {
    type Result = ();
}

/// Written for actix, long ago.
struct Legacy(Log);

impl actix::Actor for Legacy {
    type Context = actix::Context<Self>;
}

impl actix::Handler<Double> for Legacy {
    type Result = u64;

    fn handle(&mut self, Double(number): Double, _: &mut actix::Context<Self>) -> u64 {
        self.0.write(number);
        2 * number
    }
}

impl actix::Handler<Endless> for Legacy {
    type Result = ResponseActFuture<Self, u64>;

    fn handle(&mut self, _: Endless, _: &mut actix::Context<Self>) -> ResponseActFuture<Self, u64> {
        self.0.write(0);
        Box::pin(actix::fut::wrap_future(std::future::pending()))
    }
}

impl actix::Handler<Leave> for Legacy {
    type Result = ();

    fn handle(&mut self, _: Leave, context: &mut actix::Context<Self>) {
        context.terminate();
    }
}

/// Written for us.
struct Modern(Log);

impl Actor for Modern {}

impl Handler<Double> for Modern {
    async fn handle(&mut self, Double(number): Double, _: &mut Context<Self>) -> Result<u64, Fault> {
        tokio::task::yield_now().await;
        self.0.write(number);
        Ok(2 * number)
    }
}

impl Handler<Endless> for Modern {
    async fn handle(&mut self, _: Endless, _: &mut Context<Self>) -> Result<u64, Fault> {
        std::future::pending().await
    }
}

impl Handler<Leave> for Modern {
    async fn handle(&mut self, _: Leave, _: &mut Context<Self>) -> Result<(), Fault> {
        Err(Fault::permanent("it fails"))
    }
}

/// Asks a recipient in its turns, without knowing what is behind it.
struct Asker(Recipient<Double>);

impl Actor for Asker {}

impl Handler<Double> for Asker {
    async fn handle(&mut self, double: Double, _: &mut Context<Self>) -> Result<u64, Fault> {
        Ok(self.0.ask(double).await?)
    }
}

/// A system, and an actix actor on its second arbiter.
struct Scene {
    system: System,
    legacy: actix::Addr<Legacy>,
    log: Log,
}

impl Scene {
    async fn new() -> Self {
        let system = System::builder().workers(2).start().await.expect("threads can be started");
        let log = Log::default();
        let written = log.clone();
        let legacy = system.run_on(1, || async { Legacy(written).start() }).await;
        Self { system, legacy, log }
    }

    fn legacy<M>(&self) -> Recipient<M>
    where
        M: Message<Reply = <M as actix::Message>::Result> + actix::Message<Result: Send> + Send,
        Legacy: actix::Handler<M, Result: MessageResponse<Legacy, M>>,
    {
        self.system.actix_recipient(self.legacy.clone().recipient())
    }

    fn modern(&self) -> ActorRef<Modern> {
        let log = self.log.clone();
        self.system.spawn(child("modern", move || Modern(log.clone())))
    }

    async fn end(self) {
        let report = self.system.shutdown(Drain::default()).await;
        assert!(report.unfinished.is_empty(), "{report:?}");
    }
}

#[test]
fn an_actix_actor_is_asked_and_told_like_one_of_ours() {
    block_on(async {
        let scene = Scene::new().await;
        let legacy = scene.legacy::<Double>();
        legacy.tell(Double(1)).await.unwrap();
        legacy.try_tell(Double(2)).unwrap();
        legacy.tell(Double(3)).priority(Priority::Critical).await.unwrap();
        assert_eq!(legacy.ask(Double(4)).await.unwrap(), 8);
        assert_eq!(scene.log.read(), [1, 2, 3, 4], "one queue, whatever the priority");
        scene.end().await;
    });
}

#[test]
fn a_turn_of_ours_asks_an_actix_actor() {
    block_on(async {
        let scene = Scene::new().await;
        let legacy = scene.legacy::<Double>();
        let asker = scene.system.spawn(child("asker", move || Asker(legacy.clone())));
        assert_eq!(asker.ask(Double(21)).await.unwrap(), 42);
        scene.end().await;
    });
}

#[test]
fn an_actix_actor_that_does_not_answer_runs_into_the_deadline() {
    block_on(async {
        let scene = Scene::new().await;
        let asked = scene.legacy::<Endless>().ask(Endless).timeout(SOON).await;
        // Nobody can see how far an actix actor has come.
        assert!(matches!(asked, Err(AskError::Timeout { stage: Stage::Handler })), "{asked:?}");
        assert_eq!(scene.legacy::<Double>().ask(Double(1)).await.unwrap(), 2);
        scene.end().await;
    });
}

#[test]
fn an_actix_actor_that_has_ended_takes_nothing() {
    block_on(async {
        let scene = Scene::new().await;
        let legacy = scene.legacy::<Double>();
        // It ends in this turn, and may do so before actix has sent the answer.
        let _ = scene.legacy::<Leave>().ask(Leave).await;
        while scene.legacy.connected() {
            tokio::task::yield_now().await;
        }
        assert!(matches!(legacy.try_tell(Double(1)), Err(TellError::Stopped(Double(1)))));
        assert!(matches!(legacy.tell(Double(2)).await, Err(TellError::Stopped(Double(2)))));
        let asked = legacy.ask(Double(3)).await;
        assert!(matches!(asked, Err(AskError::Stopped(Some(Double(3))))), "{asked:?}");
        assert_eq!(scene.log.read(), NOTHING);
        scene.end().await;
    });
}

#[test]
fn an_actix_actor_that_ends_without_an_answer_leaves_no_asker_waiting() {
    block_on(async {
        let scene = Scene::new().await;
        let (endless, leave) = (scene.legacy::<Endless>(), scene.legacy::<Leave>());
        let (asked, _) = futures::join!(endless.ask(Endless).into_future(), async {
            while scene.log.read().is_empty() {
                tokio::task::yield_now().await;
            }
            leave.tell(Leave).await
        });
        assert!(matches!(asked, Err(AskError::Dropped)), "{asked:?}");
        scene.end().await;
    });
}

#[test]
fn an_actor_of_ours_is_a_recipient_of_actix() {
    block_on(async {
        let scene = Scene::new().await;
        let modern = scene.modern();
        let to: actix::Recipient<Double> = modern.to_actix().await;
        to.do_send(Double(1));
        to.try_send(Double(2)).unwrap();
        assert_eq!(to.send(Double(3)).await.unwrap(), 6);
        assert_eq!(scene.log.read(), [1, 2, 3]);
        let there = to.clone();
        assert_eq!(scene.system.run_on(1, || async move { there.send(Double(4)).await }).await.unwrap(), 8);
        let messages = scene.system.inspect().actor("modern").unwrap().messages;
        assert!(messages.handled == 4 && messages.adds_up(), "{messages:?}");
        scene.end().await;
    });
}

/// A system of actix's own, on a thread of its own.
#[test]
fn a_foreign_actix_system_reaches_an_actor_of_ours() {
    let scene = block_on(Scene::new());
    let to: actix::Recipient<Double> = block_on(scene.modern().to_actix());
    let answer = std::thread::scope(|scope| {
        scope.spawn(|| actix::System::new().block_on(to.send(Double(5)))).join().expect("the sender does not panic")
    });
    assert_eq!(answer.unwrap(), 10);
    block_on(scene.end());
}

#[test]
fn actix_sees_a_closed_mailbox_where_the_road_to_ours_fails() {
    block_on(async {
        let scene = Scene::new().await;
        let modern = scene.modern();
        let (to, leave) = (modern.to_actix::<Double>().await, modern.to_actix::<Leave>().await);
        assert!(matches!(leave.send(Leave).await, Err(MailboxError::Closed)), "its turn failed");
        assert_eq!(to.send(Double(1)).await.unwrap(), 2, "the actor has a new value");
        modern.breaker().force_open();
        while modern.ask(Double(2)).await.is_ok() {}
        assert!(matches!(to.send(Double(3)).await, Err(MailboxError::Closed)), "its breaker is open");
        modern.breaker().automatic();
        while modern.ask(Double(4)).await.is_err() {}
        assert_eq!(to.send(Double(5)).await.unwrap(), 10);
        modern.stop();
        modern.ended().await;
        assert!(matches!(to.send(Double(6)).await, Err(MailboxError::Closed)), "it has ended");
        to.do_send(Double(7));
        scene.end().await;
    });
}

#[test]
fn actix_is_told_when_our_actor_ends_in_the_turn_and_when_the_system_has() {
    block_on(async {
        let scene = Scene::new().await;
        let modern = scene.modern();
        let (endless, double) = (modern.to_actix::<Endless>().await, modern.to_actix::<Double>().await);
        let killed = async {
            while scene.system.inspect().actor("modern").unwrap().messages.running == 0 {
                tokio::task::yield_now().await;
            }
            modern.kill();
        };
        let (asked, ()) = futures::join!(endless.send(Endless), killed);
        assert!(matches!(asked, Err(MailboxError::Closed)), "{asked:?}");
        scene.end().await;
        assert!(double.send(Double(1)).await.is_err());
    });
}
