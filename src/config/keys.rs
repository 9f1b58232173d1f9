//! The table of all keys of a config file. A row says all about its key: type, place in the settings, default, example
//! and what the docs say. The reader, the environment variables, config.example.toml, docs/reference/config.md and
//! its JSON schema follow from the rows.

use super::draft::Draft;
use super::picture::Faults;
use super::types::{
    ADDRESSES, AGE, ANY_TEXT, CA_FILE, COUNT, CREATE, DATE, EMAIL_CHANGE, FLAG, Form, GRACES, Given, LIMIT,
    ON_INVITATION, ON_LEAVE, OUT_FILE, PROBLEM, ROLE_GROUPS, ROLES_MANAGED, RUNS, SHARE, TEXT, TEXTS, TIME, Type,
    WEBHOOK_FORMAT, WEBHOOK_ON,
};

/// A section of the file.
#[derive(Debug)]
pub struct Section {
    pub name: &'static str,
    pub title: &'static str,
    pub docs: &'static str,
    /// Whether it is a list of tables, `[[name]]`.
    pub is_list: bool,
    pub keys: &'static [Key],
}

/// A key of a section.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    /// In TOML.
    pub example: &'static str,
    pub docs: &'static str,
    /// In TOML.
    pub default: Option<&'static str>,
    /// What no value means, where no single value says it.
    pub absent: Option<&'static str>,
    /// Whether a config without it is refused.
    pub required: bool,
    /// Whether it is one of the keys that most configs have: the example sets it, and only shows the others.
    pub common: bool,
    /// The keys of its section that say one thing together: a target that sets one of them inherits none of them.
    pub bundle: Option<&'static str>,
    pub(super) place: &'static dyn Place,
}

/// The type of a key, and where its value goes.
pub(super) trait Place: Sync {
    fn name(&self) -> &'static str;
    fn schema(&self) -> &'static str;
    fn form(&self) -> Form;
    fn read(&self, draft: &mut Draft, given: Given<'_>, faults: &mut Faults);
}

struct At<T: 'static, P>(Type<T>, fn(&mut Draft) -> &mut P);

impl<T, P: From<T>> Place for At<T, P> {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn schema(&self) -> &'static str {
        self.0.schema
    }

    fn form(&self) -> Form {
        self.0.form
    }

    fn read(&self, draft: &mut Draft, given: Given<'_>, faults: &mut Faults) {
        if let Some(value) = (self.0.read)(given, faults) {
            *self.1(draft) = value.into();
        }
    }
}

impl std::fmt::Debug for dyn Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The list of targets: each entry may set keys of all other sections.
pub const TARGETS: &str = "target";

/// What a target has to name for itself where it has an address of its own.
pub(super) const CREDENTIALS: &str = "credentials";

/// The environment variables that override keys start like this.
pub const PREFIX: &str = "OKTAPIECES_";

impl Section {
    /// As the file has it: `[okta]`.
    pub fn header(&self) -> String {
        let name = self.name;
        if self.is_list { format!("[[{name}]]") } else { format!("[{name}]") }
    }

    /// The environment variable that overrides a key of this section; none in a list, which has a key more than once.
    pub fn variable(&self, key: &Key) -> Option<String> {
        let mut name = format!("{PREFIX}{}_", self.name.to_uppercase());
        for c in key.name.chars() {
            name.extend(c.is_uppercase().then_some('_'));
            name.extend(c.to_uppercase());
        }
        (!self.is_list).then_some(name)
    }

    /// Whether its entries hold all other sections.
    pub fn holds_sections(&self) -> bool {
        self.name == TARGETS
    }
}

impl Key {
    /// What its values are, as in "a list of strings".
    pub fn type_name(&self) -> &'static str {
        self.place.name()
    }

    /// The JSON schema of its values.
    pub fn schema(&self) -> &'static str {
        self.place.schema()
    }

    const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    const fn absent(self, absent: &'static str) -> Self {
        Self { absent: Some(absent), ..self }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn common(self) -> Self {
        Self { common: true, ..self }
    }

    const fn one_of(self, bundle: &'static str) -> Self {
        Self { bundle: Some(bundle), ..self }
    }
}

const fn key(name: &'static str, place: &'static dyn Place, example: &'static str, docs: &'static str) -> Key {
    Key { name, example, docs, default: None, absent: None, required: false, common: false, bundle: None, place }
}

