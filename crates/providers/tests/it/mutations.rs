//! Captures, changed as nobody would send them: nothing panics, nothing takes long, and what is read can be written down.

use std::time::{Duration, Instant};

use indaba_providers::{Cloud, Content, Evolution, Hook, Ignored, Incoming, Provider, Waha};
use serde_json::{Map, Number, Value, json};

use crate::fixtures;

/// Small and the same every time (xorshift): a failure names its case.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

/// Every body of a hook that the fixtures of a provider have.
fn captured(provider: &dyn Provider) -> Vec<Value> {
    let kind = provider.kind();
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let hooks = fixtures::captures(kind)
        .into_iter()
        .filter(|(name, _)| kind != "waha" || name.starts_with("webhook-"))
        .map(|(_, capture)| read(&fixtures::hook(&capture).body));
    hooks.chain(fixtures::events(kind)).collect()
}

/// Values that have broken programs before.
fn odd(dice: &mut Dice) -> Value {
    match dice.throw(26) {
        0 => Value::Null,
        1 => true.into(),
        2 => 0.into(),
        3 => (-1).into(),
        4 => u64::MAX.into(),
        5 => i64::MIN.into(),
        6 => Number::from_f64(1e300).unwrap().into(),
        7 => 1795150000123_i64.into(),
        8 => "1795150000".into(),
        9 => 253402300800_i64.into(),
        10 => "".into(),
        11 => "\u{0}".into(),
        12 => "_".into(),
        13 => "false_@_".into(),
        14 => "true_27820001001@c.us_".into(),
        15 => "9".repeat(513).into(),
        16 => "@".repeat(200).into(),
        17 => "status@broadcast".into(),
        18 => "120363000000000001@g.us".into(),
        19 => "\u{202e}👩‍👩‍👧‍👦\u{fffd}".repeat(50).into(),
        20 => json!([]),
        21 => json!({}),
        22 => json!([[[[[[[[1]]]]]]]]),
        23 => Value::Array(vec![json!({"status": "WORKING", "timestamp": "x"}); 300]),
        24 => json!({"low": -1, "high": 2147483647, "unsigned": true}),
        _ => json!({"_serialized": {"id": []}, "id": "x_y", "remote": {"_serialized": "a@b"}}),
    }
}

fn change(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Object(fields) if !fields.is_empty() && dice.throw(8) > 0 => {
            let name = fields.keys().nth(dice.throw(fields.len())).unwrap().clone();
            match dice.throw(12) {
                0 => drop(fields.remove(&name)),
                1 => drop(fields.insert(name, odd(dice))),
                2 => {
                    let moved = fields.remove(&name).unwrap();
                    fields.insert(format!("{name}{name}"), moved);
                }
                _ => change(fields.get_mut(&name).unwrap(), dice),
            }
        }
        Value::Array(items) if !items.is_empty() && dice.throw(4) > 0 => {
            let at = dice.throw(items.len());
            change(&mut items[at], dice);
        }
        Value::Number(number) if dice.throw(2) == 0 => *value = number.to_string().into(),
        Value::String(text) if dice.throw(2) == 0 => {
            let at = text.char_indices().map(|(at, _)| at).nth(dice.throw(text.chars().count())).unwrap_or(0);
            text.insert_str(at, ["_", "@", "\u{0}", "é", "\"", "."][dice.throw(6)]);
        }
        _ => *value = odd(dice),
    }
}

/// The last touch is on the text itself: what no JSON writer makes.
fn spoil(body: &mut Vec<u8>, dice: &mut Dice) {
    let quotes: Vec<usize> = body.iter().enumerate().filter(|(_, byte)| **byte == b'"').map(|(at, _)| at).collect();
    let Some(&at) = quotes.get(dice.throw(quotes.len())) else { return };
    match dice.throw(12) {
        0 => drop(body.splice(at + 1..at + 1, *br"\ud83d")),
        1 => drop(body.splice(at + 1..at + 1, *br"\udc4b\u0000")),
        2 => drop(body.splice(at + 1..at + 1, *b"\xff\xc0\x80")),
        3 => body.truncate(dice.throw(body.len())),
        4 => body[at] = b'[',
        5 => drop(body.splice(at..at, *b"\"event\":\"message.any\",")),
        _ => {}
    }
}

