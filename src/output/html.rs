//! A plan or a run as one HTML file for an auditor. `report.html` is the page: its style and its script are the only ones that its
//! policy lets run, and it loads nothing. All texts go through `markup`.

use super::chart;
use super::document::Document;
use super::markup::{Html, filled};
use super::rows::{self, Row};
use super::summary::{self, Change, Count, Effect, List, told};
use super::text::{count, counted};

const PAGE: &str = include_str!("report.html");

/// The whole page.
pub fn render(document: &Document<'_>) -> String {
    let changes = summary::changes(document);
    let (all, left) = (all_changes(document), left_alone(document));
    let text = |text: &str| {
        let mut html = Html::default();
        html.text(text);
        html
    };
    let servers = format!("{} → {}", document.okta, document.activepieces);
    let pieces = [
        ("title", text(&format!("oktapieces: {}, {servers}", document.title()))),
        ("header", header(document, &servers)),
        ("nav", nav(&changes, &left)),
        ("alerts", alerts(document)),
        ("totals", totals(document)),
        ("chart", chart::of(document.plan)),
        ("access", access(document, &changes)),
        ("changes", all),
        ("left", left),
        ("footer", text(&document.origin().join(" · "))),
    ];
    filled(PAGE, &pieces)
}

fn header(document: &Document<'_>, servers: &str) -> Html {
    let mut html = Html::default();
    html.element("h1", &[], &document.title());
    html.element("p", &[], servers);
    let mut origin = document.origin();
    if !document.plan.is_empty() {
        origin.push(format!("plan {}", document.hash));
    }
    html.element("p", &[("class", "muted")], &origin.join(" · "));
    html
}

fn nav(changes: &[Change<'_>], left: &Html) -> Html {
    let mut html = Html::default();
    html.element("a", &[("href", "#totals")], "Totals");
    if !changes.is_empty() {
        html.element("a", &[("href", "#access")], "Changes of access");
    }
    html.element("a", &[("href", "#changes")], "All changes");
    if !left.is_empty() {
        html.element("a", &[("href", "#left")], "Left alone");
    }
    html
}

/// What an auditor has to see first: refusals, an untrusted read, and what a run didn't do.
fn alerts(document: &Document<'_>) -> Html {
    let mut html = Html::default();
    for refusal in document.refusals {
        let way = refusal.flag(document.hash);
        let way = way.map_or("nothing allows this".to_owned(), |flag| format!("{flag} allows exactly this"));
        alert(&mut html, "Refused", &format!("{refusal}; {way}"));
    }
    for shrunk in &document.plan.shrunk {
        alert(&mut html, "The Okta data looks incomplete, so nothing is removed", &shrunk.to_string());
    }
    if let Some(report) = document.report {
        let (done, all) = report.done_of();
        let told = format!("{} of {} done", count(done), counted(all, "operation", "operations"));
        if done < all {
            alert(&mut html, "Not all is done", &told);
        } else {
            html.element("p", &[], &told);
        }
    } else if document.run.is_some() {
        html.element("p", &[], "The run wrote nothing.");
    }
    html
}

fn alert(html: &mut Html, title: &str, text: &str) {
    html.open("div", &[("class", "alert")]).element("strong", &[], title);
    html.element("p", &[], text).close("div");
}

fn totals(document: &Document<'_>) -> Html {
    let plan = document.plan;
    let mut html = Html::default();
    html.open("section", &[("id", "totals"), ("aria-labelledby", "totals-title")]);
    html.element("h2", &[("id", "totals-title")], if plan.is_empty() { "No changes" } else { "Totals" });
    html.open("div", &[("class", "totals")]);
    if !plan.is_empty() {
        list(&mut html, ("Takes away", "takes"), summary::taken(plan));
        list(&mut html, ("Gives", "gives"), summary::given(plan));
        list(&mut html, ("Routine", ""), summary::routine(plan));
    }
    list(&mut html, ("Left as it is", ""), summary::unchanged(plan));
    html.close("div");
    if let Some(without) = summary::without_account(plan) {
        html.element("p", &[], &format!("{without}."));
    }
    html.close("section");
    html
}

fn list(html: &mut Html, (title, class): (&str, &str), counts: Vec<Count>) {
    if counts.is_empty() {
        return;
    }
    html.open("div", &[]).element("h3", &[("class", class)], title).open("ul", &[]);
    for counted in counts {
        html.open("li", &[]).element("b", &[], &count(counted.number));
        html.element("span", &[], counted.what()).close("li");
    }
    html.close("ul").close("div");
}

/// Each change of access by its kind, before and after next to each other.
fn access(document: &Document<'_>, changes: &[Change<'_>]) -> Html {
    let mut html = Html::default();
    if changes.is_empty() {
        return html;
    }
    html.open("section", &[("id", "access"), ("aria-labelledby", "access-title")]);
    html.element("h2", &[("id", "access-title")], "Changes of access");
    for List { title, columns, rows } in summary::lists(document, changes) {
        table(&mut html, &title, &columns, rows.into_iter().map(|cells| (Attributes::default(), cells)));
    }
    html.close("section");
    html
}