/// All sections, in the order of the example.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "okta",
        title: "The Okta org that is read",
        docs: "The org, and the credentials for it: an API token or an OAuth 2.0 service app (docs/access.md).",
        is_list: false,
        keys: OKTA,
    },
    Section {
        name: "activepieces",
        title: "The Activepieces platform that is written",
        docs: "The platform, and its API key.",
        is_list: false,
        keys: ACTIVEPIECES,
    },
    Section {
        name: "scope",
        title: "Users in scope",
        docs: "The union of the users that these keys name; at least one key is needed. A user who is not in scope and has an \
               account that came from Okta is deactivated (see [lifecycle]).",
        is_list: false,
        keys: SCOPE,
    },
    Section {
        name: "attributes",
        title: "Attributes of accounts",
        docs: "An Okta expression for each attribute, as in Okta's profile mappings. Put expressions between single quotes: \
               they contain double quotes, and TOML changes nothing between single quotes.",
        is_list: false,
        keys: ATTRIBUTES,
    },
    Section {
        name: "projects",
        title: "Groups that become projects",
        docs: "One entry for each group, or for each pattern of group names, with one of `group`, `groups`, `match` and \
               `group_push`. The first entry that takes a group counts. Without any entry no project is changed, and without \
               `role` and `roles` no project role.",
        is_list: true,
        keys: PROJECTS,
    },
    Section {
        name: "projects_policy",
        title: "All projects",
        docs: "What holds for the projects of all groups. While a group exists in Okta its project stays, whether or not it is \
               pushed.",
        is_list: false,
        keys: PROJECTS_POLICY,
    },
    Section {
        name: "lifecycle",
        title: "Users who leave",
        docs: "What happens to the account of a user by the user's status in Okta: \"deactivate\" or \"keep\". A reason to \
               deactivate is a reason not to create or reactivate an account, too. docs/lifecycle.md has examples.",
        is_list: false,
        keys: LIFECYCLE,
    },
    Section {
        name: "safety",
        title: "Limits of one run",
        docs: "A plan over one of these limits is refused before the first write. Each limit is a number, or a share in \
               percent that is rounded down. `oktapieces apply --approve HASH`, with the hash that `oktapieces plan` \
               printed, allows exactly that plan, so that no limit has to be raised for good. docs/safety.md says how the \
               limits work together.",
        is_list: false,
        keys: SAFETY,
    },
    Section {
        name: "accepted",
        title: "Accepted problems",
        docs: "A known problem that should not raise an alarm: it no longer gives exit code 3, and is shown in one line. \
               There can be any number of entries; `oktapieces accept KIND WHO --why TEXT` adds one.",
        is_list: true,
        keys: ACCEPTED,
    },
    Section {
        name: "monitoring",
        title: "What hears of each run",
        docs: "Metrics, a webhook and a heartbeat for runs that no admin watches (docs/howto/monitoring.md). None of them changes \
               what a run does: one that fails is a warning. Who knows the address of a webhook or a heartbeat can use it, so \
               the file names the place that it comes from.",
        is_list: false,
        keys: MONITORING,
    },
    Section {
        name: TARGETS,
        title: "Several platforms and orgs",
        docs: "One entry for each platform, where there are several (docs/howto/several-platforms.md). An entry has a name and any \
               section of this file, as in [target.activepieces] and [[target.projects]]. What it sets replaces what the file says \
               outside of targets, key by key, and the rest is inherited. Keys that say one thing together are inherited \
               together or not at all: all keys of [scope], and those that name one secret. [[target.projects]] replaces all \
               [[projects]]; [[target.accepted]] adds to [[accepted]]. A target with an address of its own names its own secret, too.",
        is_list: true,
        keys: TARGET,
    },
];

const TARGET: &[Key] = &[key(
    "name",
    &At(TEXT, |draft| &mut draft.target),
    "\"production\"",
    "What the target is called by --target and in all answers: up to 40 letters, digits, `-` and `_`. `metrics_file` gets it as a \
     part of its name.",
)
.required()];

