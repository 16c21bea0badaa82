//! Whose a part of a hook is. What signed it names a gateway or a Meta app, and no part of it reaches a number anywhere else.
use crate::{
    Result,
    app::App,
    id::TenantId,
    instances::{
        GatewayId, InstanceId,
        routes::{HookRoute, To},
    },
};
use indaba_providers::Addressee;
use std::sync::Arc;

/// What gateways call their numbers is shorter.
const LONGEST_NAME: usize = 128;

/// Where a part of a hook belongs.
pub(super) enum Place {
    /// To one number.
    Number(TenantId, InstanceId),
    /// To each of these: it is about their account.
    Numbers(Arc<[(TenantId, InstanceId)]>),
    /// To nobody we know, for this reason: the operator's to look at.
    Nobody(Option<GatewayId>, &'static str),
    /// To a number that was deleted.
    Dropped,
}

/// Where this part of a hook that came in by `route` belongs.
pub(super) async fn place(app: &App, route: &HookRoute, to: &Addressee) -> Result<Place> {
    if let Addressee::Instance(name) | Addressee::Account(name) = to
        && name.len() > LONGEST_NAME
    {
        return Ok(Place::Dropped); // nobody is called so; it is not worth a row, nor a place in memory
    }
    if let Some(key) = &route.app {
        return of_app(app, route, key, to).await;
    }
    let named = |gateway| async move {
        match to {
            Addressee::Instance(name) => app.hook_routes.named(app, gateway, name).await,
            Addressee::Account(_) | Addressee::Caller => Ok(None),
        }
    };
    Ok(match route.to {
        To::Instance(tenant, instance, gateway) => match to {
            Addressee::Caller => Place::Number(tenant, instance),
            _ => match named(gateway).await? {
                Some((owner, other)) if (owner, other) == (tenant, instance) => Place::Number(tenant, instance),
                Some(_) => Place::Nobody(Some(gateway), "signed with another number's secret"),
                None => Place::Nobody(Some(gateway), "no number of this name is on the gateway"),
            },
        },
        To::Gateway(gateway) => match named(gateway).await? {
            Some((tenant, instance)) => Place::Number(tenant, instance),
            None if *to == Addressee::Caller => {
                Place::Nobody(Some(gateway), "it does not say which number it is about")
            }
            None => Place::Nobody(Some(gateway), "no number of this name is on the gateway"),
        },
        To::Deleted => Place::Dropped,
    })
}

/// One Meta app signs for all its numbers, whatever URL it calls; templates and the account concern every number of the account.
async fn of_app(app: &App, route: &HookRoute, key: &Arc<[u8]>, to: &Addressee) -> Result<Place> {
    let found = app.hook_routes.of_app(app, key, to).await?;
    let gateway = match route.to {
        To::Instance(_, _, gateway) | To::Gateway(gateway) => Some(gateway),
        To::Deleted => None,
    };
    Ok(match (to, route.to) {
        (Addressee::Caller, To::Instance(tenant, instance, _)) => Place::Number(tenant, instance),
        (Addressee::Caller, To::Gateway(_)) => Place::Nobody(gateway, "it does not say which number it is about"),
        (_, To::Deleted) if found.is_empty() => Place::Dropped,
        (Addressee::Instance(_), _) if found.is_empty() => {
            Place::Nobody(gateway, "the Meta app has no number of this id")
        }
        (_, _) if found.is_empty() => Place::Nobody(gateway, "the Meta app has no number of this account"),
        _ => Place::Numbers(found),
    })
}
