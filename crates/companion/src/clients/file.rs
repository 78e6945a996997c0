//! The file of client records (TOML). Every fault is found at once and named with its record, so
//! that a file is mended in one go; a record is never used in part.

use keyport_uri::LONGEST_REDIRECT_URI;
use toml::{Table, Value};

use super::{ClientRecord, RedirectRule};
use crate::domain::{Scope, is_unsafe};

/// Most records, and most faults that are named: more of either is a file of something else.
const RECORDS: usize = 256;
const FAULTS: usize = 50;
/// Most redirect URIs, and most scopes, of one client; a place in the list travels as one byte.
const LONGEST_LIST: usize = 32;
/// Longest id and name, in bytes.
const LONGEST_ID: usize = 64;
const LONGEST_NAME: usize = 64;

const KEYS: [&str; 4] = ["id", "name", "redirect_uris", "scopes"];

/// Reads the records.
///
/// # Errors
/// Every fault, as a sentence that begins with its record.
pub(super) fn read(text: &str) -> Result<Vec<ClientRecord>, Vec<String>> {
    let file = text.parse::<Table>().map_err(|error| {
        let line = error.span().map(|span| text[..span.start].lines().count().max(1));
        let place = line.map(|line| format!(" (line {line})")).unwrap_or_default();
        vec![format!("is not TOML: {}{place}", error.message())]
    })?;
    let mut faults: Vec<String> = file
        .keys()
        .filter(|key| *key != "client")
        .map(|key| format!("has {}, which is no setting: records are [[client]]", shown(key)))
        .collect();
    let records: Option<Vec<&Table>> = match file.get("client") {
        Some(Value::Array(records)) => records.iter().map(Value::as_table).collect(),
        _ => None,
    };
    let Some(records) = records.filter(|records| !records.is_empty()) else {
        faults.push("holds no client: write at least one [[client]]".to_owned());
        return Err(first_of(faults));
    };
    if records.len() > RECORDS {
        faults.push(format!("holds more than {RECORDS} clients"));
        return Err(first_of(faults));
    }
    let mut clients: Vec<ClientRecord> = Vec::new();
    for (number, table) in (1..).zip(records) {
        let mut record = Record::new(table, number);
        let client = record.client();
        if clients.iter().any(|known| known.id == client.id) && !client.id.is_empty() {
            record.fault("has the id of another record");
        }
        faults.extend(record.faults);
        clients.push(client);
    }
    if faults.is_empty() { Ok(clients) } else { Err(first_of(faults)) }
}

fn first_of(mut faults: Vec<String>) -> Vec<String> {
    let more = faults.len().saturating_sub(FAULTS);
    faults.truncate(FAULTS);
    if more > 0 {
        faults.push(format!("has {more} more faults"));
    }
    faults
}

/// What the file holds, for a message: escaped, and no longer than the longest that is allowed.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(LONGEST_REDIRECT_URI).collect();
    let rest = if short.len() < text.len() { " …" } else { "" };
    format!("{short:?}{rest}")
}

/// One record as it is read, and its faults so far.
struct Record<'a> {
    table: &'a Table,
    name: String,
    faults: Vec<String>,
}

impl<'a> Record<'a> {
    fn new(table: &'a Table, number: usize) -> Self {
        let name = match table.get("id").and_then(Value::as_str) {
            Some(id) => format!("client {}", shown(id)),
            None => format!("client number {number}"),
        };
        Self { table, name, faults: Vec::new() }
    }

    fn fault(&mut self, sentence: &str) {
        self.faults.push(format!("{}: {sentence}", self.name));
    }

    fn client(&mut self) -> ClientRecord {
        for key in self.table.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            self.fault(&format!("{} is no setting of a client", shown(key)));
        }
        let id = self.text("id", LONGEST_ID);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !id.bytes().all(plain) {
            self.fault("id may hold letters, digits and - _ . only");
        }
        let name = self.text("name", LONGEST_NAME);
        let redirect_uris = self.redirect_uris();
        let scopes = self.scopes();
        ClientRecord { id, name, redirect_uris, scopes }
    }

    fn text(&mut self, key: &str, longest: usize) -> String {
        let fault = match self.table.get(key) {
            None => "is missing",
            Some(Value::String(text)) if text.trim().is_empty() => "is empty",
            Some(Value::String(text)) if text.len() > longest => "is too long",
            Some(Value::String(text)) if text.trim() != text => "begins or ends with a blank",
            Some(Value::String(text)) if text.chars().any(is_unsafe) => {
                "holds control or invisible characters"
            }
            Some(Value::String(text)) => return text.clone(),
            Some(_) => "is no text",
        };
        self.fault(&format!("{key} {fault}"));
        String::new()
    }

    /// The texts of a list that must not be empty, each once.
    fn list(&mut self, key: &str) -> Vec<&'a str> {
        let texts: Option<Vec<&str>> = match self.table.get(key) {
            None => {
                self.fault(&format!("{key} is missing"));
                return Vec::new();
            }
            Some(value) => {
                value.as_array().and_then(|list| list.iter().map(Value::as_str).collect())
            }
        };
        let Some(texts) = texts else {
            self.fault(&format!("{key} is no list of texts"));
            return Vec::new();
        };
        if texts.is_empty() {
            self.fault(&format!("{key} is empty"));
        }
        if texts.len() > LONGEST_LIST {
            self.fault(&format!("{key} has more than {LONGEST_LIST} entries"));
            return Vec::new();
        }
        for (place, text) in texts.iter().enumerate() {
            if texts[..place].contains(text) {
                self.fault(&format!("{key} holds {} twice", shown(text)));
            }
        }
        texts
    }

    fn redirect_uris(&mut self) -> Vec<RedirectRule> {
        let texts = self.list("redirect_uris");
        let mut rules = Vec::new();
        for text in texts {
            match RedirectRule::parse(text) {
                Ok(rule) => rules.push(rule),
                Err(fault) => self.fault(&format!("redirect URI {} {fault}", shown(text))),
            }
        }
        rules
    }

    fn scopes(&mut self) -> Scope {
        let words = self.list("scopes");
        for word in words.iter().filter(|word| !Scope::KNOWN.contains(word)) {
            let known = Scope::KNOWN.join(", ");
            self.fault(&format!("scope {} is not known; there are {known}", shown(word)));
        }
        Scope::parse(&words.join(" "))
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
