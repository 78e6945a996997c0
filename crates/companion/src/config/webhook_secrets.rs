//! The secrets of webhooks: several while one takes the place of another.

use super::environment::Environment;
use crate::domain::SecretText;

/// Shortest secret, in characters: one that is shorter was cut when it was copied.
const SHORTEST: usize = 16;

impl<R: Fn(&str) -> std::io::Result<String>> Environment<R> {
    pub(super) fn webhook_secrets(&mut self) -> Vec<SecretText> {
        let all = self.secret("WORKOS_WEBHOOK_SECRET", false);
        let each = all.expose().split(',').map(str::trim).filter(|secret| !secret.is_empty());
        let secrets: Vec<SecretText> = each.map(SecretText::new).collect();
        if secrets.iter().any(|secret| secret.expose().len() < SHORTEST) {
            self.fault(format!(
                "WORKOS_WEBHOOK_SECRET holds a secret of less than {SHORTEST} characters; copy it \
                 whole, and write commas between several"
            ));
        }
        secrets
    }
}
