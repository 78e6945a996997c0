//! Whether a database can lie where the settings say. Asked before anything is made there.

use std::path::Path;

use crate::storage::OpenError;

/// Checks the path without touching anything; what is in the file is looked at when it is opened.
///
/// # Errors
/// [`OpenError::Io`]: its folder is missing or not writable, or it is no file.
pub fn check_place(path: &Path) -> Result<(), OpenError> {
    let fault = |cause: &str| OpenError::Io {
        database: path.display().to_string(),
        cause: cause.to_owned(),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(fault("what should be its folder is a file")),
        Err(cause) => return Err(fault(&format!("its folder cannot be used: {cause}"))),
    }
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(fault("it is a folder or no ordinary file")),
        Ok(_) => Ok(()),
        // Without a name, and gone when it is closed.
        Err(_) => tempfile::tempfile_in(folder).map(drop).map_err(|cause| {
            fault(&format!("no file can be made in its folder: {}", cause.kind()))
        }),
    }
}
