//! What we write to Meta: to whom, and what. Everything is checked against the limits of the page read in 2026-09 before Meta is asked.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{Address, Body, Card, File, Outgoing, SendError, TemplateCall};

/// A poll becomes buttons up to here, then a list, then numbers.
const MOST_BUTTONS: usize = 3;
const MOST_ROWS: usize = 10;
const LONGEST_BUTTON: usize = 20;
const LONGEST_ROW: usize = 24;
const LONGEST_DESCRIPTION: usize = 72;
const LONGEST_BODY: usize = 1024;
const LONGEST_EDGE: usize = 60;

/// The envelope, with the one field that names the recipient. A business-scoped id in `to` would be answered 200 and never arrive: it goes into
/// `recipient`, and `to` is left out.
pub fn envelope(to: &Address) -> Result<Value, SendError> {
    let mut body = json!({ "messaging_product": "whatsapp", "recipient_type": "individual" });
    match to {
        Address::Phone(phone) => body["to"] = phone[1..].into(),
        Address::Bsuid(id) => body["recipient"] = id.as_str().into(),
        Address::Lid(_) | Address::Group(_) | Address::Jid(_) => {
            return Err(SendError::bad("This contact has no phone number that the Cloud API can reach."));
        }
    }
    Ok(body)
}

/// A file that goes up before the message.
pub struct Upload<'a> {
    pub file: &'a File,
    /// Where its id goes in the message, as a JSON pointer.
    pub at: String,
}

/// The message, and the file that it needs, if any.
pub fn order(message: &Outgoing) -> Result<(Value, Option<Upload<'_>>), SendError> {
    let mut body = envelope(&message.to)?;
    body["biz_opaque_callback_data"] = message.correlation.as_str().into();
    if let Some(quoted) = &message.reply_to {
        body["context"] = json!({ "message_id": quoted.provider_id });
    }
    let mut upload = None;
    let (kind, content) = match &message.body {
        Body::Text { text } => ("text", json!({ "body": text, "preview_url": message.link_preview })),
        Body::Image { file, caption } => ("image", media(file, caption.as_deref(), false, &mut upload)),
        Body::Video { file, caption } => ("video", media(file, caption.as_deref(), false, &mut upload)),
        Body::Document { file, caption } => ("document", media(file, caption.as_deref(), true, &mut upload)),
        Body::Audio { file } => ("audio", media(file, None, false, &mut upload)),
        Body::Voice { file } => {
            let mut content = media(file, None, false, &mut upload);
            content["voice"] = true.into();
            ("audio", content)
        }
        Body::Sticker { file } => ("sticker", media(file, None, false, &mut upload)),
        Body::Location { latitude, longitude, name, address } => {
            let mut content = json!({ "latitude": latitude, "longitude": longitude });
            for (key, value) in [("name", name), ("address", address)] {
                if let Some(value) = value {
                    content[key] = value.as_str().into();
                }
            }
            ("location", content)
        }
        Body::Contacts { contacts } => ("contacts", contacts.iter().map(card).collect()),
        Body::Poll { question, options, .. } => poll(question, options, &message.correlation)?,
        Body::Buttons { text, header, footer, list, buttons } => {
            ("interactive", interactive(text, header.as_deref(), footer.as_deref(), list.as_deref(), buttons)?)
        }
        Body::Template(call) => ("template", template(call, &mut upload)?),
    };
    body["type"] = kind.into();
    body[kind] = content;
    if let Some(upload) = &mut upload {
        upload.at = format!("/{kind}{}", upload.at);
    }
    Ok((body, upload))
}

fn media<'a>(file: &'a File, caption: Option<&str>, named: bool, upload: &mut Option<Upload<'a>>) -> Value {
    *upload = Some(Upload { file, at: "/id".into() });
    let mut content = json!({ "id": "" });
    if let Some(caption) = caption {
        content["caption"] = caption.into();
    }
    if named {
        content["filename"] = file.name.as_str().into();
    }
    content
}

