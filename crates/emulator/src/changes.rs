//! Changes that reach over several parts of the state, each with the events that WorkOS sends for
//! it.

use serde_json::{Value, json};

use crate::directories::{DirectoryUser, DirectoryUserChange, SeedDirectoryUser};
use crate::emulator::State;
use crate::events::Event;
use crate::http::{connections, organizations};
use crate::ids::{Random, derived};
use crate::seed::{Connection, ConnectionState};

impl State {
    pub fn record(&mut self, random: &mut Random, event: &str, data: Value) {
        let (id, now) = (random.id("event_"), self.now());
        self.events.record(Event::new(id, event, data, now));
    }

    /// Whether there was one to delete. Its codes die with it.
    pub fn delete_connection(&mut self, id: &str, mut random: Random) -> bool {
        let Some(connection) = self.environment.connection(id) else {
            return false;
        };
        let data = connections::shape(&self.environment, connection);
        self.environment.delete_connection(id);
        self.codes.revoke(|profile| profile.connection_id() == id);
        self.authkit.codes.revoke(|signed_in| signed_in.connection_id.as_deref() == Some(id));
        self.record(&mut random, "connection.deleted", data);
        true
    }

    /// Whether there is such a connection.
    pub fn change_connection(&mut self, id: &str, to: ConnectionState, mut random: Random) -> bool {
        let Some(changed) = self.environment.switch_connection(id, to) else {
            return false;
        };
        let connection = self.environment.connection(id);
        let data = connection.map(|it| connections::shape(&self.environment, it));
        let event = match to {
            ConnectionState::Active => "connection.activated",
            _ => "connection.deactivated",
        };
        if let Some(mut data) = data.filter(|_| changed) {
            data["external_key"] = json!(derived("", &[id]));
            self.record(&mut random, event, data);
        }
        true
    }

    /// Whether there was one to delete. Its connections, directories and memberships go with it.
    pub fn delete_organization(&mut self, id: &str, mut random: Random) -> bool {
        let Some(organization) = self.environment.remove_organization(id) else {
            return false;
        };
        let own = |it: &&Connection| it.organization_id.as_deref() == Some(id);
        let connections = self.environment.connections().iter().filter(own);
        let connections: Vec<String> = connections.map(|it| it.id.clone()).collect();
        for connection in connections {
            self.delete_connection(&connection, Random::new(random.secret()));
        }
        let memberships = self.authkit.users.memberships.iter();
        let memberships: Vec<String> =
            memberships.filter(|it| it.organization_id == id).map(|it| it.id.clone()).collect();
        for membership in memberships {
            if let Some(removed) = self.authkit.users.remove_membership(&membership) {
                let data = removed.event_json();
                self.record(&mut random, "organization_membership.deleted", data);
            }
        }
        self.record(&mut random, "organization.deleted", organizations::shape(&organization));
        true
    }

    /// The user that was made; none without the directory.
    pub fn create_directory_user(
        &mut self,
        directory_id: &str,
        user: SeedDirectoryUser,
        mut random: Random,
    ) -> Option<Value> {
        let now = self.now();
        let user = DirectoryUser::new(self.directories.directory(directory_id)?, user, now);
        let data = user.json();
        self.directories.users.push(user);
        self.record(&mut random, "dsync.user.created", data.clone());
        Some(data)
    }

    /// The user as it is then; none if there is no such user.
    pub fn change_directory_user(
        &mut self,
        id: &str,
        change: DirectoryUserChange,
        mut random: Random,
    ) -> Option<Value> {
        let now = self.now();
        let user = self.directories.users.iter_mut().find(|it| it.id == id)?;
        let before = user.seed.groups.clone();
        let previous = user.change(change, now);
        let (user, data) = (user.clone(), user.json());
        let mut event = data.clone();
        event["previous_attributes"] = previous;
        self.record(&mut random, "dsync.user.updated", event);
        let added = user.seed.groups.iter().filter(|it| !before.contains(it));
        let added = added.map(|it| ("dsync.group.user_added", it));
        let removed = before.iter().filter(|it| !user.seed.groups.contains(it));
        for (name, group) in added.chain(removed.map(|it| ("dsync.group.user_removed", it))) {
            let group = user.group(group);
            let data = json!({ "directory_id": user.directory_id, "user": data, "group": group });
            self.record(&mut random, name, data);
        }
        Some(data)
    }

    /// Whether there was one to delete.
    pub fn delete_directory_user(&mut self, id: &str, mut random: Random) -> bool {
        let Some(index) = self.directories.users.iter().position(|it| it.id == id) else {
            return false;
        };
        let data = self.directories.users.remove(index).json();
        self.record(&mut random, "dsync.user.deleted", data);
        true
    }

    /// Whether there was one to delete. Its users go without events of their own.
    pub fn delete_directory(&mut self, id: &str, mut random: Random) -> bool {
        let directories = &mut self.directories;
        let Some(index) = directories.directories.iter().position(|it| it.id == id) else {
            return false;
        };
        let data = directories.directories.remove(index).json();
        directories.users.retain(|it| it.directory_id != id);
        self.record(&mut random, "dsync.deleted", data);
        true
    }
}
