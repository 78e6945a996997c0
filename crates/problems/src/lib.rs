//! Every problem a person can meet, as a stable code with parameters. The closed list: sentences
//! live in `keyport-messages`.

use serde::{Deserialize, Serialize};

/// The way out that a screen offers first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    /// The same again.
    TryAgain,
    /// With another email or organization.
    ChangeEmail,
    /// Through another receiver.
    AnotherWay,
    /// The keychain again, or without it.
    KeychainAgain,
    /// Read the keychain again: what it holds is not known yet.
    LoadAgain,
    /// Sign in anew: the old session is over.
    SignIn,
}

macro_rules! problems {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal, $next:ident;)*) => {
        /// What went wrong, in the terms of the person, not of the protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Problem {
            $($(#[doc = $doc])* $name,)*
        }

        impl Problem {
            /// Every problem, for tests and generated documents.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code: on the wire, in logs, in `keyport --json` and on the screen for IT.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The way out that is offered first.
            #[must_use]
            pub const fn next_step(self) -> NextStep {
                match self { $(Self::$name => NextStep::$next,)* }
            }
        }
    };
}

problems! {
    /// The company's provider or the person there said no.
    AccessDenied = "access_denied", TryAgain;
    /// The person declined the consent screen.
    ConsentDenied = "consent_denied", TryAgain;
    /// The company's sign-in page failed.
    ProviderFailed = "provider_failed", TryAgain;
    /// The profile's email is outside the organization's domains.
    OutsideOrganization = "outside_organization", ChangeEmail;
    /// The connection is unlinked or its kind of start is off.
    ConnectionOff = "connection_off", TryAgain;
    /// No connection with that id.
    ConnectionUnknown = "connection_unknown", ChangeEmail;
    /// No organization with that id.
    OrganizationUnknown = "organization_unknown", ChangeEmail;
    /// No connection serves the email's domain.
    DomainUnknown = "domain_unknown", ChangeEmail;
    /// Several connections fit; one must be named.
    AmbiguousConnection = "ambiguous_connection", ChangeEmail;
    /// The environment is set up wrongly at the provider.
    SetupWrong = "setup_wrong", TryAgain;
    /// Admission: this organization may not enter.
    OrganizationNotAllowed = "organization_not_allowed", ChangeEmail;
    /// Admission: this connection may not enter.
    ConnectionNotAllowed = "connection_not_allowed", ChangeEmail;
    /// Admission: this provider may not enter.
    ProviderNotAllowed = "provider_not_allowed", ChangeEmail;
    /// Admission: the account belongs to no organization, and such people may not enter.
    WithoutOrganization = "without_organization", ChangeEmail;
    /// The profile that came back is not of what was asked for.
    WrongOrganization = "wrong_organization", ChangeEmail;
    /// Nothing says which company, and no default is set.
    NoSelector = "no_selector", ChangeEmail;
    /// What was said about who or what to sign in with cannot be an email or an id.
    HintInvalid = "hint_invalid", ChangeEmail;
    /// The deadline passed.
    TimedOut = "timed_out", TryAgain;
    /// The person cancelled.
    Cancelled = "cancelled", TryAgain;
    /// The person said on the page that it was not them.
    NotMe = "not_me", TryAgain;
    /// The link was used before.
    AlreadyUsed = "already_used", TryAgain;
    /// The page was opened in another browser than the one it began in.
    WrongBrowser = "wrong_browser", TryAgain;
    /// The link is too old.
    LinkExpired = "link_expired", TryAgain;
    /// The provider started it, not the app.
    StartedElsewhere = "started_elsewhere", TryAgain;
    /// The service stopped between the provider's answer and its own record.
    Interrupted = "interrupted", TryAgain;
    /// The companion cannot be reached.
    Offline = "offline", TryAgain;
    /// The companion or the provider's service answers with a failure.
    ServiceUnavailable = "service_unavailable", TryAgain;
    /// Too many requests for now.
    TooManyRequests = "too_many_requests", TryAgain;
    /// The secure connection is not trusted by this device.
    TlsUntrusted = "tls_untrusted", TryAgain;
    /// The company's proxy refused.
    ProxyRefused = "proxy_refused", TryAgain;
    /// The companion said something that this client does not understand.
    UnexpectedAnswer = "unexpected_answer", TryAgain;
    /// The companion is published under another address than the one that is set here.
    IssuerMismatch = "issuer_mismatch", TryAgain;
    /// The companion does not know this client or its redirect URI.
    ServiceRefused = "service_refused", TryAgain;
    /// The session is over: revoked, expired or replaced.
    SessionEnded = "session_ended", SignIn;
    /// The company or the operator of the companion has ended the person's access.
    AccessEnded = "access_ended", SignIn;
    /// The person has ended this session from another device.
    SignedOutElsewhere = "signed_out_elsewhere", SignIn;
    /// The device key that the session is bound to is lost or cannot be read.
    DeviceKeyLost = "device_key_lost", SignIn;
    /// Signed out on this device; the companion could not be told.
    SignedOutHere = "signed_out_here", SignIn;
    /// The keychain did not give up a session that was to be ended.
    NotSignedOut = "not_signed_out", TryAgain;
    /// The account that was named is not signed in here.
    AccountUnknown = "account_unknown", SignIn;
    /// The session that was named is not one of the person's, or is over.
    SessionUnknown = "session_unknown", TryAgain;
    /// The keychain is locked.
    KeychainLocked = "keychain_locked", KeychainAgain;
    /// There is no keychain here.
    KeychainAbsent = "keychain_absent", KeychainAgain;
    /// The keychain said no.
    KeychainRefused = "keychain_refused", KeychainAgain;
    /// What the keychain holds cannot be read; it is kept aside.
    KeychainCorrupt = "keychain_corrupt", SignIn;
    /// A newer version of Keyport has written what the keychain holds; it is left alone.
    KeychainNewer = "keychain_newer", KeychainAgain;
    /// The keychain did not answer in time.
    KeychainSlow = "keychain_slow", KeychainAgain;
    /// Another program of ours held the keychain's lock until the deadline.
    KeychainBusy = "keychain_busy", KeychainAgain;
    /// The system does not let this program take the keychain's lock.
    KeychainLockRefused = "keychain_lock_refused", KeychainAgain;
    /// No browser could be opened.
    BrowserNotOpened = "browser_not_opened", TryAgain;
    /// The way back from the browser could not be opened.
    ReceiverBlocked = "receiver_blocked", AnotherWay;
    /// There is no such command to run.
    CommandNotFound = "command_not_found", TryAgain;
    /// The command is there, and the system does not start it.
    CommandNotStarted = "command_not_started", TryAgain;
    /// Our own fault.
    Internal = "internal", TryAgain;
}

