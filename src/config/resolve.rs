//! From what was typed to what it means: defaults, ranges, and everything that keys and types alone don't say.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Span, SpanRelativeTo};
use toml::Spanned;

use super::file::{Attributes, File, Safety, Scope, Secret, Server};
use super::picture::{Fault, Faults};
use super::place::place;
use super::reader::{Amount, Text, is_variable_name};
use super::secret::{SecretCommand, SecretSource};
use super::settings::{ActivepiecesSettings, ConfigText, OktaAccess, OktaSettings, Settings};
use super::url::{self, UrlFault};
use super::{accepted, access, mask, rules};
use crate::expression::{Expression, SyntaxError};
use crate::mapping::attributes::{self as mapping, Mapped, Mapping};
use crate::model::org;
use crate::plan::Policy;
use crate::plan::policy::{Grace, Limit, Limits, OnLeave};

/// The share of Okta's rate limit that is used without `rate_limit_share`.
const RATE_LIMIT_SHARE: f64 = 0.8;

/// The variables that the secrets are in where the file names no source.
const OKTA_API_TOKEN: &str = "OKTA_API_TOKEN";
const ACTIVEPIECES_API_KEY: &str = "ACTIVEPIECES_API_KEY";

/// The file that is being resolved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    /// As the admin gave it.
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    /// Relative paths in the file start here.
    pub(super) folder: &'a Path,
}

impl Source<'_> {
    /// `config.toml:21`
    pub(super) fn location(&self, text: &Text) -> String {
        let before = &self.text.as_bytes()[..text.span().start];
        let line = before.split(|byte| *byte == b'\n').count();
        format!("{}:{line}", self.name)
    }
}

/// Makes settings of what was typed, or none, with at least one fault noted.
pub(super) fn resolve(file: &File, source: Source<'_>, faults: &mut Faults) -> Option<Settings> {
    let mut resolver = Resolver { source, faults, warnings: Vec::new() };
    // One after the other, and not one statement: every fault of every section is wanted.
    let okta = resolver.okta(&file.okta);
    let activepieces = resolver.activepieces(&file.activepieces);
    resolver.one_secret_each(&file.okta.secret, &file.activepieces.secret);
    let scope = resolver.scope(&file.scope);
    let mapping = resolver.mapping(&file.attributes);
    let from_okta = resolver.mapping_in_okta(&file.attributes, &scope);
    let projects = rules::resolve(&file.projects, source, resolver.faults, &mut resolver.warnings);
    let policy = resolver.policy(file);
    let warnings = resolver.warnings;
    let text = ConfigText { name: source.name.to_owned(), text: source.text.to_owned() };
    Some(Settings {
        okta: okta?,
        activepieces: activepieces?,
        scope,
        mapping: mapping?,
        from_okta,
        projects,
        policy,
        text,
        warnings,
    })
}

struct Resolver<'a> {
    source: Source<'a>,
    faults: &'a mut Faults,
    warnings: Vec<String>,
}

