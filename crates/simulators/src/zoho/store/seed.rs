//! Fills an empty organisation with invented data.

use super::{Store, draft::At, record::Editor, rows::RowDraft, value::Stored};
use crate::{
    invented::{self, Size},
    zoho::schema::Source,
};

/// An organisation with invented data.
pub(crate) fn seeded(size: &Size) -> Store {
    let mut store = Store::empty();
    for module in invented::education(size) {
        for record in module.records {
            store.plant(module.api_name, &record);
        }
    }
    store
}

impl Store {
    /// Writes without the checks of a request: ids, times and autonumbers are given.
    fn plant(&mut self, module: &str, record: &invented::Record) {
        let Some(schema) = self.table(module).map(|table| table.schema.clone()) else {
            return;
        };
        let stamp = (
            Editor::Registrar,
            record.created.timestamp(),
            record.modified.timestamp(),
        );
        let mut values = Vec::new();
        let mut sub_forms = Vec::new();
        for (name, value) in &record.fields {
            let Some((number, field)) = schema.field_named(name) else {
                continue;
            };
            match field.source {
                Source::Rows => sub_forms.push((number, field, value)),
                _ => values.push((number, Stored::parse(field, value).unwrap_or_default())),
            }
        }
        for (number, value) in &values {
            if let (Some(Source::AutoNumber), Some(Stored::Text(text)), Some(table)) = (
                schema.field(*number).map(|field| field.source),
                value,
                self.table_mut(module),
            ) {
                table.learn_number(*number, text);
            }
        }
        let mut planted = self.new_record(module, record.id, values, stamp);
        for (number, field, rows) in sub_forms {
            let at = At {
                module,
                path: "$",
                existing: None,
            };
            let drafts: Vec<RowDraft> =
                self.draft_rows(at, number, field, rows).unwrap_or_default();
            let Some(row_module) = super::rows::row_module(field) else {
                continue;
            };
            let times = (stamp.0, stamp.2);
            let ids = self.apply_rows(&row_module, record.id, Vec::new(), drafts, times);
            planted.set_rows(number, ids);
        }
        if let Some(table) = self.table_mut(module) {
            table.put(planted);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn every_invented_value_fits_its_field() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day");
        let size = Size {
            students: 30,
            seed: 1,
            today,
        };
        let store = Store::empty();

        for module in invented::education(&size) {
            let schema = store
                .table(module.api_name)
                .expect("a module")
                .schema
                .clone();
            for (name, value) in module.records.iter().flat_map(|record| &record.fields) {
                let (_, field) = schema
                    .field_named(name)
                    .unwrap_or_else(|| panic!("no field {name}"));
                let rows = value
                    .as_array()
                    .map(|rows| rows.iter().filter_map(serde_json::Value::as_object));
                match rows {
                    Some(rows) if field.source == Source::Rows => {
                        let rows_of = schema_of_rows(&store, field);
                        for (name, value) in rows.flatten() {
                            let (_, field) = rows_of.field_named(name).expect("a field of the row");
                            assert!(Stored::parse(field, value).is_ok(), "{name}: {value}");
                        }
                    }
                    _ => assert!(Stored::parse(field, value).is_ok(), "{name}: {value}"),
                }
            }
        }
    }

    fn schema_of_rows(
        store: &Store,
        field: &crate::zoho::schema::Field,
    ) -> std::sync::Arc<crate::zoho::schema::Schema> {
        let module = crate::zoho::store::rows::row_module(field).expect("a module");
        store.table(&module).expect("a table").schema.clone()
    }
}
