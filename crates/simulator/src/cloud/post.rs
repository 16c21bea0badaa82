//! Hooks as they go over the wire: who hears what, batches, the signature; and what faults make of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{
    Gateway,
    account::{Callback, State},
    refusal::escaped,
};
use crate::{
    faults::{Case, Harm},
    hooks::{Parcel, Policy, Retries},
    sim::Sim,
};

/// One thing that an account or a number reports.
#[derive(Debug, Clone)]
pub struct Change {
    /// The account.
    pub waba: String,
    /// The number, if it is about one.
    pub number: Option<String>,
    /// `entry.time`: not there on `messages`.
    pub time_s: Option<i64>,
    /// `messages`, `account_update`…
    pub field: String,
    /// What is reported.
    pub value: Value,
    /// For faults and the log: `messages.text`, `statuses.read`, or the field.
    pub event: String,
    /// For faults: the person.
    pub chat: Option<String>,
}

/// How much is told in one body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Batch {
    /// What happens within so many ms goes into one body; 0: each for itself.
    pub wait_ms: u64,
    /// At most so many.
    pub most: usize,
    /// How they stand in it.
    pub shape: Shape,
}

impl Default for Batch {
    fn default() -> Self {
        Batch { wait_ms: 0, most: 1_000, shape: Shape::Changes }
    }
}

/// How several things stand in one body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Shape {
    /// An entry for each.
    Entries,
    /// An entry for each account, with a change for each.
    #[default]
    Changes,
    /// The same, and messages and statuses of one number in one change.
    Messages,
}

/// To whom, and with which secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    url: String,
    secret: String,
}

/// What waits to be told together.
#[derive(Default)]
pub struct Post {
    pub batch: Mutex<Batch>,
    waiting: Mutex<HashMap<Target, Vec<Change>>>,
}

/// HMAC-SHA256 with the app's secret, in lower-case hex.
pub fn hmac(secret: &str, bytes: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(bytes);
    hex::encode(mac.finalize().into_bytes())
}

/// `X-Hub-Signature-256` of a body.
pub fn sign(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hmac(secret, body))
}

impl State {
    /// Who hears a change: the number's own callback before that of the account, and that before the app's.
    fn targets(&self, change: &Change) -> Vec<Target> {
        let Some(waba) = self.wabas.get(&change.waba) else { return Vec::new() };
        let number = change.number.as_ref().and_then(|id| self.numbers.get(id));
        let target = |(id, own): (&String, &Option<Callback>)| {
            let app = self.apps.get(id).filter(|app| app.fields.contains(&change.field))?;
            let callback =
                number.and_then(|number| number.callbacks.get(id)).or(own.as_ref()).or(app.callback.as_ref())?;
            Some(Target { url: callback.url.clone(), secret: app.secret.clone() })
        };
        waba.subscribed.iter().filter_map(target).collect()
    }
}

impl Gateway {
    /// Tells everyone who is to hear it.
    pub(super) fn emit(&self, sim: &Arc<Sim>, state: &State, change: &Change) {
        let batch = *self.post.batch.lock().unwrap_or_else(|broken| broken.into_inner());
        for target in state.targets(change) {
            let case = Case {
                session: change.number.as_deref().or(Some(&change.waba)),
                chat_id: change.chat.as_deref(),
                event: &change.event,
                ..Case::default()
            };
            let alone = || parcel(&target, std::slice::from_ref(change), batch.shape);
            match sim.faults.on_hook(case) {
                None if batch.wait_ms > 0 => self.gather(sim, target, change.clone(), batch),
                Some((_, Harm::Drop)) => {}
                Some((_, Harm::Delay { ms })) => sim.hooks.send_after(sim, alone(), Duration::from_millis(ms)),
                Some((fault, Harm::Reorder { span })) => sim.hooks.hold(sim, fault, span, alone()),
                // Meta has no id of its own on a delivery: a second one is the same, byte for byte.
                Some((_, Harm::Duplicate { times, .. })) => {
                    (0..times.min(100)).for_each(|_| sim.hooks.send(sim, alone()));
                }
                None | Some(_) => sim.hooks.send(sim, alone()),
            }
        }
    }

    fn gather(&self, sim: &Arc<Sim>, target: Target, change: Change, batch: Batch) {
        let (first, full) = {
            let mut waiting = self.post.waiting.lock().unwrap_or_else(|broken| broken.into_inner());
            let pile = waiting.entry(target.clone()).or_default();
            pile.push(change);
            (pile.len() == 1, pile.len() >= batch.most.max(1))
        };
        if full {
            self.flush(sim, &target);
        } else if first {
            let owner = sim.clone();
            sim.spawn(async move {
                tokio::time::sleep(Duration::from_millis(batch.wait_ms)).await;
                owner.cloud.flush(&owner, &target);
            });
        }
    }

