//! Two sign-ins of one person on one device: the companion ends the older session when the newer
//! code is redeemed, and what the keychain holds in the end is alive, in every order of the steps.

use std::time::Duration;

use keyport_client::http::Push;
use keyport_client::keychain::{Item, Keychain};
use keyport_client::session::{SaveLock, WithoutLock};
use keyport_client::{ClientNotice, Intent, Sessions};
use keyport_core::secret::{AuthorizationCode, CodeVerifier, State};
use keyport_core::{
    AttemptId, CallbackReceiver, Hints, NewSession, Problem, ReceiverSecrets, Refreshed,
    SessionStore, Stored,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::support::companion::Seen;
use crate::support::fixture::visit;
use crate::support::{ClientFixture, Fault};

type Redeemed = Result<(NewSession, SaveLock), Problem>;

/// One of the two programs, with a code that the person has got for it.
struct Program {
    sessions: Sessions,
    redeeming: Option<JoinHandle<Redeemed>>,
    redeemed: Option<(NewSession, SaveLock)>,
    code: (AuthorizationCode, CodeVerifier),
    saved: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Redeem(usize),
    Save(usize),
}

use Step::{Redeem, Save};

/// Every order in which each program redeems before it saves.
const ORDERS: [[Step; 4]; 6] = [
    [Redeem(0), Save(0), Redeem(1), Save(1)],
    [Redeem(0), Redeem(1), Save(0), Save(1)],
    [Redeem(0), Redeem(1), Save(1), Save(0)],
    [Redeem(1), Redeem(0), Save(0), Save(1)],
    [Redeem(1), Redeem(0), Save(1), Save(0)],
    [Redeem(1), Save(1), Redeem(0), Save(0)],
];

const REDIRECT_URI: &str = "http://127.0.0.1:1/callback";

impl Program {
    async fn with_code(fixture: &ClientFixture, name: &str) -> Self {
        let sessions = fixture.another_process();
        let key = sessions.device_key(SessionStore::Keychain).await.unwrap();
        let verifier = CodeVerifier::new(name.repeat(43));
        let state = State::new(name);
        let receiver = ReceiverSecrets {
            receiver: CallbackReceiver::Loopback,
            state,
            verifier: verifier.clone(),
        };
        let push = Push {
            attempt: &AttemptId(name.repeat(32)),
            receiver: &receiver,
            redirect_uri: &Url::parse(REDIRECT_URI).unwrap(),
            hints: &Hints::default(),
            device_name: "",
        };
        let (url, _) = sessions.companion().push(&key, &push).await.unwrap();
        let back = Url::parse(&fixture.companion.signs_in(url.expose())).unwrap();
        let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        let code = (AuthorizationCode::new(code), verifier);
        Self { sessions, redeeming: None, redeemed: None, code, saved: false }
    }

    async fn redeem(&mut self, fixture: &ClientFixture) {
        let (sessions, (code, verifier)) = (self.sessions.clone(), self.code.clone());
        let mut waits = fixture.keychain.lock_waits();
        let waiting_already = *waits.borrow_and_update();
        let mut redeeming = tokio::spawn(async move {
            let key = sessions.device_key(SessionStore::Keychain).await?;
            let address = (key, Url::parse(REDIRECT_URI).unwrap());
            let proofs = (&code, &verifier);
            sessions.redeem_code(address, proofs, SessionStore::Keychain, WithoutLock::Refuse).await
        });
        tokio::select! {
            done = &mut redeeming => self.redeemed = Some(done.unwrap().unwrap()),
            // Another program is between redeeming and saving.
            _ = waits.wait_for(|waits| *waits > waiting_already) => {
                self.redeeming = Some(redeeming);
            }
        }
    }

    /// As soon as it can.
    async fn save(&mut self) {
        if let Some((session, lock)) = self.redeemed.take() {
            self.sessions.save(&session, lock).await.unwrap();
            self.saved = true;
        }
    }

    async fn finish(&mut self) {
        if let Some(redeeming) = self.redeeming.take() {
            self.redeemed = Some(redeeming.await.unwrap().unwrap());
        }
        self.save().await;
    }
}

#[tokio::test]
async fn two_concurrent_sign_ins_leave_a_live_session_in_any_order() {
    for order in ORDERS {
        let fixture = ClientFixture::new().await;
        let mut programs =
            [Program::with_code(&fixture, "a").await, Program::with_code(&fixture, "b").await];
        for step in order {
            match step {
                Redeem(program) => programs[program].redeem(&fixture).await,
                Save(program) => programs[program].save().await,
            }
        }
        for program in &mut programs {
            program.finish().await;
            assert!(program.saved, "{order:?}: both say that they are signed in");
        }
        is_alive(&fixture, &format!("{order:?}")).await;
    }
}

#[tokio::test]
async fn a_program_that_saves_nothing_holds_up_no_other() {
    let fixture = ClientFixture::new().await;
    let mut program = Program::with_code(&fixture, "a").await;
    program.redeem(&fixture).await;
    assert!(fixture.keychain.lock(Duration::ZERO).await.is_err(), "until it has saved");
    program.redeemed = None;
    drop(fixture.keychain.lock(Duration::ZERO).await.expect("the lock is free"));
    // And it leaves no session behind.
    let revoked = fixture.companion.until(|world| world.revoked.first().cloned()).await;
    assert_eq!(revoked, fixture.companion.world().given[1]);
}

/// A refresh takes the lock that redeeming the code needs, for as long as the companion takes.
#[tokio::test]
async fn a_sign_in_waits_for_no_refresh_of_the_accounts_that_are_kept() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    fixture.window_is_killed();
    fixture.clock.jump(Duration::from_secs(301));
    let (_go, waits) = watch::channel(false);
    fixture.companion.next_fails("refresh", Fault::Waits(waits));
    let client = fixture.command_line_beside();
    let mut notices = client.notices();
    client.intend(Intent::SignIn { email: None });
    let url = fixture.browser_opens().await;
    let back = fixture.companion.signs_in(&url);
    visit(&back).await;
    let stored = loop {
        if let ClientNotice::SignedIn { stored, .. } = notices.recv().await.unwrap() {
            break stored;
        }
    };
    assert_eq!((stored, fixture.companion.count("refresh")), (Stored::Keychain, 0));
    let begun = |seen: &Seen| seen.what == "refresh waits";
    assert!(!fixture.companion.world().seen.iter().any(begun));
}

async fn is_alive(fixture: &ClientFixture, order: &str) {
    let third = fixture.another_process();
    let account = third.current().await.unwrap().expect("signed in");
    assert!(fixture.keychain.text_of(&Item::Account(account.id.clone())).await.is_some());
    let fresh = third.refresh(&account.id).await;
    let alive = matches!(fresh, Refreshed::Done { stored: Stored::Keychain, .. });
    assert!(alive, "{order}: the kept session is dead: {fresh:?}");
}
