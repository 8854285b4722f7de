//! F-DSC-02, F-DSC-10: whoever looks while modules come, go and change from other threads sees what was there at some
//! moment, whole, whatever the cache held; and what was withdrawn is not found by a question that begins afterwards.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use callboard_actor::{Drain, System, block_on};
use callboard_bus::discovery::{Capability, DiscoveryQuery, Permissions};
use callboard_bus::{Manifest, Modules, ModulesExt};

use crate::module_kit::{Adder, Who, adder};

const ROUNDS: usize = 300;

fn lab() -> Manifest<Adder> {
    let capability = |name: &str| Capability::builder(name, "1.0.0").capability_type("work");
    Manifest::new("lab", "1.0.0").operation::<Who>("who").advertises(capability("count")).advertises(capability("sort"))
}

/// How many are found.
fn count(modules: &Modules) -> usize {
    modules.discover(&DiscoveryQuery::default().capability_type("work"), &Permissions::default()).found.len()
}

#[test]
fn nobody_sees_half_of_a_module() {
    let system = block_on(System::builder().workers(2).start()).unwrap();
    let actor = system.spawn(adder(1));
    assert_eq!(block_on(async { actor.ask(Who {}).await }).unwrap(), 1, "it has started");
    let (modules, is_over) = (system.modules(), AtomicBool::new(false));
    let extra = || Capability::builder("extra", "1.0.0").capability_type("work").build().unwrap();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = [false; 4];
                    while !is_over.load(Ordering::SeqCst) {
                        seen[count(&modules)] = true;
                    }
                    seen
                })
            })
            .collect();
        block_on(async {
            for _ in 0..ROUNDS {
                let registration = lab().register(&actor).await.unwrap();
                assert_eq!(count(&modules), 2);
                registration.advertise(extra()).await.unwrap();
                assert_eq!(count(&modules), 3);
                registration.unregister().await.unwrap();
                assert_eq!(count(&modules), 0, "not a moment longer");
            }
        });
        is_over.store(true, Ordering::SeqCst);
        for reader in readers {
            assert!(!reader.join().unwrap()[1], "one of two that come together");
        }
    });
    let report = block_on(system.shutdown(Drain::within(Duration::from_secs(5))));
    assert!(report.unfinished.is_empty(), "{report:?}");
}
