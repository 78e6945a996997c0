//! The people: each sign-in comes from a device and a browser that have never been seen, walks the
//! whole way as app and browser do, and is not tried again.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use keyport_tests::native::REDIRECT_URI;
use keyport_tests::{Jar, NativeClient, Person, World};
use reqwest::Method;
use serde_json::json;

/// People at once.
const AT_ONCE: usize = 2;

/// How long sign-ins took.
#[derive(Debug, Default)]
pub struct Times(Vec<Duration>);

/// What became of the people during the load.
#[derive(Debug, Default)]
pub struct People {
    /// Those who got in.
    pub signed_in: Times,
    /// Why the others did not.
    pub failures: Vec<String>,
}

impl Times {
    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest time that so many percent do not exceed (nearest rank), in seconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).map_or(f64::NAN, Duration::as_secs_f64)
    }
}

/// Signs in one after another.
pub async fn sign_in_times(world: &World, count: usize) -> Result<Times> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        times.push(sign_in(world).await?);
    }
    Ok(Times(times))
}

/// Signs in again and again until `is_over` completes; whoever has begun may finish.
pub async fn sign_in_during(world: &World, is_over: impl Future<Output = ()>) -> People {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let one = async || {
        let mut people = People::default();
        while !*stopped.borrow() {
            match sign_in(world).await {
                Ok(time) => people.signed_in.0.push(time),
                Err(error) => people.failures.push(format!("{error:#}")),
            }
        }
        people
    };
    let everybody = futures_util::future::join_all((0..AT_ONCE).map(|_| one()));
    let over = async {
        is_over.await;
        stop.send_replace(true);
    };
    let (groups, ()) = tokio::join!(everybody, over);
    groups.into_iter().fold(People::default(), |mut all, mut group| {
        all.signed_in.0.append(&mut group.signed_in.0);
        all.failures.append(&mut group.failures);
        all
    })
}

/// One person with a new device and a new browser, by the connection of their company.
async fn sign_in(world: &World) -> Result<Duration> {
    let started = Instant::now();
    let client = NativeClient::new(world)?;
    let hints = [("connection", keyport_tests::world::ACME_CONNECTION)];
    let pushed = client.push(&hints).await.context("the pushed request")?;
    let mut browser = Jar::new()?.stopping_at(REDIRECT_URI);
    let page = Person::ADA.sign_in_at_provider(&mut browser, &pushed.url).await?;
    let attempt = client.attempt(Method::GET, &pushed.attempt, None).await?;
    let number = attempt.text("number");
    ensure!(number.len() == 2, "no number to compare: {} {}", attempt.status, attempt.body);
    ensure!(page.text().contains(number), "{number} is not on the page: {}", page.text());
    let callback = Person::come_back(&mut browser, page).await.context("the way back")?;
    let answer = client.redeem(&pushed, &callback).await?;
    answer.session().context("the session")?;
    let stored = Some(json!({ "outcome": "stored" }));
    let answer = client.attempt(Method::POST, &pushed.attempt, stored).await?;
    ensure!(answer.status.is_success(), "the outcome: {} {}", answer.status, answer.body);
    Ok(started.elapsed())
}
