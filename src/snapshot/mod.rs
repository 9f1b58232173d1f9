//! Snapshots: what a plan was made from, in one file, from which the same plan can be made without any network.
//!
//! - `kept`: what is kept of each answer. There is no secret in it.
//! - `redact`: replaces personal data, the same value by the same value.

pub mod kept;
pub mod redact;

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Error, Kind, Result};
use crate::files;
use crate::http::answers::{Answer, Answers, Json};
use crate::http::segment;
use crate::model::okta::{REALM_ID, Times};
use crate::model::packed::KeptAttributes;
use crate::plan::Past;
use crate::plan::hold::resumed::Resumed;

/// The version of the file's format. It changes when an older program can't read the file correctly.
pub const FORMAT_VERSION: u32 = 1;
/// More than the answers of any two servers take, in bytes.
const LARGEST: u64 = 2 << 30;

/// What a snapshot file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The first member, by which a snapshot is recognized.
    #[serde(rename = "oktapieces_snapshot")]
    pub format_version: u32,
    /// The program that wrote it.
    pub tool_version: String,
    /// The org and the platform; empty if the snapshot is redacted.
    pub okta: String,
    pub activepieces: String,
    /// The time of the read, by Okta's clock.
    pub read_at: Timestamp,
    pub redacted: bool,
    /// The attributes of users that it holds, if not all of them.
    pub attributes: Option<BTreeSet<String>>,
    /// The SHA-256 of the config that it was made with.
    pub config: String,
    /// The state recorded by earlier runs.
    pub past: Past,
    /// What the last run was allowed to do and didn't do.
    pub resumed: Resumed,
    /// Okta's answers.
    pub okta_answers: Answers,
    /// The answers of Activepieces.
    pub activepieces_answers: Answers,
}

/// An entity of a listing.
#[derive(Deserialize)]
struct Entity {
    id: String,
    #[serde(rename = "_embedded")]
    embedded: Option<Embedded>,
}

