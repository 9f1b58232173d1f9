//! How many accounts there are by platform role and status after a plan. Pure.

use super::op::{Attribute, Plan, Standing, UserAction, UserOp};
use crate::model::PlatformRole;
use crate::model::activepieces::{Census, Headcount};
use crate::model::id::AccountId;

impl Plan {
    /// The accounts after the plan is applied; empty where the plan was made by a version that didn't count them.
    pub fn accounts_after(&self) -> Census {
        let mut census = self.standing.accounts.clone();
        if census.is_empty() {
            return census;
        }
        for op in &self.users {
            let ([from, to], was_active) = (roles(op, &self.standing), was_active(op));
            if op.account.is_some() {
                let before = counted(&mut census, from).of_status(was_active);
                *before = before.saturating_sub(1);
            }
            if !op.is_deletion() {
                let after = counted(&mut census, to).of_status(is_active_after(op));
                *after = after.saturating_add(1);
            }
            for left in op.closed() {
                let count = counted(&mut census, known_role(Some(&left.account), &self.standing).as_str());
                (count.active, count.inactive) = (count.active.saturating_sub(1), count.inactive.saturating_add(1));
            }
        }
        census.retain(|_, count| *count != Headcount::default());
        census
    }
}

/// The platform role of an account before and after its operation.
pub fn roles<'a>(op: &'a UserOp, standing: &Standing) -> [&'a str; 2] {
    if let Some(change) = op.role_change() {
        return [change.from.as_deref().unwrap_or_default(), &change.to];
    }
    // Only a deactivation that changes nothing else has no attributes.
    let kept = op.attributes.as_ref().map(|attributes| attributes.platform_role);
    let role = kept.unwrap_or_else(|| known_role(op.account.as_ref(), standing));
    [role.as_str(); 2]
}

fn known_role(account: Option<&AccountId>, standing: &Standing) -> PlatformRole {
    match account {
        Some(account) if standing.admins.contains(account) => PlatformRole::Admin,
        Some(account) if standing.operators.contains(account) => PlatformRole::Operator,
        _ => PlatformRole::Member,
    }
}

/// Whether the account is active after its operation.
pub fn is_active_after(op: &UserOp) -> bool {
    op.action != UserAction::Deactivate && !op.makes_inactive()
}

/// Whether the account is active before its operation; a new one counts as active.
pub fn was_active(op: &UserOp) -> bool {
    if op.is_deletion() {
        return false;
    }
    let change = op.changes.iter().find(|change| change.attribute == Attribute::Active);
    change.is_none_or(|change| change.from.as_deref() == Some("true"))
}

fn counted<'a>(census: &'a mut Census, role: &str) -> &'a mut Headcount {
    census.entry(role.to_owned()).or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn op(action: &str, account: Option<&str>, changes: &[(&str, &str, &str)], role: Option<&str>) -> UserOp {
        let changes: Vec<_> =
            changes.iter().map(|(what, from, to)| json!({"attribute": what, "from": from, "to": to})).collect();
        let attributes = role.map(|role| json!({ "platformRole": role }));
        let op = json!({"action": action, "user_name": "a", "okta_id": "00u1", "account": account, "changes": changes,
            "reason": "profile", "attributes": attributes});
        serde_json::from_value(op).unwrap()
    }

    #[test]
    fn each_operation_moves_its_account() {
        let count = |active, inactive| Headcount { active, inactive };
        let standing = Standing {
            accounts: Census::from([
                ("ADMIN".to_owned(), count(2, 0)),
                ("OPERATOR".to_owned(), count(1, 0)),
                ("MEMBER".to_owned(), count(3, 2)),
            ]),
            admins: ["a1", "a2"].map(Into::into).into(),
            operators: ["o1"].map(Into::into).into(),
            ..Standing::default()
        };
        let users = vec![
            op("create", None, &[], Some("MEMBER")),
            op("deactivate", Some("o1"), &[("active", "true", "false")], None),
            op("update", Some("a1"), &[("platformRole", "ADMIN", "MEMBER")], Some("MEMBER")),
            op("reactivate", Some("m4"), &[("active", "false", "true")], Some("MEMBER")),
            op("update", Some("m1"), &[("givenName", "A", "B")], Some("MEMBER")),
        ];
        let plan = Plan { users, standing, ..Plan::default() };
        let after = Census::from([
            ("ADMIN".to_owned(), count(1, 0)),
            ("OPERATOR".to_owned(), count(0, 1)),
            ("MEMBER".to_owned(), count(6, 1)),
        ]);
        assert_eq!(plan.accounts_after(), after);
        assert!(Plan { users: plan.users, ..Plan::default() }.accounts_after().is_empty());
    }
}
