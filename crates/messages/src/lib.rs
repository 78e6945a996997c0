//! Every sentence a person reads, in Fluent files: code and parameters in, sentence and next step
//! out. It decides nothing and knows of ours only core's problem codes.
//! <https://projectfluent.org/>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_syntax::ast::Entry;
use keyport_problems::Problem;
use unic_langid::{CharacterDirection, LanguageIdentifier};

/// The English files: name and text. Public for the tests and for tools that check translations.
pub const ENGLISH: &[(&str, &str)] = &[
    ("problems.ftl", include_str!("../i18n/en/problems.ftl")),
    ("app.ftl", include_str!("../i18n/en/app.ftl")),
    ("pages.ftl", include_str!("../i18n/en/pages.ftl")),
    ("cli.ftl", include_str!("../i18n/en/cli.ftl")),
    ("listener.ftl", include_str!("../i18n/en/listener.ftl")),
];

/// The words for one problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemMessages {
    /// What happened, short: a heading.
    pub title: String,
    /// What it means.
    pub text: String,
    /// What to do now.
    pub next: String,
}

/// All sentences of one language. Cloning is cheap; it can be shared between threads.
///
/// ```
/// use keyport_problems::Problem;
/// use keyport_messages::Messages;
///
/// let words = Messages::english();
/// assert_eq!(words.problem(Problem::TimedOut).title, "The sign-in took too long");
/// assert_eq!(words.text("no-such-message", &[]), "no-such-message");
/// ```
#[derive(Clone)]
pub struct Messages {
    language: Arc<Language>,
}

struct Language {
    bundle: FluentBundle<FluentResource>,
    ids: BTreeSet<String>,
}

impl Messages {
    /// English, the language in which the sentences are first written.
    #[must_use]
    pub fn english() -> Self {
        Self::of("en", ENGLISH)
    }

    /// What can be read of the files is used: a message that is missing shows as its id, and the
    /// tests of this crate leave none.
    fn of(language: &str, files: &[(&str, &str)]) -> Self {
        let language: LanguageIdentifier = language.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // Isolation marks are for mixed directions; in terminals and titles they show as boxes.
        bundle.set_use_isolating(false);
        let mut ids = BTreeSet::new();
        for (_, text) in files {
            let resource = match FluentResource::try_new((*text).to_owned()) {
                Ok(resource) | Err((resource, _)) => resource,
            };
            ids.extend(resource.entries().filter_map(message_id));
            bundle.add_resource_overriding(resource);
        }
        Self { language: Arc::new(Language { bundle, ids }) }
    }

    /// The language of the sentences, as a BCP 47 tag.
    #[must_use]
    pub fn language(&self) -> String {
        self.language.bundle.locales.iter().map(ToString::to_string).next().unwrap_or_default()
    }

    /// Whether the language is written from right to left.
    #[must_use]
    pub fn is_right_to_left(&self) -> bool {
        let direction = |locale: &LanguageIdentifier| locale.character_direction();
        self.language.bundle.locales.first().map(direction) == Some(CharacterDirection::RTL)
    }

    /// The sentence `id` with its parameters put in. An unknown id is answered with the id itself.
    ///
    /// A parameter that is a whole number counts as one, so that a sentence can tell "1 minute"
    /// from "2 minutes".
    #[must_use]
    pub fn text(&self, id: &str, args: &[(&str, &str)]) -> String {
        let bundle = &self.language.bundle;
        let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
            return id.to_owned();
        };
        let args: FluentArgs<'_> =
            args.iter().map(|(name, value)| (*name, parameter(value))).collect();
        let mut unresolved = Vec::new();
        bundle.format_pattern(pattern, Some(&args), &mut unresolved).into_owned()
    }

    /// Every message of one screen: `screen("signed_out", …)` gives those whose id starts with
    /// `signed-out-`, keyed by the rest of the id.
    #[must_use]
    pub fn screen(&self, screen: &str, args: &[(&str, &str)]) -> BTreeMap<String, String> {
        let prefix = format!("{}-", screen.replace('_', "-"));
        self.language
            .ids
            .iter()
            .filter_map(|id| {
                let key = id.strip_prefix(&prefix)?;
                Some((key.to_owned(), self.text(id, args)))
            })
            .collect()
    }

    /// Title, meaning and next step of a problem.
    #[must_use]
    pub fn problem(&self, problem: Problem) -> ProblemMessages {
        let part = |part: &str| self.text(&problem_id(problem, part), &[]);
        ProblemMessages { title: part("title"), text: part("text"), next: part("next") }
    }

    /// Whether there is a message with this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.language.ids.contains(id)
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Messages")
            .field("language", &self.language.bundle.locales)
            .field("messages", &self.language.ids.len())
            .finish()
    }
}

/// The id of one of a problem's three messages: `problem-access-denied-title`.
fn problem_id(problem: Problem, part: &str) -> String {
    format!("problem-{}-{part}", problem.code().replace('_', "-"))
}

fn message_id(entry: &Entry<&str>) -> Option<String> {
    match entry {
        Entry::Message(message) => Some(message.id.name.to_owned()),
        Entry::Term(_)
        | Entry::Comment(_)
        | Entry::GroupComment(_)
        | Entry::ResourceComment(_)
        | Entry::Junk { .. } => None,
    }
}

/// Only a number that reads the same written back: the code "07" must stay "07".
fn parameter(value: &str) -> FluentValue<'_> {
    match value.parse::<u32>() {
        Ok(number) if number.to_string() == value => FluentValue::from(number),
        Ok(_) | Err(_) => FluentValue::from(value),
    }
}
