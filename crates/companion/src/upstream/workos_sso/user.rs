//! The body of an answer of User Management with a user in it: what of it is kept for the crate to
//! read.

use serde_json::json;

use crate::upstream::members::{Members, kept, read, reshape};

/// Members of a user that are read; the crate wants some others to be there.
const READ: [&str; 5] = ["id", "email", "first_name", "last_name", "name"];

/// Takes out of the body of an answer what is never read: WorkOS' refresh token, tokens of the
/// identity provider, metadata. Anything else stays as it came: what is wrong with it is said by
/// whoever reads it.
pub(in crate::upstream) fn readable(body: &[u8]) -> Option<Vec<u8>> {
    let mut answer: Members<'_> = serde_json::from_slice(body).ok()?;
    let said = answer.remove("user")?;
    for name in ["oauth_tokens", "impersonator", "authkit_authorization_code"] {
        answer.remove(name);
    }
    answer.insert("refresh_token", kept(&"")?);
    let mut user: Members<'_> = serde_json::from_str(said.get()).ok()?;
    user.retain(|name, _| READ.contains(name));
    for name in ["first_name", "last_name", "name"] {
        reshape(&mut user, name, |said| read::<String>(said));
    }
    for name in ["object", "created_at", "updated_at"] {
        user.insert(name, kept(&"")?);
    }
    user.insert("email_verified", kept(&json!(false))?);
    answer.insert("user", kept(&user)?);
    serde_json::to_vec(&answer).ok()
}
