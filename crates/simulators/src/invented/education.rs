//! The ten modules, parents before children, so that every lookup names a record that exists.
//!
//! Field names and picklist values are those of the account's export.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};

use super::{Module, Record, Size, people::person, people::pick};

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

/// Most students are active.
const STUDENT_STATUSES: [&str; 8] = [
    "Active",
    "Active",
    "Active",
    "Active",
    "Active",
    "Active",
    "Withdraw",
    "Graduated",
];

/// Students per class, and classes each student takes.
const CLASS_SIZE: usize = 25;
const CLASSES_EACH: usize = 3;
const CLASSES_MAX: usize = 400;

/// Invents everything a college of this size keeps in its CRM.
#[must_use]
pub fn education(size: &Size) -> Vec<Module> {
    let mut college = College {
        size: *size,
        dice: StdRng::seed_from_u64(size.seed),
    };
    let programmes = college.programmes();
    let units = college.units(&programmes);
    let teachers = college.teachers();
    let students = college.students(&programmes);
    let classes = college.classes(&programmes, &units, &teachers);
    let registrations = college.registrations(&students, &programmes);
    let enrolments = college.enrolments(&students, &classes);
    let payments = college.payments(&registrations);
    let grades = college.grades(&enrolments);
    let requests = college.requests(&students, &classes);
    vec![
        programmes,
        units,
        teachers,
        students,
        classes,
        registrations,
        enrolments,
        payments,
        grades,
        requests,
    ]
}

struct College {
    size: Size,
    dice: StdRng,
}

