//! Tells what came of each operation of a run: on the screen, in JSON and in CSV with the same words.

use serde_json::{Value, json};

use super::text::{ADD, CHANGE, DIM, REMOVE, count, safe, styled};
use crate::apply::Outcome;
use crate::plan::Step;
use crate::state::history::{Recorded, Standing};

/// From so many operations that are done on, only some of them are listed.
const LONG: usize = 20;
/// So many of them are listed.
const SHOWN: usize = 10;

/// The words for outcomes, in the order of the list.
const WORDS: [&str; 4] = ["failed", "stale", "not begun", "done"];

/// What came of a step: `done`, `failed`, `stale` or `not begun`, and why.
pub fn of<'r>(recorded: &'r Recorded, step: Step<'_>) -> (&'static str, &'r str) {
    match recorded.standing(step) {
        Standing::Ended(Outcome::Done) => ("done", ""),
        Standing::Ended(Outcome::Kept(why) | Outcome::Failed(why)) => ("failed", why),
        Standing::Ended(Outcome::Stale(why)) => ("stale", why),
        Standing::Ended(Outcome::Skipped(why)) => ("not begun", why),
        Standing::Planned => ("not begun", ""),
        Standing::Begun => ("failed", "begun and not ended: the server may have done it"),
    }
}

/// Every operation with its outcome, those that aren't done first; of many that are done only the first ones, unless the
/// `whole` list is wanted.
pub fn text(recorded: &Recorded, whole: bool) -> String {
    let steps: Vec<_> = recorded.plan.steps().map(|step| (step, of(recorded, step))).collect();
    let of_word = |word: &str| steps.iter().filter(|(_, (found, _))| *found == word).collect::<Vec<_>>();
    let listed = WORDS.map(|word| (word, of_word(word)));
    let counts = listed.iter().filter(|(_, steps)| !steps.is_empty());
    let counts: Vec<String> = counts.map(|(word, steps)| format!("{} {word}", count(steps.len()))).collect();
    let mut lines = vec![format!("Operations: {}", counts.join(", "))];
    for (word, steps) in &listed {
        let cut = !whole && *word == "done" && steps.len() > LONG;
        let shown = if cut { SHOWN } else { steps.len() };
        lines.extend(steps[..shown].iter().map(|(step, (word, why))| line(*step, word, why)));
        if cut {
            let more = count(steps.len() - shown);
            lines.push(styled(DIM, format!("  … {more} more that are done, which --all shows")));
        }
    }
    lines.join("\n")
}

fn line(step: Step<'_>, word: &str, why: &str) -> String {
    let style = match word {
        "done" => ADD,
        "failed" => REMOVE,
        _ => CHANGE,
    };
    let why = if why.is_empty() { String::new() } else { format!(": {}", safe(why)) };
    format!("  {} {} {}{why}", styled(style, format!("{word:<9}")), step.action(), object(step))
}

/// `ada@example.com`, `project Sales`, `members of Sales`
fn object(step: Step<'_>) -> String {
    let subject = safe(step.subject());
    match step {
        Step::User(_) | Step::MoveLink(_) | Step::CloseOld(_) => subject,
        Step::CopyMemberships(_) => format!("to {subject}"),
        Step::Invitation(_) => format!("invitation of {subject}"),
        Step::Project(_) => format!("project {subject}"),
        Step::AddMembers(_) | Step::RemoveMembers(_) => format!("members of {subject}"),
        Step::SetRoles(_) => format!("of members of {subject}"),
    }
}

/// Every operation with its outcome, in the order of the plan.
pub fn json(recorded: &Recorded) -> Vec<Value> {
    let steps = recorded.plan.steps().map(|step| {
        let (outcome, reason) = of(recorded, step);
        json!({
            "kind": step.kind(),
            "action": step.action(),
            "subject": step.subject(),
            "okta_id": step.okta_id(),
            "outcome": outcome,
            "reason": (!reason.is_empty()).then_some(reason),
        })
    });
    steps.collect()
}
