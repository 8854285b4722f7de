//! F-DSC-05, F-DSC-06: what two modules agree on is kept, looked at again when one of them changes and from time to time,
//! and whoever watches is told when it holds no more.

use callboard_actor::testing::TestSystem;
use callboard_actor::{ActorRef, ErrorCode};
use callboard_bus::contract::{ContractChange, Need, NegotiateError};
use callboard_bus::discovery::{Capability, Permissions};
use callboard_bus::{Health, Manifest, ModulesExt, Registration};
use serde_json::{Value as Json, json};

use crate::module_kit::{Adder, SECOND, Who, adder, break_down, fragile};

/// A module that counts, and takes and answers values of one type.
fn counting(module: &str, version: &str, kind: &str) -> Manifest<Adder> {
    let schema = json!({ "type": "object", "properties": { "rows": { "type": kind } }, "required": ["rows"] });
    let capability = Capability::builder("counting", version).input_schema(schema).output_schema(of(kind));
    Manifest::new(module, version).advertises(capability)
}

fn of(kind: &str) -> Json {
    json!({ "type": kind })
}

fn need() -> Need {
    let rows = json!({ "type": "object", "properties": { "rows": { "type": "integer" } }, "required": ["rows"] });
    Need::new("web", "counting").version("^1".parse().unwrap()).sends(rows).expects(of("number"))
}

/// A module that has needs, and offers nothing.
async fn web(t: &TestSystem) -> (ActorRef<Adder>, Registration) {
    let actor = t.spawn(adder(99));
    let registration = Manifest::new("web", "0.1.0").register(&actor).await.unwrap();
    (actor, registration)
}

async fn provider(t: &TestSystem, manifest: Manifest<Adder>, id: u64) -> (ActorRef<Adder>, Registration) {
    let actor = t.spawn(fragile(id));
    let registration = manifest.register(&actor).await.unwrap();
    t.settle().await;
    (actor, registration)
}

fn told(change: &ContractChange) -> String {
    let provider = &change.contract().provider;
    match change {
        ContractChange::Made(_) => format!("made with {provider}"),
        ContractChange::Broken { breach, .. } => format!("broken: {breach}"),
        ContractChange::Mended(_) => format!("mended with {provider}"),
        ContractChange::Forgotten(_) => format!("forgotten with {provider}"),
        _ => "something else".to_owned(),
    }
}

/// F-DSC-05
#[test]
fn a_contract_is_looked_at_when_a_side_registers_again() {
    TestSystem::run(async |t| {
        let probe = t.probe::<ContractChange>();
        let modules = t.system().modules();
        let (_web, web) = web(t).await;
        let (lab, registration) = provider(t, counting("lab", "1.0.0", "integer"), 1).await;
        modules.negotiate(need(), Permissions::default()).await.unwrap();
        let _watch = modules.watch_contracts(probe.recipient()).await.unwrap();
        assert_eq!(modules.discovery_status().health, Health::Healthy);

        drop(registration);
        let narrower = counting("lab", "1.1.0", "string").register(&lab).await.unwrap();
        let held = modules.contracts().remove(0);
        assert_eq!(held.breach.unwrap().code(), ErrorCode::ContractViolation);
        let status = modules.discovery_status();
        let broken = "web and lab do not agree on `counting` 1.1.0: sent /rows: it is integer, where string is taken; \
                      answered /: it is string, where number is taken";
        assert_eq!(status.broken, [broken]);
        assert_eq!(status.health, Health::Degraded(format!("1 of 1 contracts hold no more: {broken}")));

        drop(narrower);
        let next = counting("lab", "2.0.0", "integer").register(&lab).await.unwrap();
        assert_eq!(modules.contracts()[0].breach.as_ref().unwrap().code(), ErrorCode::VersionIncompatible);
        let (_other, other) = provider(t, counting("lab", "1.2.0", "number"), 2).await;
        assert_eq!(modules.discovery_status().health, Health::Healthy, "one instance that keeps it will do");
        other.unregister().await.unwrap();
        next.unregister().await.unwrap();
        assert_eq!(modules.discovery_status().broken, ["web needs `counting`, which lab offers no more"]);
        web.unregister().await.unwrap();
        assert!(modules.contracts().is_empty(), "who needed it is gone");

        t.settle().await;
        let heard: Vec<_> = probe.take().iter().map(told).collect();
        let expected = [
            "made with lab",
            &format!("broken: {broken}"),
            "broken: web and lab do not agree on `counting` 2.0.0: the contract asks for ^1",
            "mended with lab",
            "broken: web and lab do not agree on `counting` 2.0.0: the contract asks for ^1",
            "broken: web needs `counting`, which lab offers no more",
            "forgotten with lab",
        ];
        assert_eq!(heard, expected);
        t.shutdown().await;
    });
}

