//! What a provider says about a person beside who it is: names, role, groups, custom attributes.
//! Each is optional and bounded. A value that an access decision can be made on is kept byte by
//! byte or not at all: two groups must never become one by cleaning. Raw attributes never come
//! here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::text::{cleaned, is_unsafe};

/// Longest first or last name, in characters. A longer one is cut.
const LONGEST_NAME: usize = 256;
/// Longest role, group or text of a custom attribute, in bytes.
const LONGEST_TEXT: usize = 255;
/// Longest name of a custom attribute, in bytes.
const LONGEST_KEY: usize = 64;
/// Groups that are kept.
const GROUPS: usize = 128;
/// Bytes of all groups together.
const GROUP_BYTES: usize = 8 * 1024;
/// Custom attributes that are kept.
const CUSTOM: usize = 64;
/// Texts in the list of one custom attribute.
const LIST: usize = 64;
/// Bytes of all custom attributes together, their names included.
const CUSTOM_BYTES: usize = 8 * 1024;

/// The value of a custom attribute: nothing nested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// `true` or `false`.
    Flag(bool),
    /// A number, as precise as JSON has it.
    Number(serde_json::Number),
    /// One text.
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

/// What the provider said, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderAttributes {
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The slug of the role.
    pub role: Option<String>,
    /// The groups.
    pub groups: Vec<String>,
    /// Custom attributes, mapped by the operator at the provider.
    pub custom: BTreeMap<String, AttributeValue>,
}

/// The same, cleaned and bounded: what is stored of a sign-in, a column for each field. It can be
/// made from [`ProviderAttributes`] and read back from the database alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileAttributes {
    first_name: Option<String>,
    last_name: Option<String>,
    role: Option<String>,
    groups: Vec<String>,
    custom: BTreeMap<String, AttributeValue>,
}

impl ProfileAttributes {
    /// Keeps what may be kept; the second part names the fields that lost something, and never a
    /// value.
    pub fn keep(said: ProviderAttributes) -> (Self, Vec<&'static str>) {
        let mut lost = Vec::new();
        let mut note = |field, is_lost| {
            if is_lost {
                lost.push(field);
            }
        };
        let name = |name: Option<&str>| name.and_then(|name| cleaned(name, LONGEST_NAME));
        let is_cut = |said: Option<&str>, kept: Option<&str>| {
            said.map(str::trim).filter(|said| !said.is_empty()) != kept
        };
        let first_name = name(said.first_name.as_deref());
        note("first_name", is_cut(said.first_name.as_deref(), first_name.as_deref()));
        let last_name = name(said.last_name.as_deref());
        note("last_name", is_cut(said.last_name.as_deref(), last_name.as_deref()));
        let said_role = said.role.filter(|role| !role.is_empty());
        let role = said_role.clone().filter(|role| is_plain(role, LONGEST_TEXT));
        note("role", role != said_role);
        let (groups, is_lost) = kept_groups(said.groups);
        note("groups", is_lost);
        let (custom, is_lost) = kept_custom(said.custom);
        note("custom_attributes", is_lost);
        (Self { first_name, last_name, role, groups, custom }, lost)
    }

    /// The first name to show, if there is one.
    pub fn first_name(&self) -> Option<&str> {
        self.first_name.as_deref()
    }

    /// The last name to show, if there is one.
    pub fn last_name(&self) -> Option<&str> {
        self.last_name.as_deref()
    }

    /// The slug of the role, byte by byte as the provider said it.
    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// The groups in the provider's order, each once and byte by byte.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The custom attributes.
    pub const fn custom(&self) -> &BTreeMap<String, AttributeValue> {
        &self.custom
    }
}

fn is_plain(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && text.len() <= longest && !text.chars().any(is_unsafe)
}

/// Groups that may be kept, and whether one was not.
fn kept_groups(said: Vec<String>) -> (Vec<String>, bool) {
    let (mut kept, mut bytes, mut is_lost) = (Vec::new(), 0, false);
    for group in said {
        if kept.contains(&group) {
            continue;
        }
        let fits = kept.len() < GROUPS && bytes + group.len() <= GROUP_BYTES;
        if fits && is_plain(&group, LONGEST_TEXT) {
            bytes += group.len();
            kept.push(group);
        } else {
            is_lost = true;
        }
    }
    (kept, is_lost)
}

/// Attributes that may be kept, and whether one was not.
fn kept_custom(said: BTreeMap<String, AttributeValue>) -> (BTreeMap<String, AttributeValue>, bool) {
    let (mut kept, mut bytes, mut is_lost) = (BTreeMap::new(), 0, false);
    for (key, value) in said {
        let size = key.len() + size_of_value(&value);
        let fits = kept.len() < CUSTOM && bytes + size <= CUSTOM_BYTES;
        if fits && is_plain(&key, LONGEST_KEY) && is_plain_value(&value) {
            bytes += size;
            kept.insert(key, value);
        } else {
            is_lost = true;
        }
    }
    (kept, is_lost)
}

/// An empty text or list says something and is kept.
fn is_plain_value(value: &AttributeValue) -> bool {
    let is_plain = |text: &String| text.is_empty() || is_plain(text, LONGEST_TEXT);
    match value {
        AttributeValue::Flag(_) | AttributeValue::Number(_) => true,
        AttributeValue::Text(text) => is_plain(text),
        AttributeValue::List(texts) => texts.len() <= LIST && texts.iter().all(is_plain),
    }
}

fn size_of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::Flag(_) => 1,
        AttributeValue::Number(number) => number.to_string().len(),
        AttributeValue::Text(text) => text.len(),
        AttributeValue::List(texts) => texts.iter().map(String::len).sum(),
    }
}

#[cfg(test)]
#[path = "attributes_tests.rs"]
mod tests;
