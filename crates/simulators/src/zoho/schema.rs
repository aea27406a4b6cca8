//! What a module and a field are.

use std::collections::HashMap;

/// Where a field stands in its module; stays the same when the field is renamed.
pub(crate) type FieldNo = usize;

/// A module with its fields.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    pub id: u64,
    pub api_name: String,
    pub singular: String,
    pub plural: String,
    pub kind: Kind,
    pub fields: Vec<Field>,
    /// The field whose value names a record in lookups.
    pub display: Option<FieldNo>,
    by_name: HashMap<String, FieldNo>,
}

/// Zoho's `generated_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Default,
    Custom,
    Linking,
    Subform,
}

/// One field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub id: u64,
    pub api_name: String,
    pub label: String,
    pub data_type: DataType,
    /// The longest value, in characters.
    pub length: usize,
    pub mandatory: bool,
    /// "Do not allow duplicate values".
    pub unique: bool,
    pub picks: Vec<String>,
    pub target: Target,
    pub source: Source,
    /// Gone from the metadata and from answers; the values stay, as in Zoho's unused fields.
    pub removed: bool,
}

/// What a lookup, sub-form or multi-select lookup leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    None,
    Module(String),
    Links(Links),
}

/// A multi-select lookup reads the linking module's records whose `own` lookup is this record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Links {
    pub module: String,
    pub own: String,
    pub other: String,
}

/// Where a field's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// From what was written.
    Written,
    /// A number given on insert; written values are ignored.
    AutoNumber,
    CreatedTime,
    ModifiedTime,
    CreatedBy,
    ModifiedBy,
    Owner,
    Tag,
    Locked,
    /// The rows of a sub-form.
    Rows,
    /// The records of a linking module.
    Links,
    /// Never written through the API and always empty here.
    Nothing,
}

/// Zoho's data types (`zoho.md` §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataType {
    Text,
    Textarea,
    Email,
    Phone,
    Website,
    Picklist,
    MultiPicklist,
    Boolean,
    Integer,
    Bigint,
    Double,
    Currency,
    Date,
    DateTime,
    Lookup,
    OwnerLookup,
    MultiLookup,
    Subform,
    FileUpload,
    ProfileImage,
    AutoNumber,
    Formula,
}

/// Name, JSON type, longest value.
const DATA_TYPES: [(DataType, &str, &str, usize); 22] = [
    (DataType::Text, "text", "string", 255),
    (DataType::Textarea, "textarea", "string", 32_000),
    (DataType::Email, "email", "string", 100),
    (DataType::Phone, "phone", "string", 30),
    (DataType::Website, "website", "string", 450),
    (DataType::Picklist, "picklist", "string", 120),
    (
        DataType::MultiPicklist,
        "multiselectpicklist",
        "jsonarray",
        120,
    ),
    (DataType::Boolean, "boolean", "boolean", 5),
    (DataType::Integer, "integer", "integer", 9),
    (DataType::Bigint, "bigint", "string", 18),
    (DataType::Double, "double", "double", 16),
    (DataType::Currency, "currency", "double", 16),
    (DataType::Date, "date", "string", 20),
    (DataType::DateTime, "datetime", "string", 120),
    (DataType::Lookup, "lookup", "jsonobject", 120),
    (DataType::OwnerLookup, "ownerlookup", "jsonobject", 120),
    (DataType::MultiLookup, "multiselectlookup", "jsonarray", 120),
    (DataType::Subform, "subform", "jsonarray", 120),
    (DataType::FileUpload, "fileupload", "jsonarray", 120),
    (DataType::ProfileImage, "profileimage", "string", 255),
    (DataType::AutoNumber, "autonumber", "string", 255),
    (DataType::Formula, "formula", "string", 120),
];

impl DataType {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        DATA_TYPES
            .iter()
            .find(|(_, known, ..)| *known == name)
            .map(|(data_type, ..)| *data_type)
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().0
    }

    pub(crate) fn json_type(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> (&'static str, &'static str, usize) {
        DATA_TYPES
            .iter()
            .find(|(known, ..)| *known == self)
            .map_or(("text", "string", 255), |(_, name, json, length)| {
                (*name, *json, *length)
            })
    }
}

impl Field {
    pub(crate) fn new(id: u64, api_name: String, label: String, data_type: DataType) -> Self {
        Self {
            id,
            source: Source::of(&api_name, data_type),
            api_name,
            label,
            data_type,
            length: data_type.row().2,
            mandatory: false,
            unique: false,
            picks: Vec::new(),
            target: Target::None,
            removed: false,
        }
    }

    /// Whether lists leave it out (`zoho.md` §3.1).
    pub(crate) fn only_in_single_reads(&self) -> bool {
        matches!(self.source, Source::Rows | Source::Links)
    }
}

impl Source {
    fn of(api_name: &str, data_type: DataType) -> Self {
        match (api_name, data_type) {
            ("Created_Time", _) => Self::CreatedTime,
            ("Modified_Time", _) => Self::ModifiedTime,
            ("Created_By", _) => Self::CreatedBy,
            ("Modified_By", _) => Self::ModifiedBy,
            ("Owner", _) => Self::Owner,
            ("Tag", _) => Self::Tag,
            ("Locked__s", _) => Self::Locked,
            (
                "Last_Activity_Time" | "Exchange_Rate" | "Unsubscribed_Mode" | "Unsubscribed_Time",
                _,
            )
            | (_, DataType::Formula | DataType::OwnerLookup) => Self::Nothing,
            (_, DataType::AutoNumber) => Self::AutoNumber,
            (_, DataType::Subform) => Self::Rows,
            (_, DataType::MultiLookup) => Self::Links,
            _ => Self::Written,
        }
    }
}

impl Schema {
    pub(crate) fn new(
        id: u64,
        api_name: &str,
        (singular, plural): (&str, &str),
        kind: Kind,
        display: &str,
        fields: Vec<Field>,
    ) -> Self {
        let mut schema = Self {
            id,
            api_name: api_name.to_owned(),
            singular: singular.to_owned(),
            plural: plural.to_owned(),
            kind,
            fields,
            display: None,
            by_name: HashMap::new(),
        };
        schema.reindex();
        schema.display = schema.by_name.get(display).copied();
        schema
    }

    /// Takes changed field names into account.
    pub(crate) fn reindex(&mut self) {
        self.by_name = (0..)
            .zip(&self.fields)
            .filter(|(_, field)| !field.removed)
            .map(|(number, field)| (field.api_name.clone(), number))
            .collect();
    }

    pub(crate) fn number(&self, api_name: &str) -> Option<FieldNo> {
        self.by_name.get(api_name).copied()
    }

    pub(crate) fn field(&self, number: FieldNo) -> Option<&Field> {
        self.fields.get(number)
    }

    pub(crate) fn field_named(&self, api_name: &str) -> Option<(FieldNo, &Field)> {
        let number = self.number(api_name)?;
        Some((number, self.field(number)?))
    }

    /// Whether the field may be a key of an upsert (`zoho.md` §4.3).
    pub(crate) fn is_duplicate_key(&self, number: FieldNo) -> bool {
        self.field(number).is_some_and(|field| {
            let names_records = self.display == Some(number) && self.kind != Kind::Subform;
            !field.removed
                && (field.unique || names_records)
                && field.data_type != DataType::AutoNumber
        })
    }
}
