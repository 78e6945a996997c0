//! The refresh token on the wire: `kpr_` + base64url(family 16 ‖ generation u32 ‖ secret 32 ‖ MAC
//! 16). The MAC is checked before anything is looked up, so that a made-up token can end no family
//! and costs no database.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::Keys;
use crate::domain::FamilyId;
use crate::domain::{Random, SecretArray, SecretText};

const PREFIX: &str = "kpr_";
const BODY: usize = 16 + 4 + 32;
const MAC: usize = 16;

/// The text is not a refresh token that this service has issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token of this service")]
pub struct RefreshTokenError;

/// A refresh token that this service has issued, or is about to.
#[derive(Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The family, one per session.
    pub family: FamilyId,
    /// Its place in the family, from 0.
    pub generation: u32,
    /// What makes it one of its kind.
    pub secret: SecretArray<32>,
}

impl RefreshToken {
    /// Draws the first token of a new family.
    pub fn draw_first(random: &dyn Random) -> Self {
        let family = FamilyId::draw(random);
        Self { family, generation: 0, secret: draw_secret(random) }
    }

    /// Draws a child; `None` at the end of 2^32 generations.
    pub fn draw_child(&self, random: &dyn Random) -> Option<Self> {
        let generation = self.generation.checked_add(1)?;
        Some(Self { family: self.family, generation, secret: draw_secret(random) })
    }

    /// What storage keeps of it.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(*self.body()).into()
    }

    fn body(&self) -> Zeroizing<[u8; BODY]> {
        let mut body = Zeroizing::new([0; BODY]);
        body[..16].copy_from_slice(self.family.as_bytes());
        body[16..20].copy_from_slice(&self.generation.to_be_bytes());
        body[20..].copy_from_slice(self.secret.expose());
        body
    }
}

fn draw_secret(random: &dyn Random) -> SecretArray<32> {
    let mut secret = [0; 32];
    random.fill(&mut secret);
    SecretArray::new(secret)
}

impl Keys {
    /// The text of a refresh token, `kpr_…`.
    pub fn write_refresh_token(&self, token: &RefreshToken) -> SecretText {
        let body = token.body();
        let tag = hmac::sign(&self.refresh_mac, &*body);
        let bytes = Zeroizing::new([&body[..], &tag.as_ref()[..MAC]].concat());
        SecretText::new(format!("{PREFIX}{}", &*Zeroizing::new(URL_SAFE_NO_PAD.encode(&*bytes))))
    }

    /// Reads a presented refresh token. Only one that carries our MAC comes through.
    pub fn read_refresh_token(&self, text: &SecretText) -> Result<RefreshToken, RefreshTokenError> {
        let encoded = text.expose().strip_prefix(PREFIX).ok_or(RefreshTokenError)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).map_err(|_| RefreshTokenError)?);
        let (body, presented) = bytes.split_at_checked(BODY).ok_or(RefreshTokenError)?;
        let tag = hmac::sign(&self.refresh_mac, body);
        aws_lc_rs::constant_time::verify_slices_are_equal(&tag.as_ref()[..MAC], presented)
            .map_err(|_| RefreshTokenError)?;
        let (family, rest) = body.split_first_chunk().ok_or(RefreshTokenError)?;
        let (generation, secret) = rest.split_first_chunk().ok_or(RefreshTokenError)?;
        Ok(RefreshToken {
            family: FamilyId::from_bytes(*family),
            generation: u32::from_be_bytes(*generation),
            secret: SecretArray::new(secret.try_into().map_err(|_| RefreshTokenError)?),
        })
    }
}
