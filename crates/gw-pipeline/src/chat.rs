//! A chat call: relayed or translated, streamed or whole.

use std::sync::Arc;

use bytes::Bytes;
use gw_core::{EndReason, GatewayError, Loss, Mode, Operation, unfold};
use gw_spi::{
    DecodeContext, EncodeContext, Encoded, Framing, Peek, Prepared, RelayWants, ReplyContext, UpstreamCall, bad_json,
};
use gw_wire::{Document, splice};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};

use crate::attempt::{self, Opened};
use crate::body::GatewayBody;
use crate::clock;
use crate::count;
use crate::credentials::Credentials;
use crate::deadlines::Deadlines;
use crate::emulate::{self, StopWatch, cut_reply};
use crate::executor::{Arrival, Failure, Gateway, json};
use crate::held::Held;
use crate::lane::{Framer, Lane, Relay, Translate};
use crate::plan::{self, Plan};
use crate::pump::{Opening, Primed, Pump, Upstream};
use crate::report;
use crate::settle::Settlement;
use crate::snapshot::{ModelEntry, Snapshot};
use crate::tools::ToolNames;
use crate::transport::Pieces;

/// Client headers that reach a provider of the same dialect.
const FORWARDED: [&str; 4] = ["anthropic-beta", "anthropic-version", "openai-beta", "x-goog-api-client"];

/// One chat (or count-tokens) call.
pub(crate) struct ChatCall<'c> {
    pub(crate) gateway: &'c Gateway,
    pub(crate) arrival: &'c Arrival,
    pub(crate) snapshot: &'c Arc<Snapshot>,
    pub(crate) entry: &'c ModelEntry,
    pub(crate) peek: &'c Peek,
    pub(crate) text: &'c str,
}

/// What goes to the provider, and what the answer needs.
struct Outgoing {
    body: Pieces,
    headers: Vec<(&'static str, String)>,
    losses: Vec<Loss>,
    stops: Vec<String>,
    tools: ToolNames,
    /// The usage event was asked for on the client's behalf.
    asked_usage: bool,
    legacy_functions: bool,
    hide_reasoning: bool,
    include_usage: bool,
    candidates: u32,
    credentials: Credentials,
}

impl ChatCall<'_> {
    /// Answers a chat request.
    pub(crate) async fn answer(
        &self,
        envelope: &Document<'_>,
        settlement: &mut Settlement,
    ) -> Result<Response<GatewayBody>, Failure> {
        let plan = self.plan(Operation::Chat)?;
        let mut outgoing = if plan.relay { self.relayed(envelope, &plan) } else { self.translated(&plan)? };
        settlement.losses(&outgoing.losses);
        let request = self.request(Operation::Chat, &plan, &outgoing)?;
        outgoing.credentials = Credentials::of(request.headers());
        settlement.reached_provider();
        let opening: Opening = Box::pin(attempt::open(
            self.gateway.transport.clone(),
            request,
            self.entry.provider.timeouts.first_byte,
            Arc::clone(&plan.egress),
        ));
        let mut response = if self.peek.stream {
            self.stream(opening, &plan, outgoing, settlement).await?
        } else {
            self.whole(opening, &plan, outgoing, settlement).await?
        };
        self.name_route(response.headers_mut(), &plan);
        Ok(response)
    }

    /// Answers a token-count request: by the provider where it can, else by the local tokenizer, marked as such.
    pub(crate) async fn count(&self, settlement: &mut Settlement) -> Result<Response<GatewayBody>, Failure> {
        let document = self.document()?;
        let (mut request, _) = self.arrival.ingress.decode(&document, &self.decode_context())?;
        request.stream = false;
        let Ok(plan) = self.plan(Operation::CountTokens) else {
            return Ok(self.counted_here(&request, settlement));
        };
        let capabilities = self.entry.provider.provider.capabilities(&self.entry.upstream);
        let context = EncodeContext {
            model: &self.entry.upstream,
            stream: false,
            capabilities: &capabilities,
            vendor: self.entry.provider.provider.vendor(),
        };
        let Some(encoded) = plan.egress.encode_count(&request, &context) else {
            return Ok(self.counted_here(&request, settlement));
        };
        let encoded = encoded?;
        let outgoing = Outgoing::of(encoded, &request);
        let prepared = self.request(Operation::CountTokens, &plan, &outgoing)?;
        settlement.reached_provider();
        let timeouts = self.entry.provider.timeouts;
        let opened =
            attempt::open(self.gateway.transport.clone(), prepared, timeouts.first_byte, Arc::clone(&plan.egress))
                .await
                .map_err(|fault| Failure::of(fault, plan.relay))?;
        let body = self.collect(opened, settlement).await?;
        let count = plan.egress.decode_count(&body)?;
        settlement.finish(EndReason::Completed, 200, None);
        Ok(json(StatusCode::OK, self.arrival.ingress.encode_count(count.input_tokens)))
    }

