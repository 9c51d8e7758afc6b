//! Random queries of all kinds.

use super::expression::{
    Column, aggregate, conjunction, expression, extreme, literal, over_nulls, predicate,
};
use super::query::{Query, select, select_as_is};
use super::relation::{Generator, Relation, direction};
use super::sql::{Sql, sql};
use super::values::Class;

impl Generator<'_> {
    pub(super) fn query(&mut self) -> Query {
        let (kind, body, columns) = match self.rng.below(24) {
            0 | 1 => self.scan(),
            2 => self.aggregated(),
            3..=5 => self.extremes(),
            6..=8 => self.join_of_tables(),
            9 => self.join_of_aggregates(),
            10..=12 => self.with_subquery(),
            13..=15 => self.nested(),
            16 => self.window(),
            17 => self.set_operation(),
            18 => self.common_table(),
            19 => self.recursive(),
            20..23 => self.outer_join(),
            _ => return self.failing(),
        };
        let mut query = Query { kind, body, order: Vec::new(), limit: None };
        if self.rng.once_in(3) {
            let mut numbers: Vec<_> = (1..=columns).collect();
            let kept = if self.rng.once_in(2) { columns } else { 1 + self.rng.below(columns) };
            while query.order.len() < kept {
                let number = numbers.remove(self.rng.below(numbers.len()));
                query.order.push((number, direction(self.rng)));
            }
        }
        if self.rng.once_in(if query.order.is_empty() { 10 } else { 2 }) {
            query.limit =
                Some((self.rng.pick(&[0, 1, 3, 3, 10, 10, 1000]), self.rng.pick(&[0, 0, 0, 1, 20])));
        }
        query
    }

    fn scan(&mut self) -> (&'static str, Sql, usize) {
        let from = self.table();
        let (items, count) = self.items(&from);
        let condition = conjunction(self.rng, &from.columns);
        ("scan", select(items, from.sql, condition, sql!()), count)
    }

    /// Aggregates of columns and expressions, with or without groups.
    fn aggregated(&mut self) -> (&'static str, Sql, usize) {
        let from = if self.rng.once_in(4) { self.joined(0) } else { self.table() };
        let (body, count) = self.aggregates(from);
        ("aggregate", body, count)
    }

    /// Only extremes: the rows that have been read already bound them.
    fn extremes(&mut self) -> (&'static str, Sql, usize) {
        let from = match self.rng.below(6) {
            0 => self.joined(0),
            1 => self.relation(1),
            _ => self.table(),
        };
        let count = 1 + self.rng.below(4);
        let items = (0..count).map(|_| extreme(self.rng, &from.columns)).collect();
        let condition = conjunction(self.rng, &from.columns);
        ("extremes", select(items, from.sql, condition, sql!()), count)
    }

    fn aggregates(&mut self, from: Relation) -> (Sql, usize) {
        let groups = self.rng.pick(&[0, 0, 0, 1, 2]);
        let mut groups: Vec<_> = (0..groups).map(|_| self.rng.pick(&from.columns).sql).collect();
        groups.dedup();
        let mut items: Vec<_> = groups.iter().map(|group| Sql::from(group.clone())).collect();
        items.extend((0..1 + self.rng.below(4)).map(|_| aggregate(self.rng, &from.columns).0));
        let count = items.len();
        let having = match self.rng.once_in(5) {
            true => {
                let (aggregate, class) = aggregate(self.rng, &from.columns);
                vec![sql!(aggregate, format!(" >= {}", literal(self.rng, class)))]
            }
            false => Vec::new(),
        };
        let condition = conjunction(self.rng, &from.columns);
        let groups = Sql::list(" GROUP BY ", ", ", groups.into_iter().map(Sql::from).collect());
        let rest = sql!(groups, Sql::list(" HAVING ", " AND ", having));
        (select(items, from.sql, condition, rest), count)
    }

    fn join_of_tables(&mut self) -> (&'static str, Sql, usize) {
        let from = self.joined(0);
        let (items, count) = self.items(&from);
        let condition = conjunction(self.rng, &from.columns);
        ("join", select(items, from.sql, condition, sql!()), count)
    }

    /// An outer join with a predicate that lets its NULLs through. The NULLs may be those of a
    /// column whose name the other side has too.
    fn outer_join(&mut self) -> (&'static str, Sql, usize) {
        let mut side = || if self.rng.once_in(4) { self.relation(1) } else { self.table() };
        let (left, right) = (side(), side());
        let twins = twins(&left, &right);
        let kind = self.rng.pick(&["FULL JOIN", "FULL JOIN", "LEFT JOIN", "RIGHT JOIN", "RIGHT JOIN"]);
        let from = self.join_on_more(kind, left, right);
        let (mut items, mut count) = self.items(&from);
        let mut condition = Vec::new();
        if twins.is_empty() || self.rng.once_in(4) {
            condition.push(over_nulls(self.rng, &from.columns));
        } else {
            let (tested, shown) = self.rng.pick(&twins);
            condition.push(over_nulls(self.rng, &[tested]));
            items.push(shown.sql.into());
            count += 1;
        }
        match self.rng.below(4) {
            0 => condition.push(predicate(self.rng, &from.columns, 0)),
            1 | 2 => condition.push(format!("{} IS NOT NULL", self.rng.pick(&from.columns).sql).into()),
            _ => {}
        }
        ("outer join", select(items, from.sql, condition, sql!()), count)
    }

    fn join_of_aggregates(&mut self) -> (&'static str, Sql, usize) {
        let from = self.joined(1);
        let (body, count) = self.aggregates(from);
        ("join of subqueries", body, count)
    }

    fn nested(&mut self) -> (&'static str, Sql, usize) {
        let from = self.relation(3);
        let (items, count) = self.items(&from);
        let condition = conjunction(self.rng, &from.columns);
        ("nested", select(items, from.sql, condition, sql!()), count)
    }

    fn with_subquery(&mut self) -> (&'static str, Sql, usize) {
        let from = if self.rng.once_in(4) { self.joined(0) } else { self.table() };
        let inner = self.relation(1);
        let outer = self.rng.pick(&from.columns);
        let (sql, class) = (outer.sql, outer.class);
        let value = self.of_class(&inner, class);
        let inside = conjunction(self.rng, &inner.columns);
        let correlated = sql!(value.clone(), format!(" = {sql}"));
        let with = |condition: Sql| [inside.clone(), vec![condition]].concat();
        let negation = self.rng.pick(&["", "NOT "]);
        let compare = self.rng.pick(&["<", ">=", "=", "<>"]);
        let extreme = self.rng.pick(&["min", "max"]);
        let of = |items: Sql, condition: Vec<Sql>| select(vec![items], inner.sql.clone(), condition, sql!());
        let condition = match self.rng.below(8) {
            0..=2 => sql!(format!("{sql} {negation}IN ("), of(value, inside), ")"),
            3 | 4 => sql!(format!("{negation}EXISTS ("), of("1".into(), with(correlated)), ")"),
            5 => {
                let extreme = sql!(format!("{extreme}("), value, ")");
                sql!(format!("{sql} {compare} ("), of(extreme, inside), ")")
            }
            6 => sql!("(", of("count(*)".into(), with(correlated)), format!(") {compare} 1")),
            _ => {
                let extreme = sql!(format!("{extreme}("), value.clone(), ")");
                sql!(format!("{sql} {compare} ("), of(extreme, with(correlated)), ")")
            }
        };
        let conditions = [conjunction(self.rng, &from.columns), vec![condition]].concat();
        let (items, count) = self.items(&from);
        ("subquery", select(items, from.sql, conditions, sql!()), count)
    }

    fn window(&mut self) -> (&'static str, Sql, usize) {
        let from = if self.rng.once_in(4) { self.joined(0) } else { self.relation(1) };
        let (one, other) = (self.rng.pick(&from.columns).sql, self.rng.pick(&from.columns).sql);
        let all = from.columns.iter().map(|column| sql!(column.sql.clone(), direction(self.rng)));
        let all = Sql::whole(" ORDER BY ", all.collect());
        let function = match self.rng.below(5) {
            0 => sql!(format!("row_number() OVER (PARTITION BY {other}"), all, ")"),
            1 => sql!(format!("rank() OVER (ORDER BY {one}{})", direction(self.rng))),
            2 => sql!(format!("lag({one}) OVER ("), all, ")"),
            3 => sql!(format!("max({one}) OVER (PARTITION BY {other})")),
            _ => sql!(format!("count({one}) OVER (PARTITION BY {other} ORDER BY {one})")),
        };
        let condition = conjunction(self.rng, &from.columns);
        ("window", select(vec![one.into(), other.into(), function], from.sql, condition, sql!()), 3)
    }

    fn set_operation(&mut self) -> (&'static str, Sql, usize) {
        let (left, right) = (self.relation(1), self.relation(1));
        let count = 1 + self.rng.below(3);
        let items: Vec<_> = (0..count).map(|_| self.rng.pick(&left.columns)).collect();
        let others = items.iter().map(|item| self.of_class(&right, item.class)).collect();
        let items = items.into_iter().map(|item| item.sql.into()).collect();
        let (one, other) = (conjunction(self.rng, &left.columns), conjunction(self.rng, &right.columns));
        let operators = ["UNION ALL", "UNION", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"];
        let operator = format!(" {} ", self.rng.pick(&operators));
        let second = select(others, right.sql, other, sql!());
        ("set operation", select(items, left.sql, one, sql!(operator, second)), count)
    }

    /// A common table expression that is used twice.
    fn common_table(&mut self) -> (&'static str, Sql, usize) {
        let common = self.relation(2);
        let names: Vec<_> = common.columns.iter().map(|column| (column.sql.clone(), column.class)).collect();
        let items = names.iter().enumerate().map(|(index, (sql, _))| sql!(format!("{sql} AS w{index}")));
        let condition = conjunction(self.rng, &common.columns);
        let definition = select_as_is(items.collect(), common.sql, condition, sql!());
        let mut use_of = || {
            let alias = self.alias();
            let column = |(index, class): (usize, Class)| Column { sql: format!("{alias}.w{index}"), class };
            let classes = names.iter().map(|(_, class)| *class).enumerate();
            Relation {
                sql: sql!(format!("w AS {alias}")),
                columns: classes.map(column).collect(),
                rows: common.rows,
            }
        };
        let (one, other) = (use_of(), use_of());
        let from = self.join(one, other);
        let (body, count) = self.aggregates(from);
        ("common table", sql!("WITH w AS (", definition, ") ", body), count)
    }

    /// A recursive query that reads its tables in every round.
    fn recursive(&mut self) -> (&'static str, Sql, usize) {
        let (start, step) = (self.table(), self.table());
        let key = self.rng.pick(&start.columns);
        let next = self.of_class(&step, key.class);
        let first = conjunction(self.rng, &start.columns);
        let mut again = conjunction(self.rng, &step.columns);
        again.push("w.n < 3".into());
        let join = sql!(
            "w JOIN ",
            step.sql,
            " ON ",
            self.rng.pick(&[format!("{next} = w.v"), format!("{next} <> w.v AND w.n < 2")])
        );
        let items = vec![sql!("0 AS n"), sql!(format!("{} AS v", key.sql))];
        let start = select_as_is(items, start.sql, first, sql!());
        let step = select(vec!["DISTINCT w.n + 1".into(), next], join, again, sql!());
        let body = sql!("WITH RECURSIVE w AS (", start, " UNION ALL ", step, ") SELECT n, v FROM w");
        ("recursive", body, 2)
    }

    /// A query that often fails, in planning or in execution.
    fn failing(&mut self) -> Query {
        let from = self.table();
        let column = self.rng.pick(&from.columns).sql;
        let item = match self.rng.below(4) {
            0 => sql!(format!("CAST(CAST({column} AS VARCHAR) AS INT)")),
            1 => sql!(format!("10 / (length(CAST({column} AS VARCHAR)) - 5)")),
            2 => {
                let inner = self.table();
                let value = self.rng.pick(&inner.columns).sql;
                sql!(format!("(SELECT {value} FROM "), inner.sql, ")")
            }
            _ => sql!(format!("{column} || r0.k")),
        };
        let condition = vec![predicate(self.rng, &from.columns, 0)];
        let body = select(vec![item], from.sql, condition, sql!());
        Query { kind: "failing", body, order: Vec::new(), limit: None }
    }

    fn items(&mut self, from: &Relation) -> (Vec<Sql>, usize) {
        let count = 1 + self.rng.below(5);
        ((0..count).map(|_| expression(self.rng, &from.columns).0).collect(), count)
    }
}

/// Pairs of columns of the same name, one from each side.
fn twins(left: &Relation, right: &Relation) -> Vec<(Column, Column)> {
    let pairs = left.columns.iter().flat_map(|one| right.columns.iter().map(move |other| (one, other)));
    let twins = pairs.filter(|(one, other)| one.name() == other.name());
    twins.flat_map(|(one, other)| [(one.clone(), other.clone()), (other.clone(), one.clone())]).collect()
}
