//! Who may call whom (STYLE 1): reads the `use` lines and names a wrong arrow.
use std::{collections::BTreeMap, fs, path::Path};

/// What the rooms stand on; it knows no room.
const FLOOR: &[&str] = &[
    "app",
    "blobs",
    "bus",
    "clock",
    "config",
    "db",
    "error",
    "events",
    "health",
    "http",
    "id",
    "jobs",
    "mail",
    "net",
    "passwords",
    "request",
    "search",
    "secrets",
];
/// The rooms, each of which may ask those before it.
const ROOMS: &[&str] = &[
    "audit",
    "tenants",
    "users",
    "credits",
    "instances",
    "contacts",
    "conversations",
    "media", // what templates and quick replies carry along
    "templates",
    "quick_replies",
    "messages",
    "notifications",
    "knowledge",
    "appointments",
    "assistant",
    "campaigns",
    "automations",
    "reports",
    "exports",
    "operators",
];
/// What knows every room: the two lists, and what puts the program together.
const LISTS: &[&str] = &["router", "registry", "serve", "demo", "main", "lib"];
/// Names that say nothing.
const EMPTY_WORDS: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc"];

/// Arrows that point the wrong way on purpose, and why.
const GRANTED: &[(&str, &str, &str)] = &[
    (
        "app.rs",
        "crate::instances::routes::HookRoutes",
        "every hook asks it: a part of the server, made once, without rows",
    ),
    ("app.rs", "crate::messages::Intake", "every hook goes through it: it gathers callers into one commit"),
];

/// Texts by their path in `src`: `users/store.rs`.
type Sources = BTreeMap<String, String>;

/// What is wrong, one sentence each.
fn faults(sources: &Sources) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in sources {
        let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
        if let Some(word) = parts.iter().find(|part| EMPTY_WORDS.contains(part)) {
            faults.push(format!("{path}: `{word}` says nothing; name it after what it does"));
        }
        let own = parts[0];
        let place = ROOMS.iter().position(|room| *room == own);
        if place.is_none() && !FLOOR.contains(&own) && !LISTS.contains(&own) {
            faults.push(format!("{path}: `{own}` is neither floor nor room; say in house.rs where it stands"));
        }
        if LISTS.contains(&own) {
            continue;
        }
        let store = place.is_some() && parts[1..].contains(&"store");
        if place.is_some() && !store && asks_the_database(text) {
            faults.push(format!("{path}: SQL stands in the room's store"));
        }
        for used in uses(text) {
            if GRANTED.iter().any(|(from, to, _)| *from == path && *to == used) {
                continue;
            }
            let mut steps = used.split("::");
            let first = steps.next().unwrap_or_default();
            let second = steps.next().unwrap_or_default();
            if first == "super" && store && ["http", "jobs"].contains(&second) {
                faults.push(format!("{path} uses {used}: a store knows neither routes nor jobs"));
            }
            if first != "crate" || second == own {
                let inside = steps.next().unwrap_or_default();
                if first == "crate" && store && ["http", "jobs"].contains(&inside) {
                    faults.push(format!("{path} uses {used}: a store knows neither routes nor jobs"));
                }
                continue;
            }
            let Some(theirs) = ROOMS.iter().position(|room| *room == second) else {
                if ["router", "serve", "main", "demo"].contains(&second) {
                    faults.push(format!("{path} uses {used}: nobody asks the lists"));
                }
                continue;
            };
            match place {
                None => faults.push(format!("{path} uses {used}: the floor knows no room")),
                Some(ours) if theirs > ours => {
                    faults.push(format!(
                        "{path} uses {used}: {second} comes after {own}; let it follow an event instead"
                    ));
                }
                Some(_) => {}
            }
            if ["store", "http", "jobs"].contains(&steps.next().unwrap_or_default()) {
                faults.push(format!("{path} uses {used}: ask the room itself, not its insides"));
            }
        }
    }
    faults
}

/// Whether a text holds a statement.
fn asks_the_database(text: &str) -> bool {
    let begins = ["select ", "insert into ", "update ", "delete from "];
    let literals = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().split('"').skip(1).step_by(2);
    literals.map(str::trim_start).any(|literal| begins.iter().any(|begin| literal.starts_with(begin)))
}

/// Every path that a text names: its `use` trees laid out, and `crate::…` wherever it stands. Comments and tests do not count.
fn uses(text: &str) -> Vec<String> {
    let code: String = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default()
        .lines()
        .fold(String::new(), |all, line| all + line.split("//").next().unwrap_or_default() + "\n");
    let mut out = Vec::new();
    let mut rest = code.as_str();
    while let Some(at) = rest.find("use ") {
        let begins = rest[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || c == '(');
        let tail = &rest[at + 4..];
        let end = tail.find(';').unwrap_or(tail.len());
        if begins {
            lay_out("", &tail[..end], &mut out);
        }
        rest = if begins { &tail[end..] } else { tail };
    }
    let path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for (at, _) in code.match_indices("crate::") {
        let end = code[at..].find(|c| !path(c)).map_or(code.len(), |end| at + end);
        out.push(code[at..end].trim_end_matches(':').to_owned());
    }
    out.sort();
    out.dedup();
    out
}

