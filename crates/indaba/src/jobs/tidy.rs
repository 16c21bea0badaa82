//! Finished jobs stay for a day, dead ones for a month.
use super::{Job, JobCx, JobError, JobId, Priority, store};
use crate::id::TenantId;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const FINISHED: Duration = Duration::from_secs(86_400);
const DEAD: Duration = Duration::from_secs(30 * 86_400);

/// Deletes jobs that finished long ago, a few hundred at a time.
#[derive(Serialize, Deserialize)]
pub struct Tidy {}

impl Job for Tidy {
    const KIND: &'static str = "jobs.tidy";
    const PRIORITY: Priority = Priority::Campaign;
    const TIMEOUT: Duration = Duration::from_secs(3600);

    fn lane(&self) -> Option<String> {
        Some("tidy".into())
    }

    fn unique(&self) -> Option<String> {
        Some(String::new())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let (db, now) = (&cx.app.db, cx.app.clock.now());
        let (finished, dead) = (now - FINISHED, now - DEAD);
        let mut tenant = Some(TenantId::NIL);
        while let Some(of) = tenant {
            let mut from = Some(JobId::NIL);
            while let Some(id) = from {
                // what is younger than a day cannot have finished before that
                from = db.system("tidy jobs", move |tx| store::forget(tx, of, id, finished, dead)).await?;
            }
            tenant = db.system_read("find jobs to tidy", move |tx| store::next_tenant(tx, of)).await?;
        }
        Ok(())
    }
}
