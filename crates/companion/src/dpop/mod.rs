//! Proof of possession (RFC 9449): the proof and the proofs already seen.
//! Not here: the server's nonce (`keys`), and which endpoint asks for what (`oauth::gate`).

mod proof;
mod seen;

pub use proof::{Expected, ProofError, VerifiedProof, verify};
pub use seen::SeenProofs;
