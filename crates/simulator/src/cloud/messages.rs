//! `POST /{number}/messages`: checked, limited, and then done in the world. What comes of it is told by statuses.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State as FromState},
};
use serde_json::{Value, json};

use super::{
    account::{Caller, Failure, How, MESSAGING, Sent, State},
    events::{Lens, Named},
    order::{Order, To, order, recipient},
    pace::TooFast,
    refusal::{Answer, Refusal, ok, success},
    shape, statuses,
    wamid::{raw_id, wamid},
};
use crate::{
    gate::Seq,
    sim::Sim,
    world::{Address, Author, NewMessage, Via, World, ack, message_id},
};

/// The window.
const DAY_MS: i64 = 24 * 3_600_000;

pub async fn send(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Extension(Seq(seq)): Extension<Seq>,
    body: Bytes,
) -> Answer {
    let (line, waba) = {
        let mut state = sim.cloud.state();
        let number = state.number(&caller, "post", &id)?;
        caller.needs(MESSAGING)?;
        (number.phone.clone(), number.waba.clone())
    };
    let mut body: Value = serde_json::from_slice(&body).map_err(|_| Refusal::missing("messaging_product"))?;
    shape::unfold(&mut body);
    if body.get("status").is_some() {
        return read(&sim, &line, &body);
    }
    let kind = shape::message(&body)?.to_owned();
    let to = recipient(&sim, &waba, &body)?;
    admit(&sim, &id, &line, &to)?;
    let order = order(&sim, &waba, &line, &kind, &body, &to).await?;
    let failure = will_fail(&sim, &id, &order, &to)?;
    let (phone, named) = match &to {
        To::Person { phone, .. } => {
            let business = sim.cloud.business_of(&waba);
            (phone.clone(), Named::of(&business, &sim.world().person(phone)))
        }
        To::Nobody { input, by_bsuid } => {
            return Ok(nobody(&sim, seq, &id, &line, &waba, &order, input, *by_bsuid, &body));
        }
        To::Lost { input } => {
            let name = wamid(input, true, &message_id());
            sim.recording.effect(seq, &id, &line, &name, input, &order.kind, None, &order.file);
            return Ok(ok(&taken(&to, None, &name, &order)));
        }
    };
    let sent = Sent {
        callback: body["biz_opaque_callback_data"].as_str().map(str::to_owned),
        category: order.category.clone(),
        pricing: sim.cloud.price(&sim, &id, &phone, &order.category),
        failure: failure.clone(),
        priced: false,
    };
    let answer_to = |name: &str| ok(&taken(&to, Some(&named), name, &order));
    if let Some((raw, emoji)) = &order.reaction {
        let act = sim.act(&line, |world, out| {
            let act = world.react(&line, raw, Author::Me(Via::Api), emoji, out)?;
            let name = wamid(named.who(), true, &act);
            sim.recording.effect(seq, &id, &line, &name, &phone, "reaction", Some(emoji), raw.as_bytes());
            Ok(act)
        });
        let act = act.map_err(|_| Refusal::because(131_009, "Message to react to was not found"))?;
        let name = wamid(named.who(), true, &act);
        tell_loose(&sim, &id, &phone, &name, sent, &["sent", "delivered"]);
        return Ok(answer_to(&name));
    }
    let content = order.content.clone().expect("whatever is no reaction has content");
    let words = content.body().map(str::to_owned);
    let message = sim.act(&line, |world, out| {
        let raw = message_id();
        // Known before anything happens to it: a tick may come at once.
        if let Some(number) = sim.cloud.state().numbers.get_mut(&id) {
            number.remember(&raw, sent);
        }
        let mut new = NewMessage::of(Address::Person(phone.clone()), Author::Me(Via::Api), content);
        (new.quoted, new.choices, new.id) = (order.quoted.clone(), order.choices.clone(), Some(raw.clone()));
        let message = world.write(&line, new, out)?;
        let name = wamid(named.who(), true, &raw);
        sim.recording.effect(seq, &id, &line, &name, &phone, &order.kind, words.as_deref(), &order.file);
        Ok(message)
    });
    let message = message.map_err(|refused| Refusal::because(131_000, refused.to_string()))?;
    match failure {
        None => sim.move_ticks(&line, &message),
        Some(_) => {
            let (owner, line, raw) = (sim.clone(), line.clone(), message.id.clone());
            sim.spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                let _ = owner.act(&line, |world, out| world.ack(&line, &raw, ack::ERROR, None, out));
            });
        }
    }
    Ok(answer_to(&wamid(named.who(), true, &message.id)))
}

