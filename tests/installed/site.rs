//! A foreign web page with links of our scheme on it, served from 127.0.0.1. NOT a web
//! server: every request gets the page.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use anyhow::Result;
use url::Url;

/// Serves the page with these links, each with the id `link-N`, until the process ends.
pub fn serve(links: &[String]) -> Result<Url> {
    let links = links.iter().enumerate().map(|(number, link)| {
        format!(
            "<p><a id=\"link-{number}\" href=\"{}\">You have won</a></p>",
            link.replace('&', "&amp;")
        )
    });
    let page = format!("<!doctype html><title>A prize</title>{}", links.collect::<String>());
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let url = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let page = page.clone();
            // Browsers open connections in advance and leave them idle.
            std::thread::spawn(move || answer(connection, &page));
        }
    });
    Ok(url)
}

fn answer(mut connection: TcpStream, page: &str) -> std::io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    let head = BufReader::new(connection.try_clone()?).lines();
    for line in head {
        if line?.is_empty() {
            break;
        }
    }
    write!(
        connection,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{page}",
        page.len()
    )
}
