### One problem a block: what happened, in the person's terms; what it means; what to do now. Window, terminal and browser
### pages show the same words, so nothing here may depend on where it is read.

# The provider, or the person there

problem-access-denied-title = Your company did not let you in
problem-access-denied-text = The sign-in page ended without signing you in: your company said no, or the sign-in was stopped there.
problem-access-denied-next = Try again. If it happens again, ask your IT team whether you may use Keyport.

problem-consent-denied-title = You chose not to continue
problem-consent-denied-text = Your company's sign-in page asked whether Keyport may know who you are, and the answer was no. Nothing was shared.
problem-consent-denied-next = Try again if you would like to allow it.

problem-provider-failed-title = Your company's sign-in page had a problem
problem-provider-failed-text = It could not finish signing you in. Keyport and this device are fine.
problem-provider-failed-next = Wait a minute, then try again. If it goes on, tell your IT team.

problem-outside-organization-title = This account belongs to another organization
problem-outside-organization-text = You signed in with an email address that is not one of this organization's.
problem-outside-organization-next = Sign in with your work email. Your IT team can tell you which one it is.

problem-connection-off-title = Sign-in is switched off for your company
problem-connection-off-text = Your company's connection to Keyport is not active just now.
problem-connection-off-next = Ask your IT team to switch it on, then try again.

# Which company

problem-connection-unknown-title = This connection does not exist
problem-connection-unknown-text = Keyport was asked to use a company connection that nobody has set up.
problem-connection-unknown-next = Sign in with your work email instead, or ask your IT team for the right connection.

problem-organization-unknown-title = We could not find this organization
problem-organization-unknown-text = No organization by that name is set up for Keyport.
problem-organization-unknown-next = Sign in with your work email instead, or ask your IT team for the right organization.

problem-domain-unknown-title = We do not know this email's company
problem-domain-unknown-text = No company has set up sign-in for the part of the address after the @ sign.
problem-domain-unknown-next = Check the spelling, or use your work email.

problem-ambiguous-connection-title = More than one sign-in page fits
problem-ambiguous-connection-text = Your company has several ways to sign in, and this does not say which one is yours.
problem-ambiguous-connection-next = Sign in with your work email, or ask your IT team which connection to use.

problem-setup-wrong-title = Sign-in is not set up correctly
problem-setup-wrong-text = The service that Keyport signs in with is set up in a way that cannot work. You did nothing wrong.
problem-setup-wrong-next = Tell your IT team. Once it is put right, try again.

problem-organization-not-allowed-title = This organization may not use Keyport here
problem-organization-not-allowed-text = Whoever runs this service has not admitted the organization.
problem-organization-not-allowed-next = Use the work email of an organization that is admitted, or ask your IT team.

problem-connection-not-allowed-title = This way of signing in is not admitted here
problem-connection-not-allowed-text = Whoever runs this service has not admitted the connection that was asked for.
problem-connection-not-allowed-next = Sign in with your work email, or ask your IT team.

problem-provider-not-allowed-title = This kind of account is not admitted here
problem-provider-not-allowed-text = Whoever runs this service admits company sign-in, but not the kind of account that was asked for.
problem-provider-not-allowed-next = Sign in with your work email instead.

problem-without-organization-title = This account belongs to no organization
problem-without-organization-text = Whoever runs this service admits people of certain organizations only, and the account that you signed in with belongs to none.
problem-without-organization-next = Sign in with your work email, or ask your IT team.

problem-wrong-organization-title = You signed in with another organization
problem-wrong-organization-text = The account that came back is not of the organization that was asked for, so nobody was signed in.
problem-wrong-organization-next = Sign in again with the account of the right organization. A private browser window helps if the other account comes back by itself.

problem-no-selector-title = We need to know your company
problem-no-selector-text = Nothing says which company's sign-in page to open, and this service has no usual one.
problem-no-selector-next = Enter your work email.

problem-hint-invalid-title = This email cannot be used
problem-hint-invalid-text = What was given to find your company cannot be an email address, or cannot name an organization or connection. Nothing was sent.
problem-hint-invalid-next = Check the spelling, and enter your work email.

# Time, and the person's own choice

problem-timed-out-title = The sign-in took too long
problem-timed-out-text = We stopped waiting for your browser. Nothing is lost.
problem-timed-out-next = Try again when you are ready.

