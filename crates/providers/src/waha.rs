//! WAHA (WhatsApp HTTP API), and whatever speaks its wire: our simulator, the `native` link.
//!
//! Sources: a real WAHA 2026.4.1 CORE with engine NOWEB (fixtures/waha/), its source at that tag, its documentation up to 2026.7.1 and release
//! notes up to 2026.9.1. What only the documentation says is marked "from docs", what is read in other programs "unverified".
//!
//! Our side of it: one session for each instance, named by us; a hook of its own with a key of its own; `message.any`, not `message`; every
//! answer may lack anything; nothing is ever retried here.

mod call;
mod order;
mod read;
mod wire;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use self::call::{Gateway, file_path};
use self::order::{chat_id, config, order, sent};
use crate::calls::{cursor, leave_out};
use crate::{
    Address, Addressee, Build, CallError, Capabilities, Capability, Chat, Check, CheckStep, Code, Created, Download,
    History, Hook, Incoming, Limits, Link, LookedUp, MediaSource, Message, MessageRef, Outgoing, Page, Part, Person,
    PresenceState, Provider, Quota, Refused, Secrets, SendError, Sent, Session, Setup, Unreadable, http, kept, lenient,
    proto, signature,
};

/// What we subscribe to. A version that does not know one says so, and gets the others.
const EVENTS: &[&str] = &[
    "session.status",
    "message.any",
    "message.ack",
    "message.reaction",
    "message.edited",
    "message.revoked",
    "poll.vote",
    "poll.vote.failed",
    "presence.update",
    "call.received",
    "call.accepted",
    "call.rejected",
];

/// Many sessions and files are in every image since then (from docs); before, only in the paid one.
const WHOLE: (u32, u32, u32) = (2026, 6, 1);
/// NOWEB and GOWS take an id of our choice since then (from docs).
const OWN_IDS: (u32, u32, u32) = (2026, 4, 3);
/// The capping and timelock calls (from docs).
const LIMITS: (u32, u32, u32) = (2026, 8, 1);

/// The provider. It has no state.
#[derive(Debug, Clone, Copy)]
pub struct Waha;

