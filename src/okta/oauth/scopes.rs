//! Which scopes a sync needs at least.

use crate::expression::Needs;
use crate::model::okta::{Relation, Scope};

/// For warnings alone: without it the names of attributes aren't held against the org's schema.
pub const SCHEMAS: &str = "okta.schemas.read";

/// The scopes without which a sync with these settings can't read what it has to (Okta API: the scope of each route),
/// by name. [`SCHEMAS`] is among them. With
/// `from_okta` the app's profile mapping is read too, whose expressions may need more.
pub fn least_scopes(scope: &Scope, needs: &Needs, from_okta: bool) -> Vec<String> {
    let linked = |relation: &Relation| matches!(relation, Relation::LinkedObject(_));
    let colleagues = needs.relations.iter().any(|relation| !linked(relation));
    let apps = scope.app.is_some()
        || needs.app
        || needs.app_user
        || colleagues
        || !needs.assignments.is_empty()
        || !needs.names.is_empty();
    let scopes = [
        ("okta.apps.read", apps),
        ("okta.groups.read", true),
        ("okta.linkedObjects.read", needs.any_linked_object || needs.relations.iter().any(linked)),
        ("okta.orgs.read", needs.org),
        ("okta.profileMappings.read", from_okta),
        (SCHEMAS, true),
        ("okta.userTypes.read", from_okta),
        ("okta.users.read", true),
    ];
    scopes.into_iter().filter(|(_, needed)| *needed).map(|(name, _)| name.to_owned()).collect()
}
