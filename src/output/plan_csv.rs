//! A plan as CSV, for spreadsheets and scripts that read tables: one row for each change, then what is left alone.
//!
//! Names come from the directory, and a spreadsheet takes a cell that begins with `=` for a formula. Such a cell gets an
//! apostrophe before it (OWASP: CSV Injection); control characters are shown escaped, and all cells are quoted.

use csv::{QuoteStyle, Writer, WriterBuilder};

use super::plan_text::{because, why};
use super::text::visible;
use crate::model::problem::Problem;
use crate::plan::Plan;
use crate::plan::op::{ProjectAction, ProjectOp, UserAction, UserOp};

const COLUMNS: Row<'static> = Row {
    kind: "kind",
    action: "action",
    subject: "subject",
    project: "project",
    attribute: "attribute",
    before: "before",
    after: "after",
    reason: "reason",
};

/// One line. What doesn't apply is empty.
#[derive(Clone, Copy, Debug, Default)]
struct Row<'a> {
    /// `user`, `project`, `invitation`, `problem`, `accepted`, `held` or `warning`.
    kind: &'a str,
    action: &'a str,
    /// A user name; for a problem its subject.
    subject: &'a str,
    project: &'a str,
    attribute: &'a str,
    before: &'a str,
    after: &'a str,
    reason: &'a str,
}

/// The whole plan after a line of column names.
pub fn render(plan: &Plan) -> String {
    let mut table = Table(WriterBuilder::new().quote_style(QuoteStyle::Always).from_writer(Vec::new()));
    table.add(COLUMNS);
    for op in &plan.users {
        table.user(op);
    }
    for op in &plan.projects {
        table.project(op);
    }
    for op in &plan.invitations {
        let grant = op.grant.to_string();
        let row = Row { kind: "invitation", action: "revoke", subject: &op.user_name, ..Row::default() };
        table.add(Row { attribute: "invitation", before: &grant, reason: &op.reason, ..row });
    }
    for problem in &plan.problems {
        let place = problem.location.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        let reason = format!("{}{place}", problem.message);
        let row = Row { kind: "problem", action: problem.kind.as_str(), ..Row::default() };
        table.add(Row { subject: &problem.subject, reason: &reason, ..row });
    }
    for accepted in &plan.accepted {
        let Problem { kind, subject, .. } = &accepted.problem;
        let until = accepted.until.map(|until| format!(" (until {until})")).unwrap_or_default();
        let reason = format!("{}{until}", accepted.why);
        table.add(Row { kind: "accepted", action: kind.as_str(), subject, reason: &reason, ..Row::default() });
    }
    for held in &plan.held {
        let reason = because(&held.because);
        table.add(Row { kind: "held", action: &held.what, subject: &held.subject, reason: &reason, ..Row::default() });
    }
    for warning in &plan.warnings {
        table.add(Row { kind: "warning", reason: warning, ..Row::default() });
    }
    table.text()
}

/// The lines so far.
struct Table(Writer<Vec<u8>>);

impl Table {
    fn add(&mut self, row: Row<'_>) {
        let Row { kind, action, subject, project, attribute, before, after, reason } = row;
        let cells = [kind, action, subject, project, attribute, before, after, reason].map(harmless);
        #[expect(clippy::expect_used, reason = "memory takes every row, and all rows have the same columns")]
        self.0.write_record(&cells).expect("a row in memory");
    }

    /// All of it, the last line without its end.
    fn text(self) -> String {
        let bytes = self.0.into_inner().unwrap_or_default();
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }

