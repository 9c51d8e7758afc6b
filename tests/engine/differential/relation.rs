//! Random relations: tables, subqueries that rename, joins of all kinds.

use super::expression::{Column, aggregate, conjunction, expression, predicate};
use super::sql::{Sql, sql};
use super::table::NAMES;
use super::values::Class;
use crate::rng::Rng;

/// An entry of a FROM, and the columns that a query gets from it.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) sql: Sql,
    pub(super) columns: Vec<Column>,
    /// The approximate number of rows at the most.
    pub(super) rows: usize,
}

/// A table with the properties that queries depend on.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) columns: Vec<(String, Class)>,
    pub(super) rows: usize,
}

/// The most pairs of rows in a join or a cross product.
const MOST_PAIRS: usize = 60_000;

pub(super) struct Generator<'a> {
    pub(super) rng: &'a mut Rng,
    pub(super) tables: &'a [Known],
    aliases: usize,
}

impl<'a> Generator<'a> {
    pub(super) fn new(rng: &'a mut Rng, tables: &'a [Known]) -> Self {
        Generator { rng, tables, aliases: 0 }
    }

    pub(super) fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("r{}", self.aliases)
    }

    pub(super) fn table(&mut self) -> Relation {
        let (index, alias) = (self.rng.below(self.tables.len()), self.alias());
        let Known { columns, rows } = &self.tables[index];
        let columns =
            columns.iter().map(|(name, class)| Column { sql: format!("{alias}.{name}"), class: *class });
        Relation { sql: sql!(format!("{{{index}}} AS {alias}")), columns: columns.collect(), rows: *rows }
    }

    /// A table, or a subquery of this depth.
    pub(super) fn relation(&mut self, depth: usize) -> Relation {
        if depth == 0 || self.rng.once_in(2) {
            return self.table();
        }
        let from = if self.rng.once_in(4) { self.joined(depth - 1) } else { self.relation(depth - 1) };
        let rows = from.rows;
        match self.rng.below(8) {
            0 => self.grouped(from),
            1 | 2 => self.top(from, 40),
            3 => self.union(from, depth),
            4 => self.ranked(from),
            kind => {
                let items = self.renamed(&from);
                let condition = conjunction(self.rng, &from.columns);
                self.named(kind == 5, items, from.sql, condition, sql!(), rows)
            }
        }
    }

    /// One or two joins of relations.
    pub(super) fn joined(&mut self, depth: usize) -> Relation {
        let mut left = self.relation(depth);
        for _ in 0..self.rng.pick(&[1, 1, 2]) {
            let right = self.relation(depth);
            left = self.join(left, right);
        }
        left
    }

    /// A join of any kind.
    pub(super) fn join(&mut self, left: Relation, right: Relation) -> Relation {
        let kinds = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "FULL JOIN", "LEFT SEMI JOIN"];
        let others = ["LEFT ANTI JOIN", "RIGHT SEMI JOIN", "RIGHT ANTI JOIN", "CROSS JOIN"];
        let kind = if self.rng.below(3) < 2 { self.rng.pick(&kinds) } else { self.rng.pick(&others) };
        let has_more = self.rng.once_in(3);
        self.join_as(kind, left, right, has_more)
    }

    /// A join with a condition in addition to its equalities.
    pub(super) fn join_on_more(&mut self, kind: &'static str, left: Relation, right: Relation) -> Relation {
        self.join_as(kind, left, right, true)
    }

    fn join_as(&mut self, kind: &'static str, left: Relation, right: Relation, has_more: bool) -> Relation {
        let right = match left.rows * right.rows > MOST_PAIRS {
            true => self.top(right, MOST_PAIRS / left.rows),
            false => right,
        };
        let both = [left.columns.as_slice(), &right.columns].concat();
        let mut conditions = Vec::new();
        let mut simpler = vec![left.sql.clone()];
        if kind != "CROSS JOIN" {
            let pairs = self.pairs(&left, &right);
            if !pairs.is_empty() {
                let count = self.rng.pick(&[1, 1, 1, 2]);
                conditions.extend((0..count).map(|_| Sql::from(self.rng.pick(&pairs))));
            }
            if conditions.is_empty() || has_more {
                conditions.push(predicate(self.rng, &both, 1));
            }
            simpler.push(sql!(left.sql.clone(), " JOIN ", right.sql.clone(), " ON ", conditions[0].clone()));
        }
        let mut on = Sql::list(" ON ", " AND ", conditions);
        let has_key =
            |relation: &Relation| relation.columns.iter().filter(|column| column.name() == "k").count() == 1;
        if kind != "CROSS JOIN" && has_key(&left) && has_key(&right) && self.rng.once_in(6) {
            on = sql!(" USING (k)");
        }
        let columns = match kind {
            "LEFT SEMI JOIN" | "LEFT ANTI JOIN" => left.columns.clone(),
            "RIGHT SEMI JOIN" | "RIGHT ANTI JOIN" => right.columns.clone(),
            _ => both,
        };
        let rows =
            left.rows * right.rows / if kind == "CROSS JOIN" { 1 } else { 10 } + left.rows + right.rows;
        Relation { sql: sql!(left.sql, format!(" {kind} "), right.sql, on).or(simpler), columns, rows }
    }

    /// Equalities between two relations. If some columns have equal names, there may be only
    /// equalities of those.
    fn pairs(&mut self, left: &Relation, right: &Relation) -> Vec<String> {
        let by_name = !self.rng.once_in(4);
        let pairs = |by_name: bool| -> Vec<String> {
            let all = left.columns.iter().flat_map(|one| right.columns.iter().map(move |other| (one, other)));
            let joined = all.filter(|(one, other)| {
                one.class == other.class
                    && one.class != Class::Bool
                    && (!by_name || one.name() == other.name())
            });
            joined.map(|(one, other)| format!("{} = {}", one.sql, other.sql)).collect()
        };
        let found = pairs(by_name);
        if found.is_empty() { pairs(false) } else { found }
    }

    /// Some columns, or expressions over them.
    fn renamed(&mut self, from: &Relation) -> Vec<(Sql, Class)> {
        let count = 1 + self.rng.below(NAMES.len() - 1);
        (0..count).map(|_| expression(self.rng, &from.columns)).collect()
    }

    /// A subquery whose columns have names of tables' columns, rarely their own.
    fn named(
        &mut self,
        distinct: bool,
        items: Vec<(Sql, Class)>,
        from: Sql,
        condition: Vec<Sql>,
        rest: Sql,
        rows: usize,
    ) -> Relation {
        let alias = self.alias();
        let mut names = NAMES.to_vec();
        let mut columns = Vec::new();
        let items = items.into_iter().map(|(item, class)| {
            let name = names.remove(self.rng.below(names.len().min(3)));
            columns.push(Column { sql: format!("{alias}.{name}"), class });
            sql!(item, format!(" AS {name}"))
        });
        let opening = if distinct { "SELECT DISTINCT " } else { "SELECT " };
        let items = Sql::selected(opening, items.collect());
        let condition = Sql::list(" WHERE ", " AND ", condition);
        let simpler = sql!("(", items.clone(), " FROM ", from.clone(), format!(") AS {alias}"));
        let sql = sql!("(", items, " FROM ", from, condition, rest, format!(") AS {alias}"));
        Relation { sql: sql.or([simpler]), columns, rows }
    }

    fn grouped(&mut self, from: Relation) -> Relation {
        let key = self.rng.pick(&from.columns);
        let mut items = vec![(Sql::from(key.sql.clone()), key.class)];
        items.extend((0..1 + self.rng.below(3)).map(|_| aggregate(self.rng, &from.columns)));
        let condition = conjunction(self.rng, &from.columns);
        self.named(false, items, from.sql, condition, sql!(format!(" GROUP BY {}", key.sql)), from.rows)
    }

    /// The first rows of a total order over all columns of the subquery, in which an expression may
    /// come first.
    pub(super) fn top(&mut self, from: Relation, most: usize) -> Relation {
        let items: Vec<_> = from.columns.iter().take(NAMES.len()).cloned().collect();
        let mut order = Vec::new();
        if self.rng.once_in(3) {
            order.push(expression(self.rng, &items).0);
        }
        order.extend(items.iter().map(|item| sql!(item.sql.clone(), direction(self.rng))));
        let order = Sql::whole(" ORDER BY ", order);
        let limit = sql!(format!(" LIMIT {}", 1 + self.rng.below(most.clamp(1, 40))));
        let condition = conjunction(self.rng, &from.columns);
        let items = items.into_iter().map(|item| (Sql::from(item.sql), item.class)).collect();
        self.named(false, items, from.sql, condition, sql!(order, limit), most)
    }

    /// The first rows of each group, by a window function.
    fn ranked(&mut self, from: Relation) -> Relation {
        let items: Vec<_> = from.columns.iter().take(NAMES.len() - 1).cloned().collect();
        let group = self.rng.pick(&items).sql;
        let order = items.iter().map(|item| sql!(item.sql.clone(), direction(self.rng)));
        let order = Sql::whole(" ORDER BY ", order.collect());
        let rank = sql!(format!("row_number() OVER (PARTITION BY {group}"), order, ")");
        let mut items: Vec<_> = items.into_iter().map(|item| (Sql::from(item.sql), item.class)).collect();
        items.push((rank, Class::Int));
        let ranked = self.named(false, items, from.sql, Vec::new(), sql!(), from.rows);
        let rank = ranked.columns.last().map(|column| sql!(format!("{} <= 2", column.sql)));
        let items = ranked.columns.iter().map(|column| (Sql::from(column.sql.clone()), column.class));
        self.named(
            false,
            items.collect(),
            ranked.sql.clone(),
            rank.into_iter().collect(),
            sql!(),
            ranked.rows,
        )
    }

    fn union(&mut self, from: Relation, depth: usize) -> Relation {
        let other = self.relation(depth - 1);
        let items = self.renamed(&from);
        let others = items.iter().enumerate();
        let others =
            others.map(|(index, (_, class))| sql!(self.of_class(&other, *class), format!(" AS u{index}")));
        let others = Sql::selected("SELECT ", others.collect());
        let operator = self.rng.pick(&["UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT"]);
        let condition = conjunction(self.rng, &other.columns);
        let condition = Sql::list(" WHERE ", " AND ", condition);
        let second = sql!(format!(" {operator} "), others, " FROM ", other.sql, condition);
        let own = conjunction(self.rng, &from.columns);
        self.named(false, items, from.sql, own, second, from.rows + other.rows)
    }

    /// A column of this class, or a literal if there is none.
    pub(super) fn of_class(&mut self, from: &Relation, class: Class) -> Sql {
        let same: Vec<_> = from.columns.iter().filter(|column| column.class == class).collect();
        match same.is_empty() {
            true => super::expression::literal(self.rng, class).into(),
            false => self.rng.pick(&same).sql.clone().into(),
        }
    }
}

pub(super) fn direction(rng: &mut Rng) -> &'static str {
    rng.pick(&["", " DESC", " NULLS FIRST", " NULLS LAST", " DESC NULLS FIRST", " DESC NULLS LAST"])
}
