//! Hooks as each provider posts them, read into the neutral vocabulary; beside it serde_json into a typed shape of the same fields.
//!
//! How often is asked for memory is counted by [`Counting`], the allocator of this program.
use crate::{
    Measured,
    calls::{self, Hooks},
};
use anyhow::{Context, Result, ensure};
use indaba_providers::{Hook, Incoming, Provider};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
    hint::black_box,
    time::Duration,
};

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

/// An allocator that counts, for each thread, how often it is asked for memory.
pub struct Counting<A>(pub A);

#[allow(unsafe_code, reason = "an allocator is unsafe; this one passes everything on")]
// SAFETY: every call is passed on as it came; the count is a plain cell of the thread, which needs no memory of its own.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { self.0.dealloc(at, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { self.0.realloc(at, layout, size) }
    }
}

fn count() {
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
}

/// How often this thread has asked for memory.
pub fn asked() -> u64 {
    ASKED.with(Cell::get)
}

/// A body, and what it cost to read it.
pub struct Read {
    /// Which provider, and what the body is.
    pub name: String,
    /// Its length.
    pub bytes: usize,
    /// The provider's own reading.
    pub ours: Cost,
    /// serde_json alone.
    pub bare: Cost,
}

/// What one way of reading costs.
pub struct Cost {
    /// Bodies.
    pub measured: Measured,
    /// Calls of the allocator for each body.
    pub allocations: u64,
}

/// Reads a body of each kind for `run`, in both ways.
pub fn measure(run: Duration) -> Result<Vec<Read>> {
    Ok(vec![
        read::<waha::Body>("waha", "1 KiB text", waha::text()?, 1, run)?,
        read::<evolution::Body>("evolution", "1 KiB text", evolution::text()?, 1, run)?,
        read::<cloud::Body>("cloud", "1 KiB text", cloud::texts(1)?, 1, run)?,
        read::<cloud::Body>("cloud", "1,000 messages of as many people", cloud::texts(1_000)?, 1_000, run)?,
    ])
}

fn read<T: Serialize + DeserializeOwned>(
    kind: &str,
    what: &str,
    body: String,
    messages: usize,
    run: Duration,
) -> Result<Read> {
    let provider: &dyn Provider = indaba_providers::find(kind).with_context(|| format!("no provider {kind}"))?;
    let (bytes, name) = (body.len(), format!("{kind}, {what}"));
    let hook = Hook::stored(body.clone());
    let said = provider.read(&hook).map_err(|e| anyhow::anyhow!("{name}: {e}"))?;
    let texts = said.iter().filter(|one| matches!(one, Incoming::Message(of) if of.content.text().is_some())).count();
    ensure!(texts == messages && said.len() == messages, "{name}: read as {said:?}");
    let shape = serde_json::to_value(serde_json::from_str::<T>(&body)?)?;
    ensure!(within(&shape, &serde_json::from_str(&body)?), "{name}: the typed shape read {shape}");
    let ours = cost(run, || provider.read(black_box(&hook)).map_err(|e| anyhow::anyhow!("{e}")))?;
    let bare = cost(run, || Ok(serde_json::from_slice::<T>(black_box(body.as_bytes()))?))?;
    Ok(Read { name, bytes, ours, bare })
}

fn cost<T>(run: Duration, mut once: impl FnMut() -> Result<T>) -> Result<Cost> {
    black_box(once()?);
    let before = asked();
    black_box(once()?);
    let allocations = asked() - before;
    let measured = Measured::repeat(run, || once().map(black_box).map(|_| 1))?;
    Ok(Cost { measured, allocations })
}

/// Whether all that `part` has stands in `whole`, too.
fn within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|same| within(value, same)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(value, same)| within(value, same))
        }
        _ => part == whole,
    }
}

/// The fields of a WAHA message that a reader wants.
mod waha {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub struct Body {
        event: String,
        session: String,
        timestamp: i64,
        me: Me,
        payload: Payload,
    }

