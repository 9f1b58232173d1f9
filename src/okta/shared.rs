//! Listings that the reads of several targets of one org share, so that each is read once.
//!
//! Only a client that was made by [`Okta::sharing`](crate::okta::Okta::sharing) takes part in it: it is for the first read of a
//! sync. The second look (`recheck`) goes through a client without it, and so always to the server.

use std::any::{Any, type_name};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;

use crate::model::packed::KeptAttributes;

/// Complete listings by what was asked for. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    attributes: KeptAttributes,
    answers: Mutex<BTreeMap<String, Box<dyn Any + Send + Sync>>>,
    time: OnceLock<Timestamp>,
}

impl Shared {
    /// For targets that need these attributes of users.
    pub fn of(attributes: KeptAttributes) -> Self {
        Self(Arc::new(Inner { attributes, ..Inner::default() }))
    }

    /// What of users any of the targets needs.
    pub(crate) fn attributes(&self) -> &KeptAttributes {
        &self.0.attributes
    }

    /// Okta's time when the first of the listings was read; none before.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        self.0.time.get().copied()
    }

    /// The listing of this name that the read of an earlier target got.
    pub(crate) fn get<T: Clone + 'static>(&self, what: &str) -> Option<T> {
        self.answers().get(&key::<T>(what)).and_then(|known| known.downcast_ref::<T>()).cloned()
    }

    /// Keeps a complete listing for later targets, and Okta's time of it.
    pub(crate) fn put<T: Send + Sync + 'static>(&self, what: &str, listing: T, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.0.time.get_or_init(|| time);
        }
        self.answers().insert(key::<T>(what), Box::new(listing));
    }

    fn answers(&self) -> MutexGuard<'_, BTreeMap<String, Box<dyn Any + Send + Sync>>> {
        // Each answer is inserted as a whole.
        self.0.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same listing may be kept in several forms.
fn key<T>(what: &str) -> String {
    format!("{what} as {}", type_name::<T>())
}
