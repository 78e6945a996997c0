//! A client with a test companion and a test keychain. The test is the person: it clicks, looks at
//! the view, and is the browser.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyport_client::browser::{Browser, BrowserError, Opening, PermittedUrl};
use keyport_client::platform::Timer;
use keyport_client::{
    Channel, Client, ClientNotice, Clock, Config, Intent, Platform, Sessions, SystemRandomness,
};
use keyport_core::{
    CallbackReceiver, Moment, ReceiverOrder, Screen, SessionStore, SignInRequest, View,
};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{sleep, timeout};
use url::Url;

use super::{FaultyKeychain, TestCompanion, WAIT_TIMEOUT};

pub struct ClientFixture {
    pub companion: TestCompanion,
    pub keychain: Arc<FaultyKeychain>,
    pub clock: Arc<TestClock>,
    pub client: Client,
    notices: broadcast::Receiver<ClientNotice>,
    opened: mpsc::UnboundedReceiver<String>,
    config: Config,
    platform: Platform,
}

impl ClientFixture {
    pub async fn new() -> Self {
        let companion = TestCompanion::start().await;
        let config = configuration(companion.url.clone());
        let (keychain, clock) = (FaultyKeychain::new(), Arc::new(TestClock::default()));
        let (opens, opened) = mpsc::unbounded_channel();
        let platform = Platform {
            browser: Arc::new(TestBrowser(opens)),
            clipboard: None,
            keychain: keychain.clone(),
            clock: clock.clone(),
            random: Arc::new(SystemRandomness),
        };
        let client = Client::start(receivers(), config.clone(), platform.clone());
        let notices = client.notices();
        Self { companion, keychain, clock, client, notices, opened, config, platform }
    }

    /// The process ends and starts again; the keychain stays.
    pub async fn restarted(self) -> Self {
        let Self { client, config, platform, .. } = self;
        client.shut_down().await;
        let client = Client::start(receivers(), config.clone(), platform.clone());
        let notices = client.notices();
        Self { client, notices, config, platform, ..self }
    }

    /// The window's process is killed; another one has nothing to do with this keychain. From now
    /// on nothing renews a session by itself.
    pub fn window_is_killed(&mut self) {
        let platform = Platform { keychain: FaultyKeychain::new(), ..self.platform.clone() };
        self.client = Client::start(receivers(), self.config.clone(), platform);
    }

    /// Another process of the same person, beside this one.
    pub fn another_process(&self) -> Sessions {
        Sessions::open(&self.config, &self.platform)
    }

    pub fn command_line_beside(&self) -> Client {
        Client::start_without_links(self.config.clone(), self.platform.clone())
    }

    pub fn click_sign_in(&self, receiver: CallbackReceiver, store: SessionStore) {
        let request = SignInRequest { receivers: vec![receiver], store, ..Default::default() };
        self.client.intend(Intent::SignInWith(request));
    }

    /// The URL that the browser was sent to.
    pub async fn browser_opens(&mut self) -> String {
        timeout(WAIT_TIMEOUT, self.opened.recv()).await.expect("a browser opens").unwrap()
    }

    pub fn browsers_opened(&mut self) -> usize {
        std::iter::from_fn(|| self.opened.try_recv().ok()).count()
    }

    pub async fn shows(&self, what: &str, is_so: impl FnMut(&Screen) -> bool) -> Screen {
        let mut is_so = is_so;
        let mut views = self.client.views();
        let shown = timeout(WAIT_TIMEOUT, views.wait_for(|view: &View| is_so(&view.screen))).await;
        let Ok(view) = shown else {
            panic!("{what} is never shown: {:?}", self.client.views().borrow().screen);
        };
        view.unwrap().screen.clone()
    }

    pub async fn shows_problem(&self, expected: &str) {
        let is_it =
            |screen: &Screen| matches!(screen, Screen::Problem { code, .. } if *code == expected);
        self.shows(expected, is_it).await;
    }

    pub async fn shows_signed_in(&self) -> Screen {
        self.shows("signed in", |screen| matches!(screen, Screen::SignedIn { .. })).await
    }

    /// The next notice of this kind; others are passed over.
    pub async fn notice<T>(&mut self, mut wanted: impl FnMut(ClientNotice) -> Option<T>) -> T {
        timeout(WAIT_TIMEOUT, async {
            loop {
                if let Some(found) = wanted(self.notices.recv().await.unwrap()) {
                    return found;
                }
            }
        })
        .await
        .expect("a notice")
    }

    /// The attempt that was pushed last.
    pub fn attempt(&self) -> String {
        self.companion.seen("push").last().unwrap().fields["attempt"].clone()
    }

    /// Signs in over loopback, whole.
    pub async fn signs_in(&mut self, store: SessionStore) {
        self.click_sign_in(CallbackReceiver::Loopback, store);
        let url = self.browser_opens().await;
        let back = self.companion.signs_in(&url);
        visit(&back).await;
        self.shows_signed_in().await;
    }
}

/// What the listener at `url` answers a browser: status and where it sends it.
pub async fn visit(url: &str) -> (u16, Option<String>) {
    let browser = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = browser.get(url).timeout(WAIT_TIMEOUT).send().await.expect("the receiver is open");
    let location = answer.headers().get("location");
    (answer.status().as_u16(), location.map(|value| value.to_str().unwrap().to_owned()))
}

/// Links first, as in the app.
fn receivers() -> ReceiverOrder {
    ReceiverOrder::beginning_with(CallbackReceiver::Link)
}

/// A client of that companion.
pub fn configuration(companion: Url) -> Config {
    Config {
        channel: Channel::development(),
        device_name: "Ada's laptop".into(),
        ..Config::of(companion)
    }
}

struct TestBrowser(mpsc::UnboundedSender<String>);

impl Browser for TestBrowser {
    fn open<'a>(&'a self, url: &'a PermittedUrl) -> Opening<'a> {
        let opened = self.0.send(url.expose().to_owned()).map_err(|_| BrowserError::NoBrowser);
        Box::pin(std::future::ready(opened))
    }
}

/// The time of day, and as far ahead of it as the test says.
pub struct TestClock(watch::Sender<Duration>);

impl Default for TestClock {
    fn default() -> Self {
        Self(watch::Sender::new(Duration::ZERO))
    }
}

impl TestClock {
    pub fn jump(&self, by: Duration) {
        self.0.send_modify(|ahead| *ahead += by);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + *self.0.borrow();
        Moment(now.as_millis().try_into().unwrap())
    }

    fn until(&self, moment: Moment) -> Timer<'_> {
        let mut jumps = self.0.subscribe();
        Box::pin(async move {
            loop {
                let left = moment.0.saturating_sub(self.now().0);
                if left == 0 {
                    return;
                }
                tokio::select! {
                    () = sleep(Duration::from_millis(left)) => {}
                    _ = jumps.changed() => {}
                }
            }
        })
    }
}
