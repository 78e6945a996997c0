//! Files that settings name: secrets and client records. Not the database and its key file.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};

/// Largest file that is read, in bytes; the rest of a longer one is not looked at.
const LARGEST: u64 = 256 * 1024;

/// Reads a settings file.
///
/// # Errors
/// Those of the system; and a pipe or device, which a start would wait for without end, and a file
/// larger than 256 KiB, with a sentence of their own.
pub fn read_settings_file(path: &str) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "is no regular file"));
    }
    let mut text = String::new();
    let read = File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read > LARGEST) {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "is larger than 256 KiB"));
    }
    Ok(text)
}

/// Why a settings file was not read; never its content.
pub(super) fn why(error: &io::Error) -> String {
    error.get_ref().map_or_else(|| error.kind().to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_devices_folders_and_large_files_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let refused = |path: &str| why(&read_settings_file(path).unwrap_err());
        let made = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(made.success());
        for special in [&*path("pipe"), "/dev/zero", "/dev/null", folder.path().to_str().unwrap()] {
            assert_eq!(refused(special), "is no regular file", "{special}");
        }
        std::fs::write(path("large"), "x".repeat(256 * 1024 + 1)).unwrap();
        assert_eq!(refused(&path("large")), "is larger than 256 KiB");
        std::fs::write(path("binary"), b"\xff").unwrap();
        assert!(!refused(&path("binary")).is_empty());
        std::fs::write(path("good"), "good").unwrap();
        assert_eq!(read_settings_file(&path("good")).unwrap(), "good");
        assert_eq!(refused(&path("none")), "entity not found");
    }
}
