//! One student's way from Zoho to their own page, told step by step.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use mzi_ports::{Clock, IdSource};
use serde_json::{Value, json};

use super::{PLUGIN_SECRET, Stage, token};
use crate::{
    cli::say,
    system::{SystemClock, Uuids},
};

/// How long one step may take before the story is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a step is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The clock of the story.
struct Teller {
    start: Instant,
}

/// Tells it.
pub(super) async fn tell(stage: &Stage, key: &str) -> Result<()> {
    let ready = || async {
        reqwest::get(format!("{}/health/ready", stage.bridge))
            .await
            .ok()
    };
    until("the bridge to be ready", || async {
        ready().await.filter(|answer| answer.status().is_success())
    })
    .await?;
    until("the notification channels", || async {
        (stage.zoho.channels().len() >= 10).then_some(())
    })
    .await?;
    let teller = Teller {
        start: Instant::now(),
    };
    teller.step("Zoho        notification channels are registered for every module");

    let class = class(stage)?;
    teller.step(&format!(
        "Zoho        an active class is there, record {class}"
    ));
    let student = stage
        .zoho
        .insert("BTEC_Students", &student())
        .map_err(refused)?;
    let name = "Lina O'Hara-Haddad (لينا حداد)";
    teller.step(&format!(
        "Zoho        a registrar adds {name}, record {student}"
    ));
    let enrolment = json!({"Enrolled_Students": {"id": student}, "Classes": {"id": class}});
    let enrolment = stage
        .zoho
        .insert("BTEC_Enrollments", &enrolment)
        .map_err(refused)?;
    teller.step(&format!(
        "Zoho        … and enrols her in class {class}, record {enrolment}"
    ));

    let user = until("the Moodle user", || async {
        stage
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == student)
    })
    .await?;
    teller.step(&format!(
        "Moodle      user {} exists: {}, ID number {}",
        user.id, user.username, user.idnumber
    ));

    let idnumber = format!("zoho:{class}");
    let course = until("the Moodle course", || async {
        stage
            .moodle
            .courses()
            .into_iter()
            .find(|course| course.idnumber == idnumber)
    })
    .await?;
    teller.step(&format!(
        "Moodle      course {} exists: {}",
        course.id, course.fullname
    ));

    until("the enrolment", || async {
        let enrolled = |enrolment: &mzi_simulators::moodle::Enrolment| {
            enrolment.user_id == user.id && enrolment.course_id == course.id
        };
        stage.moodle.enrolments().iter().any(enrolled).then_some(())
    })
    .await?;
    teller.step("Moodle      she is enrolled");

    let written = until("the id in Zoho", || async {
        let record = stage.zoho.record("BTEC_Students", &student)?;
        record.get("Student_Moodle_ID")?.as_str().map(str::to_owned)
    })
    .await?;
    teller.step(&format!(
        "Zoho        her record says Student_Moodle_ID = {written}"
    ));

    let profile = read(stage, user.id, "/api/v1/student/profile").await?;
    teller.step(&format!(
        "Student API her profile: {}",
        profile.pointer("/data/names").unwrap_or(&Value::Null)
    ));
    let classes = until("the class in the student API", || async {
        let classes = read(stage, user.id, "/api/v1/student/classes").await.ok()?;
        let active = classes.pointer("/data/items/0/enrolment/status")? == "active";
        active.then_some(classes)
    })
    .await?;
    let class = classes
        .pointer("/data/items/0/name")
        .unwrap_or(&Value::Null);
    teller.step(&format!("Student API her class: {class}, enrolment active"));
    for issue in issues(stage, key).await? {
        let (message, code) = (text(&issue, "message"), text(&issue, "code"));
        teller.step(&format!("Issue       {message} ({code})"));
    }
    Ok(())
}

impl Teller {
    fn step(&self, text: &str) {
        say(format!(
            "{:>6.2} s  {text}",
            self.start.elapsed().as_secs_f64()
        ));
    }
}

fn student() -> Value {
    json!({
        "First_Name": "Lina",
        "Last_Name": "O'Hara-Haddad",
        "Frist_Name_Native": "لينا",
        "Last_Name_Native": "حداد",
        "Display_Name": "Lina O'Hara-Haddad",
        "Academic_Email": "lina.ohara-haddad@students.northfield.example",
        "Phone_Number": "+962790000000",
        "City": "Amman",
        "Status": "Active",
    })
}

/// A class with its programme, unit and teacher; the teacher has no Moodle account, on purpose.
fn class(stage: &Stage) -> Result<String> {
    let insert = |module: &str, record: Value| stage.zoho.insert(module, &record).map_err(refused);
    let program = insert("Products", json!({"Product_Name": "Computing"}))?;
    let unit = insert(
        "BTEC",
        json!({"Name": "Programming", "Unit_Code": "COMP-U01"}),
    )?;
    let teacher = insert(
        "BTEC_Teachers",
        json!({"Name": "Iñes D'Souza", "Academic_Email": "ines.dsouza@northfield.example"}),
    )?;
    insert(
        "BTEC_Classes",
        json!({
            "Class_Name": "Programming, group 1",
            "Class_Short_Name": "COMP-U01-1",
            "Class_Status": "Active",
            "BTEC_Program": {"id": program},
            "Unit": {"id": unit},
            "Teacher": {"id": teacher},
        }),
    )
}

/// Asks as the plugin would on the student's behalf.
async fn read(stage: &Stage, user: u64, target: &str) -> Result<Value> {
    let now = SystemClock.now().timestamp();
    let site = stage.moodle.base_url();
    let token = token::for_reading(PLUGIN_SECRET, site, user, target, now, &Uuids.next())?;
    let client = reqwest::Client::builder().build()?;
    let answer = client
        .get(format!("{}{target}", stage.bridge))
        .bearer_auth(token)
        .send()
        .await?;
    if !answer.status().is_success() {
        bail!("the student API answered {}", answer.status());
    }
    answer
        .json()
        .await
        .context("the student API did not answer JSON")
}

/// What a person should look at.
async fn issues(stage: &Stage, key: &str) -> Result<Vec<Value>> {
    let url = format!("{}/api/v1/admin/issues", stage.bridge);
    let client = reqwest::Client::builder().build()?;
    let list: Value = client
        .get(url)
        .bearer_auth(key)
        .send()
        .await?
        .json()
        .await?;
    let items = list.get("items").and_then(Value::as_array);
    Ok(items.cloned().unwrap_or_default())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Looks until there is something to see.
async fn until<T, F>(what: &str, look: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Option<T>>,
{
    let waited = Instant::now();
    while waited.elapsed() < PATIENCE {
        if let Some(seen) = look().await {
            return Ok(seen);
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(anyhow!("waited {} seconds for {what}", PATIENCE.as_secs()))
}

fn refused(refusal: impl std::fmt::Debug) -> anyhow::Error {
    anyhow!("the Zoho simulator refused the record: {refusal:?}")
}