fn card(card: &Card) -> Value {
    let first = card.name.split(' ').next().unwrap_or_default();
    let line = |label: &Option<String>| label.as_deref().unwrap_or("cell").to_uppercase();
    let mut made = json!({ "name": { "formatted_name": card.name, "first_name": first } });
    if !card.phones.is_empty() {
        let phones = card.phones.iter().map(|phone| {
            let mut made = json!({ "phone": phone.value, "type": line(&phone.label) });
            if let Some(known) = &phone.whatsapp {
                made["wa_id"] = known.trim_start_matches('+').into();
            }
            made
        });
        made["phones"] = phones.collect();
    }
    if !card.emails.is_empty() {
        let emails = card.emails.iter().map(
            |email| json!({ "email": email.value, "type": email.label.as_deref().unwrap_or("home").to_uppercase() }),
        );
        made["emails"] = emails.collect();
    }
    if let Some(company) = &card.organization {
        made["org"] = json!({ "company": company });
    }
    made
}

fn within(text: &str, longest: usize, what: &str) -> Result<(), SendError> {
    match text.chars().count() {
        0 => Err(SendError::bad(format!("The {what} is empty."))),
        length if length > longest => {
            Err(SendError::bad(format!("The {what} has {length} characters; {longest} are allowed.")))
        }
        _ => Ok(()),
    }
}

