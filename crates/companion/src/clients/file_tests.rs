//! Files of client records, the faulty ones first.

use super::*;

fn file(record: &str) -> String {
    let good = [
        ("id", "id = \"acme-notes\"\n"),
        ("name", "name = \"Acme Notes\"\n"),
        ("redirect_uris", "redirect_uris = [\"com.acme.notes:/callback\"]\n"),
        ("scopes", "scopes = [\"openid\"]\n"),
    ];
    let rest = good.into_iter().filter(|(key, _)| !record.starts_with(&format!("{key} =")));
    format!("[[client]]\n{record}\n{}", rest.map(|(_, line)| line).collect::<String>())
}

fn faults(text: &str) -> Vec<String> {
    read(text).expect_err(text)
}

#[test]
fn a_record_is_read_whole() {
    let text = "[[client]]\nid = \"acme.notes_2\"\nname = \"Notizen für Zürich\"\n\
                redirect_uris = [\"com.acme.notes:/cb/1\", \"http://127.0.0.1/callback\"]\n\
                scopes = [\"email\", \"openid\"]\n";
    let expected = ClientRecord {
        id: "acme.notes_2".into(),
        name: "Notizen für Zürich".into(),
        redirect_uris: vec![
            RedirectRule::Exact("com.acme.notes:/cb/1".into()),
            RedirectRule::Loopback { path: "/callback".into() },
        ],
        scopes: Scope::parse("email openid"),
    };
    assert_eq!(read(text).map(|records| records.clients), Ok(vec![expected]));
}

#[test]
fn the_built_in_record_is_in_the_same_form() {
    let client = ClientRecord::keyport_desktop();
    assert_eq!((&*client.id, client.redirect_uris.len()), (ClientRecord::BUILT_IN, 3));
    assert!(Scope::KNOWN.iter().all(|word| client.scopes.has(word)));
}

#[test]
fn a_redirect_uri_that_is_not_private_use_or_loopback_is_named() {
    for (uri, fault) in [
        ("https://notes.acme.test/callback", "is https"),
        ("http://notes.acme.test/callback", "not on 127.0.0.1"),
        ("http://localhost/callback", "not on 127.0.0.1"),
        ("http://[::1]/callback", "not on 127.0.0.1"),
        ("http://127.0.0.1.evil.test/callback", "not on 127.0.0.1"),
        ("http://0x7f.1/callback", "has no path, or one"),
        ("http://127.0.0.1:8000/callback", "names a port"),
        ("http://127.0.0.1:80/callback", "names a port"),
        ("http://127.0.0.1", "has no path"),
        ("http://127.0.0.1/", "has no path"),
        ("http://127.0.0.1/a/../b", "has no path, or one"),
        ("http://user@127.0.0.1/callback", "holds one of"),
        ("http:/127.0.0.1/callback", "has no path, or one"),
        ("http://127.0.0.1/callback?x=1", "holds one of"),
        ("com.acme.notes:/callback#x", "has a fragment"),
        ("com.acme.*:/callback", "holds a wildcard"),
        ("http://127.0.0.1/*", "holds a wildcard"),
        ("notes:/callback", "not a reversed domain"),
        ("com..notes:/callback", "not a reversed domain"),
        ("com.Acme.notes:/callback", "not a reversed domain"),
        ("1com.acme:/callback", "not a reversed domain"),
        ("javascript:alert(1)", "not a reversed domain"),
        ("com.acme.notes://callback", "has two slashes"),
        ("com.acme.notes:callback", "has no path"),
        ("com.acme.notes:/", "has no path"),
        ("com.acme.notes:/a/../b", "has no path"),
        ("com.acme.notes:/call back", "holds a blank"),
        ("com.acme.notes:/call\\nback", "holds a blank, a control"),
        ("com.acme.notes:/<b>", "no URI has"),
        ("http://127.0.0.1/{x}", "no URI has"),
        ("com.acme.notes:/a|b", "no URI has"),
        ("com.acme.notes:/caf\u{e9}", "not ASCII"),
        ("callback", "has no scheme"),
        ("", "has no scheme"),
    ] {
        let all = faults(&file(&format!("redirect_uris = [\"{uri}\"]")));
        let [only] = all.as_slice() else { panic!("{uri}: {all:?}") };
        assert!(only.starts_with("client \"acme-notes\": redirect URI \""), "{only}");
        assert!(only.contains(fault), "{fault:?} in {only}");
    }
}

#[test]
fn every_other_fault_of_a_record_is_named() {
    for (record, fault) in [
        ("redirect_uri = \"com.acme.notes:/x\"", "\"redirect_uri\" is no setting of a client"),
        ("dpop = false", "\"dpop\" is no setting of a client"),
        ("redirect_uris = []", "redirect_uris is empty"),
        ("redirect_uris = \"com.acme.notes:/x\"", "redirect_uris is no list of texts"),
        ("redirect_uris = [7]", "redirect_uris is no list of texts"),
        ("redirect_uris = [\"com.acme:/x\", \"com.acme:/x\"]", "holds \"com.acme:/x\" twice"),
        ("scopes = []", "scopes is empty"),
        ("scopes = [\"openid\", \"admin\"]", "scope \"admin\" is not known"),
        ("scopes = [\"openid email\"]", "scope \"openid email\" is not known"),
        ("name = \"\"", "name is empty"),
        ("name = 7", "name is no text"),
        ("name = \" Notes\"", "begins or ends with a blank"),
        ("name = \"No\\u202Etes\"", "name holds control or invisible characters"),
        ("id = \"acme notes\"", "id may hold letters"),
        ("id = \"\"", "id is empty"),
    ] {
        let all = faults(&file(record));
        assert!(all.iter().any(|one| one.contains(fault)), "{fault:?} in {all:?}");
        assert!(all.iter().all(|one| one.starts_with("client \"")), "{all:?}");
    }
    let long = format!("name = \"{}\"", "x".repeat(65));
    assert!(faults(&file(&long))[0].contains("name is too long"));
    let uris: Vec<String> = (0..33).map(|n| format!("\"com.acme.notes:/{n}\"")).collect();
    let many = faults(&file(&format!("redirect_uris = [{}]", uris.join(", "))));
    assert!(many[0].contains("more than 32"), "{many:?}");
}