/// F-DSC-05: who needs something and registers again finds the contract as it is. What it needs now it says by asking anew, and
/// is refused where that does not fit.
#[test]
fn a_consumer_that_registers_again_is_held_to_its_contract() {
    TestSystem::run(async |t| {
        let probe = t.probe::<ContractChange>();
        let modules = t.system().modules();
        let (web_actor, web) = web(t).await;
        let (lab, registration) = provider(t, counting("lab", "1.0.0", "integer"), 1).await;
        modules.negotiate(need(), Permissions::default()).await.unwrap();
        let _watch = modules.watch_contracts(probe.recipient()).await.unwrap();
        let again = |web: Registration| {
            drop(web);
            let actor = web_actor.clone();
            async move { Manifest::new("web", "0.2.0").register(&actor).await.unwrap() }
        };
        let web = again(web).await;
        assert!(modules.contracts()[0].breach.is_none());
        let texts = json!({ "type": "object", "properties": { "rows": { "type": "string" } }, "required": ["rows"] });
        let other = Need::new("web", "counting").sends(texts);
        let refused = modules.negotiate(other.clone(), Permissions::default()).await.unwrap_err();
        assert!(refused.to_string().contains("sent /rows: it is string, where integer is taken"), "{refused}");

        drop(registration);
        let _narrower = counting("lab", "1.1.0", "string").register(&lab).await.unwrap();
        let _web = again(web).await;
        assert_eq!(modules.contracts()[0].breach.as_ref().unwrap().code(), ErrorCode::ContractViolation);
        modules.negotiate(other, Permissions::default()).await.unwrap();
        assert!(modules.contracts()[0].breach.is_none(), "what it needs now is offered");
        t.settle().await;
        let heard: Vec<_> = probe.take().iter().map(|change| told(change)[..6].to_owned()).collect();
        assert_eq!(heard, ["made w", "broken", "made w"], "what is broken is told once");
        t.shutdown().await;
    });
}

/// F-DSC-05
#[test]
fn withdrawing_what_was_agreed_on_breaks_the_contract() {
    TestSystem::run(async |t| {
        let modules = t.system().modules();
        let _web = web(t).await;
        let (_lab, lab) = provider(t, counting("lab", "1.0.0", "integer"), 1).await;
        modules.negotiate(need(), Permissions::default()).await.unwrap();
        lab.set_health(Health::Unhealthy("no disk".into())).await.unwrap();
        lab.set_available("counting", false).await.unwrap();
        assert!(modules.contracts()[0].breach.is_none(), "what cannot be used now is still what was agreed on");
        lab.withdraw("counting").await.unwrap();
        assert!(modules.contracts()[0].breach.is_some());
        t.shutdown().await;
    });
}

/// F-DSC-05: every 60 s, beside what happens at once.
#[test]
fn all_contracts_are_looked_at_from_time_to_time() {
    TestSystem::run(async |t| {
        let modules = t.system().modules();
        let _web = web(t).await;
        let _lab = provider(t, counting("lab", "1.0.0", "integer"), 1).await;
        t.advance(120 * SECOND).await;
        assert_eq!(modules.discovery_status().contracts_checked, None, "there is none yet");
        modules.negotiate(need(), Permissions::default()).await.unwrap();
        let began = t.now();
        for minute in 1..=3 {
            t.advance(60 * SECOND).await;
            t.settle().await;
            let status = modules.discovery_status();
            let checked = status.contracts_checked.unwrap() - began;
            assert_eq!(checked.as_secs(), 60 * minute);
            assert_eq!((status.contracts, status.health), (1, Health::Healthy));
        }
        t.shutdown().await;
    });
}

