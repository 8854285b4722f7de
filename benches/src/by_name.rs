//! Modules by name: looking an operation up, and calling it with a payload of
//! one field.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use callboard::{Actor, ActorRef, Context, Fault, Handler, Message, System};
use callboard_bus::{Address, Manifest, ModulesExt, Object, Value};
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

fn address() -> Address {
    "adder.add@^1".parse().expect("the address is well formed")
}

async fn adder(system: &System) -> ActorRef<Adder> {
    let adder = system.spawn(Adder::default);
    let module = Manifest::new("adder", "1.0.0").operation::<Add>("add");
    module.register(&adder).await.expect("the name is free");
    adder
}

/// Adds.
#[derive(Debug, Default)]
struct Adder {
    sum: u64,
}

/// Adds to the sum and answers with it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Add {
    amount: u64,
}

impl Actor for Adder {}

impl Message for Add {
    type Reply = u64;
}

impl Handler<Add> for Adder {
    async fn handle(&mut self, Add { amount }: Add, _: &mut Context<Self>) -> Result<u64, Fault> {
        self.sum += amount;
        Ok(self.sum)
    }
}
