//! Two databases side by side, table by table and row by row in the order of their keys.
//!
//! Which tables there are is asked of the databases, so that a new one is compared without a word here. What
//! is not compared stands in [`LEFT_OUT`], with the reason.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, Rows};

use super::values::{self, show};
use super::{Difference, Report};
use crate::Fault;
use crate::schema::{OF_RUN, STREAM};

/// Tables that are not made by the fold.
const LEFT_OUT: &[(&str, &str)] =
    &[("scrub", "what the log still has to lose: it shrinks as the log loses it")];

/// Compares the definitions of all tables, indexes and triggers, and returns the tables whose rows can be
/// compared.
pub(super) fn tables(
    expected: &Connection,
    found: &Connection,
    report: &mut Report,
) -> Result<Vec<String>, Fault> {
    let (expected, found) = (definitions(expected)?, definitions(found)?);
    let mut names: Vec<&(String, String)> = expected.keys().chain(found.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let mut both = Vec::new();
    for key in names {
        let (kind, name) = key;
        let (expected, found) = (expected.get(key), found.get(key));
        if expected != found {
            let or_none = |sql: Option<&String>| sql.map_or_else(|| "none".to_owned(), |sql| show_sql(sql));
            report.tell(Difference {
                table: "sqlite_schema".to_owned(),
                key: format!("{kind} {name}"),
                column: Some("sql".to_owned()),
                expected: or_none(expected),
                found: or_none(found),
            });
        } else if kind == "table" && LEFT_OUT.iter().all(|(left_out, _)| left_out != name) {
            both.push(name.clone());
        }
    }
    Ok(both)
}

/// What the database is made of, by kind and name.
fn definitions(db: &Connection) -> Result<BTreeMap<(String, String), String>, Fault> {
    // What SQLite makes for itself (the index of a primary key, statistics) follows from the rest.
    let sql = "SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn show_sql(sql: &str) -> String {
    show(&Value::Text(sql.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// Compares the rows of a table that both have, and returns how many it should have.
pub(super) fn rows(
    expected: &Connection,
    found: &Connection,
    table: &str,
    report: &mut Report,
) -> Result<u64, Fault> {
    let shape = Shape::of(expected, table)?;
    let (mut ours, mut theirs) = (expected.prepare(&shape.sql)?, found.prepare(&shape.sql)?);
    let (mut ours, mut theirs) = (ours.query([])?, theirs.query([])?);
    let (mut one, mut other) = (shape.next(&mut ours)?, shape.next(&mut theirs)?);
    let mut count = 0;
    loop {
        let order = match (&one, &other) {
            (Some(one), Some(other)) => shape.order(one, other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return Ok(count),
        };
        match (order, &one, &other) {
            (Ordering::Less, Some(row), _) => report.tell(shape.whole(row, "the row", "none")),
            (Ordering::Greater, _, Some(row)) => report.tell(shape.whole(row, "none", "the row")),
            (_, Some(one), Some(other)) => shape.cells(one, other, report),
            _ => {}
        }
        if order != Ordering::Greater {
            count += 1;
            one = shape.next(&mut ours)?;
        }
        if order != Ordering::Less {
            other = shape.next(&mut theirs)?;
        }
    }
}

type Row = Vec<Value>;

/// What a table looks like.
struct Shape {
    table: String,
    columns: Vec<String>,
    /// Which of the columns are its key, in order.
    key: Vec<usize>,
    sql: String,
}

impl Shape {
    fn of(db: &Connection, table: &str) -> Result<Self, Fault> {
        let mut statement = db.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
        let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get::<_, usize>(1)?)))?;
        let (columns, keys): (Vec<String>, Vec<usize>) =
            rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().unzip();
        let mut key: Vec<usize> = (0..columns.len()).filter(|i| keys[*i] > 0).collect();
        key.sort_unstable_by_key(|i| keys[*i]);
        if key.is_empty() {
            key = (0..columns.len()).collect();
        }
        let quoted = |i: &usize| format!("\"{}\"", columns[*i]);
        let list = |of: &[usize]| of.iter().map(quoted).collect::<Vec<_>>().join(", ");
        let all: Vec<usize> = (0..columns.len()).collect();
        // How the runs of a directory went is no matter of the log.
        let runs = format!("WHERE key NOT IN ('{}', '{STREAM}')", OF_RUN.join("', '"));
        let which = if table == "meta" { runs.as_str() } else { "" };
        let sql = format!("SELECT {} FROM \"{table}\" {which} ORDER BY {}", list(&all), list(&key));
        Ok(Self { table: table.to_owned(), columns, key, sql })
    }

    fn next(&self, rows: &mut Rows<'_>) -> Result<Option<Row>, Fault> {
        let Some(row) = rows.next()? else { return Ok(None) };
        let cells = (0..self.columns.len()).map(|i| row.get(i));
        Ok(Some(cells.collect::<rusqlite::Result<_>>()?))
    }

    fn order(&self, one: &Row, other: &Row) -> Ordering {
        let parts = self.key.iter().map(|i| values::order(&one[*i], &other[*i]));
        parts.fold(Ordering::Equal, Ordering::then)
    }

    fn key_of(&self, row: &Row) -> String {
        let part = |i: &usize| format!("{}={}", self.columns[*i], show(&row[*i]));
        self.key.iter().map(part).collect::<Vec<_>>().join(" ")
    }

    fn whole(&self, row: &Row, expected: &str, found: &str) -> Difference {
        Difference {
            table: self.table.clone(),
            key: self.key_of(row),
            column: None,
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }

    fn cells(&self, one: &Row, other: &Row, report: &mut Report) {
        for (i, column) in self.columns.iter().enumerate() {
            if one[i] == other[i] {
                continue;
            }
            report.tell(Difference {
                table: self.table.clone(),
                key: self.key_of(one),
                column: Some(column.clone()),
                expected: show(&one[i]),
                found: show(&other[i]),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let store = crate::Store::open(dir.path(), crate::Durability::Os, 7).unwrap();
        drop(store);
        let db = Connection::open(dir.path().join("wigeon.db")).unwrap();
        let definitions = definitions(&db).unwrap();
        for (name, reason) in LEFT_OUT {
            assert!(definitions.contains_key(&("table".to_owned(), (*name).to_owned())), "{name}");
            assert!(!reason.is_empty(), "{name} is left out for a reason");
        }
    }
}