fn interactive(
    text: &str,
    header: Option<&str>,
    footer: Option<&str>,
    list: Option<&str>,
    buttons: &[crate::Button],
) -> Result<Value, SendError> {
    within(text, LONGEST_BODY, "text")?;
    let mut made = json!({ "body": { "text": text } });
    if let Some(header) = header {
        within(header, LONGEST_EDGE, "header")?;
        made["header"] = json!({ "type": "text", "text": header });
    }
    if let Some(footer) = footer {
        within(footer, LONGEST_EDGE, "footer")?;
        made["footer"] = json!({ "text": footer });
    }
    let mut ids: Vec<&str> = buttons.iter().map(|button| button.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let link = buttons.iter().find_map(|button| Some((button, button.url.as_deref()?)));
    if ids.len() != buttons.len() && link.is_none() {
        return Err(SendError::bad("Two buttons have the same id."));
    }
    match (list, link) {
        (None, Some((button, url))) => {
            if buttons.len() > 1 {
                return Err(SendError::bad("A button that opens a page stands alone."));
            }
            within(&button.title, LONGEST_BUTTON, "button")?;
            made["type"] = "cta_url".into();
            made["action"] = json!({ "name": "cta_url", "parameters": { "display_text": button.title, "url": url } });
        }
        (None, None) => {
            if !(1..=MOST_BUTTONS).contains(&buttons.len()) {
                return Err(SendError::bad("There are 1 to 3 buttons; a list has up to 10 rows."));
            }
            for button in buttons {
                within(&button.title, LONGEST_BUTTON, "button")?;
                within(&button.id, 256, "button's id")?;
            }
            made["type"] = "button".into();
            let reply = |button: &crate::Button| json!({ "type": "reply", "reply": { "id": button.id, "title": button.title } });
            made["action"] = json!({ "buttons": buttons.iter().map(reply).collect::<Vec<_>>() });
        }
        (Some(label), _) => {
            within(label, LONGEST_BUTTON, "list's button")?;
            if !(1..=MOST_ROWS).contains(&buttons.len()) {
                return Err(SendError::bad("A list has 1 to 10 rows."));
            }
            let mut rows = Vec::new();
            for row in buttons {
                within(&row.title, LONGEST_ROW, "row")?;
                within(&row.id, 200, "row's id")?;
                let mut made = json!({ "id": row.id, "title": row.title });
                if let Some(description) = &row.description {
                    within(description, LONGEST_DESCRIPTION, "row's description")?;
                    made["description"] = description.as_str().into();
                }
                rows.push(made);
            }
            made["type"] = "list".into();
            made["action"] = json!({ "button": label, "sections": [{ "rows": rows }] });
        }
    }
    Ok(made)
}

/// There are no polls: few short answers become buttons, up to ten a list, more a numbered text. What is cut stands in full above. One answer can be
/// chosen; it comes back as the reply `poll:<our id>:<n>`, counted from 0. A list opens by a button, which says the question: we have no other word
/// in the contact's language.
fn poll(question: &str, options: &[String], correlation: &str) -> Result<(&'static str, Value), SendError> {
    if options.is_empty() {
        return Err(SendError::bad("A poll has at least one answer."));
    }
    let buttons = options.len() <= MOST_BUTTONS;
    let longest = if buttons { LONGEST_BUTTON } else { LONGEST_ROW };
    let numbered = || {
        let lines = options.iter().enumerate().map(|(at, option)| format!("{}. {option}", at + 1));
        format!("{question}\n\n{}", lines.collect::<Vec<_>>().join("\n"))
    };
    let cut = options.iter().any(|option| option.chars().count() > longest);
    let text = if cut { numbered() } else { question.to_owned() };
    if options.len() > MOST_ROWS || text.chars().count() > LONGEST_BODY {
        return Ok(("text", json!({ "body": numbered(), "preview_url": false })));
    }
    let made: Vec<crate::Button> = titles(options, longest)
        .into_iter()
        .enumerate()
        .map(|(at, title)| crate::Button { id: format!("poll:{correlation}:{at}"), title, ..crate::Button::default() })
        .collect();
    let opens = shortened(&question.split_whitespace().collect::<Vec<_>>().join(" "), LONGEST_BUTTON);
    Ok(("interactive", interactive(&text, None, None, (!buttons).then_some(opens.as_str()), &made)?))
}

/// The answers as they stand on buttons or in rows, each another: those that would be cut to the same have their numbers.
fn titles(options: &[String], longest: usize) -> Vec<String> {
    let titles: Vec<String> = options.iter().map(|option| shortened(option, longest)).collect();
    if titles.iter().collect::<BTreeSet<_>>().len() == titles.len() {
        return titles;
    }
    let numbered = options.iter().enumerate().map(|(at, option)| format!("{}. {option}", at + 1));
    numbered.map(|title| shortened(&title, longest)).collect()
}

fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(longest - 1).collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

fn template<'a>(call: &'a TemplateCall, upload: &mut Option<Upload<'a>>) -> Result<Value, SendError> {
    let mut components = Vec::new();
    if let Some(file) = &call.media {
        let kind = match file.mime.split('/').next() {
            Some("image") => "image",
            Some("video") => "video",
            _ => "document",
        };
        let mut content = json!({ "id": "" });
        if kind == "document" {
            content["filename"] = file.name.as_str().into();
        }
        components.push(json!({ "type": "header", "parameters": [{ "type": kind, kind: content }] }));
        *upload = Some(Upload { file, at: format!("/components/0/parameters/0/{kind}/id") });
    }
    for (kind, parameters) in [("header", &call.header), ("body", &call.body)] {
        if parameters.is_empty() {
            continue;
        }
        let mut made = Vec::new();
        for parameter in parameters {
            if parameter.text.is_empty()
                || parameter.text.contains(['\n', '\t', '\r'])
                || parameter.text.contains("     ")
            {
                return Err(SendError::bad(
                    "A template's variable must not be empty, nor have line breaks, tabs or more than four spaces in a row.",
                ));
            }
            let mut one = json!({ "type": "text", "text": parameter.text });
            if let Some(name) = &parameter.name {
                one["parameter_name"] = name.as_str().into();
            }
            made.push(one);
        }
        components.push(json!({ "type": kind, "parameters": made }));
    }
    for button in &call.buttons {
        let parameter = match button.kind.as_str() {
            "quick_reply" => json!({ "type": "payload", "payload": button.text }),
            "copy_code" => json!({ "type": "coupon_code", "coupon_code": button.text }),
            "url" => json!({ "type": "text", "text": button.text }),
            kind => return Err(SendError::bad(format!("A button of the kind {kind} takes no variable."))),
        };
        components.push(json!({
            "type": "button", "sub_type": button.kind, "index": button.index.to_string(), "parameters": [parameter],
        }));
    }
    let mut made = json!({ "name": call.name, "language": { "code": call.language } });
    if !components.is_empty() {
        made["components"] = components.into();
    }
    Ok(made)
}
