//! Same dialect in and out: the bytes pass, apart from declared splices.

use super::client::Request;
use super::dialect::{Dialect, events};
use super::gateway::{KEY, PROVIDER_KEY, Setup, both};
use super::upstream::{Upstream, json_answer};
use gw_mock::{MockServer, Settings};
use serde_json::json;

/// Text that a parser and a printer would not give back as it was.
const TRICKY: &str = "\"big\": 1e400,  \"int\":12345678901234567890, \"exact\" : 1.10,\r\n\t\"minus\": -0.0, \"text\": \"\\u00e9\\/\\ud83d\\ude00 \\\" \u{e9}\", \"nested\": {\"a\": 1, \"a\": 2, \"deep\": [[], {}, null]} ";

/// An answer that no dialect would print like this.
const ODD_ANSWER: &str = "{ \"id\" : \"x\", \"odd\":1e400,\"odd\": 1.10, \"text\":\"\\u00e9\\/\" }\n";

fn bodies(name: &str) -> [(Dialect, String, String); 3] {
    let openai = format!(
        "{{ \"messages\":[{{\"role\":\"user\",  \"content\":\"hi \\u0041\"}}] ,\n \"model\" : \"{name}\", {TRICKY}}}\n"
    );
    let anthropic = format!(
        "{{\"max_tokens\": 64, \"model\":\"{name}\",\t\"messages\" :[{{\"content\":\"hi \\u0041\",\"role\":\"user\"}}], {TRICKY}}}"
    );
    let gemini = format!("{{ \"contents\" : [ {{\"parts\":[{{\"text\":\"hi \\u0041\"}}]}} ], {TRICKY}}}  ");
    [
        (Dialect::OpenAi, "/v1/chat/completions".to_owned(), openai),
        (Dialect::Anthropic, "/v1/messages".to_owned(), anthropic),
        (Dialect::Gemini, format!("/v1beta/models/{name}:generateContent"), gemini),
    ]
}

#[tokio::test]
async fn requests_reach_the_provider_byte_for_byte_except_the_model_name() {
    let upstream = Upstream::answering(|_| json_answer(200, ODD_ANSWER)).await;
    let gateway = Setup::with(&upstream.url(), "").start().await;
    for dialect in super::dialect::ALL {
        let name = dialect.model();
        let (_, path, body) = bodies(name).into_iter().find(|(found, ..)| *found == dialect).unwrap();
        let answer = gateway.send(Request::post(&path).body(body.clone())).await;
        assert_eq!((answer.status(), answer.text().as_str()), (200, ODD_ANSWER), "{dialect:?}");
        let expected = body.replace(name, name.split_once('/').unwrap().1);
        assert_eq!(upstream.last().body(), expected, "{dialect:?}");
    }
}

#[tokio::test]
async fn requests_are_untouched_when_the_name_needs_no_change() {
    let upstream = Upstream::answering(|_| json_answer(200, ODD_ANSWER)).await;
    let more = "models: [{name: gpt-4o, provider: openai}, {name: claude-sonnet-4-5, provider: anthropic}]\n";
    let gateway = Setup::with(&upstream.url(), more).start().await;
    for (dialect, name) in [(Dialect::OpenAi, "gpt-4o"), (Dialect::Anthropic, "claude-sonnet-4-5")] {
        let (_, path, body) = bodies(name).into_iter().find(|(found, ..)| *found == dialect).unwrap();
        let answer = gateway.send(Request::post(&path).body(body.clone())).await;
        assert_eq!((answer.status(), answer.text().as_str()), (200, ODD_ANSWER), "{dialect:?}");
        assert_eq!(upstream.last().body(), body, "{dialect:?}");
    }
}

#[tokio::test]
async fn answers_come_back_byte_for_byte_whole_and_streamed() {
    let (mock, gateway) = both().await;
    for dialect in [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini] {
        for stream in [false, true] {
            for options in ["", "+bytes=3", "+ping=1"] {
                let upstream = format!("{}{options}", dialect.model().split_once('/').unwrap().1);
                let name = format!("{}/{upstream}", dialect.name());
                let through = gateway.send(dialect.say(&name, stream, "what is said here, éü")).await;
                assert_eq!(through.status(), 200);
                // The mock answers the same request with the same bytes: ask it without the gateway between.
                let direct = dialect.say(&upstream, stream, "what is said here, éü").header("x-api-key", "k");
                let mut connection = super::client::Connection::open(mock.address()).await;
                connection.send(&direct).await;
                let direct = connection.answer().await;
                assert_eq!(through.text(), direct.text(), "{dialect:?} {stream} {options}");
                assert_eq!(through.body, direct.body);
            }
        }
    }
    let array = |model: &str| {
        let body = json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]});
        Request::post(&format!("/v1beta/models/{model}:streamGenerateContent")).json(&body)
    };
    let through = gateway.send(array("gemini/gemini-2.5-flash")).await;
    let meaning = Dialect::Gemini.read(&Dialect::Gemini.fold(&through.text()));
    assert_eq!(meaning.text, "Mock reply to: hello");
    assert!(through.text().starts_with('['));
}

