//! [`install`]: makes this engine a session's CSV engine.

use std::sync::Arc;

use datafusion::datasource::provider::DefaultTableFactory;
use datafusion::error::Result;
use datafusion::execution::context::SessionContext;

use super::prepare::prepare;
use crate::datasource::{CsvFormatOptions, CsvStreamFormatFactory};

/// Makes this engine read and write the session's CSV: `CREATE EXTERNAL TABLE … STORED AS CSV` (and
/// `TSV`), `COPY` and `INSERT INTO`.
///
/// `SessionContext::read_csv` and `register_csv` still use DataFusion's own reader, because they
/// are tied to it. Tables that are named by path, as in `SELECT * FROM 'part_*.csv'`, take another
/// call: [`install_url_tables`](crate::install_url_tables).
///
/// # Errors
///
/// If the session refuses the format.
pub fn install(ctx: &SessionContext) -> Result<()> {
    install_factories(ctx, None)
}

/// As [`install`], with other defaults for all options.
///
/// # Errors
///
/// As [`install`], and if the options contradict each other.
pub fn install_with_options(ctx: &SessionContext, options: CsvFormatOptions) -> Result<()> {
    options.check()?;
    install_factories(ctx, Some(options))
}

fn install_factories(ctx: &SessionContext, options: Option<CsvFormatOptions>) -> Result<()> {
    prepare(ctx);
    let state = ctx.state_ref();
    let mut state = state.write();
    for factory in [CsvStreamFormatFactory::csv(), CsvStreamFormatFactory::tsv()] {
        let factory = match &options {
            Some(options) => factory.with_options(options.clone()),
            None => factory,
        };
        state.register_file_format(Arc::new(factory), true)?;
    }
    for keyword in ["CSV", "TSV"] {
        let factories = state.table_factories_mut();
        factories.entry(keyword.to_owned()).or_insert_with(|| Arc::new(DefaultTableFactory::new()));
    }
    Ok(())
}
