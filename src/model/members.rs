//! The members of a group or a project.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Members by their ids, sorted, each once. A large org has millions of memberships: each takes no more memory than its
/// id, and clones share them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    from = "Vec<Id>",
    into = "Vec<Id>",
    bound(serialize = "Id: Clone + Serialize", deserialize = "Id: Ord + Deserialize<'de>")
)]
pub struct Members<Id>(Arc<[Id]>);

impl<Id: Ord> Members<Id> {
    pub fn contains(&self, id: &Id) -> bool {
        self.0.binary_search(id).is_ok()
    }

    /// Adds one; takes as long as copying all does.
    pub fn insert(&mut self, id: Id)
    where
        Id: Clone,
    {
        if !self.contains(&id) {
            *self = self.iter().cloned().chain([id]).collect();
        }
    }
}

impl<Id> Members<Id> {
    /// In the order of their ids.
    pub fn iter(&self) -> std::slice::Iter<'_, Id> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<Id> Default for Members<Id> {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl<Id: Ord> From<Vec<Id>> for Members<Id> {
    fn from(mut ids: Vec<Id>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        Self(ids.into())
    }
}

impl<Id: Clone> From<Members<Id>> for Vec<Id> {
    fn from(members: Members<Id>) -> Self {
        members.0.to_vec()
    }
}

impl<Id: Ord> FromIterator<Id> for Members<Id> {
    fn from_iter<Ids: IntoIterator<Item = Id>>(ids: Ids) -> Self {
        Self::from(ids.into_iter().collect::<Vec<_>>())
    }
}

impl<'a, Id> IntoIterator for &'a Members<Id> {
    type Item = &'a Id;
    type IntoIter = std::slice::Iter<'a, Id>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_sorted_and_each_is_there_once() {
        let mut members: Members<u8> = [3, 1, 3, 2].into_iter().collect();
        assert_eq!(members.iter().copied().collect::<Vec<_>>(), [1, 2, 3]);
        members.insert(2);
        members.insert(0);
        assert_eq!((members.len(), members.contains(&0), members.contains(&4)), (4, true, false));
        assert_eq!(serde_json::to_string(&members).unwrap(), "[0,1,2,3]");
        assert_eq!(serde_json::from_str::<Members<u8>>("[2,0,1,3,3]").unwrap(), members);
    }
}
