use std::task::Poll;

use gw_mock::{ConnectionReset, MockService, Outcome, Settings};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::support::{collect, get, post, post_request, request, service};

const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/messages", "/v1beta/models/MODEL:streamGenerateContent?alt=sse"];

/// A streaming request for each dialect, with options in the model name.
fn streams(options: &str) -> Vec<(String, Value)> {
    let model = format!("mock{options}");
    let messages = json!([{"role": "user", "content": "one two three four five"}]);
    vec![
        (PATHS[0].to_owned(), json!({"model": model, "stream": true, "messages": messages})),
        (PATHS[1].to_owned(), json!({"model": model, "stream": true, "max_tokens": 100, "messages": messages})),
        (
            PATHS[2].replace("MODEL", &model),
            json!({"contents": [{"role": "user", "parts": [{"text": "one two three four five"}]}]}),
        ),
    ]
}

#[tokio::test]
async fn status_answers_with_the_native_error() {
    for (path, body) in streams("+status=429+retry_after=1.5") {
        let answer = post(&path, &body).await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.headers["retry-after"], "2");
        let error = answer.json();
        let kind = error.pointer("/error/status").or(error.pointer("/error/type")).unwrap().as_str().unwrap();
        assert!(["requests", "rate_limit_error", "RESOURCE_EXHAUSTED"].contains(&kind), "{error}");
    }
    let gemini = post(&PATHS[2].replace("MODEL", "m+status=429+retry_after=1.5"), &streams("")[2].1).await.json();
    assert_eq!(gemini["error"]["details"][0]["retryDelay"], "1.5s");
    let unknown = post(PATHS[0], &streams("+speed=3")[0].1).await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.text().contains("speed"), "{}", unknown.text());
}

#[tokio::test]
async fn fail_times_heals() {
    let service = service();
    let body = json!({"model": "m+status=503+fail_times=2", "messages": [{"role": "user", "content": "x"}]});
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(service.respond(post_request(PATHS[0], &body)).await.status().as_u16());
    }
    assert_eq!(statuses, [503, 503, 200, 200]);
}

#[tokio::test]
async fn cut_breaks_and_eof_ends_after_so_many_events() {
    for ((path, body), (_, clean)) in streams("+cut=3").into_iter().zip(streams("+eof=3")) {
        let cut = post(&path, &body).await;
        assert!(cut.broken);
        assert_eq!(cut.events().len(), 3);
        let eof = post(&path.replace("cut", "eof"), &clean).await;
        assert!(!eof.broken);
        assert_eq!(eof.events().len(), 3);
        assert!(
            !eof.text().contains("[DONE]")
                && !eof.text().contains("message_stop")
                && !eof.text().contains("finishReason")
        );
    }
    let whole = json!({"model": "m+cut=10", "messages": [{"role": "user", "content": "x"}]});
    let cut = post(PATHS[0], &whole).await;
    assert!(cut.broken && cut.body.len() == 10);
}

#[tokio::test]
async fn errors_inside_a_stream_are_native() {
    for (options, position) in [("+error_at=2", 2), ("+error_first=1", 0)] {
        for (path, body) in streams(options) {
            let answer = post(&path, &body).await;
            assert_eq!((answer.status, answer.broken), (200, false));
            let data = answer.data();
            assert_eq!(data.len(), position + 1);
            assert!(data[position]["error"].is_object(), "{}", answer.text());
        }
    }
    let anthropic = post(PATHS[1], &streams("+error_first=1")[1].1).await;
    assert_eq!(anthropic.events()[0].0, "error");
    assert_eq!(anthropic.data()[0]["error"]["type"], "overloaded_error");
    let responses = json!({"model": "m+error_at=2", "input": "x", "stream": true});
    let last = post("/v1/responses", &responses).await.data().pop().unwrap();
    assert_eq!((&last["type"], &last["sequence_number"]), (&json!("error"), &json!(2)));
    let array =
        post(&PATHS[2].replace("MODEL", "m+error_at=1").replace("?alt=sse", ""), &streams("")[2].1).await.json();
    assert_eq!(array[1]["error"]["status"], "UNAVAILABLE");
}

