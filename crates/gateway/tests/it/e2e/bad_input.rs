//! Everything a client can get wrong: a 4xx in its dialect that names the fault, and a gateway that goes on.

use serde_json::{Value, json};

use super::client::Request;
use super::dialect::{ALL, Ask, Dialect};
use super::gateway::{Gateway, KEY, PROVIDER_KEY, both, both_with};

/// What makes a good body a bad one.
type Edit = fn(&mut Value);

/// A body to a provider of the same and of another dialect: neither reaches a provider, both are 400 and name `part`.
async fn refused(gateway: &Gateway, client: Dialect, model: &str, body: impl Into<Vec<u8>>, part: &str) {
    let body = body.into();
    let request = Request::post(&client.path(model, false)).body(body.clone());
    let answer = gateway.send(request).await;
    let shown =
        format!("{client:?} to {model}: {}\n{}", String::from_utf8_lossy(&body[..body.len().min(300)]), answer.text());
    assert_eq!(answer.status(), 400, "{shown}");
    let message = client.assert_error(&answer, 400);
    let param = answer.json()["error"]["param"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains(part) || param.contains(part), "{part:?} is not named: {shown}");
    assert!(!answer.text().contains(PROVIDER_KEY) && !answer.text().contains(KEY), "{shown}");
    assert!(answer.text().len() < 2_000, "{shown}");
}

fn edited(dialect: Dialect, model: &str, edit: impl Fn(&mut Value)) -> String {
    let mut body = dialect.body(model, false, &Ask { prompt: "hello".into(), ..Ask::default() });
    edit(&mut body);
    body.to_string()
}

#[tokio::test]
async fn bodies_that_are_not_json_are_refused_in_every_dialect() {
    let (mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let model = upstream.model();
            let deep = format!("{{\"model\":\"{model}\",\"messages\":{}1{}}}", "[".repeat(500), "]".repeat(500));
            for body in [
                "",
                "{",
                "nonsense",
                "[]",
                "\"text\"",
                "null",
                "{\"model\":",
                "{\"a\":1}}",
                "{'a':1}",
                "\u{feff}{}x",
                "{\"a\":01}",
                "{\"a\":NaN}",
                "{\"a\":1,}",
            ] {
                let part = if body == "[]" || body == "\"text\"" || body == "null" { "object" } else { "JSON" };
                refused(&gateway, client, model, body, part).await;
            }
            refused(&gateway, client, model, deep, "deep").await;
            let mut broken = edited(client, model, |_| {}).into_bytes();
            let at = broken.windows(5).position(|window| window == b"hello").unwrap();
            broken[at] = 0xff;
            refused(&gateway, client, model, broken, "UTF-8").await;
            refused(&gateway, client, model, b"\xff\xfe{\0}\0".to_vec(), "UTF-8").await;
        }
    }
    assert_eq!(mock.service().started(), 0);
}

#[tokio::test]
async fn wrong_types_of_what_every_request_has_are_named() {
    let (mock, gateway) = both().await;
    for upstream in ALL {
        let model = upstream.model();
        for client in [Dialect::OpenAi, Dialect::Anthropic] {
            refused(&gateway, client, model, edited(client, model, |body| body["model"] = json!(7)), "model").await;
            refused(&gateway, client, model, edited(client, model, |body| body["model"] = json!({"a": 1})), "model")
                .await;
            refused(&gateway, client, model, edited(client, model, |body| body["stream"] = json!("yes")), "stream")
                .await;
        }
    }
    assert_eq!(mock.service().started(), 0);
}