    #[derive(Serialize, Deserialize)]
    struct Me {
        id: String,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Payload {
        id: String,
        timestamp: i64,
        from: String,
        from_me: bool,
        source: String,
        body: String,
        has_media: bool,
        ack: i64,
        ack_name: String,
        reply_to: Option<Value>,
        #[serde(rename = "_data")]
        data: Data,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        key: Key,
        push_name: String,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Key {
        remote_jid: String,
        from_me: bool,
        id: String,
    }

    pub fn text() -> Result<String> {
        let hooks =
            Hooks { secret: String::new(), session: "ten_1-ins_2".into(), people: 1, first: 0, at_s: 1_795_150_000 };
        Ok(calls::body(&hooks)?.replace("NNNNNNNNNN", "0000000042").replace("PPPPPPP", "0000007"))
    }
}

/// The fields of an Evolution message that a reader wants.
mod evolution {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub struct Body {
        event: String,
        instance: String,
        data: Data,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        key: Key,
        push_name: String,
        message: Message,
        message_type: String,
        message_timestamp: i64,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Key {
        id: String,
        remote_jid: String,
        from_me: bool,
    }

    #[derive(Serialize, Deserialize)]
    struct Message {
        conversation: String,
    }

    pub fn text() -> Result<String> {
        calls::kibibyte(|text| {
            json!({
                "event": "messages.upsert", "instance": "sales",
                "data": {
                    "key": { "id": "3EB0AAAA01", "remoteJid": "27820000002@s.whatsapp.net", "fromMe": false }, "pushName": "Thandi",
                    "message": { "conversation": text }, "messageType": "conversation", "messageTimestamp": 1_795_150_696,
                    "source": "unknown", "instanceId": "161113cb-cd62-443a-bbac-d82339d92ed6",
                },
                "destination": "http://127.0.0.1:18090/hook", "date_time": "2026-11-20T04:58:16.316Z",
                "server_url": "http://127.0.0.1:18080", "apikey": "not-a-key",
            })
        })
    }
}

/// The fields of Cloud messages that a reader wants.
mod cloud {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub struct Body {
        object: String,
        entry: Vec<Entry>,
    }

    #[derive(Serialize, Deserialize)]
    struct Entry {
        id: String,
        changes: Vec<Change>,
    }

    #[derive(Serialize, Deserialize)]
    struct Change {
        field: String,
        value: Told,
    }

    #[derive(Serialize, Deserialize)]
    struct Told {
        metadata: Metadata,
        contacts: Vec<Contact>,
        messages: Vec<Message>,
    }

    #[derive(Serialize, Deserialize)]
    struct Metadata {
        display_phone_number: String,
        phone_number_id: String,
    }

    #[derive(Serialize, Deserialize)]
    struct Contact {
        profile: Profile,
        wa_id: String,
    }

    #[derive(Serialize, Deserialize)]
    struct Profile {
        name: String,
    }

    #[derive(Serialize, Deserialize)]
    struct Message {
        from: String,
        id: String,
        timestamp: String,
        #[serde(rename = "type")]
        kind: String,
        text: Text,
    }

    #[derive(Serialize, Deserialize)]
    struct Text {
        body: String,
    }

    /// One text fills 1 KiB; many are short.
    pub fn texts(count: u64) -> Result<String> {
        let body = |text: &str| {
            let phone = |n: u64| format!("2782{n:07}");
            let contacts: Vec<Value> = (0..count)
                .map(|n| json!({ "profile": { "name": format!("Customer {n}") }, "wa_id": phone(n) }))
                .collect();
            let message = |n: u64| {
                json!({ "from": phone(n), "id": format!("wamid.HBgLMjc4MjAwMDAwMDAVAgASGBQzQTRBNjU5OUFF{n:08}"),
                        "timestamp": "1795150000", "type": "text", "text": { "body": text } })
            };
            let messages: Vec<Value> = (0..count).map(message).collect();
            json!({ "object": "whatsapp_business_account", "entry": [{ "id": "419561257915477", "changes": [{
                "value": { "messaging_product": "whatsapp",
                           "metadata": { "display_phone_number": "15550783881", "phone_number_id": "106540352242922" },
                           "contacts": contacts, "messages": messages },
                "field": "messages" }] }] })
        };
        if count == 1 {
            return calls::kibibyte(body);
        }
        Ok(body("Is the flat in Observatory still to be had?").to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_is_read_by_its_provider_and_by_serde_json_alone() {
        let all = measure(Duration::from_millis(1)).unwrap();
        assert_eq!(all.len(), 4);
        assert!(all[..3].iter().all(|read| read.bytes == 1024), "one KiB each");
        assert!(all.iter().all(|read| read.ours.measured.count > 0 && read.bare.measured.count > 0));
    }
}
