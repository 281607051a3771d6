//! Tool names that the target takes: `[A-Za-z0-9_-]{1,128}`.

use std::collections::{BTreeMap, BTreeSet};

use gw_core::{ChatRequest, PartBody, ToolChoice, ToolKind};

use super::{fingerprint, legal_letters};

/// Longest tool name.
const LONGEST: usize = 128;

/// A bijection between the client's names and the wire's, for the names that need one.
#[derive(Debug, Default)]
pub(super) struct Names {
    wire_of: BTreeMap<String, String>,
}

impl Names {
    /// Looks at every name in the request.
    pub(super) fn plan(request: &ChatRequest) -> Self {
        let defined = request.tools.iter().filter(|tool| !matches!(tool.kind, ToolKind::Hosted { .. }));
        let mut all: BTreeSet<&str> = defined.map(|tool| tool.name.as_str()).collect();
        for part in request.messages.iter().flat_map(|message| &message.parts) {
            if let PartBody::ToolCall { name, .. } = &part.body {
                all.insert(name);
            }
        }
        match &request.tool_choice {
            Some(ToolChoice::Named(name)) => {
                all.insert(name);
            }
            Some(ToolChoice::Allowed { names, .. }) => all.extend(names.iter().map(String::as_str)),
            Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Required | ToolChoice::Validated) | None => {}
        }
        let mut taken: BTreeSet<String> =
            all.iter().filter(|name| legal(name)).map(|name| (*name).to_owned()).collect();
        let mut wire_of = BTreeMap::new();
        for name in all.into_iter().filter(|name| !legal(name)) {
            let mut wire = replaced(name);
            let mut salt = 0;
            while wire.is_empty() || wire.len() > LONGEST || taken.contains(&wire) {
                let head: String = replaced(name).chars().take(LONGEST - 17).collect();
                wire = format!("{head}_{}", fingerprint(name, salt));
                salt += 1;
            }
            taken.insert(wire.clone());
            wire_of.insert(name.to_owned(), wire);
        }
        Self { wire_of }
    }

    /// The wire name.
    pub(super) fn wire<'n>(&'n self, name: &'n str) -> &'n str {
        self.wire_of.get(name).map_or(name, String::as_str)
    }

    /// Wire name to the client's own, for changed names.
    pub(super) fn renamed(&self) -> Vec<(String, String)> {
        self.wire_of.iter().map(|(name, wire)| (wire.clone(), name.clone())).collect()
    }
}

fn legal(name: &str) -> bool {
    name.len() <= LONGEST && legal_letters(name)
}

fn replaced(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
mod tests {
    use super::{Names, legal};
    use gw_core::{ChatRequest, DialectId, Tool};
    use proptest::prelude::*;

    fn plan(names: &[String]) -> Names {
        let mut request = ChatRequest::new(DialectId("x"), "m");
        request.tools = names.iter().map(|name| Tool { name: name.clone(), ..Tool::default() }).collect();
        Names::plan(&request)
    }

    #[test]
    fn colliding_names_stay_apart() {
        let names = plan(&["a/b".into(), "a_b".into(), "a.b".into()]);
        let wires: std::collections::BTreeSet<_> = ["a/b", "a_b", "a.b"].map(|name| names.wire(name).to_owned()).into();
        assert_eq!(wires.len(), 3);
        assert_eq!(names.wire("a_b"), "a_b");
    }

    proptest! {
        #[test]
        fn names_are_legal_and_distinct(names in proptest::collection::btree_set(".{0,200}", 0..8)) {
            let names: Vec<String> = names.into_iter().collect();
            let planned = plan(&names);
            let wires: std::collections::BTreeSet<_> = names.iter().map(|name| planned.wire(name)).collect();
            prop_assert_eq!(wires.len(), names.len());
            prop_assert!(wires.iter().all(|wire| legal(wire)));
            let again = plan(&names);
            prop_assert_eq!(again.renamed(), planned.renamed());
        }
    }
}
