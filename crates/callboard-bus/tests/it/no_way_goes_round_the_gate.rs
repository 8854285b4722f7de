//! F-BUS-01, F-BUS-03, F-EVT-01, F-MOD-03, F-API-12, F-CB-08, F-CFG-17, F-DLQ-02, F-DLQ-05: a system with a gate does nothing that the gate has
//! not let pass, by whatever way somebody comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, BreakerMode, Context, ErrorCode, Fault, Handler, Message, SyncHandler, System, child,
};
use callboard_bus::config::{Config, LiveConfig};
use callboard_bus::dead_letter_queue::{DeadLetterQueueExt, LetterFilter, LetterReason};
use callboard_bus::discovery::Permissions;
use callboard_bus::gate::{Access, AlreadyGuarded, Gate, GateError, Unproven};
use callboard_bus::middleware::{Next, Request};
use callboard_bus::providers::{ApiRoutes, Principal, ProvidersExt};
use callboard_bus::{
    Audit, AuditExt, AuditKind, AuthContext, Batch, BatchOutcome, BuilderGateExt, CallError, CallSettings, ConfigExt,
    DeadLetterQueue, DomainEvent, Event, EventOptions, EventsExt, GateExt, Job, JobState, JobsExt, LookupError, Module,
    ModulesExt, OperationsExt, Operator, PublishError, Registration, Router, SecurityLevel, Subscription,
    TurnEventsExt, Value, module,
};
use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::gatekeeping::{ADA, Asked, BOB, Stub, ada, key};

/// Counts how often anything was opened or heard of.
#[derive(Clone, Default)]
struct Runs(Arc<AtomicU32>);

impl Runs {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

#[derive(Clone, Message, Serialize, Deserialize, JsonSchema)]
#[message(reply = bool)]
struct Open {}

struct Vault(Runs);

#[module(name = "vault", version = "1.0.0")]
impl Vault {
    #[request("open")]
    fn open(&mut self, _: Open) -> bool {
        self.0.add();
        true
    }
}

/// Hears of doors.
struct Ear(Runs);

impl Actor for Ear {}

impl SyncHandler<Event> for Ear {
    fn handle(&mut self, _: Event, _: &mut Context<Self>) -> Result<(), Fault> {
        self.0.add();
        Ok(())
    }
}

impl SyncHandler<Batch> for Ear {
    fn handle(&mut self, _: Batch, _: &mut Context<Self>) -> Result<BatchOutcome, Fault> {
        self.0.add();
        Ok(BatchOutcome::default())
    }
}

#[derive(Serialize)]
struct Opened {}

impl DomainEvent for Opened {
    const NAME: &'static str = "door.opened";
}

/// A guarded system with something to open and somebody who listens.
struct World<'t> {
    t: &'t TestSystem,
    gate: Stub,
    runs: Runs,
    passed: Runs,
    live: LiveConfig,
    vault: ActorRef<Vault>,
    ear: ActorRef<Ear>,
    _kept: (Registration, Subscription, Subscription),
}

impl<'t> World<'t> {
    async fn new(t: &'t TestSystem) -> Self {
        let (system, runs, passed) = (t.system(), Runs::default(), Runs::default());
        let (opened, heard) = (runs.clone(), runs.clone());
        let vault = t.spawn(child("vault", move || Vault(opened.clone())));
        let manifest = Vault::manifest().security_level(SecurityLevel::Authorized);
        let registration = manifest.required_permission("vault:open").register(&vault).await.unwrap();
        let ear = t.spawn(move || Ear(heard.clone()));
        system.channel("c").create().await.unwrap();
        let plain = system.subscribe("door.*", ear.recipient()).await.unwrap();
        let on_channel = system.subscribe("door.*", ear.recipient()).on_channel("c").await.unwrap();
        system.modules().send(&"nobody.open".parse().unwrap(), Open {}).unwrap_err();
        let outer = passed.clone();
        let count = move |request: Request, next: Next| {
            outer.add();
            async move { next.run(request).await }
        };
        system.operations().middleware("count").priority(i32::MIN).install(count).unwrap();
        // Retries would blur who has refused what.
        let live = LiveConfig::new(Config::load().set("retry.max_retries", 0).finish().unwrap());
        system.configure(live.clone()).unwrap();
        let gate = Stub::default();
        system.guard_by(gate.clone()).unwrap();
        Self { t, gate, runs, passed, live, vault, ear, _kept: (registration, plain, on_channel) }
    }

