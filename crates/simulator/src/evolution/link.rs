//! What a phone does with an instance: scan its code, type its pairing code, unlink it. Played by the control API.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{
    Gateway,
    instance::{Channel, Instance, Me, QR_LIMIT, Reason, State},
};
use crate::{
    link::{Links, Scan, View},
    sim::Sim,
    world::Refused,
};

/// How often an instance says that it connects while WhatsApp cannot be reached: ten times a second were seen.
const FLOOD: Duration = Duration::from_millis(100);

fn view(instance: &Instance) -> View {
    View {
        gateway: "evolution",
        name: instance.name.clone(),
        status: instance.state.name(),
        linked: instance.line().is_some(),
        phone: instance.me.as_ref().map(|me| me.phone.clone()),
        push_name: instance.me.as_ref().map(|me| me.push_name.clone()),
        qr: instance.qr.as_ref().map(|qr| qr.value.clone()),
        attempt: instance.qr.as_ref().map(|_| instance.count),
        attempts: QR_LIMIT,
        expires_at: instance.qr.as_ref().map(|qr| qr.expires_at_ms),
        pairing_code: instance.qr.as_ref().and_then(|qr| qr.pairing.clone()),
        pairing_phone: instance.qr.as_ref().and(instance.pairing_for.clone()),
        metadata: json!({}),
        hooks: instance.webhook.iter().map(|hook| hook.url.clone()).collect(),
    }
}

fn shows(instance: &Instance, scan: &Scan) -> bool {
    let plain = |code: &str| code.replace('-', "").to_uppercase();
    match (scan, &instance.qr) {
        (Scan::Of(name), _) => instance.name == *name,
        (_, None) => false,
        (Scan::Code(value), Some(qr)) => qr.value == *value,
        (Scan::Pairing(code), Some(qr)) => qr.pairing.as_ref().is_some_and(|shown| plain(shown) == plain(code)),
    }
}

impl Links for Gateway {
    fn views(&self) -> Vec<View> {
        self.state().values().map(view).collect()
    }

    fn view(&self, name: &str) -> Option<View> {
        self.state().get(name).map(view)
    }

    fn wanted(&self, scan: &Scan) -> Option<String> {
        self.state().values().find(|instance| shows(instance, scan)).map(|instance| instance.name.clone())
    }

    /// The code is taken: the connection ends (nobody is told), is made anew with the keys, and is open.
    fn scan(&self, sim: &Arc<Sim>, scan: &Scan, phone: &str, push_name: Option<&str>) -> Result<String, Refused> {
        let me = {
            let mut world = sim.world();
            world.line_mut(phone)?;
            let person = world.person_mut(phone)?;
            if let Some(name) = push_name {
                person.push_name = name.to_owned();
            }
            Me { phone: person.phone.clone(), push_name: person.push_name.clone() }
        };
        let mut state = self.state();
        let instance = state.values_mut().find(|instance| shows(instance, scan));
        let instance = instance.ok_or(Refused::Cannot("that code is not shown (any more)"))?;
        if instance.qr.is_none() {
            return Err(Refused::Cannot("that session does not wait for a scan"));
        }
        if matches!(scan, Scan::Pairing(_)) && instance.pairing_for.as_deref() != Some(phone) {
            return Err(Refused::Cannot("that pairing code is for another phone"));
        }
        (instance.me, instance.qr, instance.fresh) = (Some(me), None, true);
        self.connecting(sim, instance);
        self.go_on_later(sim, instance);
        Ok(instance.name.clone())
    }

    fn withdraw(&self, sim: &Arc<Sim>, name: &str) -> Result<(), Refused> {
        self.change(name, |instance| self.close(sim, instance, Reason::LOGGED_OUT))
    }

    fn expire_code(&self, sim: &Arc<Sim>, name: &str) -> Result<(), Refused> {
        self.change(name, |instance| {
            if instance.qr.is_some() {
                self.show_code(sim, instance);
            }
        })
    }

    /// `close` with a reason (401 when left out), `connecting`: it connects again, `unreachable`: it goes on saying that
    /// it connects, many times a second, until something else is said.
    fn force(&self, sim: &Arc<Sim>, name: &str, status: &str, reason: Option<u16>) -> Result<(), Refused> {
        self.change(name, |instance| {
            match status {
                "close" => self.close(sim, instance, reason.unwrap_or(Reason::LOGGED_OUT)),
                "connecting" => self.close(sim, instance, reason.unwrap_or(Reason::CONNECTION_CLOSED)),
                "unreachable" => {
                    self.connecting(sim, instance);
                    self.flood(sim, instance);
                }
                _ => return Err(Refused::Cannot("an instance can be made to close, be connecting or be unreachable")),
            }
            Ok(())
        })?
    }
}

impl Gateway {
    fn flood(&self, sim: &Arc<Sim>, instance: &Instance) {
        let (owner, name, epoch) = (sim.clone(), instance.name.clone(), instance.epoch);
        sim.spawn(async move {
            let mut goes_on = true;
            while goes_on {
                tokio::time::sleep(FLOOD).await;
                goes_on = owner
                    .evolution
                    .with(&name, |instance| {
                        let same = instance.epoch == epoch;
                        if same {
                            owner.evolution.tell_state(&owner, instance, Reason::NONE);
                        }
                        same
                    })
                    .unwrap_or(false);
            }
        });
    }

    fn change<T>(&self, name: &str, work: impl FnOnce(&mut Instance) -> T) -> Result<T, Refused> {
        let mut state = self.state();
        let instance = state.get_mut(name).filter(|instance| instance.channel == Channel::Baileys);
        instance.map(work).ok_or(Refused::Missing("such session"))
    }

    /// Whether it is linked and open: what is done on WhatsApp needs that. The words are those of the client inside.
    pub(super) fn ready(&self, name: &str, call: &str) -> Result<String, String> {
        let state = self.state();
        let instance = state.get(name);
        match instance {
            Some(instance) if instance.state == State::Open && instance.line().is_some() => {
                Ok(instance.line().unwrap_or_default().to_owned())
            }
            // The client is there, but its connection is not.
            Some(instance) if instance.client => Err("Connection Closed".into()),
            _ => Err(super::answer::Refusal::no_client(call)),
        }
    }
}
