//! WAHA's error shapes: five of them, and a crash that echoes the request.

use axum::{
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::Gateway;
use crate::world::Refused;

/// Why a call is refused.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// The framework's own shape.
    Nest(StatusCode, Value),
    /// There is no such session: 422 where a session is needed to do something.
    NoSession(String),
    /// The session has another status.
    Status {
        /// Its name.
        session: String,
        /// What it is.
        status: &'static str,
        /// What it should be.
        expected: Vec<&'static str>,
    },
    /// A `detail` alone.
    Detail(String),
    /// 401.
    Unauthorized,
    /// An exception nobody caught: 500.
    Crash(&'static str, String),
}

/// A handler's answer.
pub type Answer = Result<Response, Refusal>;

impl Refusal {
    /// 404 in the framework's shape.
    pub fn missing(message: &str) -> Refusal {
        Refusal::Nest(StatusCode::NOT_FOUND, message.into())
    }

    /// 422 in the framework's shape.
    pub fn unprocessable(message: impl Into<String>) -> Refusal {
        Refusal::Nest(StatusCode::UNPROCESSABLE_ENTITY, message.into().into())
    }

    /// 400 in the framework's shape.
    pub fn bad(message: impl Into<Value>) -> Refusal {
        Refusal::Nest(StatusCode::BAD_REQUEST, message.into())
    }

    /// 501.
    pub fn not_implemented(gateway: &Gateway) -> Refusal {
        let text = format!("The method is not implemented by '{}' engine", gateway.engine.name());
        Refusal::Nest(StatusCode::NOT_IMPLEMENTED, text.into())
    }
}

impl From<Refused> for Refusal {
    /// What the world refuses is an exception in the engine.
    fn from(why: Refused) -> Refusal {
        Refusal::Crash("Error", why.to_string())
    }
}

/// A crash, for the guard to finish: only it still has the request that is echoed.
#[derive(Debug, Clone)]
pub struct Crashed(pub &'static str, pub String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Nest(status, message) => {
                let error = status.canonical_reason().unwrap_or("Error");
                answer(status, &json!({"message": message, "error": error, "statusCode": status.as_u16()}))
            }
            Refusal::NoSession(name) => answer(
                StatusCode::UNPROCESSABLE_ENTITY,
                &json!({"error": format!("Session \"{name}\" does not exist"), "session": name}),
            ),
            Refusal::Status { session, status, expected } => answer(
                StatusCode::UNPROCESSABLE_ENTITY,
                &json!({
                    "error": "Session status is not as expected. Try again later or restart the session",
                    "session": session, "status": status, "expected": expected,
                }),
            ),
            Refusal::Detail(detail) => answer(StatusCode::BAD_REQUEST, &json!({"detail": detail})),
            Refusal::Unauthorized => {
                answer(StatusCode::UNAUTHORIZED, &json!({"message": "Unauthorized", "statusCode": 401}))
            }
            Refusal::Crash(name, message) => {
                let mut answer = StatusCode::INTERNAL_SERVER_ERROR.into_response();
                answer.extensions_mut().insert(Crashed(name, message));
                answer
            }
        }
    }
}

/// The body of a 500: it echoes the request, files and all.
pub fn crash(gateway: &Gateway, crashed: &Crashed, at_ms: i64, request: Value) -> Response {
    let Crashed(name, message) = crashed;
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let stack =
        format!("{name}: {message}\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)");
    answer(
        StatusCode::INTERNAL_SERVER_ERROR,
        &json!({
            "statusCode": 500,
            "timestamp": format!("{at:.3}"),
            "exception": {"message": message, "name": name, "stack": stack},
            "request": request,
            "version": gateway.environment(),
        }),
    )
}

pub use crate::gate::json as answer;

/// 201 with a body.
pub fn created(body: &Value) -> Response {
    answer(StatusCode::CREATED, body)
}

/// 200 with a body.
pub fn ok(body: &Value) -> Response {
    answer(StatusCode::OK, body)
}

/// No body at all: how WAHA says null.
pub fn empty(status: StatusCode) -> Response {
    (status, [(header::CONTENT_LENGTH, "0")]).into_response()
}

/// An unknown route, or a known one with another method.
pub async fn no_route(method: Method, uri: Uri) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Refusal::missing(&format!("Cannot {method} {path}")).into_response()
}
