//! Recorded provider traffic through every codec. Skipped, with the reason printed, where the recordings are not.

use std::collections::BTreeMap;

use bytes::Bytes;
use gw_core::{ChatReply, Code, Event};
use gw_spi::{Capabilities, FrameSignal, Framing, RelayWants, ReplyContext, UpstreamFault};
use gw_testkit::context::{capability_presets, encode_context, reply_context};
use gw_testkit::corpus::{Exchange, load};
use gw_testkit::coverage::unaccounted;
use gw_testkit::drive::{decode_stream, encode_stream, fold, frames};
use gw_wire::{Document, Limits, splice};

use super::dialects::{ALL, ANTHROPIC, Dialect, GEMINI, OPENAI};
use super::matrix::dump;

/// The dialect of a recording, when it is one of the three.
fn dialect_of(exchange: &Exchange) -> Option<Dialect> {
    match () {
        () if exchange.is_openai_chat() => Some(OPENAI),
        () if exchange.is_anthropic() => Some(ANTHROPIC),
        () if exchange.is_gemini() => Some(GEMINI),
        () => None,
    }
}

fn recordings() -> Option<Vec<(Dialect, Exchange)>> {
    let all = load()?;
    let ours: Vec<_> = all.into_iter().filter_map(|exchange| Some((dialect_of(&exchange)?, exchange))).collect();
    assert!(ours.len() > 500, "the corpus has {} exchanges of these dialects", ours.len());
    Some(ours)
}

fn framing(exchange: &Exchange) -> Framing {
    match exchange.stream_format.as_deref() {
        Some("json-array") => Framing::JsonArray,
        _ => Framing::Sse,
    }
}

fn finish(what: &str, counted: usize, faults: &[String]) {
    println!("corpus: {what}: {counted} exchanges, {} faults", faults.len());
    assert!(faults.is_empty(), "{what}: {} faults\n{}", faults.len(), faults.join("\n"));
    assert!(counted > 20, "{what}: only {counted} exchanges were looked at");
}

/// Requests that providers accepted or refused, but that are wrong by the dialect's own rules.
fn legitimately_refused(exchange: &Exchange, error: &gw_core::GatewayError) -> bool {
    error.code == Code::BadRequest && !exchange.succeeded()
}

#[test]
fn requests_decode_and_reach_every_target_with_every_loss_reported() {
    let Some(recordings) = recordings() else { return };
    let presets = capability_presets();
    let (mut faults, mut counted, mut refused, mut encoded_count) = (Vec::new(), 0, 0, 0);
    for (dialect, exchange) in &recordings {
        let Some(body) = &exchange.request else { continue };
        counted += 1;
        let request = match dialect.decode(body) {
            Ok((request, _)) => request,
            Err(error) if legitimately_refused(exchange, &error) => {
                refused += 1;
                continue;
            }
            Err(error) => {
                faults.push(format!("{} {}: {error} ({:?})", dialect.id, exchange.id, error.param));
                continue;
            }
        };
        for target in ALL {
            for (preset, capabilities) in &presets {
                let context = encode_context(target.vendor, capabilities, request.stream);
                let label = format!("{} {} -> {} ({preset})", dialect.id, exchange.id, target.id);
                match target.egress.encode(&request, &context) {
                    Ok(encoded) => {
                        encoded_count += 1;
                        let lost = unaccounted(&request, &encoded, capabilities);
                        faults.extend(lost.into_iter().map(|fault| format!("{label}: {fault}")));
                        dump(target, preset, &label, &encoded);
                    }
                    Err(error) if matches!(error.code, Code::Unsupported | Code::BadRequest) => {}
                    Err(error) => faults.push(format!("{label}: {error}")),
                }
            }
        }
    }
    println!("corpus: {encoded_count} bodies encoded, {refused} requests refused as their providers did");
    finish("requests", counted, &faults);
}

