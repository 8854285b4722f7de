//! F-DSC-01 to F-DSC-04, F-DSC-07, F-DSC-08, F-DSC-11 to F-DSC-14: what registered modules can do is found by whoever may
//! use it, as it is at the moment of the question, and an answer that has been given is given again while it is good.

use callboard_actor::testing::TestSystem;
use callboard_actor::{Context, ErrorCode, Fault, child_with};
use callboard_bus::codec::{Limits, decode, decode_json, encode, encode_json};
use callboard_bus::discovery::{AdvertiseError, Capability, CapabilityBuilder, Discovery, DiscoveryQuery, Permissions};
use callboard_bus::{
    Config, Health, LookupError, Manifest, ModuleChange, ModulesExt, Protocol, RegisterError, Registration,
};
use serde_json::{Value as Json, json};

use crate::module_kit::{Adder, SECOND, Who, adder, break_down, found, fragile, offer};

/// That of the specification.
fn data_processor() -> CapabilityBuilder {
    Capability::builder("data_processor", "1.0.0")
        .name("Data Processing Service")
        .capability_type("data_processor")
        .description("Processes various data formats")
        .input_schema(json!({
            "type": "object",
            "properties": {
                "data": { "type": "string" },
                "format": { "type": "string", "enum": ["json", "csv", "xml"] },
            },
        }))
        .output_schema(json!({ "type": "object", "properties": { "status": { "type": "string" } } }))
        .required_permission("data:process")
        .tag("batch")
}

fn lab() -> Manifest<Adder> {
    Manifest::new("lab", "2.1.0").description("counts cells").owner("the lab").tag("analytics").operation::<Who>("who")
}

/// An instance that serves.
async fn serving(t: &TestSystem, manifest: Manifest<Adder>, id: u64) -> Registration {
    let actor = t.spawn(adder(id));
    let registration = manifest.register(&actor).await.unwrap();
    t.settle().await;
    registration
}

fn discover(t: &TestSystem, query: &DiscoveryQuery, permissions: &[&str]) -> Discovery {
    t.system().modules().discover(query, &Permissions::of(permissions.iter().copied()))
}

/// The ids of what is found.
fn ids(t: &TestSystem, query: &DiscoveryQuery, permissions: &[&str]) -> Vec<String> {
    let found = discover(t, query, permissions).found;
    found.iter().map(|found| found.capability.capability_id.clone()).collect()
}

fn query() -> DiscoveryQuery {
    DiscoveryQuery::default()
}

/// F-DSC-01
#[test]
fn what_is_advertised_is_found_as_it_was_advertised() {
    TestSystem::run(async |t| {
        let _lab = serving(t, lab().advertises(data_processor()), 1).await;
        let found = discover(t, &query().capability_type("data_processor"), &["data:process"]).found;
        let capability = (*found[0].capability).clone();
        assert_eq!(capability, data_processor().build().unwrap());
        let operation = (*discover(t, &query().name("who"), &[]).found[0].capability).clone();
        for capability in [capability, operation] {
            let packed = encode(&capability).unwrap();
            assert_eq!(decode::<Capability>(&packed, &Limits::default()).unwrap(), capability);
            let text = encode_json(&capability).unwrap();
            assert_eq!(decode_json::<Capability>(&text, &Limits::default()).unwrap(), capability);
        }
        t.shutdown().await;
    });
}

/// F-DSC-01: what is wrong with a capability comes out when its module is registered.
#[test]
fn a_capability_that_is_none_is_not_registered() {
    TestSystem::run(async |t| {
        let actor = t.spawn(adder(1));
        let refused = async |capability: CapabilityBuilder, other: CapabilityBuilder| {
            let error = lab().advertises(capability).advertises(other).register(&actor).await.unwrap_err();
            assert!(matches!(error, RegisterError::Capability(_)), "{error:?}");
            error.code()
        };
        let good = || Capability::builder("good", "1.0.0");
        assert_eq!(refused(good(), Capability::builder("a", "1.x")).await, ErrorCode::ValidationFailed);
        assert_eq!(refused(good(), good().input_schema(json!({ "type": 1 }))).await, ErrorCode::ValidationFailed);
        assert_eq!(refused(good(), good()).await, ErrorCode::AlreadyExists);
        assert_eq!(refused(good(), Capability::builder("lab.who", "1.0.0")).await, ErrorCode::AlreadyExists);
        assert!(t.system().modules().list().is_empty());
        t.shutdown().await;
    });
}

