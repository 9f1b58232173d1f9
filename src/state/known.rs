//! Reads and writes the cache of the org's groups.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::StateFile;
use crate::error::Result;
use crate::model::id::OktaUserId;
use crate::model::known::{KnownGroup, KnownGroups, KnownOrg};

/// The name under which the moments are kept between which users were created.
const BEGINNINGS: &str = "beginnings";

impl StateFile {
    /// The cache of earlier runs. Unreadable entries are left out: they are read again.
    pub fn known_org(&self) -> Result<KnownOrg> {
        Ok(KnownOrg {
            groups: self.known_groups()?,
            beginnings: self.kept(BEGINNINGS).unwrap_or_default().unwrap_or_default(),
        })
    }

    /// Replaces what earlier runs left to be known. What is still known from one of them isn't written again.
    pub fn remember_org(&self, known: &KnownOrg) -> Result<()> {
        self.remember_groups(&known.groups)?;
        self.keep(BEGINNINGS, &known.beginnings)
    }

    fn known_groups(&self) -> Result<KnownGroups> {
        self.with(|connection| {
            let mut statement = connection.prepare("SELECT id, updated, read, members FROM known_groups")?;
            let row = |row: &Row<'_>| {
                let (id, updated, read): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let group = group(updated, &read, &row.get::<_, String>(3)?);
                Ok(group.map(|group| (id.into(), group)))
            };
            statement.query_map([], row)?.filter_map(rusqlite::Result::transpose).collect()
        })
    }

    fn remember_groups(&self, groups: &KnownGroups) -> Result<()> {
        self.with(|connection| {
            let transaction = connection.transaction()?;
            let standing: BTreeMap<String, String> = {
                let mut statement = transaction.prepare("SELECT id, read FROM known_groups")?;
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?
            };
            for id in standing.keys().filter(|id| !groups.contains_key(&id.as_str().into())) {
                transaction.prepare_cached("DELETE FROM known_groups WHERE id = ?1")?.execute([id])?;
            }
            for (id, group) in groups {
                let [read, members] = columns(group);
                if standing.get(id.as_str()) == Some(&read) {
                    continue;
                }
                let insert = "INSERT OR REPLACE INTO known_groups (id, updated, read, members) VALUES (?1, ?2, ?3, ?4)";
                let row = params![id.as_str(), group.updated, read, members];
                transaction.prepare_cached(insert)?.execute(row)?;
            }
            transaction.commit()
        })
    }
}

/// What the columns say of a group; none where it can't be understood.
pub(crate) fn group(updated: String, read: &str, members: &str) -> Option<KnownGroup> {
    let members = members.split(' ').filter(|id| !id.is_empty()).map(Into::into).collect();
    read.parse().ok().map(|read: Timestamp| KnownGroup { updated, read, members })
}

/// When a group was read, and its members, as the columns have it.
pub(crate) fn columns(group: &KnownGroup) -> [String; 2] {
    let members: Vec<&str> = group.members.iter().map(OktaUserId::as_str).collect();
    [group.read.to_string(), members.join(" ")]
}
