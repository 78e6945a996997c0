# What the companion's pages say in the browser. No word of tokens, callbacks or providers' internals; sentence case;
# success is said once and only when it is true.

page-product = Keyport
page-title = { $state } · Keyport

page-home-title = Sign-in service
page-home-text = This service signs people in to Keyport with their company's account. There is nothing to do here: start in the app.

page-not-found-title = Nothing here
page-not-found-text = This address leads nowhere. To sign in, start in Keyport.

page-refused-title = Not possible here
page-refused-text = Your browser sent something this page cannot use. Go back to Keyport and start again.

page-failed-title = That did not work
page-failed-text = The service could not answer just now. Go back to Keyport and try again in a moment.

page-confirm-title = Continue to Keyport?
page-confirm-text = You signed in as { $email }. The sign-in was started by a device that Keyport has not seen with your account before.
page-confirm-device = This is what the device says of itself
page-confirm-no-device = It does not say what it is called
page-confirm-number = Number
page-confirm-compare = Keyport on your device shows the same number. If it shows another one, or none, someone else may be trying to sign in as you.
page-confirm-no-number = Continue only if you started this sign-in yourself, just now.
page-confirm-continue = Continue
page-confirm-not-me = This was not me

page-go-title = Returning to Keyport
page-go-text = Your browser hands you back to the app now. If it asks, let it open Keyport.
page-go-open = Open Keyport
page-go-share = Do not share this page or its address until you are signed in.

page-finishing-title = Finishing
page-finishing-text = Keyport is completing the sign-in.
page-late = This takes longer than usual. Go back to Keyport to see how it stands.
page-frame-title = How the sign-in stands
page-frame-continue = Go on

page-signed-in-title = Signed in
page-signed-in-text = Signed in as { $email }. You can close this tab.
page-signed-in-memory = Signed in as { $email }, until Keyport is closed: your device could not keep the session. You can close this tab.

page-return-title = Go back to your app
page-return-text = You can go back to your app and close this tab.

page-problem-attempt = Problem { $code } · attempt { $attempt }
page-problem-request = Problem { $code } · { $request }
page-open-app = Open Keyport
page-warning = Problem
