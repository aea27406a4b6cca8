//! What one declaration of a business table becomes.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use mzi_domain::{RecordChange, StoredRecord, Value, Values};

use crate::{error::Failure, moment, text::storable};

/// A record as its table holds it.
pub(crate) struct Held {
    pub record: StoredRecord,
    /// Our opaque id of it.
    pub public_ref: String,
    pub updated_at: DateTime<Utc>,
}

/// A change on its way into a row.
pub(crate) struct Writing<'a> {
    pub change: &'a RecordChange,
    /// The row's opaque id, if the row is new.
    pub public_ref: &'a str,
    pub deleted_at: Option<NaiveDateTime>,
    pub now: NaiveDateTime,
}

macro_rules! column_readers {
    ($($name:ident: $pattern:pat => $value:expr, $target:ty;)*) => {
        $(pub(super) fn $name(
            values: &Values,
            column: &'static str,
        ) -> Result<Option<$target>, Failure> {
            match values.find(column) {
                None => Ok(None),
                Some($pattern) => Ok(Some($value)),
                Some(_) => Err(misfit(column)),
            }
        })*
    };
}

/// The text of a column, as it can be stored.
pub(super) fn text<'a>(
    values: &'a Values,
    column: &'static str,
) -> Result<Option<Cow<'a, str>>, Failure> {
    match values.find(column) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(storable(text))),
        Some(_) => Err(misfit(column)),
    }
}

fn misfit(column: &str) -> Failure {
    Failure::internal(format!("{column} got a value of another kind"))
}

column_readers! {
    integer: Value::Integer(number) => *number, i64;
    date: Value::Date(date) => *date, NaiveDate;
    instant: Value::Instant(at) => moment::stored(*at), NaiveDateTime;
    money: Value::Money(minor) => *minor, i64;
}

