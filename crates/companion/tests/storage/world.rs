//! A storage engine with people, devices and a clock around it. Steps read like the protocol.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyport_companion::config::PostgresAddress;
use keyport_companion::domain::{
    EndedBecause, GrantId, IssuedSession, Limits, RefreshRefusal, SystemRandom, Thumbprint,
    Timestamp, UpstreamIdentity,
};
use keyport_companion::keys::{AuthorizationCode, KeyFile, Keys};
use keyport_companion::storage::{
    CodeRefusal, ExchangeStart, Fulfilment, Minting, PostgresSettings, PostgresStorage, RedeemCode,
    Redemption, ReturnedAuthorization, RotateRefresh, Rotation, SqliteSettings, SqliteStorage,
    Storage, StorageParts,
};
use keyport_test_postgres::Cluster;

pub use crate::requests::{
    ada, attempt, authorization_of, authorization_of_attempt, grace, identity, presented,
    profile_of_ada, redemption, refresh_token,
};

/// Calls of a flood on an engine without a network.
const FLOOD: usize = 50_000;
pub const CLIENT: &str = "keyport-desktop";
pub const REDIRECT: &str = "dev.keyport.desktop:/callback";
pub const STATE: &str = "state-of-the-client";
pub const VERIFIER: &str = "verifier-of-the-client-verifier-of-the-client";
/// The device that most stories are about.
pub const LAPTOP: Thumbprint = Thumbprint::from_bytes([1; 32]);
/// Where its requests come from.
pub const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
/// A device key of another person.
pub const FOREIGN: Thumbprint = Thumbprint::from_bytes([9; 32]);

/// SQLite in a folder of its own.
pub struct Sqlite;

impl Sqlite {
    pub fn fresh() -> World {
        World::new(SqliteSettings::default())
    }
}

/// A database of its own on a PostgreSQL server that all tests share.
pub struct Postgres;

impl Postgres {
    pub async fn fresh() -> World {
        Self::opened(&Cluster::shared().database(), keys(), at(0)).await
    }

    /// One more companion on a database.
    pub async fn opened(address: &str, keys: Arc<Keys>, now: Timestamp) -> World {
        let parsed = PostgresAddress::parse(address).unwrap();
        let parts = parts(Arc::clone(&keys), Limits::default());
        let settings = any_time();
        let opened =
            PostgresStorage::open(&parsed, &|_| Ok(parts.clone()), settings, now).await.unwrap();
        World::of(Arc::new(opened), keys, address.into())
    }
}

/// Days pass in no time here, and the clock of the server does not follow.
pub fn any_time() -> PostgresSettings {
    PostgresSettings { clock_difference: Duration::MAX, ..PostgresSettings::default() }
}

/// A second, in the life of the world.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

pub fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3600)
}

pub fn keys() -> Arc<Keys> {
    Arc::new(Keys::derive(&KeyFile::draw(&SystemRandom)))
}

pub fn open(
    path: &Path,
    keys: &Arc<Keys>,
    settings: SqliteSettings,
) -> Result<SqliteStorage, keyport_companion::storage::OpenError> {
    let parts = parts(Arc::clone(keys), Limits::default());
    SqliteStorage::open(path, &|_| Ok(parts.clone()), settings, at(0))
}

pub fn parts(keys: Arc<Keys>, limits: Limits) -> StorageParts {
    StorageParts { limits, ..StorageParts::new(keys, Arc::new(SystemRandom)) }
}

pub struct World {
    pub storage: Arc<dyn Storage>,
    pub keys: Arc<Keys>,
    /// The file, or the address.
    pub database: PathBuf,
    /// Calls of a flood that fills the limits many times over.
    pub flood: usize,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    /// Around an engine with a network.
    pub fn of(storage: Arc<dyn Storage>, keys: Arc<Keys>, database: PathBuf) -> Self {
        Self { storage, keys, database, flood: FLOOD / 10, _folder: None }
    }

    pub fn new(settings: SqliteSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("keyport.db");
        Self { _folder: Some(folder), ..Self::at_path(database, keys(), settings) }
    }

    /// In a folder of its own, with other limits.
    pub fn with_limits(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("keyport.db");
        let (keys, settings) = (keys(), SqliteSettings::default());
        let parts = parts(Arc::clone(&keys), limits);
        let opened = SqliteStorage::open(&database, &|_| Ok(parts.clone()), settings, at(0));
        Self {
            storage: Arc::new(opened.unwrap()),
            keys,
            database,
            flood: FLOOD,
            _folder: Some(folder),
        }
    }

    pub fn at_path(database: PathBuf, keys: Arc<Keys>, settings: SqliteSettings) -> Self {
        Self::opened_at(database, keys, settings, at(0))
    }

    /// Opened by a companion whose clock shows `now`.
    pub fn opened_at(
        database: PathBuf,
        keys: Arc<Keys>,
        settings: SqliteSettings,
        now: Timestamp,
    ) -> Self {
        let parts = parts(Arc::clone(&keys), Limits::default());
        let opened = SqliteStorage::open(&database, &|_| Ok(parts.clone()), settings, now);
        Self { storage: Arc::new(opened.unwrap()), keys, database, flood: FLOOD, _folder: None }
    }

