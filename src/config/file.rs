//! What may be typed into a config file. Nothing is resolved here: no defaults, no meaning, only keys and types.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

use super::picture::Faults;
use super::reader::{Amount, Table, Text};

/// Every section with its keys; the first one is the file itself.
const KEYS: [(&str, &[&str]); 10] = [
    (
        "",
        &[
            "okta",
            "activepieces",
            "scope",
            "attributes",
            "projects",
            "projects_policy",
            "lifecycle",
            "safety",
            "accepted",
        ],
    ),
    (
        "okta",
        &[
            "org_url",
            "token_env",
            "token_file",
            "token_command",
            "command_env",
            "client_id",
            "key_file",
            "key_id",
            "scopes",
            "ca_file",
            "rate_limit_share",
            "allow_insecure",
            "allow_shared_secret_file",
        ],
    ),
    (
        "activepieces",
        &[
            "url",
            "api_key_env",
            "api_key_file",
            "api_key_command",
            "command_env",
            "ca_file",
            "allow_insecure",
            "allow_shared_secret_file",
        ],
    ),
    ("scope", &["app", "groups", "search", "everyone"]),
    ("attributes", &["from_okta", "userName", "givenName", "familyName", "email", "displayName", "platformRole"]),
    ("projects", &["group", "match", "name"]),
    ("projects_policy", &["delete_unpushed"]),
    ("lifecycle", &["suspended", "unassigned", "deleted", "deactivate_after_runs", "deactivate_after"]),
    (
        "safety",
        &[
            "max_deactivations",
            "max_role_downgrades",
            "max_role_or_email_changes",
            "max_members_removed",
            "max_creations",
            "max_new_admins",
            "max_shrink",
            "size_floor",
            "protect",
        ],
    ),
    ("accepted", &["kind", "who", "until", "why"]),
];

/// The keys that a section may have; the sections themselves for the empty name.
pub(super) fn keys_of(section: &str) -> &'static [&'static str] {
    KEYS.iter().find(|(name, _)| *name == section).map_or(&[], |(_, keys)| keys)
}

/// The first section that has a key of this name.
pub(super) fn section_of(key: &str) -> Option<&'static str> {
    KEYS.iter().skip(1).find(|(_, keys)| keys.contains(&key)).map(|(name, _)| *name)
}

/// A whole file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) okta: Server,
    pub(super) activepieces: Server,
    pub(super) scope: Scope,
    pub(super) attributes: Attributes,
    pub(super) projects: Vec<Project>,
    /// `[projects_policy]`
    pub(super) delete_unpushed: bool,
    pub(super) lifecycle: Lifecycle,
    pub(super) safety: Safety,
    pub(super) accepted: Vec<Accepted>,
}

/// `[okta]` or `[activepieces]`.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) url: Option<Text>,
    pub(super) secret: Secret,
    /// Only in `[okta]`.
    pub(super) app: App,
    pub(super) ca_file: Option<Text>,
    /// Only in `[okta]`.
    pub(super) rate_limit_share: Option<Spanned<Amount>>,
    pub(super) allow_insecure: bool,
}

/// The keys that name where a secret comes from.
#[derive(Debug)]
pub(super) struct Secret {
    /// `token` or `api_key`: what the keys' names start with.
    pub(super) prefix: &'static str,
    pub(super) env: Option<Text>,
    pub(super) file: Option<Text>,
    pub(super) command: Option<Spanned<Vec<Text>>>,
    /// `command_env`
    pub(super) command_env: Option<Spanned<Vec<Text>>>,
    pub(super) allow_shared: bool,
}

/// The keys of a service app.
#[derive(Debug)]
pub(super) struct App {
    pub(super) client_id: Option<Text>,
    pub(super) key_file: Option<Text>,
    pub(super) key_id: Option<Text>,
    pub(super) scopes: Option<Spanned<Vec<Text>>>,
}

/// `[scope]`
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) header: Option<Range<usize>>,
    /// Whether any key names users, be it in the wrong way.
    pub(super) names_users: bool,
    pub(super) app: Option<Text>,
    pub(super) groups: Option<Spanned<Vec<Text>>>,
    pub(super) search: Option<Text>,
    pub(super) everyone: bool,
}

/// `[attributes]`: one expression each.
#[derive(Debug)]
pub(super) struct Attributes {
    pub(super) from_okta: bool,
    pub(super) header: Option<Range<usize>>,
    pub(super) user_name: Option<Text>,
    pub(super) given_name: Option<Text>,
    pub(super) family_name: Option<Text>,
    pub(super) email: Option<Text>,
    pub(super) display_name: Option<Text>,
    pub(super) platform_role: Option<Text>,
}

/// One `[[projects]]` entry.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) header: Range<usize>,
    /// Neither `group` nor `match` was typed, not even in the wrong way.
    pub(super) no_selector: bool,
    pub(super) group: Option<Text>,
    pub(super) pattern: Option<Text>,
    pub(super) name: Option<Text>,
}

/// One `[[accepted]]` entry.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) kind: Option<Text>,
    pub(super) who: Option<Text>,
    pub(super) until: Option<Text>,
    pub(super) why: Option<Text>,
}

/// `[lifecycle]`
#[derive(Debug)]
pub(super) struct Lifecycle {
    pub(super) suspended: Option<Text>,
    pub(super) unassigned: Option<Text>,
    pub(super) deleted: Option<Text>,
    pub(super) deactivate_after_runs: Option<Spanned<Amount>>,
    pub(super) deactivate_after: Option<Text>,
}

