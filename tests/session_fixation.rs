//! A local program against a person's browser: on loopback http cookies ignore ports (RFC 6265
//! §8.5), so the program chooses every cookie of the sign-in, and a provider that remembers the
//! person asks nothing. It must get no session without a click. A real Chromium, the emulator with
//! sessions of its own, real processes.

use anyhow::{Context, Result};
use keyport_tests::desktop::Browser;
use keyport_tests::native::{NativeClient, Pushed};
use keyport_tests::{DesktopSession, Person, World, wait};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The program's own opening of its own request: it knows the provider's address and every cookie.
struct Opened {
    http: Client,
    provider: String,
    cookies: Vec<String>,
}

impl Opened {
    async fn of(pushed: &Pushed) -> Result<Self> {
        let http = Client::builder().redirect(Policy::none()).no_proxy().build()?;
        let answer = http.get(&pushed.url).send().await?;
        let provider = answer.headers()[LOCATION].to_str()?.to_owned();
        let cookies = answer.headers().get_all(SET_COOKIE).iter();
        let cookies = cookies.map(|cookie| Ok(cookie.to_str()?.to_owned()));
        Ok(Self { http, provider, cookies: cookies.collect::<Result<_>>()? })
    }

    fn state(&self) -> Result<String> {
        let provider = url::Url::parse(&self.provider)?;
        let state = provider.query_pairs().find(|(name, _)| name == "state");
        Ok(state.context("a state")?.1.into_owned())
    }

    fn cookie_header(&self) -> String {
        let pairs = self.cookies.iter().filter_map(|cookie| cookie.split(';').next());
        pairs.collect::<Vec<_>>().join("; ")
    }

    async fn get(&self, url: &str) -> Result<Response> {
        Ok(self.http.get(url).header(COOKIE, self.cookie_header()).send().await?)
    }

    async fn press(&self, page: &str, button: &str) -> Result<Response> {
        let form = [(button, "1"), ("csrf_token", "made-up")];
        let post = self.http.post(page).header(COOKIE, self.cookie_header()).form(&form);
        Ok(post.send().await?)
    }

    /// Gives its cookies to the browser that comes, and sends it to the provider; the address to
    /// open.
    async fn lay_in_wait(&self) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}/", listener.local_addr()?);
        let cookies: String =
            self.cookies.iter().map(|cookie| format!("Set-Cookie: {cookie}\r\n")).collect();
        let answer = format!(
            "HTTP/1.1 302 Found\r\n{cookies}Location: {}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n",
            self.provider
        );
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _request = stream.read(&mut [0; 4096]).await;
                let _sent = stream.write_all(answer.as_bytes()).await;
            }
        });
        Ok(address)
    }
}

/// The person signs in to Keyport as usual; the provider remembers them.
async fn usual_sign_in(world: &World, session: &DesktopSession) -> Result<Browser> {
    let sessions = world.emulator_url().join("_emulator/sessions")?;
    let ordered = Client::builder().no_proxy().build()?.post(sessions).send().await?;
    assert_eq!(ordered.status(), 204);
    let pushed = NativeClient::new(world)?.push(&[]).await?;
    session.xdg_open(&pushed.url)?;
    let browser = session.browser().await?;
    browser.tab(world.emulator_url().as_str(), wait::WAIT_TIMEOUT).await?;
    browser.page.fill("[name=email]", Person::ADA.email).await?;
    browser.page.fill("[name=password]", Person::ADA.password).await?;
    browser.page.click("form [type=submit]").await?;
    browser.page.find("button[name=continue]").await?;
    Ok(browser)
}

#[tokio::test]
async fn knowing_every_cookie_gives_no_session_without_a_click() -> Result<()> {
    let (world, session) = (World::start()?, DesktopSession::start()?);
    let browser = usual_sign_in(&world, &session).await?;
    let program = NativeClient::new(&world)?;
    let pushed = program.push(&[]).await?;
    let opened = Opened::of(&pushed).await?;
    browser.page.client.goto(&opened.lay_in_wait().await?).await?;
    browser.page.find("button[name=continue]").await?;
    let page = browser.page.client.current_url().await?;
    assert!(page.path().starts_with("/handoff/"), "the provider asked nothing: {page}");

    // The same callback again, with the cookies that the program chose.
    let issuer = world.issuer();
    for answer in ["code=made-up", "error=access_denied"] {
        let callback = format!("{issuer}/callback?{answer}&state={}", opened.state()?);
        let replay = opened.get(&callback).await?;
        let location = replay.headers()[LOCATION].to_str()?.to_owned();
        assert!(location.starts_with("/problem/already_used/"), "{location}");
        let grant = page.path().trim_start_matches("/handoff/");
        let told = format!("{location}{}", replay.text().await?);
        assert!(!told.contains(grant), "the hand-off is not told");
    }
    // Even with the address of the page, an answer that does not come from the page changes
    // nothing.
    for button in ["continue", "not_me"] {
        assert_eq!(opened.press(page.as_str(), button).await?.status(), 403, "{button}");
    }
    let go = opened.get(&format!("{page}/go")).await?;
    assert!(go.headers().get("refresh").is_none());
    let state = program.attempt(Method::GET, &pushed.attempt, None).await?;
    assert_eq!(state.text("state"), "confirm", "it waits for the person");

    browser.page.click("button[name=not_me]").await?;
    wait::until_async("the person's own answer", wait::WAIT_TIMEOUT, async || {
        let state = program.attempt(Method::GET, &pushed.attempt, None).await?;
        Ok((state.text("state") == "cancelled").then_some(()))
    })
    .await
}

#[tokio::test]
async fn two_tabs_sign_in_and_a_ninth_opening_ends_the_first() -> Result<()> {
    let (world, session) = (World::start()?, DesktopSession::start()?);
    let browser = usual_sign_in(&world, &session).await?;
    let client = NativeClient::new(&world)?;
    // Held at the provider's form: the session there is over.
    let sessions = world.emulator_url().join("_emulator/sessions")?;
    Client::builder().no_proxy().build()?.delete(sessions).send().await?;
    let mut tabs = Vec::new();
    for _ in 0..9 {
        let pushed = client.push(&[]).await?;
        let tab = browser.page.client.new_window(true).await?.handle;
        browser.page.client.switch_to_window(tab.clone()).await?;
        browser.page.client.goto(&pushed.url).await?;
        browser.page.find("[name=password]").await?;
        tabs.push(tab);
    }
    let sign_in = async |tab: usize, shows: &str| -> Result<()> {
        browser.page.client.switch_to_window(tabs[tab].clone()).await?;
        browser.page.fill("[name=email]", Person::ADA.email).await?;
        browser.page.fill("[name=password]", Person::ADA.password).await?;
        browser.page.click("form [type=submit]").await?;
        browser.page.find(shows).await?;
        Ok(())
    };
    sign_in(8, "button[name=continue]").await?;
    sign_in(1, "button[name=continue]").await?;
    sign_in(0, "svg.problem").await?;
    assert!(browser.page.page_text().await.contains("wrong_browser"));
    Ok(())
}
