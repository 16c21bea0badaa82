//! Captures, changed as nobody would send them: nothing panics, nothing takes long, and what is read can be written down.

use std::time::{Duration, Instant};

use indaba_providers::{Cloud, Content, Evolution, Hook, Ignored, Incoming, Provider, Waha};
use serde_json::{Map, Value, json};

use crate::broken::{Dice, Tally, change, inputs, sizes, spoil};
use crate::fixtures;

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

/// How many are read in the tests, of all three: a fuzzing run has the same shares.
const ALL: usize = 40_000;

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

fn changed(provider: &dyn Provider, short: usize) {
    let captured = captured(provider);
    let mut dice = Dice(0x5eed_1dab_a001);
    let mut tally = Tally::begin(provider.kind());
    let cases = inputs(short, ALL);
    for _ in 0..cases {
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
        tally.take(&body, |body| reads(provider, body.to_vec()).is_some());
    }
    // neither of them may be all: then the changes would test nothing
    let (read, refused) = (tally.read, tally.refused);
    assert!(read > cases / 4 && refused > cases / 50, "{read} read, {refused} refused");
    tally.end();
}

#[test]
fn twice_as_much_takes_twice_as_long() {
    for provider in indaba_providers::all() {
        sizes(provider.kind(), &captured(*provider), 60, |body| drop(reads(*provider, body.to_vec())));
    }
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
