//! `SUPPORTED.md` against the table from which the router is built.

use std::collections::BTreeSet;
use std::path::Path;

use keyport_emulator::supported;

#[test]
fn supported_md_is_printed_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("SUPPORTED.md");
    if std::env::var_os("KEYPORT_UPDATE").is_some() {
        std::fs::write(&path, supported()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, supported(), "KEYPORT_UPDATE=1 writes SUPPORTED.md anew");
}

#[test]
fn no_endpoint_is_there_twice() {
    let page = supported();
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let names: BTreeSet<_> = rows.iter().map(|row| row.split('`').nth(1)).collect();
    assert_eq!(names.len(), rows.len());
}
