//! The list of all kinds of jobs, and of what follows which event. A room adds its lines here.
use crate::{
    conversations,
    events::{self, Follower, Hearer},
    instances,
    jobs::{self, Kinds},
    media, messages,
    secrets::Sealed,
    users,
};

/// Every kind of job, and the jobs that recur.
pub fn kinds() -> Kinds {
    Kinds::default()
        .job::<instances::jobs::SyncStatus>()
        .job::<instances::EndHold>()
        .job::<instances::jobs::Leave>()
        .job::<instances::jobs::Reconcile>()
        .job::<conversations::labels::ForgetLabel>()
        .job::<media::FetchMedia>()
        .job::<media::ForgetMedia>()
        .batch::<messages::ProcessHook>()
        .job::<messages::ForgetHooks>()
        .job::<messages::FoldConversation>()
        .job::<messages::ReleaseEcho>()
        .job::<messages::history::ImportChats>()
        .job::<messages::history::FillGap>()
        .job::<messages::Watch>()
        .job::<messages::WatchAll>()
        .job::<messages::jobs::SendMessage>()
        .job::<messages::jobs::React>()
        .job::<messages::jobs::MarkRead>()
        .job::<messages::PreviewLink>()
        .every("hooks.forget", "17 * * * *", &messages::ForgetHooks {})
        .every("instances.reconcile", "* * * * *", &instances::jobs::Reconcile {})
        .every("instances.watch", "*/10 * * * *", &messages::WatchAll {})
        .job::<events::Tidy>()
        .job::<jobs::Tidy>()
        .job::<users::jobs::Tidy>()
        .every("people.tidy", "32 * * * *", &users::jobs::Tidy {})
        .every("events.tidy", "17 * * * *", &events::Tidy {})
        .every("jobs.tidy", "47 * * * *", &jobs::Tidy {})
}

/// What follows an event in its own transaction, in this order: counters, and the jobs that go on from there.
pub const FOLLOWERS: &[(&str, Follower)] = &[
    ("instance.state", messages::history::follow),
    ("message.received", messages::preview_link),
    ("message.queued", messages::preview_link),
    ("message.sent", messages::preview_link), // from the phone
    ("message.edited", messages::preview_link),
];

/// Who listens to what browsers say over the live stream, by the frame's `kind`.
pub const HEARERS: &[(&str, Hearer)] =
    &[("active", users::heard_active), ("read", messages::http::heard_read), ("typing", messages::http::heard_typing)];

/// What a person asks for by looking through the inbox: it comes in bursts and costs little, so it has a limit of its own.
pub const LOOKS: &[&str] = &["/api/conversations/{id}", "/api/conversations/{id}/messages", "/api/media/{id}"];

/// Where files are sent to: that may take longer than other requests.
pub const UPLOADS: &[&str] = &["/api/media"];

/// Every column that holds sealed values for longer than a day: what `indaba reseal` walks.
pub const SEALED: &[Sealed] = &[
    Sealed {
        table: "gateways",
        column: "secrets",
        by_tenant: false,
        page: "select id, tenant_id, secrets from gateways where id > $1 order by id limit 100",
        update: "update gateways set secrets = $3 where id = $1 and secrets = $2",
    },
    Sealed {
        table: "instances",
        column: "secrets",
        by_tenant: true,
        page: "select id, tenant_id, secrets from instances where id > $1 order by id limit 100",
        update: "update instances set secrets = $3 where id = $1 and secrets = $2",
    },
];
