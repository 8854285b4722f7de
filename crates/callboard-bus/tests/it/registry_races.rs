//! Registering, unregistering, looking up and calling from many threads at once: nothing hangs, each call is answered or
//! refused with a code, and what was unregistered is not reached by a call that begins afterwards. F-DSC-10.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, ActorRef, Context, Drain, ErrorCode, Fault, Message, SyncHandler, System, block_on};
use callboard_bus::{CallError, Manifest, ModuleChange, ModulesExt, Registration};
use serde_json::json;

use crate::module_kit::{Rest, Who, found};

/// Knows whether it may still be reached.
struct Gone {
    may_be_reached: Arc<AtomicBool>,
    reached_too_late: Arc<AtomicU64>,
}

impl Actor for Gone {}

impl SyncHandler<ModuleChange> for Gone {
    fn handle(&mut self, _: ModuleChange, _: &mut Context<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

/// Whether the call began after the instance was unregistered is known to the caller alone, so it says so.
#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct Reach {
    began_afterwards: bool,
}

impl SyncHandler<Reach> for Gone {
    fn handle(&mut self, reach: Reach, _: &mut Context<Self>) -> Result<(), Fault> {
        if reach.began_afterwards && !self.may_be_reached.load(Ordering::SeqCst) {
            self.reached_too_late.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

fn system() -> System {
    block_on(System::builder().workers(3).start()).unwrap()
}

fn end(system: &System) {
    let report = block_on(system.shutdown(Drain::within(Duration::from_secs(5))));
    assert!(report.unfinished.is_empty(), "{report:?}");
}

/// Runs the work with its number on so many threads at once.
fn on_threads(count: usize, work: impl Fn(usize) + Sync) {
    let together = Barrier::new(count);
    thread::scope(|scope| {
        for number in 0..count {
            let (together, work) = (&together, &work);
            scope.spawn(move || {
                together.wait();
                work(number);
            });
        }
    });
}

/// A code that a call in the middle of all this may end with.
fn is_expected(error: &CallError) -> bool {
    matches!(error.code(), ErrorCode::UnknownModule | ErrorCode::Unavailable)
}

/// F-DSC-10: without a race there is one answer. While an instance finishes what it has, it is there and takes no calls; what is
/// not registered is not there.
#[test]
fn what_drains_is_unavailable_and_what_is_unregistered_is_unknown() {
    TestSystem::run(async |t| {
        let code = async || t.system().call("adder.who", json!({})).await.map_err(|error| error.code());
        assert_eq!(code().await, Err(ErrorCode::UnknownModule));
        let (_stays, registration) = found(t.system(), "1.0.0", 1).await;
        assert_eq!(code().await, Ok(1.into()));
        registration.unregister().await.unwrap();
        assert_eq!(code().await, Err(ErrorCode::UnknownModule));

        let (adder, _registration) = found(t.system(), "1.0.0", 2).await;
        adder.tell(Rest { seconds: 5 }).await.unwrap();
        t.settle().await;
        adder.drain();
        t.settle().await;
        assert_eq!(code().await, Err(ErrorCode::Unavailable));
        adder.ended().await;
        t.settle().await;
        assert_eq!(code().await, Err(ErrorCode::UnknownModule));
        t.shutdown().await;
    });
}

#[test]
fn every_call_is_answered_or_refused_with_a_code() {
    let system = system();
    let answered = AtomicU64::new(0);
    let _stable = block_on(found(&system, "1.0.0", 1000));
    on_threads(8, |number| {
        for round in 0..60 {
            let id = (number * 1000 + round) as u64;
            block_on(async {
                match number % 4 {
                    0 => come_and_go(&system, id, Registration::unregister).await,
                    1 => come_and_end(&system, id).await,
                    2 => look_up(&system).await,
                    _ => {}
                }
                match system.call("adder.who", json!({})).await {
                    Ok(_) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                    Err(error) => assert!(is_expected(&error), "{error:?}"),
                }
            });
        }
    });
    assert!(answered.load(Ordering::Relaxed) > 240, "one instance was there all the time");
    block_on(wait_until(|| system.modules().list().len() == 1));
    end(&system);
}

async fn come_and_go<F: Future<Output = Result<(), callboard_bus::RegistryError>>>(
    system: &System,
    id: u64,
    go: impl FnOnce(Registration) -> F,
) {
    let (adder, registration) = found(system, "1.0.0", id).await;
    go(registration).await.unwrap();
    assert_eq!(adder.ask(Who {}).await.unwrap(), id, "it lives on");
    adder.drain();
}

async fn come_and_end(system: &System, id: u64) {
    let (adder, _) = found(system, "1.0.0", id).await;
    adder.stop();
    adder.ended().await;
}

/// A reference that was handed out is to a living actor, or to one that ended a moment ago and says so.
async fn look_up(system: &System) {
    let recipient = match system.lookup::<Who>("adder.who").await {
        Ok(recipient) => recipient,
        Err(error) => return assert_eq!(error.code(), ErrorCode::Unavailable),
    };
    if let Err(error) = recipient.ask(Who {}).await {
        assert_eq!(error.code(), ErrorCode::Unavailable, "{error}");
    }
}

/// The end of the last actor is told to the registry by a message, which takes its time.
async fn wait_until(is_so: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if is_so() {
            return;
        }
        thread::yield_now();
    }
    panic!("it never came to be");
}

/// An instance with what it knows and tells.
struct Target {
    actor: ActorRef<Gone>,
    registration: Registration,
    may_be_reached: Arc<AtomicBool>,
    reached_too_late: Arc<AtomicU64>,
}

async fn target(system: &System) -> Target {
    let (may_be_reached, reached_too_late) = (Arc::new(AtomicBool::new(true)), Arc::default());
    let (flag, count) = (Arc::clone(&may_be_reached), Arc::clone(&reached_too_late));
    let make = move || Gone { may_be_reached: Arc::clone(&flag), reached_too_late: Arc::clone(&count) };
    let actor = system.spawn(make);
    let module = Manifest::new("gone", "1.0.0").operation::<Reach>("reach");
    let registration = module.register(&actor).await.unwrap();
    Target { actor, registration, may_be_reached, reached_too_late }
}

#[test]
fn a_call_that_begins_after_the_end_of_a_registration_does_not_reach_the_instance() {
    let system = system();
    for _ in 0..40 {
        let Target { actor, registration, may_be_reached, reached_too_late } = block_on(target(&system));
        let is_over = AtomicBool::new(false);
        let registration = std::sync::Mutex::new(Some(registration));
        on_threads(4, |number| {
            if number == 0 {
                let registration = registration.lock().unwrap().take().unwrap();
                block_on(registration.unregister()).unwrap();
                may_be_reached.store(false, Ordering::SeqCst);
                is_over.store(true, Ordering::SeqCst);
            }
            loop {
                let began_afterwards = is_over.load(Ordering::SeqCst);
                let input = json!({ "began_afterwards": began_afterwards });
                let answer = block_on(async { system.call("gone.reach", input).await });
                assert!(answer.is_ok() || answer.as_ref().is_err_and(is_expected), "{answer:?}");
                if began_afterwards {
                    break assert!(answer.is_err(), "it was reached");
                }
            }
        });
        assert_eq!(reached_too_late.load(Ordering::SeqCst), 0);
        actor.stop();
    }
    end(&system);
}

/// However many first come at once, there is one registry.
#[test]
fn there_is_one_registry() {
    for _ in 0..20 {
        let system = system();
        on_threads(8, |number| {
            drop(block_on(found(&system, "1.0.0", number as u64)));
        });
        assert_eq!(system.modules().list().len(), 8);
        let registries = system.inspect().actors.iter().filter(|actor| actor.name == "registry").count();
        assert_eq!(registries, 1);
        end(&system);
    }
}

/// What the registry keeps refers to actors, and they to their system: the circle is broken when the system ends.
#[test]
fn nothing_is_found_and_nothing_is_kept_when_the_system_is_over() {
    let system = system();
    let kept = Arc::new(());
    let weak = Arc::downgrade(&kept);
    let actor = system.spawn(move || {
        let _kept = Arc::clone(&kept);
        Gone { may_be_reached: Arc::default(), reached_too_late: Arc::default() }
    });
    let module = Manifest::new("gone", "1.0.0").operation::<Reach>("reach");
    block_on(module.register(&actor)).unwrap();
    let watch = block_on(system.modules().watch(actor.recipient())).unwrap();
    drop(actor);
    end(&system);
    let error = block_on(async { system.call("gone.reach", json!({ "began_afterwards": true })).await }).unwrap_err();
    assert_eq!((error.code(), error.to_string()), (ErrorCode::Unavailable, "the system has been shut down".into()));
    drop((system, watch));
    // The last thread of the system may be about to end.
    block_on(wait_until(|| weak.upgrade().is_none()));
}