    /// An upstream authorization comes back from the provider with matching state and cookie.
    pub async fn begin(
        &self,
        authorization: ReturnedAuthorization,
        now: Timestamp,
    ) -> ExchangeStart {
        self.storage.begin_exchange(authorization, now).await.unwrap()
    }

    pub async fn started(&self, authorization: ReturnedAuthorization, now: Timestamp) -> GrantId {
        match self.begin(authorization, now).await {
            ExchangeStart::Started(grant) => grant,
            other => panic!("the exchange was not started: {other:?}"),
        }
    }

    /// The provider has answered; true if the device was known.
    pub async fn fulfil(&self, grant: GrantId, identity: UpstreamIdentity, now: Timestamp) -> bool {
        match self.storage.fulfil_grant(grant, identity, now).await.unwrap() {
            Fulfilment::Fulfilled { device_known } => device_known,
            other => panic!("the grant was not fulfilled: {other:?}"),
        }
    }

    /// The person presses *Continue* and the page takes the code.
    pub async fn mint(&self, grant: GrantId, now: Timestamp) -> AuthorizationCode {
        assert!(self.storage.confirm_grant(grant, now).await.unwrap());
        match self.storage.mint_code(grant, now).await.unwrap() {
            Minting::Minted { code, redirect_uri, state } => {
                assert_eq!(redirect_uri, REDIRECT);
                assert_eq!(state.expose(), STATE);
                code
            }
            other => panic!("no code was minted: {other:?}"),
        }
    }

    /// From the callback to the code.
    pub async fn code(
        &self,
        authorization: ReturnedAuthorization,
        who: UpstreamIdentity,
        now: Timestamp,
    ) -> AuthorizationCode {
        let grant = self.started(authorization, now).await;
        self.fulfil(grant, who, now).await;
        self.mint(grant, now).await
    }

    pub async fn redeem(&self, request: RedeemCode, now: Timestamp) -> Redemption {
        self.storage.redeem_code(request, now).await.unwrap()
    }

    pub async fn redeemed(&self, request: RedeemCode, now: Timestamp) -> IssuedSession {
        match self.redeem(request, now).await {
            Redemption::Redeemed(issued) => *issued,
            Redemption::Refused(why) => panic!("the code was refused: {why:?}"),
        }
    }

    pub async fn refused_code(&self, request: RedeemCode, now: Timestamp) -> CodeRefusal {
        match self.redeem(request, now).await {
            Redemption::Refused(why) => why,
            Redemption::Redeemed(_) => panic!("the code was redeemed"),
        }
    }

    /// A whole sign-in of Ada's on a device.
    pub async fn sign_in(&self, jkt: Thumbprint, now: Timestamp) -> (IssuedSession, String) {
        let code = self.code(authorization_of(jkt), ada(), now).await;
        let issued = self.redeemed(RedeemCode { jkt, ..redemption(&code) }, now).await;
        let token = refresh_token(&issued);
        (issued, token)
    }

    pub async fn present(&self, token: &str, jkt: Thumbprint, now: Timestamp) -> Rotation {
        let request = RotateRefresh { jkt, ..presented(token) };
        self.storage.rotate_refresh(request, now).await.unwrap()
    }

    /// Ada's laptop refreshes.
    pub async fn rotate(&self, token: &str, now: Timestamp) -> String {
        match self.present(token, LAPTOP, now).await {
            Rotation::Rotated(issued) => refresh_token(&issued),
            Rotation::Refused(why) => panic!("the refresh was refused: {why:?}"),
        }
    }

    pub async fn refused_refresh(
        &self,
        token: &str,
        jkt: Thumbprint,
        now: Timestamp,
    ) -> RefreshRefusal {
        match self.present(token, jkt, now).await {
            Rotation::Refused(why) => why,
            Rotation::Rotated(_) => panic!("the refresh was accepted"),
        }
    }

    pub async fn is_alive(&self, issued: &IssuedSession, now: Timestamp) -> bool {
        self.storage.read_session(issued.session.id, now).await.unwrap().is_some()
    }
}

/// The refusal of a refresh token whose session was ended before.
pub const fn ended(because: EndedBecause) -> RefreshRefusal {
    RefreshRefusal::Ended(because)
}

/// Starts 64 of the same, in turns on each of several companions, and waits for all.
pub async fn in_parallel_over<T, F>(
    worlds: &[World],
    make: impl Fn(Arc<dyn Storage>) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let turn = std::cell::Cell::new(0);
    in_parallel(|| {
        let world = &worlds[turn.get() % worlds.len()];
        turn.set(turn.get() + 1);
        make(Arc::clone(&world.storage))
    })
    .await
}

/// Starts 64 of the same and waits for all.
pub async fn in_parallel<T, F>(make: impl Fn() -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..64).map(|_| tokio::spawn(make())).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}