/// A table, its row, and the queries every business table has.
macro_rules! business_table {
    ($table:ident {
        text: $($text:ident)*;
        lookup: $($lookup:ident)*;
        integer: $($integer:ident)*;
        date: $($date:ident)*;
        instant: $($instant:ident)*;
        money: $($money:ident)*;
    }) => {
        pub(crate) mod $table {
            use chrono::NaiveDateTime;
            use diesel::{prelude::*, upsert::excluded};
            use mzi_domain::{StoredRecord, Value, Values, ZohoId};

            use super::{Held, table, table::Writing};
            use crate::{
                connection::AnyConnection,
                error::Failure,
                moment,
                schema::{TableShape, system::CONNECTION},
            };

            described_table!(
                $table (connection_id, zoho_id) {
                    connection_id -> Text,
                    zoho_id -> Text,
                    public_ref -> Text,
                    $($text -> Nullable<Text>,)*
                    $($lookup -> Nullable<Text>,)*
                    $($integer -> Nullable<BigInt>,)*
                    $($date -> Nullable<Date>,)*
                    $($instant -> Nullable<Timestamp>,)*
                    $($money -> Nullable<BigInt>,)*
                    zoho_modified_at -> Nullable<Timestamp>,
                    content_hash -> Text,
                    mapping_version -> Integer,
                    deleted_at -> Nullable<Timestamp>,
                    created_at -> Timestamp,
                    updated_at -> Timestamp,
                }
            );

            #[derive(Queryable)]
            struct Row {
                _connection_id: String,
                zoho_id: String,
                public_ref: String,
                $($text: Option<String>,)*
                $($lookup: Option<String>,)*
                $($integer: Option<i64>,)*
                $($date: Option<chrono::NaiveDate>,)*
                $($instant: Option<NaiveDateTime>,)*
                $($money: Option<i64>,)*
                zoho_modified_at: Option<NaiveDateTime>,
                content_hash: String,
                _mapping_version: i32,
                deleted_at: Option<NaiveDateTime>,
                _created_at: NaiveDateTime,
                updated_at: NaiveDateTime,
            }

            impl Row {
                fn into_held(self) -> Result<Held, Failure> {
                    let id = ZohoId::parse(&self.zoho_id).map_err(|invalid| {
                        Failure::corrupt(stringify!($table), invalid.to_string())
                    })?;
                    let mut values = Values::new();
                    $(values.set(stringify!($text), self.$text.map(Value::Text));)*
                    $(values.set(stringify!($lookup), self.$lookup.map(Value::Text));)*
                    $(values.set(stringify!($integer), self.$integer.map(Value::Integer));)*
                    $(values.set(stringify!($date), self.$date.map(Value::Date));)*
                    $(values.set(
                        stringify!($instant),
                        self.$instant.map(|at| Value::Instant(at.and_utc())),
                    );)*
                    $(values.set(stringify!($money), self.$money.map(Value::Money));)*
                    Ok(Held {
                        record: StoredRecord {
                            id,
                            modified_at: moment::read_opt(self.zoho_modified_at),
                            content_hash: self.content_hash,
                            deleted_at: moment::read_opt(self.deleted_at),
                            values,
                        },
                        public_ref: self.public_ref,
                        updated_at: self.updated_at.and_utc(),
                    })
                }
            }

            pub(crate) fn shape() -> TableShape {
                $table::table::shape()
            }

            /// Writes every column; the opaque id and the time of creation stay.
            pub(crate) fn write(
                conn: &mut AnyConnection,
                writing: &Writing<'_>,
            ) -> Result<(), Failure> {
                let change = writing.change;
                let values = &change.values;
                let modified_at = moment::stored_opt(change.modified_at);
                let row = (
                    $table::connection_id.eq(CONNECTION),
                    $table::zoho_id.eq(change.id.as_str()),
                    $table::public_ref.eq(writing.public_ref),
                    $($table::$text.eq(table::text(values, stringify!($text))?),)*
                    $($table::$lookup.eq(table::text(values, stringify!($lookup))?),)*
                    $($table::$integer.eq(table::integer(values, stringify!($integer))?),)*
                    $($table::$date.eq(table::date(values, stringify!($date))?),)*
                    $($table::$instant.eq(table::instant(values, stringify!($instant))?),)*
                    $($table::$money.eq(table::money(values, stringify!($money))?),)*
                    $table::zoho_modified_at.eq(modified_at),
                    $table::content_hash.eq(&change.content_hash),
                    $table::mapping_version.eq(change.mapping_version),
                    $table::deleted_at.eq(writing.deleted_at),
                    $table::created_at.eq(writing.now),
                    $table::updated_at.eq(writing.now),
                );
                let changed = (
                    $($table::$text.eq(excluded($table::$text)),)*
                    $($table::$lookup.eq(excluded($table::$lookup)),)*
                    $($table::$integer.eq(excluded($table::$integer)),)*
                    $($table::$date.eq(excluded($table::$date)),)*
                    $($table::$instant.eq(excluded($table::$instant)),)*
                    $($table::$money.eq(excluded($table::$money)),)*
                    $table::zoho_modified_at.eq(excluded($table::zoho_modified_at)),
                    $table::content_hash.eq(excluded($table::content_hash)),
                    $table::mapping_version.eq(excluded($table::mapping_version)),
                    $table::deleted_at.eq(excluded($table::deleted_at)),
                    $table::updated_at.eq(excluded($table::updated_at)),
                );
                let query = upsert!($table, row, on (connection_id, zoho_id) set changed);
                on_backend!(conn, c => query.execute(c))?;
                Ok(())
            }

            pub(crate) fn find(
                conn: &mut AnyConnection,
                id: &str,
            ) -> Result<Option<Held>, Failure> {
                let query = $table::table
                    .filter($table::connection_id.eq(CONNECTION))
                    .filter($table::zoho_id.eq(id));
                let row: Option<Row> = on_backend!(conn, c => query.get_result(c).optional())?;
                row.map(Row::into_held).transpose()
            }

            pub(crate) fn find_many(
                conn: &mut AnyConnection,
                ids: &[&str],
            ) -> Result<Vec<Held>, Failure> {
                let query = $table::table
                    .filter($table::connection_id.eq(CONNECTION))
                    .filter($table::zoho_id.eq_any(ids));
                let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
                rows.into_iter().map(Row::into_held).collect()
            }

            pub(crate) fn exists(conn: &mut AnyConnection, id: &str) -> Result<bool, Failure> {
                let query = diesel::dsl::exists(
                    $table::table
                        .filter($table::connection_id.eq(CONNECTION))
                        .filter($table::zoho_id.eq(id)),
                );
                Ok(on_backend!(conn, c => diesel::select(query).get_result(c))?)
            }

            /// Ids of live records whose lookup `column` holds `parent`.
            pub(crate) fn children(
                conn: &mut AnyConnection,
                column: &str,
                parent: &str,
            ) -> Result<Vec<String>, Failure> {
                let live = $table::table
                    .filter($table::connection_id.eq(CONNECTION))
                    .filter($table::deleted_at.is_null())
                    .select($table::zoho_id);
                match column {
                    $(stringify!($lookup) => {
                        let query = live.filter($table::$lookup.eq(parent));
                        Ok(on_backend!(conn, c => query.load(c))?)
                    })*
                    _ => {
                        let _ = (conn, live, parent);
                        let table = stringify!($table);
                        Err(Failure::internal(format!("{table}.{column} is no lookup")))
                    }
                }
            }
        }
    };
}
