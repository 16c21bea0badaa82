//! A template with its variables filled in, and what is wrong with them.

use serde_json::Value;

use super::{account::Template, refusal::Refusal};
use crate::world::{Choice, ChoiceKind};

/// How long the filled-in text may be.
const LONGEST: usize = 1024;

/// What is sent when a template is.
#[derive(Debug, Default)]
pub struct Hydrated {
    /// Header, body and footer.
    pub text: String,
    /// The file of the header: `{"id"}` or `{"link"}`, and which kind it is.
    pub media: Option<(String, Value)>,
    /// Quick replies.
    pub choices: Vec<Choice>,
}

/// The variables of a text, in the order they stand, each once: `1` or `first_name`.
pub fn variables(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for piece in text.split("{{").skip(1) {
        if let Some((name, _)) = piece.split_once("}}") {
            let name = name.trim().to_owned();
            if !name.is_empty() && !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}

/// The component of a template, by type.
pub fn component<'a>(components: &'a [Value], kind: &str) -> Option<&'a Value> {
    components.iter().find(|one| one["type"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(kind)))
}

/// Fills in what a send gives.
pub fn hydrate(template: &Template, call: &Value) -> Result<Hydrated, Refusal> {
    let none = Vec::new();
    let given = call["components"].as_array().unwrap_or(&none);
    let mut made = Hydrated::default();
    let mut texts = Vec::new();
    let named = template.format == "NAMED";
    if let Some(header) = component(&template.components, "HEADER") {
        let parameters = parameters(component(given, "header"))?;
        match header["format"].as_str().unwrap_or("TEXT") {
            "TEXT" => texts.push(fill("header", header["text"].as_str().unwrap_or_default(), &parameters, named)?),
            "LOCATION" => texts.push(
                parameters.first().and_then(|one| one["location"]["name"].as_str()).unwrap_or_default().to_owned(),
            ),
            format => {
                let kind = format.to_lowercase();
                let kind = if kind == "gif" { "video".to_owned() } else { kind };
                let details = format!(
                    "header: Format mismatch, expected {format}, received {}",
                    match parameters.first() {
                        Some(one) => one["type"].as_str().unwrap_or("UNKNOWN").to_uppercase(),
                        None => "UNKNOWN".into(),
                    }
                );
                let [one] = parameters.as_slice() else { return Err(Refusal::because(132_012, details)) };
                let media = one.get(&kind).filter(|media| media["id"].is_string() || media["link"].is_string());
                made.media = Some((kind, media.cloned().ok_or_else(|| Refusal::because(132_012, details))?));
            }
        }
    } else if component(given, "header")
        .is_some_and(|one| one["parameters"].as_array().is_some_and(|all| !all.is_empty()))
    {
        return Err(count("header", 1, 0));
    }
    let body = component(&template.components, "BODY").and_then(|body| body["text"].as_str()).unwrap_or_default();
    let body = match (template.category.as_str(), body) {
        // Meta writes these itself.
        ("AUTHENTICATION", "") => "*{{1}}* is your verification code.",
        (_, body) => body,
    };
    let filled = fill("body", body, &parameters(component(given, "body"))?, named)?;
    if filled.chars().count() > LONGEST {
        let details =
            format!("Translated text too long: body has {} letters, {LONGEST} are allowed", filled.chars().count());
        return Err(Refusal::because(132_005, details));
    }
    texts.push(filled);
    if let Some(footer) = component(&template.components, "FOOTER").and_then(|footer| footer["text"].as_str()) {
        texts.push(footer.to_owned());
    }
    let buttons = component(&template.components, "BUTTONS").and_then(|buttons| buttons["buttons"].as_array());
    for (at, button) in buttons.into_iter().flatten().enumerate() {
        let title = button["text"].as_str().unwrap_or_default();
        let given = given.iter().find(|one| is_button(one, at));
        let first = parameters(given)?.into_iter().next();
        match button["type"].as_str().unwrap_or_default().to_uppercase().as_str() {
            "QUICK_REPLY" => {
                // Without a payload its words come back.
                let payload = first.as_ref().and_then(|one| one["payload"].as_str()).unwrap_or(title);
                made.choices.push(Choice {
                    kind: ChoiceKind::Template,
                    id: payload.to_owned(),
                    title: title.to_owned(),
                    description: None,
                });
            }
            "URL" => {
                let url = button["url"].as_str().unwrap_or_default();
                let wanted = variables(url).len();
                if wanted != usize::from(first.is_some()) {
                    return Err(count("button", usize::from(first.is_some()), wanted));
                }
                let word = first.as_ref().and_then(|one| one["text"].as_str()).unwrap_or_default();
                texts.push(format!("{title}: {}", url.replace("{{1}}", word)));
            }
            "COPY_CODE" | "OTP" => {
                let code = first.as_ref().and_then(|one| one["coupon_code"].as_str().or(one["text"].as_str()));
                let Some(code) = code else { return Err(count("button", 0, 1)) };
                texts.push(format!("{title}: {code}"));
            }
            "PHONE_NUMBER" => texts.push(format!("{title}: {}", button["phone_number"].as_str().unwrap_or_default())),
            _ => texts.push(title.to_owned()),
        }
    }
    made.text = texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
    Ok(made)
}

