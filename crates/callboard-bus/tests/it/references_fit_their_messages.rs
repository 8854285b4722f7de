//! A reference that is looked up is one to an instance that takes the message: by name, or by the type of the message
//! alone where one operation takes it.

use callboard_actor::ErrorCode;
use callboard_actor::testing::TestSystem;
use callboard_bus::{Address, Manifest, ModulesExt};

use crate::module_kit::{Add, Rest, Who, adder, break_down, found, fragile};

#[test]
fn a_reference_of_another_type_is_not_handed_out() {
    TestSystem::run(async |t| {
        let _registration = found(t.system(), "1.0.0", 1).await;
        let error = t.system().lookup::<Add>("adder.who").await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValidationFailed);
        let text = "`adder.who` takes `it::module_kit::Who` and not `it::module_kit::Add`";
        assert_eq!(error.to_string(), text);
        t.shutdown().await;
    });
}

/// An operation may take another message in a new version; who still sends the old one reaches who still takes it.
#[test]
fn the_highest_version_that_takes_the_message_is_handed_out() {
    TestSystem::run(async |t| {
        let (old, new) = (t.spawn(fragile(1)), t.spawn(adder(2)));
        Manifest::new("m", "1.0.0").operation::<Who>("go").register(&old).await.unwrap();
        Manifest::new("m", "2.0.0").operation::<Rest>("go").register(&new).await.unwrap();
        let address: Address = "m.go".parse().unwrap();
        let modules = t.system().modules();
        assert_eq!(modules.lookup::<Who>(&address).unwrap().ask(Who {}).await.unwrap(), 1);
        assert_eq!(modules.find::<Who>().unwrap().ask(Who {}).await.unwrap(), 1);
        modules.lookup::<Rest>(&address).unwrap().ask(Rest { seconds: 1 }).await.unwrap();
        assert!(modules.resolve(&address).unwrap().message.ends_with("Rest"));
        break_down(&old).await;
        let error = modules.find::<Who>().unwrap_err();
        assert_eq!(error.code(), ErrorCode::CircuitOpen);
        assert!(error.to_string().contains("adder-1 1.0.0 has an open breaker"), "{error}");
        t.shutdown().await;
    });
}

#[test]
fn a_type_alone_has_to_lead_to_one_operation() {
    TestSystem::run(async |t| {
        let modules = t.system().modules();
        let nobody = modules.find::<Who>().unwrap_err();
        assert_eq!(nobody.code(), ErrorCode::UnknownOperation);
        assert_eq!(nobody.to_string(), "no operation takes `it::module_kit::Who`");
        let actor = t.spawn(adder(1));
        for name in ["b", "a"] {
            let module = Manifest::new(name, "1.0.0").operation::<Who>("who");
            module.register(&actor).await.unwrap();
        }
        let several = modules.find::<Who>().unwrap_err();
        assert_eq!(several.code(), ErrorCode::InvalidName);
        assert_eq!(several.to_string(), "`it::module_kit::Who` is taken by a.who, b.who: name one of them");
        t.shutdown().await;
    });
}
