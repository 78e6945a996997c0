//! Everything derived from the key file: HKDF-SHA256 (RFC 5869) gives each use a key of its own;
//! AES-256-GCM-SIV (RFC 8452) seals, because an unauthenticated caller may make us seal and a
//! random nonce may repeat some day; HMAC-SHA256 authenticates.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize as _, Zeroizing};

use super::{AccessTokenKey, KeyFile, RefreshToken};
use crate::domain::{Random, SecretArray, SecretText};

/// What a box is for. It is authenticated with the content: a box opens only for the purpose that
/// it was sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The pushed request inside `request_uri`.
    RequestUri,
    /// The upstream authorization inside the cookie of its upstream `state`.
    UpstreamAuthorization,
    /// The client's `state` of a stored grant.
    ClientState,
    /// The value that binds a database to its key file.
    DatabaseCheck,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::RequestUri => b"keyport request_uri",
            Self::UpstreamAuthorization => b"keyport upstream authorization",
            Self::ClientState => b"keyport client state",
            Self::DatabaseCheck => b"keyport database check",
        }
    }
}

/// The box was not sealed with this key for this purpose, or was changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not sealed by this service for this purpose")]
pub struct SealError;

pub(super) struct Length(pub usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// The derived keys. Shared by reference; made once at start.
pub struct Keys {
    seal: LessSafeKey,
    child_salt: hkdf::Salt,
    pub(super) refresh_mac: hmac::Key,
    pub(super) nonce_mac: hmac::Key,
    pub(super) csrf_mac: hmac::Key,
    access: AccessTokenKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Keys {
    /// Derives every key from the key file. The same file gives the same keys on every instance.
    pub fn derive(file: &KeyFile) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"keyport key file 1")
            .extract(file.secret().expose());
        let mac = |label| hmac::Key::new(hmac::HMAC_SHA256, expand(&root, &[label]).expose());
        Self {
            seal: aead_key(&expand(&root, &[b"seal"])),
            child_salt: hkdf::Salt::new(
                hkdf::HKDF_SHA256,
                expand(&root, &[b"refresh child"]).expose(),
            ),
            refresh_mac: mac(b"refresh token"),
            nonce_mac: mac(b"dpop nonce"),
            csrf_mac: mac(b"csrf token"),
            access: AccessTokenKey::derive(|attempt| {
                expand(&root, &[b"access token signature", &[attempt]])
            }),
        }
    }

    /// The key that signs access tokens.
    pub fn access_token_key(&self) -> &AccessTokenKey {
        &self.access
    }

    /// Seals text for a purpose; the answer is base64url, 38 characters longer than the content in
    /// base64url.
    pub fn seal(&self, purpose: Purpose, content: &str, random: &dyn Random) -> String {
        let sealed = seal_with(&self.seal, purpose.label(), content.as_bytes(), random);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// Opens what [`Keys::seal`] has sealed for the same purpose.
    pub fn open(&self, purpose: Purpose, sealed: &str) -> Result<SecretText, SealError> {
        let mut sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealError)?;
        let content = open_with(&self.seal, purpose.label(), &mut sealed)?;
        let text = std::str::from_utf8(content).map_err(|_| SealError).map(SecretText::new);
        sealed.zeroize();
        text
    }

    /// Seals bytes for a purpose, bound to what they may be opened with; base64url.
    pub fn seal_bytes(
        &self,
        purpose: Purpose,
        bound_to: &[u8],
        content: &[u8],
        random: &dyn Random,
    ) -> String {
        let sealed = seal_with(&self.seal, &bound(purpose, bound_to), content, random);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// Opens what [`Keys::seal_bytes`] has sealed for the same purpose and bound to the same bytes.
    pub fn open_bytes(
        &self,
        purpose: Purpose,
        bound_to: &[u8],
        sealed: &str,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let decoded = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealError)?;
        let mut sealed = Zeroizing::new(decoded);
        let content = open_with(&self.seal, &bound(purpose, bound_to), &mut sealed)?;
        Ok(Zeroizing::new(content.to_vec()))
    }

    /// Seals the secret of a child under its parent: only who presents the parent makes this
    /// service able to open it.
    pub fn seal_child(
        &self,
        parent: &RefreshToken,
        child: &SecretArray<32>,
        random: &dyn Random,
    ) -> Vec<u8> {
        seal_with(&self.child_key(parent), b"keyport child", child.expose(), random)
    }

    /// Opens what [`Keys::seal_child`] has sealed under the same parent.
    pub fn open_child(
        &self,
        parent: &RefreshToken,
        sealed: &[u8],
    ) -> Result<SecretArray<32>, SealError> {
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let child = open_with(&self.child_key(parent), b"keyport child", &mut sealed)?;
        <[u8; 32]>::try_from(&*child).map(SecretArray::new).map_err(|_| SealError)
    }

    fn child_key(&self, parent: &RefreshToken) -> LessSafeKey {
        let prk = self.child_salt.extract(parent.secret.expose());
        let generation = parent.generation.to_be_bytes();
        aead_key(&expand(&prk, &[parent.family.as_bytes(), b"|", &generation]))
    }
}

/// No label holds the mark, so what it is bound to cannot be taken for a part of the label.
fn bound(purpose: Purpose, bound_to: &[u8]) -> Vec<u8> {
    [purpose.label(), b"|", bound_to].concat()
}

#[expect(clippy::expect_used, reason = "HKDF-SHA256 gives 32 bytes for any info")]
fn expand(prk: &hkdf::Prk, info: &[&[u8]]) -> SecretArray<32> {
    let mut bytes = [0; 32];
    prk.expand(info, Length(32)).and_then(|okm| okm.fill(&mut bytes)).expect("32 bytes of HKDF");
    SecretArray::new(bytes)
}

#[expect(clippy::expect_used, reason = "the key has the length of AES-256")]
fn aead_key(key: &SecretArray<32>) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, key.expose()).expect("32 bytes"))
}

#[expect(clippy::expect_used, reason = "fails only beyond 2^36 bytes of content")]
fn seal_with(key: &LessSafeKey, aad: &[u8], content: &[u8], random: &dyn Random) -> Vec<u8> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce);
    let mut in_out = content.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut in_out)
        .expect("content of moderate length");
    [&nonce[..], &in_out].concat()
}

fn open_with<'a>(
    key: &LessSafeKey,
    aad: &[u8],
    sealed: &'a mut [u8],
) -> Result<&'a mut [u8], SealError> {
    let (nonce, content) = sealed.split_at_mut_checked(NONCE_LEN).ok_or(SealError)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
    key.open_in_place(nonce, Aad::from(aad), content).map_err(|_| SealError)
}