#[test]
fn same_dialect_relays_are_byte_exact() {
    let Some(recordings) = recordings() else { return };
    let capabilities = Capabilities { stream_usage_option: false, ..Capabilities::default() };
    let (mut faults, mut counted) = (Vec::new(), 0);
    for (dialect, exchange) in &recordings {
        let Some(body) = &exchange.request else { continue };
        let text = std::str::from_utf8(body).unwrap();
        let Ok(envelope) = Document::envelope(text, Limits::default()) else {
            faults.push(format!("{}: not indexable", exchange.id));
            continue;
        };
        counted += 1;
        let model = envelope.root().get("model").and_then(|model| model.string()).unwrap_or_else(|| "m".to_owned());
        let stream = exchange.is_stream;
        let wants = RelayWants { model: &model, stream, usage: false, capabilities: &capabilities };
        let relayed = splice(&Bytes::copy_from_slice(body), dialect.egress.relay_splices(&envelope, &wants)).concat();
        if relayed != *body {
            faults.push(format!("{} {}: changed without being asked", dialect.id, exchange.id));
        }
        // With another model only the model differs.
        let wants = RelayWants { model: "another/model:1", ..wants };
        let relayed = splice(&Bytes::copy_from_slice(body), dialect.egress.relay_splices(&envelope, &wants)).concat();
        let expected = match envelope.root().get("model") {
            Some(value) if dialect.id != GEMINI.id => {
                let span = value.span();
                format!("{}\"another/model:1\"{}", &text[..span.start], &text[span.end..])
            }
            _ => text.to_owned(),
        };
        if relayed != expected.as_bytes() {
            faults.push(format!("{} {}: more than the model changed", dialect.id, exchange.id));
        }
    }
    finish("relays", counted, &faults);
}

/// Whether a success is an answer at all: some recordings hold another resource under a chat path.
fn is_an_answer(exchange: &Exchange) -> bool {
    let text = String::from_utf8_lossy(&exchange.response);
    ["\"choices\"", "\"candidates\"", "\"promptFeedback\"", "\"stop_reason\""].iter().any(|mark| text.contains(mark))
}

/// The streams of a recording: some hold several, one after the other.
fn streams(exchange: &Exchange) -> Vec<Vec<u8>> {
    const HEAD: &str = "event: message_start";
    let text = String::from_utf8_lossy(&exchange.response);
    if text.matches(HEAD).count() < 2 {
        return vec![exchange.response.clone()];
    }
    text.split(HEAD).skip(1).map(|stream| format!("{HEAD}{stream}").into_bytes()).collect()
}

#[test]
fn replies_decode_and_every_client_can_read_them() {
    let Some(recordings) = recordings() else { return };
    let (mut faults, mut counted) = (Vec::new(), 0);
    for (dialect, exchange) in
        recordings.iter().filter(|(_, exchange)| exchange.succeeded() && !exchange.is_stream && is_an_answer(exchange))
    {
        let context = reply_context(dialect.vendor);
        let label = format!("{} {} ({})", dialect.id, exchange.id, exchange.provider);
        let reply = match dialect.egress.decode_reply(&exchange.response, &context) {
            Ok(reply) => reply,
            Err(error) => {
                // A success status with an error body is an error.
                if !exchange.has("error") && !String::from_utf8_lossy(&exchange.response).contains("\"error\"") {
                    faults.push(format!("{label}: {error}"));
                }
                continue;
            }
        };
        counted += 1;
        let probe = dialect.egress.reply_probe(&exchange.response);
        if probe.usage != reply.usage {
            faults.push(format!("{label}: the probe says {:?}, the decoder {:?}", probe.usage, reply.usage));
        }
        check_clients(&reply, &gw_core::unfold(reply.clone()), &context, &label, &mut faults);
    }
    finish("replies", counted, &faults);
}

#[test]
fn streams_decode_lawfully_and_every_client_can_read_them() {
    let Some(recordings) = recordings() else { return };
    let (mut faults, mut counted) = (Vec::new(), 0);
    for (dialect, exchange) in recordings.iter().filter(|(_, exchange)| exchange.succeeded() && exchange.is_stream) {
        for stream in streams(exchange) {
            counted += 1;
            check_stream(*dialect, exchange, &stream, &mut faults);
        }
    }
    finish("streams", counted, &faults);
}

fn check_stream(dialect: Dialect, exchange: &Exchange, stream: &[u8], faults: &mut Vec<String>) {
    let context = reply_context(dialect.vendor);
    let label = format!("{} {} ({})", dialect.id, exchange.id, exchange.provider);
    let decoded = match decode_stream(dialect.egress, &context, stream, framing(exchange), 0) {
        Ok(decoded) => decoded,
        Err(law) => return faults.push(format!("{label}: {law}")),
    };
    if let Some(reason) = decoded.corrupt {
        faults.push(format!("{label}: corrupt: {reason}"));
    }
    for cut in [1, 7, 64] {
        let cut_events = decode_stream(dialect.egress, &context, stream, framing(exchange), cut);
        if !cut_events.is_ok_and(|cut| format!("{:?}", cut.events) == format!("{:?}", decoded.events)) {
            faults.push(format!("{label}: other events when cut every {cut} bytes"));
        }
    }
    let mut probe = dialect.egress.stream_probe();
    let mut probed_fault = false;
    for frame in frames(stream, framing(exchange), 0) {
        probed_fault |= matches!(probe.observe(&frame), FrameSignal::Fault(_));
    }
    match fold(&decoded.events) {
        Ok(reply) => {
            let probed = probe.report();
            if probed.usage != reply.usage || !probed.complete || probed_fault {
                faults.push(format!("{label}: the probe says {probed:?}, the decoder {:?}", reply.usage));
            }
            check_clients(&reply, &decoded.events, &context, &label, faults);
        }
        Err(error) => {
            if !recorded_failure(exchange) && !ends_early(stream) {
                faults.push(format!("{label}: {error}"));
            }
            for client in ALL {
                let bytes = encode_stream(client.ingress, &context, &decoded.events);
                match client.read_stream(&bytes, &context) {
                    Ok(seen) if seen.error.is_some() => {}
                    Ok(_) => faults.push(format!("{label} -> {}: the client sees no error", client.id)),
                    Err(rule) => faults.push(format!("{label} -> {}: {rule}", client.id)),
                }
            }
        }
    }
}