    fn system(&self) -> &System {
        self.t.system()
    }

    fn letters(&self, auth: &AuthContext) -> DeadLetterQueue {
        operator(auth).map_or_else(|| self.system().dead_letter_queue(), |by| self.system().dead_letter_queue().by(&by))
    }
}

/// Who it is as an operator, who has the same name and the same scopes.
fn operator(auth: &AuthContext) -> Option<Operator> {
    let principal = auth.principal.as_ref()?;
    let scopes = ["breaker:reset", "dlq:purge", "dlq:retry", "dlq:reveal"];
    let held = scopes.into_iter().filter(|scope| principal.permissions.hold(scope));
    Some(held.fold(Operator::new(&principal.user), Operator::scope))
}

type Outcome = Result<(), ErrorCode>;
/// One way into a system: what it is, the scope that it takes, and how it is gone.
type Path = (&'static str, &'static str, for<'w> fn(&'w World<'w>, AuthContext) -> BoxFuture<'w, Outcome>);

fn outcome<T>(result: Result<T, CallError>) -> Outcome {
    result.map(drop).map_err(|error| error.code())
}

fn published<T>(result: Result<T, PublishError>) -> Outcome {
    result.map(drop).map_err(|error| error.code())
}

async fn ended(job: Job) -> Outcome {
    match job.ended().await {
        JobState::Failed(error) => Err(error.code()),
        state => {
            assert_eq!(state.as_str(), "done");
            Ok(())
        }
    }
}

