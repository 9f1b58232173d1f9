//! Schemas: which attributes the org's user profiles have (Okta API: Schemas, user).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::client::Okta;
use crate::http::{Failure, Request};

#[derive(Deserialize)]
struct Schema {
    definitions: Definitions,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Definitions {
    base: Part,
    custom: Part,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Part {
    properties: BTreeMap<String, Property>,
}

#[derive(Deserialize)]
struct Property {
    #[serde(rename = "type", default)]
    kind: String,
}

impl Okta {
    /// The attributes of the default user type, custom ones included, each with its type as Okta writes it: `string`,
    /// `boolean`, `integer`, `number` or `array` (scope `okta.schemas.read`).
    pub async fn user_attributes(&self) -> Result<BTreeMap<String, String>, Failure> {
        let (schema, _): (Schema, _) = self.http().json(&Request::get("/api/v1/meta/schemas/user/default")).await?;
        let Definitions { base, custom } = schema.definitions;
        let all = base.properties.into_iter().chain(custom.properties);
        Ok(all.map(|(name, property)| (name, property.kind)).collect())
    }
}
