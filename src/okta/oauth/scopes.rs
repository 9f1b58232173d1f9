//! Which scopes a sync needs at least.

use crate::expression::Needs;
use crate::model::org::{Relation, Scope};

/// For warnings alone: without it the names of attributes aren't held against the org's schema.
pub const SCHEMAS: &str = "okta.schemas.read";

/// For attributes that the default user type lacks, of which another one's schema tells.
pub const USER_TYPES: &str = "okta.userTypes.read";

/// The scopes without which a sync with these settings can't read what it has to (Okta API: the scope of each route), by name,
/// each with the keys of the config that ask for it. [`SCHEMAS`] is among them. With `from_okta` the app's profile mapping is
/// read too, whose expressions may need more.
pub fn scopes_by_key(scope: &Scope, needs: &Needs, from_okta: bool) -> Vec<(&'static str, Vec<&'static str>)> {
    let linked = |relation: &Relation| matches!(relation, Relation::LinkedObject(_));
    let colleagues = needs.relations.iter().any(|relation| !linked(relation));
    let apps = needs.app || needs.app_user || colleagues || !needs.assignments.is_empty() || !needs.names.is_empty();
    let links = needs.any_linked_object || needs.relations.iter().any(linked);
    let (always, app, attributes, mapping) = ("every sync", "[scope] app", "[attributes]", "from_okta");
    let table = [
        ("okta.apps.read", vec![(app, scope.app.is_some()), (attributes, apps)]),
        ("okta.groups.read", vec![(always, true)]),
        ("okta.linkedObjects.read", vec![(attributes, links)]),
        ("okta.orgs.read", vec![(attributes, needs.org)]),
        ("okta.profileMappings.read", vec![(mapping, from_okta)]),
        (SCHEMAS, vec![(attributes, true)]),
        (USER_TYPES, vec![(mapping, from_okta)]),
        ("okta.users.read", vec![(always, true)]),
    ];
    let asked = table.map(|(scope, keys)| {
        (scope, keys.into_iter().filter(|(_, asks)| *asks).map(|(key, _)| key).collect::<Vec<_>>())
    });
    asked.into_iter().filter(|(_, keys)| !keys.is_empty()).collect()
}

/// The names of these scopes.
pub fn least_scopes(scope: &Scope, needs: &Needs, from_okta: bool) -> Vec<String> {
    scopes_by_key(scope, needs, from_okta).into_iter().map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_names_the_keys_that_ask_for_it() {
        let scope = Scope { app: Some("AP".to_owned()), ..Scope::default() };
        let needs = Needs { app_user: true, org: true, ..Needs::default() };
        let asked = scopes_by_key(&scope, &needs, true);
        let keys = |name: &str| asked.iter().find(|(scope, _)| *scope == name).map(|(_, keys)| keys.as_slice());
        assert_eq!(keys("okta.apps.read"), Some(&["[scope] app", "[attributes]"][..]));
        assert_eq!(keys("okta.orgs.read"), Some(&["[attributes]"][..]));
        assert_eq!(keys(USER_TYPES), Some(&["from_okta"][..]));
        assert_eq!(keys("okta.linkedObjects.read"), None);
        let least = least_scopes(&Scope::default(), &Needs::default(), false);
        assert_eq!(least, ["okta.groups.read", "okta.schemas.read", "okta.users.read"]);
    }
}
