//! Message templates, which belong to the account: listed, submitted, deleted.

use reqwest::Method;
use serde_json::{Value, json};

use super::call::{Graph, id, refusal};
use crate::{CallError, Page, Template, http};

/// What is asked of one.
const FIELDS: &str = "id,name,language,category,status,components,parameter_format,quality_score,rejected_reason";

/// A page of them.
pub async fn list(graph: &Graph<'_>, after: Option<&str>) -> Result<Page<Template>, CallError> {
    let mut query = vec![("fields", FIELDS), ("limit", "100")];
    if let Some(after) = after {
        query.push(("after", after));
    }
    let request = graph.request(Method::GET, &[graph.account()?, "message_templates"], &query)?;
    let reply = http::exchange(request, http::PATIENCE_FILES, http::LONGEST_LIST).await?;
    if !reply.status.is_success() {
        return Err(refusal(&reply));
    }
    let found: Value = reply.some()?;
    let list = found["data"].as_array().ok_or_else(|| CallError::Strange("no list of templates".into()))?;
    // `next` is an address with the token in it, on a host of its own choice: only the cursor is taken
    let more = found["paging"]["next"].is_string();
    let next = found["paging"]["cursors"]["after"].as_str().filter(|_| more).map(str::to_owned);
    Ok(Page { items: list.iter().map(template).collect(), next })
}

/// A new one, or another text for the one with this id.
pub async fn submit(graph: &Graph<'_>, wanted: &Template) -> Result<Template, CallError> {
    let category = wanted.category.to_uppercase();
    let answer = if wanted.id.is_empty() {
        let mut body = json!({
            "name": wanted.name, "language": wanted.language, "category": category, "components": wanted.components,
        });
        if !wanted.parameter_format.is_empty() {
            body["parameter_format"] = wanted.parameter_format.to_uppercase().into();
        }
        graph.post(&[graph.account()?, "message_templates"], &body).await?
    } else {
        // name and language stay as they are for ever
        let body = json!({ "category": category, "components": wanted.components });
        graph.post(&[id(&wanted.id, "template id")?], &body).await?
    };
    let told = template(&answer);
    Ok(Template {
        id: if told.id.is_empty() { wanted.id.clone() } else { told.id },
        category: if told.category.is_empty() { wanted.category.clone() } else { told.category },
        // an edit is answered with no more than that it was taken
        state: if told.state.is_empty() { "pending".into() } else { told.state },
        ..wanted.clone()
    })
}

/// One language of it.
pub async fn delete(graph: &Graph<'_>, template: &Template) -> Result<(), CallError> {
    // without the id all languages would go
    let query = [("name", template.name.as_str()), ("hsm_id", id(&template.id, "template id")?)];
    match graph.delete(&[graph.account()?, "message_templates"], &query).await {
        Err(CallError::Gone) => Ok(()),
        other => other,
    }
}

fn template(found: &Value) -> Template {
    let word = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    let lower = |key: &str| word(key).to_lowercase();
    Template {
        id: word("id"),
        name: word("name"),
        language: word("language"),
        category: lower("category"),
        state: lower("status"),
        parameter_format: lower("parameter_format"),
        components: found["components"].as_array().cloned().unwrap_or_default(),
        quality: found["quality_score"]["score"].as_str().map(str::to_lowercase),
        reason: found["rejected_reason"].as_str().filter(|reason| *reason != "NONE").map(str::to_owned),
    }
}
