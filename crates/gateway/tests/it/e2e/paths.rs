//! Every way in: paths, prefixes, places of the key, built-in endpoints, wrong paths and methods.

use serde_json::json;

use super::client::Request;
use super::dialect::{ALL, Ask, Dialect};
use super::gateway::{KEY, PROVIDER_KEY, both, both_with};

fn question(dialect: Dialect, stream: bool) -> serde_json::Value {
    dialect.body(dialect.model(), stream, &Ask { prompt: "hello".into(), ..Ask::default() })
}

#[tokio::test]
async fn every_path_of_every_dialect_answers_in_its_dialect() {
    let (_mock, gateway) = both().await;
    let gemini = Dialect::Gemini.model();
    let paths = [
        (Dialect::OpenAi, "/v1/chat/completions".to_owned()),
        (Dialect::OpenAi, "/chat/completions".to_owned()),
        (Dialect::OpenAi, "/openai/v1/chat/completions".to_owned()),
        (Dialect::OpenAi, "/openai/chat/completions".to_owned()),
        (Dialect::Anthropic, "/v1/messages".to_owned()),
        (Dialect::Anthropic, "/anthropic/v1/messages".to_owned()),
        (Dialect::Gemini, format!("/v1beta/models/{gemini}:generateContent")),
        (Dialect::Gemini, format!("/v1/models/{gemini}:generateContent")),
        (Dialect::Gemini, format!("/gemini/v1beta/models/{gemini}:generateContent")),
        (Dialect::Gemini, format!("/gemini/v1/models/{gemini}:generateContent")),
        (Dialect::Gemini, format!("/v1beta/models/{}:generateContent", gemini.replace('/', "%2F"))),
    ];
    for (dialect, path) in paths {
        let answer = gateway.post(&path, &question(dialect, false)).await;
        let meaning = dialect.read(&answer.ok());
        assert_eq!(meaning.text, "Mock reply to: hello", "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
    }
}

#[tokio::test]
async fn gemini_streams_on_both_prefixes_in_both_framings_and_by_body_flag() {
    let (_mock, gateway) = both().await;
    let model = Dialect::Gemini.model();
    for prefix in ["/v1beta", "/v1", "/gemini/v1beta", "/gemini/v1"] {
        for provider in ALL {
            let model = provider.model();
            let path = format!("{prefix}/models/{model}:streamGenerateContent");
            let events = gateway.post(&format!("{path}?alt=sse"), &question(Dialect::Gemini, true)).await;
            assert_eq!(events.header("content-type"), Some("text/event-stream; charset=utf-8"));
            assert!(Dialect::Gemini.ended(&events.text()), "{path}: {}", events.text());
            let array = gateway.post(&path, &question(Dialect::Gemini, true)).await;
            assert_eq!(array.header("content-type"), Some("application/json"), "{path}");
            assert!(array.text().starts_with('['), "{path}: {}", array.text());
            for stream in [events, array] {
                let meaning = Dialect::Gemini.read(&Dialect::Gemini.fold(&stream.text()));
                assert_eq!(meaning.text, "Mock reply to: hello", "{path}");
            }
        }
    }
    let mut body = question(Dialect::Gemini, false);
    body["stream"] = json!(true);
    for provider in ["gemini", "openai"] {
        let path = format!("/gemini/v1/models/{}:generateContent", model.replace("gemini/", &format!("{provider}/")));
        let answer = gateway.post(&path, &body).await;
        assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"), "{}", answer.text());
        assert!(Dialect::Gemini.ended(&answer.text()), "{}", answer.text());
    }
}

#[tokio::test]
async fn keys_are_taken_from_all_five_places() {
    let (mock, gateway) = both().await;
    for dialect in ALL {
        let plain = || dialect.say(dialect.model(), false, "hello");
        for (name, value) in [
            ("authorization", format!("Bearer {KEY}")),
            ("authorization", format!("bearer {KEY}")),
            ("x-api-key", KEY.to_owned()),
            ("X-API-Key", KEY.to_owned()),
            ("x-goog-api-key", KEY.to_owned()),
            ("api-key", KEY.to_owned()),
        ] {
            let answer = gateway.send_bare(plain().header(name, &value)).await;
            assert_eq!(answer.status(), 200, "{dialect:?} {name}: {}", answer.text());
        }
        let path = format!("{}?key={KEY}", dialect.path(dialect.model(), false));
        let answer = gateway.send_bare(Request::post(&path).json(&question(dialect, false))).await;
        assert_eq!(answer.status(), 200, "{dialect:?} in the query: {}", answer.text());
    }
    for seen in mock.service().journal() {
        assert!(!seen.path.contains(KEY), "the client's key went on in {}", seen.path);
        for (name, value) in &seen.headers {
            assert!(!value.to_str().unwrap_or_default().contains(KEY), "the client's key went on in {name}");
        }
        let own = ["authorization", "x-api-key", "x-goog-api-key"];
        assert!(own.iter().any(|name| {
            seen.headers.get(*name).is_some_and(|value| value.to_str().unwrap().contains(PROVIDER_KEY))
        }));
    }
}

#[tokio::test]
async fn without_a_key_or_with_a_wrong_one_it_is_401_in_each_dialect() {
    let (mock, gateway) = both().await;
    for dialect in ALL {
        let plain = || dialect.say(dialect.model(), false, "hello");
        let missing = dialect.assert_error(&gateway.send_bare(plain()).await, 401);
        assert!(missing.contains("x-api-key"), "{missing}");
        for (name, value) in
            [("authorization", "Bearer wrong"), ("x-api-key", "wrong"), ("authorization", "Basic eDp5")]
        {
            let answer = gateway.send_bare(plain().header(name, value)).await;
            dialect.assert_error(&answer, 401);
        }
    }
    assert_eq!(mock.service().started(), 0);
}

#[tokio::test]
async fn root_and_health_need_no_key_and_nothing_else_is_open() {
    let (_mock, gateway) = both_with("models: [{name: m1, provider: openai}, {name: m2, provider: openai}]").await;
    let head = gateway.send_bare(Request::new("HEAD", "/")).await;
    assert_eq!((head.status(), head.body.len(), head.whole), (200, 0, true));
    assert_eq!(gateway.send_bare(Request::get("/")).await.status(), 200);
    let health = gateway.send_bare(Request::get("/health")).await.ok();
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["models"], 2);
    assert!(health["timestamp"].is_u64() && health["service"].is_string() && health["version"].is_string(), "{health}");
    assert_eq!(gateway.send_bare(Request::get("/health/ready")).await.status(), 200);
    assert_eq!(gateway.send_bare(Request::get("/health/live")).await.status(), 200);
    for path in [
        "/metrics",
        "/v1/models",
        "/models",
        "/v1beta/models",
        "/v1/embeddings",
        "/v1/responses",
        "/v1/files",
        "/nothing",
        "/api/v1/keys",
        "/openai/v1/models",
        "/v1/models/gpt-4o",
    ] {
        let answer = gateway.send_bare(Request::get(path)).await;
        // The administration answers 503 for as long as the administrator has no password.
        assert!(
            matches!(answer.status(), 401 | 404) || (answer.status() == 503 && path.starts_with("/api/")),
            "{path}: {} {}",
            answer.status(),
            answer.text()
        );
    }
}

