//! Settlement: every call ends in exactly one record, also when its future is dropped half-way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gw_core::{EndReason, GatewayError, Loss, Provenance, Usage};
use gw_spi::ProbeReport;
use gw_store::{UsageRecord, UsageTokens};
use tokio::time::Instant;

use crate::clock;

/// Takes settled calls. Called on the request path: it must not block on a database.
pub trait Observer: Send + Sync {
    /// A call towards a provider began.
    fn started(&self, format: &'static str, provider: &str);

    /// A call is over. `Settled::reached_provider` tells whether `started` was called for it.
    fn settled(&self, settled: Settled);
}

/// A finished call.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The record for the ledger.
    pub record: UsageRecord,
    /// Label of the client's dialect.
    pub format: &'static str,
    /// Error family, when it failed.
    pub error_family: Option<&'static str>,
    /// For logs only.
    pub error_message: Option<String>,
    /// Request method.
    pub method: String,
    /// Request path, without query.
    pub path: String,
    /// Whether a provider was called.
    pub reached_provider: bool,
    /// Whether a key was identified: only such calls belong into the ledger.
    pub billable: bool,
    /// From arrival to settlement.
    pub duration: Duration,
}

/// The guard of one call. Dropping it unfinished settles the call as cancelled by the client (or by shutdown).
pub(crate) struct Settlement {
    open: Option<Box<Open>>,
}

struct Open {
    settled: Settled,
    observer: Arc<dyn Observer>,
    started: Instant,
    usage: Option<Usage>,
    content_bytes: u64,
    request_bytes: u64,
    shutting_down: Arc<AtomicBool>,
}

impl Settlement {
    pub(crate) fn new(
        settled: Settled,
        observer: Arc<dyn Observer>,
        started: Instant,
        shutting_down: Arc<AtomicBool>,
    ) -> Self {
        let open = Open { settled, observer, started, usage: None, content_bytes: 0, request_bytes: 0, shutting_down };
        Self { open: Some(Box::new(open)) }
    }

    /// Hands the guard over, leaving one that does nothing.
    pub(crate) fn take(&mut self) -> Self {
        Self { open: self.open.take() }
    }

    pub(crate) fn record(&mut self, edit: impl FnOnce(&mut UsageRecord)) {
        if let Some(open) = &mut self.open {
            edit(&mut open.settled.record);
        }
    }

    /// Remembers what was asked, for estimates.
    pub(crate) fn request_bytes(&mut self, bytes: u64) {
        if let Some(open) = &mut self.open {
            open.request_bytes = bytes;
        }
    }

    pub(crate) fn losses(&mut self, losses: &[Loss]) {
        self.record(|record| {
            record.losses =
                losses.iter().map(|loss| format!("{}:{}", loss.field.name(), loss.action.as_str())).collect();
        });
    }

    /// A provider is about to be called.
    pub(crate) fn reached_provider(&mut self) {
        if let Some(open) = &mut self.open
            && !open.settled.reached_provider
        {
            open.settled.reached_provider = true;
            open.observer.started(open.settled.format, &open.settled.record.provider);
        }
    }

    pub(crate) fn first_byte(&mut self) {
        if let Some(open) = &mut self.open
            && open.settled.record.first_byte_ms.is_none()
        {
            open.settled.record.first_byte_ms = Some(clock::elapsed_ms(open.started));
        }
    }

    pub(crate) fn delivered(&mut self, events: u64, bytes: u64) {
        self.record(|record| {
            record.events_delivered = record.events_delivered.saturating_add(events);
            record.bytes_delivered = record.bytes_delivered.saturating_add(bytes);
        });
    }

    pub(crate) fn observed(&mut self, report: &ProbeReport) {
        if let Some(open) = &mut self.open {
            if let Some(usage) = &report.usage {
                open.usage = Some(usage.clone());
            }
            open.content_bytes = open.content_bytes.max(report.content_bytes);
        }
    }

    /// Whether the call is settled already.
    pub(crate) fn is_done(&self) -> bool {
        self.open.is_none()
    }

    /// Settles. Later calls do nothing.
    pub(crate) fn finish(&mut self, end: EndReason, status: u16, error: Option<&GatewayError>) {
        let Some(mut open) = self.open.take() else { return };
        let usage = open.final_usage(end);
        let record = &mut open.settled.record;
        open.settled.duration = open.started.elapsed();
        record.duration_ms = clock::elapsed_ms(open.started);
        record.end = end.into();
        record.status = status;
        record.usage = UsageTokens::of(&usage, u64::from(open.settled.reached_provider));
        record.usage_provenance = usage.provenance.into();
        if let Some(error) = error {
            record.error_code = Some(error.code.as_str().to_owned());
            record.upstream_status = error.upstream_status.or(record.upstream_status);
            open.settled.error_family = Some(error.code.family());
            open.settled.error_message = Some(match &error.cause {
                Some(cause) => format!("{} ({cause})", error.message),
                None => error.message.to_string(),
            });
        }
        let Open { settled, observer, .. } = *open;
        observer.settled(settled);
    }
}

impl Open {
    /// Only generations consume tokens that could be estimated; counting tokens or polling a task does not.
    fn is_chat(&self) -> bool {
        self.settled.record.operation == gw_core::Operation::Chat.as_str()
    }

    /// The provider's numbers where there are any; otherwise an estimate that says so. A cut stream's provisional output
    /// count is raised to what was seen.
    fn final_usage(&mut self, end: EndReason) -> Usage {
        // Four bytes a token is the usual rule of thumb for English; the provenance tells readers what it is.
        let seen = self.content_bytes.div_ceil(4);
        // Formats whose usage fields are not optional report zeros where they know nothing.
        let told = self.usage.take().filter(|usage| {
            let tokens = UsageTokens::of(usage, 0);
            seen == 0 || tokens.input_total() > 0 || tokens.output_total() > 0
        });
        match told {
            Some(mut usage) => {
                if end != EndReason::Completed && seen > usage.output {
                    usage.output = seen;
                    usage.provenance = Provenance::Estimated;
                }
                usage
            }
            None if self.is_chat() && self.settled.reached_provider && (end == EndReason::Completed || seen > 0) => {
                Usage {
                    input_uncached: self.request_bytes.div_ceil(4),
                    output: seen,
                    provenance: Provenance::Estimated,
                    ..Usage::default()
                }
            }
            None => Usage::default(),
        }
    }
}

impl Drop for Settlement {
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            let stopping = open.shutting_down.load(Ordering::Relaxed);
            let end = if stopping { EndReason::Shutdown } else { EndReason::ClientCancelled };
            self.finish(end, 499, None);
        }
    }
}
