//! Where Zoho's OpenAPI files are not followed, and why.
//!
//! The list is short on purpose: an exemption that no conversation of the tests needs fails them.

/// One place where the published files are not followed.
#[derive(Debug)]
pub struct Exemption {
    /// A short name.
    pub name: &'static str,
    /// Why the file cannot be right, with the source of the better fact.
    pub reason: &'static str,
    pub(super) changes: &'static [Change],
}

/// How the files are read instead.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    /// What stands at a JSON pointer is replaced.
    Replace {
        file: &'static str,
        at: &'static str,
        with: &'static str,
    },
    /// Keys or items are added at a JSON pointer.
    Add {
        file: &'static str,
        at: &'static str,
        what: &'static str,
    },
    OverlappingAlternatives,
    NullReferences,
    AbsentFiles,
    UndescribedStatuses,
}

/// Every exemption.
pub const EXEMPTIONS: &[Exemption] = &[
    Exemption {
        name: "overlapping alternatives",
        reason: "Most `oneOf` list objects without required keys, so that one value matches several; \
                 `anyOf` is meant.",
        changes: &[Change::OverlappingAlternatives],
    },
    Exemption {
        name: "null references",
        reason: "OpenAPI 3.0 cannot say `nullable` beside `$ref`; the documented samples of fields and \
                 modules hold null in most of these places.",
        changes: &[Change::NullReferences],
    },
    Exemption {
        name: "absent files",
        reason: "tags.json, profiles.json and custom_views.json are referred to, but are not among the \
                 files kept here, because nothing we send or read stands in them.",
        changes: &[Change::AbsentFiles],
    },
    Exemption {
        name: "undescribed statuses",
        reason: "The record operations describe 200 only. The documentation has 201 for inserts, 207 for \
                 mixed results, 400 or 202 when all fail, 412 for If-Unmodified-Since, 204 and 304 without \
                 a body, and 401, 403, 404, 429 and 5xx everywhere.",
        changes: &[Change::UndescribedStatuses],
    },
    Exemption {
        name: "kinds of modules",
        reason: "`generated_type` is an open set: the documentation has `subform` and `field_tracker` too.",
        changes: &[Change::Add {
            file: "modules.json",
            at: "/components/schemas/modules/properties/generated_type/enum",
            what: r#"["subform", "field_tracker"]"#,
        }],
    },
    Exemption {
        name: "null page tokens",
        reason: "The documented samples hold null for the token of a page that does not exist.",
        changes: &[
            nullable_text("/components/schemas/Info/properties/next_page_token"),
            nullable_text("/components/schemas/Info/properties/previous_page_token"),
            nullable_text("/components/schemas/Info/properties/page_token_expiry"),
        ],
    },
    Exemption {
        name: "count",
        reason: "The documentation's answer holds a number: `{\"count\":694}`.",
        changes: &[Change::Replace {
            file: "record.json",
            at: "/paths/~1crm~1v8~1{module_api_name}~1actions~1count/get/responses/200/content\
                 /application~1json/schema/oneOf/0/properties/count/type",
            with: r#""integer""#,
        }],
    },
    Exemption {
        name: "maximum_length",
        reason: "The documentation's refusals hold a number, as the other files' do.",
        changes: &[Change::Replace {
            file: "record.json",
            at: "/components/schemas/API_Exception/properties/details/properties/maximum_length/type",
            with: r#""integer""#,
        }],
    },
    Exemption {
        name: "duplicate_field",
        reason: "An upsert that inserts found no duplicate, so the documentation's answer holds null.",
        changes: &[nullable_text(
            "/components/schemas/Success_Response/properties/duplicate_field",
        )],
    },
    Exemption {
        name: "permanent deletions",
        reason: "The documentation's sample of a permanently deleted record holds nulls.",
        changes: &[nullable_text(
            "/components/schemas/Deleted_Record/properties/display_name",
        )],
    },
    Exemption {
        name: "codes of record refusals",
        reason: "The file's lists leave out what the documentation has for paging and \
                 If-Unmodified-Since, and the messages that go with it.",
        changes: &[
            Change::Add {
                file: "record.json",
                at: "/components/schemas/API_Exception/properties/code/enum",
                what: r#"["AMBIGUITY_DURING_PROCESSING", "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
                    "PAGINATION_LIMIT_EXCEEDED", "TOKEN_BOUND_DATA_MISMATCH", "EXPIRED_VALUE",
                    "ALREADY_MODIFIED"]"#,
            },
            Change::Replace {
                file: "record.json",
                at: "/components/schemas/API_Exception/properties/message",
                with: r#"{"type": "string"}"#,
            },
        ],
    },
    Exemption {
        name: "channel_id",
        reason: "The file calls it an object; the documentation has a long, its samples a text.",
        changes: &[Change::Replace {
            file: "notifications.json",
            at: "/components/schemas/Notification/properties/channel_id",
            with: r#"{"type": ["string", "integer"]}"#,
        }],
    },
    Exemption {
        name: "notify_url",
        reason: "The file's pattern `www[.][a-z]{5}zoho[.]com` would allow Zoho's own hosts only.",
        changes: &[Change::Replace {
            file: "notifications.json",
            at: "/components/schemas/Notification/properties/notify_url",
            with: r#"{"type": "string"}"#,
        }],
    },
    Exemption {
        name: "field selections",
        reason: "The file requires every key of a condition at once; the documentation's samples have \
                 `field`, or `group` with `group_operator`.",
        changes: &[Change::Replace {
            file: "notifications.json",
            at: "/components/schemas/Criteria/required",
            with: "[]",
        }],
    },
];

/// A text of record.json that may be null.
const fn nullable_text(at: &'static str) -> Change {
    Change::Add {
        file: "record.json",
        at,
        what: r#"{"nullable": true}"#,
    }
}
