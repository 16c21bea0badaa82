//! Events are kept for a week: longer than any browser stays away and comes back to the same page.
use super::store;
use crate::{
    id::TenantId,
    jobs::{Job, JobCx, JobError, Priority},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const KEPT: Duration = Duration::from_secs(7 * 86_400);

/// Deletes the events of all tenants that are older than a week, a few hundred at a time.
#[derive(Serialize, Deserialize)]
pub struct Tidy {}

impl Job for Tidy {
    const KIND: &'static str = "events.tidy";
    const PRIORITY: Priority = Priority::Campaign;
    const TIMEOUT: Duration = Duration::from_secs(3600);

    fn lane(&self) -> Option<String> {
        Some("tidy".into())
    }

    fn unique(&self) -> Option<String> {
        Some(String::new())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let (db, end) = (&cx.app.db, cx.app.clock.now() - KEPT);
        let mut from = TenantId::NIL;
        loop {
            let tenants = db.system_read("find events to tidy", move |tx| store::tenants(tx, from, 100)).await?;
            let Some(last) = tenants.last() else { return Ok(()) };
            from = *last;
            for tenant in tenants {
                if db.read(tenant, store::oldest).await?.is_some_and(|at| at < end) {
                    while db.write(tenant, move |tx| store::forget(tx, end)).await? == 500 {}
                }
            }
        }
    }
}
