//! All SQL of hooks: the durable inbox, and what is nobody's.
use crate::{
    Result,
    clock::Time,
    db::{Arg, SystemRead, SystemTx, TenantRead, TenantTx},
    id::TenantId,
    instances::{GatewayId, InstanceId},
    messages::HookId,
};
use bytes::Bytes;
use std::{collections::HashSet, sync::Arc};

/// A hook that has proved where it comes from, on its way to disk.
#[derive(Clone)]
pub struct Arrived {
    pub tenant: TenantId,
    pub instance: InstanceId,
    pub provider: &'static str,
    pub dedupe_key: Vec<u8>,
    pub body: Bytes,
    /// What brought it: not for its row, but for the job that will understand it.
    pub request: Option<Arc<str>>,
}

/// Adds hooks; those that were not here yet, with their ids.
pub fn insert<'a>(tx: &mut SystemTx, hooks: &'a [Arrived]) -> Result<Vec<(HookId, &'a Arrived)>> {
    let now = tx.now();
    let ids: Vec<HookId> = hooks.iter().map(|_| HookId::at(now)).collect();
    let new: Vec<(HookId,)> = tx.insert(
        "insert into hooks (tenant_id, id, instance_id, provider, dedupe_key, body, received_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant_id, instance_id, dedupe_key) do nothing
         returning id",
        hooks.iter().zip(&ids).map(|(hook, id)| {
            [
                hook.tenant.arg(),
                id.arg(),
                hook.instance.arg(),
                hook.provider.arg(),
                hook.dedupe_key.arg(),
                hook.body[..].arg(),
                now.arg(),
            ]
        }),
    )?;
    let new: HashSet<HookId> = new.into_iter().map(|(id,)| id).collect();
    Ok(ids.into_iter().zip(hooks).filter(|(id, _)| new.contains(id)).collect())
}

row! {
    /// A hook that nobody has understood yet.
    pub struct Waiting {
        pub tenant_id: TenantId,
        pub id: HookId,
        pub instance_id: InstanceId,
        pub provider: String,
        pub body: Vec<u8>,
    }
}

/// Those of these that still wait.
pub fn waiting(tx: &mut SystemRead, hooks: &[(TenantId, HookId)]) -> Result<Vec<Waiting>> {
    tx.all_for(
        "select tenant_id, id, instance_id, provider, body from hooks where tenant_id = $1 and id = $2 and processed_at is null",
        hooks.iter().map(|(tenant, hook)| [tenant.arg(), hook.arg()]),
    )
}

/// Whether hooks of a number wait: then it is we who are behind.
pub fn are_waiting(tx: &mut TenantRead, of: InstanceId) -> Result<bool> {
    let found: Option<(HookId,)> = tx.find(
        "select id from hooks where tenant_id = $1 and instance_id = $2 and processed_at is null and error is null limit 1",
        args![of],
    )?;
    Ok(found.is_some())
}

/// Writes that hooks were understood, or why not.
pub fn done(tx: &mut TenantTx, hooks: &[(HookId, Option<String>)]) -> Result<()> {
    let now = tx.now();
    tx.run_for(
        "update hooks set processed_at = $3, error = $4 where tenant_id = $1 and id = $2",
        hooks.iter().map(|(hook, error)| [hook.arg(), now.arg(), error.arg()]),
    )
    .map(drop)
}

/// Forgets up to 500 that are older; how many. An id says when it was made, so no other index is needed.
pub fn forget(tx: &mut TenantTx, before: Time) -> Result<u64> {
    let last = HookId({
        let mut id = [0; 16];
        id[..6].copy_from_slice(&before.0.max(0).to_be_bytes()[2..]);
        id
    });
    tx.run(
        "delete from hooks
          where tenant_id = $1 and id in (select id from hooks where tenant_id = $1 and id < $2 order by id limit 500)",
        args![last],
    )
}

/// A hook that was signed and is nobody's: the operator's to look at.
pub struct Stray {
    pub gateway: Option<GatewayId>,
    pub provider: &'static str,
    /// Whom it is about, as the gateway says it.
    pub name: Option<String>,
    pub dedupe_key: Vec<u8>,
    pub body: Bytes,
    pub reason: &'static str,
}

/// Keeps one that is nobody's, once.
pub fn keep_stray(tx: &mut SystemTx, stray: &Stray) -> Result<()> {
    let now = tx.now();
    let Stray { gateway, provider, name, dedupe_key, body, reason } = stray;
    tx.run(
        "insert into stray_hooks (id, gateway_id, provider, session, dedupe_key, body, reason, received_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (dedupe_key) do nothing",
        args![HookId::at(now), gateway, provider, name, dedupe_key, &body[..], reason, now],
    )
    .map(drop)
}

/// Forgets those that are older.
pub fn forget_strays(tx: &mut SystemTx, before: Time) -> Result<()> {
    tx.run("delete from stray_hooks where received_at < $1", args![before]).map(drop)
}
