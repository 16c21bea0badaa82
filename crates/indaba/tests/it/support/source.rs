//! Reads our own source: its string literals, and what stands before each.
use std::{fs, path::Path};

/// A string literal of the server's code.
pub struct Literal {
    /// `messages/store.rs:41`
    pub place: String,
    /// Up to 80 characters of code before it, without white space.
    pub before: String,
    /// What it holds.
    pub text: String,
}

/// Every string literal in `src`, without comments and without the tests inside it.
pub fn literals() -> Vec<Literal> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut out = Vec::new();
    walk(&src, &src, &mut out);
    out
}

fn walk(root: &Path, dir: &Path, out: &mut Vec<Literal>) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(root, &path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let text = fs::read_to_string(&path).unwrap();
            read(&name, text.split("#[cfg(test)]\nmod tests").next().unwrap(), out);
        }
    }
}

fn read(name: &str, code: &str, out: &mut Vec<Literal>) {
    let (mut rest, mut before) = (code, String::new());
    while let Some(first) = rest.chars().next() {
        let raw = rest.strip_prefix('r').map(|rest| rest.trim_start_matches('#')).filter(|rest| rest.starts_with('"'));
        let word = before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if let (Some(inside), false) = (raw, word) {
            let hashes = rest.len() - inside.len() - 1;
            let end = format!("\"{}", "#".repeat(hashes));
            let close = inside[1..].find(&end).expect("an end of the raw string") + 1;
            keep(name, code, rest, &before, inside[1..close].into(), out);
            rest = &inside[close + end.len()..];
        } else if first == '"' {
            let (text, length) = unescape(rest);
            keep(name, code, rest, &before, text, out);
            rest = &rest[length..];
        } else if first == '\'' && char_length(rest) > 0 {
            rest = &rest[char_length(rest)..];
        } else {
            if !first.is_whitespace() {
                before.push(first);
            }
            rest = &rest[first.len_utf8()..];
        }
    }
}

fn keep(name: &str, code: &str, rest: &str, before: &str, text: String, out: &mut Vec<Literal>) {
    let line = code[..code.len() - rest.len()].matches('\n').count() + 1;
    let start = before.char_indices().rev().nth(79).map_or(0, |(at, _)| at);
    out.push(Literal { place: format!("{name}:{line}"), before: before[start..].into(), text });
}

/// What a plain literal holds, and how long it is with its quotes.
fn unescape(literal: &str) -> (String, usize) {
    let (mut text, mut chars) = (String::new(), literal.char_indices().skip(1).peekable());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, at + 1),
            '\\' => match chars.next().expect("something escaped").1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                '\n' => while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {},
                c => text.push(c),
            },
            c => text.push(c),
        }
    }
    panic!("a literal without end: {literal:.60}");
}

/// How long the character literal is that begins here; 0 for a lifetime.
fn char_length(rest: &str) -> usize {
    if let Some(escaped) = rest.strip_prefix("'\\") {
        return escaped.char_indices().skip(1).find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 3);
    }
    let mut chars = rest.char_indices().skip(2);
    match chars.next() {
        Some((at, '\'')) => at + 1,
        _ => 0,
    }
}
