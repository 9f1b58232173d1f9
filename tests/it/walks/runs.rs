//! A walk from its first apply to the point where nothing is left to do.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::Value;

use super::event::{Event, Setup};
use super::laws::{Kind, Ledger, Step, closed_members, unarchived, unsettled};
use super::world::{Standing, World};
use crate::support::Outcome;

/// Where a plan is kept for later.
const SAVED: &str = "saved.json";

/// The walk of a company, and what is known of its runs.
struct Walk {
    world: World,
    ledger: Ledger,
    saved: bool,
    /// The accounts of the run that is undone next.
    undoes: BTreeMap<String, String>,
}

/// Goes a walk, and tells the first breach of a law in it.
pub async fn walk(setup: Setup, events: &[Event]) -> Option<String> {
    let mut walk =
        Walk { world: World::new(setup).await, ledger: Ledger::default(), saved: false, undoes: BTreeMap::new() };
    let mut told = walk.happens(&Event::Apply).await.map(|breach| format!("{breach} (in the first apply)"));
    for (at, event) in events.iter().enumerate() {
        if told.is_some() {
            return told;
        }
        told = walk.happens(event).await.map(|breach| format!("{breach} (in event {at})"));
    }
    match told {
        Some(told) => Some(told),
        None => walk.settles().await,
    }
}

