//! Who asks. A handler names the least role it wants by its extractor: [`Viewer`] < [`Agent`] < [`Manager`] < [`Admin`].
//!
//! The floor reads the credential; whom it names is answered by the room `users`, through [`Identify`].
use super::{idempotency::Once, origin};
use crate::{Error, Result, app::App, id::TenantId};
use async_trait::async_trait;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, header, request::Parts},
};
use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// The cookie with the access token.
pub const ACCESS: &str = "indaba_access";
/// The cookie with the refresh token.
pub const REFRESH: &str = "indaba_refresh";

id! {
    /// A person who signs in.
    UserId, "usr"
}
id! {
    /// One sign-in: a family of refresh tokens, on one device.
    SignInId, "sin"
}
id! {
    /// An API key.
    ApiKeyId, "key"
}

words! {
    /// What someone may do in a tenant; each may also do what those before it may.
    pub enum Role {
        /// Reads.
        Viewer = "viewer",
        /// Answers, notes, edits contacts.
        Agent = "agent",
        /// Campaigns, templates, the assistant, imports, exports, reports.
        Manager = "manager",
        /// Numbers, users, keys, webhooks, plan, audit, erasure.
        Admin = "admin",
    }
}

/// Who asks, and in whose tenant.
#[derive(Clone, Debug)]
pub struct Who {
    /// Whose rows are meant.
    pub tenant: TenantId,
    /// The person or program.
    pub actor: Actor,
    /// What it may do.
    pub role: Role,
    /// Whether it also runs the installation.
    pub operator: bool,
    /// What an API key is restricted to; empty means everything its role may. See [`Who::within_scopes`].
    pub scopes: Arc<[String]>,
    pub(crate) once: Option<Arc<Once>>,
}

/// The person or program that acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    User {
        /// Who.
        id: UserId,
        /// As the team knows them.
        name: Arc<str>,
        /// On which sign-in.
        sign_in: SignInId,
    },
    /// A program with a key.
    ApiKey {
        /// Which.
        id: ApiKeyId,
        /// What the key was called.
        name: Arc<str>,
    },
    /// Indaba itself: a job, a rule.
    System,
}

impl Actor {
    /// `user`, `apiKey` or `system`.
    pub fn kind(&self) -> &'static str {
        match self {
            Actor::User { .. } => "user",
            Actor::ApiKey { .. } => "apiKey",
            Actor::System => "system",
        }
    }

    /// Its id as bytes; none for the system.
    pub fn id(&self) -> Option<[u8; 16]> {
        match self {
            Actor::User { id, .. } => Some(id.0),
            Actor::ApiKey { id, .. } => Some(id.0),
            Actor::System => None,
        }
    }

    /// Its name, empty for the system.
    pub fn name(&self) -> &str {
        match self {
            Actor::User { name, .. } | Actor::ApiKey { name, .. } => name,
            Actor::System => "",
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::User { id, .. } => id.fmt(f),
            Actor::ApiKey { id, .. } => id.fmt(f),
            Actor::System => f.write_str("system"),
        }
    }
}

impl Who {
    /// Indaba itself, at work for a tenant.
    pub fn system(tenant: TenantId) -> Who {
        let scopes = Arc::from([]);
        Who { tenant, actor: Actor::System, role: Role::Admin, operator: false, scopes, once: None }
    }

    /// The person, if it is one.
    pub fn user(&self) -> Option<UserId> {
        match self.actor {
            Actor::User { id, .. } => Some(id),
            _ => None,
        }
    }

    /// `Ok` if the role is at least `least`. Errors: 403.
    pub fn at_least(&self, least: Role) -> Result<()> {
        match self.role >= least {
            true => Ok(()),
            false => {
                Err(Error::Forbidden(format!("This needs the role {least}; yours is {}. Ask an admin.", self.role)))
            }
        }
    }

    /// `Ok` unless this is an API key whose scopes leave this request out. A scope is the name after `/api/`, alone (`contacts`) or
    /// with what may be done there (`contacts:read`, `messages:write`; `write` includes `read`). Errors: 403.
    pub fn within_scopes(&self, method: &Method, path: &str) -> Result<()> {
        let room = path.strip_prefix("/api/").unwrap_or(path).split('/').next().unwrap_or_default();
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let opens = |scope: &String| match scope.split_once(':') {
            None => scope == room,
            Some((of, may)) => of == room && (may == "write" || (may == "read" && reads)),
        };
        if self.scopes.is_empty() || self.scopes.iter().any(opens) {
            return Ok(());
        }
        Err(Error::Forbidden(format!("This key's scopes leave out {room}:{}.", if reads { "read" } else { "write" })))
    }
}

