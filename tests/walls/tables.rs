//! The tables of the walls: change one only with its reason, and `docs/architecture.md` with it.

/// What a crate must not reach, directly or through others, in anything it ships (tests excepted).
pub const NEVER_REACHES: [(&str, &[&str]); 6] = [
    (
        "keyport-core",
        &[
            "tokio",
            "reqwest",
            "hyper",
            "axum",
            "tauri",
            "keyring-core",
            "rand",
            "getrandom",
            "fluent-bundle",
            "tracing",
            "log",
            "chrono",
            "time",
            "rusqlite",
            "aws-lc-rs",
        ],
    ),
    (
        "keyport-client",
        &["tauri", "axum", "rusqlite", "sqlx", "keyport-companion", "keyport-emulator"],
    ),
    ("keyport-messages", &["tokio", "reqwest", "axum", "tauri", "keyport-client"]),
    (
        "keyport-companion",
        &["keyport-core", "keyport-client", "tauri", "keyport-emulator", "keyring-core"],
    ),
    (
        "keyport-emulator",
        &[
            "keyport-core",
            "keyport-problems",
            "keyport-client",
            "keyport-companion",
            "keyport-messages",
            "workos",
        ],
    ),
    // With it the window's library listens to every key that is typed anywhere on an X11 display.
    ("keyport-desktop", &["x11-dl"]),
];

/// What a crate must not name in its own manifest (others may bring it along).
pub const NEVER_NAMES: [(&str, &[&str]); 3] = [
    ("keyport-desktop", &["reqwest", "keyring", "keyring-core", "axum", "rusqlite", "oauth2"]),
    ("keyport-cli", &["tauri", "reqwest", "axum", "keyport-companion", "keyport-emulator"]),
    ("xtask", &["tokio", "reqwest", "tauri", "keyport-core", "keyport-client"]),
];

/// Which of our crates a crate may name: the whole list.
pub const OURS: [(&str, &[&str]); 9] = [
    ("keyport-problems", &[]),
    ("keyport-core", &["keyport-problems"]),
    ("keyport-messages", &["keyport-problems"]),
    ("keyport-uri", &[]),
    ("keyport-client", &["keyport-core", "keyport-messages", "keyport-uri"]),
    (
        "keyport-companion",
        &["keyport-problems", "keyport-messages", "keyport-shutdown", "keyport-uri"],
    ),
    // No code of the protocol: only how a process ends.
    ("keyport-emulator", &["keyport-shutdown"]),
    ("keyport-shutdown", &[]),
    ("keyport-test-postgres", &[]),
];

/// The only files that take a secret out of its type. Each is a place where it leaves: a header, a
/// form, a hash, the keychain.
pub const EXPOSES: &[&str] = &[
    "crates/cli/src/browser.rs",
    "crates/cli/src/run.rs",
    "crates/cli/src/session.rs",
    "crates/client/src/browser/mod.rs",
    "crates/client/src/browser/origin.rs",
    "crates/client/src/browser/system.rs",
    "crates/client/src/http/companion.rs",
    "crates/client/src/http/dpop.rs",
    "crates/client/src/http/oauth.rs",
    "crates/client/src/http/revocation.rs",
    "crates/client/src/http/token.rs",
    "crates/client/src/keychain/envelope.rs",
    "crates/client/src/keychain/memory.rs",
    "crates/client/src/keychain/system.rs",
    "crates/client/src/receivers/loopback/connection.rs",
    "crates/client/src/receivers/loopback/request.rs",
    "crates/client/src/receivers/loopback/short_link.rs",
    "crates/client/src/session/access.rs",
    "crates/client/src/session/items.rs",
    "crates/companion/src/admin/organizations.rs",
    "crates/companion/src/config/database.rs",
    "crates/companion/src/config/webhook_secrets.rs",
    "crates/companion/src/handoff/routes.rs",
    "crates/companion/src/keys/access_token.rs",
    "crates/companion/src/keys/code.rs",
    "crates/companion/src/keys/file.rs",
    "crates/companion/src/keys/material.rs",
    "crates/companion/src/keys/refresh_token.rs",
    "crates/companion/src/oauth/introspect.rs",
    "crates/companion/src/oauth/token.rs",
    "crates/companion/src/pages/draw.rs",
    "crates/companion/src/storage/transitions/codes.rs",
    "crates/companion/src/storage/transitions/grants.rs",
    "crates/companion/src/upstream/authkit/access_token.rs",
    "crates/companion/src/upstream/authkit/mod.rs",
    "crates/companion/src/upstream/workos_sso/account/convert.rs",
    "crates/companion/src/upstream/workos_sso/mod.rs",
    "crates/companion/src/web/browser.rs",
    "crates/companion/src/webhooks/signature.rs",
    "crates/core/src/callback.rs",
    "crates/emulator/src/authkit/error.rs",
    "crates/emulator/src/authkit/factors.rs",
    "crates/emulator/src/authkit/verifications.rs",
    "crates/emulator/src/codes.rs",
    "crates/emulator/src/http/links.rs",
    "crates/emulator/src/http/sign_in.rs",
    "crates/emulator/src/http/token.rs",
    "crates/emulator/src/http/user_management/authenticate.rs",
    "crates/emulator/src/http/user_management/hosted.rs",
    "crates/emulator/src/http/user_management/visit.rs",
    "crates/emulator/src/ids.rs",
    "crates/emulator/src/seed.rs",
    "crates/emulator/src/totp.rs",
    "crates/emulator/src/webhooks.rs",
    "src-tauri/src/platform.rs",
];

/// Files over 300 lines, with the reason why each is one thing.
pub const LONG: &[(&str, &str)] = &[];
pub const LONGEST: usize = 300;

/// Rust files of these folders have no line over [`WIDEST`] columns: a line that is cut off on the
/// screen of a reader, or broken by it, is read wrongly.
pub const NARROW: [&str; 9] = [
    "crates/client/",
    "crates/cli/",
    "crates/companion/",
    "crates/core/",
    "crates/emulator/",
    "crates/messages/",
    "crates/xtask/",
    "src-tauri/",
    "tests/",
];
/// In characters.
pub const WIDEST: usize = 100;
/// Lines over it that cannot be broken, by their file and beginning, with the reason.
pub const WIDE: &[(&str, &str, &str)] = &[];

/// What the window's page may not do: it draws a view and sends intents.
pub const NOT_IN_THE_PAGE: [&str; 15] = [
    "fetch(",
    "XMLHttpRequest",
    "WebSocket",
    "EventSource",
    "sendBeacon",
    "localStorage",
    "sessionStorage",
    "indexedDB",
    "document.cookie",
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "new Function",
];