    fn user(&mut self, op: &UserOp) {
        let reason = why(op);
        let row = Row { kind: "user", action: op.action.as_str(), subject: &op.user_name, ..Row::default() };
        let row = Row { reason: &reason, ..row };
        let created = op.attributes.as_ref().filter(|_| op.action == UserAction::Create);
        if let Some(attributes) = created {
            let names = [("givenName", &attributes.given_name), ("familyName", &attributes.family_name)];
            for (attribute, after) in names.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))) {
                self.add(Row { attribute, after, ..row });
            }
            self.add(Row { attribute: "platformRole", after: attributes.platform_role.as_str(), ..row });
            return;
        }
        for change in &op.changes {
            let before = change.from.as_deref().unwrap_or_default();
            self.add(Row { attribute: change.attribute.as_str(), before, after: &change.to, ..row });
        }
        for left in &op.replaces {
            self.add(Row { attribute: "userName", before: &left.user_name, after: &op.user_name, ..row });
            for copied in &left.copies {
                let role = copied.role.as_deref().unwrap_or_default();
                let row = Row { action: "copy member", project: &copied.name, ..row };
                self.add(Row { attribute: "projectRole", after: role, ..row });
            }
        }
        if op.changes.is_empty() && op.replaces.is_empty() {
            self.add(row);
        }
    }

    fn project(&mut self, op: &ProjectOp) {
        let row = Row { kind: "project", project: &op.name, ..Row::default() };
        let itself = Row { action: op.action.as_str(), ..row };
        match &op.action {
            ProjectAction::Create | ProjectAction::Adopt => self.add(itself),
            ProjectAction::Relink { from } => {
                self.add(Row { attribute: "externalId", before: from.as_str(), after: op.group.as_str(), ..itself });
            }
            ProjectAction::Rename { from } => {
                self.add(Row { attribute: "displayName", before: from, after: &op.name, ..itself });
            }
            ProjectAction::Delete { .. } => self.add(Row { reason: "its group isn't pushed any more", ..itself }),
            ProjectAction::Members => {}
        }
        for member in &op.add {
            let row = Row { action: "add member", subject: &member.user_name, ..row };
            let reason = member.role_reason.as_deref().unwrap_or_default();
            self.add(match &member.role {
                Some(role) => Row { attribute: "projectRole", after: role, reason, ..row },
                None => row,
            });
        }
        for removal in &op.remove {
            self.add(Row { action: "remove member", subject: &removal.user_name, reason: &removal.reason, ..row });
        }
        for change in &op.roles {
            let row = Row { action: "set role", subject: &change.user_name, attribute: "projectRole", ..row };
            self.add(Row { before: &change.from, after: &change.to, reason: &change.reason, ..row });
        }
    }
}

/// The text as no spreadsheet takes it for a formula, full-width and small signs included.
fn harmless(text: &str) -> String {
    let text = visible(text);
    let seen = text.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c));
    let formula = seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−']);
    if formula { format!("'{text}") } else { text }
}

/// Whether a character isn't shown, and may be dropped by a program that reads the cell: Unicode's
/// `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt, 16.0).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::problem::ProblemKind;
    use crate::plan::op::{Member, Removal};

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
            "\u{200b}=1",
            "\u{feff}=1",
            " \u{2060}\u{ad}+1",
            "﹦1",
        ] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        // A tab or a line break never reaches the file, so that neither hides what follows it.
        assert_eq!(harmless("\t=1"), "\\u{9}=1");
        assert_eq!(harmless("\r\n=1"), "\\u{d}\\u{a}=1");
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
        op.remove.push(Removal { user_name: "x\ny".into(), account: "a1".into(), reason, okta_id: None, role: None });
        let problems = vec![Problem::new("-bob", ProblemKind::TwoAccounts, "@two")];
        let text = render(&Plan { projects: vec![op], problems, ..Plan::default() });
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = ["kind", "action", "subject", "project", "attribute", "before", "after", "reason"];
        assert_eq!(reader.headers().unwrap(), headers.as_slice());
        let rows: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        let project = "'=cmd|' /C calc'!A1";
        assert_eq!(
            rows,
            [
                ["project", "rename", "", project, "displayName", "a\",\"b", project, ""],
                ["project", "add member", "'+ada@example.com", project, "", "", "", ""],
                ["project", "remove member", "x\\u{a}y", project, "", "", "", "left, for good"],
                ["problem", "two_accounts", "'-bob", "", "", "", "", "'@two"],
            ]
        );
    }
}
