//! The service under test on a real port, with a clock that the test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use keyport_companion::admission::{AdmissionPolicy, AuthKitUse};
use keyport_companion::ambient::Clock;
use keyport_companion::app::{App, Parts};
use keyport_companion::clients::ClientRecord;
use keyport_companion::config::UpstreamSettings;
use keyport_companion::domain::{Random, SecretText, SystemRandom, Timestamp};
use keyport_companion::issuer::Issuer;
use keyport_companion::keys::{KeyFile, Keys};
use keyport_companion::serve_app;
use keyport_companion::storage::{SqliteSettings, SqliteStorage, StorageParts};
use keyport_companion::upstream::authkit::AuthKit;
use keyport_companion::upstream::workos_sso::WorkosSso;
use keyport_companion::upstream::{Upstream, Upstreams};
use keyport_companion::web::ServerLimits;
use keyport_messages::Messages;
use tokio::net::TcpListener;

use super::provider::start_provider;
use super::{API_KEY, NOON, Provider};

/// A clock that the test moves.
pub struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

pub struct Service {
    pub url: String,
    pub provider: Arc<Provider>,
    pub clock: Arc<Hands>,
    pub provider_url: String,
    pub stop: Option<tokio::sync::oneshot::Sender<()>>,
    pub ended: tokio::task::JoinHandle<()>,
    pub app: Arc<App>,
    pub folder: tempfile::TempDir,
}

/// The time of day, and the upstreams beside or instead of the one that answers as WorkOS does.
type Start = (i64, fn(Arc<dyn Upstream>) -> Upstreams);

impl Service {
    /// Acme may enter, by name, by domain or by default.
    pub async fn start() -> Self {
        let acme = Some("org_acme".to_owned());
        Self::with_policy(AdmissionPolicy::new(
            vec!["org_acme".into()],
            vec!["GoogleOAuth".into()],
            acme,
        ))
        .await
    }

    pub async fn with_policy(policy: AdmissionPolicy) -> Self {
        let keys = Arc::new(Keys::derive(&KeyFile::draw(&SystemRandom)));
        let folder = tempfile::tempdir().unwrap();
        let clients = vec![ClientRecord::keyport_desktop()];
        Self::start_in(folder, keys, policy, clients, (NOON, Upstreams::new)).await
    }

    /// Ends, and starts again on the same files at this time of day.
    pub async fn restart_at(self, now: i64) -> Self {
        self.restart(|_| {}, (now, Upstreams::new)).await
    }

    /// Ends, and starts again on the same files with these upstreams; `build` is given the one that
    /// answers as WorkOS does.
    pub async fn restart_with(self, build: fn(Arc<dyn Upstream>) -> Upstreams) -> Self {
        self.restart(|_| {}, (NOON, build)).await
    }

    /// Ends, and starts again on the same files with other client records.
    pub async fn restart_with_clients(self, change: fn(&mut Vec<ClientRecord>)) -> Self {
        self.restart(change, (NOON, Upstreams::new)).await
    }

    async fn restart(mut self, change: fn(&mut Vec<ClientRecord>), start: Start) -> Self {
        self.stop.take().unwrap().send(()).unwrap();
        self.ended.await.unwrap();
        let (policy, keys) =
            (AdmissionPolicy::clone(&self.app.policy.now()), Arc::clone(&self.app.keys));
        let mut clients: Vec<ClientRecord> =
            self.app.clients.now().iter().map(|client| ClientRecord::clone(client)).collect();
        change(&mut clients);
        drop(self.app);
        Self::start_in(self.folder, keys, policy, clients, start).await
    }

    async fn start_in(
        folder: tempfile::TempDir,
        keys: Arc<Keys>,
        policy: AdmissionPolicy,
        clients: Vec<ClientRecord>,
        (now, build): Start,
    ) -> Self {
        let (provider, provider_url) = start_provider().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let clock = Arc::new(Hands(AtomicI64::new(now)));
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let database = folder.path().join("companion.sqlite");
        let parts = StorageParts::new(Arc::clone(&keys), Arc::clone(&random));
        let settings = SqliteSettings::default();
        let storage =
            SqliteStorage::open(&database, &|_| Ok(parts.clone()), settings, clock.now()).unwrap();
        let upstream = UpstreamSettings {
            base_url: provider_url.clone(),
            client_id: "client_1".into(),
            api_key: SecretText::new(API_KEY),
            authkit_domain: None,
        };
        let sso = Arc::new(WorkosSso::new(&upstream).unwrap());
        let shown: Arc<dyn Clock> = Arc::<Hands>::clone(&clock);
        let authkit = Arc::new(AuthKit::new(Arc::clone(&sso), &upstream, shown));
        let upstreams = match policy.authkit {
            AuthKitUse::Never => build(sso),
            AuthKitUse::WithoutConnection => build(sso).and(authkit),
            AuthKitUse::Always => Upstreams::new(authkit).and(sso),
        };
        let app = App::new(Parts {
            issuer: Issuer::new(&url).unwrap(),
            clients,
            policy,
            upstreams,
            storage: Arc::new(storage),
            keys,
            clock: Arc::<Hands>::clone(&clock),
            random,
            words: Messages::english(),
        });
        let running = Arc::clone(&app);
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let stopped = async move { drop(stopped.await) };
        let ended = tokio::spawn(async move {
            serve_app(&app, listener, ServerLimits::default(), stopped).await;
        });
        let stop = Some(stop);
        Self { url, provider, clock, provider_url, stop, ended, app: running, folder }
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Exchanges that wait for their turn.
    pub async fn waiting(&self) -> usize {
        tokio::task::yield_now().await;
        self.app.exchanges.waiting()
    }

    pub fn exchanges(&self) -> usize {
        self.provider.exchanges.load(Ordering::SeqCst)
    }
}
