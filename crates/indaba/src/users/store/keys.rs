//! The rows of keys for programs.
use crate::{
    Result,
    clock::Time,
    db::{SystemRead, TenantRead, TenantTx},
    http::{Role, who::ApiKeyId},
    id::TenantId,
};

row! {
    /// A key for programs.
    pub struct ApiKey {
        pub id: ApiKeyId,
        pub name: String,
        pub prefix: String,
        pub role: Role,
        /// JSON
        pub scopes: String,
        pub created_at: Time,
        pub expires_at: Option<Time>,
        pub last_used_at: Option<Time>,
    }
}

pub struct NewKey {
    pub name: String,
    pub prefix: String,
    pub hash: Vec<u8>,
    pub role: Role,
    pub scopes: String,
    pub expires_at: Option<Time>,
}

pub fn add_key(tx: &mut TenantTx, new: &NewKey) -> Result<ApiKey> {
    let now = tx.now();
    tx.get(
        "insert into api_keys (tenant_id, id, name, prefix, hash, role, scopes, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         returning id, name, prefix, role, scopes, created_at, expires_at, last_used_at",
        args![ApiKeyId::at(now), new.name, new.prefix, new.hash, new.role, new.scopes, now, new.expires_at],
    )
}

pub fn keys(tx: &mut TenantRead, before: ApiKeyId, limit: i64) -> Result<Vec<ApiKey>> {
    tx.all(
        "select id, name, prefix, role, scopes, created_at, expires_at, last_used_at from api_keys
          where tenant_id = $1 and id < $2 order by id desc limit $3",
        args![before, limit],
    )
}

pub fn remove_key(tx: &mut TenantTx, id: ApiKeyId) -> Result<ApiKey> {
    let removed = tx.get(
        "delete from api_keys where tenant_id = $1 and id = $2
         returning id, name, prefix, role, scopes, created_at, expires_at, last_used_at",
        args![id],
    )?;
    tx.ring("auth", id);
    Ok(removed)
}

row! {
    /// What is asked about a key at each request.
    pub struct KnownKey {
        pub tenant_id: TenantId,
        pub id: ApiKeyId,
        pub name: String,
        pub role: Role,
        pub scopes: String,
        pub expires_at: Option<Time>,
        pub last_used_at: Option<Time>,
    }
}

pub fn find_key(tx: &mut SystemRead, hash: &[u8]) -> Result<Option<KnownKey>> {
    tx.find(
        "select k.tenant_id, k.id, k.name, k.role, k.scopes, k.expires_at, k.last_used_at
           from api_keys k join tenants t on t.id = k.tenant_id
          where k.hash = $1 and t.suspended_at is null",
        args![hash],
    )
}

pub fn find_key_by_id(tx: &mut TenantRead, id: ApiKeyId) -> Result<Option<KnownKey>> {
    tx.find(
        "select k.tenant_id, k.id, k.name, k.role, k.scopes, k.expires_at, k.last_used_at
           from api_keys k join tenants t on t.id = k.tenant_id
          where k.tenant_id = $1 and k.id = $2 and t.suspended_at is null",
        args![id],
    )
}

pub fn touch_key(tx: &mut TenantTx, id: ApiKeyId) -> Result<()> {
    let now = tx.now();
    tx.run("update api_keys set last_used_at = $3 where tenant_id = $1 and id = $2", args![id, now]).map(drop)
}
