//! What Meta says when it does not do something: one shape, and a number that tells what it was.
//!
//! Sources of numbers, titles and HTTP statuses: Meta's table of error codes as its partners repeat it, and the answers in Meta's OpenAPI file.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::chance::letters;

/// What stands on every answer.
const TYPE: &str = "application/json; charset=UTF-8";
const HREF: &str = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/";

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP.
    pub status: u16,
    /// Meta's number.
    pub code: i64,
    /// The finer number, where there is one.
    pub subcode: Option<i64>,
    /// `OAuthException` or `GraphMethodException`.
    pub kind: &'static str,
    /// `error.message`, whole.
    pub message: String,
    /// `error.error_data.details`.
    pub details: Option<String>,
    /// `error_user_title` and `error_user_msg`.
    pub user: Option<Box<(String, String)>>,
    /// Worth another try.
    pub transient: bool,
}

/// A handler's answer.
pub type Answer = Result<Response, Refusal>;

/// Number, HTTP status, title, and the sentence that goes with it.
type Known = (i64, u16, &'static str, &'static str);

const KNOWN: &[Known] = &[
    (1, 400, "API Unknown", "Invalid request or possible server error."),
    (2, 503, "API Service", "Temporary due to downtime or due to being overloaded."),
    (3, 500, "API Method", "Capability or permissions issue."),
    (4, 429, "API Too Many Calls", "The app has reached its API call rate limit."),
    (10, 403, "Permission Denied", "Permission is either not granted or has been removed."),
    (33, 400, "Parameter value is not valid", "The business phone number has been deleted."),
    (
        368,
        403,
        "Temporarily blocked for policies violations",
        "The WhatsApp Business Account associated with the app has been restricted or disabled for violating a platform policy.",
    ),
    (80007, 429, "Rate limit issues", "The WhatsApp Business Account has reached its rate limit."),
    (130403, 403, "User is blocked", "The recipient is on the block list of this number."),
    (
        130429,
        429,
        "Rate limit hit",
        "Message failed to send because there were too many messages sent from this phone number in a short period of time",
    ),
    (
        130472,
        400,
        "User's number is part of an experiment",
        "Failed to send message because this user's phone number is part of an experiment",
    ),
    (
        130497,
        403,
        "Business account is restricted from messaging users in this country.",
        "The business is restricted from messaging users in this country.",
    ),
    (
        131000,
        500,
        "Something went wrong",
        "Message failed to send due to an unknown error. When this happens, try again.",
    ),
    (131005, 403, "Access denied", "Permission is either not granted or has been removed."),
    (131008, 400, "Required parameter is missing", "The request is missing a required parameter."),
    (131009, 400, "Parameter value is not valid", "One or more parameter values are invalid."),
    (131016, 500, "Service unavailable", "A service is temporarily unavailable."),
    // What Meta says of groups was not seen.
    (131020, 400, "Group is not available", "The group is not available."),
    (131021, 400, "Recipient cannot be sender", "Sender and recipient phone number is the same."),
    (131026, 400, "Message undeliverable", "Message Undeliverable."),
    (
        131030,
        400,
        "Recipient phone number not in allowed list",
        "Recipient phone number not in allowed list: Add recipient phone number to recipient list and try again.",
    ),
    (
        131031,
        403,
        "Business Account locked",
        "The WhatsApp Business Account associated with the app has been restricted or disabled for violating a platform policy, or we were unable to verify data included in the request.",
    ),
    (
        131037,
        400,
        "WhatsApp provided number needs display name approval before message can be sent.",
        "The 555 business phone number used to send the request does not have an approved display name.",
    ),
    (
        131042,
        400,
        "Business eligibility payment issue",
        "Message failed to send because there were one or more errors related to your payment method.",
    ),
    (131045, 500, "Incorrect certificate", "Message failed to send due to a phone number registration error."),
    (
        131047,
        400,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
    ),
    (
        131048,
        429,
        "Spam rate limit hit",
        "Message failed to send because there are restrictions on how many messages can be sent from this phone number. This may be because too many previous messages were blocked or flagged as spam.",
    ),
    (
        131049,
        400,
        "This message was not delivered to maintain healthy ecosystem engagement.",
        "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    ),
    (
        131050,
        400,
        "User has stopped marketing messages",
        "The recipient has chosen to stop receiving marketing messages from this business.",
    ),
    (131051, 400, "Unsupported message type", "Message type is currently not supported."),
    (131052, 400, "Media download error", "Unable to download the media sent by the user."),
    (131053, 400, "Media upload error", "Unable to upload the media used in the message."),
    (
        131056,
        429,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time",
    ),
    (131057, 500, "Account in maintenance mode", "Business Account is in maintenance mode"),
    (131059, 400, "Cursor expired", "The cursor is not valid any more."),
    (
        131062,
        400,
        "Business-scoped user ID is not supported for this message",
        "Authentication templates need the phone number of the recipient.",
    ),
    (
        132000,
        400,
        "Number of parameters does not match the expected number of params",
        "The number of variable parameter values included in the request did not match the number of variable parameters defined in the template.",
    ),
    (
        132001,
        404,
        "Template name does not exist in the translation",
        "The template does not exist in the specified language or the template has not been approved.",
    ),
    (132005, 400, "Translated text too long", "Translated text is too long."),
    (132007, 400, "Template character policy violated", "Template content violates a WhatsApp policy."),
    (
        132012,
        400,
        "Parameter format does not match format in the created template",
        "Variable parameter values formatted incorrectly.",
    ),
    (
        132015,
        400,
        "Template is Paused",
        "Template is paused due to low quality so it cannot be sent in a template message.",
    ),
    (
        132016,
        400,
        "Template is Disabled",
        "Template has been paused too many times due to low quality and is now permanently disabled.",
    ),
    (
        132018,
        400,
        "There's an issue with the parameters in your template",
        "A text parameter cannot have new-line/tab characters or more than 4 consecutive spaces.",
    ),
    (133005, 400, "Two step verification PIN Mismatch", "Two-step verification PIN incorrect."),
    (133010, 400, "Phone number Not Registered", "Phone number not registered on the Whatsapp Business Platform."),
    (
        133016,
        429,
        "Account register/deregister rate limit exceeded",
        "Registration or Deregistration failed because there were too many attempts for this phone number in a short period of time",
    ),
    (134101, 400, "Template is being synced", "The template is being synced to the marketing messages API."),
    (
        135000,
        400,
        "Generic user error",
        "Message failed to send because of an unknown error with your request parameters.",
    ),
    (136025, 400, "Verify code error", "The code is incorrect."),
];

fn known(code: i64) -> Known {
    let unknown = (code, 400, "Message failed to send", "Message failed to send.");
    KNOWN.iter().copied().find(|(number, ..)| *number == code).unwrap_or(unknown)
}

impl Refusal {
    fn of(status: u16, code: i64, kind: &'static str, message: impl Into<String>) -> Refusal {
        let message = message.into();
        Refusal { status, code, subcode: None, kind, message, details: None, user: None, transient: false }
    }

    /// One of the numbers of the table.
    pub fn known(code: i64) -> Refusal {
        let (code, status, title, details) = known(code);
        let message = format!("(#{code}) {title}");
        let details = Some(details.to_owned());
        Refusal {
            details,
            transient: matches!(code, 2 | 4 | 80007 | 131000 | 131016),
            ..Refusal::of(status, code, "OAuthException", message)
        }
    }

    /// The same with its own sentence.
    pub fn because(code: i64, details: impl Into<String>) -> Refusal {
        Refusal { details: Some(details.into()), ..Refusal::known(code) }
    }

    /// A failure that a test has set, with a sentence of its own or the usual one.
    pub fn failure(code: i64, details: Option<String>) -> Refusal {
        details.map_or_else(|| Refusal::known(code), |details| Refusal::because(code, details))
    }

    /// 100: a parameter that is not there, not known, or of another kind.
    pub fn param(message: impl std::fmt::Display) -> Refusal {
        Refusal::of(400, 100, "OAuthException", format!("(#100) {message}"))
    }

    /// 100: a parameter that must be there is not, or is empty.
    pub fn missing(at: impl std::fmt::Display) -> Refusal {
        Refusal::param(format!("The parameter {at} is required."))
    }

    /// 100: a parameter that is none of the words there are for it.
    pub fn one_of(at: impl std::fmt::Display, words: &[&str], got: impl Into<Value>) -> Refusal {
        let words = words.join(", ").to_uppercase();
        Refusal::param(format!("Param {at} must be one of {{{words}}} - got {}.", got.into()))
    }

    /// 100: a key that nothing is known of, in this object or, if it has no name, at the top.
    pub fn unexpected(key: &str, at: &str) -> Refusal {
        let of = if at.is_empty() { String::new() } else { format!(" on param \"{at}\"") };
        Refusal::param(format!("Unexpected key \"{key}\"{of}."))
    }

    /// 100, with a sub-number and words for a person: what template creation says.
    pub fn template(subcode: i64, title: &str, message: &str) -> Refusal {
        Refusal {
            subcode: Some(subcode),
            user: Some(Box::new((title.to_owned(), message.to_owned()))),
            ..Refusal::of(400, 100, "OAuthException", "Invalid parameter")
        }
    }

    /// 100 / 33: there is no such thing, or it is not for this caller. Meta does not say which.
    pub fn object(method: &str, id: &str) -> Refusal {
        let message = format!(
            "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not \
             support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"
        );
        Refusal { subcode: Some(33), ..Refusal::of(400, 100, "GraphMethodException", message) }
    }

    /// 104: no token at all.
    pub fn no_token() -> Refusal {
        Refusal::of(401, 104, "OAuthException", "An access token is required to request this resource")
    }

    /// 190: a token that nobody gave out.
    pub fn bad_token() -> Refusal {
        Refusal::of(401, 190, "OAuthException", "Invalid OAuth access token - Cannot parse access token")
    }

    /// 190 / 463: a token that was good.
    pub fn expired_token() -> Refusal {
        let message = "Error validating access token: Session has expired";
        Refusal { subcode: Some(463), ..Refusal::of(401, 190, "OAuthException", message) }
    }

    /// 200: the token lacks a right.
    pub fn scope(scope: &str) -> Refusal {
        let message = format!("(#200) Requires {scope} permission to manage the object");
        Refusal { subcode: Some(1_349_176), ..Refusal::of(403, 200, "OAuthException", message) }
    }

    /// 2200: our GET to a callback was not answered as it must be.
    pub fn callback(why: &str) -> Refusal {
        let message = format!("(#2200) Callback verification failed with the following errors: {why}");
        Refusal::of(400, 2200, "OAuthException", message)
    }

    /// 2500: there is no such path.
    pub fn path(path: &str) -> Refusal {
        Refusal::of(400, 2500, "OAuthException", format!("Unknown path components: {path}"))
    }

    /// The same as a status or a message of a hook has it.
    pub fn in_hook(&self) -> Value {
        let (_, _, title, details) = known(self.code);
        let details = self.details.as_deref().unwrap_or(details);
        json!({"code": self.code, "title": title, "message": title, "error_data": {"details": details}, "href": HREF})
    }

    fn json(&self) -> Value {
        let mut error = json!({"message": self.message, "type": self.kind, "code": self.code});
        if let Some(details) = &self.details {
            error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
        }
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        if self.transient {
            error["is_transient"] = true.into();
        }
        if let Some((title, message)) = self.user.as_deref() {
            error["is_transient"] = false.into();
            error["error_user_title"] = title.as_str().into();
            error["error_user_msg"] = message.as_str().into();
        }
        error["fbtrace_id"] = trace_id().into();
        json!({"error": error})
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        answer(status, &self.json())
    }
}

/// JSON as Meta writes it.
pub fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, TYPE)], escaped(body)).into_response()
}

/// 200.
pub fn ok(body: &Value) -> Response {
    answer(StatusCode::OK, body)
}

/// `{"success":true}`.
pub fn success() -> Answer {
    Ok(ok(&json!({"success": true})))
}

/// JSON in ASCII: every other letter as `\u…` in lower-case hex, and `/` as `\/`. Hooks are signed over these bytes.
pub fn escaped(value: &Value) -> String {
    let text = value.to_string();
    let mut written = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            // It stands in texts only, where both are the same letter.
            '/' => written.push_str("\\/"),
            '\u{7f}'.. => {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    written.push_str(&format!("\\u{unit:04x}"));
                }
            }
            _ => written.push(letter),
        }
    }
    written
}

/// `fbtrace_id`: `A` and 22 letters.
pub fn trace_id() -> String {
    format!("A{}", letters(22, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::escaped;

    #[test]
    fn other_letters_are_escaped_as_in_the_vector() {
        let value = json!({"body": "Olá 👋", "type": "image/png", "\u{7f}": "\n"});
        let text = escaped(&value);
        assert!(text.is_ascii() && text.contains(r"Ol\u00e1 \ud83d\udc4b") && text.contains(r"image\/png"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
