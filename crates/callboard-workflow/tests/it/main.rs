//! The crate through its public API.

#![allow(clippy::unwrap_used)]

mod a_change_of_mind_is_in_time;
mod a_file_and_a_builder_make_the_same;
mod a_run_is_held_to_its_times;
mod a_stuck_run_is_noticed;
mod any_events_do_no_harm;
mod any_text_is_read_or_refused;
mod driver;
mod every_wait_has_a_name;
mod every_fault_has_a_place_and_a_help;
mod a_run_goes_through_its_actor;
mod a_run_ends_whatever_happens;
mod events_start_runs_once;
mod handlers_fit_the_operations;
mod limits_are_fair_and_kept;
mod mapped_steps_keep_order_and_bounds;
mod pictures_show_what_happened;
mod random_graphs_are_walked_rightly;
mod random_runs_reconcile;
mod real_graphs_are_imported;
mod runs_cross_threads;
mod runs_heed_the_configuration;
mod steps_start_by_the_table;
mod the_diagrams_are_true;
mod workshop;
mod values_travel_by_reference;
mod what_was_done_is_undone;
