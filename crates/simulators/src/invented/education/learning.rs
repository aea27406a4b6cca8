//! Who learns, what they owe and what they achieve.

use chrono::TimeDelta;
use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use super::{CLASSES_EACH, College, Module, reference, set, text};
use crate::invented::people::{person, pick};

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

impl College {
    pub(super) fn students(&mut self, programmes: &Module) -> Module {
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

    pub(super) fn registrations(&mut self, students: &Module, programmes: &Module) -> Module {
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

    pub(super) fn enrolments(&mut self, students: &Module, classes: &Module) -> Module {
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

    pub(super) fn payments(&mut self, registrations: &Module) -> Module {
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

    pub(super) fn grades(&mut self, enrolments: &Module) -> Module {
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

    pub(super) fn requests(&mut self, students: &Module, classes: &Module) -> Module {
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
}
