//! The mapping defined in Okta: the profile mapping from the Okta user to an app.

use std::collections::BTreeMap;

use super::attributes::{Mapped, Mapping, Source};
use crate::expression::Expression;

/// The profile mapping from the Okta user to an app (Okta API: Profile mappings).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileMapping {
    pub id: String,
    /// By attribute of the app's profile.
    pub properties: BTreeMap<String, Property>,
    /// The app's user name format, such as `${source.email}`, which applies if no property maps `userName`.
    pub user_name_template: Option<String>,
}

/// How an attribute is mapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Property {
    pub expression: String,
    /// `DONT_PUSH`: written when an account is created, and not later.
    pub on_create_only: bool,
}

/// How a property is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Runs,
    /// The expression isn't valid here; the text says why.
    Cannot(String),
    /// The config file overrides it at this location.
    Overruled(String),
    /// Nothing is mapped.
    Empty,
    /// Activepieces has no such attribute.
    Unknown,
}

/// A property and its use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub attribute: String,
    pub property: Property,
    pub verdict: Verdict,
}

/// The mapping with Okta's expressions in place of the built-in defaults, and the verdict on each property. Keys of the
/// config file win. Unmapped attributes aren't written. An unmapped role is the server's default, and is kept later.
pub fn take(typed: &Mapping, found: &ProfileMapping) -> (Mapping, Vec<Listed>) {
    let mut properties = found.properties.clone();
    if let Some(template) = &found.user_name_template
        && properties.get("userName").is_none_or(|property| property.expression.trim().is_empty())
    {
        let property = Property { expression: template.clone(), on_create_only: false };
        properties.insert("userName".to_owned(), property);
    }
    let mut mapping = typed.clone();
    // Without a mapping a new account gets the server's default role, and an existing one keeps its role.
    let unmapped_role = Mapped { on_create_only: true, ..own(r#""MEMBER""#, &typed.user_name) };
    let role = mapping.platform_role.get_or_insert(unmapped_role);
    let mut slots: BTreeMap<&str, &mut Mapped> = BTreeMap::from([
        ("userName", &mut mapping.user_name),
        ("givenName", &mut mapping.given_name),
        ("familyName", &mut mapping.family_name),
        ("email", &mut mapping.email),
        ("displayName", &mut mapping.display_name),
        ("platformRole", role),
    ]);
    for (attribute, slot) in &mut slots {
        let is_default = slot.source == Source::Default && !["userName", "platformRole"].contains(attribute);
        if is_default {
            **slot = own("null", slot);
        }
    }
    let listed = properties.into_iter().map(|(attribute, property)| {
        let from_template = attribute == "userName" && !found.properties.contains_key("userName");
        let mapping = (!from_template).then(|| found.id.clone());
        let verdict = match slots.get_mut(attribute.as_str()) {
            Some(slot) => put(slot, &property, Source::Okta { mapping }),
            None => Verdict::Unknown,
        };
        Listed { attribute, property, verdict }
    });
    let listed = listed.collect();
    (mapping, listed)
}

fn put(slot: &mut Mapped, property: &Property, source: Source) -> Verdict {
    if let Source::File { location, .. } = &slot.source {
        return Verdict::Overruled(location.clone());
    }
    if property.expression.trim().is_empty() {
        return Verdict::Empty;
    }
    let parsed = match source {
        Source::Okta { mapping: None } => Expression::parse_format(&property.expression),
        _ => Expression::parse(&property.expression),
    };
    match parsed {
        Ok(expression) => {
            *slot = Mapped { expression, source, on_create_only: property.on_create_only };
            Verdict::Runs
        }
        Err(faults) => Verdict::Cannot(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}

/// A built-in expression, which always parses; `otherwise` is the fallback that the types require.
fn own(source: &str, otherwise: &Mapped) -> Mapped {
    let expression = Expression::parse(source).unwrap_or_else(|_| otherwise.expression.clone());
    Mapped { expression, source: Source::Default, on_create_only: false }
}
