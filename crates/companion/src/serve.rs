//! From settings to a listening service and back to nothing: opens what the settings name, says
//! that it is ready, ends when it is told to.

use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::FutureExt as _;
use keyport_messages::Messages;
use keyport_shutdown::Shutdown;
use tokio::net::{TcpListener, TcpSocket};

#[cfg(unix)]
use crate::admin::{AdminSocket, Administration};
use crate::admission::AuthKitUse;
use crate::ambient::{Clock, SystemClock};
use crate::app::{App, Parts};
#[cfg(unix)]
use crate::config::AdminSocketPath;
use crate::config::{EnvironmentError, Settings};
use crate::domain::{Random, SystemRandom};
use crate::issuer::Issuer;
use crate::keys::{KeyFile, Keys};
use crate::open_files::connections_allowed;
use crate::router::router;
use crate::setup::{self, Setup};
use crate::storage::{self, StorageParts};
use crate::upstream::authkit::AuthKit;
use crate::upstream::workos_sso::WorkosSso;
use crate::upstream::{UpstreamError, Upstreams};
use crate::web::{ServerLimits, serve_until};
use crate::{reload, session_check, webhooks};

/// How long the start waits for the provider's word about key and client id.
const CHECK_AT_START: Duration = Duration::from_millis(1500);
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// Between two looks at the files of the database, for the log where nothing is written.
const LOOK_AT_DATABASE: Duration = Duration::from_secs(10);

/// Serves until the process is told to end. `judge` reads the settings, at the start and on SIGHUP.
///
/// # Errors
/// A sentence for the operator: what is wrong and with which setting.
pub async fn serve(
    judge: impl Fn() -> Result<Settings, EnvironmentError> + Send + 'static,
    listen: SocketAddr,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let hangups = shutdown.hangups();
    let settings = judge()?;
    let defaults = ServerLimits::default();
    let limits = ServerLimits {
        connections: connections_allowed(defaults.connections),
        proxies: settings.trusted_proxies.clone(),
        ..defaults
    };
    let listener = bind(listen)?;
    let url = format!("http://{}", listener.local_addr()?);
    #[cfg(unix)]
    let (key_file, admin_socket) = (settings.key_file.clone(), settings.admin_socket.clone());
    let issuer = settings.public_url.clone().unwrap_or_else(|| url.clone());
    // The database may be waited for.
    let app = tokio::select! {
        app = open(settings, &issuer) => app?,
        _ = shutdown.requested() => return Ok(()),
    };
    let mut background = tokio::task::JoinSet::new();
    #[cfg(unix)]
    if let Some(socket) = bind_admin_socket(&admin_socket)? {
        let administration = Administration { app: Arc::clone(&app), key_file };
        background.spawn(socket.serve(Arc::new(administration)));
    }
    let reloading = reload::on_hangup(hangups, judge, Arc::clone(&app));
    background.spawn(async move {
        reloading.await;
    });
    background.spawn(setup::keep_checking(
        Arc::clone(app.upstreams.current().upstream()),
        app.issuer.address("/callback"),
        Arc::clone(&app.setup),
    ));
    let events = webhooks::follow_events(Arc::clone(&app));
    background.spawn(async move {
        events.await;
    });
    background.spawn(session_check::keep_checking(Arc::clone(&app)));
    let storage = Arc::clone(&app.storage);
    background.spawn(async move {
        watch_files(LOOK_AT_DATABASE, || storage.check_files()).await;
    });
    let known = tokio::select! {
        known = tokio::time::timeout(CHECK_AT_START, app.setup.known()) => known,
        _ = shutdown.requested() => return Ok(()),
    };
    let known = known.unwrap_or(Setup::Unknown);
    if let Some(sentence) = known.sentence() {
        bail!(sentence.to_owned());
    }
    say_ready(&url);
    tracing::info!(listening = url, issuer, "ready");
    let stop = async {
        shutdown.requested().await;
    };
    serve_app(&app, listener, limits, stop).await;
    Ok(())
}

/// Serves until `stop`. From then on no further code is sent to the provider; open requests and
/// exchanges in flight are finished, and their time limits run side by side.
pub async fn serve_app(
    app: &Arc<App>,
    listener: TcpListener,
    limits: ServerLimits,
    stop: impl Future<Output = ()>,
) {
    let stop = stop.shared();
    let finish = async {
        stop.clone().await;
        app.exchanges.finish().await;
    };
    tokio::join!(serve_until(listener, router(Arc::clone(app)), limits, stop.clone()), finish);
}

