//! The expressions of a session: from the config, or from Okta where the config asks for it, and checked against the org's
//! schemas before anything is evaluated.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::config::{self, Mistake, Settings};
use crate::error::{Error, Kind, Result};
use crate::expression::Expression;
use crate::expression::check::{AttributeType, Finding, Schema, Severity, Wants, check, check_app_user};
use crate::mapping::attributes::{Mapped, Mapping, Source};
use crate::mapping::from_okta::{self, Listed, Verdict};
use crate::model::org::Org;
use crate::okta::api::wire::App;
use crate::okta::oauth::USER_TYPES;
use crate::okta::read::resolve::find_app;
use crate::okta::{self, Okta};
use crate::output::picture;

/// What is evaluated, and what is known of it.
#[derive(Debug)]
pub struct Expressions {
    pub mapping: Mapping,
    /// Okta's own expressions, each with whether it is used; empty where the config doesn't ask for them.
    pub listed: Vec<Listed>,
    schema: Schema,
    /// The attributes of profiles in the app of the scope, by its schema; none where it isn't needed or isn't known.
    app_user: Option<BTreeSet<String>>,
    /// Mistakes that don't depend on a user, each with the attribute that it is for.
    pub findings: Vec<(Cow<'static, str>, Finding)>,
    pub warnings: Vec<String>,
    /// Whether the schemas of other user types were asked for, because the default one lacks an attribute.
    pub asked_other_types: bool,
    /// Why a schema isn't known.
    unread: Option<Unread>,
}

/// Why the user schema isn't known.
#[derive(Debug)]
enum Unread {
    /// The token may not read it, which is the admin's choice.
    NotAllowed,
    /// The answer was no schema.
    Failed(String),
}

/// What is evaluated, before it is checked against the org's schemas.
#[derive(Debug)]
pub struct Unchecked {
    pub mapping: Mapping,
    listed: Vec<Listed>,
    warnings: Vec<String>,
}

/// Reads Okta's own mapping, if the config asks for it, and the schemas.
pub async fn read(okta: &Okta, settings: &Settings, from_okta: bool) -> Result<Expressions> {
    let mut found = check_all(okta, find(okta, settings, from_okta).await?).await;
    if found.mapping.needs().app_user {
        // A wrong name of the app is for the scope to say.
        let app = find_app(okta, settings.scope.app.as_deref()).await?.unwrap_or_default();
        found.check_app_user(okta, app.as_ref()).await;
    }
    Ok(found)
}

/// The same as [`find`] gives of the settings. If the app that has the mapping isn't in Okta, nothing is known of the values of
/// attributes: then every expression fails, and each user in scope by another part of it is left as they are.
pub async fn find_if_there(okta: &Okta, settings: &Settings) -> Result<Unchecked> {
    if settings.from_okta && find_app(okta, settings.scope.app.as_deref()).await?.is_err() {
        return Ok(Unchecked { mapping: of_missing_app(settings)?, listed: Vec::new(), warnings: Vec::new() });
    }
    find(okta, settings, settings.from_okta).await
}

/// A mapping whose expressions all ask for the profile in the app, which can't be read.
fn of_missing_app(settings: &Settings) -> Result<Mapping> {
    let expression = Expression::parse("appuser.userName");
    let expression = expression.map_err(|_| Error::new(Kind::Failed, "the mapping of the Okta app isn't known"))?;
    let unknown = Mapped { expression, source: Source::Okta { mapping: None }, on_create_only: false };
    Ok(Mapping {
        user_name: unknown.clone(),
        given_name: unknown.clone(),
        family_name: unknown.clone(),
        email: unknown.clone(),
        display_name: unknown,
        platform_role: None,
        aliases: settings.mapping.aliases.clone(),
        project_roles: settings.mapping.project_roles.clone(),
        closing: settings.mapping.closing.clone(),
        prepares: settings.mapping.prepares,
    })
}

/// The mapping of the config, with Okta's own if it is asked for.
pub async fn find(okta: &Okta, settings: &Settings, from_okta: bool) -> Result<Unchecked> {
    let (true, Some(app)) = (from_okta, &settings.scope.app) else {
        return Ok(Unchecked { mapping: settings.mapping.clone(), listed: Vec::new(), warnings: Vec::new() });
    };
    let (found, warnings) = okta::profile_mapping(okta, app).await?;
    let (mapping, listed) = from_okta::take(&settings.mapping, &found);
    Ok(Unchecked { mapping, listed, warnings })
}

/// Reads the user schema, and checks all expressions against it.
pub async fn check_all(okta: &Okta, unchecked: Unchecked) -> Expressions {
    let Unchecked { mapping, listed, mut warnings } = unchecked;
    let (mut schema, unread) = match okta.user_attributes().await {
        Ok(schema) => (schema, None),
        Err(failure) => {
            let error = Error::from(failure);
            warnings.push(format!(
                "the org's user schema can't be read (a service app needs okta.schemas.read), so the names of \
                 attributes aren't checked: {error}"
            ));
            let allowed = error.kind != Kind::Unauthorized;
            (Schema::new(), Some(if allowed { Unread::Failed(error.to_string()) } else { Unread::NotAllowed }))
        }
    };
    let mut findings = findings(&mapping, &schema, None);
    let asked_other_types = findings.iter().any(|(_, finding)| finding.missing.is_some());
    if asked_other_types {
        // What the default user type lacks another one may have.
        match okta.other_user_attributes().await {
            Ok(more) if !more.is_empty() => {
                schema = more.into_iter().chain(schema).collect();
                findings = self::findings(&mapping, &schema, None);
            }
            Ok(_) => {}
            Err(failure) => warnings.push(format!(
                "[attributes] names what the default user type doesn't have, and other user types can't be read (a service \
                 app needs {USER_TYPES}): {failure}"
            )),
        }
    }
    Expressions { mapping, listed, schema, app_user: None, findings, warnings, asked_other_types, unread }
}

/// All findings, by attribute.
fn findings(
    mapping: &Mapping,
    schema: &Schema,
    app_user: Option<&BTreeSet<String>>,
) -> Vec<(Cow<'static, str>, Finding)> {
    let of = |(attribute, mapped): (Cow<'static, str>, &Mapped)| {
        let wants = match attribute.as_ref() {
            "platformRole" => Wants::Role,
            "aliases" => Wants::Texts,
            _ => Wants::Text,
        };
        let mut found = check(&mapped.expression, schema, wants);
        found.extend(app_user.into_iter().flat_map(|known| check_app_user(&mapped.expression, known)));
        found.into_iter().map(move |finding| (attribute.clone(), finding))
    };
    mapping.expressions().into_iter().flat_map(of).collect()
}

impl Expressions {
    /// Checks what expressions name of `appuser` against the schema of this app, if one does and the schemas may be read.
    pub async fn check_app_user(&mut self, okta: &Okta, app: Option<&App>) {
        let (true, Some(app)) = (self.unread.is_none() && self.mapping.needs().app_user, app) else { return };
        match okta.app_user_attributes(&app.id).await {
            Ok(known) => {
                self.app_user = known;
                self.findings = findings(&self.mapping, &self.schema, self.app_user.as_ref());
            }
            Err(failure) => {
                let error = Error::from(failure).context(format!("reading the schema of the app {:?}", app.label));
                self.warnings.push(format!("the names of appuser attributes aren't checked: {error}"));
                if error.kind != Kind::Unauthorized {
                    self.unread = Some(Unread::Failed(error.to_string()));
                }
            }
        }
    }

