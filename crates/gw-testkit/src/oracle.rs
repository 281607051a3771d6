//! What must hold for any input, shared by property tests and fuzz targets. Every function gives the first broken rule.

use gw_core::{ChatRequest, Code, GatewayError};
use gw_spi::Capabilities;
use gw_wire::{Document, Frame, Limits};

use crate::context::{capability_presets, encode_context, reply_context};
use crate::coverage::unaccounted;
use crate::dialect::Dialect;
use crate::drive::{decode_frames, encode_stream, fold};
use crate::json::repeats_a_name;
use crate::validate::UNREAD;

fn refused(error: &GatewayError) -> Result<(), String> {
    let client_fault = matches!(error.code, Code::BadRequest | Code::Unsupported);
    if client_fault && !error.message.is_empty() { Ok(()) } else { Err(format!("refused with {error:?}")) }
}

/// Decodes a request of any shape; what decodes must encode for every target, the same twice; with `losses`, every field
/// must be in the body or reported lost.
///
/// # Errors
/// The broken rule.
pub fn request(source: &Dialect, targets: &[Dialect], body: &[u8], losses: bool) -> Result<(), String> {
    let request = match source.decode(body) {
        Ok((request, _)) => request,
        Err(error) => return refused(&error),
    };
    let repeats = std::str::from_utf8(body).is_ok_and(repeats_a_name);
    for target in targets {
        for (preset, capabilities) in capability_presets() {
            let rules = Rules { losses, repeats };
            encode(source, target, &request, &capabilities, rules)
                .map_err(|rule| format!("{} -> {} ({preset}): {rule}", source.id, target.id))?;
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Rules {
    /// Fields must be in the body or reported lost.
    losses: bool,
    /// The source repeats a member name somewhere, so that the body may.
    repeats: bool,
}

fn encode(
    source: &Dialect,
    target: &Dialect,
    request: &ChatRequest,
    capabilities: &Capabilities,
    rules: Rules,
) -> Result<(), String> {
    let context = encode_context(target.vendor, capabilities, true);
    let encoded = match target.egress.encode(request, &context) {
        Ok(encoded) => encoded,
        Err(error) => return refused(&error),
    };
    if target.egress.encode(request, &context).ok().as_ref() != Some(&encoded) {
        return Err("encoding twice gives different bytes".to_owned());
    }
    let text = String::from_utf8_lossy(&encoded.body.bytes);
    Document::parse(&text, Limits::default()).map_err(|fault| format!("invalid JSON, {fault}: {text}"))?;
    if !rules.repeats && repeats_a_name(&text) {
        return Err(format!("a repeated member name in {text}"));
    }
    let lost = if rules.losses { unaccounted(request, &encoded, capabilities) } else { Vec::new() };
    if !lost.is_empty() {
        return Err(format!("lost {lost:#?}\n{text}"));
    }
    for loss in &encoded.losses {
        let pointer = source.ingress.pointer(loss);
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(format!("'{pointer}' is no JSON pointer"));
        }
    }
    Ok(())
}

/// Whatever frames arrive, the decoder is lawful, the probe stands it, and every client gets a well-formed answer.
///
/// # Errors
/// The broken rule.
pub fn stream(upstream: &Dialect, clients: &[Dialect], frames: &[Frame]) -> Result<(), String> {
    let context = reply_context(upstream.vendor);
    let decoded = decode_frames(upstream.egress, &context, frames)?;
    let reply = fold(&decoded.events).ok();
    for client in clients {
        let bytes = encode_stream(client.ingress, &context, &decoded.events);
        let shown = || format!("{:?}\n{}", decoded.events, String::from_utf8_lossy(&bytes));
        readable(client.read_stream(&bytes, &context).err(), upstream, client, shown)?;
        if let Some(reply) = &reply {
            let bytes = client.ingress.encode_reply(reply, &context);
            readable(client.read_reply(&bytes).err(), upstream, client, || {
                String::from_utf8_lossy(&bytes).into_owned()
            })?;
        }
    }
    let mut probe = upstream.egress.stream_probe();
    for frame in frames {
        let _ = (probe.observe(frame), probe.is_requested_usage(frame));
    }
    let _ = probe.report();
    Ok(())
}

/// A whole reply of any shape: what decodes is readable for every client, whole and streamed.
///
/// # Errors
/// The broken rule.
pub fn reply(upstream: &Dialect, clients: &[Dialect], body: &[u8]) -> Result<(), String> {
    let context = reply_context(upstream.vendor);
    let _ = upstream.egress.reply_probe(body);
    let Ok(reply) = upstream.egress.decode_reply(body, &context) else { return Ok(()) };
    let events = gw_core::unfold(reply.clone());
    for client in clients {
        let bytes = client.ingress.encode_reply(&reply, &context);
        readable(client.read_reply(&bytes).err(), upstream, client, || String::from_utf8_lossy(&bytes).into_owned())?;
        let bytes = encode_stream(client.ingress, &context, &events);
        let rule = client.read_stream(&bytes, &context).err();
        readable(rule, upstream, client, || String::from_utf8_lossy(&bytes).into_owned())?;
    }
    Ok(())
}

/// Fails on a broken rule; what a provider of the client's own dialect wrote may be passed on unread.
fn readable(
    rule: Option<String>,
    upstream: &Dialect,
    client: &Dialect,
    shown: impl FnOnce() -> String,
) -> Result<(), String> {
    match rule {
        None => Ok(()),
        // Numbers beyond a double are passed on, and the strict reader cannot hold them.
        Some(rule) if rule.contains("number out of range") => Ok(()),
        Some(rule) if rule.contains(UNREAD) && upstream.id == client.id => Ok(()),
        Some(rule) => Err(format!("{} -> {}: {rule}\n{}", upstream.id, client.id, shown())),
    }
}
