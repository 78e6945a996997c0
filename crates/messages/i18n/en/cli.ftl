### What `keyport` says to a person at a terminal, on standard error. Results go to standard output. Words for problems are
### in problems.ftl.

# Signing in

cli-opening = Opening your company's sign-in page in your browser. Finish there and come back.
cli-opening-otherwise = If no browser opens, open this link in a browser on this machine:
cli-open-yourself = Open this link in a browser on this machine:
cli-browser-failed = No browser could be opened here. Open this link in a browser on this machine:
cli-waiting = Waiting for your browser. { $minutes ->
    [one] The link works for 1 minute.
   *[other] The link works for { $minutes } minutes.
} Ctrl-C cancels.
cli-confirm = Is this number in your browser? { $number }
cli-confirm-hint = If another number is shown there, or none, press Ctrl-C: someone else may be trying to sign in.
cli-returning = Your browser is on its way back.
cli-finishing = Finishing.
cli-cancelling = Cancelling.

# Signed in, signed out

cli-name-and-email = { $name } ({ $email })
cli-who-organization = { $who }, { $organization }
cli-who-id = { $who } · { $id }
cli-who-current = { $who } (current)
cli-signed-in = Signed in as { $who }
cli-signed-in-too = Signed in here also: { $who }
cli-stored-keychain = The session is in your system keychain.
cli-stored-memory = The session is in memory and ends with this command.
cli-not-saved = You signed in, but the session could not be kept, so it was ended again.
cli-signed-out = Signed out: { $who }.
cli-signed-out-here = Signed out on this device: { $who }. The sign-in service could not be reached to end the session there too. Keyport tells it when it is next used here with a network.
cli-signed-out-everywhere = Signed out on all devices: { $who }.
cli-not-signed-out-everywhere = Nothing was ended: { $who } is still signed in, on this device and on others.
cli-still-signed-in = Still signed in here: { $who }
cli-not-signed-out = Not signed out: { $who }.
cli-no-session = Nobody is signed in here. `keyport sign-in{ $flags }` signs you in.
cli-which-account = Several accounts are signed in here, and none was ended. Say which one with --account, or --all:
cli-account-unknown = No account { $account } is signed in here.
cli-account-ambiguous = Several accounts have the address { $account }. Say which one by its id:

# Where a person is signed in

cli-session-here = { $device } (this device)
cli-session-there = { $device }
cli-session-device-unknown = A device without a name
cli-session-used = {"  "}last used { $used } · { $id }
cli-session-used-from = {"  "}last used { $used } from { $address } · { $id }
cli-session-ended = Signed out: { $device }.
cli-ago-now = just now
cli-ago-minutes = { $count ->
    [one] 1 minute ago
   *[other] { $count } minutes ago
}
cli-ago-hours = { $count ->
    [one] 1 hour ago
   *[other] { $count } hours ago
}
cli-ago-days = { $count ->
    [one] 1 day ago
   *[other] { $count } days ago
}

# Problems

cli-problem = Problem { $code }
cli-problem-attempt = Problem { $code } · attempt { $attempt }
cli-keychain-way-out = To go on without it: `keyport run{ $flags } -- CMD` signs in for one command and keeps the session in memory.
cli-not-written = The result could not be written: { $why }.

# Running a command

cli-run-not-found = There is no command { $command } here, so nothing was started.
cli-run-not-started = The command { $command } could not be started: { $why }.

# Links

cli-link-whole = This is a whole link. If no sign-in waits for it, nothing happens in the app.
cli-link-error = The app will pass over this link ({ $error }): nothing happens there.
cli-link-sent = Handed over to { $program }.
cli-link-no-app = No app is registered for links that begin with { $scheme }: nothing was handed over. Start Keyport once, or install it.
cli-link-no-desktop = There is no xdg-mime here to ask which app opens such links: nothing was handed over. It is part of xdg-utils.
cli-link-failed = The desktop did not take the link.

