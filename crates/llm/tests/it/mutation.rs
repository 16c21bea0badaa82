//! Broken answers: every fixture with a piece of it changed. Nothing may panic, and no answer may grow without bound.
//!
//! A short run is part of the tests; `INDABA_FUZZ=1000000` asks for that many.

use std::{fs, path::Path};

use indaba_llm::{Delta, Event, Head, Vendor, all};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// A small generator: the same broken answers every time.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below.max(1)).unwrap()).unwrap()
    }

    fn odd(&mut self) -> Value {
        match self.next(16) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(-1),
            3 => json!(1e308),
            4 => json!(u64::MAX),
            5 => json!("0"),
            6 => json!(""),
            7 => json!("\u{0}\u{FFFD}\u{202E}"),
            8 => json!("x".repeat(5000)),
            9 => json!("<html>"),
            10 => json!([]),
            11 => json!({}),
            12 => json!([[], {}, null]),
            13 => json!({"error": {"message": 1, "type": [], "code": {}}}),
            14 => json!(vec![0; 3000]),
            _ => (0..100).fold(json!(1), |inner, _| json!([inner])),
        }
    }

    /// Walks to some place in a value and spoils it.
    fn spoil(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) if !fields.is_empty() && self.next(4) > 0 => {
                let key = fields.keys().nth(self.next(fields.len())).unwrap().clone();
                match self.next(8) {
                    0 => drop(fields.remove(&key)),
                    1 => drop(fields.insert(format!("{key}_"), json!(1))),
                    _ => self.spoil(&mut fields[&key]),
                }
            }
            Value::Array(values) if !values.is_empty() && self.next(4) > 0 => {
                let index = self.next(values.len());
                match self.next(8) {
                    0 => drop(values.remove(index)),
                    1 => values.push(values[index].clone()),
                    2 => values.reverse(),
                    _ => self.spoil(&mut values[index]),
                }
            }
            _ => *value = self.odd(),
        }
    }

    /// Spoils raw bytes: cut, doubled, changed.
    fn scratch(&mut self, bytes: &mut Vec<u8>) {
        let at = self.next(bytes.len());
        match self.next(4) {
            0 => bytes.truncate(at),
            1 => bytes.extend_from_within(at..),
            2 => bytes.splice(at..at, [0xff, 0x00, b'"']).for_each(drop),
            _ if !bytes.is_empty() => bytes[at] = b"\x00\"{}[],:\\9"[self.next(10)],
            _ => {}
        }
    }
}

fn read_everything(vendor: &dyn Vendor, body: &[u8]) {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", "7".parse().unwrap());
    for status in [200, 302, 400, 404, 429, 500, 529] {
        let head = Head { status, headers: &headers, now: jiff::Timestamp::UNIX_EPOCH };
        let error = vendor.failure(&head, body);
        assert!(error.detail.chars().count() <= 300);
    }
    drop(vendor.reply(body));
    drop(vendor.embedded(body));
    drop(vendor.transcript(body));
    drop(vendor.listed(body));
}

fn read_stream(vendor: &dyn Vendor, events: &[Event]) {
    let mut reading = vendor.reading();
    let mut show: Vec<Delta> = Vec::new();
    for event in events {
        if !matches!(reading.take(event, &mut show), Ok(false)) {
            break;
        }
    }
    drop(reading.whole());
}

#[test]
fn no_broken_answer_makes_a_vendor_stumble() {
    let times: usize = std::env::var("INDABA_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(8_000);
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
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
    for round in 0..times {
        // each vendor also reads what belongs to another
        let vendor = all()[round % all().len()];
        if round % 3 == 0 {
            let mut events = streams[chance.next(streams.len())].clone();
            let index = chance.next(events.len());
            match chance.next(6) {
                0 => drop(events.remove(index)),
                1 => events.push(events[index].clone()),
                2 => {
                    let mut bytes = std::mem::take(&mut events[index].data).into_bytes();
                    chance.scratch(&mut bytes);
                    events[index].data = String::from_utf8_lossy(&bytes).into_owned();
                }
                _ => {
                    let mut value: Value = serde_json::from_str(&events[index].data).unwrap_or_default();
                    chance.spoil(&mut value);
                    events[index].data = value.to_string();
                }
            }
            read_stream(vendor, &events);
        } else {
            let mut value = bodies[chance.next(bodies.len())].clone();
            for _ in 0..=chance.next(3) {
                chance.spoil(&mut value);
            }
            let mut bytes = value.to_string().into_bytes();
            if chance.next(4) == 0 {
                chance.scratch(&mut bytes);
            }
            read_everything(vendor, &bytes);
        }
    }
}

#[test]
fn a_nest_without_a_bottom_is_only_an_error() {
    for vendor in all() {
        for open in ["[", "{\"error\":", "{\"content\":[", "{\"candidates\":["] {
            read_everything(*vendor, open.repeat(100_000).as_bytes());
            read_stream(*vendor, &[Event { name: String::new(), data: open.repeat(100_000) }]);
        }
    }
}
