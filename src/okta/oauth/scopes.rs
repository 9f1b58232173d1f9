//! Which scopes a sync needs at least.

use crate::expression::Needs;
use crate::model::org::{Relation, Scope};

/// Without it the names of attributes aren't checked against the schemas, and a warning says so.
pub const SCHEMAS: &str = "okta.schemas.read";

/// For the profile mapping of `from_okta`, and for attributes that the default user type lacks.
pub const USER_TYPES: &str = "okta.userTypes.read";

/// The only route that [`USER_TYPES`] is for.
pub const USER_TYPES_ROUTE: &str = "/api/v1/meta/types/user";

/// When a scope is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// In the token of every run.
    Always,
    /// In a token of its own, where the run turns out to need it.
    WhenNeeded,
}

/// The scopes that a sync with these settings asks for (Okta API: the scope of each route), by name, each with the keys of the
/// config that ask for it. With `from_okta` the app's profile mapping is read too, whose expressions may need more.
pub fn scopes_by_key(scope: &Scope, needs: &Needs, from_okta: bool) -> Vec<(&'static str, Asked, Vec<&'static str>)> {
    let linked = |relation: &Relation| matches!(relation, Relation::LinkedObject(_));
    let colleagues = needs.relations.iter().any(|relation| !linked(relation));
    let apps = needs.app || needs.app_user || colleagues || !needs.assignments.is_empty() || !needs.names.is_empty();
    let links = needs.any_linked_object || needs.relations.iter().any(linked);
    let (always, app, attributes, mapping) = ("every sync", "[scope] app", "[attributes]", "from_okta");
    let table = [
        ("okta.apps.read", Asked::Always, vec![(app, scope.app.is_some()), (attributes, apps)]),
        ("okta.groups.read", Asked::Always, vec![(always, true)]),
        ("okta.linkedObjects.read", Asked::Always, vec![(attributes, links)]),
        ("okta.orgs.read", Asked::Always, vec![(attributes, needs.org)]),
        ("okta.profileMappings.read", Asked::Always, vec![(mapping, from_okta)]),
        (SCHEMAS, Asked::Always, vec![(attributes, true)]),
        (USER_TYPES, Asked::Always, vec![(mapping, from_okta)]),
        ("okta.users.read", Asked::Always, vec![(always, true)]),
        (USER_TYPES, Asked::WhenNeeded, vec![(attributes, !from_okta)]),
    ];
    let asked = table.map(|(scope, when, keys)| {
        (scope, when, keys.into_iter().filter(|(_, asks)| *asks).map(|(key, _)| key).collect::<Vec<_>>())
    });
    asked.into_iter().filter(|(_, _, keys)| !keys.is_empty()).collect()
}

/// The scope that a route needs (Okta API: the scope of each route).
pub fn scope_of(path: &str) -> Option<&'static str> {
    let (_, route) = path.split_once("/api/v1/")?;
    let segments: Vec<&str> = route.split('/').collect();
    Some(match segments.as_slice() {
        ["users", _, "linkedObjects", ..] | ["meta", "schemas", _, "linkedObjects", ..] => "okta.linkedObjects.read",
        ["users", ..] => "okta.users.read",
        ["groups", ..] => "okta.groups.read",
        ["apps", ..] => "okta.apps.read",
        ["meta", "types", ..] => USER_TYPES,
        ["meta", "schemas", ..] => SCHEMAS,
        ["mappings", ..] => "okta.profileMappings.read",
        ["org", ..] => "okta.orgs.read",
        _ => return None,
    })
}

/// The names of those of these scopes that every run asks for.
pub fn least_scopes(scope: &Scope, needs: &Needs, from_okta: bool) -> Vec<String> {
    let asked = scopes_by_key(scope, needs, from_okta).into_iter();
    asked.filter(|(_, when, _)| *when == Asked::Always).map(|(name, ..)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_has_its_scope() {
        let cases = [
            ("/api/v1/users", Some("okta.users.read")),
            ("/api/v1/users/00u1/groups", Some("okta.users.read")),
            ("/api/v1/groups/00g1/users", Some("okta.groups.read")),
            ("/api/v1/apps/0oa1/users/00u1", Some("okta.apps.read")),
            ("/api/v1/meta/schemas/user/default", Some(SCHEMAS)),
            ("/api/v1/meta/types/user", Some(USER_TYPES)),
            ("/api/v1/mappings", Some("okta.profileMappings.read")),
            ("/.well-known/okta-organization", None),
            ("/oauth2/v1/token", None),
        ];
        for (path, scope) in cases {
            assert_eq!(scope_of(path), scope, "{path}");
        }
    }

    #[test]
    fn each_scope_names_the_keys_that_ask_for_it() {
        let scope = Scope { app: Some("AP".to_owned()), ..Scope::default() };
        let needs = Needs { app_user: true, org: true, ..Needs::default() };
        let asked = scopes_by_key(&scope, &needs, true);
        let keys = |name: &str| {
            let found = asked.iter().find(|(scope, ..)| *scope == name);
            found.map(|(_, when, keys)| (*when, keys.as_slice()))
        };
        assert_eq!(keys("okta.apps.read"), Some((Asked::Always, &["[scope] app", "[attributes]"][..])));
        assert_eq!(keys("okta.orgs.read"), Some((Asked::Always, &["[attributes]"][..])));
        assert_eq!(keys(USER_TYPES), Some((Asked::Always, &["from_okta"][..])));
        assert_eq!(keys("okta.linkedObjects.read"), None);
        let least = least_scopes(&Scope::default(), &Needs::default(), false);
        assert_eq!(least, ["okta.groups.read", "okta.schemas.read", "okta.users.read"]);
        let later = scopes_by_key(&Scope::default(), &Needs::default(), false);
        let later: Vec<_> = later.into_iter().filter(|(_, when, _)| *when == Asked::WhenNeeded).collect();
        assert_eq!(later, [(USER_TYPES, Asked::WhenNeeded, vec!["[attributes]"])]);
    }
}
