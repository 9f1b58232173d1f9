//! Fuzz targets: one function for each parser of text from a server or a user. No input may make it panic or break the
//! property in its doc comment. The programs of `fuzz/` feed them with libFuzzer, and the tests with the seeds in
//! `fuzz/seeds/`.

use std::io::BufReader;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LINK, WWW_AUTHENTICATE};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::activepieces::wire as activepieces;
use crate::cli::expectations;
use crate::error::Kind;
use crate::expression::check::{AttributeType, Schema, Wants, check};
use crate::expression::{Context, Expression, cases};
use crate::http::Mask;
use crate::http::error_body::{self, ErrorBody};
use crate::http::link::next_cursor;
use crate::http::signals::Signals;
use crate::model::okta::{Group, GroupType, Status, User};
use crate::model::org::Extra;
use crate::model::packed::KeptAttributes;
use crate::okta::api::wire as okta;
use crate::okta::oauth::life_of_token;
use crate::output::document::Document;
use crate::output::layout::Layout;
use crate::output::{html, jsonl, markdown, plan_csv, plan_text};
use crate::plan::Past;
use crate::plan::saved::SavedPlan;
use crate::snapshot::Snapshot;
use crate::snapshot::redact::{Keep, redact};
use crate::state::known;
use crate::sync::saved;

/// A parser, fed with these bytes.
pub type Target = fn(&[u8]);

/// The parsers by the names of their programs and of their folders of seeds.
pub const TARGETS: [(&str, Target); 14] = [
    ("activepieces_json", activepieces_json),
    ("case", case),
    ("challenge", challenge),
    ("config", config),
    ("error_body", error_body),
    ("expression", expression),
    ("link", link),
    ("logins_csv", logins_csv),
    ("mask", mask),
    ("okta_json", okta_json),
    ("plan_file", plan_file),
    ("signals", signals),
    ("snapshot_file", snapshot_file),
    ("state", state),
];

/// The longest value of an expression, in bytes of JSON: a list of as many texts as fit is the worst.
const LONGEST_VALUE: usize = 1 << 24;

/// Bodies of Okta. What is kept of a user is the user.
pub fn okta_json(bytes: &[u8]) {
    for user in parsed::<Vec<User>>(bytes).into_iter().flatten() {
        let (id, packed) = user.clone().pack(&KeptAttributes::All);
        assert_eq!(packed.unpack(&id), user);
    }
    parsed::<Vec<okta::UserId>>(bytes);
    parsed::<Vec<okta::WireGroup>>(bytes);
    parsed::<Vec<okta::WholeGroup>>(bytes);
    parsed::<Vec<okta::App>>(bytes);
    parsed::<Vec<okta::AppUser>>(bytes);
    parsed::<Vec<okta::AppGroup>>(bytes);
    parsed::<Vec<okta::GroupPush>>(bytes);
    parsed::<Vec<okta::GroupRule>>(bytes);
    parsed::<Vec<okta::ProfileMapping>>(bytes);
    parsed::<Vec<okta::UserType>>(bytes);
    parsed::<okta::Schema>(bytes);
    parsed::<okta::OrgSettings>(bytes);
    parsed::<okta::WellKnownOrg>(bytes);
    assert!(life_of_token(bytes).is_none_or(|life| life < Duration::from_hours(24)));
}

/// Bodies of Activepieces.
pub fn activepieces_json(bytes: &[u8]) {
    parsed::<activepieces::ListResponse<activepieces::ListedUser>>(bytes);
    parsed::<activepieces::ListResponse<activepieces::ListedGroup>>(bytes);
    parsed::<activepieces::Page<activepieces::ListedRole>>(bytes);
    parsed::<activepieces::Page<activepieces::RestUser>>(bytes);
    parsed::<activepieces::Page<activepieces::RestProject>>(bytes);
    parsed::<activepieces::ScimUser>(bytes);
    parsed::<activepieces::ScimGroup>(bytes);
    parsed::<activepieces::ServiceProviderConfig>(bytes);
}

/// The value of a body. A long one is parsed while it arrives, with the same result.
fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let whole = serde_json::from_slice::<T>(bytes);
    let arriving = serde_json::from_reader::<_, T>(BufReader::with_capacity(7, bytes));
    assert_eq!(whole.is_ok(), arriving.is_ok());
    whole.ok()
}

