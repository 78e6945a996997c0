//! A lasting flood of made-up codes from fresh device keys against the real limits. Time is
//! simulated.

use super::super::limits;
use super::*;
use crate::domain::{BrowserHash, Timestamp};
use crate::upstream::workos_sso::EXCHANGE_RATE;

/// Made-up codes a second: more than twice of what is sent.
const FLOOD: u64 = 150;
/// Between two steps of the time.
const STEP: Duration = Duration::from_millis(20);
/// Between two tries of a page that was refused.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// How long a code may wait, and how long its answer takes.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(15);
const ANSWER: Duration = Duration::from_millis(100);
/// When the person comes: the burst is spent and the queue is full by then.
const PERSON_AT: Duration = Duration::from_secs(15);
const PERSON: u64 = u64::MAX;

#[derive(Clone, Copy)]
struct SignIn {
    number: u64,
    arrival: Arrival,
}

/// How long the person waits until the code is sent; `None` if it is not within two minutes.
fn wait_of_the_person(
    flood_tries_again: bool,
    of_the_flood: fn(u64) -> IpAddr,
    of_the_person: IpAddr,
) -> Option<Duration> {
    let bytes = |n: u64| [n.to_be_bytes(); 4].concat().try_into().unwrap();
    let caller = |n| Caller {
        peer: if n == PERSON { of_the_person } else { of_the_flood(n) },
        device: Thumbprint::from_bytes(bytes(n)),
        browser: BrowserHash::from_bytes(bytes(n)),
    };
    let mut queue = Queue::new(limits(EXCHANGE_RATE));
    let mut waiting: HashMap<ExchangeId, (SignIn, Duration)> = HashMap::new();
    let mut sent: Vec<(Duration, ExchangeId)> = Vec::new();
    let mut refused: Vec<(Duration, SignIn)> = Vec::new();
    let (mut now, mut came, mut last_id) = (Duration::ZERO, 0, 0);
    while now < PERSON_AT + Duration::from_secs(120) {
        let clock = Timestamp::from_seconds(now.as_secs().try_into().unwrap());
        let fresh = |number| SignIn { number, arrival: Arrival::at(clock, None) };
        let due = u64::try_from(now.as_millis()).unwrap() * FLOOD / 1000;
        let mut coming: Vec<_> = (came + 1..=due).map(fresh).collect();
        came = due;
        if now == PERSON_AT {
            coming.push(fresh(PERSON));
        }
        for (_, SignIn { number, arrival }) in refused.extract_if(.., |(at, _)| *at <= now) {
            let arrival = Arrival::at(clock, Some(arrival.place(clock)));
            coming.push(SignIn { number, arrival });
        }
        let mut out = Vec::new();
        for sign_in in coming {
            last_id += 1;
            let id = ExchangeId(last_id);
            waiting.insert(id, (sign_in, now));
            out.extend(queue.arrive(id, caller(sign_in.number), sign_in.arrival, now));
        }
        let late = waiting.iter().filter(|(_, (_, since))| *since + QUEUE_TIMEOUT <= now);
        out.extend(late.map(|(id, _)| *id));
        for id in out {
            queue.leave(id);
            let Some((sign_in, _)) = waiting.remove(&id) else { continue };
            if sign_in.number == PERSON || flood_tries_again {
                refused.push((now + TRY_AGAIN, sign_in));
            }
        }
        for (_, id) in sent.extract_if(.., |(at, _)| *at <= now) {
            queue.end(id, ExchangeResult::CodeRefused, now);
        }
        while let Some(id) = queue.begin_next(now) {
            sent.push((now + ANSWER, id));
            if waiting.remove(&id).is_some_and(|(sign_in, _)| sign_in.number == PERSON) {
                return Some(now - PERSON_AT);
            }
        }
        now += STEP;
    }
    None
}

fn one_address(_: u64) -> IpAddr {
    [192, 0, 2, 1].into()
}

fn networks_of_one_site(n: u64) -> IpAddr {
    let network = u16::try_from(n % 65_536).unwrap();
    std::net::Ipv6Addr::from([0x2001, 0xdb8, 1, network, 0, 0, 0, 0]).into()
}

#[test]
fn a_person_at_the_address_of_a_flood_is_served_in_bounded_time() {
    let wait = wait_of_the_person(false, one_address, one_address(0)).expect("served");
    assert!(wait < Duration::from_secs(10), "{wait:?}");
    // 15 s of the flood came before; 600 and 60 a second of it are sent.
    let wait = wait_of_the_person(true, one_address, one_address(0)).expect("served");
    assert!(wait < Duration::from_secs(40), "{wait:?}");
}

#[test]
fn a_flood_from_one_site_does_not_delay_another_site() {
    let wait = wait_of_the_person(false, networks_of_one_site, one_address(0)).expect("served");
    assert!(wait < Duration::from_secs(1), "{wait:?}");
}
