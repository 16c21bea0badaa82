//! Messages that our own number sent while one of ours was being handed to the gateway: perhaps the echo of that one. They wait until
//! the gateway has answered. Then they are known for ours by their id, or become messages from the phone.
use super::{inbound, store};
use crate::{
    Result,
    db::TenantTx,
    instances::InstanceId,
    jobs::{self, Job, JobCx, JobError},
};
use indaba_providers::{Incoming, Message};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longer than a gateway takes to answer a send.
const WAIT: Duration = Duration::from_secs(90);

/// Keeps a message back.
pub fn park(tx: &mut TenantTx, instance: InstanceId, message: &Message) -> Result<()> {
    let payload =
        serde_json::to_string(&Incoming::Message(Box::new(message.clone()))).expect("the vocabulary is plain JSON");
    store::park(tx, &[(instance, message.provider_id.clone(), payload)])?;
    let job = ReleaseEcho { instance, provider_id: message.provider_id.clone() };
    jobs::enqueue_at(tx, &job, tx.now() + WAIT)
}

/// Looks again at a message that was kept back.
#[derive(Serialize, Deserialize)]
pub struct ReleaseEcho {
    /// On this number.
    pub instance: InstanceId,
    /// The message.
    pub provider_id: String,
}

impl Job for ReleaseEcho {
    const KIND: &'static str = "message.echo";

    fn unique(&self) -> Option<String> {
        Some(format!("{} {}", self.instance, self.provider_id))
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let (instance, id) = (self.instance, self.provider_id.clone());
        cx.write(move |tx| {
            let parked = store::unpark(tx, &[(instance, &id)])?;
            let mut parked: Vec<Incoming> =
                parked.iter().filter_map(|(_, payload)| serde_json::from_str(payload).ok()).collect();
            for incoming in &mut parked {
                if let Incoming::Message(message) = incoming {
                    message.origin = Some(indaba_providers::Origin::App); // it has waited long enough to be somebody else's
                }
            }
            let told: Vec<inbound::Told> = parked.iter().map(|incoming| inbound::Told { instance, incoming }).collect();
            inbound::receive(tx, &told)
        })
        .await?;
        Ok(())
    }
}