/// The body of an error. Nothing of it moves the cursor of a terminal.
pub fn error_body(bytes: &[u8]) {
    let body = ErrorBody::parse(&String::from_utf8_lossy(bytes));
    let texts = body.causes.iter().chain([&body.message]).chain(&body.code).chain(&body.id);
    for text in texts {
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
}

/// A secret, and on the next lines what a server wrote. Nothing is left of the secret that could be told from other texts.
pub fn mask(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (secret, text) = text.split_once('\n').unwrap_or_default();
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let mask = Mask::default();
    mask.keep(&secret.into());
    let (secret, shown) = (letters(secret), mask.masked(text));
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    if secret.len() >= 12 {
        let mut parts = shown.split("(redacted)").flat_map(|part| part.split('…'));
        assert!(parts.all(|part| !letters(part).contains(&secret)), "{shown:?}");
    }
}

/// `WWW-Authenticate` headers, one a line. Nothing of them moves the cursor of a terminal.
pub fn challenge(bytes: &[u8]) {
    let headers = headers(&WWW_AUTHENTICATE, bytes);
    for name in ["error", "error_description", "scope", "DPoP error"] {
        let text = error_body::challenge(&headers, name).unwrap_or_default();
        assert!(!text.contains('"') && !text.chars().any(char::is_control), "{text:?}");
    }
}

/// `Link` headers, one a line. A cursor is a parameter's value and nothing else.
pub fn link(bytes: &[u8]) {
    let headers = headers(&LINK, bytes);
    let Ok(base) = Url::parse("https://example.okta.com") else { return };
    if let Ok(Some(cursor)) = next_cursor(&headers, &base) {
        assert!(!cursor.is_empty() && !cursor.contains(['&', '#', '\n']), "{cursor:?}");
    }
}

/// A header of this name for each line that can be one's value.
fn headers(name: &HeaderName, bytes: &[u8]) -> HeaderMap {
    let values = bytes.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(name, value);
    }
    headers
}

/// Headers of limits, a name and a value a line. A window never lasts longer than what is left of it by the server's clock.
pub fn signals(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 1..]));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let signals = Signals::read(&headers);
    if let (Some(left), Some(reset), Some(date)) = (signals.window_left(), signals.reset, signals.date) {
        assert!(i128::from(left.as_secs()) <= (i128::from(reset) - i128::from(date)).max(0) + 1, "{signals:?}");
    }
}

/// A config file. Every mistake in it is an error of the config.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(error) = crate::config::parse(text, "config.toml") {
        assert_eq!(error.kind, Kind::Config);
    }
}

/// A snapshot. It reads back, and redacted it has the same shape.
pub fn snapshot_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(snapshot) = Snapshot::parse(&text, "snapshot.json") else { return };
    assert!(Snapshot::parse(&snapshot.text(), "snapshot.json").is_ok_and(|again| again == snapshot));
    assert!(snapshot.okta_by_id().len() >= snapshot.okta_answers.len());
    let keys = |snapshot: &Snapshot| snapshot.okta_answers.keys().cloned().collect::<Vec<_>>();
    let before = keys(&snapshot);
    let redacted = redact(snapshot, &Keep::default());
    let redacted =
        redacted.map(|redacted| (keys(&redacted), Snapshot::parse(&redacted.text(), "snapshot.json").is_ok()));
    assert!(matches!(redacted, Ok((after, true)) if after == before));
}

/// A file of a plan. It's the same after it was written and read again, and shows nothing that a terminal, a spreadsheet or a
/// browser would act on.
pub fn plan_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    drop(saved::parse(&text, "plan.json"));
    let Ok(saved) = serde_json::from_str::<SavedPlan>(&text) else { return };
    let again = serde_json::to_string(&saved).map(|text| serde_json::from_str::<SavedPlan>(&text));
    assert!(matches!(&again, Ok(Ok(again)) if *again == saved), "{again:?}");
    let SavedPlan { okta, activepieces, hash, .. } = &saved;
    let document = Document::of_plan(&saved.plan, hash, (okta, activepieces));
    for width in [None, Some(60), Some(120)] {
        let shown = plan_text::render(&document, Layout { width, all: width.is_none() });
        assert!(is_harmless(&shown), "{shown:?}");
    }
    let table = plan_csv::render(&document);
    for row in csv::Reader::from_reader(table.as_bytes()).records() {
        let harmless =
            |row: &csv::StringRecord| row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
        assert!(row.as_ref().is_ok_and(harmless), "{row:?}");
    }
    reports(&document);
}

