//! Who writes: what gateways tell of people, and what becomes of conversations when two contacts turn out to be one.
use super::{Message, inbound::Told, store};
use crate::{
    Result,
    contacts::{self, Sighting},
    conversations::{self, ConversationId},
    db::TenantTx,
    events,
    instances::InstanceId,
    jobs::{self, Job, JobCx, JobError},
};
use indaba_providers::{Incoming, Person};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;

/// What the address book says of contacts we have.
pub(super) fn told(tx: &mut TenantTx, told: &[Told]) -> Result<()> {
    let mut seen: Vec<(InstanceId, Person)> = Vec::new();
    for one in told {
        let (chat, mut person) = match one.incoming {
            Incoming::Contact(contact) => (&contact.chat, contact.person.clone()),
            Incoming::Rekeyed(rekeyed) => {
                let found = contacts::rekey(tx, one.instance, rekeyed)?;
                fold(tx, &found.merged, &mut HashMap::new())?;
                continue;
            }
            Incoming::Preference(preference) => {
                contacts::prefer(tx, one.instance, &preference.person, preference.opted_out)?;
                continue;
            }
            _ => continue,
        };
        person.learn(chat);
        if chat.is_person() {
            seen.push((one.instance, person));
        }
    }
    if seen.is_empty() {
        return Ok(());
    }
    let sightings: Vec<Sighting> =
        seen.iter().map(|(instance, person)| Sighting { instance: *instance, person, wrote: false }).collect();
    let found = contacts::recognise_known(tx, &sightings)?;
    fold(tx, &found.merged, &mut HashMap::new())
}

/// Names that people gave up. Only now: what they wrote under them may have come in the same breath.
pub(super) fn old_names(
    tx: &mut TenantTx,
    told: &[Told],
    known: &mut HashMap<(InstanceId, String), Message>,
) -> Result<()> {
    for one in told {
        let Incoming::Rekeyed(rekeyed) = one.incoming else { continue };
        // a stranger until just now: who first wrote in this breath has the new name, too
        let found = contacts::rekey(tx, one.instance, rekeyed)?;
        fold(tx, &found.merged, known)?;
        if let Some(contact) = contacts::leave_name(tx, one.instance, rekeyed)? {
            conversations::readdress(tx, contact, rekeyed.from.as_str(), rekeyed.to.as_str())?;
        }
    }
    Ok(())
}

/// Two contacts became one: their conversations on the same number too.
pub(super) fn fold(
    tx: &mut TenantTx,
    merged: &[(contacts::ContactId, contacts::ContactId)],
    known: &mut HashMap<(InstanceId, String), Message>,
) -> Result<()> {
    for (from, into) in merged {
        for (gone, stays) in conversations::merge_contact(tx, *from, *into)? {
            for message in known.values_mut().filter(|message| message.conversation_id == gone) {
                message.conversation_id = stays;
            }
            if store::fold(tx, gone, stays)? >= 500 {
                jobs::enqueue(tx, &FoldConversation { gone, stays })?;
            }
            let place = conversations::get(tx, stays)?;
            let patch = json!({ "conversation": place.view(), "gone": gone });
            events::append(tx, "conversation.merged", &conversations::ids(&place), &patch)?;
        }
    }
    Ok(())
}

/// Moves the messages of a conversation that became part of another, 500 at a time.
#[derive(Serialize, Deserialize)]
pub struct FoldConversation {
    /// From here.
    pub gone: ConversationId,
    /// To here.
    pub stays: ConversationId,
}

impl Job for FoldConversation {
    const KIND: &'static str = "conversation.fold";

    fn unique(&self) -> Option<String> {
        Some(self.gone.to_string())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let (gone, stays) = (self.gone, self.stays);
        while cx.write(move |tx| store::fold(tx, gone, stays)).await? >= 500 {}
        Ok(())
    }
}
