//! Variables that Kubernetes sets in every container of a namespace for each service there, named
//! after the service: one that is called `keyport` or `keyport-companion` gives names that begin as
//! our settings do.

/// Whether this is such a variable: `…SERVICE_HOST`, `…SERVICE_PORT[_NAME]`, `…PORT` with an
/// address, `…PORT_n_TCP[_ADDR|_PORT|_PROTO]`, and as much for UDP and SCTP.
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    let is_number = |word: &str| word.parse::<u16>().is_ok();
    let is_protocol = |word: &str| matches!(word, "TCP" | "UDP" | "SCTP");
    match words.as_slice() {
        [_, .., "PORT", number, protocol, "ADDR" | "PORT" | "PROTO"]
        | [_, .., "PORT", number, protocol]
            if is_number(number) && is_protocol(protocol) =>
        {
            true
        }
        [_, .., "SERVICE", "HOST" | "PORT"] => true,
        // A number could be meant for us.
        [_, .., "PORT"] => value.contains("://"),
        _ => name.split_once("_SERVICE_PORT_").is_some_and(|(_, port)| !port.is_empty()),
    }
}
