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
    install_factories(ctx, [CsvStreamFormatFactory::csv(), CsvStreamFormatFactory::tsv()])
}

/// As [`install`], with other defaults for all options.
///
/// # Errors
///
/// As [`install`], and if the options contradict each other.
pub fn install_with_options(ctx: &SessionContext, options: CsvFormatOptions) -> Result<()> {
    let csv = CsvStreamFormatFactory::csv().try_with_options(options.clone())?;
    let tsv = CsvStreamFormatFactory::tsv().try_with_options(options)?;
    install_factories(ctx, [csv, tsv])
}

fn install_factories(ctx: &SessionContext, factories: [CsvStreamFormatFactory; 2]) -> Result<()> {
    prepare(ctx);
    let state = ctx.state_ref();
    let mut state = state.write();
    for factory in factories {
        state.register_file_format(Arc::new(factory), true)?;
    }
    for keyword in ["CSV", "TSV"] {
        let factories = state.table_factories_mut();
        factories.entry(keyword.to_owned()).or_insert_with(|| Arc::new(DefaultTableFactory::new()));
    }
    Ok(())
}
