//! The gradebook's user report as data. This is where final grades are read from: it also knows
//! the grades `mod_assign_get_grades` loses (`contracts/moodle.md` §4).

use serde_json::{Value, json};

use super::{Call, Function};
use crate::moodle::{
    access::{Capability, role},
    refusal::Refusal,
    site::{Course, Grade, GradeItem, Site, User},
    wire::{
        clean::Kind,
        params::{Arg, Args, Field, or, required},
    },
};

pub(super) fn get_grade_items() -> Function {
    Function {
        name: "gradereport_user_get_grade_items",
        fields: report_fields(),
        look: None,
        run: grade_items,
    }
}

pub(super) fn report_fields() -> Vec<Field> {
    vec![
        required("courseid", Kind::Int),
        or("userid", Kind::Int, Arg::Int(0)),
        or("groupid", Kind::Int, Arg::Int(0)),
    ]
}

fn grade_items(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let reports: Vec<Value> = reports(call, args)?.iter().map(shown).collect();
    Ok(json!({"usergrades": reports, "warnings": []}))
}

/// One learner's report of one course.
pub(super) struct Report<'a> {
    pub(super) site: &'a Site,
    pub(super) course: &'a Course,
    pub(super) user: &'a User,
    pub(super) lines: Vec<Line<'a>>,
    pub(super) total: Total,
}

/// One column with the learner's grade in it.
pub(super) struct Line<'a> {
    pub(super) item: &'a GradeItem,
    pub(super) grade: Option<&'a Grade>,
    /// The column's part of the total.
    pub(super) weight: Option<f64>,
}

/// The course's total: natural weighting, ungraded columns left out.
pub(super) struct Total {
    pub(super) value: Option<f64>,
    pub(super) max: f64,
    pub(super) graded_at: Option<i64>,
}

/// The reports asked for: of one user, enrolled or not, or of every learner with access.
pub(super) fn reports<'a>(call: &'a Call<'_>, args: &Args) -> Result<Vec<Report<'a>>, Refusal> {
    let course = call.enter(args.id("courseid"))?;
    call.require(Capability::ViewGradeReport)?;
    call.require(Capability::ViewAllGrades)?;
    let site = &*call.site;
    let users = match args.id("userid") {
        0 => learners(call, course.id),
        id => vec![
            site.users
                .get(id)
                .ok_or_else(|| Refusal::missing_user(site.version))?,
        ],
    };
    Ok(users
        .into_iter()
        .map(|user| report(site, course, user))
        .collect())
}

fn learners<'a>(call: &'a Call<'_>, course_id: u64) -> Vec<&'a User> {
    let active = call
        .site
        .enrolments
        .in_course(course_id)
        .filter(|enrolment| {
            enrolment.is_active(call.now) && enrolment.roles.contains(&role::STUDENT)
        });
    let mut users: Vec<&User> = active
        .filter_map(|enrolment| call.site.users.get(enrolment.user_id))
        .collect();
    users.sort_by(|a, b| (&a.lastname, &a.firstname, a.id).cmp(&(&b.lastname, &b.firstname, b.id)));
    users
}

fn report<'a>(site: &'a Site, course: &'a Course, user: &'a User) -> Report<'a> {
    let items = site.gradebook.items_in(course.id);
    let graded: Vec<(&GradeItem, Option<&Grade>)> = items
        .into_iter()
        .map(|item| (item, site.gradebook.grade(item.id, user.id)))
        .collect();
    let total = total(&graded);
    let lines = graded.into_iter().map(|(item, grade)| Line {
        item,
        grade,
        weight: grade.map(|_| rounded(item.max / total.max)),
    });
    Report {
        site,
        course,
        user,
        lines: lines.collect(),
        total,
    }
}

fn total(lines: &[(&GradeItem, Option<&Grade>)]) -> Total {
    let graded: Vec<(&GradeItem, &Grade)> = lines
        .iter()
        .filter_map(|(item, grade)| Some((*item, (*grade)?)))
        .collect();
    if graded.is_empty() {
        let max = lines.iter().map(|(item, _)| item.max).sum();
        return Total {
            value: None,
            max,
            graded_at: None,
        };
    }
    Total {
        value: Some(graded.iter().map(|(_, grade)| grade.value).sum()),
        max: graded.iter().map(|(item, _)| item.max).sum(),
        graded_at: graded.iter().map(|(_, grade)| grade.graded_at).max(),
    }
}

/// Moodle keeps five decimals.
fn rounded(number: f64) -> f64 {
    (number * 100_000.0).round() / 100_000.0
}