const OKTA: &[Key] = &[
    key(
        "org_url",
        &At(ANY_TEXT, |draft| &mut draft.okta.url),
        "\"https://example.okta.com\"",
        "The org's address. A path is dropped, and the host of the admin console (example-admin.okta.com) is corrected with \
         a warning. Plain http is allowed to this machine only; see allow_insecure.",
    )
    .required()
    .common(),
    key(
        "token_env",
        &At(ANY_TEXT, |draft| &mut draft.okta.secret.env),
        "\"OKTA_API_TOKEN\"",
        "The environment variable that holds the API token. Name only one of token_env, token_file and token_command.",
    ).one_of(CREDENTIALS)
    .absent("the variable OKTA_API_TOKEN")
    .common(),
    key(
        "token_file",
        &At(ANY_TEXT, |draft| &mut draft.okta.secret.file),
        "\"okta-token\"",
        "A file that holds the API token and nothing else. A relative path starts at the folder of this file.",
    ).one_of(CREDENTIALS),
    key(
        "token_command",
        &At(TEXTS, |draft| &mut draft.okta.secret.command),
        "[\"op\", \"read\", \"op://it/okta/token\"]",
        "A program that prints the API token, and its arguments. It runs without a shell.",
    ).one_of(CREDENTIALS),
    key(
        "command_env",
        &At(TEXTS, |draft| &mut draft.okta.secret.command_env),
        "[\"OP_SERVICE_ACCOUNT_TOKEN\"]",
        "The environment variables that token_command gets in addition to PATH, HOME and the like (docs/access.md).",
    ).one_of(CREDENTIALS),
    key(
        "client_id",
        &At(ANY_TEXT, |draft| &mut draft.app.client_id),
        "\"0oa1a2b3c4d5e6f7g8h9\"",
        "The client id of an OAuth 2.0 service app, in place of an API token; docs/access.md has the steps in Okta.",
    ).one_of(CREDENTIALS),
    key("key_id", &At(ANY_TEXT, |draft| &mut draft.app.key_id), "\"okta-key-1\"", "The id of the app's public key.").one_of(CREDENTIALS),
    key(
        "key_file",
        &At(ANY_TEXT, |draft| &mut draft.app.key_file),
        "\"/etc/oktapieces/okta-key.pem\"",
        "A file with the app's private key in PEM: RSA of at least 2048 bits, or EC of the curve P-256.",
    ).one_of(CREDENTIALS),
    key(
        "scopes",
        &At(TEXTS, |draft| &mut draft.app.scopes),
        "[\"okta.apps.read\", \"okta.groups.read\", \"okta.schemas.read\", \"okta.users.read\"]",
        "The scopes that the app asks for. `oktapieces check` names those that this config needs.",
    ).one_of(CREDENTIALS)
    .absent("the fewest that the config needs"),
    key(
        "ca_file",
        &At(CA_FILE, |draft| &mut draft.okta.ca_file),
        "\"company-ca.pem\"",
        "A file with CA certificates in PEM that are trusted in addition to the system's, for a proxy that opens TLS.",
    ),
    key(
        "allow_shared_secret_file",
        &At(FLAG, |draft| &mut draft.okta.secret.allow_shared),
        "true",
        "Accepts a token or key file that other users of the machine can read.",
    )
    .or("false"),
    key(
        "rate_limit_share",
        &At(SHARE, |draft| &mut draft.rate_limit_share),
        "\"50%\"",
        "The share of Okta's rate limits and of its concurrent requests that may be used, so that other integrations keep \
         working: above \"0%\", up to \"100%\".",
    )
    .or("\"80%\""),
    key(
        "allow_insecure",
        &At(FLAG, |draft| &mut draft.okta.allow_insecure),
        "true",
        "Sends the token over plain http to another machine, where everyone on the network can read it: for test networks \
         only.",
    )
    .or("false"),
];

const ACTIVEPIECES: &[Key] = &[
    key(
        "url",
        &At(ANY_TEXT, |draft| &mut draft.activepieces.url),
        "\"https://activepieces.example.com\"",
        "The platform's address, or the SCIM base URL that its settings page shows (https://.../api/v1/scim/v2).",
    )
    .required()
    .common(),
    key(
        "api_key_env",
        &At(ANY_TEXT, |draft| &mut draft.activepieces.secret.env),
        "\"ACTIVEPIECES_API_KEY\"",
        "The environment variable that holds the API key (Platform admin > Security > API keys). Name only one of \
         api_key_env, api_key_file and api_key_command.",
    )
    .one_of(CREDENTIALS)
    .absent("the variable ACTIVEPIECES_API_KEY")
    .common(),
    key(
        "api_key_file",
        &At(ANY_TEXT, |draft| &mut draft.activepieces.secret.file),
        "\"/etc/oktapieces/activepieces-key\"",
        "A file that holds the API key and nothing else.",
    )
    .one_of(CREDENTIALS),
    key(
        "api_key_command",
        &At(TEXTS, |draft| &mut draft.activepieces.secret.command),
        "[\"vault\", \"kv\", \"get\", \"-field=key\", \"it/activepieces\"]",
        "A program that prints the API key, and its arguments. It runs without a shell.",
    )
    .one_of(CREDENTIALS),
    key(
        "command_env",
        &At(TEXTS, |draft| &mut draft.activepieces.secret.command_env),
        "[\"VAULT_ADDR\", \"VAULT_TOKEN\"]",
        "The environment variables that api_key_command gets in addition to PATH, HOME and the like (docs/access.md).",
    )
    .one_of(CREDENTIALS),
    key(
        "ca_file",
        &At(CA_FILE, |draft| &mut draft.activepieces.ca_file),
        "\"company-ca.pem\"",
        "A file with CA certificates in PEM that are trusted in addition to the system's.",
    ),
    key(
        "allow_shared_secret_file",
        &At(FLAG, |draft| &mut draft.activepieces.secret.allow_shared),
        "true",
        "Accepts a key file that other users of the machine can read.",
    )
    .or("false"),
    key(
        "allow_insecure",
        &At(FLAG, |draft| &mut draft.activepieces.allow_insecure),
        "true",
        "Sends the API key over plain http to another machine, where everyone on the network can read it: for test \
         networks only.",
    )
    .or("false"),
];

