//! Where randomness comes from. It is an argument, so that a test can replay it; the service passes
//! [`SystemRandom`], the generator of aws-lc.

/// A source of random bytes, fit for keys.
pub trait Random: Send + Sync {
    /// Fills the slice.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's entropy through aws-lc's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one implementation of the argument")]
    #[expect(clippy::expect_used, reason = "without randomness no key or token may be made")]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the system's random generator failed");
    }
}
