//! Rules about documents whose form other people and programs rely on.

use std::collections::BTreeMap;

use super::{File, Violation, Workspace};

const ACCEPTANCE: &str = "docs/acceptance.md";
const STATES: &[&str] = &["works", "partial", "not yet"];
const ADR_STATES: &[&str] = &["Accepted", "Proposed", "Superseded"];

/// Every row of the acceptance record is `| number | state | proof |`, with each number once.
pub fn acceptance(workspace: &Workspace) -> Vec<Violation> {
    let Some(file) = workspace.files.iter().find(|file| file.path == ACCEPTANCE) else { return Vec::new() };
    let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (index, line) in file.text.lines().enumerate().filter(|(_, line)| is_table_row(line)) {
        let mut complain = |message: String| {
            found.push(Violation { path: file.path.clone(), line: index + 1, rule: "acceptance", message });
        };
        match parse_row(line) {
            Err(message) => complain(message),
            Ok(number) => {
                if let Some(first) = seen.insert(number, index + 1) {
                    complain(format!("row {number} stands on line {first} already"));
                }
            }
        }
    }
    found
}

/// Decision records are numbered without gaps, and each says its number, its status and its date.
pub fn adr(workspace: &Workspace) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut numbers: Vec<(u32, &File)> = Vec::new();
    for file in &workspace.files {
        let Some(name) = file.path.strip_prefix("docs/adr/").filter(|name| *name != "README.md") else { continue };
        match adr_number(name) {
            None => found.push(whole_file(file, "adr", "name it NNNN-title.md".to_owned())),
            Some(number) => {
                numbers.push((number, file));
                found.extend(adr_head(file, number).map(|message| whole_file(file, "adr", message)));
            }
        }
    }
    numbers.sort_by_key(|(number, _)| *number);
    for ((number, file), expected) in numbers.iter().zip(1..) {
        if *number != expected {
            found.push(whole_file(
                file,
                "adr",
                format!("numbers leave no gap and repeat none: expected {expected:04}"),
            ));
            break;
        }
    }
    found
}

fn is_table_row(line: &str) -> bool {
    let is_separator = line.chars().all(|character| matches!(character, '|' | '-' | ':' | ' '));
    let first = line.split('|').nth(1).map(str::trim).unwrap_or_default();
    line.starts_with('|') && !is_separator && first != "number" && first != "#"
}

fn parse_row(line: &str) -> Result<u32, String> {
    let cells: Vec<&str> = line.trim_end().split('|').map(str::trim).collect();
    let ["", number, state, proof, ""] = cells.as_slice() else {
        return Err("a row is `| number | state | proof |`".to_owned());
    };
    let number: u32 = number.parse().map_err(|_| format!("`{number}` is not a row number"))?;
    if !matches!(number, 1..=240 | 301..=330) {
        return Err(format!("row {number} does not exist: 1 to 240 and 301 to 330 do"));
    }
    if !STATES.contains(state) {
        return Err(format!("`{state}` is not a state: write one of {}", STATES.join(", ")));
    }
    if proof.is_empty() && *state != "not yet" {
        return Err(format!("row {number} is `{state}` without a proof: name the test"));
    }
    Ok(number)
}

fn adr_number(name: &str) -> Option<u32> {
    let (number, title) = name.strip_suffix(".md")?.split_once('-')?;
    let is_title = !title.is_empty() && !title.contains('/');
    (number.len() == 4 && is_title).then(|| number.parse().ok()).flatten()
}

fn adr_head(file: &File, number: u32) -> Option<String> {
    let title = format!("# {number:04}. ");
    if !file.text.starts_with(&title) {
        return Some(format!("begin with the title `{title}...`"));
    }
    let status = file.text.lines().find_map(|line| line.strip_prefix("Status: "));
    let is_known = status.is_some_and(|status| ADR_STATES.iter().any(|known| status.starts_with(known)));
    (!is_known).then(|| format!("say `Status: ` and one of {}", ADR_STATES.join(", ")))
}

fn whole_file(file: &File, rule: &'static str, message: String) -> Violation {
    Violation { path: file.path.clone(), line: 0, rule, message }
}

#[cfg(test)]
mod tests {
    use super::{acceptance, adr};
    use crate::tidy::Workspace;

    #[test]
    fn rows_are_well_formed() {
        let good =
            "# Rows\n\n| number | state | proof |\n|---|---|---|\n| 1 | works | tests/a.rs: b |\n| 330 | not yet | |\n";
        assert!(acceptance(&Workspace::of(&[("docs/acceptance.md", good)])).is_empty());
        assert!(acceptance(&Workspace::of(&[])).is_empty(), "the record may not exist yet");
        let bad = [
            "| x | works | p |",
            "| 0 | works | p |",
            "| 241 | works | p |",
            "| 331 | works | p |",
            "| 1 | done | p |",
            "| 1 | works | |",
            "| 1 | works |",
            "| 1 | works | p | q |",
            "| 1 | works | p |\n| 1 | works | p |",
        ];
        for text in bad {
            assert_eq!(acceptance(&Workspace::of(&[("docs/acceptance.md", text)])).len(), 1, "{text}");
        }
    }

    #[test]
    fn records_are_numbered() {
        let first = ("docs/adr/0001-a.md", "# 0001. A\n\nStatus: Accepted, 2026-11-20\n");
        let second = ("docs/adr/0002-b.md", "# 0002. B\n\nStatus: Proposed, 2026-11-20\n");
        assert!(adr(&Workspace::of(&[second, first, ("docs/adr/README.md", "x")])).is_empty());
        let bad: &[&[(&str, &str)]] = &[
            &[first, ("docs/adr/0003-c.md", "# 0003. C\n\nStatus: Accepted\n")],
            &[first, ("docs/adr/0001-c.md", "# 0001. C\n\nStatus: Accepted\n")],
            &[("docs/adr/1-c.md", "# 1. C\n\nStatus: Accepted\n")],
            &[("docs/adr/0001-c.md", "# C\n\nStatus: Accepted\n")],
            &[("docs/adr/0001-c.md", "# 0001. C\n\nStatus: maybe\n")],
        ];
        for files in bad {
            assert_eq!(adr(&Workspace::of(files)).len(), 1, "{files:?}");
        }
    }
}
