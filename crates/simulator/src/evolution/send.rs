//! Routes that send a message. Each takes effect once: it is in the chat, recorded, told, and its ticks will move.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Refusal, created},
    input::{Input, Kind, Property},
    instance::Channel,
    shape::Lens,
};
use crate::{
    gate::Seq,
    sim::Sim,
    world::{Address, Author, Content, NewMessage, Via, World, message_id},
};

/// What every send may have besides.
const COMMON: [Property; 4] = [
    ("number", Kind::Text, true),
    ("delay", Kind::Integer, false),
    ("quoted", Kind::Object, false),
    ("mentioned", Kind::List(1), false),
];

/// A send that has been understood.
pub struct Order {
    pub content: Content,
    /// Bytes of its file, for the recording.
    pub file: Bytes,
}

impl Order {
    /// One without a file.
    pub fn of(content: Content) -> Order {
        Order { content, file: Bytes::new() }
    }
}

/// Refuses a body that a send's schema does.
pub fn check(input: &Input, own: &[Property]) -> Result<(), Refusal> {
    input.check(&[&COMMON[..], own].concat())
}

/// The server's JID of what a caller wrote: Mexican and Argentine mobile numbers lose a digit, Brazilian ones the ninth.
pub fn jid(number: &str) -> String {
    let number = match number.split_once(':') {
        Some((before, after)) => format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => number.to_owned(),
    };
    if ["@g.us", "@s.whatsapp.net", "@lid", "@broadcast"].iter().any(|server| number.contains(server)) {
        return number;
    }
    let number = number.split('@').next().unwrap_or_default();
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() >= 18 || (number.contains('-') && number.len() >= 24) {
        return format!("{digits}@g.us");
    }
    let digits = match &digits {
        digits if (digits.starts_with("52") || digits.starts_with("54")) && digits.len() == 13 => {
            format!("{}{}", &digits[..2], &digits[3..])
        }
        // 55, the area, the ninth digit, eight more: before 7, and in the areas below 31, the ninth stays.
        digits if digits.starts_with("55") && digits.len() == 13 => {
            let keeps = digits.as_bytes()[5] < b'7' || digits[2..4] < *"31";
            if keeps { digits.clone() } else { format!("{}{}", &digits[..4], &digits[5..]) }
        }
        digits => digits.clone(),
    };
    format!("{digits}@s.whatsapp.net")
}

/// Who is meant, and whether they are there: a person who is not on WhatsApp is named in the refusal.
pub fn whom(world: &World, number: &str) -> Result<Address, Refusal> {
    let jid = jid(number);
    let nobody = || {
        let row = json!({"jid": jid, "exists": false, "number": number});
        Refusal(StatusCode::BAD_REQUEST, json!([row]))
    };
    let address = world.resolve(&jid).ok_or_else(nobody)?;
    match address.phone() {
        // One that is hidden, and not known yet, is taken as there.
        Some(phone) if !world.person(phone).exists && !jid.ends_with("@lid") => Err(nobody()),
        _ => Ok(address),
    }
}

/// Sends: the instance must be open, and the person on WhatsApp.
pub async fn send(sim: &Arc<Sim>, seq: u64, input: &Input, order: Order) -> Answer {
    let line = sim.evolution.ready(&input.instance, "onWhatsApp").map_err(Refusal::crash)?;
    let number = input.text("number").unwrap_or_default();
    let chat = whom(&sim.world(), number)?;
    // It shows "typing" for so long, and the call takes as long.
    let delay = input.body.get("delay").and_then(Value::as_u64).unwrap_or(0);
    if delay > 0 {
        tokio::time::sleep(sim.config.second.mul_f64((delay.min(60_000) as f64) / 1000.0)).await;
    }
    let quoted = input.body.pointer("/quoted/key/id").and_then(Value::as_str);
    // A linked device makes its ids, a channel takes any.
    let device = sim.evolution.with(&input.instance, |instance| instance.channel == Channel::Baileys) == Some(true);
    let id = if device { message_id() } else { uuid::Uuid::now_v7().to_string() };
    let (kind, body) = (order.content.kind(), order.content.body().map(str::to_owned));
    doing(sim, &input.instance, &id, true);
    let written = sim.act(&line, |world, out| {
        // One that the server does not have is not quoted.
        let quoted = quoted.filter(|id| world.line(&line).is_some_and(|line| line.message(id).is_some()));
        let mut new = NewMessage::of(chat, Author::Me(Via::Api), order.content);
        (new.quoted, new.id) = (quoted.map(str::to_owned), Some(id.clone()));
        let message = world.write(&line, new, out)?;
        // Recorded while nothing else can happen: an effect is never seen without its record.
        let chat = message.chat.to_string();
        sim.recording.effect(seq, &input.instance, &line, &message.id, &chat, kind, body.as_deref(), &order.file);
        Ok(message)
    });
    let answer = written.map(|message| {
        if device {
            sim.move_ticks(&line, &message);
        }
        shown(sim, &input.instance, &line, |lens| lens.message(&message, true))
    });
    doing(sim, &input.instance, &id, false);
    created(&answer?.ok_or_else(|| Refusal::no_instance(&input.instance))?)
}

/// While the API acts on a message, what comes of it is told as the API's.
pub fn doing(sim: &Sim, instance: &str, id: &str, on: bool) {
    sim.evolution.with(instance, |instance| {
        if on {
            instance.doing.insert(id.to_owned())
        } else {
            instance.doing.remove(id)
        };
    });
}

/// Something as the instance shows it.
pub fn shown(sim: &Sim, instance: &str, line: &str, show: impl FnOnce(&Lens<'_>) -> Value) -> Option<Value> {
    let world = sim.world();
    let state = sim.evolution.state();
    let instance = state.get(instance)?;
    Some(show(&Lens { world: &world, line, instance }))
}

pub async fn text(State(sim): State<Arc<Sim>>, Extension(Seq(seq)): Extension<Seq>, input: Input) -> Answer {
    check(&input, &[("text", Kind::Text, true), ("linkPreview", Kind::Bool, false)])?;
    let text = input.text("text").unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Refusal::bad("Text is required"));
    }
    let order = Order::of(Content::Text(text.to_owned()));
    send(&sim, seq, &input, order).await
}

#[cfg(test)]
mod tests {
    use super::jid;

    #[test]
    fn numbers_are_rewritten_as_the_server_does() {
        for (written, made) in [
            ("+27 82 000 1001", "27820001001@s.whatsapp.net"),
            ("(27) 82-000-1001", "27820001001@s.whatsapp.net"),
            ("5511987654321", "5511987654321@s.whatsapp.net"),
            ("5548987654321", "554887654321@s.whatsapp.net"),
            ("5548961234567", "5548961234567@s.whatsapp.net"),
            ("5215512345678", "525512345678@s.whatsapp.net"),
            ("5491123456789", "541123456789@s.whatsapp.net"),
            ("195730012345678@lid", "195730012345678@lid"),
            ("27820001001:12@s.whatsapp.net", "27820001001@s.whatsapp.net"),
            ("120363012345678901", "120363012345678901@g.us"),
        ] {
            assert_eq!(jid(written), made, "{written}");
        }
    }
}
