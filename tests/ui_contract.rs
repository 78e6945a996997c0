//! The window's page, drawn by a real browser from every view that the core can show, under the
//! policy it is shipped with. NOT the app: no shell and no sign-in; `app_*.rs` drive the real
//! window.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "ui/cases.rs"]
mod cases;
#[path = "ui/intents.rs"]
mod intents;
#[path = "ui/preview.rs"]
mod preview;
#[path = "../src-tauri/src/screen_update.rs"]
mod screen_update;
#[path = "ui/sessions.rs"]
mod sessions;
#[path = "../src-tauri/src/text.rs"]
mod text;
#[path = "../src-tauri/src/zoom.rs"]
mod zoom;

use std::ops::Deref;
use std::process::Command;

use keyport_core::View;
use keyport_tests::desktop::Driver;
use keyport_tests::{Process, process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// What a person would call broken on the screen that is shown now; empty when all is well.
const WHAT_IS_BROKEN: &str = r#"
const broken = [...window.noted.wrong];
const [name] = arguments;
const seen = (element) => element.checkVisibility({ visibilityProperty: true });
const { screen } = document.body.dataset;
if (screen !== name) broken.push(`the screen is ${screen}, not ${name}`);
const shown = document.querySelectorAll('section');
if (shown.length !== 1) broken.push('not exactly one section is shown');
const named = '[data-words], [data-fact], [data-part]:not([data-part=between]), h1, button';
for (const element of document.querySelectorAll(named)) {
  const text = element.textContent.trim();
  const isNoWord = !text || /undefined|\{|\[object|^[a-z]+(-[a-z]+)+$/.test(text);
  if (seen(element) && isNoWord) broken.push(`${element.outerHTML} has no words`);
}
for (const button of [...document.querySelectorAll('button')].filter(seen)) {
  const { intent, command, opens, shows } = button.dataset;
  if (!intent && !command && !opens && !shows) broken.push(`${button.textContent} does nothing`);
}
const primary = [...document.querySelectorAll('.primary')].filter(seen);
if (primary.length > 1) broken.push('two primary actions');
for (const field of document.querySelectorAll('input')) {
  if (!field.labels[0]) broken.push('a field without a label');
}
const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
if (new Set(ids).size !== ids.length) broken.push('an id twice');
const hasFocus = shown[0]?.contains(document.activeElement);
if (!hasFocus) broken.push('the focus is not on the screen that arrived');
const page = document.documentElement;
const [wide, room] = [page.scrollWidth, page.clientWidth];
if (wide > room) broken.push(`wider than the window: ${wide} > ${room}`);
return broken;
"#;

/// One browser at a time: five of them on two cores only wait for each other.
static TURN: Mutex<()> = Mutex::const_new(());

struct Window {
    driver: Driver,
    _logs: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Deref for Window {
    type Target = Driver;

    fn deref(&self) -> &Driver {
        &self.driver
    }
}

async fn page() -> Window {
    let lock = TURN.lock().await;
    let logs = tempfile::tempdir().unwrap();
    let port = process::free_port().unwrap();
    let mut command = Command::new("chromedriver");
    command.arg(format!("--port={port}"));
    let process = Process::spawn("chromedriver", command, logs.path()).unwrap();
    let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
    let capabilities = json!({"goog:chromeOptions": {"args": arguments}});
    let driver = Driver::join(process, port, capabilities).await.unwrap();
    driver.client.goto(&preview::serve().unwrap()).await.unwrap();
    driver.find("#email").await.unwrap();
    Window { driver, _logs: logs, _turn: lock }
}

async fn run(driver: &Driver, script: &str, arguments: Vec<Value>) -> Value {
    driver.client.execute(script, arguments).await.unwrap()
}

async fn show(driver: &Driver, case: &str) {
    run(driver, "window.show(arguments[0])", vec![json!(case)]).await;
}

async fn press(driver: &Driver, key: &str) {
    let focused = driver.client.active_element().await.unwrap();
    focused.send_keys(key).await.unwrap();
}

async fn asked(driver: &Driver) -> Value {
    run(driver, "return window.noted.asked.splice(0)", Vec::new()).await
}

#[tokio::test]
async fn every_screen_has_words_one_primary_action_and_fits() {
    let driver = page().await;
    // The usual window, the smallest one, and the smallest one at 200 % zoom.
    for (width, height) in [(440, 620), (360, 520), (180, 260)] {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        set_metrics(&driver, metrics).await;
        let views = cases::all().into_iter().map(|(case, view)| (case, screen_of(&view)));
        for (case, screen) in views.chain([("not_set_up".to_owned(), json!("not_set_up"))]) {
            show(&driver, &case).await;
            let broken = run(&driver, WHAT_IS_BROKEN, vec![screen]).await;
            assert_eq!(broken, json!([]), "{case} at {width}x{height}");
        }
    }
}

fn screen_of(view: &View) -> Value {
    serde_json::to_value(view).unwrap()["screen"].clone()
}

async fn set_metrics(driver: &Driver, metrics: Value) {
    driver.client.issue_cmd(Cdp("Emulation.setDeviceMetricsOverride", metrics)).await.unwrap();
}

#[derive(Debug)]
struct Cdp(&'static str, Value);

impl fantoccini::wd::WebDriverCompatibleCommand for Cdp {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({"cmd": self.0, "params": self.1}).to_string()))
    }
}

#[tokio::test]
async fn the_keyboard_alone_signs_in_and_cancels() {
    let driver = page().await;
    press(&driver, "not an email\u{e007}").await;
    assert_eq!(asked(&driver).await, json!([]), "nothing is sent that is no email");
    assert!(driver.find("#email-wrong").await.is_ok(), "and the person hears why");
    run(&driver, "document.activeElement.value = ''", Vec::new()).await;
    press(&driver, " ada@acme.test \u{e007}").await;
    assert_eq!(asked(&driver).await, json!([["sign-in", "ada@acme.test"]]));
    press(&driver, "\u{e004}").await;
    press(&driver, "\u{e004}").await;
    press(&driver, "\u{e007}").await;
    assert_eq!(asked(&driver).await, json!([["sign-in", null]]));
    // Escape is pressed by mistake, and would cost what was done in the browser.
    for screen in ["preparing", "waiting", "confirm"] {
        show(&driver, screen).await;
        press(&driver, "\u{e00c}").await;
        assert_eq!(asked(&driver).await, json!([]), "{screen}");
        driver.find("[data-intent=cancel]").await.unwrap().send_keys("\u{e007}").await.unwrap();
        assert_eq!(asked(&driver).await, json!([["cancel", null]]), "{screen}");
    }
    show(&driver, "problem-timed_out").await;
    press(&driver, "\u{e007}").await;
    assert_eq!(asked(&driver).await, json!([["try-again", null]]));
    press(&driver, "\u{e00c}").await;
    assert_eq!(asked(&driver).await, json!([["dismiss", null]]));
}

#[tokio::test]
async fn another_account_by_email_leaves_the_first_one_shown() {
    let driver = page().await;
    show(&driver, "signed_in").await;
    driver.click("[data-shows=another]").await.unwrap();
    driver.fill("#another-email", "grace@acme.test\u{e007}").await.unwrap();
    assert_eq!(asked(&driver).await, json!([["sign-in", "grace@acme.test"]]));
    press(&driver, "\u{e00c}").await;
    assert!(driver.find("[data-intent=sign-out]").await.is_ok(), "Escape goes back");
    assert_eq!(asked(&driver).await, json!([]));
}

#[tokio::test]
async fn every_problem_offers_its_own_way_out_first() {
    let driver = page().await;
    for (problem, intent) in [
        ("timed_out", "try-again"),
        ("no_selector", "dismiss"),
        ("keychain_locked", "try-again"),
        ("session_ended", "dismiss"),
    ] {
        show(&driver, &format!("problem-{problem}")).await;
        driver.click("section .primary").await.unwrap();
        assert_eq!(asked(&driver).await[0][0], json!(intent), "{problem}");
    }
    show(&driver, "problem-keychain_locked").await;
    driver.click("[data-intent=continue-without-saving]").await.unwrap();
    assert_eq!(asked(&driver).await, json!([["continue-without-saving", null]]));
}

#[tokio::test]
async fn another_way_is_offered_only_while_one_is_left() {
    let driver = page().await;
    for (case, first, last) in [
        ("waiting", "open-again", "open-again"),
        ("problem-receiver_blocked", "another-way", "try-again"),
    ] {
        for (another_way, first) in [(true, first), (false, last)] {
            let script = "window.draw({...window.DRAWINGS.signed_out});
                const drawing = window.DRAWINGS[arguments[0]];
                window.draw({...drawing, view: {...drawing.view, another_way: arguments[1]}});
                document.querySelector('[data-opens]')?.click();
                const button = document.querySelector('section [data-intent=another-way]');
                const { intent } = document.querySelector('section .primary').dataset;
                return [Boolean(button?.checkVisibility()), intent];";
            let shown = run(&driver, script, vec![json!(case), json!(another_way)]).await;
            assert_eq!(shown, json!([another_way, first]), "{case}");
        }
    }
}

#[tokio::test]
async fn other_accounts_are_shown_and_all_can_be_signed_out() {
    let driver = page().await;
    show(&driver, "signed_in").await;
    assert!(!driver.has("[data-intent=show-account]").await);
    let hidden = "return document.querySelector('[data-intent=sign-out-of-all]').checkVisibility()";
    assert_eq!(run(&driver, hidden, Vec::new()).await, json!(false));
    show(&driver, "signed_in-others").await;
    driver.click("[data-intent=show-account][data-account=two]").await.unwrap();
    driver.click("[data-intent=sign-out-of-all]").await.unwrap();
    let wanted = json!([["show-account", "two"], ["sign-out-of-all", null]]);
    assert_eq!(asked(&driver).await, wanted);
}

#[tokio::test]
async fn text_gets_larger_and_smaller_with_the_keys_of_a_browser() {
    let driver = page().await;
    for (key, step) in [("+", "in"), ("=", "in"), ("-", "out"), ("0", "reset")] {
        for screen in ["signed_out", "waiting", "problem-timed_out"] {
            show(&driver, screen).await;
            press(&driver, &format!("\u{e009}{key}")).await;
            assert_eq!(asked(&driver).await, json!([["zoom", step]]), "{key} on {screen}");
        }
    }
}

#[tokio::test]
async fn foreign_text_neither_reverses_nor_breaks_what_is_around_it() {
    let driver = page().await;
    let drawing = preview::drawing(cases::hostile()).unwrap();
    let shown = drawing.to_string();
    for hidden in
        ["\\u0000", "\\u0007", "\\n", "\\t", "\u{202E}", "\u{202D}", "\u{2066}", "\u{200B}"]
    {
        assert!(!shown.contains(hidden), "{hidden:?} reaches the page");
    }
    assert!(!shown.contains(['\u{E0041}', '\u{200F}', '\u{202C}']));
    run(&driver, "window.draw(arguments[0])", vec![drawing]).await;
    let texts = "const fact = (name) => document.querySelector(`.person [data-fact=${name}]`);
        return ['name', 'email'].map((name) => fact(name).textContent)";
    let texts = run(&driver, texts, Vec::new()).await;
    assert_eq!(texts, json!(["AdaecalevoL Sign out", "ada@acme.test"]));
    let directions = "return [...document.querySelectorAll('[data-fact], [data-words], dd')]
        .filter((element) => getComputedStyle(element).unicodeBidi !== 'isolate').length";
    assert_eq!(run(&driver, directions, Vec::new()).await, json!(0));
}

#[tokio::test]
async fn the_live_region_speaks_of_states_and_never_of_seconds() {
    let driver = page().await;
    let listen = "window.heard = [];
        const status = document.getElementById('status');
        const observer = new MutationObserver(() => heard.push(status.textContent));
        observer.observe(status, {childList: true, characterData: true, subtree: true});";
    run(&driver, listen, Vec::new()).await;
    for seconds in (30..=90).rev() {
        let drawing = preview::drawing(cases::waiting_for(seconds)).unwrap();
        run(&driver, "window.draw(arguments[0])", vec![drawing]).await;
    }
    show(&driver, "waiting-returning").await;
    let heard = run(&driver, "return window.heard", Vec::new()).await;
    assert_eq!(heard, json!(["One minute left.", "Your browser is coming back to Keyport."]));
}
