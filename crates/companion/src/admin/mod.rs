//! What the operator of the service asks and changes: typed requests, carried out by the running
//! service over a Unix socket of its own user, or by the tool itself where none runs. Not here: the
//! command line, which is `operator`.

mod administration;
mod audit;
mod check;
#[cfg(unix)]
mod client;
mod connections;
mod error;
mod instant;
mod organizations;
mod provider;
#[cfg(unix)]
mod routes;
mod sessions;
#[cfg(unix)]
mod socket;
mod users;

pub use administration::{Administration, Request};
pub use audit::{AuditLine, AuditLines, ExportAudit};
pub use check::{CheckLine, CheckSubject, CheckVerdict, RunCheck, check_without_database};
#[cfg(unix)]
pub use client::ServiceClient;
pub use connections::{
    ConnectionTarget, DeleteConnection, ListCertificates, ListConnections, ShowConnection,
    WriteConnection,
};
pub use error::{AdminError, AdminErrorKind};
pub use instant::{instant_text, read_instant};
pub use organizations::{
    ListOrganizations, MakePortalLink, OrganizationLine, PortalLink, ShowOrganization,
};
pub use sessions::{EndSessions, ListSessions, SessionLine, SessionLines, SessionsEnded};
#[cfg(unix)]
pub use socket::{AdminSocket, AdminSocketError};
pub use users::{ListUsers, UserLine, UserLines};
