//! A companion that takes every request and gives it one second. NOT a protocol: no one can sign in
//! there, and it checks nothing.

use std::io::{Read, Write};
use std::net::TcpListener;

use anyhow::Result;
use serde_json::json;

/// A service whose sign-in requests live for one second.
pub fn short_lived_companion() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "pushed_authorization_request_endpoint": format!("{issuer}/oauth/par"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "userinfo_endpoint": format!("{issuer}/oauth/userinfo"),
        "jwks_uri": format!("{issuer}/oauth/jwks"),
        "keyport_attempt_endpoint": format!("{issuer}/oauth/attempt"),
        "require_pushed_authorization_requests": true,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
    });
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut head = [0; 8192];
            let read = socket.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]);
            let (status, body) = match head.split(' ').nth(1).unwrap_or_default() {
                "/.well-known/oauth-authorization-server" => ("200 OK", metadata.to_string()),
                "/oauth/par" => (
                    "201 Created",
                    json!({"request_uri": "urn:ietf:params:oauth:request_uri:one", "expires_in": 1})
                        .to_string(),
                ),
                _ => ("200 OK", json!({"state": "waiting"}).to_string()),
            };
            let _ = write!(
                socket,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\
                 DPoP-Nonce: n\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    Ok(issuer)
}
