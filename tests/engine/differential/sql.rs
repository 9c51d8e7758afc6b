//! A query as a tree of text that can be simplified without knowledge of SQL. A step that makes the
//! query invalid fails in all three sessions, so it is never taken.

use std::fmt::{Display, Formatter, Result};

#[derive(Debug, Clone)]
pub(super) enum Sql {
    Text(String),
    All(Vec<Sql>),
    /// Items that can be left out one by one, down to the least number. Without any item the
    /// opening word is left out too.
    List {
        opening: &'static str,
        separator: &'static str,
        items: Vec<Sql>,
        least: usize,
    },
    /// A part that any of the others can replace.
    Or(Box<Sql>, Vec<Sql>),
}

impl Sql {
    pub(super) fn list(opening: &'static str, separator: &'static str, items: Vec<Sql>) -> Self {
        Sql::List { opening, separator, items, least: 0 }
    }

    /// A list of selected items, at least one. DataFusion accepts an empty one too, but nobody
    /// writes such a query.
    pub(super) fn selected(opening: &'static str, items: Vec<Sql>) -> Self {
        Sql::List { opening, separator: ", ", items, least: 1 }
    }

    /// A list of which nothing can be left out: an order that has to stay total.
    pub(super) fn whole(opening: &'static str, items: Vec<Sql>) -> Self {
        Sql::List { opening, separator: ", ", least: items.len(), items }
    }

    /// Text, or one of some simpler parts.
    pub(super) fn or(self, simpler: impl IntoIterator<Item = Sql>) -> Self {
        Sql::Or(Box::new(self), simpler.into_iter().collect())
    }

    /// All trees that are one step simpler, the shortest first.
    pub(super) fn steps(&self) -> Vec<Sql> {
        let mut steps = self.unsorted_steps();
        steps.sort_by_key(|step| step.to_string().len());
        steps
    }

    fn unsorted_steps(&self) -> Vec<Sql> {
        match self {
            Sql::Text(_) => Vec::new(),
            Sql::All(parts) => within(parts).map(Sql::All).collect(),
            Sql::List { opening, separator, items, least } => {
                let shorter = (0..items.len()).filter(|_| items.len() > *least).map(|left_out| {
                    let mut items = items.clone();
                    items.remove(left_out);
                    items
                });
                let with = |items| Sql::List { opening, separator, items, least: *least };
                shorter.chain(within(items)).map(with).collect()
            }
            Sql::Or(whole, simpler) => {
                let kept = whole.unsorted_steps().into_iter().map(|step| step.or(simpler.clone()));
                simpler.iter().cloned().chain(kept).collect()
            }
        }
    }
}

/// The parts, with one of them a step simpler.
fn within(parts: &[Sql]) -> impl Iterator<Item = Vec<Sql>> {
    parts.iter().enumerate().flat_map(move |(changed, part)| {
        part.unsorted_steps().into_iter().map(move |step| {
            let mut parts = parts.to_vec();
            parts[changed] = step;
            parts
        })
    })
}

impl Display for Sql {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Sql::Text(text) => f.write_str(text),
            Sql::All(parts) => parts.iter().try_for_each(|part| part.fmt(f)),
            Sql::List { opening, separator, items, .. } => {
                for (index, item) in items.iter().enumerate() {
                    f.write_str(if index == 0 { opening } else { separator })?;
                    item.fmt(f)?;
                }
                Ok(())
            }
            Sql::Or(whole, _) => whole.fmt(f),
        }
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Self {
        Sql::Text(text)
    }
}

impl From<&str> for Sql {
    fn from(text: &str) -> Self {
        Sql::Text(text.to_owned())
    }
}

/// Concatenates parts, which are text or trees.
macro_rules! sql {
    ($($part:expr),* $(,)?) => {
        $crate::differential::sql::Sql::All(vec![$($crate::differential::sql::Sql::from($part)),*])
    };
}
pub(super) use sql;