const SCOPE: &[Key] = &[
    key(
        "app",
        &At(TEXT, |draft| &mut draft.scope.app),
        "\"Activepieces\"",
        "Users who are assigned to this Okta app, directly or through a group: the app's id, or its label if no other app \
         has it.",
    ).one_of("scope")
    .common(),
    key(
        "groups",
        &At(TEXTS, |draft| &mut draft.scope.groups),
        "[\"Engineering\", \"00g1a2b3c4d5e6f7g8h9\"]",
        "Members of these groups: ids or exact names.",
    ).one_of("scope"),
    key(
        "search",
        &At(TEXT, |draft| &mut draft.scope.search),
        "'profile.department eq \"IT\"'",
        "Users that this Okta search expression finds.",
    ).one_of("scope"),
    key("everyone", &At(FLAG, |draft| &mut draft.scope.everyone), "true", "Every user of the org.").one_of("scope").or("false"),
];

const ATTRIBUTES: &[Key] = &[
    key(
        "from_okta",
        &At(FLAG, |draft| &mut draft.attributes.from_okta),
        "true",
        "Takes the expressions from the profile mapping in Okta of the app under [scope]. They replace the defaults; a key in \
         this file wins. `oktapieces eval --from-okta` lists them.",
    )
    .or("false"),
    key("userName", &At(TEXT, |draft| &mut draft.attributes.user_name), "\"user.login\"", "The user name.")
        .or("\"user.email\"")
        .common(),
    key("givenName", &At(TEXT, |draft| &mut draft.attributes.given_name), "\"user.nickName\"", "The first name.")
        .or("\"user.firstName\"")
        .common(),
    key(
        "familyName",
        &At(TEXT, |draft| &mut draft.attributes.family_name),
        "'String.toUpperCase(user.lastName)'",
        "The last name.",
    )
    .or("\"user.lastName\"")
    .common(),
    key("email", &At(TEXT, |draft| &mut draft.attributes.email), "\"user.login\"", "The e-mail address.")
        .or("\"user.email\"")
        .common(),
    key(
        "displayName",
        &At(TEXT, |draft| &mut draft.attributes.display_name),
        "'user.firstName + \" \" + user.lastName'",
        "The display name.",
    )
    .or("\"user.displayName\"")
    .common(),
    key(
        "platformRole",
        &At(TEXT, |draft| &mut draft.attributes.platform_role),
        r#"'user.okta_role == "Master" ? "ADMIN" : user.okta_role == "op" ? "OPERATOR" : "MEMBER"'"#,
        "The platform role: has to give ADMIN, OPERATOR or MEMBER.",
    )
    .absent("new users are MEMBER, and accounts keep their role"),
    key(
        "aliases",
        &At(TEXT, |draft| &mut draft.attributes.aliases),
        "'user.secondEmail'",
        "Further e-mail addresses of the user: a text or a list. An account that has one of them and no externalId is the \
         user's, if no account has the user name (docs/howto/adopt.md). It is never written.",
    )
    .absent("an account is matched by its externalId or the user name alone"),
];

