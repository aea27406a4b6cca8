//! The mappings that apply until somebody saves others.
//!
//! Field API names are those of the account's own field export, spelling mistakes included
//! (`Frist_Name_Native`). Rules for fields an account lacks are left out when its metadata is read.

use crate::{
    entity::Entity,
    mapping::{Mapping, Rule},
    transform::Transform,
};

type Row = (&'static str, &'static str, Transform);

use Transform::{Date, DatetimeUtc, Integer, LookupId, LookupName, Lower, Money, Value};

const PROGRAMS: &[Row] = &[
    ("name", "Product_Name", Value),
    ("price", "Program_Price", Money),
    ("moodle_id", "MoodleID", Value),
    ("status", "Status", Value),
    ("program_number", "Program_ID", Value),
    ("program_type", "Program_Type", Value),
    ("major", "Program_Major", Value),
    ("sub_major", "Program_Sub_Major", Value),
    ("description", "Description", Value),
];

const UNITS: &[Row] = &[
    ("unit_name", "Name", Value),
    ("unit_code", "Unit_Code", Value),
    ("unit_number", "Unit_Number", Value),
    ("credit", "Unit_Credit", Value),
    ("level", "Unit_Level", Value),
    ("major", "Unit_Major", Value),
    ("service_type", "Service_Type", Value),
    ("program_zoho_id", "Program", LookupId),
];

const TEACHERS: &[Row] = &[
    ("name", "Name", Value),
    ("email", "Email", Value),
    ("academic_email", "Academic_Email", Value),
    ("phone_number", "Phone_Number", Value),
    ("moodle_user_id", "Teacher_Moodle_ID", Value),
];

const STUDENTS: &[Row] = &[
    ("student_id", "Name", Value),
    ("first_name", "First_Name", Value),
    ("last_name", "Last_Name", Value),
    ("display_name", "Display_Name", Value),
    ("first_name_native", "Frist_Name_Native", Value),
    ("last_name_native", "Last_Name_Native", Value),
    ("username", "Academic_Email", Lower),
    ("academic_email", "Academic_Email", Value),
    ("personal_email", "Email", Value),
    ("phone_number", "Phone_Number", Value),
    ("address", "Address", Value),
    ("city", "City", Value),
    ("nationality", "Nationality", Value),
    ("date_of_birth", "Birth_Date", Date),
    ("gender", "Gender", Value),
    ("emergency_contact_name", "Emergency_Contact_Name", Value),
    ("emergency_contact_phone", "Emergency_Phone_Number", Value),
    ("status", "Status", Value),
    ("moodle_user_id", "Student_Moodle_ID", Value),
    ("national_id", "National_Number", Value),
    ("major", "Major", Value),
    ("sub_major", "Sub_Major", Value),
    ("registration_number", "BTEC_Registration_Number", Value),
    ("program_zoho_id", "Program", LookupId),
    ("academic_program", "Program", LookupName),
    ("study_language", "Study_Language", Value),
    ("study_mode", "Study_Mode", Value),
    ("intake", "Intake", Value),
    ("zoho_created_at", "Created_Time", DatetimeUtc),
];

const CLASSES: &[Row] = &[
    ("class_name", "Class_Name", Value),
    ("class_short_name", "Class_Short_Name", Value),
    ("class_status", "Class_Status", Value),
    ("moodle_class_id", "Moodle_Class_ID", Value),
    ("program_zoho_id", "BTEC_Program", LookupId),
    ("program_name", "BTEC_Program", LookupName),
    ("unit_zoho_id", "Unit", LookupId),
    ("unit_name", "Unit", LookupName),
    ("teacher_zoho_id", "Teacher", LookupId),
    ("teacher_name", "Teacher", LookupName),
    ("start_date", "Start_Date", Date),
    ("end_date", "End_Date", Date),
    ("year", "Year", Value),
    ("term", "Term", Value),
    ("classroom", "Classroom", Value),
    ("study_mode", "Class_Study_Mode", Value),
    ("ms_teams_id", "MS_Teams_ID", Value),
];