/// `[safety]`
#[derive(Debug)]
pub(super) struct Safety {
    pub(super) max_deactivations: Option<Spanned<Amount>>,
    pub(super) max_role_downgrades: Option<Spanned<Amount>>,
    pub(super) max_role_or_email_changes: Option<Spanned<Amount>>,
    pub(super) max_members_removed: Option<Spanned<Amount>>,
    pub(super) max_creations: Option<Spanned<Amount>>,
    pub(super) max_new_admins: Option<Spanned<Amount>>,
    pub(super) max_shrink: Option<Spanned<Amount>>,
    pub(super) size_floor: Option<Spanned<Amount>>,
    pub(super) protect: Vec<Text>,
}

impl File {
    /// Reads what was typed; keys that don't exist and values of the wrong type are noted and left out.
    pub(super) fn read(root: &DeTable<'_>, faults: &mut Faults) -> Self {
        let root = Table::root(root);
        root.check_keys(faults);
        let table = |name, faults: &mut Faults| {
            let table = root.table(name, faults);
            table.check_keys(faults);
            table
        };
        Self {
            okta: Server::read(
                &table("okta", faults),
                ["org_url", "https://example.okta.com"],
                ("token", ["token_env", "token_file", "token_command"]),
                faults,
            ),
            activepieces: Server::read(
                &table("activepieces", faults),
                ["url", "https://activepieces.example.com"],
                ("api_key", ["api_key_env", "api_key_file", "api_key_command"]),
                faults,
            ),
            scope: Scope::read(&table("scope", faults), faults),
            attributes: Attributes::read(&table("attributes", faults), faults),
            projects: root.tables("projects", faults).iter().filter_map(|entry| Project::read(entry, faults)).collect(),
            delete_unpushed: table("projects_policy", faults).flag("delete_unpushed", faults).unwrap_or(false),
            lifecycle: Lifecycle::read(&table("lifecycle", faults), faults),
            safety: Safety::read(&table("safety", faults), faults),
            accepted: root.tables("accepted", faults).iter().map(|entry| Accepted::read(entry, faults)).collect(),
        }
    }
}

impl Server {
    fn read(
        table: &Table<'_>,
        [url, example]: [&str; 2],
        (prefix, [env, file, command]): (&'static str, [&str; 3]),
        faults: &mut Faults,
    ) -> Self {
        let secret = Secret {
            prefix,
            env: table.text(env, faults),
            file: table.text(file, faults),
            command: table.texts(command, faults),
            command_env: table.texts("command_env", faults),
            allow_shared: table.flag("allow_shared_secret_file", faults).unwrap_or(false),
        };
        Self {
            url: table.required_text(url, example, faults),
            secret,
            app: App {
                client_id: table.text("client_id", faults),
                key_file: table.text("key_file", faults),
                key_id: table.text("key_id", faults),
                scopes: table.texts("scopes", faults),
            },
            ca_file: table.text("ca_file", faults),
            rate_limit_share: table.amount("rate_limit_share", "a share, such as \"80%\"", faults),
            allow_insecure: table.flag("allow_insecure", faults).unwrap_or(false),
        }
    }
}

impl Scope {
    fn read(table: &Table<'_>, faults: &mut Faults) -> Self {
        let everyone = table.flag("everyone", faults);
        Self {
            header: table.header(),
            names_users: ["app", "groups", "search"].iter().any(|key| table.has(key))
                || everyone.unwrap_or(table.has("everyone")),
            app: table.text("app", faults),
            groups: table.texts("groups", faults),
            search: table.text("search", faults),
            everyone: everyone.unwrap_or(false),
        }
    }
}

impl Attributes {
    fn read(table: &Table<'_>, faults: &mut Faults) -> Self {
        Self {
            from_okta: table.flag("from_okta", faults).unwrap_or(false),
            header: table.header(),
            user_name: table.text("userName", faults),
            given_name: table.text("givenName", faults),
            family_name: table.text("familyName", faults),
            email: table.text("email", faults),
            display_name: table.text("displayName", faults),
            platform_role: table.text("platformRole", faults),
        }
    }
}

impl Project {
    fn read(table: &Table<'_>, faults: &mut Faults) -> Option<Self> {
        table.check_keys(faults);
        Some(Self {
            header: table.header()?,
            no_selector: !table.has("group") && !table.has("match"),
            group: table.text("group", faults),
            pattern: table.text("match", faults),
            name: table.text("name", faults),
        })
    }
}

impl Accepted {
    fn read(table: &Table<'_>, faults: &mut Faults) -> Self {
        table.check_keys(faults);
        Self {
            kind: table.required_text("kind", "email_changed", faults),
            who: table.required_text("who", "ada@example.com", faults),
            until: table.date("until", faults),
            why: table.required_text("why", "renamed on the platform next week", faults),
        }
    }
}

impl Lifecycle {
    fn read(table: &Table<'_>, faults: &mut Faults) -> Self {
        Self {
            suspended: table.text("suspended", faults),
            unassigned: table.text("unassigned", faults),
            deleted: table.text("deleted", faults),
            deactivate_after_runs: table.amount("deactivate_after_runs", "a number of runs, such as 2", faults),
            deactivate_after: table.text("deactivate_after", faults),
        }
    }
}

impl Safety {
    fn read(table: &Table<'_>, faults: &mut Faults) -> Self {
        let protect = table.texts("protect", faults);
        let mut limit = |key| table.amount(key, "a number or a share, such as 10 or \"10%\"", faults);
        Self {
            max_deactivations: limit("max_deactivations"),
            max_role_downgrades: limit("max_role_downgrades"),
            max_role_or_email_changes: limit("max_role_or_email_changes"),
            max_members_removed: limit("max_members_removed"),
            max_creations: limit("max_creations"),
            max_new_admins: limit("max_new_admins"),
            max_shrink: limit("max_shrink"),
            size_floor: table.amount("size_floor", "a number, such as 20", faults),
            protect: protect.map(Spanned::into_inner).unwrap_or_default(),
        }
    }
}
