//! All SQL of numbers.
use super::{Instance, InstanceId, LinkStep, State, SyncState, Trouble, gateways::Health};
use crate::{
    Result,
    clock::Time,
    db::{SystemRead, SystemTx, TenantRead, TenantTx},
    id::TenantId,
    instances::GatewayId,
};

row! {
    /// Where a hook is to go, found by the token in its URL.
    #[derive(Clone, Debug)]
    pub struct Addressed {
        pub tenant_id: TenantId,
        pub id: InstanceId,
        pub gateway_id: Option<GatewayId>,
        pub provider: String,
        pub secrets: Vec<u8>,
        pub app_key: Option<Vec<u8>>,
        pub deleted_at: Option<Time>,
    }
}

row! {
    /// What it takes to speak to a number's gateway.
    #[derive(Clone, Debug)]
    pub struct Access {
        pub gateway_id: GatewayId,
        pub provider: String,
        pub external_name: String,
        pub hook_url: String,
        pub secrets: Vec<u8>,
        pub settings: String,
        pub account: Option<String>,
        pub state: State,
        pub state_at: Time,
        pub paused_until: Option<Time>,
        pub firsts_paused_until: Option<Time>,
        pub capabilities_off: String,
        pub created_at: Time,
    }
}

/// The select of numbers, and what follows it.
macro_rules! instances {
    ($rest:literal) => {
        concat!(
            "select id, gateway_id, provider, name, external_name, account, settings, hook_url, own_phone, push_name, state, link_step, trouble,
                    state_reason, state_at, paused_until, firsts_paused_until, hold, gateway_health, locks, locked_at, seen_at, code_attempt,
                    code_expires_at, capabilities_off, sync_state, sync_chats, sync_total, sync_finished_at, last_inbound_at,
                    last_outbound_at, last_hook_at, counted_day, sent_today, firsts_today, created_at
               from instances
              ",
            $rest
        )
    };
}

row! {
    /// What taking leave of a gateway needs of a number that is deleted already.
    #[derive(Clone, Debug)]
    pub struct Left {
        pub secrets: Vec<u8>,
        pub settings: String,
        pub account: Option<String>,
        pub app_key: Option<Vec<u8>>,
    }
}

/// A number that is to be put down.
pub struct New<'a> {
    pub id: InstanceId,
    pub gateway: GatewayId,
    pub provider: &'a str,
    pub name: &'a str,
    pub external_name: &'a str,
    pub hook_token: &'a str,
    pub hook_url: &'a str,
    pub secrets: &'a [u8],
    pub settings: &'a str,
    /// Of the Meta app whose secret signs its hooks.
    pub app_key: Option<&'a [u8]>,
    /// At Meta.
    pub account: Option<&'a str>,
}

/// Puts a new number down, with no word from its gateway yet. False: its gateway, or its Meta app, has one of this name already.
pub fn insert(tx: &mut TenantTx, new: &New, now: Time) -> Result<bool> {
    let made = tx.run(
        "insert into instances (tenant_id, id, gateway_id, provider, name, external_name, hook_token, hook_url, secrets,
                                settings, app_key, account, state, link_step, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'new', 'preparing', $13)
         on conflict do nothing",
        args![
            new.id,
            new.gateway,
            new.provider,
            new.name,
            new.external_name,
            new.hook_token,
            new.hook_url,
            new.secrets,
            new.settings,
            new.app_key,
            new.account,
            now
        ],
    )?;
    Ok(made == 1)
}

/// The number, unless it was deleted.
pub fn get(tx: &mut TenantRead, id: InstanceId) -> Result<Instance> {
    tx.get(instances!("where tenant_id = $1 and id = $2 and deleted_at is null"), args![id])
}

/// The same, and nobody else changes it until this transaction ends.
pub fn locked(tx: &mut TenantTx, id: InstanceId) -> Result<Instance> {
    tx.get(instances!("where tenant_id = $1 and id = $2 and deleted_at is null for update"), args![id])
}

