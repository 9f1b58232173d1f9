//! `oktapieces who`: lists who has which role and project, and why.

use clap::Args;
use serde_json::json;

use crate::error::{EXIT_OK, Result};
use crate::model::PlatformRole;
use crate::output::json::FORMAT_VERSION;
use crate::output::text::{count, counted};
use crate::output::who_text::{self, Shown};
use crate::plan::access::Access;
use crate::sync::context::Context;
use crate::sync::explain::whole;
use crate::sync::session::{PARALLELISM, Session};

/// List the accounts with their roles, and why each has its role
///
/// Both servers are read as plan does. Inactive accounts are left out unless --inactive asks for them.
#[derive(Debug, Args)]
pub struct WhoArgs {
    /// Only accounts with this role; repeatable
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Vec<PlatformRole>,
    /// Only members of the project of this name or id, with their project roles
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Only accounts that Okta doesn't know, and those of users who are deleted there
    #[arg(long)]
    not_in_okta: bool,
    /// Also inactive accounts, which have no access
    #[arg(long)]
    inactive: bool,
    /// A row of CSV for each role and each project of an account, safe to open in a spreadsheet
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

fn role(text: &str) -> std::result::Result<PlatformRole, String> {
    PlatformRole::parse(&text.to_uppercase()).ok_or_else(|| "expected ADMIN, OPERATOR or MEMBER".to_owned())
}

pub async fn run(args: WhoArgs, context: &Context) -> Result<u8> {
    let session = Session::open(context, PARALLELISM)?;
    let wants_roles = args.csv || args.project.is_some() || context.printer.json;
    let (all, looked) = Box::pin(whole::all(&session, wants_roles, context)).await?;
    let project = args.project.as_deref().map(|name| whole::project(&looked.platform, name)).transpose()?;
    let is_shown = |access: &Access| {
        let has_role = args.role.is_empty() || args.role.iter().any(|role| role.as_str() == access.role);
        let is_member = project.is_none_or(|project| access.projects.iter().any(|of| of.id == project.id));
        has_role && is_member && (args.inactive || access.active) && (!args.not_in_okta || access.not_in_okta)
    };
    let shown: Vec<&Access> = all.iter().filter(|access| is_shown(access)).collect();
    let place = looked.mapping.platform_role.as_ref().and_then(|mapped| mapped.source.location());
    let shown = Shown { accounts: &shown, project: project.map(|project| &project.id), place: place.as_deref() };
    if context.printer.json {
        context.printer.answer_json(&json!({
            "format_version": FORMAT_VERSION,
            "tool_version": env!("CARGO_PKG_VERSION"),
            "okta": session.org(),
            "activepieces": session.platform(),
            "role_expression": place,
            "accounts": shown.accounts,
        }));
    } else if args.csv {
        context.printer.answer_rendered(&who_text::csv(&shown));
    } else if !shown.accounts.is_empty() {
        context.printer.answer(&who_text::table(&shown));
    }
    note(&all, shown.accounts.len(), args.inactive, context);
    Ok(EXIT_OK)
}

/// Says how many accounts there are, and which aren't listed.
fn note(all: &[Access], shown: usize, inactive: bool, context: &Context) {
    let of = counted(all.len(), "account", "accounts");
    let left_out = all.iter().filter(|access| !access.active).count();
    let inactive = match left_out {
        0 => String::new(),
        left_out if inactive => format!(", {left_out} of them inactive"),
        left_out => format!(", {left_out} of them inactive and left out (--inactive lists them)"),
    };
    context.printer.status(&format!("\n{} of {of}{inactive}.", count(shown)));
}
