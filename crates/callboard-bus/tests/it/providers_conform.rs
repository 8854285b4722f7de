//! F-MOD-11: who calls, which modules there are and where routes lead may be known elsewhere. Ours and a foreign one go through the same
//! suite, and what goes wrong in a foreign one never lets anything pass.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_actor::ErrorCode;
use callboard_actor::testing::TestSystem;
use callboard_bus::discovery::Permissions;
use callboard_bus::middleware::{Next, Request};
use callboard_bus::providers::{
    ApiKeys, ApiRoutes, AuthProvider, Principal, Provided, ProvidersExt, RegistryBackend, RouteProvider,
};
use callboard_bus::{Address, CallError, Health, Manifest, ModulesExt, OperationsExt, SecurityLevel, Value};
use serde_json::json;

use crate::module_kit::{Who, adder, found};

const SECOND: Duration = Duration::from_secs(1);

/// A table that somebody else keeps, and that takes its time.
#[derive(Clone, Default)]
struct Elsewhere<T>(Arc<Mutex<HashMap<String, T>>>);

impl<T: Clone + Send + 'static> Elsewhere<T> {
    fn of(entries: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        Self(Arc::new(Mutex::new(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())))
    }

    fn look_up(&self, key: Option<&str>) -> Provided<T> {
        let found = key.and_then(|key| self.0.lock().unwrap().get(key).cloned());
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(found)
        })
    }
}

impl AuthProvider for Elsewhere<Principal> {
    fn authenticate(&self, request: &Request) -> Provided<Principal> {
        self.look_up(request.api_key.as_deref())
    }
}

impl RegistryBackend for Elsewhere<Health> {
    fn health(&self, module: &str) -> Provided<Health> {
        self.look_up(Some(module))
    }
}

impl RouteProvider for Elsewhere<Address> {
    fn resolve(&self, route: &str) -> Provided<Address> {
        self.look_up(Some(route))
    }
}

/// What can go wrong in a provider.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Fails,
    Panics,
    PanicsLater,
    Hangs,
}

impl Fault {
    const ALL: [Self; 4] = [Self::Fails, Self::Panics, Self::PanicsLater, Self::Hangs];

    fn answer<T: 'static>(self) -> Provided<T> {
        match self {
            Self::Fails => Box::pin(async { Err("the secret place is gone".into()) }),
            Self::Panics => panic!("before there is an answer"),
            Self::PanicsLater => Box::pin(async { panic!("on the way to the answer") }),
            Self::Hangs => Box::pin(std::future::pending()),
        }
    }
}

impl AuthProvider for Fault {
    fn authenticate(&self, _: &Request) -> Provided<Principal> {
        self.answer()
    }
}

impl RegistryBackend for Fault {
    fn health(&self, _: &str) -> Provided<Health> {
        self.answer()
    }
}

impl RouteProvider for Fault {
    fn resolve(&self, _: &str) -> Provided<Address> {
        self.answer()
    }
}

fn ada() -> Principal {
    Principal::new("Ada", Permissions::of(["vault:open"]))
}

fn bob() -> Principal {
    Principal::new("Bob", Permissions::default())
}

/// A module of each level, under the word for it.
async fn levels(t: &TestSystem) {
    for level in
        [SecurityLevel::Public, SecurityLevel::Authenticated, SecurityLevel::Authorized, SecurityLevel::Privileged]
    {
        let manifest = Manifest::new(level.as_str(), "1.0.0").security_level(level).required_permission("vault:open");
        manifest.operation::<Who>("who").register(&t.spawn(adder(7))).await.unwrap();
    }
}

/// How a call of each level ends for who shows this key, with the code where it does not pass.
async fn ends(t: &TestSystem, key: Option<&str>) -> [Option<ErrorCode>; 4] {
    let mut ends = Vec::new();
    for level in ["public", "authenticated", "authorized", "privileged"] {
        // Nobody is who they say they are.
        let call = t.system().call(&format!("{level}.who"), json!({})).user("Ada").timeout(SECOND);
        let call = if let Some(key) = key { call.api_key(key) } else { call };
        ends.push(call.await.err().map(|error| error.code()));
    }
    ends.try_into().unwrap()
}

/// The suite for who finds out who calls: `a` is the key of Ada, who may, and `b` that of Bob, who may not.
fn conforms_in_authentication(provider: impl AuthProvider) {
    TestSystem::run(async |t| {
        levels(t).await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let users = Arc::clone(&seen);
        t.system().authenticate_by(provider).unwrap();
        let look = move |request: Request, next: Next| {
            users.lock().unwrap().push(request.user.clone());
            next.run(request)
        };
        t.system().operations().middleware("look").install(look).unwrap();
        let (unknown, denied) = (Some(ErrorCode::Unauthenticated), Some(ErrorCode::PermissionDenied));
        assert_eq!(ends(t, None).await, [None, unknown, unknown, unknown]);
        assert_eq!(ends(t, Some("forged")).await, [None, unknown, unknown, unknown]);
        assert_eq!(ends(t, Some("")).await, [None, unknown, unknown, unknown]);
        assert_eq!(*seen.lock().unwrap(), [None, None, None], "the word of the caller counts for nothing");
        seen.lock().unwrap().clear();
        assert_eq!(ends(t, Some("b")).await, [None, None, denied, denied]);
        assert_eq!(ends(t, Some("a")).await, [None; 4]);
        let users: Vec<_> = seen.lock().unwrap().iter().flatten().cloned().collect();
        assert_eq!(users, ["Bob", "Bob", "Ada", "Ada", "Ada", "Ada"]);
        t.shutdown().await;
    });
}

