//! The file of client records (TOML). Every fault is found at once and named with its record, so
//! that a file is mended in one go; a record is never used in part.

use keyport_uri::LONGEST_REDIRECT_URI;
use toml::{Table, Value};

use super::{ClientRecord, Records, RedirectRule, ResourceServer};
use crate::domain::{Scope, is_unsafe};

/// Most records, and most faults that are named: more of either is a file of something else.
const RECORDS: usize = 256;
const FAULTS: usize = 50;
/// Most redirect URIs, and most scopes, of one client; a place in the list travels as one byte.
const LONGEST_LIST: usize = 32;
/// Longest id and name, in bytes.
const LONGEST_ID: usize = 64;
const LONGEST_NAME: usize = 64;

/// Longest audience, in bytes.
const LONGEST_AUDIENCE: usize = 255;

const OF_CLIENT: [&str; 4] = ["id", "name", "redirect_uris", "scopes"];
const OF_RESOURCE_SERVER: [&str; 3] = ["id", "audience", "secret_hash"];

/// Reads the records.
///
/// # Errors
/// Every fault, as a sentence that begins with its record.
pub(super) fn read(text: &str) -> Result<Records, Vec<String>> {
    let file = text.parse::<Table>().map_err(|error| {
        let line = error.span().map(|span| text[..span.start].lines().count().max(1));
        let place = line.map(|line| format!(" (line {line})")).unwrap_or_default();
        vec![format!("is not TOML: {}{place}", error.message())]
    })?;
    let mut faults: Vec<String> = file
        .keys()
        .filter(|key| !["client", "resource_server"].contains(&key.as_str()))
        .map(|key| format!("has {}, which is no setting: records are [[client]]", shown(key)))
        .collect();
    let servers = tables(&file, "resource_server");
    let clients = tables(&file, "client");
    if clients.is_empty() && servers.is_empty() {
        faults.push("holds no client: write at least one [[client]]".to_owned());
        return Err(first_of(faults));
    }
    for (tables, kind) in [(&clients, "clients"), (&servers, "resource servers")] {
        if tables.len() > RECORDS {
            faults.push(format!("holds more than {RECORDS} {kind}"));
            return Err(first_of(faults));
        }
    }
    let clients = each(&clients, "client", Record::client, |it| &it.id, &mut faults);
    let resource_servers =
        each(&servers, "resource server", Record::resource_server, |it| &it.id, &mut faults);
    if faults.is_empty() {
        Ok(Records { clients, resource_servers })
    } else {
        Err(first_of(faults))
    }
}

/// The records under one heading; none if there is no list of records.
fn tables<'a>(file: &'a Table, heading: &str) -> Vec<&'a Table> {
    let records = file.get(heading).and_then(Value::as_array);
    let tables: Option<Vec<&Table>> =
        records.and_then(|records| records.iter().map(Value::as_table).collect());
    tables.unwrap_or_default()
}

/// Reads each record of a kind; each id once.
fn each<'a, T>(
    tables: &[&'a Table],
    kind: &str,
    read: impl Fn(&mut Record<'a>) -> T,
    id: impl Fn(&T) -> &String,
    faults: &mut Vec<String>,
) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    for (number, table) in (1..).zip(tables) {
        let mut record = Record::new(table, kind, number);
        let read = read(&mut record);
        if all.iter().any(|known| id(known) == id(&read)) && !id(&read).is_empty() {
            record.fault("has the id of another record");
        }
        faults.extend(record.faults);
        all.push(read);
    }
    all
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
    fn new(table: &'a Table, kind: &str, number: usize) -> Self {
        let name = match table.get("id").and_then(Value::as_str) {
            Some(id) => format!("{kind} {}", shown(id)),
            None => format!("{kind} number {number}"),
        };
        Self { table, name, faults: Vec::new() }
    }

    fn fault(&mut self, sentence: &str) {
        self.faults.push(format!("{}: {sentence}", self.name));
    }

    fn client(&mut self) -> ClientRecord {
        self.only(&OF_CLIENT, "is no setting of a client");
        let id = self.id();
        let name = self.text("name", LONGEST_NAME);
        let redirect_uris = self.redirect_uris();
        let scopes = self.scopes();
        ClientRecord { id, name, redirect_uris, scopes }
    }

    fn resource_server(&mut self) -> ResourceServer {
        self.only(&OF_RESOURCE_SERVER, "is no setting of a resource server");
        let id = self.id();
        let audience = self.text("audience", LONGEST_AUDIENCE);
        let secret_hash = self.secret_hash();
        ResourceServer { id, audience, secret_hash }
    }

    /// The value is not repeated: a credential may have been written in the place of its hash.
    fn secret_hash(&mut self) -> [u8; 32] {
        let Some(text) = self.table.get("secret_hash") else {
            self.fault("secret_hash is missing");
            return [0; 32];
        };
        let mut hash = [0; 32];
        let text = text.as_str().unwrap_or_default();
        match base16ct::lower::decode(text, &mut hash) {
            Ok(read) if read.len() == 32 => {}
            _ => self.fault(
                "secret_hash is not the SHA-256 of a random credential in 64 lower-case hex digits",
            ),
        }
        hash
    }

    fn only(&mut self, known: &[&str], fault: &str) {
        for key in self.table.keys().filter(|key| !known.contains(&key.as_str())) {
            self.fault(&format!("{} {fault}", shown(key)));
        }
    }

    fn id(&mut self) -> String {
        let id = self.text("id", LONGEST_ID);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !id.bytes().all(plain) {
            self.fault("id may hold letters, digits and - _ . only");
        }
        id
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