fn reads(provider: &dyn Provider, body: Vec<u8>) -> Option<Vec<Incoming>> {
    let mut all = Vec::new();
    // as the server does it: split, kept, read
    for part in provider.split(&Hook::stored(body)) {
        all.extend(read(provider, &Hook::stored(part.body))?);
    }
    Some(all)
}

fn read(provider: &dyn Provider, hook: &Hook) -> Option<Vec<Incoming>> {
    let incoming = provider.read(hook).ok()?;
    let written = serde_json::to_string(&incoming).unwrap();
    // what goes on from here can be stored: no database takes NUL in text
    assert!(!written.contains(r"\u0000"), "{written}");
    for one in &incoming {
        if let Incoming::Message(message) = one {
            assert!((1..=512).contains(&message.provider_id.len()));
            assert!(message.chat.is_person());
            assert!(message.at.is_none_or(|at| at > 1_200_000_000_000));
            let back: Content = serde_json::from_value(message.stored()).unwrap();
            assert_eq!(back, message.content);
        }
    }
    Some(incoming)
}

#[test]
fn changed_captures_of_waha_do_no_harm() {
    changed(&Waha, 20_000);
}

#[test]
fn changed_captures_of_evolution_do_no_harm() {
    changed(&Evolution, 10_000);
}

#[test]
fn changed_captures_of_cloud_do_no_harm() {
    changed(&Cloud, 10_000);
}

fn changed(provider: &dyn Provider, cases: usize) {
    let captured = captured(provider);
    let mut dice = Dice(0x5eed_1dab_a001);
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    let (mut read, mut refused) = (0, 0);
    for case in 0..cases {
        let mut body = captured[dice.throw(captured.len())].clone();
        for _ in 0..=dice.throw(4) {
            // Meta's messages lie deep: changes to the envelope alone would only show that it is refused
            let inside = "/entry/0/changes/0/value";
            let deep = dice.throw(16) > 0 && body.pointer(inside).is_some();
            let place = if deep { body.pointer_mut(inside).expect("it was there") } else { &mut body };
            change(place, &mut dice);
        }
        let mut body = serde_json::to_vec(&body).unwrap();
        spoil(&mut body, &mut dice);
        let shown = body.clone();
        let started = Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reads(provider, body)));
        slowest = slowest.max(started.elapsed());
        match outcome {
            Ok(Some(_)) => read += 1,
            Ok(None) => refused += 1,
            Err(_) => panic!("{} {case} panics: {}", provider.kind(), String::from_utf8_lossy(&shown)),
        }
    }
    // neither of them may be all: then the changes would test nothing
    assert!(read > cases / 4 && refused > cases / 50, "{read} read, {refused} refused");
    assert!(slowest < Duration::from_secs(5), "the slowest took {slowest:?}");
    assert!(begun.elapsed() < Duration::from_secs(180), "all took {:?}", begun.elapsed());
}

fn message_with(field: &str, value: &str) -> Vec<u8> {
    let payload = json!({"id": "false_27820001001@c.us_3EB0AA", "timestamp": 1795150000, "from": "27820001001@c.us", "fromMe": false, "body": "Hello"});
    let mut payload: Map<String, Value> = payload.as_object().unwrap().clone();
    payload.remove(field);
    let rest = serde_json::to_string(&payload).unwrap();
    format!(
        r#"{{"event":"message.any","session":"default","timestamp":1795150000000,"payload":{{"{field}":{value},{}}}"#,
        &rest[1..]
    )
    .into_bytes()
}

