//! Usage on record: what the provider reported, for whom, once.

use gw_store::{EndReason, UsageProvenance};
use serde_json::json;

use super::dialect::{ALL, Ask, Dialect};
use super::gateway::{both, both_with};

#[tokio::test]
async fn a_record_tells_who_asked_what_of_whom_and_what_it_took() {
    let (_mock, gateway) = both_with("models: [{name: nice, provider: anthropic, target: claude-sonnet-4-5}]").await;
    let answer =
        gateway.send(Dialect::OpenAi.say("nice", false, "cached cache_write one two three four five six")).await;
    let usage = answer.ok()["usage"].clone();
    let record = gateway.record(&answer.request_id()).await;
    assert_eq!(record.key_name, "e2e");
    assert!(!record.key_id.is_empty());
    assert!(record.ingress.starts_with("openai"), "{record:?}");
    assert_eq!(record.operation, "chat");
    assert_eq!((record.requested_model.as_str(), record.upstream_model.as_str()), ("nice", "claude-sonnet-4-5"));
    assert_eq!(record.provider, "anthropic");
    assert_eq!((record.streaming, record.status, record.upstream_status), (false, 200, Some(200)));
    assert_eq!((record.end, record.usage_provenance), (EndReason::Completed, UsageProvenance::Reported));
    assert_eq!(record.usage.input_total(), usage["prompt_tokens"].as_u64().unwrap());
    assert_eq!(record.usage.cache_read, usage["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap());
    assert!(record.usage.cache_write_5m > 0, "{record:?}");
    let parts = record.usage.input_uncached + record.usage.cache_read + record.usage.cache_write_5m;
    assert_eq!(parts, record.usage.input_total());
    assert_eq!(record.usage.requests, 1);
    assert_eq!(record.bytes_delivered, answer.body.len() as u64);
    assert!(record.first_byte_ms.is_some_and(|first| first <= record.duration_ms));
}

#[tokio::test]
async fn reasoning_is_told_apart_from_text() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in [Dialect::OpenAi, Dialect::Gemini] {
            for stream in [false, true] {
                let ask = Ask { prompt: "think first".into(), thinking: true, ..Ask::default() };
                let answer = gateway.send(client.request(upstream.thinker(), stream, &ask)).await;
                assert_eq!(answer.status(), 200, "{}", answer.text());
                let record = gateway.record(&answer.request_id()).await;
                assert!(record.usage.output_reasoning > 0, "{client:?} to {upstream:?} {stream}: {record:?}");
                assert!(record.usage.output_text > 0, "{client:?} to {upstream:?} {stream}: {record:?}");
            }
        }
    }
}

#[tokio::test]
async fn usage_that_a_provider_keeps_to_itself_is_estimated_and_says_so() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            for stream in [false, true] {
                let model = format!("{}+usage=none", upstream.model());
                let answer = gateway.send(client.say(&model, stream, "some words to estimate")).await;
                assert_eq!(answer.status(), 200, "{}", answer.text());
                let record = gateway.record(&answer.request_id()).await;
                assert_ne!(
                    record.usage_provenance,
                    UsageProvenance::Reported,
                    "{client:?} to {upstream:?}: {record:?}"
                );
                assert_eq!(record.end, EndReason::Completed);
                assert!(record.usage.output_total() > 0, "{client:?} to {upstream:?} stream={stream}: {record:?}");
            }
        }
    }
}

#[tokio::test]
async fn pain_22_failed_calls_cost_nothing() {
    let (_mock, gateway) = both().await;
    let refused = gateway
        .post("/v1/chat/completions", &json!({"model": "nobody/x", "messages": [{"role": "user", "content": "x"}]}))
        .await;
    let record = gateway.record(&refused.request_id()).await;
    assert_eq!((record.end, record.status), (EndReason::Refused, 400));
    assert_eq!((record.usage.input_total(), record.usage.output_total(), record.usage.requests), (0, 0, 0));
    let failed = gateway.send(Dialect::OpenAi.say("anthropic/claude-sonnet-4-5+status=500", false, "x")).await;
    let record = gateway.record(&failed.request_id()).await;
    assert_eq!((record.end, record.upstream_status), (EndReason::UpstreamError, Some(500)));
    assert_eq!((record.usage.input_total(), record.usage.output_total()), (0, 0));
}

#[tokio::test]
async fn losses_of_a_translation_are_on_record_and_in_the_answer() {
    let (mock, gateway) = both().await;
    let mut body =
        Dialect::OpenAi.body(Dialect::Anthropic.model(), false, &Ask { prompt: "x".into(), ..Ask::default() });
    body["seed"] = json!(7);
    let answer = gateway.post("/v1/chat/completions", &body).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert!(answer.header("x-irongate-warnings").is_some_and(|text| text.contains("seed")), "{:?}", answer.head);
    let record = gateway.record(&answer.request_id()).await;
    assert!(record.losses.iter().any(|loss| loss.contains("seed")), "{record:?}");
    let before = mock.service().started();
    let request = Dialect::OpenAi.post(Dialect::Anthropic.model(), false, &body).header("x-irongate-mode", "strict");
    let refused = gateway.send(request).await;
    let message = Dialect::OpenAi.assert_error(&refused, 400);
    assert!(message.contains("seed"), "{message}");
    assert_eq!(mock.service().started(), before);
    assert_eq!(answer.header("x-irongate-route").unwrap().split(';').count(), 3);
}