/// Every change, with the form that filters them.
fn all_changes(document: &Document<'_>) -> Html {
    let mut rows = Vec::new();
    rows::changes(document, &mut |row| {
        if let Some(effect) = Effect::of(row) {
            rows.push(change(row, effect, document));
        }
    });
    let mut html = Html::default();
    html.open("section", &[("id", "changes"), ("aria-labelledby", "changes-title")]);
    html.element("h2", &[("id", "changes-title")], "All changes");
    if rows.is_empty() {
        html.element("p", &[], "There are none.");
    } else {
        form(&mut html);
        let columns =
            ["User or project", "In project", "Change", "Effect", "Attribute", "Before", "After", "Why", "Okta id"];
        let title = format!("{} of users, projects, members and invitations", counted(rows.len(), "change", "changes"));
        table(&mut html, &title, &with_outcome(&columns, document), rows.into_iter());
    }
    html.close("section");
    html
}

/// A row of the table of all changes; what the form filters by is in its attributes.
fn change(row: &Row<'_>, effect: Effect, document: &Document<'_>) -> (Attributes, Vec<String>) {
    let (value, shown) = match effect {
        Effect::Takes => ("takes", "−\u{a0}takes"),
        Effect::Gives => ("gives", "+\u{a0}gives"),
        Effect::Changes => ("changes", "~\u{a0}changes"),
    };
    let attributes = Attributes { kind: kind(row), effect: value };
    let (name, within) = if row.subject.is_empty() { (row.project, "") } else { (row.subject, row.project) };
    let texts = [name, within, row.action, shown, row.attribute];
    let values = [row.before.unwrap_or_default(), row.after.unwrap_or_default(), row.reason, row.okta_id];
    let cells = texts.into_iter().chain(values).map(str::to_owned);
    (attributes, cells.chain(document.report.map(|_| told(row.outcome))).collect())
}

