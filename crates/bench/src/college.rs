//! An invented college in simulated Zoho and Moodle, served from this process.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use chrono::TimeDelta;
use mzi_simulators::{
    faults::{Effect, Fault},
    invented::person,
    moodle::{Content, MoodleOptions, MoodleSimulator, User},
    zoho::{ZohoOptions, ZohoSimulator},
};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::proof;

const SEED: u64 = 7;
const CLASSES_EACH: usize = 3;
const CLASS_SIZE: usize = 25;
/// Nothing has called for this long: all is done.
const QUIET: Duration = Duration::from_secs(1);
const QUIET_LIMIT: Duration = Duration::from_secs(120);

/// Both simulators and what they were filled with.
pub struct College {
    /// The simulated CRM.
    pub zoho: ZohoSimulator,
    /// The simulated site.
    pub moodle: MoodleSimulator,
    /// Zoho ids of the students.
    pub students: Vec<String>,
    /// Zoho ids of the classes.
    pub classes: Vec<String>,
    /// Zoho ids of the enrolments.
    pub enrolments: Vec<String>,
    /// Serves both; ends with this value.
    _runtime: Runtime,
}

/// What is there before the bridge comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Students with classes in Zoho, nobody in Moodle.
    NobodyInMoodle,
    /// Students without classes, each with a Moodle user that carries their id.
    EverybodyInMoodle,
}

