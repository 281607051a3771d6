//! Three client dialects times three providers, over real sockets: the same question means the same everywhere, whole
//! and streamed.

use serde_json::{Value, json};

use super::dialect::{ALL, Ask, Dialect, Meaning};
use super::gateway::{Gateway, both, pairs, together};

fn ask(prompt: &str) -> Ask {
    Ask { prompt: prompt.to_owned(), ..Ask::default() }
}

/// Sends whole and streamed, checks that both mean the same and that the record tells the same usage.
async fn both_ways(gateway: &Gateway, client: Dialect, model: &str, body: &dyn Fn(bool) -> Value) -> (Value, Meaning) {
    let answer = gateway.send(client.post(model, false, &body(false))).await;
    let whole = answer.ok();
    let meaning = client.read(&whole);
    let streamed = gateway.send(client.post(model, true, &body(true))).await;
    assert_eq!(streamed.status(), 200, "{client:?} {model}: {}", streamed.text());
    assert!(streamed.whole && client.ended(&streamed.text()), "{client:?} {model}: {}", streamed.text());
    let folded = client.fold(&streamed.text());
    let pair = format!("{client:?} to {model}\n{whole}\n{folded}");
    assert_eq!(client.read(&folded), meaning, "{pair}");
    for request_id in [answer.request_id(), streamed.request_id()] {
        let record = gateway.record(&request_id).await;
        assert_eq!(record.end, gw_store::EndReason::Completed, "{pair}");
        assert_eq!(record.usage_provenance, gw_store::UsageProvenance::Reported, "{pair}");
        assert_eq!(
            (record.usage.input_total(), record.usage.output_total()),
            (meaning.input, meaning.output),
            "{pair}"
        );
    }
    (folded, meaning)
}

#[tokio::test]
async fn plain_questions_limits_and_stop_sequences() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let pair = format!("{client:?} to {upstream:?}");
            let model = upstream.model();
            let of = |ask: Ask| move |stream: bool| client.body(model, stream, &ask);
            let (_, plain) = both_ways(&gateway, client, model, &of(ask("hello there, éü \"quoted\"\n"))).await;
            assert!(plain.text.starts_with("Mock reply to: hello there, éü \"quoted\""), "{pair}: {plain:?}");
            assert_eq!(plain.stop, "end", "{pair}");
            assert!(plain.input > 0 && plain.output > 0, "{pair}: {plain:?}");
            let limited = Ask { max_tokens: Some(3), ..ask("hello one two three") };
            let (_, limited) = both_ways(&gateway, client, model, &of(limited)).await;
            assert_eq!(limited.stop, "length", "{pair}: {limited:?}");
            let stopped = Ask { stop: Some("two"), ..ask("one two three") };
            let (_, stopped) = both_ways(&gateway, client, model, &of(stopped)).await;
            assert_eq!(stopped.text, "Mock reply to: one ", "{pair}");
            assert!(matches!(stopped.stop.as_str(), "end" | "stop"), "{pair}: {stopped:?}");
        }
    }
}

#[tokio::test]
async fn pain_01_pain_03_tool_calls_with_text_and_in_parallel_keep_their_arguments() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let pair = format!("{client:?} to {upstream:?}");
            let model = upstream.model();
            for (prompt, count) in
                [("use a tool", 1), ("use a tool in parallel", 2), ("narrate the tool in parallel", 2)]
            {
                let ask = Ask { tools: true, ..ask(prompt) };
                let (_, meaning) = both_ways(&gateway, client, model, &|stream| client.body(model, stream, &ask)).await;
                assert_eq!(meaning.stop, "tools", "{pair} {prompt}: {meaning:?}");
                assert_eq!(meaning.calls.len(), count, "{pair} {prompt}: {meaning:?}");
                assert_eq!(
                    meaning.calls[0],
                    ("get_weather".to_owned(), json!({"city": "mock city", "days": 42})),
                    "{pair}"
                );
                assert_eq!(meaning.text.is_empty(), !prompt.contains("narrate"), "{pair} {prompt}: {meaning:?}");
            }
        }
    }
}

#[tokio::test]
async fn tool_results_go_back_to_the_calls_they_answer() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let pair = format!("{client:?} to {upstream:?}");
            let model = upstream.model();
            for streamed_first in [false, true] {
                let ask = Ask { tools: true, ..ask("use a tool in parallel") };
                let body = client.body(model, streamed_first, &ask);
                let first = gateway.send(client.post(model, streamed_first, &body)).await;
                let first = if streamed_first { client.fold(&first.text()) } else { first.ok() };
                let next = client.reply_to(client.body(model, false, &ask), &first, Ok(&["sunny", "noon"]));
                let streaming = |stream: bool| {
                    let mut body = next.clone();
                    if stream && client != Dialect::Gemini {
                        body["stream"] = json!(true);
                        if client == Dialect::OpenAi {
                            body["stream_options"] = json!({"include_usage": true});
                        }
                    }
                    body
                };
                let (_, meaning) = both_ways(&gateway, client, model, &streaming).await;
                assert!(meaning.text.starts_with("Mock reply to tool result:"), "{pair}: {meaning:?}");
                assert!(meaning.text.contains("sunny") && meaning.text.contains("noon"), "{pair}: {meaning:?}");
                let (sunny, noon) = (meaning.text.find("sunny"), meaning.text.find("noon"));
                assert!(sunny < noon, "{pair}: {meaning:?}");
            }
        }
    }
}

