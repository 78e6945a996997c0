//! What one caller can make the service do: so many callbacks for a link, and no more.

use crate::support::{Browser, Device, Service, parameter};

#[tokio::test]
async fn a_link_takes_eight_callbacks_and_the_next_link_works() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    for opening in 1..=12 {
        let mut browser = Browser::new();
        let state = parameter(browser.authorize(&service, &pushed).await.as_str(), "state");
        let url = format!("{}/callback?error=access_denied&state={state}", service.url);
        let answer = browser.get(&url).await;
        if opening <= 8 {
            assert_eq!(answer.status, 303, "{opening}: {}", answer.body);
        } else {
            assert_eq!((answer.status, answer.problem()), (400, "already_used"), "{opening}");
        }
    }
    device.sign_in(&service).await;
}
