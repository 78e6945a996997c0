//! What is done with the keychain when a session is saved: the session first, what can follow
//! after; and what becomes of the session that it replaces.

use std::time::Duration;

use keyport_client::keychain::{Item, Keychain as _};
use keyport_core::{Screen, SessionStore, Stored};
use tokio::sync::watch;

use crate::support::ClientFixture;

#[tokio::test]
async fn a_session_is_kept_once_its_item_is_written_under_one_lock() {
    let mut fixture = ClientFixture::new().await;
    let (go, waits) = watch::channel(false);
    fixture.keychain.stalls_writes("access:", waits);
    fixture.signs_in(SessionStore::Keychain).await;
    let Screen::SignedIn { account, stored, not_saved, .. } = fixture.shows_signed_in().await
    else {
        unreachable!()
    };
    assert_eq!((stored, not_saved), (Stored::Keychain, None));
    let access = Item::Access(account.id);
    assert_eq!(fixture.keychain.text_of(&access).await, None, "it waits");
    assert!(
        fixture.keychain.lock(Duration::ZERO).await.is_err(),
        "what follows happens under the lock too"
    );
    go.send_replace(true);
    // Whatever is under way is finished before the end.
    let ClientFixture { client, keychain, .. } = fixture;
    client.shut_down().await;
    assert!(keychain.text_of(&access).await.is_some());
    drop(keychain.lock(Duration::ZERO).await.expect("the lock is free"));
}

/// The companion ends the older session of the same device key alone.
#[tokio::test]
async fn a_replaced_session_of_another_device_key_is_revoked() {
    for is_lost in [true, false] {
        let mut fixture = ClientFixture::new().await;
        fixture.signs_in(SessionStore::Keychain).await;
        let older = fixture.companion.world().given[1].clone();
        if is_lost {
            fixture.keychain.delete(&Item::Device).await.unwrap();
        }
        let mut fixture = fixture.restarted().await;
        fixture.signs_in(SessionStore::Keychain).await;
        let ClientFixture { client, companion, .. } = fixture;
        client.shut_down().await;
        if is_lost {
            let revoked = companion.until(|world| world.revoked.first().cloned()).await;
            assert_eq!(revoked, older);
        }
        assert_eq!(companion.world().revoked.len(), usize::from(is_lost), "the new one is kept");
    }
}