impl Resolver<'_> {
    fn okta(&mut self, typed: &Server) -> Option<OktaSettings> {
        let access = self.access(typed);
        let ca_file = typed.ca_file.as_ref().and_then(|path| self.path(path));
        let rate_limit_share = self.or_fault(typed.rate_limit_share.as_ref(), share).unwrap_or(RATE_LIMIT_SHARE);
        let text = typed.url.as_ref()?;
        let (org_url, warning) = self.url(text, url::okta(text.get_ref(), typed.allow_insecure))?;
        self.warnings.extend(warning.map(|warning| format!("{}: {warning}", self.source.location(text))));
        Some(OktaSettings { org_url, access: access?, ca_file, rate_limit_share })
    }

    /// An API token, or a service app where any of its keys stands there; never both.
    fn access(&mut self, typed: &Server) -> Option<OktaAccess> {
        let Some(first) = access::first_key(&typed.app) else {
            return self.secret(&typed.secret, OKTA_API_TOKEN).map(OktaAccess::ApiToken);
        };
        if let Some(fault) = access::both(&first, &typed.secret) {
            self.faults.push(fault);
        }
        let app = access::complete(&typed.app, &first, self.faults)?;
        let key = self.file_source(app.key_file, typed.secret.allow_shared).map_err(|fault| self.faults.push(fault));
        Some(OktaAccess::ServiceApp(app.settings(key.ok()?)))
    }

    fn activepieces(&mut self, typed: &Server) -> Option<ActivepiecesSettings> {
        let api_key = self.secret(&typed.secret, ACTIVEPIECES_API_KEY);
        let ca_file = typed.ca_file.as_ref().and_then(|path| self.path(path));
        let text = typed.url.as_ref()?;
        let url = self.url(text, url::activepieces(text.get_ref(), typed.allow_insecure))?;
        Some(ActivepiecesSettings { url, api_key: api_key?, ca_file })
    }

    fn url<T>(&mut self, text: &Text, result: Result<T, UrlFault>) -> Option<T> {
        if text.get_ref().contains('@') {
            self.faults.hide(text.span());
        }
        result.map_err(|fault| self.faults.push(Fault::at(text.span(), fault.message).help(fault.help))).ok()
    }

    fn secret(&mut self, typed: &Secret, default: &str) -> Option<SecretSource> {
        let spans = [
            typed.env.as_ref().map(Spanned::span),
            typed.file.as_ref().map(Spanned::span),
            typed.command.as_ref().map(Spanned::span),
        ];
        let mut spans = spans.into_iter().flatten().collect::<Vec<_>>();
        spans.sort_by_key(|span| span.start);
        if let [first, second, ..] = spans.as_slice() {
            let prefix = typed.prefix;
            self.faults.push(
                Fault::at(second.clone(), "a secret has one source")
                    .label("this is another one")
                    .context(first.clone(), "this is one")
                    .help(format!("keep one of `{prefix}_env`, `{prefix}_file` and `{prefix}_command`")),
            );
        }
        let source = match (&typed.env, &typed.file, &typed.command) {
            (Some(name), ..) => env_source(name, default),
            (_, Some(path), _) => self.file_source(path, typed.allow_shared),
            (.., Some(words)) => command_source(words, typed.command_env.as_ref()),
            _ => Ok(SecretSource::Env(default.to_owned())),
        };
        source.map_err(|fault| self.faults.push(fault)).ok()
    }

    /// No command is given the secret of the other server.
    fn one_secret_each(&mut self, okta: &Secret, activepieces: &Secret) {
        for (given, other, default) in
            [(okta, activepieces, ACTIVEPIECES_API_KEY), (activepieces, okta, OKTA_API_TOKEN)]
        {
            let secret = other.env.as_ref().map_or(default, |name| name.get_ref().as_str());
            let names = given.command_env.iter().flat_map(Spanned::get_ref);
            for name in names.filter(|name| name.get_ref() == secret) {
                self.faults.push(
                    Fault::at(name.span(), format!("`{secret}` holds the secret of the other server"))
                        .help("leave it out: a command gets what it needs for its own secret alone"),
                );
            }
        }
    }

    fn file_source(&self, path: &Text, allow_shared: bool) -> Result<SecretSource, Fault> {
        Ok(SecretSource::File { path: self.file(path, "a file that holds the secret")?, allow_shared })
    }

    fn path(&mut self, path: &Text) -> Option<PathBuf> {
        self.file(path, "a file with CA certificates").map_err(|fault| self.faults.push(fault)).ok()
    }

    /// The path of a file, from the folder of the config on.
    fn file(&self, path: &Text, wanted: &str) -> Result<PathBuf, Fault> {
        let text = path.get_ref();
        if text.trim().is_empty() || mask::holds_secret(text) {
            return Err(Fault::at(path.span(), "that is no path of a file").help(format!("write the path of {wanted}")));
        }
        if text.starts_with('~') {
            return Err(Fault::at(path.span(), "`~` isn't replaced here").help("write the whole path"));
        }
        Ok(self.source.folder.join(text))
    }

    fn scope(&mut self, typed: &Scope) -> org::Scope {
        if !typed.names_users {
            let message = "no users are in scope";
            let fault = typed.header.clone().map_or_else(|| Fault::new(message), |span| Fault::at(span, message));
            let help = "name users in [scope] by at least one of `app`, `groups`, `search`, or `everyone = true`";
            self.faults.push(fault.help(help));
        }
        let groups = typed.groups.as_ref();
        if let Some(empty) = groups.filter(|groups| groups.get_ref().is_empty()) {
            self.faults.push(
                Fault::at(empty.span(), "`groups` names no group").help("name at least one, or leave `groups` out"),
            );
        }
        let groups = groups.map(|groups| groups.get_ref().as_slice()).unwrap_or_default();
        for text in groups.iter().chain(&typed.app).chain(&typed.search) {
            self.faults.not_blank(text);
        }
        org::Scope {
            app: typed.app.as_ref().map(|app| app.get_ref().clone()),
            groups: groups.iter().map(|group| group.get_ref().clone()).collect(),
            search: typed.search.as_ref().map(|search| search.get_ref().clone()),
            everyone: typed.everyone,
        }
    }

    /// A profile mapping is that of an app.
    fn mapping_in_okta(&mut self, typed: &Attributes, scope: &org::Scope) -> bool {
        if typed.from_okta && scope.app.is_none() {
            let message = "`from_okta` needs an app, whose profile mapping is read";
            let fault = typed.header.clone().map_or_else(|| Fault::new(message), |span| Fault::at(span, message));
            self.faults.push(fault.help("name the Okta app of Activepieces under [scope] as `app`"));
        }
        typed.from_okta
    }

    fn mapping(&mut self, typed: &Attributes) -> Option<Mapping> {
        let user_name = self.mapped("userName", typed.user_name.as_ref(), "user.email");
        let given_name = self.mapped("givenName", typed.given_name.as_ref(), "user.firstName");
        let family_name = self.mapped("familyName", typed.family_name.as_ref(), "user.lastName");
        let email = self.mapped("email", typed.email.as_ref(), "user.email");
        let display_name = self.mapped("displayName", typed.display_name.as_ref(), "user.displayName");
        let platform_role = match typed.platform_role.as_ref().map(|text| (text, bare_role(text))) {
            Some((_, Some(fault))) => {
                self.faults.push(fault);
                None
            }
            Some((text, None)) => self.mapped("platformRole", Some(text), ""),
            None => None,
        };
        Some(Mapping {
            user_name: user_name?,
            given_name: given_name?,
            family_name: family_name?,
            email: email?,
            display_name: display_name?,
            platform_role,
        })
    }

    fn mapped(&mut self, attribute: &str, text: Option<&Text>, default: &str) -> Option<Mapped> {
        let (typed, source) = match text {
            Some(text) if !self.faults.not_blank(text) => return None,
            Some(text) => {
                let (location, span) = (self.source.location(text), text.span());
                (text.get_ref().as_str(), mapping::Source::File { location, span })
            }
            None => (default, mapping::Source::Default),
        };
        match Expression::parse(typed) {
            Ok(expression) => Some(Mapped { expression, source, on_create_only: false }),
            Err(errors) => {
                for error in &errors {
                    self.faults.push(expression_fault(attribute, text, self.source, error));
                }
                None
            }
        }
    }

    fn policy(&mut self, file: &File) -> Policy {
        let (lifecycle, safety, grace) = (&file.lifecycle, &file.safety, Grace::default());
        Policy {
            suspended: self.or_fault(lifecycle.suspended.as_ref(), on_leave).unwrap_or_default(),
            unassigned: self.or_fault(lifecycle.unassigned.as_ref(), on_leave).unwrap_or_default(),
            deleted: self.or_fault(lifecycle.deleted.as_ref(), on_leave).unwrap_or_default(),
            grace: Grace {
                runs: self.or_fault(lifecycle.deactivate_after_runs.as_ref(), runs).unwrap_or(grace.runs),
                time: self.or_fault(lifecycle.deactivate_after.as_ref(), duration).unwrap_or(grace.time),
            },
            limits: self.limits(safety),
            protect: safety.protect.iter().filter_map(|text| self.or_fault(Some(text), user_name)).collect(),
            delete_unpushed: file.delete_unpushed,
            accepted: accepted::resolve(&file.accepted, self.source, self.faults),
        }
    }

    fn limits(&mut self, safety: &Safety) -> Limits {
        let default = Limits::default();
        let mut or = |typed: &Option<Spanned<Amount>>, default| self.or_fault(typed.as_ref(), limit).unwrap_or(default);
        Limits {
            deactivations: or(&safety.max_deactivations, default.deactivations),
            role_downgrades: or(&safety.max_role_downgrades, default.role_downgrades),
            role_or_email_changes: or(&safety.max_role_or_email_changes, default.role_or_email_changes),
            members_removed: or(&safety.max_members_removed, default.members_removed),
            creations: or(&safety.max_creations, default.creations),
            shrink: or(&safety.max_shrink, default.shrink),
            new_admins: self.or_fault(safety.max_new_admins.as_ref(), limit),
            size_floor: self.or_fault(safety.size_floor.as_ref(), number),
        }
    }

    fn or_fault<T, U>(&mut self, typed: Option<&T>, meaning: fn(&T) -> Result<U, Fault>) -> Option<U> {
        typed.and_then(|typed| meaning(typed).map_err(|fault| self.faults.push(fault)).ok())
    }
}

