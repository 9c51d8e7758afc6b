//! A query, with its last ORDER BY and LIMIT apart from the rest.

use super::sql::{Sql, sql};

/// A query, whose answer is compared according to its order and limit.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) kind: &'static str,
    pub(super) body: Sql,
    /// Columns by their number, from 1, with the direction.
    pub(super) order: Vec<(usize, &'static str)>,
    /// The number of rows, and the number of rows before them.
    pub(super) limit: Option<(usize, usize)>,
}

impl Query {
    pub(super) fn unlimited(&self) -> String {
        let order = self.order.iter().map(|(column, direction)| format!("{column}{direction}"));
        let order = order.collect::<Vec<_>>().join(", ");
        match order.is_empty() {
            true => self.body.to_string(),
            false => format!("{} ORDER BY {order}", self.body),
        }
    }

    pub(super) fn sql(&self) -> String {
        match self.limit {
            None => self.unlimited(),
            Some((rows, 0)) => format!("{} LIMIT {rows}", self.unlimited()),
            Some((rows, offset)) => format!("{} LIMIT {rows} OFFSET {offset}", self.unlimited()),
        }
    }

    /// Whether the order leaves no choice of the rows that a limit keeps.
    pub(super) fn is_total(&self, columns: usize) -> bool {
        (1..=columns).all(|column| self.order.iter().any(|(ordered, _)| *ordered == column))
    }

    pub(super) fn steps(&self) -> Vec<Query> {
        let mut steps: Vec<_> =
            self.body.steps().into_iter().map(|body| Query { body, ..self.clone() }).collect();
        if self.limit.is_some() {
            steps.push(Query { limit: None, ..self.clone() });
        }
        for left_out in 0..self.order.len() {
            let mut order = self.order.clone();
            order.remove(left_out);
            steps.push(Query { order, ..self.clone() });
        }
        steps
    }
}

/// A SELECT whose columns are `c0`, `c1` and so on.
pub(super) fn select(items: Vec<Sql>, from: Sql, condition: Vec<Sql>, rest: Sql) -> Sql {
    let items = items.into_iter().enumerate().map(|(index, item)| sql!(item, format!(" AS c{index}")));
    select_as_is(items.collect(), from, condition, rest)
}

/// As [`select`], with the items' own names.
pub(super) fn select_as_is(items: Vec<Sql>, from: Sql, condition: Vec<Sql>, rest: Sql) -> Sql {
    let items = Sql::selected("SELECT ", items);
    sql!(items, " FROM ", from, Sql::list(" WHERE ", " AND ", condition), rest)
}
