//! The types that a key can have: how each is read, what docs and messages call it, and its JSON schema.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::civil::Date;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use toml::Spanned;
use toml::de::{DeInteger, DeValue};

use super::mask;
use super::monitoring::{self, WebhookFormat, WebhookOn};
use super::picture::{Fault, Faults};
use super::source::Source;
use crate::model::desired::Leave;
use crate::model::problem::ProblemKind;
use crate::plan::policy::{EmailChange, Limit, OnInvitation, OnLeave};

/// A string and its place in the config, quotes included.
pub(super) type Text = Spanned<String>;

pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// The value of a key.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a Value<'a>,
    pub(super) source: Source<'a>,
}

/// A type of values.
pub(super) struct Type<T> {
    /// As "`key` must be ..." says it.
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) schema: &'static str,
    /// Reads a value, or notes what is wrong with it.
    pub(super) read: fn(Given<'_>, &mut Faults) -> Option<T>,
}

/// How the text of an environment variable becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The text itself.
    Text,
    /// A number, `true` or `false`, else the text.
    Scalar,
    /// A list in TOML, or texts between commas.
    List,
    /// A table in TOML.
    Table,
}

const STRING: &str = r#"{"type": "string"}"#;
const STRINGS: &str = r#"{"type": "array", "items": {"type": "string"}}"#;

/// Any string. Where not every string is right, the check comes later, with the keys that belong to it.
pub(super) const ANY_TEXT: Type<Text> = Type { name: "a string", form: Form::Text, schema: STRING, read: text };

/// A string that isn't empty.
pub(super) const TEXT: Type<Text> = Type {
    name: "a string",
    form: Form::Text,
    schema: r#"{"type": "string", "minLength": 1}"#,
    read: |given, faults| text(given, faults).filter(|text| faults.not_blank(text)),
};

pub(super) const TEXTS: Type<Spanned<Vec<Text>>> =
    Type { name: "a list of strings", form: Form::List, schema: STRINGS, read: texts };

/// The path of a file with CA certificates.
pub(super) const CA_FILE: Type<PathBuf> = Type {
    name: "the path of a file",
    form: Form::Text,
    schema: STRING,
    read: |given, faults| {
        let path = text(given, faults)?;
        faults.or_push(file(&path, given.source, "a file with CA certificates"))
    },
};

/// The path of a file that is written.
pub(super) const OUT_FILE: Type<PathBuf> = Type {
    name: "the path of a file",
    form: Form::Text,
    schema: STRING,
    read: |given, faults| {
        let path = text(given, faults)?;
        faults.or_push(file(&path, given.source, "the file to write"))
    },
};

pub(super) const WEBHOOK_FORMAT: Type<WebhookFormat> = Type {
    name: "\"json\" or \"slack\"",
    form: Form::Text,
    schema: r#"{"enum": ["json", "slack"]}"#,
    read: |given, faults| text(given, faults).and_then(|text| faults.or_push(webhook_format(&text))),
};

/// What a wrong word in the list is told.
const WEBHOOK_WORDS: &str = "\"change\", \"failure\", \"news\", or several of them";

pub(super) const WEBHOOK_ON: Type<BTreeSet<WebhookOn>> = Type {
    name: "a list of \"change\", \"failure\" and \"news\"",
    form: Form::List,
    schema: r#"{"type": "array", "items": {"enum": ["change", "failure", "news"]}}"#,
    read: |given, faults| {
        let texts = texts(given, faults)?;
        Some(
            texts
                .get_ref()
                .iter()
                .filter_map(|text| faults.or_push(choice(text, WEBHOOK_WORDS, &monitoring::ON)))
                .collect(),
        )
    },
};

pub(super) const FLAG: Type<bool> = Type {
    name: "true or false",
    form: Form::Scalar,
    schema: r#"{"type": "boolean"}"#,
    read: |given, faults| {
        let flag = given.value.get_ref().as_bool();
        if flag.is_none() {
            let fault = wrong_type(given.key, FLAG.name, given.value);
            faults.push(fault.help("write `true` or `false`, without quotes"));
        }
        flag
    },
};

pub(super) const LIMIT: Type<Limit> = Type {
    name: "a number or a share, such as 10 or \"10%\"",
    form: Form::Scalar,
    schema: r#"{"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9.]+ *%$"}]}"#,
    read: |given, faults| amount(given, LIMIT.name, faults).and_then(|amount| faults.or_push(limit(&amount))),
};

