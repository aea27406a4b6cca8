//! What every store must keep, one function a promise.
//!
//! An implementation runs all of it with one line: `mzi_ports::store_contract!(open)`, where
//! `open` is an `async fn() -> Option<impl Subject>` that makes an empty store, or answers nothing
//! where somebody has asked not to test it.

pub mod claims;
pub mod desired;
pub mod inbox;
pub mod issues;
pub mod records;
pub mod results;
pub mod samples;
pub mod values;
pub mod views;
pub mod waits;

use async_trait::async_trait;
use mzi_domain::{Entity, ZohoId};

use crate::{Inbox, KeyStore, Ledger, SettingsStore, TokenVault, Views};

/// A store under test.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The store.
    type Store: Inbox + Ledger + SettingsStore + TokenVault + KeyStore + Views + Clone + 'static;

    /// A handle to the store.
    fn store(&self) -> Self::Store;

    /// Ends the process that used the store so far, and starts another.
    async fn restart(&mut self);

    /// The kinds of change in a record's history, oldest first: no port reads them yet.
    async fn history(&self, entity: Entity, id: &ZohoId) -> Vec<String>;
}

/// Makes one test of each promise; `$open` is an `async fn() -> Option<impl Subject>`.
#[macro_export]
macro_rules! store_contract {
    ($open:path) => {
        $crate::store_contract! { @modules $open;
            inbox {
                what_was_accepted_survives_a_restart
                an_identity_is_fresh_exactly_once_under_concurrent_calls
                an_identity_holds_across_restarts
                a_duplicate_adds_no_work
                an_identity_is_forgotten_after_seven_days
                a_name_and_a_modified_time_of_the_same_text_are_different_identities
                a_very_long_identity_holds
                an_event_without_identity_is_coalesced_until_it_is_claimed
                concurrent_events_without_identity_are_coalesced_into_one
                only_the_same_entity_record_and_operation_are_coalesced
                several_records_without_identity_are_always_fresh
                every_record_of_an_event_becomes_due
                a_delete_notice_is_reported_until_the_work_is_done
                a_modified_time_asks_for_a_second_look_until_the_work_is_done
                a_delete_notice_during_a_claim_is_reported_by_the_next
                a_rejected_event_marks_nothing
                a_payload_of_odd_characters_is_accepted
            }
            claims {
                a_row_goes_to_one_claimer_at_a_time
                the_oldest_due_come_first_up_to_the_limit
                a_claim_takes_only_its_own_lane
                every_claim_raises_the_fence
                an_ended_lease_may_be_claimed_by_another
                a_heartbeat_prolongs_a_held_lease
                a_heartbeat_after_the_loss_of_the_lease_changes_nothing
                due_names_the_lanes_and_the_next_moment
                recovery_frees_what_a_dead_owner_held
                recovery_leaves_a_living_owner_alone
                recovery_frees_ended_leases
                a_mark_makes_a_backed_off_row_due
            }
            results {
                a_done_row_rests
                a_lease_that_somebody_else_has_claimed_since_is_fenced
                a_result_is_written_once
                one_fenced_result_does_not_hold_up_the_others
                what_was_marked_while_leased_is_due_again
                a_counted_failure_is_remembered_until_done
                an_outage_does_not_count_as_a_failure
                a_stopped_row_rests_until_marked_and_starts_afresh
                a_recheck_comes_back_once
                a_recheck_is_not_lost_when_the_row_is_dirty_meanwhile
                a_recheck_outlives_a_run_that_comes_before_it
                a_row_may_mark_itself
                marks_create_rows_and_make_them_due
                needs_mark_only_what_is_neither_held_nor_under_way
                a_tombstone_counts_as_held
            }
            waits {
                a_wake_makes_the_waiters_due
                a_wake_reaches_those_an_issue_has_stopped
                a_wait_ends_at_its_moment
                a_mark_ends_a_wait
                a_wake_between_claim_and_commit_is_not_lost
                a_wake_in_the_same_commit_is_not_lost
                a_wake_of_a_key_without_a_row_is_not_lost
                concurrent_wakes_and_waits_leave_nobody_asleep
                an_old_wake_costs_at_most_one_look
                the_first_wait_is_remembered_until_done
            }
            desired {
                a_new_desired_state_makes_its_work_due
                an_equal_desired_state_marks_nothing
                a_changed_desired_state_marks_again
                an_equal_desired_state_marks_a_stopped_row
                a_confirmed_state_stands_beside_the_desired_one
                a_confirmed_state_without_a_desired_one_is_kept
                a_link_is_found_and_may_change
                a_taken_link_writes_nothing_but_an_issue
                the_same_link_again_is_no_conflict
            }
            issues {
                a_stopped_row_opens_an_issue
                an_open_issue_is_counted_not_repeated
                done_resolves_the_issues_of_its_row_only
                done_keeps_the_issues_it_raises_itself
                a_resolved_issue_is_opened_anew
                issues_share_a_fingerprint_by_cause
                issues_are_listed_newest_first_in_pages
                a_connection_issue_is_opened_counted_and_closed
            }
            records {
                every_column_of_every_entity_comes_back
                a_change_replaces_the_row_and_adds_history
                a_tombstone_keeps_the_values_and_a_return_lifts_it
                a_fenced_record_changes_neither_row_nor_history
                a_tombstone_of_a_record_never_held_is_kept
                only_those_asked_for_are_read
                children_are_found_by_their_live_lookup
            }
            values {
                a_setting_is_put_replaced_and_forgotten
                the_first_value_holds_for_concurrent_callers
                a_secret_is_not_readable_as_a_setting
                the_token_comes_back_after_a_restart
                api_keys_are_listed_newest_first_and_revoked_once
                an_api_key_id_is_taken_once
            }
            views {
                a_user_without_a_student_is_nobody
                a_student_has_a_stable_opaque_reference
                as_of_moves_when_an_unchanged_record_is_read
                a_student_is_pending_while_anything_of_theirs_is_unsettled
                a_stopped_delivery_is_not_pending_but_a_stopped_refresh_is
                classes_come_with_unit_course_and_seat_newest_first
                the_queue_is_counted_by_what_rows_do
                a_probe_writes
            }
        }
    };
    (@modules $open:path; $($module:ident { $($promise:ident)* })*) => {
        $(mod $module {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let Some(mut subject) = $open().await else {
                    return;
                };
                $crate::testing::store_contract::$module::$promise(&mut subject).await;
            })*
        })*
    };
}