    /// The expression of an attribute and what is wrong with it at a place: `platformRole (config.toml:21): … : user.x`.
    pub fn told(&self, attribute: &str, finding: &Finding) -> String {
        let Some(mapped) = self.mapping.expressions().remove(attribute) else { return finding.message.clone() };
        let place = mapped.source.location().unwrap_or_else(|| "the default".to_owned());
        let part = mapped.expression.source().get(finding.span.clone()).unwrap_or_default();
        let message = &finding.message;
        if message.contains(part) {
            format!("{attribute} ({place}): {message}")
        } else {
            format!("{attribute} ({place}): {message}: {part}")
        }
    }

    /// What can't be right in the expression for an attribute.
    pub fn errors_of(&self, attribute: &str) -> Vec<&str> {
        let errors =
            self.findings.iter().filter(|(of, finding)| *of == attribute && finding.severity == Severity::Error);
        errors.map(|(_, finding)| finding.message.as_str()).collect()
    }

    /// Drops findings that a profile disproves: an attribute or a value that a user has is possible, whatever the schema says.
    pub fn settle(&mut self, org: &Org) {
        let of_schema = |finding: &Finding| finding.by_schema || finding.missing.is_some();
        let doubtful: BTreeSet<&str> = self
            .findings
            .iter()
            .filter(|(_, finding)| of_schema(finding))
            .map(|(attribute, _)| attribute.as_ref())
            .collect();
        let expressions = self.mapping.expressions();
        let of = |attribute| expressions.get(attribute).map(|mapped| mapped.expression.attributes());
        let mut named: BTreeSet<&String> = doubtful.into_iter().filter_map(of).flatten().collect();
        let mut disproved = Schema::new();
        for user in org.users.values() {
            if named.is_empty() {
                break;
            }
            let profile = user.profile();
            named.retain(|name| {
                let Some(value) = profile.get(*name) else { return true };
                let fits = self.schema.get(*name).is_some_and(|known| known.allows(value));
                if !fits {
                    disproved.insert((*name).clone(), AttributeType::Other.into());
                }
                fits
            });
        }
        let of_app = org.extra.profiles.get("appuser").into_iter().flat_map(BTreeMap::values);
        let found = self.app_user.as_mut().is_some_and(|known| {
            let before = known.len();
            of_app.for_each(|profile| known.extend(profile.keys().cloned()));
            known.len() > before
        });
        if !disproved.is_empty() || found {
            self.schema.extend(disproved);
            self.findings = findings(&self.mapping, &self.schema, self.app_user.as_ref());
        }
    }

