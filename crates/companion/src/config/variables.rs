//! The environment variables that the service obeys: the one list from which `--help`,
//! `docs/operations.md` and the README are printed. Not here: reading or judging them.

/// One environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it means, for the operator; Markdown code quotes allowed.
    pub meaning: &'static str,
    /// What holds while it is unset.
    pub unset: &'static str,
    /// Whether its value is a secret, which may also be given in a file named by `NAME_FILE`.
    pub is_secret: bool,
}

const fn setting(name: &'static str, meaning: &'static str, unset: &'static str) -> Variable {
    Variable { name, meaning, unset, is_secret: false }
}

const fn secret(name: &'static str, meaning: &'static str, unset: &'static str) -> Variable {
    Variable { name, meaning, unset, is_secret: true }
}

/// Every variable the service obeys. A name that starts with `KEYPORT_` and is not here is an error
/// unless another program is known to set or read it: a mistyped rule must not fail open.
pub const VARIABLES: &[Variable] = &[
    secret(
        "WORKOS_API_KEY",
        "the WorkOS API key (`sk_…`); it never leaves this service",
        "an error",
    ),
    setting(
        "WORKOS_CLIENT_ID",
        "the WorkOS client id (`client_…`) of the same WorkOS environment",
        "an error",
    ),
    setting(
        "WORKOS_BASE_URL",
        "where WorkOS is; for the emulator `http://127.0.0.1:8787`",
        "`https://api.workos.com`",
    ),
    secret(
        "WORKOS_WEBHOOK_SECRET",
        "the secret of the webhook endpoint `/webhooks/workos` of this service at WorkOS; several \
         with commas between while one takes the place of another; read again on SIGHUP",
        "no webhook is taken; events are read from WorkOS every five seconds",
    ),
    setting(
        "KEYPORT_PUBLIC_URL",
        "the issuer: the https origin, without a path, by which people and apps reach this \
         service; apps are set to exactly this",
        "the listening address, on loopback only",
    ),
    setting(
        "KEYPORT_ORGANIZATIONS",
        "the organizations that may enter: ids with commas between, or `*` for all of the WorkOS \
         environment",
        "none may",
    ),
    setting(
        "KEYPORT_ORGANIZATIONS_FILE",
        "a file with those ids instead, one a line, `#` begins a comment; read again on SIGHUP",
        "none",
    ),
    setting(
        "KEYPORT_PROVIDERS",
        "social providers that may be used, such as `GoogleOAuth`; their accounts enter when they \
         belong to an admitted organization",
        "none may",
    ),
    setting(
        "KEYPORT_ALLOW_PEOPLE_WITHOUT_ORGANIZATION",
        "`true`: a person whose account belongs to no organization enters too; with \
         `KEYPORT_PROVIDERS`, that is every account of those providers",
        "`false`: only people of the admitted organizations enter, whichever way they sign in",
    ),
    setting(
        "KEYPORT_DEFAULT_ORGANIZATION",
        "the organization of a sign-in that names none (\"Sign in with SSO\")",
        "the app asks for an email",
    ),
    setting(
        "KEYPORT_TRUSTED_PROXIES",
        "the proxies in front of this service whose `X-Forwarded-For` or `Forwarded` names the \
         caller: addresses and networks with commas between",
        "none",
    ),
    setting(
        "KEYPORT_CLIENTS",
        "a TOML file with the records of the apps that may sign in here, beside `keyport-desktop`; \
         read again on SIGHUP",
        "`keyport-desktop` alone",
    ),
    setting(
        "KEYPORT_UPSTREAM",
        "how people sign in upstream: `sso` (standalone SSO), `authkit` (User Management), or \
         `sso+authkit`: AuthKit for people whose email domain has no connection",
        "`sso`",
    ),
    setting(
        "WORKOS_AUTHKIT_DOMAIN",
        "the custom domain of AuthKit, such as `auth.example.com`: where people sign in, and the \
         issuer of WorkOS' access tokens",
        "that of `WORKOS_BASE_URL`",
    ),
    setting(
        "KEYPORT_SESSION_IDLE_DAYS",
        "days that a session may rest before it ends",
        "30, or `KEYPORT_SESSION_DAYS` where that is less",
    ),
    setting("KEYPORT_SESSION_DAYS", "days after which a session ends in any case", "180"),
    setting(
        "KEYPORT_KEY_FILE",
        "the key file, made at the first start",
        "beside the database, with the ending `.key`; with PostgreSQL an error",
    ),
    setting(
        "KEYPORT_ADMIN_SOCKET",
        "the socket by which `keyport-companion` commands reach the running service; no other user \
         can",
        "beside the key file, with the ending `.admin`",
    ),
    secret(
        "DATABASE_URL",
        "the database: `sqlite:PATH`, or `postgres://USER:PASSWORD@HOST/DATABASE` for several \
         instances of this service (TLS is verified, see `docs/operations.md`)",
        "`sqlite:keyport-companion.sqlite`, in the working folder",
    ),
    setting(
        "RUST_LOG",
        "what is logged to standard error, such as `info` or `keyport_companion=debug`",
        "`info`",
    ),
];
