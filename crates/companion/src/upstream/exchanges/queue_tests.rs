//! Who goes next and who is refused.

use super::*;
use crate::domain::{BrowserHash, Timestamp};

const NOW: Duration = Duration::from_secs(1000);

fn limits() -> QueueLimits {
    QueueLimits {
        in_flight: 4,
        reserved: 1,
        waiting: 8,
        rate: Rate { per_second: 10.0, burst: 1000.0 },
        kept: 100.0,
    }
}

fn caller(peer: u8, device: u8) -> Caller {
    Caller {
        peer: [192, 0, 2, peer].into(),
        device: Thumbprint::from_bytes([device; 32]),
        browser: BrowserHash::from_bytes([device; 32]),
    }
}

fn arrival(second: i64, holds_place: bool) -> Arrival {
    Arrival { first: Timestamp::from_seconds(second), holds_place }
}

/// Takes all in; who was refused.
fn arrive(queue: &mut Queue, callers: &[(u64, Caller)]) -> Vec<u64> {
    let refused = callers
        .iter()
        .filter_map(|(n, who)| queue.arrive(ExchangeId(*n), *who, arrival(0, false), NOW));
    refused.map(|id| id.0).collect()
}

fn begin_all(queue: &mut Queue) -> Vec<u64> {
    std::iter::from_fn(|| queue.begin_next(NOW)).map(|id| id.0).collect()
}

/// Each begins when the one before it has ended.
fn one_by_one(queue: &mut Queue) -> Vec<u64> {
    let one = || {
        let id = queue.begin_next(NOW)?;
        queue.end(id, ExchangeResult::Accepted, NOW);
        Some(id.0)
    };
    std::iter::from_fn(one).collect()
}

#[test]
fn with_free_slots_many_callers_of_one_address_are_not_delayed() {
    let mut queue = Queue::new(limits());
    let company: Vec<_> = (0..4).map(|n| (n, caller(1, u8::try_from(n).unwrap()))).collect();
    assert_eq!(arrive(&mut queue, &company), [0_u64; 0]);
    assert_eq!(begin_all(&mut queue), [0, 1, 2, 3], "all at once, in their order");
}

#[test]
fn in_flight_is_bounded_and_the_end_of_one_lets_the_next_in() {
    let mut queue = Queue::new(limits());
    let many: Vec<_> = (0..6).map(|n| (n, caller(1, u8::try_from(n).unwrap()))).collect();
    arrive(&mut queue, &many);
    assert_eq!(begin_all(&mut queue), [0, 1, 2, 3]);
    assert_eq!(queue.wake_at(), None, "time alone does not help");
    queue.end(ExchangeId(2), ExchangeResult::Failed, NOW);
    assert_eq!(begin_all(&mut queue), [4]);
    queue.leave(ExchangeId(5));
    queue.end(ExchangeId(0), ExchangeResult::Failed, NOW);
    assert_eq!(begin_all(&mut queue), [0_u64; 0], "who has gone is not sent");
}

#[test]
fn scarce_slots_alternate_between_addresses_then_devices() {
    let mut queue = Queue::new(limits());
    let busy = (0..5).map(|n| (n, caller(1, 1)));
    let others = [(5, caller(1, 2)), (6, caller(2, 3)), (7, caller(3, 4))];
    let all: Vec<_> = busy.chain(others).collect();
    arrive(&mut queue, &all);
    assert_eq!(one_by_one(&mut queue), [0, 6, 7, 5, 1, 2, 3, 4]);
}

#[test]
fn a_full_queue_refuses_the_newest_of_the_busiest_address() {
    let mut queue = Queue::new(limits());
    let company: Vec<_> = (0..3).map(|n| (n, caller(1, u8::try_from(n).unwrap()))).collect();
    let flood: Vec<_> = (10..15).map(|n| (n, caller(2, u8::try_from(n).unwrap()))).collect();
    assert_eq!(arrive(&mut queue, &company), [0_u64; 0]);
    assert_eq!(arrive(&mut queue, &flood), [0_u64; 0]);
    assert_eq!(arrive(&mut queue, &[(20, caller(3, 20)), (15, caller(2, 15))]), [14, 15]);
    assert_eq!(queue.waiting(), 8);
    for n in 100..1000 {
        let refused = arrive(&mut queue, &[(n, caller(2, 0))]);
        assert!(refused[0] >= 10 && refused[0] != 20, "never another address: {refused:?}");
    }
}

#[test]
fn within_one_address_the_busiest_device_is_refused_first() {
    let mut queue = Queue::new(limits());
    arrive(&mut queue, &[(0, caller(1, 1))]);
    for n in 10..100 {
        let refused = arrive(&mut queue, &[(n, caller(1, 2))]);
        assert!(!refused.contains(&0), "the device with one sign-in keeps its place");
    }
    assert_eq!(one_by_one(&mut queue)[0], 0);
}

