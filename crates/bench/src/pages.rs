//! What a page costs: the inbox, a thread, a search, over real HTTP, one request after the other.
use crate::{
    Measured,
    process::{self, Line, Server},
    seed,
};
use anyhow::{Context, Result, ensure};
use std::{
    thread,
    time::{Duration, Instant},
};

/// One kind of page.
pub struct Page {
    /// What it is called.
    pub name: &'static str,
    /// CPU of the server for each request, of all its threads.
    pub cpu: Measured,
    /// From the request to the last byte of the answer.
    pub wait: Measured,
}

/// Asks for `samples` pages of each kind of a server whose database [`seed`] has filled.
pub fn measure(server: &Server, key: &str, user: &str, samples: usize) -> Result<Vec<Page>> {
    let mut line = Line::open(server.at, Some(key))?;
    // a walk down the inbox gives places to go on from, and conversations to open
    let (mut places, mut talks) = (Vec::new(), Vec::new());
    for state in ["open", "closed"] {
        let mut after = String::new();
        for _ in 0..12 {
            let page = line.json(&format!("/api/conversations?state={state}&limit=50{after}"))?;
            talks.extend(
                page["items"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|item| item["id"].as_str().map(str::to_owned)),
            );
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
            if state == "open" {
                places.push(after.clone());
            }
        }
    }
    ensure!(!talks.is_empty(), "the inbox is empty");
    let lists = [
        "?limit=50".to_owned(),
        "?limit=50&sort=unread".into(),
        "?limit=50&unread=true".into(),
        format!("?limit=50&assignee={user}"),
        "?limit=50&assignee=none".into(),
        "?limit=50&waiting=us".into(),
        "?limit=50&state=all&sort=oldest".into(),
    ];
    let inbox = |n: usize| match n % 2 {
        0 => format!("/api/conversations{}", lists[n / 2 % lists.len()]),
        _ if places.is_empty() => "/api/conversations?limit=50".into(),
        _ => format!("/api/conversations?limit=50{}", places[n / 2 % places.len()]),
    };
    let thread = |id: &str| format!("/api/conversations/{id}?include=messages,contact");
    // in a larger workspace the newest have said more: short, middle and full threads are opened of both alike
    let mut sizes = [(4..=6, Vec::new()), (18..=22, Vec::new()), (50..=50, Vec::new())];
    for id in talks {
        let shown = line.json(&thread(&id))?["messages"]["items"].as_array().map_or(0, Vec::len);
        if let Some((_, alike)) = sizes.iter_mut().find(|(size, _)| size.contains(&shown)) {
            alike.push(id);
        }
    }
    let sizes: Vec<Vec<String>> = sizes.into_iter().map(|(_, alike)| alike).filter(|alike| !alike.is_empty()).collect();
    ensure!(!sizes.is_empty(), "no conversation is of the sizes that are opened");
    let thread = |n: usize| {
        let alike = &sizes[n % sizes.len()];
        thread(&alike[n / sizes.len() * 7919 % alike.len()])
    };
    let words = seed::to_find();
    let word = |kind: usize, n: usize| words[kind][n % words[kind].len()].as_str();
    let search = |n: usize| {
        let q = match n % 5 {
            0 => word(0, n / 5).to_owned(),
            1 => word(1, n / 5).to_owned(),
            2 => word(2, n / 5).to_owned(),
            3 => format!("{}%20{}", word(0, n / 5), word(1, n / 5)),
            _ => word(1, n / 5).chars().take(3).collect(), // while it is typed
        };
        format!("/api/search?limit=20&q={q}")
    };
    Ok(vec![
        ask(&mut line, server.pid(), "inbox page", samples, inbox)?,
        ask(&mut line, server.pid(), "thread page", samples, thread)?,
        ask(&mut line, server.pid(), "search", samples, search)?,
    ])
}

fn ask(line: &mut Line, pid: u32, name: &'static str, samples: usize, path: impl Fn(usize) -> String) -> Result<Page> {
    let (mut cpu, mut wait) = (Measured::default(), Measured::default());
    let mut slowest = (Duration::ZERO, String::new());
    for n in 0..samples + samples / 5 {
        let path = path(n);
        let (before, begin) = (process::cpu_exact(pid)?, Instant::now());
        let (status, body) = line.get(&path)?;
        let took = begin.elapsed();
        thread::sleep(Duration::from_millis(1)); // its threads put away their things
        let used = process::cpu_exact(pid)?.checked_sub(before).context("the server lost a thread")?;
        ensure!(status == 200, "{path}: {status} {}", String::from_utf8_lossy(&body));
        if n < samples / 5 {
            continue; // the first ones fill caches
        }
        slowest = slowest.max((used, path));
        cpu.steps.push(used);
        wait.steps.push(took);
    }
    eprintln!("    the dearest {name}: {:.2} ms of CPU, {}", slowest.0.as_secs_f64() * 1e3, slowest.1);
    cpu.steps.sort_unstable();
    wait.steps.sort_unstable();
    Ok(Page { name, cpu, wait })
}