pub(super) const COUNT: Type<usize> = Type {
    name: "a number, such as 20",
    form: Form::Scalar,
    schema: r#"{"type": "integer", "minimum": 0}"#,
    read: |given, faults| amount(given, COUNT.name, faults).and_then(|amount| faults.or_push(number(&amount))),
};

pub(super) const RUNS: Type<usize> = Type {
    name: "a number of runs, such as 2",
    form: Form::Scalar,
    schema: r#"{"type": "integer", "minimum": 1}"#,
    read: |given, faults| amount(given, RUNS.name, faults).and_then(|amount| faults.or_push(runs(&amount))),
};

pub(super) const SHARE: Type<f64> = Type {
    name: "a share, such as \"80%\"",
    form: Form::Scalar,
    schema: r#"{"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 1}, {"type": "string", "pattern": "^[0-9.]+ *%$"}]}"#,
    read: |given, faults| amount(given, SHARE.name, faults).and_then(|amount| faults.or_push(share(&amount))),
};

pub(super) const TIME: Type<SignedDuration> = Type {
    name: "a length of time, such as \"24h\"",
    form: Form::Text,
    schema: STRING,
    read: |given, faults| text(given, faults).and_then(|text| faults.or_push(duration(&text))),
};

/// After such a time something is destroyed, so that hours are a mistake.
pub(super) const AGE: Type<SignedDuration> = Type {
    name: "a length of time of at least a day, such as \"90d\"",
    form: Form::Text,
    schema: STRING,
    read: |given, faults| {
        let text = text(given, faults)?;
        let age = faults.or_push(duration(&text))?;
        if age < SignedDuration::from_hours(24) {
            faults.push(Fault::at(text.span(), "this is less than a day").help("write a time such as \"90d\""));
        }
        Some(age)
    },
};

pub(super) const ON_LEAVE: Type<OnLeave> = Type {
    name: "\"deactivate\" or \"keep\"",
    form: Form::Text,
    schema: r#"{"enum": ["deactivate", "keep"]}"#,
    read: |given, faults| {
        text(given, faults).and_then(|text| {
            faults.or_push(choice(
                &text,
                ON_LEAVE.name,
                &[("deactivate", OnLeave::Deactivate), ("keep", OnLeave::Keep)],
            ))
        })
    },
};

pub(super) const EMAIL_CHANGE: Type<EmailChange> = Type {
    name: "\"report\" or \"recreate\"",
    form: Form::Text,
    schema: r#"{"enum": ["report", "recreate"]}"#,
    read: |given, faults| {
        text(given, faults).and_then(|text| {
            faults.or_push(choice(
                &text,
                EMAIL_CHANGE.name,
                &[("report", EmailChange::Report), ("recreate", EmailChange::Recreate)],
            ))
        })
    },
};

pub(super) const ON_INVITATION: Type<OnInvitation> = Type {
    name: "\"ignore\", \"report\" or \"revoke\"",
    form: Form::Text,
    schema: r#"{"enum": ["ignore", "report", "revoke"]}"#,
    read: |given, faults| {
        text(given, faults).and_then(|text| {
            faults.or_push(choice(
                &text,
                ON_INVITATION.name,
                &[("ignore", OnInvitation::Ignore), ("report", OnInvitation::Report), ("revoke", OnInvitation::Revoke)],
            ))
        })
    },
};

pub(super) const GRACES: Type<BTreeMap<Leave, SignedDuration>> = Type {
    name: "a table of lengths of time, such as { suspended = \"7d\" }",
    form: Form::Table,
    schema: r#"{"type": "object", "propertyNames": {"enum": ["suspended", "deactivated", "unassigned", "deleted", "staged", "provisioned", "recovery", "password_expired", "locked_out"]}, "additionalProperties": {"type": "string"}}"#,
    read: graces,
};

pub(super) const ADDRESSES: Type<BTreeSet<String>> = Type {
    name: "a list of e-mail addresses",
    form: Form::List,
    schema: STRINGS,
    read: |given, faults| {
        let texts = texts(given, faults)?;
        Some(texts.get_ref().iter().filter_map(|text| faults.or_push(address(text))).collect())
    },
};

pub(super) const DATE: Type<Date> = Type {
    name: "a date",
    form: Form::Text,
    schema: r#"{"type": "string", "format": "date"}"#,
    read: |given, faults| {
        let text = match given.value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => {
                let fault = wrong_type(given.key, DATE.name, given.value);
                faults.push(fault.help("write a date, such as 2027-01-31"));
                return None;
            }
        };
        faults.or_push(date(&Spanned::new(given.value.span(), text)))
    },
};

