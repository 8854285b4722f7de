//! F-TST-06: many at once, bounded memory, and a throughput in which nothing gets lost.

use callboard::bus::self_test::Load;
use callboard::bus::{EventsExt, MonitoringExt, PublishError, SelfTestExt, Value};
use callboard::prelude::*;
use callboard::testing::TestSystem;
use callboard::{ErrorCode, block_on};
use serde_json::json;

use crate::shop::{SECOND, open};

/// Concurrency: a thousand calls at once, each answered once.
#[test]
fn many_calls_at_once_are_all_answered() {
    TestSystem::run(async |t| {
        open(t).await;
        let jobs = callboard::bus::JobsExt::jobs(t.system());
        let calls: Vec<_> =
            (0..1_000).map(|_| jobs.start(t.system().call("till.order", json!({ "pieces": 1 }))).unwrap()).collect();
        for call in &calls {
            assert!(call.ended().await.output().is_some());
        }
        let left = t.system().call("stock.take", json!({ "pieces": 0 })).await.unwrap();
        assert_eq!(left, 999_000.into());
        assert_eq!(t.system().monitoring().metrics().success_rate(), Some(1.0));
        t.shutdown().await;
    });
}

/// Memory bounds: what comes too fast is refused, and what is remembered has an end.
#[test]
fn an_overload_is_refused_and_not_kept() {
    TestSystem::run(async |t| {
        let (system, probe) = (t.system(), t.probe::<Event>());
        system.channel("c").bound(100).create().await.unwrap();
        let _slow = system.subscribe_fn("*", async |_| std::future::pending().await).on_channel("c").await.unwrap();
        let _plain = system.subscribe("nothing", probe.recipient()).await.unwrap();
        let mut refused = 0;
        for _ in 0..5_000 {
            match system.publish("a", Value::Null).channel("c").await {
                Ok(_) => {}
                Err(error @ PublishError::ChannelFull { .. }) => {
                    assert_eq!(error.code(), ErrorCode::Busy);
                    refused += 1;
                }
                Err(error) => panic!("{error}"),
            }
            system.publish("plain", Value::Null).await.unwrap();
        }
        assert_eq!((refused, system.channels().queued()), (4_900, 100));
        assert_eq!(system.events().history().list().len(), 1_000);
        t.shutdown().await;
    });
}

/// Throughput, on real threads and as fast as it goes: how fast that is depends on the machine, that nothing gets lost does not.
#[test]
fn at_full_speed_nothing_is_lost_and_nothing_comes_twice() {
    block_on(async {
        let system = System::builder().workers(2).start().await.unwrap();
        let report = system.self_test().stress(Load::new(SECOND / 5, 20)).await.unwrap();
        let figures = report.stress.unwrap();
        assert_eq!((figures.lost, figures.duplicated), (0, 0));
        assert!(figures.messages >= 20 && figures.throughput > 0.0 && figures.p50 <= figures.p99, "{figures}");
        system.shutdown(Drain::default()).await;
    });
}