/// Whether the provider itself reported a failure inside the stream.
fn recorded_failure(exchange: &Exchange) -> bool {
    exchange.has("midstream_error") || String::from_utf8_lossy(&exchange.response).contains("\"error\":{")
}

/// Recordings that were cut: the last bytes hold no terminal marker of any of the dialects.
fn ends_early(stream: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stream);
    let stop = ["\"finish_reason\":\"", "\"finish_reason\": \"", "message_stop", "finishReason", "[DONE]"];
    !stop.iter().any(|mark| text.contains(mark))
}

fn check_clients(reply: &ChatReply, events: &[Event], context: &ReplyContext, label: &str, faults: &mut Vec<String>) {
    for client in ALL {
        let bytes = encode_stream(client.ingress, context, events);
        let streamed = client.read_stream(&bytes, context);
        let whole = client.read_reply(&client.ingress.encode_reply(reply, context));
        match (streamed, whole) {
            (Ok(mut streamed), Ok(mut whole)) => {
                // Usage is optional in a whole reply and a cut call is wrapped where an object is required.
                (streamed.usage, whole.usage) = (None, None);
                for candidate in streamed.candidates.values_mut().chain(whole.candidates.values_mut()) {
                    for call in candidate.calls.iter_mut().filter(|call| {
                        call.arguments.starts_with("{\"_raw_arguments\"")
                            || serde_json::from_str::<serde_json::Value>(&call.arguments).is_err()
                    }) {
                        call.arguments = "cut".to_owned();
                    }
                }
                if streamed != whole {
                    faults.push(format!("{label} -> {}: streamed {streamed:?}\n   whole {whole:?}", client.id));
                }
            }
            (streamed, whole) => {
                for rule in [streamed.err(), whole.err()].into_iter().flatten() {
                    let rule: String = rule.chars().take(600).collect();
                    faults.push(format!("{label} -> {}: {rule}", client.id));
                }
            }
        }
    }
}

#[test]
fn recorded_errors_have_a_class_and_leak_nothing() {
    let Some(recordings) = recordings() else { return };
    let mut classes: BTreeMap<(u16, &'static str), usize> = BTreeMap::new();
    let (mut faults, mut counted) = (Vec::new(), 0);
    for (dialect, exchange) in recordings.iter().filter(|(_, exchange)| exchange.status >= 400) {
        counted += 1;
        let mut headers = http::HeaderMap::new();
        for (name, value) in &exchange.response_headers {
            if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name.as_str()), value.parse()) {
                headers.append(name, value);
            }
        }
        let status = http::StatusCode::from_u16(exchange.status).unwrap();
        let error = dialect.egress.decode_fault(&UpstreamFault { status, headers: &headers, body: &exchange.response });
        *classes.entry((exchange.status, error.code.as_str())).or_default() += 1;
        let blames_client = matches!(error.code, Code::Unauthenticated | Code::Forbidden);
        if blames_client || error.upstream_status != Some(exchange.status) || error.message.trim().is_empty() {
            faults.push(format!("{} {}: {error:?}", dialect.id, exchange.id));
        }
        for client in ALL {
            let rendered = client.ingress.encode_error(&error, "req_1");
            if !rendered.status.is_client_error() && !rendered.status.is_server_error() {
                faults.push(format!("{} -> {}: status {}", exchange.id, client.id, rendered.status));
            }
            if matches!(exchange.status, 401..=403) && (rendered.status == 401 || rendered.status == 403) {
                faults.push(format!("{} -> {}: the client is told to drop its key", exchange.id, client.id));
            }
            let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&rendered.body);
            if !parsed.is_ok_and(|body| body["error"]["message"].is_string()) {
                faults.push(format!("{} -> {}: no error message", exchange.id, client.id));
            }
        }
    }
    println!("corpus: error classes {classes:?}");
    finish("errors", counted, &faults);
}
