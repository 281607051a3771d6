//! `.env` files: `NAME=value` lines with quotes, comments and an optional `export`; no variable expansion.

use std::path::Path;

use crate::problem::{Origin, Problems};

/// One assignment and the line it starts on.
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) line: u32,
}

/// Reads all assignments; whatever cannot be read is reported with its line, never with its value.
pub(crate) fn parse(text: &str, path: &Path, problems: &mut Problems) -> Vec<Assignment> {
    let mut cursor = Cursor { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let mut assignments = Vec::new();
    while !cursor.rest.is_empty() {
        let line = cursor.line;
        match cursor.assignment() {
            Ok(Some((name, value))) => assignments.push(Assignment { name, value, line }),
            Ok(None) => {}
            Err((message, remedy)) => {
                problems.error(&Origin::EnvFile { path: path.to_owned(), line }, "", message, remedy);
                cursor.skip_line();
            }
        }
    }
    assignments
}

type Fault = (String, &'static str);

struct Cursor<'a> {
    rest: &'a str,
    line: u32,
}

impl Cursor<'_> {
    fn bump(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        if next == '\n' {
            self.line += 1;
        }
        Some(next)
    }

    fn skip_line(&mut self) {
        while let Some(next) = self.bump() {
            if next == '\n' {
                return;
            }
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r']);
    }

    /// Reads one line (or several, for a quoted value); `None` for blank lines and comments.
    fn assignment(&mut self) -> Result<Option<(String, String)>, Fault> {
        self.skip_blanks();
        if self.rest.is_empty() || self.rest.starts_with(['\n', '#']) {
            self.skip_line();
            return Ok(None);
        }
        if let Some(rest) = self.rest.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])) {
            self.rest = rest;
            self.skip_blanks();
        }
        let end = self.rest.find(['=', '\n']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if !rest.starts_with('=') {
            return Err(("there is no `=` on this line".to_owned(), "write NAME=value, or start a comment with #"));
        }
        let name = name.trim_end();
        let well_formed = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if !well_formed {
            let message = "the text before `=` is not a variable name".to_owned();
            return Err((message, "use letters, digits and underscores, not starting with a digit"));
        }
        let name = name.to_owned();
        self.rest = rest.strip_prefix('=').unwrap_or(rest);
        self.skip_blanks();
        let value = match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(&name, quote)?,
            _ => self.plain(),
        };
        Ok(Some((name, value)))
    }

    fn plain(&mut self) -> String {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let (line, _) = self.rest.split_at(end);
        // A `#` belongs to the value unless a blank precedes it.
        let comment = line
            .char_indices()
            .find(|(index, c)| *c == '#' && line.get(..*index).is_some_and(|before| before.ends_with([' ', '\t'])));
        let value = comment.and_then(|(index, _)| line.get(..index)).unwrap_or(line);
        let value = if line.starts_with('#') { "" } else { value.trim() };
        let value = value.to_owned();
        self.skip_line();
        value
    }

    fn quoted(&mut self, name: &str, quote: char) -> Result<String, Fault> {
        let start = (self.rest, self.line);
        self.bump();
        let mut value = String::new();
        loop {
            match self.bump() {
                None => {
                    // Back to the opening quote, so that the lines after this one are still read.
                    (self.rest, self.line) = start;
                    return Err((
                        format!("the quoted value of {name} does not end"),
                        "add the closing quote, or remove the opening one",
                    ));
                }
                Some('\r') if self.rest.starts_with('\n') => {}
                Some(next) if next == quote => break,
                Some('\\') if quote == '"' => match self.bump() {
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    Some('t') => value.push('\t'),
                    Some(escaped @ ('"' | '\\' | '$' | '\'')) => value.push(escaped),
                    Some(other) => value.extend(['\\', other]),
                    None => value.push('\\'),
                },
                Some(next) => value.push(next),
            }
        }
        self.skip_blanks();
        if self.rest.is_empty() || self.rest.starts_with(['\n', '#']) {
            self.skip_line();
            return Ok(value);
        }
        Err((format!("there is text after the quoted value of {name}"), "put the whole value inside the quotes"))
    }
}

#[cfg(test)]
#[path = "dotenv/tests.rs"]
mod tests;
