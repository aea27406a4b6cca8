//! The tables that are not business records.

use super::TableShape;

/// The one connection there is today; in every key, so that there can be more.
pub(crate) const CONNECTION: &str = "default";

described_table!(
    integration_events_log (event_id) {
        event_id -> Text,
        connection_id -> Text,
        source -> Text,
        entity -> Nullable<Text>,
        module -> Nullable<Text>,
        operation -> Nullable<Text>,
        record_id -> Nullable<Text>,
        record_ids -> Nullable<Text>,
        identity -> Nullable<Text>,
        status -> Text,
        code -> Nullable<Text>,
        tail -> Nullable<Text>,
        payload -> Text,
        received_at -> Timestamp,
    }
);

described_table!(
    work_items (connection_id, lane, zoho_id) {
        connection_id -> Text,
        lane -> Text,
        zoho_id -> Text,
        state -> Text,
        due_at -> Nullable<Timestamp>,
        wanted -> BigInt,
        done -> BigInt,
        fence -> BigInt,
        owner -> Nullable<Text>,
        attempts -> Integer,
        failing_since -> Nullable<Timestamp>,
        waiting_since -> Nullable<Timestamp>,
        waiting_on -> Nullable<Text>,
        waited_wakes -> BigInt,
        wakes -> BigInt,
        deletion_wanted -> BigInt,
        recheck_wanted -> BigInt,
        recheck_at -> Nullable<Timestamp>,
        reason -> Nullable<Text>,
        done_at -> Nullable<Timestamp>,
    }
);

described_table!(
    outbox (connection_id, lane, zoho_id) {
        connection_id -> Text,
        lane -> Text,
        zoho_id -> Text,
        desired -> Text,
        confirmed -> Nullable<Text>,
        outcome -> Nullable<Text>,
        desired_at -> Nullable<Timestamp>,
        confirmed_at -> Nullable<Timestamp>,
    }
);

described_table!(
    links (connection_id, kind, zoho_id) {
        connection_id -> Text,
        kind -> Text,
        zoho_id -> Text,
        moodle_id -> BigInt,
        linked_at -> Timestamp,
    }
);

described_table!(
    issues (id) {
        id -> Text,
        connection_id -> Text,
        open_key -> Nullable<Text>,
        fingerprint -> Text,
        entity -> Nullable<Text>,
        zoho_id -> Nullable<Text>,
        operation -> Nullable<Text>,
        subject -> Nullable<Text>,
        code -> Text,
        message -> Text,
        hint -> Text,
        count -> Integer,
        first_seen -> Timestamp,
        last_seen -> Timestamp,
        resolved_at -> Nullable<Timestamp>,
    }
);

described_table!(
    record_history (id) {
        id -> BigInt,
        connection_id -> Text,
        entity -> Text,
        zoho_id -> Text,
        kind -> Text,
        zoho_modified_at -> Nullable<Timestamp>,
        mapping_version -> Integer,
        changes -> Text,
        written_at -> Timestamp,
    }
);

described_table!(
    sync_runs (id) {
        id -> Text,
        connection_id -> Text,
        entity -> Nullable<Text>,
        mode -> Text,
        status -> Text,
        dry_run -> Bool,
        records_read -> BigInt,
        records_changed -> BigInt,
        records_failed -> BigInt,
        watermark -> Nullable<Timestamp>,
        error -> Nullable<Text>,
        queued_at -> Timestamp,
        started_at -> Nullable<Timestamp>,
        finished_at -> Nullable<Timestamp>,
    }
);

described_table!(
    field_mappings (connection_id, entity, version) {
        connection_id -> Text,
        entity -> Text,
        version -> Integer,
        module -> Text,
        rules -> Text,
        saved_by -> Nullable<Text>,
        saved_at -> Timestamp,
    }
);

described_table!(
    settings (connection_id, name) {
        connection_id -> Text,
        name -> Text,
        value -> Nullable<Text>,
        sealed -> Nullable<Text>,
        updated_at -> Timestamp,
    }
);

described_table!(
    api_keys (id) {
        id -> Text,
        name -> Text,
        secret_hash -> Text,
        role -> Text,
        created_at -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
    }
);

described_table!(
    zoho_channels (connection_id, channel_id) {
        connection_id -> Text,
        channel_id -> Text,
        entity -> Text,
        module -> Text,
        notify_url -> Text,
        expires_at -> Timestamp,
        last_seen_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
);

pub(super) fn tables() -> Vec<TableShape> {
    vec![
        integration_events_log::table::shape(),
        work_items::table::shape(),
        outbox::table::shape(),
        links::table::shape(),
        issues::table::shape(),
        record_history::table::shape(),
        sync_runs::table::shape(),
        field_mappings::table::shape(),
        settings::table::shape(),
        api_keys::table::shape(),
        zoho_channels::table::shape(),
    ]
}
