//! Evolution API, a server of linked devices built on Baileys.
//!
//! Sources: real servers 2.3.6 and 2.3.7 without a link to WhatsApp (fixtures/evolution/), their source, messages made with the same library and put
//! through the same steps, the source of 2.4.0-rc2. What nobody has seen is marked so. Version 2.3.7 is the reference; 2.4 answers nothing until its
//! operator has activated a licence.
//!
//! There is no signature: a hook proves itself by a header that only we and the server know, at a URL that nobody can guess. Instance tokens are no
//! boundary between tenants (a query parameter overrides the name in the path): the server belongs on a private network, and no query that came
//! from outside is ever passed on.

mod call;
mod order;
mod read;
mod wire;

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use futures_util::StreamExt;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use self::call::{Gateway, send_refusal};
use self::order::{hook, jid, key, number, order, sent, settings};
use crate::calls::{cursor, leave_out};
use crate::{
    Address, Addressee, Build, CallError, Capabilities, Capability, Chat, Check, CheckStep, Code, Created, Download,
    History, Hook, Incoming, Link, LookedUp, MediaSource, Message, MessageRef, Outgoing, Page, Part, Person,
    PresenceState, Provider, Refused, Secrets, SendError, Sent, Session, SessionState, Setup, Step, Unreadable, http,
    kept, proto, signature,
};

/// Where a hook carries our secret.
const HEADER: &str = "x-indaba-token";

/// What we subscribe to. A version that does not know one says so, and gets the others.
const EVENTS: &[&str] = &[
    "QRCODE_UPDATED",
    "CONNECTION_UPDATE",
    "STATUS_INSTANCE",
    "LOGOUT_INSTANCE",
    "REMOVE_INSTANCE",
    "MESSAGES_UPSERT",
    "MESSAGES_UPDATE",
    "MESSAGES_EDITED",
    "MESSAGES_DELETE",
    "SEND_MESSAGE",
    "CONTACTS_UPSERT",
    "CONTACTS_UPDATE",
    "PRESENCE_UPDATE",
    "CALL",
];

/// Before it, LIDs are taken for people who are not there.
const OLDEST: (u32, u32, u32) = (2, 3, 5);
/// Votes are read since then.
const VOTES: (u32, u32, u32) = (2, 3, 7);
/// Texts and files take an id of our choice since then; and a licence is needed.
const OWN_IDS: (u32, u32, u32) = (2, 4, 0);
/// For how long the contact sees that we type; the call takes as long.
const TYPING: Duration = Duration::from_millis(2_500);
/// The store counts seconds in 32 bits.
const END_OF_TIME: &str = "2038-01-01T00:00:00.000Z";

/// The provider. It has no state.
#[derive(Debug, Clone, Copy)]
pub struct Evolution;

