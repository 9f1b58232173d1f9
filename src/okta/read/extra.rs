//! What expressions ask for in addition to users and groups; read once, and only if one does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::try_join;

use crate::error::Error;
use crate::expression::{DIRECTORY, Needs};
use crate::http::Failure;
use crate::model::id::OktaUserId;
use crate::model::okta::Profile;
use crate::model::org::{Extra, Instances, Org, Relation};
use crate::okta::api::client::Okta;
use crate::okta::api::wire::{App, AppUser};

/// Up to so many users are asked for one by one rather than in a listing of all.
const FEW: usize = 5;

/// The profiles in each app of one name, by user.
pub(crate) type Apps = Vec<BTreeMap<OktaUserId, Profile>>;

/// Reads what the expressions need of these users into the org; gives warnings about what can't be had. `app` is what
/// `appuser` and `app` stand for.
pub(crate) async fn read(
    okta: &Okta,
    needs: &Needs,
    app: Option<&App>,
    org: &mut Org,
    of: &BTreeSet<OktaUserId>,
) -> Result<Vec<String>, Error> {
    let reader = Reader { okta, needs, app, org, of, warnings: Mutex::default() };
    let (names, profiles, mut related, directories) =
        try_join!(reader.names(), reader.profiles(), reader.linked(), reader.directories())?;
    related
        .append(&mut reader.colleagues(directories.get(&Instances::All(DIRECTORY)).map_or(&[], Vec::as_slice)).await?);
    let warnings = reader.warnings.into_inner().unwrap_or_default();
    let assigned = directories.into_iter().map(|(name, apps)| (name, assignments(apps))).collect();
    add(&mut org.extra, Extra { names, profiles, related, assignments: assigned, ..Extra::default() });
    Ok(warnings.into_iter().collect())
}

/// The users whose expressions are evaluated.
pub(crate) fn evaluated(org: &Org) -> BTreeSet<OktaUserId> {
    org.in_scope.iter().filter(|id| can_sign_in(org, id)).cloned().collect()
}

/// Whether the user's expressions are evaluated.
pub(crate) fn is_evaluated(org: &Org, id: &OktaUserId) -> bool {
    org.in_scope.contains(id) && can_sign_in(org, id)
}

fn can_sign_in(org: &Org, id: &OktaUserId) -> bool {
    org.users.get(id).is_some_and(|user| org.evaluates(&user.status))
}

/// Merges what was read later.
fn add(to: &mut Extra, from: Extra) {
    to.names.extend(from.names);
    for (name, mut profiles) in from.profiles {
        to.profiles.entry(name).or_default().append(&mut profiles);
    }
    for (relation, mut people) in from.related {
        to.related.entry(relation).or_default().append(&mut people);
    }
    for (name, mut assignments) in from.assignments {
        to.assignments.entry(name).or_default().append(&mut assignments);
    }
}

fn assignments(apps: Apps) -> BTreeMap<OktaUserId, Vec<Profile>> {
    let mut assignments: BTreeMap<_, Vec<Profile>> = BTreeMap::new();
    for (user, profile) in apps.into_iter().flatten() {
        assignments.entry(user).or_default().push(profile);
    }
    assignments
}

pub(crate) struct Reader<'a> {
    pub(crate) okta: &'a Okta,
    pub(crate) needs: &'a Needs,
    app: Option<&'a App>,
    pub(crate) org: &'a Org,
    pub(crate) of: &'a BTreeSet<OktaUserId>,
    warnings: Mutex<BTreeSet<String>>,
}

