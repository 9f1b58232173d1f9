//! `--only`: a part of a plan, for `plan` and `apply`.

use clap::Args;

use crate::output::text::{count, counted, safe};
use crate::plan::Plan;
use crate::plan::only::{self, Only};
use crate::sync::context::Context;

/// What of a plan is wanted.
#[derive(Debug, Args)]
pub struct OnlyArgs {
    /// Only this part of the plan: user=NAME, group=ID, project=NAME or kind=KIND; repeat it for more
    #[arg(long, value_name = "WHAT")]
    only: Vec<Only>,
}

impl OnlyArgs {
    /// Whether only a part is wanted.
    pub fn is_part(&self) -> bool {
        !self.only.is_empty()
    }

    /// Leaves the wanted part in the plan, and says what was left out.
    pub fn keep(&self, plan: &mut Plan, context: &Context) {
        if !self.is_part() {
            return;
        }
        let all = plan.steps().count();
        for unused in only::keep(plan, &self.only) {
            context.printer.warning(&format!("--only {}: nothing of the plan", safe(&unused.to_string())));
        }
        let (kept, all) = (count(plan.steps().count()), counted(all, "operation", "operations"));
        context.printer.status(&format!("Only a part of the plan, as --only asks: {kept} of {all}."));
    }
}