fn only(body: Vec<u8>) -> indaba_providers::Message {
    match reads(&Waha, body).unwrap().remove(0) {
        Incoming::Message(message) => *message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_people_really_send_badly_is_read() {
    let text = |value: &str| only(message_with("body", value)).content;
    assert_eq!(text(r#""a\u0000b\ud83dc""#), Content::Text { text: "abc".into() });
    assert_eq!(text("42"), Content::Text { text: "42".into() });
    assert_eq!(text(&format!("\"{}\"", "x".repeat(4097))), Content::Text { text: "x".repeat(4097) });
    assert_eq!(only(message_with("timestamp", "\"1795150000\"")).at, Some(1_795_150_000_000));
    assert_eq!(only(message_with("timestamp", "1795150000.75")).at, Some(1_795_150_000_750));
    assert_eq!(only(message_with("timestamp", "0")).at, None, "1970");
    assert_eq!(
        only(message_with("timestamp", "4102444800")).at,
        Some(4_102_444_800_000),
        "the year 2100 is the room's to judge"
    );
    assert!(!only(message_with("fromMe", "\"false\"")).from_me);
    assert!(
        Waha.read(&Hook::stored(message_with("id", &format!("\"false_27820001001@c.us_{}\"", "A".repeat(513)))))
            .is_err()
    );
    assert!(Waha.read(&Hook::stored(message_with("id", "null"))).is_err());
    assert!(
        matches!(&reads(&Waha, message_with("body", "\"\"")).unwrap()[0], Incoming::Ignored(_)),
        "a message that says nothing"
    );
}

#[test]
fn size_and_depth_are_bounded() {
    let begun = Instant::now();
    let depth = 200_000;
    for deep in [
        format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
        format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth)),
    ] {
        for field in ["_data", "media", "location", "vCards", "replyTo", "extra"] {
            let _ = Waha.read(&Hook::stored(message_with(field, &deep)));
        }
        let _ = Waha.read(&Hook::stored(message_with("_data", &format!(r#"{{"message":{deep}}}"#))));
        let _ = Waha.split(&Hook::stored(deep));
    }
    let many = format!("[{}0]", "\"27820001001@c.us\",".repeat(200_000));
    for field in ["vCards", "_data", "mentions", "body"] {
        let _ = Waha.read(&Hook::stored(message_with(field, &many)));
    }
    // a thumbnail as Baileys writes bytes
    let bytes: String = (0..100_000).map(|at| format!("\"{at}\":255,")).collect();
    let thumbnail = format!(r#"{{"message":{{"imageMessage":{{"jpegThumbnail":{{{bytes}"x":0}}}}}}}}"#);
    let image = only(message_with("_data", &thumbnail));
    assert_eq!(image.content.kind(), "image");
    let slashes = format!("\"{}\"", r"\\".repeat(1_000_000));
    assert_eq!(only(message_with("body", &slashes)).content.text().unwrap().len(), 1_000_000);
    let lone = format!("\"{}\"", r"\ud800".repeat(500_000));
    let _ = Waha.read(&Hook::stored(message_with("body", &lone)));
    assert_eq!(Waha.read(&Hook::stored(vec![b' '; Hook::MAX_BYTES + 1])), Err(indaba_providers::Unreadable::TooLong));
    assert!(begun.elapsed() < Duration::from_secs(60), "took {:?}", begun.elapsed());
}

/// The same of the others: nothing is deep, long or endless enough to hurt.
#[test]
fn size_and_depth_are_bounded_for_evolution() {
    let begun = Instant::now();
    let event = |message: &str| {
        format!(
            r#"{{"event":"messages.upsert","instance":"i","data":{{"key":{{"remoteJid":"27820001001@s.whatsapp.net","id":"A"}},"messageTimestamp":1763600000,"message":{message}}}}}"#
        )
    };
    let deep = format!("{}1{}", r#"{"a":"#.repeat(200_000), "}".repeat(200_000));
    // what is too deep to be read costs its own message only
    assert_eq!(
        reads(&Evolution, event(&deep).into_bytes()).unwrap(),
        [Incoming::Ignored(Ignored::Protocol("empty".into()))]
    );
    let bytes: String = (0..100_000).map(|at| format!("\"{at}\":255,")).collect();
    let image = format!(r#"{{"imageMessage":{{"mimetype":"image/jpeg","jpegThumbnail":{{{bytes}"x":0}}}}}}"#);
    assert!(matches!(&reads(&Evolution, event(&image).into_bytes()).unwrap()[0], Incoming::Message(_)));
    let one = r#"{"key":{"remoteJid":"27820001001@s.whatsapp.net","id":"A"},"message":{"conversation":"x"}}"#;
    let many = format!(r#"{{"event":"messages.set","instance":"i","data":[{}1]}}"#, format!("{one},").repeat(20_000));
    assert_eq!(reads(&Evolution, many.into_bytes()).unwrap().len(), 10_000);
    assert!(begun.elapsed() < Duration::from_secs(30), "took {:?}", begun.elapsed());
}
