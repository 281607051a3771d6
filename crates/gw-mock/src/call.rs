//! One request being answered: its options, its key, and the response with faults and headers.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};

use crate::behaviour::{Behaviour, OptionError};
use crate::body::{MockBody, Step};
use crate::endpoint::Content;
use crate::failure::{Failure, Vendor};
use crate::journal::Ticket;
use crate::script::{Framing, Script};
use crate::service::{ConnectionReset, OPTIONS_HEADER, Settings};

/// One request while it is being answered.
pub(crate) struct Call<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) behaviour: Behaviour,
    pub(crate) vendor: Vendor,
    pub(crate) request_id: String,
}

impl Call<'_> {
    /// Lays header, path and model options over the settings.
    pub(crate) fn options(&mut self, headers: &HeaderMap, path: &str, model: Option<&str>) -> Result<(), Failure> {
        let explain = |error: OptionError| Failure::field("model", "invalid_value", error.to_string());
        for value in headers.get_all(OPTIONS_HEADER) {
            let list = value.to_str().map_err(|_| Failure::invalid("the x-mock header is not text"))?;
            self.behaviour.apply_list(list).map_err(explain)?;
        }
        let segment = path.strip_prefix("/bench/").and_then(|rest| rest.split('/').next());
        if let Some(segment) = segment.filter(|segment| segment.contains('=')) {
            self.behaviour.apply_list(segment).map_err(explain)?;
        }
        match model {
            Some(model) => self.behaviour.apply_model(model).map(|_| ()).map_err(explain),
            None => Ok(()),
        }
    }

    pub(crate) fn check_key(&self, request: &Request<Bytes>) -> Result<(), Failure> {
        let accepted = &self.settings.accepted_keys;
        if !self.settings.require_key && accepted.is_empty() {
            return Ok(());
        }
        let key = key_of(request);
        let known = key.as_ref().is_some_and(|key| accepted.is_empty() || accepted.iter().any(|one| one == key));
        if known {
            return Ok(());
        }
        Err(match (self.vendor, key.is_some()) {
            (Vendor::Anthropic, true) => Failure::new(401, "invalid x-api-key"),
            (Vendor::Anthropic, false) => Failure::new(401, "x-api-key header is required"),
            (Vendor::Gemini, true) => Failure::new(400, "API key not valid. Please pass a valid API key."),
            (Vendor::Gemini, false) => Failure::new(
                403,
                "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
            ),
            (Vendor::OpenAi, true) => Failure::new(401, "Incorrect API key provided.").with_code("invalid_api_key"),
            (Vendor::OpenAi, false) => Failure::new(
                401,
                "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            ),
        })
    }

    /// The error that `status` demands.
    pub(crate) fn demanded(&self) -> Result<(), Failure> {
        match self.behaviour.status {
            Some(status) => {
                let mut failure = Failure::of_status(status, self.vendor);
                failure.retry_after = self.behaviour.retry_after;
                Err(failure)
            }
            None if self.behaviour.blocked && self.vendor != Vendor::Gemini => {
                let message = "The prompt was refused by the content policy (made by the mock on demand).";
                Err(Failure::field("prompt", "content_filter", message))
            }
            None => Ok(()),
        }
    }

    pub(crate) fn render(&self, outcome: Result<Content, Failure>, ticket: Ticket) -> Response<MockBody> {
        if self.behaviour.reset {
            let mut response = Response::new(MockBody::stream([Step::Break].into(), Duration::ZERO, ticket));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response.extensions_mut().insert(ConnectionReset);
            return response;
        }
        let mut response = if self.behaviour.html {
            let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
            let mut response = self.whole(Bytes::from_static(page.as_bytes()), "text/html", ticket);
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        } else {
            match outcome {
                Ok(Content::Json(value)) => self.whole(Bytes::from(value.to_string()), self.json_type(), ticket),
                Ok(Content::Raw(bytes, content_type)) => self.whole(bytes, content_type, ticket),
                Ok(Content::Stream(script)) => self.stream(script, ticket),
                Err(failure) => self.failure(&failure, ticket),
            }
        };
        self.add_headers(response.headers_mut());
        response
    }

    fn json_type(&self) -> &'static str {
        if self.vendor == Vendor::Gemini { "application/json; charset=UTF-8" } else { "application/json" }
    }

    fn failure(&self, failure: &Failure, ticket: Ticket) -> Response<MockBody> {
        let body = failure.body(self.vendor, &self.request_id);
        let mut response = self.whole(Bytes::from(body.to_string()), self.json_type(), ticket);
        *response.status_mut() = failure.status_code();
        if let Some(delay) = failure.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(delay.as_secs_f64().ceil() as u64));
            if self.vendor == Vendor::OpenAi {
                let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                response.headers_mut().insert("retry-after-ms", HeaderValue::from(millis));
            }
        }
        response
    }

    /// A body of known length, with those faults that make sense for it; positions count bytes.
    fn whole(&self, bytes: Bytes, content_type: &'static str, ticket: Ticket) -> Response<MockBody> {
        let behaviour = &self.behaviour;
        let plain = behaviour.cut_at.is_none() && behaviour.stall_at.is_none() && behaviour.chunk_bytes.is_none();
        let late = behaviour.early_head && !behaviour.first_byte_delay.is_zero();
        let body = if plain && !late {
            MockBody::whole(bytes, ticket)
        } else {
            let length = bytes.len();
            let end = match (behaviour.cut_at, behaviour.stall_at) {
                (Some(cut), stall) if stall.is_none_or(|stall| cut <= stall) => Some((cut, Step::Break)),
                (_, stall) => stall.map(|stall| (stall, Step::Stall)),
            };
            let mut steps = VecDeque::new();
            if late {
                steps.push_back(Step::Pause(behaviour.first_byte_delay));
            }
            let sent = end.as_ref().map_or(length, |(at, _)| (*at).min(length));
            steps.push_back(Step::Send(bytes.slice(..sent)));
            steps.extend(end.map(|(_, step)| step));
            self.cut(MockBody::stream(steps, behaviour.chunk_delay, ticket).with_length(Some(length as u64)))
        };
        let mut response = Response::new(body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        response
    }

    fn stream(&self, script: Script, ticket: Ticket) -> Response<MockBody> {
        let content_type = match (script.framing, self.vendor) {
            (Framing::JsonArray, _) => "application/json; charset=UTF-8",
            (_, Vendor::Gemini) => "text/event-stream",
            _ => "text/event-stream; charset=utf-8",
        };
        let mut steps = script.steps(&self.behaviour, self.vendor, &self.request_id);
        if self.behaviour.early_head && !self.behaviour.first_byte_delay.is_zero() {
            steps.push_front(Step::Pause(self.behaviour.first_byte_delay));
        }
        let body = self.cut(MockBody::stream(steps, self.behaviour.chunk_delay, ticket));
        let mut response = Response::new(body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    fn cut(&self, body: MockBody) -> MockBody {
        match self.behaviour.chunk_bytes {
            Some(size) => body.recut(size),
            None => body,
        }
    }

    /// The headers by which the vendors' own answers are recognised.
    fn add_headers(&self, headers: &mut HeaderMap) {
        let Ok(id) = HeaderValue::from_str(&self.request_id) else { return };
        match self.vendor {
            Vendor::OpenAi => {
                headers.insert("x-request-id", id);
                for (name, value) in [
                    ("openai-version", "2020-10-01"),
                    ("openai-processing-ms", "1"),
                    ("x-ratelimit-limit-requests", "10000"),
                    ("x-ratelimit-remaining-requests", "9999"),
                    ("x-ratelimit-reset-requests", "6ms"),
                ] {
                    headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
                }
            }
            Vendor::Anthropic => {
                headers.insert("request-id", id);
                headers.insert("anthropic-organization-id", HeaderValue::from_static("org-mock"));
            }
            Vendor::Gemini => {
                headers.insert("server", HeaderValue::from_static("scaffolding on HTTPServer2"));
            }
        }
    }
}

/// The key of a request, from any of the places where the vendors' clients put it.
fn key_of(request: &Request<Bytes>) -> Option<String> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let bearer = text(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    let header = ["x-api-key", "x-goog-api-key", "api-key"].into_iter().find_map(text);
    let query = || {
        request.uri().query().into_iter().flat_map(|query| query.split('&')).find_map(|pair| pair.strip_prefix("key="))
    };
    header.or(bearer).or_else(query).filter(|key| !key.is_empty()).map(str::to_owned)
}
