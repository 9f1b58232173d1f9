//! Other people that expressions ask for: linked objects, managers and assistants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::http::{Failure, Request, segment};
use crate::model::id::OktaUserId;
use crate::model::okta::Profile;
use crate::model::org::Relation;
use crate::model::similar::nearest;
use crate::okta::api::client::Listing;
use crate::okta::api::wire::{Href, Keyed};
use crate::okta::read::extra::{Reader, reading};

/// Users, each with the user that they are related to.
type Pairs = BTreeMap<OktaUserId, OktaUserId>;
/// Users, each with the profile of the user that they are related to.
type People = BTreeMap<OktaUserId, Arc<Profile>>;

/// The definition of a linked object (Okta API: Linked objects).
#[derive(Deserialize)]
struct Definition {
    primary: Primary,
}

#[derive(Deserialize)]
struct Primary {
    name: String,
}

impl Keyed for Definition {
    fn key(&self) -> &str {
        &self.primary.name
    }
}

/// The other end of a link, of which Okta says where it can be read (Okta API: User linked objects).
#[derive(Deserialize)]
struct Linked {
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Deserialize)]
struct Links {
    #[serde(rename = "self")]
    own: Href,
}

impl Reader<'_> {
    /// The linked objects of every user: a request for each, and one for each person who wasn't read before.
    pub(crate) async fn linked(&self) -> Result<BTreeMap<Relation, People>, Error> {
        let mut found = BTreeMap::new();
        for name in self.linked_names().await? {
            let pairs = stream::iter(self.of.clone()).map(async |id| self.linked_to(id, &name).await);
            let pairs: Vec<_> = pairs.buffer_unordered(self.okta.at_once()).try_collect().await?;
            let people = self.people(pairs.into_iter().flatten().collect()).await?;
            found.insert(Relation::LinkedObject(name), people);
        }
        Ok(found)
    }

    /// The primary names that expressions ask for, all of which have to be defined.
    async fn linked_names(&self) -> Result<BTreeSet<String>, Error> {
        let asked = self.needs.relations.iter().filter_map(|relation| match relation {
            Relation::LinkedObject(name) => Some(name.clone()),
            _ => None,
        });
        let asked: BTreeSet<String> = asked.collect();
        if asked.is_empty() && !self.needs.any_linked_object {
            return Ok(asked);
        }
        let path = "/api/v1/meta/schemas/user/linkedObjects".to_owned();
        let listing = Listing { path, params: &[], limit: None, header: None };
        let defined: Vec<Definition> = self.okta.list(&listing, &|_| ()).await.map_err(|failure| {
            reading("the linked objects that are defined")(failure)
                .hint("for user.getLinkedObject() a service app needs the scope okta.linkedObjects.read")
        })?;
        let defined: BTreeSet<String> = defined.into_iter().map(|definition| definition.primary.name).collect();
        if let Some(name) = asked.difference(&defined).next() {
            let error = format!("an expression asks for the linked object {name:?}, which isn't defined in Okta");
            let near = nearest(name, defined.iter().map(String::as_str)).into_iter().next();
            let error = Error::new(Kind::Config, error);
            return Err(near.into_iter().fold(error, |error, near| error.hint(format!("did you mean {near:?}?"))));
        }
        Ok(if self.needs.any_linked_object { defined } else { asked })
    }

    async fn linked_to(&self, id: OktaUserId, name: &str) -> Result<Option<(OktaUserId, OktaUserId)>, Error> {
        let path = format!("/api/v1/users/{}/linkedObjects/{}", segment(id.as_str()), segment(name));
        let links: Option<Vec<Linked>> =
            self.okta.entity(Request::get(path)).await.map_err(reading("the linked objects of a user"))?;
        let linked = links.into_iter().flatten().next();
        Ok(linked.and_then(|linked| Some((id, OktaUserId::from(linked.links.own.id()?)))))
    }

    /// Managers and assistants, which the directory names by distinguished names. Okta's own functions work with
    /// a single directory (Okta Expression Language: manager and assistant functions).
    pub(crate) async fn colleagues(
        &self,
        directories: &[BTreeMap<OktaUserId, Profile>],
    ) -> Result<BTreeMap<Relation, People>, Error> {
        let mut found = BTreeMap::new();
        for relation in &self.needs.relations {
            let (attribute, app) = match relation {
                Relation::LinkedObject(_) => continue,
                Relation::Manager => ("managerDn", None),
                Relation::ManagerApp(app) => ("managerDn", Some(app)),
                Relation::Assistant => ("assistantDn", None),
                Relation::AssistantApp(app) => ("assistantDn", Some(app)),
            };
            let Some(pairs) = self.named(directories, attribute) else { continue };
            let people = match app {
                None => self.people(pairs).await?,
                Some(name) => match self.only_app(name).await? {
                    Some(app) => in_app(&pairs, &self.all_of_app(&app).await?),
                    None => continue,
                },
            };
            found.insert(relation.clone(), people);
        }
        Ok(found)
    }

    /// The user that an attribute names by distinguished name; none, with a warning, where that is unknown.
    fn named(&self, directories: &[BTreeMap<OktaUserId, Profile>], attribute: &str) -> Option<Pairs> {
        let [directory] = directories else {
            let count = directories.len();
            self.warn(format!("managers and assistants need exactly one Active Directory app, and Okta has {count}"));
            return None;
        };
        if directory.values().all(|profile| text(profile, attribute).is_none()) {
            self.warn(format!("no Active Directory user has \"{attribute}\", which expressions look users up by"));
            return None;
        }
        let names = directory.iter().filter_map(|(id, profile)| Some((text(profile, "dn")?.to_lowercase(), id)));
        let names: BTreeMap<String, &OktaUserId> = names.collect();
        let other = |id: &OktaUserId| names.get(&text(directory.get(id)?, attribute)?.to_lowercase()).copied();
        Some(self.of.iter().filter_map(|id| Some((id.clone(), other(id)?.clone()))).collect())
    }

    /// The Okta profiles of others.
    async fn people(&self, pairs: Pairs) -> Result<People, Error> {
        let others: BTreeSet<OktaUserId> = pairs.values().cloned().collect();
        let reads = stream::iter(others).map(async |id| {
            let profile = match self.org.users.get(&id) {
                Some(user) => Some(user.profile()),
                None => self.okta.user(id.as_str()).await?.map(|user| user.profile),
            };
            Ok((id, profile.map(Arc::new)))
        });
        let read: Result<BTreeMap<_, _>, Failure> = reads.buffer_unordered(self.okta.at_once()).try_collect().await;
        let read = read.map_err(reading("people that users are related to"))?;
        let with_profile = |(user, other)| Some((user, read.get(&other)?.clone()?));
        Ok(pairs.into_iter().filter_map(with_profile).collect())
    }
}

/// The profiles of other users in an app; none for users who aren't assigned to it.
fn in_app(pairs: &Pairs, profiles: &BTreeMap<OktaUserId, Profile>) -> People {
    let with_profile = |(user, other): (&OktaUserId, _)| Some((user.clone(), Arc::new(profiles.get(other)?.clone())));
    pairs.iter().filter_map(with_profile).collect()
}

fn text<'p>(profile: &'p Profile, attribute: &str) -> Option<&'p str> {
    profile.get(attribute).and_then(Value::as_str).filter(|text| !text.is_empty())
}
