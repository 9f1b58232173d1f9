//! Lists with a maximum length.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// More entities than any server has; twice a million users (docs/activepieces.md#listing-users) still fit. The smallest ones take more
/// memory here than in an answer.
const MOST: usize = 2_000_000;

/// Reads a list of at most `MOST` entities.
pub fn bounded_list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_seq(List(MOST, PhantomData))
}

struct List<T>(usize, PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut entities = Vec::new();
        while let Some(entity) = list.next_element()? {
            if entities.len() == self.0 {
                return Err(A::Error::custom(format!("a list of more than {} entities", self.0)));
            }
            entities.push(entity);
        }
        Ok(entities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, most: usize) -> serde_json::Result<Vec<u32>> {
        serde_json::Deserializer::from_str(text).deserialize_seq(List(most, PhantomData))
    }

    #[test]
    fn a_list_is_read_up_to_its_bound() {
        assert_eq!(read("[1, 2, 3]", 3).unwrap(), [1, 2, 3]);
        assert!(read("[]", 0).unwrap().is_empty());
        assert!(read("[1, 2, 3]", 2).unwrap_err().to_string().starts_with("a list of more than 2 entities"));
        assert!(read("{}", 2).unwrap_err().to_string().contains("expected a list"));
    }
}
