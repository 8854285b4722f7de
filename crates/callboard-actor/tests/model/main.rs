//! Every hand-over between threads, under a scheduler that tries the orders in which their steps can fall.
//!
//! `RUSTFLAGS="--cfg callboard_model" cargo test -p callboard-actor --test model --release --target-dir target/model`
//!
//! What runs is the code that ships: `mailbox`, `gate`, `alarm`, `bound`, `share`, `count`, `run_queue` and `wait_for`, on the checker's lock and
//! atomics (`sync::model`). A model fails by an assertion, or because every thread waits: a lost wake-up is a deadlock.
//! Where a comment names the line that a model protects, the model was seen to fail without that line.
//!
//! # Weak memory
//!
//! shuttle steps through sequentially consistent executions only, and most of our loads are relaxed. So each model runs a
//! second time, and under the priority scheduler, with atomics that remember: a load that is not `SeqCst` sees any store
//! that is not older than one its thread knows of by a lock, by release and acquire, or by having seen it before. That
//! covers the three places where a relaxed load may be out of date:
//!
//! - the mailbox's bitmap, read by the home thread without the lock. Every store to it is made under the lock, so the
//!   stores are in one order. A push that is not seen yet wakes the driver *after* its store; that wake-up orders the
//!   store before the driver's next poll, which therefore sees it. Causal order (`a_later_local_message_..`) holds because
//!   whatever tells the home thread of the earlier message also orders its store before the look at the bitmap.
//! - the counts of a lane, which the driver and the home thread write without the lock. A sender that reads them too
//!   high waits, raises `WAITING` under the lock and wakes the driver, which then looks with its own counts; one that
//!   reads them too low exceeds the bound by what is pushed in that moment, as the documentation says. In an exact
//!   mailbox they are written and read under the lock alone.
//! - the keeper's earliest moment, which `Alarms::set` reads after it has held the shard's lock. The keeper resets it
//!   before it takes that lock, so whoever inserts after the keeper has been there cannot read what was there before.
//!
//! # What is not covered
//!
//! - The `SeqCst` fence between an asker that times out and a turn that begins (`Context::is_abandoned`) needs the reply
//!   channel, which is another crate's and uses its own atomics. The argument is the classic one of two flags and two
//!   fences, and stands where the fence is.
//! - `Gate::is_open` is relaxed and tells the sender of a state that may be over. Nothing depends on it: a message that
//!   slips in is queued, and is served or becomes a dead letter like those before it.
//! - A store is made at once and in program order. The hardware may delay it behind a later load of another atomic; here
//!   that shows as the other thread's load being stale, which is the same outcome for two threads, and the algorithms
//!   above never conclude anything from *not* having seen a store without the lock.
//! - Memory itself: sanitizers and valgrind watch that, on the tests of `it`.
#![cfg(callboard_model)]

mod alarm;
mod bound;
mod count;
mod desk;
mod gate;
mod mailbox;
mod run_queue;
mod share;
mod wait_for;

use callboard_actor::model::let_loads_be_stale;

/// Checks a model under random schedules with and without stale loads, and under few changes of priority.
fn check(iterations: usize, model: impl Fn() + Send + Sync + Clone + 'static) {
    let_loads_be_stale(false);
    shuttle::check_random(model.clone(), iterations);
    let_loads_be_stale(true);
    shuttle::check_random(model.clone(), iterations);
    shuttle::check_pct(model, iterations, 3);
}

/// Checks every schedule of a small model.
fn check_all(model: impl Fn() + Send + Sync + 'static) {
    let_loads_be_stale(false);
    shuttle::check_dfs(model, None);
}