#[tokio::test]
async fn stall_sends_so_many_events_and_then_nothing() {
    for (path, body) in streams("+stall_at=2") {
        let service = service();
        let mut body = service.respond(post_request(&path, &body)).await.into_body();
        for _ in 0..2 {
            body.frame().await.unwrap().unwrap();
        }
        assert!(matches!(futures_poll(body.frame()), Poll::Pending));
        assert_eq!((service.in_flight(), service.aborted()), (1, 0));
        drop(body);
        service.wait_aborted(1).await;
        assert_eq!(service.journal()[0].outcome(), Outcome::Aborted);
        assert!(service.journal()[0].bytes_sent() > 0);
    }
}

/// Polls once without waiting.
fn futures_poll<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = std::pin::pin!(future);
    future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}

#[tokio::test]
async fn delays_hold_the_head_or_the_next_chunk() {
    let service = service();
    let (path, body) = streams("+delay=1m").remove(0);
    assert!(matches!(futures_poll(service.respond(post_request(&path, &body))), Poll::Pending));
    // The future was dropped unfinished: that is a client that went away while waiting for the head.
    service.wait_aborted(1).await;

    let (path, body) = streams("+delay=1m+early_head=1").remove(0);
    let mut early = service.respond(post_request(&path, &body)).await.into_body();
    assert!(matches!(futures_poll(early.frame()), Poll::Pending));

    let (path, body) = streams("+chunk_delay=1m").remove(0);
    let mut slow = service.respond(post_request(&path, &body)).await.into_body();
    assert!(matches!(futures_poll(slow.frame()), Poll::Ready(Some(Ok(_)))));
    assert!(matches!(futures_poll(slow.frame()), Poll::Pending));

    let (path, body) = streams("+delay=1ms+chunk_delay=1ms").remove(0);
    let answer = collect(service.respond(post_request(&path, &body)).await).await;
    assert_eq!(answer.events().last().unwrap().1, "[DONE]");
}

#[tokio::test]
async fn bytes_recuts_without_changing_the_stream() {
    for (path, body) in streams("+bytes=7") {
        let plain = post(&path, &body).await.body;
        let mut pieces = service().respond(post_request(&path, &body)).await.into_body();
        let mut sizes = Vec::new();
        let mut bytes = Vec::new();
        while let Some(frame) = pieces.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            sizes.push(data.len());
            bytes.extend_from_slice(&data);
        }
        assert_eq!(bytes, plain);
        let (last, full) = sizes.split_last().unwrap();
        assert!(full.iter().all(|size| *size == 7) && *last <= 7);
    }
}

#[tokio::test]
async fn garbage_pings_and_missing_usage() {
    for (path, body) in streams("+garbage=1") {
        let events = post(&path, &body).await.events();
        assert!(serde_json::from_str::<Value>(&events[0].1).is_ok());
        assert!(serde_json::from_str::<Value>(&events[1].1).is_err());
    }
    for (path, body) in streams("+ping=1") {
        let text = post(&path, &body).await.text();
        assert!(text.matches(": keep-alive\n\n").count() + text.matches("event: ping\n").count() > 3, "{text}");
    }
    let chat = json!({"model": "m+usage=none", "messages": [{"role": "user", "content": "x"}]});
    assert!(post(PATHS[0], &chat).await.json().get("usage").is_none());
    assert!(
        !post(&PATHS[2].replace("MODEL", "m+usage=none"), &streams("")[2].1).await.text().contains("usageMetadata")
    );
}

#[tokio::test]
async fn html_and_reset_are_not_json() {
    let html = post(PATHS[0], &streams("+html=1")[0].1).await;
    assert_eq!((html.status, html.headers["content-type"].to_str().unwrap()), (502, "text/html"));
    assert!(html.text().starts_with("<html>"));
    let reset = service().respond(post_request(PATHS[0], &streams("+reset=1")[0].1)).await;
    assert_eq!(reset.extensions().get(), Some(&ConnectionReset));
    assert!(collect(reset).await.broken);
}

#[tokio::test]
async fn size_and_chunks_shape_the_answer() {
    let body =
        json!({"model": "m+size=2000+chunks=50", "stream": true, "messages": [{"role": "user", "content": "x"}]});
    let chunks = post(PATHS[0], &body).await.data();
    let pieces: Vec<&str> = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .filter(|piece| !piece.is_empty())
        .collect();
    assert_eq!((pieces.len(), pieces.concat().len()), (50, 2000));
}

