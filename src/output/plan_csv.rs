//! A plan or a run as CSV, for spreadsheets and scripts that read tables: one row for each change, then what is left alone.
//!
//! Names come from the directory, and a spreadsheet takes a cell that begins with `=` for a formula. Such a cell gets an
//! apostrophe before it (OWASP: CSV Injection); control characters are shown escaped, and all cells are quoted. The table begins
//! with a byte order mark, without which Excel reads UTF-8 in the machine's own code page.

use csv::{QuoteStyle, Writer, WriterBuilder};

use super::document::Document;
use super::rows::{self, Row};
use super::text::{is_invisible, visible};
use crate::apply::Outcome;

/// New columns come last, so that a script that counts columns goes on working.
const COLUMNS: [&str; 12] = [
    "kind",
    "action",
    "subject",
    "project",
    "attribute",
    "before",
    "after",
    "reason",
    "okta_id",
    "outcome",
    "outcome_reason",
    "run",
];

/// The whole table after a line of column names.
pub fn render(document: &Document<'_>) -> String {
    let mut table = WriterBuilder::new().quote_style(QuoteStyle::Always).from_writer("\u{feff}".as_bytes().to_vec());
    add(&mut table, &COLUMNS);
    let run = document.run_id().map(|run| run.to_string()).unwrap_or_default();
    rows::each(document, &mut |row| add(&mut table, &cells(row, &run)));
    let bytes = table.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

fn cells<'a>(row: &Row<'a>, run: &'a str) -> [&'a str; 12] {
    let Row { kind, action, subject, project, attribute, reason, okta_id, .. } = *row;
    let (before, after) = (row.before.unwrap_or_default(), row.after.unwrap_or_default());
    let outcome = row.outcome.map(Outcome::as_str).unwrap_or_default();
    let outcome_reason = row.outcome.and_then(Outcome::why).unwrap_or_default();
    [kind, action, subject, project, attribute, before, after, reason, okta_id, outcome, outcome_reason, run]
}

fn add(table: &mut Writer<Vec<u8>>, cells: &[&str; 12]) {
    #[expect(clippy::expect_used, reason = "memory takes every row, and all rows have the same columns")]
    table.write_record(cells.map(harmless)).expect("a row in memory");
}

/// The text as no spreadsheet takes it for a formula, full-width and small signs included.
pub(super) fn harmless(text: &str) -> String {
    let text = visible(text);
    let seen = text.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c));
    let formula = seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−']);
    if formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::problem::{Problem, ProblemKind};
    use crate::plan::Plan;
    use crate::plan::op::{Member, ProjectAction, ProjectOp, Removal};

    #[test]
    fn no_cell_begins_a_formula() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "  =1",
            "\u{a0}=1",
            "＝1",
            "＠x",
            "\u{200d}=1",
            "\u{fe0f}=1",
            " \u{200c}\u{fe00}+1",
            "﹦1",
        ] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        // A tab or a line break never reaches the file, so that neither hides what follows it.
        assert_eq!(harmless("\t=1"), "\\u{9}=1");
        assert_eq!(harmless("\r\n=1"), "\\u{d}\\u{a}=1");
        assert_eq!(harmless("\u{200b}\u{feff}=1"), "\\u{200b}\\u{feff}=1");
        for text in ["ada@example.com", "a=b", "", "O'Neil", "3-4"] {
            assert_eq!(harmless(text), text);
        }
    }

    #[test]
    fn hostile_names_stay_in_their_cells() {
        let mut op = ProjectOp {
            name: "=cmd|' /C calc'!A1".into(),
            group: "00g1".into(),
            project: None,
            action: ProjectAction::Rename { from: "a\",\"b".into() },
            members: 1,
            add: vec![Member {
                user_name: "+ada@example.com".into(),
                okta_id: "00u1".into(),
                account: None,
                role: None,
                role_reason: None,
            }],
            remove: Vec::new(),
            roles: Vec::new(),
        };
        let reason = "left, for good".into();
        op.remove.push(Removal {
            user_name: "x\ny".into(),
            account: "a1".into(),
            reason,
            okta_id: None,
            role: None,
            closed: None,
        });
        let problems = vec![Problem::new("-bob", ProblemKind::TwoAccounts, "@two")];
        let plan = Plan { projects: vec![op], problems, ..Plan::default() };
        let text = render(&Document::of_plan(&plan, "hash", ("okta", "activepieces")));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap(), COLUMNS.as_slice());
        let rows: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().take(9).map(str::to_owned).collect()).collect();
        let project = "'=cmd|' /C calc'!A1";
        assert_eq!(
            rows,
            [
                ["project", "rename", "", project, "displayName", "a\",\"b", project, "", "00g1"],
                ["project", "add member", "'+ada@example.com", project, "", "", "", "", "00u1"],
                ["project", "remove member", "x\\u{a}y", project, "", "", "", "left, for good", ""],
                ["problem", "two_accounts", "'-bob", "", "", "", "", "'@two", ""],
            ]
        );
    }
}
