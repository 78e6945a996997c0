//! The table in the documentation is the machine's own.

#![expect(clippy::disallowed_methods, reason = "the core has no files, its documentation does")]

use keyport_core::table;

const BEGIN: &str = "<!-- table: printed from crates/core/src/table.rs -->\n";
const END: &str = "<!-- table ends -->";

#[test]
fn every_state_of_the_design_is_in_the_table() {
    let names: Vec<_> = table::states().iter().map(|state| state.state_name()).collect();
    let design = [
        "Starting",
        "SignedOut",
        "Preparing",
        "AwaitingCallback",
        "Exchanging",
        "Saving",
        "SignedIn",
        "Refreshing",
    ];
    assert_eq!(names, design);
}

/// `KEYPORT_UPDATE=1 cargo test -p keyport-core --test table` writes it anew.
#[test]
fn the_documented_table_is_what_the_machine_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/architecture.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("the table's first mark");
    let (written, after) = rest.split_once(END).expect("the table's last mark");
    let printed = format!("\n{}", table::markdown());
    if std::env::var_os("KEYPORT_UPDATE").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{printed}{END}{after}")).unwrap();
    } else {
        assert_eq!(written, printed, "docs/architecture.md drifted; see this test's comment");
    }
}
