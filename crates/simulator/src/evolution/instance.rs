//! An instance: its state, what it is linked to, and how both move.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Gateway, hook::Webhook};
use crate::{code, sim::Sim, world::World};

/// How many codes are shown before the instance gives up.
pub const QR_LIMIT: u32 = 30;

/// The state of an instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// Not running.
    #[default]
    Close,
    /// On the way, or showing codes.
    Connecting,
    /// Linked.
    Open,
}

impl State {
    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            State::Close => "close",
            State::Connecting => "connecting",
            State::Open => "open",
        }
    }
}

/// The library's number for why a connection ended.
pub struct Reason;

impl Reason {
    /// Nothing is wrong.
    pub const NONE: u16 = 200;
    /// The owner unlinked the device.
    pub const LOGGED_OUT: u16 = 401;
    /// Nobody scanned a code.
    pub const CONNECTION_CLOSED: u16 = 428;
    /// The keys are of no use.
    pub const BAD_SESSION: u16 = 500;

    /// Whether the server gives up: with any other reason it connects again at once, and says only that.
    pub fn is_final(reason: u16) -> bool {
        matches!(reason, 401 | 402 | 403 | 406)
    }
}

/// Which channel it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A linked device.
    Baileys,
    /// Meta's own API behind it.
    Business,
    /// Whoever posts to `/webhook/evolution`.
    Evolution,
}

impl Channel {
    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Baileys => "WHATSAPP-BAILEYS",
            Channel::Business => "WHATSAPP-BUSINESS",
            Channel::Evolution => "EVOLUTION",
        }
    }

    /// The channel of a word.
    pub fn parse(word: &str) -> Option<Channel> {
        [Channel::Baileys, Channel::Business, Channel::Evolution].into_iter().find(|channel| channel.name() == word)
    }
}

/// The account it is linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Digits.
    pub phone: String,
    /// What the business calls itself.
    pub push_name: String,
}

/// A code on the screen.
#[derive(Debug, Clone)]
pub struct Qr {
    /// What is drawn.
    pub value: String,
    /// The same to be typed, if it was begun with a number.
    pub pairing: Option<String>,
    /// When it is renewed.
    pub expires_at_ms: i64,
}

/// An instance.
pub struct Instance {
    pub name: String,
    pub id: String,
    pub token: String,
    pub channel: Channel,
    /// Of create: the phone to pair with, or the number of the channel.
    pub number: Option<String>,
    pub business_id: Option<String>,
    pub webhook: Option<Webhook>,
    pub settings: Value,
    pub state: State,
    /// Whether a client inside was ever made: without one, calls end in another way.
    pub client: bool,
    /// Keys of this phone.
    pub me: Option<Me>,
    pub qr: Option<Qr>,
    /// How many codes were shown.
    pub count: u32,
    /// Digits that asked for a pairing code.
    pub pairing_for: Option<String>,
    /// Why and when it was closed for good.
    pub ended: Option<(u16, i64)>,
    pub created_ms: i64,
    pub updated_ms: i64,
    /// Counts connections: a timer of an earlier one does nothing.
    pub epoch: u64,
    /// Contacts it has told of, with the name it told.
    pub contacts: BTreeMap<String, String>,
    /// It was scanned and has not been open since: the first time, what is there is told.
    pub fresh: bool,
    /// Messages the API is just acting on: what comes of it is told otherwise than what a phone does.
    pub doing: HashSet<String>,
}

impl Instance {
    /// Our own JID, once linked.
    pub fn own_jid(&self) -> Option<String> {
        self.me.as_ref().map(|me| format!("{}@s.whatsapp.net", me.phone))
    }

    /// The phone whose chats it sees.
    pub fn line(&self) -> Option<&str> {
        match self.channel {
            Channel::Baileys => self.me.as_ref().filter(|_| self.state == State::Open).map(|me| me.phone.as_str()),
            _ => self.number.as_deref(),
        }
    }

    /// One of its settings.
    pub fn setting(&self, name: &str) -> bool {
        self.settings[name] == true
    }

    /// What `connect` answers while it shows codes.
    pub fn qr_json(&self) -> Value {
        match &self.qr {
            Some(qr) => json!({
                "pairingCode": qr.pairing,
                "code": qr.value,
                "base64": picture(&qr.value),
                "count": self.count,
            }),
            None => json!({"count": self.count}),
        }
    }

    /// `connectionState`.
    pub fn state_json(&self) -> Value {
        json!({"instance": {"instanceName": self.name, "state": self.state.name()}})
    }

    /// A row of the database: the same for the same thing.
    pub fn row(&self, of: &str) -> String {
        row(&self.id, of)
    }
}

/// An id of the database's kind: `c` and 24 letters and digits. Made of what it is for, so that it stays.
pub fn row(instance: &str, of: &str) -> String {
    const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let hash = Sha256::digest(format!("{instance} {of}"));
    std::iter::once('c').chain(hash.iter().take(24).map(|byte| char::from(LETTERS[usize::from(byte % 36)]))).collect()
}

/// A code as a picture in an address.
fn picture(value: &str) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(code::draw(value)))
}

impl Gateway {
    /// Connects: CONNECTING now; after a while OPEN with the keys it has, or a code. `asks` begins with a number to type
    /// a code on.
    pub(super) fn connect(&self, sim: &Arc<Sim>, instance: &mut Instance, asks: Option<String>) {
        (instance.count, instance.qr, instance.client) = (0, None, true);
        instance.pairing_for = asks;
        self.connecting(sim, instance);
        self.go_on_later(sim, instance);
    }

