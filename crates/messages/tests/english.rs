//! The English files are whole: they parse, no id is there twice, every problem has its words, and
//! none is jargon.

use std::collections::BTreeMap;
use std::path::Path;

use fluent_bundle::FluentResource;
use fluent_syntax::ast::Entry;
use keyport_messages::{ENGLISH, Messages};
use keyport_problems::Problem;

#[test]
fn every_file_parses() {
    for (name, text) in ENGLISH {
        if let Err((_, errors)) = FluentResource::try_new((*text).to_owned()) {
            panic!("{name}: {errors:?}");
        }
    }
}

#[test]
fn every_file_of_the_folder_is_built_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("i18n/en");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut built_in: Vec<&str> = ENGLISH.iter().map(|(name, _)| *name).collect();
    built_in.sort_unstable();
    assert_eq!(found, built_in);
}

#[test]
fn no_id_is_there_twice() {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    for (name, text) in ENGLISH {
        let resource = FluentResource::try_new((*text).to_owned()).unwrap();
        for entry in resource.entries() {
            let id = match entry {
                Entry::Message(message) => message.id.name.to_owned(),
                Entry::Term(term) => format!("-{}", term.id.name),
                _ => continue,
            };
            if let Some(other) = first.insert(id.clone(), name) {
                panic!("{id} is in {other} and in {name}");
            }
        }
    }
}

#[test]
fn every_problem_says_what_happened_what_it_means_and_what_to_do() {
    let words = Messages::english();
    for problem in Problem::ALL {
        let said = words.problem(*problem);
        for (part, text) in [("title", &said.title), ("text", &said.text), ("next", &said.next)] {
            let id = format!("problem-{}-{part}", problem.code().replace('_', "-"));
            assert!(words.has(&id), "{id} is missing");
            assert!(!text.contains('{'), "{id} has a parameter: {text}");
        }
        assert!(!said.title.ends_with('.'), "{}: a heading", said.title);
        assert!(said.text.ends_with('.'), "{}: a sentence", said.text);
        assert!(said.next.ends_with('.'), "{}: a sentence", said.next);
    }
}

#[test]
fn no_word_for_a_problem_has_outlived_it() {
    let (_, text) = ENGLISH[0];
    let resource = FluentResource::try_new(text.to_owned()).unwrap();
    for entry in resource.entries() {
        let Entry::Message(message) = entry else {
            continue;
        };
        let code = message
            .id
            .name
            .strip_prefix("problem-")
            .and_then(|rest| rest.rsplit_once('-'))
            .map(|(code, _)| code.replace('-', "_"))
            .unwrap();
        assert!(Problem::from_code(&code).is_some(), "no problem has the code {code}");
    }
}

/// What the terminal says may name the tokens that it prints; window, pages and problems may not.
#[test]
fn window_pages_and_problems_speak_without_jargon() {
    for (name, text) in ENGLISH.iter().filter(|(name, _)| *name != "cli.ftl") {
        for sentence in sentences(text) {
            assert_eq!(jargon(&sentence), None, "{name}: {sentence}");
        }
    }
}

#[test]
fn the_jargon_test_finds_jargon() {
    for sentence in [
        "Your IdP said no",
        "OAuth failed",
        "Bad tokens",
        "The callback came",
        "Redirecting",
        "Please authenticate",
        "Log in",
        "You are logged in",
        "Login",
        "Done!",
    ] {
        assert!(jargon(sentence).is_some(), "{sentence}");
    }
    assert_eq!(jargon("Sign in with your work email. It is logical."), None);
}

fn jargon(sentence: &str) -> Option<String> {
    const BEGINNINGS: &[&str] = &["idp", "oauth", "token", "callback", "redirect", "authenticat"];
    const PAIRS: &[&str] = &["log in", "log into", "logged in", "log out", "logged out"];
    let words: Vec<String> = sentence
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    if sentence.contains('!') {
        return Some("!".to_owned());
    }
    let single = words.iter().find(|word| {
        BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
            || ["login", "logout"].contains(&word.as_str())
    });
    let pair =
        words.windows(2).map(|pair| pair.join(" ")).find(|pair| PAIRS.contains(&pair.as_str()));
    single.cloned().or(pair)
}

/// The lines of a file as a person reads them: without comments, ids and `{ $parameters }`.
fn sentences(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| match line.split_once('=') {
            Some((id, rest)) if is_id(id.trim()) => rest,
            _ => line,
        })
        .map(without_variables)
        .collect()
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn without_variables(line: &str) -> String {
    line.split('$')
        .enumerate()
        .map(|(index, part)| match index {
            0 => part,
            _ => part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c)),
        })
        .collect()
}

#[test]
fn numbers_choose_the_plural_and_leading_zeros_stay() {
    let words = Messages::english();
    assert_eq!(words.text("cli-confirm", &[("number", "07")]).matches("07").count(), 1);
    let one = words.text("cli-waiting", &[("minutes", "1")]);
    let many = words.text("cli-waiting", &[("minutes", "9")]);
    assert!(one.contains("1 minute ") || one.contains("1 minute."), "{one}");
    assert!(many.contains("9 minutes"), "{many}");
}

#[test]
fn a_screen_is_every_message_that_begins_with_its_name() {
    let words = Messages::english();
    let screen = words.screen("cli", &[("number", "42")]);
    assert_eq!(screen["confirm"], words.text("cli-confirm", &[("number", "42")]));
    assert!(words.screen("no_such_screen", &[]).is_empty());
}

#[test]
fn words_go_between_threads() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    shared(&Messages::english());
}
