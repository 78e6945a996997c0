//! The key file: what is none is refused and left alone, a new one is whole.

use super::{KeyFile, KeyFileError};
use crate::domain::SystemRandom;
use crate::keys::{Keys, Purpose};

#[test]
fn an_empty_key_file_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("companion.key");
    KeyFile::read_or_create(&path, None, &SystemRandom).unwrap();
    std::fs::write(&path, "").unwrap();
    let refused = KeyFile::read_or_create(&path, None, &SystemRandom).unwrap_err();
    assert!(refused.to_string().contains("remove it and start again"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), b"", "it is left alone");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_no_key_file_and_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [folder.path(), &pipe, std::path::Path::new("/dev/null")] {
        let refused = KeyFile::read_or_create(path, None, &SystemRandom).unwrap_err();
        assert!(refused.to_string().contains("is no file"), "{refused}");
    }
}

#[test]
fn a_new_key_file_is_whole_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("companion.key");
    let open = || KeyFile::read_or_create(&path, None, &SystemRandom).unwrap();
    let made = std::thread::scope(|scope| {
        [(); 8].map(|()| scope.spawn(open)).map(|start| start.join().unwrap())
    });
    let sealed = Keys::derive(&open()).seal(Purpose::DatabaseCheck, "x", &SystemRandom);
    for key in made {
        let opened = Keys::derive(&key).open(Purpose::DatabaseCheck, &sealed);
        assert!(opened.is_ok(), "all starts have one key");
    }
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "nothing but the key file");
}

#[test]
fn a_foreign_key_file_is_said_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyport.key");
    // An empty one is a case of its own.
    for content in [&b"keyport-key-1:"[..], b"keyport-key-1:AAAA", b"\xff\xfe", &[b'x'; 999]] {
        let _ = std::fs::remove_file(&path);
        KeyFile::read_or_create(&path, None, &SystemRandom).unwrap();
        std::fs::write(&path, content).unwrap();
        let refused = KeyFile::read_or_create(&path, None, &SystemRandom);
        assert!(matches!(refused, Err(KeyFileError::Foreign(_))), "{refused:?}");
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
}
