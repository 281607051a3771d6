//! Provider-native calls: the body is relayed untouched in both directions.

use std::sync::Arc;

use gw_core::{Code, GatewayError, Operation};
use gw_spi::{Prepared, UpstreamCall};
use gw_wire::Document;
use http::{HeaderName, HeaderValue, Request, Response, header};
use memchr::memmem;

use crate::attempt;
use crate::body::GatewayBody;
use crate::deadlines::Deadlines;
use crate::executor::{Arrival, Failure, Gateway};
use crate::lane::{Lane, Raw};
use crate::plan;
use crate::pump::{Pump, Upstream};
use crate::settle::Settlement;
use crate::snapshot::Snapshot;
use crate::transport::Pieces;

/// What clients write between host and call; providers have a root of their own.
const VERSIONS: [&str; 4] = ["/v1beta1", "/v1beta", "/v1alpha", "/v1"];

/// Relays a native call to the provider that serves the model named in the body.
pub(crate) async fn call(
    gateway: &Gateway,
    arrival: &Arrival,
    snapshot: &Arc<Snapshot>,
    settlement: &mut Settlement,
) -> Result<Response<GatewayBody>, Failure> {
    let named = arrival.route.model.clone().or_else(|| model_of(arrival, snapshot));
    let entry = match (&named, snapshot.nameless()) {
        (None, Some(entry)) => {
            settlement.record(|record| record.provider = entry.provider.name.as_ref().to_owned());
            entry
        }
        _ => gateway.target(arrival, snapshot, named.as_deref(), settlement)?,
    };
    settlement.request_bytes(arrival.body.len() as u64);
    let provider = entry.provider.provider.as_ref();
    let plan = plan::choose(
        arrival.ingress.id(),
        provider,
        arrival.route.stream_framing,
        Operation::Native,
        &entry.upstream,
        &gateway.dialects.egresses,
    )?;
    if !plan.relay {
        let message = format!("provider '{}' does not speak this format natively", provider.name());
        return Err(GatewayError::new(Code::Unsupported, message).into());
    }
    let path = path(arrival, &entry.upstream);
    let upstream_call = UpstreamCall {
        operation: Operation::Native,
        dialect: plan.egress.id(),
        model: &entry.upstream,
        stream: false,
        framing: plan.framing,
        native_path: Some(&path),
        method: &arrival.method,
    };
    let Prepared { method, uri, mut headers } = provider.prepare(&upstream_call)?;
    for name in [header::CONTENT_TYPE, header::ACCEPT] {
        if let Some(value) = arrival.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    if let Ok(value) = HeaderValue::from_str(&arrival.request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    if arrival.body.first() == Some(&b'{') && is_curl_default(&headers) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let mut request = Request::new(body(arrival, named.as_deref(), &entry.upstream, snapshot));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    settlement.reached_provider();
    let timeouts = entry.provider.timeouts;
    let opened = attempt::open(gateway.transport.clone(), request, timeouts.first_byte, Arc::clone(&plan.egress))
        .await
        .map_err(|fault| Failure::of(fault, true))?;
    settlement.record(|record| record.upstream_status = Some(opened.head.status.as_u16()));
    let kind = opened.head.headers.get(header::CONTENT_TYPE).cloned();
    let length = opened.head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let keep = kind.as_ref().is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let lane = Lane::Raw(Raw { kept: Vec::new(), keep, read: Some(Arc::clone(&plan.egress)) });
    let deadlines = Deadlines::new(timeouts, timeouts.idle, arrival.started);
    let cut = gateway.cut.clone().cancelled_owned();
    let status = opened.head.status;
    let pump = Pump::new(Upstream::Body(opened.body), lane, deadlines, settlement.take(), cut).with_length(length);
    let mut response = Response::new(GatewayBody::Stream(Box::new(pump)));
    *response.status_mut() = status;
    let kind = kind.unwrap_or_else(|| HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// Path and query below the API's root: without version and key, with the provider's own name of a model in the path.
fn path(arrival: &Arrival, upstream: &str) -> String {
    let whole = arrival.path.as_str();
    let versioned =
        VERSIONS.iter().find_map(|version| whole.strip_prefix(version)).filter(|rest| rest.starts_with('/'));
    let below = versioned.unwrap_or(whole);
    let named = arrival.route.model.as_ref().and_then(|_| below.strip_prefix("/models/")?.rsplit_once(':'));
    let mut path = match named {
        Some((_, action)) => format!("/models/{}:{action}", one_segment(upstream)),
        None => below.to_owned(),
    };
    let kept = arrival.query.iter().flat_map(|query| query.split('&')).filter(|pair| !pair.starts_with("key="));
    for (at, pair) in kept.enumerate() {
        path.push(if at == 0 { '?' } else { '&' });
        path.push_str(pair);
    }
    path
}

/// A model's name as one path segment.
fn one_segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:@+=".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

/// `curl -d` announces a form even when it sends JSON.
fn is_curl_default(headers: &http::HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind.as_bytes() == b"application/x-www-form-urlencoded")
}

/// The model named in a JSON body or in a multipart form field.
fn model_of(arrival: &Arrival, snapshot: &Snapshot) -> Option<String> {
    if is_form(arrival) {
        return form_model(&arrival.body)
            .map(|range| String::from_utf8_lossy(arrival.body.get(range).unwrap_or_default()).into_owned());
    }
    let text = std::str::from_utf8(&arrival.body).ok()?;
    let envelope = Document::envelope(text, snapshot.settings().limits).ok()?;
    envelope.root().get("model")?.string()
}

fn is_form(arrival: &Arrival) -> bool {
    let kind = arrival.headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"))
}

/// Range of the value of form field `model`.
fn form_model(body: &[u8]) -> Option<std::ops::Range<usize>> {
    let field = memmem::find(body, b"name=\"model\"")?;
    let after = field + memmem::find(body.get(field..)?, b"\r\n\r\n")? + 4;
    let length = memmem::find(body.get(after..)?, b"\r\n")?;
    (length <= 256).then_some(after..after + length)
}

/// The client's body; only the model's name is replaced, and only where the provider knows it by another one.
fn body(arrival: &Arrival, named: Option<&str>, upstream: &str, snapshot: &Snapshot) -> Pieces {
    let untouched = || Pieces::from(arrival.body.clone());
    if named.is_none_or(|named| named == upstream) || arrival.route.model.is_some() {
        return untouched();
    }
    let splice = if is_form(arrival) {
        form_model(&arrival.body).map(|range| gw_wire::Splice { range, with: upstream.to_owned().into() })
    } else {
        std::str::from_utf8(&arrival.body).ok().and_then(|text| {
            let envelope = Document::envelope(text, snapshot.settings().limits).ok()?;
            let range = envelope.root().get("model")?.span();
            let mut quoted = Vec::new();
            gw_wire::write_string(upstream, &mut quoted);
            Some(gw_wire::Splice { range, with: quoted.into() })
        })
    };
    match splice {
        Some(splice) => Pieces::new(gw_wire::splice(&arrival.body, vec![splice])),
        None => untouched(),
    }
}
