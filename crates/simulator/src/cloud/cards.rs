//! Contact cards: vCards of the world, and the objects that Meta has for them.

use serde_json::{Value, json};

/// What of a vCard Meta tells.
pub fn from_vcard(text: &str) -> Value {
    let mut card = json!({"name": {}});
    let mut phones = Vec::new();
    let mut emails = Vec::new();
    for line in text.lines() {
        let Some((head, value)) = line.trim().split_once(':') else { continue };
        let value = value.trim();
        let mut parts = head.split(';');
        // `item1.TEL;waid=…`
        let name = parts.next().unwrap_or_default().rsplit('.').next().unwrap_or_default().to_uppercase();
        let parts: Vec<(String, &str)> =
            parts.filter_map(|part| part.split_once('=')).map(|(key, value)| (key.to_lowercase(), value)).collect();
        let part = |wanted: &str| parts.iter().find(|(key, _)| key == wanted).map(|(_, value)| *value);
        let kind = part("type").unwrap_or("CELL").to_uppercase();
        match name.as_str() {
            "FN" => card["name"]["formatted_name"] = value.into(),
            "N" => {
                let mut names = value.split(';');
                for key in ["last_name", "first_name", "middle_name", "prefix", "suffix"] {
                    if let Some(one) = names.next().filter(|one| !one.is_empty()) {
                        card["name"][key] = one.into();
                    }
                }
            }
            "TEL" => {
                let mut phone = json!({"phone": value, "type": kind});
                if let Some(known) = part("waid") {
                    phone["wa_id"] = known.into();
                }
                phones.push(phone);
            }
            "EMAIL" => emails.push(json!({"email": value, "type": kind})),
            "ORG" => card["org"] = json!({"company": value.trim_end_matches(';')}),
            "BDAY" => card["birthday"] = value.into(),
            "URL" => card["urls"] = json!([{"url": value, "type": kind}]),
            _ => {}
        }
    }
    if !phones.is_empty() {
        card["phones"] = phones.into();
    }
    if !emails.is_empty() {
        card["emails"] = emails.into();
    }
    // What the person at the other end chose to show is not to be believed.
    card["origin"] = "other".into();
    card
}

/// A vCard of what a business sent.
pub fn to_vcard(card: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().replace(['\r', '\n'], " ");
    let name = &card["name"];
    let mut lines = vec!["BEGIN:VCARD".to_owned(), "VERSION:3.0".to_owned()];
    let parts = ["last_name", "first_name", "middle_name", "prefix", "suffix"].map(|key| word(&name[key]));
    lines.push(format!("N:{}", parts.join(";")));
    lines.push(format!("FN:{}", word(&name["formatted_name"])));
    for phone in card["phones"].as_array().into_iter().flatten() {
        let known = phone["wa_id"].as_str().map(|known| format!(";waid={known}")).unwrap_or_default();
        lines.push(format!("TEL;type={}{known}:{}", phone["type"].as_str().unwrap_or("CELL"), word(&phone["phone"])));
    }
    for email in card["emails"].as_array().into_iter().flatten() {
        lines.push(format!("EMAIL;type={}:{}", email["type"].as_str().unwrap_or("HOME"), word(&email["email"])));
    }
    if let Some(company) = card["org"]["company"].as_str() {
        lines.push(format!("ORG:{}", company.replace(['\r', '\n'], " ")));
    }
    lines.push("END:VCARD".into());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{from_vcard, to_vcard};

    #[test]
    fn a_card_goes_there_and_back() {
        let card = json!({
            "name": {"formatted_name": "Ana P", "first_name": "Ana", "last_name": "P"},
            "phones": [{"phone": "+27 83 123 4567", "type": "CELL", "wa_id": "27831234567"}],
            "emails": [{"email": "ana@example.com", "type": "WORK"}],
            "org": {"company": "Acme"},
        });
        let mut back = from_vcard(&to_vcard(&card));
        assert_eq!(back["origin"], "other");
        back.as_object_mut().unwrap().remove("origin");
        assert_eq!(back, card);
    }
}
