//! Secrets stay where they belong: not in logs at trace level, not in the database, not in a
//! shipped binary. Real processes.

use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyport_tests::native::{NativeClient, REDIRECT_URI};
use keyport_tests::{Jar, Person, World, binaries};
use url::Url;

/// Every file below `folder` that has `needle` in it.
fn holders(folder: &Path, needle: &[u8]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let (kind, path) = entry.and_then(|entry| Ok((entry.file_type()?, entry.path())))?;
        if kind.is_dir() {
            found.extend(holders(&path, needle)?);
        // A socket holds nothing.
        } else if kind.is_file()
            && std::fs::read(&path)?.windows(needle.len()).any(|window| window == needle)
        {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

fn parameters(url: &str, names: &[&str]) -> Result<Vec<String>> {
    let url = Url::parse(url)?;
    let pairs = url.query_pairs().filter(|(name, _)| names.contains(&name.as_ref()));
    Ok(pairs.map(|(_, value)| value.into_owned()).collect())
}

#[tokio::test]
async fn trace_logs_and_database_hold_no_issued_secret() -> Result<()> {
    let mut world = World::with().log("trace").start()?;
    let client = NativeClient::new(&world)?;
    let pushed = client.push(&[("device_name", "Ada's laptop")]).await?;
    let upstream_callback = format!("{}/callback", world.issuer());
    let mut browser = Jar::new()?.stopping_at(&upstream_callback).stopping_at(REDIRECT_URI);
    let page = Person::ADA.sign_in_at_provider(&mut browser, &pushed.url).await?;
    let upstream = page.leaves_to.context("the provider's answer")?;
    let cookie = browser.cookie("keyport-browser").context("a cookie")?.to_owned();
    let state = parameters(&upstream, &["state"])?.remove(0);
    let sealed = browser.cookie(&format!("keyport-state-{state}")).context("its cookie")?;
    let sealed = sealed.to_owned();
    let mut browser = browser.without_stops().stopping_at(REDIRECT_URI);
    let page = browser.open(&upstream).await?;
    let fields = page.form(Some("continue"))?.fields;
    let csrf_token = fields.into_iter().find(|(name, _)| name == "csrf_token");
    let csrf_token = csrf_token.context("a value in the page")?.1;
    let callback = Person::come_back(&mut browser, page).await?;
    let first = client.redeem(&pushed, &callback).await?.session()?;
    let rotated = client.refresh(&first.refresh).await?.session()?;
    let again = client.refresh(&rotated.refresh).await?.session()?;
    assert_eq!(client.userinfo(&again.access).await?.status, 200);

    let mut secrets = parameters(&upstream, &["code", "state"])?;
    secrets.extend(parameters(&callback, &["code"])?);
    secrets.extend(parameters(&pushed.url, &["request_uri"])?);
    secrets.extend([pushed.verifier, pushed.state, cookie, sealed, csrf_token]);
    let mut binary: Vec<Vec<u8>> = Vec::new();
    for session in [first, rotated, again] {
        // The secret part by itself too, as it would stand in a table without its envelope.
        let raw = URL_SAFE_NO_PAD.decode(session.refresh.trim_start_matches("kpr_"))?;
        binary.push(raw[20..52].to_vec());
        secrets.extend([session.access, session.refresh]);
    }
    secrets.push(keyport_tests::world::API_KEY.to_owned());
    let logs = holders(&world.folder().join("logs"), b"request_id")?;
    assert!(logs.iter().any(|file| file.ends_with("companion.log")), "there is a log to search");
    for secret in secrets.into_iter().map(String::into_bytes).chain(binary) {
        // The emulator stands in for a foreign service: its log is not ours.
        let held: Vec<_> = holders(world.folder(), &secret)?;
        let held: Vec<_> =
            held.into_iter().filter(|file| !file.ends_with("emulator.log")).collect();
        assert!(held.is_empty(), "{} characters of a secret in {held:?}", secret.len());
    }
    world.stop_companion()?;
    Ok(())
}

#[test]
fn no_shipped_binary_holds_an_api_key() -> Result<()> {
    for name in ["keyport", "keyport-desktop", "keyport-companion"] {
        let bytes = std::fs::read(binaries::path(name)?)?;
        for prefix in [&b"sk_test_"[..], b"sk_live_"] {
            let found = bytes.windows(prefix.len() + 8).find(|w| {
                w.starts_with(prefix) && w[prefix.len()..].iter().all(u8::is_ascii_alphanumeric)
            });
            assert!(found.is_none(), "{name} holds {:?}", found.map(String::from_utf8_lossy));
        }
    }
    let emulator = std::fs::read(binaries::path("keyport-emulator")?)?;
    let known = keyport_tests::world::API_KEY.as_bytes();
    assert!(emulator.windows(known.len()).any(|w| w == known), "the search would find one");
    Ok(())
}