#[tokio::test]
async fn wrong_fields_are_named_when_they_are_translated() {
    let (mock, gateway) = both().await;
    let openai: &[(&str, Edit)] = &[
        ("messages", |body| body["messages"] = json!([])),
        ("messages", |body| body["messages"] = json!("hello")),
        ("messages", |body| {
            body.as_object_mut().unwrap().remove("messages");
        }),
        ("messages[0].role", |body| body["messages"][0]["role"] = json!("wizard")),
        ("messages[0].role", |body| body["messages"] = json!([{"content": "x"}])),
        ("messages[0].content", |body| body["messages"][0]["content"] = json!(7)),
        ("content/1", |body| {
            body["messages"][0]["content"] = json!([{"type": "text", "text": "x"}, {"type": "hologram"}])
        }),
        ("messages[1].tool_call_id", |body| {
            body["messages"] = json!([{"role": "user", "content": "x"}, {"role": "tool", "content": "y"}])
        }),
        ("temperature", |body| body["temperature"] = json!("hot")),
        ("max_tokens", |body| body["max_tokens"] = json!(-1)),
        ("tools[0]", |body| body["tools"] = json!([{"type": "function"}])),
        ("image_url", |body| {
            body["messages"][0]["content"] =
                json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,***"}}])
        }),
    ];
    let anthropic: &[(&str, Edit)] = &[
        ("messages", |body| body["messages"] = json!([])),
        ("messages", |body| {
            body.as_object_mut().unwrap().remove("messages");
        }),
        ("max_tokens", |body| {
            body.as_object_mut().unwrap().remove("max_tokens");
        }),
        ("max_tokens", |body| body["max_tokens"] = json!("many")),
        ("messages[0].role", |body| body["messages"][0]["role"] = json!("wizard")),
        ("messages[0].content", |body| body["messages"][0]["content"] = json!(7)),
        ("messages", |body| {
            body["messages"][0]["content"] = json!([{"type": "text", "text": "x"}, {"type": "hologram"}])
        }),
        ("temperature", |body| body["temperature"] = json!("hot")),
        ("tools[0]", |body| body["tools"] = json!([{"description": "d"}])),
        ("source", |body| {
            body["messages"][0]["content"] =
                json!([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "***"}}])
        }),
    ];
    let gemini: &[(&str, Edit)] = &[
        ("contents", |body| body["contents"] = json!([])),
        ("contents", |body| {
            body.as_object_mut().unwrap().remove("contents");
        }),
        ("contents[0].role", |body| body["contents"][0]["role"] = json!("wizard")),
        ("contents[0].parts", |body| body["contents"][0]["parts"] = json!(7)),
        ("temperature", |body| body["generationConfig"] = json!({"temperature": "hot"})),
        ("maxOutputTokens", |body| body["generationConfig"] = json!({"maxOutputTokens": -5})),
        ("data", |body| {
            body["contents"][0]["parts"] = json!([{"inlineData": {"mimeType": "image/png", "data": "***"}}])
        }),
    ];
    for (client, cases) in [(Dialect::OpenAi, openai), (Dialect::Anthropic, anthropic), (Dialect::Gemini, gemini)] {
        for upstream in ALL.into_iter().filter(|upstream| *upstream != client) {
            let model = upstream.model();
            for (field, edit) in cases {
                refused(&gateway, client, model, edited(client, model, edit), field).await;
            }
        }
    }
    assert_eq!(mock.service().started(), 0);
}

#[tokio::test]
async fn wrong_fields_are_400_on_the_relay_path_too() {
    let (_mock, gateway) = both().await;
    let cases: &[(Dialect, Edit)] = &[
        (Dialect::OpenAi, |body| body["messages"] = json!([])),
        (Dialect::OpenAi, |body| body["messages"][0]["role"] = json!("wizard")),
        (Dialect::OpenAi, |body| body["messages"] = json!("x")),
        (Dialect::Anthropic, |body| body["messages"] = json!([])),
        (Dialect::Anthropic, |body| body["messages"][0]["role"] = json!("wizard")),
        (Dialect::Anthropic, |body| {
            body.as_object_mut().unwrap().remove("max_tokens");
        }),
        (Dialect::Gemini, |body| body["contents"] = json!([])),
        (Dialect::Gemini, |body| body["contents"][0]["role"] = json!("wizard")),
    ];
    for (client, edit) in cases {
        for stream in [false, true] {
            let body = edited(*client, client.model(), edit);
            let mut body: Value = serde_json::from_str(&body).unwrap();
            if stream && *client != Dialect::Gemini {
                body["stream"] = json!(true);
            }
            let answer = gateway.send(client.post(client.model(), stream, &body)).await;
            client.assert_error(&answer, 400);
        }
    }
}

