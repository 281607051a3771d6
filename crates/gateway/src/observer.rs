//! Where settled calls go: the journal first, then metrics and the request log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gw_ledger::Journal;
use gw_pipeline::{Observer, Settled};
use gw_store::{EndReason, UsageProvenance, UsageTokens};
use gw_telemetry::{Metrics, Outcome, RequestEntry, RequestLog, TokenCounts};

/// Records every settled call.
pub(crate) struct Recorder {
    pub(crate) journal: Arc<Journal>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: RequestLog,
    /// Whether the last record could not be journaled: the process is then not ready.
    pub(crate) journal_failing: Arc<AtomicBool>,
}

impl Observer for Recorder {
    fn started(&self, format: &'static str, provider: &str) {
        self.metrics.started(format, provider);
    }

    fn settled(&self, settled: Settled) {
        if settled.billable {
            let appended = self.journal.append(&settled.record);
            self.journal_failing.store(appended.is_err(), Ordering::Relaxed);
            if let Err(fault) = appended {
                tracing::error!(request_id = %settled.record.request_id, error = %fault, "a usage record could not be journaled");
            }
        }
        let record = &settled.record;
        let success = record.end == EndReason::Completed;
        let outcome = Outcome {
            success,
            error_type: settled.error_family.or((!success).then_some("network")),
            duration: settled.duration,
            tokens: counts(&record.usage),
            usage_missing: success && settled.reached_provider && record.usage_provenance != UsageProvenance::Reported,
        };
        self.metrics.finished(
            settled.format,
            &record.requested_model,
            &record.provider,
            settled.reached_provider,
            &outcome,
        );
        if self.log.wants(record.status) {
            self.log.push(entry(settled));
        }
    }
}

fn counts(usage: &UsageTokens) -> TokenCounts {
    TokenCounts {
        input: usage.input_uncached.saturating_add(usage.tool_prompt),
        cache_read: usage.cache_read,
        cache_write: usage.cache_write_5m.saturating_add(usage.cache_write_1h).saturating_add(usage.cache_write_other),
        output: usage.output_text,
        reasoning: usage.output_reasoning,
    }
}

fn entry(settled: Settled) -> RequestEntry {
    let Settled { record, format, error_family, error_message, method, path, .. } = settled;
    RequestEntry {
        at_ms: record.at_ms.saturating_add(i64::try_from(record.duration_ms).unwrap_or(0)),
        input_tokens: record.usage.input_total(),
        output_tokens: record.usage.output_total(),
        request_id: record.request_id,
        duration_ms: record.duration_ms,
        first_byte_ms: record.first_byte_ms,
        status_code: record.status,
        format: format.to_owned(),
        model: record.requested_model,
        provider: record.provider,
        upstream_model: record.upstream_model,
        streaming: record.streaming,
        error_type: error_family,
        error: error_message,
        method,
        path,
        key_name: record.key_name,
        key_id: record.key_id,
        end: record.end.as_str(),
        losses: record.losses,
    }
}
