//! Broken answers: every fixture with a piece of it changed. Nothing may panic, and no answer may grow without bound.
//!
//! A short run is part of the tests; `INDABA_FUZZ=1000000` asks for that many.

use std::{fs, path::Path};

use indaba_llm::{Delta, Event, Head, Vendor, all};
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::broken::{Dice, Tally, at_most, best, change, eightfold, inputs, sizes, spoil};

/// Whether any of it could be read as what it should be.
fn read_everything(vendor: &dyn Vendor, body: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", "7".parse().unwrap());
    for status in [200, 302, 400, 404, 429, 500, 529] {
        let head = Head { status, headers: &headers, now: jiff::Timestamp::UNIX_EPOCH };
        let error = vendor.failure(&head, body);
        assert!(error.detail.chars().count() <= 300);
    }
    let read = [
        vendor.reply(body).is_ok(),
        vendor.embedded(body).is_ok(),
        vendor.transcript(body).is_ok(),
        vendor.listed(body).is_ok(),
    ];
    read.contains(&true)
}

fn read_stream(vendor: &dyn Vendor, events: &[Event]) -> bool {
    let mut reading = vendor.reading();
    let mut show: Vec<Delta> = Vec::new();
    for event in events {
        if !matches!(reading.take(event, &mut show), Ok(false)) {
            break;
        }
    }
    reading.whole().is_ok()
}

/// Every answer and every stream of the fixtures.
fn captured() -> (Vec<Value>, Vec<Vec<Event>>) {
    let mut bodies: Vec<Value> = Vec::new();
    let mut streams: Vec<Vec<Event>> = Vec::new();
    for vendor in all() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(vendor.kind());
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let name = file.to_str().unwrap();
            if name.ends_with(".answer.json") {
                bodies.push(serde_json::from_str::<Value>(&text).unwrap()["body"].clone());
            } else if name.ends_with(".stream.txt") {
                let event = |block: &str| {
                    let line = |field: &str| {
                        block.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default().to_owned()
                    };
                    Event { name: line("event: "), data: line("data: ") }
                };
                streams.push(text.split("\n\n").filter(|block| !block.is_empty()).map(event).collect());
            }
        }
    }
    assert!(bodies.len() > 50 && streams.len() > 10);
    (bodies, streams)
}

#[test]
fn no_broken_answer_makes_a_vendor_stumble() {
    let (bodies, streams) = captured();
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut tally = Tally::begin("language models");
    for round in 0..inputs(8_000, 8_000) {
        // each vendor also reads what belongs to another
        let vendor = all()[round % all().len()];
        if round % 3 == 0 {
            let mut events = streams[dice.throw(streams.len())].clone();
            let index = dice.throw(events.len());
            match dice.throw(6) {
                0 => drop(events.remove(index)),
                1 => events.push(events[index].clone()),
                2 => {
                    let mut bytes = std::mem::take(&mut events[index].data).into_bytes();
                    spoil(&mut bytes, &mut dice);
                    events[index].data = String::from_utf8_lossy(&bytes).into_owned();
                }
                _ => {
                    let mut value: Value = serde_json::from_str(&events[index].data).unwrap_or_default();
                    change(&mut value, &mut dice);
                    events[index].data = value.to_string();
                }
            }
            let shown: String = events.iter().map(|event| format!("{}: {}\n", event.name, event.data)).collect();
            tally.take(shown.as_bytes(), |_| read_stream(vendor, &events));
        } else {
            let mut value = bodies[dice.throw(bodies.len())].clone();
            for _ in 0..=dice.throw(3) {
                change(&mut value, &mut dice);
            }
            let mut bytes = value.to_string().into_bytes();
            spoil(&mut bytes, &mut dice);
            tally.take(&bytes, |bytes| read_everything(vendor, bytes));
        }
    }
    tally.end();
}

#[test]
fn twice_as_much_takes_twice_as_long() {
    let (bodies, streams) = captured();
    let heads = HeaderMap::new();
    for vendor in all() {
        sizes(vendor.kind(), &bodies, 15, |body| {
            drop(vendor.reply(body));
            drop(vendor.failure(&Head { status: 400, headers: &heads, now: jiff::Timestamp::UNIX_EPOCH }, body));
        });
        // many small events: what has come so far is not read again with each
        for stream in streams.iter().take(at_most(6)) {
            let middle = || stream.iter().skip(1).take(stream.len().saturating_sub(2)).cycle();
            let many = |times| stream.iter().take(1).chain(middle().take(times)).cloned().collect::<Vec<Event>>();
            let (few, many) = (many(500), many(4_000));
            let read = |events: &[Event]| {
                read_stream(*vendor, events);
            };
            eightfold(vendor.kind(), || [best(|| read(&few)), best(|| read(&many))]);
        }
    }
}

#[test]
fn a_nest_without_a_bottom_is_only_an_error() {
    for vendor in all() {
        for open in ["[", "{\"error\":", "{\"content\":[", "{\"candidates\":["] {
            assert!(!read_everything(*vendor, open.repeat(100_000).as_bytes()));
            read_stream(*vendor, &[Event { name: String::new(), data: open.repeat(100_000) }]);
        }
    }
}
