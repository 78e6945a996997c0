//! Behind a reverse proxy: whom the service takes a request to come from. Seen from outside by what
//! each site may have the provider asked: six unknown domains a second. Real processes.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use keyport_tests::native::{CLIENT, NativeClient, REDIRECT_URI, random};
use keyport_tests::{World, wait};

/// A client of the companion, through a proxy on this machine that says this of it.
struct Forwarded<'a> {
    client: NativeClient,
    http: reqwest::Client,
    world: &'a World,
    address: &'static str,
}

impl<'a> Forwarded<'a> {
    async fn new(world: &'a World, address: &'static str) -> Result<Self> {
        let client = NativeClient::new(world)?;
        // Refused, and from then on the nonce for proofs is known.
        client.post("/oauth/par", &[]).await?;
        let http = reqwest::Client::builder().no_proxy().timeout(wait::WAIT_TIMEOUT).build()?;
        Ok(Self { client, http, world, address })
    }

    /// Pushes a request for a domain that was never asked for; answers with the problem.
    async fn ask(&self) -> Result<String> {
        let (state, challenge) = (random(16)?, random(32)?);
        let form = [
            ("client_id", CLIENT),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "openid"),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("login_hint", &format!("eve@{}.test", hex(&state))),
        ];
        let request = self.http.post(format!("{}/oauth/par", self.world.issuer()));
        let request = request
            .header("dpop", self.client.proof("POST", "/oauth/par")?)
            .header("x-forwarded-for", self.address);
        let answer: serde_json::Value = request.form(&form).send().await?.json().await?;
        let problem = answer["keyport_problem"].as_str();
        Ok(problem.map_or_else(|| answer.to_string(), str::to_owned))
    }
}

/// A label of a domain out of any random text.
fn hex(random: &str) -> String {
    random.bytes().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// Asks for more than one site may, for as long as this future runs, and counts the refusals.
async fn flood(world: &World, address: &'static str, refused: &AtomicUsize) -> Result<()> {
    let one = async || {
        let asking = Forwarded::new(world, address).await?;
        loop {
            match &*asking.ask().await? {
                "too_many_requests" => refused.fetch_add(1, Ordering::SeqCst),
                "domain_unknown" => 0,
                other => anyhow::bail!("{other}"),
            };
        }
    };
    tokio::try_join!(one(), one(), one()).map(|((), (), ())| ())
}

const GREEDY: &str = "203.0.113.7";
const OTHER: &str = "198.51.100.1";

#[tokio::test]
async fn a_forwarded_address_that_no_setting_trusts_is_not_believed() -> Result<()> {
    let world = World::start()?;
    let refused = AtomicUsize::new(0);
    let of_the_same_site = async {
        let other = Forwarded::new(&world, OTHER).await?;
        wait::until_async("a refusal for the flood of another", wait::WAIT_TIMEOUT, async || {
            Ok((other.ask().await? == "too_many_requests").then_some(()))
        })
        .await
    };
    tokio::select! {
        done = of_the_same_site => done,
        flood = flood(&world, GREEDY, &refused) => flood,
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_a_flood_from_one_address_keeps_no_other_out() -> Result<()> {
    let world = World::with().companion("KEYPORT_TRUSTED_PROXIES", "127.0.0.1").start()?;
    let refused = AtomicUsize::new(0);
    let of_another_site = async {
        let other = Forwarded::new(&world, OTHER).await?;
        // Fewer than one site may in a second.
        for _ in 0..5 {
            let before = refused.load(Ordering::SeqCst);
            wait::until_async("a refusal of the flood", wait::WAIT_TIMEOUT, async || {
                Ok((refused.load(Ordering::SeqCst) > before).then_some(()))
            })
            .await?;
            assert_eq!(other.ask().await?, "domain_unknown");
        }
        anyhow::Ok(())
    };
    tokio::select! {
        done = of_another_site => done,
        flood = flood(&world, GREEDY, &refused) => flood,
    }
}