const PROJECTS: &[Key] = &[
    key("group", &At(TEXT, |draft| &mut draft.project.group), "\"AP Engineering\"", "One group: its id or exact name.")
        .common(),
    key(
        "match",
        &At(TEXT, |draft| &mut draft.project.pattern),
        "'^AP Team (.+)$'",
        "Every group whose name matches this regular expression. `^` and `$` are the start and the end of the name; without \
         them a part of the name is enough.",
    ),
    key(
        "name",
        &At(TEXT, |draft| &mut draft.project.name),
        "\"$1\"",
        "The project's name. With `match`, $1 is what the first parentheses matched, and ${team} what `(?<team>...)` matched; \
         $0 is the whole name.",
    )
    .absent("the group's name"),
    key(
        "project",
        &At(TEXT, |draft| &mut draft.project.one_for_all),
        "\"Sales\"",
        "The one project of all groups of the entry, and of all entries that name it: the name or the id of an existing project, \
         which is linked with all that is in it, or the name of a new one. docs/projects.md says what is linked and when.",
    ),
    key(
        "groups",
        &At(TEXTS, |draft| &mut draft.project.groups),
        "[\"Sales EMEA\", \"Sales US\"]",
        "Several groups that make one `project` together: their ids or exact names.",
    ),
    key(
        "type",
        &At(TEXT, |draft| &mut draft.project.kind),
        "\"OKTA_GROUP\"",
        "Of the groups of `match` or `group_push`, only those made in Okta (\"OKTA_GROUP\"), or only those imported from an app or \
         directory (\"APP_GROUP\").",
    )
    .absent("both"),
    key(
        "exclude",
        &At(TEXTS, |draft| &mut draft.project.exclude),
        "[\"AP Team Test\"]",
        "Groups that `match` or `group_push` leaves out: their ids or exact names.",
    ),
    key(
        "exclude_match",
        &At(TEXT, |draft| &mut draft.project.exclude_pattern),
        "'(?i) test$'",
        "Groups that `match` or `group_push` leaves out: those whose names match this regular expression.",
    ),
    key(
        "search",
        &At(TEXT, |draft| &mut draft.project.search),
        "'profile.department eq \"Sales\"'",
        "The groups that this Okta search expression finds, by any attribute of a group's profile. `match` and `group_push` limit them.",
    ),
    key(
        "exclude_search",
        &At(TEXT, |draft| &mut draft.project.exclude_search),
        "'profile.description eq \"no project\"'",
        "Groups that `match`, `search` or `group_push` leaves out: those that this Okta search expression finds.",
    ),
    key(
        "group_push",
        &At(TEXT, |draft| &mut draft.project.group_push),
        "\"from_okta\"",
        "\"from_okta\" takes the groups that the app of [scope] pushes in Okta. `match` limits them.",
    ),
    key(
        "also",
        &At(TEXT, |draft| &mut draft.project.also),
        "\"prod\"",
        "Makes a further project of groups that other entries make projects of: a name for it in small letters and digits. It is \
         in the project's externalId, so that another name is another project.",
    ),
    key(
        "role",
        &At(TEXT, |draft| &mut draft.project.role),
        "\"Viewer\"",
        "The project role of the members: the name of a default or custom role, in any case, or an expression that gives one. \
         With `roles` it is for the members who are in none of its groups. docs/project-roles.md says how roles are set.",
    )
    .absent("members keep their role, and new members get the server's default"),
    key(
        "roles",
        &At(ROLE_GROUPS, |draft| &mut draft.project.roles),
        "{ Admin = \"AP Leads\", Viewer = [\"AP Guests\", \"Contractors\"] }",
        "Project roles by Okta group (an id or an exact name, or a list of them). A member of several gets the highest role, \
         by the order under [projects_policy].",
    ),
    key(
        "roles_managed",
        &At(ROLES_MANAGED, |draft| &mut draft.project.roles_managed),
        "\"on_add\"",
        "\"always\" brings back a role that was changed by hand; \"on_add\" sets the role of new members and leaves it \
         alone later.",
    )
    .absent("\"always\""),
];

const PROJECTS_POLICY: &[Key] = &[
    key(
    "delete_unpushed",
    &At(FLAG, |draft| &mut draft.policy.delete_unpushed),
    "true",
    "Deletes projects that Okta or oktapieces made and whose group was deleted in Okta. Without it they are named and stay. \
     With it, `oktapieces plan` lists what would be destroyed (flows, members, connections and tables by number, and the last \
     run), and only `oktapieces apply --allow-project-deletions N` with the exact number deletes anything.",
)
.or("false"),
    key(
        "archive",
        &At(FLAG, |draft| &mut draft.policy.archive),
        "true",
        "Archives these projects: the project gets the name \"Archived: NAME\" and its members that are linked to Okta are \
         removed; flows, connections and tables stay. A group that is made again gets its project back. Where both are set, \
         a project is archived and not deleted.",
    )
    .or("false"),
    key(
        "role_order",
        &At(TEXTS, |draft| &mut draft.role_order),
        "[\"Admin\", \"Lead\", \"Editor\", \"Viewer\"]",
        "The project roles from the highest to the lowest. It is needed where `roles` has a custom role next to another one.",
    )
    .absent("Admin, Editor, Operator, Viewer"),
];

