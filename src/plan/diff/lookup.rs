//! Hash lookups for users and accounts of a large org.

use std::borrow::Borrow;
use std::hash::Hash;

use foldhash::fast::RandomState;

/// A map that only finds, so that no order of its own can ever show in a plan. A tree takes four times as long with a
/// million users.
#[derive(Debug)]
#[expect(clippy::disallowed_types, reason = "it can't be iterated")]
pub struct Lookup<K, V>(std::collections::HashMap<K, V, RandomState>);

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl<K, V> Lookup<K, V> {
    /// With room for so many.
    #[expect(clippy::disallowed_types, reason = "as above")]
    fn with_capacity(entries: usize) -> Self {
        Self(std::collections::HashMap::with_capacity_and_hasher(entries, RandomState::default()))
    }
}

impl<K: Eq + Hash, V> Lookup<K, V> {
    /// With all of these, of which there are about so many. Of two with the same key the later one counts.
    pub fn of(entries: usize, all: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut lookup = Self::with_capacity(entries);
        lookup.0.extend(all);
        lookup
    }

    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    pub fn contains<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }

    /// What is found by the key, made first where nothing is.
    pub fn get_or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        self.0.entry(key).or_insert_with(value)
    }
}
