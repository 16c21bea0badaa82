//! One statement for many rows on PostgreSQL: the text for a single row, turned into one over `unnest`ed arrays.
use crate::{Error, Result};

/// Turns `sql`, written for one row, into a statement for any number of them. `types` are the server's types of its parameters;
/// with `tenant`, `$1` stays as it is and the rows begin at `$2`.
///
/// - `insert … values ($1, $2) …` becomes `insert … select $1, given.c2 from unnest($2::uuid[]) as given (c2) …`
/// - `select … where id = $2` becomes `select q.* from unnest(…) as given (c2) cross join lateral (select … where id = given.c2) q`
/// - `update … where id = $2` and `delete from … where id = $2` are joined with `unnest(…) as given (c2)`; keys must differ
pub fn over_rows(sql: &str, types: &[&str], tenant: bool) -> Result<String> {
    let from = if tenant { 2 } else { 1 }; // the first parameter that differs from row to row
    let arrays: Vec<String> = (from..=types.len()).map(|i| format!("${i}::{}[]", types[i - 1])).collect();
    let names: Vec<String> = (from..=types.len()).map(|i| format!("c{i}")).collect();
    let rows = format!("unnest({}) as given ({})", arrays.join(", "), names.join(", "));
    let text = named(sql, from);
    let lost = |what: &str| Error::Statement(format!("no {what} in {sql}"));
    match text.split_whitespace().next() {
        Some("insert") => {
            let (head, rest) = text.split_once(" values (").ok_or_else(|| lost("values"))?;
            let end = closing(rest).ok_or_else(|| lost("end of values"))?;
            Ok(format!("{head} select {} from {rows}{}", &rest[..end], &rest[end + 1..]))
        }
        Some("select") => Ok(format!("select q.* from {rows} cross join lateral ({text}) q")),
        Some(word @ ("update" | "delete")) => {
            let at = outer_where(&text).ok_or_else(|| lost("where"))?;
            let join = if word == "update" { "from" } else { "using" };
            Ok(format!("{}{join} {rows} {}", &text[..at], &text[at..]))
        }
        _ => Err(Error::Statement(format!("cannot be run for many rows: {sql}"))),
    }
}

/// `$3` becomes `given.c3`, from the parameter `from` on.
fn named(sql: &str, from: usize) -> String {
    let mut out = String::with_capacity(sql.len() + 32);
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(before);
        match after[..digits].parse::<usize>() {
            Ok(n) if n >= from => out.push_str(&format!("given.c{n}")),
            _ => out.push_str(&rest[at..at + 1 + digits]),
        }
        rest = &after[digits..];
    }
    out.push_str(rest);
    out
}

/// Where the bracket closes that was opened just before.
fn closing(sql: &str) -> Option<usize> {
    let mut depth = 0;
    sql.bytes().position(|byte| {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        depth < 0
    })
}

/// Where the statement's own `where` begins: not one inside brackets.
fn outer_where(sql: &str) -> Option<usize> {
    let (bytes, mut depth) = (sql.as_bytes(), 0);
    for (i, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'w' if depth == 0 && sql[i..].starts_with("where") => {
                let alone = i > 0 && bytes[i - 1].is_ascii_whitespace();
                if alone && bytes.get(i + 5).is_some_and(u8::is_ascii_whitespace) {
                    return Some(i);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_statement_takes_many_rows() {
        let rows = |sql, types: &[&str]| over_rows(sql, types, true).unwrap();
        assert_eq!(
            rows(
                "insert into t (tenant_id, id, n) values ($1, $2, $3) on conflict do nothing",
                &["uuid", "uuid", "int8"]
            ),
            "insert into t (tenant_id, id, n) select $1, given.c2, given.c3 from unnest($2::uuid[], $3::int8[]) as given (c2, c3) on conflict do nothing"
        );
        assert_eq!(
            rows("insert into t (tenant_id, w) values ($1, f(g($2::text, ' '))) returning w", &["uuid", "text"]),
            "insert into t (tenant_id, w) select $1, f(g(given.c2::text, ' ')) from unnest($2::text[]) as given (c2) returning w"
        );
        assert_eq!(
            rows("select id from t where tenant_id = $1 and name = $2", &["uuid", "text"]),
            "select q.* from unnest($2::text[]) as given (c2) cross join lateral (select id from t where tenant_id = $1 and name = given.c2) q"
        );
        assert_eq!(
            rows(
                "update t set n = n + $3, m = (select max(m) from s where true)\n  where tenant_id = $1 and id = $2 returning id",
                &["uuid", "uuid", "int8"]
            ),
            "update t set n = n + given.c3, m = (select max(m) from s where true)\n  from unnest($2::uuid[], $3::int8[]) as given (c2, c3) where tenant_id = $1 and id = given.c2 returning id"
        );
        assert_eq!(
            over_rows("delete from t where id = $1", &["uuid"], false).unwrap(),
            "delete from t using unnest($1::uuid[]) as given (c1) where id = given.c1"
        );
        assert!(over_rows("truncate t", &[], true).is_err());
    }
}