#[tokio::test]
async fn bodies_over_the_limit_are_413_announced_or_not() {
    let (mock, gateway) = both_with("server: {body_limit: 10KB}").await;
    for client in ALL {
        let body = edited(client, client.model(), |body| body["metadata"] = json!({"pad": "x".repeat(40_000)}));
        let announced = gateway.send(Request::post(&client.path(client.model(), false)).body(body.clone())).await;
        let message = client.assert_error(&announced, 413);
        assert!(message.contains("10240") || message.contains("10000") || message.contains("10 KB"), "{message}");

        let mut connection = gateway.connect().await;
        let head = Request::post(&client.path(client.model(), false)).key(KEY).header("transfer-encoding", "chunked");
        connection.send(&head.header("content-type", "application/json")).await;
        for piece in body.as_bytes().chunks(4_000) {
            connection.write(format!("{:x}\r\n", piece.len()).as_bytes()).await;
            connection.write(piece).await;
            connection.write(b"\r\n").await;
        }
        connection.write(b"0\r\n\r\n").await;
        client.assert_error(&connection.answer().await, 413);
    }
    assert_eq!(mock.service().started(), 0);
    let small = gateway.send(Dialect::OpenAi.say(Dialect::OpenAi.model(), false, "hello")).await;
    assert_eq!(small.status(), 200);
}

#[tokio::test]
async fn a_body_is_not_read_for_a_stranger() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        let mut connection = gateway.connect().await;
        let request = Request::post(&client.path(client.model(), false)).header("content-length", "9000000");
        connection.send(&request.header("x-api-key", "wrong").header("content-type", "application/json")).await;
        let head = connection.head().await;
        assert_eq!(head.status, 401);
    }
}

#[tokio::test]
async fn clients_that_dawdle_are_let_go() {
    let (mock, gateway) = both_with("limits: {header_timeout_seconds: 300ms, body_timeout_seconds: 300ms}").await;
    let mut silent = gateway.connect().await;
    silent.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    let mut bodiless = gateway.connect().await;
    let request = Request::post("/v1/chat/completions").key(KEY).header("content-length", "100");
    bodiless.send(&request.header("content-type", "application/json")).await;
    bodiless.write(b"{\"model\":").await;
    let answer = bodiless.answer().await;
    assert!(matches!(answer.status(), 400 | 408), "{}", answer.text());
    Dialect::OpenAi.error(&answer.json());
    // Either a 408 or just the end: what matters is that the connection does not stay.
    silent.closed().await;
    assert_eq!(mock.service().started(), 0);
}

#[tokio::test]
async fn bytes_that_are_not_http_do_no_harm() {
    let (_mock, mut gateway) = both().await;
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(200_000));
    let headers = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(50_000));
    let bad: [&[u8]; 9] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZZ\r\n",
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        long.as_bytes(),
        headers.as_bytes(),
    ];
    for bytes in bad {
        let mut connection = gateway.connect().await;
        connection.write(bytes).await;
        if let Some(head) = connection.try_head().await {
            assert!((400..500).contains(&head.status), "{}", head.status);
        }
    }
    assert!(gateway.alive());
    assert_eq!(gateway.send(Dialect::OpenAi.say(Dialect::OpenAi.model(), false, "hello")).await.status(), 200);
}

