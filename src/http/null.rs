//! Reads null where servers send it in place of an empty value.

use serde::{Deserialize, Deserializer};

/// Reads an explicit `null` as if the member were missing; together with `#[serde(default)]`. One null would fail a whole
/// listing otherwise.
pub fn null_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
