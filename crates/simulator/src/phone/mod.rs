//! The phone page at `/`: a person's WhatsApp, for whoever tries Indaba out. It uses the control API alone.

use serde_json::{Value, json};

use crate::{
    control::view,
    world::{Address, Happening, World},
};

/// What a page learns of something that happened.
pub(crate) fn news(world: &World, line: &str, happening: &Happening) -> Value {
    let of = |kind: &str, chat: &Address, message: Value| json!({"kind": kind, "number": line, "chat": chat, "message": message});
    match happening {
        Happening::Message(message)
        | Happening::Ack { message, .. }
        | Happening::Reaction { to: message, .. }
        | Happening::Edited { message, .. }
        | Happening::Revoked { message, .. }
        | Happening::Vote { poll: message, .. } => of("message", &message.chat, view::message(world, line, message)),
        Happening::Presence { chat, state, .. } => {
            json!({"kind": "presence", "number": line, "chat": chat, "state": state})
        }
        Happening::Call { id, from, state, .. } => {
            json!({"kind": "call", "number": line, "chat": Address::Person(from.clone()), "id": id, "state": state})
        }
        Happening::Group { group, .. } => {
            json!({"kind": "group", "number": line, "chat": Address::Group(group.id.clone())})
        }
    }
}

/// The page and its parts.
pub(crate) fn router() -> axum::Router {
    axum::Router::new()
}
