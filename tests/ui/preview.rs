//! Serves the shipped `ui/` on loopback with the shipped Content-Security-Policy and every drawing
//! that the shell would push. NOT a second shell: `shell.js` only stands at the other end of the
//! channel. Serve the folder yourself to look at the screens.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use keyport_core::View;
use keyport_messages::Messages;
use serde_json::Value;

use crate::cases::{self, Case};
use crate::screen_update::ScreenUpdate;

/// What the device calls itself in the drawings.
const DEVICE: &str = "Ada's laptop";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The app's policy as `tauri.conf.json` has it.
pub fn policy() -> Result<String> {
    let text = std::fs::read_to_string(root().join("tauri.conf.json"))?;
    let config: Value = serde_json::from_str(&text)?;
    let policy = config.pointer("/app/security/csp").and_then(Value::as_str);
    Ok(policy.context("a policy as one string")?.to_owned())
}

/// What the shell would push for this view.
pub fn drawing(view: View) -> Result<Value> {
    Ok(serde_json::to_value(ScreenUpdate::of(view, DEVICE, &Messages::english()))?)
}

fn not_set_up() -> Result<Value> {
    let settings = "/home/ada/.config/keyport/settings.json";
    let drawing = ScreenUpdate::not_set_up(settings, "no companion is set", &Messages::english());
    Ok(serde_json::to_value(drawing)?)
}

/// Writes the folder and serves it for as long as the test process lives; answers with its address.
pub fn serve() -> Result<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui-preview");
    write(&folder)?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = format!("http://{}/index.html", listener.local_addr()?);
    let policy = policy()?;
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            // A browser's spare connection may say nothing for ever.
            let (folder, policy) = (folder.clone(), policy.clone());
            std::thread::spawn(move || answer(connection, &folder, &policy));
        }
    });
    Ok(address)
}

fn write(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for entry in std::fs::read_dir(root().join("ui"))? {
        let entry = entry?;
        std::fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    std::fs::copy(root().join("tests/ui/shell.js"), folder.join("shell.js"))?;
    let mut drawings: BTreeMap<String, Value> = cases::all()
        .into_iter()
        .map(|(name, view): Case| Ok((name, drawing(view)?)))
        .collect::<Result<_>>()?;
    drawings.insert("not_set_up".to_owned(), not_set_up()?);
    let drawings = format!("window.DRAWINGS = {};\n", serde_json::to_string(&drawings)?);
    std::fs::write(folder.join("drawings.js"), drawings)?;
    let page = std::fs::read_to_string(root().join("ui/index.html"))?;
    let shell =
        "<script src=\"drawings.js\"></script>\n<script src=\"shell.js\"></script>\n</head>";
    std::fs::write(folder.join("index.html"), page.replacen("</head>", shell, 1))?;
    Ok(())
}

fn answer(connection: TcpStream, folder: &Path, policy: &str) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    let mut request = String::new();
    reader.read_line(&mut request).ok()?;
    let mut header = String::new();
    while reader.read_line(&mut header).ok()? > 2 {
        header.clear();
    }
    let name = request.split(' ').nth(1)?.trim_start_matches('/').to_owned();
    let (status, body) = match std::fs::read(folder.join(&name)) {
        Ok(body) if !name.contains('/') => ("200 OK", body),
        Ok(_) | Err(_) => ("404 Not Found", Vec::new()),
    };
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some(_) | None => "application/octet-stream",
    };
    let mut connection = connection;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Content-Security-Policy: {policy}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).ok()?;
    connection.write_all(&body).ok()
}