/// F-DSC-06: available, healthy, allowed, the highest version that agrees; and why not the others.
#[test]
fn the_best_gets_the_contract_and_each_other_hears_why_not() {
    TestSystem::run(async |t| {
        let modules = t.system().modules();
        let _web = web(t).await;
        let mut all = Vec::new();
        let offers = [
            ("broken", "1.9.0", "integer"),
            ("ill", "1.9.0", "integer"),
            ("other", "1.8.0", "string"),
            ("next", "2.0.0", "integer"),
            ("lab", "1.5.0", "integer"),
            ("old", "1.2.0", "number"),
        ];
        for (id, (module, version, kind)) in (1..).zip(offers) {
            all.push(provider(t, counting(module, version, kind), id).await);
        }
        let secret = counting("secret", "1.9.9", "integer").required_permission("vault:use");
        all.push(provider(t, secret, 7).await);
        break_down(&all[0].0).await;
        all[1].1.set_health(Health::Unhealthy("no disk".into())).await.unwrap();

        let agreement = modules.negotiate(need(), Permissions::default()).await.unwrap();
        assert_eq!(agreement.contract.provider, "lab");
        assert_eq!(modules.contracts()[0].contract, agreement.contract);
        let losers: Vec<_> = agreement.losers.iter().map(ToString::to_string).collect();
        let expected = [
            "adder-4 2.0.0 does not match ^1",
            "adder-3 1.8.0 does not agree: sent /rows: it is integer, where string is taken; answered /: it is string, \
             where number is taken",
            "adder-6 1.2.0 would do, and comes after adder-5 1.5.0",
            "adder-1 1.9.0 has an open breaker, try again after 10s",
            "adder-2 1.9.0 is unhealthy: no disk",
        ];
        assert_eq!(losers.len(), expected.len(), "{losers:#?}");
        for (loser, expected) in losers.iter().zip(expected) {
            let is_told = loser == expected || expected.contains("breaker") && loser.contains("has an open breaker");
            assert!(is_told, "{loser:?} and not {expected:?}");
        }
        assert_eq!(modules.negotiate(need(), Permissions::default()).await.unwrap().contract, agreement.contract);
        assert_eq!(modules.contracts().len(), 1, "the same is agreed on once");
        let allowed = modules.negotiate(need(), Permissions::of(["vault:use"])).await.unwrap();
        assert_eq!(allowed.contract.provider, "secret");
        t.shutdown().await;
    });
}

/// F-DSC-06
#[test]
fn a_need_that_nobody_meets_says_why() {
    TestSystem::run(async |t| {
        let modules = t.system().modules();
        let unregistered = modules.negotiate(need(), Permissions::default()).await.unwrap_err();
        assert!(matches!(unregistered, NegotiateError::UnknownConsumer { .. }), "{unregistered:?}");
        assert_eq!(unregistered.code(), ErrorCode::UnknownModule);
        let _web = web(t).await;
        let _lab = provider(t, counting("lab", "2.0.0", "integer").operation::<Who>("who"), 1).await;
        let fault = modules.negotiate(need(), Permissions::default()).await.unwrap_err();
        assert_eq!(fault.code(), ErrorCode::VersionIncompatible);
        let text = "web needs `counting`, and none that offers it will do: adder-1 2.0.0 does not match ^1";
        assert_eq!(fault.to_string(), text);
        let fault = modules.negotiate(Need::new("web", "countin"), Permissions::default()).await.unwrap_err();
        assert_eq!(fault.code(), ErrorCode::UnknownModule);
        assert_eq!(fault.to_string(), "web needs `countin`, which no module offers, did you mean `counting`?");
        assert!(modules.contracts().is_empty());
        let who = Need::new("web", "lab.who").sends(json!({ "type": "object", "additionalProperties": false }));
        let operation = modules.negotiate(who, Permissions::default()).await.unwrap();
        assert_eq!(operation.contract.provider, "lab", "an operation is a capability as well");
        t.shutdown().await;
    });
}
