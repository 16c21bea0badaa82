//! Understanding hooks that are on disk: what they tell becomes rows. And forgetting them.
use super::{
    HookId, inbound,
    store::hooks::{self as store, Waiting},
};
use crate::{
    Error, Result,
    app::App,
    db::TenantTx,
    id::TenantId,
    instances::{self, InstanceId},
    jobs::{BatchJob, Given, Job, JobCx, JobError},
    tenants,
};
use indaba_providers::{Hook, Incoming};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

/// How many are understood in one transaction.
const STEP: usize = 128;
/// How long bodies are kept, and doubles recognised.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Understands hooks: what they tell becomes rows.
///
/// Many are taken together. One that cannot be understood is set aside with its reason, and so is one that the rest of its tenant's
/// batch fails with: then they are taken one by one.
#[derive(Serialize, Deserialize)]
pub struct ProcessHook {
    /// Which, of one tenant, and the requests that brought them.
    #[serde(default)]
    pub hooks: Vec<(HookId, Option<Arc<str>>)>,
    /// One hook: so a job looked before they were shared.
    #[serde(default, skip_serializing)]
    pub hook: Option<HookId>,
}

/// A hook that was read, or the reason why not.
struct Understood {
    hook: HookId,
    instance: InstanceId,
    told: Result<Vec<Incoming>, String>,
}

impl BatchJob for ProcessHook {
    const KIND: &'static str = "hook.process";
    const ATTEMPTS: u32 = 12;

    async fn run(app: &App, jobs: &[Given<ProcessHook>]) -> Vec<Result<(), JobError>> {
        let mut wanted: Vec<(TenantId, HookId)> = Vec::new();
        let mut requests: HashMap<HookId, Arc<str>> = HashMap::new();
        for given in jobs {
            for (hook, request) in &given.job.hooks {
                wanted.push((given.cx.tenant, *hook));
                requests.extend(request.clone().map(|request| (*hook, request)));
            }
            wanted.extend(given.job.hook.map(|hook| (given.cx.tenant, hook)));
        }
        let mut failed: HashMap<HookId, JobError> = HashMap::new();
        for some in wanted.chunks(STEP) {
            failed.extend(step(app, some, &requests).await);
        }
        let outcome = |given: &Given<ProcessHook>| {
            let mut hooks = given.job.hooks.iter().map(|(hook, _)| hook).chain(&given.job.hook);
            hooks.find_map(|hook| failed.get(hook).cloned())
        };
        jobs.iter().map(|given| outcome(given).map_or(Ok(()), Err)).collect()
    }
}

/// Understands some hooks; those that must be tried again, with the reason.
async fn step(
    app: &App,
    wanted: &[(TenantId, HookId)],
    requests: &HashMap<HookId, Arc<str>>,
) -> Vec<(HookId, JobError)> {
    let keys = wanted.to_vec();
    let read = app.db.system_read("understand hooks", move |tx| store::waiting(tx, &keys));
    let waiting = match read.await {
        Ok(waiting) => waiting,
        Err(e) => return wanted.iter().map(|(_, hook)| (*hook, JobError::from(e.clone()))).collect(),
    };
    let mut tenants: BTreeMap<TenantId, Vec<Understood>> = BTreeMap::new();
    for hook in waiting {
        tenants.entry(hook.tenant_id).or_default().push(understand(hook));
    }
    // all at once: on SQLite they share a commit
    let taken = tenants.into_iter().map(|(tenant, mut hooks)| async move {
        hooks.sort_by_key(|hook| hook.hook);
        take_in(app, tenant, hooks, requests).await
    });
    futures_util::future::join_all(taken).await.into_iter().flatten().collect()
}

