//! The layers of the settings, and what is said of one that is set wrongly.

use super::*;

fn settings(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(SETTINGS_FILE);
    let mut written = fs::File::create(&file).unwrap();
    io::Write::write_all(&mut written, text.as_bytes()).unwrap();
    (dir, file)
}

#[test]
fn each_layer_yields_to_the_one_above_it() {
    let (_dir, file) = settings(r#"{"companion":"https://file.test"}"#);
    let build = Some("https://build.test");
    let used = |flag, environment, file: &Path| {
        layered(flag, environment, file, build).unwrap().to_string()
    };
    let (flag, environment) = (Some("https://flag.test"), Some("https://environment.test"));
    assert_eq!(used(flag, environment, &file), "https://flag.test/");
    assert_eq!(used(None, environment, &file), "https://environment.test/");
    assert_eq!(used(None, None, &file), "https://file.test/");
    assert_eq!(used(None, None, Path::new("/nowhere/settings.json")), "https://build.test/");
}

#[cfg(unix)]
#[test]
fn an_environment_that_is_no_text_is_an_error_and_not_skipped() {
    use std::os::unix::ffi::OsStringExt as _;
    let broken = set(Some(OsString::from_vec(vec![b'h', 0xff])));
    assert!(matches!(
        broken,
        Err(SettingsError::NotACompanion(Source::Environment, CompanionUrlError::NotText))
    ));
    assert_eq!(set(Some("https://a.test".into())).unwrap().as_deref(), Some("https://a.test"));
    assert_eq!((set(Some("".into())).unwrap(), set(None).unwrap()), (None, None));
}

#[cfg(unix)]
#[test]
fn without_a_home_only_the_machines_folder_is_read() {
    assert!(config_dir_in(None).starts_with("/etc"));
}

#[test]
fn a_release_without_any_companion_says_so() {
    let nothing = layered(None, None, Path::new("/nowhere/settings.json"), None);
    assert!(matches!(nothing, Err(SettingsError::NothingSet(_))));
}

#[test]
fn a_layer_that_is_set_wrongly_is_an_error_and_not_skipped() {
    let build = Some("https://build.test");
    for (bad, why) in [
        ("", CompanionUrlError::NotAUrl),
        ("sign-in", CompanionUrlError::NotAUrl),
        ("http://a.test", CompanionUrlError::Insecure),
        ("ftp://a.test", CompanionUrlError::Insecure),
        ("https://u@a.test", CompanionUrlError::TooMuch),
        ("https://a.test?x=1", CompanionUrlError::TooMuch),
    ] {
        let refused = layered(Some(bad), None, Path::new("/nowhere"), build).unwrap_err();
        let SettingsError::NotACompanion(Source::Flag, said) = &refused else {
            panic!("{bad}: {refused}")
        };
        assert_eq!(*said, why, "{bad}");
        assert_eq!(refused.to_string(), format!("--companion does not name a companion: {why}"));
    }
    for text in ["{", "[]", r#"{"companion":5}"#, r#"{"compagnon":"https://a.test"}"#] {
        let (_dir, file) = settings(text);
        let refused = layered(None, None, &file, build).unwrap_err();
        assert!(matches!(refused, SettingsError::Malformed(..)), "{text}");
        assert!(refused.to_string().contains("(line 1, column "), "{refused}");
        assert!(!refused.to_string().contains("compagnon"), "{refused}");
    }
}
