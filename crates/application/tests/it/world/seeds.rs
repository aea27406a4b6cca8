//! Invented people and classes in Zoho, and what is known of them in Moodle.

use std::collections::BTreeSet;

use mzi_domain::{
    Entity, FieldValue, Mapping, MoodleCategoryId, MoodleCourseId, MoodleUserId,
    account::AccountUpdate,
};
use mzi_ports::{
    Lms,
    crm::CrmField,
    lms::{Enrolment, UserUpdate},
    testing::fake_crm::FakeCrm,
};

use super::World;
use crate::ids::{CLASS, LINA, PROGRAM, SEAT, TEACHER, UNIT};

/// Fields the bridge writes and does not read.
const WRITTEN: [&str; 2] = ["Synced_to_Moodle", "Last_Sync_Date"];
/// A field of the default mapping that real accounts lack (`contracts`: no status on enrolments).
const LACKING: &str = "Enrollment_Status";

/// Makes every module known with the fields of the default mapping.
pub fn define_modules(crm: &FakeCrm) {
    for entity in Entity::ALL {
        let rules = Mapping::default_for(entity).rules;
        let names: BTreeSet<&str> = rules
            .iter()
            .map(|rule| rule.field.as_str())
            .chain(WRITTEN)
            .filter(|name| *name != LACKING)
            .collect();
        crm.define(
            entity.default_module(),
            names.into_iter().map(field).collect(),
        );
    }
}

fn field(name: &str) -> CrmField {
    CrmField {
        api_name: name.into(),
        label: name.into(),
        data_type: "text".into(),
        length: Some(255),
        unique: false,
        read_only: false,
        lookup_module: None,
        picklist: Vec::new(),
    }
}

/// A text field.
pub fn text(raw: &str) -> FieldValue {
    FieldValue::Text(raw.into())
}

/// A lookup field.
pub fn lookup(id: &str) -> FieldValue {
    FieldValue::Lookup {
        id: id.into(),
        name: None,
    }
}

/// Seeding Zoho, without a notice.
impl World {
    /// A student with an academic address made from the name.
    pub fn has_student(&self, id: &str, first: &str, last: &str) {
        let address = academic(first, last);
        self.crm.seed(
            "BTEC_Students",
            id,
            [
                ("Name", text(&format!("A{}", &id[12..]))),
                ("First_Name", text(first)),
                ("Last_Name", text(last)),
                ("Academic_Email", text(&address)),
            ],
        );
    }

    /// Lina Haddad.
    pub fn has_lina(&self) {
        self.has_student(LINA, "Lina", "Haddad");
    }

    /// A class with this status, in no programme, with no teacher.
    pub fn has_class(&self, id: &str, short_name: &str, status: &str) {
        self.crm.seed(
            "BTEC_Classes",
            id,
            [
                ("Class_Name", text(&format!("Class {short_name}"))),
                ("Class_Short_Name", text(short_name)),
                ("Class_Status", text(status)),
            ],
        );
    }

    /// The active class PROG-A, in no programme, with no teacher.
    pub fn has_active_class(&self) {
        self.has_class(CLASS, "PROG-A", "Active");
    }

    /// An enrolment of a student in a class.
    pub fn has_seat(&self, id: &str, student: &str, class: &str) {
        self.crm.seed(
            "BTEC_Enrollments",
            id,
            [
                ("Name", text(&format!("E{}", &id[12..]))),
                ("Enrolled_Students", lookup(student)),
                ("Classes", lookup(class)),
            ],
        );
    }

    /// A teacher with this academic address.
    pub fn has_teacher(&self, id: &str, name: &str, address: &str) {
        self.crm.seed(
            "BTEC_Teachers",
            id,
            [("Name", text(name)), ("Academic_Email", text(address))],
        );
    }

    /// Lina, the class, and her enrolment.
    pub fn has_lina_enrolled(&self) {
        self.has_lina();
        self.has_active_class();
        self.has_seat(SEAT, LINA, CLASS);
    }

    /// A whole small college: programme, unit, teacher (with an account), class, student, seat.
    pub fn has_college(&self) {
        self.crm.seed(
            "Products",
            PROGRAM,
            [("Product_Name", text("Computing")), ("MoodleID", text("7"))],
        );
        self.crm.seed("BTEC", UNIT, [("Name", text("Programming"))]);
        self.has_teacher(TEACHER, "Sami Nasser", "sami.nasser@college.example");
        self.has_lina_enrolled();
        self.crm
            .edit("BTEC_Students", LINA, [("Program", lookup(PROGRAM))]);
        self.crm.edit(
            "BTEC_Classes",
            CLASS,
            [
                ("BTEC_Program", lookup(PROGRAM)),
                ("Unit", lookup(UNIT)),
                ("Teacher", lookup(TEACHER)),
            ],
        );
        self.lms.add_category(category(7), "Computing");
        self.lms.add_user(
            "sami.nasser@college.example",
            "sami.nasser@college.example",
            "",
        );
    }
}

/// The address of a student with this name.
pub fn academic(first: &str, last: &str) -> String {
    format!("{first}.{last}@students.college.example").to_lowercase()
}

fn category(id: i64) -> MoodleCategoryId {
    MoodleCategoryId::new(id).unwrap()
}

/// What an administrator does in Moodle.
impl World {
    /// Renames a user.
    pub async fn call_user(&self, id: MoodleUserId, first: &str, last: &str) {
        let fields = AccountUpdate {
            first_name: Some(first.into()),
            last_name: Some(last.into()),
            ..AccountUpdate::default()
        };
        self.change_user(UserUpdate {
            id,
            idnumber: None,
            fields,
        })
        .await;
    }

    /// Gives a user an ID number.
    pub async fn give_idnumber(&self, id: MoodleUserId, idnumber: &str) {
        let fields = AccountUpdate::default();
        let idnumber = Some(idnumber.into());
        self.change_user(UserUpdate {
            id,
            idnumber,
            fields,
        })
        .await;
    }

    async fn change_user(&self, update: UserUpdate) {
        let outcomes = self.lms.update_users(&[update]).await.unwrap();
        assert_eq!(outcomes, [Ok(())]);
    }
}

/// Finding things in Moodle again.
impl World {
    /// The one Moodle user of a student.
    pub fn user_of(&self, student: &str) -> MoodleUserId {
        let mut users = self.lms.users();
        users.retain(|user| user.idnumber == student);
        assert_eq!(users.len(), 1, "users of {student}: {users:?}");
        users[0].id
    }

    /// The one Moodle course of a class.
    pub fn course_of(&self, class: &str) -> MoodleCourseId {
        let mut courses = self.lms.courses();
        courses.retain(|course| course.found.idnumber == format!("zoho:{class}"));
        assert_eq!(courses.len(), 1, "courses of {class}: {courses:?}");
        courses[0].found.id
    }

    /// A student's enrolment in a class, if there is one.
    pub fn enrolment(&self, student: &str, class: &str) -> Option<Enrolment> {
        self.lms
            .enrolment(self.user_of(student), self.course_of(class))
    }

    /// Whether a student takes part in a class.
    pub fn takes_part(&self, student: &str, class: &str) -> bool {
        self.enrolment(student, class)
            .is_some_and(|seat| !seat.suspended)
    }

    /// The value of a field in Zoho, as text.
    pub fn in_zoho(&self, module: &str, id: &str, field: &str) -> Option<String> {
        match self.crm.find(module, id)?.remove(field)? {
            FieldValue::Text(text) | FieldValue::Number(text) => Some(text),
            _ => None,
        }
    }
}