fn is_button(component: &Value, at: usize) -> bool {
    let index = component["index"].as_u64().or_else(|| component["index"].as_str()?.trim().parse().ok());
    component["type"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("button")) && index == Some(at as u64)
}

fn parameters(component: Option<&Value>) -> Result<Vec<Value>, Refusal> {
    match component.map(|one| &one["parameters"]) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items.clone()),
        Some(_) => Err(Refusal::param("Param template['components'][0]['parameters'] must be an array.")),
    }
}

fn count(place: &str, given: usize, wanted: usize) -> Refusal {
    let details = format!(
        "{place}: number of localizable_params ({given}) does not match the expected number of params ({wanted})"
    );
    Refusal::because(132_000, details)
}

/// A text with its variables filled in: by their names, or in their order.
fn fill(place: &str, text: &str, given: &[Value], named: bool) -> Result<String, Refusal> {
    let wanted = variables(text);
    if wanted.len() != given.len() {
        return Err(count(place, given.len(), wanted.len()));
    }
    let mut filled = text.to_owned();
    for (at, parameter) in given.iter().enumerate() {
        let name = parameter["parameter_name"].as_str();
        let key = match (named, name) {
            (true, None) => {
                return Err(Refusal::param(format!(
                    "Invalid parameter: parameter_name is missing in {place} of a NAMED template"
                )));
            }
            (true, Some(name)) if !wanted.iter().any(|key| key == name) => {
                return Err(Refusal::param(format!(
                    "Parameter name '{name}' is not found in the {place} of the template"
                )));
            }
            (true, Some(name)) => name.to_owned(),
            (false, Some(_)) => {
                return Err(Refusal::param(format!(
                    "Parameter name is not allowed in the {place} of a POSITIONAL template"
                )));
            }
            (false, None) => wanted[at].clone(),
        };
        let value = word(place, parameter)?;
        for form in [format!("{{{{{key}}}}}"), format!("{{{{ {key} }}}}")] {
            filled = filled.replace(&form, &value);
        }
    }
    Ok(filled)
}

