//! What a message may look like. Unknown keys, wrong kinds, what is missing and what is too long are refused as Meta does, before anything happens.

use serde_json::Value;

use super::refusal::Refusal;

/// What a value must be.
#[derive(Clone, Copy)]
enum Kind {
    /// A text of at most so many letters; an empty one is missing.
    Text(usize),
    /// A text that may be empty.
    Free(usize),
    /// True or false.
    Bool,
    /// A number, or a text that is one.
    Number,
    /// One of these.
    One(&'static [&'static str]),
    /// An object of this shape.
    Object(&'static [Field]),
    /// A list of so many items at least and at most.
    List(usize, usize, &'static [Field]),
    /// Whatever it is; looked at elsewhere or not at all.
    Any,
}

/// A key, whether it must be there, and its value.
type Field = (&'static str, bool, Kind);

use Kind::{Any, Bool, Free, List, Number, Object, One, Text};

const ENVELOPE: &[Field] = &[
    ("messaging_product", true, Any),
    ("recipient_type", false, One(&["individual", "group"])),
    ("to", false, Any),
    ("recipient", false, Text(160)),
    ("type", false, Text(32)),
    ("context", false, Object(&[("message_id", true, Text(512))])),
    ("biz_opaque_callback_data", false, Free(512)),
    ("recipient_identity_key_hash", false, Text(512)),
    ("message_activity_sharing", false, Bool),
    ("text", false, Any),
    ("image", false, Any),
    ("audio", false, Any),
    ("video", false, Any),
    ("document", false, Any),
    ("sticker", false, Any),
    ("location", false, Any),
    ("contacts", false, Any),
    ("interactive", false, Any),
    ("reaction", false, Any),
    ("template", false, Any),
];

const READ: &[Field] = &[
    ("messaging_product", true, Any),
    ("status", true, One(&["read"])),
    ("message_id", true, Text(512)),
    ("typing_indicator", false, Object(&[("type", true, One(&["text"]))])),
];

const TEXT: &[Field] = &[("body", true, Text(4096)), ("preview_url", false, Bool)];
const MEDIA: &[Field] = &[("id", false, Text(64)), ("link", false, Text(2048)), ("provider", false, Any)];
const CAPTIONED: &[Field] =
    &[("id", false, Text(64)), ("link", false, Text(2048)), ("caption", false, Free(1024)), ("provider", false, Any)];
const AUDIO: &[Field] =
    &[("id", false, Text(64)), ("link", false, Text(2048)), ("voice", false, Bool), ("provider", false, Any)];
const DOCUMENT: &[Field] = &[
    ("id", false, Text(64)),
    ("link", false, Text(2048)),
    ("caption", false, Free(1024)),
    ("filename", false, Free(240)),
    ("provider", false, Any),
];
const LOCATION: &[Field] = &[
    ("latitude", true, Number),
    ("longitude", true, Number),
    ("name", false, Free(1000)),
    ("address", false, Free(1000)),
];
const REACTION: &[Field] = &[("message_id", true, Text(512)), ("emoji", true, Free(64))];

const NAME: &[Field] = &[
    ("formatted_name", true, Text(256)),
    ("first_name", false, Free(256)),
    ("last_name", false, Free(256)),
    ("middle_name", false, Free(256)),
    ("prefix", false, Free(64)),
    ("suffix", false, Free(64)),
];
const CONTACT: &[Field] = &[
    ("name", true, Object(NAME)),
    (
        "phones",
        false,
        List(0, 50, &[("phone", false, Free(64)), ("type", false, Free(64)), ("wa_id", false, Free(32))]),
    ),
    ("emails", false, List(0, 50, &[("email", false, Free(320)), ("type", false, Free(64))])),
    (
        "addresses",
        false,
        List(
            0,
            50,
            &[
                ("street", false, Free(512)),
                ("city", false, Free(256)),
                ("state", false, Free(256)),
                ("zip", false, Free(64)),
                ("country", false, Free(256)),
                ("country_code", false, Free(16)),
                ("type", false, Free(64)),
            ],
        ),
    ),
    (
        "org",
        false,
        Object(&[("company", false, Free(256)), ("department", false, Free(256)), ("title", false, Free(256))]),
    ),
    ("urls", false, List(0, 50, &[("url", false, Free(2048)), ("type", false, Free(64))])),
    ("birthday", false, Free(32)),
];

const HEADER: &[Field] = &[
    ("type", true, One(&["text", "image", "video", "document"])),
    ("text", false, Text(60)),
    ("sub_text", false, Free(60)),
    ("image", false, Object(MEDIA)),
    ("video", false, Object(MEDIA)),
    ("document", false, Object(DOCUMENT)),
];
const REPLY: &[Field] =
    &[("type", true, One(&["reply"])), ("reply", true, Object(&[("id", true, Text(256)), ("title", true, Text(20))]))];
const ROW: &[Field] = &[("id", true, Text(200)), ("title", true, Text(24)), ("description", false, Free(72))];
const SECTION: &[Field] = &[("title", false, Free(24)), ("rows", true, List(1, 10, ROW))];
const BUTTONS: &[Field] = &[("buttons", true, List(1, 3, REPLY))];
const SECTIONS: &[Field] = &[("button", true, Text(20)), ("sections", true, List(1, 10, SECTION))];
const LINK: &[Field] = &[
    ("name", true, One(&["cta_url"])),
    ("parameters", true, Object(&[("display_text", true, Text(20)), ("url", true, Text(2000))])),
];
const NAMED: &[Field] = &[("name", true, Text(64)), ("parameters", false, Any)];

const TEMPLATE: &[Field] = &[
    ("name", true, Text(512)),
    ("language", true, Object(&[("code", true, Text(64)), ("policy", false, One(&["deterministic"]))])),
    ("components", false, List(0, 20, COMPONENT)),
    ("namespace", false, Free(128)),
];
const COMPONENT: &[Field] = &[
    ("type", true, Text(32)),
    ("sub_type", false, Text(32)),
    ("index", false, Any),
    ("parameters", false, Any),
    ("cards", false, Any),
];

/// Kinds of messages and their content.
const KINDS: &[(&str, Kind)] = &[
    ("text", Object(TEXT)),
    ("image", Object(CAPTIONED)),
    ("video", Object(CAPTIONED)),
    ("audio", Object(AUDIO)),
    ("document", Object(DOCUMENT)),
    ("sticker", Object(MEDIA)),
    ("location", Object(LOCATION)),
    ("contacts", List(1, 257, CONTACT)),
    ("reaction", Object(REACTION)),
    ("template", Object(TEMPLATE)),
];

/// Kinds of interactive messages, what their action looks like, and how long their words may be.
const INTERACTIVE: &[(&str, Kind, usize)] = &[
    ("button", Object(BUTTONS), 1024),
    ("list", Object(SECTIONS), 4096),
    ("cta_url", Object(LINK), 1024),
    ("location_request_message", Object(NAMED), 1024),
    ("request_contact_info", Object(NAMED), 1024),
    ("flow", Object(NAMED), 1024),
    ("call_permission_request", Object(NAMED), 1024),
    ("address_message", Object(NAMED), 1024),
    ("catalog_message", Object(NAMED), 1024),
    ("order_details", Object(NAMED), 1024),
    ("order_status", Object(NAMED), 1024),
    ("voice_call", Object(NAMED), 1024),
    ("product", Any, 1024),
    ("product_list", Any, 1024),
    ("carousel", Any, 1024),
];

/// An object or a list may stand as the text of its JSON, as anywhere in Graph: whatsapp-api-js sends contacts so.
pub fn unfold(body: &mut Value) {
    let names = KINDS.iter().map(|(name, _)| *name).chain(["interactive", "context", "typing_indicator"]);
    for name in names {
        if let Some(inside) = body.get_mut(name)
            && let Some(Ok(parsed @ (Value::Object(_) | Value::Array(_)))) = inside.as_str().map(serde_json::from_str)
        {
            *inside = parsed;
        }
    }
}

/// The envelope and the content of a message. Answers its `type`.
pub fn message(body: &Value) -> Result<&str, Refusal> {
    product(body)?;
    object(body, ENVELOPE, "")?;
    let kind = body.get("type").and_then(Value::as_str).unwrap_or("text");
    if kind == "interactive" {
        let content = body.get(kind).ok_or_else(|| Refusal::missing(kind))?;
        interactive(content)?;
        return Ok(kind);
    }
    let Some((_, shape)) = KINDS.iter().find(|(name, _)| *name == kind) else {
        let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).chain(["interactive"]).collect();
        return Err(Refusal::one_of("type", &names, kind));
    };
    let content = body.get(kind).ok_or_else(|| Refusal::missing(kind))?;
    value(content, *shape, kind)?;
    if ["image", "video", "audio", "document", "sticker"].contains(&kind) {
        one_source(content, kind)?;
    }
    Ok(kind)
}

/// "Read", with or without typing.
pub fn read(body: &Value) -> Result<&str, Refusal> {
    product(body)?;
    object(body, READ, "")?;
    Ok(body["message_id"].as_str().unwrap_or_default())
}

/// Whether it is for WhatsApp at all.
pub fn product(body: &Value) -> Result<(), Refusal> {
    match body.get("messaging_product") {
        None => Err(Refusal::missing("messaging_product")),
        Some(Value::String(product)) if product.eq_ignore_ascii_case("whatsapp") => Ok(()),
        Some(other) => Err(Refusal::one_of("messaging_product", &["whatsapp"], other.clone())),
    }
}

/// A file is named by its id or by a link, by one of them.
fn one_source(content: &Value, at: &str) -> Result<(), Refusal> {
    match (content.get("id").is_some(), content.get("link").is_some()) {
        (true, true) => {
            Err(Refusal::param(format!("Only one of the parameters {at}['id'] and {at}['link'] may be given.")))
        }
        (false, false) => Err(Refusal::missing(format!("{at}['id'] or {at}['link']"))),
        (_, true) if !content["link"].as_str().is_some_and(|link| link.starts_with("http")) => {
            Err(Refusal::because(131_009, format!("Param {at}['link'] is not a valid URI.")))
        }
        _ => Ok(()),
    }
}

fn interactive(content: &Value) -> Result<(), Refusal> {
    const PARTS: &[Field] = &[
        ("type", true, Text(64)),
        ("header", false, Object(HEADER)),
        ("body", false, Any),
        ("footer", false, Object(&[("text", true, Text(60))])),
        ("action", true, Any),
    ];
    object(content, PARTS, "interactive")?;
    let kind = content["type"].as_str().unwrap_or_default();
    let Some((_, action, longest)) = INTERACTIVE.iter().find(|(name, ..)| *name == kind) else {
        let names: Vec<&str> = INTERACTIVE.iter().map(|(name, ..)| *name).collect();
        return Err(Refusal::one_of("interactive['type']", &names, kind));
    };
    if !matches!(kind, "product" | "call_permission_request" | "catalog_message") && content.get("body").is_none() {
        return Err(Refusal::missing("interactive['body']"));
    }
    if let Some(body) = content.get("body") {
        object(body, &[("text", true, Any)], "interactive['body']")?;
        value(&body["text"], Text(*longest), "interactive['body']['text']")?;
    }
    value(&content["action"], *action, "interactive['action']")?;
    if let Some(header) = content.get("header") {
        let kind = header["type"].as_str().unwrap_or_default();
        let inside = header.get(kind).ok_or_else(|| Refusal::missing(format!("interactive['header']['{kind}']")))?;
        if kind != "text" {
            one_source(inside, &format!("interactive['header']['{kind}']"))?;
            if content["type"] == "list" {
                return Err(Refusal::because(131_009, "The header of a list message must be a text."));
            }
        }
    }
    let (replies, rows) = (super::choices::buttons(content), super::choices::rows(content));
    if rows.len() > 10 {
        return Err(Refusal::because(131_009, "Total row count exceed max allowed count: 10"));
    }
    let sections = content["action"]["sections"].as_array().map_or(0, Vec::len);
    let untitled = |section: &Value| section["title"].as_str().is_none_or(str::is_empty);
    if kind == "list"
        && sections > 1
        && content["action"]["sections"].as_array().is_some_and(|all| all.iter().any(untitled))
    {
        return Err(Refusal::because(131_009, "Section title is required when there is more than one section"));
    }
    for (name, list) in [("Button", &replies), ("Row", &rows)] {
        let mut ids: Vec<&str> = list.iter().map(|choice| choice.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != list.len() {
            return Err(Refusal::because(131_009, format!("Duplicate {name} id: ids must be unique")));
        }
    }
    Ok(())
}

fn object(there: &Value, fields: &[Field], at: &str) -> Result<(), Refusal> {
    let name = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}['{key}']") };
    let Some(map) = there.as_object() else {
        return Err(Refusal::param(format!("Param {at} must be a JSON object.")));
    };
    if let Some(key) = map.keys().find(|key| !fields.iter().any(|(known, ..)| known == key)) {
        return Err(Refusal::unexpected(key, at));
    }
    for (key, needed, kind) in fields {
        match map.get(*key) {
            None | Some(Value::Null) if *needed => {
                return Err(Refusal::missing(name(key)));
            }
            None | Some(Value::Null) => {}
            Some(inside) => value(inside, *kind, &name(key))?,
        }
    }
    Ok(())
}

fn value(there: &Value, kind: Kind, at: &str) -> Result<(), Refusal> {
    match kind {
        Any => Ok(()),
        Text(longest) | Free(longest) => {
            let text = there.as_str().ok_or_else(|| Refusal::param(format!("Param {at} must be a string.")))?;
            match text.chars().count() {
                0 if matches!(kind, Text(_)) => Err(Refusal::missing(at)),
                length if length > longest => {
                    Err(Refusal::param(format!("Param {at} must be at most {longest} characters long.")))
                }
                _ => Ok(()),
            }
        }
        Bool if there.is_boolean() => Ok(()),
        Bool => Err(Refusal::param(format!("Param {at} must be a boolean."))),
        Number if there.is_number() || there.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok()) => Ok(()),
        Number => Err(Refusal::param(format!("Param {at} must be a number."))),
        One(words) if there.as_str().is_some_and(|word| words.contains(&word)) => Ok(()),
        One(words) => Err(Refusal::one_of(at, words, there.clone())),
        Object(fields) => object(there, fields, at),
        List(least, most, fields) => {
            let items = there.as_array().ok_or_else(|| Refusal::param(format!("Param {at} must be an array.")))?;
            if !(least..=most).contains(&items.len()) {
                return Err(Refusal::because(
                    131_009,
                    format!("Param {at} has {} items: Min: {least}, Max: {most}", items.len()),
                ));
            }
            items.iter().enumerate().try_for_each(|(n, item)| object(item, fields, &format!("{at}[{n}]")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::message;

    fn with(kind: &str, content: Value) -> Value {
        json!({"messaging_product": "whatsapp", "to": "27831234567", "type": kind, kind: content})
    }

    #[test]
    fn what_is_not_as_it_must_be_is_named() {
        let long = "x".repeat(4097);
        let button = |id: &str| json!({"type": "reply", "reply": {"id": id, "title": "Yes"}});
        let buttons = |buttons: Value| json!({"type": "button", "body": {"text": "?"}, "action": {"buttons": buttons}});
        for (body, code, says) in [
            (json!({}), 100, "The parameter messaging_product is required."),
            (json!({"messaging_product": "x"}), 100, "must be one of {WHATSAPP}"),
            (with("text", json!({"body": ""})), 100, "The parameter text['body'] is required."),
            (with("text", json!({"body": long})), 100, "at most 4096"),
            (with("text", json!({"body": "x", "bold": true})), 100, "Unexpected key \"bold\" on param \"text\""),
            (with("text", json!("x")), 100, "Param text must be a JSON object."),
            (with("poll", json!({})), 100, "Unexpected key \"poll\""),
            (with("image", json!({"caption": "x"})), 100, "image['id'] or image['link'] is required"),
            (with("image", json!({"id": "1", "link": "https://x"})), 100, "Only one of"),
            (with("interactive", buttons(json!([]))), 131_009, "(#131009)"),
            (with("interactive", buttons(json!([button("1"), button("1")]))), 131_009, "(#131009)"),
            (with("reaction", json!({"message_id": "wamid.x"})), 100, "reaction['emoji'] is required"),
        ] {
            let refused = message(&body).expect_err(says);
            assert!(refused.code == code && refused.message.contains(says), "{body}: {}", refused.message);
        }
        assert_eq!(message(&with("interactive", buttons(json!([button("1"), button("2")])))).unwrap(), "interactive");
    }
}
