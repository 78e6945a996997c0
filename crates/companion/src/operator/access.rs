//! Which way a command goes: to the running service by its socket, or, where none runs, to the
//! database itself. The answers are the same.

use std::sync::Arc;

use crate::admin::{AdminError, Administration, Request};
use crate::config::{DatabaseAddress, Settings};
use crate::serve::open;

/// The issuer of a service that is told none, as `serve` listens unless told otherwise.
pub(super) const DEFAULT_ISSUER: &str = "http://127.0.0.1:8788";

/// The way to the service or its database.
pub enum AdminAccess {
    /// To the running service.
    #[cfg(unix)]
    Service(crate::admin::ServiceClient),
    /// To the database.
    Database(Box<Administration>),
}

impl AdminAccess {
    /// Finds the running service, or opens the database.
    ///
    /// # Errors
    /// Neither can be reached.
    pub async fn find(settings: Settings) -> Result<Self, AdminError> {
        #[cfg(unix)]
        if let Some(service) = crate::admin::ServiceClient::find(&settings.admin_socket.path)? {
            return Ok(Self::Service(service));
        }
        open_database(settings).await.map(|opened| Self::Database(Box::new(opened)))
    }

    /// Asks.
    ///
    /// # Errors
    /// What the service or the database answers.
    pub async fn ask<R: Request>(&self, request: R) -> Result<R::Answer, AdminError> {
        match self {
            #[cfg(unix)]
            Self::Service(service) => service.ask(request).await,
            Self::Database(administration) => request.carry_out(administration).await,
        }
    }
}

/// Opens what `serve` would open. Nothing is made that is not there.
async fn open_database(settings: Settings) -> Result<Administration, AdminError> {
    if let DatabaseAddress::Sqlite(path) = &settings.database
        && !path.exists()
    {
        return Err(AdminError::unreachable(format!(
            "there is no database {} and no service runs: give the command the settings of the \
             service, and its working folder if they name none",
            path.display()
        )));
    }
    if !settings.key_file.exists() {
        return Err(AdminError::unreachable(format!(
            "there is no key file {}: give the command the settings of the service",
            settings.key_file.display()
        )));
    }
    let key_file = settings.key_file.clone();
    let socket = settings.admin_socket.path.clone();
    let issuer = settings.public_url.clone().unwrap_or_else(|| DEFAULT_ISSUER.to_owned());
    match open(settings, &issuer).await {
        Ok(app) => Ok(Administration { app: Arc::clone(&app), key_file }),
        Err(error) => Err(AdminError::unreachable(explain(&error, &socket))),
    }
}

fn explain(error: &anyhow::Error, socket: &std::path::Path) -> String {
    use crate::storage::OpenError;
    match error.downcast_ref::<OpenError>() {
        Some(OpenError::InUse(database)) => format!(
            "a service has the database {database} open, and does not listen on {}: run the \
             command with the same settings as the service",
            socket.display()
        ),
        _ => format!("{error:#}"),
    }
}
