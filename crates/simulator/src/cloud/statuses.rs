//! What becomes of a message that was sent: `sent`, `delivered`, `read`, `played`, `failed`.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    account::{Number, Sent},
    events::{Lens, Named},
    post::Change,
    refusal::Refusal,
};
use crate::world::{Message, ack};

/// From this day on messages inside the window cost something, too. Reported; Meta's own page was not seen.
const CHARGED_FROM_MS: i64 = 1_790_812_800_000; // 2026-10-01

/// `pricing.type` of a message, by what it is and when.
pub fn pricing(category: &str, window_open: bool, now_ms: i64) -> &'static str {
    let free = window_open && matches!(category, "service" | "utility") && now_ms < CHARGED_FROM_MS;
    if free { "free_customer_service" } else { "regular" }
}

/// The change that a tick makes. Ticks of messages that another gateway sent on this line are not ours to tell.
pub fn of_ack(number: &mut Number, lens: &Lens<'_>, person: &Named, message: &Message, now_ms: i64) -> Option<Change> {
    let word = match message.ack {
        ack::SERVER => "sent",
        ack::DEVICE => "delivered",
        ack::READ => "read",
        ack::PLAYED => "played",
        ack::ERROR => "failed",
        _ => return None,
    };
    let conversation = number.rules.conversation;
    let sent = number.sent.get_mut(&message.id)?;
    Some(status(lens, person, &lens.wamid(message), word, now_ms, sent, conversation))
}

/// One status.
pub fn status(
    lens: &Lens<'_>,
    person: &Named,
    wamid: &str,
    word: &str,
    now_ms: i64,
    sent: &mut Sent,
    conversation: bool,
) -> Change {
    let mut status = json!({"id": wamid, "status": word, "timestamp": now_ms.div_euclid(1_000).to_string()});
    if let Some(phone) = &person.phone {
        status["recipient_id"] = phone.as_str().into();
    }
    status["recipient_user_id"] = person.bsuid.as_str().into();
    if let Some(callback) = &sent.callback {
        status["biz_opaque_callback_data"] = callback.as_str().into();
    }
    if word == "failed" {
        let (code, details) = sent.failure.clone().unwrap_or((131_026, None));
        status["errors"] = json!([Refusal::failure(code, details).in_hook()]);
    } else {
        // A price stands on `sent` and on one of those that say that it arrived.
        if word == "sent" || !sent.priced {
            status["pricing"] = price(sent);
        }
        sent.priced |= word != "sent";
        if conversation {
            status["conversation"] = talk(lens, person, word, sent, now_ms);
        }
    }
    let mut value = lens.value(None);
    value["contacts"] = json!([contact(person, word, sent)]);
    value["statuses"] = json!([status]);
    lens.change("messages", format!("statuses.{word}"), value, person.phone.as_deref())
}

/// The item of `contacts`: ids alone, no name (a hook shown in pywa's issue 188), and of somebody who could not be reached no more than the phone (its
/// issue 227). That a username stands there is said by Meta's page on business-scoped ids.
fn contact(person: &Named, word: &str, sent: &Sent) -> Value {
    let (whole, mut contact) = (person.contact(), json!({}));
    if let Some(username) = whole["profile"].get("username") {
        contact["profile"] = json!({"username": username});
    }
    let nobody = word == "failed" && sent.failure.as_ref().is_none_or(|(code, _)| *code == 131_026);
    for key in if nobody && person.phone.is_some() { &["wa_id"][..] } else { &["wa_id", "user_id"] } {
        if let Some(id) = whole.get(*key) {
            contact[*key] = id.clone();
        }
    }
    contact
}

fn price(sent: &Sent) -> Value {
    json!({
        "billable": sent.pricing == "regular", "pricing_model": "PMP", "category": sent.category, "type": sent.pricing,
    })
}

/// `conversation`, as it stood before v24.0: one for each day, number and person.
fn talk(lens: &Lens<'_>, person: &Named, word: &str, sent: &Sent, now_ms: i64) -> Value {
    let day = now_ms.div_euclid(86_400_000);
    let id = Sha256::digest(format!("{}/{}/{day}", lens.id, person.who()));
    let mut talk = json!({"id": hex::encode(&id[..16]), "origin": {"type": sent.category}});
    if word == "sent" {
        talk["expiration_timestamp"] = ((day + 1) * 86_400).to_string().into();
    }
    talk
}

#[cfg(test)]
mod tests {
    use super::pricing;

    #[test]
    fn the_window_is_free_until_october_2026() {
        let (before, after) = (1_790_000_000_000, 1_795_000_000_000);
        assert_eq!(pricing("service", true, before), "free_customer_service");
        assert_eq!(pricing("service", true, after), "regular");
        assert_eq!(pricing("utility", false, before), "regular");
        assert_eq!(pricing("marketing", true, before), "regular");
    }
}
