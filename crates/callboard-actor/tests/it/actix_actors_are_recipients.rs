//! Plain actix actors as recipients of ours: what they do not take is not lost without a trace.

use actix::{Actor as _, ActorContext as _};
use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, Context, DeadReason, Fault, Message, Priority, Recipient, SyncHandler, child};

/// A number for an actix actor; zero ends it.
#[derive(Message)]
struct Number(u64);

impl actix::Message for Number {
    type Result = ();
}

struct Legacy;

impl actix::Actor for Legacy {
    type Context = actix::Context<Self>;
}

impl actix::Handler<Number> for Legacy {
    type Result = ();

    fn handle(&mut self, Number(number): Number, context: &mut actix::Context<Self>) {
        if number == 0 {
            context.stop();
        }
    }
}

/// Sends on when its turn ends well.
struct Clerk(Recipient<Number>);

impl Actor for Clerk {}

#[derive(Message)]
struct Send(u64);

impl SyncHandler<Send> for Clerk {
    fn handle(&mut self, Send(number): Send, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.send(&self.0, Number(number));
        Ok(())
    }
}

#[test]
fn an_effect_for_one_that_has_ended_is_a_dead_letter() {
    TestSystem::run(async |t| {
        let legacy = t.system().run_on(0, || async { Legacy.start().recipient() }).await;
        let legacy = t.system().actix_recipient(legacy);
        let out = legacy.clone();
        let clerk = t.spawn(child("clerk", move || Clerk(out.clone())));
        clerk.ask(Send(1)).await.unwrap();
        t.settle().await;
        assert_eq!(t.system().dead_letters().total(), 0);
        clerk.ask(Send(0)).await.unwrap();
        t.settle().await;
        assert!(legacy.try_tell(Number(2)).is_err(), "it has ended");
        clerk.ask(Send(3)).await.unwrap();
        t.settle().await;
        let dead = t.system().dead_letters().list();
        let [letter] = &dead[..] else { panic!("one dead letter: {dead:?}") };
        assert!(letter.message.ends_with("::Number"), "{letter:?}");
        assert_eq!((letter.reason, letter.priority), (DeadReason::Refused, Priority::Normal));
        t.shutdown().await;
    });
}
