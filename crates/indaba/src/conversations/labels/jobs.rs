//! A deleted label leaves the conversations that carry it.
use super::{LabelId, store};
use crate::{
    conversations::{self, Conversation},
    db::TenantTx,
    jobs::{Job, JobCx, JobError, Priority},
};
use serde::{Deserialize, Serialize};

/// How many conversations one transaction changes.
const STEP: i64 = 500;

/// Takes a deleted label off its conversations, some hundred at a time, and then forgets it. No browser is told: none shows it any more.
#[derive(Serialize, Deserialize)]
pub struct ForgetLabel {
    /// Which.
    pub label: LabelId,
}

impl Job for ForgetLabel {
    const KIND: &'static str = "label.forget";
    const PRIORITY: Priority = Priority::Campaign;

    fn unique(&self) -> Option<String> {
        Some(self.label.to_string())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let label = self.label;
        while cx.write(move |tx| step(tx, label)).await? {}
        Ok(())
    }
}

/// True: there may be more.
fn step(tx: &mut TenantTx, label: LabelId) -> crate::Result<bool> {
    let mut ids = store::carriers(tx, label, STEP)?;
    if ids.is_empty() {
        store::forget(tx, label)?;
        return Ok(false);
    }
    ids.sort_unstable(); // everybody locks them in this order
    let before = conversations::store::locked(tx, &ids)?;
    let mut after: Vec<Conversation> = before.clone();
    after.iter_mut().for_each(|of| of.drop_label(label));
    conversations::save(tx, &before, &after)?;
    // also where the conversation did not say that it carries it: else this would find the same rows for ever
    store::take_off(tx, &ids.iter().map(|id| (*id, label)).collect::<Vec<_>>())?;
    Ok(true)
}
