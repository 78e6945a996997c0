//! A certified OAuth library that is not ours signs in from the metadata: PAR, PKCE, DPoP with
//! nonce, `iss`, refresh, userinfo, revocation. What it believes, anybody's library can believe.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use keyport_tests::native::REDIRECT_URI;
use keyport_tests::{Jar, Person, World, npm};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

#[tokio::test]
async fn oauth4webapi_signs_in_refreshes_asks_who_and_revokes() -> Result<()> {
    let folder = npm::project("oauth_library")?;
    let world = World::start()?;
    let mut library = Command::new(folder.join("node_modules/node/bin/node"))
        .arg("sign_in.mjs")
        .current_dir(&folder)
        .env("ISSUER", world.issuer())
        .env("REDIRECT_URI", REDIRECT_URI)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("the Node that the project brings")?;
    let mut lines = BufReader::new(library.stdout.take().context("its output")?).lines();
    let mut event = async || -> Result<Value> {
        let line = lines.next_line().await?.context("the library ended; its error is above")?;
        Ok(serde_json::from_str(&line)?)
    };

    let first = event().await?;
    let url = first["url"].as_str().context("an authorization URL")?;
    let callback = Person::ADA.sign_in(&mut Jar::new()?.stopping_at(REDIRECT_URI), url).await?;
    let mut input = library.stdin.take().context("its input")?;
    input.write_all(format!("{callback}\n").as_bytes()).await?;

    let done = event().await?;
    assert_eq!(done["event"], "done");
    assert_eq!(done["email"], "ada@acme.test");
    assert_eq!(
        done["challenges"], 1,
        "one nonce challenge, at the first request: never two running"
    );
    ensure!(library.wait().await?.success());
    Ok(())
}