impl Reader<'_> {
    pub(crate) fn warn(&self, warning: String) {
        if let Ok(mut warnings) = self.warnings.lock() {
            warnings.insert(warning);
        }
    }

    /// `org` and `app`.
    async fn names(&self) -> Result<Profile, Error> {
        let mut names = Profile::new();
        if self.needs.org && !self.org.extra.names.contains_key("org") {
            let org = self.okta.org().await.map_err(reading("the org's name and subdomain"))?;
            names.insert("org".to_owned(), json!({"name": org.company_name, "subDomain": org.subdomain}));
        }
        if let (true, Some(app)) = (self.needs.app, self.app) {
            let profile = app.profile.clone().map_or(Value::Null, Value::Object);
            let own = [("id", app.id.as_str()), ("name", &app.name), ("label", &app.label), ("status", &app.status)];
            let mut object = app.profile.clone().unwrap_or_default();
            object.extend(own.map(|(name, text)| (name.to_owned(), text.into())));
            object.insert("profile".to_owned(), profile);
            names.insert("app".to_owned(), object.into());
        }
        Ok(names)
    }

    /// `appuser`, unless it came with the assignments, and other apps by their names.
    async fn profiles(&self) -> Result<BTreeMap<String, BTreeMap<OktaUserId, Profile>>, Error> {
        let mut found = BTreeMap::new();
        let known = self.org.extra.profiles.get("appuser");
        let unknown = self.of.iter().any(|id| known.is_none_or(|known| !known.contains_key(id)));
        if let (true, true, Some(app)) = (self.needs.app_user, unknown, self.app) {
            found.insert("appuser".to_owned(), self.of_app(app).await?);
        }
        for name in self.needs.apps() {
            if let Some(app) = self.only_app(name).await? {
                found.insert(name.to_owned(), self.of_app(&app).await?);
            }
        }
        Ok(found)
    }

    /// The directories and the Workday that expressions ask for.
    async fn directories(&self) -> Result<BTreeMap<Instances, Apps>, Error> {
        // Another person can be found by any attribute of the directory's profile, so all profiles are read.
        let follows = self.needs.relations.iter().any(|relation| !matches!(relation, Relation::LinkedObject(_)));
        let directory = Instances::All(DIRECTORY);
        let mut asked = self.needs.assignments.clone();
        asked.extend(follows.then(|| directory.clone()));
        let mut found = BTreeMap::new();
        for instances in asked {
            let named = match &instances {
                Instances::All(name) => self.instances_of(name).await?,
                Instances::Named(name) => match self.only_app(name).await? {
                    Some(app) => vec![app],
                    None => continue,
                },
            };
            let mut apps = Apps::new();
            for app in named {
                let all = follows && instances == directory;
                apps.push(if all { self.all_of_app(&app).await? } else { self.of_app(&app).await? });
            }
            found.insert(instances, apps);
        }
        Ok(found)
    }

    /// Every instance of the app: the name of the second and later ones has a suffix of seven characters, such as
    /// `workday_abc1234` (`docs/okta.md#names-and-labels-of-apps`).
    async fn instances_of(&self, name: &str) -> Result<Vec<App>, Error> {
        let mut apps = self.okta.apps(Some(name)).await.map_err(reading("the apps that expressions name"))?;
        apps.retain(|app| is_instance(&app.name, name));
        Ok(apps)
    }

    /// The apps of this name, which isn't what people see: an app that was added twice has a suffix the second time.
    async fn apps_named(&self, name: &str) -> Result<Vec<App>, Error> {
        let mut apps = self.okta.apps(Some(name)).await.map_err(reading("the apps that expressions name"))?;
        apps.retain(|app| app.name == name);
        Ok(apps)
    }

    pub(crate) async fn only_app(&self, name: &str) -> Result<Option<App>, Error> {
        let mut apps = self.apps_named(name).await?;
        if apps.len() != 1 {
            self.warn(format!("expressions ask for the app {name}, and Okta has {} of that name", apps.len()));
            return Ok(None);
        }
        Ok(apps.pop())
    }

    /// The profiles of these users in an app.
    async fn of_app(&self, app: &App) -> Result<BTreeMap<OktaUserId, Profile>, Error> {
        if self.of.len() > FEW {
            return self.all_of_app(app).await;
        }
        let reads = stream::iter(self.of.clone()).map(async |user| self.okta.app_user(&app.id, &user).await);
        let read: Result<Vec<Option<AppUser>>, Failure> = reads.buffer_unordered(FEW).try_collect().await;
        let read = read.map_err(reading(&format!("profiles in the app {:?}", app.label)))?;
        Ok(profiles(read.into_iter().flatten()))
    }

    /// The profiles of all who are assigned to an app.
    pub(crate) async fn all_of_app(&self, app: &App) -> Result<BTreeMap<OktaUserId, Profile>, Error> {
        let users = self.okta.app_profiles(&app.id).await;
        let users = users.map_err(reading(&format!("the profiles in the app {:?}", app.label)))?;
        Ok(profiles(users))
    }
}

/// The profiles of those whose assignment is in force, or may be.
fn profiles(users: impl IntoIterator<Item = AppUser>) -> BTreeMap<OktaUserId, Profile> {
    let users = users.into_iter().filter(|user| user.is_in_force() != Some(false));
    users.map(|user| (user.id, user.profile)).collect()
}

fn is_instance(app: &str, name: &str) -> bool {
    let suffix = app.strip_prefix(name).and_then(|rest| rest.strip_prefix('_'));
    app == name
        || suffix.is_some_and(|suffix| suffix.len() == 7 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// What was being done when a read failed.
pub(crate) fn reading(what: &str) -> impl Fn(Failure) -> Error + use<> {
    let context = format!("reading {what}, since an expression asks for it");
    move |failure| Error::from(failure).context(context.clone())
}
