//! Events as WorkOS sends them, the odd ones first.

use super::*;
use crate::domain::{Told, UpstreamSubject};

fn body(name: &str, data: &Value) -> Vec<u8> {
    let event = serde_json::json!({
        "object": "event", "id": "event_1", "event": name, "data": data,
        "created_at": "2026-01-02T03:04:05.678Z", "context": {},
    });
    serde_json::to_vec(&event).unwrap()
}

fn ada() -> Value {
    serde_json::json!({
        "object": "directory_user", "id": "directory_user_1", "directory_id": "directory_1",
        "organization_id": "org_acme", "idp_id": "ada-1", "email": "Ada@Acme.test",
        "first_name": "Ada", "last_name": "Lovelace", "state": "active",
        "updated_at": "2026-01-02T03:00:00Z", "raw_attributes": { "secret": "planted" },
    })
}

fn meaning(name: &str, data: &Value) -> Meaning {
    read(&body(name, data)).unwrap().meaning
}

fn subject(name: &str, data: &Value) -> (UpstreamSubject, PersonFacts) {
    match meaning(name, data) {
        Meaning::Event(UpstreamEvent { told: Told::Subject { subject, facts }, .. }) => {
            (*subject, facts)
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn changed(key: &str, value: Value) -> Value {
    let mut data = ada();
    data[key] = value;
    data
}

#[test]
fn what_is_no_event_is_none() {
    for body in
        [&b""[..], b"{", b"[]", b"7", b"{\"id\":\"event_1\"}", b"{\"id\":7,\"event\":\"x\"}"]
    {
        assert_eq!(read(body), None, "{body:?}");
    }
    let empty = serde_json::json!({ "id": "", "event": "user.deleted", "data": {} });
    assert_eq!(read(empty.to_string().as_bytes()), None);
}

#[test]
fn an_event_that_misses_what_it_should_have_is_told_as_such() {
    let long = "x".repeat(256);
    for (name, data) in [
        ("dsync.user.deleted", serde_json::json!({})),
        ("dsync.user.deleted", serde_json::json!([])),
        ("dsync.user.deleted", changed("id", Value::Null)),
        ("dsync.user.deleted", changed("id", "".into())),
        ("dsync.user.deleted", changed("id", "a\nb".into())),
        ("dsync.user.deleted", changed("id", long.into())),
        ("organization_membership.deleted", serde_json::json!({ "id": "om_1" })),
        ("connection.deleted", serde_json::json!({ "id": 7 })),
    ] {
        assert_eq!(meaning(name, &data), Meaning::Unreadable, "{name} {data}");
    }
    let no_time = serde_json::json!({
        "id": "event_1", "event": "user.deleted", "data": { "id": "user_1" }, "created_at": "soon",
    });
    assert_eq!(read(no_time.to_string().as_bytes()).unwrap().meaning, Meaning::Unreadable);
}

#[test]
fn other_events_mean_nothing() {
    for name in ["dsync.group.created", "user.created", "authentication.sso_failed", "x", "dsync."]
    {
        assert_eq!(meaning(name, &ada()), Meaning::Nothing, "{name}");
    }
}

#[test]
fn each_event_tells_how_its_subject_stands() {
    use SubjectKind::{Connection, DirectoryUser, Membership, Organization, Session, User};
    use SubjectState::{Active, Deleted, Suspended};
    let member = |status: &str| {
        serde_json::json!({ "id": "om_1", "user_id": "user_1", "organization_id": "org_acme",
                            "status": status })
    };
    let plain = serde_json::json!({ "id": "some_1", "organization_id": "org_acme" });
    for (name, data, kind, state) in [
        ("dsync.user.created", ada(), DirectoryUser, Active),
        ("dsync.user.updated", ada(), DirectoryUser, Active),
        ("dsync.user.updated", changed("state", "suspended".into()), DirectoryUser, Suspended),
        ("dsync.user.updated", changed("state", "inactive".into()), DirectoryUser, Suspended),
        ("dsync.user.deleted", ada(), DirectoryUser, Deleted),
        ("connection.activated", plain.clone(), Connection, Active),
        ("connection.deactivated", plain.clone(), Connection, Suspended),
        ("connection.deleted", plain.clone(), Connection, Deleted),
        ("organization.deleted", plain.clone(), Organization, Deleted),
        ("user.deleted", plain.clone(), User, Deleted),
        ("organization_membership.updated", member("active"), Membership, Active),
        ("organization_membership.updated", member("inactive"), Membership, Suspended),
        ("organization_membership.updated", member("pending"), Membership, Suspended),
        ("organization_membership.deleted", member("active"), Membership, Deleted),
        ("session.revoked", plain, Session, Deleted),
    ] {
        let (told, _) = subject(name, &data);
        assert_eq!((told.kind, told.state), (kind, state), "{name}");
        assert_eq!(told.withdrawn_at.is_some(), state != Active, "{name}");
        assert!(NAMES.contains(&name), "{name} is asked for");
    }
    let directory = meaning("dsync.deleted", &serde_json::json!({ "id": "directory_1" }));
    assert!(matches!(
        directory,
        Meaning::Event(UpstreamEvent { told: Told::DirectoryDeleted, .. })
    ));
}

#[test]
fn a_directory_user_is_told_with_what_sessions_are_matched_by() {
    let (told, facts) = subject("dsync.user.updated", &ada());
    assert_eq!((told.id.as_str(), told.event.as_str()), ("directory_user_1", "event_1"));
    assert_eq!(told.organization.as_deref(), Some("org_acme"));
    assert_eq!(told.person.as_deref(), Some("ada-1"));
    assert_eq!(told.email.as_deref(), Some("ada@acme.test"), "in lower case");
    assert_eq!(facts.email.as_deref(), Some("Ada@Acme.test"));
    assert_eq!(facts.name.as_deref(), Some("Ada Lovelace"));
    let mut old_form = changed("email", Value::Null);
    old_form["emails"] = serde_json::json!([
        { "value": "old@acme.test" }, { "value": "ada@acme.test", "primary": true },
    ]);
    let (told, _) = subject("dsync.user.updated", &old_form);
    assert_eq!(told.email.as_deref(), Some("ada@acme.test"), "the primary one");
    let (_, facts) = subject("dsync.user.updated", &changed("email", "a\u{202e}b@c.test".into()));
    assert_eq!(facts.email, None, "an email that a sign-in would refuse");
}

#[test]
fn a_deletion_is_of_the_instant_of_its_event() {
    let (deleted, _) = subject("dsync.user.deleted", &ada());
    let (updated, _) = subject("dsync.user.updated", &ada());
    assert_eq!(deleted.updated_at, 1_767_323_045_678);
    assert_eq!(updated.updated_at, 1_767_322_800_000);
    let (other, _) = subject("dsync.user.updated", &changed("updated_at", Value::Null));
    assert_eq!(other.updated_at, 1_767_323_045_678, "where nothing else is told");
    assert_eq!(millis("2026-01-02T04:04:05.678+01:00"), Some(1_767_323_045_678));
}
