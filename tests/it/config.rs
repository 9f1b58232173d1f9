//! The config file as an admin meets it: the example that ships with the tool, defaults, and pictures of mistakes.

use std::path::{Path, PathBuf};

use oktapieces::config::{self, OktaAccess, SecretSource, Settings};
use oktapieces::error::Kind;
use oktapieces::mapping::projects::Selector;
use oktapieces::plan::Policy;
use oktapieces::plan::policy::{EmailChange, Limit, Limits, OnInvitation, OnLeave};
use proptest::prelude::*;
use proptest::sample::Index;

/// A config file that says no more than it must.
const LEAST: &str = r#"
[okta]
org_url = "https://example.okta.com"
[activepieces]
url = "https://ap.example.com"
[scope]
everyone = true
"#;

const TOKEN: &str = "00aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789-_AB";

fn parse(text: &str) -> Settings {
    config::parse(text, "config.toml").unwrap_or_else(|error| panic!("{error}"))
}

/// The pictures of a wrong config file.
fn pictures(text: &str) -> String {
    let error = config::parse(text, "config.toml").expect_err("the file is wrong");
    assert_eq!(error.kind, Kind::Config);
    error.to_string()
}

/// Those of a file with everything that is needed, and some lines more.
fn faults_of(more: &str) -> String {
    pictures(&format!("{LEAST}{more}"))
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml")
}

#[test]
fn the_example_is_valid() {
    let settings = parse(&std::fs::read_to_string(example()).unwrap());
    assert_eq!(settings.warnings, Vec::<String>::new());
    assert_eq!(settings.scope.app.as_deref(), Some("Activepieces"));
    assert_eq!(settings.projects.len(), 1);
}

