//! `oktapieces eval --cases`, `--summary` and `--from-okta`: tests the mapping against expected values.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::json;

use crate::config::Settings;
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::expression::cases::Case;
use crate::files;
use crate::mapping::attributes;
use crate::mapping::from_okta::{Listed, Verdict};
use crate::model::PlatformRole;
use crate::model::desired::{DesiredState, DesiredUser};
use crate::model::known::KnownOrg;
use crate::okta::{self, Okta};
use crate::output::json::FORMAT_VERSION;
use crate::output::text::{ADD, REMOVE, counted, styled, visible};
use crate::sync::context::Context;
use crate::sync::expressions::{self, Expressions};
use crate::sync::session::{load, okta_client};

/// More than any file of cases has, in bytes.
const LARGEST: u64 = 64 << 20;
/// Users who are read side by side; the client's own pace decides how many requests are sent.
const SIDE_BY_SIDE: usize = 32;

/// A case that didn't end as it had to.
struct FailedCase {
    line: usize,
    /// The expression, or the login.
    subject: String,
    expected: String,
    actual: String,
}

/// What the file's cases came to.
#[derive(Default)]
struct Checked {
    cases: usize,
    differences: Vec<FailedCase>,
}

/// Checks the cases of a file and counts the roles of the scope, whichever is asked for.
pub async fn run(cases: Option<&Path>, summary: bool, context: &Context) -> Result<u8> {
    let mut answer = json!({ "format_version": FORMAT_VERSION });
    let mut texts = Vec::new();
    let mut code = EXIT_OK;
    let is_csv = |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let mut org = if summary || cases.is_some_and(is_csv) { Some(Org::open(context).await?) } else { None };
    if let Some(path) = cases {
        let checked = match &org {
            Some(org) if is_csv(path) => org.check_logins(path).await?,
            _ => check_expressions(path)?,
        };
        if !checked.differences.is_empty() {
            code = Kind::Failed.exit_code();
        }
        let list = checked.differences.iter().map(|found| {
            let subject = if is_csv(path) { "login" } else { "expression" };
            json!({"line": found.line, subject: found.subject, "expected": found.expected, "actual": found.actual})
        });
        (answer["cases"], answer["differences"]) = (checked.cases.into(), list.collect());
        texts.push(checked.render());
    }
    if let (true, Some(org)) = (summary, &mut org) {
        let (roles, problems) = org.count_roles(context).await?;
        texts.push(summary_line(&roles, problems));
        answer["summary"] = json!({"roles": roles, "problems": problems});
        if problems > 0 && code == EXIT_OK {
            code = Kind::Partial.exit_code();
        }
    }
    if context.printer.json {
        context.printer.answer_json(&answer);
    } else {
        context.printer.answer(&texts.join("\n"));
    }
    Ok(code)
}

/// `12 ADMIN, 30 OPERATOR, 4,210 MEMBER, 3 problems`
fn summary_line(roles: &BTreeMap<&'static str, usize>, problems: usize) -> String {
    let role = |role: PlatformRole| {
        counted(roles.get(role.as_str()).copied().unwrap_or_default(), role.as_str(), role.as_str())
    };
    let roles_without = roles.get("null");
    let roles = [PlatformRole::Admin, PlatformRole::Operator, PlatformRole::Member].map(role);
    let null = roles_without.map(|count| format!("{}, ", counted(*count, "null", "null"))).unwrap_or_default();
    format!("{}, {null}{}.", roles.join(", "), counted(problems, "problem", "problems"))
}

impl Checked {
    fn render(&self) -> String {
        let mut lines: Vec<String> = self
            .differences
            .iter()
            .map(|FailedCase { line, subject, expected, actual }| {
                let (expected, actual) = (styled(ADD, visible(expected)), styled(REMOVE, visible(actual)));
                format!("line {line}: {}\n  expected {expected}\n  gives    {actual}", visible(subject))
            })
            .collect();
        let cases = counted(self.cases, "case", "cases");
        lines.push(format!("{cases}, {}.", counted(self.differences.len(), "difference", "differences")));
        lines.join("\n")
    }
}

/// Evaluates every case of a file of expressions, of which each names all that it needs.
fn check_expressions(path: &Path) -> Result<Checked> {
    let text = read(path)?;
    let mut checked = Checked::default();
    let mut broken = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        checked.cases += 1;
        match Case::parse(line) {
            Err(why) => broken.push(format!("{}:{}: {why}", path.display(), at + 1)),
            Ok(case) => checked.differences.extend(case.check().err().map(|found| FailedCase {
                line: at + 1,
                subject: case.expression,
                expected: found.expected,
                actual: found.actual,
            })),
        }
    }
    let hint = "each line is a JSON object with \"expression\", \"user\", \"groups\", and \"result\" or \"error\"";
    refuse(&broken, hint)?;
    Ok(checked)
}

