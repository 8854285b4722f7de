//! Events, and the parts that modules and workflows share, through their public face: a file per story, named by the
//! property it shows.
#![allow(clippy::unwrap_used)]

mod a_module_is_sugar;
mod a_call_ends_by_its_deadline;
mod a_configuration_says_all_that_is_wrong;
mod a_panicking_type_costs_one_call;
mod a_payload_is_the_same_by_every_road;
mod any_input_is_read_or_refused;
mod calls_are_tried_again;
mod calls_go_as_asks_do;
mod calls_go_through_middleware;
mod conditions_see_what_steps_answered;
mod failing_operations_are_left_alone;
mod contracts_are_kept;
mod discovery_equals_its_model;
mod hostile_payloads_are_refused;
mod instances_share_as_told;
mod instances_take_turns;
mod messages_are_sent_by_name;
mod module_graphs_stay_the_same;
mod module_kit;
mod modules_are_discovered;
mod modules_are_probed;
mod modules_fit_together;
mod names_lead_to_modules;
mod events_of_a_turn_leave_with_it;
mod events_reach_who_subscribed;
mod listener;
mod no_subscriber_harms_another;
mod operations_are_listed;
mod payloads_go_where_rules_say;
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
mod trouble;
mod versions_are_chosen_rightly;
mod watchers_see_every_change;
mod what_is_found_is_of_one_moment;
mod written_names_are_names;
