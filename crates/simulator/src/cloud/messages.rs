//! `POST /{number}/messages`: checked, limited, and then done in the world. What comes of it is told by statuses.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State as FromState},
};
use serde_json::{Value, json};

use super::{
    account::{Caller, Failure, How, MESSAGING, Sent, State, bsuid, canonical},
    cards, choices,
    events::{Lens, Named},
    hydrate::hydrate,
    media::{self, Source},
    pace::TooFast,
    refusal::{Answer, Refusal, ok, success},
    shape, statuses,
    wamid::{raw_id, wamid},
};
use crate::{
    gate::Seq,
    sim::Sim,
    world::{Address, Author, Choice, Content, File, Form, NewMessage, Via, World, ack, digits, message_id},
};

/// The window.
const DAY_MS: i64 = 24 * 3_600_000;

/// Whom a message is for.
#[derive(Debug, Clone)]
enum To {
    /// A person, by the digits that WhatsApp knows them by.
    Person { phone: String, input: String, by_bsuid: bool },
    /// Nobody there is: it is taken, and a status says that it did not arrive.
    Nobody { input: String, by_bsuid: bool },
    /// A business-scoped id where a phone belongs: it is taken, and nothing is ever heard of it.
    Lost { input: String },
}

/// What is sent.
#[derive(Default)]
struct Order {
    kind: String,
    content: Option<Content>,
    file: Bytes,
    choices: Vec<Choice>,
    quoted: Option<String>,
    reaction: Option<(String, String)>,
    category: String,
    template: bool,
    held: bool,
    /// What went wrong with its file: told later.
    broken: Option<(i64, String)>,
}

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
    let body: Value =
        serde_json::from_slice(&body).map_err(|_| Refusal::param("The parameter messaging_product is required."))?;
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

/// `to` or `recipient`. With both, `to` counts.
fn recipient(sim: &Sim, waba: &str, body: &Value) -> Result<To, Refusal> {
    if body["recipient_type"] == "group" {
        return Err(Refusal::because(131_020, "Groups are not played here"));
    }
    let to = match &body["to"] {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null => None,
        Value::String(_) => return Err(Refusal::param("The parameter to is required.")),
        _ => return Err(Refusal::param("Param to must be a string.")),
    };
    if let Some(input) = to {
        if is_bsuid(&input) {
            return Ok(To::Lost { input });
        }
        let plain: String = input.chars().filter(|letter| !matches!(letter, '(' | ')' | '.')).collect();
        let phone = digits(&plain).ok_or_else(|| Refusal::because(131_009, "Recipient phone number not valid"))?;
        return Ok(To::Person { phone: canonical(&phone), input, by_bsuid: false });
    }
    let Some(input) = body["recipient"].as_str() else {
        return Err(Refusal::param("The parameter to is required."));
    };
    if !is_bsuid(input) {
        return Err(Refusal::because(131_009, "Param recipient is not a valid business-scoped user ID"));
    }
    let business = sim.cloud.business_of(waba);
    let world = sim.world();
    let found = world.people().find(|person| bsuid(&business, person) == input).map(|person| person.phone.clone());
    Ok(match found {
        Some(phone) => To::Person { phone, input: input.to_owned(), by_bsuid: true },
        None => To::Nobody { input: input.to_owned(), by_bsuid: true },
    })
}

/// `CC.` and letters and digits.
pub fn is_bsuid(text: &str) -> bool {
    let Some((country, rest)) = text.split_once('.') else { return false };
    let rest = rest.strip_prefix("ENT.").unwrap_or(rest);
    country.len() == 2
        && country.bytes().all(|letter| letter.is_ascii_uppercase())
        && (1..=128).contains(&rest.len())
        && rest.bytes().all(|letter| letter.is_ascii_alphanumeric())
}

