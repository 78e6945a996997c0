use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::*;

const REFUSED: LookupAnswer<u8> = Err(UpstreamError::TooMany { retry_after: 1 });

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// Callers of many sites, so that none of them spends its share.
fn many(number: i64, seconds: i64) -> LookupCaller {
    asker(u8::try_from(number % 5).unwrap(), seconds)
}

fn asker(place: u8, seconds: i64) -> LookupCaller {
    LookupCaller::new(PeerAddress([192, 0, 2, place].into()), at(seconds))
}

fn cache() -> LookupCache<u8> {
    LookupCache::new("test")
}

async fn find(
    cache: &LookupCache<u8>,
    key: &str,
    seconds: i64,
    answer: LookupAnswer<u8>,
) -> LookupAnswer<u8> {
    find_from(cache, asker(100, seconds), key, answer).await
}

async fn find_from(
    cache: &LookupCache<u8>,
    asker: LookupCaller,
    key: &str,
    answer: LookupAnswer<u8>,
) -> LookupAnswer<u8> {
    cache.find(key, asker, || async move { answer }).await
}

#[tokio::test]
async fn one_site_spends_a_quarter_of_the_lookups_at_most() {
    let (cache, mut answered) = (cache(), 0);
    for number in 0..1000_u16 {
        let network = std::net::Ipv6Addr::from([0x2001, 0xdb8, 1, number, 0, 0, 0, 7]);
        let flood = LookupCaller::new(PeerAddress(network.into()), at(5));
        answered +=
            i32::from(find_from(&cache, flood, &number.to_string(), Ok(None)).await.is_ok());
    }
    assert_eq!(answered, 6, "all the networks of a /48 are one site");
    assert_eq!(find_from(&cache, asker(1, 5), "acme.test", Ok(Some(1))).await, Ok(Some(1)));
    assert_eq!(find_from(&cache, asker(2, 5), "acme.test", Ok(None)).await, Ok(Some(1)), "known");
}

#[tokio::test]
async fn callers_that_wait_for_one_answer_are_bounded() {
    let (cache, gate) = (Arc::new(cache()), Arc::new(Semaphore::new(0)));
    let ask = |place| {
        let (cache, gate) = (Arc::clone(&cache), Arc::clone(&gate));
        async move {
            let answer = async move {
                gate.acquire().await.map(|_| Some(7)).map_err(|_| REFUSED.unwrap_err())
            };
            cache.find("slow.test", asker(place, 5), || answer).await
        }
    };
    let mut flood: Vec<_> = (0..1000).map(|_| tokio::spawn(ask(1))).collect();
    let refused = flood.split_off(WAITING_OF_SITE);
    for one in refused {
        assert_eq!(one.await.unwrap(), REFUSED);
    }
    let elsewhere = tokio::spawn(ask(2));
    gate.add_permits(1000);
    assert_eq!(elsewhere.await.unwrap(), Ok(Some(7)));
    for one in flood {
        assert_eq!(one.await.unwrap(), Ok(Some(7)));
    }
    let memory = cache.lock();
    assert_eq!((memory.waiting, memory.waiting_of_site.len()), (0, 0));
}

/// What is there without a question.
async fn kept(cache: &LookupCache<u8>, key: &str, seconds: i64) -> LookupAnswer<u8> {
    find(cache, key, seconds, Err(UpstreamError::Unreachable)).await
}

#[tokio::test]
async fn a_flood_spends_its_second_and_no_other() {
    let cache = cache();
    let mut refused = 0;
    for number in 0..1000 {
        let found = find_from(&cache, many(number, 5), &number.to_string(), Ok(None)).await;
        refused += usize::from(found == REFUSED);
    }
    assert_eq!(refused, 975);
    assert_eq!(find(&cache, "next", 6, Ok(Some(1))).await, Ok(Some(1)));
}

#[tokio::test]
async fn an_old_answer_is_used_when_no_new_one_can_be_had() {
    let cache = cache();
    assert_eq!(find(&cache, "acme.test", 5, Ok(Some(1))).await, Ok(Some(1)));
    assert_eq!(find(&cache, "acme.test", 304, Ok(Some(2))).await, Ok(Some(1)));
    assert_eq!(kept(&cache, "acme.test", 305).await, Ok(Some(1)), "the provider is away");
    assert_eq!(kept(&cache, "acme.test", 5 + KEPT).await, Err(UpstreamError::Unreachable));
    assert_eq!(find(&cache, "acme.test", 305, Ok(Some(2))).await, Ok(Some(2)));
    assert_eq!(kept(&cache, "acme.test", 4).await, Err(UpstreamError::Unreachable), "set back");
    for number in 0..25 {
        let _ = find_from(&cache, many(number, 700), &number.to_string(), Ok(None)).await;
    }
    assert_eq!(find(&cache, "acme.test", 700, Ok(Some(3))).await, Ok(Some(2)), "no budget");
}

#[tokio::test]
async fn made_up_keys_push_out_no_known_key() {
    let cache = cache();
    assert_eq!(find(&cache, "acme.test", 0, Ok(Some(1))).await, Ok(Some(1)));
    for number in 0..3000 {
        let asker = many(number, number / 20);
        let found = find_from(&cache, asker, &format!("d{number}"), Ok(None)).await;
        assert_eq!(found, Ok(None));
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
    let first = cache.find("acme.test", asker(1, 0), ask);
    assert!(futures_util::poll!(std::pin::pin!(first)).is_pending());
    let all = async {
        let (a, b) = tokio::join!(
            cache.find("acme.test", asker(1, 0), ask),
            cache.find("acme.test", asker(1, 1), ask)
        );
        assert_eq!((a, b), (Ok(Some(7)), Ok(Some(7))));
    };
    tokio::join!(all, async { gate.add_permits(1) });
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(kept(&cache, "acme.test", 2).await, Ok(Some(7)));
}
