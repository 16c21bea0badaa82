//! What all parts share: the world, the gateways, faults, the recording, and the clockwork between them.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{
    Config, Step,
    bell::Bell,
    cloud, evolution,
    faults::Faults,
    hooks::Courier,
    phone,
    recording::Recording,
    waha,
    world::{Happening, Message, Refused, World, ack},
};

/// One running simulator, inside.
pub struct Sim {
    pub(crate) config: Config,
    world: Mutex<World>,
    pub(crate) waha: waha::Gateway,
    pub(crate) evolution: evolution::Gateway,
    pub(crate) cloud: cloud::Gateway,
    pub(crate) faults: Faults,
    pub(crate) recording: Recording,
    pub(crate) hooks: Courier,
    pub(crate) bell: Bell,
    pub(crate) loads: crate::control::Loads,
    pub(crate) closed: CancellationToken,
}

impl Sim {
    pub(crate) fn new(config: Config) -> anyhow::Result<Arc<Sim>> {
        Ok(Arc::new(Sim {
            world: Mutex::new(World::new(config.clock.clone(), config.acks)),
            waha: waha::Gateway::new(&config),
            evolution: evolution::Gateway::default(),
            cloud: cloud::Gateway::default(),
            faults: Faults::default(),
            recording: Recording::default(),
            hooks: Courier::new(config.second)?,
            bell: Bell::default(),
            loads: crate::control::Loads::default(),
            closed: CancellationToken::new(),
            config,
        }))
    }

    /// The world, locked. Never hold it across an await; never take it while holding a gateway's own lock.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    pub(crate) fn now_ms(&self) -> i64 {
        (self.config.clock)()
    }

    /// `n` of the gateway's seconds.
    pub(crate) fn seconds(&self, n: u64) -> Duration {
        self.config.second.saturating_mul(u32::try_from(n).unwrap_or(u32::MAX))
    }

    /// Runs a task that ends with the simulator.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let closed = self.closed.clone();
        tokio::spawn(async move {
            tokio::select! { () = work => {}, () = closed.cancelled() => {} }
        });
    }

    /// Does something on a line, and tells every gateway and page what happened, in that order.
    pub(crate) fn act<T>(
        self: &Arc<Self>,
        line: &str,
        deed: impl FnOnce(&mut World, &mut Vec<Happening>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let mut world = self.world();
        let mut happened = Vec::new();
        let done = deed(&mut world, &mut happened);
        for happening in &happened {
            self.waha.tell(self, &world, line, happening);
            self.evolution.tell(self, &world, line, happening);
            self.cloud.tell(self, &world, line, happening);
            self.bell.ring(&phone::news(&world, line, happening));
        }
        done
    }

    /// Lets the ticks of a message the business has sent move as its policy says.
    pub(crate) fn move_ticks(self: &Arc<Self>, line: &str, message: &Message) {
        let (policy, exists) = {
            let world = self.world();
            let exists = message.chat.phone().is_none_or(|phone| world.person(phone).exists);
            (world.policy(line, message), exists)
        };
        let mut steps = Vec::new();
        if !exists {
            // Our choice: WhatsApp's server answers a message to nobody with an error.
            steps.push((ack::ERROR, 20));
        }
        let voice = World::can_be_played(message);
        for (to, step) in [
            (ack::SERVER, policy.server),
            (ack::DEVICE, policy.device),
            (ack::READ, policy.read),
            (ack::PLAYED, policy.played),
        ] {
            match step {
                Step::After(_) if to == ack::PLAYED && !voice => break,
                Step::After(ms) => steps.push((to, ms)),
                // A tick that is held also holds those after it.
                Step::Open | Step::Held => break,
            }
        }
        if steps.is_empty() {
            return;
        }
        let (sim, line, id) = (self.clone(), line.to_owned(), message.id.clone());
        self.spawn(async move {
            for (to, ms) in steps {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                // Gone or already further: nothing to do.
                let _ = sim.act(&line, |world, out| world.ack(&line, &id, to, None, out));
            }
        });
    }

    /// Back to an empty world: no sessions, no people, no faults, nothing recorded.
    pub(crate) fn reset(&self) {
        self.waha.clear();
        self.evolution.clear();
        self.cloud.clear();
        self.faults.clear();
        self.recording.clear();
        self.hooks.clear();
        self.loads.clear();
        self.world().clear();
        self.bell.ring(&serde_json::json!({"kind": "reset"}));
    }
}
