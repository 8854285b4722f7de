//! The crate through its public API.

mod a_file_and_a_builder_make_the_same;
mod every_fault_has_a_place_and_a_help;
mod handlers_fit_the_operations;