impl Faults {
    /// Whether a text says anything; notes it if not.
    pub(super) fn not_blank(&mut self, text: &Text) -> bool {
        let blank = text.get_ref().trim().is_empty();
        if blank {
            self.push(Fault::at(text.span(), "this is empty").help("write something here, or leave the key out"));
        }
        !blank
    }
}

fn env_source(name: &Text, example: &str) -> Result<SecretSource, Fault> {
    if is_variable_name(name.get_ref()) && !mask::holds_secret(name.get_ref()) {
        return Ok(SecretSource::Env(name.get_ref().clone()));
    }
    Err(Fault::at(name.span(), "that is no name of an environment variable")
        .label("its value isn't shown here")
        .help(format!("write the name of the variable that holds the secret, such as \"{example}\", not the secret")))
}

fn command_source(words: &Spanned<Vec<Text>>, env: Option<&Spanned<Vec<Text>>>) -> Result<SecretSource, Fault> {
    let texts = |texts: &Spanned<Vec<Text>>| texts.get_ref().iter().map(|text| text.get_ref().clone()).collect();
    if let Some(wrong) = env.iter().flat_map(|env| env.get_ref()).find(|name| !is_variable_name(name.get_ref())) {
        return Err(Fault::at(wrong.span(), "that is no name of an environment variable")
            .help("write the names alone, such as [\"VAULT_ADDR\"]; their values stay in the environment"));
    }
    match words.get_ref().first() {
        Some(program) if !program.get_ref().trim().is_empty() => {
            Ok(SecretSource::Command(SecretCommand { words: texts(words), env: env.map(texts).unwrap_or_default() }))
        }
        _ => Err(Fault::at(words.span(), "no command is named")
            .help("write a program and its arguments: [\"op\", \"read\", \"op://vault/item/field\"]")),
    }
}