impl Walk {
    async fn happens(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Plan => self.run(Kind::Plan, &["plan", "--json"]).await.1,
            Event::Apply => self.run(Kind::Apply, &["apply", "--yes", "--json"]).await.1,
            Event::ApplyRefused => {
                let arguments = ["apply", "--yes", "--json", "--parallelism", "1"].map(str::to_owned);
                self.once(Kind::Apply, &arguments).await.1
            }
            Event::Save => {
                let (outcome, breach) = self.run(Kind::Plan, &["plan", "--json", "--out", SAVED]).await;
                // With a mistake in the config there is no plan to save.
                self.saved |= outcome.code != 78;
                breach
            }
            Event::ApplySaved if self.saved => self.run(Kind::ApplySaved, &["apply", SAVED, "--json"]).await.1,
            Event::ApplySaved => None,
            Event::Adopt => self.run(Kind::Adopt, &["adopt", "--yes", "--json"]).await.1,
            Event::Undo(back) => {
                let runs = &self.ledger.runs;
                let (run, accounts) = runs.len().checked_sub(back + 1).map(|at| runs[at].clone())?;
                let run = run.to_string();
                self.undoes = accounts;
                self.run(Kind::Undo, &["undo", &run, "--yes", "--json"]).await.1
            }
            Event::Accept => {
                let (outcome, breach) = self.run(Kind::Plan, &["plan", "--json"]).await;
                self.world.accept(&serde_json::from_str(&outcome.stdout).unwrap_or_default());
                breach
            }
            // It ends before there is anything to kill.
            Event::Kill(_) if self.world.mistaken => self.run(Kind::Apply, &["apply", "--yes", "--json"]).await.1,
            Event::Kill(after) => self.killed(*after).await,
            other => {
                self.world.happen(other);
                None
            }
        }
    }

    /// Runs the binary and checks the laws. What a limit refuses is then allowed, as an admin who has read the plan would.
    async fn run(&mut self, kind: Kind, arguments: &[&str]) -> (Outcome, Option<String>) {
        let mut arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        if kind != Kind::Plan {
            arguments.extend(["--parallelism".to_owned(), "1".to_owned()]);
        }
        let (outcome, breach) = self.once(kind, &arguments).await;
        let answer: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
        let refusals = answer["refusals"].as_array().cloned().unwrap_or_default();
        let flags: Option<Vec<&str>> = refusals.iter().map(|refusal| refusal["flag"].as_str()).collect();
        match flags {
            Some(flags) if outcome.code == 5 && breach.is_none() && !flags.is_empty() => {
                arguments.extend(flags.iter().flat_map(|flag| flag.split(' ')).map(str::to_owned));
                self.once(kind, &arguments).await
            }
            _ if outcome.code == 7 && breach.is_none() && kind != Kind::Adopt => {
                arguments.push("--trust-source".to_owned());
                self.once(kind, &arguments).await
            }
            _ => (outcome, breach),
        }
    }

    async fn once(&mut self, kind: Kind, arguments: &[String]) -> (Outcome, Option<String>) {
        let traffic = std::sync::Arc::clone(self.world.stage.sandbox.activepieces_traffic());
        let org = self.world.org();
        if kind != Kind::Plan {
            self.world.arm();
            if let Some(after) = self.world.lost.take() {
                for method in ["PUT", "PATCH", "POST", "DELETE"] {
                    let kind = FaultKind::CutAfter;
                    let path = "/api/v1/".to_owned();
                    traffic.fault(Fault { method: Some(method.to_owned()), path, kind, after, times: 1 });
                }
            }
        }
        let (before, truth, began) = (Standing::of(&self.world.platform()), self.world.truth(), org.now());
        let befallen = traffic.befallen();
        let arguments_given: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let outcome = self.world.stage.run(&arguments_given).await;
        if kind != Kind::Plan {
            traffic.mend();
        }
        let answer: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
        let wrote = answer["run"].as_u64().filter(|_| kind != Kind::Plan && answer["operations"].as_u64() > Some(0));
        let plan = if answer["plan"].is_object() { answer["plan"].clone() } else { answer };
        let refused = outcome.code == 5
            && plan["refusals"].as_array().is_some_and(|refusals| {
                !refusals.is_empty() && refusals.iter().all(|refusal| refusal["flag"].is_string())
            });
        let step = Step {
            kind: if ![Kind::Plan, Kind::Adopt].contains(&kind) && (refused || outcome.code == 7) {
                Kind::Refused
            } else {
                kind
            },
            setup: &self.world.setup,
            mistaken: self.world.mistaken,
            accepted: &self.world.accepted,
            before,
            after: Standing::of(&self.world.platform()),
            truth,
            times: (began, org.now()),
            plan,
            outcome: &outcome,
            interferences: self.world.interferences.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect(),
            faulty: traffic.befallen() > befallen,
            arguments: arguments.to_vec(),
            undoes: if kind == Kind::Undo { self.undoes.clone() } else { BTreeMap::new() },
        };
        self.ledger.runs.extend(wrote.map(|run| (run, step.accounts())));
        let breach = self.ledger.judge(&step).into_iter().next();
        let breach = breach.map(|breach| told(&breach, &step));
        (outcome, breach)
    }

    /// An apply that is killed while it waits for the answer to a write on which the server has acted.
    async fn killed(&mut self, after: usize) -> Option<String> {
        let traffic = std::sync::Arc::clone(self.world.stage.sandbox.activepieces_traffic());
        let org = self.world.org();
        for method in ["PUT", "PATCH", "POST", "DELETE"] {
            let (method, kind) = (Some(method.to_owned()), FaultKind::HangAfter(Duration::from_mins(10)));
            traffic.fault(Fault { method, path: "/api/v1/".to_owned(), kind, after, times: 1 });
        }
        let (before, truth, began) = (Standing::of(&self.world.platform()), self.world.truth(), org.now());
        let befallen = traffic.befallen();
        let mut child = self.world.stage.spawn(&["apply", "--yes", "--parallelism", "1"]);
        while traffic.befallen() == befallen && child.try_wait().ok()?.is_none() {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        child.kill().await.ok()?;
        traffic.mend();
        let history = self.world.stage.run(&["history", "--json"]).await.json();
        let run = history["runs"][0]["id"].as_u64()?;
        let shown = self.world.stage.run(&["show", &run.to_string(), "--json"]).await;
        let step = Step {
            kind: Kind::Kill,
            setup: &self.world.setup,
            mistaken: self.world.mistaken,
            accepted: &self.world.accepted,
            before,
            after: Standing::of(&self.world.platform()),
            truth,
            times: (began, org.now()),
            plan: shown.json()["plan"].clone(),
            outcome: &shown,
            interferences: Vec::new(),
            faulty: true,
            arguments: Vec::new(),
            undoes: BTreeMap::new(),
        };
        if shown.json()["operations"].as_u64() > Some(0) {
            self.ledger.runs.push((run, step.accounts()));
        }
        let breach = self.ledger.judge(&step).into_iter().next();
        breach.map(|breach| told(&breach, &step))
    }

    /// Once nothing happens any more, applies come to the point where nothing is left to do.
    async fn settles(&mut self) -> Option<String> {
        self.world.org().see_all();
        self.world.clear();
        let Setup { grace_runs, grace_hours, stated_hours, delete_inactive, .. } = self.world.setup;
        let grace_hours = grace_hours.max(stated_hours).max(if delete_inactive { 48 } else { 0 });
        let grace_runs = if delete_inactive { grace_runs + 3 } else { grace_runs };
        self.world.org().shift_clock(grace_hours * 3600);
        for _ in 0..=grace_runs {
            let (outcome, breach) = self.run(Kind::Apply, &["apply", "--yes", "--json"]).await;
            if breach.is_some() {
                return breach.map(|breach| format!("{breach} (at the end)"));
            }
            if grace_hours > 0 {
                self.world.org().shift_clock(grace_hours * 3600);
            }
            if ![0, 3].contains(&outcome.code) {
                return Some(format!("settling: an apply ends with {}: {}", outcome.code, outcome.stderr));
            }
        }
        let plan = self.world.stage.plan().await;
        let left = crate::support::operations(&plan);
        let (truth, standing) = (self.world.truth(), Standing::of(&self.world.platform()));
        if left == 0 {
            let setup = &self.world.setup;
            let unsettled = unsettled(setup, &truth, &standing, &plan)
                .or_else(|| unarchived(setup, &truth, &standing, &plan))
                .or_else(|| closed_members(setup, &truth, &standing, &plan));
            return unsettled.map(|what| format!("settling: {what}: {}", plan["problems"]));
        }
        let (users, projects, invitations) = (&plan["users"], &plan["projects"], &plan["invitations"]);
        Some(format!("settling: {left} operations are left: {users} {projects} {invitations}"))
    }
}

/// A breach with what the run said.
fn told(breach: &str, step: &Step<'_>) -> String {
    let operations = format!("users {} projects {}", step.plan["users"], step.plan["projects"]);
    let rest =
        format!("problems {} held {} warnings {}", step.plan["problems"], step.plan["held"], step.plan["warnings"]);
    let middle = if step.interferences.is_empty() { String::new() } else { format!("\n  {:?}", step.interferences) };
    format!(
        "{breach}\n  {:?} {}: {operations}\n  {rest}\n  {}{middle}\n ",
        step.kind, step.outcome.code, step.outcome.stderr
    )
}
