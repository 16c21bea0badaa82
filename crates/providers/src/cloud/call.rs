//! One call to the Graph API: its address, its token, and what its refusals mean.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::http::{self, LONGEST, PATIENCE, Reply, exchange, quiet, retry_after};
use crate::{CallError, Link, SendError, signature};

/// What a limit without a time means.
const A_MINUTE: Duration = Duration::from_secs(60);
/// The number sends more than its 80 messages a second.
const THROUGHPUT: Duration = Duration::from_secs(5);

pub struct Graph<'a>(pub &'a Link);

impl Graph<'_> {
    /// The number's id at Meta: digits.
    pub fn number(&self) -> Result<&str, CallError> {
        id(&self.0.external_name, "phone number id")
    }

    /// The WhatsApp Business account: templates and subscriptions belong to it.
    pub fn account(&self) -> Result<&str, CallError> {
        id(self.0.extras.waba_id.as_deref().unwrap_or_default(), "WhatsApp Business account id")
    }

    pub fn request(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<RequestBuilder, CallError> {
        let mut query = query.to_vec();
        let proof;
        // an app can demand this; whoever names the app has given its secret
        if self.0.extras.app_id.is_some()
            && let Some(secret) = self.0.secrets.keys.first()
        {
            proof = signature::proof(secret, self.0.key.expose_secret());
            query.push(("appsecret_proof", &proof));
        }
        let request = http::request(self.0, method, segments, &query)?;
        // in the header: in the query it would be in everybody's logs
        Ok(request.bearer_auth(self.0.key.expose_secret()))
    }

    /// Sends it; a refusal becomes an error.
    pub async fn call(&self, request: RequestBuilder) -> Result<Reply, CallError> {
        let reply = exchange(request, PATIENCE, LONGEST).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(refusal(&reply)) }
    }

    pub async fn get(&self, segments: &[&str], query: &[(&str, &str)]) -> Result<Value, CallError> {
        self.call(self.request(Method::GET, segments, query)?).await?.some()
    }

    pub async fn post(&self, segments: &[&str], body: &Value) -> Result<Value, CallError> {
        let request = self.request(Method::POST, segments, &[])?;
        let reply = self.call(if body.is_null() { request } else { request.json(body) }).await?;
        Ok(reply.object()?.unwrap_or_default())
    }

    pub async fn delete(&self, segments: &[&str], query: &[(&str, &str)]) -> Result<(), CallError> {
        self.call(self.request(Method::DELETE, segments, query)?).await?;
        Ok(())
    }
}

/// An id goes into paths: digits only.
pub fn id<'a>(text: &'a str, what: &str) -> Result<&'a str, CallError> {
    let fits = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(text) } else { Err(CallError::Invalid(format!("there is no {what}; it has digits only"))) }
}

/// What Meta says went wrong. Only the number can be relied on.
pub struct Failure {
    pub code: i64,
    subcode: i64,
    /// A sentence for a person.
    pub detail: String,
}

/// `{"error":{…}}`; `None` when the body is nothing of Meta's.
pub fn failure(reply: &Reply) -> Option<Failure> {
    let body: Value = reply.object().ok()??;
    let error = body.get("error").filter(|error| error.is_object())?;
    Some(Failure {
        code: error["code"].as_i64()?,
        subcode: error["error_subcode"].as_i64().unwrap_or_default(),
        detail: sentence(error),
    })
}

/// The most telling text of an error, in an answer or in a hook: `error_data` is an object or a text.
pub fn sentence(error: &Value) -> String {
    let texts = [
        &error["error_data"]["details"],
        &error["error_data"],
        &error["error_user_msg"],
        &error["message"],
        &error["title"],
    ];
    let text = texts.into_iter().find_map(|text| text.as_str().filter(|text| !text.trim().is_empty()));
    quiet(&text.unwrap_or_default().chars().take(500).collect::<String>())
}

