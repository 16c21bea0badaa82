//! How Evolution answers: JSON as Express sends it, and errors in a shape that is never quite the same.

use axum::{
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{gate, world::Refused};

/// Why a call is refused: `{"status","error","response":{"message":X}}`.
#[derive(Debug, Clone)]
pub struct Refusal(pub StatusCode, pub Value);

/// A handler's answer.
pub type Answer = Result<Response, Refusal>;

impl Refusal {
    /// A list of texts, as most are.
    fn list(status: StatusCode, text: impl Into<String>) -> Refusal {
        Refusal(status, json!([text.into()]))
    }

    /// 400.
    pub fn bad(text: impl Into<String>) -> Refusal {
        Refusal::list(StatusCode::BAD_REQUEST, text)
    }

    /// 400 of a body that its schema refuses: a list in a list.
    pub fn schema(wrong: Vec<String>) -> Refusal {
        Refusal(StatusCode::BAD_REQUEST, json!([wrong]))
    }

    /// 401: a text, no list.
    pub fn unauthorized() -> Refusal {
        Refusal(StatusCode::UNAUTHORIZED, "Unauthorized".into())
    }

    /// 403.
    pub fn forbidden(text: impl Into<String>) -> Refusal {
        Refusal::list(StatusCode::FORBIDDEN, text)
    }

    /// 404.
    pub fn missing(text: impl Into<String>) -> Refusal {
        Refusal::list(StatusCode::NOT_FOUND, text)
    }

    /// 404 of an instance that is not there.
    pub fn no_instance(name: &str) -> Refusal {
        Refusal::missing(format!("The \"{name}\" instance does not exist"))
    }

    /// 500 of an exception that nobody caught: a text, no list.
    pub fn crash(text: impl Into<String>) -> Refusal {
        Refusal(StatusCode::INTERNAL_SERVER_ERROR, Value::String(text.into()))
    }

    /// The same, thrown and made a text.
    pub fn thrown(why: &str) -> String {
        let kind = if why.starts_with("Cannot") { "TypeError" } else { "Error" };
        format!("{kind}: {why}")
    }

    /// 500 of an exception that was caught and thrown again: a list.
    pub fn failed(texts: &[&str]) -> Refusal {
        Refusal(StatusCode::INTERNAL_SERVER_ERROR, json!(texts))
    }

    /// What Node says when the client inside is not there: the instance is not connected.
    pub fn no_client(call: &str) -> String {
        format!("Cannot read properties of undefined (reading '{call}')")
    }
}

impl From<Refused> for Refusal {
    /// What WhatsApp refuses is caught, and its words are passed on.
    fn from(why: Refused) -> Refusal {
        Refusal::bad(format!("Error: {why}"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Refusal(status, message) = self;
        let error = status.canonical_reason().unwrap_or("Error");
        let body = json!({"status": status.as_u16(), "error": error, "response": {"message": message}});
        gate::json(status, &body)
    }
}

/// 200 with a body.
pub fn ok(body: &Value) -> Answer {
    Ok(gate::json(StatusCode::OK, body))
}

/// 201 with a body.
pub fn created(body: &Value) -> Answer {
    Ok(gate::json(StatusCode::CREATED, body))
}

/// An unknown route, or a known one with another method.
pub async fn no_route(method: Method, uri: Uri) -> Response {
    Refusal::missing(format!("Cannot {method} {}", uri.path())).into_response()
}
