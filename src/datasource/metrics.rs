//! [`ScanMetrics`]: the work of a scan, as `EXPLAIN ANALYZE` shows it.

use std::time::{Duration, Instant};

use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, Time};

use crate::decode::DecodeCounters;
use crate::input::InputCounters;
use crate::stream::internal::Known;

/// One partition's metrics. All paths of reading use the same counters.
#[derive(Debug, Clone)]
pub(super) struct ScanMetrics {
    /// Bytes read from the store, before decompression.
    bytes_scanned: Count,
    /// Requests made to the store.
    requests: Count,
    /// The requests among them that repeat a failed or broken one.
    retries: Count,
    /// Bytes parsed, after decompression.
    bytes_parsed: Count,
    /// Records read.
    records: Count,
    /// Oversized values that became NULL or were truncated.
    fields_oversized: Count,
    /// Byte ranges whose first record is certain from the bytes before it, whatever the file holds.
    starts_synchronised: Count,
    /// Byte ranges for which any other first record is impossible in a file that can be read.
    starts_by_proof: Count,
    /// Byte ranges whose first record was found by scanning the file from its start.
    starts_by_prefix_scan: Count,
    /// Byte ranges whose next range was verified to start at the right record.
    ends_verified: Count,
    /// Time spent looking for the first records of byte ranges.
    time_resolving: Time,
    /// The work of the predicate, if there is one.
    predicate: Option<PredicateMetrics>,
    /// Time spent waiting for bytes.
    time_waiting: Time,
    /// Time spent finding records and fields.
    time_parsing: Time,
    /// Time spent decoding fields into arrays, without those for the predicate.
    time_decoding: Time,
}

#[derive(Debug, Clone)]
struct PredicateMetrics {
    /// Records that the predicate kept.
    records_selected: Count,
    /// Time spent on the predicate: decoding the fields that it needs, and evaluating it.
    time_filtering: Time,
}

/// The part of the counters that has been published.
#[derive(Debug, Default)]
pub(super) struct Published {
    bytes_scanned: u64,
    requests: u64,
    retries: u64,
    bytes_parsed: u64,
    records: u64,
    fields_oversized: u64,
    records_selected: u64,
    waiting_nanos: u64,
    parsing_nanos: u64,
    filtering_nanos: u64,
    decoding_nanos: u64,
}

impl ScanMetrics {
    pub(super) fn new(metrics: &ExecutionPlanMetricsSet, partition: usize, has_predicate: bool) -> Self {
        let builder = || MetricBuilder::new(metrics);
        ScanMetrics {
            bytes_scanned: builder().counter("bytes_scanned", partition),
            requests: builder().counter("requests", partition),
            retries: builder().counter("retries", partition),
            bytes_parsed: builder().counter("bytes_parsed", partition),
            records: builder().counter("records", partition),
            fields_oversized: builder().counter("fields_oversized", partition),
            starts_synchronised: builder().counter("starts_synchronised", partition),
            starts_by_proof: builder().counter("starts_by_proof", partition),
            starts_by_prefix_scan: builder().counter("starts_by_prefix_scan", partition),
            ends_verified: builder().counter("ends_verified", partition),
            time_resolving: builder().subset_time("time_resolving", partition),
            predicate: has_predicate.then(|| PredicateMetrics {
                records_selected: builder().counter("records_selected", partition),
                time_filtering: builder().subset_time("time_filtering", partition),
            }),
            time_waiting: builder().subset_time("time_waiting", partition),
            time_parsing: builder().subset_time("time_parsing", partition),
            time_decoding: builder().subset_time("time_decoding", partition),
        }
    }

    /// Counts a range whose first record has been found; the search began at `since`.
    pub(super) fn add_start(&self, known: Known, since: Instant) {
        let how = match known {
            Known::Synchronised => &self.starts_synchronised,
            Known::Proof => &self.starts_by_proof,
            Known::PrefixScan => &self.starts_by_prefix_scan,
        };
        how.add(1);
        self.time_resolving.add_elapsed(since);
    }

    /// Counts a range whose next range was verified.
    pub(super) fn add_verified(&self) {
        self.ends_verified.add(1);
    }

    /// Adds the counters' growth since the last call.
    pub(super) fn publish(&self, input: &InputCounters, decode: &DecodeCounters, published: &mut Published) {
        let count = |metric: &Count, now: u64, before: &mut u64| {
            metric.add((now - *before) as usize);
            *before = now;
        };
        count(&self.bytes_scanned, input.bytes(), &mut published.bytes_scanned);
        count(&self.requests, input.requests(), &mut published.requests);
        count(&self.retries, input.retries(), &mut published.retries);
        count(&self.bytes_parsed, decode.bytes(), &mut published.bytes_parsed);
        count(&self.records, decode.records(), &mut published.records);
        count(&self.fields_oversized, decode.oversized(), &mut published.fields_oversized);
        let time = |metric: &Time, now: u64, before: &mut u64| {
            // `Time` counts a duration of zero as a nanosecond.
            if now > *before {
                metric.add_duration(Duration::from_nanos(now - *before));
                *before = now;
            }
        };
        time(&self.time_waiting, input.waited().as_nanos() as u64, &mut published.waiting_nanos);
        time(&self.time_parsing, decode.parsing_nanos(), &mut published.parsing_nanos);
        if let Some(predicate) = &self.predicate {
            count(&predicate.records_selected, decode.selected(), &mut published.records_selected);
            time(&predicate.time_filtering, decode.filtering_nanos(), &mut published.filtering_nanos);
        }
        time(&self.time_decoding, decode.decoding_nanos(), &mut published.decoding_nanos);
    }
}
