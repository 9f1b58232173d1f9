//! `oktapieces accept`: adds an accepted problem to the config.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::config;
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::files::{self, Refusal};
use crate::model::problem::Acceptance;
use crate::model::problem::ProblemKind;
use crate::output::json::FORMAT_VERSION;
use crate::output::text::safe;
use crate::plan::Plan;
use crate::sync::context::Context;
use crate::sync::session::{self, Knows, PARALLELISM, Session};

/// Accept a known problem: add it to the config, so that it no longer counts in exit code 3
///
/// Both servers are read as plan does, and a problem that isn't there is refused. What anything else has of problems still
/// gives exit code 3.
#[derive(Debug, Args)]
pub struct AcceptArgs {
    /// The kind of the problem, as plan --json and plan --csv name it
    #[arg(value_parser = kind)]
    kind: ProblemKind,
    /// The subject of the problem: a user name, a login or the name of a project
    who: String,
    /// Why it is accepted, for those who read the config later
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    why: String,
    /// The last day on which it is accepted, in UTC; without it there is no end
    #[arg(long, value_name = "DATE", value_parser = date)]
    until: Option<Date>,
    /// Add it without asking the servers whether there is such a problem
    #[arg(long)]
    force: bool,
}

fn kind(name: &str) -> std::result::Result<ProblemKind, String> {
    ProblemKind::named(name)
}

fn date(text: &str) -> std::result::Result<Date, String> {
    text.parse().map_err(|_| "expected a date such as 2027-01-31".to_owned())
}

pub async fn run(args: AcceptArgs, context: &Context) -> Result<u8> {
    let AcceptArgs { kind, who, why, until, force } = args;
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    if let Some(until) = until.filter(|until| *until < today) {
        return Err(
            Error::new(Kind::Usage, format!("--until {until} is over")).hint("name a day that is still to come")
        );
    }
    let path = session::config_file(context)?;
    let target = session::one_target(context)?.target;
    let entry = Acceptance { kind, who, until, why, location: None };
    if !force {
        is_there(&entry, &plan(context).await?)?;
    }
    write(&path, &entry, target.as_deref())?;
    if context.printer.json {
        let Acceptance { kind, who, until, why, .. } = &entry;
        let accepted = json!({ "kind": kind, "who": who, "until": until, "why": why });
        let answer = json!({ "format_version": FORMAT_VERSION, "file": path, "accepted": accepted });
        context.printer.answer_json(&answer);
    } else {
        context.printer.answer(&format!("Accepted {} of {}, in {}.", entry.kind, safe(&entry.who), path.display()));
    }
    Ok(EXIT_OK)
}

/// A plan as `plan` makes it, without a record of it.
async fn plan(context: &Context) -> Result<Plan> {
    let session = Session::open(context, PARALLELISM)?;
    let state = session::state_to_read(&session.settings, context)?;
    let past = state.past()?.unwrap_or_default();
    let (org, owed_roles) = (state.known_org()?, BTreeMap::new());
    let knows = Knows { past, org, owed_roles, in_line: None, writes: false, config: None };
    Ok(session.plan(&knows, false, context).await?.plan)
}

/// Refuses what isn't a problem now, or is accepted already.
fn is_there(entry: &Acceptance, plan: &Plan) -> Result<()> {
    if plan.problems.iter().any(|problem| entry.is_of(problem)) {
        return Ok(());
    }
    let (kind, who) = (entry.kind, safe(&entry.who));
    if plan.accepted.iter().any(|accepted| entry.is_of(&accepted.problem)) {
        return Err(Error::new(Kind::Refused, format!("{kind} of \"{who}\" is accepted already")));
    }
    Err(Error::new(Kind::Refused, format!("there is no problem {kind} of \"{who}\""))
        .hint("run oktapieces plan --json to see all problems with their kinds, or pass --force"))
}

/// Adds the entry behind all else of the file, or of its target there. All else stays as it is.
fn write(path: &Path, entry: &Acceptance, target: Option<&str>) -> Result<()> {
    let shown = path.display().to_string();
    let refused = |refusal: Refusal| {
        Error::new(Kind::Config, format!("the config file `{shown}` can't be changed: it {refusal}"))
    };
    let bytes = config::bytes(path)?;
    // A link, or another user's file, would be replaced by a file of this user's.
    files::check_own(path).map_err(refused)?;
    let permissions = std::fs::metadata(path).map_err(|error| refused(error.into()))?.permissions();
    let text = String::from_utf8(bytes).map_err(|_| refused(Refusal::NoText))?;
    let text = with(&text, entry, target);
    config::load_text(&text, path, false).map_err(|error| error.context(format!("`{shown}` was not changed")))?;
    files::replace(path, text.as_bytes(), Some(permissions)).map_err(refused)
}

/// The text of a config with the entry at its end, or at the end of the target.
fn with(text: &str, entry: &Acceptance, target: Option<&str>) -> String {
    let end = target.and_then(|name| config::targets::end_of(text, name)).unwrap_or(text.len());
    let line = text[end..].find('\n').map_or(text.len(), |length| end + length + 1);
    let (text, rest) = text.split_at(line);
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut lines = vec![
        String::new(),
        if target.is_some() { "[[target.accepted]]" } else { "[[accepted]]" }.to_owned(),
        format!("kind = {}", quoted(entry.kind.as_str())),
        format!("who = {}", quoted(&entry.who)),
    ];
    lines.extend(entry.until.map(|until| format!("until = {until}")));
    lines.push(format!("why = {}", quoted(&entry.why)));
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { line_end };
    format!("{text}{gap}{}{line_end}{rest}", lines.join(line_end))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn entry(who: &str, why: &str) -> Acceptance {
        let until = Some(date(2027, 1, 31));
        Acceptance { kind: ProblemKind::EmailChanged, who: who.to_owned(), until, why: why.to_owned(), location: None }
    }

    #[test]
    fn an_entry_stands_behind_all_else_which_stays() {
        let text = "# a comment\r\n[okta] # another";
        assert_eq!(
            with(text, &entry("ada@example.com", "known"), None),
            "# a comment\r\n[okta] # another\r\n\r\n[[accepted]]\r\nkind = \"email_changed\"\r\n\
             who = \"ada@example.com\"\r\nuntil = 2027-01-31\r\nwhy = \"known\"\r\n"
        );
    }

    #[test]
    fn an_entry_of_a_target_stands_behind_all_else_of_it() {
        let text = "[[target]]\nname = \"a\"\n[target.scope]\napp = \"\"\"x\ny\"\"\" # z\n\n[[target]]\nname = \"b\"";
        let of = |target| with(text, &entry("ada", "known"), Some(target));
        let names = |text: String| {
            let table: toml::Table = text.parse().unwrap();
            let targets = table["target"].as_array().unwrap().clone();
            targets
                .iter()
                .map(|target| target.get("accepted").map(|entries| entries[0]["who"].to_string()))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(of("a")), [Some("\"ada\"".to_owned()), None]);
        assert_eq!(names(of("b")), [None, Some("\"ada\"".to_owned())]);
        assert!(of("a").starts_with(&text[..text.find("# z").unwrap() + 4]), "{}", of("a"));
    }

    proptest! {
        #[test]
        fn any_subject_and_reason_can_be_written(who in any::<String>(), why in any::<String>()) {
            let text = with("", &entry(&who, &why), None);
            let table: toml::Table = text.parse().unwrap();
            let written = &table["accepted"][0];
            prop_assert_eq!(written["who"].as_str().unwrap(), who);
            prop_assert_eq!(written["why"].as_str().unwrap(), why);
        }
    }
}