/// Ways from outside, of whoever shows something or does not.
const PATHS: [Path; 25] = [
    ("a call by name", "api:call", |w, auth| {
        Box::pin(async { outcome(w.system().call("vault.open", json!({})).auth(auth).await) })
    }),
    ("a call by an address", "api:call", |w, auth| {
        let address = "vault.open@^1".parse().unwrap();
        Box::pin(async move { outcome(w.system().modules().call(&address, json!({})).auth(auth).await) })
    }),
    ("a call in MessagePack", "api:call", |w, auth| {
        Box::pin(async { outcome(w.system().call_packed("vault.open", vec![0x80]).auth(auth).await) })
    }),
    ("a call that ignores the breaker", "api:call", |w, auth| {
        Box::pin(async { outcome(w.system().call("vault.open", json!({})).ignore_breaker().auth(auth).await) })
    }),
    ("a test call", "api:call", |w, auth| {
        Box::pin(async { outcome(w.system().call("vault.open", json!({})).test().auth(auth).await) })
    }),
    ("a call by a route", "api:call", |w, auth| {
        Box::pin(async {
            let routes = ApiRoutes::of(&w.system().modules());
            let call = w.system().call_route(&routes, "/api/v1/vault/open", json!({})).await;
            outcome(call.unwrap().auth(auth).await)
        })
    }),
    ("a call by content", "api:call", |w, auth| {
        Box::pin(async {
            let router = Router::new("r").otherwise("vault.open".parse().unwrap());
            outcome(w.system().modules().route(&router, json!({})).unwrap().auth(auth).await)
        })
    }),
    ("a call with types", "api:call", |w, auth| Box::pin(async { outcome(w.vault.open(Open {}).auth(auth).await) })),
    ("a job", "api:call", |w, auth| {
        Box::pin(async {
            ended(w.system().jobs().start(w.system().call("vault.open", json!({})).auth(auth)).unwrap()).await
        })
    }),
    ("a message by name", "message:send", |w, auth| {
        let sent = w.system().modules().send_as(auth, &"vault.open".parse().unwrap(), Open {});
        Box::pin(async { sent.map_err(|error| error.code()) })
    }),
    ("publishing", "events:publish", |w, auth| {
        Box::pin(async { published(w.system().publish("door.opened", Value::Null).auth(auth).await) })
    }),
    ("publishing under an id", "events:publish", |w, auth| {
        let id = w.system().events().fresh_id();
        Box::pin(async move { published(w.system().publish("door.opened", Value::Null).id(id).auth(auth).await) })
    }),
    ("publishing a type", "events:publish", |w, auth| {
        Box::pin(async { published(w.system().emit(&Opened {}).auth(auth).await) })
    }),
    ("publishing a name that was read before", "events:publish", |w, auth| {
        let topic = "door.opened".parse().unwrap();
        Box::pin(async { published(w.system().events().publish(topic, Value::Null).auth(auth).await) })
    }),
    ("publishing on a channel", "channel:publish", |w, auth| {
        Box::pin(async { published(w.system().send_message("c", "door.opened", Value::Null).auth(auth).await) })
    }),
    ("a broadcast", "events:broadcast", |w, auth| {
        Box::pin(async { published(w.system().broadcast("door.opened", Value::Null).auth(auth).await) })
    }),
    ("subscribing", "events:subscribe", |w, auth| {
        let subscribe = w.system().subscribe("door.*", w.ear.recipient()).auth(auth);
        Box::pin(async { subscribe.await.map(drop).map_err(|error| error.code()) })
    }),
    ("subscribing a function on a channel", "channel:subscribe", |w, auth| {
        let subscribe = w.system().subscribe_fn("door.*", async |_| Ok(())).on_channel("c").auth(auth);
        Box::pin(async { subscribe.await.map(drop).map_err(|error| error.code()) })
    }),
    ("subscribing to batches", "events:subscribe", |w, auth| {
        let subscribe = w.system().subscribe_batched("door.*", w.ear.recipient(), 2, Duration::ZERO).auth(auth);
        Box::pin(async { subscribe.await.map(drop).map_err(|error| error.code()) })
    }),
    ("retrying dead letters", "dlq:retry", |w, auth| {
        Box::pin(async move {
            let retried = w.letters(&auth).retry(LetterFilter::all()).await;
            retried.map(drop).map_err(|error| error.code())
        })
    }),
    ("purging dead letters", "dlq:purge", |w, auth| {
        let purged = w.letters(&auth).purge(&LetterFilter::all());
        Box::pin(async { purged.map(drop).map_err(|error| error.code()) })
    }),
    ("revealing a dead letter", "dlq:reveal", |w, auth| {
        let letters = w.letters(&auth);
        let by = operator(&auth).unwrap_or_else(|| Operator::new("nobody"));
        let shown = letters.reveal(letters.list(&LetterFilter::all())[0].id, &by);
        Box::pin(async { shown.map(drop).map_err(|error| error.code()) })
    }),
    ("resetting breakers", "breaker:reset", |w, auth| {
        let operations = w.system().operations();
        let operations = operator(&auth).map_or(operations.clone(), |by| operations.by(&by));
        let one = operations.reset_breaker("vault.open").map(drop);
        let all = one.and_then(|()| operations.reset_all_breakers().map(drop));
        Box::pin(async { all.map_err(|error| error.code()) })
    }),
    ("holding a breaker open", "breaker:reset", |w, auth| {
        let operations = w.system().operations();
        let operations = operator(&auth).map_or(operations.clone(), |by| operations.by(&by));
        let held = operations.set_breaker_mode("vault.open", BreakerMode::ForcedOpen);
        Box::pin(async { held.map(drop).map_err(|error| error.code()) })
    }),
    ("changing a setting", "config:write", |w, auth| {
        let set = w.live.set_by(auth, "retry.max_retries", 7);
        Box::pin(async { set.map(drop).map_err(|error| error.code()) })
    }),
];

/// What there is to be seen of anything that was done.
fn traces(w: &World<'_>) -> (u32, u32, usize, usize, u64, u32) {
    let system = w.system();
    let letters = system.dead_letter_queue().list(&LetterFilter::all());
    let of_messages = letters.iter().filter(|letter| letter.subject == "nobody.open").count();
    let subscriptions = system.events().list_subscriptions().len();
    let transitions = system.operations().status("vault.open").unwrap().transitions;
    (w.runs.count(), w.passed.count(), of_messages, subscriptions, transitions, w.live.current().retry.max_retries)
}

