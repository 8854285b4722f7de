//! Callboard's speed, measured against its engine and its peers.
//!
//! Three programs stand on this library: `cargo run --release -p benches --bin
//! versus` runs everything interleaved and writes a table, JSON, Markdown or a
//! picture, `cargo bench --bench messaging` is the criterion bench for work on
//! the message path, and `--bin tuning` writes the tables of [`tuning`].
//!
//! Reading order: [`workload`] says what is measured and which goals it has,
//! [`peer`] what a framework must be able to do to take part, [`traffic`] holds
//! the timed loops, written once for all. `actix_peer`, `tokio_peer` and the
//! rest hold one framework each, in the form its own users would write;
//! [`callboard_alone`], [`by_name`], [`publishing`] and [`workflows`] hold what only callboard
//! has, or hardly anybody else. A [`report`] is shown by [`table`],
//! [`markdown`] and [`picture`], and kept by [`saved`].
//!
//! This crate holds no tests of speed: figures are read by people, not
//! asserted.

pub mod workload;

pub mod messages;
pub mod peer;
pub mod publishing;
pub mod traffic;

pub mod actix_peer;
pub mod by_name;
pub mod callboard_alone;
pub mod callboard_peer;
mod event_loop;
#[cfg(feature = "peers")]
pub mod kameo_peer;
#[cfg(feature = "peers")]
pub mod ractor_peer;
pub mod tokio_peer;
pub mod tuning;
pub mod workflows;

pub mod arguments;
pub mod entrant;
pub mod memory;
pub mod report;
pub mod rounds;
pub mod size;
pub mod spread;

pub mod chart;
pub mod markdown;
pub mod picture;
pub mod saved;
pub mod table;
mod words;
