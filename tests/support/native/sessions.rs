//! What a device asks with an access token.

use anyhow::Result;
use reqwest::Method;

use super::{Answer, NativeClient};

impl NativeClient {
    /// Asks who is signed in.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn userinfo(&self, access: &str) -> Result<Answer> {
        self.send(Method::GET, "/oauth/userinfo", None, Some(access)).await
    }

    /// Ends every session of the person.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn end_everywhere(&self, access: &str) -> Result<Answer> {
        self.send(Method::DELETE, "/oauth/sessions", None, Some(access)).await
    }
}
