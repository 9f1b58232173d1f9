//! Confirms by id that a group is gone before its project is deleted.

use crate::error::Error;
use crate::mapping::projects::ProjectRule;
use crate::model::id::OktaGroupId;
use crate::model::okta::Group;
use crate::okta::api::client::Okta;

/// A group that a listing didn't hold and that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StillThere {
    pub name: String,
    /// Whether a rule pushes it, so that the listing missed a group of the sync.
    pub is_pushed: bool,
}

/// Asks for the group by id. While it is there, its project is never deleted, whatever the listing and the rules say.
pub async fn confirm_unpushed(
    okta: &Okta,
    rules: &[ProjectRule],
    group: &OktaGroupId,
) -> Result<Option<StillThere>, Error> {
    let asked = okta.group(group).await;
    let asked =
        asked.map_err(|failure| Error::from(failure).context(format!("asking Okta about the group {group}")))?;
    let is_pushed = |group: &Group| rules.iter().any(|rule| rule.may_take(group));
    Ok(asked.map(|group| StillThere { is_pushed: is_pushed(&group), name: group.name }))
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::mapping::projects::{Filter, Selector};
    use crate::okta::testing::{Company, okta};

    #[tokio::test]
    async fn a_group_that_a_listing_missed_is_found_by_its_id() {
        let groups = vec![("00g1", "AP Red", "OKTA_GROUP", vec![]), ("00g2", "Blue", "OKTA_GROUP", vec![])];
        let server = Company { groups, ..Company::default() }.serve().await;
        let filter = Filter::of(Regex::new("^AP (.+)$").unwrap());
        let rules = [ProjectRule::new(Selector::Match(filter))];
        let asked = async |id: &str| confirm_unpushed(&okta(&server.url), &rules, &id.into()).await.unwrap();
        assert_eq!(asked("00g1").await, Some(StillThere { name: "AP Red".to_owned(), is_pushed: true }));
        assert_eq!(asked("00g2").await, Some(StillThere { name: "Blue".to_owned(), is_pushed: false }));
        assert_eq!(asked("00g9").await, None, "deleted");
    }
}
