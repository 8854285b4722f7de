//! The bus through its public face: a file per story, named by the property it shows.
#![allow(clippy::unwrap_used)]

mod pictures_fit_any_graph;
mod pictures_stay_the_same;
