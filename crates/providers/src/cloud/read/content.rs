//! What a message says, and what is told of its coming.

use serde_json::Value;

use super::{parse, short};
use crate::Address;
use crate::cloud::call::sentence;
use crate::content::{Card, CardLine, Content, MediaRef, OrderItem, Referral};
use crate::proto::{flag, items, number, text};

/// WhatsApp's own word about a person, and the address they have from now on.
pub(super) fn system(kind: &str, body: &Value) -> Option<(Content, Option<Address>)> {
    if kind != "system" {
        return None;
    }
    let event = text(body, "type").unwrap_or_default();
    let to = |keys: &[&str]| keys.iter().find_map(|key| parse(&text(body, key)?));
    let (event, to) = match event.as_str() {
        "user_changed_number" | "customer_changed_number" => {
            ("number-changed".to_owned(), to(&["wa_id", "new_wa_id", "user_id"]))
        }
        "user_changed_user_id" => ("id-changed".to_owned(), to(&["user_id", "wa_id"])),
        "customer_identity_changed" | "user_identity_changed" => ("identity-changed".to_owned(), None),
        other => (short(&other.replace('_', "-")), None),
    };
    Some((Content::System { event, text: text(body, "body") }, to))
}

pub(super) fn referral(message: &Value) -> Option<Referral> {
    if let Some(ad) = message.get("referral").filter(|ad| ad.is_object()) {
        return Some(Referral {
            url: text(ad, "source_url"),
            id: text(ad, "source_id"),
            kind: text(ad, "source_type"),
            headline: text(ad, "headline"),
            text: text(ad, "body"),
            click_id: text(ad, "ctwa_clid"),
        });
    }
    let product = message["context"].get("referred_product").filter(|product| product.is_object())?;
    Some(Referral { id: text(product, "product_retailer_id"), kind: Some("product".into()), ..Referral::default() })
}

fn media(file: &Value) -> MediaRef {
    MediaRef {
        url: text(file, "url"),
        id: text(file, "id"),
        mime: text(file, "mime_type"),
        name: text(file, "filename"),
        sha256: text(file, "sha256"),
        size_bytes: number(file, "file_size").filter(|size| (0.0..1e13).contains(size)).map(|size| size as u64),
        animated: flag(file, "animated"),
        ..MediaRef::default()
    }
}

/// What a message says, by its `type`. What this build does not know, or what has nothing inside, is unsupported: never an error.
pub(super) fn content(message: &Value) -> Content {
    let kind = text(message, "type").unwrap_or_default();
    let body = &message[&kind];
    let caption = || text(body, "caption");
    let unsupported = || {
        let error = message["errors"].get(0).map(sentence).filter(|detail| !detail.is_empty());
        let name = text(&message["unsupported"], "type").unwrap_or_else(|| kind.clone());
        Content::Unsupported { name: short(&name), detail: error }
    };
    if body.is_null() {
        return unsupported();
    }
    match kind.as_str() {
        "text" => text(body, "body").map_or_else(unsupported, |text| Content::Text { text }),
        "image" => Content::Image { caption: caption(), media: media(body) },
        "video" => Content::Video { caption: caption(), media: media(body) },
        "audio" if flag(body, "voice") => Content::Voice { media: media(body) },
        "audio" => Content::Audio { media: media(body) },
        "voice" => Content::Voice { media: media(body) },
        "document" => Content::Document { caption: caption(), media: media(body) },
        "sticker" => Content::Sticker { media: media(body) },
        "location" => match (number(body, "latitude"), number(body, "longitude")) {
            (Some(latitude), Some(longitude)) => Content::Location {
                latitude,
                longitude,
                name: text(body, "name"),
                address: text(body, "address"),
                url: text(body, "url"),
                live: false,
            },
            _ => unsupported(),
        },
        "contacts" => Content::Contacts { contacts: items(message, "contacts").map(card).collect() },
        "interactive" => interactive(body).unwrap_or_else(unsupported),
        "button" => Content::ButtonReply { id: text(body, "payload"), title: text(body, "text").unwrap_or_default() },
        "order" => Content::Order {
            text: text(body, "text"),
            catalog: text(body, "catalog_id"),
            items: items(body, "product_items")
                .map(|item| OrderItem {
                    id: text(item, "product_retailer_id").unwrap_or_default(),
                    name: None,
                    quantity: number(item, "quantity").unwrap_or(1.0),
                    price: number(item, "item_price"),
                    currency: text(item, "currency"),
                })
                .collect(),
        },
        _ => unsupported(),
    }
}

fn interactive(body: &Value) -> Option<Content> {
    let kind = text(body, "type")?;
    let reply = body.get(&kind)?;
    let title = || text(reply, "title").unwrap_or_default();
    Some(match kind.as_str() {
        "button_reply" => Content::ButtonReply { id: text(reply, "id"), title: title() },
        "list_reply" => {
            Content::ListReply { id: text(reply, "id"), title: title(), description: text(reply, "description") }
        }
        "nfm_reply" => {
            let answers = text(reply, "response_json");
            Content::FormReply {
                name: text(reply, "name").unwrap_or_default(),
                text: text(reply, "body"),
                answers: answers.map_or(Value::Null, |json| serde_json::from_str(&json).unwrap_or(Value::String(json))),
            }
        }
        "call_permission_reply" => Content::FormReply { name: kind, text: None, answers: reply.clone() },
        _ => return None,
    })
}

fn card(contact: &Value) -> Card {
    let label = |line: &Value| text(line, "type").map(|label| label.to_ascii_lowercase());
    let whole = &contact["name"];
    let parts = || {
        let parts: Vec<String> = ["first_name", "last_name"].iter().filter_map(|key| text(whole, key)).collect();
        parts.join(" ")
    };
    let lines = |list: &str, key: &str| -> Vec<CardLine> {
        let line = |line: &Value| {
            let whatsapp = text(line, "wa_id").and_then(|id| parse(&id)?.phone().map(str::to_owned));
            Some(CardLine { value: text(line, key).or_else(|| whatsapp.clone())?, label: label(line), whatsapp })
        };
        items(contact, list).filter_map(line).collect()
    };
    Card {
        name: text(whole, "formatted_name").unwrap_or_else(parts),
        organization: text(&contact["org"], "company"),
        phones: lines("phones", "phone"),
        emails: lines("emails", "email"),
    }
}
