//! The workflow actor: walks a petgraph DAG of steps, each a call to a module.

pub mod definition;
pub mod fault;
mod file;
pub mod graph;
mod near;
pub mod progress;
pub mod run;
pub mod slots;

pub use self::file::SCHEMA;
