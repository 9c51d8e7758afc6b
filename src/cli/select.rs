//! [`data_frame`]: the plan of a query, without SQL's planner where a query has nothing to plan.

use datafusion::common::TableReference;
use datafusion::error::Result;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;

/// The data frame of a query.
///
/// For `SELECT *` of one table, and for its first rows, it is the table's own. DataFusion's SQL
/// planner (`datafusion_sql::select`, where it expands `*` and looks for duplicates) compares each
/// column with all others: 16,000 columns take it half a minute.
pub(super) async fn data_frame(ctx: &SessionContext, sql: &str) -> Result<DataFrame> {
    match whole_table(ctx, sql)? {
        Some((table, None)) => ctx.table(table).await,
        Some((table, Some(rows))) => ctx.table(table).await?.limit(0, Some(rows)),
        None => ctx.sql_with_options(sql, SQLOptions::new()).await,
    }
}

/// The table and the number of rows, if a query is `SELECT * FROM table` or has a `LIMIT` besides.
fn whole_table(ctx: &SessionContext, sql: &str) -> Result<Option<(TableReference, Option<usize>)>> {
    let state = ctx.state();
    let dialect = state.config_options().sql_parser.dialect;
    let statement = state.sql_to_statement(sql, &dialect)?;
    let Some((relation, rows)) = relation(&statement) else { return Ok(None) };
    // The query is parsed again from the name and the limit alone. If it differs, it has other
    // clauses, and SQL's planner plans it.
    let limit = rows.map_or(String::new(), |rows| format!(" LIMIT {rows}"));
    let plain = state.sql_to_statement(&format!("SELECT * FROM {relation}{limit}"), &dialect);
    if !plain.is_ok_and(|plain| plain == statement) {
        return Ok(None);
    }
    let mut tables = state.resolve_table_references(&statement)?;
    Ok(tables.pop().filter(|_| tables.is_empty()).map(|table| (table, rows)))
}

/// The first relation of a query as text, and the rows of its `LIMIT`.
fn relation(statement: &Statement) -> Option<(String, Option<usize>)> {
    let Statement::Statement(statement) = statement else { return None };
    let ast::Statement::Query(query) = statement.as_ref() else { return None };
    let ast::SetExpr::Select(select) = query.body.as_ref() else { return None };
    let ast::TableFactor::Table { name, .. } = &select.from.first()?.relation else { return None };
    let rows = match &query.limit_clause {
        Some(ast::LimitClause::LimitOffset { limit: Some(rows), .. }) => Some(rows.to_string().parse().ok()?),
        _ => None,
    };
    Some((name.to_string(), rows))
}