    fn counted_here(&self, request: &gw_core::ChatRequest, settlement: &mut Settlement) -> Response<GatewayBody> {
        let tokens = count::estimate(request);
        settlement.finish(EndReason::Completed, 200, None);
        let mut response = json(StatusCode::OK, self.arrival.ingress.encode_count(tokens));
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-irongate-estimated"), HeaderValue::from_static("tokenizer=o200k_base"));
        response
    }

    fn plan(&self, operation: Operation) -> Result<Plan, GatewayError> {
        plan::choose(
            self.arrival.ingress.id(),
            self.entry.provider.provider.as_ref(),
            self.arrival.route.stream_framing,
            operation,
            &self.entry.upstream,
            &self.gateway.dialects.egresses,
        )
    }

    fn document(&self) -> Result<Document<'_>, GatewayError> {
        Document::parse(self.text, self.snapshot.settings().limits).map_err(|fault| bad_json(&fault))
    }

    fn decode_context(&self) -> DecodeContext<'_> {
        DecodeContext {
            limits: self.snapshot.settings().limits,
            sealer: self.gateway.sealer.as_ref(),
            path_model: self.arrival.route.model.as_deref(),
            path_stream: self.arrival.route.stream,
            headers: &self.arrival.headers,
        }
    }

    /// The client's own bytes with declared splices.
    fn relayed(&self, envelope: &Document<'_>, plan: &Plan) -> Outgoing {
        let capabilities = self.entry.provider.provider.capabilities(&self.entry.upstream);
        let asked_usage = self.peek.stream && !self.peek.include_usage && capabilities.stream_usage_option;
        let wants = RelayWants {
            model: &self.entry.upstream,
            stream: self.peek.stream,
            usage: asked_usage,
            capabilities: &capabilities,
        };
        let splices = plan.egress.relay_splices(envelope, &wants);
        Outgoing {
            body: Pieces::new(splice(&self.arrival.body, splices)),
            headers: Vec::new(),
            losses: Vec::new(),
            stops: Vec::new(),
            tools: ToolNames::default(),
            asked_usage,
            legacy_functions: false,
            hide_reasoning: false,
            include_usage: self.peek.include_usage,
            candidates: 1,
            credentials: Credentials::default(),
        }
    }

    /// Decoded and encoded for the provider's dialect.
    fn translated(&self, plan: &Plan) -> Result<Outgoing, GatewayError> {
        let mode = report::mode_of(&self.arrival.headers, self.snapshot.settings().mode)?;
        let document = self.document()?;
        let (mut request, mut losses) = self.arrival.ingress.decode(&document, &self.decode_context())?;
        request.stream = self.peek.stream;
        let capabilities = self.entry.provider.provider.capabilities(&self.entry.upstream);
        let context = EncodeContext {
            model: &self.entry.upstream,
            stream: self.peek.stream,
            capabilities: &capabilities,
            vendor: self.entry.provider.provider.vendor(),
        };
        let mut encoded = plan.egress.encode(&request, &context)?;
        losses.append(&mut encoded.losses);
        self.enforce(&losses, mode)?;
        if encoded.emulate_candidates > 1 {
            return Err(self.several_candidates(encoded.emulate_candidates));
        }
        encoded.losses = losses;
        Ok(Outgoing::of(encoded, &request))
    }

    fn enforce(&self, losses: &[Loss], mode: Mode) -> Result<(), GatewayError> {
        report::enforce(losses, mode, self.arrival.ingress.as_ref(), &self.entry.provider.name, &self.entry.upstream)
    }

    fn several_candidates(&self, wanted: u32) -> GatewayError {
        let loss =
            Loss::new(gw_core::Field::Candidates, gw_core::LossClass::Semantic, gw_core::LossAction::Dropped, "");
        let pointer = self.arrival.ingress.pointer(&loss);
        let message = format!(
            "'{pointer}' asks for {wanted} answers, and model '{}' of provider '{}' gives one at a time; send {wanted} \
             requests instead",
            self.entry.upstream, self.entry.provider.name
        );
        GatewayError::new(gw_core::Code::Unsupported, message).with_param(pointer)
    }

    fn request(&self, operation: Operation, plan: &Plan, outgoing: &Outgoing) -> Result<Request<Pieces>, GatewayError> {
        let call = UpstreamCall {
            operation,
            dialect: plan.egress.id(),
            model: &self.entry.upstream,
            stream: self.peek.stream && operation == Operation::Chat,
            framing: plan.framing,
            native_path: None,
            method: &self.arrival.method,
        };
        let Prepared { method, uri, mut headers } = self.entry.provider.provider.prepare(&call)?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if plan.relay {
            for name in FORWARDED {
                if let Some(value) = self.arrival.headers.get(name) {
                    headers.insert(HeaderName::from_static(name), value.clone());
                }
            }
        }
        for (name, value) in &outgoing.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        if let Ok(value) = HeaderValue::from_str(&self.arrival.request_id) {
            headers.insert(HeaderName::from_static("x-request-id"), value);
        }
        let mut request = Request::new(outgoing.body.clone());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    async fn collect(&self, opened: Opened, settlement: &mut Settlement) -> Result<Bytes, GatewayError> {
        settlement.record(|record| record.upstream_status = Some(opened.head.status.as_u16()));
        settlement.first_byte();
        let timeouts = self.entry.provider.timeouts;
        let until = self.arrival.started + timeouts.total;
        attempt::collect(opened.body, self.snapshot.settings().reply_limit, timeouts.idle, until).await
    }

    /// An answer that is not a stream.
    async fn whole(
        &self,
        opening: Opening,
        plan: &Plan,
        outgoing: Outgoing,
        settlement: &mut Settlement,
    ) -> Result<Response<GatewayBody>, Failure> {
        let opened = opening.await.map_err(|fault| Failure::of(fault, plan.relay))?;
        let body = self.collect(opened, settlement).await?;
        let ingress = self.arrival.ingress.as_ref();
        let bytes = if plan.relay {
            settlement.observed(&plan.egress.reply_probe(&body));
            body
        } else {
            let context = self.reply_context(&outgoing, Framing::Json);
            let reply = cut_reply(plan.egress.decode_reply(&body, &context)?, &outgoing.stops)?;
            let reply = outgoing.tools.restore_reply(reply);
            let content_bytes = emulate::content_bytes(&reply);
            settlement.observed(&gw_spi::ProbeReport {
                usage: reply.usage.clone(),
                content_bytes,
                ..Default::default()
            });
            ingress.encode_reply(&reply, &context)
        };
        settlement.delivered(1, bytes.len() as u64);
        // Before the last byte goes out: what a client got whole is on record.
        settlement.finish(EndReason::Completed, 200, None);
        let mut response = json(StatusCode::OK, bytes);
        self.warn(response.headers_mut(), &outgoing.losses);
        Ok(response)
    }

    /// A streamed answer. The head waits for the first meaningful event, but not longer than the configured time.
    async fn stream(
        &self,
        mut opening: Opening,
        plan: &Plan,
        outgoing: Outgoing,
        settlement: &mut Settlement,
    ) -> Result<Response<GatewayBody>, Failure> {
        let settings = self.snapshot.settings();
        let waited = tokio::time::timeout(settings.head_wait, &mut opening).await;
        let mut whole = None;
        let upstream = match waited {
            Err(_) => Upstream::Opening(opening),
            Ok(Err(fault)) => return Err(Failure::of(fault, plan.relay)),
            Ok(Ok(opened)) => {
                settlement.record(|record| record.upstream_status = Some(opened.head.status.as_u16()));
                if is_stream(&opened, plan.framing) {
                    Upstream::Body(opened.body)
                } else {
                    whole = Some(self.collect(opened, settlement).await?);
                    Upstream::Closed
                }
            }
        };
        if let (Some(body), true) = (&whole, plan.relay) {
            // The provider answered a stream request with a whole answer: it is the client's own format.
            settlement.observed(&plan.egress.reply_probe(body));
            settlement.delivered(1, body.len() as u64);
            settlement.finish(EndReason::Completed, 200, None);
            return Ok(json(StatusCode::OK, body.clone()));
        }
        let context = self.reply_context(&outgoing, self.arrival.route.stream_framing);
        let lane = self.lane(plan, &outgoing, &context);
        let deadlines = Deadlines::new(self.entry.provider.timeouts, settings.heartbeat, self.arrival.started);
        let cut = self.gateway.cut.clone().cancelled_owned();
        let mut pump = Pump::new(upstream, lane, deadlines, settlement.take(), cut);
        if let Some(body) = whole {
            Self::replay(&mut pump, plan, &body, &context, settlement)?;
        }
        let primed = tokio::time::timeout(settings.head_wait, pump.prime()).await;
        if let Ok(Primed::Failed(error)) = primed {
            *settlement = pump.into_settlement();
            return Err((*error).into());
        }
        let mut response = Response::new(GatewayBody::Stream(Box::new(pump)));
        self.stream_headers(response.headers_mut());
        self.warn(response.headers_mut(), &outgoing.losses);
        Ok(response)
    }

    /// Feeds an answer that came whole to a client that wants a stream.
    fn replay(
        pump: &mut Pump,
        plan: &Plan,
        body: &Bytes,
        context: &ReplyContext,
        settlement: &mut Settlement,
    ) -> Result<(), GatewayError> {
        let reply = match plan.egress.decode_reply(body, context) {
            Ok(reply) => reply,
            Err(error) => {
                *settlement = pump.take_settlement();
                return Err(error);
            }
        };
        let (lane, out) = pump.lane_mut();
        if let Lane::Translate(translate) = lane {
            let seen = translate.events(unfold(reply), out);
            pump.absorb(seen);
        }
        Ok(())
    }

    fn lane(&self, plan: &Plan, outgoing: &Outgoing, context: &ReplyContext) -> Lane {
        let limit = self.snapshot.settings().reply_limit;
        let ingress = Arc::clone(&self.arrival.ingress);
        if plan.relay {
            return Lane::Relay(Relay {
                framer: Framer::new(plan.framing, limit),
                probe: plan.egress.stream_probe(),
                held: outgoing.asked_usage.then(Held::default),
                ingress,
                framing: plan.framing,
                request_id: self.arrival.request_id.clone(),
                frames: Vec::new(),
                ended: false,
                credentials: outgoing.credentials.clone(),
            });
        }
        Lane::Translate(Box::new(Translate {
            framer: Framer::new(plan.framing, limit),
            decoder: plan.egress.event_decoder(context),
            credentials: outgoing.credentials.clone(),
            encoder: self.arrival.ingress.event_encoder(context),
            stops: StopWatch::new(&outgoing.stops),
            tools: outgoing.tools.clone(),
            framing: self.arrival.route.stream_framing,
            ingress,
            usage: None,
            content_bytes: 0,
            frames: Vec::new(),
            events: Vec::new(),
            ended: false,
            #[cfg(debug_assertions)]
            law: gw_core::LawChecker::default(),
        }))
    }

    fn reply_context(&self, outgoing: &Outgoing, framing: Framing) -> ReplyContext {
        let requested = self.arrival.route.model.as_deref().or(self.peek.model.as_deref());
        ReplyContext {
            request_id: self.arrival.request_id.clone(),
            id_base: self.arrival.request_id.chars().filter(char::is_ascii_alphanumeric).collect(),
            client_model: requested.unwrap_or(&self.entry.upstream).to_owned(),
            created: clock::now_ms() / 1_000,
            include_usage: outgoing.include_usage,
            legacy_functions: outgoing.legacy_functions,
            hide_reasoning: outgoing.hide_reasoning,
            framing,
            vendor: self.entry.provider.provider.vendor().to_owned(),
            sealer: Arc::clone(&self.gateway.sealer),
            limits: self.snapshot.settings().limits,
            candidates: outgoing.candidates,
        }
    }

    fn stream_headers(&self, headers: &mut HeaderMap) {
        let kind = match self.arrival.route.stream_framing {
            Framing::JsonArray | Framing::Json => "application/json",
            Framing::Sse => "text/event-stream; charset=utf-8",
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    }

    fn warn(&self, headers: &mut HeaderMap, losses: &[Loss]) {
        if let Some(value) = report::warnings(losses, self.arrival.ingress.as_ref()) {
            headers.insert(HeaderName::from_static("x-irongate-warnings"), value);
        }
    }

    fn name_route(&self, headers: &mut HeaderMap, plan: &Plan) {
        let route = format!(
            "{};{};{}/{}",
            self.arrival.ingress.id(),
            plan.egress.id(),
            self.entry.provider.name,
            self.entry.upstream
        );
        if let Ok(value) = HeaderValue::from_str(&route) {
            headers.insert(HeaderName::from_static("x-irongate-route"), value);
        }
    }
}

impl Outgoing {
    fn of(encoded: Encoded, request: &gw_core::ChatRequest) -> Self {
        Self {
            body: Pieces::from(encoded.body.bytes),
            headers: encoded.body.headers,
            losses: encoded.losses,
            stops: encoded.emulate_stops,
            tools: ToolNames::new(encoded.renamed_tools, &request.tools),
            asked_usage: false,
            legacy_functions: request.legacy_functions,
            hide_reasoning: request.reasoning.visibility == gw_core::Visibility::Hidden,
            include_usage: request.include_usage,
            candidates: request.output.candidates.unwrap_or(1),
            credentials: Credentials::default(),
        }
    }
}

/// Whether the provider really streams.
fn is_stream(opened: &Opened, framing: Framing) -> bool {
    let kind = opened.head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match framing {
        Framing::Sse => !kind.trim_start().to_ascii_lowercase().starts_with("application/json"),
        Framing::JsonArray | Framing::Json => true,
    }
}