/// F-BUS-03, F-MOD-03, F-DLQ-05, F-CB-08, F-CFG-17: nobody, somebody with a key that nobody has given out, and somebody who may do nothing; no
/// handler and no middleware runs, and nothing is changed. Whoever may do everything comes through by the same way.
#[test]
fn no_way_leads_round_it() {
    let eve = Principal::new("eve", Permissions::default());
    for (what, scope, path) in PATHS {
        for auth in [AuthContext::default(), key("stolen"), eve.clone().into(), ada().into()] {
            TestSystem::run(async |t| {
                let w = World::new(t).await;
                let before = traces(&w);
                let result = path(&w, auth.clone()).await;
                t.settle().await;
                let asked = w.gate.asked();
                assert!(asked.iter().all(|asked| !asked.is_inside), "{what}: {asked:?}");
                if auth.name() == Some("ada") {
                    assert_eq!(result, Ok(()), "{what}");
                    assert!(asked.iter().any(|asked| asked.scope == scope), "{what}: {asked:?}");
                    assert_eq!(w.system().refused_acts(), 0, "{what}");
                } else {
                    // Who reveals a letter lacks the scope as an operator, before the gate is asked.
                    let is_known = auth.principal.is_some() || scope == "dlq:reveal";
                    let expected = if is_known { ErrorCode::PermissionDenied } else { ErrorCode::Unauthenticated };
                    assert_eq!(result, Err(expected), "{what}, {auth:?}");
                    assert_eq!(traces(&w), before, "{what}, {auth:?}");
                }
                t.shutdown().await;
            });
        }
    }
}

/// Does something in a turn of its own, for somebody or by itself.
struct Insider;

impl Actor for Insider {}

type Inner = for<'c> fn(&'c mut Context<Insider>) -> BoxFuture<'c, Outcome>;

#[derive(Message)]
#[message(reply = Outcome)]
struct Do(Inner, Option<AuthContext>);

impl Handler<Do> for Insider {
    async fn handle(&mut self, Do(path, auth): Do, cx: &mut Context<Self>) -> Result<Outcome, Fault> {
        auth.into_iter().for_each(|auth| cx.add_baggage(auth));
        Ok(path(cx).await)
    }
}

/// Ways from inside: what is shown is what the turn has with it.
const INNER_PATHS: [(&str, &str, Inner); 12] = [
    ("a call", "api:call", |cx| {
        let call = cx.call("vault.open", json!({}));
        Box::pin(async { outcome(call.await) })
    }),
    ("a job", "api:call", |cx| {
        let job = cx.jobs().start(cx.call("vault.open", json!({}))).unwrap();
        Box::pin(ended(job))
    }),
    ("a look-up", "api:call", |cx| {
        let found = cx.lookup::<Open>("vault.open");
        Box::pin(async { found.await.map(drop).map_err(|error| error.code()) })
    }),
    ("a look-up by type", "api:call", |cx| {
        let found = cx.modules().find::<Open>();
        Box::pin(async { found.map(drop).map_err(|error| error.code()) })
    }),
    ("a message by name", "message:send", |cx| {
        let sent = cx.modules().send(&"vault.open".parse().unwrap(), Open {});
        Box::pin(async { sent.map_err(|error| error.code()) })
    }),
    ("an event of the turn", "events:publish", |cx| {
        let event = cx.publish("door.opened", Value::Null);
        Box::pin(async { published(event) })
    }),
    ("an event of the turn on a channel", "channel:publish", |cx| {
        let event = cx.publish_with("door.opened", Value::Null, EventOptions::default().channel("c"));
        Box::pin(async { published(event) })
    }),
    ("a typed event of the turn", "events:publish", |cx| {
        let event = cx.emit(&Opened {});
        Box::pin(async { published(event) })
    }),
    ("an event at once", "events:publish", |cx| {
        let publish = cx.system().publish("door.opened", Value::Null);
        Box::pin(async { published(publish.await) })
    }),
    ("a subscription", "events:subscribe", |cx| {
        let subscribe = cx.system().subscribe_fn("door.*", async |_| Ok(()));
        Box::pin(async { subscribe.await.map(drop).map_err(|error| error.code()) })
    }),
    ("a breaker", "breaker:reset", |cx| {
        let reset = cx.operations().reset_breaker("vault.open");
        Box::pin(async { reset.map(drop).map_err(|error| error.code()) })
    }),
    ("dead letters", "dlq:purge", |cx| {
        let purged = cx.dead_letter_queue().purge(&LetterFilter::all());
        Box::pin(async { purged.map(drop).map_err(|error| error.code()) })
    }),
];

