//! No input makes loading panic, and every refusal says where and what to do.

use proptest::prelude::*;

use crate::support::Case;

/// Text that is often almost a configuration.
fn nearly_yaml() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "providers",
        "models",
        "name",
        "provider",
        "openai",
        "server",
        "port",
        "listen",
        "keys",
        "key",
        "aliases",
        "gemini",
        "options",
        "headers",
        "type",
        "mock",
        "timeout",
        "5m",
        "70000",
        "true",
        "null",
        "~",
        "&a",
        "*a",
        "<<",
        "${A}",
        "${A:-b}",
        "${file:x}",
        "${",
        "!!int",
        "'",
        "\"",
        "|",
        ">",
        "1e999",
        ".nan",
        "é",
        "\u{0}",
        "defaults",
        "cors",
        "x-y",
    ]);
    let mark = prop::sample::select(vec![
        ": ", ":", "\n", "\n  ", "\n    ", "- ", ", ", "{", "}", "[", "]", " ", "#", "\t", "---\n",
    ]);
    prop::collection::vec((word, mark), 0..40)
        .prop_map(|parts| parts.into_iter().map(|(word, mark)| format!("{word}{mark}")).collect())
}

fn complaints_are_complete(case: Case) {
    if let Err(errors) = case.load() {
        assert!(!errors.0.is_empty());
        for error in errors.0 {
            assert!(!error.message.is_empty() && !error.remedy.is_empty(), "{error:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        complaints_are_complete(Case::yaml(bytes));
    }

    #[test]
    fn anything_like_yaml_is_read_or_refused(text in nearly_yaml()) {
        complaints_are_complete(Case::yaml(text).env("A", "1"));
    }

    #[test]
    fn any_dotenv_is_read_or_refused(text in "([A-Z]{1,3}|export |[=#'\"\\\\\n\r \t$]|é){0,40}") {
        complaints_are_complete(Case::empty().dotenv(&text));
    }

    #[test]
    fn quoted_dotenv_values_come_back(value in "[ -~\n\t]{0,40}") {
        let quoted: String = value.chars().flat_map(|c| match c { '"' | '\\' | '$' => vec!['\\', c], _ => vec![c] }).collect();
        let case = Case::yaml("admin: {username: 'x${A}'}").dotenv(&format!("A=\"{quoted}\"\n"));
        prop_assert_eq!(case.ok().config.admin.username, format!("x{value}"));
    }
}

#[test]
fn deep_and_self_referring_documents_are_refused() {
    for text in [
        "a: ".to_owned() + &"{a: ".repeat(5000),
        "- ".repeat(5000),
        "{".repeat(5000),
        "? ".repeat(5000),
        "a: &a [*a]".to_owned(),
        bomb(),
    ] {
        assert!(Case::yaml(text).load().is_err());
    }
}

/// Nine levels of ten references each.
fn bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let before = level - 1;
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 10].join(", ")));
    }
    text
}