pub(super) const PROBLEM: Type<ProblemKind> = Type {
    name: "the kind of a problem",
    form: Form::Text,
    schema: STRING,
    read: |given, faults| (TEXT.read)(given, faults).and_then(|text| faults.or_push(problem(&text))),
};

pub(super) const ROLE_GROUPS: Type<Spanned<Vec<GroupRole>>> = Type {
    name: "a table of groups by role, such as { Admin = \"AP Leads\" }",
    form: Form::Scalar,
    schema: r#"{"type": "object", "additionalProperties": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}]}}"#,
    read: role_groups,
};

pub(super) const ROLES_MANAGED: Type<RolesManaged> = Type {
    name: "\"always\" or \"on_add\"",
    form: Form::Text,
    schema: r#"{"enum": ["always", "on_add"]}"#,
    read: |given, faults| {
        text(given, faults).and_then(|text| {
            faults.or_push(choice(
                &text,
                ROLES_MANAGED.name,
                &[("always", RolesManaged::Always), ("on_add", RolesManaged::OnAdd)],
            ))
        })
    },
};

pub(super) const CREATE: Type<Create> = Type {
    name: "\"active\" or \"inactive\"",
    form: Form::Text,
    schema: r#"{"enum": ["active", "inactive"]}"#,
    read: |given, faults| {
        text(given, faults).and_then(|text| {
            faults.or_push(choice(&text, CREATE.name, &[("active", Create::Active), ("inactive", Create::Inactive)]))
        })
    },
};

/// `create`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Create {
    /// Accounts for users who have access.
    #[default]
    Active,
    /// Inactive accounts for users who are staged, too.
    Inactive,
}

/// A key of `roles`, in the order of the file.
#[derive(Debug)]
pub(super) struct GroupRole {
    pub(super) role: Text,
    /// At least one.
    pub(super) groups: Vec<Text>,
}

/// `roles_managed`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum RolesManaged {
    #[default]
    Always,
    OnAdd,
}

/// A number, or a string that may be one, such as `"10%"`.
#[derive(Clone, Debug, PartialEq)]
enum Amount {
    Integer(i64),
    Float(f64),
    Text(String),
}

impl Faults {
    /// Whether a text says anything; notes it if not.
    fn not_blank(&mut self, text: &Text) -> bool {
        let blank = text.get_ref().trim().is_empty();
        if blank {
            self.push(Fault::at(text.span(), "this is empty").help("write something here, or leave the key out"));
        }
        !blank
    }

    /// The value, or none with its fault noted.
    pub(super) fn or_push<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.push(fault)).ok()
    }
}

fn text(given: Given<'_>, faults: &mut Faults) -> Option<Text> {
    let text = as_text(given.value);
    if text.is_none() {
        faults.push(wrong_type(given.key, ANY_TEXT.name, given.value).help("write it in quotes"));
    }
    text
}

fn as_text(value: &Value<'_>) -> Option<Text> {
    value.get_ref().as_str().map(|text| Spanned::new(value.span(), text.to_owned()))
}

fn texts(given: Given<'_>, faults: &mut Faults) -> Option<Spanned<Vec<Text>>> {
    let (key, value) = (given.key, given.value);
    let DeValue::Array(items) = value.get_ref() else {
        let fault = wrong_type(key, TEXTS.name, value);
        let is_text = value.get_ref().is_str();
        faults.push(if is_text { fault.help("write it in square brackets: [\"...\"]") } else { fault });
        return None;
    };
    let texts = items.iter().filter_map(|item| {
        let text = as_text(item);
        if text.is_none() {
            faults.push(wrong_type(key, TEXTS.name, item).help("write it in quotes"));
        }
        text
    });
    Some(Spanned::new(value.span(), texts.collect()))
}

