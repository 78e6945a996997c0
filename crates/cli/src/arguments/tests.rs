use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(std::iter::once("keyport").chain(line.split_whitespace()))
}

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn the_lines_that_scripts_rely_on_are_understood() {
    for line in [
        "sign-in",
        "sign-in --json --no-browser --store memory --companion http://127.0.0.1:8788",
        "sign-in --email ada@acme.test",
        "sign-in --organization org_01EMULATORACME",
        "sign-in --connection conn_01EMULATOROKTA",
        "sign-in --provider GoogleOAuth",
        "status",
        "status --json",
        "token",
        "token --json",
        "token --dpop GET https://api.test/me",
        "token --account ada@acme.test --json",
        "sign-out",
        "sign-out --account a1 --json",
        "sign-out --all",
        "sign-out --everywhere",
        "sign-out --everywhere --account ada@acme.test --json",
        "sessions",
        "sessions --json --account ada@acme.test",
        "sessions end session_1",
        "sessions end session_1 --json --companion http://127.0.0.1:8788",
        "run -- env",
        "run --email ada@acme.test --no-browser -- sh -c true",
        "link send dev.keyport.desktop:/callback?code=x&state=y",
        "link replay dev.keyport.desktop.dev:/callback?code=x&state=y",
    ] {
        assert!(parse(line).is_ok(), "{line}: {:?}", parse(line));
    }
}

#[test]
fn what_cannot_be_meant_is_a_usage_error() {
    for line in [
        "sign-in --email ada",
        "sign-in --email a@b@c",
        "sign-in --organization acme",
        "sign-in --organization org_",
        "sign-in --connection conn_a/../b",
        "sign-in --email ada@acme.test --organization org_1",
        "sign-in --store file",
        "sign-in ada@acme.test",
        "token --dpop GET",
        "sign-out --account a1 --all",
        "sessions session_1",
        "sessions end",
        "sessions --json end session_1",
        "run",
        "run env",
        "run --store keychain -- env",
        "link send",
        "link send https://acme.test/",
        "link send dev.keyport.desktop.evil:/callback?code=x",
        "link forget",
        "login",
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn a_hint_that_cannot_be_meant_is_refused_by_the_name_of_its_option() {
    let long = format!("{}@acme.test", "a".repeat(250));
    for (option, value) in [
        ("--email", "ada\u{202e}@acme.test"),
        ("--email", "ada@acme.test\r"),
        ("--email", "ada\0@acme.test"),
        ("--email", &long),
        ("--organization", "org_a\u{202e}"),
        ("--connection", "conn_\r"),
        ("--provider", "Google\0OAuth"),
    ] {
        for command in [&["sign-in"][..], &["run", "--", "env"][..]] {
            let (first, rest) = command.split_first().unwrap();
            let line = ["keyport", first, option, value].into_iter().chain(rest.iter().copied());
            let error = Arguments::try_parse_from(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{option} {value:?}");
            assert!(error.to_string().contains(option), "{option}: {error:?}");
        }
    }
}

#[test]
fn a_proof_is_for_one_method_and_one_web_address() {
    let request = |line: &str| match parse(line).unwrap().command {
        Command::Token(token) => token.request().map(|it| it.is_some()),
        other => panic!("{other:?}"),
    };
    assert_eq!(request("token"), Ok(false));
    assert_eq!(request("token --dpop GET https://api.test/me"), Ok(true));
    for bad in ["get https://api.test", "G:T https://api.test", "GET api.test", "GET file:///x"] {
        assert!(request(&format!("token --dpop {bad}")).is_err(), "{bad}");
    }
}

#[test]
fn what_is_said_about_who_becomes_the_hints() {
    let parsed = parse("sign-in --connection conn_1 --store memory").unwrap();
    let Command::SignIn(sign_in) = parsed.command else {
        panic!("{parsed:?}");
    };
    assert_eq!(SessionStore::from(sign_in.store), SessionStore::Memory);
    let hints = Hints::from(sign_in.way.who);
    assert_eq!(hints.connection.as_deref(), Some("conn_1"));
    assert_eq!(hints.email, None);
}

#[test]
fn an_advised_line_has_the_flags_of_the_one_that_was_typed() {
    let flags = |line: &str| match parse(line).unwrap().command {
        Command::SignIn(sign_in) => sign_in.way.flags(),
        Command::Status(session) => session.flags(),
        other => panic!("{other:?}"),
    };
    assert_eq!(flags("sign-in"), "");
    let typed = " --companion https://a.test --email ada@acme.test --no-browser";
    assert_eq!(flags(&format!("sign-in{typed}")), typed);
    assert_eq!(flags("status --companion https://a.test"), " --companion https://a.test");
    assert_eq!(flags("status --companion $(id)'x"), r" --companion '$(id)'\''x'");
}
