//! From settings to a listening service and back to nothing: opens what the settings name, says that it is
//! ready, ends when it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use keyport_words::Words;
use tokio::net::TcpListener;

use crate::ambient::{Clock, SystemClock};
use crate::app::{App, Parts};
use crate::client_record::ClientRecord;
use crate::config::Settings;
use crate::domain::FamilyLimits;
use crate::issuer::Issuer;
use crate::keys::{KeyFile, Keys, Random, SystemRandom};
use crate::storage::{SqliteSettings, SqliteStorage};
use crate::upstream::{Upstream, UpstreamError};
use crate::web::{router, serve_until};

/// Serves until the process is told to stop.
///
/// # Errors
/// A sentence for the operator: what is wrong and with which setting.
pub async fn serve(settings: Settings, listen: SocketAddr) -> anyhow::Result<()> {
    let listener = bind(listen).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let issuer = settings.public_url.clone().unwrap_or_else(|| url.clone());
    let app = open(settings, &issuer)?;
    let (key, ()) = tokio::join!(check_key(&app), check_client(&app));
    key?;
    check_pair(&app).await?;
    println!("{}", serde_json::json!({ "event": "ready", "url": url }));
    tracing::info!(listening = url, issuer, "ready");
    serve_until(listener, router(app), stop()).await;
    Ok(())
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{listen} is in use by another program: stop it, or choose another address with --listen"
        ),
        std::io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!("{listen} may not be listened on by this user: choose a port above 1023")
        }
        _ => anyhow::anyhow!("cannot listen on {listen}: {error}"),
    })
}

fn open(settings: Settings, issuer: &str) -> anyhow::Result<Arc<App>> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let clock = SystemClock::start();
    let file = KeyFile::read_or_create(&settings.key_file, Some(&settings.database), &*random)?;
    let keys = Arc::new(Keys::derive(&file));
    let family = FamilyLimits {
        idle: Duration::from_secs(settings.lifetimes.idle),
        absolute: Duration::from_secs(settings.lifetimes.absolute),
    };
    let engine = SqliteSettings { family, ..SqliteSettings::default() };
    let storage = SqliteStorage::open(
        &settings.database,
        Arc::clone(&keys),
        Arc::clone(&random),
        engine,
        clock.now(),
    )?;
    for line in settings.policy.summary() {
        if line.is_warning {
            tracing::warn!("{}", line.text);
        } else {
            tracing::info!("{}", line.text);
        }
    }
    Ok(App::new(Parts {
        issuer: Issuer::new(issuer)
            .context("the listening address makes no issuer; set KEYPORT_PUBLIC_URL")?,
        clients: vec![ClientRecord::keyport_desktop()],
        policy: settings.policy,
        upstream: Upstream::new(&settings.upstream).context("WORKOS_API_KEY cannot be sent")?,
        storage: Arc::new(storage),
        keys,
        clock: Arc::new(clock),
        random,
        words: Words::english(),
    }))
}

/// Best effort: a wrong key is said now and not at the first sign-in; a provider out of reach is not our end.
async fn check_key(app: &App) -> anyhow::Result<()> {
    match app.upstream.check_key().await {
        Ok(()) => Ok(()),
        Err(UpstreamError::WrongKey) => bail!(
            "wrong WORKOS_API_KEY: {} does not accept it. Take the key and WORKOS_CLIENT_ID from the same environment",
            app.upstream.issuer()
        ),
        Err(error) => {
            tracing::warn!(%error, upstream = app.upstream.issuer(), "the API key could not be checked");
            Ok(())
        }
    }
}

/// Best effort too: a key of one environment and a client id of another would fail at every person's sign-in.
async fn check_pair(app: &App) -> anyhow::Result<()> {
    if app.upstream.check_pair().await == Err(UpstreamError::WrongKey) {
        bail!(
            "WORKOS_API_KEY and WORKOS_CLIENT_ID do not belong together: {} accepts the key, but not for this client id. Take both from the same environment",
            app.upstream.issuer()
        );
    }
    Ok(())
}

/// The provider would show people a page of its own and we would never hear of it. Said and no more: how it looks there
/// is not documented, and a service that is up can be registered while it runs.
async fn check_client(app: &App) {
    let redirect_uri = app.issuer.address("/callback");
    if app.upstream.check_client(&redirect_uri).await == Err(UpstreamError::WrongClient) {
        tracing::error!(
            redirect_uri,
            "{} does not send people back here: it does not know this WORKOS_CLIENT_ID, or the redirect URI is not registered for it",
            app.upstream.issuer()
        );
    }
}

/// SIGTERM or Ctrl-C.
async fn stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return drop(interrupt.await);
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt => {}
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}
