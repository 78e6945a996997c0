//! What is not a callback is refused by the listener itself, and the app never hears of it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::*;

/// Sends each request, expects its status, and then signs in: nothing was used up.
async fn refuses(cases: &[(&str, Vec<u8>)], host: &str, expected: &str) {
    for (name, bytes) in cases {
        let response = exchange(host, bytes).await;
        assert_eq!(status(&response), expected, "{name}: {response}");
        assert!(has_header(&response, "Connection: close"), "{name}");
        assert!(response.ends_with("\r\n\r\n"), "{name}: a refusal has no body");
    }
}

#[tokio::test]
async fn a_foreign_host_is_misdirected() {
    let listener = listener().await;
    let host = host(&listener);
    let port = host.rsplit(':').next().unwrap().to_owned();
    let app = app_waits(listener);
    let mut cases = Vec::new();
    let rebound = format!("evil.test:{port}");
    let localhost = format!("localhost:{port}");
    let six = format!("[::1]:{port}");
    for foreign in ["evil.test", "127.0.0.1", "127.0.0.1:1", "", &rebound, &localhost, &six] {
        cases.push((foreign, get(REAL, foreign, NAVIGATION).into_bytes()));
    }
    cases.push(("none", format!("GET {REAL} HTTP/1.1\r\n\r\n").into_bytes()));
    cases.push(("two", get(REAL, &host, &format!("Host: {host}\r\n")).into_bytes()));
    refuses(&cases, &host, "421").await;
    let listener = assert_signs_in(&host, app).await;
    assert_eq!(listener.counts().refused, 9);
    assert_eq!(listener.counts().callbacks, 1);
}

#[tokio::test]
async fn only_get_is_answered_and_a_head_response_has_no_body() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    for method in ["POST", "HEAD", "OPTIONS", "PUT", "DELETE", "CONNECT", "get", "BREW"] {
        let request = get(REAL, &host, NAVIGATION).replacen("GET", method, 1);
        let response = exchange(&host, request.as_bytes()).await;
        assert_eq!(status(&response), "405", "{method}");
        assert!(has_header(&response, "Allow: GET"));
        assert!(response.ends_with("\r\n\r\n"));
    }
    let form = format!(
        "POST /callback HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\
         \r\nContent-Length: 27\r\n\r\ncode=real-code&state=ours&&"
    );
    assert_eq!(status(&exchange(&host, form.as_bytes()).await), "405");
    let preflight = "OPTIONS /callback HTTP/1.1\r\nOrigin: https://evil.test\r\n\
         Access-Control-Request-Private-Network: true\r\n";
    let response = exchange(&host, format!("{preflight}Host: {host}\r\n\r\n").as_bytes()).await;
    assert!(!response.to_ascii_lowercase().contains("access-control"), "{response}");
    assert_signs_in(&host, app).await;
}

#[tokio::test]
async fn the_favicon_and_every_other_path_are_not_found() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let icon =
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n";
    let absolute = format!("http://{host}{REAL}");
    let cases: Vec<_> = [
        ("/favicon.ico", icon),
        ("/", NAVIGATION),
        ("/exit", NAVIGATION),
        ("/cancel", NAVIGATION),
        ("/callback/?code=real-code&state=ours", NAVIGATION),
        ("/CALLBACK?code=real-code&state=ours", NAVIGATION),
        ("//callback?code=real-code&state=ours", NAVIGATION),
        ("/x/../callback?code=real-code&state=ours", NAVIGATION),
        (&absolute, NAVIGATION),
        ("*", NAVIGATION),
    ]
    .into_iter()
    .map(|(target, headers)| (target, get(target, &host, headers).into_bytes()))
    .collect();
    refuses(&cases, &host, "404").await;
    assert_signs_in(&host, app).await;
}

#[tokio::test]
async fn refuses_prefetches_frames_images_and_scripts() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let fetch = |site: &str, mode: &str, dest: &str| {
        format!("Sec-Fetch-Site: {site}\r\nSec-Fetch-Mode: {mode}\r\nSec-Fetch-Dest: {dest}\r\n")
    };
    let navigation = fetch("none", "navigate", "document");
    let cases: Vec<_> = [
        ("link prefetch", fetch("same-site", "no-cors", "empty") + "Sec-Purpose: prefetch\r\n"),
        ("speculation rules", navigation.clone() + "Sec-Purpose: prefetch\r\n"),
        ("prerender", navigation.clone() + "Sec-Purpose: prefetch;prerender\r\n"),
        ("a purpose yet unknown", navigation.clone() + "Sec-Purpose: x\r\n"),
        ("a purpose without a browser's metadata", "sec-purpose:\r\n".to_owned()),
        ("older browsers", "Purpose: prefetch\r\n".to_owned()),
        ("older Firefox", "X-Moz: prefetch\r\n".to_owned()),
        ("iframe", fetch("cross-site", "navigate", "iframe")),
        ("object", fetch("cross-site", "navigate", "object")),
        ("image", fetch("cross-site", "no-cors", "image")),
        ("script", fetch("cross-site", "no-cors", "script")),
        ("fetch", fetch("cross-site", "cors", "empty") + "Origin: https://evil.test\r\n"),
        ("fetch without cors", fetch("cross-site", "no-cors", "empty")),
        ("websocket", fetch("cross-site", "websocket", "websocket")),
        ("metadata in part", "Sec-Fetch-Site: cross-site\r\n".to_owned()),
    ]
    .into_iter()
    .map(|(name, headers)| (name, get(REAL, &host, &headers).into_bytes()))
    .collect();
    refuses(&cases, &host, "403").await;
    assert_signs_in(&host, app).await;
}

