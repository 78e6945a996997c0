//! Connections to the server.

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime,
};
use tokio_postgres::{Config, NoTls};

use super::failure::said;
use super::schema::SCHEMA;
use super::{PostgresSettings, tls};
use crate::config::{DatabaseTls, PostgresAddress};
use crate::storage::OpenError;

/// Connections to this server; none is made before it is needed.
///
/// # Errors
/// [`OpenError::Io`]: its roots cannot be used.
pub(super) fn pool(
    address: &PostgresAddress,
    settings: PostgresSettings,
) -> Result<Pool, OpenError> {
    let fault = |cause: String| OpenError::Io { database: address.name().to_owned(), cause };
    let mut config = address.config().clone();
    configure(&mut config, settings);
    let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match address.tls() {
        DatabaseTls::Off => Manager::from_config(config, NoTls, manager_config),
        DatabaseTls::VerifyFull { roots } => {
            let connector = tls::connector(roots.as_deref()).map_err(fault)?;
            Manager::from_config(config, connector, manager_config)
        }
    };
    Pool::builder(manager)
        .max_size(settings.connections.max(1))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(settings.connect_timeout))
        .create_timeout(Some(settings.connect_timeout))
        .build()
        .map_err(|error| fault(error.to_string()))
}

/// The first connection, with the reason for the operator if there is none.
pub(super) async fn first(pool: &Pool, address: &PostgresAddress) -> Result<Client, OpenError> {
    pool.get().await.map_err(|error| {
        let cause = match &error {
            PoolError::Backend(error) => said(error),
            PoolError::Timeout(_) => "the server did not answer in time".to_owned(),
            error => error.to_string(),
        };
        OpenError::Io { database: address.name().to_owned(), cause }
    })
}

/// A server that is gone, and a statement that hangs, must not hold an operation for ever. Rows
/// that a policy would hide are an error, and not rows that are missing.
fn configure(config: &mut Config, settings: PostgresSettings) {
    let limit = settings.operation_timeout;
    let own = format!(
        "-c search_path={SCHEMA} -c row_security=off -c statement_timeout={ms} \
         -c lock_timeout={ms} -c idle_in_transaction_session_timeout={twice}",
        ms = limit.as_millis(),
        twice = 2 * limit.as_millis()
    );
    let options =
        config.get_options().map_or_else(|| own.clone(), |given| format!("{given} {own}"));
    config.options(options);
    config.tcp_user_timeout(limit);
    config.connect_timeout(settings.connect_timeout);
    if config.get_application_name().is_none() {
        config.application_name("keyport-companion");
    }
}