impl College {
    /// Founds it; every call to either side takes at least `latency`.
    pub fn open(students: u32, before: Before, latency: Duration) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let nobody = ZohoOptions {
            students: 0,
            ..ZohoOptions::default()
        };
        let zoho = runtime.block_on(ZohoSimulator::start(nobody))?;
        let bare = MoodleOptions {
            content: Content::Bare,
            ..MoodleOptions::default()
        };
        let moodle = runtime.block_on(MoodleSimulator::start(bare))?;
        let (ids, classes, enrolments) = (Vec::new(), Vec::new(), Vec::new());
        let mut college = Self {
            zoho,
            moodle,
            students: ids,
            classes,
            enrolments,
            _runtime: runtime,
        };
        // A day old: a record changed within the last seconds would be looked at twice.
        college.zoho.advance(TimeDelta::days(-1));
        college.admit(students, before)?;
        college.zoho.advance(TimeDelta::days(1));
        let slow = Fault::always(Effect::Latency {
            ms: u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
        });
        if !latency.is_zero() {
            college.zoho.fault(slow.clone());
            college.moodle.fault(slow);
        }
        Ok(college)
    }

    /// How the bridge is told of both sides: live, with every service.
    pub fn environment(&self) -> [(&'static str, String); 11] {
        let steps = "backend,zoho,moodle,database,mapping,webhooks,golive";
        [
            ("ALLOW_PRIVATE_HOSTS", "true".to_owned()),
            ("SETUP_COMPLETED_STEPS", steps.to_owned()),
            ("WEBHOOK_MODE", "none".to_owned()),
            ("ZOHO_ACCOUNTS_URL", self.zoho.base_url().to_owned()),
            ("ZOHO_API_URL", self.zoho.base_url().to_owned()),
            ("ZOHO_CLIENT_ID", self.zoho.client_id().to_owned()),
            ("ZOHO_CLIENT_SECRET", self.zoho.client_secret().to_owned()),
            ("ZOHO_REFRESH_TOKEN", self.zoho.refresh_token().to_owned()),
            ("MOODLE_BASE_URL", self.moodle.base_url().to_owned()),
            ("MOODLE_TOKEN", self.moodle.token().to_owned()),
            ("MOODLE_PLUGIN_KEY_ID", "primary".to_owned()),
        ]
    }

    /// Signs reads of a student address as this site's plugin does.
    pub fn reads(&self, target: &str) -> proof::PluginReads {
        proof::PluginReads::of(self.moodle.base_url(), target)
    }

    /// Moodle users that belong to a student.
    pub fn linked_users(&self) -> Vec<User> {
        let mut users = self.moodle.users();
        users.retain(|user| !user.idnumber.is_empty());
        users
    }

    /// Calls both sides have received.
    pub fn calls(&self) -> u64 {
        self.zoho.calls().total + self.moodle.calls().total
    }

    /// How often records were read from Zoho.
    pub fn record_reads(&self) -> u64 {
        let calls = self.zoho.calls();
        calls.of("records.list") + calls.of("records.read")
    }

    /// Waits until neither side has been called for a second.
    pub fn settle(&self) -> Result<()> {
        let began = Instant::now();
        let mut calls = self.calls();
        loop {
            sleep(QUIET);
            let now = self.calls();
            if now == calls {
                return Ok(());
            }
            if began.elapsed() > QUIET_LIMIT {
                bail!("the bridge was still calling after {QUIET_LIMIT:?}");
            }
            calls = now;
        }
    }

    fn admit(&mut self, students: u32, before: Before) -> Result<()> {
        let programme = json!({"Product_Name": "Invented Studies", "MoodleID": "1"});
        let programme = self.zoho.insert("Products", &programme)?;
        for number in 0..usize::try_from(students)? {
            let who = person(SEED, number);
            let student = json!({
                "First_Name": who.first_name, "Last_Name": who.last_name,
                "Display_Name": format!("{} {}", who.first_name, who.last_name),
                "Academic_Email": who.academic_email, "Email": who.personal_email,
                "Phone_Number": format!("+90 555 {number:07}"), "City": "Amman",
                "Nationality": "Jordanian", "Status": "Active", "Program": {"id": programme},
            });
            let id = self.zoho.insert("BTEC_Students", &student)?;
            if before == Before::EverybodyInMoodle {
                let user = User {
                    username: who.academic_email.clone(),
                    idnumber: id.clone(),
                    firstname: who.first_name,
                    lastname: who.last_name,
                    email: who.academic_email,
                    ..User::default()
                };
                self.moodle.add_user(user);
            }
            self.students.push(id);
        }
        match before {
            Before::NobodyInMoodle => self.teach(&programme),
            Before::EverybodyInMoodle => Ok(()),
        }
    }

    /// Three classes for each student.
    fn teach(&mut self, programme: &str) -> Result<()> {
        let wanted = (self.students.len() * CLASSES_EACH)
            .div_ceil(CLASS_SIZE)
            .max(CLASSES_EACH);
        for number in 0..wanted {
            let class = json!({
                "Class_Name": format!("Invented class {number}"),
                "Class_Short_Name": format!("IC{number:05}"), "Class_Status": "Active",
                "Start_Date": "2026-01-01", "End_Date": "2099-12-31",
                "BTEC_Program": {"id": programme},
            });
            self.classes.push(self.zoho.insert("BTEC_Classes", &class)?);
        }
        for (number, student) in self.students.iter().enumerate() {
            let mine = self
                .classes
                .iter()
                .cycle()
                .skip(number * CLASSES_EACH)
                .take(CLASSES_EACH);
            for class in mine {
                let enrolment = json!({
                    "Enrolled_Students": {"id": student}, "Classes": {"id": class},
                    "Start_Date": "2026-01-01", "End_Date": "2099-12-31",
                    "Enrollment_Type": "Normal",
                });
                self.enrolments
                    .push(self.zoho.insert("BTEC_Enrollments", &enrolment)?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_student_has_three_classes_and_nobody_a_user() {
        let college = College::open(10, Before::NobodyInMoodle, Duration::ZERO).unwrap();
        assert_eq!((college.students.len(), college.enrolments.len()), (10, 30));
        assert!(college.linked_users().is_empty());
    }

    #[test]
    fn every_student_has_a_user_that_carries_their_id() {
        let college = College::open(4, Before::EverybodyInMoodle, Duration::ZERO).unwrap();
        let users: Vec<String> = college
            .linked_users()
            .into_iter()
            .map(|user| user.idnumber)
            .collect();
        assert_eq!(users, college.students);
    }
}
