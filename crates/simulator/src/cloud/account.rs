//! What there is at Meta: apps, tokens, business accounts, numbers, templates, files. All are named by digits.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{pace::Pace, refusal::Refusal};
use crate::{chance::letters, sim::Sim};

/// Rights a token can have.
pub const MESSAGING: &str = "whatsapp_business_messaging";
/// The other one: templates, numbers, subscriptions.
pub const MANAGEMENT: &str = "whatsapp_business_management";

/// All fields of hooks that an app can subscribe to.
pub const FIELDS: &[&str] = &[
    "account_alerts",
    "account_review_update",
    "account_settings_update",
    "account_update",
    "automatic_events",
    "business_capability_update",
    "business_username_updates",
    "calls",
    "flows",
    "group_lifecycle_update",
    "group_participants_update",
    "group_settings_update",
    "group_status_update",
    "history",
    "message_template_components_update",
    "message_template_quality_update",
    "message_template_status_update",
    "messages",
    "partner_solutions",
    "payment_configuration_update",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
    "smb_app_state_sync",
    "smb_message_echoes",
    "template_category_update",
    "user_id_update",
    "user_preferences",
];

/// Where hooks go, and the word of the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The URL.
    pub url: String,
    /// `hub.verify_token`.
    pub token: String,
}

/// A Meta app.
#[derive(Debug, Clone)]
pub struct App {
    /// Shown by `debug_token`.
    pub name: String,
    /// Hooks are signed with it.
    pub secret: String,
    /// Calls without `appsecret_proof` are refused.
    pub proof: bool,
    /// The app's own callback.
    pub callback: Option<Callback>,
    /// The fields it hears.
    pub fields: BTreeSet<String>,
}

/// An access token.
#[derive(Debug, Clone)]
pub struct Token {
    /// Whose.
    pub app: String,
    /// Which accounts; all of them when none is named.
    pub wabas: BTreeSet<String>,
    /// Its rights.
    pub scopes: Vec<String>,
    /// Unix ms.
    pub issued_ms: i64,
    /// Unix ms; for ever when there is none.
    pub expires_ms: Option<i64>,
}

/// A WhatsApp Business account.
#[derive(Debug, Clone)]
pub struct Waba {
    /// Shown.
    pub name: String,
    /// The portfolio: business-scoped ids belong to it.
    pub business: String,
    /// Apps that hear about it, each with a callback for this account alone, if it has set one.
    pub subscribed: BTreeMap<String, Option<Callback>>,
    /// A new template is approved by itself after so many ms.
    pub approves_after_ms: Option<u64>,
}

/// A number.
pub struct Number {
    /// Its account.
    pub waba: String,
    /// Digits: its line in the world.
    pub phone: String,
    /// Verified name.
    pub name: String,
    /// It can send.
    pub registered: bool,
    /// Two-step verification; set by the first registration.
    pub pin: Option<String>,
    /// Wrong PINs since the last right one.
    pub tries: u32,
    /// What `request_code` sent by text message.
    pub code: Option<String>,
    /// `CONNECTED` unless something else is said: `FLAGGED`, `RESTRICTED`, `BANNED`…
    pub status: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub quality: String,
    /// `TIER_250`…
    pub tier: String,
    /// `APPROVED`…
    pub name_status: String,
    /// The owner's own phone goes on using it: what is written there is told too.
    pub coexistence: bool,
    /// Callbacks of its own, by app.
    pub callbacks: BTreeMap<String, Callback>,
    /// The business profile.
    pub profile: serde_json::Map<String, Value>,
    /// `settings`.
    pub settings: serde_json::Map<String, Value>,
    /// Phones that are blocked.
    pub blocked: BTreeSet<String>,
    /// When each person last wrote, Unix ms with the skew in it.
    pub heard: HashMap<String, i64>,
    /// What a test has set.
    pub rules: Rules,
    /// Sends that are to fail.
    pub failures: VecDeque<Failure>,
    /// How fast it may send.
    pub pace: Pace,
    /// What is known of messages it sent, by raw id; the oldest go first.
    pub sent: HashMap<String, Sent>,
    /// Their order.
    pub order: VecDeque<String>,
}

/// What is remembered of a message that was sent.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// `biz_opaque_callback_data`.
    pub callback: Option<String>,
    /// `pricing.category`.
    pub category: String,
    /// `pricing.type`.
    pub pricing: &'static str,
    /// Why it failed or will.
    pub failure: Option<(i64, Option<String>)>,
    /// `delivered` was told, with its price.
    pub priced: bool,
}

/// What is as it is at Meta unless a test says otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Rules {
    /// Messages in a second; null is no limit.
    pub per_second: Option<u32>,
    /// Messages to one person at once, before the pair limit counts; null is no limit.
    pub pair_burst: Option<u32>,
    /// One message to one person in so many of the simulator's seconds.
    pub pair_seconds: u32,
    /// How a text outside the window fails: later by a status, or in the answer.
    pub window: How,
    /// Statuses carry a `conversation`, as they did before v24.0.
    pub conversation: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Rules { per_second: Some(80), pair_burst: Some(45), pair_seconds: 6, window: How::Status, conversation: false }
    }
}

/// How a send fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// The call is answered 200, and a status says it later.
    #[default]
    Status,
    /// The call itself is refused.
    Response,
}

/// A send that is to fail.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Failure {
    /// Meta's number.
    pub code: i64,
    /// Its own sentence.
    pub details: Option<String>,
    /// Only to this phone.
    pub to: Option<String>,
    /// How.
    #[serde(default)]
    pub by: How,
    /// So many; 1 when left out.
    #[serde(default = "one")]
    pub count: u32,
}

fn one() -> u32 {
    1
}

