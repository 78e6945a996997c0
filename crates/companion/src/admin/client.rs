//! Asking the running service over its socket.

use std::path::Path;
use std::time::Duration;

use super::{AdminError, Request};

/// What is long is asked in pages; `check` asks the provider about each admitted organization.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A running service.
#[derive(Debug)]
pub struct ServiceClient(reqwest::Client);

impl ServiceClient {
    /// The service that listens at `path`; `None` if none does.
    ///
    /// # Errors
    /// The socket is another user's.
    pub fn find(path: &Path) -> Result<Option<Self>, AdminError> {
        use std::io::ErrorKind;
        match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(AdminError::refused(format!(
                    "{} belongs to another user: run the command as the user of the service, or \
                     as root",
                    path.display()
                )));
            }
            Err(_) => return Ok(None),
        }
        let client = reqwest::Client::builder()
            .unix_socket(path)
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .map_err(|_| AdminError::failed("no HTTP client can be made"))?;
        Ok(Some(Self(client)))
    }

    /// Asks it.
    ///
    /// # Errors
    /// What the service answers, or that it does not.
    pub async fn ask<R: Request>(&self, request: R) -> Result<R::Answer, AdminError> {
        let url = format!("http://companion{}", R::PATH);
        let silent = |_| {
            AdminError::unreachable(
                "the running service has closed the connection: it is ending, or it serves \
                 another user",
            )
        };
        let answer = self.0.post(url).json(&request).send().await.map_err(silent)?;
        let is_success = answer.status().is_success();
        let body = answer.bytes().await.map_err(silent)?;
        let foreign = || {
            AdminError::failed(
                "the running service is another version than this program: use the program that \
                 it was started with",
            )
        };
        if is_success {
            return serde_json::from_slice(&body).map_err(|_| foreign());
        }
        Err(serde_json::from_slice(&body).unwrap_or_else(|_| foreign()))
    }
}
