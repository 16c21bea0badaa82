//! Meta's Cloud API for WhatsApp, on the Graph API v26.0 (the version is part of the base URL).
//!
//! Sources: Meta's own OpenAPI description (v23.0) and test data of a client that follows it, in fixtures/cloud/; Meta's pages up to 2026-09; what
//! other programs do. What nobody has seen is marked so.
//!
//! Since 2026 a person may have no phone number: a business-scoped id (BSUID) stands for them, and is answered at `recipient`, never at `to`. A send that
//! is answered 200 proves nothing: most failures come later, as a status. There is no way to ask for a message again, so our own id goes along with each
//! and comes back with its statuses.

mod call;
mod check;
mod order;
mod read;
mod templates;

use std::collections::BTreeMap;

use async_trait::async_trait;
use reqwest::Method;
use reqwest::multipart::{Form, Part as FormPart};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use self::call::{Graph, id, send_refusal};
use self::order::{Upload, envelope, order};
use crate::{
    Address, Addressee, Build, CallError, Capabilities, Check, Created, Download, Handshake, Hook, Incoming, Limits,
    Link, MediaSource, MessageRef, Outgoing, Page, Part, PresenceState, Profile, Provider, Reason, Refused, Secrets,
    SendError, Sent, Session, SessionState, Setup, Template, Unreadable, http, signature,
};

/// The fields to subscribe to, for a person who sets up a Meta app by hand.
const FIELDS: &[&str] = &[
    "messages",
    "message_template_status_update",
    "message_template_quality_update",
    "message_template_components_update",
    "template_category_update",
    "phone_number_quality_update",
    "phone_number_name_update",
    "account_update",
    "account_review_update",
    "account_alerts",
    "account_settings_update",
    "business_capability_update",
    "security",
    "user_preferences",
    "user_id_update",
    "business_username_updates",
    "calls",
    "flows",
    "smb_message_echoes",
    "smb_app_state_sync",
    "history",
];

/// What is asked of a number.
const NUMBER: &str = "id,display_phone_number,verified_name,status,quality_rating,throughput,name_status,\
                      code_verification_status,whatsapp_business_manager_messaging_limit";
/// Longer words of Meta's handshake are none.
const LONGEST_CHALLENGE: usize = 256;

/// The provider. It has no state.
#[derive(Debug, Clone, Copy)]
pub struct Cloud;

