### The window's sentences. `Words::screen("signed_out", …)` gathers every message whose id starts with `signed-out-`,
### keyed by the rest of the id. Words for problems are in problems.ftl.
