//! Estimates how long the writes of a plan take: from what earlier runs needed, or from what a server is known to need. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::plan::{Plan, Step};

/// What earlier runs needed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// By the kind and the action of a step.
    pub steps: BTreeMap<(String, String), Spent>,
    /// From the first step to the last one of each run, together.
    pub seconds: f64,
}

/// What the steps of one kind needed together; steps that ran in parallel count each for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// Users, projects or members.
    pub pieces: f64,
    pub seconds: f64,
}

/// How long a plan takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The steps of the plan.
    pub writes: usize,
    /// None where nothing is known to go by.
    pub takes: Option<Takes>,
}

/// An estimated time, and what it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// What the same steps took in earlier runs, or the way to the server and back.
    Measured(Duration),
    /// What a server with two CPUs takes, which is longer than the way to it.
    OnTwoCpus(Duration),
}

/// A plan may be so many times as large as what is recorded; beyond that, the record says nothing about it.
const FARTHEST: f64 = 100.0;

impl Estimate {
    /// The estimate for a plan from the record of earlier runs, and where they didn't do the same, from the time that an answer of
    /// the platform takes, with so many requests in parallel.
    pub fn of(plan: &Plan, record: &Record, answer: Option<Duration>, parallelism: u32) -> Self {
        let recorded = || record.seconds_for(plan).map(|seconds| Takes::Measured(Duration::from_secs_f64(seconds)));
        let takes = recorded().or_else(|| answer.map(|answer| known(plan, answer, parallelism)));
        Self { writes: plan.steps().count(), takes }
    }
}

impl Record {
    /// How long the plan takes if each of its steps takes as long as recorded and as many are done in parallel; none where it has a
    /// step that no run did.
    fn seconds_for(&self, plan: &Plan) -> Option<f64> {
        let (mut pieces, mut seconds) = (0.0, 0.0);
        for step in plan.steps() {
            let spent = self.steps.get(&(step.kind().to_owned(), step.action().to_owned()))?;
            pieces += pieces_of(step);
            seconds += pieces_of(step) * spent.seconds / spent.pieces.max(1.0);
        }
        let recorded: f64 = self.steps.values().map(|spent| spent.pieces).sum();
        let in_parallel = self.steps.values().map(|spent| spent.seconds).sum::<f64>() / self.seconds;
        (pieces <= recorded * FARTHEST && in_parallel.is_finite()).then(|| seconds / in_parallel.max(1.0))
    }
}

/// The users, projects or members of a step.
#[expect(clippy::cast_precision_loss, reason = "a count of members is far below 2^52")]
fn pieces_of(step: Step<'_>) -> f64 {
    let pieces = match step {
        Step::AddMembers(op) => op.add.len(),
        Step::RemoveMembers(op) => op.remove.len(),
        Step::SetRoles(op) => op.roles.len(),
        Step::CopyMemberships(op) => op.replaces.iter().map(|left| left.copies.len()).sum(),
        Step::Invitation(_) | Step::MoveLink(_) | Step::User(_) | Step::CloseOld(_) | Step::Project(_) => 1,
    };
    pieces as f64
}

/// What a plan takes at least by the ways to the server and back, or by the work of two CPUs (docs/activepieces.md#throughput).
fn known(plan: &Plan, answer: Duration, parallelism: u32) -> Takes {
    let (mut requests, mut work) = (0.0, 0.0);
    for step in plan.steps() {
        let pieces = pieces_of(step);
        let (sent, seconds) = match step {
            Step::User(op) if op.makes_account() => (1.0, 1.0 / 16.0),
            Step::AddMembers(_) => (2.0, (2.0 + pieces) * 0.001),
            Step::RemoveMembers(_) | Step::SetRoles(_) | Step::CopyMemberships(_) => (1.0 + pieces, pieces / 290.0),
            _ => (2.0, 2.0 / 400.0),
        };
        (requests, work) = (requests + sent, work + seconds);
    }
    let ways = requests * answer.as_secs_f64() / f64::from(parallelism.max(1));
    if work > ways {
        Takes::OnTwoCpus(Duration::from_secs_f64(work))
    } else {
        Takes::Measured(Duration::from_secs_f64(ways))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn creations(number: usize) -> Plan {
        let op = json!({"action": "create", "user_name": "a", "okta_id": "00u1", "account": null, "changes": [],
            "reason": "assigned", "attributes": {"platformRole": "MEMBER"}});
        Plan { users: vec![serde_json::from_value(op).unwrap(); number], ..Plan::default() }
    }

    /// A hundred creations of a fifth of a second, ten in parallel.
    fn record() -> Record {
        let spent = Spent { pieces: 100.0, seconds: 20.0 };
        Record { steps: BTreeMap::from([(("user".to_owned(), "create".to_owned()), spent)]), seconds: 2.0 }
    }

    fn seconds(takes: Option<Takes>) -> Option<u64> {
        takes.map(|takes| match takes {
            Takes::Measured(time) | Takes::OnTwoCpus(time) => time.as_secs(),
        })
    }

    #[test]
    fn what_earlier_runs_did_tells_how_long_the_same_takes() {
        let estimate = Estimate::of(&creations(500), &record(), None, 32);
        assert_eq!((estimate.writes, seconds(estimate.takes)), (500, Some(10)));
        // Neither a plan that is far larger nor one with other steps.
        assert_eq!(Estimate::of(&creations(10_001), &record(), None, 32).takes, None);
        assert_eq!(Estimate::of(&creations(500), &Record::default(), None, 32).takes, None);
    }

    #[test]
    fn without_a_record_the_way_to_the_server_or_its_work_counts() {
        let of = |milliseconds| {
            let answer = Some(Duration::from_millis(milliseconds));
            Estimate::of(&creations(1600), &Record::default(), answer, 32).takes
        };
        assert_eq!(of(1), Some(Takes::OnTwoCpus(Duration::from_secs(100))));
        assert_eq!(of(4000), Some(Takes::Measured(Duration::from_secs(200))));
    }
}
