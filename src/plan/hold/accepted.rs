//! Moves problems that the admin has accepted out of the open ones, so that new problems stand out. Pure.

use jiff::civil::Date;

use crate::model::problem::{Acceptance, Accepted};
use crate::plan::op::Plan;

/// Moves the problems that an entry accepts out of the plan's open problems, and warns of each entry that is expired or that
/// matches no problem.
pub fn settle(plan: &mut Plan, entries: &[Acceptance], today: Date) {
    if entries.is_empty() {
        return;
    }
    let problems = std::mem::take(&mut plan.problems);
    let valid = |entry: &&Acceptance| entry.until.is_none_or(|until| until >= today);
    for problem in &problems {
        match entries.iter().filter(valid).find(|entry| entry.is_of(problem)) {
            Some(entry) => {
                let (why, until) = (entry.why.clone(), entry.until);
                plan.accepted.push(Accepted { problem: problem.clone(), why, until });
            }
            None => plan.problems.push(problem.clone()),
        }
    }
    for entry in entries {
        let stale = match entry.until {
            Some(until) if until < today => format!("expired on {until}"),
            _ if !problems.iter().any(|problem| entry.is_of(problem)) => "matches no problem".to_owned(),
            _ => continue,
        };
        let location = entry.location.as_ref().map(|location| format!("{location}: ")).unwrap_or_default();
        plan.warnings.push(format!(
            "{location}the accepted problem {} of \"{}\" {stale} (hint: remove its entry)",
            entry.kind, entry.who
        ));
    }
    plan.warnings.sort();
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::model::problem::{Problem, ProblemKind};

    fn entry(kind: ProblemKind, who: &str, until: Option<Date>) -> Acceptance {
        Acceptance { kind, who: who.to_owned(), until, why: "known".to_owned(), location: Some("c.toml:9".to_owned()) }
    }

    fn plan() -> Plan {
        let problem = |subject, kind| Problem::new(subject, kind, "why");
        let problems = vec![
            problem("ada@example.com", ProblemKind::EmailChanged),
            problem("ada@example.com", ProblemKind::TwoAccounts),
            problem("bo@example.com", ProblemKind::EmailChanged),
        ];
        Plan { problems, ..Plan::default() }
    }

    fn settled(entries: &[Acceptance]) -> Plan {
        let mut plan = plan();
        settle(&mut plan, entries, date(2026, 11, 26));
        plan
    }

    #[test]
    fn without_entries_all_problems_are_open() {
        assert_eq!(settled(&[]), plan());
    }

    #[test]
    fn an_entry_takes_one_problem_of_one_subject() {
        let plan = settled(&[entry(ProblemKind::EmailChanged, " Ada@Example.com", None)]);
        let named = |problem: &Problem| (problem.subject.clone(), problem.kind);
        let open: Vec<_> = plan.problems.iter().map(named).collect();
        assert_eq!(
            open,
            [
                ("ada@example.com".to_owned(), ProblemKind::TwoAccounts),
                ("bo@example.com".to_owned(), ProblemKind::EmailChanged)
            ]
        );
        let accepted: Vec<_> =
            plan.accepted.iter().map(|accepted| (named(&accepted.problem), &*accepted.why)).collect();
        assert_eq!(accepted, [(("ada@example.com".to_owned(), ProblemKind::EmailChanged), "known")]);
        assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    }

    #[test]
    fn an_entry_counts_up_to_its_last_day() {
        let until = |until| settled(&[entry(ProblemKind::EmailChanged, "bo@example.com", Some(until))]);
        assert_eq!(until(date(2026, 11, 26)).problems.len(), 2);
        let expired = until(date(2026, 11, 25));
        assert_eq!((expired.problems.len(), expired.accepted.len()), (3, 0));
        assert_eq!(
            expired.warnings,
            [
                "c.toml:9: the accepted problem email_changed of \"bo@example.com\" expired on 2026-11-25 (hint: remove its entry)"
            ]
        );
    }

    #[test]
    fn an_entry_without_a_problem_is_a_warning() {
        let plan = settled(&[entry(ProblemKind::InvalidRole, "ada@example.com", None)]);
        assert_eq!(plan.problems.len(), 3);
        assert!(plan.warnings[0].contains("matches no problem"), "{:?}", plan.warnings);
    }
}