/// F-DSC-02
#[test]
fn a_change_of_what_a_module_can_do_is_seen_by_the_next_question() {
    TestSystem::run(async |t| {
        let probe = t.probe::<ModuleChange>();
        let _watch = t.system().modules().watch(probe.recipient()).await.unwrap();
        let registration = serving(t, lab(), 1).await;
        let (modules, all) = (t.system().modules(), query().capability_type("data_processor"));
        let open = || Capability::builder("data_processor", "1.0.0").capability_type("data_processor").build().unwrap();
        assert!(ids(t, &all, &[]).is_empty());

        modules.advertise("lab", open()).await.unwrap();
        assert_eq!(ids(t, &all, &[]), ["data_processor"]);
        let twice = registration.advertise(open()).await.unwrap_err();
        assert_eq!(twice.code(), ErrorCode::AlreadyExists);
        registration.set_available("data_processor", false).await.unwrap();
        assert!(ids(t, &all, &[]).is_empty());
        assert_eq!(ids(t, &all.clone().include_unavailable(), &[]), ["data_processor"]);
        modules.set_available("lab", "data_processor", true).await.unwrap();
        assert_eq!(ids(t, &all, &[]), ["data_processor"]);

        let _late = serving(t, lab(), 2).await;
        assert_eq!(ids(t, &all, &[]).len(), 2, "an instance that comes later has it too");
        registration.withdraw("data_processor").await.unwrap();
        assert!(ids(t, &all, &[]).is_empty());
        assert_eq!(ids(t, &query(), &[]), ["lab.who", "lab.who"]);

        t.settle().await;
        let heard: Vec<_> = probe.take().iter().map(|change| change.descriptor().capabilities.iter().count()).collect();
        assert_eq!(heard, [0, 1, 1, 1, 1, 0, 0], "each instance that is another is told of");
        t.shutdown().await;
    });
}

/// F-DSC-02: an instance says for itself what others were said to be able to.
#[test]
fn an_operation_goes_before_what_was_advertised_under_its_name() {
    TestSystem::run(async |t| {
        let _old = serving(t, Manifest::new("lab", "1.0.0"), 1).await;
        let who = Capability::builder("lab.who", "0.1.0").build().unwrap();
        t.system().modules().advertise("lab", who).await.unwrap();
        let _new = serving(t, lab(), 2).await;
        let found = discover(t, &query().name("lab.who"), &[]).found;
        let versions: Vec<_> = found.iter().map(|found| found.capability.version.to_string()).collect();
        assert_eq!(versions, ["2.1.0", "0.1.0"]);
        t.shutdown().await;
    });
}

/// F-DSC-02
#[test]
fn what_is_not_there_cannot_be_changed() {
    TestSystem::run(async |t| {
        let _lab = serving(t, lab().advertises(data_processor()), 1).await;
        let modules = t.system().modules();
        let told = |error: AdvertiseError| (error.code(), error.to_string());
        let capability = data_processor().build().unwrap();
        let unknown = told(modules.advertise("labs", capability).await.unwrap_err());
        assert_eq!(unknown, (ErrorCode::UnknownModule, "there is no module `labs`, did you mean `lab`?".to_owned()));
        let unknown = told(modules.withdraw("lab", "data_procesor").await.unwrap_err());
        let text = "`lab` advertises no capability `data_procesor`, did you mean `data_processor`?";
        assert_eq!(unknown, (ErrorCode::UnknownOperation, text.to_owned()));
        let operation = modules.set_available("lab", "lab.who", false).await.unwrap_err();
        assert_eq!(operation.code(), ErrorCode::UnknownOperation, "an operation is there as long as it is offered");
        t.shutdown().await;
    });
}

