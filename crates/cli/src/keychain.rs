//! The keychain as a terminal uses it: all but the attempt that waits for a deep link. That one belongs to the app alone; a sign-in here
//! must neither take it up nor give it up.

use std::future::ready;

use keyport_client::keychain::{Answered, Item, Keychain, SecretBytes};

/// Another keychain, without its attempt.
pub struct WithoutAttempt<K>(pub K);

impl<K: Keychain> Keychain for WithoutAttempt<K> {
    fn probe(&self) -> Answered<'_, ()> {
        self.0.probe()
    }

    fn read<'a>(&'a self, item: &'a Item) -> Answered<'a, Option<SecretBytes>> {
        match item {
            Item::Attempt => Box::pin(ready(Ok(None))),
            _ => self.0.read(item),
        }
    }

    fn write<'a>(&'a self, item: &'a Item, secret: &'a SecretBytes) -> Answered<'a, ()> {
        match item {
            Item::Attempt => Box::pin(ready(Ok(()))),
            _ => self.0.write(item, secret),
        }
    }

    fn delete<'a>(&'a self, item: &'a Item) -> Answered<'a, ()> {
        match item {
            Item::Attempt => Box::pin(ready(Ok(()))),
            _ => self.0.delete(item),
        }
    }

    fn set_aside<'a>(&'a self, item: &'a Item) -> Answered<'a, ()> {
        match item {
            Item::Attempt => Box::pin(ready(Ok(()))),
            _ => self.0.set_aside(item),
        }
    }

    fn unlock(&self) -> Answered<'_, ()> {
        self.0.unlock()
    }
}

#[cfg(test)]
mod tests {
    use keyport_client::keychain::MemoryKeychain;

    use super::*;

    #[tokio::test]
    async fn the_attempt_of_the_app_is_neither_seen_nor_touched() {
        let of_app = SecretBytes::new(*b"the app waits");
        let keychain = WithoutAttempt(MemoryKeychain::default());
        keychain.0.write(&Item::Attempt, &of_app).await.unwrap();
        assert_eq!(keychain.read(&Item::Attempt).await, Ok(None));
        keychain.write(&Item::Attempt, &SecretBytes::new(*b"another")).await.unwrap();
        keychain.delete(&Item::Attempt).await.unwrap();
        keychain.set_aside(&Item::Attempt).await.unwrap();
        assert_eq!(keychain.0.read(&Item::Attempt).await, Ok(Some(of_app)));
    }

    #[tokio::test]
    async fn everything_else_is_the_keychains_own() {
        let keychain = WithoutAttempt(MemoryKeychain::default());
        let secret = SecretBytes::new(*b"one");
        keychain.probe().await.unwrap();
        keychain.write(&Item::Device, &secret).await.unwrap();
        assert_eq!(keychain.0.read(&Item::Device).await, Ok(Some(secret)));
        keychain.delete(&Item::Device).await.unwrap();
        assert_eq!(keychain.read(&Item::Device).await, Ok(None));
    }
}
