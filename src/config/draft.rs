//! The values of a config's keys, before the checks that need several keys at once.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use jiff::civil::Date;
use toml::Spanned;

use super::monitoring::{WebhookFormat, WebhookOn};
use super::types::{Create, GroupRole, RolesManaged, Text};
use crate::model::desired::Leave;
use crate::model::problem::ProblemKind;
use crate::plan::Policy;
use crate::plan::policy::OnLeave;

/// A whole config.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The name of the `[[target]]` entry.
    pub(super) target: Option<Text>,
    pub(super) okta: ServerKeys,
    pub(super) app: App,
    pub(super) rate_limit_share: f64,
    pub(super) activepieces: ServerKeys,
    pub(super) scope: Scope,
    pub(super) attributes: Attributes,
    pub(super) projects: Vec<Project>,
    /// `role_order`
    pub(super) role_order: Option<Spanned<Vec<Text>>>,
    pub(super) policy: Policy,
    pub(super) statuses: Statuses,
    /// `create`
    pub(super) prepares: Create,
    pub(super) accepted: Vec<Accepted>,
    pub(super) monitoring: Monitoring,
    /// The `[[projects]]` entry that is being read.
    pub(super) project: Project,
    /// The `[[accepted]]` entry that is being read.
    pub(super) acceptance: Accepted,
}

/// The keys that `[okta]` and `[activepieces]` share.
#[derive(Debug, Default)]
pub(super) struct ServerKeys {
    pub(super) url: Option<Text>,
    pub(super) secret: Secret,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) allow_insecure: bool,
}

/// The keys that name the source of a secret.
#[derive(Debug, Default)]
pub(super) struct Secret {
    pub(super) env: Option<Text>,
    pub(super) file: Option<Text>,
    pub(super) command: Option<Spanned<Vec<Text>>>,
    /// `command_env`
    pub(super) command_env: Option<Spanned<Vec<Text>>>,
    pub(super) allow_shared: bool,
}

/// The keys of a service app.
#[derive(Debug, Default)]
pub(super) struct App {
    pub(super) client_id: Option<Text>,
    pub(super) key_file: Option<Text>,
    pub(super) key_id: Option<Text>,
    pub(super) scopes: Option<Spanned<Vec<Text>>>,
}

/// `[scope]`
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) header: Option<Range<usize>>,
    /// Whether any key names users, even with a wrong value.
    pub(super) names_users: bool,
    pub(super) app: Option<Text>,
    pub(super) groups: Option<Spanned<Vec<Text>>>,
    pub(super) search: Option<Text>,
    /// None if the value is wrong.
    pub(super) everyone: Option<bool>,
}

/// `[attributes]`: one expression each.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) header: Option<Range<usize>>,
    pub(super) from_okta: bool,
    pub(super) user_name: Option<Text>,
    pub(super) given_name: Option<Text>,
    pub(super) family_name: Option<Text>,
    pub(super) email: Option<Text>,
    pub(super) display_name: Option<Text>,
    pub(super) platform_role: Option<Text>,
    pub(super) aliases: Option<Text>,
}

/// One `[[projects]]` entry.
#[derive(Debug, Default)]
pub(super) struct Project {
    pub(super) header: Range<usize>,
    /// Whether a key that selects groups is there, even with a wrong value.
    pub(super) has_selector: bool,
    pub(super) group: Option<Text>,
    pub(super) groups: Option<Spanned<Vec<Text>>>,
    pub(super) pattern: Option<Text>,
    pub(super) group_push: Option<Text>,
    pub(super) kind: Option<Text>,
    pub(super) exclude: Option<Spanned<Vec<Text>>>,
    pub(super) exclude_pattern: Option<Text>,
    pub(super) search: Option<Text>,
    pub(super) exclude_search: Option<Text>,
    pub(super) name: Option<Text>,
    /// `project`
    pub(super) one_for_all: Option<Text>,
    pub(super) also: Option<Text>,
    pub(super) role: Option<Text>,
    pub(super) roles: Option<Spanned<Vec<GroupRole>>>,
    pub(super) roles_managed: RolesManaged,
}

/// What `[lifecycle]` says of the statuses of users who are in scope and can sign in, or will.
#[derive(Debug, Default)]
pub(super) struct Statuses {
    pub(super) staged: OnLeave,
    pub(super) provisioned: OnLeave,
    pub(super) recovery: OnLeave,
    pub(super) password_expired: OnLeave,
    pub(super) locked_out: OnLeave,
}

impl Statuses {
    /// Those that close accounts.
    pub(super) fn closing(&self) -> BTreeSet<Leave> {
        let all = [
            (self.staged, Leave::Staged),
            (self.provisioned, Leave::Provisioned),
            (self.recovery, Leave::Recovery),
            (self.password_expired, Leave::PasswordExpired),
            (self.locked_out, Leave::LockedOut),
        ];
        all.into_iter().filter(|(on, _)| *on == OnLeave::Deactivate).map(|(_, leave)| leave).collect()
    }
}

/// One `[[accepted]]` entry.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    pub(super) kind: Option<ProblemKind>,
    pub(super) who: Option<Text>,
    pub(super) until: Option<Date>,
    pub(super) why: Option<Text>,
}

/// The keys of `[monitoring]`.
#[derive(Debug, Default)]
pub(super) struct Monitoring {
    pub(super) metrics_file: Option<PathBuf>,
    pub(super) webhook: Secret,
    pub(super) webhook_format: WebhookFormat,
    pub(super) webhook_on: BTreeSet<WebhookOn>,
    pub(super) heartbeat: Secret,
    /// `command_env`, for both commands.
    pub(super) command_env: Option<Spanned<Vec<Text>>>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) allow_shared: bool,
}

impl Monitoring {
    /// Gives each secret what the section says for both.
    pub(super) fn share(&mut self) {
        for secret in [&mut self.webhook, &mut self.heartbeat] {
            secret.allow_shared = self.allow_shared;
            secret.command_env.clone_from(&self.command_env);
        }
    }
}

impl Draft {
    /// Ends a section, or one entry of a list: `header` is its place, and `has` tells whether a key is there.
    pub(super) fn end(&mut self, section: &str, header: Option<Range<usize>>, has: impl Fn(&str) -> bool) {
        match section {
            "scope" => {
                let names = ["app", "groups", "search"].into_iter().any(&has);
                self.scope.names_users = names || self.scope.everyone.unwrap_or(true);
                self.scope.header = header;
            }
            "attributes" => self.attributes.header = header,
            "projects" => {
                let project = std::mem::take(&mut self.project);
                let has_selector = ["group", "groups", "match", "search", "group_push"].into_iter().any(&has);
                self.projects.push(Project { header: header.unwrap_or_default(), has_selector, ..project });
            }
            "accepted" => self.accepted.push(std::mem::take(&mut self.acceptance)),
            _ => {}
        }
    }
}
