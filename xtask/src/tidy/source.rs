//! Views of Rust source that let a rule look at code without being fooled by comments, strings or test modules.

/// `text` with the contents of comments, strings and character literals replaced by spaces; line numbers are kept.
pub fn code_only(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut position = 0;
    while let Some(&current) = characters.get(position) {
        let end = literal_or_comment_end(&characters, position);
        if end == position {
            out.push(current);
            position += 1;
        } else {
            blank(&characters, position, end, &mut out);
            position = end;
        }
    }
    out
}

/// Whether each line (in order) belongs to an item under `#[cfg(test)]`. `code` comes from [`code_only`].
pub fn test_lines(code: &str) -> Vec<bool> {
    let mut flags = Vec::new();
    let mut depth = 0usize;
    let mut pending = false; // saw the attribute, the item's body has not begun
    let mut body: Option<usize> = None; // depth outside the body
    for line in code.lines() {
        let starts_here = body.is_none() && is_test_attribute(line);
        pending |= starts_here;
        let mut inside = body.is_some() || pending;
        for character in line.chars() {
            match character {
                '{' => {
                    if pending {
                        pending = false;
                        body = Some(depth);
                    }
                    depth += 1;
                }
                '}' => {
                    depth = depth.saturating_sub(1);
                    if body == Some(depth) {
                        body = None;
                        inside = true;
                    }
                }
                ';' if pending => pending = false,
                _ => {}
            }
        }
        inside |= body.is_some();
        flags.push(inside);
    }
    flags
}

/// Lines of `text` that are neither comments nor strings nor tests, with their number counted from 1.
pub fn production_lines(text: &str) -> Vec<(usize, String)> {
    let code = code_only(text);
    let tests = test_lines(&code);
    code.lines()
        .zip(tests)
        .enumerate()
        .filter(|(_, (_, is_test))| !is_test)
        .map(|(index, (line, _))| (index + 1, line.to_owned()))
        .collect()
}

/// Whether `word` stands in `line` with no identifier character on either side.
pub fn has_word(line: &str, word: &str) -> bool {
    let is_identifier = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|head| head.chars().next_back());
        let after = line.get(start + word.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(is_identifier) && !after.is_some_and(is_identifier)
    })
}

fn is_test_attribute(line: &str) -> bool {
    let compact: String = line.chars().filter(|character| !character.is_whitespace()).collect();
    compact.contains("#[cfg(test)]") || compact.contains("#[cfg(all(test,")
}

fn blank(characters: &[char], start: usize, end: usize, out: &mut String) {
    for character in characters.iter().take(end).skip(start) {
        out.push(if *character == '\n' { '\n' } else { ' ' });
    }
}

/// End of the comment or literal that begins at `start`, or `start` when none does.
fn literal_or_comment_end(characters: &[char], start: usize) -> usize {
    let at = |offset: usize| characters.get(start + offset).copied().unwrap_or('\0');
    match at(0) {
        '/' if at(1) == '/' => find(characters, start, |position| characters.get(position) == Some(&'\n')),
        '/' if at(1) == '*' => block_comment_end(characters, start),
        '"' => string_end(characters, start),
        'r' | 'b' if !follows_identifier(characters, start) => raw_string_end(characters, start),
        '\'' => character_end(characters, start),
        _ => start,
    }
}

fn follows_identifier(characters: &[char], start: usize) -> bool {
    let before = start.checked_sub(1).and_then(|position| characters.get(position));
    before.is_some_and(|character| character.is_alphanumeric() || *character == '_')
}

fn find(characters: &[char], start: usize, is_end: impl Fn(usize) -> bool) -> usize {
    (start..characters.len()).find(|position| is_end(*position)).unwrap_or(characters.len())
}

fn block_comment_end(characters: &[char], start: usize) -> usize {
    let mut depth = 0usize;
    let mut position = start;
    while position < characters.len() {
        match (characters.get(position), characters.get(position + 1)) {
            (Some('/'), Some('*')) => {
                depth += 1;
                position += 2;
            }
            (Some('*'), Some('/')) => {
                depth -= 1;
                position += 2;
                if depth == 0 {
                    return position;
                }
            }
            _ => position += 1,
        }
    }
    characters.len()
}

fn string_end(characters: &[char], start: usize) -> usize {
    let mut position = start + 1;
    while let Some(character) = characters.get(position) {
        match character {
            '\\' => position += 2,
            '"' => return position + 1,
            _ => position += 1,
        }
    }
    characters.len()
}

/// Handles `r"…"`, `r#"…"#`, `br#"…"#` and `b"…"`; anything else begins no literal.
fn raw_string_end(characters: &[char], start: usize) -> usize {
    let mut position = start;
    if characters.get(position) == Some(&'b') {
        position += 1;
        if characters.get(position) == Some(&'"') {
            return string_end(characters, position);
        }
    }
    if characters.get(position) != Some(&'r') {
        return start;
    }
    position += 1;
    let hashes = characters.iter().skip(position).take_while(|character| **character == '#').count();
    if characters.get(position + hashes) != Some(&'"') {
        return start;
    }
    let body = position + hashes + 1;
    let closes = |quote: usize| {
        characters.get(quote) == Some(&'"')
            && characters.iter().skip(quote + 1).take(hashes).filter(|character| **character == '#').count() == hashes
    };
    (find(characters, body, closes) + 1 + hashes).min(characters.len())
}

/// A character literal, told from a lifetime by its closing quote.
fn character_end(characters: &[char], start: usize) -> usize {
    match (characters.get(start + 1), characters.get(start + 2)) {
        (Some('\\'), _) => {
            (find(characters, start + 3, |position| characters.get(position) == Some(&'\'')) + 1).min(characters.len())
        }
        (Some(_), Some('\'')) => start + 3,
        _ => start,
    }
}

#[cfg(test)]
mod tests {
    use super::{code_only, has_word, production_lines, test_lines};

    #[test]
    fn comments_and_literals_become_spaces() {
        let cases = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"x("b\"c") y"#, "x(      ) y"),
            (r###"r#"a"b"# z"###, "         z"),
            ("b\"t\" 'x' '\\'' 'life", "              'life"),
            ("number r: r", "number r: r"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
        ];
        for (text, expected) in cases {
            assert_eq!(code_only(text), expected, "{text}");
        }
    }

    #[test]
    fn an_unfinished_literal_ends_with_the_text() {
        for text in ["\"abc", "/* abc", "r#\"abc\"", "'\\", "b\"x\\"] {
            assert_eq!(code_only(text).trim(), "", "{text}");
        }
    }

    #[test]
    fn test_modules_are_found_by_their_braces() {
        let code =
            "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() { {} }\n}\nfn c() {}\n#[cfg(test)]\nmod more;\nfn d() {}\n";
        assert_eq!(test_lines(code), [false, true, true, true, true, false, true, true, false]);
        let numbers: Vec<usize> = production_lines(code).iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 6, 9]);
    }

    #[test]
    fn a_word_has_borders() {
        assert!(has_word("use tokio::net;", "tokio"));
        assert!(!has_word("use tokio_util::io;", "tokio"));
        assert!(!has_word("let mytokio = 1;", "tokio"));
    }
}