problem-cancelled-title = Sign-in cancelled
problem-cancelled-text = Nobody was signed in, and nothing was changed.
problem-cancelled-next = Start again whenever you like.

problem-not-me-title = You said that it was not you
problem-not-me-text = The sign-in was stopped in the browser. Nobody was signed in.
problem-not-me-next = If you did not start it, tell your IT team. If it was you after all, try again.

problem-already-used-title = This link was used before
problem-already-used-text = Each sign-in link works once, which keeps others from using it after you.
problem-already-used-next = Start again in Keyport for a new one.

problem-wrong-browser-title = The sign-in went on in another browser
problem-wrong-browser-text = It has to end in the browser, and the browser profile, in which it began. Nobody was signed in.
problem-wrong-browser-next = Start again in Keyport and stay in the window that opens.

problem-link-expired-title = This link is too old
problem-link-expired-text = Sign-in links work for a few minutes only. Nothing is lost.
problem-link-expired-next = Start again in Keyport for a new one.

problem-started-elsewhere-title = Please start from Keyport
problem-started-elsewhere-text = This sign-in began at your company's portal. Keyport accepts only a sign-in that you started from it, so that nobody can sign you in to an account that is not yours.
problem-started-elsewhere-next = Open Keyport and sign in from there. You will probably not be asked for your password again.

problem-interrupted-title = Please sign in again
problem-interrupted-text = The service was interrupted just as your sign-in came back. Nobody was signed in.
problem-interrupted-next = Try again. You will probably not be asked for your password again.

# The network and the service

problem-offline-title = Keyport cannot be reached
problem-offline-text = The sign-in service does not answer. This device may be offline, or the service may be down. A session that you have is kept.
problem-offline-next = Check your network, then try again.

problem-service-unavailable-title = The service is not well just now
problem-service-unavailable-text = It answered, but could not do what was asked. A session that you have is kept.
problem-service-unavailable-next = Wait a minute, then try again.

problem-too-many-requests-title = Too many tries at once
problem-too-many-requests-text = The service asks for a pause. Nothing is lost.
problem-too-many-requests-next = Wait a minute, then try again.

problem-tls-untrusted-title = The connection is not trusted
problem-tls-untrusted-text = This device does not trust the certificate that the sign-in service showed. A network that inspects traffic can cause this. Nothing was sent.
problem-tls-untrusted-next = Ask your IT team to install your company's certificate on this device, then try again.

problem-proxy-refused-title = Your company's proxy refused the connection
problem-proxy-refused-text = It did not let Keyport reach the sign-in service. Your browser may work all the same: it can sign in to the proxy, Keyport cannot.
problem-proxy-refused-next = Ask your IT team to let Keyport through the proxy, then try again.

problem-unexpected-answer-title = The service gave an answer that Keyport does not understand
problem-unexpected-answer-text = Keyport may be older or newer than the service, or something in between changed the answer. A session that you have is kept.
problem-unexpected-answer-next = Try again. If it happens again, update Keyport or tell your IT team.

problem-issuer-mismatch-title = The service has another address than the one set here
problem-issuer-mismatch-text = The service answers at the address that Keyport is set to, and says that its own address is a different one. A session that you have is kept.
problem-issuer-mismatch-next = Set the companion to exactly the address that the service is published under (its KEYPORT_PUBLIC_URL): http://127.0.0.1 and http://localhost are two different ones.

problem-service-refused-title = The service does not know this version of Keyport
problem-service-refused-text = It answers, but it is not set up for the app that you use.
problem-service-refused-next = Tell your IT team. Once it is put right, try again.

problem-session-ended-title = You have been signed out
problem-session-ended-text = Your session is over: it was ended elsewhere, or it had reached its age. Nothing else has changed.
problem-session-ended-next = Sign in again.

problem-access-ended-title = Your access has ended
problem-access-ended-text = Your company, or whoever runs the sign-in service for it, has ended your access. You are signed out on this device.
problem-access-ended-next = If you still need access, ask your IT team. You can then sign in again.

problem-signed-out-elsewhere-title = You have been signed out from another device
problem-signed-out-elsewhere-text = This session was ended from your list of sessions on another device.
problem-signed-out-elsewhere-next = Sign in again. If that was not you, tell your IT team.

problem-session-unknown-title = You are not signed in there any more
problem-session-unknown-text = The session that was meant is over, or it was never one of yours. Nothing has changed.
problem-session-unknown-next = Look at the list of your sessions again.

