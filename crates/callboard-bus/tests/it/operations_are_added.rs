//! F-API-01: an operation can be added to a module that is there; what cannot be added says why, and nothing has changed.

use callboard_actor::ErrorCode;
use callboard_actor::testing::TestSystem;
use callboard_bus::{CallSettings, Manifest, ModuleChange, ModulesExt, OfferError, Operation, OperationsExt, Protocol};
use serde_json::json;
use std::time::Duration;

use crate::module_kit::{Add, Who, adder, found};

/// F-API-01: under `module.operation`, for the calls, the lists and the watchers from then on; it goes with its instance.
#[test]
fn what_is_added_can_be_called() {
    TestSystem::run(async |t| {
        let (actor, registration) = found(t.system(), "1.2.0", 7).await;
        let (_other, _registration) = found(t.system(), "1.2.0", 8).await;
        let (modules, watcher) = (t.system().modules(), t.probe::<ModuleChange>());
        let _watch = modules.watch(watcher.recipient()).await.unwrap();
        t.settle().await;
        assert_eq!(watcher.take().len(), 2);
        let unknown = t.system().call("adder.whoever", json!({})).await.unwrap_err();
        assert_eq!(unknown.code(), ErrorCode::UnknownOperation);

        let operation = Operation::new::<Who>("whoever").description("as `who`").idempotent();
        modules.offer("adder", &actor, operation).await.unwrap();
        for _ in 0..4 {
            assert_eq!(t.system().call("adder.whoever@^1", json!({})).await.unwrap(), 7.into(), "one offers it");
        }
        let status = t.system().operations().status("adder.whoever").unwrap();
        let descriptor = &status.descriptor;
        assert_eq!(
            (&*descriptor.address, &*descriptor.description, status.counts.succeeded),
            ("adder.whoever", "as `who`", 4)
        );
        t.settle().await;
        let [ModuleChange::Changed(changed)] = &watcher.take()[..] else { panic!("one has changed") };
        assert!(changed.operations.iter().any(|operation| operation.name == "whoever"));

        registration.unregister().await.unwrap();
        let gone = t.system().call("adder.whoever", json!({})).await.unwrap_err();
        assert_eq!(gone.code(), ErrorCode::UnknownOperation);
        t.shutdown().await;
    });
}

/// F-API-01: twice is `already_exists`, and no module of this name is `unknown_module`.
#[test]
fn what_cannot_be_added_says_why() {
    TestSystem::run(async |t| {
        let (actor, _registration) = found(t.system(), "1.2.0", 7).await;
        let stranger = t.spawn(adder(8));
        let deaf = t.spawn(adder(9));
        let hearing = Manifest::new("deaf", "1.0.0").protocols([Protocol::PubSub]);
        let _deaf = hearing.register(&deaf).await.unwrap();
        let modules = t.system().modules();
        let refused = async |module: &str, actor, operation| {
            let error: OfferError = modules.offer(module, actor, operation).await.unwrap_err();
            (error.code(), error.to_string())
        };
        let add = || Operation::new::<Add>("plus");
        let twice = refused("adder", &actor, Operation::new::<Add>("add")).await;
        assert_eq!(
            twice,
            (ErrorCode::AlreadyExists, "there is an operation `adder.add` already: choose another name".into())
        );
        let unknown = refused("ader", &actor, add()).await;
        assert_eq!(unknown, (ErrorCode::UnknownModule, "there is no module `ader`, did you mean `adder`?".into()));
        assert_eq!(refused("adder", &stranger, add()).await.0, ErrorCode::Unavailable);
        assert_eq!(refused("deaf", &deaf, add()).await.0, ErrorCode::InvalidConfig);
        assert_eq!(refused("adder", &actor, Operation::new::<Add>("no name")).await.0, ErrorCode::InvalidName);
        let hasty = add().settings(CallSettings::new().timeout(Duration::ZERO));
        assert_eq!(refused("adder", &actor, hasty).await.0, ErrorCode::InvalidConfig);
        assert_eq!(
            t.system().call("adder.plus", json!({ "amount": 1 })).await.unwrap_err().code(),
            ErrorCode::UnknownOperation
        );
        t.shutdown().await;
    });
}
