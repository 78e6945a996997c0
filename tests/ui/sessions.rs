//! Where a person is signed in, drawn by a real browser.

use serde_json::json;

use crate::{asked, page, press, run, show};

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_everywhere() {
    let driver = page().await;
    show(&driver, "signed_in").await;
    driver.click("[data-intent=show-sessions]").await.unwrap();
    assert_eq!(asked(&driver).await, json!([["show-sessions", null]]));
    show(&driver, "sessions").await;
    let lines = "return [...document.querySelectorAll('.sessions li')].map((line) =>
        [line.querySelector('.device').textContent,
         line.querySelector('[data-fact=this]').checkVisibility()])";
    let named = "A workstation with a long name in the laboratory";
    let wanted =
        json!([["Ada's laptop", true], [named, false], ["A device without a name", false]]);
    assert_eq!(run(&driver, lines, Vec::new()).await, wanted);
    driver.click("[data-intent=end-session][data-session=session_2]").await.unwrap();
    driver.click("[data-intent=sign-out-everywhere]").await.unwrap();
    let wanted = json!([["end-session", "session_2"], ["sign-out-everywhere", null]]);
    assert_eq!(asked(&driver).await, wanted);
    press(&driver, "\u{e00c}").await;
    assert_eq!(asked(&driver).await, json!([["dismiss", null]]), "Escape goes back");
    show(&driver, "sessions-offline").await;
    driver.click("section [data-intent=try-again]").await.unwrap();
    assert_eq!(asked(&driver).await, json!([["try-again", null]]));
}
