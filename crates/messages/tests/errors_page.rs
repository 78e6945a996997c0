//! `docs/errors.md` is printed from the problems and their words. `KEYPORT_UPDATE=1 cargo test -p
//! keyport-messages` writes it anew.

use std::path::Path;

use keyport_messages::Messages;
use keyport_problems::NextStep;
use keyport_problems::Problem;

#[test]
fn the_errors_page_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let page = page();
    if std::env::var_os("KEYPORT_UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/errors.md is not what the code says; KEYPORT_UPDATE=1 cargo test -p keyport-messages \
         writes it"
    );
}

fn page() -> String {
    let words = Messages::english();
    let mut page = String::from(
        "# Problems and their words\n\n\
         Printed from `keyport_problems::Problem` and `crates/messages/i18n/en/problems.ftl`\n\
         by a test; do not edit. The code is what logs, `keyport --json`, the service's answers\n\
         (`keyport_problem`) and the small print of a problem screen show. It stays the same in\n\
         every language.\n",
    );
    for problem in Problem::ALL {
        let said = words.problem(*problem);
        page += &format!(
            "\n## `{}`\n\n**{}**\n\n{}\n{}\n\nOffered first: {}.\n",
            problem.code(),
            said.title,
            wrapped(&said.text),
            wrapped(&said.next),
            step(problem.next_step())
        );
    }
    page
}

/// The sentences in lines of at most 100 columns.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= 100 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// The name that the screens know the step by.
fn step(step: NextStep) -> String {
    let mut name = String::new();
    for character in format!("{step:?}").chars() {
        if character.is_uppercase() && !name.is_empty() {
            name.push(' ');
        }
        name.extend(character.to_lowercase());
    }
    name
}