/// One page of a tenant's numbers, oldest first.
pub fn page(tx: &mut TenantRead, after: InstanceId, limit: i64) -> Result<Vec<Instance>> {
    tx.all(
        instances!("where tenant_id = $1 and id > $2 and deleted_at is null order by id limit $3"),
        args![after, limit],
    )
}

/// What it takes to speak to its gateway.
pub fn access(tx: &mut TenantRead, id: InstanceId) -> Result<Access> {
    tx.get(
        "select gateway_id, provider, external_name, hook_url, secrets, settings, account, state, state_at, paused_until,
                firsts_paused_until, capabilities_off, created_at
           from instances
          where tenant_id = $1 and id = $2 and deleted_at is null",
        args![id],
    )
}

/// The number whose URL a hook came in by, deleted ones too.
pub fn by_hook_token(tx: &mut SystemRead, token: &str) -> Result<Option<Addressed>> {
    tx.find(
        "select tenant_id, id, gateway_id, provider, secrets, app_key, deleted_at from instances where hook_token = $1",
        args![token],
    )
}

/// The number that a gateway knows by this name.
pub fn by_external_name(tx: &mut SystemRead, gateway: GatewayId, name: &str) -> Result<Option<(TenantId, InstanceId)>> {
    tx.find(
        "select tenant_id, id from instances where gateway_id = $1 and external_name = $2 and deleted_at is null",
        args![gateway, name],
    )
}

/// The number of a Meta app with this id.
pub fn by_app(tx: &mut SystemRead, app: &[u8], name: &str) -> Result<Vec<(TenantId, InstanceId)>> {
    tx.all(
        "select tenant_id, id from instances where app_key = $1 and external_name = $2 and deleted_at is null",
        args![app, name],
    )
}

/// Every number of an account, as far as one Meta app serves them.
pub fn by_account(tx: &mut SystemRead, app: &[u8], account: &str) -> Result<Vec<(TenantId, InstanceId)>> {
    tx.all(
        "select tenant_id, id from instances where app_key = $1 and account = $2 and deleted_at is null order by id limit 1000",
        args![app, account],
    )
}

/// What taking leave of its gateway needs, also of one that is deleted.
pub fn left(tx: &mut TenantRead, id: InstanceId) -> Result<Left> {
    tx.get("select secrets, settings, account, app_key from instances where tenant_id = $1 and id = $2", args![id])
}

/// Every live number, a page at a time: for the minute's reconciliation.
pub fn every(tx: &mut SystemRead, after: InstanceId, limit: i64) -> Result<Vec<(TenantId, InstanceId)>> {
    tx.all(
        "select tenant_id, id from instances where id > $1 and deleted_at is null order by id limit $2",
        args![after, limit],
    )
}

/// Another name, other settings.
pub fn rename(tx: &mut TenantTx, id: InstanceId, name: &str) -> Result<u64> {
    tx.run("update instances set name = $3 where tenant_id = $1 and id = $2 and deleted_at is null", args![id, name])
}

/// What the gateway says. `wrong`: in a word, and in its own words. `at` is the gateway's own time; `seen`: it was found connected just now, by
/// our clock.
pub fn set_state(
    tx: &mut TenantTx,
    id: InstanceId,
    state: State,
    step: Option<LinkStep>,
    wrong: (Option<Trouble>, Option<&str>),
    at: Time,
    seen: Option<Time>,
) -> Result<u64> {
    tx.run(
        "update instances
            set state = $3, link_step = $4, trouble = $5, state_reason = $6, state_at = $7, seen_at = coalesce($8, seen_at)
          where tenant_id = $1 and id = $2 and deleted_at is null",
        args![id, state, step, wrong.0, wrong.1, at, seen],
    )
}

/// Whose number it turned out to be.
pub fn set_owner(tx: &mut TenantTx, id: InstanceId, phone: Option<&str>, push_name: Option<&str>) -> Result<u64> {
    tx.run(
        "update instances set own_phone = coalesce($3, own_phone), push_name = coalesce($4, push_name)
          where tenant_id = $1 and id = $2",
        args![id, phone, push_name],
    )
}

