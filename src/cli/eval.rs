//! `oktapieces eval`

use std::path::{Path, PathBuf};

use clap::Args;

use super::Context;
use super::session::{load, okta_client};
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::expression::cases::Case;
use crate::expression::{self, ErrorKind, Expression, SyntaxError};
use crate::okta;
use crate::output::json::FORMAT_VERSION;
use crate::output::text::{ADD, HINT, REMOVE, counted, safe, styled};

/// Evaluate an Okta expression for one Okta user, or a file of cases
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct EvalArgs {
    /// The expression
    #[arg(value_name = "EXPR", requires = "user", required_unless_present = "cases", conflicts_with = "cases")]
    expression: Option<String>,
    /// The login or id of the Okta user
    #[arg(long, value_name = "LOGIN", requires = "expression")]
    user: Option<String>,
    /// Show what each part of the expression gives
    #[arg(long, requires = "expression")]
    trace: bool,
    /// A file with one JSON object a line: {"expression", "user", "groups", "result"}, or "error" in place of "result"
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
}

pub async fn run(args: EvalArgs, context: &Context) -> Result<u8> {
    if let Some(path) = &args.cases {
        return check_cases(path, context);
    }
    let (Some(source), Some(login)) = (args.expression, args.user) else {
        return Err(Error::new(Kind::Usage, "an expression and --user are wanted, or --cases"));
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
    let Some(user) = reading.org.users.values().next() else { return Ok(EXIT_OK) };
    let groups = reading.org.groups_of.get(&user.id).map(Vec::as_slice).unwrap_or_default();
    let evaluation = expression::Context::new(user, groups).with_extra(&reading.org.extra).at(jiff::Timestamp::now());
    let steps = if trace { traced(expression, &evaluation) } else { Vec::new() };
    if !context.printer.json {
        for (text, outcome) in &steps {
            context.printer.answer(&format!("{} → {}", styled(HINT, safe(text)), safe(outcome)));
        }
    }
    let value = expression.evaluate(&evaluation).map_err(|error| {
        let title = match error.kind {
            ErrorKind::Failed => "the expression fails for this user",
            ErrorKind::Unevaluable => "the expression can't be evaluated here",
        };
        let picture = picture(expression.source(), &error.span, &error.message);
        Error::new(Kind::Failed, format!("{title}: {}\n{picture}", error.message))
    })?;
    let json = value.to_json();
    let answer = if context.printer.json {
        let mut answer = serde_json::json!({
            "format_version": FORMAT_VERSION, "user": user.login(), "result": json, "type": value.kind(),
        });
        if trace {
            answer["trace"] =
                steps.iter().map(|(text, outcome)| serde_json::json!({"part": text, "gives": outcome})).collect();
        }
        answer.to_string()
    } else {
        json.as_str().map_or_else(|| json.to_string(), str::to_owned)
    };
    context.printer.answer(&answer);
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
    let pictures: Vec<String> = faults.iter().map(|fault| picture(source, &fault.span, &fault.message)).collect();
    let mut error = Error::new(Kind::Config, format!("the expression isn't valid\n{}", pictures.join("\n")));
    for hint in faults.iter().filter_map(|fault| fault.hint.as_ref()) {
        error = error.hint(hint);
    }
    error
}

/// The source with carets under the place.
fn picture(source: &str, span: &std::ops::Range<usize>, label: &str) -> String {
    use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
    let annotation = AnnotationKind::Primary.span(span.clone()).label(label);
    let snippet = Snippet::source(source).annotation(annotation);
    let text = Renderer::plain().render(&[annotate_snippets::Group::with_level(Level::ERROR).element(snippet)]);
    text.clone()
}

/// Evaluates every case of the file and shows those that differ.
fn check_cases(path: &Path, context: &Context) -> Result<u8> {
    let read = |error| Error::from_source(Kind::Config, error).context(format!("reading {}", path.display()));
    let text = std::fs::read_to_string(path).map_err(read)?;
    let mut differences = Vec::new();
    let mut broken = Vec::new();
    let mut cases = 0;
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        cases += 1;
        match Case::parse(line) {
            Err(why) => broken.push(format!("{}:{}: {why}", path.display(), at + 1)),
            Ok(case) => differences.extend(case.check().err().map(|difference| (at + 1, case.expression, difference))),
        }
    }
    if !broken.is_empty() {
        return Err(Error::new(Kind::Config, broken.join("\n")).hint(
            "each line is a JSON object with \"expression\", \"user\", \"groups\", and \"result\" or \"error\"",
        ));
    }
    if context.printer.json {
        let list: Vec<_> = differences
            .iter()
            .map(|(line, expression, difference)| {
                serde_json::json!({"line": line, "expression": expression, "expected": difference.expected, "actual": difference.actual})
            })
            .collect();
        let answer = serde_json::json!({"format_version": FORMAT_VERSION, "cases": cases, "differences": list});
        context.printer.answer(&answer.to_string());
    } else {
        for (line, expression, difference) in &differences {
            let expected = styled(ADD, &difference.expected);
            let actual = styled(REMOVE, &difference.actual);
            context.printer.answer(&format!("line {line}: {expression}\n  expected {expected}\n  gives    {actual}"));
        }
        let total = counted(cases, "case", "cases");
        context.printer.answer(&format!("{total}, {}.", counted(differences.len(), "difference", "differences")));
    }
    Ok(if differences.is_empty() { EXIT_OK } else { Kind::Failed.exit_code() })
}