#[tokio::test]
async fn unknown_paths_closed_endpoints_and_wrong_methods_are_told_apart() {
    let (mock, gateway) = both().await;
    let wrong = |path: &str, dialect: Dialect, status: u16| (path.to_owned(), dialect, status);
    for (path, dialect, status) in [
        wrong("/v1/files", Dialect::OpenAi, 403),
        wrong("/v1/assistants", Dialect::OpenAi, 403),
        wrong("/nothing/here", Dialect::OpenAi, 404),
        wrong("/anthropic/v1/nothing", Dialect::Anthropic, 404),
        wrong("/gemini/nothing", Dialect::Gemini, 404),
    ] {
        let answer = gateway.post(&path, &json!({})).await;
        // A closed endpoint of a known API says so; a path of nobody does not exist.
        assert!(answer.status() == status || (status == 404 && answer.status() == 403), "{path}: {}", answer.text());
        dialect.error(&answer.json());
    }
    for (method, path, dialect, allowed) in [
        ("GET", "/v1/chat/completions", Dialect::OpenAi, "POST"),
        ("PUT", "/v1/chat/completions", Dialect::OpenAi, "POST"),
        ("DELETE", "/v1/messages", Dialect::Anthropic, "POST"),
        ("GET", "/v1/messages", Dialect::Anthropic, "POST"),
        ("GET", "/v1beta/models/gemini/gemini-2.5-flash:generateContent", Dialect::Gemini, "POST"),
        ("DELETE", "/v1/models", Dialect::OpenAi, "GET"),
    ] {
        let answer = gateway.send(Request::new(method, path)).await;
        dialect.assert_error(&answer, 405);
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
    assert_eq!(mock.service().started(), 0);
}

#[tokio::test]
async fn request_ids_are_taken_made_and_passed_on() {
    let (mock, gateway) = both().await;
    for dialect in ALL {
        let given = format!("given-{}.1", dialect.name());
        let answer = gateway.send(dialect.say(dialect.model(), false, "hello").header("x-request-id", &given)).await;
        assert_eq!(answer.request_id(), given);
        let seen = mock.service().journal().pop().unwrap();
        assert_eq!(seen.headers.get("x-request-id").unwrap(), given.as_str());
        let record = gateway.record(&given).await;
        assert_eq!(record.ingress.split('-').next(), Some(dialect.name()));
        let made = gateway.send(dialect.say(dialect.model(), true, "hello")).await.request_id();
        assert!(made.starts_with("req-"), "{made}");
        assert_eq!(mock.service().journal().pop().unwrap().headers.get("x-request-id").unwrap(), made.as_str());
        let failed = gateway.send(dialect.say("nowhere/none", false, "hello").header("x-request-id", &given)).await;
        assert_eq!(failed.request_id(), given);
        assert!(failed.text().contains(&given), "{dialect:?}: no request id in {}", failed.text());
    }
    let anthropic = gateway.send(Dialect::Anthropic.say(Dialect::Anthropic.model(), false, "hello")).await;
    assert_eq!(anthropic.header("request-id"), anthropic.header("x-request-id"));
    let openai = gateway.send(Dialect::OpenAi.say(Dialect::OpenAi.model(), false, "hello")).await;
    assert!(openai.header("openai-processing-ms").unwrap().parse::<u64>().is_ok());
}

#[tokio::test]
async fn what_a_client_tells_about_itself_stays_here_and_what_a_provider_tells_too() {
    let (mock, gateway) = both().await;
    for (client, upstream) in ALL.into_iter().flat_map(|client| ALL.map(|upstream| (client, upstream))) {
        let request = client.say(upstream.model(), false, "hello");
        let request = request
            .header("user-agent", "secret-agent/1")
            .header("referer", "http://secret.example/")
            .header("origin", "http://secret.example")
            .header("x-forwarded-for", "203.0.113.9")
            .header("cookie", "secret=1");
        let answer = gateway.send(request).await;
        assert_eq!(answer.status(), 200);
        let seen = mock.service().journal().pop().unwrap();
        for (name, value) in &seen.headers {
            let value = value.to_str().unwrap();
            assert!(!value.contains("secret") && !value.contains("203.0.113.9"), "{name}: {value}");
        }
        for name in ["server", "set-cookie", "via", "cf-ray"] {
            assert_eq!(answer.header(name), None, "{name}");
        }
    }
}
