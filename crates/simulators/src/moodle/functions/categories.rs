//! Reading categories.

use serde_json::{Value, json};

use super::{Call, Function, users::object};
use crate::moodle::{
    access::Capability,
    refusal::Refusal,
    site::{Category, Site},
    wire::{
        clean::Kind,
        params::{Arg, Args, optional, or, required, rows},
    },
};

pub(super) fn get_categories() -> Function {
    Function {
        name: "core_course_get_categories",
        fields: vec![
            optional(
                "criteria",
                rows(vec![
                    required("key", Kind::Alpha),
                    required("value", Kind::Raw),
                ]),
            ),
            or("addsubcategories", Kind::Bool, Arg::Flag(true)),
        ],
        look: None,
        run: categories,
    }
}

fn categories(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let site = &*call.site;
    let manages = call.token.may(Capability::ManageCategories);
    let mut found: Vec<&Category> = site.categories.values().collect();
    for row in args.records("criteria") {
        let key = Key::named(row.text("key").unwrap_or_default(), manages)?;
        let value = row.text("value").unwrap_or_default();
        found.retain(|category| key.matches(category, value));
    }
    if args.flag("addsubcategories") == Some(true) {
        let roots: Vec<u64> = found.iter().map(|category| category.id).collect();
        found = site
            .categories
            .values()
            .filter(|category| {
                site.category_path(category.id)
                    .iter()
                    .any(|id| roots.contains(id))
            })
            .collect();
    }
    Ok(found
        .into_iter()
        .map(|category| shown(site, category, manages))
        .collect())
}

enum Key {
    Id,
    Ids,
    Name,
    Parent,
    Idnumber,
    Visible,
}

impl Key {
    /// Keys that do not exist and keys the caller may not use are refused alike.
    fn named(name: &str, manages: bool) -> Result<Self, Refusal> {
        match name {
            "id" => Ok(Self::Id),
            "ids" => Ok(Self::Ids),
            "name" => Ok(Self::Name),
            "parent" => Ok(Self::Parent),
            "idnumber" if manages => Ok(Self::Idnumber),
            "visible" if manages => Ok(Self::Visible),
            _ => Err(Refusal::moodle(
                "criteriaerror",
                "Missing permissions to search on a criterion.",
            )),
        }
    }

    fn matches(&self, category: &Category, value: &str) -> bool {
        let is = |id: u64, text: &str| text.trim().parse() == Ok(id);
        match self {
            Self::Id => is(category.id, value),
            Self::Ids => value.split(',').any(|id| is(category.id, id)),
            Self::Name => category.name.to_lowercase() == value.to_lowercase(),
            Self::Parent => is(category.parent, value),
            Self::Idnumber => category.idnumber.as_deref() == Some(value),
            Self::Visible => value == "1",
        }
    }
}

fn shown(site: &Site, category: &Category, manages: bool) -> Value {
    let path = site.category_path(category.id);
    let path_text: String = path.iter().map(|id| format!("/{id}")).collect();
    let mut keys = object(json!({
        "id": category.id,
        "name": category.name,
        "description": "",
        // The category every site starts with was written by the installer.
        "descriptionformat": u8::from(category.id == 1),
        "parent": category.parent,
        "sortorder": category.id * 10_000,
        "coursecount": site.courses.in_category(category.id).count(),
        "depth": path.len(),
        "path": path_text,
    }));
    if manages {
        keys.extend(object(json!({
            "idnumber": category.idnumber,
            "visible": 1,
            "visibleold": 1,
            "timemodified": category.time_modified,
            "theme": "",
        })));
    }
    keys.into()
}