fn understand(hook: Waiting) -> Understood {
    let told = match indaba_providers::find(&hook.provider) {
        None => Err(format!("this version does not speak {}", hook.provider)),
        Some(provider) => {
            let body = Hook::stored(hook.body);
            catch_unwind(AssertUnwindSafe(|| provider.read(&body)))
                .unwrap_or_else(|_| Err(indaba_providers::Unreadable::NotAsExpected("reading it panicked".into())))
                .map_err(|e| e.to_string())
        }
    };
    Understood { hook: hook.id, instance: hook.instance_id, told }
}

/// Takes in one tenant's hooks; those that must be tried again, with the reason.
async fn take_in(
    app: &App,
    tenant: TenantId,
    hooks: Vec<Understood>,
    requests: &HashMap<HookId, Arc<str>>,
) -> Vec<(HookId, JobError)> {
    let hooks = Arc::new(hooks);
    let all = hooks.clone();
    let Err(e) = app.db.write(tenant, move |tx| apply(tx, &all)).await else {
        passing(app, tenant, &hooks).await;
        return Vec::new();
    };
    let mut again = Vec::new();
    for at in 0..hooks.len() {
        if is_passing(&e) {
            again.push((hooks[at].hook, JobError::from(e.clone())));
            continue;
        }
        let one = hooks.clone();
        let alone = app.db.write(tenant, move |tx| apply(tx, &one[at..=at])).await;
        match alone {
            Ok(()) => {}
            Err(e) if is_passing(&e) => again.push((hooks[at].hook, JobError::from(e))),
            Err(e) => {
                let id = hooks[at].hook;
                let request = requests.get(&id).map(|id| &**id);
                tracing::warn!(hook.id = %id, tenant.id = %tenant, request.id = request, "a hook was set aside: {e}");
                let reason = e.to_string();
                if let Err(e) = app.db.write(tenant, move |tx| store::done(tx, &[(id, Some(reason.clone()))])).await {
                    again.push((id, JobError::from(e)));
                }
            }
        }
    }
    again
}

/// What a later try may not meet again.
fn is_passing(e: &Error) -> bool {
    matches!(e, Error::Busy | Error::Closed | Error::Unavailable(_))
}

fn apply(tx: &mut TenantTx, hooks: &[Understood]) -> Result<()> {
    let told: Vec<inbound::Told> = hooks
        .iter()
        .flat_map(|hook| hook.told.iter().flatten().map(|incoming| inbound::Told { instance: hook.instance, incoming }))
        .collect();
    inbound::receive(tx, &told)?;
    let now = tx.now();
    let mut numbers: Vec<InstanceId> = hooks.iter().map(|hook| hook.instance).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for instance in numbers {
        instances::touch(tx, instance, Some(now), None)?;
    }
    let outcome: Vec<(HookId, Option<String>)> =
        hooks.iter().map(|hook| (hook.hook, hook.told.as_ref().err().cloned())).collect();
    store::done(tx, &outcome)
}

/// What is shown in passing and not kept: who is typing.
async fn passing(app: &App, tenant: TenantId, hooks: &[Understood]) {
    for hook in hooks {
        for incoming in hook.told.iter().flatten() {
            let Incoming::Presence(presence) = incoming else { continue };
            super::http::show_typing(app, tenant, hook.instance, presence).await;
        }
    }
}

/// Forgets hooks that are a week old, and updates whose message never came. A job of the house.
#[derive(Serialize, Deserialize)]
pub struct ForgetHooks {}

impl Job for ForgetHooks {
    const KIND: &'static str = "hook.forget";

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let before = cx.app.clock.now() - KEPT;
        let tenants = cx.app.db.system_read("forget old hooks", tenants::every);
        for tenant in tenants.await? {
            while cx.app.db.write(tenant, move |tx| store::forget(tx, before)).await? >= 500 {}
            while cx.app.db.write(tenant, move |tx| super::store::forget_parked(tx, before)).await? >= 500 {}
        }
        cx.app.db.system("forget old hooks", move |tx| store::forget_strays(tx, before)).await?;
        Ok(())
    }
}
