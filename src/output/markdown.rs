//! A plan or a run as markdown, for a comment on a pull request or a ticket. Each change of access is listed, however many there
//! are; routine is folded.
//!
//! Names come from the directory. `escaped` leaves them no markup, no line break, no mention and no link.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::document::Document;
use super::rows::{self, Row, message};
use super::summary::{self, Change, Count, List, told};
use super::text::{count, counted, safe};
use crate::plan::adoption::MatchState;

/// So many rows of routine are shown: a comment on GitHub holds 65,536 characters.
const SHOWN: usize = 100;

/// The whole document.
pub fn render(document: &Document<'_>) -> String {
    let changes = summary::changes(document);
    let sections = [
        Some(heading(document)),
        document.report.map(|_| outcome(document)),
        refused(document),
        Some(counts(document)),
        Some(of_access(document, &changes)),
        accounts(document),
        problems(document),
        routine(document, &changes),
        accepted(document),
    ];
    let sections: Vec<String> = sections.into_iter().flatten().filter(|section| !section.is_empty()).collect();
    sections.join("\n\n")
}

fn heading(document: &Document<'_>) -> String {
    let title = escaped(&document.title());
    let servers = format!("{} → {}", escaped(document.okta), escaped(document.activepieces));
    let mut origin: Vec<String> = document.origin().iter().map(|part| escaped(part)).collect();
    if !document.plan.is_empty() {
        origin.push(format!("plan {}", escaped(document.hash)));
    }
    let wrote = if document.run.is_some() && document.report.is_none() { "\n\nIt wrote nothing." } else { "" };
    let empty = if document.run.is_none() && document.plan.is_empty() { "\n\n**No changes.**" } else { "" };
    format!("## {title}: {servers}\n\n{}{wrote}{empty}", origin.join(" · "))
}

/// How much of the plan is done.
fn outcome(document: &Document<'_>) -> String {
    let Some(report) = document.report else { return String::new() };
    let (done, all) = report.done_of();
    let mut text = format!("**{} of {} done.**", count(done), counted(all, "operation", "operations"));
    let rows = report.diverged.iter().map(|found| vec![escaped(&found.subject), escaped(&found.what)]);
    push_table(&mut text, "The server returned 200, but reading it again shows other values", &["", "found"], rows);
    text
}

/// The refusals of the guards, and an untrusted read.
fn refused(document: &Document<'_>) -> Option<String> {
    let mut text = String::new();
    let way = |flag: Option<String>| flag.map_or("nothing allows this".to_owned(), |flag| format!("`{flag}`"));
    let rows = document
        .refusals
        .iter()
        .map(|refusal| vec![escaped(&refusal.to_string()), escaped_flag(&way(refusal.flag(document.hash)))]);
    push_table(&mut text, "Refused", &["why", "allowed by"], rows);
    let rows = document.plan.shrunk.iter().map(|shrunk| vec![escaped(&shrunk.to_string())]);
    push_table(&mut text, "The Okta data looks incomplete: nothing is removed", &["what"], rows);
    (!text.is_empty()).then_some(text)
}

/// A flag is the tool's own text, a hash included.
fn escaped_flag(flag: &str) -> String {
    flag.replace('|', "\\|")
}

fn counts(document: &Document<'_>) -> String {
    let plan = document.plan;
    if plan.is_empty() {
        return String::new();
    }
    let table = |title: &str, counts: Vec<Count>| {
        let rows = counts.into_iter().map(|of| format!("\n| {} | {} |", of.many, count(of.number)));
        format!("| {title} | |\n|---|---:|{}", rows.collect::<String>())
    };
    format!("{}\n\n{}", table("takes away", summary::taken(plan)), table("gives", summary::given(plan)))
}

/// Each change of access, by its kind.
fn of_access(document: &Document<'_>, changes: &[Change<'_>]) -> String {
    let mut text = String::new();
    for List { title, columns, rows } in summary::lists(document, changes) {
        let columns: Vec<String> = columns.iter().map(|column| column.to_lowercase()).collect();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let rows = rows.iter().map(|cells| cells.iter().map(|cell| escaped(cell)).collect());
        push_table(&mut text, &title, &columns, rows);
    }
    text
}

