//! What only Meta's Cloud API has, against a peer that answers what it is told.

mod calls;
mod hooks;
mod sends;

use indaba_providers::{Cloud, Link};
use serde_json::{Value, json};

use crate::peer::{Answer, Peer, link_of};

fn ok() -> Answer {
    taken(json!({"messaging_product": "whatsapp", "messages": [{"id": "wamid.A"}]}))
}

fn taken(body: Value) -> Answer {
    Answer::new("200 OK", "Content-Type: application/json\r\n", &body.to_string())
}

fn error(status: &str, headers: &str, code: i64) -> Answer {
    Answer::new(
        status,
        headers,
        &json!({"error": {"message": "m", "type": "OAuthException", "code": code, "error_data": {"details": "why"}}})
            .to_string(),
    )
}

async fn cloud(answers: Vec<Answer>) -> (Peer, Link) {
    let peer = Peer::that_answers(answers).await;
    let link = link_of(&Cloud, &peer.url);
    (peer, link)
}
