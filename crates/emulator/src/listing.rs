//! Lists as WorkOS pages them: filters, `limit` 1 to 100 (10), `order` (`desc`: newest first), and
//! object IDs as cursors `before` and `after`. Unknown parameters are ignored, as there (there is
//! no filter by state).

use crate::environment::Environment;
use crate::parameters::{Parameters, RepeatedParameterError};
use crate::seed::Connection;

const DEFAULT_LIMIT: usize = 10;

#[derive(Debug)]
pub struct Query<'a> {
    connection_type: Option<&'a str>,
    domain: Option<&'a str>,
    organization_id: Option<&'a str>,
    search: Option<&'a str>,
    limit: usize,
    oldest_first: bool,
    cursor: Option<Cursor<'a>>,
}

#[derive(Debug, Clone, Copy)]
enum Cursor<'a> {
    Before(&'a str),
    After(&'a str),
}

#[derive(Debug)]
pub struct Listing<'a> {
    pub page: Vec<&'a Connection>,
    /// The cursor to what comes before this page, if anything does.
    pub before: Option<&'a str>,
    /// The cursor to what comes after this page, if anything does.
    pub after: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// # Errors
    /// A sentence for the developer: `limit` out of range, an unknown order, both cursors, a
    /// parameter sent twice.
    pub fn read(parameters: &'a Parameters) -> Result<Self, String> {
        let one = |name| {
            parameters.one(name).map_err(|RepeatedParameterError(name)| {
                format!("`{name}` was sent more than once.")
            })
        };
        let limit = match one("limit")? {
            None => DEFAULT_LIMIT,
            Some(text) => match text.parse() {
                Ok(limit @ 1..=100) => limit,
                _ => return Err("`limit` has to be between 1 and 100.".to_owned()),
            },
        };
        let oldest_first = match one("order")? {
            None | Some("desc" | "normal") => false,
            Some("asc") => true,
            Some(_) => return Err("`order` has to be normal, desc or asc.".to_owned()),
        };
        let cursor = match (one("before")?, one("after")?) {
            (None, None) => None,
            (Some(id), None) => Some(Cursor::Before(id)),
            (None, Some(id)) => Some(Cursor::After(id)),
            (Some(_), Some(_)) => return Err("`before` and `after` exclude each other.".to_owned()),
        };
        Ok(Self {
            connection_type: one("connection_type")?,
            domain: one("domain")?,
            organization_id: one("organization_id")?,
            search: one("search")?,
            limit,
            oldest_first,
            cursor,
        })
    }

    /// # Errors
    /// When the cursor names no connection.
    pub fn list<'e>(&self, environment: &'e Environment) -> Result<Listing<'e>, String> {
        let mut all: Vec<_> = environment.connections().iter().collect();
        if !self.oldest_first {
            all.reverse();
        }
        let (from, to) = self.range(&all)?;
        let matching = |range: &[&'e Connection]| -> Vec<&'e Connection> {
            range
                .iter()
                .copied()
                .filter(|connection| self.matches(environment, connection))
                .collect()
        };
        let (mut earlier, mut page, mut later) =
            (matching(&all[..from]), matching(&all[from..to]), matching(&all[to..]));
        if page.len() > self.limit {
            match self.cursor {
                Some(Cursor::Before(_)) => {
                    earlier = page.drain(..page.len() - self.limit).collect();
                }
                _ => later = page.split_off(self.limit),
            }
        }
        let before = page.first().filter(|_| !earlier.is_empty()).map(|it| it.id.as_str());
        let after = page.last().filter(|_| !later.is_empty()).map(|it| it.id.as_str());
        Ok(Listing { page, before, after })
    }

    /// The part of `all` that the cursor leaves.
    fn range(&self, all: &[&Connection]) -> Result<(usize, usize), String> {
        let position = |id: &str| {
            let found = all.iter().position(|connection| connection.id == id);
            found.ok_or_else(|| format!("The cursor '{id}' names no connection."))
        };
        Ok(match self.cursor {
            None => (0, all.len()),
            Some(Cursor::Before(id)) => (0, position(id)?),
            Some(Cursor::After(id)) => (position(id)? + 1, all.len()),
        })
    }

    fn matches(&self, environment: &Environment, connection: &Connection) -> bool {
        let domains = environment
            .organization_of(connection)
            .map_or(&[][..], |organization| &organization.domains);
        let named = |search: &str| connection.name.to_lowercase().contains(&search.to_lowercase());
        self.connection_type.is_none_or(|kind| connection.connection_type == kind)
            && self
                .organization_id
                .is_none_or(|id| connection.organization_id.as_deref() == Some(id))
            && self
                .domain
                .is_none_or(|domain| domains.iter().any(|it| it.eq_ignore_ascii_case(domain)))
            && self.search.is_none_or(named)
    }
}