/// F-DSC-03, F-DSC-12: stable order, and what cannot be used now is left out, whatever the cache holds.
#[test]
fn what_cannot_be_used_now_is_left_out_at_once() {
    TestSystem::run(async |t| {
        let all = [t.spawn(fragile(1)), t.spawn(fragile(2)), t.spawn(fragile(3))];
        let versions = ["1.0.0", "1.1.0", "1.2.0"];
        let mut registrations = Vec::new();
        for (actor, version) in all.iter().zip(versions) {
            registrations.push(offer(version).register(actor).await.unwrap());
        }
        let who = query().name("who");
        t.settle().await;
        let instances = |query: &DiscoveryQuery| -> Vec<String> {
            discover(t, query, &[]).found.iter().map(|found| found.instance.clone()).collect()
        };
        assert_eq!(instances(&who), ["adder-3", "adder-2", "adder-1"], "the highest version first");
        break_down(&all[2]).await;
        assert_eq!(instances(&who), ["adder-2", "adder-1"]);
        let told = discover(t, &who.clone().include_unavailable(), &[]).found;
        assert_eq!(told[2].obstacle().unwrap().split(", ").next(), Some("has an open breaker"));
        registrations[1].set_health(Health::Degraded("slow".into())).await.unwrap();
        assert_eq!(instances(&who), ["adder-1", "adder-2"], "the healthiest first");
        registrations[0].set_health(Health::Unhealthy("no disk".into())).await.unwrap();
        assert_eq!(instances(&who), ["adder-2"]);
        t.advance(11 * SECOND).await;
        t.settle().await;
        assert_eq!(instances(&who), ["adder-3", "adder-2"], "it is back by itself");
        all[1].drain();
        all[1].ended().await;
        t.settle().await;
        assert_eq!(instances(&who), ["adder-3"]);
        t.shutdown().await;
    });
}

/// F-DSC-03
#[test]
fn one_that_has_not_started_yet_is_not_found() {
    TestSystem::run(async |t| {
        let slow = t.spawn(child_with("adder-1", async move |_: &mut Context<Adder>| -> Result<Adder, Fault> {
            tokio::time::sleep(5 * SECOND).await;
            Ok(Adder::new(1))
        }));
        let _registration = lab().register(&slow).await.unwrap();
        assert!(ids(t, &query(), &[]).is_empty());
        let told = discover(t, &query().include_unavailable(), &[]).found.remove(0);
        assert_eq!(
            serde_json::to_value(&*told).unwrap()["unavailable"],
            told.unavailable.as_ref().unwrap().to_string()
        );
        let told = told.obstacle();
        assert_eq!(told.as_deref(), Some("has not started yet"));
        t.advance(6 * SECOND).await;
        assert_eq!(ids(t, &query(), &[]), ["lab.who"]);
        t.shutdown().await;
    });
}

/// F-DSC-04
#[test]
fn a_version_that_is_not_there_is_named_with_those_that_are() {
    TestSystem::run(async |t| {
        for (id, version) in [(1, "1.9.0"), (2, "2.0.0"), (3, "1.3.0-rc.1")] {
            found(t.system(), version, id).await;
        }
        t.settle().await;
        let versions = |wanted: &str| -> Vec<String> {
            let found = discover(t, &query().name("who").version(wanted.parse().unwrap()), &[]).found;
            found.iter().map(|found| found.capability.version.to_string()).collect()
        };
        assert_eq!(versions("^1.2"), ["1.9.0"]);
        assert!(versions("^3").is_empty());
        let bound = t.system().lookup::<Who>("adder.who@^3").await.unwrap_err();
        assert_eq!(bound.code(), ErrorCode::VersionIncompatible);
        let LookupError::Version { there, .. } = bound else { panic!("{bound:?}") };
        assert_eq!(there.iter().map(ToString::to_string).collect::<Vec<_>>(), ["2.0.0", "1.9.0", "1.3.0-rc.1"]);
        t.shutdown().await;
    });
}

/// F-DSC-07, F-DSC-14, F-CFG-05: on virtual time.
#[test]
fn an_answer_is_given_again_for_five_minutes() {
    TestSystem::run(async |t| {
        let registration = serving(t, lab(), 1).await;
        let counts = |t: &TestSystem| {
            let cache = t.system().modules().discovery_status().cache;
            (cache.hits, cache.misses, cache.evictions, cache.entries)
        };
        assert_eq!(t.system().modules().discovery_status().hit_rate, None);
        ids(t, &query(), &[]);
        ids(t, &query(), &[]);
        assert_eq!(counts(t), (1, 1, 0, 1));
        t.advance(299 * SECOND).await;
        ids(t, &query(), &[]);
        assert_eq!(counts(t), (2, 1, 0, 1));
        t.advance(SECOND).await;
        ids(t, &query(), &[]);
        assert_eq!(counts(t), (2, 2, 0, 1), "it was too old");
        registration.set_health(Health::Degraded("slow".into())).await.unwrap();
        ids(t, &query(), &[]);
        assert_eq!(counts(t), (2, 3, 0, 1), "it was of other modules");
        assert_eq!(t.system().modules().discovery_status().hit_rate, Some(0.4));

        let mut config = Config::default().discovery;
        config.cache_ttl = std::time::Duration::ZERO;
        t.system().modules().set_discovery(&config);
        ids(t, &query(), &[]);
        ids(t, &query(), &[]);
        assert_eq!(counts(t), (0, 2, 0, 0));
        t.shutdown().await;
    });
}