/// A syntax error of an expression, with its place in the expression made one in the file.
fn expression_fault(attribute: &str, text: Option<&Text>, source: Source<'_>, error: &SyntaxError) -> Fault {
    let message = format!("{} (in the expression for `{attribute}`)", error.message);
    let fault = match text {
        Some(text) => Fault::at(place(source.text, &text.span(), text.get_ref(), &error.span), message),
        None => Fault::new(message),
    };
    match &error.hint {
        Some(hint) => fault.help(hint),
        None => fault,
    }
}

/// A role's name without quotes of its own: for the expression language that is no text.
fn bare_role(text: &Text) -> Option<Fault> {
    let role = text.get_ref().trim();
    ["ADMIN", "MEMBER", "OPERATOR"].contains(&role).then(|| {
        Fault::at(text.span(), format!("`{role}` is no expression"))
            .help(format!("text inside an expression has quotes of its own: '\"{role}\"'"))
    })
}

fn on_leave(text: &Text) -> Result<OnLeave, Fault> {
    match text.get_ref().as_str() {
        "deactivate" => Ok(OnLeave::Deactivate),
        "keep" => Ok(OnLeave::Keep),
        other => {
            Err(Fault::at(text.span(), format!("`{other}` is no choice here")).help("write \"deactivate\" or \"keep\""))
        }
    }
}

fn limit(amount: &Spanned<Amount>) -> Result<Limit, Fault> {
    let limit = match amount.get_ref() {
        Amount::Integer(count) => usize::try_from(*count).ok().map(Limit::Count),
        Amount::Text(text) => percent(text).map(Limit::Percent),
        Amount::Float(_) => None,
    };
    let help = "write a number of users, such as 10, or a share from \"0%\" to \"100%\"";
    limit.ok_or_else(|| Fault::at(amount.span(), "that is no limit").help(help))
}

