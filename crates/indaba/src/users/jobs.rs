//! What is over is forgotten: sign-ins that nobody came back to, invitations that lapsed, answers kept for repeated requests.
use super::store;
use crate::{
    http::idempotency,
    jobs::{Job, JobCx, JobError, Priority},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Deletes what is over, a few hundred at a time.
#[derive(Serialize, Deserialize)]
pub struct Tidy {}

impl Job for Tidy {
    const KIND: &'static str = "people.tidy";
    const PRIORITY: Priority = Priority::Campaign;
    const TIMEOUT: Duration = Duration::from_secs(3600);

    fn unique(&self) -> Option<String> {
        Some(String::new())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let db = &cx.app.db;
        while db.system("tidy up after people", store::sweep_sign_ins).await? > 0 {}
        while db.system("tidy up after people", store::sweep_invitations).await? > 0 {}
        while db.system("tidy up after people", idempotency::sweep).await? > 0 {}
        Ok(())
    }
}
