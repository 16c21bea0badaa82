//! The list of all kinds of jobs, and of what follows which event. A room adds its lines here.
use crate::{
    events::{self, Follower, Hearer},
    instances,
    jobs::{self, Kinds},
};

/// Every kind of job, and the jobs that recur.
pub fn kinds() -> Kinds {
    Kinds::default()
        .job::<instances::jobs::SyncStatus>()
        .job::<instances::jobs::Leave>()
        .job::<instances::jobs::Reconcile>()
        .every("instances.reconcile", "* * * * *", &instances::jobs::Reconcile {})
        .job::<events::Tidy>()
        .job::<jobs::Tidy>()
        .every("events.tidy", "17 * * * *", &events::Tidy {})
        .every("jobs.tidy", "47 * * * *", &jobs::Tidy {})
}

/// What follows an event in its own transaction, in this order: counters, and the jobs that go on from there.
pub const FOLLOWERS: &[(&str, Follower)] = &[];

/// Who listens to what browsers say over the live stream, by the frame's `kind`.
pub const HEARERS: &[(&str, Hearer)] = &[];
