//! All SQL of gateways. They may belong to the operator, whom no tenant's transaction sees: hence the system transactions.
use super::{Gateway, GatewayId, Health};
use crate::{
    Result,
    clock::Time,
    db::{SystemRead, SystemTx},
    id::TenantId,
};

row! {
    /// What it takes to speak to a gateway as its owner.
    #[derive(Clone, Debug)]
    pub struct Keys {
        pub id: GatewayId,
        pub tenant_id: Option<TenantId>,
        pub kind: String,
        pub url: String,
        pub secrets: Vec<u8>,
        pub hook_token: String,
        pub version: Option<String>,
        pub engine: Option<String>,
    }
}

/// A new gateway; `tenant` is empty for the operator's.
#[allow(clippy::too_many_arguments, reason = "the columns of one insert")]
pub fn insert(
    tx: &mut SystemTx,
    id: GatewayId,
    tenant: Option<TenantId>,
    kind: &str,
    name: &str,
    url: &str,
    secrets: &[u8],
    hook_token: &str,
    region: Option<&str>,
    capacity: i64,
    now: Time,
) -> Result<()> {
    tx.run(
        "insert into gateways (id, tenant_id, kind, name, url, secrets, hook_token, region, capacity, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![id, tenant, kind, name, url, secrets, hook_token, region, capacity, now],
    )
    .map(drop)
}

/// One page of the gateways a tenant may use: its own and the operator's. What stands for Meta among its own is nothing to see to.
pub fn page(tx: &mut SystemRead, tenant: TenantId, after: GatewayId, limit: i64) -> Result<Vec<Gateway>> {
    tx.all(
        "select id, tenant_id, kind, name, url, region, capacity, instances, draining, health, health_detail, version, engine,
                checked_at, created_at
           from gateways
          where (tenant_id is null or (tenant_id = $1 and kind <> 'cloud')) and id > $2
          order by id
          limit $3",
        args![tenant, after, limit],
    )
}

/// A gateway that this tenant may use.
pub fn get(tx: &mut SystemRead, tenant: TenantId, id: GatewayId) -> Result<Gateway> {
    tx.get(
        "select id, tenant_id, kind, name, url, region, capacity, instances, draining, health, health_detail, version, engine,
                checked_at, created_at
           from gateways
          where id = $2 and (tenant_id = $1 or tenant_id is null)",
        args![tenant, id],
    )
}

/// The same, for whoever changes it.
pub fn locked(tx: &mut SystemTx, tenant: TenantId, id: GatewayId) -> Result<Gateway> {
    tx.get(
        "select id, tenant_id, kind, name, url, region, capacity, instances, draining, health, health_detail, version, engine,
                checked_at, created_at
           from gateways
          where id = $2 and (tenant_id = $1 or tenant_id is null)
            for update",
        args![tenant, id],
    )
}

/// What it takes to speak to it.
pub fn keys(tx: &mut SystemRead, id: GatewayId) -> Result<Keys> {
    tx.get(
        "select id, tenant_id, kind, url, secrets, hook_token, version, engine from gateways where id = $1",
        args![id],
    )
}

/// The gateway whose shared hook URL carries this token.
pub fn by_hook_token(tx: &mut SystemRead, token: &str) -> Result<Option<Keys>> {
    tx.find(
        "select id, tenant_id, kind, url, secrets, hook_token, version, engine from gateways where hook_token = $1",
        args![token],
    )
}

/// A tenant's (or, without one, the operator's) gateway of this kind at this address.
pub fn by_url(tx: &mut SystemRead, tenant: Option<TenantId>, kind: &str, url: &str) -> Result<Option<Keys>> {
    tx.find(
        "select id, tenant_id, kind, url, secrets, hook_token, version, engine
           from gateways
          where kind = $2 and url = $3 and tenant_id is not distinct from $1",
        args![tenant, kind, url],
    )
}

/// The operator's own Meta app, if there is one.
pub fn metas_of_operator(tx: &mut SystemRead) -> Result<Option<Keys>> {
    tx.find(
        "select id, tenant_id, kind, url, secrets, hook_token, version, engine
           from gateways where tenant_id is null and kind = 'cloud' and not draining order by id limit 1",
        args![],
    )
}

/// The operator's first gateway: `/api/webhooks/whatsapp` is its shared hook URL.
pub fn first_of_operator(tx: &mut SystemRead) -> Result<Option<Keys>> {
    tx.find(
        "select id, tenant_id, kind, url, secrets, hook_token, version, engine
           from gateways where tenant_id is null order by id limit 1",
        args![],
    )
}

/// Takes a place on the operator's least loaded healthy gateway: of one kind, if `kind` is given, else any that carries linked devices. None: no
/// room anywhere.
pub fn take_place(tx: &mut SystemTx, kind: Option<&str>) -> Result<Option<(GatewayId,)>> {
    tx.find(
        "update gateways set instances = instances + 1
          where instances < capacity
            and id = (select id from gateways
                       where tenant_id is null and not draining and health <> 'down' and instances < capacity
                         and (kind = $1::text or ($1::text is null and kind <> 'cloud'))
                       order by instances * 1000 / capacity, id
                       limit 1)
         returning id",
        args![kind],
    )
}

/// Takes a place on this gateway. 0: it is full or drained.
pub fn take_place_on(tx: &mut SystemTx, id: GatewayId) -> Result<u64> {
    tx.run(
        "update gateways set instances = instances + 1 where id = $1 and instances < capacity and not draining",
        args![id],
    )
}

/// Gives back a number's place.
pub fn leave(tx: &mut SystemTx, id: GatewayId) -> Result<u64> {
    tx.run("update gateways set instances = instances - 1 where id = $1 and instances > 0", args![id])
}

/// Another name, another place, another size, drained or not.
pub fn change(tx: &mut SystemTx, of: &Gateway) -> Result<u64> {
    tx.run(
        "update gateways set name = $2, region = $3, capacity = $4, draining = $5 where id = $1",
        args![of.id, &of.name, &of.region, of.capacity, of.draining],
    )
}

/// Another key.
pub fn set_secrets(tx: &mut SystemTx, id: GatewayId, secrets: &[u8]) -> Result<u64> {
    tx.run("update gateways set secrets = $2 where id = $1", args![id, secrets])
}

/// What the look before showed, and when it was.
pub fn health(tx: &mut SystemTx, id: GatewayId) -> Result<(Health, Option<Time>)> {
    tx.get("select health, checked_at from gateways where id = $1 for update", args![id])
}

/// What the last look at it showed.
pub fn set_health(
    tx: &mut SystemTx,
    id: GatewayId,
    health: Health,
    detail: Option<&str>,
    version: Option<&str>,
    engine: Option<&str>,
    now: Time,
) -> Result<u64> {
    tx.run(
        "update gateways
            set health = $2, health_detail = $3, version = coalesce($4, version), engine = coalesce($5, engine), checked_at = $6
          where id = $1",
        args![id, health, detail, version, engine, now],
    )
}

/// Every gateway, for the regular look at their health.
pub fn every(tx: &mut SystemRead) -> Result<Vec<(GatewayId,)>> {
    tx.all("select id from gateways order by id limit 1000", args![])
}

/// Gone, when no number is on it.
pub fn delete(tx: &mut SystemTx, id: GatewayId) -> Result<u64> {
    tx.run("delete from gateways where id = $1 and instances = 0", args![id])
}
