//! What numbers do in the background: the minute's look at each, and taking leave of a gateway.
use super::{GatewayId, InstanceId, gateways, heard, link, reach, store};
use crate::{
    Result,
    clock::Time,
    db::TenantTx,
    id::TenantId,
    jobs::{self, Job, JobCx, JobError, New, Priority},
};
use futures_util::{StreamExt, stream};
use indaba_providers::{CallError, Reason, Session, SessionState};
use serde::{Deserialize, Serialize};

/// Asks the gateway how one number is doing. Hooks tell it at once; this is the net below them.
#[derive(Serialize, Deserialize)]
pub struct SyncStatus {
    /// Which.
    pub instance: InstanceId,
    /// It was connected, and dipped at this moment.
    #[serde(default)]
    pub dip: Option<Time>,
}

impl Job for SyncStatus {
    const KIND: &'static str = "instance.sync_status";
    const ATTEMPTS: u32 = 1; // the next minute tries again

    fn unique(&self) -> Option<String> {
        let why = if self.dip.is_some() { " dip" } else { "" };
        Some(format!("{}{why}", self.instance))
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        match look(&cx.app, cx.tenant, self.instance, self.dip).await {
            Ok(()) | Err(crate::Error::Missing) => Ok(()),
            Err(_) => Ok(()), // noted at the gateway's health; a dead job a minute would help nobody
        }
    }
}

/// Looks at a number again.
pub(super) fn look_again(tx: &mut TenantTx, instance: InstanceId, at: Time) -> Result<()> {
    jobs::enqueue_at(tx, &SyncStatus { instance, dip: None }, at)
}

/// Looks whether a number that dipped has come back.
pub(super) fn look_after_dip(tx: &mut TenantTx, instance: InstanceId, dip: Time, at: Time) -> Result<()> {
    jobs::enqueue_at(tx, &SyncStatus { instance, dip: Some(dip) }, at)
}

/// Every minute: one [`SyncStatus`] for each number, and a look at each gateway.
#[derive(Serialize, Deserialize)]
pub struct Reconcile {}

impl Job for Reconcile {
    const KIND: &'static str = "instances.reconcile";
    const ATTEMPTS: u32 = 1;

    fn unique(&self) -> Option<String> {
        Some(String::new())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let mut after = InstanceId::NIL;
        loop {
            let page: Vec<(TenantId, InstanceId)> =
                cx.app.db.system_read("reconcile numbers", move |tx| store::every(tx, after, 500)).await?;
            let Some((_, last)) = page.last().copied() else { break };
            after = last;
            let jobs: Vec<(TenantId, New)> = page
                .into_iter()
                .map(|(tenant, instance)| (tenant, New::of(&SyncStatus { instance, dip: None })))
                .collect();
            cx.app.db.system("reconcile numbers", move |tx| jobs::enqueue_across(tx, &jobs)).await?;
        }
        let all = cx.app.db.system_read("reconcile numbers", gateways::store::every).await?;
        let looks = all.into_iter().map(|(gateway,)| gateways::check(&cx.app, gateway));
        // each is looked at, whatever became of another
        let looked: Vec<Result<()>> = stream::iter(looks).buffer_unordered(8).collect().await;
        Ok(looked.into_iter().collect::<Result<()>>()?)
    }
}

/// Deletes a number at a gateway it has left: it was deleted here, or moved.
#[derive(Serialize, Deserialize)]
pub struct Leave {
    /// Where it was.
    pub gateway: GatewayId,
    /// As what the gateway knew it.
    pub external_name: String,
    /// Which it was, if it was deleted: at Meta its own token opens the door.
    #[serde(default)]
    pub instance: Option<InstanceId>,
}

impl Job for Leave {
    const KIND: &'static str = "instance.leave";
    const ATTEMPTS: u32 = 12;
    const PRIORITY: Priority = Priority::Campaign;

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let gateway = match gateways::open(&cx.app, self.gateway).await {
            Err(crate::Error::Missing) => return Ok(()), // the gateway is gone too
            other => other?,
        };
        let provider = gateways::provider(&gateway.keys.kind).map_err(|e| JobError::Fail(e.to_string()))?;
        let mut link = gateway.link(&cx.app, &self.external_name)?;
        if let Some(id) = self.instance.filter(|_| provider.own_keys()) {
            let left = cx.read(move |tx| store::left(tx, id)).await?;
            let (app, name) = (left.app_key.unwrap_or_default(), self.external_name.clone());
            let again = cx.app.db.system_read("route a hook", move |tx| store::by_app(tx, &app, &name)).await?;
            if !again.is_empty() {
                return Ok(()); // it was added anew meanwhile: its hooks are that one's
            }
            let own = link::InstanceSecrets::open(&cx.app, cx.tenant, id, &left.secrets)?;
            own.complete(&mut link, &left.settings, left.account);
        }
        match provider.delete(&link).await {
            // without a key nothing can be done there any more
            Err(CallError::Denied(_)) if provider.own_keys() => Ok(()),
            Ok(()) | Err(CallError::Gone) => Ok(()),
            Err(e) => Err(JobError::Retry(e.to_string())),
        }
    }
}

/// One look at a number: what the gateway says is taken in. One that the gateway has forgotten is told as signed out.
pub(super) async fn look(
    app: &crate::app::App,
    tenant: TenantId,
    instance: InstanceId,
    dip: Option<Time>,
) -> Result<()> {
    let reach = reach(app, tenant, instance).await?;
    let session = match reach.provider.status(&reach.link).await {
        Ok(session) => session,
        Err(CallError::Gone) => Session { state: SessionState::Disconnected, ..Session::default() },
        Err(CallError::Denied(_)) => {
            let reason = if reach.provider.own_keys() { Reason::Token } else { Reason::Key };
            Session { state: SessionState::Attention, reason: Some(reason), ..Session::default() }
        }
        Err(e) => return Err(link::problem(e)),
    };
    let known = reach.state_at;
    app.db.write(tenant, move |tx| heard::answered_after(tx, instance, &session, known, dip)).await
}
