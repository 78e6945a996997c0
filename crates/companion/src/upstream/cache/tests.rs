use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::*;

const REFUSED: Answer<u8> = Err(UpstreamError::TooMany { retry_after: 1 });

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn cache() -> Cache<u8> {
    Cache::new("test")
}

async fn find(cache: &Cache<u8>, key: &str, seconds: i64, answer: Answer<u8>) -> Answer<u8> {
    cache.find(key, at(seconds), || async move { answer }).await
}

/// What is there without a question.
async fn kept(cache: &Cache<u8>, key: &str, seconds: i64) -> Answer<u8> {
    find(cache, key, seconds, Err(UpstreamError::Unreachable)).await
}

#[tokio::test]
async fn a_flood_spends_its_second_and_no_other() {
    let cache = cache();
    let mut refused = 0;
    for number in 0..1000 {
        refused += usize::from(find(&cache, &number.to_string(), 5, Ok(None)).await == REFUSED);
    }
    assert_eq!(refused, 975);
    assert_eq!(find(&cache, "next", 6, Ok(Some(1))).await, Ok(Some(1)));
}

#[tokio::test]
async fn an_answer_is_good_for_minutes_and_kept_longer_for_want_of_a_new_one() {
    let cache = cache();
    assert_eq!(find(&cache, "acme.test", 5, Ok(Some(1))).await, Ok(Some(1)));
    assert_eq!(find(&cache, "acme.test", 304, Ok(Some(2))).await, Ok(Some(1)));
    assert_eq!(kept(&cache, "acme.test", 305).await, Ok(Some(1)), "the provider is away");
    assert_eq!(kept(&cache, "acme.test", 5 + KEPT).await, Err(UpstreamError::Unreachable));
    assert_eq!(find(&cache, "acme.test", 305, Ok(Some(2))).await, Ok(Some(2)));
    assert_eq!(kept(&cache, "acme.test", 4).await, Err(UpstreamError::Unreachable), "set back");
    for number in 0..25 {
        let _ = find(&cache, &number.to_string(), 700, Ok(None)).await;
    }
    assert_eq!(find(&cache, "acme.test", 700, Ok(Some(3))).await, Ok(Some(2)), "no budget");
}

#[tokio::test]
async fn made_up_keys_push_out_no_known_one_and_are_asked_for_again_soon() {
    let cache = cache();
    assert_eq!(find(&cache, "acme.test", 0, Ok(Some(1))).await, Ok(Some(1)));
    for number in 0..3000 {
        assert_eq!(find(&cache, &format!("d{number}"), number / 20, Ok(None)).await, Ok(None));
    }
    assert_eq!(kept(&cache, "acme.test", 150).await, Ok(Some(1)));
    {
        let memory = cache.lock();
        assert_eq!((memory.known.len(), memory.unknown.len()), (1, REMEMBERED.get()));
        assert!(memory.under_way.is_empty());
    }
    assert_eq!(find(&cache, "new.test", 200, Ok(None)).await, Ok(None));
    assert_eq!(find(&cache, "new.test", 229, Ok(Some(1))).await, Ok(None));
    assert_eq!(find(&cache, "new.test", 230, Ok(Some(1))).await, Ok(Some(1)), "set up meanwhile");
}

#[tokio::test]
async fn questions_of_one_key_that_are_under_way_are_one() {
    let (cache, asked, gate) =
        (cache(), Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let ask = || {
        let (asked, gate) = (Arc::clone(&asked), Arc::clone(&gate));
        async move {
            asked.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.map_err(|_| UpstreamError::Nonsense)?.forget();
            Ok(Some(7))
        }
    };
    // The first caller leaves while the question is under way: it is answered all the same.
    let first = cache.find("acme.test", at(0), ask);
    assert!(futures_util::poll!(std::pin::pin!(first)).is_pending());
    let all = async {
        let (a, b) =
            tokio::join!(cache.find("acme.test", at(0), ask), cache.find("acme.test", at(1), ask));
        assert_eq!((a, b), (Ok(Some(7)), Ok(Some(7))));
    };
    tokio::join!(all, async { gate.add_permits(1) });
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(kept(&cache, "acme.test", 2).await, Ok(Some(7)));
}