    fn flush(&self, sim: &Arc<Sim>, target: &Target) {
        let pile = self.post.waiting.lock().unwrap_or_else(|broken| broken.into_inner()).remove(target);
        if let Some(pile) = pile {
            let shape = self.post.batch.lock().unwrap_or_else(|broken| broken.into_inner()).shape;
            sim.hooks.send(sim, parcel(target, &pile, shape));
        }
    }
}

impl Post {
    /// Forgets what waits, and one body for each again.
    pub fn clear(&self) {
        self.waiting.lock().unwrap_or_else(|broken| broken.into_inner()).clear();
        *self.batch.lock().unwrap_or_else(|broken| broken.into_inner()) = Batch::default();
    }
}

/// One POST.
fn parcel(target: &Target, changes: &[Change], shape: Shape) -> Parcel {
    let body = escaped(&envelope(changes, shape)).into_bytes();
    let first = &changes[0];
    Parcel {
        url: target.url.clone(),
        headers: vec![
            ("Content-Type".into(), "application/json".into()),
            ("User-Agent".into(), "facebookexternalua".into()),
            ("Accept".into(), "*/*".into()),
            // Meta sends the old SHA-1 beside it, which nobody should look at; it is left out here.
            ("X-Hub-Signature-256".into(), sign(&target.secret, &body)),
        ],
        body: body.into(),
        // 10, 20, 40… seconds, then every day: a week in all. Only that it is a week is known.
        retries: Retries { policy: Policy::Exponential, delay_s: 5.0, attempts: 19 },
        believed: &[],
        strict: true,
        id: first.value["messages"][0]["id"]
            .as_str()
            .or(first.value["statuses"][0]["id"].as_str())
            .unwrap_or_default()
            .into(),
        event: first.event.clone(),
        session: first.number.clone().unwrap_or_else(|| first.waba.clone()),
    }
}

/// The body.
fn envelope(changes: &[Change], shape: Shape) -> Value {
    let mut entries: Vec<Value> = Vec::new();
    for change in changes {
        let mut entry = json!({"id": change.waba});
        if let Some(time) = change.time_s {
            entry["time"] = time.into();
        }
        let there = match shape {
            Shape::Entries => None,
            _ => entries
                .iter_mut()
                .find(|other| other["id"] == entry["id"] && other.get("time").is_some() == entry.get("time").is_some()),
        };
        let made = json!({"value": change.value, "field": change.field});
        let Some(there) = there else {
            entry["changes"] = json!([made]);
            entries.push(entry);
            continue;
        };
        let list = there["changes"].as_array_mut().expect("it was made with one");
        let same = |other: &&mut Value| {
            other["field"] == "messages"
                && change.field == "messages"
                && other["value"]["metadata"] == made["value"]["metadata"]
        };
        match list.iter_mut().find(same).filter(|_| shape == Shape::Messages) {
            Some(other) => merge(&mut other["value"], &change.value),
            None => list.push(made),
        }
    }
    json!({"object": "whatsapp_business_account", "entry": entries})
}

/// Messages, statuses and people of two changes in one.
fn merge(into: &mut Value, from: &Value) {
    for list in ["contacts", "messages", "statuses", "errors"] {
        for item in from[list].as_array().into_iter().flatten() {
            let there = match into[list].as_array_mut() {
                Some(there) => there,
                None => {
                    into[list] = json!([]);
                    into[list].as_array_mut().expect("just made")
                }
            };
            if list != "contacts" || !there.contains(item) {
                there.push(item.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Change, Shape, envelope, sign};

    #[test]
    fn signatures_are_those_of_the_vectors() {
        assert_eq!(
            sign("indaba-app-secret", b"{}"),
            "sha256=325b6e05549622867896b637e36dab35b1f62843397bfd9156870f9f6acb3420"
        );
    }

    #[test]
    fn several_things_stand_in_one_body_in_three_ways() {
        let said = |waba: &str, number: &str, id: &str| Change {
            waba: waba.into(),
            number: Some(number.into()),
            time_s: None,
            field: "messages".into(),
            value: json!({"metadata": {"phone_number_id": number}, "contacts": [{"wa_id": "2"}], "messages": [{"id": id}]}),
            event: "messages.text".into(),
            chat: None,
        };
        let all = [said("1", "11", "a"), said("1", "11", "b"), said("1", "12", "c"), said("2", "21", "d")];
        let counts = |shape| -> Vec<Vec<usize>> {
            let body = envelope(&all, shape);
            let list = |value: &Value| value.as_array().unwrap().clone();
            list(&body["entry"])
                .iter()
                .map(|entry| {
                    list(&entry["changes"]).iter().map(|change| list(&change["value"]["messages"]).len()).collect()
                })
                .collect()
        };
        assert_eq!(counts(Shape::Entries), [vec![1], vec![1], vec![1], vec![1]]);
        assert_eq!(counts(Shape::Changes), [vec![1, 1, 1], vec![1]]);
        assert_eq!(counts(Shape::Messages), [vec![2, 1], vec![1]]);
        let merged = envelope(&all, Shape::Messages);
        assert_eq!(merged["entry"][0]["changes"][0]["value"]["contacts"], json!([{"wa_id": "2"}]));
    }
}