/// Whether the number may send at all, and so fast.
fn admit(sim: &Sim, id: &str, line: &str, to: &To) -> Result<(), Refusal> {
    let mut state = sim.cloud.state();
    let now = sim.now_ms() + state.skew_ms;
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

/// What the body says, with its file fetched or found.
async fn order(sim: &Arc<Sim>, waba: &str, line: &str, kind: &str, body: &Value, to: &To) -> Result<Order, Refusal> {
    let content = &body[kind];
    let quoted = body["context"]["message_id"].as_str().and_then(raw_id);
    // An answer to a message that is not there goes out as no answer.
    let quoted = quoted.filter(|raw| sim.world().line(line).is_some_and(|line| line.message(raw).is_some()));
    let mut order = Order { kind: kind.to_owned(), quoted, category: "service".into(), ..Order::default() };
    let word = |key: &str| content[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match kind {
        "text" => order.content = Some(Content::Text(word("body").unwrap_or_default())),
        "image" | "video" | "audio" | "document" | "sticker" => {
            let voice = content["voice"].as_bool().unwrap_or(false);
            attach(sim, waba, &mut order, kind, voice, content, word("caption")).await?;
        }
        "location" => {
            let degrees = |key: &str| content[key].as_f64().or_else(|| content[key].as_str()?.trim().parse().ok());
            let (latitude, longitude) =
                (degrees("latitude").unwrap_or_default(), degrees("longitude").unwrap_or_default());
            if latitude.abs() > 90.0 || longitude.abs() > 180.0 {
                return Err(Refusal::because(131_009, "Location is out of bounds"));
            }
            let name = [word("name"), word("address")].into_iter().flatten().collect::<Vec<_>>().join(", ");
            let name = (!name.is_empty()).then_some(name);
            order.content = Some(Content::Location { latitude, longitude, name });
        }
        "contacts" => {
            let people = content.as_array().into_iter().flatten();
            order.content = Some(Content::Contacts(people.map(cards::to_vcard).collect()));
        }
        "reaction" => {
            let raw = word("message_id").as_deref().and_then(raw_id);
            let raw = raw.filter(|raw| sim.world().line(line).is_some_and(|line| line.message(raw).is_some()));
            let raw = raw.ok_or_else(|| Refusal::because(131_009, "Message to react to was not found"))?;
            order.reaction = Some((raw, content["emoji"].as_str().unwrap_or_default().to_owned()));
        }
        "interactive" => {
            order.choices = choices::of(content);
            let words = choices::words(content);
            let header = content["header"]["type"].as_str().filter(|kind| *kind != "text").map(str::to_owned);
            match header {
                Some(form) => {
                    attach(sim, waba, &mut order, &form, false, &content["header"][&form], Some(words)).await?
                }
                None => order.content = Some(Content::Text(words)),
            }
        }
        _ => template(sim, waba, &mut order, content, to).await?,
    }
    if order.content.is_none() && order.reaction.is_none() {
        // Its file could not be had: an empty one stands for it until the status says so.
        order.content = Some(Content::Text(String::new()));
    }
    Ok(order)
}

async fn template(sim: &Arc<Sim>, waba: &str, order: &mut Order, call: &Value, to: &To) -> Result<(), Refusal> {
    let (name, language) =
        (call["name"].as_str().unwrap_or_default(), call["language"]["code"].as_str().unwrap_or_default());
    let found = {
        let state = sim.cloud.state();
        let fits = |template: &&super::account::Template| {
            template.waba == waba && template.name == name && template.language == language
        };
        state.templates.values().find(fits).cloned()
    };
    let missing = || Refusal::because(132_001, format!("template name ({name}) does not exist in {language}"));
    let found = found.ok_or_else(missing)?;
    match found.status.as_str() {
        "APPROVED" => {}
        "PAUSED" => return Err(Refusal::known(132_015)),
        "DISABLED" => return Err(Refusal::known(132_016)),
        _ => return Err(missing()),
    }
    let by_bsuid = matches!(to, To::Person { by_bsuid: true, .. } | To::Nobody { by_bsuid: true, .. });
    if found.category == "AUTHENTICATION" && by_bsuid {
        return Err(Refusal::known(131_062));
    }
    let filled = hydrate(&found, call)?;
    (order.template, order.held, order.category) = (true, found.held, found.category.to_lowercase());
    order.choices = filled.choices;
    match filled.media {
        Some((form, media)) => attach(sim, waba, order, &form, false, &media, Some(filled.text)).await?,
        None => order.content = Some(Content::Text(filled.text)),
    }
    Ok(())
}

/// Finds or fetches the file of a message. What is wrong with it is told later, as Meta does; an id that is none at once.
async fn attach(
    sim: &Arc<Sim>,
    waba: &str,
    order: &mut Order,
    kind: &str,
    voice: bool,
    named: &Value,
    caption: Option<String>,
) -> Result<(), Refusal> {
    let form = match kind {
        "image" => Form::Image,
        "video" => Form::Video,
        "audio" if voice => Form::Voice,
        "audio" => Form::Audio,
        "sticker" => Form::Sticker,
        _ => Form::Document,
    };
    let filename = named["filename"].as_str().map(str::to_owned);
    let source = match named["id"].as_str() {
        Some(id) => media::stored(sim, waba, kind, id)?,
        None => media::fetched(sim, named["link"].as_str().unwrap_or_default()).await,
    };
    let file = match source.and_then(|source| media::suits(kind, voice, &source).map(|()| source)) {
        Ok(Source { mime, bytes, name }) => {
            order.file = bytes.clone();
            File { mimetype: mime, filename: filename.or(name), bytes }
        }
        Err(why) => {
            order.broken = Some((131_053, why));
            File { mimetype: "application/octet-stream".into(), filename, bytes: Bytes::new() }
        }
    };
    let file = sim.world().shelf.put(file);
    order.content = Some(Content::Media { form, file, caption });
    Ok(())
}

/// Whether it will fail, and with which number; an error if the answer itself says so.
fn will_fail(sim: &Sim, id: &str, order: &Order, to: &To) -> Result<Option<(i64, Option<String>)>, Refusal> {
    let phone = match to {
        To::Person { phone, .. } => Some(phone.as_str()),
        _ => None,
    };
    let mut state = sim.cloud.state();
    let now = sim.now_ms() + state.skew_ms;
    let Some(number) = state.numbers.get_mut(id) else { return Ok(None) };
    let wanted = number.fails(phone);
    let open = phone.is_some_and(|phone| is_open(number.heard.get(phone), now));
    let closed = Failure { code: 131_047, details: None, to: None, by: number.rules.window, count: 1 };
    let outside = (!order.template && !open && phone.is_some()).then_some(closed);
    match wanted.or(outside) {
        None => Ok(order.broken.clone().map(|(code, why)| (code, Some(why)))),
        Some(Failure { code, details, by: How::Status, .. }) => Ok(Some((code, details))),
        Some(Failure { code, details, by: How::Response, .. }) => {
            Err(details.map_or_else(|| Refusal::known(code), |details| Refusal::because(code, details)))
        }
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
        self.state().wabas.get(waba).map(|waba| waba.business.clone()).unwrap_or_default()
    }

    /// What a message to this person costs now.
    fn price(&self, sim: &Sim, id: &str, phone: &str, category: &str) -> &'static str {
        let state = self.state();
        let now = sim.now_ms();
        let heard = state.numbers.get(id).and_then(|number| number.heard.get(phone));
        statuses::pricing(category, is_open(heard, now + state.skew_ms), now)
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
        let lens = Lens { world, id, line: &number.phone, waba: &number.waba, business: state.business(number) };
        let change =
            statuses::status(&lens, &lens.named(phone), name, word, sim.now_ms(), sent, number.rules.conversation);
        self.emit(sim, state, &change);
    }
}

#[cfg(test)]
mod tests {
    use super::{is_bsuid, is_open};

    #[test]
    fn business_scoped_ids_are_told_from_phones() {
        for id in ["US.13491208655302741918", "BR.ENT.77", "ZA.9a"] {
            assert!(is_bsuid(id), "{id}");
        }
        for id in ["27831234567", "us.1", "USA.1", "US.", "US.1-2", "+27"] {
            assert!(!is_bsuid(id), "{id}");
        }
    }

    #[test]
    fn a_window_lasts_a_day() {
        assert!(is_open(Some(&0), 86_399_999) && !is_open(Some(&0), 86_400_000) && !is_open(None, 0));
    }
}
