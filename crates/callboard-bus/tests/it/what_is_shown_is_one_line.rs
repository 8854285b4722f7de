//! F-BUS-25: no name has control characters, and what somebody has sent forges neither lines of a log nor parts of a picture.

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, Context, ErrorCode, Fault, Message, SyncHandler};
use callboard_bus::dead_letter_queue::Payload;
use callboard_bus::discovery::Capability;
use callboard_bus::middleware::log_calls;
use callboard_bus::module_graph::{ModuleGraph, ModuleNode};
use callboard_bus::picture::Picture;
use callboard_bus::{
    Address, CallError, DeadLetterQueueExt, Event, EventsExt, Health, JobId, LetterFilter, Manifest, ModulesExt,
    MonitoringExt, Operation, OperationsExt, Operator, ParameterType, Parameters, Router, Value,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::log_lines::Log;
use crate::module_kit::{Add, adder, found};

/// What a name is refused with, and how that is said.
async fn refusals(t: &TestSystem, name: &str) -> Vec<(&'static str, ErrorCode, String)> {
    let (system, probe) = (t.system(), t.probe::<Event>());
    let (actor, registration) = found(system, "1.0.0", 1).await;
    let (modules, operations) = (system.modules(), system.operations());
    let mut seen = Vec::new();
    macro_rules! refused {
        ($what:literal, $tried:expr) => {
            let error = $tried.err().unwrap_or_else(|| panic!("{} {name:?} is refused", $what));
            seen.push(($what, error.code(), error.to_string()));
        };
    }
    refused!("channel", system.channel(name).create().await);
    refused!("module", Manifest::new(name, "1.0.0").register(&t.spawn(adder(2))).await);
    refused!("operation", Manifest::new("other", "1.0.0").operation::<Add>(name).register(&t.spawn(adder(2))).await);
    refused!("operation that is added", modules.offer("adder", &actor, Operation::new::<Add>(name)).await);
    refused!("module that is added to", modules.offer(name, &actor, Operation::new::<Add>("plus")).await);
    let needs = Manifest::new("other", "1.0.0").requires(format!("{name}.put"));
    refused!("requirement", needs.register(&t.spawn(adder(2))).await);
    refused!("address", format!("adder.{name}").parse::<Address>());
    refused!("call", system.call(&format!("adder.{name}"), 1).await);
    refused!("event", system.publish(name, 1).await);
    refused!("type of a message", system.publish("a", 1).message_type(name).await);
    refused!("source", system.publish("a", 1).source(name).await);
    refused!("subscription", system.subscribe(name, probe.recipient()).await);
    refused!("channel of a subscription", system.subscribe(">", probe.recipient()).on_channel(name).await);
    refused!("event that is heard", Manifest::new("other", "1.0.0").publishes(name).register(&t.spawn(adder(2))).await);
    refused!("capability", Capability::builder(name, "1.0.0").build());
    refused!("middleware", operations.middleware(name).install(log_calls));
    let table = Parameters::new().required(name, ParameterType::Any, "");
    refused!("parameter", modules.offer("adder", &actor, Operation::new::<Add>("plus").parameters(table)).await);
    registration.unregister().await.unwrap();
    seen
}

/// F-BUS-25: one table of all that has a name.
#[test]
fn no_name_has_control_characters() {
    TestSystem::run(async |t| {
        for sign in ['\0', '\t', '\n', '\r', '\u{1b}', '\u{7f}', '\u{9b}'] {
            for (what, code, text) in refusals(t, &format!("a{sign}b")).await {
                let expected = match what {
                    "module that is added to" => ErrorCode::UnknownModule,
                    "parameter" => ErrorCode::InvalidConfig,
                    _ => ErrorCode::InvalidName,
                };
                assert_eq!(code, expected, "{what} with {sign:?}: {text}");
                assert!(!text.contains(char::is_control), "{what}: {text:?}");
            }
            // These are not refused, as nothing is found by them: they are shown without.
            assert!(!Operator::new(format!("a{sign}b")).name().contains(sign));
            assert!(!Router::new(format!("a{sign}b")).name().contains(sign));
            assert!(!format!("a{sign}b").parse::<JobId>().unwrap_err().to_string().contains(sign));
        }
        t.shutdown().await;
    });
}

const FORGED: &str = "x\n2026-01-01 INFO callboard: all is well\r\u{1b}[2J<script>alert(1)</script>";

fn is_shown_well(text: &str) -> bool {
    !text.contains(['\r', '\u{1b}']) && !text.lines().any(|line| line.trim_start().starts_with("2026-01-01 INFO"))
}

#[derive(Message, Clone, Deserialize, JsonSchema)]
#[message(reply = Result<u64, NotFound>)]
struct Find {
    word: String,
    way: u8,
}

#[derive(Debug, thiserror::Error)]
#[error("there is no `{0}`")]
struct NotFound(String);

/// Repeats what it is given wherever it can.
struct Dictionary;

impl Actor for Dictionary {}

impl SyncHandler<Find> for Dictionary {
    fn handle(&mut self, find: Find, _: &mut Context<Self>) -> Result<Result<u64, NotFound>, Fault> {
        match find.way {
            0 => Ok(Err(NotFound(find.word))),
            1 => Err(Fault::permanent(find.word)),
            _ => panic!("{}", find.word),
        }
    }
}

impl SyncHandler<Event> for Dictionary {
    fn handle(&mut self, event: Event, _: &mut Context<Self>) -> Result<(), Fault> {
        Err(Fault::permanent(format!("no {:?}, {}", event.name, event.read::<String>()?)))
    }
}

/// F-BUS-25: what is in a payload and comes back in errors, logs, dead letters, status and health stays on its line.
#[test]
fn a_payload_forges_no_line() {
    let captured = Log::default();
    captured.during(|| {
        TestSystem::run(async |t| {
            let system = t.system();
            let dictionary = t.spawn(|| Dictionary);
            let manifest = Manifest::new("dictionary", "1.0.0").fallible::<Find, _, _>("find").hears::<Event>("word.>");
            let registration = manifest.register(&dictionary).await.unwrap();
            system.operations().middleware("log").install(log_calls).unwrap();
            let refuse = async |_, _| Err::<Value, _>(CallError::refused(ErrorCode::PermissionDenied, FORGED));
            for way in 0..3 {
                let error = system.call("dictionary.find", json!({ "word": FORGED, "way": way })).await.unwrap_err();
                assert!(error.to_string().contains("\\u{1b}[2J") && is_shown_well(&error.to_string()), "{error}");
                t.advance(crate::module_kit::SECOND * 60).await;
            }
            let unfit = system.call("dictionary.find", json!({ "word": [FORGED], FORGED: 1, "way": FORGED })).await;
            assert!(is_shown_well(&unfit.unwrap_err().to_string()));
            system.operations().middleware("no").install(move |_, _| refuse(0, 0)).unwrap();
            let refused = system.call("dictionary.find", json!({})).await.unwrap_err();
            assert!(is_shown_well(&refused.to_string()), "{refused}");

            system.publish("word.asked", FORGED).await.unwrap();
            t.advance(crate::module_kit::SECOND * 60).await;
            let letters = system.dead_letter_queue();
            let letter = letters.list(&LetterFilter::all()).remove(0);
            assert!(letter.cause.to_string().contains("\\u{1b}[2J") && is_shown_well(&letter.cause.to_string()));
            let Payload::Redacted(shown) = letters.show_redacted(letter.id).unwrap().payload else { panic!("it is") };
            assert!(shown.as_str().is_some_and(is_shown_well), "{shown:?}");
            assert!(is_shown_well(&serde_json::to_string_pretty(&letters.show_redacted(letter.id).unwrap()).unwrap()));

            registration.set_health(Health::Degraded(FORGED.to_owned())).await.unwrap();
            assert!(is_shown_well(&Health::Degraded(FORGED.to_owned()).to_string()));
            assert!(is_shown_well(&system.monitoring().status().await.to_string()));
            assert!(is_shown_well(&system.monitoring().metrics().to_string()));
            t.shutdown().await;
        });
    });
    let lines = captured.lines();
    assert!(lines.iter().any(|line| line.contains("call failed")) && lines.iter().any(|line| line.contains("fault")));
    assert!(lines.iter().any(|line| line.contains("<script>")), "what is written is in it, on its line");
    for line in lines {
        assert!(is_shown_well(&line) && !line.contains('\r'), "{line:?}");
    }
}

/// F-BUS-25: a graph that is drawn says what its parts are called, and no more.
#[test]
fn a_picture_has_no_script() {
    let name = "</text><script>alert(1)</script>\"];x[\"";
    let version = "1.0.0".parse().unwrap();
    let graph = ModuleGraph::new([ModuleNode::new(name, version)]).unwrap();
    let picture: Picture = graph.picture(name);
    let (svg, dot, mermaid) = (picture.to_svg(), picture.to_dot(), picture.to_mermaid());
    for shown in [&svg, &dot, &mermaid] {
        assert!(!shown.contains(name), "{shown}");
    }
    assert!(!svg.contains("<script") && !mermaid.contains("<script"), "{svg} {mermaid}");
    let parsed = roxmltree::Document::parse(&svg).unwrap();
    assert!(parsed.descendants().any(|part| part.text().is_some_and(|text| text.contains("<script>"))));
}