/// "Read" up to here, and perhaps typing.
fn read(sim: &Arc<Sim>, line: &str, body: &Value) -> Answer {
    let name = shape::read(body)?;
    let unknown = || Refusal::because(131_009, "Parameter value is not valid: message_id");
    let raw = raw_id(name).ok_or_else(unknown)?;
    let mut world = sim.world();
    let message = world.line(line).and_then(|line| line.message(&raw)).filter(|message| !message.author.is_me());
    let (chat, at) = message.map(|message| (message.chat.clone(), message.at_ms)).ok_or_else(unknown)?;
    let before: Vec<String> = world.line(line).and_then(|line| line.chat(&chat)).map_or_else(Vec::new, |chat| {
        chat.messages().filter(|message| message.at_ms <= at).map(|message| message.id.clone()).collect()
    });
    let seen = world.see(line, &chat, Some(&before));
    sim.bell.ring(&json!({"kind": "seen", "number": line, "chat": chat, "ids": seen}));
    if body.get("typing_indicator").is_some() {
        sim.bell.ring(&json!({"kind": "typing", "number": line, "chat": chat, "state": "typing"}));
        // It ends by itself.
        let stopped = json!({"kind": "typing", "number": line, "chat": chat, "state": "paused"});
        let (owner, shown) = (sim.clone(), sim.seconds(25));
        sim.spawn(async move {
            tokio::time::sleep(shown).await;
            owner.bell.ring(&stopped);
        });
    }
    success()
}

/// Whether the number may send at all, and so fast.
fn admit(sim: &Sim, id: &str, line: &str, to: &To) -> Result<(), Refusal> {
    let mut state = sim.cloud.state();
    let now = state.now(sim);
    let number = state.numbers.get_mut(id).ok_or_else(|| Refusal::object("post", id))?;
    if !number.registered {
        return Err(Refusal::known(133_010));
    }
    match number.status() {
        "BANNED" => return Err(Refusal::known(131_031)),
        "RESTRICTED" | "FLAGGED" => return Err(Refusal::known(131_048)),
        "RATE_LIMITED" => return Err(Refusal::known(130_429)),
        _ => {}
    }
    let whom = match to {
        To::Person { phone, .. } if phone == line => return Err(Refusal::known(131_021)),
        To::Person { phone, .. } if number.blocked.contains(phone) => return Err(Refusal::known(130_403)),
        To::Person { phone, .. } => phone,
        To::Nobody { input, .. } | To::Lost { input } => input,
    };
    let second_ms = sim.config.second.as_secs_f64() * 1_000.0;
    number.pace.count(&number.rules, whom, now, second_ms).map_err(|too_fast| match too_fast {
        TooFast::Throughput => Refusal::known(130_429),
        TooFast::Pair => Refusal::known(131_056),
    })
}

/// Whether it will fail, and with which number; an error if the answer itself says so.
fn will_fail(sim: &Sim, id: &str, order: &Order, to: &To) -> Result<Option<(i64, Option<String>)>, Refusal> {
    let phone = match to {
        To::Person { phone, .. } => Some(phone.as_str()),
        _ => None,
    };
    let mut state = sim.cloud.state();
    let now = state.now(sim);
    let Some(number) = state.numbers.get_mut(id) else { return Ok(None) };
    let wanted = number.fails(phone);
    let open = phone.is_some_and(|phone| is_open(number.heard.get(phone), now));
    let closed = Failure { code: 131_047, details: None, to: None, by: number.rules.window, count: 1 };
    let outside = (!order.template && !open && phone.is_some()).then_some(closed);
    match wanted.or(outside) {
        None => Ok(order.broken.clone().map(|(code, why)| (code, Some(why)))),
        Some(Failure { code, details, by: How::Status, .. }) => Ok(Some((code, details))),
        Some(Failure { code, details, by: How::Response, .. }) => Err(Refusal::failure(code, details)),
    }
}

/// Whether a window is open.
pub fn is_open(heard: Option<&i64>, now_ms: i64) -> bool {
    heard.is_some_and(|heard| now_ms - heard < DAY_MS)
}

