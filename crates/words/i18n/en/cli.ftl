### What `keyport` says to a person at a terminal, on standard error. Results go to standard output. Words for problems are
### in problems.ftl.

# Signing in

cli-opening = We opened your company's sign-in page in your browser. Finish there and come back.
cli-open-yourself = Open this link in a browser on this device:
cli-browser-failed = No browser could be opened here. Open this link in a browser on this device:
cli-waiting = Waiting for your browser. { $minutes ->
    [one] The link works for 1 minute.
   *[other] The link works for { $minutes } minutes.
}
cli-confirm = Is this number in your browser? { $number }
cli-confirm-hint = If another number is shown there, or none, press Ctrl-C: someone else may be trying to sign in.
cli-returning = Your browser is on its way back. It may ask whether it may open Keyport.
cli-finishing = Finishing.
