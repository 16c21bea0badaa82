//! Statements that are put together while the program runs, from parts that are constants.
use std::{
    collections::HashSet,
    sync::{LazyLock, Mutex},
};

/// Keeps a text for ever, once: there are only as many as there are combinations of its parts. Values never belong into it.
pub fn text(sql: String) -> &'static str {
    static ALL: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut all = ALL.lock().expect("no panic under this lock");
    if let Some(known) = all.get(sql.as_str()) {
        return known;
    }
    let kept: &'static str = sql.leak();
    all.insert(kept);
    kept
}
