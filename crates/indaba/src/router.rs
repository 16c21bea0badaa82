//! The list of all routes: each room gives its own, the HTTP floor goes around them.
use crate::{
    Error,
    app::App,
    audit, contacts, conversations, events, health,
    http::{Problem, docs, stack, ui},
    instances, jobs, media, messages, quick_replies, tenants, users,
};
use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use utoipa::OpenApi as _;
use utoipa::openapi::{
    ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
    path::Operation,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;

/// Every room's routes.
pub fn rooms() -> OpenApiRouter<App> {
    // hooks are served beside the API (see `build`), and told of in its document
    OpenApiRouter::with_openapi(document().merge_from(messages::hooks::Document::openapi()))
        .merge(health::routes())
        .merge(events::http::routes())
        .merge(jobs::http::routes(audit::record))
        .merge(audit::routes())
        .merge(tenants::routes())
        .merge(users::routes())
        .merge(instances::http::routes())
        .merge(contacts::http::routes())
        .merge(conversations::http::routes())
        .merge(media::http::routes())
        .merge(quick_replies::http::routes())
        .merge(messages::http::routes())
}

/// The whole server.
pub fn router(app: &App) -> Router {
    build(app, rooms())
}

/// A server of these rooms: all of ours, and in tests one that is broken on purpose.
pub fn build(app: &App, rooms: OpenApiRouter<App>) -> Router {
    let api = Router::from(rooms).route("/api/openapi.json", get(openapi_json)).merge(docs::routes());
    // hooks prove themselves by a signature: nobody signs in there, and no key makes them idempotent
    let all = stack::api(api, app)
        .merge(messages::hooks::routes())
        .route("/metrics", get(health::metrics))
        .fallback(no_route);
    stack::outer(all).with_state(app.clone())
}

/// What a worker answers: how it is, and nothing else.
pub fn health_only(app: &App) -> Router {
    let routes = stack::api(Router::from(health::routes()), app).route("/metrics", get(health::metrics));
    stack::outer(routes.fallback(async || Error::Missing)).with_state(app.clone())
}

/// Under `/api` nothing else is there; everywhere else are the pages of the UI.
async fn no_route(request: Request) -> Response {
    match request.uri().path() == "/api" || request.uri().path().starts_with("/api/") {
        true => Error::Missing.into_response(),
        false => ui::serve(request).await,
    }
}

async fn openapi_json(State(_): State<App>) -> Response {
    ([(axum::http::header::CONTENT_TYPE, "application/json")], openapi()).into_response()
}

/// The OpenAPI document, as JSON.
pub fn openapi() -> &'static str {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| describe(rooms()))
}

/// The OpenAPI document of these rooms.
pub fn describe(rooms: OpenApiRouter<App>) -> String {
    complete(rooms.into_openapi()).to_pretty_json().expect("a document of ours") + "\n"
}

fn document() -> OpenApi {
    let info = utoipa::openapi::InfoBuilder::new()
        .title("Indaba")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "A self-hosted WhatsApp workspace. Everything its pages do can be done here.\n\n\
             Sign in (cookies), or send `Authorization: Bearer` with an access token or an API key (`ik_…`). Roles: viewer < agent < \
             manager < admin. Lists are pages: `limit` (1 to 100) and `after`, the `next` of the page before. Every change takes an \
             `Idempotency-Key`. Every error is an application/problem+json.",
        ))
        .license(Some(utoipa::openapi::License::new("Apache-2.0")))
        .build();
    utoipa::openapi::OpenApiBuilder::new().info(info).build()
}

/// What holds for every operation and is not repeated at each: who may ask, and how it is refused.
fn complete(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    let (name, schema) = (<Problem as utoipa::ToSchema>::name(), <Problem as utoipa::PartialSchema>::schema());
    components.schemas.entry(name.into()).or_insert(schema);
    let mut parts = Vec::new();
    <Problem as utoipa::ToSchema>::schemas(&mut parts);
    for (name, schema) in parts {
        components.schemas.entry(name).or_insert(schema);
    }
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::http::who::ACCESS)));
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    components.security_schemes.insert("cookie".into(), cookie.into());
    components.security_schemes.insert("bearer".into(), bearer.into());
    let known = ["cookie", "bearer"].map(|scheme| SecurityRequirement::new(scheme, [] as [&str; 0]));
    document.security = Some(known.to_vec());
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("get", &mut item.get),
            ("put", &mut item.put),
            ("post", &mut item.post),
            ("delete", &mut item.delete),
            ("patch", &mut item.patch),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            operation.operation_id = Some(operation_name(method, path));
            refusals(operation);
        }
    }
    document
}

/// A name that no other operation has (the functions are all `list` and `create`): `postConversationsByIdMessages`.
fn operation_name(method: &str, path: &str) -> String {
    let mut name = method.to_owned();
    for part in path.strip_prefix("/api").unwrap_or(path).split('/').filter(|part| !part.is_empty()) {
        let (by, words) = match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(parameter) => ("By", parameter),
            None => ("", part),
        };
        name += by;
        for word in words.split('-') {
            let mut letters = word.chars();
            name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            name += letters.as_str();
        }
    }
    name
}

/// Errors are problem+json, and any operation may answer one.
fn refusals(operation: &mut Operation) {
    let problem = Ref::from_schema_name("Problem");
    for (status, answer) in &mut operation.responses.responses {
        let failed = status.starts_with(['4', '5']);
        if let (true, RefOr::T(answer)) = (failed, answer)
            && let Some(content) = answer.content.shift_remove("application/json")
        {
            answer.content.insert("application/problem+json".into(), content);
        }
    }
    let content = ContentBuilder::new().schema(Some(problem)).build();
    let any = ResponseBuilder::new().description("Refused").content("application/problem+json", content).build();
    operation.responses.responses.entry("default".into()).or_insert(any.into());
}
