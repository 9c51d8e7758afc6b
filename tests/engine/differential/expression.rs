//! Random expressions, predicates and aggregates over columns.

use super::sql::{Sql, sql};
use super::values::Class;
use crate::rng::Rng;

/// A column by its name in SQL, with its relation.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) sql: String,
    pub(super) class: Class,
}

impl Column {
    /// The name without its relation.
    pub(super) fn name(&self) -> &str {
        self.sql.rsplit('.').next().unwrap_or(&self.sql)
    }
}

pub(super) fn literal(rng: &mut Rng, class: Class) -> String {
    let most = rng.pick(&[4, 25, 25, 300]);
    class.literal(rng.below(most))
}

/// Another column of a class, or a literal.
fn operand(rng: &mut Rng, columns: &[Column], class: Class) -> String {
    let same: Vec<_> = columns.iter().filter(|column| column.class == class).collect();
    match same.is_empty() || rng.once_in(2) {
        true => literal(rng, class),
        false => rng.pick(&same).sql.clone(),
    }
}

/// A column, or an expression over one.
pub(super) fn expression(rng: &mut Rng, columns: &[Column]) -> (Sql, Class) {
    match rng.once_in(2) {
        true => {
            let column = rng.pick(columns);
            (column.sql.into(), column.class)
        }
        false => made(rng, columns),
    }
}

fn made(rng: &mut Rng, columns: &[Column]) -> (Sql, Class) {
    let Column { sql: column, class } = rng.pick(columns);
    let (made, made_class) = match (rng.below(8), class) {
        (0, _) => (sql!(format!("coalesce({column}, {})", operand(rng, columns, class))), class),
        (1, _) => {
            let (when, other) = (predicate(rng, columns, 0), operand(rng, columns, class));
            (sql!("CASE WHEN ", when, format!(" THEN {column} ELSE {other} END")), class)
        }
        (2, _) => (sql!(format!("nullif({column}, {})", literal(rng, class))), class),
        (3, _) => (sql!(format!("{column} IS NULL")), Class::Bool),
        (4 | 5, Class::Int | Class::Float | Class::Decimal) => (sql!(format!("{column} * 2")), class),
        (6, Class::Int) => (sql!(format!("{column} + {}", operand(rng, columns, class))), class),
        (7, Class::Int) => (sql!(format!("{column} % 3")), class),
        (4, Class::Text) => (sql!(format!("upper({column})")), class),
        (5, Class::Text) => (sql!(format!("concat({column}, '-', {column})")), class),
        (6, Class::Text) => (sql!(format!("length({column})")), Class::Int),
        (4, Class::Date | Class::Time) => (sql!(format!("date_part('month', {column})")), Class::Int),
        (4, Class::Bool) => (sql!(format!("NOT {column}")), class),
        (5, Class::Date | Class::Time | Class::Bool) => {
            (sql!(format!("CAST({column} AS VARCHAR)")), Class::Text)
        }
        _ => return (column.into(), class),
    };
    (made.or([column.into()]), made_class)
}

