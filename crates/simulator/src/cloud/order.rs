//! A message to be sent: to whom, and what, with its file found or fetched.

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::Value;

use super::{
    account::Template,
    cards, choices,
    hydrate::hydrate,
    media::{self, Source},
    people::{bsuid, canonical},
    refusal::Refusal,
    wamid::raw_id,
};
use crate::{
    sim::Sim,
    world::{Choice, Content, File, Form, digits},
};

/// Whom a message is for.
#[derive(Debug, Clone)]
pub enum To {
    /// A person, by the digits that WhatsApp knows them by.
    Person { phone: String, input: String, by_bsuid: bool },
    /// Nobody there is: it is taken, and a status says that it did not arrive.
    Nobody { input: String, by_bsuid: bool },
    /// A business-scoped id where a phone belongs: it is taken, and nothing is ever heard of it.
    Lost { input: String },
}

/// What is sent.
#[derive(Default)]
pub struct Order {
    /// `text`, `image`…
    pub kind: String,
    /// What the world gets.
    pub content: Option<Content>,
    /// What is attached.
    pub file: Bytes,
    /// What can be tapped.
    pub choices: Vec<Choice>,
    /// The raw id of what it answers.
    pub quoted: Option<String>,
    /// The raw id of what is reacted to, and the emoji.
    pub reaction: Option<(String, String)>,
    /// `pricing.category`.
    pub category: String,
    /// It is a template.
    pub template: bool,
    /// It is held for a look at its quality.
    pub held: bool,
    /// What went wrong with its file: told later.
    pub broken: Option<(i64, String)>,
}

/// `to` or `recipient`. With both, `to` counts.
pub fn recipient(sim: &Sim, waba: &str, body: &Value) -> Result<To, Refusal> {
    if body["recipient_type"] == "group" {
        return Err(Refusal::because(131_020, "Groups are not played here"));
    }
    let to = match &body["to"] {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null => None,
        Value::String(_) => return Err(Refusal::missing("to")),
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
        return Err(Refusal::missing("to"));
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

/// What the body says, with its file fetched or found.
pub async fn order(
    sim: &Arc<Sim>,
    waba: &str,
    line: &str,
    kind: &str,
    body: &Value,
    to: &To,
) -> Result<Order, Refusal> {
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
        let fits =
            |template: &&Template| template.waba == waba && template.name == name && template.language == language;
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

#[cfg(test)]
mod tests {
    use super::is_bsuid;

    #[test]
    fn business_scoped_ids_are_told_from_phones() {
        for id in ["US.13491208655302741918", "BR.ENT.77", "ZA.9a"] {
            assert!(is_bsuid(id), "{id}");
        }
        for id in ["27831234567", "us.1", "USA.1", "US.", "US.1-2", "+27"] {
            assert!(!is_bsuid(id), "{id}");
        }
    }
}