const REGISTRATIONS: &[Row] = &[
    ("registration_number", "Name", Value),
    ("student_zoho_id", "Student_ID", LookupId),
    ("program_zoho_id", "Program", LookupId),
    ("program_name", "Program", LookupName),
    ("registration_status", "Registration_Status", Value),
    ("registration_date", "Registration_Date", Date),
    ("total_fees", "Program_Price", Money),
    ("remaining_amount", "Remaining_Amount", Money),
    ("currency", "Currency", Value),
    ("study_mode", "Study_Mode", Value),
    ("study_language", "Study_Language", Value),
    ("btec_reg_no", "BTEC_Reg_No", Value),
    ("intake", "Intake", Value),
    ("note", "Note", Value),
];

const ENROLLMENTS: &[Row] = &[
    ("enrollment_name", "Name", Value),
    ("student_zoho_id", "Enrolled_Students", LookupId),
    ("student_name", "Student_Name", Value),
    ("class_zoho_id", "Classes", LookupId),
    ("class_name", "Class_Name", Value),
    ("enrolled_program", "Enrolled_Program", Value),
    ("enrollment_type", "Enrollment_Type", Value),
    // Not in every account: without it the record's existence and dates count.
    ("status", "Enrollment_Status", Value),
    ("start_date", "Start_Date", Date),
    ("end_date", "End_Date", Date),
    ("moodle_course_id", "Moodle_Course_ID", Value),
];

const PAYMENTS: &[Row] = &[
    ("payment_number", "Name", Value),
    ("registration_zoho_id", "Registration_ID", LookupId),
    ("student_zoho_id", "Student_ID", LookupId),
    ("amount", "Payment_Amount", Money),
    ("currency", "Currency", Value),
    ("payment_date", "Payment_Date", Date),
    ("payment_method", "Payment_Method", Value),
    ("payment_type", "Payment_Type", Value),
    ("installment_no", "Installment_No", Integer),
    ("voucher_number", "SRM_Voucher_Number", Value),
    ("accepted", "SRM_Active", Value),
    ("decline_reason", "SRM_Decline_Reason", Value),
    ("note", "Note", Value),
];

const GRADES: &[Row] = &[
    ("grade_number", "Name", Value),
    ("student_zoho_id", "Student", LookupId),
    ("class_zoho_id", "Class", LookupId),
    ("unit_name", "BTEC_Unit", Value),
    ("btec_grade_name", "BTEC_Grade_Name", Value),
    ("grade", "Grade", Value),
    ("grade_status", "Grade_Status", Value),
    ("attempt_number", "Attempt_Number", Integer),
    ("grade_date", "Attempt_Date", Date),
    ("feedback", "Feedback", Value),
    ("composite_key", "Moodle_Grade_Composite_Key", Value),
    ("moodle_grade_id", "Moodle_Grade_ID", Value),
    ("grader_name", "Grader_Name", Value),
    ("iv_name", "IV_Name", Value),
];

const STUDENT_REQUESTS: &[Row] = &[
    ("request_name", "Name", Value),
    ("student_zoho_id", "Student", LookupId),
    ("request_type", "Request_Type", Value),
    ("request_status", "Status", Value),
    ("reason", "Reason", Value),
    ("academic_email", "Academic_Email", Value),
    ("moodle_user_id", "Moodle_User_ID", Value),
    ("fees_amount", "Fees_Amount", Money),
    ("currency", "Currency", Value),
    ("requested_at", "Request_Date", DatetimeUtc),
];

impl Mapping {
    /// The mapping of an entity nobody has mapped yet; its version is 0.
    pub fn default_for(entity: Entity) -> Self {
        let rows = match entity {
            Entity::Programs => PROGRAMS,
            Entity::Units => UNITS,
            Entity::Teachers => TEACHERS,
            Entity::Students => STUDENTS,
            Entity::Classes => CLASSES,
            Entity::Registrations => REGISTRATIONS,
            Entity::Enrollments => ENROLLMENTS,
            Entity::Payments => PAYMENTS,
            Entity::Grades => GRADES,
            Entity::StudentRequests => STUDENT_REQUESTS,
        };
        let rules = rows
            .iter()
            .map(|(column, field, transform)| Rule {
                column: (*column).to_owned(),
                field: (*field).to_owned(),
                transform: *transform,
            })
            .collect();
        Self {
            entity,
            module: entity.default_module().to_owned(),
            version: 0,
            rules,
        }
    }
}
