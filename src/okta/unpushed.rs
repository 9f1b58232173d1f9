//! Asks again, by id, before a project is deleted because its group isn't pushed any more.

use super::client::Okta;
use crate::error::{Error, Kind};
use crate::mapping::projects::{ProjectRule, Selector, takes};
use crate::model::id::OktaGroupId;
use crate::model::okta::Group;

/// Fails if the group is there and a pattern takes it: then the listing of the groups missed it, and can't be planned
/// from. A group that a rule names by itself needs no asking, since a listing without it is an error already.
pub async fn confirm_unpushed(okta: &Okta, rules: &[ProjectRule], group: &OktaGroupId) -> Result<(), Error> {
    let asked = okta.group(group).await;
    let asked =
        asked.map_err(|failure| Error::from(failure).context(format!("asking Okta about the group {group}")))?;
    let pushed = |group: &Group| {
        rules.iter().any(|rule| matches!(&rule.selector, Selector::Match(pattern) if takes(pattern, group)))
    };
    match asked.filter(pushed) {
        None => Ok(()),
        Some(found) => {
            let message =
                format!("the listing of Okta's groups didn't hold {:?}, which is there and pushed", found.name);
            Err(Error::new(Kind::Failed, message).hint("run it again; nothing was deleted"))
        }
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::okta::testing::{Company, okta};

    #[tokio::test]
    async fn a_group_that_a_listing_missed_is_found_by_its_id() {
        let groups = vec![("00g1", "AP Red", "OKTA_GROUP", vec![]), ("00g2", "Blue", "OKTA_GROUP", vec![])];
        let server = Company { groups, ..Company::default() }.serve().await;
        let selector = Selector::Match(Regex::new("^AP (.+)$").unwrap());
        let rules = [ProjectRule { selector, name: None, location: None }];
        let asked = async |id: &str| confirm_unpushed(&okta(&server.url), &rules, &id.into()).await;
        let missed = asked("00g1").await.unwrap_err();
        assert!(missed.to_string().contains("\"AP Red\""), "{missed}");
        assert!(asked("00g2").await.is_ok(), "there, and no rule takes it any more");
        assert!(asked("00g9").await.is_ok(), "deleted");
    }
}
