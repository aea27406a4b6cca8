//! Just enough Markdown: fenced blocks, tables, links, headings and code spans.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A document of the workspace.
pub fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// The line its text begins on.
    pub line: usize,
    /// The words behind the opening fence.
    pub info: Vec<String>,
    pub text: String,
}

/// Fenced blocks that begin in the first column.
pub fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in document.lines().enumerate() {
        let fence = line.strip_prefix("```");
        match (fence, &mut open) {
            (Some(info), None) => {
                let info = info.split_whitespace().map(str::to_owned).collect();
                open = Some(Block {
                    line: at + 2,
                    info,
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The cells of every table row, without heads and rules.
pub fn rows(document: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = document.lines().collect();
    let is_row = |line: &str| line.starts_with('|');
    let is_rule = |line: &str| is_row(line) && line.chars().all(|c| "|-: ".contains(c));
    let body = lines.iter().enumerate().filter(|(at, line)| {
        let is_head = lines.get(at + 1).is_some_and(|next| is_rule(next));
        is_row(line) && !is_rule(line) && !is_head
    });
    body.map(|(_, line)| cells(line)).collect()
}

fn cells(line: &str) -> Vec<String> {
    line.trim()
        .trim_matches('|')
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}

/// What stands between single backticks, outside of fenced blocks.
pub fn code_spans(document: &str) -> Vec<String> {
    let mut fenced = false;
    let mut spans = Vec::new();
    for line in document.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    spans
}

/// The targets of links.
pub fn links(document: &str) -> Vec<String> {
    let ends = document.split("](").skip(1);
    ends.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .collect()
}

/// The anchors that headings have on the usual hosts.
pub fn anchors(document: &str) -> Vec<String> {
    let mut fenced = false;
    let mut anchors = Vec::new();
    for line in document.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if line.starts_with('#') && !fenced {
            anchors.push(anchor(line.trim_start_matches('#').trim()));
        }
    }
    anchors
}

fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c })
        .collect::<String>()
        .to_lowercase()
}

#[test]
fn a_block_knows_its_words_and_its_line() {
    let found = blocks("# A\n\n```sh test\nls\npwd\n```\nrest\n");
    let info = vec!["sh".to_owned(), "test".to_owned()];
    assert_eq!(
        found,
        [Block {
            line: 4,
            info,
            text: "ls\npwd\n".into()
        }]
    );
}

#[test]
fn only_the_body_of_a_table_is_rows() {
    let found = rows("| a | b |\n|---|---|\n| `x` | 1 |\n| y | 2 |\n\ntext | no row\n");
    assert_eq!(found, [["`x`", "1"], ["y", "2"]]);
}

#[test]
fn headings_have_the_anchors_links_use() {
    let found =
        anchors("# Bird's eye\n## 12. After setup – daily operations\n```\n# no heading\n```\n");
    assert_eq!(found, ["birds-eye", "12-after-setup--daily-operations"]);
}
