### The window's sentences. `Messages::screen("signed_out", …)` gathers every message whose id starts with `signed-out-`,
### keyed by the rest of the id. Words for problems are in problems.ftl, the buttons under them here as `problem-screen-…`.

# On standard error, where there is no window to say it in.
no-display = There is no display to show the window on. In a terminal, sign in with: keyport sign-in

# The settings of this device name no sign-in service, or not properly. $error is for IT.
not-set-up-title = Keyport is not set up on this device
not-set-up-text = It does not know your company's sign-in service yet, so nobody can sign in.
not-set-up-next = Ask your IT team to set it up. Keyport looks for its settings in { $settings }.
not-set-up-again = Look again
not-set-up-reference = For your IT team: { $error }

starting-title = Opening Keyport
starting-text = Looking for a saved session on this device.

signed-out-title = Sign in to Keyport
signed-out-text = Use your work email. Your company's sign-in page opens in your browser.
signed-out-email-label = Work email
signed-out-email-wrong = Enter your whole work email, like ada@company.com.
signed-out-continue = Continue
signed-out-sso = Sign in with SSO instead

preparing-title = One moment
preparing-text = Finding your company's sign-in page.
preparing-cancel = Cancel

# $state: opened (the browser has it), failed (no browser started), returning (the person continued there), resumed (Keyport
# was closed in between and its link was never written down).
waiting-title = { $state ->
    [failed] Your browser did not open
    [returning] Your browser is coming back
    [resumed] Still waiting for your browser
   *[opened] Continue in your browser
}
waiting-text = { $state ->
    [failed] Copy the link, open it in any browser on this device and finish there.
    [returning] If it asks whether it may open Keyport, let it.
    [resumed] A sign-in had begun before Keyport was closed. Finish it in your browser, or start again.
   *[opened] We opened your company's sign-in page. Finish there and come back.
}
waiting-left = waiting · { $time } left
waiting-open-again = Open it again
waiting-copy-link = Copy link
waiting-start-again = Start again
waiting-cancel = Cancel
waiting-copied = The link is copied. Open it on this device.
waiting-not-copied = The link could not be copied.
waiting-nothing-happened = Nothing happened?
waiting-having-problems = Having trouble
waiting-help-ask = Look behind this window: your browser may be asking whether it may open Keyport.
waiting-help-link = If you use several browsers or profiles, copy the link into the one with your work account.
waiting-another-way = Try another way back
# Announced when the state changes while the screen stays.
waiting-browser-failed = Your browser did not open. Copy the link and open it yourself.
waiting-returning = Your browser is coming back to Keyport.
waiting-one-minute = One minute left.

confirm-title = Is this number in your browser?
confirm-same = If it is the same, choose Continue there.
confirm-other = If another number is shown there, or none, cancel: someone else may be trying to sign in.
confirm-cancel = Cancel
confirm-left = { $time } left
confirm-one-minute = One minute left.

finishing-title = Signing you in
finishing-text = Your browser has handed back. This takes a moment.

signed-in-title = Signed in as { $name }
signed-in-from = { $place ->
    [both] { $organization }, { $connection }
    [organization] { $organization }
    [connection] { $connection }
   *[neither] { "" }
}
signed-in-session-label = Session
signed-in-keychain = in your system keychain
signed-in-memory = in memory only, until you close Keyport
signed-in-device-label = This device
signed-in-device = { $device }
signed-in-since-label = Signed in
signed-in-not-saved = Your session is not saved
signed-in-not-saved-reason = { $not_saved }. You stay signed in until you close Keyport.
signed-in-unreachable = { $unreachable }
signed-in-unreachable-still = You stay signed in. Keyport tries again by itself.
signed-in-reachable = Keyport is connected again.
signed-in-sign-out = Sign out
signed-in-others-label = Other accounts on this device
signed-in-sign-out-of-all = Sign out of all accounts
signed-in-sessions = Where you are signed in
signed-in-another-account = Use another account
signed-in-another-text = Sign in with another work email on this device.
signed-in-email-label = { signed-out-email-label }
signed-in-email-wrong = { signed-out-email-wrong }
signed-in-continue = { signed-out-continue }
signed-in-back = Back

sessions-title = Where you are signed in
sessions-loading = Asking the sign-in service.
sessions-problem = { $problem }
sessions-this = This device
sessions-unnamed = A device without a name
sessions-used = Last used
sessions-end = Sign out
sessions-everywhere = Sign out everywhere
sessions-again = Try again
sessions-back = Back

problem-screen-try-again = Try again
problem-screen-other-email = Use another email
problem-screen-another-way = Try another way
problem-screen-continue-without-saving = Continue without saving
problem-screen-sign-in-again = Sign in again
problem-screen-back = Back
problem-screen-back-to-account = Back to your account
# What a person reads to IT.
problem-screen-reference = { $attempt ->
    [none] Problem { $code }
   *[other] Problem { $code } · attempt { $attempt }
}