/// No name becomes an element of a page or of a comment, and each line of JSON is whole.
fn reports(document: &Document<'_>) {
    let (page, comment) = (html::render(document), markdown::render(document));
    assert!(is_harmless(&page) && page.matches("<script").count() == 1, "{page:?}");
    let own = ["<details>", "</details>", "<summary>", "</summary>"].map(|tag| comment.matches(tag).count());
    assert!(is_harmless(&comment) && comment.matches('<').count() == own.iter().sum::<usize>(), "{comment:?}");
    assert!(jsonl::render(document).lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

/// Whether a terminal does nothing with a text but show it, in our own styles.
fn is_harmless(text: &str) -> bool {
    const STYLES: [&str; 7] = ["[0m", "[1m", "[2m", "[31m", "[32m", "[33m", "[36m"];
    let harmful =
        |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
    let mut parts = text.split('\u{1b}');
    let start = parts.next().unwrap_or_default();
    let styled = |part: &str| STYLES.iter().any(|style| part.starts_with(style));
    !start.contains(harmful) && parts.all(|part| styled(part) && !part.contains(harmful))
}

/// What the state file keeps: a past in JSON, or the columns of a group, one a line. It's the same after it was written and
/// read again.
pub fn state(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(past) = serde_json::from_str::<Past>(&text) {
        let again = serde_json::to_string(&past).map(|text| serde_json::from_str::<Past>(&text));
        assert!(matches!(&again, Ok(Ok(again)) if *again == past), "{again:?}");
    }
    let mut lines = text.splitn(3, '\n');
    let (Some(updated), Some(read), Some(members)) = (lines.next(), lines.next(), lines.next()) else { return };
    let Some(known) = known::group(updated.to_owned(), read, members) else { return };
    let [read, members] = known::columns(&known);
    assert_eq!(known::group(updated.to_owned(), &read, &members), Some(known));
}

/// A file of logins and the roles that they are to have.
pub fn logins_csv(bytes: &[u8]) {
    for row in expectations(&String::from_utf8_lossy(bytes), "cases.csv").into_iter().flatten() {
        assert!(!row.login.is_empty() && row.line > 0);
    }
}

/// A case of an expression.
pub fn case(bytes: &[u8]) {
    if let Ok(case) = cases::Case::parse(&String::from_utf8_lossy(bytes)) {
        drop(case.check());
    }
}

/// An expression. No value grows without bound, and the trace, the check and the evaluation agree.
pub fn expression(bytes: &[u8]) {
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    let Ok(expression) = Expression::parse(source) else { return };
    let schema: Schema =
        [("text".to_owned(), AttributeType::String.into()), ("list".to_owned(), AttributeType::Array.into())].into();
    for wants in [Wants::Role, Wants::Text, Wants::GroupRule] {
        for finding in check(&expression, &schema, wants) {
            assert!(source.get(finding.span.clone()).is_some(), "{finding:?}");
        }
    }
    let user = user();
    let groups = [Arc::new(Group { id: "00g1".into(), name: "Admins".to_owned(), kind: GroupType::OktaGroup })];
    let extra = Extra::default();
    let now = jiff::Timestamp::constant(1_774_744_200, 0);
    let context = Context::new(&user, &groups).with_extra(&extra).at(now);
    let value = expression.evaluate(&context);
    if let Ok(value) = &value {
        assert!(value.to_json().to_string().len() < LONGEST_VALUE);
    }
    let steps = expression.trace(&context);
    assert!(steps.is_sorted_by_key(|step| step.span.start));
    if let Some(whole) = steps.iter().find(|step| step.span == expression.ast().span) {
        // NaN, which equals nothing, isn't a value.
        assert_eq!(format!("{:?}", whole.outcome), format!("{value:?}"));
    }
}

/// A user with an attribute of every type.
pub(crate) fn user() -> User {
    let profile = json!({
        "login": "ada@example.com", "text": "a,b😀", "empty": "", "none": null, "number": 1.5, "whole": -3, "flag": true,
        "list": ["a", "b", 1, null], "object": {"x": 1}, "time": "2026-03-29T00:30:00Z", "long": "a".repeat(5000),
    });
    let profile = if let Json::Object(profile) = profile { profile } else { serde_json::Map::new() };
    User::new("00u1".into(), Status::Active, profile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{read, read_dir};
    use std::path::Path;

    #[test]
    fn every_parser_has_a_program_and_withstands_its_seeds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        for (name, target) in TARGETS {
            assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name} isn't built");
            let program = std::fs::read_to_string(folder.join("targets").join(format!("{name}.rs"))).unwrap();
            assert!(program.contains(&format!("oktapieces::fuzzing::{name}(bytes)")), "{name}");
            let seeds = read_dir(folder.join("seeds").join(name)).unwrap();
            let fed = seeds.map(|seed| target(&read(seed.unwrap().path()).unwrap())).count();
            assert!(fed > 1, "{name} has {fed} seeds");
        }
        assert_eq!(read_dir(folder.join("targets")).unwrap().count(), TARGETS.len());
    }
}
