//! Message templates: they belong to the account. Listed page by page, made, edited, deleted, and judged.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{Path, Query, State as FromState},
    http::{HeaderMap, Uri},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    account::{Caller, MANAGEMENT, Template, new_id},
    apps::Words,
    fields, guard,
    hydrate::{component, variables},
    refusal::{Answer, Refusal, ok, success},
};
use crate::sim::Sim;

/// What is shown of a template when nothing is asked for.
const USUAL: &[&str] =
    &["name", "components", "language", "status", "category", "parameter_format", "previous_category", "id"];
const NODE: &str = "WhatsAppMessageTemplate";
const COMPONENTS: &[&str] =
    &["HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER", "CALL_PERMISSION_REQUEST"];
const CATEGORIES: &[&str] = &["UTILITY", "MARKETING", "AUTHENTICATION"];
const FORMATS: &[&str] = &["POSITIONAL", "NAMED"];
/// How many an account can have.
const MOST: usize = 6_000;

/// A template of this account, approved.
pub fn made(waba: &str, name: &str, language: &str, category: &str, components: Vec<Value>) -> Template {
    Template {
        waba: waba.to_owned(),
        name: name.to_owned(),
        language: language.to_owned(),
        category: category.to_owned(),
        previous_category: None,
        status: "APPROVED".into(),
        format: "POSITIONAL".into(),
        components,
        quality: "UNKNOWN".into(),
        reason: "NONE".into(),
        held: false,
        edited_ms: None,
    }
}

/// All that can be asked of one.
pub fn view(id: &str, template: &Template) -> Value {
    json!({
        "id": id,
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "sub_category": null,
        "previous_category": template.previous_category,
        "correct_category": null,
        "parameter_format": template.format,
        "components": template.components,
        "quality_score": {"score": template.quality, "date": 1_700_000_000},
        "rejected_reason": template.reason,
        "message_send_ttl_seconds": null,
        "cta_url_link_tracking_opted_out": false,
        "library_template_name": null,
        "degrees_of_freedom_spec": null,
    })
}

/// Whether a word is one of a filter's: a word, several with commas, or a JSON list.
fn among(filter: Option<&String>, word: &str) -> bool {
    filter.is_none_or(|filter| {
        filter.split(',').any(|one| one.trim_matches(['[', ']', '"', ' ']).eq_ignore_ascii_case(word))
    })
}

pub async fn list(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Words>,
    uri: Uri,
    headers: HeaderMap,
) -> Answer {
    let mut state = sim.cloud.state();
    state.waba(&caller, "get", &id)?;
    caller.needs(MANAGEMENT)?;
    let words = |template: &Template| {
        component(&template.components, "BODY").map(|body| body["text"].to_string()).unwrap_or_default()
    };
    let has = |key: &str, text: &str| {
        query.get(key).is_none_or(|filter| text.to_lowercase().contains(&filter.to_lowercase()))
    };
    let is = |key: &str, word: &str| among(query.get(key), word);
    let shown = fields::asked(&query);
    let own = || state.templates.iter().filter(|(_, template)| template.waba == id);
    let mut found = Vec::new();
    for (key, template) in own() {
        let fits = has("name", &template.name)
            && is("status", &template.status)
            && is("category", &template.category)
            && is("language", &template.language)
            && is("quality_score", &template.quality)
            && has("content", &words(template))
            && has("name_or_content", &format!("{} {}", template.name, words(template)));
        if fits {
            found.push(fields::select(&view(key, template), shown, USUAL, NODE)?);
        }
    }
    // Whole, with the token.
    let next = |after: &str| {
        let all = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let kept = all.filter(|(key, _)| !matches!(key.as_ref(), "after" | "access_token" | "appsecret_proof"));
        let again = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("access_token", &guard::token(&headers, &uri).unwrap_or_default())
            .extend_pairs(kept)
            .append_pair("after", after)
            .finish();
        format!("{id}/message_templates?{again}")
    };
    let mut page = fields::page(found, &query, next)?;
    if let Some(summary) = query.get("summary") {
        let all = json!({
            "total_count": own().count(), "message_template_count": own().count(), "message_template_limit": MOST,
            "are_translations_complete": true,
        });
        page["summary"] = fields::select(&all, Some(summary), &[], "WhatsAppMessageTemplateSummary")?;
    }
    Ok(ok(&page))
}

/// What a template is made of.
#[derive(Deserialize)]
struct Draft {
    name: Option<String>,
    language: Option<String>,
    category: Option<String>,
    parameter_format: Option<String>,
    #[serde(default)]
    components: Vec<Value>,
}

fn draft(bytes: &[u8]) -> Result<Draft, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| Refusal::param(format!("Invalid parameter: {error}")))
}

fn invalid(title: &str, message: &str) -> Refusal {
    Refusal::template(2_388_043, title, message)
}

