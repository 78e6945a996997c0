//! The tables of settings in `docs/operations.md` and the README are printed from the code, and no
//! document names a variable that no program reads. `KEYPORT_UPDATE=1 cargo test -p
//! keyport-companion --test settings_tables` writes the tables anew.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at the first surprise")]

use std::path::{Path, PathBuf};

use keyport_companion::config::{VARIABLES, Variable};

const BEGIN: &str = "<!-- settings: printed from the code -->\n";
const END: &str = "<!-- end of settings -->";

/// What a first start needs; the rest stands in `docs/operations.md`.
const FIRST_START: [&str; 8] = [
    "WORKOS_CLIENT_ID",
    "WORKOS_API_KEY",
    "KEYPORT_PUBLIC_URL",
    "KEYPORT_ORGANIZATIONS",
    "KEYPORT_DEFAULT_ORGANIZATION",
    "KEYPORT_PROVIDERS",
    "KEYPORT_ALLOW_PEOPLE_WITHOUT_ORGANIZATION",
    "DATABASE_URL",
];

/// Variables that documents name and that other programs read or set.
const OF_OTHER_PROGRAMS: [&str; 5] = [
    "KEYPORT_COMPANION",
    "KEYPORT_RECEIVER",
    "KEYPORT_ACCESS_TOKEN",
    "KEYPORT_UPDATE",
    "KEYPORT_PACKAGE",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn table(variables: impl Iterator<Item = Variable>) -> String {
    let rows = variables.map(|Variable { name, meaning, unset, is_secret }| {
        let file = if is_secret {
            format!("; or `{name}_FILE`, a file that holds it")
        } else {
            String::new()
        };
        format!("| `{name}` | {meaning}{file} | {unset} |\n")
    });
    format!("| variable | meaning | unset |\n|---|---|---|\n{}", rows.collect::<String>())
}

fn holds_the_table(document: &str, table: &str) {
    let path = root().join(document);
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the begin mark");
    let (_, after) = rest.split_once(END).expect("the end mark");
    let printed = format!("{before}{BEGIN}{table}{END}{after}");
    if std::env::var_os("KEYPORT_UPDATE").is_some() {
        std::fs::write(&path, &printed).unwrap();
    } else {
        assert!(
            text == printed,
            "{document} is not what the code says: see this test's first lines"
        );
    }
}

#[test]
fn the_operations_guide_lists_every_setting() {
    holds_the_table("docs/operations.md", &table(VARIABLES.iter().copied()));
}

#[test]
fn the_readme_lists_the_settings_of_a_first_start() {
    let named = |name: &&str| VARIABLES.iter().copied().find(|known| known.name == *name).unwrap();
    holds_the_table("README.md", &table(FIRST_START.iter().map(named)));
}

#[test]
fn documents_name_no_variable_that_no_program_reads() {
    let mut documents = vec![root().join("README.md")];
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "md") {
            documents.push(path);
        }
    }
    assert!(documents.len() > 5);
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for word in words.filter(|word| word.starts_with("KEYPORT_") || word.starts_with("WORKOS_"))
        {
            let name = word.trim_end_matches('_');
            let known = VARIABLES.iter().any(|known| {
                known.name == name
                    || (known.is_secret && name.strip_suffix("_FILE") == Some(known.name))
            });
            let prefix = name == "KEYPORT" || name == "WORKOS";
            let known = known || prefix || OF_OTHER_PROGRAMS.contains(&name);
            assert!(known, "{} names {word}, which no program reads", document.display());
        }
    }
}
