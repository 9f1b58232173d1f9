//! `oktapieces init`: writes a config file, from flags or from questions on a terminal.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::check::{self, CheckArgs};
use crate::cli::pick::{self, Choice, ask};
use crate::config::{self, example};
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::files;
use crate::mapping::from_okta::{self, Listed, Verdict};
use crate::model::okta::Group;
use crate::okta::{self, Okta};
use crate::output::json::FORMAT_VERSION;
use crate::output::text::{BOLD, HINT, styled};
use crate::sync::access;
use crate::sync::context::Context;
use crate::sync::session::okta_client;

/// Write a config file with comments, from questions on a terminal or from flags, and check it
///
/// With `OKTA_API_TOKEN` in the environment, the app and the groups are picked from lists, and the roles come from Okta's own
/// mapping of the app if it has one. No secret is asked for or written: the file names the environment variables that hold
/// them.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The address of the Okta org
    #[arg(long, value_name = "URL")]
    okta: Option<String>,
    /// The address of the Activepieces platform
    #[arg(long, value_name = "URL")]
    activepieces: Option<String>,
    /// The Okta app whose users get accounts: its label or its id
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    /// A group that becomes a project: its name or its id. Can be repeated; without --app the members of these groups get
    /// accounts
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
    /// Replace the file if there is one
    #[arg(long)]
    force: bool,
}

/// What the config is made from.
#[derive(Debug)]
struct Answers {
    org_url: String,
    platform_url: String,
    app: Option<String>,
    groups: Vec<String>,
    from_okta: bool,
}

pub async fn run(args: InitArgs, context: &Context) -> Result<u8> {
    let path = context.config.clone().unwrap_or_else(|| PathBuf::from("config.toml"));
    if !args.force && path.symlink_metadata().is_ok() {
        return Err(exists(&path));
    }
    let force = args.force;
    let answers = answers(args, &path, context).await?;
    let text = example::of(&answers.values());
    config::load_text(&text, &path, context.printer.colours_stderr())?;
    write_config(&path, &text, force)?;
    context.printer.status(&format!("\nWrote {}.", path.display()));
    Box::pin(check(&path, context)).await
}

fn exists(path: &Path) -> Error {
    let error = Error::new(Kind::Failed, format!("`{}` is there already", path.display()));
    error.hint("name another file, or pass --force to replace this one")
}

/// Writes a config; an existing file is only replaced by `force`.
pub fn write_config(path: &Path, text: &str, force: bool) -> Result<()> {
    let written = if force { files::write_out(path, text.as_bytes()) } else { files::write_new(path, text.as_bytes()) };
    written.map_err(|refusal| match refusal.io_kind() {
        Some(std::io::ErrorKind::AlreadyExists) => exists(path),
        _ => Error::new(Kind::Failed, format!("`{}` {refusal}", path.display())),
    })
}

impl Answers {
    fn values(&self) -> example::Values {
        let mut values = example::Values::default();
        values.set("okta", "org_url", self.org_url.as_str());
        values.set("okta", "token_env", "OKTA_API_TOKEN");
        values.set("activepieces", "url", self.platform_url.as_str());
        values.set("activepieces", "api_key_env", "ACTIVEPIECES_API_KEY");
        match &self.app {
            Some(app) => values.set("scope", "app", app.as_str()),
            None => values.set("scope", "groups", self.groups.clone()),
        }
        if self.from_okta {
            values.set("attributes", "from_okta", true);
        }
        for group in &self.groups {
            values.add("projects", "group", group.as_str());
        }
        values
    }
}

