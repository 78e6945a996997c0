//! What a command prints: lines of JSON, or aligned columns for a person. Text from elsewhere is
//! shown without characters that steer a terminal.

use std::io::{BufWriter, Stdout, Write};

use serde::Serialize;

use crate::admin::AdminError;
use crate::domain::cleaned;

/// The longest text that is shown in a column, in characters.
const LONGEST: usize = 120;

/// Standard output.
pub struct CommandOutput {
    writer: BufWriter<Stdout>,
    /// Whether `--json` was given.
    pub json: bool,
    /// The widths of the columns so far; they only grow.
    widths: Vec<usize>,
}

impl CommandOutput {
    /// To standard output.
    pub fn new(json: bool) -> Self {
        Self { writer: BufWriter::new(std::io::stdout()), json, widths: Vec::new() }
    }

    /// One object as a line of JSON.
    ///
    /// # Errors
    /// Nothing reads on.
    pub fn object(&mut self, value: &impl Serialize) -> Result<(), AdminError> {
        let line = serde_json::to_string(value).map_err(|_| AdminError::failed("no JSON"))?;
        self.line(&line)
    }

    /// A line as it is.
    ///
    /// # Errors
    /// Nothing reads on.
    pub fn line(&mut self, line: &str) -> Result<(), AdminError> {
        let written = writeln!(self.writer, "{line}");
        written.map_err(|_| AdminError::failed("standard output was closed"))
    }

    /// Objects as lines of JSON, or as rows under `header`, which is printed with the first of
    /// them.
    ///
    /// # Errors
    /// Nothing reads on.
    pub fn rows<T: Serialize, const N: usize>(
        &mut self,
        header: [&str; N],
        items: &[T],
        row: impl Fn(&T) -> [String; N],
    ) -> Result<(), AdminError> {
        if self.json {
            return items.iter().try_for_each(|item| self.object(item));
        }
        let rows: Vec<[String; N]> =
            items.iter().map(|item| row(item).map(|cell| shown(&cell))).collect();
        let is_first = self.widths.is_empty();
        if is_first && !rows.is_empty() {
            self.widths = header.iter().map(|cell| cell.chars().count()).collect();
        }
        for (column, width) in self.widths.iter_mut().enumerate() {
            let longest = rows.iter().map(|row| row[column].chars().count()).max();
            *width = (*width).max(longest.unwrap_or_default());
        }
        let header = (is_first && !rows.is_empty()).then(|| header.map(str::to_owned));
        for row in header.iter().chain(&rows) {
            let line = aligned(row, &self.widths);
            self.line(&line)?;
        }
        Ok(())
    }

    /// The next rows are of another table.
    pub fn end_table(&mut self) {
        self.widths.clear();
    }

    /// Pairs of a name and a value, aligned.
    ///
    /// # Errors
    /// Nothing reads on.
    pub fn facts(&mut self, facts: &[(&str, String)]) -> Result<(), AdminError> {
        let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        facts.iter().try_for_each(|(name, value)| {
            let value = shown(value);
            self.line(&format!("{name:<width$}  {value}"))
        })
    }

    /// Hands everything over.
    ///
    /// # Errors
    /// Nothing reads on.
    pub fn finish(&mut self) -> Result<(), AdminError> {
        self.writer.flush().map_err(|_| AdminError::failed("standard output was closed"))
    }
}

fn aligned(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// One line without what steers a terminal; `-` for nothing.
pub fn shown(text: &str) -> String {
    cleaned(text, LONGEST).unwrap_or_else(|| "-".to_owned())
}

/// An instant for a person: `2026-11-22 04:10`, UTC.
pub fn moment(rfc3339: &str) -> String {
    rfc3339.get(..16).unwrap_or(rfc3339).replace('T', " ")
}

/// `1 session`, `2 sessions`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_texts_steer_no_terminal() {
        let row = ["a".to_owned(), shown("Ada\u{1b}[31m\nKing"), shown(" ")];
        assert_eq!(aligned(&row, &[3, 12, 1]), "a    Ada [31m King  -");
        assert_eq!(moment("2026-11-22T04:10:09Z"), "2026-11-22 04:10");
    }
}