/// `a::{b, c::{d}}` → `a::b`, `a::c::d`.
fn lay_out(before: &str, tree: &str, out: &mut Vec<String>) {
    let (mut depth, mut from, mut items) = (0, 0, Vec::new());
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&tree[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    items.push(&tree[from..]);
    for item in items.into_iter().map(str::trim).filter(|item| !item.is_empty()) {
        match item.split_once('{') {
            Some((head, inner)) => {
                let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
                lay_out(&format!("{before}{}", head.trim()), inner, out);
            }
            None => out.push(format!("{before}{}", item.split(" as ").next().unwrap_or(item).trim())),
        }
    }
}

fn read(root: &Path) -> Sources {
    fn walk(root: &Path, dir: &Path, out: &mut Sources) {
        for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                walk(root, &entry, out);
            } else if entry.extension().is_some_and(|ending| ending == "rs") {
                let name = entry.strip_prefix(root).unwrap().display().to_string();
                out.insert(name, fs::read_to_string(&entry).unwrap());
            }
        }
    }
    let mut out = Sources::new();
    walk(root, root, &mut out);
    assert!(!out.is_empty(), "no sources in {}", root.display());
    out
}

/// What a leaf crate names that it must not know.
fn leaf_faults(name: &str, sources: &Sources, unknown: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in sources {
        for used in uses(text) {
            if let Some(what) = unknown.iter().find(|what| used.split("::").next() == Some(**what)) {
                faults.push(format!("{name}/{path} uses {used}: a leaf knows no {what}"));
            }
        }
    }
    faults
}

#[test]
fn every_arrow_points_down() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut faults = faults(&read(&here.join("src")));
    let ours = ["indaba", "rusqlite", "postgres", "tokio_postgres", "axum", "indaba_simulator"];
    for leaf in ["providers", "llm"] {
        faults.extend(leaf_faults(leaf, &read(&here.join(format!("../{leaf}/src"))), &ours));
    }
    faults.extend(leaf_faults("simulator", &read(&here.join("../simulator/src")), &ours[..4]));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_wrong_arrow_is_named() {
    let told = |path: &str, text: &str| faults(&Sources::from([(path.into(), text.into())])).join("\n");
    for (path, text, why) in [
        ("tenants/mod.rs", "use crate::users;", "users comes after tenants"),
        (
            "tenants/mod.rs",
            "use crate::{\n    Result,\n    audit, contacts::{Contact, self},\n};",
            "contacts comes after tenants",
        ),
        ("tenants/mod.rs", "fn f() { crate::messages::send() }", "messages comes after tenants"),
        ("users/http.rs", "use crate::tenants::store::Row;", "not its insides"),
        ("users/http/me.rs", "pub(crate) use crate::tenants::store;", "not its insides"),
        ("db/mod.rs", "use crate::audit::record;", "the floor knows no room"),
        ("http/stack.rs", "use crate::{app::App, users};", "the floor knows no room"),
        ("users/store.rs", "use super::http::View;", "neither routes nor jobs"),
        ("users/store.rs", "use crate::users::jobs::Sweep;", "neither routes nor jobs"),
        ("users/mod.rs", "use crate::router;", "nobody asks the lists"),
        ("extras/mod.rs", "", "neither floor nor room"),
        ("users/utils.rs", "", "says nothing"),
        (
            "users/mod.rs",
            "fn f(tx: &mut TenantRead) { tx.all(\"select id from users\", args![]) }",
            "in the room's store",
        ),
    ] {
        assert!(told(path, text).contains(why), "{path}: {text}: {}", told(path, text));
    }
    for (path, text) in [
        ("users/mod.rs", "use crate::{audit, tenants::{self, Tenant}};"),
        ("users/mod.rs", "// use crate::contacts;\n/// See [`crate::contacts`].\nfn f() {}"),
        ("users/mod.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::contacts;\n}"),
        ("router.rs", "use crate::{audit, users, operators};"),
        ("users/store.rs", "fn f(tx: &mut TenantRead) { tx.all(\"select id from users\", args![]) }"),
        ("users/mod.rs", "fn f() { say(\"what was selected\") }"),
    ] {
        assert_eq!(told(path, text), "", "{path}: {text}");
    }
    let leaf = Sources::from([("waha.rs".into(), "use rusqlite::Connection;".into())]);
    assert!(leaf_faults("providers", &leaf, &["rusqlite"])[0].contains("a leaf knows no rusqlite"));
}

/// What the documents say of a file is worth nothing when it is not there.
#[test]
fn the_files_that_documents_name_are_there() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = crate_dir.parent().and_then(Path::parent).unwrap();
    let mut documents: Vec<_> = ["README.md", "SECURITY.md", "e2e/README.md"].map(|name| root.join(name)).into();
    for dir in ["docs", "docs/decisions"] {
        documents.extend(fs::read_dir(root.join(dir)).unwrap().map(|entry| entry.unwrap().path()));
    }
    let (mut seen, mut gone) = (0, Vec::new());
    for document in documents.iter().filter(|path| path.extension().is_some_and(|ending| ending == "md")) {
        let text = fs::read_to_string(document).unwrap();
        for named in text.split('`').skip(1).step_by(2) {
            if !["crates", "docs", "scripts", "tests", "web", "e2e"]
                .contains(&named.split('/').next().unwrap_or_default())
            {
                continue;
            }
            let path = named.split([' ', ':']).next().unwrap_or_default();
            if path.contains(['*', '{', '<', '…']) {
                continue;
            }
            seen += 1;
            if ![root, crate_dir].iter().any(|from| from.join(path).exists()) {
                gone.push(format!("{}: {path}", document.file_name().unwrap().display()));
            }
        }
    }
    assert!(seen > 20, "only {seen} files are named: the documents are not read as they are written");
    assert!(gone.is_empty(), "{}", gone.join("\n"));
}
