//! A sleep ends when its time is over by the clock of its system, whoever polls it, and with its system at the latest.

use std::pin::pin;
use std::time::{Duration, Instant};

use callboard_actor::testing::TestSystem;
use callboard_actor::{Drain, System, block_on};
use futures::{FutureExt, poll};

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn virtual_time_wakes_them_in_order() {
    TestSystem::run(async |t| {
        let (mut long, mut short) = (pin!(t.system().sleep(DAY)), pin!(t.system().sleep(DAY / 2)));
        assert!(poll!(&mut long).is_pending() && poll!(&mut short).is_pending());
        t.advance(DAY / 2).await;
        assert!(poll!(&mut long).is_pending() && poll!(&mut short).is_ready());
        t.advance(DAY / 2).await;
        assert!(poll!(&mut long).is_ready());
        assert!(t.system().sleep(Duration::ZERO).now_or_never().is_some());
    });
}

/// On a bare thread, where there is no runtime.
#[test]
fn a_bare_thread_sleeps_at_least_as_long_as_it_was_told() {
    let system = block_on(System::builder().workers(1).start()).unwrap();
    let began = Instant::now();
    block_on(system.sleep(Duration::from_millis(20)));
    assert!(began.elapsed() >= Duration::from_millis(20));
    block_on(system.shutdown(Drain::default()));
}

/// Nobody would ever wake them.
#[test]
fn the_end_of_the_system_ends_them() {
    let system = block_on(System::builder().workers(1).start()).unwrap();
    let mut before = pin!(system.sleep(DAY));
    assert!((&mut before).now_or_never().is_none());
    block_on(system.shutdown(Drain::default()));
    block_on(before);
    block_on(system.sleep(DAY));
}