/// The code to scan: which attempt it is, and until when it can be scanned.
pub fn set_code(tx: &mut TenantTx, id: InstanceId, attempt: i64, expires_at: Option<Time>) -> Result<u64> {
    tx.run(
        "update instances set code_attempt = $3, code_expires_at = $4 where tenant_id = $1 and id = $2",
        args![id, attempt, expires_at],
    )
}

/// What its gateway's health means for each number on it from now on. Those for which that is news, with their tenants.
pub fn set_gateway_health(
    tx: &mut SystemTx,
    gateway: GatewayId,
    health: Health,
) -> Result<Vec<(TenantId, InstanceId)>> {
    tx.all(
        "update instances set gateway_health = $2
          where gateway_id = $1 and gateway_health <> $2 and deleted_at is null
         returning tenant_id, id",
        args![gateway, health],
    )
}

/// No sends before `all`, none to people who never wrote before `firsts`, and why.
pub fn set_pause(
    tx: &mut TenantTx,
    id: InstanceId,
    all: Option<Time>,
    firsts: Option<Time>,
    why: Option<Trouble>,
) -> Result<u64> {
    tx.run(
        "update instances set paused_until = $3, firsts_paused_until = $4, hold = $5 where tenant_id = $1 and id = $2",
        args![id, all, firsts, why],
    )
}

/// How many account locks there were in a row, and when the last was.
pub fn set_locks(tx: &mut TenantTx, id: InstanceId, locks: i64, at: Time) -> Result<u64> {
    tx.run("update instances set locks = $3, locked_at = $4 where tenant_id = $1 and id = $2", args![id, locks, at])
}

/// The locks are over.
pub fn forget_locks(tx: &mut TenantTx, id: InstanceId) -> Result<u64> {
    tx.run("update instances set locks = 0, locked_at = null where tenant_id = $1 and id = $2 and locks > 0", args![id])
}

/// Connected numbers of which nothing was heard since `before`.
pub fn silent(tx: &mut SystemRead, before: Time, after: InstanceId, limit: i64) -> Result<Vec<(TenantId, InstanceId)>> {
    tx.all(
        "select tenant_id, id
           from instances
          where id > $2 and deleted_at is null and state = 'connected' and coalesce(last_hook_at, created_at) < $1
          order by id
          limit $3",
        args![before, after, limit],
    )
}

/// Notes that it is restarted now, unless it was after `before`: 0.
pub fn take_restart(tx: &mut TenantTx, id: InstanceId, before: Time) -> Result<u64> {
    let now = tx.now();
    tx.run(
        "update instances set restarted_at = $4 where tenant_id = $1 and id = $2 and coalesce(restarted_at, 0) < $3",
        args![id, before, now],
    )
}

/// The holes found in what the gateway can do.
pub fn set_capabilities_off(tx: &mut TenantTx, id: InstanceId, list: &str) -> Result<u64> {
    tx.run("update instances set capabilities_off = $3 where tenant_id = $1 and id = $2", args![id, list])
}

/// How far the import of its chats has come.
pub fn set_sync(
    tx: &mut TenantTx,
    id: InstanceId,
    state: SyncState,
    chats: i64,
    total: Option<i64>,
    finished_at: Option<Time>,
) -> Result<u64> {
    tx.run(
        "update instances set sync_state = $3, sync_chats = $4, sync_total = $5, sync_finished_at = $6
          where tenant_id = $1 and id = $2",
        args![id, state, chats, total, finished_at],
    )
}

/// When anything last came in or went out; never moves back.
pub fn touch(tx: &mut TenantTx, id: InstanceId, hook_at: Option<Time>, inbound_at: Option<Time>) -> Result<u64> {
    tx.run(
        "update instances
            set last_hook_at = case when coalesce($3::bigint, 0) > coalesce(last_hook_at, 0) then $3::bigint else last_hook_at end,
                last_inbound_at = case when coalesce($4::bigint, 0) > coalesce(last_inbound_at, 0) then $4::bigint else last_inbound_at end
          where tenant_id = $1 and id = $2",
        args![id, hook_at, inbound_at],
    )
}