problem-device-key-lost-title = This device's key is lost
problem-device-key-lost-text = Your session is bound to a key of this device, and that key is no longer in the keychain or cannot be read. The session cannot be used without it.
problem-device-key-lost-next = Sign in again. This makes a new key.

problem-account-unknown-title = This account is not signed in here
problem-account-unknown-text = The account that was named has no session on this device. Other accounts may have one.
problem-account-unknown-next = Look at the accounts with `keyport status`, or sign in.

problem-signed-out-here-title = You are signed out on this device only
problem-signed-out-here-text = The sign-in service could not be reached to end the session there too. Nothing of it is left here. Keyport tells the service when it can be reached again, and the session ends by itself when nobody uses it.
problem-signed-out-here-next = If somebody else may have used this device, tell your IT team.

problem-not-signed-out-title = You are not signed out
problem-not-signed-out-text = Your keychain did not let Keyport remove the session, so it may still be on this device.
problem-not-signed-out-next = Unlock your keychain if it asks, and try again.

# The keychain

problem-keychain-locked-title = Your keychain is locked
problem-keychain-locked-text = Keyport keeps your session in the keychain of this device and cannot read it while it is locked. Nothing is lost.
problem-keychain-locked-next = Unlock it and try again, or go on without saving the session.

problem-keychain-absent-title = This device has no keychain
problem-keychain-absent-text = Keyport keeps your session in the system's keychain and never in a file, and no keychain answers here.
problem-keychain-absent-next = Start a keychain such as GNOME Keyring or KWallet and try again, or go on without saving the session.

problem-keychain-refused-title = The keychain said no
problem-keychain-refused-text = The keychain of this device did not let Keyport read or keep your session.
problem-keychain-refused-next = Allow Keyport to use the keychain and try again, or go on without saving the session.

problem-keychain-corrupt-title = The saved session cannot be read
problem-keychain-corrupt-text = What the keychain holds is damaged or of another version. It was put aside, not deleted.
problem-keychain-corrupt-next = Sign in again. This makes a new one.

problem-keychain-newer-title = A newer Keyport has saved this session
problem-keychain-newer-text = What the keychain holds was written by a newer version of Keyport. This version cannot read it and leaves it as it is.
problem-keychain-newer-next = Update Keyport, or go on without saving the session.

problem-keychain-slow-title = The keychain does not answer
problem-keychain-slow-text = Keyport waited for the keychain of this device and got no answer. It may be asking you something in another window.
problem-keychain-slow-next = Look for a question from the system and try again, or go on without saving the session.

problem-keychain-busy-title = Another Keyport program is using the keychain
problem-keychain-busy-text = Keyport programs on this device use your session one after the other, and another one did not finish in time. Nothing is lost.
problem-keychain-busy-next = Close the other program or wait for it, and try again, or go on without saving the session.

problem-keychain-lock-refused-title = Keyport may not coordinate with its other programs
problem-keychain-lock-refused-text = This device does not let this program take the lock that protects your saved session from being used twice. The session can be read, but this program neither renews nor saves it.
problem-keychain-lock-refused-next = Ask your IT team to let the app own its name on the session bus, or go on without saving the session.

# This device

problem-browser-not-opened-title = Your browser did not open
problem-browser-not-opened-text = No browser could be started on this device.
problem-browser-not-opened-next = Copy the link and open it in any browser on this device, or try again.

problem-receiver-blocked-title = The way back from your browser is blocked
problem-receiver-blocked-text = Something on this device keeps the browser from handing back to Keyport.
problem-receiver-blocked-next = Try again another way. If it goes on, ask your IT team whether a security program blocks Keyport.

problem-command-not-found-title = There is no such command
problem-command-not-found-text = The command that was to be run is not on this device, so nothing was started and nobody was signed in for it.
problem-command-not-found-next = Check its name, then try again.

problem-command-not-started-title = The command cannot be started
problem-command-not-started-text = The command that was to be run is there, but the system does not start it: it may not be a program, or you may not be allowed to run it.
problem-command-not-started-next = Check the command and its permissions, then try again.

problem-internal-title = Keyport made a mistake
problem-internal-text = Something went wrong inside Keyport. You did nothing wrong, and a session that you have is kept.
problem-internal-next = Try again. If it happens again, report it with the code shown beside it.
