//! Meta's gate: the token, and what Meta says when no handler of ours does.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq as _;

use super::{
    VERSION,
    account::{Caller, State},
    media,
    post::hmac,
    refusal::{Refusal, trace_id},
};
use crate::{
    gate::{About, Asked, Gate},
    sim::Sim,
};

/// The gate.
#[derive(Default)]
pub struct Meta;

impl Gate for Meta {
    const BODY: usize = media::LARGEST + 64 * 1024;

    fn about(&self, asked: &Asked) -> About {
        let path = inside(asked.uri.path());
        let chat = asked.text("to").or_else(|| asked.text("recipient"));
        About { session: path.split('/').find(|part| !part.is_empty()).map(str::to_owned), chat }
    }

    fn admit(&self, sim: &Arc<Sim>, asked: &Asked, _: &About) -> Result<(), Response> {
        let path = inside(asked.uri.path());
        // One gives a token out; the other is a host of its own, with its own way to say no.
        if path == "/oauth/access_token" || path.starts_with("/whatsapp_business/") {
            return Ok(());
        }
        let state = sim.cloud.state();
        let token = token(&asked.headers, &asked.uri);
        let admitted = state.caller(token.as_deref(), state.now(sim)).and_then(|caller| {
            state.proof(&caller, token.as_deref().unwrap_or_default(), asked.query("appsecret_proof").as_deref())
        });
        admitted.map_err(IntoResponse::into_response)
    }

    fn too_large(&self) -> Response {
        Refusal { status: 413, ..Refusal::param("Request entity too large") }.into_response()
    }

    fn too_many(&self, _: &Sim) -> Response {
        Refusal::known(80_007).into_response()
    }

    fn crash(&self, _: &Sim, _: &Asked, message: &str) -> Response {
        Refusal { status: 500, ..Refusal::because(131_000, message) }.into_response()
    }

    /// Nothing here is called so; the restriction on a number for spam is nearest.
    fn timelock(&self, _: &Sim, _: &Asked) -> Response {
        Refusal::known(131_048).into_response()
    }

    fn not_implemented(&self, _: &Sim, asked: &Asked) -> Response {
        Refusal::object(&asked.method.as_str().to_lowercase(), "0").into_response()
    }

    fn expired(&self, sim: &Arc<Sim>, asked: &Asked, _: &About) -> Response {
        let mut state = sim.cloud.state();
        let now = state.now(sim);
        if let Some(token) = token(&asked.headers, &asked.uri).and_then(|token| state.tokens.get_mut(&token)) {
            token.expires_ms = Some(now);
        }
        Refusal::expired_token().into_response()
    }

    fn dress(&self, headers: &mut HeaderMap) {
        headers.insert("facebook-api-version", HeaderValue::from_static(VERSION));
        if let Ok(trace) = trace_id().parse() {
            headers.insert("x-fb-trace-id", trace);
        }
    }
}

/// The token of a request. One in the query goes before that in the header: pywa names an app's token so, on a client whose header has another.
pub fn token(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let mut query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    if let Some((_, token)) = query.find(|(key, _)| key == "access_token") {
        return Some(token.into_owned());
    }
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
    known.then(|| token.trim().to_owned())
}

impl State {
    /// Whose token this is.
    pub fn caller(&self, token: Option<&str>, now_ms: i64) -> Result<Caller, Refusal> {
        let token = token.filter(|token| !token.is_empty()).ok_or_else(Refusal::no_token)?;
        if let Some((id, secret)) = token.split_once('|') {
            let app = self.apps.get(id).filter(|app| app.secret.as_bytes().ct_eq(secret.as_bytes()).into());
            app.ok_or_else(Refusal::bad_token)?;
            return Ok(Caller { app: id.to_owned(), wabas: Default::default(), scopes: Vec::new() });
        }
        let known = self.tokens.get(token).ok_or_else(Refusal::bad_token)?;
        if known.expires_ms.is_some_and(|at| at <= now_ms) {
            return Err(Refusal::expired_token());
        }
        Ok(Caller { app: known.app.clone(), wabas: known.wabas.clone(), scopes: known.scopes.clone() })
    }

    /// `appsecret_proof`: right if it is there, and there if the app demands it.
    fn proof(&self, caller: &Caller, token: &str, given: Option<&str>) -> Result<(), Refusal> {
        let Some(app) = self.apps.get(&caller.app) else { return Ok(()) };
        let wrong =
            |message: &str| Refusal { kind: "GraphMethodException", message: message.into(), ..Refusal::param("") };
        match given {
            None if app.proof => Err(wrong("API calls from the server require an appsecret_proof argument")),
            None => Ok(()),
            Some(given) => {
                let good: bool = hmac(&app.secret, token.as_bytes()).as_bytes().ct_eq(given.as_bytes()).into();
                if good { Ok(()) } else { Err(wrong("Invalid appsecret_proof provided in the API argument")) }
            }
        }
    }
}

impl FromRequestParts<Arc<Sim>> for Caller {
    type Rejection = Refusal;

    /// The gate has looked at it; here it is read once more, for what it may do.
    async fn from_request_parts(parts: &mut Parts, sim: &Arc<Sim>) -> Result<Caller, Refusal> {
        let state = sim.cloud.state();
        let token = token(&parts.headers, &parts.uri);
        state.caller(token.as_deref(), state.now(sim))
    }
}

/// The path below `/graph` and the version: `/graph/v26.0/1/messages` and `/v26.0/1/messages` are `/1/messages`.
pub fn inside(path: &str) -> &str {
    let path = match path.strip_prefix("/graph") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => path,
    };
    let first = path.strip_prefix('/').unwrap_or(path);
    let (head, rest) = first.split_at(first.find('/').unwrap_or(first.len()));
    if is_version(head) { if rest.is_empty() { "/" } else { rest } } else { path }
}

/// `v26.0`.
pub fn is_version(segment: &str) -> bool {
    let Some((major, minor)) = segment.strip_prefix('v').and_then(|rest| rest.split_once('.')) else { return false };
    [major, minor]
        .iter()
        .all(|part| !part.is_empty() && part.len() < 4 && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// No such path, or no such method on it.
pub async fn no_route(uri: Uri) -> Refusal {
    Refusal::path(uri.path())
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn with_or_without_a_version_it_is_the_same_path() {
        for path in ["/graph/v26.0/1/messages", "/v26.0/1/messages", "/graph/1/messages", "/graph/v13.0/1/messages"] {
            assert_eq!(inside(path), "/1/messages", "{path}");
        }
        assert_eq!(inside("/graph/v26.0"), "/");
        assert_eq!(inside("/graphics/1"), "/graphics/1");
    }
}
