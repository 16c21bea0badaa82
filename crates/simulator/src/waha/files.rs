//! Files of messages: told as URLs, to be fetched with the key, for a while.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, header},
    response::IntoResponse as _,
};
use serde_json::{Value, json};

use super::{
    Gateway,
    refusal::{Answer, Refusal},
    session::Session,
};
use crate::{
    range,
    sim::Sim,
    world::{Content, Download, Form, Message, World, extension},
};

/// How many files one session offers at once.
const MANY: usize = 5_000;

impl Gateway {
    /// Fetches the file of a message, so that it can be had from now on; answers what stands in `media`.
    pub(super) fn offer(&self, sim: &Sim, world: &World, session: &mut Session, message: &Message) -> Value {
        let Content::Media { form, file, .. } = &message.content else { return Value::Null };
        let Some(found) = world.shelf.get(file) else { return Value::Null };
        match message.download {
            Download::Filtered => return Value::Null,
            Download::Failed => {
                return json!({
                    "url": null, "filename": null, "mimetype": found.mimetype,
                    "error": {"details": "TypeError: fetch failed\n    at node:internal/deps/undici/undici:14976:13"},
                });
            }
            Download::Ok => {}
        }
        let name = format!("{}.{}", message.id, extension(&found.mimetype));
        let now = sim.now_ms();
        let life = sim.seconds(sim.config.files_lifetime_s).as_millis();
        let until = match sim.config.files_lifetime_s {
            0 => i64::MAX,
            _ => now.saturating_add(i64::try_from(life).unwrap_or(i64::MAX)),
        };
        if session.files.len() >= MANY {
            session.files.retain(|_, (_, until)| *until > now);
            if session.files.len() >= MANY {
                session.files.clear();
            }
        }
        session.files.insert(name.clone(), (file.clone(), until));
        let filename = if *form == Form::Document { found.filename.clone() } else { None };
        json!({
            "url": format!("{}/api/files/{}/{name}", self.base_url, session.name),
            "filename": filename,
            "mimetype": found.mimetype,
            "error": null,
        })
    }
}

pub async fn show(State(sim): State<Arc<Sim>>, Path((name, file)): Path<(String, String)>, asked: HeaderMap) -> Answer {
    let gone = || Refusal::missing("Not Found");
    let id = {
        let state = sim.waha.state();
        let (id, until) = state.sessions.get(&name).and_then(|session| session.files.get(&file)).ok_or_else(gone)?;
        if *until <= sim.now_ms() {
            return Err(gone());
        }
        id.clone()
    };
    let found = sim.world().shelf.get(&id).cloned().ok_or_else(gone)?;
    Ok(([(header::CONTENT_TYPE, found.mimetype)], range::answer(&asked, found.bytes)).into_response())
}