/// What a request shows of itself.
#[derive(Clone)]
pub enum Credential {
    /// An access token, as bearer or in its cookie.
    Token(String),
    /// An API key, `ik_…`.
    ApiKey(String),
}

/// Answers whom a credential names. Implemented by the room `users`.
#[async_trait]
pub trait Identify: Send + Sync + 'static {
    /// Whom it names now. Errors: `Unauthorized`, when it is unknown, expired or withdrawn.
    async fn identify(&self, app: &App, credential: &Credential) -> Result<Who>;

    /// Looks again at someone known, for what lasts longer than a request: the live stream asks each minute.
    /// Errors: `Unauthorized`, when signed out, removed or suspended since.
    async fn again(&self, app: &App, who: &Who) -> Result<Who>;
}

/// The credential of a request: `Authorization: Bearer …`, else the cookie. The flag tells that it came by cookie, which a browser
/// also sends when another site makes it ask.
pub fn credential(headers: &HeaderMap) -> Option<(Credential, bool)> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let token = token.trim().to_owned();
        return scheme.eq_ignore_ascii_case("bearer").then(|| match token.starts_with("ik_") {
            true => (Credential::ApiKey(token), false),
            false => (Credential::Token(token), false),
        });
    }
    cookie(headers, ACCESS).map(|token| (Credential::Token(token.to_owned()), true))
}

/// The value of a cookie.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    all.flat_map(|line| line.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name && !value.is_empty()).then_some(value)
    })
}

/// Whom a request names; `None` if it names nobody. What changes something by cookie must come from our own pages.
pub(super) async fn identify(app: &App, parts: &Parts) -> Option<Result<Who>> {
    let (credential, by_cookie) = credential(&parts.headers)?;
    if by_cookie && !parts.method.is_safe() && !origin::is_ours(app, &parts.headers) {
        return Some(Err(origin::foreign()));
    }
    let who = app.identify.identify(app, &credential).await;
    Some(who.and_then(|who| who.within_scopes(&parts.method, parts.uri.path()).map(|()| who)))
}

/// What `identify` found, in the request's extensions.
#[derive(Clone)]
pub(super) struct Asked(pub Option<Result<Who>>);

/// Whoever asks, if anyone does: for routes that answer strangers too. Wrong credentials count as none.
#[derive(Clone, Debug)]
pub struct Anyone(pub Option<Who>);

impl<S: Sync> FromRequestParts<S> for Anyone {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Anyone> {
        Ok(Anyone(parts.extensions.get::<Asked>().and_then(|asked| asked.0.clone()?.ok())))
    }
}

macro_rules! extractors { ($($(#[$doc:meta])* $name:ident;)*) => { $(
    $(#[$doc])*
    #[derive(Clone, Debug)]
    pub struct $name(pub Who);

    impl<S: Sync> FromRequestParts<S> for $name {
        type Rejection = Error;

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<$name> {
            let asked = parts.extensions.get::<Asked>().and_then(|asked| asked.0.clone());
            let who = asked.ok_or(Error::Unauthorized)??;
            who.at_least(Role::$name)?;
            Ok($name(who))
        }
    }

    impl Deref for $name {
        type Target = Who;
        fn deref(&self) -> &Who {
            &self.0
        }
    }

    impl DerefMut for $name {
        fn deref_mut(&mut self) -> &mut Who {
            &mut self.0
        }
    }
)* } }

extractors! {
    /// Anyone of the tenant.
    Viewer;
    /// At least an agent.
    Agent;
    /// At least a manager.
    Manager;
    /// An admin.
    Admin;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_bearer_goes_before_a_cookie_and_other_schemes_name_nobody() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; indaba_access=tok; indaba_accessx=no"));
        assert!(matches!(credential(&headers), Some((Credential::Token(token), true)) if token == "tok"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("bearer ik_1"));
        assert!(matches!(credential(&headers), Some((Credential::ApiKey(key), false)) if key == "ik_1"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic eA=="));
        assert!(credential(&headers).is_none(), "not the cookie's owner either");
    }

    #[test]
    fn scopes_say_where_and_whether_to_write() {
        let mut who = Who::system(TenantId::NIL);
        let may = |who: &Who, method: Method, path: &str| who.within_scopes(&method, path).is_ok();
        assert!(may(&who, Method::DELETE, "/api/users/x"), "no scopes: everything the role may");
        who.scopes = ["contacts:read".to_owned(), "messages".to_owned(), "media:write".to_owned()].into();
        assert!(may(&who, Method::GET, "/api/contacts/x") && !may(&who, Method::PATCH, "/api/contacts/x"));
        assert!(may(&who, Method::POST, "/api/messages/send") && may(&who, Method::GET, "/api/media/x"));
        assert!(!may(&who, Method::GET, "/api/contactsx") && !may(&who, Method::GET, "/api/users"));
    }
}