fn amount(given: Given<'_>, wanted: &str, faults: &mut Faults) -> Option<Spanned<Amount>> {
    let amount = match given.value.get_ref() {
        DeValue::String(text) => Some(Amount::Text(text.to_string())),
        DeValue::Integer(number) => integer(number).map(Amount::Integer),
        DeValue::Float(number) => number.as_str().parse().ok().map(Amount::Float),
        _ => None,
    };
    if amount.is_none() {
        faults.push(wrong_type(given.key, wanted, given.value));
    }
    amount.map(|amount| Spanned::new(given.value.span(), amount))
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// The fault of a value of another type than the key's.
pub(super) fn wrong_type(key: &str, wanted: &str, value: &Value<'_>) -> Fault {
    let found = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(number) if integer(number).is_none() => "too large a number",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Fault::at(value.span(), format!("`{key}` must be {wanted}")).label(format!("this is {found}"))
}

/// The path of a file, from the folder of the config on.
pub(super) fn file(path: &Text, source: Source<'_>, wanted: &str) -> Result<PathBuf, Fault> {
    let text = path.get_ref();
    if text.trim().is_empty() || mask::holds_secret(text) {
        return Err(
            Fault::at(path.span(), "this is not the path of a file").help(format!("write the path of {wanted}"))
        );
    }
    if text.starts_with('~') {
        return Err(Fault::at(path.span(), "`~` is not replaced here").help("write the whole path"));
    }
    Ok(source.folder.join(text))
}

/// Whether an environment variable can have this name: letters, digits and `_`, and no digit first.
pub(super) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The choice of this name; `wanted` lists them.
fn choice<T: Copy>(text: &Text, wanted: &str, choices: &[(&str, T)]) -> Result<T, Fault> {
    let found = choices.iter().find(|(name, _)| *name == text.get_ref().as_str());
    found.map(|(_, choice)| *choice).ok_or_else(|| {
        Fault::at(text.span(), format!("`{}` is not a choice", text.get_ref())).help(format!("write {wanted}"))
    })
}

/// A length of time for each reason.
fn graces(given: Given<'_>, faults: &mut Faults) -> Option<BTreeMap<Leave, SignedDuration>> {
    let DeValue::Table(entries) = given.value.get_ref() else {
        let fault = wrong_type(given.key, GRACES.name, given.value);
        faults.push(fault.help("write `grace = { suspended = \"7d\" }`"));
        return None;
    };
    let mut graces = BTreeMap::new();
    for (name, value) in entries {
        let known = Leave::NAMED.iter().find(|(known, _)| *known == name.get_ref().as_ref());
        let time = text(Given { key: name.get_ref(), value, ..given }, faults);
        let time = time.and_then(|time| faults.or_push(duration(&time)));
        if let Some((_, leave)) = known {
            graces.extend(time.map(|time| (*leave, time)));
        } else {
            let names: Vec<&str> = Leave::NAMED.iter().map(|(name, _)| *name).collect();
            let fault = Fault::at(name.span(), format!("`{}` is not a reason", name.get_ref()));
            faults.push(fault.help(format!("write one of {}", names.join(", "))));
        }
    }
    Some(graces)
}

fn webhook_format(text: &Text) -> Result<WebhookFormat, Fault> {
    match text.get_ref().as_str() {
        "json" => Ok(WebhookFormat::Json),
        "slack" => Ok(WebhookFormat::Slack),
        other => Err(Fault::at(text.span(), format!("`{other}` is not a form")).help("write \"json\" or \"slack\"")),
    }
}

/// The groups of each role: one, or a list.
fn role_groups(given: Given<'_>, faults: &mut Faults) -> Option<Spanned<Vec<GroupRole>>> {
    let DeValue::Table(entries) = given.value.get_ref() else {
        let fault = wrong_type(given.key, ROLE_GROUPS.name, given.value);
        faults.push(fault.help("write `roles = { Admin = \"a group\" }`, or `role = \"Viewer\"` for one role"));
        return None;
    };
    let mut roles = Vec::new();
    for (role, value) in entries {
        let given = Given { key: role.get_ref(), value, ..given };
        let groups = match value.get_ref() {
            DeValue::Array(items) if items.is_empty() => {
                let fault = Fault::at(value.span(), format!("`{}` names no group", role.get_ref()));
                faults.push(fault.help("name at least one, or leave the role out"));
                None
            }
            DeValue::Array(_) => texts(given, faults).map(Spanned::into_inner),
            _ => text(given, faults).map(|text| vec![text]),
        };
        let role = Spanned::new(role.span(), role.get_ref().to_string());
        let groups = groups.into_iter().flatten().filter(|group| faults.not_blank(group)).collect::<Vec<_>>();
        if faults.not_blank(&role) && !groups.is_empty() {
            roles.push(GroupRole { role, groups });
        }
    }
    // A table in memory is in another order than the file.
    roles.sort_by_key(|by| by.role.span().start);
    Some(Spanned::new(given.value.span(), roles))
}

fn limit(amount: &Spanned<Amount>) -> Result<Limit, Fault> {
    let limit = match amount.get_ref() {
        Amount::Integer(count) => usize::try_from(*count).ok().map(Limit::Count),
        Amount::Text(text) => percent(text).map(Limit::Percent),
        Amount::Float(_) => None,
    };
    let help = "write a number of users, such as 10, or a share from \"0%\" to \"100%\"";
    limit.ok_or_else(|| Fault::at(amount.span(), "this is not a limit").help(help))
}

fn number(amount: &Spanned<Amount>) -> Result<usize, Fault> {
    let number = match amount.get_ref() {
        Amount::Integer(number) => usize::try_from(*number).ok(),
        _ => None,
    };
    number.ok_or_else(|| Fault::at(amount.span(), "this is not a number of users").help("write a number, such as 20"))
}

fn runs(amount: &Spanned<Amount>) -> Result<usize, Fault> {
    let runs = number(amount).ok().filter(|runs| *runs > 0);
    let help = "write a number from 1 on: 1 deactivates in the first run that misses the user";
    runs.ok_or_else(|| Fault::at(amount.span(), "this is not a number of runs").help(help))
}

/// `"24h"`, `"90m"`, `"2d"`; a day has 24 hours.
fn duration(text: &Text) -> Result<SignedDuration, Fault> {
    let span = text.get_ref().parse::<Span>().ok();
    let duration = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    let help = "write a time such as \"24h\", \"90m\" or \"2d\"";
    duration
        .filter(|duration| !duration.is_negative())
        .ok_or_else(|| Fault::at(text.span(), "this is not a length of time").help(help))
}

fn share(amount: &Spanned<Amount>) -> Result<f64, Fault> {
    let share = match amount.get_ref() {
        Amount::Text(text) => percent(text).map(|percent| percent / 100.0),
        Amount::Float(share) => Some(*share),
        // 1 could be all of it, or one percent.
        Amount::Integer(_) => None,
    };
    let help = "write a share such as \"80%\" or 0.8: above nothing, and at most all of it";
    share
        .filter(|share| *share > 0.0 && *share <= 1.0)
        .ok_or_else(|| Fault::at(amount.span(), "this is not a share of the rate limit").help(help))
}

/// `"10%"` as 10; from 0 to 100.
fn percent(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix('%')?.trim_end().parse::<f64>().ok()?;
    (0.0..=100.0).contains(&number).then_some(number)
}

/// A user name as Activepieces keeps it: an e-mail address, lower-cased.
fn address(text: &Text) -> Result<String, Fault> {
    let name = text.get_ref().trim().to_lowercase();
    if name.contains('@') && !name.contains(char::is_whitespace) {
        return Ok(name);
    }
    Err(Fault::at(text.span(), "this is not an e-mail address").help("write the address that the user signs in with"))
}

fn problem(text: &Text) -> Result<ProblemKind, Fault> {
    ProblemKind::named(text.get_ref()).map_err(|known| {
        Fault::at(text.span(), format!("`{}` is not a kind of problem", text.get_ref()))
            .help(format!("`oktapieces plan --json` has the `kind` of each problem; {known}"))
    })
}

fn date(text: &Text) -> Result<Date, Fault> {
    let date = text.get_ref().trim().parse();
    date.map_err(|_| Fault::at(text.span(), "this is not a date").help("write a date, such as 2027-01-31"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_no_name_of_a_variable() {
        assert!(is_variable_name("OKTA_API_TOKEN") && is_variable_name("_x1"));
        for name in ["", "00abc", "sk-abc", "A B", "A=B"] {
            assert!(!is_variable_name(name), "{name}");
        }
    }

    #[test]
    fn shares_and_limits_have_their_ranges() {
        let at = |amount| Spanned::new(0..1, amount);
        let text = |text: &str| at(Amount::Text(text.to_owned()));
        assert_eq!(limit(&at(Amount::Integer(0))), Ok(Limit::Count(0)));
        assert_eq!(limit(&text(" 12.5 % ")), Ok(Limit::Percent(12.5)));
        assert_eq!(limit(&text("0%")), Ok(Limit::Percent(0.0)));
        assert_eq!(limit(&text("100%")), Ok(Limit::Percent(100.0)));
        for wrong in
            [at(Amount::Integer(-1)), at(Amount::Float(0.1)), text("10"), text("101%"), text("-1%"), text("NaN%")]
        {
            assert!(limit(&wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(share(&at(Amount::Float(1.0))), Ok(1.0));
        assert_eq!(share(&text("50%")), Ok(0.5));
        for wrong in
            [at(Amount::Integer(1)), at(Amount::Float(0.0)), at(Amount::Float(f64::NAN)), text("0%"), text("110%")]
        {
            assert!(share(&wrong).is_err(), "{wrong:?}");
        }
    }
}