/// The value of a parameter.
fn word(place: &str, parameter: &Value) -> Result<String, Refusal> {
    let value = match parameter["type"].as_str() {
        Some("text") => match &parameter["text"] {
            Value::String(text) => text.clone(),
            Value::Null => {
                return Err(Refusal::because(
                    131_008,
                    format!("{place}: Parameter of type text is missing text value"),
                ));
            }
            other => other.to_string(),
        },
        Some("currency") => parameter["currency"]["fallback_value"].as_str().unwrap_or_default().to_owned(),
        Some("date_time") => parameter["date_time"]["fallback_value"].as_str().unwrap_or_default().to_owned(),
        other => {
            let details = format!(
                "{place}: Format mismatch, expected TEXT, received {}",
                other.unwrap_or("UNKNOWN").to_uppercase()
            );
            return Err(Refusal::because(132_012, details));
        }
    };
    if value.is_empty() {
        return Err(Refusal::because(131_008, format!("{place}: Parameter of type text is missing text value")));
    }
    if value.contains(['\n', '\t', '\r']) || value.contains("     ") {
        return Err(Refusal::because(
            132_018,
            "Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
        ));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{hydrate, variables};
    use crate::cloud::templates::made;

    fn sample() -> Vec<Value> {
        vec![
            json!({"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"}),
            json!({"type": "BODY", "text": "Hi {{1}}, {{2}} is ready. Thank you, {{1}}"}),
            json!({"type": "BUTTONS", "buttons": [
                {"type": "URL", "text": "Track", "url": "https://shop.example/t/{{1}}"}, {"type": "QUICK_REPLY", "text": "Thanks"},
            ]}),
        ]
    }

    fn text(words: &[&str]) -> Value {
        words.iter().map(|word| json!({"type": "text", "text": word})).collect()
    }

    #[test]
    fn variables_are_filled_in_and_counted() {
        let template = made("1", "order", "en", "UTILITY", sample());
        let call = |header: &[&str], body: &[&str], button: &[&str]| {
            hydrate(
                &template,
                &json!({"components": [
                    {"type": "header", "parameters": text(header)}, {"type": "body", "parameters": text(body)},
                    {"type": "button", "sub_type": "url", "index": "0", "parameters": text(button)},
                    {"type": "button", "sub_type": "quick_reply", "index": 1, "parameters": [{"type": "payload", "payload": "THX"}]},
                ]}),
            )
        };
        let whole = call(&["A-17"], &["Ana", "it"], &["A-17"]).unwrap();
        assert_eq!(whole.text, "Order A-17\nHi Ana, it is ready. Thank you, Ana\nTrack: https://shop.example/t/A-17");
        assert_eq!((whole.choices[0].id.as_str(), whole.choices[0].title.as_str()), ("THX", "Thanks"));
        for (header, body, button, code) in [
            (&[][..], &["Ana", "it"][..], &["A-17"][..], 132_000),
            (&["A-17"], &["Ana"], &["A-17"], 132_000),
            (&["A-17"], &["Ana", "it"], &[], 132_000),
            (&["A-17"], &["Ana", "a\nb"], &["A-17"], 132_018),
            (&["A-17"], &["Ana", ""], &["A-17"], 131_008),
            (&["A-17"], &["Ana", &"x".repeat(1_100)], &["A-17"], 132_005),
        ] {
            assert_eq!(call(header, body, button).unwrap_err().code, code, "{header:?} {body:?} {button:?}");
        }
        assert_eq!(variables("{{1}} {{ name }} {{1}} {{}}"), ["1", "name"]);
    }

    #[test]
    fn names_and_files_must_be_the_right_ones() {
        let mut named = made("1", "hello", "en", "UTILITY", vec![json!({"type": "BODY", "text": "Hi {{name}}."})]);
        named.format = "NAMED".into();
        let call =
            |parameter: Value| hydrate(&named, &json!({"components": [{"type": "body", "parameters": [parameter]}]}));
        assert_eq!(call(json!({"type": "text", "parameter_name": "name", "text": "Ana"})).unwrap().text, "Hi Ana.");
        assert_eq!(call(json!({"type": "text", "text": "Ana"})).unwrap_err().code, 100);
        assert_eq!(call(json!({"type": "text", "parameter_name": "nome", "text": "Ana"})).unwrap_err().code, 100);
        let pictured = made(
            "1",
            "hello",
            "en",
            "MARKETING",
            vec![json!({"type": "HEADER", "format": "IMAGE"}), json!({"type": "BODY", "text": "Look."})],
        );
        assert_eq!(hydrate(&pictured, &json!({})).unwrap_err().code, 132_012);
        let call = json!({"components": [{"type": "header", "parameters": [{"type": "image", "image": {"id": "7"}}]}]});
        assert_eq!(hydrate(&pictured, &call).unwrap().media, Some(("image".into(), json!({"id": "7"}))));
    }
}