const LIFECYCLE: &[Key] = &[
    key(
        "suspended",
        &At(ON_LEAVE, |draft| &mut draft.policy.suspended),
        "\"keep\"",
        "Users who are suspended in Okta.",
    )
    .or("\"deactivate\"")
    .common(),
    key(
        "deactivated",
        &At(ON_LEAVE, |draft| &mut draft.policy.deactivated),
        "\"keep\"",
        "Users who are deactivated in Okta, in scope or not.",
    )
    .or("\"deactivate\""),
    key(
        "unassigned",
        &At(ON_LEAVE, |draft| &mut draft.policy.unassigned),
        "\"keep\"",
        "Users who are out of scope and still in Okta.",
    )
    .or("\"deactivate\"")
    .common(),
    key("deleted", &At(ON_LEAVE, |draft| &mut draft.policy.deleted), "\"keep\"", "Users who were deleted in Okta.")
        .or("\"deactivate\"")
        .common(),
    key(
        "staged",
        &At(ON_LEAVE, |draft| &mut draft.statuses.staged),
        "\"deactivate\"",
        "Users in scope who are staged in Okta, such as people hired for next month.",
    )
    .or("\"keep\""),
    key(
        "provisioned",
        &At(ON_LEAVE, |draft| &mut draft.statuses.provisioned),
        "\"deactivate\"",
        "Users in scope who have yet to accept their invitation to Okta (pending user action).",
    )
    .or("\"keep\""),
    key(
        "recovery",
        &At(ON_LEAVE, |draft| &mut draft.statuses.recovery),
        "\"deactivate\"",
        "Users in scope whose password is being reset.",
    )
    .or("\"keep\""),
    key(
        "password_expired",
        &At(ON_LEAVE, |draft| &mut draft.statuses.password_expired),
        "\"deactivate\"",
        "Users in scope whose password is expired.",
    )
    .or("\"keep\""),
    key(
        "locked_out",
        &At(ON_LEAVE, |draft| &mut draft.statuses.locked_out),
        "\"deactivate\"",
        "Users in scope who are locked out after too many wrong passwords.",
    )
    .or("\"keep\""),
    key(
        "create",
        &At(CREATE, |draft| &mut draft.prepares),
        "\"inactive\"",
        "\"inactive\" makes an account that is inactive at once for users in scope who are staged in Okta and have none; it \
         becomes active when Okta activates the user. The server sends the welcome e-mail when the account is made. \"active\" \
         makes accounts only for users who have access.",
    )
    .or("\"active\""),
    key(
        "grace",
        &At(GRACES, |draft| &mut draft.policy.graces),
        "{ suspended = \"7d\", unassigned = \"30d\", locked_out = \"1d\" }",
        "The least time between the first apply that found a user without access for this reason and the deactivation, by the \
         names of the keys above. Until then nothing of the account changes, and the plan shows it as deferred. The time of a \
         status counts again where the status changes.",
    )
    .absent("none for what Okta states, deactivate_after for users who are out of scope or deleted"),
    key(
        "remove_memberships_on_deactivate",
        &At(FLAG, |draft| &mut draft.policy.remove_memberships),
        "true",
        "Removes a user whose account is deactivated from all projects that are linked to Okta groups. The project roles are \
         recorded, so that a user who comes back gets the memberships that Okta gives, with these roles.",
    )
    .or("false"),
    key(
        "delete_inactive_after",
        &At(AGE, |draft| &mut draft.policy.delete_inactive_after),
        "\"90d\"",
        "Deletes accounts that every apply has found inactive for this time and whose users are out of scope, deactivated or \
         deleted in Okta; never the owner's, a protected or an ADMIN account. `oktapieces plan` lists each with what goes with \
         it, and only `oktapieces apply --allow-account-deletions N` with the exact number deletes anything. A deletion can't be \
         undone.",
    )
    .absent("no account is deleted"),
    key(
        "deactivate_after_runs",
        &At(RUNS, |draft| &mut draft.policy.grace.runs),
        "3",
        "A grace period for users who are out of scope or deleted in Okta: so many applies in a row have to miss a user before \
         the account is deactivated. Until then the deactivation is shown as deferred. Users who are suspended or \
         deactivated in Okta have no grace period.",
    )
    .or("1"),
    key(
        "deactivate_after",
        &At(TIME, |draft| &mut draft.policy.grace.time),
        "\"24h\"",
        "The least time (\"90m\", \"24h\", \"2d\") between the first apply that missed the user and the deactivation.",
    )
    .or("\"0h\""),
    key(
        "email_change",
        &At(EMAIL_CHANGE, |draft| &mut draft.policy.email_change),
        "\"recreate\"",
        "Users whose e-mail address changes in Okta. Activepieces can't change the address of an account: \"report\" makes \
         it a problem of the plan; \"recreate\" gives the user the account of the new address, copies memberships and project \
         roles, and closes the old account (docs/changed-addresses.md).",
    )
    .or("\"report\""),
];