#[tokio::test]
async fn accepts_navigations_from_any_site() {
    for site in ["none", "same-origin", "same-site", "cross-site"] {
        for user in ["", "Sec-Fetch-User: ?1\r\n"] {
            let listener = listener().await;
            let host = host(&listener);
            let app = app_waits(listener);
            let headers = format!(
                "Sec-Fetch-Site: {site}\r\nSec-Fetch-Mode: navigate\r\n{user}\
                 Sec-Fetch-Dest: document\r\nReferer: http://127.0.0.1:8765/\r\n"
            );
            let response = exchange(&host, get(REAL, &host, &headers).as_bytes()).await;
            assert_eq!(status(&response), "303", "{headers}");
            finished(app).await;
        }
    }
}

#[tokio::test]
async fn bodies_and_odd_encodings_are_refused() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let cases: Vec<_> = [
        "Content-Length: 5\r\n\r\nhello",
        "Content-Length: -1\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: gzip, x-evil\r\nContent-Length: 0\r\n",
    ]
    .into_iter()
    .map(|headers| (headers, get(REAL, &host, headers).into_bytes()))
    .collect();
    refuses(&cases, &host, "400").await;
    assert_signs_in(&host, app).await;
}

#[tokio::test]
async fn bytes_that_are_not_http_are_refused() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let tls = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
    let nul_value = get(REAL, &host, "X-A: a\0b\r\n");
    let cases = [
        ("a TLS hello", tls.to_vec()),
        ("NUL", vec![0; 16]),
        ("a NUL in the target", get("/callback\0?state=ours", &host, "").into_bytes()),
        ("a NUL in a header", nul_value.into_bytes()),
        ("a space in a name", get(REAL, &host, "X A: b\r\n").into_bytes()),
        ("a folded line", get(REAL, &host, "X-A: b\r\n c\r\n").into_bytes()),
        ("a lone carriage return", get(REAL, &host, "X-A: b\rc\r\n").into_bytes()),
        ("noise", (0..=255u8).rev().collect()),
        ("another protocol", b"\x05\x01\x00\x00\r\n\r\n".to_vec()),
    ];
    refuses(&cases, &host, "400").await;
    assert_signs_in(&host, app).await;
}

#[tokio::test]
async fn other_versions_and_oversized_headers_are_refused() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let old = get(REAL, &host, "").replace("HTTP/1.1", "HTTP/1.0");
    refuses(&[("HTTP/1.0", old.into_bytes())], &host, "505").await;
    let long = format!("X-Long: {}\r\n", "x".repeat(9 * 1024));
    let target = format!("/callback?state=ours&code={}", "x".repeat(9 * 1024));
    let cases = [
        ("a long header", get(REAL, &host, &long).into_bytes()),
        ("a long target", get(&target, &host, "").into_bytes()),
        ("a megabyte", get(REAL, &host, &long.repeat(110)).into_bytes()),
        ("many headers", get(REAL, &host, &"X-A: b\r\n".repeat(100)).into_bytes()),
    ];
    refuses(&cases, &host, "431").await;
    assert_signs_in(&host, app).await;
}

#[tokio::test]
async fn a_refused_peer_that_still_sends_is_not_reset_at_once() {
    let listener = listener().await;
    let host = host(&listener);
    // Once is enough: a listener that closes without reading on resets every time.
    for _ in 0..10 {
        let mut peer = connect(&host).await;
        peer.write_all(&[b'x'; 9 * 1024]).await.unwrap();
        let mut response = [0; 1024];
        let length = peer.read(&mut response).await.expect("a refusal");
        assert_eq!(status(&String::from_utf8_lossy(&response[..length])), "431");
        let first = peer.write_all(b"more").await;
        if first.is_ok() && peer.write_all(b"and more").await.is_ok() {
            return;
        }
    }
    panic!("reset every time");
}
