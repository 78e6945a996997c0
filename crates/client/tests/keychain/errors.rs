//! Absent, locked, refused and slow: told apart, ended within the deadline, and recovered from by
//! the same process. No dialog opens but when asked for.

use std::time::Duration;

use crate::client::Client;
use crate::session::Session;

/// The deadline of every call is 3 seconds; the rest is this machine's.
const DEADLINE: Duration = Duration::from_millis(3900);
const EVERYTHING: [&str; 5] =
    ["probe", "read device", "write device x", "delete device", "set-aside device"];

#[test]
fn without_a_bus_there_is_no_keychain() {
    let session = Session::without_bus();
    let path = std::env::current_exe().unwrap();
    for address in [None, Some("unix:path=/nowhere/bus"), Some("nonsense"), Some("")] {
        let mut command = session.command(&path);
        match address {
            Some(address) => command.env("DBUS_SESSION_BUS_ADDRESS", address),
            None => command.env_remove("DBUS_SESSION_BUS_ADDRESS"),
        };
        let mut client = Client::start(command);
        for line in EVERYTHING {
            client.expect(line, "absent");
        }
        client.expect("unlock", "absent");
    }
}

#[test]
fn a_service_that_appears_later_is_found_and_its_end_noticed() {
    let mut session = Session::with_bus();
    let mut client = Client::in_session(&session);
    for line in EVERYTHING {
        client.expect(line, "absent");
    }
    session.start_keyring_unlocked();
    client.expect("probe", "ok");
    client.expect("write device kept", "ok");
    session.kill_keyring();
    for line in EVERYTHING {
        client.expect(line, "absent");
    }
    session.start_keyring_unlocked();
    client.expect("read device", "holds kept");
    session.kill_bus();
    client.expect("read device", "absent");
    client.expect("probe", "absent");
    session.restart_bus();
    session.start_keyring_unlocked();
    client.expect("read device", "holds kept");
}

#[test]
fn a_service_without_a_collection_is_no_keychain() {
    let mut session = Session::with_bus();
    session.start_keyring_empty();
    let mut client = Client::in_session(&session);
    for line in EVERYTHING {
        client.expect(line, "absent");
    }
    assert!(!session.has_prompted());
}

#[test]
fn a_locked_keychain_is_not_empty_and_asks_for_no_password() {
    let mut session = Session::with_keyring();
    Client::in_session(&session).expect("write device kept", "ok");
    session.kill_keyring();
    session.start_keyring_locked();
    let mut client = Client::in_session(&session);
    for line in EVERYTHING.into_iter().chain(["read account:unknown"]) {
        let said = client.says(line);
        assert_eq!(said.answer, "locked", "{line}");
        assert!(said.took < DEADLINE, "{line}: {said:?}");
    }
    assert!(!session.has_prompted());
    session.unlock();
    client.expect("read device", "holds kept");
    session.lock();
    client.expect("read device", "locked");
    client.expect("write device x", "locked");
    assert!(!session.has_prompted());
}

#[test]
fn only_unlock_asks_and_a_closed_dialog_is_a_refusal() {
    let session = Session::with_keyring();
    let mut client = Client::in_session(&session);
    client.expect("write device kept", "ok");
    client.expect("unlock", "ok");
    assert!(!session.has_prompted(), "there was nothing to unlock");
    session.lock();
    client.expect("unlock", "refused");
    assert!(session.has_prompted());
    client.expect("read device", "locked");
    session.unlock();
    client.expect("unlock", "ok");
    client.expect("read device", "holds kept");
}

#[test]
fn a_frozen_service_is_slow_and_blocks_no_other_call() {
    let session = Session::with_keyring();
    let mut client = Client::in_session(&session);
    client.expect("write device kept", "ok");
    session.signal_keyring("STOP");
    for line in ["read device", "write index abandoned", "probe"] {
        let said = client.says(line);
        assert_eq!(said.answer, "slow", "{line}");
        assert!(said.took < DEADLINE, "{line}: {said:?}");
        assert!(said.ticks > 100, "the runtime stood still: {said:?}");
    }
    session.signal_keyring("CONT");
    client.expect("read device", "holds kept");
    client.expect("read index", "empty");
    client.expect("probe", "ok");
}