#[async_trait]
impl Provider for Cloud {
    fn kind(&self) -> &'static str {
        "cloud"
    }

    fn own_keys(&self) -> bool {
        true
    }

    fn capabilities(&self, _build: &Build) -> Capabilities {
        Capabilities {
            qr: false,
            pairing_code: false,
            own_message_id: false,
            correlation: true,
            signed_hooks: true,
            history: false,
            image: true,
            video: true,
            audio: true,
            voice: true,
            document: true,
            sticker: true,
            location: true,
            contacts: true,
            // buttons or a list stand in for it
            poll: false,
            long_polls: false,
            poll_votes: false,
            buttons: true,
            templates: true,
            reply: true,
            reactions: true,
            mark_read: true,
            typing: true,
            presence: false,
            edit: false,
            delete: false,
            on_whatsapp: false,
            calls: true,
            window_24h: true,
        }
    }

    fn events(&self) -> &'static [&'static str] {
        FIELDS
    }

    /// `hub.mode`, `hub.verify_token`, `hub.challenge`: with the right token the challenge is given back as it is.
    fn handshake(&self, secrets: &Secrets, query: &Hook) -> Handshake {
        let (Some("subscribe"), Some(token), Some(challenge)) =
            (query.query("hub.mode"), query.query("hub.verify_token"), query.query("hub.challenge"))
        else {
            return Handshake::Refused;
        };
        let ours: Vec<_> = secrets.verify_token.iter().cloned().collect();
        let fits = !challenge.is_empty() && challenge.len() <= LONGEST_CHALLENGE;
        if fits && signature::word(&ours, token).is_ok() {
            Handshake::Answer(challenge.to_owned())
        } else {
            Handshake::Refused
        }
    }

    /// `X-Hub-Signature-256`: `sha256=` and the HMAC-SHA256 of the raw body with the app's secret, in hex. Meta writes other letters as `\u…` before it
    /// signs: only the bytes as they came count.
    fn verify(&self, secrets: &Secrets, hook: &Hook) -> Result<(), Refused> {
        let given = hook.header("x-hub-signature-256").ok_or(Refused { why: "there is no X-Hub-Signature-256" })?;
        let given = given.strip_prefix("sha256=").ok_or(Refused { why: "X-Hub-Signature-256 is not sha256" })?;
        signature::sha256(&secrets.keys, &hook.body, given)
    }

    /// One body can hold what concerns several numbers and accounts: a part for each of them.
    fn split(&self, hook: &Hook) -> Vec<Part> {
        let whole = |to| vec![Part { to, dedupe_key: hook.hash(), body: hook.body.clone(), collapse: None }];
        let Ok(changes) = read::changes(hook) else { return whole(Addressee::Caller) };
        let mut shares: BTreeMap<(bool, String), Vec<read::Change>> = BTreeMap::new();
        for change in changes {
            let to = change.number().map_or((false, change.entry.clone()), |number| (true, number));
            shares.entry(to).or_default().push(change);
        }
        let addressee = |(is_number, name): (bool, String)| match (is_number, name.is_empty()) {
            (true, false) => Addressee::Instance(name),
            (false, false) => Addressee::Account(name),
            (_, true) => Addressee::Caller,
        };
        if shares.len() == 1
            && let Some((to, _)) = shares.pop_first()
        {
            return whole(addressee(to));
        }
        let part = |(to, changes): (_, Vec<read::Change>)| {
            let mut body = r#"{"object":"whatsapp_business_account","entry":["#.to_owned();
            for (at, change) in changes.iter().enumerate() {
                body.push_str(if at > 0 { "," } else { "" });
                change.write(&mut body);
            }
            body.push_str("]}");
            let share = Hook::stored(body);
            Part { to: addressee(to), dedupe_key: share.hash(), body: share.body, collapse: None }
        };
        shares.into_iter().map(part).collect()
    }

    fn read(&self, hook: &Hook) -> Result<Vec<Incoming>, Unreadable> {
        read::hook(hook)
    }

    async fn check(&self, link: &Link) -> Result<Check, CallError> {
        check::check(link).await
    }

    /// The number exists at Meta already: it is registered when a PIN is given, and its hooks and its account's are sent to our URL. Meta calls that URL
    /// at once, with the verify token.
    async fn create(&self, link: &Link, setup: &Setup) -> Result<Created, CallError> {
        let graph = Graph(link);
        let number = graph.number()?;
        if let Some(pin) = &link.extras.pin {
            let body = json!({ "messaging_product": "whatsapp", "pin": pin.0.expose_secret() });
            graph.post(&[number, "register"], &body).await?;
        }
        let hook = link.secrets.verify_token.as_ref().map(
            |token| json!({ "override_callback_uri": setup.hook_url.as_str(), "verify_token": token.expose_secret() }),
        );
        if link.extras.waba_id.is_some() {
            // first without, then with another URL: both at once are refused
            let account = graph.account()?;
            graph.post(&[account, "subscribed_apps"], &Value::Null).await?;
            if let Some(hook) = &hook {
                graph.post(&[account, "subscribed_apps"], hook).await?;
            }
        }
        if let Some(hook) = hook {
            graph.post(&[number], &json!({ "webhook_configuration": hook })).await?;
        }
        Ok(Created { session: self.status(link).await?, key: None, without: vec![] })
    }

    /// The number stays at Meta; only its hooks no longer come here. Unverified: that an empty URL takes the number's own one away.
    async fn delete(&self, link: &Link) -> Result<(), CallError> {
        let graph = Graph(link);
        let nowhere = json!({ "webhook_configuration": { "override_callback_uri": "" } });
        match graph.post(&[graph.number()?], &nowhere).await {
            Ok(_) | Err(CallError::Gone | CallError::Invalid(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A registered number is on.
    async fn start(&self, link: &Link) -> Result<Session, CallError> {
        self.status(link).await
    }

    async fn stop(&self, _link: &Link) -> Result<Session, CallError> {
        Err(CallError::Invalid("A number on the Cloud API is always on: pause it here, or unlink it.".into()))
    }

    async fn restart(&self, link: &Link) -> Result<Session, CallError> {
        self.status(link).await
    }

    async fn logout(&self, link: &Link) -> Result<Session, CallError> {
        let graph = Graph(link);
        graph.post(&[graph.number()?, "deregister"], &Value::Null).await?;
        Ok(Session { state: SessionState::Disconnected, raw: "DEREGISTERED".into(), ..Session::default() })
    }

    async fn status(&self, link: &Link) -> Result<Session, CallError> {
        let graph = Graph(link);
        let found = graph.get(&[graph.number()?], &[("fields", NUMBER)]).await?;
        if found["id"].is_null() {
            return Err(CallError::Strange("a number without an id".into()));
        }
        Ok(session(&found))
    }

    async fn limits(&self, link: &Link) -> Result<Limits, CallError> {
        let graph = Graph(link);
        let fields = "quality_rating,throughput,whatsapp_business_manager_messaging_limit";
        let found = graph.get(&[graph.number()?], &[("fields", fields)]).await?;
        let tier =
            found["whatsapp_business_manager_messaging_limit"].as_str().or(found["messaging_limit_tier"].as_str());
        Ok(Limits {
            tier: tier.map(str::to_owned),
            quality: found["quality_rating"].as_str().map(str::to_lowercase),
            per_second: match found["throughput"]["level"].as_str() {
                Some("STANDARD") => Some(80),
                Some("HIGH") => Some(1000),
                _ => None,
            },
            ..Limits::default()
        })
    }

    async fn profile(&self, link: &Link) -> Result<Option<Profile>, CallError> {
        let graph = Graph(link);
        let fields = "about,address,description,email,websites,vertical";
        let found = graph.get(&[graph.number()?, "whatsapp_business_profile"], &[("fields", fields)]).await?;
        let shown = &found["data"][0];
        let text = |key: &str| shown[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let sites = shown["websites"].as_array();
        Ok(Some(Profile {
            about: text("about"),
            address: text("address"),
            description: text("description"),
            email: text("email"),
            websites: sites.map(|sites| sites.iter().filter_map(|site| site.as_str().map(str::to_owned)).collect()),
            vertical: text("vertical").filter(|trade| trade != "UNDEFINED"),
        }))
    }

    async fn set_profile(&self, link: &Link, change: &Profile) -> Result<(), CallError> {
        let graph = Graph(link);
        let mut body = serde_json::to_value(change).map_err(|e| CallError::Invalid(e.to_string()))?;
        body["messaging_product"] = "whatsapp".into();
        graph.post(&[graph.number()?, "whatsapp_business_profile"], &body).await.map(drop)
    }

    /// A file goes up first. Until the message itself is on its way nothing has been sent, so whatever happens to the file is safe to try again.
    async fn send(&self, link: &Link, message: &Outgoing) -> Result<Sent, SendError> {
        let graph = Graph(link);
        let number = graph.number()?;
        let (mut body, upload) = order(message)?;
        if let Some(Upload { file, at }) = upload {
            let id = send_up(&graph, number, file).await.map_err(|error| match error {
                CallError::Cut(detail) | CallError::Strange(detail) => SendError::Retry { detail },
                error => error.into(),
            })?;
            *body.pointer_mut(&at).expect("the order has a place for it") = id.into();
        }
        let answer = messages(&graph, number, &body).await?;
        let provider_id = answer["messages"][0]["id"].as_str().filter(|id| !id.is_empty() && id.len() <= 512);
        let provider_id =
            provider_id.ok_or_else(|| SendError::Unknown { detail: "an answer without an id".into() })?.to_owned();
        // Brazil's ninth digit and the like: the same person, under the number that statuses and replies will have
        let to = answer["contacts"][0]["wa_id"].as_str().and_then(|id| Address::parse(id.trim()));
        let held = answer["messages"][0]["message_status"].as_str();
        Ok(Sent {
            reference: provider_id.clone(),
            provider_id,
            to: to.filter(|to| message.to.phone().is_some() && *to != message.to),
            at: None,
            held: matches!(held, Some("held_for_quality_assessment" | "paused")),
        })
    }

    async fn react(&self, link: &Link, to: &MessageRef, emoji: &str) -> Result<(), SendError> {
        let graph = Graph(link);
        let mut body = envelope(&to.chat)?;
        body["type"] = "reaction".into();
        body["reaction"] = json!({ "message_id": to.provider_id, "emoji": emoji });
        messages(&graph, graph.number()?, &body).await?;
        Ok(())
    }

    /// The last one marks all before it.
    async fn mark_read(&self, link: &Link, _chat: &Address, messages: &[MessageRef]) -> Result<(), CallError> {
        let graph = Graph(link);
        let Some(last) = messages.iter().rfind(|message| !message.from_me) else { return Ok(()) };
        let body = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": last.provider_id });
        graph.post(&[graph.number()?, "messages"], &body).await?;
        Ok(())
    }

    /// Shown for 25 s or until we send. It needs a message of theirs, which it marks as read; that we stopped cannot be said.
    async fn typing(
        &self,
        link: &Link,
        _chat: &Address,
        state: PresenceState,
        last: Option<&MessageRef>,
    ) -> Result<(), CallError> {
        let (PresenceState::Typing | PresenceState::Recording, Some(last)) = (state, last) else { return Ok(()) };
        let graph = Graph(link);
        let body = json!({
            "messaging_product": "whatsapp", "status": "read", "message_id": last.provider_id,
            "typing_indicator": { "type": "text" },
        });
        graph.post(&[graph.number()?, "messages"], &body).await?;
        Ok(())
    }

    async fn reject_call(&self, _link: &Link, _from: &Address, _call: &str) -> Result<(), CallError> {
        Err(CallError::Invalid("Calls on the Cloud API are not turned down from here.".into()))
    }

    /// Where the file is, is asked each time: the address holds for five minutes. It is Meta's, or the gateway's own; no other host gets the token.
    async fn download(&self, link: &Link, source: &MediaSource, max_bytes: u64) -> Result<Download, CallError> {
        let graph = Graph(link);
        let file = source.media.id.as_deref();
        let file = id(file.unwrap_or_default(), "id of a file at Meta")?;
        let found = graph.get(&[file], &[("phone_number_id", graph.number()?)]).await.map_err(|error| match error {
            // it is kept for seven days
            CallError::Gone => CallError::NotFound("Meta has no such file any more".into()),
            error => error,
        })?;
        let url = found["url"].as_str().and_then(|url| url::Url::parse(url).ok());
        let url = url.ok_or_else(|| CallError::Strange("a file without an address".into()))?;
        if !trusted(&url, &link.url) {
            return Err(CallError::Strange("the file is at an address that is not Meta's".into()));
        }
        let request = link.http.get(url).bearer_auth(link.key.expose_secret());
        match http::download(request, max_bytes).await? {
            Ok(download) => {
                Ok(Download { mime: found["mime_type"].as_str().map(str::to_owned).or(download.mime), ..download })
            }
            Err(reply) if reply.status.as_u16() == 404 => {
                Err(CallError::NotFound("the file's address has expired".into()))
            }
            Err(reply) => Err(call::refusal(&reply)),
        }
    }

    async fn templates(&self, link: &Link, after: Option<&str>) -> Result<Page<Template>, CallError> {
        templates::list(&Graph(link), after).await
    }

    async fn submit_template(&self, link: &Link, wanted: &Template) -> Result<Template, CallError> {
        templates::submit(&Graph(link), wanted).await
    }

    async fn delete_template(&self, link: &Link, template: &Template) -> Result<(), CallError> {
        templates::delete(&Graph(link), template).await
    }
}

/// One message, once.
async fn messages(graph: &Graph<'_>, number: &str, body: &Value) -> Result<Value, SendError> {
    let request = graph.request(Method::POST, &[number, "messages"], &[])?.json(body);
    let reply = http::exchange(request, http::PATIENCE, http::LONGEST).await?;
    if reply.status.is_success() { Ok(reply.some()?) } else { Err(send_refusal(&reply)) }
}

/// A file to Meta, which judges it by its type and by its name.
async fn send_up(graph: &Graph<'_>, number: &str, file: &crate::File) -> Result<String, CallError> {
    let part = FormPart::stream_with_length(file.bytes.clone(), file.bytes.len() as u64).file_name(file.name.clone());
    let part = part.mime_str(&file.mime).map_err(|_| CallError::Invalid("the file has no proper type".into()))?;
    let form = Form::new().text("messaging_product", "whatsapp").text("type", file.mime.clone()).part("file", part);
    let request = graph.request(Method::POST, &[number, "media"], &[])?.multipart(form);
    let reply = http::exchange(request, http::PATIENCE_FILES, http::LONGEST).await?;
    if !reply.status.is_success() {
        return Err(call::refusal(&reply));
    }
    let answer: Value = reply.some()?;
    answer["id"].as_str().map(str::to_owned).ok_or_else(|| CallError::Strange("an upload without an id".into()))
}

/// A file's address: Meta's hosts by https, or wherever we reach the API itself.
fn trusted(url: &url::Url, base: &url::Url) -> bool {
    let own = url.host() == base.host() && url.port_or_known_default() == base.port_or_known_default();
    let plain = url.username().is_empty() && url.password().is_none();
    let metas = url.scheme() == "https"
        && url.port().is_none()
        && url.domain().is_some_and(|host| {
            ["fbsbx.com", "facebook.com"].iter().any(|meta| host == *meta || host.ends_with(&format!(".{meta}")))
        });
    plain && (metas || (own && url.scheme() == base.scheme()))
}

fn session(number: &Value) -> Session {
    let status = number["status"].as_str().unwrap_or("CONNECTED");
    let (state, reason) = match status {
        "CONNECTED" | "LINKED" => (SessionState::Connected, None),
        "PENDING" | "MIGRATED" | "UNVERIFIED" | "DISCONNECTED" | "DELETED" => (SessionState::Disconnected, None),
        "BANNED" => (SessionState::Banned, Some(Reason::Banned)),
        "FLAGGED" | "RESTRICTED" | "RATE_LIMITED" => (SessionState::Attention, Some(Reason::Restricted)),
        _ => (SessionState::Unknown, None),
    };
    let digits: String =
        number["display_phone_number"].as_str().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    let phone = Address::parse(&digits).and_then(|address| address.phone().map(str::to_owned));
    let push_name = number["verified_name"].as_str().map(str::to_owned);
    Session { state, reason, raw: status.chars().take(50).collect(), phone, push_name, ..Session::default() }
}
