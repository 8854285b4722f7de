//! The ground floor through its public face: a file per story, named by the property it shows.
#![allow(clippy::unwrap_used, clippy::type_complexity)]

mod a_breaker_equals_its_model;
mod a_stuck_turn_is_fenced;
mod actors_end_as_told;
mod an_open_breaker_protects_and_recovers;
mod ask_cycles_never_hang;
mod asks_end_in_time;
mod bounds_hold_and_say_so;
mod common;
mod dead_letters_name_their_reason;
mod effects_leave_with_their_turn;
mod ends_are_noticed;
mod every_fault_takes_the_one_path;
mod kept_messages_are_tried_again;
mod lanes_keep_their_order;
mod nothing_is_lost_or_doubled;
mod puppet;
mod restarts_wait_longer_each_time;
mod shutdown_runs_its_phases;
mod siblings_restart_in_order;
mod smoke;
mod the_state_table_holds;
mod the_test_kit;
mod too_many_restarts_are_too_many;
mod turns_hand_on_what_they_carry;
mod turns_in_place;
