//! Whether a connection to Meta is what it must be, step by step: the token, the number, its account, and whether Meta will call us. An app that is
//! not subscribed to the account is the most common reason why nothing ever comes.

use secrecy::ExposeSecret;
use serde_json::Value;

use super::call::Graph;
use super::{NUMBER, session};
use crate::{Build, CallError, Check, CheckStep, Link, lenient};

/// Asks Meta about all of it. Errors: it could not be asked, or lets nobody in with this token.
pub async fn check(link: &Link) -> Result<Check, CallError> {
    let graph = Graph(link);
    let found = graph.get(&["debug_token"], &[("input_token", link.key.expose_secret())]).await;
    let mut steps = vec![CheckStep::new("reach", true, "Meta answers")];
    steps.push(match found {
        Ok(found) => token(&found["data"]),
        // the wrong secret shows in the proof that goes along with each call
        Err(CallError::Invalid(why)) if why.contains("appsecret_proof") => {
            steps.push(CheckStep::new("secret", false, "the app secret is not that of the app whose token this is"));
            return Ok(Check { build: Build { version: version(link), engine: None, tier: None }, steps });
        }
        // a token may be refused the look at itself, and be good: the number shows it
        Err(CallError::Invalid(why)) => CheckStep::new("key", true, format!("the access token is taken ({why})")),
        Err(CallError::Gone | CallError::NotFound(_)) if !link.external_name.is_empty() => {
            CheckStep::new("key", true, "the access token is taken")
        }
        Err(error) => return Err(error),
    });
    let version = version(link);
    steps.push(match &version {
        Some(version) => CheckStep::new("version", true, format!("Graph API {version}")),
        None => CheckStep::new("version", false, "put the version at the end of the URL, such as /v26.0"),
    });
    if !link.external_name.is_empty() {
        steps.push(match graph.get(&[graph.number()?], &[("fields", NUMBER)]).await {
            Ok(number) => {
                let session = session(&number);
                let shown = session.phone.as_deref().unwrap_or("the number");
                let name = session.push_name.as_deref().unwrap_or("no verified name");
                CheckStep::new("number", true, format!("{shown}, {name}"))
            }
            Err(CallError::Gone) => {
                CheckStep::new("number", false, "Meta knows no such number, or the access token may not use it")
            }
            Err(error @ (CallError::Unreachable(_) | CallError::Cut(_) | CallError::Wait(_))) => return Err(error),
            Err(error) => CheckStep::new("number", false, error.to_string()),
        });
    }
    if link.extras.waba_id.is_some() {
        let account = graph.account()?;
        steps.push(match graph.get(&[account], &[("fields", "id,name")]).await {
            Ok(found) => CheckStep::new("account", true, found["name"].as_str().unwrap_or(account).to_owned()),
            Err(CallError::Gone) => CheckStep::new("account", false, "Meta knows no such business account"),
            Err(error) => CheckStep::new("account", false, error.to_string()),
        });
        steps.push(match graph.get(&[account, "subscribed_apps"], &[]).await {
            Ok(found) if found["data"].as_array().is_some_and(|apps| !apps.is_empty()) => {
                CheckStep::new("subscription", true, "the app is subscribed to the account")
            }
            Ok(_) => CheckStep::new("subscription", false, "no app is subscribed to the account: nothing will come"),
            Err(error) => CheckStep::new("subscription", false, error.to_string()),
        });
        let known = |name: &str| steps.iter().any(|step| step.name == name && step.ok);
        if known("number") && known("account") && belongs(&graph).await == Some(false) {
            steps.retain(|step| step.name != "account");
            steps.push(CheckStep::new("account", false, "this number belongs to another business account"));
        }
    } else if !link.external_name.is_empty() {
        steps.push(CheckStep::new("account", false, "enter the WhatsApp Business account id: templates belong to it"));
    }
    steps.push(if link.secrets.keys.iter().any(|key| !key.expose_secret().is_empty()) {
        CheckStep::new("secret", true, "hooks are verified with the app secret")
    } else {
        CheckStep::new("secret", false, "enter the app secret: without it no hook is believed")
    });
    Ok(Check { build: Build { version, engine: None, tier: None }, steps })
}

/// Whether the number is one of its account's; `None` when that cannot be told.
async fn belongs(graph: &Graph<'_>) -> Option<bool> {
    let (number, account) = (graph.number().ok()?, graph.account().ok()?);
    let found = graph.get(&[account, "phone_numbers"], &[("fields", "id"), ("limit", "100")]).await.ok()?;
    let all = found["data"].as_array()?;
    let is = |one: &Value| one["id"] == number || one["id"].as_u64().is_some_and(|id| id.to_string() == number);
    if all.iter().any(is) {
        return Some(true);
    }
    // more than a page of them: this one may be on the next
    (found["paging"]["next"].is_null() && !all.is_empty()).then_some(false)
}

/// `v26.0`, out of the base URL.
fn version(link: &Link) -> Option<String> {
    let last = link.url.path_segments()?.rfind(|segment| !segment.is_empty())?;
    let (major, minor) = last.strip_prefix('v')?.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.len() < 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(major) && digits(minor)).then(|| last.to_owned())
}

fn token(data: &Value) -> CheckStep {
    let step = |ok, detail: String| CheckStep::new("key", ok, detail);
    if data["is_valid"] == false {
        return step(false, "the access token is not valid any more: enter a new one".into());
    }
    let scopes: Vec<&str> = data["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let missing = ["whatsapp_business_messaging", "whatsapp_business_management"].into_iter();
    let missing: Vec<&str> = missing.filter(|scope| !scopes.is_empty() && !scopes.contains(scope)).collect();
    if !missing.is_empty() {
        return step(false, format!("the access token lacks {}", missing.join(" and ")));
    }
    let expires = data["expires_at"].as_f64().and_then(lenient::time);
    step(
        true,
        match expires.and_then(|at| jiff::Timestamp::from_millisecond(at).ok()) {
            Some(at) => format!("the access token holds until {at}"),
            None => "the access token is right".into(),
        },
    )
}
