//! What is done with the keychain when a session is saved: the session first, what can follow
//! after; and what becomes of the session that it replaces.

use std::time::Duration;

use keyport_client::keychain::{Item, Keychain as _};
use keyport_core::{Screen, Store, Stored};
use tokio::sync::watch;

use crate::support::Desk;

#[tokio::test]
async fn a_session_is_there_as_soon_as_its_item_is_written_and_the_turn_lasts_until_the_rest_is() {
    let mut desk = Desk::new().await;
    let (go, waits) = watch::channel(false);
    desk.keychain.stalls_writes("access:", waits);
    desk.signs_in(Store::Keychain).await;
    let Screen::SignedIn { account, stored, not_saved, .. } = desk.shows_signed_in().await else {
        unreachable!()
    };
    assert_eq!((stored, not_saved), (Stored::Keychain, None));
    let access = Item::Access(account.id);
    assert_eq!(desk.keychain.text_of(&access).await, None, "it waits");
    assert!(desk.keychain.lock(Duration::ZERO).await.is_err(), "what follows is in the turn too");
    go.send_replace(true);
    // Whatever is under way is finished before the end.
    let Desk { client, keychain, .. } = desk;
    client.shut_down().await;
    assert!(keychain.text_of(&access).await.is_some());
    drop(keychain.lock(Duration::ZERO).await.expect("the lock is free"));
}

/// The companion ends the older session of the same device key alone.
#[tokio::test]
async fn a_replaced_session_of_another_device_key_is_revoked_once_the_new_one_is_kept() {
    for is_lost in [true, false] {
        let mut desk = Desk::new().await;
        desk.signs_in(Store::Keychain).await;
        let older = desk.companion.world().given[1].clone();
        if is_lost {
            desk.keychain.delete(&Item::Device).await.unwrap();
        }
        let mut desk = desk.restarted().await;
        desk.signs_in(Store::Keychain).await;
        let Desk { client, companion, .. } = desk;
        client.shut_down().await;
        if is_lost {
            let revoked = companion.until(|world| world.revoked.first().cloned()).await;
            assert_eq!(revoked, older);
        }
        assert_eq!(companion.world().revoked.len(), usize::from(is_lost), "the new one is kept");
    }
}