/// The answer to a send.
fn taken(to: &To, named: Option<&Named>, name: &str, order: &Order) -> Value {
    let mut contact = match to {
        To::Person { input, .. } | To::Nobody { input, .. } | To::Lost { input } => json!({"input": input}),
    };
    match (to, named) {
        // Who was written to by a business-scoped id is not told by phone.
        (To::Person { by_bsuid: true, .. } | To::Nobody { by_bsuid: true, .. }, _) => {
            contact["user_id"] = contact["input"].clone();
        }
        (To::Person { phone, .. }, named) => {
            contact["wa_id"] = phone.as_str().into();
            if let Some(named) = named {
                contact["user_id"] = named.bsuid.as_str().into();
            }
        }
        (To::Nobody { input, .. } | To::Lost { input }, _) => contact["wa_id"] = input.as_str().into(),
    }
    let mut message = json!({"id": name});
    if order.template {
        message["message_status"] = if order.held { "held_for_quality_assessment" } else { "accepted" }.into();
    }
    json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]})
}

/// A message to a business-scoped id that is nobody's: a status says so later.
#[allow(clippy::too_many_arguments)] // all of what one answer needs
fn nobody(
    sim: &Arc<Sim>,
    seq: u64,
    id: &str,
    line: &str,
    waba: &str,
    order: &Order,
    input: &str,
    by_bsuid: bool,
    body: &Value,
) -> axum::response::Response {
    let name = wamid(input, true, &message_id());
    sim.recording.effect(seq, id, line, &name, input, &order.kind, None, &order.file);
    let mut status = json!({
        "id": name, "status": "failed", "timestamp": (sim.now_ms() / 1_000).to_string(), "recipient_user_id": input,
        "errors": [Refusal::known(131_026).in_hook()],
    });
    if let Some(callback) = body["biz_opaque_callback_data"].as_str() {
        status["biz_opaque_callback_data"] = callback.into();
    }
    let (owner, id, line, waba) = (sim.clone(), id.to_owned(), line.to_owned(), waba.to_owned());
    sim.spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let world = owner.world();
        let state = owner.cloud.state();
        let lens = Lens { world: &world, id: &id, line: &line, waba: &waba, business: "" };
        let mut value = lens.value(None);
        value["statuses"] = json!([status]);
        owner.cloud.emit(&owner, &state, &lens.change("messages", "statuses.failed".into(), value, None));
    });
    ok(&taken(&To::Nobody { input: input.to_owned(), by_bsuid }, None, &name, order))
}

/// Statuses of what is no message of the world: a reaction.
fn tell_loose(sim: &Arc<Sim>, id: &str, phone: &str, name: &str, mut sent: Sent, words: &'static [&'static str]) {
    let (owner, id, phone, name) = (sim.clone(), id.to_owned(), phone.to_owned(), name.to_owned());
    sim.spawn(async move {
        let failed = sent.failure.is_some();
        for word in if failed { &["failed"][..] } else { words } {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            let world = owner.world();
            let state = owner.cloud.state();
            owner.cloud.loose(&owner, &world, &state, &id, &phone, &name, word, &mut sent);
        }
    });
}

impl super::Gateway {
    /// The portfolio of an account.
    pub(super) fn business_of(&self, waba: &str) -> String {
        self.state().business(waba).to_owned()
    }

    /// What a message to this person costs now.
    fn price(&self, sim: &Sim, id: &str, phone: &str, category: &str) -> &'static str {
        let state = self.state();
        let now = sim.now_ms();
        let heard = state.numbers.get(id).and_then(|number| number.heard.get(phone));
        statuses::pricing(category, is_open(heard, state.now(sim)), now)
    }

    /// A status that no tick makes.
    #[allow(clippy::too_many_arguments)] // all of what one status needs
    fn loose(
        &self,
        sim: &Arc<Sim>,
        world: &World,
        state: &State,
        id: &str,
        phone: &str,
        name: &str,
        word: &str,
        sent: &mut Sent,
    ) {
        let Some(number) = state.numbers.get(id) else { return };
        let lens = Lens { world, id, line: &number.phone, waba: &number.waba, business: state.business(&number.waba) };
        let change =
            statuses::status(&lens, &lens.named(phone), name, word, sim.now_ms(), sent, number.rules.conversation);
        self.emit(sim, state, &change);
    }
}

#[cfg(test)]
mod tests {
    use super::is_open;

    #[test]
    fn a_window_lasts_a_day() {
        assert!(is_open(Some(&0), 86_399_999) && !is_open(Some(&0), 86_400_000) && !is_open(None, 0));
    }
}