#[tokio::test]
async fn header_options_work_and_the_journal_keeps_requests() {
    let service = service();
    let mut request = post_request(PATHS[0], &streams("")[0].1);
    request.headers_mut().insert("x-mock", "status=500;".parse().unwrap());
    assert_eq!(service.respond(request).await.status(), 500);
    let recorded = service.journal();
    assert_eq!(recorded.len(), 1);
    assert_eq!(
        (recorded[0].path.as_str(), &recorded[0].headers["x-mock"]),
        (PATHS[0], &"status=500;".parse::<http::HeaderValue>().unwrap())
    );
    assert_eq!(serde_json::from_slice::<Value>(&recorded[0].body).unwrap(), streams("")[0].1);
    service.clear_journal();
    assert!(service.journal().is_empty());
    let settings = Settings { journal_capacity: 2, ..Settings::default() };
    let small = MockService::new(settings);
    for path in ["/a", "/b", "/c"] {
        collect(small.respond(self::request(http::Method::GET, path, &[], "".into())).await).await;
    }
    assert_eq!(small.journal().iter().map(|one| one.path.clone()).collect::<Vec<_>>(), ["/b", "/c"]);
    assert_eq!((small.started(), small.completed(), small.in_flight()), (3, 3, 0));
}

#[tokio::test]
async fn keys_are_asked_for_and_compared() {
    let settings = Settings { accepted_keys: vec!["sk-good".to_owned()], ..Settings::default() };
    let service = MockService::new(settings);
    let send = |name: &'static str, value: &'static str, path: &str| {
        let mut request = post_request(path, &streams("")[0].1);
        request.headers_mut().insert(name, value.parse().unwrap());
        service.respond(request)
    };
    assert_eq!(send("x-other", "1", PATHS[0]).await.status(), 401);
    assert_eq!(send("authorization", "Bearer sk-bad", PATHS[0]).await.status(), 401);
    assert_eq!(send("authorization", "Bearer sk-good", PATHS[0]).await.status(), 200);
    assert_eq!(send("x-api-key", "sk-bad", PATHS[1]).await.status(), 401);
    assert_eq!(send("x-goog-api-key", "bad", "/v1beta/models/m:generateContent").await.status(), 400);
    assert!(!format!("{:?}", service.settings()).contains("sk-good"));
}

#[tokio::test]
async fn bench_answers_without_reading_and_only_where_told() {
    let about = |body: &[u8]| (900..1200).contains(&body.len());
    let openai = json!({"model": "m", "messages": [{"role": "user", "content": "x"}]});
    for (path, body) in [
        ("/bench/v1/chat/completions", &openai),
        ("/bench/v1/messages", &openai),
        ("/bench/v1beta/models/m:generateContent", &openai),
    ] {
        let answer = post(path, body).await;
        assert!(about(&answer.body), "{path}: {}", answer.body.len());
        let json = answer.json();
        assert!(json.get("usage").or(json.get("usageMetadata")).is_some());
    }
    let stream = json!({"stream": true, "stream_options": {"include_usage": true}});
    let chunks = post("/bench/chunks=5;chunk_delay=1ms/v1/chat/completions", &stream).await;
    assert_eq!(chunks.data().len(), 1 + 5 + 1 + 1);
    assert!(chunks.data().last().unwrap()["usage"].is_object());
    let events = post("/bench/chunks=5/v1/messages", &stream).await.events();
    assert_eq!(events.len(), 3 + 5 + 3);
    let gemini = post("/bench/chunks=5/v1beta/models/m:streamGenerateContent?alt=sse", &json!({})).await;
    assert_eq!(gemini.data().len(), 6);
    assert_eq!(post("/bench/nonsense=5/v1/chat/completions", &openai).await.status, 400);

    let fast = MockService::new(Settings::fast());
    let answer = collect(fast.respond(post_request(PATHS[0], &json!({}))).await).await;
    assert!(about(&answer.body));
    assert_eq!(get("/v1/models", &[]).await.status, 200);
}
