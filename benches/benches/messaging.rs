//! The message path under criterion, for work on it: the loops of `versus`,
//! callboard beside actix.
//!
//! `cargo bench --bench messaging`, or `cargo bench --bench messaging -- tell`.

use std::time::Duration;

use benches::{actix_peer::Actix, callboard_peer::Callboard, traffic};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// A timed loop of [`traffic`]: how long so many operations take.
type Loop = fn(u64) -> Duration;

fn messaging(criterion: &mut Criterion) {
    compare(criterion, "tell", traffic::tell::<Callboard>, traffic::tell::<Actix>);
    compare(criterion, "ask", traffic::ask::<Callboard>, traffic::ask::<Actix>);
    compare(criterion, "ping_pong", traffic::ping_pong::<Callboard>, traffic::ping_pong::<Actix>);
    compare(criterion, "broadcast", traffic::broadcast::<Callboard>, traffic::broadcast::<Actix>);
}

fn compare(criterion: &mut Criterion, name: &str, callboard: Loop, actix: Loop) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    group.bench_function("callboard", |bencher| bencher.iter_custom(callboard));
    group.bench_function("actix", |bencher| bencher.iter_custom(actix));
    group.finish();
}

criterion_group!(benches, messaging);
criterion_main!(benches);