#[test]
fn all_faults_of_a_file_are_named_at_once() {
    let text = "version = 1\n[[client]]\nid = \"one\"\nnme = \"x\"\nscopes = [\"x\"]\n\
                redirect_uris = [\"x\", \"http://a.test/\"]\n[[client]]\nname = \"Two\"\n\
                [[client]]\nid = \"one\"\nname = \"One\"\nscopes = [\"openid\"]\n\
                redirect_uris = [\"com.acme.one:/x\"]\n";
    let all = faults(text);
    for fault in [
        "has \"version\", which is no setting",
        "client \"one\": \"nme\" is no setting of a client",
        "client \"one\": name is missing",
        "client \"one\": scope \"x\" is not known",
        "client \"one\": redirect URI \"x\" has no scheme",
        "client \"one\": redirect URI \"http://a.test/\" is http",
        "client number 2: id is missing",
        "client number 2: redirect_uris is missing",
        "client number 2: scopes is missing",
        "client \"one\": has the id of another record",
    ] {
        assert!(all.iter().any(|one| one.starts_with(fault)), "{fault:?} in {all:#?}");
    }
    assert_eq!(all.len(), 10, "{all:#?}");
}

#[test]
fn a_file_that_is_not_toml_or_holds_no_record_is_said() {
    let broken = faults("[[client]]\nid = \"a\"\nname = \n");
    assert!(broken[0].starts_with("is not TOML: ") && broken[0].contains("(line 3)"), "{broken:?}");
    for empty in ["", "client = []", "client = 7", "[client]\nid = \"a\"\n"] {
        assert!(faults(empty).iter().any(|one| one.contains("holds no client")), "{empty}");
    }
}

#[test]
fn a_file_of_something_else_is_refused_in_few_words() {
    let record = |n: usize| {
        format!(
            "[[client]]\nid = \"c{n}\"\nname = \"C\"\nscopes = [\"openid\"]\n\
             redirect_uris = [\"com.acme.c{n}:/x\"]\n"
        )
    };
    let many: String = (0..257).map(record).collect();
    assert_eq!(faults(&many), ["holds more than 256 clients"]);
    let keys: String = (0..1000).map(|n| format!("key{n} = {n}\n")).collect();
    let all = faults(&keys);
    assert_eq!((all.len(), &*all[50]), (51, "has 951 more faults"));
    let long = faults(&file(&format!("redirect_uris = [\"{}\"]", "x".repeat(100_000))));
    assert!(long.iter().all(|fault| fault.len() < 400), "{}", long[0].len());
}

const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[test]
fn a_resource_server_needs_no_client_beside_it() {
    let text = format!(
        "[[resource_server]]\nid = \"files\"\naudience = \"https://a.test\"\n\
         secret_hash = \"{HASH}\"\n"
    );
    let records = read(&text).unwrap();
    assert!(records.clients.is_empty());
    let [only] = &*records.resource_servers else { panic!("{records:?}") };
    assert_eq!((&*only.id, &*only.audience), ("files", "https://a.test"));
    assert_eq!(only.secret_hash[..3], [0x9f, 0x86, 0xd0]);
    let twice = faults(&format!("{text}{text}"));
    assert_eq!(twice, ["resource server \"files\": has the id of another record"]);
}

#[test]
fn a_resource_server_without_a_hash_is_named_and_its_credential_is_not_repeated() {
    let not_hashed = "the-credential-itself";
    for (record, fault) in [
        (format!("secret_hash = \"{not_hashed}\""), "secret_hash is not the SHA-256"),
        (format!("secret_hash = \"{}\"", HASH.to_uppercase()), "secret_hash is not the SHA-256"),
        (format!("secret_hash = \"{}\"", &HASH[2..]), "secret_hash is not the SHA-256"),
        (format!("secret_hash = \"{HASH}00\""), "secret_hash is not the SHA-256"),
        ("secret_hash = 7".to_owned(), "secret_hash is not the SHA-256"),
        (String::new(), "secret_hash is missing"),
        (format!("secret_hash = \"{HASH}\"\nsecret = \"x\""), "\"secret\" is no setting of a re"),
    ] {
        let all = faults(&format!(
            "[[resource_server]]\nid = \"files\"\naudience = \"https://a.test\"\n{record}\n"
        ));
        let expected = format!("resource server \"files\": {fault}");
        assert!(all.len() == 1 && all[0].starts_with(&expected), "{all:?}");
        assert!(!all[0].contains(not_hashed));
    }
}