/// Where no setting names the socket, a service that cannot have it serves without: its folder may
/// be read-only, and several instances of one machine share a key file.
#[cfg(unix)]
fn bind_admin_socket(address: &AdminSocketPath) -> anyhow::Result<Option<AdminSocket>> {
    match AdminSocket::bind(&address.path) {
        Ok(socket) => Ok(Some(socket)),
        Err(error) if address.is_named => Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "commands of the operator do not reach this service");
            Ok(None)
        }
    }
}

/// For the program that started this one; it may have closed its end.
fn say_ready(url: &str) {
    let line = serde_json::json!({ "event": "ready", "url": url });
    let mut output = std::io::stdout().lock();
    if let Err(error) = writeln!(output, "{line}").and_then(|()| output.flush()) {
        tracing::warn!(%error, "nothing reads standard output");
    }
}

/// Goes on after an alarm: the files can come back, and go again. The check itself logs both.
async fn watch_files<E>(pause: Duration, check: impl Fn() -> Result<(), E>) -> Infallible {
    loop {
        drop(check());
        tokio::time::sleep(pause).await;
    }
}

fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = || {
        let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // As std does where it means "also while old connections end", which is not so on Windows.
        socket.set_reuseaddr(cfg!(unix))?;
        socket.bind(listen)?;
        socket.listen(BACKLOG)
    };
    bound().map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{listen} is in use by another program: stop it, or choose another address with \
             --listen"
        ),
        std::io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!(
                "{listen} may not be listened on by this user: choose a port above 1023"
            )
        }
        _ => anyhow::anyhow!("cannot listen on {listen}: {error}"),
    })
}

/// Opens what the settings name.
///
/// # Errors
/// A sentence for the operator.
pub(crate) async fn open(settings: Settings, issuer: &str) -> anyhow::Result<Arc<App>> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let clock = SystemClock::start();
    storage::check_place(&settings.database)?;
    let parts = |existing: Option<&str>| {
        let file = KeyFile::read_or_create(&settings.key_file, existing, &*random)?;
        let keys = Arc::new(Keys::derive(&file));
        let lifetimes = settings.lifetimes;
        Ok(StorageParts { lifetimes, ..StorageParts::new(keys, Arc::clone(&random)) })
    };
    let (storage, keys) = storage::open(&settings.database, &parts, clock.now()).await?;
    for line in settings.policy.summary() {
        if line.is_warning {
            tracing::warn!("{}", line.text);
        } else {
            tracing::info!("{}", line.text);
        }
    }
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let upstreams = upstreams(&settings, &clock).context("WORKOS_API_KEY cannot be sent")?;
    let app = App::new(Parts {
        issuer: Issuer::new(issuer)
            .context("the listening address makes no issuer; set KEYPORT_PUBLIC_URL")?,
        clients: settings.clients,
        policy: settings.policy,
        upstreams,
        storage,
        keys,
        clock,
        random,
        words: Messages::english(),
    });
    app.resource_servers.replace(settings.resource_servers);
    app.webhook_secrets.replace(settings.webhook_secrets);
    Ok(app)
}

/// New sign-ins begin at the first one, those that ask for AuthKit's page at AuthKit.
fn upstreams(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Upstreams, UpstreamError> {
    let sso = Arc::new(WorkosSso::new(&settings.upstream)?);
    let authkit = AuthKit::new(Arc::clone(&sso), &settings.upstream, Arc::clone(clock));
    let authkit = Arc::new(authkit);
    Ok(match settings.policy.authkit {
        AuthKitUse::Never => Upstreams::new(sso),
        AuthKitUse::WithoutConnection => Upstreams::new(sso).and(authkit),
        AuthKitUse::Always => Upstreams::new(authkit).and(sso),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_files_of_the_database_are_looked_at_after_an_alarm_too() {
        let (looked, mut looks) = tokio::sync::mpsc::unbounded_channel();
        let alarm = move || looked.send(()).map_err(drop).and(Err(()));
        let third = async {
            for _ in 0..3 {
                looks.recv().await.unwrap();
            }
        };
        tokio::select! {
            () = third => {}
            never = watch_files(Duration::ZERO, alarm) => match never {},
        }
    }
}
