//! Lists as WorkOS pages them: `limit` 1 to 100 (10), `order` (`desc`: newest first), and object
//! IDs as cursors `before` and `after`. Unknown parameters are ignored, as there.

use serde_json::{Value, json};

use crate::parameters::{Parameters, RepeatedParameterError};

const DEFAULT_LIMIT: usize = 10;

/// Which part of a list is asked for.
#[derive(Debug)]
pub struct Paging<'a> {
    limit: usize,
    oldest_first: bool,
    cursor: Option<Cursor<'a>>,
}

#[derive(Debug, Clone, Copy)]
enum Cursor<'a> {
    Before(&'a str),
    After(&'a str),
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<'a, T> {
    pub items: Vec<&'a T>,
    /// The cursor to what comes before this page, if anything does.
    pub before: Option<&'a str>,
    /// The cursor to what comes after this page, if anything does.
    pub after: Option<&'a str>,
}

/// A parameter that may be there once.
///
/// # Errors
/// A sentence for the developer when it is there twice.
pub fn one<'a>(parameters: &'a Parameters, name: &'static str) -> Result<Option<&'a str>, String> {
    parameters
        .one(name)
        .map_err(|RepeatedParameterError(name)| format!("`{name}` was sent more than once."))
}

impl<'a> Paging<'a> {
    /// # Errors
    /// A sentence for the developer: `limit` out of range, an unknown order, both cursors, a
    /// parameter sent twice.
    pub fn read(parameters: &'a Parameters) -> Result<Self, String> {
        let limit = match one(parameters, "limit")?.map(str::parse) {
            None => DEFAULT_LIMIT,
            Some(Ok(limit @ 1..=100)) => limit,
            Some(_) => return Err("`limit` has to be between 1 and 100.".to_owned()),
        };
        let oldest_first = match one(parameters, "order")? {
            None | Some("desc" | "normal") => false,
            Some("asc") => true,
            Some(_) => return Err("`order` has to be normal, desc or asc.".to_owned()),
        };
        let cursor = match (one(parameters, "before")?, one(parameters, "after")?) {
            (None, None) => None,
            (Some(id), None) => Some(Cursor::Before(id)),
            (None, Some(id)) => Some(Cursor::After(id)),
            (Some(_), Some(_)) => return Err("`before` and `after` exclude each other.".to_owned()),
        };
        Ok(Self { limit, oldest_first, cursor })
    }

    /// Oldest first even where the caller does not ask for it (the Events API).
    #[must_use]
    pub fn oldest_first(self, parameters: &Parameters) -> Self {
        let asked = parameters.one("order").is_ok_and(|order| order.is_some());
        Self { oldest_first: self.oldest_first || !asked, ..self }
    }

    /// The part of `all` (in the order of creation) that matches and that the paging asks for.
    ///
    /// # Errors
    /// When the cursor names nothing in `all`.
    pub fn page<'e, T>(
        &self,
        all: impl Iterator<Item = &'e T>,
        id: impl Fn(&'e T) -> &'e str,
        matches: impl Fn(&T) -> bool,
    ) -> Result<Page<'e, T>, String> {
        let mut all: Vec<_> = all.collect();
        if !self.oldest_first {
            all.reverse();
        }
        let (from, to) = self.range(&all, &id)?;
        let matching = |range: &[&'e T]| -> Vec<&'e T> {
            range.iter().copied().filter(|it| matches(it)).collect()
        };
        let (mut earlier, mut items, mut later) =
            (matching(&all[..from]), matching(&all[from..to]), matching(&all[to..]));
        if items.len() > self.limit {
            match self.cursor {
                Some(Cursor::Before(_)) => {
                    earlier = items.drain(..items.len() - self.limit).collect();
                }
                _ => later = items.split_off(self.limit),
            }
        }
        let before = items.first().filter(|_| !earlier.is_empty()).map(|it| id(it));
        let after = items.last().filter(|_| !later.is_empty()).map(|it| id(it));
        Ok(Page { items, before, after })
    }

    /// The part of `all` that the cursor leaves.
    fn range<'e, T>(
        &self,
        all: &[&'e T],
        id: impl Fn(&'e T) -> &'e str,
    ) -> Result<(usize, usize), String> {
        let position = |cursor: &str| {
            let found = all.iter().position(|it| id(it) == cursor);
            found.ok_or_else(|| format!("The cursor '{cursor}' names nothing."))
        };
        Ok(match self.cursor {
            None => (0, all.len()),
            Some(Cursor::Before(id)) => (0, position(id)?),
            Some(Cursor::After(id)) => (position(id)? + 1, all.len()),
        })
    }
}

impl<T> Page<'_, T> {
    /// The list as WorkOS answers it.
    #[must_use]
    pub fn json(self, shape: impl Fn(&T) -> Value) -> Value {
        let data: Vec<Value> = self.items.into_iter().map(shape).collect();
        let list_metadata = json!({ "before": self.before, "after": self.after });
        json!({ "object": "list", "data": data, "list_metadata": list_metadata })
    }
}
