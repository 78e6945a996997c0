//! A load balancer in front of several companions: it hands each new connection to the next one
//! that accepts it. Bytes only; not a proxy that speaks HTTP.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use url::Url;

/// A load balancer. It ends with its process.
pub struct Balancer {
    url: String,
    targets: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Balancer {
    /// Listens on a free port, in front of nothing yet.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let targets = Arc::<Mutex<Vec<SocketAddr>>>::default();
        let shared = Arc::clone(&targets);
        std::thread::spawn(move || {
            for (turn, client) in listener.incoming().flatten().enumerate() {
                let targets = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
                std::thread::spawn(move || forward(&client, &targets, turn));
            }
        });
        Ok(Self { url, targets })
    }

    /// Its address, without a slash at the end: the issuer of the companions behind it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Puts one more companion behind it.
    ///
    /// # Errors
    /// The address has no port.
    pub fn add(&self, companion: &Url) -> Result<()> {
        let address = companion.socket_addrs(|| None)?.pop().context("an address")?;
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).push(address);
        Ok(())
    }
}

fn forward(client: &TcpStream, targets: &[SocketAddr], turn: usize) {
    let next = (0..targets.len()).map(|n| targets[(turn + n) % targets.len()]);
    let Some(server) = next.into_iter().find_map(|target| TcpStream::connect(target).ok()) else {
        return;
    };
    let (Ok(mut from_client), Ok(mut to_client)) = (client.try_clone(), client.try_clone()) else {
        return;
    };
    let (Ok(mut from_server), Ok(mut to_server)) = (server.try_clone(), server.try_clone()) else {
        return;
    };
    let up = std::thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut from_server, &mut to_client);
    let _ = to_client.shutdown(Shutdown::Both);
    let _ = up.join();
}
