#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::borrow::Cow;

use super::scrub;

#[test]
fn masks_keys_by_their_beginning() {
    for (text, expected) in [
        ("Incorrect API key provided: sk-proj-abcdefgh12345678.", "Incorrect API key provided: [redacted]"),
        ("sk-ant-api03-abcdefghijkl", "sk-[redacted]"),
        ("got sk-abc*****************wxyz from you", "got sk-[redacted] from you"),
        ("ig-0123456789abcdefghijABCDEFGHIJ", "ig-[redacted]"),
        ("key is AIzaSyA1234567890abcdefg, sorry", "key is AIza[redacted], sorry"),
        ("(gsk_abcdefgh1234)", "(gsk_[redacted])"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "jwt eyJ[redacted]"),
    ] {
        assert_eq!(scrub(text), expected, "{text}");
    }
}

#[test]
fn masks_values_by_their_name() {
    for (text, expected) in [
        ("Authorization: Bearer abcdefgh1234", "Authorization: Bearer [redacted]"),
        ("authorization: basic dXNlcjpwYXNz==", "authorization: basic [redacted]"),
        ("https://h/v1beta/models?key=secret&alt=sse", "https://h/v1beta/models?key=[redacted]&alt=sse"),
        ("GET /x?a=1&api_key=s3cr3t HTTP/1.1", "GET /x?a=1&api_key=[redacted] HTTP/1.1"),
        ("x-api-key: topsecretvalue", "x-api-key: [redacted]"),
        ("x-goog-api-key:topsecretvalue", "x-goog-api-key:[redacted]"),
        (r#"{"password":"hunter2","user":"a"}"#, r#"{"password":"[redacted]","user":"a"}"#),
        (r#"{"apiKey": "abc def"}"#, r#"{"apiKey": "[redacted]"}"#),
        (r#"{\"client_secret\":\"abc\"}"#, r#"{\"client_secret\":\"[redacted]\"}"#),
        ("session_secret = abc", "session_secret = abc"),
        ("session_secret=abc", "session_secret=[redacted]"),
        ("proxy http://user:pass@host:3128/ refused", "proxy http://[redacted]@host:3128/ refused"),
    ] {
        assert_eq!(scrub(text), expected, "{text}");
    }
}

#[test]
fn leaves_ordinary_text_alone_without_copying() {
    for text in [
        "",
        "the provider answered 500 in 12 ms",
        "model claude-sonnet-4-5 at https://api.example.com/v1/messages is overloaded",
        "request req-1732086000-0a1b2c3d4e5f",
        "max_tokens: 4096 and key: missing",
        "key_4fQabcdefghij123 rotated",
        "Bearer token is missing",
        "risk-averse and task-based words, sk-8",
        "Grüße, 你好 🙂",
        "https://host/a@b",
    ] {
        assert!(matches!(scrub(text), Cow::Borrowed(same) if same == text), "{text}: {}", scrub(text));
    }
}

#[test]
fn cuts_nowhere_inside_a_character() {
    for text in
        ["sk-äöü12345678", "key=ü", "Bearer ünïcödé123456", "password=\"日本語日本語\"", "://日本@", "=:\"key=\\"]
    {
        for (end, _) in text.char_indices() {
            let _ = scrub(&text[..end]).len();
        }
        assert!(!scrub(text).is_empty());
    }
}
