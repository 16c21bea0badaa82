//! `/api/tenant`: what an admin may change about the tenant.
use super::{Tenant, check_time_zone, get, update};
use crate::{
    Error, Result,
    app::App,
    audit,
    http::{Admin, Check, Json, Problem},
    id::TenantId,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};

/// This room's routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(change))
}

/// A workspace.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Tenant)]
pub struct TenantView {
    id: TenantId,
    name: String,
    /// For addresses; never changes.
    slug: String,
    /// Where its days begin: `Africa/Johannesburg`.
    time_zone: String,
    /// How it writes: `en-ZA`.
    locale: String,
    /// Two letters.
    country: Option<String>,
    /// Whether the pages that texts link to are asked for their title and picture.
    link_previews: bool,
}

impl From<Tenant> for TenantView {
    fn from(of: Tenant) -> TenantView {
        TenantView {
            id: of.id,
            name: of.name,
            slug: of.slug,
            time_zone: of.time_zone,
            locale: of.locale,
            country: of.country,
            link_previews: of.link_previews,
        }
    }
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct TenantChange {
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    #[schema(example = "Africa/Johannesburg")]
    time_zone: Option<String>,
    #[schema(example = "en-ZA")]
    locale: Option<String>,
    #[schema(example = "ZA")]
    country: Option<String>,
    link_previews: Option<bool>,
}

/// Changes the workspace's name, time zone, language or country, and whether links have previews.
#[utoipa::path(patch, path = "/api/tenant", tag = "tenants", request_body = TenantChange,
    responses((status = 200, body = TenantView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn change(State(app): State<App>, who: Admin, Json(change): Json<TenantChange>) -> Result<Json<TenantView>> {
    let mut check = Check::default();
    if let Some(name) = &change.name {
        check.name(name, "/name", 80);
    }
    check.that(change.time_zone.as_deref().is_none_or(check_time_zone), "/timeZone", "is not a time zone we know");
    check.that(change.locale.as_deref().is_none_or(is_locale), "/locale", "is a language tag such as en-ZA");
    check.that(change.country.as_deref().is_none_or(is_country), "/country", "is a country's two capital letters");
    check.done()?;
    if change.link_previews == Some(true) && !app.config.links.previews {
        return Err(Error::conflict(
            "not-offered",
            "There are no link previews here",
            "The operator of this installation has switched them off.",
        ));
    }
    let changed = app.db.write(who.tenant, move |tx| {
        let before = get(tx)?;
        let mut after = get(tx)?;
        if let Some(name) = &change.name {
            after.name = name.trim().into();
        }
        if let Some(zone) = &change.time_zone {
            after.time_zone.clone_from(zone);
        }
        if let Some(locale) = &change.locale {
            after.locale.clone_from(locale);
        }
        if let Some(country) = &change.country {
            after.country = Some(country.clone());
        }
        after.link_previews = change.link_previews.unwrap_or(after.link_previews);
        update(tx, &after)?;
        let (before, after) = (TenantView::from(before), TenantView::from(after));
        audit::record(tx, &who, "tenant.change", &before, &after)?;
        Ok(after)
    });
    Ok(Json(changed.await?))
}

/// Whether this is written like a language tag: `en`, `en-ZA`.
pub fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language =
        parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase()));
    language
        && text.len() <= 35
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Whether these are two capital letters.
pub fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}
