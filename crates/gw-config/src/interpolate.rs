//! `${NAME}`, `${NAME:-default}` and `${file:/path}` inside scalars of the parsed file.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::problem::{Origin, Problems};
use crate::yaml::{Content, Node, Scalar, ScalarKind};

const REMEDY: &str = "write ${NAME}, ${NAME:-default} or ${file:/path}; a literal ${ is written $${";

/// What interpolation needs from its surroundings.
pub(crate) struct Interpolation<'a> {
    pub(crate) config_path: &'a Path,
    pub(crate) environment: &'a Environment,
    /// Reads a file and remembers it for change detection.
    pub(crate) read: &'a mut dyn FnMut(&Path) -> std::io::Result<Vec<u8>>,
    pub(crate) problems: &'a mut Problems,
}

impl Interpolation<'_> {
    /// Replaces every reference below `node`; `field` is its path.
    pub(crate) fn apply(&mut self, node: &mut Node, field: &str) {
        let (line, column) = (node.line, node.column);
        match &mut node.content {
            Content::Null => {}
            Content::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.apply(item, &format!("{field}[{index}]"));
                }
            }
            Content::Map(entries) => {
                for entry in entries {
                    let separator = if field.is_empty() { "" } else { "." };
                    self.apply(&mut entry.node, &format!("{field}{separator}{}", entry.key));
                }
            }
            Content::Scalar(scalar) if scalar.text.contains("${") => {
                let origin = Origin::File { path: self.config_path.to_owned(), line, column };
                match self.expand(&scalar.text) {
                    Ok((text, interpolated)) => *scalar = Scalar { text, kind: ScalarKind::Text, interpolated },
                    Err((message, remedy)) => {
                        self.problems.error(&origin, field, message, remedy);
                        // An empty value would only cause a second, misleading complaint.
                        node.content = Content::Null;
                    }
                }
            }
            Content::Scalar(_) => {}
        }
    }

    fn expand(&mut self, text: &str) -> Result<(String, bool), (String, String)> {
        let mut result = String::with_capacity(text.len());
        let mut interpolated = false;
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('$') {
                result.push_str(before);
                result.push_str("${");
                rest = after;
                continue;
            }
            result.push_str(before);
            let Some((reference, after)) = after.split_once('}') else {
                return Err(("a ${ reference does not end with }".to_owned(), REMEDY.to_owned()));
            };
            result.push_str(&self.resolve(reference)?);
            interpolated = true;
            rest = after;
        }
        result.push_str(rest);
        Ok((result, interpolated))
    }

    fn resolve(&mut self, reference: &str) -> Result<String, (String, String)> {
        if let Some(path) = reference.strip_prefix("file:") {
            return self.file(path);
        }
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        let well_formed = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if !well_formed {
            return Err(("a ${ reference does not contain a variable name".to_owned(), REMEDY.to_owned()));
        }
        match (self.environment.raw(name), default) {
            (Some(value), None) => Ok(value.to_owned()),
            (Some(value), Some(_)) if !value.is_empty() => Ok(value.to_owned()),
            (_, Some(default)) => Ok(default.to_owned()),
            (None, None) => Err((
                format!("environment variable {name} is not set"),
                format!("set {name} in the environment or in .env, or write ${{{name}:-default}}"),
            )),
        }
    }

    fn file(&mut self, path: &str) -> Result<String, (String, String)> {
        let remedy = "check the path and its permissions; a relative path starts at the configuration file";
        let base = self.config_path.parent().map_or_else(PathBuf::new, Path::to_owned);
        let path = base.join(path.trim());
        let bytes = (self.read)(&path)
            .map_err(|error| (format!("cannot read {}: {}", path.display(), error.kind()), remedy.to_owned()))?;
        let text = String::from_utf8(bytes).map_err(|_| {
            (format!("{} is not UTF-8 text", path.display()), "store the value as plain text".to_owned())
        })?;
        Ok(text.trim_end_matches(['\n', '\r']).to_owned())
    }
}