/// The words of a template, checked against Meta's rules.
fn check(format: &str, category: &str, components: &[Value]) -> Result<(), Refusal> {
    let body = component(components, "BODY").ok_or_else(|| Refusal::param("components must have a BODY"))?;
    for one in components {
        let kind = one["type"].as_str().unwrap_or_default().to_uppercase();
        if !COMPONENTS.contains(&kind.as_str()) {
            return Err(Refusal::one_of("components['type']", COMPONENTS, kind));
        }
        let text = one["text"].as_str().unwrap_or_default();
        let longest = match kind.as_str() {
            "HEADER" | "FOOTER" => 60,
            _ => 1024,
        };
        if text.chars().count() > longest {
            return Err(Refusal::template(
                2_388_040,
                "Character Limit Exceeded",
                &format!("The {kind} has more than {longest} letters."),
            ));
        }
        if kind == "FOOTER" && !variables(text).is_empty() {
            return Err(Refusal::template(2_388_073, "Footer has variables", "The footer can't have variables."));
        }
        if kind == "HEADER" && one["format"].as_str().is_none() {
            return Err(Refusal::missing("components['format']"));
        }
    }
    let text = body["text"].as_str().unwrap_or_default();
    if text.is_empty() && category != "AUTHENTICATION" {
        return Err(Refusal::missing("components['text']"));
    }
    let names = variables(text);
    let trimmed = text.trim();
    if trimmed.starts_with("{{") || trimmed.ends_with("}}") {
        return Err(Refusal::template(
            2_388_299,
            "Variables can't be at the start or end of the template",
            "The message template can't start or end with a variable.",
        ));
    }
    if names.len() > 1 && text.split_whitespace().count() < names.len() * 3 {
        return Err(Refusal::template(
            2_388_293,
            "Parameters words ratio exceeds limit",
            "This template has too many variables for its length.",
        ));
    }
    let positional = format == "POSITIONAL";
    for (at, name) in names.iter().enumerate() {
        let fits = if positional {
            *name == (at + 1).to_string()
        } else {
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                && !name.as_bytes()[0].is_ascii_digit()
        };
        if !fits {
            return Err(invalid(
                "Invalid variable",
                &format!("The variable {{{{{name}}}}} is not a proper one for a {format} template."),
            ));
        }
    }
    let examples = match positional {
        true => body["example"]["body_text"][0].as_array().map_or(0, Vec::len),
        false => body["example"]["body_text_named_params"].as_array().map_or(0, Vec::len),
    };
    if examples != names.len() && category != "AUTHENTICATION" {
        return Err(invalid("Message template is missing example", "Every variable of the body needs an example."));
    }
    let buttons = component(components, "BUTTONS").and_then(|one| one["buttons"].as_array());
    if let Some(buttons) = buttons {
        let of = |kind: &str| {
            buttons
                .iter()
                .filter(|one| one["type"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(kind)))
                .count()
        };
        if buttons.is_empty() || buttons.len() > 10 || of("URL") > 2 || of("PHONE_NUMBER") > 1 || of("COPY_CODE") > 1 {
            return Err(invalid(
                "Too many buttons",
                "A template has up to 10 buttons: 2 that open pages, 1 that calls, 1 that copies.",
            ));
        }
        if buttons.iter().any(|one| one["text"].as_str().is_some_and(|text| text.chars().count() > 25)) {
            return Err(Refusal::template(2_388_040, "Character Limit Exceeded", "A button has more than 25 letters."));
        }
    }
    Ok(())
}

pub async fn create(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let mut state = sim.cloud.state();
    let approves = state.waba(&caller, "post", &id)?.approves_after_ms;
    caller.needs(MANAGEMENT)?;
    let draft = draft(&bytes)?;
    let need =
        |value: Option<String>, name: &str| value.filter(|text| !text.is_empty()).ok_or_else(|| Refusal::missing(name));
    let (name, language, category) = (
        need(draft.name, "name")?,
        need(draft.language, "language")?,
        need(draft.category, "category")?.to_uppercase(),
    );
    let letters = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
    if name.len() > 512 || !name.bytes().all(letters) {
        return Err(Refusal::param(
            "Param name must be lower-case letters, digits and underscores, at most 512 of them",
        ));
    }
    if !CATEGORIES.contains(&category.as_str()) {
        return Err(Refusal::one_of("category", CATEGORIES, category));
    }
    let format = draft.parameter_format.unwrap_or_else(|| "POSITIONAL".into()).to_uppercase();
    if !FORMATS.contains(&format.as_str()) {
        return Err(Refusal::one_of("parameter_format", FORMATS, format));
    }
    check(&format, &category, &draft.components)?;
    let own = || state.templates.values().filter(|template| template.waba == id);
    if own().count() >= MOST {
        return Err(Refusal::template(
            2_388_019,
            "Message template limit exceeded",
            "The account has as many templates as it can have.",
        ));
    }
    if own().any(|template| template.name == name && template.language == language) {
        let message = format!(
            "There is already {language} content for this template. You can create a new template and try again."
        );
        return Err(Refusal::template(2_388_024, "Content in this language already exists", &message));
    }
    let key = new_id();
    let template =
        Template { status: "PENDING".into(), format, ..made(&id, &name, &language, &category, draft.components) };
    state.templates.insert(key.clone(), template);
    drop(state);
    if let Some(after) = approves {
        let (owner, key) = (sim.clone(), key.clone());
        sim.spawn(async move {
            tokio::time::sleep(Duration::from_millis(after)).await;
            owner.cloud.judge(&owner, &key, "APPROVED", None);
        });
    }
    Ok(ok(&json!({"id": key, "status": "PENDING", "category": category})))
}

