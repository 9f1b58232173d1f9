//! Profile mappings: which expressions Okta itself has for an app (`docs/okta.md#profile-mappings`).

use crate::error::{Error, Kind};
use crate::http::{Failure, Request, segment};
use crate::mapping::from_okta::{ProfileMapping, Property};
use crate::okta::api::client::{Listing, Okta};
use crate::okta::api::wire;
use crate::okta::oauth::USER_TYPES_ROUTE;
use crate::okta::read::resolve::find_app;

/// The most mappings on a page.
const PAGE: u32 = 200;

/// The profile mapping from the default user type to the app of this label or id, and warnings. Without properties where
/// the app has none.
pub async fn profile_mapping(okta: &Okta, app: &str) -> Result<(ProfileMapping, Vec<String>), Error> {
    let failed = |failure: Failure| {
        Error::from(failure).context("reading the app's profile mapping").hint(
            "from_okta needs the rights to read apps, user types and profile mappings (okta.profileMappings.read)",
        )
    };
    let app = find_app(okta, Some(app)).await?.map_err(|fault| Error::new(Kind::Config, fault))?;
    let app = app.ok_or_else(|| Error::new(Kind::Config, "[scope] names no app"))?;
    let types = okta.user_types().await.map_err(failed)?;
    let listed = okta.mappings_to(app.id.as_str()).await.map_err(failed)?;
    let default = types.iter().find(|kind| kind.default);
    let found = listed.iter().find(|mapping| default.is_some_and(|kind| kind.id == mapping.source.id));
    let mut warnings = Vec::new();
    if listed.len() > 1 {
        let others = listed.len() - 1;
        warnings
            .push(format!("{others} more user types have a mapping of their own, and only the default one's is used"));
    }
    let template = app.credentials.and_then(|credentials| credentials.user_name_template);
    let mut mapping = ProfileMapping {
        user_name_template: template.and_then(|template| template.template),
        ..ProfileMapping::default()
    };
    let Some(found) = found else {
        let error = format!("the app {:?} has no profile mapping from Okta's default user type", app.label);
        return Err(
            Error::new(Kind::Config, error).hint("take from_okta out of the config and write the expressions there")
        );
    };
    let path = format!("/api/v1/mappings/{}", segment(&found.id));
    let whole: Option<wire::ProfileMapping> = okta.entity(Request::get(path)).await.map_err(failed)?;
    let whole =
        whole.ok_or_else(|| Error::new(Kind::Failed, "the app's profile mapping vanished while it was read"))?;
    mapping.id = whole.id;
    let properties = whole.properties.ok_or_else(|| {
        let error = format!("Okta's answer about the profile mapping of the app {:?} has no properties", app.label);
        Error::new(Kind::Failed, error).hint("look for a proxy before Okta that changes its answers")
    })?;
    mapping.properties = properties
        .into_iter()
        .map(|(attribute, property)| {
            let on_create_only = property.push_status.as_deref() == Some("DONT_PUSH");
            (attribute, Property { expression: property.expression, on_create_only })
        })
        .collect();
    Ok((mapping, warnings))
}

impl Okta {
    /// The user types; each has a schema and mappings of its own (scope `okta.userTypes.read`).
    pub(crate) async fn user_types(&self) -> Result<Vec<wire::UserType>, Failure> {
        let listing = Listing { path: USER_TYPES_ROUTE.into(), params: &[], limit: None, header: None };
        self.shared(|| listing.recorded_as(), self.list(&listing, &|_| ())).await
    }

    /// The mappings from users to the app, without their properties (scope `okta.profileMappings.read`). Later pages
    /// may have lost `targetId` (`docs/okta.md#links-lose-parameters`), so the result is filtered here as well.
    async fn mappings_to(&self, app: &str) -> Result<Vec<wire::ProfileMapping>, Failure> {
        let params = [("targetId", app)];
        let listing = Listing { path: "/api/v1/mappings".into(), params: &params, limit: Some(PAGE), header: None };
        let mut mappings: Vec<wire::ProfileMapping> =
            self.shared(|| listing.recorded_as(), self.list(&listing, &|_| ())).await?;
        mappings.retain(|mapping| mapping.source.kind == "user" && mapping.target.id == app);
        Ok(mappings)
    }
}
