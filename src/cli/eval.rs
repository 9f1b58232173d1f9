//! `oktapieces eval`: evaluates an expression for a user.

use std::path::PathBuf;

use clap::Args;

use crate::cli::eval_cases;
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::expression::{self, ErrorKind, Expression, SyntaxError};
use crate::okta;
use crate::output::json::FORMAT_VERSION;
use crate::output::picture;
use crate::output::text::{HINT, styled, visible};
use crate::sync::context::Context;
use crate::sync::session::{load, okta_client};

/// Evaluate an Okta expression for one Okta user, a file of cases, or the roles of all users in scope
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct EvalArgs {
    /// The expression
    #[arg(value_name = "EXPR", requires = "user")]
    #[arg(required_unless_present_any = ["cases", "summary", "from_okta"])]
    #[arg(conflicts_with_all = ["cases", "summary", "from_okta"])]
    expression: Option<String>,
    /// The login or id of the Okta user
    #[arg(long, value_name = "LOGIN", requires = "expression")]
    user: Option<String>,
    /// Show what each part of the expression gives
    #[arg(long, requires = "expression")]
    trace: bool,
    /// A file of cases: one JSON object a line, {"expression", "user", "groups", "result"} or "error" in place of "result";
    /// or, if its name ends in .csv, lines of login and expected role, which the config's own expression has to give
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// Count the users in scope by the role that they get
    #[arg(long)]
    summary: bool,
    /// List the expressions that stand in Okta for the app, and say of each whether it runs here
    #[arg(long, conflicts_with_all = ["cases", "summary"])]
    from_okta: bool,
}

pub async fn run(args: EvalArgs, context: &Context) -> Result<u8> {
    if args.from_okta {
        return Box::pin(eval_cases::list_from_okta(context)).await;
    }
    if args.cases.is_some() || args.summary {
        return Box::pin(eval_cases::run(args.cases.as_deref(), args.summary, context)).await;
    }
    let (Some(source), Some(login)) = (args.expression, args.user) else {
        return Err(Error::new(Kind::Usage, "expected an expression and --user, or --cases"));
    };
    let expression = Expression::parse(&source).map_err(|faults| syntax_error(&source, &faults))?;
    evaluate(&expression, &login, args.trace, context).await
}

/// Reads the user, and their groups where the expression asks for them, and shows the value.
async fn evaluate(expression: &Expression, login: &str, trace: bool, context: &Context) -> Result<u8> {
    let settings = load(context)?;
    let okta = okta_client(&settings)?;
    let reading = okta::read_user(&okta, login, &settings.scope, expression.needs()).await?;
    let reading = reading.ok_or_else(|| Error::new(Kind::Failed, format!("Okta has no user {login}")))?;
    reading.warnings.iter().for_each(|warning| context.printer.warning(warning));
    let Some((id, user)) = reading.org.users.iter().next() else { return Ok(EXIT_OK) };
    let user = user.unpack(id);
    let groups = reading.org.groups_of.get(&user.id).map(Vec::as_slice).unwrap_or_default();
    let evaluation = expression::Context::new(&user, groups).with_extra(&reading.org.extra).at(jiff::Timestamp::now());
    let steps = if trace { traced(expression, &evaluation) } else { Vec::new() };
    if !context.printer.json {
        for (text, outcome) in &steps {
            context.printer.answer(&format!("{} → {}", styled(HINT, visible(text)), visible(outcome)));
        }
    }
    let value = expression.evaluate(&evaluation).map_err(|error| {
        let title = match error.kind {
            ErrorKind::Failed => "the expression fails for this user",
            ErrorKind::Unevaluable => "the expression can't be evaluated here",
        };
        let picture = picture::of(expression.source(), &error.span, &error.message);
        Error::new(Kind::Failed, format!("{title}: {}\n{picture}", error.message))
    })?;
    let json = value.to_json();
    if context.printer.json {
        let mut answer = serde_json::json!({
            "format_version": FORMAT_VERSION, "user": user.login(), "result": json, "type": value.kind(),
        });
        if trace {
            answer["trace"] =
                steps.iter().map(|(text, outcome)| serde_json::json!({"part": text, "gives": outcome})).collect();
        }
        context.printer.answer_json(&answer);
    } else {
        context.printer.answer(&json.as_str().map_or_else(|| json.to_string(), str::to_owned));
    }
    Ok(EXIT_OK)
}

/// Each part that was evaluated, in the order of the source, with its value or why it has none.
fn traced(expression: &Expression, evaluation: &expression::Context<'_>) -> Vec<(String, String)> {
    let outcome = |step: &expression::Step<'_>| match &step.outcome {
        Ok(value) => value.to_json().to_string(),
        Err(error) => format!("an error: {}", error.message),
    };
    expression.trace(evaluation).iter().map(|step| (step.text.to_owned(), outcome(step))).collect()
}

fn syntax_error(source: &str, faults: &[SyntaxError]) -> Error {
    let pictures: Vec<String> = faults.iter().map(|fault| picture::of(source, &fault.span, &fault.message)).collect();
    let mut error = Error::new(Kind::Config, format!("the expression isn't valid\n{}", pictures.join("\n")));
    for hint in faults.iter().filter_map(|fault| fault.hint.as_ref()) {
        error = error.hint(hint);
    }
    error
}