#[tokio::test]
async fn odd_paths_and_headers_do_no_harm() {
    let (_mock, mut gateway) = both().await;
    for path in [
        "/v1beta/models/:generateContent",
        "/v1beta/models/%:generateContent",
        "/v1beta/models/%ff%fe:generateContent",
        "/v1beta/models/..%2f..%2fetc:generateContent",
        "//v1//chat/completions",
        "/v1/chat/completions/%00",
        "/v1/models/%",
        "/openai",
        "/gemini/",
        "/anthropic//",
        "/v1/chat/completions?key=%zz",
        "/%",
        "/?",
        "/v1/",
    ] {
        for method in ["GET", "POST", "PATCH", "OPTIONS", "TRACE"] {
            let answer = gateway.send(Request::new(method, path).body("{}")).await;
            assert!((200..500).contains(&answer.status()), "{method} {path}: {} {}", answer.status(), answer.text());
        }
    }
    for (name, value) in [
        ("x-request-id", "a b"),
        ("x-request-id", "\"><script>"),
        ("content-type", "text/plain"),
        ("content-encoding", "gzip"),
        ("x-irongate-mode", "wild"),
        ("authorization", "Bearer"),
        ("authorization", "\u{e9}"),
        ("expect", "nonsense"),
    ] {
        let request =
            Dialect::Gemini.say(Dialect::OpenAi.model(), false, "hello").header("x-api-key", KEY).header(name, value);
        let answer = gateway.send(request).await;
        assert!((200..500).contains(&answer.status()), "{name}: {value}: {}", answer.text());
        assert!(!answer.request_id().contains(['"', ' ', '<']), "{}", answer.request_id());
    }
    let compressed = Dialect::OpenAi.say(Dialect::OpenAi.model(), false, "hello").header("content-encoding", "gzip");
    let answer = gateway.send(compressed).await;
    assert!(matches!(answer.status(), 400 | 415), "{}", answer.text());
    assert!(gateway.alive());
    assert!(!gateway.output().contains("panicked"), "{}", gateway.output());
}

#[tokio::test]
async fn expect_continue_is_answered() {
    let (_mock, gateway) = both().await;
    let body = edited(Dialect::OpenAi, Dialect::OpenAi.model(), |_| {});
    let mut connection = gateway.connect().await;
    let request = Request::post("/v1/chat/completions").key(KEY).header("expect", "100-continue");
    connection
        .send(&request.header("content-type", "application/json").header("content-length", &body.len().to_string()))
        .await;
    assert_eq!(connection.head().await.status, 100);
    connection.write(body.as_bytes()).await;
    connection.answer().await.ok();
}

#[tokio::test]
async fn browsers_are_served_only_where_the_operator_says_so() {
    let (_mock, closed) = both().await;
    let preflight = || {
        Request::new("OPTIONS", "/v1/chat/completions")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,x-stainless-os")
    };
    assert_eq!(closed.send_bare(preflight()).await.header("access-control-allow-origin"), None);
    let cors = "server: {cors: {origins: ['https://app.example'], credentials: true}}";
    let (_mock, open) = both_with(cors).await;
    let answer = open.send_bare(preflight()).await;
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
    assert!(answer.header("access-control-allow-headers").unwrap().contains("x-stainless-os"));
    let real = open
        .send(Dialect::OpenAi.say(Dialect::OpenAi.model(), true, "hello").header("origin", "https://app.example"))
        .await;
    assert_eq!((real.status(), real.header("access-control-allow-origin")), (200, Some("https://app.example")));
    let failed = open.send_bare(Dialect::OpenAi.say("x", true, "hello").header("origin", "https://app.example")).await;
    assert_eq!((failed.status(), failed.header("access-control-allow-origin")), (401, Some("https://app.example")));
    let stranger = open
        .send(Dialect::OpenAi.say(Dialect::OpenAi.model(), false, "hello").header("origin", "https://evil.example"))
        .await;
    assert_eq!(stranger.header("access-control-allow-origin"), None);
}
