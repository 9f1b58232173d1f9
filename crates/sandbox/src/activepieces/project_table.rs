//! The tables `project` and `project_member`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::contents::Contents;
use super::errors::Failure;
use super::state::{Database, Grant, Id, Member, Project, ProjectRow, RoleRow, UserRow};

/// The constraint whose name is in the answer when an external id is taken.
pub(super) const EXTERNAL_ID_INDEX: &str = "idx_project_platform_id_external_id";

impl Database {
    /// The TEAM or PERSONAL project of this platform with this id.
    pub fn project(&self, id: &str) -> Option<ProjectRow> {
        self.project_by_id.get(&Id::parse(id)?).copied()
    }

    /// The TEAM project with this id: all that SCIM shows (docs/activepieces.md#groups).
    pub fn team(&self, id: &str) -> Option<ProjectRow> {
        self.project(id).filter(|&row| self.projects[row].team)
    }

    /// A new project. The external id must be a free one.
    pub fn insert_project(&mut self, name: &str, external_id: Option<&str>, owner: UserRow, team: bool) -> ProjectRow {
        let (id, created) = (self.next_id(), self.now());
        let row = self.projects.len();
        let display_name: Arc<str> = name.into();
        let external_id: Option<Arc<str>> = external_id.map(Into::into);
        if team {
            self.teams.insert((Arc::clone(&display_name), id), row);
        }
        if let Some(external_id) = &external_id {
            self.project_by_external_id.insert(Arc::clone(external_id), row);
        }
        self.project_by_id.insert(id, row);
        self.projects.push(Project {
            id,
            display_name,
            external_id,
            team,
            owner,
            deleted: false,
            created,
            updated: created,
            metadata: None,
            icon: None,
            contents: Contents::default(),
            members: BTreeMap::new(),
        });
        row
    }

    /// A new TEAM project, as SCIM and REST make it: owned by the platform's owner (docs/activepieces.md#groups).
    pub fn create_team(&mut self, name: &str, external_id: Option<&str>) -> Result<ProjectRow, Failure> {
        if external_id.is_some_and(|id| self.project_by_external_id.contains_key(id)) {
            return Err(Failure::unique_violation(EXTERNAL_ID_INDEX));
        }
        Ok(self.insert_project(name, external_id, self.owner, true))
    }

    /// Changes name and external id of a project; a blank external id leaves the old one (docs/activepieces.md#put-of-a-group).
    pub fn update_project(
        &mut self,
        row: ProjectRow,
        name: Option<&str>,
        external_id: Option<&str>,
    ) -> Result<(), Failure> {
        if let Some(external_id) = external_id.filter(|id| !id.trim().is_empty()) {
            self.set_project_external_id(row, external_id)?;
        }
        if let Some(name) = name {
            self.rename_project(row, name);
        }
        self.projects[row].updated = self.now();
        Ok(())
    }

    fn set_project_external_id(&mut self, row: ProjectRow, external_id: &str) -> Result<(), Failure> {
        let holder = self.project_by_external_id.get(external_id).copied();
        if holder == Some(row) {
            return Ok(());
        }
        if holder.is_some() || self.external_ids_elsewhere.contains(external_id) {
            return Err(Failure::project_external_id_taken(external_id));
        }
        let external_id: Arc<str> = external_id.into();
        if let Some(before) = self.projects[row].external_id.replace(Arc::clone(&external_id)) {
            self.project_by_external_id.remove(&before);
        }
        self.project_by_external_id.insert(external_id, row);
        Ok(())
    }

    fn rename_project(&mut self, row: ProjectRow, name: &str) {
        let project = &mut self.projects[row];
        let before = (std::mem::replace(&mut project.display_name, name.into()), project.id);
        let after = (Arc::clone(&project.display_name), project.id);
        if project.team {
            self.teams.remove(&before);
            self.teams.insert(after, row);
        }
    }

    /// Takes a project with its members away; its external id is free at once (docs/activepieces.md#deletion-of-a-group).
    pub fn delete_project(&mut self, row: ProjectRow) {
        let project = &mut self.projects[row];
        project.deleted = true;
        let (id, name) = (project.id, Arc::clone(&project.display_name));
        let (owner, members) = (project.owner, std::mem::take(&mut project.members));
        if let Some(external_id) = project.external_id.take() {
            self.project_by_external_id.remove(&external_id);
        }
        self.project_by_id.remove(&id);
        self.teams.remove(&(name, id));
        for member in members.values() {
            self.member_by_id.remove(&member.id);
        }
        self.invitations.retain(|waiting| !matches!(waiting.grant, Grant::Project { project, .. } if project == row));
        if self.users[owner].personal_project == Some(row) {
            self.users[owner].personal_project = None;
        }
    }

    /// The role that SCIM gives to members.
    pub fn default_role(&self) -> RoleRow {
        self.role_by_name(&self.settings.default_project_role).unwrap_or(0)
    }

    /// Inserts a member, or sets the role of the one that is there, whose row id stays (docs/activepieces.md#groups).
    pub fn upsert_member(&mut self, project: ProjectRow, user: UserRow, role: RoleRow) -> Id {
        let now = self.now();
        if let Some(member) = self.projects[project].members.get_mut(&user) {
            (member.role, member.updated) = (role, now);
            return member.id;
        }
        let id = self.next_id();
        self.projects[project].members.insert(user, Member { id, role, created: now, updated: now });
        self.member_by_id.insert(id, (project, user));
        id
    }

    pub fn remove_member(&mut self, project: ProjectRow, user: UserRow) {
        if let Some(member) = self.projects[project].members.remove(&user) {
            self.member_by_id.remove(&member.id);
        }
    }
}
