//! `table!` with a description of itself, for comparison with what the databases say.

/// A table as the code knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableShape {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in the order of the definition.
    pub columns: Vec<ColumnShape>,
}

/// A column as the code knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnShape {
    /// Its name.
    pub name: &'static str,
    /// Diesel's SQL type without `Nullable`: `Text`, `BigInt`, `Timestamp`, …
    pub sql_type: String,
    /// Whether it may be null.
    pub nullable: bool,
}

impl ColumnShape {
    pub(crate) fn new(name: &'static str, sql_type: &str) -> Self {
        let compact: String = sql_type.split_whitespace().collect();
        let inner = compact
            .strip_prefix("Nullable<")
            .and_then(|rest| rest.strip_suffix('>'));
        Self {
            name,
            nullable: inner.is_some(),
            sql_type: inner.unwrap_or(&compact).to_owned(),
        }
    }
}

/// Diesel's `table!`, and a function `shape()` beside the table.
macro_rules! described_table {
    ($name:ident ($($key:ident),+) { $($column:ident -> $sql_type:ty,)* }) => {
        diesel::table! {
            $name ($($key),+) { $($column -> $sql_type,)* }
        }

        impl $name::table {
            pub(crate) fn shape() -> $crate::schema::TableShape {
                use $crate::schema::{ColumnShape, TableShape};

                TableShape {
                    name: stringify!($name),
                    columns: vec![$(
                        ColumnShape::new(stringify!($column), stringify!($sql_type)),
                    )*],
                }
            }
        }
    };
}