/// Takes the flags, asks for what is missing on a terminal, and reads from Okta what it has to say.
async fn answers(args: InitArgs, path: &Path, context: &Context) -> Result<Answers> {
    let asks = context.printer.interactive;
    if !asks {
        refuse_missing(&args)?;
    }
    let org = ("Address of the Okta org, such as https://example.okta.com:", "--okta");
    let org_url = address(args.okta, org, config::org_url, context)?;
    let platform =
        ("Address of the Activepieces platform, such as https://activepieces.example.com:", "--activepieces");
    let platform_url = address(args.activepieces, platform, config::platform_url, context)?;
    let okta = org_of(&org_url, &platform_url, path, context);
    let app = match args.app {
        None if asks && args.group.is_empty() => app(okta.as_ref(), context).await?,
        given => given,
    };
    let groups = if asks && args.group.is_empty() { groups(okta.as_ref(), context).await? } else { args.group };
    if app.is_none() && groups.is_empty() {
        return Err(Error::new(Kind::Usage, "neither an app nor a group says who gets an account")
            .hint("pass --app NAME, or --group NAME for the members of a group"));
    }
    if app.iter().chain(&groups).any(|name| config::looks_like_secret(name)) {
        return Err(Error::new(
            Kind::Usage,
            "a name of an app or a group has the form of an API token or key; it isn't shown",
        )
        .hint("put secrets into environment variables; revoke one that was typed here by mistake"));
    }
    let from_okta = match (&okta, &app) {
        (Some(okta), Some(app)) => roles_from_okta(okta, app, context).await?,
        _ => false,
    };
    Ok(Answers { org_url, platform_url, app, groups, from_okta })
}

fn refuse_missing(args: &InitArgs) -> Result<()> {
    let missing = [
        ("--okta URL", args.okta.is_none()),
        ("--activepieces URL", args.activepieces.is_none()),
        ("--app NAME", args.app.is_none() && args.group.is_empty()),
    ];
    let missing: Vec<&str> = missing.into_iter().filter(|(_, missing)| *missing).map(|(flag, _)| flag).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let error = Error::new(Kind::Usage, "cannot ask for the config: there is no terminal to ask on");
    Err(error.hint(format!("pass {}", missing.join(", "))))
}

/// A valid address: the flag's, or one that is asked for until it is valid.
fn address(
    given: Option<String>,
    (question, flag): (&str, &str),
    cleaned: impl Fn(&str) -> std::result::Result<String, String>,
    context: &Context,
) -> Result<String> {
    if let Some(given) = given {
        return cleaned(&given).map_err(|fault| Error::new(Kind::Usage, format!("{flag}: {fault}")));
    }
    loop {
        match cleaned(&ask(&context.printer, question)?) {
            Ok(address) => return Ok(address),
            Err(fault) => context.printer.warning(&fault),
        }
    }
}

/// The client of the org, if its token is there.
fn org_of(org_url: &str, platform_url: &str, path: &Path, context: &Context) -> Option<Okta> {
    let mut values = example::Values::default();
    values.set("okta", "org_url", org_url);
    values.set("activepieces", "url", platform_url);
    values.set("scope", "everyone", true);
    let client = config::load_text(&example::of(&values), path, false).and_then(|settings| okta_client(&settings));
    client.map_err(|error| context.printer.status(&format!("\nThe org isn't read: {error}."))).ok()
}

/// Asks for the app: from the list of the org, or by its name where there is no list.
async fn app(okta: Option<&Okta>, context: &Context) -> Result<Option<String>> {
    let question = "Whose users get accounts? An Okta app:";
    let apps = match okta {
        Some(okta) => listed(okta.apps(None).await.map_err(Error::from), "apps", context),
        None => None,
    };
    let Some(apps) = apps else {
        return typed("Label of the Okta app whose users get accounts; Enter for none:", context);
    };
    let mut apps: Vec<_> = apps.into_iter().filter(|app| app.exists() && app.is_active()).collect();
    apps.sort_by_cached_key(|app| (!app.label.to_lowercase().contains("activepieces"), app.label.to_lowercase()));
    let named: Vec<_> = apps.into_iter().map(|app| (app.label, app.id.to_string())).collect();
    let choices = choices(&named);
    Ok(pick::one(&context.printer, question, &choices)?.map(|choice| choice.value.clone()))
}

/// Asks for the groups that become projects.
async fn groups(okta: Option<&Okta>, context: &Context) -> Result<Vec<String>> {
    let listed = match okta {
        Some(okta) => listed(okta.groups().await.map_err(Error::from), "groups", context),
        None => None,
    };
    let Some(listed) = listed else {
        let typed = typed("Names of the groups that become projects, separated by commas; Enter for none:", context)?;
        let names = typed.iter().flat_map(|names| names.split(',')).map(|name| name.trim().to_owned());
        return Ok(names.filter(|name| !name.is_empty()).collect());
    };
    let mut groups: Vec<Group> = listed.into_iter().map(Group::from).filter(|group| !group.is_everyone()).collect();
    groups.sort_by_cached_key(|group| group.name.to_lowercase());
    let named: Vec<_> = groups.into_iter().map(|group| (group.name, group.id.to_string())).collect();
    let choices = choices(&named);
    let picked = pick::several(&context.printer, "Which groups become projects?", &choices)?;
    Ok(picked.into_iter().map(|choice| choice.value.clone()).collect())
}