/// How long to wait: as told, or until the account's budget is back (minutes, in a header of its own), or a minute.
fn wait(reply: &Reply, otherwise: Duration) -> Duration {
    let usage = || {
        let text = reply.headers.get("x-business-use-case-usage")?.to_str().ok()?;
        let usage: Value = serde_json::from_str(text).ok()?;
        let minutes = usage.as_object()?.values().flat_map(|uses| uses.as_array().into_iter().flatten());
        let minutes = minutes.filter_map(|one| one["estimated_time_to_regain_access"].as_u64()).max()?;
        (minutes > 0).then(|| Duration::from_secs(minutes.min(24 * 60) * 60))
    };
    retry_after(&reply.headers).or_else(usage).unwrap_or(otherwise)
}

const TOKEN: &str = "The access token has expired or is wrong: enter a new one.";

/// What an answer that is no success means for a message. Sent again only after what Meta surely refused before it acted.
pub fn send_refusal(reply: &Reply) -> SendError {
    let status = reply.status.as_u16();
    let Some(failure) = failure(reply) else {
        return refusal(reply).into();
    };
    let Failure { code, detail, .. } = failure;
    let refused = |code: &str, detail: String| SendError::Refused { code: code.into(), detail };
    match code {
        131047 => refused(
            "outside-window",
            "More than 24 hours have passed since the contact's last message. Send a template.".into(),
        ),
        131026 => SendError::NotOnWhatsApp,
        130429 => SendError::Wait { after: wait(reply, THROUGHPUT) },
        131057 => SendError::Wait { after: wait(reply, A_MINUTE) },
        // too much to this one person: others may go on, so the number is not paused
        131056 | 134101 => SendError::Retry { detail: format!("{code}: {detail}") },
        131048 | 131064 => SendError::Locked { until: None },
        368 | 131031 => SendError::Banned { until: None },
        131045 | 133000..=133099 => SendError::NotLinked { detail: format!("{code}: {detail}") },
        // payment, display name: their operator must act
        131037 | 131042 | 131044 => SendError::GatewayLocked { detail },
        131062 => refused("131062", "This template needs the contact's phone number, which is not known.".into()),
        _ => match refusal(reply) {
            CallError::Invalid(detail) => refused(&code.to_string(), detail),
            CallError::Strange(detail) | CallError::Cut(detail) => {
                SendError::Unknown { detail: format!("{status}, {detail}") }
            }
            error => error.into(),
        },
    }
}

/// What an answer that is no success means.
pub fn refusal(reply: &Reply) -> CallError {
    let status = reply.status.as_u16();
    let Some(Failure { code, subcode, detail }) = failure(reply) else {
        return match status {
            429 => CallError::Wait(wait(reply, A_MINUTE)),
            503 if retry_after(&reply.headers).is_some() => CallError::Wait(wait(reply, A_MINUTE)),
            401 | 403 => CallError::Denied(format!("{status} with {}", reply.what())),
            404 | 405 | 408 | 413 => http::before_it(reply),
            400..=499 => CallError::Invalid(format!("{status} with {}", reply.what())),
            _ => CallError::Strange(format!("{status} with {}", reply.what())),
        };
    };
    match code {
        0 | 102 | 104 | 190 => CallError::Denied(TOKEN.into()),
        3 | 10 | 200..=299 | 131005 => CallError::Denied(format!("The access token may not do this: {detail}")),
        4 | 17 | 32 | 613 | 80007 => CallError::Wait(wait(reply, A_MINUTE)),
        // the id is wrong, or belongs to somebody else
        33 | 803 => CallError::Gone,
        100 if subcode == 33 => CallError::Gone,
        368 | 131031 => CallError::Locked(detail),
        _ if status == 429 => CallError::Wait(wait(reply, A_MINUTE)),
        // "unknown", "service down", "something went wrong": nobody says before or after the effect
        1 | 2 | 131000 | 131016 => CallError::Strange(format!("{code}: {detail}")),
        _ if status >= 500 => CallError::Strange(format!("{code}: {detail}")),
        _ if status == 401 => CallError::Denied(TOKEN.into()),
        _ => CallError::Invalid(if detail.is_empty() { format!("error {code}") } else { detail }),
    }
}