/// F-MOD-11
#[test]
fn who_calls_is_found_out_by_ours_and_by_others() {
    conforms_in_authentication(ApiKeys::default().key("a", ada()).key("b", bob()).key("", ada()));
    conforms_in_authentication(Elsewhere::of([("a", ada()), ("b", bob())]));
}

/// F-MOD-11: also where anybody may call: nobody can say who it was.
#[test]
fn when_nobody_can_say_who_calls_nothing_passes() {
    for fault in Fault::ALL {
        TestSystem::run(async |t| {
            levels(t).await;
            t.system().authenticate_by(fault).unwrap();
            let began = t.now();
            assert_eq!(ends(t, Some("a")).await, [Some(ErrorCode::Unauthenticated); 4], "{fault:?}");
            assert!(t.now() - began <= 5 * SECOND, "{fault:?}");
            let told = t.system().call("public.who", json!({})).timeout(SECOND).await.unwrap_err().to_string();
            assert_eq!(told, "who calls could not be found out", "{fault:?}");
            t.shutdown().await;
        });
    }
}

async fn who(t: &TestSystem) -> Result<Value, CallError> {
    t.system().call("adder.who", json!({})).timeout(SECOND).await
}

/// The suite for registries: `say` makes it say so of the module `adder`.
async fn conforms_as_registry(t: &TestSystem, say: impl AsyncFn(Health)) {
    assert_eq!(who(t).await.unwrap(), 7.into());
    say(Health::Degraded("slow".to_owned())).await;
    assert_eq!(who(t).await.unwrap(), 7.into());
    say(Health::Unhealthy("the disk is full".to_owned())).await;
    let refused = who(t).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Unavailable);
    assert!(refused.to_string().contains("the disk is full"), "{refused}");
    say(Health::Healthy).await;
    assert_eq!(who(t).await.unwrap(), 7.into());
}

/// F-MOD-11
#[test]
fn which_modules_there_are_is_known_to_ours_and_to_others() {
    TestSystem::run(async |t| {
        let (_adder, registration) = found(t.system(), "1.0.0", 7).await;
        t.system().registered_in(t.system().modules()).unwrap();
        conforms_as_registry(t, async |health| registration.set_health(health).await.unwrap()).await;
        registration.unregister().await.unwrap();
        assert_eq!(who(t).await.unwrap_err().code(), ErrorCode::UnknownModule);
        t.shutdown().await;
    });
    TestSystem::run(async |t| {
        let _adder = found(t.system(), "1.0.0", 7).await;
        let elsewhere = Elsewhere::of([("adder", Health::Healthy)]);
        let table = elsewhere.clone();
        t.system().registered_in(elsewhere).unwrap();
        conforms_as_registry(t, async |health| drop(table.0.lock().unwrap().insert("adder".to_owned(), health))).await;
        table.0.lock().unwrap().clear();
        assert_eq!(who(t).await.unwrap_err().code(), ErrorCode::UnknownModule);
        t.shutdown().await;
    });
    for fault in Fault::ALL {
        TestSystem::run(async |t| {
            let _adder = found(t.system(), "1.0.0", 7).await;
            t.system().registered_in(fault).unwrap();
            let refused = who(t).await.unwrap_err();
            assert_eq!(refused.code(), ErrorCode::UnknownModule, "{fault:?}");
            assert!(!refused.to_string().contains("secret"), "{refused}");
            t.shutdown().await;
        });
    }
}

/// The suite for routes: `/api/v1/adder/who` leads to `adder.who`, and no other one leads anywhere.
async fn conforms_in_routing(t: &TestSystem, routes: &impl RouteProvider) {
    let call = t.system().call_route(routes, "/api/v1/adder/who", json!({})).await.unwrap();
    assert_eq!(call.await.unwrap(), 7.into());
    let nowhere = [
        "",
        "/",
        "/api/v1/adder",
        "/api/v1/adder/whom",
        "/api/v2/adder/who",
        "/api/v01/adder/who",
        "/api/v1/adder/who/",
        "/api/v1/../adder/who",
        "adder.who",
        "/api/v-1/adder/who",
        "/api/v1/adder/who@*",
        "/api/v1/adder/who\n",
    ];
    for route in nowhere {
        let error = t.system().call_route(routes, route, json!({})).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnknownOperation, "{route:?}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

/// F-MOD-11
#[test]
fn where_routes_lead_is_known_to_ours_and_to_others() {
    TestSystem::run(async |t| {
        let (_adder, registration) = found(t.system(), "1.4.0", 7).await;
        let elsewhere = Elsewhere::of([("/api/v1/adder/who", "adder.who@^1".parse().unwrap())]);
        conforms_in_routing(t, &elsewhere).await;
        let ours = ApiRoutes::of(&t.system().modules());
        conforms_in_routing(t, &ours).await;
        registration.unregister().await.unwrap();
        let gone = t.system().call_route(&ours, "/api/v1/adder/who", json!({})).await.unwrap_err();
        assert_eq!(gone.code(), ErrorCode::UnknownOperation, "as soon as it is not registered");
        for fault in [Fault::Fails, Fault::Panics, Fault::PanicsLater] {
            let error = t.system().call_route(&fault, "/api/v1/adder/who", json!({})).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::UnknownOperation, "{fault:?}");
        }
        t.shutdown().await;
    });
}
