//! Members of a JSON object whose values are not looked at yet: a text that is no Unicode, a number
//! out of range and deep nesting are JSON too, and matter only where they are read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The members by name.
pub(super) type Members<'a> = BTreeMap<&'a str, Box<RawValue>>;

/// A value as this type; `None` where it has another shape or holds what no text or number can.
pub(super) fn read<'a, T: Deserialize<'a>>(said: &'a RawValue) -> Option<T> {
    serde_json::from_str(said.get()).ok()
}

/// A value as a member.
pub(super) fn kept(value: &impl Serialize) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(value).ok()
}

/// Brings a member into another shape; leaves it out where that cannot be done.
pub(super) fn reshape<T: Serialize>(
    members: &mut Members<'_>,
    name: &'static str,
    shape: impl Fn(&RawValue) -> Option<T>,
) {
    let Some(said) = members.remove(name).filter(|said| said.get() != "null") else { return };
    let shaped = shape(&said).and_then(|shaped| kept(&shaped));
    if shaped.is_none() {
        tracing::warn!(name, "a member of a profile has another shape and was left out");
    }
    members.extend(shaped.map(|value| (name, value)));
}
