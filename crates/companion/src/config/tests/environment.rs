//! Which variables are settings, which are faults and which are none of ours.

use super::*;
use crate::admission::AllowedOrganizations;

#[test]
fn lists_have_commas_or_any_white_space_between() {
    for list in ["org_1,org_2", "org_1\torg_2", "org_1\r\norg_2", " org_1 ,\n\t org_2, "] {
        let policy = judge(&[("KEYPORT_ORGANIZATIONS", list)], "127.0.0.1:1").unwrap().policy;
        let AllowedOrganizations::These(ids) = policy.organizations else { panic!("{list:?}") };
        assert_eq!(ids.into_iter().collect::<Vec<_>>(), ["org_1", "org_2"], "{list:?}");
    }
}

#[test]
fn variables_of_other_programs_and_kubernetes_are_no_faults() {
    for (name, value) in [
        ("KEYPORT_COMPANION", "http://127.0.0.1:8788"),
        ("KEYPORT_RECEIVER", "loopback"),
        ("KEYPORT_SERVICE_HOST", "10.0.0.1"),
        ("KEYPORT_SERVICE_PORT", "80"),
        ("KEYPORT_SERVICE_PORT_HTTP_MAIN", "80"),
        ("KEYPORT_PORT", "tcp://10.0.0.1:80"),
        ("KEYPORT_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("KEYPORT_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("KEYPORT_PORT_80_TCP_PORT", "80"),
        ("KEYPORT_PORT_53_UDP_PROTO", "udp"),
        ("KEYPORT_COMPANION_SERVICE_HOST", "10.0.0.1"),
        ("KEYPORT_COMPANION_PORT", "tcp://10.0.0.1:8788"),
        ("KEYPORT_COMPANION_PORT_8788_TCP_ADDR", "10.0.0.1"),
    ] {
        let judged = judge(&[(name, value)], "127.0.0.1:1");
        assert!(judged.is_ok(), "{name}: {judged:?}");
    }
    for (name, value) in [
        ("KEYPORT_PORT", "8788"),
        ("KEYPORT_HOST", "10.0.0.1"),
        ("KEYPORT_SERVICE", "x"),
        ("KEYPORT_SERVICE_PORT_", "80"),
        ("KEYPORT_MYSERVICE_HOST", "10.0.0.1"),
        ("KEYPORT_PORT_80", "x"),
        ("KEYPORT_PORT_x_TCP", "x"),
        ("KEYPORT_PORT_80_TCP_NAME", "x"),
        ("KEYPORT_ORGANISATIONS", "org_1"),
    ] {
        let fault = faults(&[(name, value)]);
        assert!(fault.contains(&format!("{name} is not a setting")), "{fault}");
    }
}

#[cfg(unix)]
#[test]
fn a_setting_that_is_not_unicode_is_named_and_its_value_is_not() {
    use std::os::unix::ffi::OsStringExt as _;

    let judged = |name: &[u8], value: &[u8]| {
        let good = GOOD.iter().filter(|(known, _)| known.as_bytes() != name);
        let good = good.map(|(name, value)| ((*name).into(), (*value).into()));
        let raw = (OsString::from_vec(name.to_vec()), OsString::from_vec(value.to_vec()));
        judge_raw(good.chain([raw]), "127.0.0.1:1").map_err(|faults| faults.0)
    };
    for name in [
        "KEYPORT_SESSION_DAYS",
        "KEYPORT_ORGANIZATIONS",
        "KEYPORT_KEY_FILE",
        "DATABASE_URL",
        "WORKOS_CLIENT_ID",
        "WORKOS_API_KEY",
        "RUST_LOG",
    ] {
        let faults = judged(name.as_bytes(), b"planted\xff").unwrap_err();
        assert_eq!(faults, [format!("{name} is not Unicode (UTF-8)")]);
    }
    let faults = judged(b"WORKOS_API_KEY_FILE", b"/run/\xff").unwrap_err();
    assert_eq!(faults, ["WORKOS_API_KEY_FILE is not Unicode (UTF-8)"]);
    let faults = judged(b"KEYPORT_ORGANISATIONS\xff", b"planted").unwrap_err().join("");
    assert!(faults.contains("KEYPORT_ORGANISATIONS") && faults.contains("not a setting"));
    assert!(!faults.contains("planted"), "{faults}");
    // Not for us.
    for name in [b"LC_NAME".as_slice(), b"KEYPORT_RECEIVER", b"OTHER\xff"] {
        assert!(judged(name, b"caf\xe9").is_ok());
    }
}

#[test]
fn faults_of_the_client_file_are_named_with_all_others() {
    let clients = |path| judge(&[("KEYPORT_CLIENTS", path)], "127.0.0.1:1").map(|it| it.clients);
    let built_in = vec![crate::clients::ClientRecord::keyport_desktop()];
    assert_eq!(judge(&[], "127.0.0.1:1").unwrap().clients, built_in);
    assert_eq!(clients("/etc/clients.toml").unwrap(), built_in);
    let missing = clients("/etc/none.toml").unwrap_err().to_string();
    assert!(missing.contains("KEYPORT_CLIENTS: /etc/none.toml: cannot be read"), "{missing}");
    let all = faults(&[("KEYPORT_CLIENTS", "/etc/two-faults.toml"), ("RUST_LOG", "inof")]);
    for fault in ["client \"notes\": name is missing", "scopes is empty", "RUST_LOG holds"] {
        assert!(all.contains(fault), "{fault:?} in {all}");
    }
    assert_eq!(all.matches("\n  - ").count(), 4, "{all}");
}
