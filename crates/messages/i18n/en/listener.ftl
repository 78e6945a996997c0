### The few pages that app and terminal show in the browser themselves, when it hands back over 127.0.0.1 and there is no page of
### the service to go back to.

listener-not-waiting-title = No sign-in is waiting here
listener-not-waiting-text = Keyport is not waiting for this page. If you are signing in, start again in Keyport.
listener-finished-title = You can go back to Keyport
listener-finished-text = Keyport says whether you are signed in. You can close this tab.
listener-unanswered-title = Keyport did not answer
listener-unanswered-text = Go back to Keyport. If it is not signed in, start again there.