#[test]
fn a_caller_whose_code_was_refused_waits_behind_those_without() {
    let mut queue = Queue::new(limits());
    arrive(&mut queue, &[(0, caller(1, 1))]);
    let id = queue.begin_next(NOW).unwrap();
    arrive(&mut queue, &[(1, caller(1, 1)), (2, caller(1, 2)), (3, caller(2, 3))]);
    queue.end(id, ExchangeResult::CodeRefused, NOW);
    assert_eq!(one_by_one(&mut queue), [3, 2, 1], "other address, other device, the same device");
}

#[test]
fn a_caller_with_refused_codes_gets_no_reserved_slot_or_budget() {
    let mut queue = Queue::new(limits());
    queue.refusals.note(&caller(1, 1), NOW);
    let guesses: Vec<_> = (0..8).map(|n| (n, caller(1, 1))).collect();
    arrive(&mut queue, &guesses);
    assert_eq!(begin_all(&mut queue), [0, 1, 2]);
    assert_eq!(arrive(&mut queue, &[(9, caller(1, 2))]), [0_u64; 0]);
    assert_eq!(begin_all(&mut queue), [9]);
    let mut queue =
        Queue::new(QueueLimits { rate: Rate { per_second: 10.0, burst: 101.0 }, ..limits() });
    queue.refusals.note(&caller(1, 1), NOW);
    arrive(&mut queue, &guesses);
    assert_eq!(begin_all(&mut queue), [0], "the rest is for the others");
    arrive(&mut queue, &[(9, caller(1, 2))]);
    assert_eq!(begin_all(&mut queue), [9]);
    let at = queue.wake_at().unwrap();
    assert!(at > NOW && queue.begin_next(at).is_some(), "time brings the next one");
}

#[test]
fn a_refusal_is_forgotten_after_a_minute_or_a_good_code() {
    let mut queue = Queue::new(limits());
    queue.refusals.note(&caller(1, 1), NOW);
    assert_eq!(queue.refusals.rank(&caller(1, 1), NOW), Rank::Refused);
    assert_eq!(queue.refusals.rank(&caller(1, 2), NOW), Rank::SharedSite);
    assert_eq!(queue.refusals.rank(&caller(2, 2), NOW), Rank::Clean);
    let later = NOW + Duration::from_secs(60);
    assert_eq!(queue.refusals.rank(&caller(1, 1), later), Rank::Clean);
    queue.refusals.forget(&caller(1, 1));
    assert_eq!(queue.refusals.rank(&caller(1, 1), NOW), Rank::SharedSite);
}

#[test]
fn what_was_not_sent_costs_no_budget() {
    let rate = Rate { per_second: 0.001, burst: 1.0 };
    let mut queue = Queue::new(QueueLimits { rate, ..limits() });
    for n in 0..100 {
        arrive(&mut queue, &[(n, caller(1, 1))]);
        let id = queue.begin_next(NOW).expect("there is budget for one");
        queue.end(id, ExchangeResult::NotSent, NOW);
    }
}

#[test]
fn the_same_exchange_asked_again_keeps_its_place() {
    let mut queue = Queue::new(limits());
    arrive(&mut queue, &[(0, caller(1, 1)), (1, caller(1, 1))]);
    queue.replace(ExchangeId(0), ExchangeId(2));
    assert_eq!(one_by_one(&mut queue), [2, 1]);
}

#[test]
fn a_known_device_is_not_starved_by_fresh_device_keys() {
    let mut queue = Queue::new(limits());
    queue.turns.note(&caller(1, 1));
    queue.arrive(ExchangeId(0), caller(1, 1), arrival(10, true), NOW);
    let fresh: Vec<_> = (1..8).map(|n| (n, caller(1, u8::try_from(n + 1).unwrap()))).collect();
    arrive(&mut queue, &fresh);
    assert_eq!(one_by_one(&mut queue)[0], 0);
}

#[test]
fn a_holder_of_many_ipv6_networks_has_the_share_of_one() {
    let network = |site: u16, network: u16| Caller {
        peer: std::net::Ipv6Addr::from([0x2001, 0xdb8, site, network, 0, 0, 0, 0]).into(),
        device: Thumbprint::from_bytes([network.to_be_bytes()[1]; 32]),
        browser: BrowserHash::from_bytes([network.to_be_bytes()[1]; 32]),
    };
    let mut queue = Queue::new(limits());
    let flood: Vec<_> = (0..8).map(|n| (n, network(1, u16::try_from(n).unwrap()))).collect();
    arrive(&mut queue, &flood[..6]);
    assert_eq!(arrive(&mut queue, &[(10, network(2, 100)), (11, network(2, 101))]), [0_u64; 0]);
    assert_eq!(arrive(&mut queue, &flood[6..]), [6, 7], "never the site with two");
    assert_eq!(one_by_one(&mut queue), [0, 10, 1, 11, 2, 3, 4, 5]);
    queue.refusals.note(&network(1, 7), NOW);
    assert_eq!(queue.refusals.rank(&network(1, 9), NOW), Rank::SharedSite);
    assert_eq!(queue.refusals.rank(&network(2, 9), NOW), Rank::Clean);
}
