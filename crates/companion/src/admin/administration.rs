//! What an operator can ask and change. The same code answers over the socket of a running service
//! and in the tool itself where none runs. Not here: how it is asked and shown.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::AdminError;
use crate::app::App;

/// The service as its operator sees it.
pub struct Administration {
    /// Storage, provider and rules, whether they serve or not.
    pub app: Arc<App>,
    /// The key file.
    pub key_file: PathBuf,
}

/// Something that an operator asks or changes.
pub trait Request: Serialize + DeserializeOwned + Send + 'static {
    /// Where it is posted on the socket.
    const PATH: &'static str;
    /// What is answered.
    type Answer: Serialize + DeserializeOwned + Send;

    /// Carries it out.
    ///
    /// # Errors
    /// [`AdminError`].
    fn carry_out(
        self,
        administration: &Administration,
    ) -> impl Future<Output = Result<Self::Answer, AdminError>> + Send;
}