fn kind(row: &Row<'_>) -> &'static str {
    match (row.kind, row.subject) {
        ("invitation", _) => "invitation",
        ("user", _) if !row.project.is_empty() => "member",
        ("user", _) => "user",
        (_, "") => "project",
        _ => "member",
    }
}

/// The script shows the form: without one it can do nothing.
fn form(html: &mut Html) {
    html.open("form", &[("id", "filter"), ("role", "search"), ("aria-label", "Filter the changes"), ("hidden", "")]);
    html.open("div", &[]).element("label", &[("for", "search")], "Search for a user, a project or a value");
    html.open("input", &[("type", "search"), ("id", "search"), ("name", "search"), ("autocomplete", "off")]);
    html.close("div");
    let kinds = [
        ("", "all"),
        ("user", "accounts"),
        ("project", "projects"),
        ("member", "members of projects"),
        ("invitation", "invitations"),
    ];
    select(html, ("kind", "Changes of"), &kinds);
    let effects = [("", "any"), ("takes", "takes away"), ("gives", "gives"), ("changes", "changes only")];
    select(html, ("effect", "Effect"), &effects);
    html.element("button", &[("type", "reset")], "Show all");
    html.element("p", &[("id", "found"), ("role", "status")], "").close("form");
}

fn select(html: &mut Html, (name, label): (&str, &str), options: &[(&str, &str)]) {
    html.open("div", &[]).element("label", &[("for", name)], label).open("select", &[("id", name), ("name", name)]);
    for (value, shown) in options {
        html.element("option", &[("value", value)], shown);
    }
    html.close("select").close("div");
}

/// Problems, what is deferred or accepted, warnings, and what didn't persist.
fn left_alone(document: &Document<'_>) -> Html {
    const KINDS: [(&str, &str); 6] = [
        ("account", "Accounts"),
        ("problem", "Problems"),
        ("held", "Deferred"),
        ("diverged", "Not persisted: the server returned 200, but reading it again shows other values"),
        ("accepted", "Accepted problems"),
        ("warning", "Warnings"),
    ];
    let mut found: [Vec<(Attributes, Vec<String>)>; 6] = Default::default();
    rows::left_alone(document, &mut |row| {
        if let Some(at) = KINDS.iter().position(|(kind, _)| *kind == row.kind) {
            found[at].push((Attributes::default(), [row.subject, row.action, row.reason].map(str::to_owned).to_vec()));
        }
    });
    let mut html = Html::default();
    if found.iter().all(Vec::is_empty) {
        return html;
    }
    html.open("section", &[("id", "left"), ("aria-labelledby", "left-title")]);
    html.element("h2", &[("id", "left-title")], "Left alone, and worth knowing");
    for ((_, title), rows) in KINDS.iter().zip(found) {
        table(&mut html, &format!("{title}: {}", count(rows.len())), &["About", "What", "Why"], rows.into_iter());
    }
    html.close("section");
    html
}

/// What the form filters a row by; empty where it doesn't.
#[derive(Clone, Copy, Debug, Default)]
struct Attributes {
    kind: &'static str,
    effect: &'static str,
}

fn with_outcome<'a>(columns: &[&'a str], document: &Document<'_>) -> Vec<&'a str> {
    let outcome = document.report.map(|_| "Outcome");
    columns.iter().copied().chain(outcome).collect()
}

/// A table with a caption, if it has a row. The first cell names its row. A narrow screen scrolls it, by keyboard too.
fn table(
    html: &mut Html,
    title: &str,
    columns: &[&str],
    rows: impl ExactSizeIterator<Item = (Attributes, Vec<String>)>,
) {
    if rows.len() == 0 {
        return;
    }
    html.open("div", &[("class", "scroll"), ("role", "region"), ("aria-label", title), ("tabindex", "0")]);
    html.open("table", &[]).element("caption", &[], title).open("thead", &[]).open("tr", &[]);
    for column in columns {
        html.element("th", &[("scope", "col")], column);
    }
    html.close("tr").close("thead").open("tbody", &[]);
    for (attributes, cells) in rows {
        row(html, attributes, &cells);
    }
    html.close("tbody").close("table").close("div");
}

fn row(html: &mut Html, Attributes { kind, effect }: Attributes, cells: &[String]) {
    if kind.is_empty() {
        html.open("tr", &[]);
    } else {
        html.open("tr", &[("data-kind", kind), ("data-effect", effect)]);
    }
    for (at, cell) in cells.iter().enumerate() {
        match at {
            0 => html.element("th", &[("scope", "row")], if cell.is_empty() { "–" } else { cell }),
            _ => html.element("td", &[], cell),
        };
    }
    html.close("tr");
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// What the page has between these two marks.
    fn between<'a>(from: &str, to: &str) -> &'a str {
        PAGE.split_once(from).unwrap().1.split_once(to).unwrap().0
    }

    #[test]
    fn the_policy_allows_exactly_the_style_and_the_script_of_the_page() {
        for (kind, text) in [("style", between("<style>", "</style>")), ("script", between("<script>", "</script>"))] {
            let hash = STANDARD.encode(digest(&SHA256, text.as_bytes()));
            let allowed = format!("{kind}-src 'sha256-{hash}';");
            assert!(PAGE.contains(&allowed), "the policy of report.html needs {allowed}");
        }
        assert_eq!(PAGE.matches("<script").count(), 1);
        assert!(between("Content-Security-Policy\" content=\"", "\"").starts_with("default-src 'none'; "));
        assert!(
            ["http://", "https://", "url(", "@import", "src=", "style=", "onclick"]
                .iter()
                .all(|mark| !PAGE.contains(mark))
        );
    }
}