#[derive(Deserialize)]
struct Embedded {
    user: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Head {
    oktapieces_snapshot: u64,
}

impl Snapshot {
    /// The text of the file.
    pub fn text(&self) -> String {
        // Strings, numbers and texts as keys: this can't fail.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// Writes the file, whole or not at all, for its owner alone; or into a pipe or a device.
    pub fn write(&self, path: &Path) -> Result<()> {
        files::write_out(path, self.text().as_bytes()).map_err(|refusal| {
            Error::new(Kind::Failed, format!("the snapshot can't be written: {} {refusal}", path.display()))
        })
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let text = files::text(path, LARGEST)
            .map_err(|refusal| Error::new(Kind::Config, format!("the snapshot {shown} {refusal}")))?;
        Self::parse(&text, &shown)
    }

    /// Reads the text of the file that is shown as `shown`.
    pub fn parse(text: &str, shown: &str) -> Result<Self> {
        let no_snapshot = |error: serde_json::Error| {
            Error::from_source(Kind::Config, error)
                .context(format!("{shown} is no snapshot"))
                .hint("make a snapshot with oktapieces export FILE")
        };
        let Head { oktapieces_snapshot: version } = serde_json::from_str(text).map_err(no_snapshot)?;
        if version != u64::from(FORMAT_VERSION) {
            let error = format!("{shown} has format {version}, and this version of oktapieces reads {FORMAT_VERSION}");
            return Err(Error::new(Kind::Config, error).hint("export the snapshot again with this version"));
        }
        serde_json::from_str(text).map_err(no_snapshot)
    }

    /// The attributes that a config asks for and that were left out, so that users would seem to have no value.
    pub fn missing(&self, asked: &KeptAttributes) -> Vec<String> {
        let KeptAttributes::Named(asked) = asked else {
            return self.attributes.iter().map(|_| "all attributes".to_owned()).collect();
        };
        let is_of_entity = |name: &str| Times::NAMES.contains(&name) || name == REALM_ID || name == "login";
        let is_held = |name: &str| {
            let left_out =
                self.attributes.as_ref().is_some_and(|held| !held.contains(name)) || kept::may_be_secret(name);
            is_of_entity(name) || !left_out
        };
        asked.iter().filter(|name| !is_held(name)).cloned().collect()
    }

    /// The answers of Okta, and as answers by id the entities of its listings: a config that is tried on the snapshot may ask
    /// about a user by id who was only listed.
    pub fn okta_by_id(&self) -> Answers {
        let mut answers = self.okta_answers.clone();
        for (key, answer) in &self.okta_answers {
            let (Some(path), Answer::List(entities)) = (path_by_id(key), answer) else { continue };
            for listed in entities {
                let Ok(entity) = serde_json::from_str::<Entity>(listed.text()) else { continue };
                // The assignment to an app has the user's id, and isn't the user.
                let user = match entity.embedded {
                    Some(Embedded { user: Some(user) }) => Json::from(user),
                    // Okta may leave out the user of an assignment.
                    _ if key.starts_with("/api/v1/apps/") => continue,
                    _ => listed.clone(),
                };
                answers.entry(format!("{path}/{}", segment(&entity.id))).or_insert(Answer::Body(user));
            }
        }
        answers
    }
}

/// The path of the entities by id that a listing lists.
fn path_by_id(listing: &str) -> Option<&'static str> {
    let path = listing.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
    match parts.as_slice() {
        ["users"] | ["groups", _, "users"] => Some("/api/v1/users"),
        // Only with the users embedded.
        ["apps", _, "users"] if listing.contains("expand=user") => Some("/api/v1/users"),
        ["groups"] | ["users", _, "groups"] => Some("/api/v1/groups"),
        ["apps"] => Some("/api/v1/apps"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A snapshot of these answers of both servers.
    pub(super) fn snapshot_of<const N: usize, const M: usize>(
        okta_answers: [(String, Answer); N],
        activepieces_answers: [(String, Answer); M],
    ) -> Snapshot {
        Snapshot {
            format_version: FORMAT_VERSION,
            tool_version: "0".to_owned(),
            okta: "https://acme.okta.com/".to_owned(),
            activepieces: "https://ap.acme.io/".to_owned(),
            read_at: Timestamp::UNIX_EPOCH,
            redacted: false,
            attributes: None,
            config: String::new(),
            past: Past::default(),
            resumed: Resumed::default(),
            okta_answers: okta_answers.into(),
            activepieces_answers: activepieces_answers.into(),
        }
    }

    fn snapshot() -> Snapshot {
        let user = json!({"id": "00u1", "status": "ACTIVE", "profile": {"login": "ada@x.io"}});
        let assigned = json!({"id": "00u2", "status": "ACTIVE", "_embedded": {"user": {"id": "00u2"}}});
        let bare = json!({"id": "00u3", "status": "ACTIVE"});
        let lost = json!({"id": "00u4", "status": "ACTIVE"});
        let of_app = [Json::from(&assigned), Json::from(&lost)].to_vec();
        snapshot_of(
            [
                ("/api/v1/groups/00g1/users".to_owned(), Answer::List(vec![Json::from(&user)])),
                ("/api/v1/apps/0oa1/users?expand=user".to_owned(), Answer::List(of_app)),
                ("/api/v1/apps/0oa2/users".to_owned(), Answer::List(vec![Json::from(&bare)])),
            ],
            [],
        )
    }

    #[test]
    fn a_snapshot_reads_back() {
        let snapshot = snapshot();
        assert_eq!(Snapshot::parse(&snapshot.text(), "x").unwrap(), snapshot);
        assert!(snapshot.text().starts_with(r#"{"oktapieces_snapshot":1,"#));
    }

    #[test]
    fn what_is_no_snapshot_of_this_format_is_refused_in_words() {
        let newer = Snapshot { format_version: 2, ..snapshot() }.text();
        let cut = &snapshot().text()[..100];
        let strange = snapshot().text().replace("\"redacted\"", "\"strange\"");
        for (text, part) in [
            (newer.as_str(), "x has format 2"),
            (cut, "x is no snapshot"),
            (&strange, "x is no snapshot"),
            ("", "x is no snapshot"),
            ("[]", "x is no snapshot"),
            ("{\"format_version\":1}", "x is no snapshot"),
        ] {
            let error = Snapshot::parse(text, "x").unwrap_err();
            assert!(error.to_string().starts_with(part), "{error}");
            assert_eq!(error.kind, Kind::Config);
        }
    }

    #[test]
    fn attributes_that_were_left_out_are_named() {
        let asked = |names: &[&str]| KeptAttributes::Named(names.iter().map(|name| (*name).to_owned()).collect());
        let all = snapshot();
        let some = Snapshot { attributes: Some(["title".to_owned()].into()), ..snapshot() };
        let names = ["login", "title", "created", "level", "apiToken"];
        assert_eq!(all.missing(&asked(&names)), ["apiToken"]);
        assert_eq!(some.missing(&asked(&names)), ["apiToken", "level"]);
        assert_eq!((all.missing(&KeptAttributes::All), some.missing(&KeptAttributes::All).len()), (Vec::new(), 1));
    }

    #[test]
    fn listed_users_are_known_by_id_and_assignments_are_not_users() {
        let by_id = snapshot().okta_by_id();
        let users: Vec<&str> = by_id.keys().filter_map(|key| key.strip_prefix("/api/v1/users/")).collect();
        assert_eq!(users, ["00u1", "00u2"]);
    }
}