fn listed<T>(listed: Result<Vec<T>>, what: &str, context: &Context) -> Option<Vec<T>> {
    listed.map_err(|error| context.printer.warning(&format!("the {what} of the org can't be listed: {error}"))).ok()
}

fn typed(question: &str, context: &Context) -> Result<Option<String>> {
    Ok(Some(ask(&context.printer, question)?).filter(|text| !text.is_empty()))
}

/// Names with ids, by which the config names those whose name isn't the only one.
fn choices(named: &[(String, String)]) -> Vec<Choice> {
    let is_only = |name: &str| named.iter().filter(|(other, _)| other == name).count() == 1;
    let choice = |(name, id): &(String, String)| {
        if is_only(name) {
            return Choice { label: name.clone(), value: name.clone() };
        }
        Choice { label: format!("{name} ({id})"), value: id.clone() }
    };
    named.iter().map(choice).collect()
}

/// Whether Okta's own mapping gives the roles: it has an expression for them that runs here, and the admin agrees.
async fn roles_from_okta(okta: &Okta, app: &str, context: &Context) -> Result<bool> {
    let found = match okta::profile_mapping(okta, app).await {
        Ok((found, _)) => found,
        Err(error) => {
            context.printer.status(&format!("\nOkta's own mapping isn't used: {error}."));
            return Ok(false);
        }
    };
    let least = "[okta]\norg_url = \"a.okta.com\"\n[activepieces]\nurl = \"b.example.com\"\n[scope]\neveryone = true";
    let (_, listed) = from_okta::take(&config::parse(least, "")?.mapping, &found);
    let Some(expression) = role(&listed) else {
        context
            .printer
            .status("\nOkta maps no role that can be used here: new users are MEMBER, and accounts keep their role.");
        return Ok(false);
    };
    context.printer.status(&format!("\nOkta maps the role by {}", styled(HINT, expression)));
    if !context.printer.interactive {
        return Ok(true);
    }
    let answer = ask(&context.printer, "Use Okta's own mapping for roles and names? [Y/n]")?;
    Ok(["", "y", "yes"].contains(&answer.to_lowercase().as_str()))
}

/// The expression of the role, if all that Activepieces takes of the mapping runs here.
fn role(listed: &[Listed]) -> Option<&str> {
    let runs = listed.iter().all(|listed| !matches!(listed.verdict, Verdict::Cannot(_)));
    let role = listed.iter().find(|listed| listed.attribute == "platformRole" && listed.verdict == Verdict::Runs);
    role.filter(|_| runs).map(|listed| listed.property.expression.as_str())
}

/// Runs `check` if both secrets are there, and says what comes next.
async fn check(path: &Path, context: &Context) -> Result<u8> {
    let settings = config::load(path, context.printer.colours_stderr())?;
    let flag = if context.config.is_some() { format!(" --config {}", path.display()) } else { String::new() };
    let secrets = access::okta(&settings).map(drop).and_then(|()| settings.activepieces.api_key.read().map(drop));
    if let Err(missing) = secrets {
        if context.printer.json {
            let answer = serde_json::json!({"format_version": FORMAT_VERSION, "file": path, "checked": false});
            context.printer.answer_json(&answer);
        }
        context.printer.status(&format!(
            "It isn't checked yet: {missing}.\n\n{}\n  1. put the Okta API token into OKTA_API_TOKEN (Okta: Security > API > Tokens)\n  \
             2. put the API key into ACTIVEPIECES_API_KEY (Activepieces: Platform admin > Security > API keys)\n  \
             3. run {}",
            styled(BOLD, "Next"),
            styled(HINT, format!("oktapieces check{flag}")),
        ));
        return Ok(EXIT_OK);
    }
    let code = check::run(CheckArgs {}, context).await?;
    let next = if code == EXIT_OK {
        format!("{} shows what would change; nothing is written.", styled(HINT, format!("oktapieces plan{flag}")))
    } else {
        let again = styled(HINT, format!("oktapieces check{flag}"));
        format!("correct {} and run {again} again.", path.display())
    };
    context.printer.status(&format!("\n{} {next}", styled(BOLD, "Next:")));
    Ok(code)
}
