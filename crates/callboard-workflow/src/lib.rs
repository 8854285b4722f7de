//! The workflow actor: walks a petgraph DAG of steps, each a call to a module.

pub mod definition;
pub mod fault;
mod file;
pub mod graph;
mod near;
pub mod run;

pub use self::file::SCHEMA;