#[tokio::test]
async fn images_arrive_in_every_dialect() {
    let (mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let model = upstream.model();
            let ask = Ask { image: true, ..ask("look") };
            let (_, meaning) = both_ways(&gateway, client, model, &|stream| client.body(model, stream, &ask)).await;
            assert!(meaning.text.contains("I see 1 image(s)"), "{client:?} to {upstream:?}: {meaning:?}");
            let seen = mock.service().journal().pop().unwrap();
            assert!(String::from_utf8_lossy(&seen.body).contains(super::dialect::PNG), "the image changed");
        }
    }
}

#[tokio::test]
async fn pain_12_structured_output_is_honoured_everywhere() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let pair = format!("{client:?} to {upstream:?}");
            let model = upstream.model();
            let ask = Ask { schema: true, ..ask("answer as data") };
            let (_, meaning) = both_ways(&gateway, client, model, &|stream| client.body(model, stream, &ask)).await;
            let data: Value = serde_json::from_str(&meaning.text).unwrap_or_else(|_| panic!("{pair}: {meaning:?}"));
            assert!(data["city"].is_string() && data["days"].is_number(), "{pair}: {data}");
        }
    }
}

#[tokio::test]
async fn pain_06_pain_08_pain_09_thinking_is_shown_and_survives_three_turns() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let pair = format!("{client:?} to {upstream:?}");
            let model = upstream.thinker();
            for stream in [false, true] {
                let ask = Ask { thinking: true, tools: true, ..ask("use a tool") };
                let mut body = client.body(model, stream, &ask);
                let mut results: Vec<Result<&[&str], &str>> = vec![Ok(&["sunny"]), Err("and again"), Err("and again")];
                results.reverse();
                for turn in 0..4 {
                    let answer = gateway.send(client.post(model, stream, &body)).await;
                    assert_eq!(answer.status(), 200, "{pair}, turn {turn}: {}\n{body}", answer.text());
                    let answer = if stream { client.fold(&answer.text()) } else { answer.json() };
                    let meaning = client.read(&answer);
                    if turn == 0 {
                        assert_eq!(meaning.calls.len(), 1, "{pair}: {answer}");
                        assert!(meaning.thinking.starts_with("Thinking about"), "{pair}, turn {turn}: {answer}");
                    }
                    if let Some(next) = results.pop() {
                        body = client.reply_to(body, &answer, next);
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn refusals_keep_their_meaning() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let model = format!("{}+refusal=1", upstream.model());
            let answer = gateway.send(client.say(&model, false, "something bad")).await;
            let body = answer.ok();
            let (told, known): (&Value, &[&str]) = match client {
                Dialect::OpenAi if body["choices"][0]["message"]["refusal"].is_string() => continue,
                Dialect::OpenAi => (&body["choices"][0]["finish_reason"], &["content_filter", "stop"]),
                Dialect::Anthropic => (&body["stop_reason"], &["refusal"]),
                Dialect::Gemini => {
                    (&body["candidates"][0]["finishReason"], &["SAFETY", "PROHIBITED_CONTENT", "OTHER", "STOP"])
                }
            };
            assert!(told.as_str().is_some_and(|told| known.contains(&told)), "{client:?} to {upstream:?}: {body}");
        }
    }
}

#[tokio::test]
async fn cache_reads_and_writes_are_told_apart_in_records_and_answers() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let pair = format!("{client:?} to {upstream:?}");
            let model = upstream.model();
            let prompt = "cached one two three four five six seven eight";
            let (folded, _) =
                both_ways(&gateway, client, model, &|stream| client.body(model, stream, &ask(prompt))).await;
            let read = match client {
                Dialect::OpenAi => &folded["usage"]["prompt_tokens_details"]["cached_tokens"],
                Dialect::Anthropic => &folded["usage"]["cache_read_input_tokens"],
                Dialect::Gemini => &folded["usageMetadata"]["cachedContentTokenCount"],
            };
            let read = read.as_u64().unwrap_or_default();
            assert!(read > 0, "{pair}: {folded}");
            let record = &gateway.records(1).await[0];
            assert_eq!(record.usage.cache_read, read, "{pair}");
        }
    }
}

#[tokio::test]
async fn pain_02_streams_mean_the_same_wherever_the_provider_cuts_them() {
    let (_mock, gateway) = both().await;
    let gateway = std::sync::Arc::new(gateway);
    let cuts = ["+bytes=1", "+bytes=7", "+ping=1", "+bytes=64+ping=1"];
    let calls = pairs().into_iter().flat_map(|pair| cuts.map(|cut| (pair, cut)));
    together(calls.map(|((client, upstream), cut)| {
        let gateway = std::sync::Arc::clone(&gateway);
        async move {
            let ask = Ask { tools: true, ..ask("narrate the tool in parallel, éü") };
            let whole = gateway.send(client.request(upstream.model(), false, &ask)).await;
            let model = format!("{}{cut}", upstream.model());
            let streamed = gateway.send(client.request(&model, true, &ask)).await;
            assert!(streamed.whole && client.ended(&streamed.text()), "{client:?} to {model}: {}", streamed.text());
            let folded = client.fold(&streamed.text());
            assert_eq!(client.read(&folded), client.read(&whole.ok()), "{client:?} to {model}");
        }
    }))
    .await;
}
