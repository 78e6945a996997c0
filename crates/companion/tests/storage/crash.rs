//! The process dies at any moment, or its disk fills up: what was acknowledged stands and no
//! session ends. The test starts itself again as the process that dies.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use keyport_companion::domain::{RefreshRefusal, SecretText, SystemRandom};
use keyport_companion::keys::{KeyFile, Keys};
use keyport_companion::storage::{RotateRefresh, Rotation, SqliteSettings, StorageError};

use crate::world::{CLIENT, LAPTOP, World, at, refresh_token};

const FOLDER: &str = "KEYPORT_TEST_FOLDER";
const TOKEN: &str = "KEYPORT_TEST_TOKEN";

fn world_in(folder: &Path) -> World {
    let database = folder.join("keyport.db");
    let key = folder.join("keyport.key");
    let file = KeyFile::read_or_create(&key, None, &SystemRandom).unwrap();
    World::at_path(database, Arc::new(Keys::derive(&file)), SqliteSettings::default())
}

fn suffering(test: &str, folder: &Path, token: &str, shell: &str) -> Child {
    Command::new("/bin/sh")
        .args(["-c", shell, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(TOKEN, token)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn role() -> Option<(PathBuf, String)> {
    Some((std::env::var_os(FOLDER)?.into(), std::env::var(TOKEN).ok()?))
}

/// The process that is killed: presents the newest token, says the child aloud, and so on.
async fn refresh_until_killed(folder: &Path, mut token: String) {
    let world = world_in(folder);
    let mut out = std::io::stdout();
    writeln!(out).unwrap();
    loop {
        token = world.rotate(&token, at(1)).await;
        writeln!(out, "{token}").unwrap();
        out.flush().unwrap();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn kill_9_in_a_stream_of_refreshes_ends_no_session() {
    if let Some((folder, token)) = role() {
        return refresh_until_killed(&folder, token).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut stored = {
        let world = world_in(folder.path());
        world.sign_in(LAPTOP, at(0)).await.1
    };
    let test = "crash::kill_9_in_a_stream_of_refreshes_ends_no_session";
    let mut refreshes = 0;
    for cycle in 0..25 {
        let mut child = suffering(test, folder.path(), &stored, "exec \"$@\"");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut heard = 0;
        while let Some(Ok(line)) = lines.next() {
            // A line that the kill has cut short is an answer that was lost.
            if line.starts_with("kpr_") && line.len() == stored.len() {
                stored = line;
                heard += 1;
            }
            if heard == 1 + cycle % 7 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(heard > 0, "cycle {cycle}: the newest token was refused");
        refreshes += heard;
    }
    let world = world_in(folder.path());
    world.rotate(&stored, at(2)).await;
    assert!(refreshes >= 25);
}

/// The process whose disk is full: signs in and refreshes until it cannot, and hears of nothing but
/// that.
async fn fill_the_disk(folder: &Path, first: String) {
    let world = world_in(folder);
    let mut token = first;
    let mut rotations = 0;
    let problem = loop {
        let request = RotateRefresh {
            address: None,
            token: SecretText::new(token.clone()),
            client_id: CLIENT.into(),
            jkt: LAPTOP,
        };
        match world.storage.rotate_refresh(request, at(1)).await {
            Ok(Rotation::Rotated(issued)) => token = refresh_token(&issued),
            Ok(Rotation::Refused(why)) => panic!("a full disk said {why:?}"),
            Err(problem) => break problem,
        }
        rotations += 1;
        assert!(rotations < 20_000, "the disk never filled");
    };
    assert!(matches!(problem, StorageError::Unavailable(_)), "{problem:?}");
    // What did not hold a refresh may still hold the pages of a few smaller writes.
    let mut probes = 0;
    while world.storage.ready(at(0)).await.is_ok() {
        probes += 1;
        assert!(probes < 16, "a full disk is not ready");
    }
    let mut out = std::io::stdout();
    writeln!(out, "\n{token}").unwrap();
    out.flush().unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_unavailable_and_ends_no_session() {
    if let Some((folder, token)) = role() {
        return fill_the_disk(&folder, token).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let first = world_in(folder.path()).sign_in(LAPTOP, at(0)).await.1;
    let test = "crash::a_full_disk_is_unavailable_and_ends_no_session";
    // No file may grow past 1 MiB; the signal that goes with it is ignored, so the write just
    // fails.
    let shell = "trap '' XFSZ; ulimit -f 2048; exec \"$@\"";
    let mut child = suffering(test, folder.path(), &first, shell);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let newest = lines.map_while(Result::ok).filter(|line| line.starts_with("kpr_")).last();
    assert!(child.wait().unwrap().success());
    let newest = newest.expect("the token that the full disk has left");

    let world = world_in(folder.path());
    let child = world.rotate(&newest, at(2)).await;
    world.rotate(&child, at(3)).await;
    assert_eq!(world.refused_refresh(&newest, LAPTOP, at(4)).await, RefreshRefusal::Replayed);
}
