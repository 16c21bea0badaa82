//! All SQL of the server: each statement is understood by both databases, and those who see all tenants say why.
use crate::support::{
    each_database,
    source::{Literal, literals},
};
use indaba::db::Dialect;
use std::collections::BTreeSet;

/// A literal that is a whole statement, by its first word and one that belongs to it.
fn statement(literal: &Literal) -> bool {
    let mut words = literal.text.split_whitespace();
    let belongs: &[&str] = match words.next() {
        Some("select") => &["from"],
        Some("insert") => &["into"],
        Some("update") => &["set"],
        Some("delete") => &["from"],
        Some("with") => &["select", "insert", "update", "delete"],
        _ => return false,
    };
    // `db/` speaks to one database at a time, of its own tables
    !literal.place.starts_with("db/") && words.any(|word| belongs.contains(&word.trim_start_matches('(')))
}

/// The calls that make one statement of many rows (`db/many.rs`).
const MANY: [&str; 4] = ["insert", "insert_only", "all_for", "run_for"];

/// The method whose first argument follows: `insert` of `tx.insert::<(Id,),2>(`.
fn called(before: &str) -> &str {
    let call = before.strip_suffix('(').unwrap_or("");
    let call = if call.ends_with('>') { call.rsplit_once("::<").map_or("", |(call, _)| call) } else { call };
    call.rsplit('.').next().unwrap_or("")
}

#[tokio::test]
async fn every_statement_is_understood_by_both_databases() {
    let all: Vec<Literal> = literals().into_iter().filter(statement).collect();
    each_database(async |db| {
        let mut wrong = Vec::new();
        for Literal { place, before, text } in &all {
            let other = if db.dialect() == Dialect::Sqlite { "postgres" } else { "sqlite" };
            if before.ends_with(&format!("{other}:")) || before.ends_with(&format!("Texts::{other}(")) {
                continue; // one of two texts, and not ours
            }
            let many = MANY.contains(&called(before));
            let sql = text.clone();
            let known = db.system_read("check a statement", move |tx| tx.check(&sql, many)).await;
            wrong.extend(known.err().map(|e| format!("{place}: {e}\n{text}\n")));
        }
        assert!(wrong.is_empty(), "{:?} does not understand\n\n{}", db.dialect(), wrong.join("\n"));
    })
    .await
}

#[test]
fn who_sees_all_tenants_says_why() {
    let asks = |literal: &Literal| [".system(", ".system_read("].iter().any(|open| literal.before.ends_with(open));
    let reasons: BTreeSet<String> = literals().into_iter().filter(asks).map(|literal| literal.text).collect();
    let list: String = reasons.into_iter().map(|reason| reason + "\n").collect();
    insta::assert_snapshot!("reasons", list);
}

/// Inside `in (…)` PostgreSQL may run a subquery once for each row it looks at. One that locks what is free then locks rows that have been
/// looked at already: nobody takes them, and everybody else passes them over. In 320 crowds of eight workers, five left some lying.
#[test]
fn what_locks_the_free_rows_runs_once() {
    let locks = |literal: &Literal| literal.text.contains("skip locked") && !literal.place.starts_with("db/");
    let all: Vec<Literal> = literals().into_iter().filter(locks).collect();
    assert!(all.len() >= 2, "the claims of jobs are not seen");
    for Literal { place, text, .. } in all {
        let before = text.split("skip locked").next().unwrap_or_default();
        assert!(before.contains("as materialized ("), "{place}: {text}");
    }
}
