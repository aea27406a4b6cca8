//! The gradebook's user report as cells of an HTML table. The first row is a category and the
//! second a filler without a name, so readers must not expect the same keys in every row.

use serde_json::{Value, json};

use super::{
    Call, Function,
    grade_report::{Line, Report, percent, report_fields, reports},
};
use crate::moodle::{options::MoodleVersion, refusal::Refusal, wire::params::Args};

const LINE: &str = "level2 item b1b";
const TOTAL: &str = "level1 d1 baggt b2b";

pub(super) fn get_grades_table() -> Function {
    Function {
        name: "gradereport_user_get_grades_table",
        fields: report_fields(),
        look: None,
        run: grades_table,
    }
}

fn grades_table(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let tables: Vec<Value> = reports(call, args)?.iter().map(table).collect();
    Ok(json!({"tables": tables, "warnings": []}))
}

fn table(report: &Report<'_>) -> Value {
    let ids = report.site.gradebook.total_of(report.course.id);
    let row = Row {
        user: report.user.id,
        category: ids.category_id,
    };
    let mut rows = vec![
        row.heading(&report.course.fullname),
        row.filler(report.lines.len()),
    ];
    rows.extend(report.lines.iter().map(|line| row.line(line, report)));
    rows.push(row.total(ids.item_id, report));
    json!({
        "courseid": report.course.id,
        "userid": report.user.id,
        "userfullname": report.user.fullname(),
        "maxdepth": 2,
        "tabledata": rows,
    })
}

/// What the cells of one table have in common.
struct Row {
    user: u64,
    category: u64,
}

/// The texts of one row after its name.
struct Cells {
    weight: String,
    grade: String,
    range: String,
    percentage: String,
    feedback: String,
    contribution: String,
}

impl Row {
    fn heading(&self, course: &str) -> Value {
        json!({
            "itemname": {
                "class": "level1 d1 b1b b1t category column-itemname",
                "colspan": 8,
                "content": format!("<div><span>{course}</span></div>"),
                "id": format!("cat_{}_{}", self.category, self.user),
            },
            "parentcategories": [],
        })
    }

    fn filler(&self, lines: usize) -> Value {
        json!({
            "leader": {"class": "level1 d1 b1t b2b b1l", "rowspan": lines + 2},
            "parentcategories": [self.category],
        })
    }

    fn line(&self, line: &Line<'_>, report: &Report<'_>) -> Value {
        let link = report
            .site
            .url_of(&format!("/mod/assign/view.php?id={}", line.item.cmid));
        let name = format!(
            "<div><span>Assignment</span><a href=\"{link}\">{}</a></div>",
            line.item.name
        );
        let contribution = line
            .grade
            .map(|grade| percent(grade.value / report.total.max));
        let cells = Cells {
            weight: line.weight.map_or_else(|| "-".to_owned(), percent),
            grade: grade_cell(line, report.site.version),
            range: line.range(),
            percentage: line.percentage(),
            feedback: text_or_space(line.grade.map(|grade| grade.feedback.as_str())),
            contribution: contribution.unwrap_or_else(|| "-".to_owned()),
        };
        self.row(LINE, line.item.id, &name, cells)
    }

    fn total(&self, item_id: u64, report: &Report<'_>) -> Value {
        let name = "<div><span>Aggregation</span><span>Course total</span></div>";
        let cells = Cells {
            weight: "-".to_owned(),
            grade: report.total.formatted(),
            range: report.total.range(),
            percentage: report.total.percentage(),
            feedback: text_or_space(None),
            contribution: "-".to_owned(),
        };
        self.row(TOTAL, item_id, name, cells)
    }

    fn row(&self, level: &str, item: u64, name: &str, cells: Cells) -> Value {
        let cell = |column: &str, align: &str, content: String| {
            json!({
                "class": format!("{level} {align} column-{column}"),
                "content": content,
                "headers": format!(
                    "cat_{}_{user} row_{item}_{user} {column}{user}",
                    self.category,
                    user = self.user
                ),
            })
        };
        json!({
            "itemname": {
                "class": format!("{level} column-itemname"),
                "colspan": 1,
                "content": name,
                "id": format!("row_{item}_{}", self.user),
            },
            "weight": cell("weight", "itemcenter", cells.weight),
            "grade": cell("grade", "itemcenter", cells.grade),
            "range": cell("range", "itemcenter", cells.range),
            "percentage": cell("percentage", "itemcenter", cells.percentage),
            "feedback": cell("feedback", "feedbacktext", cells.feedback),
            "contributiontocoursetotal":
                cell("contributiontocoursetotal", "itemcenter", cells.contribution),
            "parentcategories": [self.category],
        })
    }
}

/// 5.1 wraps the grade to put a menu beside it.
fn grade_cell(line: &Line<'_>, version: MoodleVersion) -> String {
    match version {
        MoodleVersion::V4_5 => line.formatted(),
        MoodleVersion::V5_1 => format!("<div><div>{}</div></div>", line.formatted()),
    }
}

fn text_or_space(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty())
        .unwrap_or("&nbsp;")
        .to_owned()
}
