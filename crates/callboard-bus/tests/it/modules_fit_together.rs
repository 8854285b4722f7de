//! Modules that are named to a system are held against each other before any of them starts; those that fit start in the
//! order of their needs and end in the reverse one.

use std::panic::{AssertUnwindSafe, catch_unwind};

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, Context, ErrorCode, Fault, Message, Recipient, StartError, StopReason, SyncHandler, System, SystemBuilder,
    block_on, one_for_one,
};
use callboard_bus::module_graph::{ModuleGraph, assert_graph};
use callboard_bus::{Manifest, Module, RequireExt, module, module_from};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = u64)]
struct Put(u64);

#[derive(Default)]
struct Storage(u64);

#[module(name = "storage", version = "1.2.0")]
impl Storage {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self::default())
    }

    #[request("put", for_modules)]
    fn put(&mut self, Put(n): Put) -> u64 {
        self.0 += n;
        self.0
    }
}

#[derive(Debug, Message, Deserialize, JsonSchema)]
#[message(reply = u64)]
struct Sell(u64);

#[derive(Message, Deserialize, JsonSchema)]
struct Note;

/// Keeps every reference, and what it was answered.
struct Shop {
    storage: Recipient<Put>,
    audit: Option<Recipient<Note>>,
}

#[module(name = "shop", version = "1.0.0", requires("storage.put@^1"), may_use("audit.note"))]
impl Shop {
    async fn start(cx: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self { storage: cx.require().await?, audit: cx.require().await.ok() })
    }

    #[request("sell")]
    async fn sell(&mut self, Sell(n): Sell) -> Result<u64, Fault> {
        Ok(self.storage.ask(Put(n)).await?)
    }

    async fn stop(self, _: StopReason) {
        assert!(self.audit.is_none());
        let sold = self.storage.ask(Put(0)).await;
        assert!(sold.is_ok(), "what it needs is there to the end: {sold:?}");
    }
}

/// A module by hand, of which this story wants no more than what it says.
struct Said<const N: usize>;

impl<const N: usize> Actor for Said<N> {}

impl<const N: usize> SyncHandler<Note> for Said<N> {
    fn handle(&mut self, _: Note, _: &mut Context<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

impl<const N: usize> Module for Said<N> {
    fn manifest() -> Manifest<Self> {
        match N {
            0 => Manifest::new("a", "1.0.0").requires("b.note").operation::<Note>("note"),
            1 => Manifest::new("b", "1.0.0").requires("a.note").operation::<Note>("note"),
            2 => Manifest::new("c", "not a version").requires("a.note@^2"),
            _ => Manifest::new("d", "1.0.0").requires("shop.sel").may_use("nobody.there"),
        }
    }
}

fn app() -> SystemBuilder {
    System::builder().supervise(one_for_one().child(module::<Shop>().replicas(2)).child(module::<Storage>()))
}

fn wrong() -> SystemBuilder {
    let team = one_for_one().child(module_from(|| Said::<0>)).child(module_from(|| Said::<1>));
    let team = team.child(module_from(|| Said::<2>).replicas(2)).child(module_from(|| Said::<3>));
    System::builder().supervise(team.child(module::<Storage>()))
}

#[test]
fn what_a_module_requires_starts_before_it_and_ends_after_it() {
    TestSystem::run_with(app(), async |t| {
        let shop = t.system().find::<Shop>("shop-2").expect("it has started, so that what it requires was there");
        for n in 1..=50 {
            shop.tell(Sell(n)).await.unwrap();
        }
        let report = t.shutdown().await;
        assert!(report.is_clean() && report.dead_letters == 0 && t.inspect().totals.faults == 0, "{report:?}");
    });
}

#[test]
fn the_graph_of_an_application_is_asserted_in_one_line_and_drawn() {
    let graph = assert_graph(&app());
    let order: Vec<_> = graph.start_order().map(|module| module.name.as_str()).collect();
    assert_eq!(order, ["storage", "shop"]);
    let warned: Vec<_> = graph.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warned, ["shop 1.0.0 would use audit.note: there is no such module"]);
    let picture = graph.picture("the shop");
    assert!(
        picture.to_mermaid().contains("put") && picture.to_dot().contains("put") && picture.to_svg().contains("put")
    );
}

/// Missing, cyclic, incompatible and unused, and a manifest that says what cannot be: all at once.
#[test]
fn modules_that_do_not_fit_are_not_started() {
    let faults = ModuleGraph::of(&wrong()).unwrap_err();
    let told: Vec<_> = faults.errors().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "module c cannot be what it says: the version `not a version` of module `c` cannot be read: unexpected \
             character 'n' while parsing major version number",
            "d 1.0.0 requires shop.sel: there is no such module",
            "storage 1.2.0 provides `put` for modules, and none requires it",
            "modules require each other, a → b → a: make one of them do without",
        ]
    );
    let refused = block_on(wrong().start()).unwrap_err();
    assert!(matches!(&refused, StartError::Invalid(faults) if *faults == told), "{refused}");
    assert_eq!((refused.code(), faults.code()), (ErrorCode::InvalidConfig, ErrorCode::InvalidConfig));
}

#[test]
fn an_assertion_says_everything_that_is_wrong() {
    let said = |builder: SystemBuilder| {
        let panic = catch_unwind(AssertUnwindSafe(|| assert_graph(&builder))).unwrap_err();
        panic.downcast_ref::<String>().cloned().unwrap()
    };
    assert_eq!(said(wrong()).lines().count(), 5);
    let backwards = System::builder().supervise(one_for_one().child(module::<Shop>()));
    let backwards = said(backwards.supervise(one_for_one().child(module::<Storage>())));
    let told = "the modules cannot be started: the configuration cannot work: `shop` needs `storage`, whose supervisor starts \
                later: name that supervisor first";
    assert_eq!(backwards, told);
}