fn outcome_column(document: &Document<'_>) -> &'static [&'static str] {
    if document.report.is_some() { &["outcome"] } else { &[] }
}

/// How each account is matched that isn't linked yet.
fn accounts(document: &Document<'_>) -> Option<String> {
    let mut rows = Vec::new();
    rows::left_alone(document, &mut |row| {
        if row.kind == "account" && row.action != MatchState::Linked.as_str() {
            rows.push([row.subject, row.action, row.okta_id, row.reason].map(escaped).to_vec());
        }
    });
    let mut text = String::new();
    let title = format!("Accounts: {}", count(rows.len()));
    push_table(&mut text, &title, &["account", "state", "Okta id", "why"], rows.into_iter());
    (!text.is_empty()).then_some(text)
}

fn problems(document: &Document<'_>) -> Option<String> {
    let plan = document.plan;
    let mut text = String::new();
    let rows = plan
        .problems
        .iter()
        .map(|problem| vec![escaped(&problem.subject), escaped(problem.kind.as_str()), escaped(&message(problem))]);
    push_table(&mut text, &format!("Problems: {}", count(plan.problems.len())), &["", "kind", "what"], rows);
    let mut held = Vec::new();
    let mut warnings = Vec::new();
    rows::left_alone(document, &mut |row| match row.kind {
        "held" => held.push(vec![escaped(row.subject), escaped(row.action), escaped(row.reason)]),
        "warning" => warnings.push(vec![escaped(row.reason)]),
        _ => {}
    });
    push_table(&mut text, &format!("Deferred: {}", count(held.len())), &["", "what", "why"], held.into_iter());
    push_table(&mut text, &format!("Warnings: {}", count(warnings.len())), &["warning"], warnings.into_iter());
    if let Some(without) = summary::without_account(plan) {
        let gap = if text.is_empty() { "" } else { "\n\n" };
        text.extend([gap, &escaped(&without), "."]);
    }
    (!text.is_empty()).then_some(text)
}

/// The changes that aren't in a list above, folded.
fn routine(document: &Document<'_>, changes: &[Change<'_>]) -> Option<String> {
    let listed: BTreeSet<&str> =
        changes.iter().filter(|change| change.project.is_none()).filter_map(|change| change.user).collect();
    let (mut all, mut shown) = (0, Vec::new());
    rows::changes(document, &mut |row| {
        if is_routine(row, &listed) {
            all += 1;
            if shown.len() < SHOWN {
                shown.push(cells(row, document));
            }
        }
    });
    let counts: Vec<String> =
        summary::routine(document.plan).into_iter().map(|of| format!("{} {}", count(of.number), of.what())).collect();
    let counts = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
    let title = format!("{}{counts}", counted(all, "routine change", "routine changes"));
    let columns = [&["change", "", "attribute", "before", "after", "why"], outcome_column(document)].concat();
    let rest = match all - shown.len() {
        0 => String::new(),
        rest => format!("\n\n… and {} more, which `--format csv` lists.", count(rest)),
    };
    (all > 0).then(|| folded(&title, &format!("{}{rest}", table(&columns, shown.into_iter()))))
}

/// Whether a change is in none of the lists of changes of access; `listed` are the users in them.
fn is_routine(row: &Row<'_>, listed: &BTreeSet<&str>) -> bool {
    match (row.kind, row.action) {
        ("user", "copy member") => !row.after.is_some_and(|role| role.eq_ignore_ascii_case("Admin")),
        ("user", _) => !listed.contains(row.subject) || ["givenName", "familyName"].contains(&row.attribute),
        ("project", "delete" | "remove member") => false,
        ("project", "add member" | "set role") => !row.after.is_some_and(|role| role.eq_ignore_ascii_case("Admin")),
        (kind, _) => kind == "project",
    }
}