const SAFETY: &[Key] = &[
    key(
        "max_deactivations",
        &At(LIMIT, |draft| &mut draft.policy.limits.deactivations),
        "5",
        "Deactivations. A share is of the active users that Okta manages.",
    )
    .or("\"10%\"")
    .common(),
    key(
        "max_role_downgrades",
        &At(LIMIT, |draft| &mut draft.policy.limits.role_downgrades),
        "2",
        "Users who lose ADMIN or OPERATOR for a lesser role. A share is of the managed active users with these roles, and \
         always allows one.",
    )
    .or("\"50%\""),
    key(
        "max_role_or_email_changes",
        &At(LIMIT, |draft| &mut draft.policy.limits.role_or_email_changes),
        "\"20%\"",
        "Users whose role or e-mail address changes, in any direction; a wrong expression shows here. A share is of the \
         managed active users.",
    )
    .or("\"50%\""),
    key(
        "max_members_removed",
        &At(LIMIT, |draft| &mut draft.policy.limits.members_removed),
        "\"20%\"",
        "Members removed from any one project. A share is of the project's members, and also holds for all projects together.",
    )
    .or("\"50%\""),
    key(
        "max_project_role_changes",
        &At(LIMIT, |draft| &mut draft.policy.limits.project_role_changes),
        "\"20%\"",
        "Members of any one project whose project role changes, in any direction; a wrong expression shows here. A share is of the \
         project's members, and also holds for all projects together.",
    )
    .or("\"50%\""),
    key(
        "max_creations",
        &At(LIMIT, |draft| &mut draft.policy.limits.creations),
        "200",
        "New users. A share is of the managed active users. This limit, max_role_downgrades, max_role_or_email_changes, \
         max_members_removed and max_project_role_changes start with the second run, after one run has synced the platform.",
    )
    .or("\"100%\""),
    key(
        "max_new_admins",
        &At(LIMIT, |draft| &mut draft.policy.limits.new_admins),
        "2",
        "Users who become ADMIN in any way: a new account, a changed role, restored access, or the account of another user. \
         The default starts with the second run; a number in this file counts from the first.",
    )
    .absent("5, from the second run on"),
    key(
        "max_recreations",
        &At(LIMIT, |draft| &mut draft.policy.limits.recreations),
        "20",
        "Accounts that `email_change = \"recreate\"` replaces; the personal project of each stays behind. A share is of the \
         managed active users. It counts from the first run on.",
    )
    .or("5"),
    key(
        "max_shrink",
        &At(LIMIT, |draft| &mut draft.policy.limits.shrink),
        "\"20%\"",
        "How much smaller than the last time Okta's answer may be: users in scope, or the members of one pushed group. If it \
         is smaller the source is not trusted: users are created and updated, and nothing is removed until \
         `oktapieces apply --trust-source` confirms the answer.",
    )
    .or("\"50%\""),
    key(
        "size_floor",
        &At(COUNT, |draft| &mut draft.policy.limits.size_floor),
        "50",
        "A share of fewer users than this is not checked, because two of three users say little. Deactivations are checked \
         in any company by default, because a wrong one locks a user out.",
    )
    .absent("20, and 0 for deactivations"),
    key(
        "protect",
        &At(ADDRESSES, |draft| &mut draft.policy.protect),
        "[\"owner@example.com\"]",
        "Accounts that are never deactivated and never lose ADMIN, by the e-mail addresses that they sign in with.",
    ),
    key(
        "invitations",
        &At(ON_INVITATION, |draft| &mut draft.policy.invitations),
        "\"report\"",
        "Accepted invitations that wait on the platform for users that Okta knows, and that may raise their roles later. \
         \"report\" reads them by two requests and makes each that gives another role than Okta a problem of the plan; \
         \"revoke\" deletes these instead (docs/invitations.md).",
    )
    .or("\"ignore\""),
];

const ACCEPTED: &[Key] = &[
    key(
        "kind",
        &At(PROBLEM, |draft| &mut draft.acceptance.kind),
        "\"email_changed\"",
        "The kind of the problem, as `oktapieces plan --json` names it.",
    )
    .required(),
    key(
        "who",
        &At(TEXT, |draft| &mut draft.acceptance.who),
        "\"ada@example.com\"",
        "The subject of the problem: a user name, a login or a project's name.",
    )
    .required(),
    key(
        "until",
        &At(DATE, |draft| &mut draft.acceptance.until),
        "2027-01-31",
        "The last day on which it is accepted, in UTC.",
    )
    .absent("no end"),
    key(
        "why",
        &At(TEXT, |draft| &mut draft.acceptance.why),
        "\"the new account is made in January\"",
        "The reason, for people who read this later.",
    )
    .required(),
];

