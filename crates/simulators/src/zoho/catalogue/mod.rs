//! The modules of the simulated organisation: the ten the bridge maps, the modules of their
//! sub-forms, and two that every Zoho CRM has.
//!
//! Names, types, labels and picklist values are those of the account's export. One text file per
//! module, one field per line:
//!
//! ```text
//! api_name data_type[!] [-> target] ["Label"] [{value|value}]
//! ```
//!
//! `!` marks a mandatory field. A lookup's or sub-form's target is a module; a multi-select
//! lookup's is `linking module.own field.other field`.

mod line;

use super::schema::{Kind, Schema};

/// API name, singular, plural, kind, the field that names a record, the fields.
type Entry = (
    &'static str,
    &'static str,
    &'static str,
    Kind,
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const MODULES: [Entry; 17] = [
    ("Leads", "Lead", "Leads", Kind::Default, "Full_Name", include_str!("modules/Leads.txt")),
    ("Contacts", "Contact", "Contacts", Kind::Default, "Full_Name", include_str!("modules/Contacts.txt")),
    ("Products", "BTEC Program", "BTEC Programs", Kind::Default, "Product_Name", include_str!("modules/Products.txt")),
    ("BTEC", "BTEC Unit", "BTEC Units", Kind::Custom, "Name", include_str!("modules/BTEC.txt")),
    ("BTEC_Teachers", "BTEC Teacher", "BTEC Teachers", Kind::Custom, "Name", include_str!("modules/BTEC_Teachers.txt")),
    ("BTEC_Students", "BTEC Student", "BTEC Students", Kind::Custom, "Name", include_str!("modules/BTEC_Students.txt")),
    ("BTEC_Classes", "BTEC Class", "BTEC Classes", Kind::Custom, "Name", include_str!("modules/BTEC_Classes.txt")),
    ("BTEC_Registrations", "BTEC Registration", "BTEC Registrations", Kind::Custom, "Name", include_str!("modules/BTEC_Registrations.txt")),
    ("BTEC_Enrollments", "BTEC Enrollment", "BTEC Enrollments", Kind::Linking, "Name", include_str!("modules/BTEC_Enrollments.txt")),
    ("BTEC_Payments", "BTEC Payment", "BTEC Payments", Kind::Custom, "Name", include_str!("modules/BTEC_Payments.txt")),
    ("BTEC_Grades", "BTEC Grade", "BTEC Grades", Kind::Custom, "Name", include_str!("modules/BTEC_Grades.txt")),
    ("BTEC_Student_Requests", "BTEC Student Request", "BTEC Student Requests", Kind::Custom, "Name", include_str!("modules/BTEC_Student_Requests.txt")),
    ("Payment_Schedule", "Payment Schedule", "Payment Schedule", Kind::Subform, "", include_str!("modules/Payment_Schedule.txt")),
    ("Learning_Outcomes_Assessm", "Learning Outcomes", "Learning Outcomes", Kind::Subform, "", include_str!("modules/Learning_Outcomes_Assessm.txt")),
    ("Change_Information", "Change Information", "Change Information", Kind::Subform, "", include_str!("modules/Change_Information.txt")),
    ("Requested_Classes", "Requested Classes", "Requested Classes", Kind::Subform, "", include_str!("modules/Requested_Classes.txt")),
    ("BTEC_Grading_Template_P1", "BTEC Grading Template P-1", "BTEC Grading Template P-1", Kind::Subform, "", include_str!("modules/BTEC_Grading_Template_P1.txt")),
];

/// The schemas of every module, in the order a new organisation lists them.
pub(super) fn schemas() -> Vec<Schema> {
    (1_u64..)
        .zip(MODULES)
        .map(
            |(number, (api_name, singular, plural, kind, display, lines))| {
                // Metadata ids have 15 digits too and never meet a record's id.
                let module_id = 800_000_000_000_000 + number * 1_000_000;
                let fields = (module_id + 1..)
                    .step_by(100)
                    .zip(lines.lines())
                    .filter_map(|(id, text)| line::field(id, text))
                    .collect();
                Schema::new(
                    module_id,
                    api_name,
                    (singular, plural),
                    kind,
                    display,
                    fields,
                )
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoho::schema::Target;

    #[test]
    fn every_line_of_every_module_is_understood() {
        for (api_name, .., lines) in MODULES {
            for text in lines.lines() {
                assert!(line::field(1, text).is_some(), "{api_name}: {text}");
            }
        }
    }

    #[test]
    fn students_have_the_exports_258_fields() {
        let schemas = schemas();
        let students = schemas
            .iter()
            .find(|schema| schema.api_name == "BTEC_Students");

        assert_eq!(students.map(|schema| schema.fields.len()), Some(258));
    }

    #[test]
    fn every_target_is_a_module() {
        let schemas = schemas();
        let known = |name: &str| schemas.iter().any(|schema| schema.api_name == name);
        for field in schemas.iter().flat_map(|schema| &schema.fields) {
            match &field.target {
                Target::None => {}
                Target::Module(module) => assert!(known(module), "{}", field.api_name),
                Target::Links(links) => assert!(known(&links.module), "{}", field.api_name),
            }
        }
    }
}