fn read(path: &Path) -> Result<String> {
    let bytes = files::read(path, LARGEST)
        .map_err(|refusal| Error::new(Kind::Config, format!("the file of cases {} {refusal}", path.display())))?;
    decoded(bytes).map_err(|error| error.context(format!("reading {}", path.display())))
}

/// The text of a file, without the byte order mark that Windows begins it with.
fn decoded(bytes: Vec<u8>) -> Result<String> {
    // No text has the character NUL, and in UTF-16 each ASCII character has one.
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
        return Err(Error::new(Kind::Config, "the file is in UTF-16").hint("save it as UTF-8"));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::new(Kind::Config, "the file is not in UTF-8").hint("save it as UTF-8"))?;
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

fn refuse(broken: &[String], hint: &str) -> Result<()> {
    if broken.is_empty() { Ok(()) } else { Err(Error::new(Kind::Config, broken.join("\n")).hint(hint)) }
}

/// A line of a CSV file: who, and the role that is expected; none for an error.
pub struct Expected {
    pub line: usize,
    pub login: String,
    pub role: String,
}

/// The lines of the text of a CSV file that is called `name`; a first line that names the columns is passed over.
pub fn expectations(text: &str, name: &str) -> Result<Vec<Expected>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    if text.lines().next().is_some_and(|first| first.contains(';') && !first.contains(',')) {
        return Err(Error::new(Kind::Config, format!("{name}:1: the fields are separated by semicolons"))
            .hint("save the file with commas between the fields"));
    }
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    for (at, record) in reader.records().enumerate() {
        let line = record
            .as_ref()
            .ok()
            .and_then(|record| record.position())
            .map_or(at + 1, |place| line_of(text, place.byte()));
        match record.as_ref().map(|record| record.iter().collect::<Vec<_>>()).as_deref() {
            Ok(["login", _]) if at == 0 => {}
            Ok([login, role])
                if !login.is_empty() && (["error", "null"].contains(role) || PlatformRole::parse(role).is_some()) =>
            {
                rows.push(Expected { line, login: (*login).to_owned(), role: (*role).to_owned() });
            }
            Ok(fields) => {
                broken.push(format!("{name}:{line}: {:?} isn't a login and a role", fields.join(",")));
            }
            Err(error) => broken.push(format!("{name}:{line}: {error}")),
        }
    }
    refuse(&broken, "each line is a login and ADMIN, MEMBER, OPERATOR, null, or error where none is to come out")?;
    Ok(rows)
}

/// The line of a record as an editor counts it. The reader's own count is taken before the line feed of a CR LF, and
/// before empty lines.
fn line_of(text: &str, byte: u64) -> usize {
    let (before, record) = text.as_bytes().split_at(usize::try_from(byte).unwrap_or(usize::MAX).min(text.len()));
    let passed = record.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    1 + before.iter().chain(passed).filter(|byte| **byte == b'\n').count()
}

/// The org and the mapping whose results are looked at.
struct Org {
    okta: Okta,
    settings: Settings,
    expressions: Expressions,
}

impl Org {
    async fn open(context: &Context) -> Result<Self> {
        let settings = load(context)?;
        let okta = okta_client(&settings)?;
        let expressions = expressions::read(&okta, &settings, settings.from_okta).await?;
        expressions.warned().iter().for_each(|warning| context.printer.warning(warning));
        Ok(Self { okta, settings, expressions })
    }

    /// Whether the mapping gives all users in the file the expected role.
    async fn check_logins(&self, path: &Path) -> Result<Checked> {
        let rows = expectations(&read(path)?, &path.display().to_string())?;
        let cases = rows.len();
        let needs = self.expressions.mapping.needs();
        let checks = stream::iter(rows).map(async |row| {
            let reading = okta::read_user(&self.okta, &row.login, &self.settings.scope, &needs).await?;
            let actual =
                reading.map_or_else(|| "no user of this login".to_owned(), |reading| self.role_of(&reading.org));
            let is_error = actual != "null" && PlatformRole::parse(&actual).is_none();
            let good = if row.role == "error" { is_error } else { actual == row.role };
            Ok((!good).then_some(FailedCase { line: row.line, subject: row.login, expected: row.role, actual }))
        });
        let found: Result<Vec<Option<FailedCase>>> = checks.buffered(SIDE_BY_SIDE).try_collect().await;
        Ok(Checked { cases, differences: found?.into_iter().flatten().collect() })
    }