impl Problem {
    /// The problem with this code; `None` for a code of another version.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|problem| problem.code() == code)
    }

    /// Whether a session is over with it. Every other problem ends nothing.
    #[must_use]
    pub const fn ends_session(self) -> bool {
        matches!(self, Self::SessionEnded | Self::AccessEnded | Self::SignedOutElsewhere)
    }

    /// Whether the keychain is the cause: found before a browser opens.
    #[must_use]
    pub const fn is_of_keychain(self) -> bool {
        matches!(
            self,
            Self::KeychainLocked
                | Self::KeychainAbsent
                | Self::KeychainRefused
                | Self::KeychainCorrupt
                | Self::KeychainNewer
                | Self::KeychainSlow
                | Self::KeychainBusy
                | Self::KeychainLockRefused
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_names_one_problem() {
        for problem in Problem::ALL {
            assert_eq!(Problem::from_code(problem.code()), Some(*problem));
        }
        assert_eq!(Problem::from_code("nonsense"), None);
    }

    #[test]
    fn what_is_of_the_keychain_says_so_in_its_code() {
        for problem in Problem::ALL {
            let of_keychain = problem.code().starts_with("keychain_");
            assert_eq!(problem.is_of_keychain(), of_keychain, "{problem:?}");
        }
    }
}