/// A predicate, with up to this many levels of AND, OR and NOT.
pub(super) fn predicate(rng: &mut Rng, columns: &[Column], depth: usize) -> Sql {
    if depth > 0 && rng.once_in(2) {
        let left = predicate(rng, columns, depth - 1);
        if rng.once_in(4) {
            return sql!("NOT (", left.clone(), ")").or([left]);
        }
        let right = predicate(rng, columns, depth - 1);
        let simpler = [left.clone(), right.clone()];
        return sql!("(", left, rng.pick(&[" AND ", " OR "]), right, ")").or(simpler);
    }
    let Column { sql: column, class } = rng.pick(columns);
    let compare = rng.pick(&["<", "<=", "=", "<>", "<>", ">", ">="]);
    let value = literal(rng, class);
    let text = match rng.below(16) {
        0 => format!("{column} IS NULL"),
        1 | 2 => format!("{column} IS NOT NULL"),
        3 => {
            let negation = rng.pick(&["", "", "NOT "]);
            format!("{column} {negation}IN ({value}, {}, {})", literal(rng, class), literal(rng, class))
        }
        4 => format!("{column} BETWEEN {value} AND {}", literal(rng, class)),
        5 => format!("coalesce({column}, {value}) {compare} {}", operand(rng, columns, class)),
        6 => format!("({column} IS DISTINCT FROM {})", operand(rng, columns, class)),
        7 => format!("({column} IS NOT DISTINCT FROM {})", operand(rng, columns, class)),
        8 => {
            let other = operand(rng, columns, class);
            format!("CASE WHEN {column} IS NULL THEN {other} ELSE {column} END {compare} {value}")
        }
        9 if class == Class::Text => format!("{column} LIKE '%{}%'", rng.pick(&["a", "t", "1", "é"])),
        9 if class == Class::Bool => column,
        10 => {
            let (left, class) = expression(rng, columns);
            return sql!(left, format!(" {compare} {}", literal(rng, class)));
        }
        _ => format!("{column} {compare} {}", operand(rng, columns, class)),
    };
    text.into()
}

/// Some predicates, all of which have to hold.
pub(super) fn conjunction(rng: &mut Rng, columns: &[Column]) -> Vec<Sql> {
    (0..rng.pick(&[0, 0, 0, 1, 1, 2])).map(|_| predicate(rng, columns, 1)).collect()
}

/// A predicate that can hold if the column is NULL, as a column of a join's outer side may be.
pub(super) fn over_nulls(rng: &mut Rng, columns: &[Column]) -> Sql {
    let Column { sql: column, class } = rng.pick(columns);
    let (value, other) = (literal(rng, class), operand(rng, columns, class));
    let compare = rng.pick(&["=", "<>", "<", ">="]);
    let text = match rng.below(5) {
        0 | 1 => format!("coalesce({column}, {value}) {compare} {}", rng.pick(&[value.clone(), other])),
        2 => format!("({column} IS DISTINCT FROM {other})"),
        3 => format!("CASE WHEN {column} IS NULL THEN {value} ELSE {column} END {compare} {other}"),
        _ => format!("({column} IS NULL OR {column} {compare} {value})"),
    };
    text.into()
}

/// The least or the largest value of a column or an expression.
pub(super) fn extreme(rng: &mut Rng, columns: &[Column]) -> Sql {
    let argument = match rng.once_in(2) {
        true => rng.pick(columns).sql.into(),
        false => made(rng, columns).0,
    };
    sql!(rng.pick(&["min(", "max("]), argument, ")")
}

/// An aggregate whose value depends neither on the order of rows nor on rounding.
pub(super) fn aggregate(rng: &mut Rng, columns: &[Column]) -> (Sql, Class) {
    let Column { sql: column, class } = rng.pick(columns);
    let (made, made_class) = match rng.below(12) {
        0 => (sql!("count(*)"), Class::Int),
        1 => (sql!(format!("count({column})")), Class::Int),
        2 => (sql!(format!("count(DISTINCT {column})")), Class::Int),
        3 if class == Class::Int => (sql!(format!("sum(CAST({column} AS BIGINT) % 1000)")), Class::Int),
        3 if class == Class::Bool => (sql!(format!("bool_or({column})")), Class::Bool),
        4..7 => {
            let (argument, class) = made(rng, columns);
            (sql!(rng.pick(&["min(", "max("]), argument, ")"), class)
        }
        _ => (sql!(format!("{}({column})", rng.pick(&["min", "max"]))), class),
    };
    match rng.once_in(6) {
        true => {
            let filtered = sql!(made.clone(), " FILTER (WHERE ", predicate(rng, columns, 0), ")");
            (filtered.or([made]), made_class)
        }
        false => (made, made_class),
    }
}
