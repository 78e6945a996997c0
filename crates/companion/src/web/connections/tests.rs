//! Which connection is closed for another.

use super::*;

fn peer(text: &str) -> PeerAddress {
    PeerAddress(text.parse().unwrap())
}

fn has(connections: &Connections, slot: &Slot) -> bool {
    connections.table().open.contains_key(&slot.0.id)
}

#[test]
fn the_peer_with_most_slots_loses_its_longest_waiting_connection() {
    let connections = Connections::new(4);
    let company = connections.take(peer("198.51.100.1")).unwrap();
    let busy: Vec<Slot> = (0..3).map(|_| connections.take(peer("203.0.113.7")).unwrap()).collect();
    busy[0].works();
    busy[1].works();
    busy[1].answered();
    let newcomer = connections.take(peer("192.0.2.1")).unwrap();
    assert!(has(&connections, &company) && has(&connections, &newcomer));
    let left: Vec<bool> = busy.iter().map(|slot| has(&connections, slot)).collect();
    assert_eq!(left, [true, true, false], "the third one waits longer than the second");
}

#[test]
fn within_a_site_a_silent_connection_ends_before_an_open_one() {
    let connections = Connections::new(3);
    let company = peer("198.51.100.1");
    let (answered, unfinished) =
        (connections.take(company).unwrap(), connections.take(company).unwrap());
    answered.works();
    answered.answered();
    // The limit of unfinished requests is another test's.
    connections.table().set_phase(unfinished.0.id, Phase::Receiving);
    for _ in 0..100 {
        let silent = connections.take(company).unwrap();
        assert!(has(&connections, &silent));
    }
    assert!(has(&connections, &answered) && has(&connections, &unfinished));
    let working: Vec<Slot> =
        (0..2).map(|_| connections.take(company).unwrap()).inspect(Slot::works).collect();
    assert!(has(&connections, &answered) && !has(&connections, &unfinished));
    assert!(working.iter().all(|slot| has(&connections, slot)));
}

#[test]
fn too_many_unfinished_requests_end_the_oldest_of_the_busiest() {
    let connections = Connections::new(16);
    let company = connections.take(peer("198.51.100.1")).unwrap();
    company.receives();
    let busy: Vec<Slot> = (0..10)
        .map(|_| connections.take(peer("203.0.113.7")).unwrap())
        .inspect(Slot::receives)
        .collect();
    assert!(has(&connections, &company));
    let left: Vec<bool> = busy.iter().map(|slot| has(&connections, slot)).collect();
    assert_eq!(left[..7], [false; 7]);
    assert_eq!(left[7..], [true; 3]);
    company.works();
    drop((company, busy));
    assert_eq!(connections.table().receiving.len(), 0);
}

#[test]
fn an_answered_connection_is_kept_only_while_slots_are_plenty() {
    let connections = Connections::new(4);
    let first = connections.take(peer("198.51.100.1")).unwrap();
    first.works();
    assert!(first.answered());
    let _second = connections.take(peer("203.0.113.7")).unwrap();
    first.works();
    assert!(!first.answered());
}

#[test]
fn within_one_peer_the_longest_wait_ends_a_running_request_stays() {
    let connections = Connections::new(2);
    let busy = connections.take(peer("198.51.100.1")).unwrap();
    busy.works();
    for _ in 0..100 {
        let idle = connections.take(peer("198.51.100.1")).unwrap();
        assert!(has(&connections, &busy) && has(&connections, &idle));
    }
}

#[test]
fn when_all_work_only_a_peer_with_fewer_slots_gets_one() {
    let connections = Connections::new(3);
    let working: Vec<Slot> = (0..3)
        .map(|_| connections.take(peer("203.0.113.7")).unwrap())
        .inspect(Slot::works)
        .collect();
    assert!(connections.take(peer("203.0.113.7")).is_none());
    let newcomer = connections.take(peer("198.51.100.1")).unwrap();
    newcomer.works();
    assert!(!has(&connections, &working[0]) && has(&connections, &working[1]));
    let third = connections.take(peer("192.0.2.1")).unwrap();
    third.works();
    assert!(connections.take(peer("192.0.2.2")).is_none(), "one slot each is fair");
}

#[test]
fn a_forwarded_address_moves_the_slot_to_its_peer() {
    let connections = Connections::new(3);
    let proxied: Vec<Slot> = (0..3).map(|_| connections.take(peer("10.0.0.1")).unwrap()).collect();
    proxied[0].move_to(peer("198.51.100.1"));
    let newcomer = connections.take(peer("10.0.0.1")).unwrap();
    assert!(has(&connections, &proxied[0]) && !has(&connections, &proxied[1]));
    drop((proxied, newcomer));
    assert!(connections.table().open.is_empty() && connections.table().slots.is_empty());
}

/// Another site for each number.
fn elsewhere(number: u16) -> PeerAddress {
    PeerAddress(std::net::Ipv6Addr::from([0x2001, 0xdb8, number, 0, 0, 0, 0, 1]).into())
}

#[test]
fn a_flood_from_many_sites_ends_no_caller_with_two_connections() {
    let connections = Connections::new(2048);
    let app = connections.take(peer("198.51.100.1")).unwrap();
    app.works();
    app.answered();
    let browser = connections.take(peer("198.51.100.1")).unwrap();
    browser.receives();
    let mut flood = Vec::new();
    for number in 0..4000 {
        flood.push(connections.take(elsewhere(number)).unwrap());
        assert!(has(&connections, &app) && has(&connections, &browser), "silent flood, {number}");
    }
    drop(flood);
    let mut flood = Vec::new();
    for number in 0..4000 {
        let slot = connections.take(elsewhere(number)).unwrap();
        slot.receives();
        flood.push(slot);
        // As long as a request takes, while a flood passes by.
        if number == 500 {
            browser.works();
            browser.answered();
        }
        assert!(has(&connections, &app) && has(&connections, &browser), "unfinished, {number}");
    }
}

#[test]
fn a_flood_of_unread_answers_does_not_close_who_has_just_come() {
    for site in [|_| peer("203.0.113.7"), elsewhere] {
        let connections = Connections::new(2048);
        let unread: Vec<Slot> = (0..2048)
            .map(|number| connections.take(site(number)).unwrap())
            .inspect(Slot::works)
            .inspect(|slot| {
                slot.answered();
            })
            .collect();
        let newcomer = connections.take(site(7)).unwrap();
        for number in 0..1000 {
            let further = connections.take(site(number)).unwrap();
            further.works();
            further.answered();
            assert!(has(&connections, &newcomer), "{number}");
        }
        drop(unread);
    }
}

#[test]
fn all_networks_of_a_site_are_one_peer() {
    let connections = Connections::new(64);
    let company = connections.take(peer("198.51.100.1")).unwrap();
    let mut flood = Vec::new();
    for number in 0..1000_u16 {
        let address = std::net::Ipv6Addr::from([0x2001, 0xdb8, 1, number, 0, 0, 0, 1]);
        flood.push(connections.take(PeerAddress(address.into())).unwrap());
        assert!(has(&connections, &company), "{number}");
    }
}
