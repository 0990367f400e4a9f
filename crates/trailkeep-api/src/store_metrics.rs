//! The store's figures, read when somebody looks.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use trailkeep_ingest::{DiskState, Store};

/// The store as a source of metrics.
#[derive(Debug)]
pub struct StoreMetrics(pub Store);

impl Collector for StoreMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.counters(&mut encoder)?;
        self.gauges(&mut encoder)
    }
}

impl StoreMetrics {
    fn counters(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let stats = self.0.stats();
        let counters = [
            ("events_accepted", "Events that were admitted and are durable", &stats.accepted),
            ("events_duplicate", "Events that were admitted before", &stats.duplicates),
            ("events_rejected", "Events that were not admitted", &stats.rejected),
            ("events_accepted_bytes", "Bytes of admitted events", &stats.accepted_bytes),
            ("group_commits", "Group commits, one fsync each", &stats.groups),
            ("submissions_answered", "Submissions that were answered", &stats.answered),
            ("submissions_refused", "Submissions that were refused", &stats.refused),
            ("seals", "Segments that were sealed", &stats.seals),
            ("section_mismatches", "Rows kept as section bytes", &stats.section_mismatches),
            ("compactions", "Segments made by compaction", &stats.compactions),
            ("failures", "Background work that failed", &stats.failures),
        ];
        for (name, help, counter) in counters {
            let metric = ConstCounter::new(counter.get());
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
        }
        Ok(())
    }

    fn gauges(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let gauges = self.0.gauges();
        let disk = match gauges.disk {
            DiskState::Roomy => 0,
            DiskState::Tight => 1,
            DiskState::Full => 2,
        };
        let gauges = [
            ("queue_bytes", "Bytes that wait for the writer", gauges.queue_bytes),
            ("tail_bytes", "Bytes that are not sealed", gauges.tail_bytes),
            ("tail_rows", "Entries that are not sealed", gauges.tail_rows),
            ("segments", "Sealed segments", gauges.segments),
            ("sealed_rows", "Entries in sealed segments", gauges.sealed_rows),
            ("sealed_bytes", "Bytes of sealed segments", gauges.sealed_bytes),
            ("accounts", "Accounts that exist", gauges.accounts),
            ("recent_source_ids", "Source ids in memory", gauges.recent_source_ids),
            ("disk_state", "0 roomy, 1 tight, 2 full", disk),
            ("stopped", "1 where the store refuses writes", u64::from(gauges.stopped)),
        ];
        for (name, help, value) in gauges {
            let metric = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
        }
        Ok(())
    }
}
