//! Items: kept, found by others, replaced, deleted, damaged, contended for.

use std::process::Command;

use crate::client::Client;
use crate::session::Session;

#[test]
fn an_item_is_kept_and_secret_tool_and_another_process_see_it() {
    let session = Session::with_keyring();
    let mut client = Client::in_session(&session);
    client.expect("probe", "ok");
    client.expect("read device", "empty");
    client.expect("write device first", "ok");
    client.expect("write device planted-canary", "ok");
    client.expect("read device", "holds planted-canary");
    client.expect("write account:a1 another", "ok");
    let seen = session.secret_tool_lookup("device").unwrap();
    assert!(seen.starts_with("keyport1:") && seen.ends_with(":planted-canary"), "{seen}");
    let mut other = Client::in_session(&session);
    other.expect("read device", "holds planted-canary");
    other.expect("read account:a1", "holds another");
    assert_eq!(session.names(), ["account:a1", "device"], "the probe leaves nothing behind");
    let found =
        Command::new("grep").arg("-rl").arg("planted-canary").arg(session.path("")).output();
    assert_eq!(String::from_utf8(found.unwrap().stdout).unwrap(), "", "a file holds the secret");
}

#[test]
fn a_deleted_item_is_gone_and_deleting_it_again_is_no_error() {
    let session = Session::with_keyring();
    let mut client = Client::in_session(&session);
    client.expect("write device x", "ok");
    client.expect("write index y", "ok");
    client.expect("delete device", "ok");
    client.expect("delete device", "ok");
    client.expect("read device", "empty");
    assert_eq!(session.secret_tool_lookup("device"), None);
    client.expect("read index", "holds y");
}

#[test]
fn an_item_survives_a_new_session() {
    let mut session = Session::with_keyring();
    let mut client = Client::in_session(&session);
    client.expect("write device kept", "ok");
    drop(client);
    session.kill_keyring();
    session.start_keyring_unlocked();
    Client::in_session(&session).expect("read device", "holds kept");
}

#[test]
fn a_damaged_item_is_corrupt_and_kept_aside() {
    let session = Session::with_keyring();
    let mut client = Client::in_session(&session);
    client.expect("write device good", "ok");
    let good = session.secret_tool_lookup("device").unwrap();
    for (number, damaged) in
        ["", "{}", &good[..good.len() - 1], &format!("{good}x")].iter().enumerate()
    {
        client.expect("delete device", "ok");
        session.secret_tool_store("device", &[], damaged);
        client.expect("read device", "corrupt");
        client.expect("read device", "corrupt");
        client.expect("set-aside device", "ok");
        client.expect("read device", "empty");
        let aside = if number == 0 {
            "device.corrupt".into()
        } else {
            format!("device.corrupt-{}", number + 1)
        };
        assert_eq!(session.secret_tool_lookup(&aside).as_deref(), Some(*damaged), "{aside}");
    }
    client.expect("write device anew", "ok");
    client.expect("read device", "holds anew");
}

#[test]
fn two_items_of_one_name_are_corrupt_and_both_are_kept_aside() {
    let session = Session::with_keyring();
    session.secret_tool_store("device", &["made-by", "one"], "one");
    session.secret_tool_store("device", &["made-by", "two"], "two");
    let mut client = Client::in_session(&session);
    client.expect("read device", "corrupt");
    client.expect("write device x", "corrupt");
    client.expect("set-aside device", "ok");
    client.expect("read device", "empty");
    assert_eq!(session.names(), ["device.corrupt", "device.corrupt-2"]);
    client.expect("write device x", "ok");
    client.expect("read device", "holds x");
}

#[test]
fn a_duplicated_item_stands_once_after_a_write() {
    let session = Session::with_keyring();
    let mut client = Client::in_session(&session);
    client.expect("write device good", "ok");
    let good = session.secret_tool_lookup("device").unwrap();
    session.secret_tool_store("device", &["made-by", "two"], &good);
    assert_eq!(session.names(), ["device", "device"]);
    client.expect("read device", "holds good");
    client.expect("write device new", "ok");
    client.expect("read device", "holds new");
    assert_eq!(session.names(), ["device"]);
}

#[test]
fn an_item_of_a_newer_version_is_neither_read_nor_changed() {
    let session = Session::with_keyring();
    session.secret_tool_store("device", &[], "keyport2:of-the-future");
    let mut client = Client::in_session(&session);
    for line in ["read device", "write device x", "delete device", "set-aside device"] {
        client.expect(line, "newer");
    }
    session.secret_tool_store("device", &["made-by", "two"], "of no app");
    for line in ["read device", "write device x", "delete device", "set-aside device"] {
        let answer = client.says(line).answer;
        assert_eq!(answer, "newer", "{line}: one of two is of a newer version");
    }
    assert_eq!(session.names(), ["device", "device"]);
}

#[test]
fn the_items_of_this_service_alone_are_listed() {
    let session = Session::with_keyring();
    let mut client = Client::in_session(&session);
    client.expect("list", "lists ");
    client.expect("write index x", "ok");
    client.expect("write account:a1 x", "ok");
    session.secret_tool_store("device", &["made-by", "one"], "damaged");
    session.secret_tool_store("device", &["made-by", "two"], "damaged");
    session.secret_tool_store_of("dev.keyport.other", "account:b2", "x");
    client.expect("set-aside device", "ok");
    client.expect("list", "lists account:a1 device.corrupt index");
}

#[test]
fn the_largest_item_fits_and_a_larger_one_changes_nothing() {
    let session = Session::with_keyring();
    let mut client = Client::in_session(&session);
    let largest = "x".repeat(1024);
    client.expect(&format!("write device {largest}"), "ok");
    client.expect(&format!("write device {largest}x"), "too large");
    client.expect("read device", &format!("holds {largest}"));
}

#[test]
fn two_processes_that_write_the_same_items_never_damage_one() {
    let session = Session::with_keyring();
    let mut clients = [Client::in_session(&session), Client::in_session(&session)];
    for item in ["device", "account:a1"] {
        for (number, client) in clients.iter_mut().enumerate() {
            client.ask(&format!("write-many {item} process-{number} 50"));
        }
        for client in &mut clients {
            assert_eq!(client.hear().answer, "ok");
        }
        let last = clients[0].says(&format!("read {item}")).answer;
        assert!(["holds process-0-49", "holds process-1-49"].contains(&&*last), "{last}");
    }
    assert_eq!(session.names(), ["account:a1", "device"]);
}

#[test]
fn two_processes_that_probe_at_once_do_not_trip_over_each_other() {
    let session = Session::with_keyring();
    let mut clients = [Client::in_session(&session), Client::in_session(&session)];
    for _ in 0..10 {
        for client in &mut clients {
            client.ask("probe");
        }
        for client in &mut clients {
            assert_eq!(client.hear().answer, "ok");
        }
    }
}
