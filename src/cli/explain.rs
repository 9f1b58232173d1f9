//! `oktapieces explain`: says what a user has, and why.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{EXIT_OK, Result};
use crate::output::json::FORMAT_VERSION;
use crate::output::{Verbosity, explain_text, explain_whole_text};
use crate::sync::context::Context;
use crate::sync::explain::{self, whole};
use crate::sync::session::{PARALLELISM, Session};

/// Explain what a user has in Activepieces, and why
///
/// For a user: status and scope in Okta, each attribute with the value of each part of its expression, the account, the
/// projects, what the next apply would do, and what earlier runs did. Only this user is read.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct ExplainArgs {
    /// The login, e-mail address or id of the Okta user, or the address of an account
    #[arg(value_parser = NonEmptyStringValueParser::new(), required_unless_present_any = ["group", "project"])]
    user: Option<String>,
    /// Explain an Okta group by its name or id: its rule, its project, and which members get in; reads both sides whole
    #[arg(long, value_name = "NAME", conflicts_with_all = ["user", "project"])]
    group: Option<String>,
    /// Explain a project by its name or id: its group, and why each member is in it; reads both sides whole
    #[arg(long, value_name = "NAME", conflicts_with = "user")]
    project: Option<String>,
}

pub async fn run(args: ExplainArgs, context: &Context) -> Result<u8> {
    let session = Session::open(context, PARALLELISM)?;
    let verbose = context.printer.verbosity == Verbosity::Verbose;
    let ExplainArgs { user, group, project } = args;
    if let Some(group) = group {
        let group = Box::pin(whole::explain_group(&session, &group, context)).await?;
        return Ok(show(&session, &group, || explain_whole_text::group(&group, verbose), context));
    }
    if let Some(project) = project {
        let project = Box::pin(whole::explain_project(&session, &project, context)).await?;
        return Ok(show(&session, &project, || explain_whole_text::project(&project, verbose), context));
    }
    let user = Box::pin(explain::explain(&session, &user.unwrap_or_default(), context)).await?;
    Ok(show(&session, &user, || explain_text::user(&user, verbose), context))
}

fn show(session: &Session, explained: &impl Serialize, text: impl FnOnce() -> String, context: &Context) -> u8 {
    if context.printer.json {
        context.printer.answer_json(&document(session, explained));
    } else {
        context.printer.answer(&text());
    }
    EXIT_OK
}

/// The answer as JSON: the servers, the requests, and the explanation.
fn document(session: &Session, explained: &impl Serialize) -> Value {
    let mut answer = json!(explained);
    answer["format_version"] = FORMAT_VERSION.into();
    answer["tool_version"] = env!("CARGO_PKG_VERSION").into();
    answer["okta"] = session.org().into();
    answer["activepieces"] = session.platform().into();
    answer["requests"] = session.requests().into();
    answer
}