/// F-BUS-01, F-EVT-01, F-MOD-03: what a turn does is done for whom it is for, or by the module itself, which the gate is told.
#[test]
fn no_way_from_inside_leads_round_it_either() {
    for (what, scope, path) in INNER_PATHS {
        for auth in [None, Some(key("stolen")), Some(key(BOB)), Some(key(ADA))] {
            TestSystem::run(async |t| {
                let w = World::new(t).await;
                let (before, insider) = (traces(&w), t.spawn(|| Insider));
                let result = insider.ask(Do(path, auth.clone())).await.unwrap();
                t.settle().await;
                let asked = w.gate.asked();
                let [Asked { scope: asked_for, is_inside, .. }] = &asked[..1] else { panic!("{what}: {asked:?}") };
                assert_eq!((*asked_for, *is_inside), (scope, auth.is_none()), "{what}");
                match auth.and_then(|auth| auth.api_key).as_deref() {
                    Some(ADA) => assert_eq!(result, Ok(()), "{what}"),
                    Some(BOB) => assert_eq!(result, Err(ErrorCode::PermissionDenied), "{what}"),
                    _ => assert_eq!(result, Err(ErrorCode::Unauthenticated), "{what}"),
                }
                if result.is_err() {
                    assert_eq!(traces(&w), before, "{what}");
                }
                t.shutdown().await;
            });
        }
    }
}

/// F-MOD-03: what each level asks for, in order, and before the handler; each use of what is privileged is written down.
#[test]
fn each_level_asks_for_more_than_the_one_before() {
    use ErrorCode::{PermissionDenied, Unauthenticated};
    assert!(
        SecurityLevel::Public < SecurityLevel::Authenticated
            && SecurityLevel::Authenticated < SecurityLevel::Authorized
    );
    assert!(SecurityLevel::Authorized < SecurityLevel::Privileged);
    // What nobody, Bob who may call, Bob who may open vaults, and Ada get to hear.
    let table = [
        (SecurityLevel::Public, [None, None, None, None]),
        (SecurityLevel::Authenticated, [Some(Unauthenticated), None, Some(PermissionDenied), None]),
        (SecurityLevel::Authorized, [Some(Unauthenticated), Some(PermissionDenied), Some(PermissionDenied), None]),
        (SecurityLevel::Privileged, [Some(Unauthenticated), Some(PermissionDenied), Some(PermissionDenied), None]),
    ];
    for (level, expected) in table {
        TestSystem::run(async |t| {
            let (runs, gate) = (Runs::default(), Stub::default());
            let opened = runs.clone();
            let vault = t.spawn(move || Vault(opened.clone()));
            let manifest = Vault::manifest().security_level(level).required_permission("vault:open");
            let _registered = manifest.register(&vault).await.unwrap();
            t.system().guard_by(gate.clone()).unwrap();
            let call = |auth: AuthContext| t.system().call("vault.open", json!({})).auth(auth);
            let mut got = vec![call(AuthContext::default()).await];
            gate.allow(["api:call"]);
            got.push(call(key(BOB)).await);
            gate.allow(["vault:open"]);
            got.push(call(key(BOB)).await);
            got.push(call(key(ADA)).await);
            let codes: Vec<_> = got.iter().map(|result| result.as_ref().err().map(CallError::code)).collect();
            assert_eq!(codes, expected, "{level}");
            let passed = expected.iter().filter(|code| code.is_none()).count();
            assert_eq!(runs.count() as usize, passed, "{level}");
            let status = t.system().operations().status("vault.open").unwrap();
            assert_eq!(
                (status.counts.begun as usize, status.counts.rejected as usize),
                (passed, 4 - passed),
                "{level}"
            );
            let acts = written(&t.system().audit());
            let of_privileged =
                [("call (denied)", "nobody"), ("call (denied)", "bob"), ("call (denied)", "nobody"), ("call", "ada")];
            let expected: &[_] = if level == SecurityLevel::Privileged { &of_privileged } else { &[] };
            assert_eq!(acts.len(), expected.len(), "{acts:?}");
            assert_eq!(acts.last().map(|(act, by)| (act.as_str(), by.as_str())), expected.last().copied());
            assert!(acts.iter().zip(expected).all(|(one, other)| one.0 == other.0), "{acts:?}");
            t.shutdown().await;
        });
    }
}