/// Adds to what a number has sent on this day; the first of a day begins anew.
pub fn count(tx: &mut TenantTx, id: InstanceId, sent: i64, firsts: i64) -> Result<u64> {
    let now = tx.now();
    tx.run(
        "update instances
            set sent_today = case when counted_day = $3 then sent_today else 0 end + $4,
                firsts_today = case when counted_day = $3 then firsts_today else 0 end + $5,
                counted_day = $3,
                last_outbound_at = case when $4 > 0 then $6 else last_outbound_at end
          where tenant_id = $1 and id = $2",
        args![id, super::day(now), sent, firsts, now],
    )
}

/// Moves it to another gateway, under another name there.
#[allow(clippy::too_many_arguments, reason = "the columns of one update")]
pub fn set_gateway(
    tx: &mut TenantTx,
    id: InstanceId,
    gateway: GatewayId,
    provider: &str,
    external_name: &str,
    hook_token: &str,
    hook_url: &str,
    secrets: &[u8],
) -> Result<u64> {
    tx.run(
        "update instances
            set gateway_id = $3, provider = $4, external_name = $5, hook_token = $6, hook_url = $7, secrets = $8, state = 'new',
                link_step = 'preparing', trouble = null, state_reason = null, state_at = 0, code_attempt = 0, code_expires_at = null,
                paused_until = null, firsts_paused_until = null, hold = null, gateway_health = 'unknown', locks = 0, capabilities_off = ''
          where tenant_id = $1 and id = $2 and deleted_at is null",
        args![id, gateway, provider, external_name, hook_token, hook_url, secrets],
    )
}

/// The numbers of a gateway that know its Meta app by another secret than this one's.
pub fn of_other_apps(tx: &mut SystemRead, gateway: GatewayId, app: &[u8]) -> Result<Vec<(TenantId, InstanceId)>> {
    tx.all(
        "select tenant_id, id from instances
          where gateway_id = $1 and (app_key is null or app_key <> $2) and deleted_at is null
          order by id",
        args![gateway, app],
    )
}

/// The tenant's numbers that belong to one Meta app, with what is sealed.
pub fn of_app(tx: &mut TenantRead, app: &[u8]) -> Result<Vec<(InstanceId, Vec<u8>)>> {
    tx.all(
        "select id, secrets from instances where tenant_id = $1 and app_key = $2 and deleted_at is null order by id",
        args![app],
    )
}

/// The secret of its Meta app is another one now.
pub fn set_app(tx: &mut TenantTx, id: InstanceId, app: &[u8], secrets: &[u8]) -> Result<u64> {
    tx.run(
        "update instances set app_key = $3, secrets = $4 where tenant_id = $1 and id = $2 and deleted_at is null",
        args![id, app, secrets],
    )
}

/// Seals its secrets anew.
pub fn set_secrets(tx: &mut TenantTx, id: InstanceId, secrets: &[u8]) -> Result<u64> {
    tx.run("update instances set secrets = $3 where tenant_id = $1 and id = $2", args![id, secrets])
}

/// Takes back a row that never became a number: its gateway refused it.
pub fn forget(tx: &mut TenantTx, id: InstanceId) -> Result<u64> {
    tx.run("delete from instances where tenant_id = $1 and id = $2 and last_hook_at is null", args![id])
}

/// Deleted: its history stays, its hooks are dropped.
pub fn delete(tx: &mut TenantTx, id: InstanceId, now: Time) -> Result<u64> {
    tx.run(
        "update instances set deleted_at = $3, gateway_id = null, state = 'disconnected', link_step = null
          where tenant_id = $1 and id = $2 and deleted_at is null",
        args![id, now],
    )
}