/// `POST /{template}`: name and language stay.
pub fn edit(sim: &Sim, caller: &Caller, id: &str, bytes: &[u8]) -> Answer {
    let mut state = sim.cloud.state();
    let now = state.now(sim);
    let template = state.template(caller, "post", id)?;
    caller.needs(MANAGEMENT)?;
    let draft = draft(bytes)?;
    let category = draft.category.map_or_else(|| template.category.clone(), |category| category.to_uppercase());
    if !["APPROVED", "REJECTED", "PAUSED"].contains(&template.status.as_str()) {
        return Err(Refusal::template(
            2_388_039,
            "Template can't be edited",
            "Only approved, rejected and paused templates can be edited.",
        ));
    }
    if template.status == "APPROVED" && template.edited_ms.is_some_and(|at| now - at < 24 * 3_600_000) {
        return Err(Refusal::template(
            2_388_047,
            "Template can't be edited",
            "An approved template can be edited once in 24 hours.",
        ));
    }
    if template.status == "APPROVED" && category != template.category {
        return Err(Refusal::template(
            2_388_039,
            "Category can't be changed",
            "The category of an approved template can't be changed.",
        ));
    }
    if !draft.components.is_empty() {
        check(&template.format, &category, &draft.components)?;
        template.components = draft.components;
    }
    if template.status == "APPROVED" {
        template.edited_ms = Some(now);
    }
    (template.category, template.status) = (category, "PENDING".into());
    Ok(ok(&json!({"success": true, "id": id, "name": template.name, "category": template.category})))
}

/// `GET /{template}`.
pub fn show(template: &Template, id: &str, asked: Option<&str>) -> Answer {
    Ok(ok(&fields::select(&view(id, template), asked, USUAL, NODE)?))
}

/// All languages of a name, or one.
pub async fn remove(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Words>,
) -> Answer {
    let mut state = sim.cloud.state();
    state.waba(&caller, "delete", &id)?;
    caller.needs(MANAGEMENT)?;
    let (name, ids) = (query.get("name"), query.get("hsm_id").or(query.get("hsm_ids")));
    if name.is_none() && !query.contains_key("hsm_ids") {
        return Err(Refusal::missing("name"));
    }
    let before = state.templates.len();
    state.templates.retain(|key, template| {
        let is = template.waba == id && name.is_none_or(|name| *name == template.name) && among(ids, key);
        !is
    });
    if state.templates.len() == before {
        return Err(Refusal::template(
            2_593_002,
            "Message Template Not Found",
            "No message template has this name or id.",
        ));
    }
    success()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{among, check};

    #[test]
    fn the_rules_of_templates_hold() {
        let body = |text: &str, examples: &[&str]| {
            vec![json!({"type": "BODY", "text": text, "example": {"body_text": [examples]}})]
        };
        let subcode =
            |components: &[Value]| check("POSITIONAL", "UTILITY", components).err().and_then(|refused| refused.subcode);
        assert_eq!(subcode(&body("Hi {{1}}, your order is ready.", &["Ana"])), None);
        assert_eq!(subcode(&body("{{1}} is ready for you", &["Ana"])), Some(2_388_299));
        assert_eq!(subcode(&body("Hi {{1}} {{2}} {{3}} bye", &["a", "b", "c"])), Some(2_388_293));
        assert_eq!(subcode(&body("Hi {{1}}, your order is ready.", &[])), Some(2_388_043));
        assert_eq!(subcode(&body("Hi {{2}}, your order is ready.", &["Ana"])), Some(2_388_043));
        let mut footer = body("Hello there.", &[]);
        footer.push(json!({"type": "FOOTER", "text": "{{1}}"}));
        assert_eq!(subcode(&footer), Some(2_388_073));
        assert!(check("NAMED", "UTILITY", &[json!({"type": "BODY", "text": "Hi {{name}}.", "example": {"body_text_named_params": [{"param_name": "name", "example": "Ana"}]}})]).is_ok());
    }

    #[test]
    fn a_filter_is_a_word_or_a_list() {
        let filter = |text: &str| Some(text.to_owned());
        assert!(among(None, "APPROVED") && among(filter("approved").as_ref(), "APPROVED"));
        assert!(
            among(filter(r#"["PENDING","APPROVED"]"#).as_ref(), "APPROVED")
                && !among(filter("PENDING").as_ref(), "APPROVED")
        );
    }
}
