//! Writes whose prepared statement is kept.
//!
//! Diesel prepares each of its `UPDATE`s and `DO UPDATE`s anew, because a changeset may leave
//! columns out and so make another statement; when measured, four fifths of a commit went into
//! parsing. Ours never leave a column out: they set `None` as null. So [`update!`] and
//! [`upsert!`] build the same statements from the same typed parts, and keep them, one for each
//! place in the code. Their SQL must not depend on values: no `eq_any`, no derived changeset.

use std::marker::PhantomData;

use diesel::{
    AppearsOnTable, QueryResult, QuerySource, RunQueryDsl,
    backend::Backend,
    query_builder::{AsChangeset, AstPass, QueryFragment, QueryId},
};

/// `UPDATE … SET … WHERE …`.
pub(crate) struct Update<From, Changes, Filter, Place> {
    table: From,
    changes: Changes,
    filter: Filter,
    place: PhantomData<Place>,
}

impl<From, Changes, Filter, Place> Update<From, Changes, Filter, Place> {
    pub fn new<Table, Set>(table: &Table, changes: Set, filter: Filter) -> Self
    where
        Table: QuerySource<FromClause = From>,
        Set: AsChangeset<Target = Table, Changeset = Changes>,
        Filter: AppearsOnTable<Table>,
    {
        Self {
            table: table.from_clause(),
            changes: changes.as_changeset(),
            filter,
            place: PhantomData,
        }
    }
}

impl<From, Changes, Filter, Place, DB> QueryFragment<DB> for Update<From, Changes, Filter, Place>
where
    DB: Backend,
    From: QueryFragment<DB>,
    Changes: QueryFragment<DB>,
    Filter: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" SET ");
        self.changes.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.filter.walk_ast(out)
    }
}

impl<From, Changes, Filter, Place: 'static> QueryId for Update<From, Changes, Filter, Place> {
    type QueryId = Place;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<From, Changes, Filter, Place, Conn> RunQueryDsl<Conn>
    for Update<From, Changes, Filter, Place>
{
}

/// `INSERT … ON CONFLICT … DO UPDATE SET …`, or `DO NOTHING` without changes.
pub(crate) struct Upsert<Insert, Changes, Place> {
    insert: Insert,
    key: &'static [&'static str],
    changes: Option<Changes>,
    place: PhantomData<Place>,
}

impl<Insert, Changes, Place> Upsert<Insert, Changes, Place> {
    pub fn updating<Table, Set>(insert: Insert, key: &'static [&'static str], changes: Set) -> Self
    where
        Set: AsChangeset<Target = Table, Changeset = Changes>,
    {
        Self {
            insert,
            key,
            changes: Some(changes.as_changeset()),
            place: PhantomData,
        }
    }
}

impl<Insert, Place> Upsert<Insert, (), Place> {
    pub fn doing_nothing(insert: Insert, key: &'static [&'static str]) -> Self {
        Self {
            insert,
            key,
            changes: None,
            place: PhantomData,
        }
    }
}

impl<Insert, Changes, Place, DB> QueryFragment<DB> for Upsert<Insert, Changes, Place>
where
    DB: Backend,
    Insert: QueryFragment<DB>,
    Changes: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.insert.walk_ast(out.reborrow())?;
        out.push_sql(" ON CONFLICT");
        let mut separator = " (";
        for column in self.key {
            out.push_sql(separator);
            out.push_identifier(column)?;
            separator = ", ";
        }
        if !self.key.is_empty() {
            out.push_sql(")");
        }
        match &self.changes {
            Some(changes) => {
                out.push_sql(" DO UPDATE SET ");
                changes.walk_ast(out)
            }
            None => {
                out.push_sql(" DO NOTHING");
                Ok(())
            }
        }
    }
}

impl<Insert, Changes, Place: 'static> QueryId for Upsert<Insert, Changes, Place> {
    type QueryId = Place;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Insert, Changes, Place, Conn> RunQueryDsl<Conn> for Upsert<Insert, Changes, Place> {}

/// `update!(table, changes, where filter)`.
macro_rules! update {
    ($table:ident, $changes:expr, where $filter:expr) => {{
        struct Place;
        $crate::statements::Update::<_, _, _, Place>::new(&$table::table, $changes, $filter)
    }};
}

/// `upsert!(table, row, on (key, …) set changes)`, or `… nothing)`; `on ()` is any conflict.
macro_rules! upsert {
    ($table:ident, $row:expr, on ($($key:ident),*) set $changes:expr) => {{
        struct Place;
        $crate::statements::Upsert::<_, _, Place>::updating::<$table::table, _>(
            diesel::insert_into($table::table).values($row),
            &[$(stringify!($key)),*],
            $changes,
        )
    }};
    ($table:ident, $row:expr, on ($($key:ident),*) nothing) => {{
        struct Place;
        $crate::statements::Upsert::<_, _, Place>::doing_nothing(
            diesel::insert_into($table::table).values($row),
            &[$(stringify!($key)),*],
        )
    }};
}
