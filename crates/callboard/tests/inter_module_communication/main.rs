//! F-TST-06, F-TST-07: communication between modules as a whole, in five groups. One command runs it:
//!
//! ```text
//! cargo test -p callboard --test inter_module_communication
//! ```
#![allow(clippy::unwrap_used)]

mod communication_patterns;
mod fault_tolerance;
mod integration;
mod performance;
mod security;
mod shop;
