//! The last net against secrets in text: masks what looks like a credential.
//!
//! Credentials are typed so that they cannot be printed; this catches those that arrive inside foreign text, such as a
//! provider that repeats a key in its error message. It errs towards masking too much.

use std::borrow::Cow;

const MASK: &str = "[redacted]";

/// Beginnings of keys, and how many characters must follow for the word to count as one.
const KEY_PREFIXES: [(&str, usize); 14] = [
    ("sk-", 8),
    ("pk-", 16),
    ("ig-", 16),
    ("gm_", 16),
    ("gw-", 16),
    ("AIza", 12),
    ("gsk_", 8),
    ("xai-", 8),
    ("pplx-", 8),
    ("hf_", 16),
    ("r8_", 16),
    ("AKIA", 12),
    ("ya29.", 8),
    ("eyJ", 24),
];

/// Words before a value that is a credential, compared without case.
const SCHEMES: [&str; 2] = ["bearer", "basic"];

/// Last parts of names whose value is a credential, compared without case.
const SECRET_NAMES: [&str; 9] =
    ["key", "apikey", "token", "secret", "password", "passwd", "authorization", "credential", "cookie"];

/// Replaces what looks like a credential by `[redacted]`: keys by their known beginnings, values after `Bearer` and
/// `Basic`, values of names such as `key`, `api_key` or `password` in query strings, headers and JSON, and user names
/// with passwords in addresses. Text without any is returned as it is, unallocated.
#[must_use]
pub fn scrub(text: &str) -> Cow<'_, str> {
    let mut clean: Option<String> = None;
    let mut copied = 0;
    let mut position = 0;
    while let Some(word) = next_word(text, position) {
        position = word.end;
        if let Some((start, end)) = secret_at(text, word) {
            let out = clean.get_or_insert_with(|| String::with_capacity(text.len()));
            out.push_str(text.get(copied..start).unwrap_or(""));
            out.push_str(MASK);
            copied = end;
            position = end;
        }
    }
    match clean {
        None => Cow::Borrowed(text),
        Some(mut out) => {
            out.push_str(text.get(copied..).unwrap_or(""));
            Cow::Owned(out)
        }
    }
}

#[derive(Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// What a credential may consist of, after its name or scheme.
fn is_value(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | b'&' | b'<' | b'>' | b'(' | b')' | b'{' | b'}' | b']')
}

fn run(text: &str, start: usize, accepted: fn(u8) -> bool) -> usize {
    text.as_bytes().iter().skip(start).take_while(|byte| accepted(**byte)).count() + start
}

fn next_word(text: &str, from: usize) -> Option<Word> {
    let start = text.as_bytes().iter().skip(from).position(|byte| is_word(*byte))? + from;
    Some(Word { start, end: run(text, start, is_word) })
}

/// The range of the credential that this word is or announces.
fn secret_at(text: &str, word: Word) -> Option<(usize, usize)> {
    let found = text.get(word.start..word.end)?;
    for (prefix, least) in KEY_PREFIXES {
        // A provider that repeats a key puts stars into it, so the masked part is taken along.
        if let Some(rest) = found.strip_prefix(prefix) {
            let end = run(text, word.end, |byte| byte == b'*' || is_word(byte));
            if rest.len() >= least || end > word.end {
                return Some((word.start + prefix.len(), end));
            }
        }
    }
    if SCHEMES.iter().any(|scheme| found.eq_ignore_ascii_case(scheme)) {
        let start = run(text, word.end, |byte| byte == b' ');
        let end = run(text, start, is_value);
        return (start > word.end && end >= start + 8).then_some((start, end));
    }
    if found.eq_ignore_ascii_case("provided") {
        return labelled(text, word.end, 8);
    }
    if let Some(end) = user_info(text, word) {
        return Some((word.start, end));
    }
    if names_a_secret(found) {
        return labelled(text, word.end, if found.eq_ignore_ascii_case("key") { 16 } else { 6 });
    }
    None
}

fn names_a_secret(name: &str) -> bool {
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or(name);
    // Camel case, as in `apiKey`, has its last part at an upper-case letter.
    let camel = last.rfind(|c: char| c.is_ascii_uppercase()).and_then(|at| last.get(at..)).unwrap_or(last);
    SECRET_NAMES.iter().any(|secret| last.eq_ignore_ascii_case(secret) || camel.eq_ignore_ascii_case(secret))
}

/// The value after `=`, or after `:` when it is quoted or long enough to be no ordinary word.
fn labelled(text: &str, name_end: usize, least: usize) -> Option<(usize, usize)> {
    let byte = |at: usize| text.as_bytes().get(at).copied();
    // `\"` is a quote inside of quoted JSON.
    let quote = |at: usize| run(text, at, |byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\'));
    let separator = run(text, quote(name_end), |byte| byte == b' ');
    let (least, start) = match byte(separator)? {
        b'=' => (1, separator + 1),
        b':' => (least, run(text, separator + 1, |byte| byte == b' ')),
        _ => return None,
    };
    let value = quote(start);
    let scheme_end = run(text, value, |byte| byte.is_ascii_alphabetic());
    if SCHEMES.iter().any(|scheme| text.get(value..scheme_end).is_some_and(|word| word.eq_ignore_ascii_case(scheme))) {
        // The scheme itself is the next word and takes its value.
        return None;
    }
    let quoted = value > start;
    let end = if quoted {
        run(text, value, |byte| !matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b'\n'))
    } else {
        run(text, value, is_value)
    };
    (end > value && (quoted || end - value >= least)).then_some((value, end))
}

/// The end of `user:password` in `https://user:password@host`.
fn user_info(text: &str, word: Word) -> Option<usize> {
    if !text.get(..word.start)?.ends_with("://") {
        return None;
    }
    let authority = run(text, word.start, |byte| is_value(byte) && !matches!(byte, b'/' | b'?' | b'#'));
    text.get(word.start..authority)?.rfind('@').map(|at| word.start + at)
}

#[cfg(test)]
mod tests;
