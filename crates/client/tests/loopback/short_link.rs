//! The short link of the listener: it sends a person's browser on, as often as they like, and says
//! nothing to anyone else.

use keyport_client::browser::{self, Browser, CompanionOrigin, Opening, PermittedUrl};
use keyport_client::receivers::loopback::{LoopbackListener, ShortLink};
use keyport_core::secret::AuthorizationUrl;
use url::Url;

use crate::support::*;

const AUTHORIZE: &str = "https://companion.test/oauth/authorize?client_id=a&request_uri=urn%3Ab";
const PATH: &str = "/AQIDBAUGBwgJCgsM";

fn short_link(listener: &LoopbackListener) -> ShortLink {
    listener.short_link([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
}

/// A browser that only remembers the short link that it was given.
#[derive(Default)]
struct Given(std::sync::Mutex<Option<String>>);

impl Browser for Given {
    fn open<'a>(&'a self, url: &'a PermittedUrl) -> Opening<'a> {
        *self.0.lock().unwrap() = url.short_link().map(str::to_owned);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// As the driver does when the browser is to open.
async fn open(url: &str, link: &ShortLink) -> Option<String> {
    let companion = CompanionOrigin::of(&Url::parse("https://companion.test").unwrap()).unwrap();
    let given = Given::default();
    let _ =
        browser::open(&given, &AuthorizationUrl::new(url), &companion, Some(link.clone())).await;
    given.0.into_inner().unwrap()
}

#[tokio::test]
async fn the_short_link_works_repeatedly_beside_the_callback() {
    let listener = listener().await;
    let host = host(&listener);
    let link = short_link(&listener);
    let shown = open(AUTHORIZE, &link).await.unwrap();
    assert_eq!(shown, format!("http://{host}{PATH}"));
    assert!(shown.len() <= 60, "{shown}");
    let app = app_waits(listener);
    for _ in 0..3 {
        let response = navigate(&host, PATH).await;
        assert_eq!(status(&response), "303", "{response}");
        for line in [
            format!("Location: {AUTHORIZE}").as_str(),
            "Cache-Control: no-store",
            "Referrer-Policy: no-referrer",
            "Connection: close",
        ] {
            assert!(has_header(&response, line), "{line} in {response}");
        }
    }
    let listener = assert_signs_in(&host, app).await;
    assert_eq!(listener.counts().callbacks, 1, "a link is no callback");
    listener.close().await;
    assert!(tokio::net::TcpStream::connect(&host).await.is_err(), "and over with the attempt");
}

#[tokio::test]
async fn every_path_but_the_short_link_is_not_found() {
    let listener = listener().await;
    let host = host(&listener);
    let link = short_link(&listener);
    assert_eq!(status(&navigate(&host, PATH).await), "404", "it leads nowhere yet");
    open("https://elsewhere.test/", &link).await;
    assert_eq!(status(&navigate(&host, PATH).await), "404", "only the companion is led to");
    open(AUTHORIZE, &link).await;
    for path in [
        "/",
        "/AQIDBAUGBwgJCgs",
        "/AQIDBAUGBwgJCgsM/",
        "/AQIDBAUGBwgJCgsM?x=1",
        "/aqidbaugbwgjcgsm",
    ] {
        let response = navigate(&host, path).await;
        assert_eq!(status(&response), "404", "{path}");
        assert!(!response.contains("companion.test"), "{path}: {response}");
    }
    assert_eq!(listener.counts().refused, 7);
}

#[tokio::test]
async fn it_is_for_navigations_of_this_host_alone() {
    let listener = listener().await;
    let host = host(&listener);
    open(AUTHORIZE, &short_link(&listener)).await;
    let speculative = format!("{NAVIGATION}Sec-Purpose: prefetch\r\n");
    let image =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n";
    let frame = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n";
    for (request, expected) in [
        (get(PATH, "evil.test", NAVIGATION), "421"),
        (get(PATH, &host, NAVIGATION).replacen("GET", "POST", 1), "405"),
        (get(PATH, &host, NAVIGATION).replacen("GET", "HEAD", 1), "405"),
        (get(PATH, &host, &speculative), "403"),
        (get(PATH, &host, image), "403"),
        (get(PATH, &host, frame), "403"),
        (get(PATH, &host, "Content-Length: 1\r\n"), "400"),
    ] {
        let response = exchange(&host, request.as_bytes()).await;
        assert_eq!(status(&response), expected, "{request}");
        assert!(!response.contains("companion.test"), "{response}");
    }
    assert_eq!(status(&navigate(&host, PATH).await), "303");
}
