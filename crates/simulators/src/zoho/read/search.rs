//! `GET /{module}/search` (`zoho.md` §3.4).

use std::sync::Arc;

use super::{
    criteria::{self, Criteria},
    list,
    page::Paging,
    whole::collect_names,
};
use crate::{
    locked,
    serve::{Answer, Request},
    zoho::{
        refusal::Refusal,
        schema::{DataType, FieldNo, Schema},
        store::{Names, Record, Stored, Table},
        world::World,
    },
};

/// Answers a search, newest record first.
pub(in crate::zoho) fn answer(
    world: &World,
    request: &Request,
    module: &str,
) -> Result<Answer, Refusal> {
    let paging = Paging::of(request, module, world.now())?;
    let store = locked(&world.store);
    let table = store.table(module).ok_or_else(Refusal::invalid_module)?;
    let schema = Arc::clone(&table.schema);
    let wanted = wanted(request, &schema)?.ok_or_else(|| Refusal::missing_param("criteria"))?;
    let mut found = matching(world, table, &wanted).skip(paging.skipped());
    let rows: Vec<Arc<Record>> = found.by_ref().take(paging.per_page).cloned().collect();
    let more = found.next().is_some();
    drop(found);
    let mut names = Names::new();
    collect_names(&store, &schema, &rows, &mut names);
    drop(store);

    if rows.is_empty() {
        return Ok(Answer::empty(204));
    }
    let fields = match request.query_value("fields") {
        Some(_) => list::fields(request, &schema)?,
        None => listable(&schema),
    };
    let info = paging.info(rows.len(), more);
    Ok(Answer::json_bytes(
        200,
        list::page(world, &schema, &fields, &rows, &names, &info),
    ))
}

fn listable(schema: &Schema) -> Vec<FieldNo> {
    let fields = (0..).zip(&schema.fields);
    let listed = fields.filter(|(_, field)| !field.removed && !field.only_in_single_reads());
    listed.map(|(number, _)| number).collect()
}

/// What is searched for.
pub(super) enum Wanted {
    Criteria(Criteria),
    /// In any field of this type.
    OfType(DataType, String),
    /// At the beginning of any text.
    Word(String),
}

/// Reads `criteria`, `email`, `phone` or `word`.
pub(super) fn wanted(request: &Request, schema: &Schema) -> Result<Option<Wanted>, Refusal> {
    if let Some(text) = request.query_value("criteria") {
        return criteria::parse(&text, schema)
            .map(Wanted::Criteria)
            .map(Some);
    }
    let value = |name: &str| request.query_value(name).map(|text| text.to_lowercase());
    let email = value("email").map(|email| Wanted::OfType(DataType::Email, email));
    let phone = || value("phone").map(|phone| Wanted::OfType(DataType::Phone, phone));
    Ok(email
        .or_else(phone)
        .or_else(|| value("word").map(Wanted::Word)))
}

/// The matching records, newest first; what the index has not seen yet is left out.
pub(super) fn matching<'a>(
    world: &World,
    table: &'a Table,
    wanted: &'a Wanted,
) -> impl Iterator<Item = &'a Arc<Record>> {
    let indexed_until = world.now() - world.options.search_lag_seconds;
    let lookup = match wanted {
        Wanted::Criteria(criteria) => criteria.required_lookup(&table.schema),
        Wanted::OfType(..) | Wanted::Word(_) => None,
    };
    let candidates: Box<dyn Iterator<Item = &Arc<Record>>> = match lookup {
        Some((field, target)) => Box::new(table.referring(field, target).rev()),
        None => Box::new(table.records().rev()),
    };
    candidates.filter(move |record| {
        record.created <= indexed_until && wanted.matches(&table.schema, record)
    })
}

impl Wanted {
    fn matches(&self, schema: &Schema, record: &Record) -> bool {
        match self {
            Self::Criteria(criteria) => criteria.matches(schema, record),
            Self::OfType(data_type, wanted) => record.values.iter().any(|(number, value)| {
                schema
                    .field(*number)
                    .is_some_and(|field| field.data_type == *data_type)
                    && value.folded() == *wanted
            }),
            Self::Word(wanted) => record.values.iter().any(|(_, value)| match value {
                Stored::Text(text) => text
                    .to_lowercase()
                    .split_whitespace()
                    .any(|word| word.starts_with(wanted)),
                _ => false,
            }),
        }
    }
}