fn written(audit: &Audit) -> Vec<(String, String)> {
    let records = audit.list().into_iter().filter(|record| record.kind == AuditKind::Operation);
    records.inspect(|record| assert_eq!(record.target, "vault.open")).map(|record| (record.act, record.by)).collect()
}

/// F-MOD-03: of several instances the strictest counts, and a gate may be stricter than all of them.
#[test]
fn the_strictest_word_counts() {
    struct Strict(Stub);
    impl Gate for Strict {
        fn admit(&self, auth: &AuthContext, access: &Access<'_>) -> Result<Option<Principal>, GateError> {
            self.0.admit(auth, access)
        }

        fn least_level(&self) -> SecurityLevel {
            SecurityLevel::Authenticated
        }
    }
    TestSystem::run(async |t| {
        let [lax, strict] = [0, 1].map(|_| t.spawn(|| Vault(Runs::default())));
        let _lax = Vault::manifest().register(&lax).await.unwrap();
        t.system().guard_by(Stub::default()).unwrap();
        assert!(t.system().call("vault.open", json!({})).await.is_ok());
        let manifest = Vault::manifest().security_level(SecurityLevel::Authorized);
        let strict = manifest.required_permission("vault:open").register(&strict).await.unwrap();
        for _ in 0..2 {
            let refused = t.system().call("vault.open", json!({})).await.unwrap_err();
            assert_eq!(refused.code(), ErrorCode::Unauthenticated);
        }
        strict.unregister().await.unwrap();
        assert!(t.system().call("vault.open", json!({})).await.is_ok());
        t.shutdown().await;
    });
    TestSystem::run_with(System::builder().gate(Strict(Stub::default())).gate(Stub::default()), async |t| {
        let vault = t.spawn(|| Vault(Runs::default()));
        let _registered = Vault::manifest().register(&vault).await.unwrap();
        let refused = t.system().call("vault.open", json!({})).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Unauthenticated, "the first gate holds");
        assert!(t.system().call("vault.open", json!({})).auth(key(ADA)).await.is_ok());
        assert_eq!(t.system().guard_by(Stub::default()), Err(AlreadyGuarded));
        assert_eq!(AlreadyGuarded.code(), ErrorCode::AlreadyExists);
        t.shutdown().await;
    });
}

/// A gate that panics admits nothing, and one that names nobody does not do for what wants to know who it is.
#[test]
fn a_gate_that_does_not_know_keeps_people_out() {
    struct Vague(bool);
    impl Gate for Vague {
        fn admit(&self, _: &AuthContext, _: &Access<'_>) -> Result<Option<Principal>, GateError> {
            assert!(self.0, "a gate that panics");
            Ok(None)
        }
    }
    for (knows, expected) in [(true, GateError::unproven(Unproven::Missing)), (false, GateError::Broken)] {
        TestSystem::run(async |t| {
            let (runs, opened) = (Runs::default(), Runs::default());
            let inner = opened.clone();
            let vault = t.spawn(move || Vault(inner.clone()));
            let manifest = Vault::manifest().security_level(SecurityLevel::Authenticated);
            let _registered = manifest.register(&vault).await.unwrap();
            t.system().guard_by(Vague(knows)).unwrap();
            let refused = t.system().call("vault.open", json!({})).auth(key(ADA)).await.unwrap_err();
            let CallError::Lookup(LookupError::Denied { operation, fault }) = refused else { panic!("{refused}") };
            assert_eq!((operation.as_str(), fault), ("vault.open", expected));
            assert_eq!(t.system().publish("a", Value::Null).await.is_ok(), knows);
            assert_eq!((runs.count(), opened.count()), (0, 0));
            t.shutdown().await;
        });
    }
}

