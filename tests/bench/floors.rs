//! What the machine itself needs for the parts that no design can leave out: putting 4 KiB on the
//! disk for good, and checking one signature. NOT compared with other machines: a ratio to the
//! floor of the same run is what carries over.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};

/// What SQLite writes at least.
const PAGE: [u8; 4096] = [0x5a; 4096];
/// The length of a DPoP proof's signing input.
const SIGNED: usize = 420;

/// Where the 4 KiB go. A database's log does both: it grows, and from the first checkpoint on it is
/// written over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// To the end of the file, which grows: the file system has to note that too.
    End,
    /// Over what the file has.
    Within,
}

/// Writes of 4 KiB, each with an fdatasync, to a file of its own beside the database.
pub fn writes(folder: &Path, place: Place, runs: usize) -> Result<Vec<Duration>> {
    let path = folder.join("floor");
    let mut file = File::create(&path)?;
    if place == Place::Within {
        file.write_all(&PAGE.repeat(runs + 1))?;
        file.sync_all()?;
        file.rewind()?;
    }
    let mut taken = Vec::with_capacity(runs);
    for run in 0..=runs {
        let started = Instant::now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        // The first one makes the file.
        if run > 0 {
            taken.push(started.elapsed());
        }
    }
    std::fs::remove_file(path)?;
    Ok(taken)
}

/// ES256 verifications, RFC 7518 §3.4, each with a key that is parsed anew, as a server must.
pub fn verifications(runs: usize) -> Result<Vec<Duration>> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let message = [b'a'; SIGNED];
    let signature = pair.sign(&SystemRandom::new(), &message)?;
    let point = pair.public_key().as_ref().to_vec();
    let mut taken = Vec::with_capacity(runs);
    for run in 0..runs + runs / 10 {
        let started = Instant::now();
        let verified = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point)
            .verify(&message, signature.as_ref());
        let elapsed = started.elapsed();
        verified.ok().context("a signature of our own is good")?;
        if run >= runs / 10 {
            taken.push(elapsed);
        }
    }
    Ok(taken)
}
