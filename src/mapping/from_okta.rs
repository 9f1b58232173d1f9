//! The mapping that stands in Okta: an app's profile mapping, whose source is the Okta user profile.

use std::collections::BTreeMap;

use super::attributes::{Mapped, Mapping, Source};
use crate::expression::Expression;

/// An app's profile mapping, as far as it goes from the Okta user to the app (Okta API: Profile mappings).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileMapping {
    pub id: String,
    /// By attribute of the app's profile.
    pub properties: BTreeMap<String, Property>,
    /// The app's user name format, such as `${source.email}`, which counts where no property says what `userName` is.
    pub user_name_template: Option<String>,
}

/// How an attribute is mapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Property {
    pub expression: String,
    /// `DONT_PUSH`: set when an account is made, and not later.
    pub on_create_only: bool,
}

/// What becomes of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Runs,
    /// It isn't an expression, or not one of this language.
    Cannot(String),
    /// The config file has a key of its own, which stands there.
    Overruled(String),
    /// Nothing is mapped.
    Empty,
    /// Activepieces keeps no such attribute.
    Unknown,
}

/// A property and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub attribute: String,
    pub property: Property,
    pub verdict: Verdict,
}

/// The mapping with what stands in Okta in place of the tool's own defaults, and every property with its verdict. Keys of
/// the config file win. What isn't mapped anywhere isn't written; a role that isn't is left to the server, and stays.
pub fn take(typed: &Mapping, found: &ProfileMapping) -> (Mapping, Vec<Listed>) {
    let mut properties = found.properties.clone();
    if let Some(template) = &found.user_name_template
        && properties.get("userName").is_none_or(|property| property.expression.trim().is_empty())
    {
        let property = Property { expression: template.clone(), on_create_only: false };
        properties.insert("userName".to_owned(), property);
    }
    let mut mapping = typed.clone();
    // A role that nobody maps is the server's to give, and nobody's to take.
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

/// The tool's own expression; `otherwise` stands in for one that can't be parsed, which these are not.
fn own(source: &str, otherwise: &Mapped) -> Mapped {
    let expression = Expression::parse(source).unwrap_or_else(|_| otherwise.expression.clone());
    Mapped { expression, source: Source::Default, on_create_only: false }
}
