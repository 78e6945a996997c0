//! The desktop of the tests, by itself: a link opens the default browser, the page is driven, the
//! keychain keeps an item. If this fails, nothing that other tests say about windows and browsers
//! is worth reading.

use std::io::{Read, Write};
use std::net::TcpListener;

use anyhow::Result;
use keyport_tests::desktop::Keyring;
use keyport_tests::{DesktopSession, wait};

/// A page with a form, served until the test ends.
fn serve(page: &'static str) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}/", listener.local_addr()?);
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let _ = socket.read(&mut head);
            let _ = write!(
                socket,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{page}",
                page.len()
            );
        }
    });
    Ok(address)
}

#[tokio::test]
async fn a_link_opens_the_default_browser_and_the_page_can_be_used() -> Result<()> {
    let address = serve(
        "<!doctype html><title>Greeting</title><h1>Hello</h1><input id=name>
         <button id=go>Go</button>
         <script>document.getElementById('go').onclick = () => {
             const name = document.getElementById('name').value;
             document.querySelector('h1').textContent = 'Hello ' + name;
         };</script>",
    )?;
    let session = DesktopSession::start()?;
    session.xdg_open(&address)?;
    let browser = session.browser().await?;
    browser.tab(&address, wait::WAIT_TIMEOUT).await?;
    browser.page.fill("#name", "Ada").await?;
    browser.page.click("#go").await?;
    browser.page.says("Hello Ada", wait::WAIT_TIMEOUT).await?;
    session.window("Greeting", wait::WAIT_TIMEOUT)?;
    assert_eq!(session.opened(), [address], "the browser was started once, with the address only");

    let picture = session.home().join("screen.png");
    session.screenshot_when_still(&picture)?;
    assert!(std::fs::metadata(&picture)?.len() > 5_000, "the display shows something");
    Ok(())
}

#[test]
fn the_keychain_keeps_an_item_until_its_daemon_is_gone() -> Result<()> {
    let mut session = DesktopSession::start()?;
    session.store_secret("a.service", "ada", "the secret of ada")?;
    session.store_secret("a.service", "grace", "the secret of grace")?;
    let items = session.secrets("a.service")?;
    assert_eq!(items["ada"], "the secret of ada");
    assert_eq!(items["grace"], "the secret of grace");
    assert!(session.secrets("another.service")?.is_empty());

    session.kill_secret_service();
    assert!(session.store_secret("a.service", "ada", "later").is_err());
    session.start_secret_service()?;
    assert_eq!(session.secrets("a.service")?["ada"], "the secret of ada", "kept over a restart");
    Ok(())
}

#[test]
fn a_session_without_a_secret_service_really_has_none() -> Result<()> {
    let session = DesktopSession::with().keyring(Keyring::Absent).start()?;
    assert!(session.store_secret("a.service", "ada", "nothing").is_err());
    Ok(())
}

const LINK_PAGE: &str = "<!doctype html><title>Link</title>
    <a id=open href='dev.keyport.desktop:/callback?code=a%2Bb&state=x%20y'>Open</a>";

/// Registers a program for our scheme that writes its arguments to a file, as an installed app's
/// desktop entry would.
fn register_a_receiver(session: &DesktopSession) -> Result<std::path::PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let (script, received) = (session.home().join("receiver"), session.home().join("received"));
    let text = format!(
        "#!/bin/sh\nprintf '%s' \"$*\" >'{0}.part'; mv '{0}.part' '{0}'\n",
        received.display()
    );
    std::fs::write(&script, text)?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    let entry = format!(
        "[Desktop Entry]\nType=Application\nName=Receiver\nExec={} %u\n\
         MimeType=x-scheme-handler/dev.keyport.desktop;\n",
        script.display()
    );
    std::fs::write(session.home().join(".local/share/applications/receiver.desktop"), entry)?;
    session.run(
        "xdg-mime",
        &["default", "receiver.desktop", "x-scheme-handler/dev.keyport.desktop"],
    )?;
    Ok(received)
}

async fn a_link_on_a_page_reaches_the_receiver(
    session: &DesktopSession,
    address: &str,
) -> Result<()> {
    let received = register_a_receiver(session)?;
    session.xdg_open(address)?;
    let browser = session.browser().await?;
    browser.tab(address, wait::WAIT_TIMEOUT).await?;
    browser.page.click("#open").await?;
    session.allow_app(async || Ok(received.exists())).await?;
    let link = std::fs::read_to_string(&received)?;
    assert_eq!(link, "dev.keyport.desktop:/callback?code=a%2Bb&state=x%20y", "byte for byte");
    Ok(())
}

#[tokio::test]
async fn a_page_of_a_trusted_origin_opens_the_app_by_a_link() -> Result<()> {
    let address = serve(LINK_PAGE)?;
    let session = DesktopSession::with().trusting(&address.parse()?).start()?;
    a_link_on_a_page_reaches_the_receiver(&session, &address).await
}

#[tokio::test]
async fn a_page_of_another_origin_opens_the_app_after_a_question() -> Result<()> {
    let address = serve(LINK_PAGE)?;
    let session = DesktopSession::start()?;
    a_link_on_a_page_reaches_the_receiver(&session, &address).await
}
