//! Invented records for Zoho.

use mzi_simulators::zoho::ZohoSimulator;
use serde_json::{Value, json};

/// Puts an active class into Zoho, with its programme, unit and teacher, and answers its id.
pub fn a_class(zoho: &ZohoSimulator, short_name: &str) -> String {
    let insert = |module: &str, record: Value| zoho.insert(module, &record).unwrap();
    let program = insert("Products", json!({"Product_Name": "Computing"}));
    let unit = insert(
        "BTEC",
        json!({"Name": "Programming", "Unit_Code": "COMP-U01"}),
    );
    let teacher = insert(
        "BTEC_Teachers",
        json!({"Name": "Tara Teacher", "Academic_Email": "tara@northfield.example"}),
    );
    insert(
        "BTEC_Classes",
        json!({
            "Class_Name": format!("Programming {short_name}"), "Class_Short_Name": short_name,
            "Class_Status": "Active", "Start_Date": "2026-09-01",
            "BTEC_Program": {"id": program}, "Unit": {"id": unit}, "Teacher": {"id": teacher},
        }),
    )
}

/// The fields of an invented student.
pub fn a_student(number: usize) -> Value {
    json!({
        "First_Name": "Lina", "Last_Name": format!("O'Hara {number}"),
        "Academic_Email": format!("Lina.{number}@students.northfield.example"),
        "Status": "Active",
    })
}

/// Puts an invented student into Zoho.
pub fn register(zoho: &ZohoSimulator, number: usize) -> String {
    zoho.insert("BTEC_Students", &a_student(number)).unwrap()
}

/// Puts a student's enrolment in a class into Zoho.
pub fn enrol(zoho: &ZohoSimulator, student: &str, class: &str) -> String {
    let enrolment = json!({"Enrolled_Students": {"id": student}, "Classes": {"id": class}});
    zoho.insert("BTEC_Enrollments", &enrolment).unwrap()
}
