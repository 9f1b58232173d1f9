//! Schemas: which attributes the org's user profiles, and profiles in an app, have (`docs/okta.md#user-schemas`).

use std::collections::{BTreeMap, BTreeSet};

use crate::expression::check::{self, Attribute};
use crate::http::{Failure, Request, segment};
use crate::model::id::OktaAppId;
use crate::okta::api::client::Okta;
use crate::okta::api::wire::Schema;

impl Okta {
    /// The attributes of the default user type, custom ones included (scope `okta.schemas.read`).
    pub async fn user_attributes(&self) -> Result<check::Schema, Failure> {
        self.attributes_of("default").await
    }

    /// The attributes that the profiles of other user types have, which the default one's may lack
    /// (`docs/okta.md#user-types`).
    pub async fn other_user_attributes(&self) -> Result<check::Schema, Failure> {
        let mut attributes = check::Schema::new();
        for kind in self.user_types().await?.iter().filter(|kind| !kind.default) {
            if let Some(schema) = kind.links.schema.as_ref().and_then(|link| link.id()) {
                attributes.append(&mut self.attributes_of(schema).await?);
            }
        }
        Ok(attributes)
    }

    /// The names of the attributes that users have in an app; none if there is no such app (scope `okta.schemas.read`,
    /// `docs/okta.md#app-user-schemas`).
    pub async fn app_user_attributes(&self, app: &OktaAppId) -> Result<Option<BTreeSet<String>>, Failure> {
        let path = format!("/api/v1/meta/schemas/apps/{}/default", segment(app.as_str()));
        let schema: Option<Schema> = self.entity(Request::get(path)).await?;
        let names = |schema: Schema| schema.definitions.into_values().flat_map(|part| part.properties.into_keys());
        Ok(schema.map(|schema| names(schema).collect()))
    }

    async fn attributes_of(&self, schema: &str) -> Result<check::Schema, Failure> {
        let path = format!("/api/v1/meta/schemas/user/{}", segment(schema));
        let ask = async {
            let (schema, reply): (Schema, _) = self.http().json(&Request::get(&path)).await?;
            let parts = schema.definitions.into_values().map(|part| part.properties);
            let attributes: BTreeMap<_, _> = parts.flatten().collect();
            if attributes.is_empty() {
                return Err(reply.implausible("it is a user schema without any attribute"));
            }
            Ok(attributes.iter().map(|(name, property)| (name.clone(), Attribute::parse(property))).collect())
        };
        self.shared(|| path.clone(), ask).await
    }
}