fn number(amount: &Spanned<Amount>) -> Result<usize, Fault> {
    let number = match amount.get_ref() {
        Amount::Integer(number) => usize::try_from(*number).ok(),
        _ => None,
    };
    number.ok_or_else(|| Fault::at(amount.span(), "that is no number of users").help("write a number, such as 20"))
}

fn runs(amount: &Spanned<Amount>) -> Result<usize, Fault> {
    let runs = number(amount).ok().filter(|runs| *runs > 0);
    let help = "write a number from 1 on: 1 deactivates in the first run that misses somebody";
    runs.ok_or_else(|| Fault::at(amount.span(), "that is no number of runs").help(help))
}

/// `"24h"`, `"90m"`, `"2d"`; a day has 24 hours.
fn duration(text: &Text) -> Result<SignedDuration, Fault> {
    let span = text.get_ref().parse::<Span>().ok();
    let duration = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    let help = "write a time such as \"24h\", \"90m\" or \"2d\"";
    duration
        .filter(|duration| !duration.is_negative())
        .ok_or_else(|| Fault::at(text.span(), "that is no length of time").help(help))
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
        .ok_or_else(|| Fault::at(amount.span(), "that is no share of the rate limit").help(help))
}

/// `"10%"` as 10; from 0 to 100.
fn percent(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix('%')?.trim_end().parse::<f64>().ok()?;
    (0.0..=100.0).contains(&number).then_some(number)
}

/// A user name as Activepieces keeps it: an e-mail address, lower-cased.
fn user_name(text: &Text) -> Result<String, Fault> {
    let name = text.get_ref().trim().to_lowercase();
    if name.contains('@') && !name.contains(char::is_whitespace) {
        return Ok(name);
    }
    Err(Fault::at(text.span(), "that is no e-mail address").help("write the address that the user signs in with"))
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;

    /// The picture of a syntax error at `part` of the value of `a`.
    fn picture(text: &str, part: &str) -> String {
        let table = DeTable::parse(text).unwrap();
        let value = &table.get_ref()["a"];
        let text_of = Spanned::new(value.span(), value.get_ref().as_str().unwrap().to_owned());
        let start = text_of.get_ref().find(part).unwrap();
        let error = SyntaxError {
            message: "that is wrong".to_owned(),
            span: start..start + part.len(),
            hint: Some("write it right".to_owned()),
        };
        let mut faults = Faults::default();
        let source = Source { name: "c.toml", text, folder: Path::new("") };
        faults.push(expression_fault("platformRole", Some(&text_of), source, &error));
        faults.render("c.toml", text, false).to_string()
    }

    #[test]
    fn a_syntax_error_in_a_literal_string_has_its_carets_in_the_file() {
        insta::assert_snapshot!(picture("a = 'user.x == \"é\" ? \"ADMIN\"'\n", "\"ADMIN\""), @r#"
        c.toml has a mistake

        error: that is wrong (in the expression for `platformRole`)
         --> c.toml:1:22
          |
        1 | a = 'user.x == "é" ? "ADMIN"'
          |                      ^^^^^^^
          |
          = help: write it right
        "#);
    }

    #[test]
    fn a_syntax_error_behind_escapes_has_its_carets_in_the_file() {
        insta::assert_snapshot!(picture("a = \"user.x == \\\"\\u00e9\\\" ? \\\"ADMIN\\\"\"\n", "\"ADMIN\""), @r#"
        c.toml has a mistake

        error: that is wrong (in the expression for `platformRole`)
         --> c.toml:1:29
          |
        1 | a = "user.x == \"\u00e9\" ? \"ADMIN\""
          |                             ^^^^^^^^^
          |
          = help: write it right
        "#);
    }

    #[test]
    fn a_syntax_error_in_a_string_of_several_lines_has_its_carets_in_the_file() {
        insta::assert_snapshot!(picture("a = \'\'\'\nuser.x\n  ? \"ADMIN\"\'\'\'\n", "? \"ADMIN\""), @r#"
        c.toml has a mistake

        error: that is wrong (in the expression for `platformRole`)
         --> c.toml:3:3
          |
        3 |   ? "ADMIN"'''
          |   ^^^^^^^^^
          |
          = help: write it right
        "#);
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
