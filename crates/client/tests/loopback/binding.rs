//! Where the listener can be reached from, and who else can have its port.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use tokio::net::TcpSocket;

use crate::support::*;

/// The address this machine has on its network; nothing is sent to find it out.
fn outward_address() -> Option<IpAddr> {
    let probe = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    probe.connect("192.0.2.1:9").ok()?;
    probe.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback())
}

#[tokio::test]
async fn binds_one_loopback_address_and_names_it_in_the_redirect_uri() {
    let listener = listener().await;
    let address: SocketAddr = host(&listener).parse().unwrap();
    assert_eq!(listener.redirect_uri(), format!("http://{address}/callback"));
    assert!(TcpStream::connect(address).is_ok());
    let mut elsewhere = vec!["127.0.0.2".parse().unwrap(), "::1".parse().unwrap()];
    elsewhere.extend(outward_address());
    for ip in elsewhere {
        assert!(TcpStream::connect((ip, address.port())).is_err(), "reachable at {ip}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn no_other_process_can_listen_on_its_port() {
    let listener = listener().await;
    let address: SocketAddr = host(&listener).parse().unwrap();
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
    for address in [address, everywhere] {
        assert!(TcpListener::bind(address).is_err(), "{address}");
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.set_reuseport(true).unwrap();
        let taken = socket.bind(address).is_err() || socket.listen(1).is_err();
        assert!(taken, "{address} with reuse");
    }
    assert_signs_in(&host(&listener), app_waits(listener)).await;
}

#[tokio::test]
async fn every_listener_has_a_port_of_its_own() {
    let (one, other) = (listener().await, listener().await);
    assert_ne!(one.redirect_uri(), other.redirect_uri());
    let (ours, theirs) = (host(&one), host(&other));
    let app = app_waits(one);
    // A callback for one sign-in says nothing at the receiver of another.
    let misdirected = exchange(&ours, get(REAL, &theirs, NAVIGATION).as_bytes()).await;
    assert_eq!(status(&misdirected), "421");
    assert_signs_in(&ours, app).await;
}
