//! The workflow actor: walks a petgraph DAG of steps, each a call to a module.