#[async_trait]
impl Provider for Waha {
    fn kind(&self) -> &'static str {
        "waha"
    }

    fn capabilities(&self, build: &Build) -> Capabilities {
        let version = build.number();
        // an old server of the paid tier has all of it
        let whole = version.is_none_or(|version| version >= WHOLE) || build.tier.as_deref() == Some("PLUS");
        let engine = build.engine.as_deref().unwrap_or_default();
        let socket = matches!(engine, "NOWEB" | "GOWS");
        Capabilities {
            qr: true,
            pairing_code: true,
            own_message_id: socket && version.is_none_or(|version| version >= OWN_IDS),
            correlation: false,
            signed_hooks: true,
            history: true,
            image: whole,
            video: whole,
            // there is no call for it: it goes as a file
            audio: whole,
            voice: whole,
            document: whole,
            sticker: false,
            location: true,
            contacts: true,
            poll: true,
            long_polls: true,
            poll_votes: true,
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

    /// `X-Webhook-Hmac`: HMAC-SHA512 of the raw body, in hex. `X-Webhook-Timestamp` is not covered by it and proves nothing.
    fn verify(&self, secrets: &Secrets, hook: &Hook) -> Result<(), Refused> {
        if hook.header("x-webhook-hmac-algorithm") != Some("sha512") {
            return Err(Refused { why: "X-Webhook-Hmac-Algorithm is not sha512: is an HMAC key set at the gateway?" });
        }
        let given = hook.header("x-webhook-hmac").ok_or(Refused { why: "there is no X-Webhook-Hmac" })?;
        signature::sha512(&secrets.keys, &hook.body, given)
    }

    /// One event of one session. `event` ids are shared by `message` and `message.any`, request ids differ between the session's own hook and a
    /// global one; a retry repeats the body byte for byte, so the body is the key.
    fn split(&self, hook: &Hook) -> Vec<Part> {
        let head: wire::Head = hook.json().unwrap_or_default();
        vec![Part {
            to: head.session.map_or(Addressee::Caller, Addressee::Instance),
            dedupe_key: hook.hash(),
            body: hook.body.clone(),
            collapse: (head.event.as_deref() == Some("session.status")).then_some("session"),
        }]
    }

    fn read(&self, hook: &Hook) -> Result<Vec<Incoming>, Unreadable> {
        read::hook(hook)
    }

    async fn check(&self, link: &Link) -> Result<Check, CallError> {
        let gateway = Gateway(link);
        let found: wire::Version = gateway.get(&["api", "server", "version"], &[]).await?.some()?;
        if found.version.is_none() {
            return Err(CallError::Strange("an answer without a version; is this a WAHA?".into()));
        }
        let build = Build { version: found.version, engine: found.engine, tier: found.tier };
        let text =
            format!("WAHA {} with {}", build.version.as_deref().unwrap_or("?"), build.engine.as_deref().unwrap_or("?"));
        let whole = build.number().is_none_or(|version| version >= WHOLE) || build.tier.as_deref() == Some("PLUS");
        let mut steps = vec![
            CheckStep::new("reach", true, "the gateway answers"),
            CheckStep::new("key", true, "the API key is right"),
            if whole {
                CheckStep::new("version", true, text)
            } else {
                CheckStep::new(
                    "version",
                    false,
                    format!("{text}: upgrade to 2026.6.1 or later for more than one number and for files"),
                )
            },
        ];
        if !link.external_name.is_empty() {
            steps.push(match self.status(link).await {
                Ok(session) => CheckStep::new("session", true, format!("the session is {}", session.raw)),
                Err(CallError::Gone) => {
                    CheckStep::new("session", false, "the gateway does not know this session; link the number again")
                }
                Err(error) => CheckStep::new("session", false, error.to_string()),
            });
        }
        Ok(Check { build, steps })
    }

    async fn create(&self, link: &Link, setup: &Setup) -> Result<Created, CallError> {
        let gateway = Gateway(link);
        let session = gateway.session()?;
        let mut events: Vec<&str> = EVENTS.to_vec();
        let mut without = Vec::new();
        loop {
            let config = config(link, setup, &events);
            let made =
                gateway.post(&["api", "sessions"], &json!({ "name": session, "start": true, "config": config })).await;
            let made = match made {
                Err(CallError::Invalid(why)) if why.contains("already exists") => {
                    gateway.put(&["api", "sessions", session], &json!({ "config": config })).await
                }
                other => other,
            };
            match made {
                // a version that lacks an event lists those it has
                Err(CallError::Invalid(why))
                    if without.is_empty() && why.contains("must be one of the following values") =>
                {
                    without = leave_out(&mut events, why)?;
                }
                Err(error) => return Err(error),
                Ok(_) => break,
            }
        }
        // made without starting by versions that ignore `start`, and never made by an old CORE: the state tells
        let session = match self.start(link).await {
            Err(CallError::Gone) => return Err(CallError::TooOld("2026.6.1".into())),
            other => other?,
        };
        Ok(Created { session, key: None, without })
    }

    async fn delete(&self, link: &Link) -> Result<(), CallError> {
        let gateway = Gateway(link);
        match gateway.delete(&["api", "sessions", gateway.session()?]).await {
            Ok(_) | Err(CallError::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn start(&self, link: &Link) -> Result<Session, CallError> {
        self.drive(link, "start").await
    }

    async fn stop(&self, link: &Link) -> Result<Session, CallError> {
        self.drive(link, "stop").await
    }

    async fn restart(&self, link: &Link) -> Result<Session, CallError> {
        self.drive(link, "restart").await
    }

    async fn logout(&self, link: &Link) -> Result<Session, CallError> {
        self.drive(link, "logout").await
    }

    async fn status(&self, link: &Link) -> Result<Session, CallError> {
        let gateway = Gateway(link);
        let reply = gateway.get(&["api", "sessions", gateway.session()?], &[]).await?;
        info_session(&reply.some()?, &reply).ok_or_else(|| CallError::Strange("a session without a status".into()))
    }

    async fn qr(&self, link: &Link) -> Result<Code, CallError> {
        let gateway = Gateway(link);
        let answer: Value =
            gateway.get(&["api", gateway.session()?, "auth", "qr"], &[("format", "raw".to_owned())]).await?.json()?;
        let value = answer["value"].as_str().filter(|value| !value.is_empty() && value.len() <= 2048);
        let value = value.ok_or_else(|| CallError::Strange("a code without a value".into()))?.to_owned();
        // WAHA does not tell how long it holds: 20 to 60 s, and a new one is announced by `session.status`
        Ok(Code { value, expires_at: None })
    }

    async fn pairing_code(&self, link: &Link, phone: &Address) -> Result<String, CallError> {
        let gateway = Gateway(link);
        let digits = phone.digits().ok_or_else(|| CallError::Invalid("a pairing code needs a phone number".into()))?;
        // NOWEB never answers when it cannot connect: the time limit ends it
        let request =
            gateway.request(reqwest::Method::POST, &["api", gateway.session()?, "auth", "request-code"], &[])?;
        let reply = gateway
            .send(request.json(&json!({ "phoneNumber": digits })), http::PATIENCE, Some(Capability::PairingCode))
            .await?;
        let answer: Value = reply.json()?;
        let code = answer["code"].as_str().filter(|code| (8..=16).contains(&code.len()));
        let code = code.ok_or_else(|| CallError::Strange("a pairing code of another shape".into()))?;
        Ok(if code.len() == 8 && code.is_ascii() { format!("{}-{}", &code[..4], &code[4..]) } else { code.to_owned() })
    }

    async fn limits(&self, link: &Link) -> Result<Limits, CallError> {
        if link.build.number().is_none_or(|version| version < LIMITS) {
            return Ok(Limits::default());
        }
        let gateway = Gateway(link);
        let session = gateway.session()?;
        let mut limits = Limits::default();
        match gateway.get(&["api", "sessions", session, "capping"], &[]).await {
            Ok(reply) => {
                let capping: wire::Capping = reply.object()?.unwrap_or_default();
                limits.new_chats = capping.capping_status.map(|level| Quota {
                    used: capping.used_quota.unwrap_or_default().max(0.0) as u64,
                    total: capping.total_quota.filter(|total| *total >= 0.0).map(|total| total as u64),
                    level: level.to_ascii_lowercase().replace('_', "-"),
                    until: capping.cycle_end.and_then(lenient::time),
                });
            }
            Err(CallError::NotFound(_) | CallError::Invalid(_) | CallError::NotSupported(_)) => {}
            Err(error) => return Err(error),
        }
        // unverified: the inner names. Anything active in it counts as a lock; an end is taken where one is found.
        match gateway.get(&["api", "sessions", session, "timelock"], &[]).await {
            Ok(reply) => {
                let lock: Value = reply.json()?;
                limits.locked =
                    ["isActive", "is_active", "active"].iter().any(|name| lock[name].as_bool() == Some(true));
                limits.locked_until = ["timeEnforcementEnds", "endTime", "until", "expiresAt"]
                    .iter()
                    .find_map(|name| lenient::time(lock[name].as_f64()?))
                    .filter(|_| limits.locked);
            }
            Err(CallError::NotFound(_) | CallError::Invalid(_) | CallError::NotSupported(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(limits)
    }

    /// The overview is the same on every engine. It looks up a picture for each chat: small pages.
    async fn chats(&self, link: &Link, after: Option<&str>, limit: u32) -> Result<Page<Chat>, CallError> {
        let gateway = Gateway(link);
        let (limit, offset) = (limit.clamp(1, 20), cursor(after)?);
        let query = [("limit", limit.to_string()), ("offset", offset.to_string())];
        let reply = gateway.get_long(&["api", gateway.session()?, "chats", "overview"], &query).await?;
        Ok(page(reply.json()?, limit, offset, chat))
    }

    async fn history(&self, link: &Link, of: &History) -> Result<Page<Message>, CallError> {
        let gateway = Gateway(link);
        let (limit, offset) = (of.limit.clamp(1, 100), cursor(of.after.as_deref())?);
        let chat = of.chat.as_ref().map_or(Ok("all".to_owned()), chat_id)?;
        let mut query = vec![
            ("limit", limit.to_string()),
            ("offset", offset.to_string()),
            ("downloadMedia", "false".to_owned()),
            ("sortBy", "timestamp".to_owned()),
            ("sortOrder", "desc".to_owned()),
        ];
        if let Some(since) = of.since {
            query.push(("filter.timestamp.gte", (since.max(0) / 1000).to_string()));
        }
        let reply = gateway.get_long(&["api", gateway.session()?, "chats", &chat, "messages"], &query).await?;
        let (count, items) = read::history(&reply.body)?;
        let next = (count >= limit as usize).then(|| (offset + u64::from(limit)).to_string());
        Ok(Page { items, next })
    }

    async fn person(&self, link: &Link, address: &Address) -> Result<Person, CallError> {
        let gateway = Gateway(link);
        let mut person = self.other_names(link, address).await.unwrap_or_else(|_| Person::at(address));
        let contact = address.digits().map_or_else(|| chat_id(address), |digits| Ok(digits.to_owned()))?;
        let query = [("session", gateway.session()?.to_owned()), ("contactId", contact)];
        let contact: wire::Contact = gateway.get(&["api", "contacts"], &query).await?.object()?.unwrap_or_default();
        if let Some(address) = contact.id.as_deref().and_then(Address::parse).filter(Address::is_person) {
            person.learn(&address);
        }
        person.name = contact_name(&contact);
        Ok(person)
    }

    async fn people(&self, link: &Link, after: Option<&str>, limit: u32) -> Result<Page<Person>, CallError> {
        let gateway = Gateway(link);
        let (limit, offset) = (limit.clamp(1, 100), cursor(after)?);
        let session = gateway.session()?.to_owned();
        let query = [("session", session), ("limit", limit.to_string()), ("offset", offset.to_string())];
        let list: Vec<Value> = gateway.get_long(&["api", "contacts", "all"], &query).await?.json()?;
        Ok(page(list, limit, offset, |contact: wire::Contact| {
            let mut person = Person::at(&Address::parse(contact.id.as_deref()?).filter(Address::is_person)?);
            person.name = contact_name(&contact);
            Some(person)
        }))
    }

    async fn aliases(&self, link: &Link, after: Option<&str>, limit: u32) -> Result<Page<Person>, CallError> {
        let gateway = Gateway(link);
        let (limit, offset) = (limit.clamp(1, 100), cursor(after)?);
        let query = [("limit", limit.to_string()), ("offset", offset.to_string())];
        let list: Vec<Value> = gateway.get_long(&["api", gateway.session()?, "lids"], &query).await?.json()?;
        Ok(page(list, limit, offset, |pair: wire::Lid| {
            let mut person = Person::at(&Address::parse(pair.lid.as_deref()?)?);
            person.learn(&Address::parse(pair.pn.as_deref()?)?);
            Some(person)
        }))
    }

    async fn other_names(&self, link: &Link, address: &Address) -> Result<Person, CallError> {
        let gateway = Gateway(link);
        let mut person = Person::at(address);
        let session = gateway.session()?;
        let found: wire::Lid = match address {
            Address::Lid(lid) => gateway.get(&["api", session, "lids", lid], &[]).await?.object()?,
            Address::Phone(phone) => gateway.get(&["api", session, "lids", "pn", &phone[1..]], &[]).await?.object()?,
            _ => None,
        }
        .unwrap_or_default();
        // either side may be null: then it is not known, and never guessed
        for other in [found.lid, found.pn].into_iter().flatten() {
            if let Some(other) = Address::parse(&other).filter(Address::is_person) {
                person.learn(&other);
            }
        }
        Ok(person)
    }

    async fn on_whatsapp(&self, link: &Link, phone: &Address) -> Result<Option<Address>, CallError> {
        let gateway = Gateway(link);
        let digits = phone.digits().ok_or_else(|| CallError::Invalid("only a phone number can be looked up".into()))?;
        let query = [("session", gateway.session()?.to_owned()), ("phone", digits.to_owned())];
        let answer: Value = gateway.get(&["api", "contacts", "check-exists"], &query).await?.json()?;
        if !answer["numberExists"].is_boolean() {
            return Err(CallError::Strange("no word on whether the number exists".into()));
        }
        let found: wire::Exists = serde_json::from_value(answer).unwrap_or_default();
        let at = found.pn.or(found.chat_id).as_deref().and_then(Address::parse).filter(Address::is_person);
        Ok(found.number_exists.then(|| at.unwrap_or_else(|| phone.clone())))
    }

    async fn picture(&self, link: &Link, of: &Address) -> Result<Option<String>, CallError> {
        let gateway = Gateway(link);
        let answer: Value =
            gateway.get(&["api", gateway.session()?, "chats", &chat_id(of)?, "picture"], &[]).await?.json()?;
        Ok(answer["url"].as_str().map(str::to_owned))
    }

    fn own_id(&self, build: &Build, correlation: &str) -> Option<String> {
        self.capabilities(build).own_message_id.then(|| proto::web_id(correlation))
    }

    async fn send(&self, link: &Link, message: &Outgoing) -> Result<Sent, SendError> {
        let gateway = Gateway(link);
        let mut to = message.to.clone();
        if message.first && to.phone().is_some() {
            match self.on_whatsapp(link, &to).await {
                Ok(Some(address)) => to = address,
                Ok(None) => return Err(SendError::NotOnWhatsApp),
                // the number itself is not there: neither would the send be
                Err(
                    error @ (CallError::Unreachable(_)
                    | CallError::Denied(_)
                    | CallError::Gone
                    | CallError::WrongState(_)
                    | CallError::Wait(_)),
                ) => {
                    return Err(error.into());
                }
                // it was only a question: the send tells
                Err(_) => {}
            }
        }
        let order = order(&message.body)?;
        let mut body = order.body;
        body["session"] = gateway.session()?.into();
        body["chatId"] = chat_id(&to)?.into();
        if let Some(quoted) = &message.reply_to {
            body["reply_to"] = quoted.reference.as_str().into();
        }
        if order.call == "sendText" && !message.link_preview {
            body["linkPreview"] = false.into();
        }
        let own_id = self.own_id(&link.build, &message.correlation);
        if let Some(own_id) = &own_id {
            // unverified: the field's name, read in a program that uses it and in the status calls of 2026.4.1. A gateway that does not know it gives
            // the message an id of its own, and the answer tells which.
            body["id"] = own_id.as_str().into();
        }
        let request = gateway.request(reqwest::Method::POST, &["api", order.call], &[])?;
        let reply = gateway.send(request.json(&body), order.patience, order.needs).await?;
        let answer: Option<wire::Sent> = reply.object()?;
        sent(answer.unwrap_or_default(), &to)
            .ok_or_else(|| SendError::Unknown { detail: format!("{} without an id", reply.status.as_u16()) })
    }

    async fn find_sent(&self, link: &Link, to: &Address, correlation: &str) -> Result<LookedUp, CallError> {
        let gateway = Gateway(link);
        let Some(own_id) = self.own_id(&link.build, correlation) else { return Ok(LookedUp::NotSeen) };
        let chat = chat_id(to)?;
        for id in [format!("true_{chat}_{own_id}"), own_id.clone()] {
            let path = ["api", gateway.session()?, "chats", &chat, "messages", &id];
            let found: Option<wire::Message> = match gateway.get(&path, &[("downloadMedia", "false".to_owned())]).await
            {
                Ok(reply) => reply.object()?,
                Err(CallError::NotFound(_)) => None,
                Err(error) => return Err(error),
            };
            let Some(found) = found.and_then(|found| read::message(found, None).ok()?.ok()) else { continue };
            if found.provider_id == own_id && found.from_me {
                let to = Some(found.chat).filter(|chat| chat != to);
                let sent = Sent { provider_id: own_id, reference: found.reference, to, at: found.at, held: false };
                return Ok(LookedUp::Found { sent, state: found.state });
            }
        }
        Ok(LookedUp::NotSeen)
    }

    async fn react(&self, link: &Link, to: &MessageRef, emoji: &str) -> Result<(), SendError> {
        let gateway = Gateway(link);
        let body = json!({ "session": gateway.session()?, "messageId": to.reference, "reaction": emoji });
        let request = gateway.request(reqwest::Method::PUT, &["api", "reaction"], &[])?.json(&body);
        gateway.send(request, http::PATIENCE, Some(Capability::Reactions)).await?;
        Ok(())
    }

    async fn mark_read(&self, link: &Link, chat: &Address, messages: &[MessageRef]) -> Result<(), CallError> {
        let gateway = Gateway(link);
        let mut body = json!({ "session": gateway.session()?, "chatId": chat_id(chat)? });
        if !messages.is_empty() {
            body["messageIds"] = messages.iter().map(|message| message.reference.as_str()).collect();
        }
        let request = gateway.request(reqwest::Method::POST, &["api", "sendSeen"], &[])?.json(&body);
        gateway.send(request, http::PATIENCE, Some(Capability::MarkRead)).await?;
        Ok(())
    }

    async fn typing(
        &self,
        link: &Link,
        chat: &Address,
        state: PresenceState,
        _last: Option<&MessageRef>,
    ) -> Result<(), CallError> {
        let gateway = Gateway(link);
        let (session, chat) = (gateway.session()?, chat_id(chat)?);
        let (path, body) = match state {
            PresenceState::Typing => (vec!["api", "startTyping"], json!({ "session": session, "chatId": chat })),
            PresenceState::Recording => {
                (vec!["api", session, "presence"], json!({ "chatId": chat, "presence": "recording" }))
            }
            _ => (vec!["api", "stopTyping"], json!({ "session": session, "chatId": chat })),
        };
        let request = gateway.request(reqwest::Method::POST, &path, &[])?.json(&body);
        gateway.send(request, Duration::from_secs(10), Some(Capability::Typing)).await?;
        Ok(())
    }

    async fn watch(&self, link: &Link, chat: &Address) -> Result<(), CallError> {
        let gateway = Gateway(link);
        let path = ["api", gateway.session()?, "presence", &chat_id(chat)?, "subscribe"];
        let request = gateway.request(reqwest::Method::POST, &path, &[])?;
        gateway.send(request, http::PATIENCE, Some(Capability::Presence)).await?;
        Ok(())
    }

    async fn edit(&self, link: &Link, message: &MessageRef, text: &str) -> Result<(), SendError> {
        let gateway = Gateway(link);
        let path = ["api", gateway.session()?, "chats", &chat_id(&message.chat)?, "messages", &message.reference];
        let request = gateway.request(reqwest::Method::PUT, &path, &[])?.json(&json!({ "text": text }));
        gateway.send(request, http::PATIENCE, Some(Capability::Edit)).await?;
        Ok(())
    }

    async fn revoke(&self, link: &Link, message: &MessageRef) -> Result<(), SendError> {
        let gateway = Gateway(link);
        let path = ["api", gateway.session()?, "chats", &chat_id(&message.chat)?, "messages", &message.reference];
        let request = gateway.request(reqwest::Method::DELETE, &path, &[])?;
        gateway.send(request, http::PATIENCE, Some(Capability::Delete)).await?;
        Ok(())
    }

    async fn reject_call(&self, link: &Link, from: &Address, call: &str) -> Result<(), CallError> {
        let gateway = Gateway(link);
        let body = json!({ "from": chat_id(from)?, "id": call });
        let request =
            gateway.request(reqwest::Method::POST, &["api", gateway.session()?, "calls", "reject"], &[])?.json(&body);
        gateway.send(request, http::PATIENCE, Some(Capability::Calls)).await?;
        Ok(())
    }

    /// The gateway names its own address in the URL (`http://localhost:3000/…`), which is not ours to call: the path is kept, the rest is our base.
    /// Files live for 180 s; after that the message is asked for once more, which makes the gateway fetch the file again.
    async fn download(&self, link: &Link, source: &MediaSource, max_bytes: u64) -> Result<Download, CallError> {
        let gateway = Gateway(link);
        let refused = match self.fetch(link, &source.media, max_bytes).await {
            Ok(download) => return Ok(download),
            Err(error @ (CallError::NotFound(_) | CallError::Denied(_))) => error,
            Err(error) => return Err(error),
        };
        let path = [
            "api",
            gateway.session()?,
            "chats",
            &chat_id(&source.message.chat)?,
            "messages",
            &source.message.reference,
        ];
        let request = gateway.request(reqwest::Method::GET, &path, &[("downloadMedia", "true".to_owned())])?;
        let reply = gateway.send(request, http::PATIENCE_FILES, Some(Capability::History)).await?;
        match read::media_of(&reply.body) {
            Some(media) if media.url.is_some() => self.fetch(link, &media, max_bytes).await,
            _ => Err(refused),
        }
    }
}

impl Waha {
    /// start, stop, restart, logout: the answer is the session. Started already is started.
    async fn drive(&self, link: &Link, what: &str) -> Result<Session, CallError> {
        let gateway = Gateway(link);
        match gateway.post(&["api", "sessions", gateway.session()?, what], &Value::Null).await {
            Ok(reply) => match info_session(&reply.object()?.unwrap_or_default(), &reply) {
                Some(session) => Ok(session),
                None => self.status(link).await,
            },
            Err(CallError::Invalid(why)) if why.contains("already started") => self.status(link).await,
            Err(error) => Err(error),
        }
    }

    async fn fetch(&self, link: &Link, media: &crate::MediaRef, max_bytes: u64) -> Result<Download, CallError> {
        let gateway = Gateway(link);
        let url = media
            .url
            .as_deref()
            .ok_or_else(|| CallError::NotFound("the gateway has no file for this message".into()))?;
        let request = match file_path(url) {
            Some(path) => link.http.get(http::below(&link.url, &path)).header("x-api-key", link.key.expose_secret()),
            // a presigned address in the gateway's bucket: no key goes there
            None if media.id.as_deref() == Some("s3") && http::named(url, &link.url) => link.http.get(url),
            None => return Err(CallError::NotFound("the file is not at the gateway's own address".into())),
        };
        match http::download(request, max_bytes).await? {
            Err(reply) => Err(gateway.refusal(&reply, None)),
            Ok(download) => {
                let page =
                    |mime: Option<&str>| mime.is_some_and(|mime| mime.to_ascii_lowercase().starts_with("text/html"));
                if page(download.mime.as_deref()) && !page(media.mime.as_deref()) {
                    return Err(CallError::Strange("a web page instead of the file".into()));
                }
                Ok(download)
            }
        }
    }
}

/// A page of a list that is counted by offset: a full one may have a next one. Items of another shape are left out.
fn page<W: serde::de::DeserializeOwned, T>(
    list: Vec<Value>,
    limit: u32,
    offset: u64,
    item: impl Fn(W) -> Option<T>,
) -> Page<T> {
    let next = (list.len() >= limit as usize).then(|| (offset + u64::from(limit)).to_string());
    Page { items: list.into_iter().filter_map(|raw| item(serde_json::from_value(raw).ok()?)).collect(), next }
}

fn contact_name(contact: &wire::Contact) -> Option<String> {
    kept::name(contact.name.as_deref()).or_else(|| kept::name(contact.pushname.as_deref()))
}

/// The session as it was when the gateway answered, by the gateway's own clock.
fn info_session(info: &wire::SessionInfo, reply: &http::Reply) -> Option<Session> {
    Some(Session { at: reply.date(), ..read::session(info.status.as_deref()?, None, info.me.as_ref()) })
}

fn chat(item: wire::ChatOverview) -> Option<Chat> {
    let chat = Address::parse(item.id.as_deref()?).filter(Address::is_person)?;
    let raw = item.chat.as_ref();
    let last = item.last_message.and_then(|last| read::message(last, None).ok()?.ok());
    let mut person = last.as_ref().map(|last| last.person.clone()).unwrap_or_default();
    person.learn(&chat);
    person.name = kept::name(item.name.as_deref()).or(person.name);
    let at = last.as_ref().and_then(|last| last.at);
    let at = at.or_else(|| {
        raw.and_then(|raw| raw.conversation_timestamp.or(raw.timestamp))
            .or(item.conversation_timestamp)
            .and_then(lenient::time)
    });
    let last = last.map(|last| Box::new(Message { history: true, ..last }));
    Some(Chat { chat, person, picture: item.picture, last, at })
}