const MONITORING: &[Key] = &[
    key(
        "metrics_file",
        &At(OUT_FILE, |draft| &mut draft.monitoring.metrics_file),
        "\"/var/lib/node_exporter/textfile_collector/oktapieces.prom\"",
        "The file that each plan, apply and undo replaces with its metrics, in the text format of Prometheus. All users of the \
         machine may read it; it names no user.",
    ),
    key(
        "webhook_url_env",
        &At(ANY_TEXT, |draft| &mut draft.monitoring.webhook.env),
        "\"ALERTS_WEBHOOK_URL\"",
        "The environment variable that holds the address that is told of runs by POST. Name only one of webhook_url_env, \
         webhook_url_file and webhook_url_command. The address has to be https, except on this machine.",
    ).one_of("webhook"),
    key(
        "webhook_url_file",
        &At(ANY_TEXT, |draft| &mut draft.monitoring.webhook.file),
        "\"/etc/oktapieces/webhook-url\"",
        "A file that holds the address and nothing else.",
    ).one_of("webhook"),
    key(
        "webhook_url_command",
        &At(TEXTS, |draft| &mut draft.monitoring.webhook.command),
        "[\"op\", \"read\", \"op://it/alerts/webhook\"]",
        "A program that prints the address, and its arguments. It runs without a shell.",
    ).one_of("webhook"),
    key(
        "webhook_format",
        &At(WEBHOOK_FORMAT, |draft| &mut draft.monitoring.webhook_format),
        "\"slack\"",
        "What the webhook gets: \"json\" for an object with all numbers of the run, \"slack\" for a message as Slack and its like \
         take it.",
    )
    .or("\"json\""),
    key(
        "webhook_on",
        &At(WEBHOOK_ON, |draft| &mut draft.monitoring.webhook_on),
        "[\"failure\", \"change\"]",
        "Which runs the webhook hears of: \"failure\" when a run failed, was refused or left something undone that was planned, \
         \"change\" when it changed something or found something to change, \"news\" when it would say a line under --quiet.",
    )
    .or("[\"news\"]"),
    key(
        "heartbeat_url_env",
        &At(ANY_TEXT, |draft| &mut draft.monitoring.heartbeat.env),
        "\"HEARTBEAT_URL\"",
        "The environment variable that holds an address that is fetched after each apply that did all that was planned, for a \
         service that raises an alarm when it isn't. Name only one of heartbeat_url_env, heartbeat_url_file and \
         heartbeat_url_command.",
    ).one_of("heartbeat"),
    key(
        "heartbeat_url_file",
        &At(ANY_TEXT, |draft| &mut draft.monitoring.heartbeat.file),
        "\"/etc/oktapieces/heartbeat-url\"",
        "A file that holds the address and nothing else.",
    ).one_of("heartbeat"),
    key(
        "heartbeat_url_command",
        &At(TEXTS, |draft| &mut draft.monitoring.heartbeat.command),
        "[\"op\", \"read\", \"op://it/alerts/heartbeat\"]",
        "A program that prints the address, and its arguments. It runs without a shell.",
    ).one_of("heartbeat"),
    key(
        "command_env",
        &At(TEXTS, |draft| &mut draft.monitoring.command_env),
        "[\"OP_SERVICE_ACCOUNT_TOKEN\"]",
        "The environment variables that both commands get in addition to PATH, HOME and the like (docs/access.md).",
    ),
    key(
        "ca_file",
        &At(CA_FILE, |draft| &mut draft.monitoring.ca_file),
        "\"company-ca.pem\"",
        "A file with CA certificates in PEM that are trusted in addition to the system's.",
    ),
    key(
        "allow_shared_secret_file",
        &At(FLAG, |draft| &mut draft.monitoring.allow_shared),
        "true",
        "Accepts a file with an address that other users of the machine can read.",
    )
    .or("false"),
];

/// The first section that has a key of this name.
pub(super) fn section_of(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.keys.iter().any(|key| key.name == name))
}

/// The candidate that was probably meant, and its distance; case, `-` and `_` don't count.
pub(super) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<(&'a str, usize)> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    let name = plain(name);
    let distances = candidates.iter().map(|known| (*known, strsim::damerau_levenshtein(&name, &plain(known))));
    distances.min_by_key(|(_, distance)| *distance).filter(|(_, distance)| *distance <= (name.len() / 3).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_found_whatever_its_spelling() {
        let known = ["org_url", "token_env", "token_file"];
        assert_eq!(nearest("orgUrl", &known), Some(("org_url", 0)));
        assert_eq!(nearest("org-ulr", &known), Some(("org_url", 1)));
        assert_eq!(nearest("token_fil", &known), Some(("token_file", 1)));
        assert_eq!(nearest("client_id", &known), None);
    }
}
