//! What a test or a demo does with Meta: numbers that are there at once, templates, limits, tokens, and what an account reports.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Gateway, VERSION,
    account::{
        App, Callback, FIELDS, Failure, MANAGEMENT, MESSAGING, Number, Rules, State, Template, Token, Waba, new_id,
        new_token,
    },
    events::Lens,
    messages::is_open,
    numbers, templates,
};
use crate::{
    sim::Sim,
    world::{Refused, message_id},
};

/// How many numbers there may be.
const MANY: usize = 10_000;

/// A number with all that belongs to it. What is left out is made.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewNumber {
    /// The phone.
    pub phone: String,
    /// Its verified name.
    pub name: Option<String>,
    /// `phone_number_id`.
    pub id: Option<String>,
    /// Into this account, which may be there.
    pub waba_id: Option<String>,
    /// With this app, which may be there.
    pub app_id: Option<String>,
    /// The app's secret.
    pub app_secret: Option<String>,
    /// The portfolio.
    pub business_id: Option<String>,
    /// The token.
    pub token: Option<String>,
    /// It can send already; true when left out.
    pub registered: Option<bool>,
    /// Its PIN, if it was registered with one.
    pub pin: Option<String>,
    /// The owner's phone goes on using it.
    pub coexistence: bool,
    /// The app's own callback. Then the account is subscribed, too. Nobody is asked for the word.
    pub callback_url: Option<String>,
    /// Its word.
    pub verify_token: Option<String>,
    /// Calls without `appsecret_proof` are refused.
    pub require_proof: bool,
    /// New templates of the account are approved by themselves after so many ms.
    pub approves_after_ms: Option<u64>,
    /// Limits and habits.
    pub rules: Option<Rules>,
}

/// A template as a test makes one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTemplate {
    name: String,
    #[serde(default = "english")]
    language: String,
    #[serde(default = "utility")]
    category: String,
    /// `APPROVED` when left out.
    status: Option<String>,
    /// `POSITIONAL` when left out.
    parameter_format: Option<String>,
    components: Vec<Value>,
    /// Sends of it are held for a look at its quality.
    #[serde(default)]
    held: bool,
}

fn english() -> String {
    "en_US".into()
}
fn utility() -> String {
    "UTILITY".into()
}

/// What of a number is changed.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Changed {
    status: Option<String>,
    quality: Option<String>,
    tier: Option<String>,
    name: Option<String>,
    name_status: Option<String>,
    registered: Option<bool>,
    rules: Option<Rules>,
}

impl Gateway {
    /// Makes a number, and what of its surroundings is not there. Answers what a person would copy from Meta's pages.
    pub(crate) fn make(&self, sim: &Arc<Sim>, new: NewNumber) -> Result<Value, Refused> {
        let phone = crate::world::digits(&new.phone).ok_or_else(|| Refused::NoAddress(new.phone.clone()))?;
        let name = new.name.unwrap_or_else(|| "Demo Shop".into());
        {
            let mut world = sim.world();
            world.line_mut(&phone)?;
            world.person_mut(&phone)?.push_name.clone_from(&name);
        }
        let now = sim.now_ms();
        let mut state = self.state();
        if state.numbers.len() >= MANY {
            return Err(Refused::Cannot("there are too many numbers"));
        }
        if state.numbers.values().any(|number| number.phone == phone) {
            return Err(Refused::Cannot("that phone has a number already"));
        }
        let id = new.id.unwrap_or_else(new_id);
        let (app_id, waba_id) = (new.app_id.unwrap_or_else(new_id), new.waba_id.unwrap_or_else(new_id));
        let callback = new.callback_url.map(|url| Callback { url, token: new.verify_token.unwrap_or_default() });
        let app = state.apps.entry(app_id.clone()).or_insert_with(|| App {
            name: "Demo App".into(),
            secret: hex::encode(uuid::Uuid::new_v4().as_bytes()),
            proof: false,
            callback: None,
            fields: FIELDS.iter().map(|field| (*field).to_owned()).collect(),
        });
        if let Some(secret) = new.app_secret {
            app.secret = secret;
        }
        app.proof |= new.require_proof;
        let subscribed = callback.is_some();
        app.callback = callback.or(app.callback.take());
        let secret = app.secret.clone();
        let waba = state.wabas.entry(waba_id.clone()).or_insert_with(|| Waba {
            name: name.clone(),
            business: new.business_id.unwrap_or_else(new_id),
            subscribed: Default::default(),
            approves_after_ms: None,
        });
        waba.approves_after_ms = new.approves_after_ms.or(waba.approves_after_ms);
        if subscribed {
            waba.subscribed.entry(app_id.clone()).or_default();
        }
        let business = waba.business.clone();
        let token = new.token.unwrap_or_else(new_token);
        let entry = state.tokens.entry(token.clone()).or_insert_with(|| Token {
            app: app_id.clone(),
            wabas: BTreeSet::new(),
            scopes: vec![MANAGEMENT.into(), MESSAGING.into()],
            issued_ms: now,
            expires_ms: None,
        });
        entry.wabas.insert(waba_id.clone());
        let number = Number {
            waba: waba_id.clone(),
            phone: phone.clone(),
            name: name.clone(),
            registered: new.registered.unwrap_or(true),
            pin: new.pin,
            tries: 0,
            code: None,
            status: None,
            quality: "GREEN".into(),
            tier: "TIER_250".into(),
            name_status: "APPROVED".into(),
            coexistence: new.coexistence,
            callbacks: Default::default(),
            profile: Default::default(),
            settings: Default::default(),
            blocked: Default::default(),
            heard: Default::default(),
            rules: new.rules.unwrap_or_default(),
            failures: Default::default(),
            pace: Default::default(),
            sent: Default::default(),
            order: Default::default(),
        };
        state.numbers.insert(id.clone(), number);
        Ok(json!({
            "phoneNumberId": id, "wabaId": waba_id, "businessId": business, "appId": app_id, "appSecret": secret,
            "accessToken": token, "phone": phone, "name": name, "path": format!("/graph/{VERSION}"),
        }))
    }

