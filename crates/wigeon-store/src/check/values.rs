//! Single values: their order, and how they are shown.

use std::cmp::Ordering;

use rusqlite::types::{Value, ValueRef};

/// Characters of a value that are shown.
const SHOWN_MAX: usize = 200;

/// The order in which SQLite sorts keys: nothing, numbers, texts, bytes.
pub(super) fn order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Integer(one), Value::Integer(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.as_bytes().cmp(other.as_bytes()),
        (Value::Blob(one), Value::Blob(other)) => one.cmp(other),
        (Value::Real(_) | Value::Integer(_), Value::Real(_) | Value::Integer(_)) => {
            number(one).total_cmp(&number(other))
        }
        _ => rank(one).cmp(&rank(other)),
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Integer(number) => *number as f64,
        Value::Real(number) => *number,
        _ => 0.0,
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    }
}

/// As a person reads it: text in quotes, bytes as text if they are one.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => shortened(text),
        Value::Blob(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(char::is_control) => shortened(text),
            _ => {
                bytes.iter().take(SHOWN_MAX / 2).fold("x'".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
                    + "'"
            }
        },
    }
}

/// As it stands in a sentence.
pub(super) fn plain(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        value => show(&value.try_into().unwrap_or(Value::Null)),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
