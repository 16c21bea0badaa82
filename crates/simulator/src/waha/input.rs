//! What handlers read from a request.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use serde_json::Value;

use super::refusal::Refusal;

/// A JSON body, whatever its content type says; no body is an empty object.
pub struct Input(pub Value);

impl<S: Send + Sync> FromRequest<S> for Input {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await.map_err(|_| Refusal::bad("request aborted"))?;
        parse(&bytes).map(Input)
    }
}

/// Reads a body.
pub fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    if bytes.is_empty() {
        return Ok(Value::Object(Default::default()));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        Refusal::bad(match error.is_eof() {
            true => "Unexpected end of JSON input".to_owned(),
            false => format!("Unexpected token at position {} in JSON", error.column()),
        })
    })
}

impl Input {
    /// A text field that is there.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The session; there is no default on the wire, whatever the documentation says.
    pub fn session(&self) -> Result<&str, Refusal> {
        self.text("session").filter(|name| !name.is_empty()).ok_or_else(|| Refusal::bad("Session name is required"))
    }

    /// The chat. Without one the engine runs into a wall.
    pub fn chat(&self) -> Result<&str, Refusal> {
        self.text("chatId").ok_or_else(|| undefined("includes"))
    }

    /// Texts of a list.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let items = self.0.get(name)?.as_array()?;
        Some(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
    }
}

/// What Node says when a field that must be there is not.
pub fn undefined(property: &str) -> Refusal {
    Refusal::Crash("TypeError", format!("Cannot read properties of undefined (reading '{property}')"))
}

/// The raw part of a message id: raw already, or `{true|false}_{chat}_{raw}[_{participant}]`.
pub fn raw_id(id: &str) -> Result<&str, Refusal> {
    if !id.contains('_') && !id.is_empty() {
        return Ok(id);
    }
    let parts: Vec<&str> = id.split('_').collect();
    match parts.as_slice() {
        ["true" | "false", _, raw] | ["true" | "false", _, raw, _] if !raw.is_empty() => Ok(raw),
        _ => Err(Refusal::Crash(
            "Error",
            "Message id be in format false_11111111111@c.us_AAAAAAAAAAAAAAAAAAAA[_participant]".into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::raw_id;

    #[test]
    fn the_raw_part_of_an_id() {
        assert_eq!(raw_id("3EB0AA").unwrap(), "3EB0AA");
        assert_eq!(raw_id("true_27820001001@c.us_3EB0AA").unwrap(), "3EB0AA");
        assert_eq!(raw_id("false_120363@g.us_3EB0AA_27820001003@c.us").unwrap(), "3EB0AA");
        assert!(raw_id("false_bad_id_too_many_parts").is_err());
        assert!(raw_id("").is_err());
    }
}