    /// A number as the control API shows it.
    pub(crate) fn seen(&self, sim: &Sim, id: &str) -> Option<Value> {
        let state = self.state();
        let number = state.numbers.get(id)?;
        Some(seen(sim, &state, id, number))
    }

    /// All numbers.
    pub(crate) fn all(&self, sim: &Sim) -> Vec<Value> {
        let state = self.state();
        state.numbers.iter().map(|(id, number)| seen(sim, &state, id, number)).collect()
    }

    /// Changes a number. What Meta would tell of it is told with [`Gateway::happens`].
    pub(crate) fn alter(&self, id: &str, changed: Changed) -> bool {
        let mut state = self.state();
        let Some(number) = state.numbers.get_mut(id) else { return false };
        if let Some(status) = changed.status {
            number.status = (status != "CONNECTED").then_some(status);
        }
        for (place, value) in [
            (&mut number.quality, changed.quality),
            (&mut number.tier, changed.tier),
            (&mut number.name, changed.name),
            (&mut number.name_status, changed.name_status),
        ] {
            if let Some(value) = value {
                *place = value;
            }
        }
        number.registered = changed.registered.unwrap_or(number.registered);
        number.rules = changed.rules.unwrap_or_else(|| number.rules.clone());
        true
    }

    /// The next sends of a number fail.
    pub(crate) fn fail(&self, id: &str, failure: Failure) -> bool {
        let mut state = self.state();
        let Some(number) = state.numbers.get_mut(id) else { return false };
        if number.failures.len() < 1_000 {
            number.failures.push_back(failure);
        }
        true
    }

    /// Opens or shuts a window.
    pub(crate) fn window(&self, sim: &Sim, id: &str, phone: &str, open: bool) -> bool {
        let mut state = self.state();
        let now = state.now(sim);
        let Some(number) = state.numbers.get_mut(id) else { return false };
        if open {
            number.heard.insert(phone.to_owned(), now)
        } else {
            number.heard.remove(phone)
        };
        true
    }

    /// Moves the time ahead: windows, tokens, addresses of files and limits go by it. Timestamps of hooks do not.
    pub(crate) fn advance(&self, ms: i64) -> i64 {
        let mut state = self.state();
        state.skew_ms = state.skew_ms.saturating_add(ms.clamp(0, 10 * 365 * 86_400_000));
        state.skew_ms
    }

    /// A token is no longer good, or is again.
    pub(crate) fn expire(&self, sim: &Sim, token: &str, expired: bool) -> bool {
        let mut state = self.state();
        let now = state.now(sim);
        let Some(token) = state.tokens.get_mut(token) else { return false };
        token.expires_ms = expired.then_some(now);
        true
    }

    /// Another token of an app: with these rights, for so long.
    pub(crate) fn grant(
        &self,
        sim: &Sim,
        app: &str,
        scopes: Option<Vec<String>>,
        wabas: Vec<String>,
        lives_ms: Option<i64>,
    ) -> Option<String> {
        let mut state = self.state();
        state.apps.get(app)?;
        let now = sim.now_ms();
        let scopes = scopes.unwrap_or_else(|| vec![MANAGEMENT.into(), MESSAGING.into()]);
        let expires_ms = lives_ms.map(|ms| state.now(sim).saturating_add(ms));
        let token = new_token();
        let made =
            Token { app: app.to_owned(), wabas: wabas.into_iter().collect(), scopes, issued_ms: now, expires_ms };
        state.tokens.insert(token.clone(), made);
        Some(token)
    }