impl College {
    fn programmes(&mut self) -> Module {
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

    fn units(&mut self, programmes: &Module) -> Module {
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

    fn teachers(&mut self) -> Module {
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

    fn students(&mut self, programmes: &Module) -> Module {
        let mut rows = Vec::new();
        for number in 0..self.size.students {
            let who = person(self.size.seed, number);
            let status = pick(&mut self.dice, &STUDENT_STATUSES);
            rows.push(json!({
                "Name": format!("ST-{:06}", number + 1),
                "First_Name": who.first_name, "Last_Name": who.last_name,
                "Frist_Name_Native": who.native_first_name, "Last_Name_Native": who.native_last_name,
                "Display_Name": format!("{} {}", who.first_name, who.last_name),
                "Academic_Email": who.academic_email, "Email": who.personal_email,
                "Phone_Number": format!("+90 555 {number:07}"), "Gender": who.gender,
                "Birth_Date": self.days_ago(6600, 12_000).to_string(),
                "Nationality": pick(&mut self.dice, &["Jordanian", "Turkish", "German", "Moroccan"]),
                "City": pick(&mut self.dice, &["Amman", "İstanbul", "Köln", "الرباط"]),
                "Country": pick(&mut self.dice, &["Jordan", "Turkey", "Germany", "Morocco"]),
                "Address": format!("{} Invented Street\n2nd floor", number % 200 + 1),
                "Emergency_Contact_Name": format!("{} senior", who.last_name),
                "Emergency_Phone_Number": format!("+90 556 {number:07}"),
                "National_Number": format!("N{number:09}"),
                "Major": pick(&mut self.dice, &["Business", "Computing", "Art & Design"]),
                "Sub_Major": pick(&mut self.dice, &["Marketing", "Business Management"]),
                "Academic_Program": pick(&mut self.dice, &["Level 3", "Level 5", "Level 7"]),
                "Study_Language": pick(&mut self.dice, &["English", "Arabic"]),
                "Study_Mode": pick(&mut self.dice, &["Onsite", "Online", "Blended"]),
                "BTEC_Registration_Number": format!("BR{number:06}"),
                "Status": status, "Intake": "Autumn", "Synced_to_Moodle": false,
                "Program": self.one_of(programmes), "Registration_Date": self.days_ago(5, 700).to_string(),
            }));
        }
        self.shelve("BTEC_Students", 4, rows)
    }

    fn classes(&mut self, programmes: &Module, units: &Module, teachers: &Module) -> Module {
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

    fn registrations(&mut self, students: &Module, programmes: &Module) -> Module {
        let mut rows = Vec::new();
        for (number, student) in (1..).zip(&students.records) {
            let status = match text(student, "Status") {
                "Withdraw" => "Withdraw",
                "Graduated" => "Graduated",
                _ => pick(
                    &mut self.dice,
                    &["New", "Active", "Active", "Active", "Freeze"],
                ),
            };
            let schedule = self.payment_schedule();
            rows.push(json!({
                "Name": format!("REG-{number:06}"), "Student_ID": reference(student),
                "Program": student.fields.get("Program").cloned().unwrap_or_else(|| self.one_of(programmes)),
                "First_Name": text(student, "First_Name"), "Last_Name": text(student, "Last_Name"),
                "Registration_Date": text(student, "Registration_Date"), "Registration_Status": status,
                "Study_Mode": "Onsite", "Study_Language": text(student, "Study_Language"),
                // Amounts are text fields in the real account.
                "Program_Price": "$ 2,400.00", "Remaining_Amount": "1600", "Discount_Percentage": "0",
                "Discount": false, "Synced_to_Moodle": false, "Currency": "USD", "BTEC_Reg_No": format!("BR{number:06}"),
                "Payment_Schedule": schedule,
            }));
        }
        self.shelve("BTEC_Registrations", 6, rows)
    }

    fn payment_schedule(&mut self) -> Vec<Value> {
        (1..=3_i64)
            .map(|number| {
                let due = self.size.today - TimeDelta::days(90 - 60 * number);
                let paid = number == 1;
                json!({
                    "Installment_No": number, "Due_Date": due.to_string(), "Installment_Amount": 800,
                    "Installment_Status": if paid { "Paid" } else { "Pending" },
                    "Paid_Date": paid.then(|| due.to_string()),
                })
            })
            .collect()
    }

    fn enrolments(&mut self, students: &Module, classes: &Module) -> Module {
        let mut rows = Vec::new();
        let mut number = 0;
        for student in &students.records {
            for class in classes
                .records
                .choose_multiple(&mut StdRng::seed_from_u64(student.id), CLASSES_EACH)
            {
                number += 1;
                rows.push(json!({
                    "Name": format!("EN-{number:06}"), "Enrolled_Students": reference(student), "Classes": reference(class),
                    "Student_Name": text(student, "Display_Name"), "Class_Name": text(class, "Class_Name"),
                    "Start_Date": text(class, "Start_Date"), "End_Date": text(class, "End_Date"),
                    "Enrollment_Type": "Normal", "Synced_to_Moodle": false,
                }));
            }
        }
        self.shelve("BTEC_Enrollments", 7, rows)
    }

    fn payments(&mut self, registrations: &Module) -> Module {
        let mut rows = Vec::new();
        for (number, registration) in (1..).zip(&registrations.records) {
            rows.push(json!({
                "Name": format!("PAY-{number:06}"), "Registration_ID": reference(registration),
                "Student_ID": registration.fields.get("Student_ID"), "Payment_Amount": 800,
                "SRM_Original_Amount": 800, "SRM_Original_Currency": "USD", "Currency": "USD",
                "Payment_Date": self.days_ago(1, 120).to_string(), "Payment_Type": "Study Fees", "Installment_No": 1,
                "Payment_Method": pick(&mut self.dice, &["Cash", "Bank Transfer"]),
                "SRM_Voucher_Number": format!("V{number:07}"), "SRM_Active": "Accepted", "Synced_to_Moodle": false,
            }));
        }
        self.shelve("BTEC_Payments", 8, rows)
    }

    fn grades(&mut self, enrolments: &Module) -> Module {
        let mut rows = Vec::new();
        for (number, enrolment) in (1..).zip(enrolments.records.iter().step_by(CLASSES_EACH)) {
            let grade = pick(&mut self.dice, &["P", "P", "M", "D", "R"]);
            let outcomes: Vec<Value> = ["P1", "M1"]
                .iter()
                .map(|code| json!({
                    "LO_Code": code, "LO_Outcome_Identification": code, "LO_Title": format!("Outcome {code}"),
                    "LO_Definition": format!("Explain {code}"), "LO_Score": "Achieved", "LO_Feedback": "Well argued.",
                }))
                .collect();
            rows.push(json!({
                "Name": format!("GR-{number:06}"), "Student": enrolment.fields.get("Enrolled_Students"),
                "Class": enrolment.fields.get("Classes"), "Student_Name": text(enrolment, "Student_Name"),
                "Class_Name": text(enrolment, "Class_Name"), "BTEC_Grade_Name": format!("Grade {number}"),
                "Grade": grade, "Attempt_Number": 1, "Attempt_Date": self.days_ago(1, 60).to_string(),
                "Grade_Status": pick(&mut self.dice, &["Released", "Released", "In review"]),
                "Feedback": "Clear work; see the notes in the margin.", "Grader_Name": "Invented Grader",
                "BTEC_Unit": "Programming", "Learning_Outcomes_Assessm": outcomes,
            }));
        }
        self.shelve("BTEC_Grades", 9, rows)
    }

    fn requests(&mut self, students: &Module, classes: &Module) -> Module {
        let mut rows = Vec::new();
        for (number, student) in (1..).zip(students.records.iter().step_by(10)) {
            let kind = pick(
                &mut self.dice,
                &[
                    "Enroll Next Semester",
                    "Class Drop",
                    "Student Card",
                    "Change Information",
                ],
            );
            let mut fields = json!({
                "Name": format!("Request {number}"), "Student": reference(student), "Request_Type": kind,
                "Status": pick(&mut self.dice, &["Pending", "Approved", "Rejected", "Completed"]),
                "Academic_Email": text(student, "Academic_Email"), "Reason": "Please, as agreed with the tutor.",
                "Request_Date": format!("{}T09:30:00+00:00", self.days_ago(1, 40)), "Fees_Amount": 0, "Currency": "USD",
            });
            match kind {
                "Class Drop" => {
                    let class = classes.records.first().map(|class| class.id.to_string());
                    set(
                        &mut fields,
                        "Requested_Classes",
                        json!([{"Moodle_Class_ID": class}]),
                    );
                }
                "Change Information" => {
                    let row = json!({"Field_Name": "City", "Current_Value": text(student, "City"), "New_Value": "Izmir"});
                    set(&mut fields, "Change_Information", json!([row]));
                }
                _ => {}
            }
            rows.push(fields);
        }
        self.shelve("BTEC_Student_Requests", 10, rows)
    }

    /// Ids have 15 digits: `900`, two for the module, ten for the record.
    fn shelve(&mut self, api_name: &'static str, number: u64, rows: Vec<Value>) -> Module {
        let first = 900_000_000_000_001 + number * 10_000_000_000;
        let records = (first..)
            .zip(rows)
            .map(|(id, fields)| {
                let (created, modified) = self.times();
                let fields = if let Value::Object(fields) = fields {
                    fields
                } else {
                    Map::new()
                };
                Record {
                    id,
                    created,
                    modified,
                    fields,
                }
            })
            .collect();
        Module { api_name, records }
    }

    fn one_of(&mut self, module: &Module) -> Value {
        module
            .records
            .choose(&mut self.dice)
            .map_or(Value::Null, reference)
    }

    fn days_ago(&mut self, least: u64, most: u64) -> NaiveDate {
        self.size.today - Days::new(self.dice.random_range(least..=most))
    }

    fn days_ahead(&mut self, least: u64, most: u64) -> NaiveDate {
        self.size.today + Days::new(self.dice.random_range(least..=most))
    }

    /// A creation and a change between two years ago and yesterday.
    fn times(&mut self) -> (DateTime<Utc>, DateTime<Utc>) {
        let yesterday = (self.size.today - Days::new(1))
            .and_time(NaiveTime::MIN)
            .and_utc();
        let age = self.dice.random_range(3600..2 * 365 * 86_400);
        let since_change = self.dice.random_range(0..age);
        (
            yesterday - TimeDelta::seconds(age),
            yesterday - TimeDelta::seconds(since_change),
        )
    }
}

fn reference(record: &Record) -> Value {
    json!({"id": record.id.to_string()})
}

fn text<'a>(record: &'a Record, field: &str) -> &'a str {
    record
        .fields
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn set(fields: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = fields {
        fields.insert(name.to_owned(), value);
    }
}
