//! A plan or a run as CSV: one row for each change, then what is left alone.

use super::csv_table::CsvTable;
use super::document::Document;
use super::rows::{self, Row};
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
    // Without a byte order mark Excel reads UTF-8 in the machine's own code page.
    let mut table = CsvTable::new("\u{feff}", COLUMNS);
    let run = document.run_id().map(|run| run.to_string()).unwrap_or_default();
    let mut add = |row: &Row<'_>| table.add(cells(row, &run));
    rows::changes(document, &mut add);
    rows::left_alone(document, &mut add);
    table.text()
}

fn cells<'a>(row: &Row<'a>, run: &'a str) -> [&'a str; 12] {
    let Row { kind, action, subject, project, attribute, reason, okta_id, .. } = *row;
    let (before, after) = (row.before.unwrap_or_default(), row.after.unwrap_or_default());
    let outcome = row.outcome.map(Outcome::as_str).unwrap_or_default();
    let outcome_reason = row.outcome.and_then(Outcome::why).unwrap_or_default();
    [kind, action, subject, project, attribute, before, after, reason, okta_id, outcome, outcome_reason, run]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::problem::{Problem, ProblemKind};
    use crate::plan::Plan;
    use crate::plan::op::{Member, ProjectAction, ProjectOp, Removal};

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
