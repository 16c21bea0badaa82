//! The commonest failure of gateways: connected, and deaf. A number of which nothing was heard for a while is asked whether it has
//! messages that we do not; then they are fetched, and the number is restarted.
use super::{history::FillGap, store};
use crate::{
    Error,
    clock::Time,
    id::TenantId,
    instances::{self, InstanceId, State},
    jobs::{self, Job, JobCx, JobError, New},
};
use indaba_providers::History;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A number that has said nothing for so long is asked.
const SILENT: Duration = Duration::from_secs(10 * 60);
/// A restart takes the number off the line for seconds, and is no cure when the fault is elsewhere.
const RESTARTS: Duration = Duration::from_secs(60 * 60);
/// The hook of a message that is younger may still be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(2 * 60);
/// The newest messages that are looked at.
const NEWEST: u32 = 20;

/// Every ten minutes: one [`Watch`] for each number that is connected and silent.
#[derive(Serialize, Deserialize)]
pub struct WatchAll {}

impl Job for WatchAll {
    const KIND: &'static str = "instances.watch";
    const ATTEMPTS: u32 = 1;

    fn unique(&self) -> Option<String> {
        Some(String::new())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let (db, before) = (&cx.app.db, cx.app.clock.now() - SILENT);
        let mut after = InstanceId::NIL;
        loop {
            let silent = move |tx: &mut crate::db::SystemRead| instances::silent(tx, before, after, 500);
            let page: Vec<(TenantId, InstanceId)> = db.system_read("watch silent numbers", silent).await?;
            let Some((_, last)) = page.last().copied() else { return Ok(()) };
            after = last;
            let jobs: Vec<(TenantId, New)> =
                page.into_iter().map(|(tenant, instance)| (tenant, New::of(&Watch { instance }))).collect();
            db.system("watch silent numbers", move |tx| jobs::enqueue_across(tx, &jobs)).await?;
        }
    }
}

/// Asks a silent number whether it is deaf.
#[derive(Serialize, Deserialize)]
pub struct Watch {
    /// Which.
    pub instance: InstanceId,
}

impl Job for Watch {
    const KIND: &'static str = "instance.watch";
    const ATTEMPTS: u32 = 1; // in ten minutes again

    fn unique(&self) -> Option<String> {
        Some(self.instance.to_string())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let (id, now) = (self.instance, cx.app.clock.now());
        let found = cx.read(move |tx| Ok((instances::get(tx, id)?, store::hooks::are_waiting(tx, id)?))).await;
        let (row, behind_already) = match found {
            Err(Error::Missing) => return Ok(()),
            other => other?,
        };
        let since = row.last_hook_at.unwrap_or(row.created_at);
        if row.state != State::Connected || now.since(since) < SILENT || behind_already {
            return Ok(());
        }
        let reach = instances::reach(&cx.app, cx.tenant, id).await?;
        if !reach.capabilities.history || !self.missed(cx, &reach, since).await? {
            return Ok(());
        }
        if cx.read(move |tx| store::hooks::are_waiting(tx, id)).await? {
            return Ok(()); // it has just come in
        }
        metrics::counter!("indaba_deaf_numbers_total", "provider" => reach.provider.kind()).increment(1);
        tracing::warn!(instance.id = %id, "{id} is connected, but its gateway told nothing of its newest messages");
        cx.write(move |tx| jobs::enqueue(tx, &FillGap { instance: id, since: Some(since) })).await?;
        if !instances::restart_deaf(&cx.app, cx.tenant, id, &reach, RESTARTS).await? {
            tracing::warn!(instance.id = %id, "a restart did not help {id}: can its gateway reach us?");
        }
        Ok(())
    }
}

impl Watch {
    /// Whether somebody wrote of whom nothing is here.
    async fn missed(&self, cx: &JobCx, reach: &instances::Reach, since: Time) -> Result<bool, JobError> {
        let of = History { since: Some(since.0), limit: NEWEST, ..History::default() };
        let newest = match reach.provider.history(&reach.link, &of).await {
            Ok(page) => page.items,
            Err(e) => {
                tracing::debug!(instance.id = %self.instance, "a silent number could not be asked: {e}");
                return Ok(false); // that it does not answer shows in its gateway's health
            }
        };
        let young = (cx.app.clock.now() - ON_ITS_WAY).0;
        let theirs = newest.into_iter().filter(|message| !message.from_me && message.at.is_none_or(|at| at < young));
        let wrote: Vec<String> = theirs.map(|message| message.provider_id).collect();
        let instance = self.instance;
        let all_are_here = cx.read(move |tx| {
            let keys: Vec<_> = wrote.iter().map(|id| (instance, id.as_str())).collect();
            Ok(store::have(tx, &keys)? == keys.len())
        });
        Ok(!all_are_here.await?)
    }
}
