//! The forms in which files are written, and the settings with which sessions read them.

use datafusion::prelude::SessionConfig;
use datafusion_csv_stream::CsvFormatOptions;

use crate::rng::Rng;

/// The ways to make files a table of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// `register_csv_file_with_options`.
    Registered,
    /// `install` and `CREATE EXTERNAL TABLE`.
    External,
    /// `install`, `install_url_tables`, and the path in the query.
    Path,
    /// A `ListingTable` in a session that knows nothing of this crate.
    Bare,
    /// The same in a session that has `filter_pushdown_rules`.
    Guarded,
}

impl Way {
    /// Whether the types come from the files; otherwise they come from the generator.
    pub(super) fn infers(self) -> bool {
        matches!(self, Way::Registered | Way::Path)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) has_header: bool,
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    pub(super) escape: Option<u8>,
    pub(super) comment: Option<u8>,
    pub(super) crlf: bool,
    /// Whether values have newlines.
    pub(super) newlines: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Dialect {
            has_header: true,
            delimiter: b',',
            quote: b'"',
            escape: None,
            comment: None,
            crlf: false,
            newlines: false,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) way: Way,
    pub(super) dialect: Dialect,
    pub(super) partitions: usize,
    pub(super) batch_size: usize,
    /// The options of our table.
    pub(super) options: Vec<(&'static str, &'static str)>,
    /// The options of all three sessions.
    pub(super) session: Vec<(&'static str, &'static str)>,
    /// For our session only: `SET csv_stream.pushdown_filters`, if the session has that option.
    pub(super) session_pushdown: bool,
}

/// Our options, with values other than the default.
const OPTIONS: [(&str, &[&str]); 4] = [
    ("memory_limit", &["1MiB", "3MiB"]),
    ("pushdown_filters", &["false"]),
    ("split", &["exact", "none"]),
    ("batch_size", &["1", "7", "100"]),
];

/// Options that order joins, pick operators or move filters, with values other than the default.
const SESSION: [(&str, &[&str]); 12] = [
    ("datafusion.execution.collect_statistics", &["false"]),
    ("datafusion.optimizer.prefer_hash_join", &["false"]),
    ("datafusion.optimizer.hash_join_single_partition_threshold", &["0", "2000"]),
    ("datafusion.optimizer.hash_join_single_partition_threshold_rows", &["0", "50"]),
    ("datafusion.optimizer.enable_round_robin_repartition", &["false"]),
    ("datafusion.optimizer.repartition_joins", &["false"]),
    ("datafusion.optimizer.repartition_aggregations", &["false"]),
    ("datafusion.optimizer.repartition_sorts", &["false"]),
    ("datafusion.optimizer.join_reordering", &["false"]),
    ("datafusion.optimizer.hash_join_inlist_pushdown_max_distinct_values", &["0", "3"]),
    ("datafusion.optimizer.enable_dynamic_filter_pushdown", &["false"]),
    ("datafusion.optimizer.filter_null_join_keys", &["true"]),
];

impl Settings {
    pub(super) fn random(rng: &mut Rng) -> Self {
        let way = rng.pick(&[Way::Registered, Way::External, Way::Path, Way::Bare, Way::Guarded]);
        let mut dialect = Dialect::default();
        if rng.once_in(2) {
            dialect = Dialect {
                // If the schema is inferred, its names come from the header.
                has_header: way.infers() || !rng.once_in(3),
                delimiter: rng.pick(b",,;|\t"),
                quote: rng.pick(b"\"\"'"),
                escape: rng.once_in(4).then_some(b'\\'),
                comment: rng.once_in(4).then_some(b'#'),
                crlf: rng.once_in(3),
                newlines: rng.once_in(2),
            };
        }
        let mut chosen = |all: &[(&'static str, &'static [&'static str])], times| {
            let taken = all.iter().filter(|_| rng.once_in(times)).copied().collect::<Vec<_>>();
            taken.into_iter().map(|(key, values)| (key, rng.pick(values))).collect::<Vec<_>>()
        };
        let (options, session) = (chosen(&OPTIONS, 4), chosen(&SESSION, 6));
        Settings {
            way,
            dialect,
            partitions: rng.pick(&[1, 2, 2, 4, 4, 16]),
            batch_size: rng.pick(&[1, 7, 100, 100, 8192]),
            options,
            session,
            session_pushdown: !rng.once_in(8),
        }
    }

    /// A configuration in which scans are split however small a file is.
    pub(super) fn config(&self) -> SessionConfig {
        let config = SessionConfig::new()
            .with_target_partitions(self.partitions)
            .with_batch_size(self.batch_size)
            .set_usize("datafusion.optimizer.repartition_file_min_size", 1);
        self.session.iter().fold(config, |config, (key, value)| config.set_str(key, value))
    }

    /// Our options, as SQL writes them.
    pub(super) fn our_options(&self) -> Vec<(&'static str, String)> {
        let Dialect { has_header, delimiter, quote, escape, comment, .. } = self.dialect;
        let byte = |byte: u8| if byte == b'\t' { "\\t".to_owned() } else { (byte as char).to_string() };
        let mut options = vec![
            ("has_header", has_header.to_string()),
            ("delimiter", byte(delimiter)),
            ("quote", byte(quote)),
            ("escape", escape.map_or_else(String::new, byte)),
            ("comment", comment.map_or_else(String::new, byte)),
        ];
        options.extend(self.options.iter().map(|(key, value)| (*key, value.to_string())));
        options
    }

    pub(super) fn format_options(&self) -> CsvFormatOptions {
        let mut options = CsvFormatOptions::new();
        for (key, value) in self.our_options() {
            options.set(key, &value).unwrap();
        }
        options
    }

    /// Settings that are simpler in one respect.
    pub(super) fn steps(&self) -> Vec<Settings> {
        let mut steps = Vec::new();
        let mut step = |change: &dyn Fn(&mut Settings)| {
            let mut simpler = self.clone();
            change(&mut simpler);
            steps.push(simpler);
        };
        if self.way != Way::Registered {
            step(&|simpler| simpler.way = Way::Registered);
        }
        for left_out in 0..self.session.len() {
            step(&|simpler| simpler.session.retain(|setting| *setting != self.session[left_out]));
        }
        for left_out in 0..self.options.len() {
            step(&|simpler| simpler.options.retain(|option| *option != self.options[left_out]));
        }
        // The newlines are in the values, which stay the same.
        let plain = Dialect { newlines: self.dialect.newlines, ..Dialect::default() };
        if self.dialect != plain {
            step(&|simpler| simpler.dialect = plain.clone());
        }
        if !self.session_pushdown {
            step(&|simpler| simpler.session_pushdown = true);
        }
        if self.batch_size != 8192 {
            step(&|simpler| simpler.batch_size = 8192);
        }
        for partitions in [1, 2].into_iter().filter(|partitions| *partitions < self.partitions) {
            step(&|simpler| simpler.partitions = partitions);
        }
        steps
    }
}