impl Line<'_> {
    pub(super) fn formatted(&self) -> String {
        self.grade
            .map_or_else(dash, |grade| self.item.words(grade.value))
    }

    pub(super) fn percentage(&self) -> String {
        let part = |grade: &Grade| {
            percent((grade.value - self.item.min()) / (self.item.max - self.item.min()))
        };
        self.grade.map_or_else(dash, part)
    }

    pub(super) fn range(&self) -> String {
        match (self.item.scale.first(), self.item.scale.last()) {
            (Some(worst), Some(best)) => format!("{worst}&ndash;{best}"),
            _ => format!("{:.0}&ndash;{:.0}", self.item.min(), self.item.max),
        }
    }
}

impl Total {
    pub(super) fn formatted(&self) -> String {
        self.value.map_or_else(dash, |value| format!("{value:.2}"))
    }

    pub(super) fn percentage(&self) -> String {
        self.value
            .map_or_else(dash, |value| percent(value / self.max))
    }

    pub(super) fn range(&self) -> String {
        format!("0&ndash;{:.0}", self.max)
    }
}

impl GradeItem {
    /// The grade as people read it: a word of the scale, counted from 1, or two decimals.
    fn words(&self, value: f64) -> String {
        let position = (1..)
            .zip(&self.scale)
            .find(|(at, _)| f64::from(*at) == value.round());
        position.map_or_else(
            || format!("{value:.2}"),
            |(_, word): (i32, &String)| word.clone(),
        )
    }
}

pub(super) fn percent(part: f64) -> String {
    format!("{:.2} %", part * 100.0)
}

fn dash() -> String {
    "-".to_owned()
}

fn shown(report: &Report<'_>) -> Value {
    let category = report.site.gradebook.total_of(report.course.id).category_id;
    let mut items: Vec<Value> = report
        .lines
        .iter()
        .map(|line| item(line, category))
        .collect();
    items.push(course_item(report));
    json!({
        "courseid": report.course.id,
        "courseidnumber": report.course.idnumber,
        "userid": report.user.id,
        "userfullname": report.user.fullname(),
        "useridnumber": report.user.idnumber,
        "maxdepth": 2,
        "gradeitems": items,
    })
}

fn item(line: &Line<'_>, category: u64) -> Value {
    let (item, grade) = (line.item, line.grade);
    let mut shown = json!({
        "id": item.id,
        "itemname": item.name,
        "itemtype": "mod",
        "itemmodule": "assign",
        "iteminstance": item.assignment_id,
        "itemnumber": 0,
        "idnumber": item.idnumber,
        "categoryid": category,
        "outcomeid": null,
        "scaleid": null,
        "locked": false,
        "cmid": item.cmid,
        "graderaw": grade.map(|grade| grade.value),
        "gradedatesubmitted": grade.and_then(|grade| grade.submitted_at),
        "gradedategraded": grade.map(|grade| grade.graded_at),
        "gradehiddenbydate": false,
        "gradeneedsupdate": false,
        "gradeishidden": grade.is_some_and(|grade| grade.hidden),
        "gradeislocked": false,
        "gradeisoverridden": grade.is_some_and(|grade| grade.overridden),
        "gradeformatted": line.formatted(),
        "grademin": item.min(),
        "grademax": item.max,
        "rangeformatted": line.range(),
        "percentageformatted": line.percentage(),
        "feedback": grade.map(|grade| grade.feedback.as_str()).unwrap_or_default(),
        "feedbackformat": u8::from(grade.is_some()),
    });
    if let (Some(weight), Some(keys)) = (line.weight, shown.as_object_mut()) {
        keys.insert("weightraw".to_owned(), weight.into());
        keys.insert("weightformatted".to_owned(), percent(weight).into());
    }
    shown
}

fn course_item(report: &Report<'_>) -> Value {
    let total = &report.total;
    let ids = report.site.gradebook.total_of(report.course.id);
    json!({
        "id": ids.item_id,
        "itemname": null,
        "itemtype": "course",
        "itemmodule": null,
        "iteminstance": ids.category_id,
        "itemnumber": null,
        "idnumber": null,
        "categoryid": null,
        "outcomeid": null,
        "scaleid": null,
        "locked": false,
        "graderaw": total.value,
        "gradedatesubmitted": null,
        "gradedategraded": total.graded_at,
        "gradehiddenbydate": false,
        "gradeneedsupdate": false,
        "gradeishidden": false,
        "gradeislocked": false,
        "gradeisoverridden": false,
        "gradeformatted": total.formatted(),
        "grademin": 0,
        "grademax": total.max,
        "rangeformatted": total.range(),
        "percentageformatted": total.percentage(),
        "feedback": "",
        "feedbackformat": if total.value.is_some() { 2 } else { 0 },
    })
}
