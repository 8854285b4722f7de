//! Modules: looking an operation up, calling it by name with a payload of one
//! field and as a type, and starting many of them.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use callboard::{
    ActorRef, Message, System,
    bus::{Address, Manifest, Module, ModulesExt, Object, OperationsExt, Value, module},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{callboard_peer::Callboard, peer::Peer, size::Size, workload::Workload};

/// Runs the workload once: nanoseconds per look-up or call. `None` for all
/// others.
pub fn run(workload: Workload, size: Size) -> Option<f64> {
    let operations = size.operations(workload);
    let elapsed = match workload {
        Workload::LookUp => look_up(operations),
        Workload::CallByName => call(operations),
        Workload::CallTyped => call_typed(operations),
        Workload::Modules => start(operations),
        _ => return None,
    };
    Some(elapsed.as_nanos() as f64 / operations as f64)
}

/// From the address, which has been read before, to a reference by message.
fn look_up(lookups: u64) -> Duration {
    Callboard::on_one_thread(move |system| async move {
        let _adder = adder(&system).await;
        let (modules, address) = (system.modules(), address());
        let start = Instant::now();
        for _ in 0..lookups {
            black_box(modules.lookup::<Add>(&address).expect("the adder is registered"));
        }
        start.elapsed()
    })
}

/// One call at a time, on one thread; the payload is made anew for each.
fn call(calls: u64) -> Duration {
    Callboard::on_one_thread(move |system| async move {
        let _adder = adder(&system).await;
        let (modules, address) = (system.modules(), address());
        let start = Instant::now();
        for amount in 0..calls {
            let payload = Value::from(Object::from([("amount", Value::from(amount))]));
            black_box(modules.call(&address, payload).await.expect("the adder answers"));
        }
        let elapsed = start.elapsed();
        let sum = modules.call(&address, Object::from([("amount", Value::from(0_u64))])).await;
        assert_eq!(sum.expect("the adder answers"), Value::from(calls * (calls - 1) / 2));
        elapsed
    })
}

/// The same by the method of a reference, with the breaker, the counts, the
/// limits and an empty pipeline of middleware in the way.
fn call_typed(calls: u64) -> Duration {
    Callboard::on_one_thread(move |system| async move {
        let adder = adder(&system).await;
        let start = Instant::now();
        for amount in 0..calls {
            black_box(adder.add(Add { amount }).await.expect("the adder answers"));
        }
        let elapsed = start.elapsed();
        assert_eq!(adder.add(Add { amount: 0 }).await.expect("the adder answers"), calls * (calls - 1) / 2);
        let status = system.operations().status("adder.add").expect("it is registered");
        assert_eq!(status.counts.succeeded, calls + 1);
        elapsed
    })
}

/// Modules with an operation each, from their start until all can be found.
fn start(modules: u64) -> Duration {
    Callboard::on_one_thread(move |system| async move {
        let start = Instant::now();
        for number in 0..modules {
            let adder = system.spawn(Adder::default);
            let module = Manifest::new(format!("adder_{number}"), "1.0.0").operation::<Add>("add");
            module.register(&adder).await.expect("the name is free");
        }
        let elapsed = start.elapsed();
        assert_eq!(system.modules().list().len() as u64, modules);
        elapsed
    })
}

fn address() -> Address {
    "adder.add@^1".parse().expect("the address is well formed")
}

async fn adder(system: &System) -> ActorRef<Adder> {
    let adder = system.spawn(Adder::default);
    Adder::manifest().register(&adder).await.expect("the name is free");
    adder
}

/// Adds.
#[derive(Debug, Default)]
struct Adder {
    sum: u64,
}

/// Adds to the sum and answers with it.
#[derive(Debug, Message, Serialize, Deserialize, JsonSchema)]
#[message(reply = u64)]
struct Add {
    amount: u64,
}

#[module(name = "adder", version = "1.0.0")]
impl Adder {
    #[request("add")]
    async fn add(&mut self, add: Add) -> u64 {
        self.sum += add.amount;
        self.sum
    }
}
