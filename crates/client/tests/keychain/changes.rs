//! Changes in the keychain are heard, whoever makes them, and without any dialog.

use crate::client::Client;
use crate::session::Session;

fn hears(session: &Session, client: &mut Client, change: impl FnOnce(&Session)) {
    client.hears_changes();
    change(session);
    assert_eq!(client.hear().answer, "changed");
}

#[test]
fn an_item_that_comes_or_goes_is_heard() {
    let session = Session::with_keyring();
    let mut client = Client::in_session(&session);
    hears(&session, &mut client, |s| s.secret_tool_store("account:a1", &[], "one"));
    hears(&session, &mut client, |s| s.secret_tool_store("account:a1", &[], "two"));
    hears(&session, &mut client, |s| s.secret_tool_clear("account:a1"));
    let mut other = Client::in_session(&session);
    hears(&session, &mut client, |_| other.expect("write index x", "ok"));
    // GNOME Keyring gives no signal for new content of an item that stays.
    other.expect("write index y", "ok");
    hears(&session, &mut client, |_| other.expect("delete index", "ok"));
    assert!(!session.has_prompted());
}

#[test]
fn locking_and_unlocking_is_heard_and_listening_unlocks_nothing() {
    let session = Session::with_keyring();
    let mut client = Client::in_session(&session);
    hears(&session, &mut client, Session::lock);
    client.hears_changes();
    Client::in_session(&session).expect("read device", "locked");
    session.unlock();
    assert_eq!(client.hear().answer, "changed");
    assert!(!session.has_prompted());
}

#[test]
fn a_service_that_comes_and_goes_is_heard() {
    let mut session = Session::with_bus();
    let mut client = Client::in_session(&session);
    client.hears_changes();
    session.start_keyring_unlocked();
    assert_eq!(client.hear().answer, "changed");
    client.hears_changes();
    session.kill_keyring();
    assert_eq!(client.hear().answer, "changed");
}
