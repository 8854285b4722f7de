//! The instance that is called is the one that a look at all of them would choose: of those that serve and match, the
//! highest version.

use callboard_actor::ErrorCode;
use callboard_actor::testing::TestSystem;
use callboard_bus::{Address, Health, ModulesExt};
use proptest::prelude::*;
use semver::{Version, VersionReq};

use crate::module_kit::{adder, offer, who};

fn any_version() -> impl Strategy<Value = Version> {
    let suffix = prop_oneof![Just(""), Just(""), Just("-rc.1"), Just("-rc.2"), Just("+build.5")];
    (0..3u8, 0..3u8, 0..3u8, suffix)
        .prop_map(|(major, minor, patch, suffix)| format!("{major}.{minor}.{patch}{suffix}").parse().unwrap())
}

fn any_requirement() -> impl Strategy<Value = Option<VersionReq>> {
    let operator = prop_oneof![Just("^"), Just("~"), Just("="), Just(">="), Just("<"), Just("")];
    let text = (operator, any_version()).prop_map(|(operator, version)| format!("{operator}{version}"));
    let short = (0..3u8).prop_map(|major| format!("^{major}"));
    let text = prop_oneof![text, short, Just("*".to_owned())];
    prop::option::of(text.prop_map(|text| VersionReq::parse(&text).unwrap()))
}

/// An instance: its version, and whether it is healthy.
type Instance = (Version, bool);

/// The numbers of those that may answer, or the code of the refusal.
fn naive(instances: &[Instance], requirement: Option<&VersionReq>) -> Result<Vec<u64>, ErrorCode> {
    let fits = |version: &Version| requirement.is_none_or(|requirement| requirement.matches(version));
    let fitting: Vec<_> = (1..).zip(instances).filter(|(_, (version, _))| fits(version)).collect();
    let healthy = || fitting.iter().filter(|(_, (_, is_healthy))| *is_healthy);
    if fitting.is_empty() {
        return Err(if instances.is_empty() { ErrorCode::UnknownModule } else { ErrorCode::VersionIncompatible });
    }
    let not_lower =
        |version: &Version| healthy().all(|(_, (other, _))| version.cmp_precedence(other) != std::cmp::Ordering::Less);
    let best: Vec<_> = healthy().filter(|(_, (version, _))| not_lower(version)).map(|(id, _)| *id).collect();
    if best.is_empty() { Err(ErrorCode::Unavailable) } else { Ok(best) }
}

async fn register(t: &TestSystem, instances: &[Instance]) {
    for (id, (version, is_healthy)) in (1..).zip(instances) {
        let actor = t.spawn(adder(id));
        let registration = offer(&version.to_string()).register(&actor).await.unwrap();
        if !is_healthy {
            registration.set_health(Health::Unhealthy("on purpose".into())).await.unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_is_the_one_that_the_naive_model_chooses(
        instances in prop::collection::vec((any_version(), prop::bool::weighted(0.7)), 0..7),
        requirements in prop::collection::vec(any_requirement(), 1..6),
    ) {
        TestSystem::run(async |t| {
            register(t, &instances).await;
            t.settle().await;
            for requirement in requirements {
                let text = requirement.as_ref().map(|requirement| format!("@{requirement}")).unwrap_or_default();
                match naive(&instances, requirement.as_ref()) {
                    Ok(best) => {
                        let mut answers = Vec::new();
                        for _ in &best {
                            answers.push(who(t.system(), &text).await.unwrap());
                        }
                        answers.sort_unstable();
                        assert_eq!(answers, best, "{text}: each once");
                    }
                    Err(code) => assert_eq!(who(t.system(), &text).await.unwrap_err().code(), code, "{text}"),
                }
            }
            t.shutdown().await;
        });
    }

    #[test]
    fn what_is_said_of_an_operation_is_said_by_the_highest_version_that_matches(
        instances in prop::collection::vec((any_version(), any::<bool>()), 1..7),
        requirement in any_requirement(),
    ) {
        TestSystem::run(async |t| {
            register(t, &instances).await;
            let requirement = requirement.map(|requirement| format!("@{requirement}")).unwrap_or_default();
            let address: Address = format!("adder.add{requirement}").parse().unwrap();
            let fits = |version: &&Version| address.requirement().is_none_or(|wanted| wanted.matches(version));
            let fitting = instances.iter().map(|(version, _)| version).filter(fits);
            let highest = fitting.max_by(|one, other| one.cmp_precedence(other));
            match t.system().modules().resolve(&address) {
                Ok(found) => assert!(found.version.cmp_precedence(highest.unwrap()).is_eq(), "{}", found.version),
                Err(error) => assert_eq!((highest, error.code()), (None, ErrorCode::VersionIncompatible)),
            }
            t.shutdown().await;
        });
    }
}