#[test]
fn the_example_is_valid_with_every_optional_key() {
    let text = std::fs::read_to_string(example()).unwrap();
    let key = regex::Regex::new(r"(?m)^# (\w+ = .*|\[\[(projects|accepted|target)\]\])$").unwrap();
    let text = key.replace_all(&text, "$1");
    // A secret has one source, so the alternatives to the first one stay out.
    let other = regex::Regex::new(r"(?m)^(token|api_key|webhook_url|heartbeat_url)_(file|command) = .*$").unwrap();
    assert_eq!(other.find_iter(&text).count(), 8);
    let app = regex::Regex::new(r"(?m)^(client_id|key_id|key_file|scopes) = .*$").unwrap();
    assert_eq!(app.find_iter(&text).count(), 4);
    let text = other.replace_all(&text, "");
    // So has an entry one way to name its groups and its projects.
    let other = regex::Regex::new(r#"(?m)^(groups = \["Sales|project = ).*$"#).unwrap();
    assert_eq!(other.find_iter(&text).count(), 2);
    let text = other.replace_all(&text, "");
    let settings = parse(&app.replace_all(&text, ""));
    let service_app = parse(&text.replace("token_env = ", "# "));
    assert!(matches!(service_app.okta.access, OktaAccess::ServiceApp(_)));
    assert_eq!(settings.projects.len(), 2);
    assert_eq!(settings.policy.accepted.len(), 1);
    assert!(settings.mapping.platform_role.is_some());
    assert!(settings.policy.protect.contains("owner@example.com"));
}

#[test]
fn the_example_names_every_key() {
    let text = std::fs::read_to_string(example()).unwrap();
    let unknown = faults_of(
        "[a]\n[okta.b]\n[activepieces.b]\n[scope.b]\n[attributes.b]\n[projects_policy.b]\n[lifecycle.b]\n[safety.b]\n[[projects]]\nb=1\n[[accepted]]\nb=1",
    );
    let lists = unknown.lines().filter_map(|line| line.split_once("the known names are: ")).collect::<Vec<_>>();
    assert_eq!(lists.len(), 10, "{unknown}");
    for key in lists.iter().flat_map(|(_, keys)| keys.split(", ")) {
        let named = [format!("{key} = "), format!("[{key}]")].iter().any(|name| text.contains(name.as_str()));
        assert!(named, "{key} is missing in the example");
    }
}

#[test]
fn a_service_app_is_named_whole_and_without_a_token() {
    let with = |keys: &str| LEAST.replace("[activepieces]", &format!("{keys}\n[activepieces]"));
    let whole = "client_id = 'c'\nkey_id = 'k'\nkey_file = 'f'\n";
    assert!(matches!(parse(&with(whole)).okta.access, OktaAccess::ServiceApp(_)));
    let both = pictures(&with(&format!("{whole}token_file = 't'")));
    assert!(both.contains("not both") && both.contains("this is the API token"), "{both}");
    let half = pictures(&with("client_id = 'c'"));
    assert!(half.contains("needs `key_id` too") && half.contains("needs `key_file` too"), "{half}");
    let writing = pictures(&with(&format!("{whole}scopes = ['okta.users.read', 'okta.users.manage']")));
    assert!(writing.contains("`okta.users.manage` is not a read-only scope"), "{writing}");
    let none = pictures(&with(&format!("{whole}scopes = []")));
    assert!(none.contains("names no scope"), "{none}");
}

#[test]
fn defaults_are_those_of_the_manual() {
    let settings = parse(LEAST);
    let source = |mapped: &oktapieces::mapping::attributes::Mapped| {
        assert_eq!(mapped.source.location(), None);
        mapped.expression.source().to_owned()
    };
    let mapping = &settings.mapping;
    assert_eq!(source(&mapping.user_name), "user.email");
    assert_eq!(source(&mapping.given_name), "user.firstName");
    assert_eq!(source(&mapping.family_name), "user.lastName");
    assert_eq!(source(&mapping.email), "user.email");
    assert_eq!(source(&mapping.display_name), "user.displayName");
    assert!(mapping.platform_role.is_none());
    assert_eq!(settings.okta.access, OktaAccess::ApiToken(SecretSource::Env("OKTA_API_TOKEN".to_owned())));
    assert_eq!(settings.activepieces.api_key, SecretSource::Env("ACTIVEPIECES_API_KEY".to_owned()));
    assert!((settings.okta.rate_limit_share - 0.8).abs() < f64::EPSILON);
    assert_eq!(settings.policy, Policy::default());
    assert_eq!((settings.policy.suspended, settings.policy.unassigned), (OnLeave::Deactivate, OnLeave::Deactivate));
    assert_eq!(settings.policy.limits.deactivations, Limit::Percent(10.0));
    assert!(settings.projects.is_empty() && settings.warnings.is_empty());
}

#[test]
fn what_is_written_is_what_counts() {
    let settings = parse(
        r#"[okta]
org_url = "acme-admin.okta.com"
token_command = ["op", "read", "x"]
rate_limit_share = 0.5
[activepieces]
url = "http://127.0.0.1:8080/api/v1/scim/v2/"
api_key_file = "key"
[scope]
app = "Activepieces"
groups = ["Engineering", "Sales"]
search = 'profile.department eq "IT"'
[attributes]
platformRole = '"ADMIN"'
[[projects]]
group = "Engineering"
[[projects]]
match = '^AP (?<team>.+)$'
name = "${team} $1 $$"
[lifecycle]
suspended = "keep"
[safety]
max_deactivations = 3
protect = [" Owner@Example.com "]
"#,
    );
    assert_eq!(settings.okta.org_url.as_str(), "https://acme.okta.com/");
    assert_eq!(
        settings.warnings,
        [
            "config.toml:2: `acme-admin.okta.com` is the admin console; the org is at `https://acme.okta.com/`, which is used instead"
        ]
    );
    assert_eq!(format!("{:?}", settings.okta.access), "ApiToken(command `op`)");
    assert_eq!(settings.activepieces.url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(settings.scope.groups, ["Engineering", "Sales"]);
    assert_eq!(settings.mapping.platform_role.unwrap().source.location().as_deref(), Some("config.toml:13"));
    let [first, second] = settings.projects.as_slice() else { panic!("{:?}", settings.projects) };
    assert_eq!(first.selector.names(), ["Engineering"]);
    assert_eq!((first.name.as_deref(), first.location.as_deref()), (None, Some("config.toml:15")));
    assert!(matches!(&second.selector, Selector::Match(filter) if filter.pattern.is_match("AP Red")));
    assert_eq!((second.name.as_deref(), second.location.as_deref()), (Some("${team} $1 $$"), Some("config.toml:17")));
    assert_eq!((settings.policy.suspended, settings.policy.unassigned), (OnLeave::Keep, OnLeave::Deactivate));
    assert_eq!(settings.policy.limits, Limits { deactivations: Limit::Count(3), ..Limits::default() });
    assert!(settings.policy.protect.contains("owner@example.com"));
}

#[test]
fn every_limit_and_the_grace_are_what_is_written() {
    let settings = parse(&format!(
        "{LEAST}{}",
        r#"
[lifecycle]
deactivate_after_runs = 3
deactivate_after = "1d 12h"
email_change = "recreate"
[projects_policy]
delete_unpushed = true
[safety]
max_deactivations = 3
max_role_downgrades = 4
max_role_or_email_changes = "5%"
max_members_removed = 6
max_project_role_changes = 12
max_creations = "7.5%"
max_recreations = "11%"
max_shrink = 8
size_floor = 9
invitations = "revoke"
"#
    ));
    let limits = Limits {
        new_admins: None,
        deactivations: Limit::Count(3),
        role_downgrades: Limit::Count(4),
        role_or_email_changes: Limit::Percent(5.0),
        members_removed: Limit::Count(6),
        project_role_changes: Limit::Count(12),
        creations: Limit::Percent(7.5),
        recreations: Limit::Percent(11.0),
        shrink: Limit::Count(8),
        size_floor: Some(9),
    };
    assert_eq!(settings.policy.limits, limits);
    assert_eq!((settings.policy.grace.runs, settings.policy.grace.time.as_hours()), (3, 36));
    assert!(settings.policy.delete_unpushed);
    assert_eq!(settings.policy.email_change, EmailChange::Recreate);
    assert_eq!(settings.policy.invitations, OnInvitation::Revoke);
}

#[test]
fn all_mistakes_are_shown_at_once() {
    let text = r#"[okta]
orgUrl = "https://example.okta.com"
token_env = "OKTA_API_TOKEN"
token_file = "token"
[activepieces]
url = "http://ap.example.com"
[scope]
groups = "Engineering"
[attribute]
userName = "user.email"
[[projects]]
match = '^AP Team (.+$'
[[projects]]
group = "Engineering"
name = "$1"
[lifecycle]
suspended = "delete"
max_deactivations = 5
[safety]
max_deactivations = "10"
protect = ["owner"]
"#;
    insta::assert_snapshot!(pictures(text));
}

#[test]
fn what_is_missing_is_named() {
    insta::assert_snapshot!(pictures("[okta]\n[scope]\neveryone = false\n[[projects]]\n"), @r#"
        config.toml has 4 mistakes

        error: `org_url` is missing in [okta]
         --> config.toml:1:1
          |
        1 | [okta]
          | ^^^^^^
          |
          = help: add `org_url = "https://example.okta.com"`

        error: no users are in scope
         --> config.toml:2:1
          |
        2 | [scope]
          | ^^^^^^^
          |
          = help: name users in [scope] by at least one of `app`, `groups`, `search`, or `everyone = true`

        error: this entry selects no group
         --> config.toml:4:1
          |
        4 | [[projects]]
          | ^^^^^^^^^^^^
          |
          = help: add `group = "..."` for one group, or `match = '...'` for all groups of a pattern

        error: `url` is missing in [activepieces]
        --> config.toml
         = help: add `url = "https://activepieces.example.com"`
        "#);
}

#[test]
fn text_that_is_no_toml_is_shown() {
    insta::assert_snapshot!(pictures("[okta]\norg_url = https://example.okta.com\ntoken_env = \"X\n\n[scope]\neveryone = yes\n[scope]\napp = [\n"), @r#"
        config.toml has 5 mistakes

        error: string values must be quoted, expected literal string
         --> config.toml:2:11
          |
        2 | org_url = https://example.okta.com
          |           ^^^^^^^^^^^^^^^^^^^^^^^^

        error: invalid basic string, expected `"`
         --> config.toml:3:15
          |
        3 | token_env = "X
          |               ^

        error: string values must be quoted, expected literal string
         --> config.toml:6:12
          |
        6 | everyone = yes
          |            ^^^

        error: duplicate key
         --> config.toml:7:2
          |
        7 | [scope]
          |  ^^^^^

        error: unclosed array, expected `]`
         --> config.toml:8:8
          |
        8 | app = [
          |        ^
        "#);
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_shown() {
    let text = format!("{LEAST}[safety]\nprotect = []\n[okta.x]\n")
        .replace("[activepieces]", "token = \"s3cret\"\n[activepieces]");
    insta::assert_snapshot!(pictures(&text), @r#"
        config.toml has 2 mistakes

        error: a secret doesn't belong in this file
         --> config.toml:4:1
          |
        4 | token = "******"
          | ^^^^^ its value isn't shown here
          |
          = help: name the place that it comes from: `token_env = "OKTA_API_TOKEN"` (or `token_file`, `token_command`)

        error: unknown key `x` in [okta]
          --> config.toml:11:7
           |
        11 | [okta.x]
           |       ^
           |
           = help: the known names are: org_url, token_env, token_file, token_command, command_env, client_id, key_id, key_file, scopes, ca_file, allow_shared_secret_file, rate_limit_share, allow_insecure
        "#);
}

#[test]
fn no_picture_ever_shows_a_secret() {
    for text in [
        format!("[okta]\ntoken = \"{TOKEN}\""),
        format!("[okta]\ntoken = {TOKEN}"),
        format!("[okta]\ntoken_env = \"{TOKEN}\""),
        format!("[okta]\ntoken_env = [\"{TOKEN}\"]"),
        format!("[okta]\ntoken_file = \"{TOKEN}\""),
        format!("[okta]\norg_url = 1 # {TOKEN}"),
        "[okta]\ntoken = \"\"\"\ns3cret\n\"\"\"".to_owned(),
        "[okta]\ntoken = \"\"\"\ns3cret\nx".to_owned(),
        "[okta]\ntoken = '''s3cret\ns3cret ''' x".to_owned(),
        "[okta]\napiToken = 's3cret'".to_owned(),
        "[okta]\ntok = 's3cret'".to_owned(),
        "token = 's3cret'".to_owned(),
        "[activepieces]\napi_key = s3cret".to_owned(),
        "[activepieces]\napi_key = { value = 's3cret' }".to_owned(),
        "[activepieces]\napi_key_env = 'sk-s3cret'".to_owned(),
        "activepieces = { url = 1, api_key = 's3cret' }".to_owned(),
        "okta = 's3cret'".to_owned(),
        "[okta.token]\nvalue = 's3cret'\nx.y = 's3cret'".to_owned(),
        "[okta]\ntok = [{ x = 's3cret' }]".to_owned(),
        "[okta]\norg_url = 'https://admin:s3cret@example.okta.com'".to_owned(),
    ] {
        let error = config::parse(&text, "config.toml").unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.cause);
        assert!(!shown.contains(TOKEN) && !shown.contains("s3cret"), "{text}\n{shown}");
    }
}

#[test]
fn settings_show_no_arguments_of_commands() {
    let text = LEAST.replace("[activepieces]", "token_command = [\"curl\", \"-H\", \"X: s3cret\"]\n[activepieces]");
    assert!(!format!("{:?}", parse(&text)).contains("s3cret"));
}

#[test]
fn no_command_is_given_the_secret_of_the_other_server() {
    let named = |okta: &str, activepieces: &str| {
        pictures(&LEAST.replace("[activepieces]", &format!("{okta}\n[activepieces]\n{activepieces}")))
    };
    let okta = "token_command = ['x']\ncommand_env = ['VAULT_ADDR', 'ACTIVEPIECES_API_KEY']";
    assert!(named(okta, "").contains("`ACTIVEPIECES_API_KEY` holds another secret"));
    let okta = "token_command = ['x']\ncommand_env = ['MY_KEY']";
    assert!(named(okta, "api_key_env = 'MY_KEY'").contains("`MY_KEY` holds another secret"));
    let activepieces = "api_key_command = ['x']\ncommand_env = ['OKTA_API_TOKEN']";
    assert!(named("", activepieces).contains("`OKTA_API_TOKEN` holds another secret"));
    let wrong = named("token_command = ['x']\ncommand_env = ['A=b']", "");
    assert!(wrong.contains("this is not the name of an environment variable"), "{wrong}");
}

#[test]
fn an_accepted_problem_has_a_last_day_with_or_without_quotes() {
    for until in ["2027-01-31", "'2027-01-31'"] {
        let more = format!("[[accepted]]\nkind = 'not_linked'\nwho = 'Ada@x.io'\nwhy = 'known'\nuntil = {until}\n");
        let [accepted] = &*parse(&format!("{LEAST}{more}")).policy.accepted else { panic!("one entry") };
        assert_eq!(accepted.until, Some(jiff::civil::date(2027, 1, 31)));
        assert_eq!(accepted.location.as_deref(), Some("config.toml:10"));
    }
}

#[cfg(unix)]
#[test]
fn a_config_that_others_can_write_or_that_is_no_file_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, LEAST).unwrap();
    let load = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        config::load(&path, false)
    };
    assert_eq!(load(0o644).unwrap()[0].warnings, Vec::<String>::new());
    let warnings = load(0o664).unwrap().swap_remove(0).warnings;
    assert!(warnings[0].contains("config.toml") && warnings[0].contains("chmod g-w"), "{warnings:?}");
    for mode in [0o606, 0o666] {
        let error = load(mode).unwrap_err();
        assert_eq!(error.kind, Kind::Config);
        assert!(error.to_string().contains("can be written by other users"), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(config::load(&path, false).unwrap_err().to_string().ends_with("is a pipe, not a plain file"));
    assert!(config::load(folder.path(), false).unwrap_err().to_string().ends_with("is a folder, not a plain file"));
}

#[test]
fn a_file_of_nothing_but_mistakes_is_a_screen_of_text() {
    let keys = (0..20_000).map(|number| format!("k{number} = 'v{number}'\n")).collect::<Vec<_>>().concat();
    let shown = pictures(&LEAST.replace("[okta]\n", &format!("[okta]\n{keys}")));
    assert!(shown.starts_with("config.toml has 20000 mistakes\n") && shown.len() < 20_000, "{}", shown.len());
    assert!(!shown.contains("'v1'"), "what may be a secret isn't shown");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "=\n".repeat(300_000)).unwrap();
    assert!(config::load(&path, false).unwrap_err().to_string().contains("is larger than"));
}

#[test]
fn a_wrong_value_says_what_would_be_right() {
    for (more, message, help) in [
        ("[attributes]\nuserName = 5", "`userName` must be a string", "write it in quotes"),
        ("[attributes]\nusername = 'x'", "unknown key `username` in [attributes]", "did you mean `userName`?"),
        ("[attributes]\nplatformRole = 'ADMIN'", "`ADMIN` is not an expression", r#"'"ADMIN"'"#),
        ("[attributes]\nemail = ' '", "this is empty", "leave the key out"),
        ("[safety]\nprotect = [1]", "`protect` must be a list of strings", "write it in quotes"),
        ("[safety]\norg_url = 'x'", "unknown key `org_url` in [safety]", "`org_url` belongs in [okta]"),
        ("[safety]\nmax_deactivations = true", "a number or a share", "this is true or false"),
        ("[safety]\nmax_deactivations = 99999999999999999999", "a number or a share", "this is too large a number"),
        ("[projects]\ngroup = 'x'", "`projects` must be a list of tables", "write `[[projects]]` above each entry"),
        ("[[projects]]\ngroup = 'x'\nmatch = 'x'", "`group` or `match`, not both", "write two [[projects]] entries"),
        ("[[projects]]\ngroup = 'x'\n[[projects]]\ngroup = 'x'", "`x` is named twice", "keep one"),
        ("[[projects]]\nmatch = '(.)'\nname = '$1a'", "the pattern has no group `1a`", "write `${1}a`"),
        ("[[projects]]\nmatch = '(.)'\nname = '$2'", "the pattern has no group `2`", "use one of `$1`"),
        ("[[projects]]\nmatch = '.'\nname = '${a}'", "the pattern has no group `a`", "parentheses"),
        ("[[projects]]\ngroups = ['x', 'y']", "make one project together, which isn't named", "add `project = "),
        ("[[projects]]\ngroups = []\nproject = 'p'", "this names no group", "name at least one"),
        ("[[projects]]\ngroup = 'x'\n[[projects]]\ngroups = ['x']\nproject = 'p'", "`x` is named twice", "also"),
        (
            "[[projects]]\ngroup = 'x'\nproject = 'p'\nname = 'n'",
            "`project` or `name`, not both",
            "each group's own project",
        ),
        ("[[projects]]\nmatch = '(.)'\nproject = '$1'", "one project for all groups", "write `name` instead"),
        ("[[projects]]\ngroup = 'x'\ngroup_push = 'from_okta'", "`group` or `group_push`, not both", "write two"),
        ("[[projects]]\ngroup_push = 'okta'", "`okta` is not a choice", "write \"from_okta\""),
        ("[[projects]]\ngroup = 'x'\nexclude = ['y']", "the entry names its groups", "use `match` instead"),
        ("[[projects]]\nmatch = 'x'\ntype = 'BUILT_IN'", "`BUILT_IN` is not a type of groups", "\"OKTA_GROUP\""),
        ("[[projects]]\nmatch = 'x'\nexclude_match = '('", "invalid regular expression", "unclosed group"),
        ("[[projects]]\ngroup = 'x'\nalso = 'Prod 1'", "can't be the name of a further project", "\"prod\""),
        (
            "[[projects]]\ngroup = 'x'\nproject = 'p'\nrole = 'QA'\n[[projects]]\ngroup = 'y'\nproject = 'p'\nrole = 'Viewer'",
            "whether `QA` is higher than the other roles",
            "`role_order` under [projects_policy]",
        ),
        (
            "[[projects]]\ngroup = 'x'\nproject = 'p'\nrole = 'Editor'\n[[projects]]\ngroup = 'y'\nproject = 'p'\nrole = 'Viewer'\nroles_managed = 'on_add'",
            "entries of one project have the same `roles_managed`",
            "the same in both entries",
        ),
        ("[safety]\nsize_floor = '10%'", "this is not a number of users", "such as 20"),
        ("[safety]\nmax_shrink = '130%'", "this is not a limit", "\"100%\""),
        ("[lifecycle]\ndeactivate_after = '24'", "this is not a length of time", "\"24h\""),
        ("[lifecycle]\ndeactivate_after = '-1h'", "this is not a length of time", "\"24h\""),
        ("[lifecycle]\ndeactivate_after_runs = 0", "this is not a number of runs", "from 1 on"),
        ("[projects_policy]\ndelete_unpushed = 'yes'", "`delete_unpushed` must be true or false", "without quotes"),
        ("[[accepted]]\nkind = 'x'\nwho = 'a'\nwhy = 'b'", "`x` is not a kind of problem", "`email_changed`"),
        ("[[accepted]]\nkind = 'not_linked'\nwhy = 'b'", "`who` is missing in [[accepted]]", "add `who = "),
        ("[[accepted]]\nkind = 'not_linked'\nwho = 'a'\nwhy = ' '", "this is empty", "write something"),
        ("[[accepted]]\nkind = 'not_linked'\nwho = 'a'\nwhy = 'b'\nuntil = 'soon'", "this is not a date", "2027-01-31"),
        ("[[accepted]]\nkind = 'not_linked'\nwho = 'a'\nwhy = 'b'\nuntil = 1", "`until` must be a date", "2027-01-31"),
        ("[lifecycle]\nunassigned = 'Keep'", "`Keep` is not a choice", "\"deactivate\" or \"keep\""),
    ] {
        let shown = faults_of(more);
        assert!(shown.starts_with("config.toml has a mistake\n"), "{shown}");
        assert!(shown.contains(message) && shown.contains(help), "{shown}");
    }
}

#[test]
fn the_groups_that_okta_pushes_are_those_of_an_app() {
    let parsed = |scope: &str| {
        let text = LEAST.replace("everyone = true", scope);
        config::parse(&format!("{text}[[projects]]\ngroup_push = 'from_okta'\n"), "config.toml")
    };
    assert!(parsed("app = 'Activepieces'").is_ok());
    let shown = parsed("everyone = true").unwrap_err().to_string();
    assert!(shown.contains("[scope] names no app") && shown.contains("add `app = "), "{shown}");
}

#[test]
fn a_name_without_reference_under_a_pattern_is_a_warning() {
    let settings = parse(&format!("{LEAST}[[projects]]\nmatch = '^AP '\nname = 'Team'\n"));
    assert_eq!(
        settings.warnings,
        ["config.toml:10: every group that matches gets the same project name; `$1` is the pattern's first group"]
    );
}

#[test]
fn a_file_is_named_as_it_was_given_and_its_paths_start_at_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sync.toml");
    std::fs::write(&path, LEAST.replace("[activepieces]", "token_file = \"secrets/okta\"\n[activepieces]")).unwrap();
    let settings = config::load(&path, false).unwrap().swap_remove(0);
    let expected = SecretSource::File { path: folder.path().join("secrets/okta"), allow_shared: false };
    assert_eq!(settings.okta.access, OktaAccess::ApiToken(expected));

    std::fs::write(&path, "[okta]\n").unwrap();
    assert!(config::load(&path, false).unwrap_err().to_string().contains(&format!("--> {}:1:", path.display())));
}

#[test]
fn a_file_that_can_not_be_read_says_what_to_do() {
    let error = config::load(Path::new("nowhere/config.toml"), false).unwrap_err();
    assert_eq!(error.kind, Kind::Config);
    assert_eq!(error.to_string(), "there is no config file `nowhere/config.toml`");
    assert!(error.hints.iter().any(|hint| hint.contains("oktapieces init")));
    assert!(error.hints.iter().any(|hint| hint.contains("oktapieces sandbox")));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, b"a = 1\nb = '\xff'\n").unwrap();
    assert!(config::load(&path, false).unwrap_err().to_string().contains("line 2"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        from in any::<Index>(),
        length in 0..40_usize,
        piece in "(\\[|\\]|=|'|\"|\"\"\"|\\\\|\\{|\\}|\n|\r|#|,|\\$|é|\u{1b}|[a-z0-9]){0,4}",
    ) {
        let mut text = std::fs::read_to_string(example()).unwrap();
        let start = from.index(text.len());
        text.replace_range(start..(start + length).min(text.len()), &piece);
        if let Err(error) = config::parse(&text, "config.toml") {
            prop_assert_eq!(error.kind, Kind::Config);
            prop_assert!(error.to_string().chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