    /// How much is told in one body.
    pub(crate) fn batch(&self, batch: super::Batch) {
        *self.post.batch.lock().unwrap_or_else(|broken| broken.into_inner()) = batch;
    }

    /// Puts a template into an account, as if it had been judged long ago. Nothing is told.
    pub(crate) fn put_template(&self, waba: &str, new: NewTemplate) -> Option<Value> {
        let mut state = self.state();
        state.wabas.get(waba)?;
        let mut made = templates::made(waba, &new.name, &new.language, &new.category.to_uppercase(), new.components);
        made.status = new.status.unwrap_or(made.status);
        made.format = new.parameter_format.unwrap_or(made.format);
        made.held = new.held;
        // In place of the one that is there.
        state
            .templates
            .retain(|_, there| (&there.waba, &there.name, &there.language) != (&made.waba, &made.name, &made.language));
        let key = new_id();
        let seen = templates::view(&key, &made);
        state.templates.insert(key, made);
        Some(seen)
    }

    /// Templates of an account.
    pub(crate) fn templates_of(&self, waba: &str) -> Vec<Value> {
        let state = self.state();
        let own = |(_, template): &(&String, &Template)| template.waba == waba;
        state.templates.iter().filter(own).map(|(key, template)| templates::view(key, template)).collect()
    }

    /// An account reports something. With a number's id it is about that number; `value` is told as it is.
    pub(crate) fn happens(&self, sim: &Arc<Sim>, of: &str, field: &str, mut value: Value) -> bool {
        let state = self.state();
        let waba = match (state.numbers.get(of), state.wabas.contains_key(of)) {
            (Some(number), _) => {
                if value.get("display_phone_number").is_none() && field.starts_with("phone_number_") {
                    value["display_phone_number"] = number.phone.as_str().into();
                }
                number.waba.clone()
            }
            (None, true) => of.to_owned(),
            (None, false) => return false,
        };
        self.report(sim, &state, &waba, field, value);
        true
    }

    /// Something of a number's `messages` that nobody in the world does: an order, a change of number, a status. `metadata`, and for a message also its
    /// sender, id and time, are filled in where they are left out.
    pub(crate) fn said(&self, sim: &Arc<Sim>, id: &str, field: &str, from: Option<&str>, mut value: Value) -> bool {
        let world = sim.world();
        let state = self.state();
        let Some(number) = state.numbers.get(id) else { return false };
        let lens =
            Lens { world: &world, id, line: &number.phone, waba: &number.waba, business: state.business(&number.waba) };
        let person = from.map(|phone| lens.named(phone));
        let mut whole = lens.value(person.as_ref());
        let mut event = field.to_owned();
        for message in value["messages"].as_array_mut().into_iter().flatten() {
            let kind = message["type"].as_str().unwrap_or("unsupported").to_owned();
            event = format!("messages.{kind}");
            if let Some(person) = &person {
                let mut frame = lens.frame(person, &message_id(), sim.now_ms(), &kind);
                message.as_object().into_iter().flatten().for_each(|(key, value)| frame[key] = value.clone());
                *message = frame;
            }
        }
        if let Some(word) = value["statuses"][0]["status"].as_str() {
            event = format!("statuses.{word}");
        }
        value.as_object().into_iter().flatten().for_each(|(key, value)| whole[key] = value.clone());
        let change = lens.change(field, event, whole, from);
        self.emit(sim, &state, &change);
        true
    }
}

fn seen(sim: &Sim, state: &State, id: &str, number: &Number) -> Value {
    let now = state.now(sim);
    let open: Vec<&String> =
        number.heard.iter().filter(|(_, heard)| is_open(Some(heard), now)).map(|(phone, _)| phone).collect();
    let waba = state.wabas.get(&number.waba);
    let subscribed: Vec<&String> = waba.into_iter().flat_map(|waba| waba.subscribed.keys()).collect();
    let mut view = numbers::view(state, id, number, subscribed.first().map_or("", |app| app.as_str()));
    view["wabaId"] = number.waba.as_str().into();
    view["businessId"] = state.business(&number.waba).into();
    view["phone"] = number.phone.as_str().into();
    view["registered"] = number.registered.into();
    view["code"] = number.code.as_deref().into();
    view["subscribedApps"] = json!(subscribed);
    view["openWindows"] = json!(open);
    view["blocked"] = json!(number.blocked);
    view["rules"] = json!(number.rules);
    view
}