    /// CONNECTING, and told.
    pub(super) fn connecting(&self, sim: &Arc<Sim>, instance: &mut Instance) {
        instance.epoch += 1;
        instance.state = State::Connecting;
        self.tell_state(sim, instance, Reason::NONE);
    }

    /// From CONNECTING to what the keys allow.
    pub(super) fn go_on_later(&self, sim: &Arc<Sim>, instance: &Instance) {
        let (owner, name, epoch) = (sim.clone(), instance.name.clone(), instance.epoch);
        sim.spawn(async move {
            tokio::time::sleep(owner.config.link_delay).await;
            // The world first: what is opened tells what is in it.
            let world = owner.world();
            owner.evolution.of(&name, epoch, |instance| match instance.me {
                Some(_) => owner.evolution.open(&owner, &world, instance),
                None => owner.evolution.show_code(&owner, instance),
            });
        });
    }

    fn open(&self, sim: &Arc<Sim>, world: &World, instance: &mut Instance) {
        let Some(me) = instance.me.clone() else { return };
        (instance.state, instance.qr, instance.pairing_for, instance.ended) = (State::Open, None, None, None);
        instance.updated_ms = sim.now_ms();
        let data = json!({
            "instance": instance.name,
            "wuid": instance.own_jid(),
            "profileName": me.push_name,
            "profilePictureUrl": null,
            "state": "open",
            "statusReason": Reason::NONE,
        });
        self.emit(sim, instance, "connection.update", &data, None);
        if std::mem::take(&mut instance.fresh) {
            self.tell_history(sim, world, instance);
        }
        self.ring(sim, instance);
    }

    /// Shows the next code; after the last one nobody is waited for any more.
    pub(super) fn show_code(&self, sim: &Arc<Sim>, instance: &mut Instance) {
        if instance.count >= QR_LIMIT {
            let limit =
                json!({"message": "QR code limit reached, please login again", "statusCode": Reason::BAD_SESSION});
            self.emit(sim, instance, "qrcode.updated", &limit, None);
            let data = json!({
                "instance": instance.name, "state": "refused", "statusReason": Reason::CONNECTION_CLOSED,
                "profileName": null,
            });
            self.emit(sim, instance, "connection.update", &data, None);
            instance.epoch += 1;
            (instance.state, instance.qr, instance.count) = (State::Close, None, 0);
            return self.ring(sim, instance);
        }
        let life = sim.config.evolution_qr_life;
        let life_ms = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
        instance.count += 1;
        let qr = Qr {
            value: code::scan(),
            pairing: instance.pairing_for.as_ref().map(|_| code::pairing()),
            expires_at_ms: sim.now_ms().saturating_add(life_ms),
        };
        let shown = json!({"qrcode": {
            "instance": instance.name, "pairingCode": qr.pairing, "code": qr.value, "base64": picture(&qr.value),
        }});
        instance.qr = Some(qr);
        self.emit(sim, instance, "qrcode.updated", &shown, None);
        self.ring(sim, instance);
        let (owner, name, epoch, count) = (sim.clone(), instance.name.clone(), instance.epoch, instance.count);
        sim.spawn(async move {
            tokio::time::sleep(life).await;
            owner.evolution.of(&name, epoch, |instance| {
                // Unless somebody has asked for the next one before.
                if instance.count == count && instance.qr.is_some() {
                    owner.evolution.show_code(&owner, instance);
                }
            });
        });
    }

    /// The connection ends. A final reason forgets the phone and is told three times over; with any other the server
    /// connects again at once.
    pub(super) fn close(&self, sim: &Arc<Sim>, instance: &mut Instance, reason: u16) {
        if !Reason::is_final(reason) {
            self.connecting(sim, instance);
            return self.go_on_later(sim, instance);
        }
        let at_ms = sim.now_ms();
        instance.epoch += 1;
        let object = json!({"error": {"output": {"statusCode": reason}}, "date": iso(at_ms)}).to_string();
        let ended = json!({
            "instance": instance.name, "status": "closed", "disconnectionAt": iso(at_ms),
            "disconnectionReasonCode": reason, "disconnectionObject": object,
        });
        self.emit(sim, instance, "status.instance", &ended, None);
        self.emit(sim, instance, "logout.instance", &Value::Null, None);
        (instance.state, instance.qr, instance.count) = (State::Close, None, 0);
        (instance.ended, instance.updated_ms) = (Some((reason, at_ms)), at_ms);
        self.tell_state(sim, instance, reason);
        // Only now: the hooks above still come from who it was.
        instance.me = None;
        self.ring(sim, instance);
    }

    pub(super) fn tell_state(&self, sim: &Arc<Sim>, instance: &Instance, reason: u16) {
        let data = json!({"instance": instance.name, "state": instance.state.name(), "statusReason": reason});
        self.emit(sim, instance, "connection.update", &data, None);
        self.ring(sim, instance);
    }

    /// Tells open pages.
    pub(super) fn ring(&self, sim: &Sim, instance: &Instance) {
        sim.bell.ring(&json!({"kind": "session", "name": instance.name, "status": instance.state.name()}));
    }

    /// Does something with an instance, if it is still the same connection.
    fn of(&self, name: &str, epoch: u64, work: impl FnOnce(&mut Instance)) {
        if let Some(instance) = self.state().get_mut(name).filter(|instance| instance.epoch == epoch) {
            work(instance);
        }
    }
}

/// A time as JavaScript writes it.
pub fn iso(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}