fn cells(row: &Row<'_>, document: &Document<'_>) -> Vec<String> {
    let names: Vec<&str> = [row.subject, row.project].into_iter().filter(|name| !name.is_empty()).collect();
    let texts = [row.attribute, row.before.unwrap_or_default(), row.after.unwrap_or_default(), row.reason];
    let mut cells = vec![format!("{} {}", row.kind, escaped(row.action)), escaped(&names.join(" · "))];
    cells.extend(texts.map(escaped));
    cells.extend(document.report.map(|_| escaped(&told(row.outcome))));
    cells
}

fn accepted(document: &Document<'_>) -> Option<String> {
    let accepted = &document.plan.accepted;
    let rows = accepted.iter().map(|accepted| {
        let until = accepted.until.map(|until| until.to_string()).unwrap_or_default();
        let problem = &accepted.problem;
        vec![escaped(&problem.subject), escaped(problem.kind.as_str()), escaped(&accepted.why), until]
    });
    let title = counted(accepted.len(), "accepted problem", "accepted problems");
    (!accepted.is_empty()).then(|| folded(&title, &table(&["", "kind", "why", "until"], rows)))
}

/// A part that is closed at first. The empty line lets what follows be markdown.
fn folded(title: &str, text: &str) -> String {
    format!("<details><summary>{title}</summary>\n\n{text}\n\n</details>")
}

/// Adds a table under a heading, if it has a row.
fn push_table(text: &mut String, title: &str, columns: &[&str], rows: impl ExactSizeIterator<Item = Vec<String>>) {
    if rows.len() == 0 {
        return;
    }
    let gap = if text.is_empty() { "" } else { "\n\n" };
    text.extend([gap, "### ", title, "\n\n", &table(columns, rows)]);
}

fn table(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        // A text takes all that is written to it.
        _ = write!(text, "\n| {} |", row.join(" | "));
    }
    text
}

/// A text as markdown that shows exactly it, on one line and in the cell of a table.
///
/// GitHub looks for mentions and references in what is rendered, so that no escape helps there: a space of no width goes after
/// their sign, as Renovate does it. An e-mail address has a letter or a digit before its `@`, which makes it none.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let shown = safe(text);
    let mut before = None;
    for (at, c) in shown.char_indices() {
        let rest = &shown[at + c.len_utf8()..];
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '~' | '!' | '$' => out.extend(['\\', c]),
            '@' if !before.is_some_and(|c: char| c.is_ascii_alphanumeric()) => out.push_str("@&#8203;"),
            '#' => out.push_str("\\#&#8203;"),
            // No link is made of `https\://` or `www\.`.
            ':' if rest.starts_with("//") => out.push_str("\\:"),
            '.' if ends_with_www(&out) => out.push_str("\\."),
            '-' | '+' | '=' if before.is_none() => out.extend(['\\', c]),
            _ => out.push(c),
        }
        before = Some(c);
    }
    out
}

fn ends_with_www(text: &str) -> bool {
    text.as_bytes().last_chunk::<3>().is_some_and(|end| end.eq_ignore_ascii_case(b"www"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_markup_mention_or_link() {
        for (text, expected) in [
            ("ada@example.com", "ada@example.com"),
            ("@acme/admins", "@&#8203;acme/admins"),
            ("a @b", "a @&#8203;b"),
            ("ä@b", "ä@&#8203;b"),
            ("a|b", "a\\|b"),
            ("</details><script>", "&lt;/details&gt;&lt;script&gt;"),
            ("`x` **y** _z_", "\\`x\\` \\*\\*y\\*\\* \\_z\\_"),
            ("[x](https://evil.example)", "\\[x\\](https\\://evil.example)"),
            ("www.evil.example", "www\\.evil.example"),
            ("WWW.evil.example", "WWW\\.evil.example"),
            ("fixes #12", "fixes \\#&#8203;12"),
            ("- item", "\\- item"),
            ("a\nb\u{202e}c", "a\\\\u\\{a\\}b\\\\u\\{202e\\}c"),
            ("&#64;", "&amp;\\#&#8203;64;"),
            ("\\", "\\\\"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }
}