    /// All warnings, those about expressions included: a user stays unchanged if an expression fails.
    pub fn warned(&self) -> Vec<String> {
        let findings = self.findings.iter().filter(|(_, finding)| finding.severity != Severity::Note);
        let findings = findings.map(|(attribute, finding)| self.told(attribute, finding));
        self.warnings.iter().cloned().chain(findings).collect()
    }

    /// Where the expressions come from, by attribute, where some come from Okta.
    pub fn sources(&self) -> Vec<(Cow<'static, str>, String)> {
        if self.listed.is_empty() {
            return Vec::new();
        }
        let place = |source: &Source| source.location().unwrap_or_else(|| "not mapped".to_owned());
        self.mapping.expressions().into_iter().map(|(attribute, mapped)| (attribute, place(&mapped.source))).collect()
    }

    /// Whether the names of attributes were checked against the org's schemas.
    pub fn are_checked(&self) -> bool {
        self.unread.is_none()
    }

    /// Refuses what would give users a wrong value without any error: an attribute that no user has is null, a comparison
    /// that is never true takes the other branch, and an expression of Okta's that can't run here can't be left out.
    pub fn refuse(&self, settings: &Settings, colour: bool) -> Result<()> {
        if let Some(Unread::Failed(why)) = &self.unread {
            // A misspelt attribute is null for every user, and would take roles away.
            let error = Error::new(Kind::Failed, why.clone()).context("reading the org's schemas");
            return Err(error.hint("run it again; the names of attributes in expressions are checked by the schema"));
        }
        let silent = self.findings.iter().any(|(_, finding)| finding.missing.is_some() || finding.silent);
        let cannot = self.listed.iter().any(|listed| matches!(listed.verdict, Verdict::Cannot(_)));
        if silent || cannot || self.has_no_user_name() { self.mistakes(settings, colour) } else { Ok(()) }
    }

    /// With Okta's mapping the tool's own user name doesn't count.
    fn has_no_user_name(&self) -> bool {
        !self.listed.is_empty() && self.mapping.user_name.source == Source::Default
    }

    /// All mistakes in one error, with carets in the file or in the expression.
    pub fn mistakes(&self, settings: &Settings, colour: bool) -> Result<()> {
        let mut mistakes = Vec::new();
        let mut pictures = Vec::new();
        let expressions = self.mapping.expressions();
        for (attribute, finding) in self.findings.iter().filter(|(_, finding)| finding.severity == Severity::Error) {
            let Some(mapped) = expressions.get(attribute) else { continue };
            let message = format!("{} (in the expression for `{attribute}`)", finding.message);
            match &mapped.source {
                Source::File { span, .. } => mistakes.push(Mistake {
                    message,
                    span: span.clone(),
                    value: mapped.expression.source().to_owned(),
                    part: finding.span.clone(),
                    hint: finding.hint.clone(),
                }),
                source => {
                    let place = source.location().unwrap_or_else(|| "the default".to_owned());
                    let hint = finding.hint.as_ref().map(|hint| format!("\n  help: {hint}")).unwrap_or_default();
                    let picture = picture::of(mapped.expression.source(), &finding.span, &message);
                    pictures.push(format!("{place}\n{picture}{hint}"));
                }
            }
        }
        for listed in &self.listed {
            if let Verdict::Cannot(why) = &listed.verdict {
                pictures.push(format!("Okta's expression for {} can't run here: {why}", listed.attribute));
            }
        }
        if self.has_no_user_name() {
            pictures.push("Okta doesn't say what userName is made of".to_owned());
        }
        if !mistakes.is_empty() {
            pictures.insert(0, config::pictures(&settings.text, &mistakes, colour).to_string());
        }
        if pictures.is_empty() {
            return Ok(());
        }
        let error = Error::new(Kind::Config, pictures.join("\n\n"));
        Err(if self.listed.is_empty() {
            error
        } else {
            error.hint("a key under [attributes] in the config wins over Okta's")
        })
    }
}
