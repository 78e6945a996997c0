//! Looks for secrets where none may be: in files below a folder, in a log, in a database. It knows
//! our tokens by their shape and by value. NOT a proof that nothing is hidden in another encoding.

use std::path::{Path, PathBuf};

use anyhow::Result;

/// What a refresh token begins with.
const REFRESH_TOKEN: &[u8] = b"kpr_";
/// What the header of every JSON Web Token begins with: `{"` in base64url.
const JWT: &[u8] = b"eyJ";

/// The files below `folder` that hold one of `secrets`, or anything that has the shape of a token.
///
/// # Errors
/// When the folder cannot be read.
pub fn files_with_tokens(folder: &Path, secrets: &[String]) -> Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                // A program may remove its file while we look.
                let content = std::fs::read(entry.path()).unwrap_or_default();
                if holds_token(&content, secrets) {
                    found.push(entry.path());
                }
            }
        }
    }
    Ok(found)
}

/// Does this hold one of `secrets`, or anything that has the shape of a refresh token or of a
/// signed JSON Web Token?
#[must_use]
pub fn holds_token(content: &[u8], secrets: &[String]) -> bool {
    let known = secrets.iter().any(|secret| !positions(content, secret.as_bytes()).is_empty());
    let refresh = positions(content, REFRESH_TOKEN)
        .iter()
        .any(|at| word(&content[at + REFRESH_TOKEN.len()..]).len() >= 64);
    let signed = positions(content, JWT).iter().any(|at| is_jwt(&content[*at..]));
    known || refresh || signed
}

/// All refresh tokens in a text, for example in the items of a keychain.
#[must_use]
pub fn refresh_tokens(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let ends =
        positions(bytes, REFRESH_TOKEN).into_iter().map(|at| (at, at + word(&bytes[at..]).len()));
    ends.map(|(from, to)| text[from..to].to_owned()).collect()
}

/// Header, claims and signature; the first two are JSON.
fn is_jwt(content: &[u8]) -> bool {
    let header = word(content);
    let rest = content.get(header.len() + 1..).unwrap_or_default();
    let claims = word(rest);
    let dots = content.get(header.len()) == Some(&b'.') && rest.get(claims.len()) == Some(&b'.');
    dots && header.len() > 8 && claims.starts_with(JWT)
}

/// The base64url characters that the bytes begin with.
fn word(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-'));
    &bytes[..end.unwrap_or(bytes.len())]
}

fn positions(content: &[u8], wanted: &[u8]) -> Vec<usize> {
    let windows = content.windows(wanted.len().max(1)).enumerate();
    windows.filter(|(_, window)| *window == wanted).map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_known_by_shape_and_by_value() {
        let refresh = format!("x\0kpr_{}\"", "aB3-_".repeat(20));
        let jwt = b"\"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln\"";
        assert!(holds_token(refresh.as_bytes(), &[]));
        assert!(holds_token(jwt, &[]));
        assert!(holds_token(b"..opaque..", &["opaque".to_owned()]));
        assert!(!holds_token(
            b"kpr_short eyJhIjoxfQ eyJhbGciOiJFUzI1NiJ9.bm8.c2ln",
            &["x y".to_owned()]
        ));
        assert_eq!(refresh_tokens("{\"t\":\"kpr_ab\"} kpr_cd"), ["kpr_ab", "kpr_cd"]);
    }
}
