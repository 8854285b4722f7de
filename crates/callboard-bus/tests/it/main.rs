//! Events, and the parts that modules and workflows share, through their public face: a file per story, named by the
//! property it shows.
#![allow(clippy::unwrap_used)]

mod a_module_is_sugar;
mod a_call_ends_by_its_deadline;
mod a_configuration_says_all_that_is_wrong;
mod a_panicking_type_costs_one_call;
mod a_payload_is_the_same_by_every_road;
mod a_broadcast_reaches_everybody_once;
mod an_overload_is_bounded;
mod any_input_is_read_or_refused;
mod batches_fail_by_the_message;
mod calls_go_as_asks_do;
mod channels_hold_what_they_say;
mod conditions_see_what_steps_answered;
mod every_delivery_is_in_one_count;
mod filters_let_in_what_they_say;
mod functions_run_side_by_side;
mod hostile_payloads_are_refused;
mod instances_take_turns;
mod module_graphs_stay_the_same;
mod module_kit;
mod modules_are_probed;
mod names_lead_to_modules;
mod events_of_a_turn_leave_with_it;
mod events_reach_who_subscribed;
mod listener;
mod no_subscriber_harms_another;
mod pictures_fit_any_graph;
mod pictures_stay_the_same;
mod subscribers_equal_their_model;
mod subscriptions_end_when_told;
mod references_fit_their_messages;
mod registered_modules_are_compared;
mod registrations_end_when_told;
mod registry_races;
mod settings_change_while_running;
mod the_settings_are_as_documented;
mod versions_are_chosen_rightly;
mod watchers_see_every_change;
mod what_was_published_is_remembered;
mod written_names_are_names;