#[tokio::test]
async fn a_repeated_top_level_key_is_refused_and_a_nested_one_passes() {
    let (mock, gateway) = both().await;
    let twice = [
        (
            Dialect::OpenAi,
            "/v1/chat/completions",
            r#"{"model":"openai/gpt-4o","messages":[{"role":"user","content":"a"}],"model":"openai/o3"}"#,
        ),
        (
            Dialect::Anthropic,
            "/v1/messages",
            r#"{"model":"anthropic/claude-sonnet-4-5","max_tokens":9,"messages":[],"messages":[{"role":"user","content":"a"}]}"#,
        ),
        (
            Dialect::Gemini,
            "/v1beta/models/gemini/gemini-2.5-flash:generateContent",
            r#"{"contents":[{"parts":[{"text":"a"}]}],"contents":[]}"#,
        ),
    ];
    for (dialect, path, body) in twice {
        let answer = gateway.send(Request::post(path).body(body)).await;
        let message = dialect.assert_error(&answer, 400);
        let key = if body.contains("\"model\":\"openai/o3\"") {
            "model"
        } else if dialect == Dialect::Gemini {
            "contents"
        } else {
            "messages"
        };
        assert!(message.contains(key), "{message}");
    }
    assert_eq!(mock.service().started(), 0);
}

#[tokio::test]
async fn usage_is_asked_for_on_the_clients_behalf_and_kept_from_it() {
    let (mock, gateway) = both().await;
    for options in ["", "+bytes=5", "+bytes=1"] {
        let name = format!("openai/gpt-4o{options}");
        let body = format!(r#"{{"model":"{name}","messages":[{{"role":"user","content":"hello"}}],"stream":true}}"#);
        let answer = gateway.send(Request::post("/v1/chat/completions").body(body)).await;
        let text = answer.text();
        assert!(Dialect::OpenAi.ended(&text), "{text}");
        assert!(!text.contains("\"usage\":{"), "the client did not ask for it: {text}");
        assert!(events(&text).iter().all(|(_, data)| !data.contains("\"choices\":[]")), "{text}");
        let seen = mock.service().journal().pop().unwrap();
        let sent: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(sent["stream_options"]["include_usage"], true);
        let record = gateway.record(&answer.request_id()).await;
        assert_eq!(record.usage_provenance, gw_store::UsageProvenance::Reported);
        assert!(record.usage.input_total() > 0 && record.usage.output_total() > 0, "{record:?}");
    }
    let asked = gateway.send(Dialect::OpenAi.say("openai/gpt-4o", true, "hello")).await;
    assert!(asked.text().contains("\"usage\":{"), "{}", asked.text());
    let refused = r#"{"model":"openai/gpt-4o","messages":[{"role":"user","content":"hello"}],"stream":true,"stream_options":{"include_usage":false}}"#;
    let answer = gateway.send(Request::post("/v1/chat/completions").body(refused)).await;
    assert!(!answer.text().contains("\"usage\":{"), "{}", answer.text());
    let record = gateway.record(&answer.request_id()).await;
    assert_eq!(record.usage_provenance, gw_store::UsageProvenance::Reported);
}

#[tokio::test]
async fn errors_of_the_same_dialect_come_back_with_the_providers_status() {
    let (_mock, gateway) = both().await;
    for client in super::dialect::ALL {
        for upstream in super::dialect::ALL {
            for status in [400, 404, 413, 429] {
                let model = format!("{}+status={status}", upstream.model());
                let answer = gateway.send(client.say(&model, false, "hello")).await;
                client.assert_error(&answer, status);
                let streamed = gateway.send(client.say(&model, true, "hello")).await;
                client.assert_error(&streamed, status);
            }
        }
    }
}

#[tokio::test]
async fn a_providers_refusal_of_our_key_is_not_the_clients_fault() {
    let settings = Settings { accepted_keys: vec!["sk-another-key-entirely".into()], ..Settings::recording() };
    let upstream = MockServer::start(settings).await.unwrap();
    let gateway = Setup::with(&upstream.url(), "").start().await;
    for dialect in super::dialect::ALL {
        let answer = gateway.send(dialect.say(dialect.model(), false, "hello")).await;
        assert!(answer.status() >= 500, "{}: {}", answer.status(), answer.text());
        dialect.error(&answer.json());
        assert!(!answer.text().contains(PROVIDER_KEY) && !answer.text().contains(KEY));
    }
}
