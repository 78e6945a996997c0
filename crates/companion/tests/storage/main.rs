//! The rules of storage as tests. `suite` is generic over the engine: a second engine runs the same
//! functions. What only a file can show is in `file`, `replaced_files`, `contents`, `pressure` and
//! `crash`.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod audit;
mod clock;
mod contents;
mod crash;
mod file;
mod instances;
mod model;
mod pressure;
mod replaced_files;
mod requests;
mod server;
mod suite;
mod version_1;
mod world;

use world::{Postgres, Sqlite};

macro_rules! every_engine_passes {
    ($($module:ident { $($name:ident)* })*) => {
        mod sqlite {
            $(mod $module {
                use super::super::*;
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    suite::$module::$name(Sqlite::fresh()).await;
                })*
            })*
        }

        mod postgresql {
            $(mod $module {
                use super::super::*;
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    suite::$module::$name(Postgres::fresh().await).await;
                })*
            })*
        }
    };
}

every_engine_passes! {
    grants {
        of_64_parallel_callbacks_one_may_send_the_exchange
        the_first_fulfilled_authorization_of_a_request_wins
        two_authorizations_fulfilled_at_once_leave_one_winner
        a_person_who_changes_email_stays_the_same_user
        the_same_email_on_another_connection_is_another_user
        a_known_organization_name_stays_until_another_one_comes
        an_unknown_device_is_confirmed_before_a_code_is_minted
        a_known_device_goes_straight_on
        the_key_of_another_person_is_not_a_known_device
        a_code_is_minted_once_by_64_parallel_presses
        a_hand_off_that_took_too_long_mints_nothing
        not_me_ends_the_grant_and_its_code
        a_failed_exchange_says_why_and_cannot_be_fulfilled
        an_exchange_without_result_reads_as_interrupted
    }
    codes {
        a_wrong_device_key_changes_nothing
        another_client_changes_nothing
        a_wrong_verifier_burns_the_code
        a_wrong_redirect_uri_burns_the_code
        a_replay_revokes_what_the_code_gave
        a_replay_with_a_wrong_verifier_revokes_nothing
        of_64_parallel_redemptions_one_succeeds
        a_code_is_refused_from_its_sixtieth_second_on
        an_unknown_code_is_refused
        without_offline_access_there_is_no_refresh_token
        a_new_sign_in_with_the_same_key_ends_the_old_session
        a_new_sign_in_with_another_key_leaves_the_old_session
    }
    rotation {
        sixty_four_parallel_refreshes_get_the_same_child
        a_lost_answer_is_repeated_until_the_child_is_presented
        a_parent_whose_child_was_presented_ends_the_family
        a_grand_parent_ends_the_family
        a_foreign_key_is_refused_and_the_family_lives
        a_foreign_key_with_an_old_token_cannot_end_the_family
        a_forged_token_is_refused_and_the_family_lives
        another_client_is_refused_and_the_family_lives
        only_this_family_dies_of_a_replay
        an_idle_family_is_over_and_use_keeps_it_alive
        the_absolute_lifetime_cannot_be_stretched
        any_generation_revokes
        a_revoked_session_neither_refreshes_nor_reads
        another_client_cannot_revoke
        refreshes_racing_a_revocation_leave_nothing_alive
        the_session_of_an_access_token_can_be_revoked
    }
    limits {
        a_request_gives_no_more_grants_than_its_limit
        an_attempt_gives_no_more_grants_than_its_limit
        a_limit_that_was_reached_does_not_stop_what_is_under_way
        dropped_requests_after_a_flood_hold_no_other_up
    }
    device_keys {
        a_replayed_refresh_token_makes_the_device_unknown
        a_replayed_code_makes_the_device_unknown
        a_theft_concerns_this_user_and_this_key_only
        a_theft_stops_a_hand_off_that_is_waiting
        a_sign_out_or_a_new_sign_in_leaves_the_device_known
        a_device_that_was_long_away_is_unknown
    }
    ended_access {
        a_selector_ends_its_sessions_and_no_others
        a_session_ends_with_the_upstreams_own
        users_with_upstream_sessions_are_named_one_after_another
        more_sessions_than_one_transaction_ends_are_all_ended
        the_reason_is_told_to_the_own_device_key_only
        a_sign_in_that_waits_for_its_person_ends_too
        one_session_ended_leaves_a_sign_in_that_waits
        a_person_whose_access_ended_can_sign_in_again
        no_token_is_issued_after_the_answer
        a_list_names_device_address_and_last_use
        a_list_in_pages_has_each_living_session_once
        everywhere_is_a_sign_out_where_it_is_asked_and_said_elsewhere
        a_session_named_by_its_id_ends_with_its_own_key_alone
    }
    listings {
        users_are_listed_in_pages_by_what_names_them
        the_audit_table_is_listed_in_pages_from_an_instant_on
    }
    events {
        a_person_deleted_in_the_directory_is_out_and_no_other_is
        each_kind_of_event_ends_what_depends_on_it
        an_event_that_comes_again_does_nothing
        a_suspension_that_comes_late_ends_what_is_older_than_it_only
        a_sign_in_that_comes_back_is_refused_until_access_is_given_again
        a_sign_in_that_waits_for_its_person_is_cancelled
        a_sign_in_at_the_moment_of_the_event_leaves_no_session
        a_directory_brings_name_and_email_up_to_date
        a_person_is_followed_through_a_new_email
        more_sessions_than_one_transaction_ends_are_all_ended_by_an_event
        one_companion_reads_the_list_at_a_time
    }
    event_histories {
        any_order_of_events_ends_in_the_same_state
    }
    attempts {
        an_attempt_is_followed_from_waiting_to_stored
        the_number_is_the_one_of_the_page
        to_another_key_an_attempt_reads_as_untouched
        another_key_cannot_cancel_or_finish
        a_cancelled_attempt_refuses_the_authorization_that_comes_back
        a_cancelled_attempt_refuses_the_code_that_is_out
        cancelling_after_redemption_ends_the_session
        cancelling_a_stored_session_changes_nothing
        nothing_is_stored_before_it_is_redeemed
        the_problem_of_the_app_is_kept
        a_failure_of_one_authorization_gives_way_to_the_next
        an_exchange_that_ended_without_a_word_is_no_endless_wait
    }
}