/// F-DSC-07, F-DSC-13
#[test]
fn nobody_is_shown_what_they_may_not_use() {
    TestSystem::run(async |t| {
        let _lab = serving(t, lab().advertises(data_processor()), 1).await;
        let secret = Manifest::new("vault", "1.0.0").required_permission("vault:use").operation::<Who>("who");
        let _vault = serving(t, secret, 2).await;
        for _ in 0..2 {
            assert_eq!(ids(t, &query(), &["vault:use", "data:process"]), ["lab.who", "data_processor", "vault.who"]);
            assert_eq!(ids(t, &query(), &["vault:use"]), ["lab.who", "vault.who"]);
            assert_eq!(ids(t, &query(), &[]), ["lab.who"]);
        }
        assert!(ids(t, &query().requirement("vault.who".parse().unwrap()), &["data:process"]).is_empty());
        t.shutdown().await;
    });
}

/// F-DSC-08, F-CFG-06
#[test]
fn no_more_is_found_than_the_limit() {
    TestSystem::run(async |t| {
        for id in 0..150 {
            let module = Manifest::new(format!("m{id:03}"), "1.0.0").operation::<Who>("who");
            module.register(&t.spawn(adder(id))).await.unwrap();
        }
        t.settle().await;
        let count = |query: DiscoveryQuery| {
            let found = discover(t, &query, &[]);
            (found.found.len(), found.truncated)
        };
        assert_eq!(count(query()), (100, true));
        assert_eq!(count(query().limit(7)), (7, true));
        let mut config = Config::default().discovery;
        config.max_results = 150;
        t.system().modules().set_discovery(&config);
        assert_eq!(count(query()), (150, false));
        assert_eq!(count(query().limit(200)), (150, false));
        t.shutdown().await;
    });
}

/// F-DSC-11, F-MOD-02
#[test]
fn what_a_module_says_of_itself_stands_with_all_that_it_can_do() {
    TestSystem::run(async |t| {
        let open = Capability::builder("counting", "0.3.0");
        let _lab = serving(t, lab().advertises(open), 1).await;
        let found = discover(t, &query().tag("analytics"), &[]).found;
        assert_eq!(found.len(), 2);
        for found in &found {
            let said = (found.module.as_str(), found.module_version.to_string(), found.module_owner.as_str());
            assert_eq!(said, ("lab", "2.1.0".to_owned(), "the lab"));
            assert_eq!((found.module_description.as_str(), found.has_tag("analytics")), ("counts cells", true));
        }
        let who = discover(t, &query().capability_type(Capability::OPERATION), &[]).found.remove(0);
        let shown = serde_json::to_value(&*who).unwrap();
        assert_eq!((&shown["module"], &shown["health"]["state"]), (&json!("lab"), &json!("healthy")));
        let ways = [Protocol::RequestResponse, Protocol::PointToPoint, Protocol::Workflow];
        assert_eq!((&who.protocols[..], &shown["protocols"]), (&ways[..], &json!(ways)));
        assert_eq!((&shown["capability"]["capability_id"], &shown["unavailable"]), (&json!("lab.who"), &Json::Null));
        let listed = &t.system().modules().list()[0];
        let Capability { capability_id, name, version, input_schema, output_schema, .. } = &*who.capability;
        assert_eq!((capability_id.as_str(), name.as_str(), version), ("lab.who", "who", &listed.version));
        assert_eq!(input_schema, &listed.operations[0].message_schema);
        assert_eq!(
            (output_schema, &output_schema["type"]),
            (&listed.operations[0].reply_schema, &Json::from("integer"))
        );
        t.shutdown().await;
    });
}

#[test]
fn when_the_system_is_over_nothing_is_found() {
    TestSystem::run(async |t| {
        let _lab = serving(t, lab(), 1).await;
        assert_eq!(ids(t, &query(), &[]), ["lab.who"]);
        t.shutdown().await;
        assert!(ids(t, &query(), &[]).is_empty());
        let over = t.system().modules().withdraw("lab", "x").await.unwrap_err();
        assert_eq!(over.code(), ErrorCode::Unavailable);
    });
}