/// F-BUS-03: the scope of a broadcast is its own.
#[test]
fn a_broadcast_takes_a_scope_of_its_own() {
    TestSystem::run(async |t| {
        let w = World::new(t).await;
        w.gate.allow(["events:publish", "channel:publish"]);
        let refused = w.system().broadcast("door.opened", Value::Null).auth(key(BOB)).await.unwrap_err();
        assert_eq!(refused, PublishError::Denied(GateError::missing("events:broadcast")));
        assert_eq!(refused.code(), ErrorCode::PermissionDenied);
        assert_eq!(refused.to_string(), "not permitted: `events:broadcast` is missing");
        t.settle().await;
        assert_eq!(w.runs.count(), 0);
        w.gate.allow(["events:broadcast"]);
        let receipt = w.system().broadcast("door.opened", Value::Null).auth(key(BOB)).await.unwrap();
        assert_eq!((receipt.delivered, receipt.channels.len()), (1, 1));
        t.shutdown().await;
    });
}

/// F-BUS-01, F-EVT-01: what somebody shows is a value; the gate sees all of it, middleware who it is, and nobody the key.
#[test]
fn what_is_shown_is_seen_by_whom_it_is_for() {
    TestSystem::run(async |t| {
        let w = World::new(t).await;
        let seen = |request: Request, next: Next| async move {
            assert_eq!(request.user.as_deref(), Some("ada"));
            assert_eq!(request.principal, Some(ada()));
            next.run(request).await
        };
        w.system().operations().middleware("seen").install(seen).unwrap();
        let auth = AuthContext::default().api_key(ADA).user("somebody else");
        assert!(w.system().call("vault.open", json!({})).auth(auth.clone()).await.is_ok());
        w.system().publish("door.opened", Value::Null).source("desk").auth(auth.clone()).await.unwrap();
        let by = Some("ada".to_owned());
        let expected = [("api:call", "vault.open"), ("events:publish", "door.opened")].map(|(scope, resource)| Asked {
            scope,
            resource: resource.to_owned(),
            by: by.clone(),
            is_inside: false,
        });
        assert_eq!(w.gate.asked(), expected);
        let shown = format!("{auth:?} {:?}", w.system().events().history().list());
        assert!(!shown.contains(ADA), "{shown}");
        t.shutdown().await;
    });
}

/// F-API-12: printed is the order that holds: who has not shown who they are is refused before anything else looks, and so on inwards.
#[test]
fn the_pipeline_is_printed_as_it_is() {
    TestSystem::run(async |t| {
        let w = World::new(t).await;
        let operations = w.system().operations();
        let settings = CallSettings::new().rate(1, Duration::from_secs(1)).timeout(Duration::from_secs(9));
        operations.set_of_operation("vault.open", settings).unwrap();
        let pipeline = operations.pipeline("vault.open").unwrap();
        let steps: Vec<_> = pipeline.steps().iter().map(|step| step.split(':').next().unwrap()).collect();
        let count = format!("{} count (all calls)", i32::MIN);
        let inwards =
            ["auth", &count, "time-out", "retry", "places", "rate", "breaker", "validate, by name", "handler"];
        assert_eq!(steps, inwards);
        assert_eq!(pipeline.steps()[0], "auth: authorized");

        let call = |input: Value, auth: AuthContext| {
            let (system, passed) = (w.system().clone(), w.passed.clone());
            async move {
                let before = passed.count();
                let code = system.call("vault.open", input).auth(auth).await.map_err(|error| error.code());
                (code, passed.count() - before)
            }
        };
        let unfit = || Value::from(17);
        // All that could be wrong with it is wrong: first who it is, which middleware does not get to see.
        assert!(
            operations
                .by(&Operator::new("ann").scope("breaker:reset"))
                .set_breaker_mode("vault.open", BreakerMode::ForcedOpen)
                .unwrap()
        );
        assert_eq!(call(unfit(), AuthContext::default()).await, (Err(ErrorCode::Unauthenticated), 0));
        assert_eq!(call(unfit(), key(ADA)).await, (Err(ErrorCode::CircuitOpen), 1));
        assert_eq!(call(unfit(), key(ADA)).await, (Err(ErrorCode::RateLimited), 1));
        operations.by(&Operator::new("ann").scope("breaker:reset")).reset_breaker("vault.open").unwrap();
        t.advance(Duration::from_secs(1)).await;
        assert_eq!(call(unfit(), key(ADA)).await, (Err(ErrorCode::ValidationFailed), 1));
        assert_eq!(w.runs.count(), 0);
        t.advance(Duration::from_secs(1)).await;
        assert_eq!(call(json!({}).into(), key(ADA)).await, (Ok(true.into()), 1));
        assert_eq!(w.runs.count(), 1);
        t.shutdown().await;
    });
}

