//! Renders runs as text.

use super::layout;
use super::text::{ADD, BOLD, CHANGE, DIM, REMOVE, count, counted, safe, styled};
use crate::state::history::Run;

/// A line for each run.
pub fn list(runs: &[Run]) -> String {
    let rows = runs.iter().map(|run| {
        let took = run.seconds.map(|seconds| format!("{seconds:.1} s")).unwrap_or_default();
        let begun = run.started.split('.').next().unwrap_or_default().replace('T', " ");
        vec![run.id.to_string(), begun, safe(&run.command), outcome(run), operations(run), took]
    });
    layout::table(&["run", "begun (UTC)", "command", "outcome", "operations", "took"], rows)
}

/// The heading of one run, above its plan.
pub fn heading(run: &Run) -> String {
    let mut lines =
        vec![format!("{} {}, {}", styled(BOLD, format!("Run {}:", run.id)), safe(&run.command), outcome(run))];
    if let Some(reason) = &run.reason {
        lines.push(safe(reason));
    }
    let ended = run.ended.as_ref().map(|ended| format!(", ended {ended}")).unwrap_or_default();
    let requests = run.requests.and_then(|requests| usize::try_from(requests).ok());
    let requests = requests.map(|number| format!(", {}", counted(number, "request", "requests"))).unwrap_or_default();
    lines.push(format!("begun {}{ended}{requests}", run.started));
    lines.push(styled(DIM, format!("oktapieces {}, config {}", run.tool_version, run.config)));
    lines.join("\n")
}

fn outcome(run: &Run) -> String {
    let word = run.outcome.as_deref().unwrap_or_default();
    let style = match word {
        "done" => ADD,
        "partial" | "running" => CHANGE,
        _ => REMOVE,
    };
    styled(style, word)
}

/// `37 of 40, 1 failed, 2 problems`
fn operations(run: &Run) -> String {
    let Some(changes) = run.changes else { return String::new() };
    let looked = !run.may_write();
    let changes = match changes {
        0 => "none".to_owned(),
        changes if looked => format!("{} planned", count(changes)),
        changes => format!("{} of {}", count(run.done), count(changes)),
    };
    let failed = (run.failed > 0).then(|| format!(", {} failed", count(run.failed)));
    let problems = run.problems.filter(|problems| *problems > 0);
    let problems = problems.map(|problems| format!(", {}", counted(problems, "problem", "problems")));
    [Some(changes), failed, problems].into_iter().flatten().collect()
}
