//! A device key that is trusted for a user lets the hand-off go straight on, until a theft shows.

use crate::support::{Answer, Browser, Device, Service, random};

/// Where the next sign-in of the device arrives.
async fn hand_off(service: &Service, device: &Device) -> Answer {
    let pushed = device.push(service, &[]).await;
    let mut browser = Browser::new();
    let page = browser.arrive(service, &pushed, &random()).await;
    browser.get(&page).await
}

#[tokio::test]
async fn after_a_replayed_token_the_hand_off_asks_for_continue_again() {
    let (service, device) = (Service::start().await, Device::new());
    let session = device.sign_in(&service).await;
    assert_eq!(hand_off(&service, &device).await.status, 303, "a known device goes straight on");
    let first = session["refresh_token"].as_str().unwrap();
    let second = device.refresh(&service, first).await.json();
    let second = second["refresh_token"].as_str().unwrap();
    assert_eq!(device.refresh(&service, second).await.status, 200);
    let replayed = device.refresh(&service, first).await;
    assert_eq!(replayed.error(), (400, "invalid_grant".into()));

    let asked = hand_off(&service, &device).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    assert!(asked.body.contains("name=\"continue\""), "{}", asked.body);
    device.sign_in(&service).await;
    assert_eq!(hand_off(&service, &device).await.status, 303, "once pressed, it is known again");
}