/// A message template.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its account.
    pub waba: String,
    /// With the language, its name.
    pub name: String,
    /// `en_US`.
    pub language: String,
    /// `MARKETING`, `UTILITY`, `AUTHENTICATION`.
    pub category: String,
    /// The one before.
    pub previous_category: Option<String>,
    /// `APPROVED`…
    pub status: String,
    /// `POSITIONAL` or `NAMED`.
    pub format: String,
    /// As it was created.
    pub components: Vec<Value>,
    /// `GREEN`…
    pub quality: String,
    /// `NONE`…
    pub reason: String,
    /// Sends of it are held for a look at its quality.
    pub held: bool,
    /// When it was last edited, Unix ms with the skew in it.
    pub edited_ms: Option<i64>,
}

/// A file that Meta holds.
#[derive(Debug, Clone)]
pub struct Media {
    /// The account whose numbers may use it.
    pub waba: String,
    /// The number it came to or by.
    pub number: String,
    /// Its id on the world's shelf.
    pub file: String,
    /// As declared.
    pub mime: String,
    /// Unix ms with the skew in it.
    pub expires_ms: i64,
}

/// A file on its way up in pieces.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Whose.
    pub app: String,
    /// How long it will be.
    pub length: usize,
    /// Its type.
    pub mime: String,
    /// What is there.
    pub bytes: Vec<u8>,
}

/// All of it.
#[derive(Default)]
pub struct State {
    pub apps: BTreeMap<String, App>,
    pub tokens: BTreeMap<String, Token>,
    pub wabas: BTreeMap<String, Waba>,
    pub numbers: BTreeMap<String, Number>,
    pub templates: BTreeMap<String, Template>,
    pub media: BTreeMap<String, Media>,
    /// The order of `media`.
    pub shelf: VecDeque<String>,
    pub uploads: BTreeMap<String, Upload>,
    /// How far the test has moved the time ahead.
    pub skew_ms: i64,
}

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The app of the token.
    pub app: String,
    /// Which accounts; all when there is none.
    pub wabas: BTreeSet<String>,
    /// Its rights; an app's own token has none over accounts.
    pub scopes: Vec<String>,
}

impl Caller {
    /// Whether it has a right.
    pub fn needs(&self, scope: &str) -> Result<(), Refusal> {
        if self.scopes.iter().any(|own| own == scope) { Ok(()) } else { Err(Refusal::scope(scope)) }
    }

    /// Whether this account is within its reach.
    pub fn reaches(&self, waba: &str) -> bool {
        !self.scopes.is_empty() && (self.wabas.is_empty() || self.wabas.contains(waba))
    }
}

impl State {
    /// An account that the caller may see.
    pub fn waba(&mut self, caller: &Caller, method: &str, id: &str) -> Result<&mut Waba, Refusal> {
        let found = self.wabas.get_mut(id).filter(|_| caller.reaches(id));
        found.ok_or_else(|| Refusal::object(method, id))
    }

    /// A number that the caller may see.
    pub fn number(&mut self, caller: &Caller, method: &str, id: &str) -> Result<&mut Number, Refusal> {
        let found = self.numbers.get_mut(id).filter(|number| caller.reaches(&number.waba));
        found.ok_or_else(|| Refusal::object(method, id))
    }

    /// A template that the caller may see.
    pub fn template(&mut self, caller: &Caller, method: &str, id: &str) -> Result<&mut Template, Refusal> {
        let found = self.templates.get_mut(id).filter(|template| caller.reaches(&template.waba));
        found.ok_or_else(|| Refusal::object(method, id))
    }

    /// The portfolio of an account.
    pub fn business(&self, waba: &str) -> &str {
        self.wabas.get(waba).map_or("", |waba| &waba.business)
    }

    /// The time that windows, tokens, addresses of files and limits go by, Unix ms.
    pub fn now(&self, sim: &Sim) -> i64 {
        sim.now_ms() + self.skew_ms
    }

    /// Puts a file away under a new id.
    pub fn keep(&mut self, media: Media) -> String {
        const MANY: usize = 20_000;
        let id = new_id();
        self.media.insert(id.clone(), media);
        self.shelf.push_back(id.clone());
        if self.shelf.len() > MANY
            && let Some(oldest) = self.shelf.pop_front()
        {
            self.media.remove(&oldest);
        }
        id
    }
}

impl Number {
    /// Remembers a message that it sent.
    pub fn remember(&mut self, raw: &str, sent: Sent) {
        const MANY: usize = 20_000;
        if self.sent.insert(raw.to_owned(), sent).is_none() {
            self.order.push_back(raw.to_owned());
        }
        if self.order.len() > MANY
            && let Some(oldest) = self.order.pop_front()
        {
            self.sent.remove(&oldest);
        }
    }

    /// The failure that is set for a send to this phone, if any; it counts as done.
    pub fn fails(&mut self, phone: Option<&str>) -> Option<Failure> {
        let at = self.failures.iter().position(|failure| failure.to.is_none() || failure.to.as_deref() == phone)?;
        let failure = self.failures[at].clone();
        if failure.count <= 1 {
            self.failures.remove(at);
        } else {
            self.failures[at].count -= 1;
        }
        Some(failure)
    }

    /// `status`.
    pub fn status(&self) -> &str {
        self.status.as_deref().unwrap_or(if self.registered { "CONNECTED" } else { "DISCONNECTED" })
    }
}

/// A new id: sixteen digits.
pub fn new_id() -> String {
    rand::rng().random_range(100_000_000_000_000_u64..=9_007_199_254_740_991).to_string()
}

/// A token as they look.
pub fn new_token() -> String {
    format!("EAAG{}", letters(60, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"))
}