#[async_trait]
impl Provider for Evolution {
    fn kind(&self) -> &'static str {
        "evolution"
    }

    fn hears_404(&self) -> bool {
        true
    }

    fn capabilities(&self, build: &Build) -> Capabilities {
        let version = build.number();
        Capabilities {
            qr: true,
            pairing_code: true,
            own_message_id: version.is_some_and(|version| version >= OWN_IDS),
            correlation: false,
            signed_hooks: false,
            history: true,
            image: true,
            video: true,
            audio: true,
            voice: true,
            document: true,
            sticker: true,
            location: true,
            contacts: true,
            poll: true,
            long_polls: false,
            poll_votes: version.is_none_or(|version| version >= VOTES),
            // over a linked device they often do not show, and some versions fail on them
            buttons: false,
            templates: false,
            reply: true,
            reactions: true,
            mark_read: true,
            typing: true,
            presence: true,
            edit: true,
            delete: true,
            on_whatsapp: true,
            calls: true,
            window_24h: false,
        }
    }

    fn events(&self) -> &'static [&'static str] {
        EVENTS
    }

    /// Its global hook carries no header of ours: it cannot be told from anybody's.
    fn shared_hooks(&self) -> bool {
        false
    }

    /// `x-indaba-token`, set by us for each instance. Nothing covers the body: that is why the URL must be secret too.
    fn verify(&self, secrets: &Secrets, hook: &Hook) -> Result<(), Refused> {
        let given = hook.header(HEADER).ok_or(Refused { why: "there is no x-indaba-token" })?;
        signature::word(&secrets.keys, given)
    }

    /// One event of one instance; a retry repeats the body byte for byte. What is kept lacks the instance's key, which the server sends along with each
    /// hook. While WhatsApp cannot be reached, `connection.update` comes 30 times a second.
    fn split(&self, hook: &Hook) -> Vec<Part> {
        let Ok(head) = hook.json::<wire::Hook>() else {
            return vec![Part {
                to: Addressee::Caller,
                dedupe_key: hook.hash(),
                body: hook.body.clone(),
                collapse: None,
            }];
        };
        let collapse = match head.event.as_deref() {
            Some("connection.update") => Some("session"),
            Some("qrcode.updated") => Some("code"),
            _ => None,
        };
        let kept = json!({ "event": head.event, "instance": head.instance, "sender": head.sender });
        let mut body = kept.to_string();
        if let Some(data) = &head.data {
            body.truncate(body.len() - 1);
            body.push_str(",\"data\":");
            body.push_str(data.get());
            body.push('}');
        }
        let to = head.instance.map_or(Addressee::Caller, Addressee::Instance);
        vec![Part { to, dedupe_key: hook.hash(), body: body.into(), collapse }]
    }

    fn read(&self, hook: &Hook) -> Result<Vec<Incoming>, Unreadable> {
        read::hook(hook)
    }

    async fn check(&self, link: &Link) -> Result<Check, CallError> {
        let gateway = Gateway(link);
        // it asks WhatsApp for its newest version before it answers
        let request = gateway.request(Method::GET, &[], &[])?;
        let found: Value = gateway.send(request, Duration::from_secs(20), http::LONGEST, None).await?.json()?;
        let version = found["version"].as_str().map(|version| version.chars().take(40).collect::<String>());
        let Some(text) = version.clone() else {
            return Err(CallError::Strange("an answer without a version; is this an Evolution API?".into()));
        };
        let build = Build { version, engine: None, tier: None };
        let fits = build.number().is_none_or(|version| version >= OLDEST);
        let mut steps = vec![CheckStep::new("reach", true, "the gateway answers")];
        if link.external_name.is_empty() {
            let request = gateway.request(Method::POST, &["verify-creds"], &[])?.json(&json!({}));
            gateway.send(request, http::PATIENCE, http::LONGEST, None).await?;
            steps.push(CheckStep::new("key", true, "the API key is right"));
        }
        steps.push(if fits {
            CheckStep::new("version", true, format!("Evolution API {text}"))
        } else {
            CheckStep::new("version", false, format!("Evolution API {text}: upgrade to 2.3.7"))
        });
        if !link.external_name.is_empty() {
            match self.status(link).await {
                Ok(session) => {
                    steps.push(CheckStep::new("session", true, format!("the instance is {}", session.raw)));
                    steps.push(subscription(link).await);
                }
                Err(CallError::Gone) => steps.push(CheckStep::new(
                    "session",
                    false,
                    "the gateway does not know this instance; link the number again",
                )),
                Err(error @ (CallError::Denied(_) | CallError::Locked(_))) => return Err(error),
                Err(error) => steps.push(CheckStep::new("session", false, error.to_string())),
            }
        }
        Ok(Check { build, steps })
    }

    async fn create(&self, link: &Link, setup: &Setup) -> Result<Created, CallError> {
        let gateway = Gateway(link);
        let instance = gateway.instance()?;
        let mut events: Vec<&str> = EVENTS.to_vec();
        let mut without = Vec::new();
        let key = loop {
            // without `qrcode`, which would make it wait for a code: `connect` and the hook bring that
            let mut body = settings(setup);
            body["instanceName"] = instance.into();
            body["integration"] = "WHATSAPP-BAILEYS".into();
            body["qrcode"] = false.into();
            body["webhook"] = hook(link, setup, &events);
            let request = gateway.request(Method::POST, &["instance", "create"], &[])?.json(&body);
            let made = match gateway.send(request, http::PATIENCE, http::LONGEST, None).await {
                Err(CallError::Invalid(why)) if why.contains("already in use") => {
                    gateway.post("settings", "set", &settings(setup), None).await?;
                    let hook = json!({ "webhook": hook(link, setup, &events) });
                    gateway.post("webhook", "set", &hook, None).await
                }
                other => other,
            };
            match made {
                // a version that lacks an event lists those it has
                Err(CallError::Invalid(why)) if without.is_empty() && why.contains("is not one of enum values") => {
                    without = leave_out(&mut events, why)?;
                }
                Err(error) => return Err(error),
                Ok(reply) => {
                    let made: Value = reply.json()?;
                    break made["hash"].as_str().filter(|key| !key.is_empty()).map(|key| key.to_owned().into());
                }
            }
        };
        let session = self.start(link).await?;
        Ok(Created { session, key, without })
    }

    async fn delete(&self, link: &Link) -> Result<(), CallError> {
        match Gateway(link).delete("instance", "delete", None).await {
            Ok(_) | Err(CallError::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Connects: with the keys it has, or by showing a code.
    async fn start(&self, link: &Link) -> Result<Session, CallError> {
        let answer = connect(link, None).await?;
        if let Some(told) = &answer.instance {
            return Ok(read::connection(told));
        }
        let code = read::code(&answer);
        let step = if code.is_some() { Step::Scan } else { Step::Preparing };
        let raw = "connecting".to_owned();
        Ok(Session { state: SessionState::Linking, step: Some(step), raw, code, ..Session::default() })
    }

    async fn stop(&self, _link: &Link) -> Result<Session, CallError> {
        Err(CallError::Invalid("Evolution cannot stop a number and keep it linked: pause it here, or unlink it".into()))
    }

    async fn restart(&self, link: &Link) -> Result<Session, CallError> {
        let reply = Gateway(link).post("instance", "restart", &Value::Null, None).await?;
        let answer: wire::Qr = reply.object()?.unwrap_or_default();
        match &answer.instance {
            // one that is not open cannot be restarted: it answers 200 and `error`
            _ if answer.error => self.start(link).await,
            Some(told) => Ok(read::connection(told)),
            None => self.status(link).await,
        }
    }

    async fn logout(&self, link: &Link) -> Result<Session, CallError> {
        match Gateway(link).delete("instance", "logout", None).await {
            // closed already
            Ok(_) | Err(CallError::WrongState(_)) => self.status(link).await,
            Err(error) => Err(error),
        }
    }

    /// The live state, and from the server's table the number behind it and why it ended.
    async fn status(&self, link: &Link) -> Result<Session, CallError> {
        let gateway = Gateway(link);
        let answer: wire::Qr = gateway.get("instance", "connectionState", &[]).await?.some()?;
        let mut told = answer.instance.ok_or_else(|| CallError::Strange("an instance without a state".into()))?;
        if told.state.as_deref() != Some("connecting") {
            let query = [("instanceName", gateway.instance()?)];
            let request = gateway.request(Method::GET, &["instance", "fetchInstances"], &query)?;
            if let Ok(reply) = gateway.send(request, http::PATIENCE, http::LONGEST, None).await
                && let Some(Ok(row)) = reply.json::<Vec<Value>>().ok().and_then(|rows| {
                    let row = rows.into_iter().find(|row| row["name"] == link.external_name.as_str())?;
                    Some(serde_json::from_value::<wire::State>(row))
                })
            {
                told = wire::State { state: told.state, status: None, ..row };
            }
        }
        Ok(read::connection(&told))
    }

    async fn qr(&self, link: &Link) -> Result<Code, CallError> {
        let answer = connect(link, None).await?;
        read::code(&answer).ok_or_else(|| {
            let state = answer.instance.and_then(|told| told.state);
            CallError::WrongState(state.unwrap_or_else(|| "connecting".into()))
        })
    }

    async fn pairing_code(&self, link: &Link, phone: &Address) -> Result<String, CallError> {
        let digits = phone.digits().ok_or_else(|| CallError::Invalid("a pairing code needs a phone number".into()))?;
        let mut answer = connect(link, Some(digits)).await?;
        if answer.pairing_code.is_none() && answer.instance.is_none() {
            // it is showing codes to scan already, and gives one to type only when it begins with the number
            match Gateway(link).delete("instance", "logout", None).await {
                Ok(_) | Err(CallError::WrongState(_)) => answer = connect(link, Some(digits)).await?,
                Err(error) => return Err(error),
            }
        }
        let Some(code) = answer.pairing_code.filter(|code| (8..=16).contains(&code.len()) && code.is_ascii()) else {
            let state = answer.instance.and_then(|told| told.state);
            return Err(CallError::WrongState(state.unwrap_or_else(|| "connecting".into())));
        };
        Ok(if code.len() == 8 { format!("{}-{}", &code[..4], &code[4..]) } else { code })
    }

    /// Made from the messages in the server's store: one person can come twice, by phone number and by LID.
    async fn chats(&self, link: &Link, after: Option<&str>, limit: u32) -> Result<Page<Chat>, CallError> {
        let (limit, skip) = (limit.clamp(1, 100), cursor(after)?);
        let body = json!({ "take": limit, "skip": skip });
        let rows: Vec<Value> = store(link, "findChats", &body).await?.json()?;
        let next = (rows.len() >= limit as usize).then(|| (skip + u64::from(limit)).to_string());
        let items = rows.into_iter().filter_map(|row| chat(serde_json::from_value(row).ok()?)).collect();
        Ok(Page { items, next })
    }

    async fn history(&self, link: &Link, of: &History) -> Result<Page<Message>, CallError> {
        let (limit, page) = (of.limit.clamp(1, 100), cursor(of.after.as_deref())?.max(1));
        let mut wanted = json!({});
        if let Some(chat) = &of.chat {
            wanted["key"] = json!({ "remoteJid": jid(chat)? });
        }
        if let Some(since) = of.since {
            let since = jiff::Timestamp::from_millisecond(since.max(0))
                .map_err(|_| CallError::Invalid("a time that is none".into()))?;
            // both ends are needed
            wanted["messageTimestamp"] = json!({ "gte": format!("{since:.3}"), "lte": END_OF_TIME });
        }
        // `offset` is the size of a page
        let body = json!({ "where": wanted, "page": page, "offset": limit });
        let found: wire::Found = store(link, "findMessages", &body).await?.some()?;
        let records = found.messages.unwrap_or_default();
        let more = records.pages.is_some_and(|pages| pages > page as f64) && !records.records.is_empty();
        let items = records.records.iter().filter_map(stored).collect();
        Ok(Page { items, next: more.then(|| (page + 1).to_string()) })
    }

    async fn person(&self, link: &Link, address: &Address) -> Result<Person, CallError> {
        let body = json!({ "where": { "remoteJid": jid(address)? }, "page": 1, "offset": 1 });
        let rows: Vec<Value> = store(link, "findContacts", &body).await?.json()?;
        let named = rows.into_iter().find_map(|row| Some(named(serde_json::from_value(row).ok()?)?.1));
        Ok(named.unwrap_or_else(|| Person::at(address)))
    }

    async fn people(&self, link: &Link, after: Option<&str>, limit: u32) -> Result<Page<Person>, CallError> {
        let (limit, page) = (limit.clamp(1, 500), cursor(after)?.max(1));
        let body = json!({ "where": {}, "page": page, "offset": limit });
        let rows: Vec<Value> = store(link, "findContacts", &body).await?.json()?;
        let next = (rows.len() >= limit as usize).then(|| (page + 1).to_string());
        let items = rows.into_iter().filter_map(|row| Some(named(serde_json::from_value(row).ok()?)?.1)).collect();
        Ok(Page { items, next })
    }

    async fn on_whatsapp(&self, link: &Link, phone: &Address) -> Result<Option<Address>, CallError> {
        let digits = phone.digits().ok_or_else(|| CallError::Invalid("only a phone number can be looked up".into()))?;
        let body = json!({ "numbers": [digits] });
        let reply = Gateway(link).post("chat", "whatsappNumbers", &body, Some(Capability::OnWhatsapp)).await?;
        let answer: Value = reply.json()?;
        let exists = answer[0]["exists"].as_bool();
        let exists = exists.ok_or_else(|| CallError::Strange("no word on whether the number exists".into()))?;
        let at = answer[0]["jid"].as_str().and_then(Address::parse).filter(Address::is_person);
        Ok(exists.then(|| at.unwrap_or_else(|| phone.clone())))
    }

    async fn picture(&self, link: &Link, of: &Address) -> Result<Option<String>, CallError> {
        let body = json!({ "number": number(of)? });
        let answer: Value = Gateway(link).post("chat", "fetchProfilePictureUrl", &body, None).await?.json()?;
        Ok(answer["profilePictureUrl"].as_str().map(str::to_owned))
    }

    fn own_id(&self, build: &Build, correlation: &str) -> Option<String> {
        self.capabilities(build).own_message_id.then(|| proto::web_id(correlation))
    }

    /// The server itself first asks whether the number is on WhatsApp.
    async fn send(&self, link: &Link, message: &Outgoing) -> Result<Sent, SendError> {
        let gateway = Gateway(link);
        let order = order(&message.body)?;
        let mut body = order.body;
        body["number"] = number(&message.to)?.into();
        if let Some(quoted) = &message.reply_to {
            body["quoted"] = json!({ "key": key(quoted)? });
        }
        if order.call == "sendText" {
            body["linkPreview"] = message.link_preview.into();
        }
        if let Some(own_id) = self.own_id(&link.build, &message.correlation)
            && matches!(order.call, "sendText" | "sendMedia")
        {
            // unverified: read in the source of 2.4.0-rc2. The answer tells which id it became.
            body["messageId"] = own_id.into();
        }
        let request = gateway.request(Method::POST, &["message", order.call, gateway.instance()?], &[])?.json(&body);
        let reply = http::exchange(request, order.patience, http::LONGEST).await?;
        if !reply.status.is_success() {
            return Err(send_refusal(&reply, order.needs));
        }
        let answer: Option<wire::Message> = reply.object()?;
        sent(answer.unwrap_or_default(), &message.to)
            .ok_or_else(|| SendError::Unknown { detail: format!("{} without an id", reply.status.as_u16()) })
    }

    async fn find_sent(&self, link: &Link, to: &Address, correlation: &str) -> Result<LookedUp, CallError> {
        let Some(own_id) = self.own_id(&link.build, correlation) else { return Ok(LookedUp::NotSeen) };
        let body = json!({ "where": { "key": { "id": own_id } }, "page": 1, "offset": 10 });
        let found: wire::Found = store(link, "findMessages", &body).await?.some()?;
        let records = found.messages.unwrap_or_default().records;
        // an older server passes over what it does not know in `where`: the id decides
        let ours = records.iter().filter_map(stored).find(|found| found.from_me && found.provider_id == own_id);
        Ok(ours.map_or(LookedUp::NotSeen, |found| {
            let chat = Some(found.chat).filter(|chat| chat != to);
            let sent = Sent { provider_id: own_id, reference: found.reference, to: chat, at: found.at, held: false };
            LookedUp::Found { sent, state: found.state }
        }))
    }

    async fn react(&self, link: &Link, to: &MessageRef, emoji: &str) -> Result<(), SendError> {
        let body = json!({ "key": key(to)?, "reaction": emoji });
        Gateway(link).post("message", "sendReaction", &body, Some(Capability::Reactions)).await?;
        Ok(())
    }

    async fn mark_read(&self, link: &Link, _chat: &Address, messages: &[MessageRef]) -> Result<(), CallError> {
        // 2.3 passes over those of which only the LID is known
        let keys = messages.iter().map(key).collect::<Result<Vec<Value>, CallError>>()?;
        if keys.is_empty() {
            return Ok(());
        }
        let body = json!({ "readMessages": keys });
        Gateway(link).post("chat", "markMessageAsRead", &body, Some(Capability::MarkRead)).await?;
        Ok(())
    }

    async fn typing(
        &self,
        link: &Link,
        chat: &Address,
        state: PresenceState,
        _last: Option<&MessageRef>,
    ) -> Result<(), CallError> {
        let (presence, delay) = match state {
            PresenceState::Typing => ("composing", TYPING),
            PresenceState::Recording => ("recording", TYPING),
            _ => ("paused", Duration::ZERO),
        };
        let body = json!({ "number": number(chat)?, "presence": presence, "delay": delay.as_millis() as u64 });
        Gateway(link).post("chat", "sendPresence", &body, Some(Capability::Typing)).await?;
        Ok(())
    }

    /// There is no call for it: the server passes on what WhatsApp tells it.
    async fn watch(&self, _link: &Link, _chat: &Address) -> Result<(), CallError> {
        Ok(())
    }

    async fn edit(&self, link: &Link, message: &MessageRef, text: &str) -> Result<(), SendError> {
        let body = json!({ "number": number(&message.chat)?, "text": text, "key": key(message)? });
        Gateway(link).post("chat", "updateMessage", &body, Some(Capability::Edit)).await?;
        Ok(())
    }

    async fn revoke(&self, link: &Link, message: &MessageRef) -> Result<(), SendError> {
        Gateway(link).delete("chat", "deleteMessageForEveryone", Some(&key(message)?)).await?;
        Ok(())
    }

    async fn reject_call(&self, _link: &Link, _from: &Address, _call: &str) -> Result<(), CallError> {
        Err(CallError::Invalid("Evolution cannot turn down a call".into()))
    }

    /// As base64 in JSON, which is the only way; or from the server's bucket, where it has one.
    async fn download(&self, link: &Link, source: &MediaSource, max_bytes: u64) -> Result<Download, CallError> {
        let gateway = Gateway(link);
        let body = json!({ "message": { "key": { "id": source.message.provider_id } }, "convertToMp4": false });
        let path = ["chat", "getBase64FromMediaMessage", gateway.instance()?];
        let request = gateway.request(Method::POST, &path, &[])?.json(&body);
        let longest = usize::try_from(max_bytes / 3 * 4).unwrap_or(usize::MAX).saturating_add(http::LONGEST);
        let reply = gateway.send(request, http::PATIENCE_FILES, longest, None).await;
        let refused = match reply {
            Ok(reply) => match reply.object::<wire::File>()? {
                Some(file) if file.base64.is_some() => return decoded(file, max_bytes),
                _ => CallError::NotFound("the gateway has no file for this message".into()),
            },
            Err(CallError::Invalid(why)) if why.contains("not found") => CallError::NotFound(why),
            Err(error) => error,
        };
        match source.media.url.as_deref().filter(|url| http::named(url, &link.url)) {
            // a presigned address: no key goes there
            Some(url) => match http::download(link.http.get(url), max_bytes).await? {
                Ok(download) => Ok(download),
                Err(_) => Err(refused),
            },
            None => Err(refused),
        }
    }
}

fn decoded(file: wire::File, max_bytes: u64) -> Result<Download, CallError> {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(file.base64.unwrap_or_default())
        .map_err(|_| CallError::Strange("a file that is not base64".into()))?;
    if bytes.len() as u64 > max_bytes {
        return Err(CallError::Invalid(format!("the file is larger than {max_bytes} bytes")));
    }
    let size_bytes = Some(bytes.len() as u64);
    Ok(Download { mime: file.mimetype, size_bytes, body: futures_util::stream::iter([Ok(bytes.into())]).boxed() })
}

/// `connect`: begins, or tells where it is. What goes wrong is a 200 with `error`.
async fn connect(link: &Link, digits: Option<&str>) -> Result<wire::Qr, CallError> {
    let query: Vec<(&str, &str)> = digits.map(|digits| ("number", digits)).into_iter().collect();
    let answer: wire::Qr = Gateway(link).get("instance", "connect", &query).await?.object()?.unwrap_or_default();
    if answer.error { Err(CallError::Strange("the gateway could not begin to connect".into())) } else { Ok(answer) }
}

/// Whether the instance's hook is ours and will be believed.
async fn subscription(link: &Link) -> CheckStep {
    let found = Gateway(link).get("webhook", "find", &[]).await.and_then(|reply| reply.object::<wire::Webhook>());
    let hook = match found {
        Ok(found) => found.unwrap_or_default(),
        Err(error) => return CheckStep::new("subscription", false, error.to_string()),
    };
    let secret = hook.headers.as_ref().and_then(|headers| headers[HEADER].as_str());
    let ours = link.secrets.keys.iter().any(|key| secret == Some(key.expose_secret()));
    let step = |ok, detail| CheckStep::new("subscription", ok, detail);
    if !hook.enabled || !hook.events.iter().any(|event| event == "MESSAGES_UPSERT") {
        step(false, "the instance has no hook for messages; link the number again")
    } else if !ours {
        step(false, "the instance's hook carries another secret; link the number again")
    } else {
        step(true, "the instance's hook is set")
    }
}

/// A list out of the server's store, which may take long.
async fn store(link: &Link, what: &str, body: &Value) -> Result<http::Reply, CallError> {
    let gateway = Gateway(link);
    let request = gateway.request(Method::POST, &["chat", what, gateway.instance()?], &[])?.json(body);
    gateway.send(request, http::PATIENCE_FILES, http::LONGEST_LIST, Some(Capability::History)).await
}

fn raw(value: &Value) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(value).ok()
}

fn stored(record: &Value) -> Option<Message> {
    read::stored(&raw(record)?)
}

fn named(contact: wire::Contact) -> Option<(Address, Person)> {
    let at = Address::parse(contact.remote_jid.as_deref()?).filter(|at| at.is_person() && !contact.is_group)?;
    let person = Person { name: kept::name(contact.push_name.as_deref()), ..Person::at(&at) };
    Some((at, person))
}

fn chat(row: wire::Chat) -> Option<Chat> {
    let chat = Address::parse(row.remote_jid.as_deref()?).filter(Address::is_person)?;
    let last = row.last_message.as_deref().and_then(read::stored);
    let mut person = last.as_ref().map(|last| last.person.clone()).unwrap_or_default();
    person.learn(&chat);
    person.name = kept::name(row.push_name.as_deref()).or(person.name);
    let at = last.as_ref().and_then(|last| last.at);
    Some(Chat { chat, person, picture: row.profile_pic_url, last: last.map(Box::new), at })
}
