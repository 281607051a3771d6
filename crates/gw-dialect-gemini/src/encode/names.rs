//! Tool names: a bijection between the client's names and names that Gemini accepts.

use std::collections::BTreeMap;

use gw_core::{ChatRequest, PartBody, ToolChoice, ToolKind};

use crate::mint::tag;

/// Longest name.
const MOST: usize = 128;

/// Client name to wire name.
pub(super) struct Names {
    wire: BTreeMap<String, String>,
}

impl Names {
    /// Every name that the request mentions.
    pub(super) fn of(request: &ChatRequest) -> Self {
        let mut all: Vec<&str> = Vec::new();
        for tool in request.tools.iter().filter(|tool| !matches!(tool.kind, ToolKind::Hosted { .. })) {
            all.push(&tool.name);
        }
        for part in request.messages.iter().flat_map(|message| &message.parts) {
            match &part.body {
                PartBody::ToolCall { name, .. } | PartBody::ToolResult { name: Some(name), .. } => all.push(name),
                _ => {}
            }
        }
        match &request.tool_choice {
            Some(ToolChoice::Named(name)) => all.push(name),
            Some(ToolChoice::Allowed { names, .. }) => all.extend(names.iter().map(String::as_str)),
            _ => {}
        }
        let mut wire: BTreeMap<String, String> = BTreeMap::new();
        // Legal names first: they stay, and changed names must keep clear of them.
        for name in all.iter().filter(|name| legal(name)) {
            wire.insert((*name).to_owned(), (*name).to_owned());
        }
        for name in all.iter().filter(|name| !legal(name)) {
            if wire.contains_key(*name) {
                continue;
            }
            let mut candidate = sanitised(name);
            let mut salt = String::new();
            while wire.values().any(|taken| *taken == candidate) {
                salt.push('+');
                let suffix = tag(&format!("{name}{salt}"));
                let head: String = sanitised(name).chars().take(MOST - 1 - suffix.len()).collect();
                candidate = format!("{head}_{suffix}");
            }
            wire.insert((*name).to_owned(), candidate);
        }
        Self { wire }
    }

    /// The wire name.
    pub(super) fn get<'n>(&'n self, name: &'n str) -> &'n str {
        self.wire.get(name).map_or(name, String::as_str)
    }

    /// Wire name and client name of every name that changed.
    pub(super) fn renamed(&self) -> Vec<(String, String)> {
        self.wire.iter().filter(|(name, wire)| name != wire).map(|(name, wire)| (wire.clone(), name.clone())).collect()
    }
}

fn legal(name: &str) -> bool {
    name.len() <= MOST
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
}

fn sanitised(name: &str) -> String {
    let mut out: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "_.:-".contains(letter) { letter } else { '_' })
        .collect();
    if !out.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        out.insert(0, '_');
    }
    if out.len() > MOST {
        let suffix = tag(name);
        let head: String = out.chars().take(MOST - 1 - suffix.len()).collect();
        out = format!("{head}_{suffix}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Names;
    use gw_core::{ChatRequest, Tool};

    #[test]
    fn bug_50_changed_names_never_collide() {
        let mut request = ChatRequest::new(crate::ID, "m");
        let long = "x".repeat(200);
        for name in ["a/b", "a_b", "a b", "1st", long.as_str(), "ok.name:x-1"] {
            request.tools.push(Tool { name: name.to_owned(), ..Tool::default() });
        }
        let names = Names::of(&request);
        let mut wire: Vec<&str> = request.tools.iter().map(|tool| names.get(&tool.name)).collect();
        assert_ne!(wire.first().copied(), Some("a_b"));
        assert!(wire.iter().all(|name| super::legal(name)));
        wire.sort_unstable();
        wire.dedup();
        assert_eq!(wire.len(), 6);
        assert_eq!(names.get("ok.name:x-1"), "ok.name:x-1");
        assert_eq!(names.renamed().len(), 4);
    }
}