/// F-DLQ-02: a retry asks again, as who sent the message: what may not be sent any more stays where it is, whoever retries it.
#[test]
fn a_retry_asks_as_who_sent_it() {
    TestSystem::run(async |t| {
        let w = World::new(t).await;
        let ann = w.system().dead_letter_queue().by(&Operator::new("ann").scope("dlq:retry").scope("dlq:purge"));
        ann.purge(&LetterFilter::all()).unwrap();
        w.gate.allow(["events:publish"]);
        let fails = Arc::new(AtomicU32::new(3));
        let left = Arc::clone(&fails);
        let print = move |_| {
            let fails = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            async move { if fails { Err(Fault::retryable("no paper")) } else { Ok(()) } }
        };
        let _press = w.system().subscribe_fn("sheet.*", print).auth(key(ADA)).await.unwrap();
        w.system().publish("sheet.ready", Value::Null).auth(key(BOB)).await.unwrap();
        w.system().modules().send_as(key(BOB), &"vault.open".parse().unwrap(), Open {}).unwrap_err();
        t.settle().await;
        let subjects = || ann.list(&LetterFilter::all()).into_iter().map(|letter| letter.subject).collect::<Vec<_>>();
        assert_eq!(subjects(), ["vault.open", "sheet.ready"]);

        w.gate.allow([]);
        w.gate.asked();
        let report = ann.retry(LetterFilter::all()).await.unwrap();
        let codes: Vec<_> = report.left.iter().map(|left| left.code).collect();
        assert_eq!((report.delivered.len(), codes), (0, vec![ErrorCode::PermissionDenied; 2]));
        let asked: Vec<_> = w.gate.asked().into_iter().map(|asked| (asked.scope, asked.by.unwrap())).collect();
        let expected = [("dlq:retry", "ann"), ("message:send", "bob"), ("events:publish", "bob")];
        assert_eq!(asked, expected.map(|(scope, by)| (scope, by.to_owned())));
        let letters = ann.list(&LetterFilter::all());
        assert!(letters.iter().all(|letter| letter.reason == LetterReason::Rejected && letter.deliveries == 2));
        assert_eq!((w.runs.count(), fails.load(Ordering::SeqCst)), (0, 0));

        w.gate.allow(["events:publish", "message:send", "vault:open"]);
        let report = ann.retry(LetterFilter::all()).await.unwrap();
        t.settle().await;
        assert_eq!((report.delivered.len(), w.runs.count(), subjects().len()), (2, 1, 0));
        t.shutdown().await;
    });
}

/// F-MOD-03: without a gate nothing of it is checked.
#[test]
fn without_a_gate_nobody_is_asked() {
    TestSystem::run(async |t| {
        let vault = t.spawn(|| Vault(Runs::default()));
        let manifest = Vault::manifest().security_level(SecurityLevel::Privileged);
        let _registered = manifest.register(&vault).await.unwrap();
        assert!(!t.system().is_guarded());
        assert!(t.system().call("vault.open", json!({})).await.is_ok());
        assert!(vault.open(Open {}).await.unwrap());
        assert_eq!(t.system().operations().pipeline("vault.open").unwrap().steps().len(), 6);
        assert_eq!(t.system().audit().total(), 0);
        t.shutdown().await;
    });
}
