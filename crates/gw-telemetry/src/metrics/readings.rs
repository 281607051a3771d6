//! Numbers that live elsewhere and are read when the metrics are rendered.

use std::fmt;

use parking_lot::RwLock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reads a number. Called at each rendering, so it must be quick; NaN means that there is none.
pub type Read = Box<dyn Fn() -> f64 + Send + Sync>;

/// Where the numbers of the usage journal come from.
pub struct JournalReadings {
    /// Records appended since the start.
    pub appended: Read,
    /// Records that could not be appended since the start.
    pub failed: Read,
    /// Records that the database has not taken yet.
    pub pending: Read,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Counter,
}

struct Reading {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    read: Read,
}

#[derive(Default)]
pub(super) struct Readings {
    readings: RwLock<Vec<Reading>>,
}

impl Readings {
    pub(super) fn add(&self, name: &'static str, help: &'static str, kind: Kind, read: Read) {
        let mut readings = self.readings.write();
        // Two metrics of one name would make the whole text invalid.
        readings.retain(|reading| reading.name != name);
        readings.push(Reading { name, help, kind, read });
    }
}

impl fmt::Debug for Readings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.readings.read().iter().map(|reading| reading.name)).finish()
    }
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for reading in self.readings.read().iter() {
            let value = (reading.read)();
            if value.is_nan() {
                continue;
            }
            // The same text as the registry's own descriptions, which end in a full stop.
            let help = format!("{}.", reading.help);
            match reading.kind {
                Kind::Gauge => encode(&mut encoder, reading.name, &help, &ConstGauge::new(value))?,
                Kind::Counter => encode(&mut encoder, reading.name, &help, &ConstCounter::new(value))?,
            }
        }
        Ok(())
    }
}

fn encode(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}
