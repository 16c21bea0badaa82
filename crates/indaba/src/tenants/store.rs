//! The tenants' own rows.
use super::{NewTenant, slug};
use crate::{
    Error, Result,
    db::{SystemRead, SystemTx, TenantRead, TenantTx},
    id::TenantId,
};

row! {
    /// A tenant, as its people see it.
    pub struct Tenant {
        pub id: TenantId,
        pub name: String,
        pub slug: String,
        pub time_zone: String,
        pub locale: String,
        pub country: Option<String>,
        pub link_previews: bool,
    }
}

/// Makes a tenant; its slug is the name's, with a number where that is taken.
pub fn create(tx: &mut SystemTx, new: &NewTenant) -> Result<Tenant> {
    let (now, base) = (tx.now(), slug(&new.name));
    let id = TenantId::at(now);
    for attempt in 1..=20 {
        let slug = match attempt {
            1 => base.clone(),
            2..=9 => format!("{base}-{attempt}"),
            _ => format!("{base}-{:06x}", rand::random::<u32>() & 0xff_ffff),
        };
        let made = tx.find(
            "insert into tenants (id, name, slug, plan, time_zone, locale, country, created_at)
             values ($1, $2, $3, 'starter', $4, $5, $6, $7) on conflict (slug) do nothing
             returning id, name, slug, time_zone, locale, country, link_previews",
            args![id, new.name, slug, new.time_zone, new.locale, new.country, now],
        )?;
        if let Some(made) = made {
            return Ok(made);
        }
    }
    Err(Error::Busy)
}

/// The tenant itself.
pub fn get(tx: &mut TenantRead) -> Result<Tenant> {
    tx.get(
        "select id, name, slug, time_zone, locale, country, link_previews from tenants where tenant_id = $1",
        args![],
    )
}

/// All tenants, by their ids.
pub fn every(tx: &mut SystemRead) -> Result<Vec<TenantId>> {
    let all: Vec<(TenantId,)> = tx.all("select id from tenants order by id", args![])?;
    Ok(all.into_iter().map(|(id,)| id).collect())
}

/// Holds the tenant's row until the transaction ends: what two people must not decide at once waits here.
pub fn lock(tx: &mut TenantTx) -> Result<()> {
    tx.run("update tenants set plan = plan where tenant_id = $1", args![]).map(drop)
}

/// Writes what may be changed.
pub fn update(tx: &mut TenantTx, to: &Tenant) -> Result<()> {
    tx.run(
        "update tenants set name = $2, time_zone = $3, locale = $4, country = $5, link_previews = $6 where tenant_id = $1",
        args![to.name, to.time_zone, to.locale, to.country, to.link_previews],
    )
    .map(drop)
}
