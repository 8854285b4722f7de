//! F-TST-06: who calls, what they may do, what they are shown, and what they send.

use callboard::ErrorCode;
use callboard::bus::discovery::{Capability, DiscoveryQuery, Permissions};
use callboard::bus::middleware::{Next, Request, require_user};
use callboard::bus::{CallError, EventsExt, OperationsExt, SelfTestExt, Value};
use callboard::prelude::*;
use callboard::testing::TestSystem;
use serde_json::json;

use crate::shop::open;

/// Authentication.
#[test]
fn nobody_calls_without_saying_who_they_are() {
    TestSystem::run(async |t| {
        open(t).await;
        t.system().operations().middleware("who").on_module("till").install(require_user).unwrap();
        let call = || t.system().call("till.order", json!({ "pieces": 1 })).metadata("requires_auth", true);
        assert_eq!(call().await.unwrap_err().code(), ErrorCode::Unauthenticated);
        assert!(call().user("ada").await.is_ok());
        t.shutdown().await;
    });
}

/// Lets in whoever is called `ada`.
async fn only_ada(request: Request, next: Next) -> Result<Value, CallError> {
    if request.user.as_deref() != Some("ada") {
        return Err(CallError::refused(ErrorCode::PermissionDenied, "only ada may order"));
    }
    next.run(request).await
}

/// Authorization.
#[test]
fn who_may_not_is_refused_and_nothing_is_done() {
    TestSystem::run(async |t| {
        open(t).await;
        t.system().operations().middleware("may").on_operation("till.order").install(only_ada).unwrap();
        let refused = t.system().call("till.order", json!({ "pieces": 7 })).user("bob").await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::PermissionDenied);
        let left = t.system().call("stock.take", json!({ "pieces": 0 })).await.unwrap();
        assert_eq!(left, 1_000_000.into());
        t.shutdown().await;
    });
}

/// Permissions.
#[test]
fn nobody_is_shown_what_they_may_not_use() {
    TestSystem::run(async |t| {
        open(t).await;
        let modules = t.system().modules();
        let ledger = Capability::builder("ledger", "1.0.0").required_permission("books:read").build().unwrap();
        modules.advertise("till", ledger).await.unwrap();
        let query = DiscoveryQuery::default().name("ledger");
        assert!(modules.discover(&query, &Permissions::default()).found.is_empty());
        assert_eq!(modules.discover(&query, &Permissions::of(["books:read"])).found.len(), 1);
        t.shutdown().await;
    });
}

#[test]
fn what_does_not_fit_is_refused_before_it_is_handled() {
    TestSystem::run(async |t| {
        open(t).await;
        for input in [json!({ "pieces": -1 }), json!({ "pieces": 1, "price": 0 }), json!(null)] {
            let refused = t.system().call("stock.take", input).await.unwrap_err();
            assert_eq!(refused.code(), ErrorCode::ValidationFailed);
        }
        let forged = t.system().publish("$workflow.run.completed", Value::Null).await.unwrap_err();
        assert_eq!(forged.code(), ErrorCode::InvalidName);
        let left = t.system().call("stock.take", json!({ "pieces": 0 })).await.unwrap();
        assert_eq!(left, 1_000_000.into());
        t.shutdown().await;
    });
}

#[test]
fn the_system_finds_so_by_itself() {
    TestSystem::run(async |t| {
        open(t).await;
        let load = callboard::bus::self_test::Load::new(crate::shop::SECOND, 2).pause(crate::shop::SECOND / 50);
        let report = t.system().self_test().full(load).await.unwrap();
        let security = report.tests.iter().filter(|test| test.name.starts_with("security"));
        assert_eq!(security.map(|test| test.success).collect::<Vec<_>>(), [true, true]);
        t.shutdown().await;
    });
}
