//! The routes of apps, of who is assigned to them, and of their profile mappings.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde_json::{Value, json};

use super::apps::{AppRow, PROVISIONING};
use super::errors;
use super::page::{Rules, cut, cut_all, pages};
use super::render;
use super::routes::{Answer, Ask, begins, listed, one};
use super::search::Dialect;
use super::state::{Listing, Org, Tables};

/// `useOptimization` and `includeNonDeleted` are lost in the links.
const APPS: Rules = Rules { keeps: &["q", "filter"], ..pages(20, 200) };
const FILTER: Dialect = Dialect::Filter(&["id", "status", "name", "credentials.signing.kid", "settings.slo.enabled"]);
/// `expand` is lost in the links, as it was until release 2026.07.3.
const APP_USERS: Rules = Rules { keeps: &["q"], ..pages(50, 500) };
const APP_GROUPS: Rules = Rules { least: 20, keeps: &["q"], ..pages(20, 200) };
const APPS_OF_GROUP: Rules = pages(20, 200);
/// `sourceGroupId` and `status` are lost in the links.
const PUSHES: Rules = pages(100, 1000);
/// `sourceId` and `targetId` are lost in the links.
const MAPPINGS: Rules = pages(20, 200);

impl Ask<'_> {
    pub(super) fn app_routes(&self, tables: &Tables, org: &Org) -> Answer {
        let [_, id, below @ ..] = self.path.as_slice() else { return self.apps(tables) };
        let row = tables.apps.get(*id).ok_or_else(|| errors::not_found(id, "AppInstance"))?;
        match below {
            [] => one(render::app(id, row, &self.host)),
            ["users"] => self.app_users(tables, id, row, &org.missed(&Listing::AppUsers)),
            ["users", user] => {
                let assigned = row.assignment(tables, user).ok_or_else(|| errors::not_found(user, "AppUser"))?;
                Ok((render::app_user(tables, id, user, assigned, &self.host, self.expands("user")), Vec::new()))
            }
            ["groups"] => self.app_groups(tables, id, row),
            ["group-push", "mappings"] => self.pushes(id, row),
            ["features"] if row.name != PROVISIONING => Err(errors::no_provisioning()),
            ["features"] => one(json!([{"name": "USER_PROVISIONING", "status": "ENABLED"}])),
            _ => Err(errors::no_such_path()),
        }
    }

    /// `q` is a prefix of the name or the label.
    fn apps(&self, tables: &Tables) -> Answer {
        let prefix = self.prefix();
        let criterion = self.expression("filter", FILTER)?;
        listed(cut(&self.query, APPS, |after| {
            let rows = tables.apps.range::<str, _>((after, Bound::Unbounded));
            let asked = rows.filter(|(_, row)| {
                let begins = |text: &str| prefix.as_ref().is_none_or(|prefix| text.to_lowercase().starts_with(prefix));
                begins(&row.label) || begins(&row.name)
            });
            let apps = asked.map(|(id, row)| (id.as_str(), render::app(id, row, &self.host)));
            apps.filter(|(_, app)| criterion.as_ref().is_none_or(|criterion| criterion.meets(app)))
        })?)
    }

    fn app_users(&self, tables: &Tables, id: &str, row: &AppRow, missed: &BTreeSet<String>) -> Answer {
        let (expand, prefix) = (self.expands("user"), self.prefix());
        let asked = |user: &str| {
            !missed.contains(user)
                && prefix.as_ref().is_none_or(|prefix| tables.users.get(user).is_some_and(|row| begins(row, prefix)))
        };
        listed(cut(&self.query, APP_USERS, |after| {
            let rows = row.assignments_behind(tables, after).filter(|(user, _)| asked(user));
            rows.map(|(user, at)| (user, render::app_user(tables, id, user, at, &self.host, expand)))
        })?)
    }

    /// In the order of priority, which begins with 0.
    fn app_groups(&self, tables: &Tables, id: &str, row: &AppRow) -> Answer {
        let prefix = self.prefix();
        let named = |group: &str| tables.groups.get(group).map(|row| row.name.to_lowercase());
        let groups: BTreeMap<String, Value> = (0..)
            .zip(&row.groups)
            .filter(|(_, (group, _))| {
                prefix.as_ref().is_none_or(|prefix| named(group).is_some_and(|name| name.starts_with(prefix)))
            })
            .map(|(priority, (group, at))| {
                (format!("{priority:05}"), render::app_group(id, group, priority, *at, &self.host))
            })
            .collect();
        listed(cut_all(&self.query, APP_GROUPS, &groups)?)
    }

    /// The apps that a group is assigned to.
    pub(super) fn apps_of_group(&self, tables: &Tables, group: &str) -> Answer {
        if !tables.groups.contains_key(group) {
            return Err(errors::not_found(group, "UserGroup"));
        }
        listed(cut(&self.query, APPS_OF_GROUP, |after| {
            let rows = tables.apps.range::<str, _>((after, Bound::Unbounded));
            let assigned = rows.filter(|(_, row)| row.groups.iter().any(|(id, _)| id == group));
            assigned.map(|(id, row)| (id.as_str(), render::app(id, row, &self.host)))
        })?)
    }

    fn pushes(&self, id: &str, row: &AppRow) -> Answer {
        let (source, status) = (self.query.get("sourceGroupId"), self.query.get("status"));
        listed(cut(&self.query, PUSHES, |after| {
            let rows = row.pushes.range::<str, _>((after, Bound::Unbounded));
            let asked = rows.filter(|(_, push)| {
                source.is_none_or(|source| *source == push.source) && status.is_none_or(|status| status == "ACTIVE")
            });
            asked.map(|(mapping, push)| (mapping.as_str(), render::push(id, mapping, push, &self.host)))
        })?)
    }

    /// Every app has two: from the Okta user profile to the app's, and back.
    pub(super) fn mappings(&self, tables: &Tables) -> Answer {
        let asked = |mapping: &Value| {
            let of = |parameter: &str, end: &str| {
                self.query.get(parameter).is_none_or(|id| mapping[end]["id"] == id.as_str())
            };
            of("sourceId", "source") && of("targetId", "target")
        };
        let mut found = BTreeMap::new();
        for (app, row) in &tables.apps {
            for import in [false, true] {
                found.insert(render::mapping_id(app, import), render::mapping(app, row, &self.host, import));
            }
        }
        found.retain(|_, mapping| asked(mapping));
        listed(cut_all(&self.query, MAPPINGS, &found)?)
    }

    pub(super) fn mapping(&self, tables: &Tables, id: &str) -> Answer {
        let rows = tables.apps.iter().flat_map(|(app, row)| [(app, row, false), (app, row, true)]);
        let found = rows.into_iter().find(|(app, _, import)| render::mapping_id(app, *import) == id);
        let (app, row, import) = found.ok_or_else(|| errors::not_found(id, "ProfileMapping"))?;
        one(render::mapping_with_properties(app, row, &self.host, import))
    }
}