    /// The role of the one user of a read, or why there is none.
    fn role_of(&self, org: &crate::model::org::Org) -> String {
        let user =
            org.users.keys().next().map(|id| attributes::user(id, org, &self.expressions.mapping, Timestamp::now()));
        match user.map(|user| user.state) {
            Some(DesiredState::Present(attributes)) if attributes.role_is_null => "null".to_owned(),
            Some(DesiredState::Present(attributes)) => attributes.platform_role.as_str().to_owned(),
            Some(DesiredState::Problem(problems)) => {
                problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
            }
            Some(DesiredState::Left(leave)) => leave.as_str().to_owned(),
            Some(DesiredState::Untouched(status)) => format!("left alone, being {status}"),
            None => "no user was read".to_owned(),
        }
    }

    /// How many in scope get each role, and how many none for a problem.
    async fn count_roles(&mut self, context: &Context) -> Result<(BTreeMap<&'static str, usize>, usize)> {
        let needs = self.expressions.mapping.needs();
        let reading = okta::read(&self.okta, &self.settings.scope, &[], &needs, &KnownOrg::default(), &|_| ()).await?;
        let reading = reading.of_whole_scope()?;
        reading.warnings.iter().for_each(|warning| context.printer.warning(warning));
        self.expressions.settle(&reading.org);
        self.expressions.refuse(&self.settings, context.printer.colours_stderr())?;
        let desired = attributes::desired(&reading.org, &self.expressions.mapping, Timestamp::now());
        let mut roles = BTreeMap::new();
        let mut problems = 0;
        for DesiredUser { state, .. } in desired.users.values() {
            match state {
                DesiredState::Present(attributes) if attributes.role_is_null => *roles.entry("null").or_insert(0) += 1,
                DesiredState::Present(attributes) => *roles.entry(attributes.platform_role.as_str()).or_insert(0) += 1,
                DesiredState::Problem(_) => problems += 1,
                DesiredState::Left(_) | DesiredState::Untouched(_) => {}
            }
        }
        Ok((roles, problems))
    }
}

/// Lists the expressions of the app's profile mapping, each with a verdict.
pub async fn list_from_okta(context: &Context) -> Result<u8> {
    let settings = load(context)?;
    if settings.scope.app.is_none() {
        return Err(Error::new(Kind::Config, "the config names no Okta app whose mapping could be read")
            .hint("name it under [scope] as app"));
    }
    let okta = okta_client(&settings)?;
    let found = expressions::read(&okta, &settings, true).await?;
    found.warnings.iter().for_each(|warning| context.printer.warning(warning));
    let verdicts: Vec<(&Listed, bool, String)> = found.listed.iter().map(|listed| verdict(listed, &found)).collect();
    if context.printer.json {
        let list = verdicts.iter().map(|(listed, runs, why)| {
            let push = if listed.property.on_create_only { "DONT_PUSH" } else { "PUSH" };
            json!({"attribute": listed.attribute, "expression": listed.property.expression, "pushStatus": push,
                "runs": runs, "verdict": why})
        });
        let list = list.collect::<Vec<_>>();
        context.printer.answer_json(&json!({"format_version": FORMAT_VERSION, "expressions": list}));
    } else {
        let line = |(listed, runs, why): &(&Listed, bool, String)| {
            let style = if *runs { ADD } else { REMOVE };
            let (attribute, expression) = (visible(&listed.attribute), visible(&listed.property.expression));
            format!("{attribute:<14} {}\n               {expression}", styled(style, visible(why)))
        };
        context.printer.answer(&verdicts.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    let cannot =
        verdicts.iter().any(|(listed, runs, _)| !runs && matches!(listed.verdict, Verdict::Runs | Verdict::Cannot(_)));
    Ok(if cannot { Kind::Failed.exit_code() } else { EXIT_OK })
}

/// Whether a property is used, and in words what becomes of it.
fn verdict<'l>(listed: &'l Listed, found: &Expressions) -> (&'l Listed, bool, String) {
    let (runs, why) = match &listed.verdict {
        Verdict::Cannot(why) => (false, format!("can't run here: {why}")),
        Verdict::Overruled(location) => (false, format!("not used: {location} has its own")),
        Verdict::Empty => (false, "not used: nothing is mapped".to_owned()),
        Verdict::Unknown => (false, "not used: Activepieces keeps no such attribute".to_owned()),
        Verdict::Runs => match found.errors_of(&listed.attribute) {
            errors if errors.is_empty() && listed.property.on_create_only => {
                (true, "runs here, for new accounts alone (DONT_PUSH)".to_owned())
            }
            errors if errors.is_empty() => (true, "runs here".to_owned()),
            errors => (false, format!("can't run here: {}", errors.join("; "))),
        },
    };
    (listed, runs, why)
}
