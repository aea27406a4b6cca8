//! What is taught: programmes, units, teachers, classes.

use chrono::Datelike;
use serde_json::json;

use super::{CLASSES_EACH, College, Module, reference, set};
use crate::invented::people::{person, pick};

/// Programme name, type, major, price.
const PROGRAMMES: [(&str, &str, &str, &str); 6] = [
    (
        "BTEC Level 3 Diploma in Business",
        "Option 2",
        "Business",
        "2400",
    ),
    ("BTEC Level 3 Diploma in IT", "Option 2", "IT", "2600"),
    (
        "BTEC Level 5 HND in Business",
        "Option 2",
        "Business",
        "4200.50",
    ),
    ("BTEC Level 5 HND in Computing", "Option 2", "IT", "4400"),
    (
        "BTEC Level 5 HND in Art & Design",
        "Option 2",
        "Art & Design",
        "3900",
    ),
    (
        "Level 7 Strategic Management",
        "Level 7",
        "Extended Diploma",
        "5200",
    ),
];

/// Unit name, level, major.
const UNITS: [(&str, &str, &str); 12] = [
    ("Managing a Business", "Level 3", "L3"),
    ("Networks & Security", "Level 5", "IT"),
    ("Programming", "Level 5", "IT"),
    ("Database Design", "Level 5", "IT"),
    ("Marketing Processes", "Level 5", "BUS"),
    ("Accounting Principles", "Level 5", "BUS"),
    ("Leadership", "Level 5", "BUS"),
    ("Business Law", "Level 5", "BUS"),
    ("Typography: \"Form\" & Function", "Level 5", "AD"),
    ("Research Project", "Level 5", "AD"),
    ("Maths for Computing", "Level 3", "L3"),
    (
        "Strategic Planning",
        "Level 7",
        "Strategic Management and Leadership",
    ),
];

/// Students per class, and the most classes.
const CLASS_SIZE: usize = 25;
const CLASSES_MAX: usize = 400;

impl College {
    pub(super) fn programmes(&mut self) -> Module {
        let mut rows = Vec::new();
        for (number, (name, kind, major, price)) in (1..).zip(PROGRAMMES) {
            let fields = json!({
                "Product_Name": name, "Program_Type": kind, "Program_Major": major, "Status": "Approved",
                "Product_Sub_Category": "None", "Program_Price": price.parse::<f64>().unwrap_or_default(),
                "Unit_Price": price.parse::<f64>().unwrap_or_default(), "MoodleID": (number + 1).to_string(),
                "Program_ID": format!("P-{number:03}"), "Description": format!("{name}, taught in English and Arabic."),
            });
            rows.push(fields);
        }
        self.shelve("Products", 1, rows)
    }

    pub(super) fn units(&mut self, programmes: &Module) -> Module {
        let mut rows = Vec::new();
        for (number, (name, level, major)) in (1..).zip(UNITS) {
            let mut fields = json!({
                "Name": name, "Unit_Code": format!("U/{number:03}/77"), "Unit_Number": number.to_string(),
                "Unit_Credit": "15", "Unit_Level": level, "Unit_Major": major, "Service_Type": "BTEC",
                "Program": self.one_of(programmes),
            });
            for criterion in ["P1", "P2", "P3", "P4", "M1", "M2", "D1"] {
                let text = format!("{criterion}: explain, with examples, what {name} asks for.");
                set(
                    &mut fields,
                    &format!("{criterion}_description"),
                    json!(text),
                );
            }
            if number % 4 == 0 {
                let row = json!({"P11_description": "P11: reflect on the work.", "P12_description": "P12: present it."});
                set(&mut fields, "BTEC_Grading_Template_P1", json!([row]));
            }
            rows.push(fields);
        }
        self.shelve("BTEC", 2, rows)
    }

    pub(super) fn teachers(&mut self) -> Module {
        let mut rows = Vec::new();
        for number in 0..(self.size.students / 50).clamp(3, 120) {
            let teacher = person(!self.size.seed, number);
            let address = teacher.academic_email.replace("@students.", "@staff.");
            rows.push(json!({
                "Name": format!("{} {}", teacher.first_name, teacher.last_name),
                "Academic_Email": address, "Email": teacher.personal_email,
                "Phone_Number": format!("+49 30 9{number:06}"),
            }));
        }
        self.shelve("BTEC_Teachers", 3, rows)
    }

    pub(super) fn classes(
        &mut self,
        programmes: &Module,
        units: &Module,
        teachers: &Module,
    ) -> Module {
        let mut rows = Vec::new();
        for number in 1..=(self.size.students * CLASSES_EACH / CLASS_SIZE).clamp(4, CLASSES_MAX) {
            let (status, starts, ends) = match number % 10 {
                0 => ("End", self.days_ago(200, 300), self.days_ago(40, 90)),
                5 => (
                    "Pending",
                    self.days_ahead(10, 40),
                    self.days_ahead(120, 160),
                ),
                _ => ("Active", self.days_ago(10, 80), self.days_ahead(20, 120)),
            };
            let (unit_name, ..) = UNITS.get(number % UNITS.len()).copied().unwrap_or_default();
            let unit = units.records.get(number % UNITS.len()).map(reference);
            let term = pick(&mut self.dice, &["T1", "T2", "T3", "T4"]);
            rows.push(json!({
                "Name": format!("CL-{number:05}"),
                "Class_Name": format!("{unit_name} – {term} {} group {number}", starts.year()),
                "Class_Short_Name": format!("C{number:04}-{term}"), "Class_Status": status,
                "Start_Date": starts.to_string(), "End_Date": ends.to_string(), "Term": term,
                "Year": starts.year().to_string(), "Unit": unit, "BTEC_Program": self.one_of(programmes),
                "Teacher": self.one_of(teachers), "English_Teaching": number % 3 != 0,
                "Classroom": format!("Room {}", number % 30 + 1), "Hours_1": "10:00–12:00", "Start_Hour": "Monday",
                "Class_Study_Mode": pick(&mut self.dice, &["Online", "Onsite", "Blended"]),
            }));
        }
        self.shelve("BTEC_Classes", 5, rows)
    }
}
