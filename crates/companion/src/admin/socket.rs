//! The Unix socket of the running service, for its own user and root alone. It is made under
//! another name in a folder that is closed to others and takes its own name when its mode is right.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

use super::{Administration, routes};

/// After a failed accept: the system is short of something.
const PAUSE: Duration = Duration::from_millis(100);

/// Why the service does not listen for its operator.
#[derive(Debug, thiserror::Error)]
pub enum AdminSocketError {
    /// Another service does.
    #[error(
        "another companion listens on {0}: stop it, or name another path in KEYPORT_ADMIN_SOCKET"
    )]
    InUse(PathBuf),
    /// Something else has the name.
    #[error("{0} exists and is no socket: name another path in KEYPORT_ADMIN_SOCKET")]
    NoSocket(PathBuf),
    /// The system does not let us.
    #[error("the socket {path} cannot be made: {cause}")]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

/// The socket; dropping it removes it.
#[derive(Debug)]
pub struct AdminSocket {
    listener: UnixListener,
    _name: Name,
}

/// The name in the file system, as long as it is that of our socket.
#[derive(Debug)]
struct Name {
    path: PathBuf,
    file: (u64, u64),
}

impl AdminSocket {
    /// Listens at `path`. A socket that nothing listens on any more is replaced. Needs a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`AdminSocketError`].
    pub fn bind(path: &Path) -> Result<Self, AdminSocketError> {
        check_free(path)?;
        let bound = bind_privately(path);
        bound.map_err(|cause| AdminSocketError::Io { path: path.to_owned(), cause })
    }

    /// Answers operators for as long as it is polled.
    pub async fn serve(self, administration: Arc<Administration>) {
        let Self { listener, _name } = self;
        let own = rustix::process::geteuid().as_raw();
        // Without a shutdown it ends with its task.
        if let Err(error) =
            axum::serve(Peers { listener, own }, routes::router(administration)).await
        {
            tracing::error!(%error, "the operator's socket has ended");
        }
    }
}

/// Of two services that start at once, both may find it free; the later one has it, and the
/// database keeps the other out or is meant for both.
fn check_free(path: &Path) -> Result<(), AdminSocketError> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.file_type().is_socket() => {
            Err(AdminSocketError::NoSocket(path.to_owned()))
        }
        Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
            Err(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(cause) => Err(AdminSocketError::Io { path: path.to_owned(), cause }),
            Ok(_) => Err(AdminSocketError::InUse(path.to_owned())),
        },
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(AdminSocketError::Io { path: path.to_owned(), cause }),
    }
}

fn bind_privately(path: &Path) -> io::Result<AdminSocket> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Mode 0700: what is in it is out of reach, whatever the umask and its own mode are.
    let closed =
        tempfile::Builder::new().prefix(".adm").tempdir_in(folder.unwrap_or(Path::new(".")))?;
    let unnamed = closed.path().join("s");
    let listener = UnixListener::bind(&unnamed)?;
    std::fs::set_permissions(&unnamed, std::fs::Permissions::from_mode(0o600))?;
    let metadata = std::fs::symlink_metadata(&unnamed)?;
    std::fs::rename(&unnamed, path)?;
    let name = Name { path: path.to_owned(), file: (metadata.dev(), metadata.ino()) };
    Ok(AdminSocket { listener, _name: name })
}

impl Drop for Name {
    fn drop(&mut self) {
        let is_ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.file);
        if is_ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(cause = %error.kind(), "the operator's socket was left behind");
        }
    }
}

/// Connections of our own user and of root; others are closed, whatever the mode of the file is.
struct Peers {
    listener: UnixListener,
    own: u32,
}

impl Listener for Peers {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            match stream.peer_cred().map(|peer| peer.uid()) {
                Ok(uid) if uid == 0 || uid == self.own => return (stream, address),
                Ok(uid) => tracing::warn!(uid, "another user asked at the operator's socket"),
                Err(error) => tracing::warn!(cause = %error.kind(), "a peer without a user"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stale_socket_is_replaced_a_live_one_and_another_file_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("companion.admin");
        let live = AdminSocket::bind(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(AdminSocket::bind(&path), Err(AdminSocketError::InUse(_))));
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "the folder in which it was made is gone");
        drop(live);
        assert!(!path.exists(), "it is removed at the end");
        // What a killed service leaves behind.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(AdminSocket::bind(&path).unwrap());
        std::fs::write(&path, "a file").unwrap();
        assert!(matches!(AdminSocket::bind(&path), Err(AdminSocketError::NoSocket(_))));
        assert_eq!(std::fs::read(&path).unwrap(), b"a file");
    }

    #[tokio::test]
    async fn the_socket_of_a_successor_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("companion.admin");
        let first = AdminSocket::bind(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let _second = AdminSocket::bind(&path).unwrap();
        drop(first);
        assert!(path.exists());
    }
}
