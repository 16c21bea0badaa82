//! `/api/sessions…`, `/api/{session}/auth/…` and what tells of the server.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse as _,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Gateway, Release,
    input::Input,
    refusal::{self, Answer, Refusal, created, empty, ok},
    session::{Session, Status},
    settings, wait,
};
use crate::{sim::Sim, world};

/// How many sessions there may be.
const MANY: usize = 5_000;

pub async fn ping() -> Answer {
    Ok(ok(&json!({"message": "pong"})))
}

pub async fn health() -> Answer {
    Ok(ok(&json!({"status": "ok", "info": {}, "error": {}, "details": {}})))
}

pub async fn version(State(sim): State<Arc<Sim>>) -> Answer {
    Ok(ok(&sim.waha.environment()))
}

pub async fn server_status(State(sim): State<Arc<Sim>>) -> Answer {
    Ok(ok(&json!({"startTimestamp": sim.now_ms(), "uptime": 0, "worker": {"id": "w1"}})))
}

#[derive(Deserialize)]
pub struct All {
    all: Option<String>,
}

pub async fn list(State(sim): State<Arc<Sim>>, Query(query): Query<All>) -> Answer {
    let all = query.all.is_some_and(|all| all == "true");
    let mut state = sim.waha.state();
    sim.waha.own_session(&mut state);
    let shown = state.sessions.values().filter(|session| all || session.running());
    let sessions: Vec<Value> = shown.map(|session| session.json(false, "")).collect();
    Ok(ok(&json!(sessions)))
}

pub async fn create(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    // from docs: a name is made when it is left out.
    let name = input.text("name").map_or_else(|| format!("session_{}", uuid::Uuid::now_v7().simple()), str::to_owned);
    settings::check_name(&name)?;
    sim.waha.only_own(&name)?;
    let config = input.0.get("config").cloned().unwrap_or_default();
    settings::check(&config)?;
    let start = input.0.get("start").and_then(Value::as_bool).unwrap_or(false);
    let mut state = sim.waha.state();
    // The old free image's own session is there before it is made.
    let made = |session: &Session| session.status.is_some() || sim.waha.release != Release::V2026_4_1;
    if state.sessions.get(&name).is_some_and(made) {
        return Err(Refusal::unprocessable(format!("Session '{name}' already exists. Use PUT to update it.")));
    }
    if state.sessions.len() >= MANY {
        return Err(Refusal::unprocessable("There are too many sessions"));
    }
    // A missing `start` is a no, whatever the documentation says; the old free image did nothing at all then.
    if !start && sim.waha.release == Release::V2026_4_1 {
        return Ok(empty(StatusCode::CREATED));
    }
    let webhooks = settings::webhooks(&config);
    state.sessions.insert(name.clone(), Session { name: name.clone(), config, webhooks, ..Session::default() });
    let session = state.sessions.get_mut(&name).expect("it has just been put there");
    if start {
        sim.waha.start_session(&sim, session);
    }
    sim.bell.ring(&json!({"kind": "session", "name": session.name, "status": session.status().name()}));
    Ok(created(&session.json(true, sim.waha.engine.name())))
}

pub async fn show(State(sim): State<Arc<Sim>>, Path(name): Path<String>) -> Answer {
    sim.waha.only_own(&name)?;
    let mut state = sim.waha.state();
    sim.waha.own_session(&mut state);
    let session = state.sessions.get(&name).ok_or_else(|| Refusal::missing("Session not found"))?;
    Ok(ok(&session.json(true, sim.waha.engine.name())))
}

pub async fn update(State(sim): State<Arc<Sim>>, Path(name): Path<String>, input: Input) -> Answer {
    let config = input.0.get("config").cloned().unwrap_or_default();
    settings::check(&config)?;
    with(&sim, &name, StatusCode::OK, |session| {
        let ran = session.running();
        sim.waha.stop_session(&sim, session);
        session.webhooks = settings::webhooks(&config);
        session.config = config;
        if ran {
            sim.waha.start_session(&sim, session);
        }
        Ok(())
    })
}

pub async fn remove(State(sim): State<Arc<Sim>>, Path(name): Path<String>) -> Answer {
    let mut state = sim.waha.state();
    if let Some(session) = state.sessions.get_mut(&name) {
        sim.waha.stop_session(&sim, session);
        state.sessions.remove(&name);
        sim.bell.ring(&json!({"kind": "session", "name": name, "status": null}));
    }
    Ok(empty(StatusCode::OK))
}

pub async fn start(State(sim): State<Arc<Sim>>, Path(name): Path<String>) -> Answer {
    with(&sim, &name, StatusCode::CREATED, |session| {
        if session.running() {
            return Err(Refusal::unprocessable(format!("Session '{}' is already started.", session.name)));
        }
        sim.waha.start_session(&sim, session);
        Ok(())
    })
}

pub async fn stop(State(sim): State<Arc<Sim>>, Path(name): Path<String>) -> Answer {
    with(&sim, &name, StatusCode::CREATED, |session| {
        sim.waha.stop_session(&sim, session);
        Ok(())
    })
}

pub async fn restart(State(sim): State<Arc<Sim>>, Path(name): Path<String>) -> Answer {
    with(&sim, &name, StatusCode::CREATED, |session| {
        sim.waha.stop_session(&sim, session);
        sim.waha.start_session(&sim, session);
        Ok(())
    })
}

pub async fn logout(State(sim): State<Arc<Sim>>, Path(name): Path<String>) -> Answer {
    with(&sim, &name, StatusCode::CREATED, |session| {
        sim.waha.log_out(&sim, session);
        Ok(())
    })
}

pub async fn me(State(sim): State<Arc<Sim>>, Path(name): Path<String>) -> Answer {
    let state = sim.waha.state();
    let session = state.sessions.get(&name).ok_or_else(|| Refusal::missing("Session not found"))?;
    Ok(session.me.as_ref().map_or_else(|| empty(StatusCode::OK), |me| ok(&me.json())))
}

/// Does something with a session and answers what it is then.
fn with(
    sim: &Arc<Sim>,
    name: &str,
    status: StatusCode,
    work: impl FnOnce(&mut Session) -> Result<(), Refusal>,
) -> Answer {
    let mut state = sim.waha.state();
    let session = state.sessions.get_mut(name).ok_or_else(|| Refusal::missing("Session not found"))?;
    work(session)?;
    Ok(refusal::answer(status, &session.json(true, sim.waha.engine.name())))
}

#[derive(Deserialize)]
pub struct Format {
    format: Option<String>,
}

pub async fn qr(
    State(sim): State<Arc<Sim>>,
    Path(name): Path<String>,
    Query(query): Query<Format>,
    headers: HeaderMap,
) -> Answer {
    wait::status(&sim, &name, Status::ScanQrCode).await?;
    let value = sim.waha.state().sessions.get(&name).and_then(|session| Some(session.qr.as_ref()?.value.clone()));
    let value = value.ok_or_else(|| Refusal::unprocessable("No QR code"))?;
    if query.format.as_deref() == Some("raw") {
        return Ok(ok(&json!({"value": value})));
    }
    let png = crate::code::draw(&value);
    // The comparison is with the whole header: anything beside it and the answer is the picture.
    match headers.get(header::ACCEPT).map(|accept| accept.as_bytes()) {
        Some(b"application/json") => Ok(ok(&json!({"mimetype": "image/png", "data": BASE64_STANDARD.encode(png)}))),
        _ => Ok(([(header::CONTENT_TYPE, "image/png")], png).into_response()),
    }
}

pub async fn request_code(State(sim): State<Arc<Sim>>, Path(name): Path<String>, input: Input) -> Answer {
    wait::status(&sim, &name, Status::ScanQrCode).await?;
    if input.text("method").is_some_and(|method| !method.is_empty()) {
        return Err(Refusal::Crash("Error", "NOWEB engine supports only default request code method".into()));
    }
    let number = input.text("phoneNumber").unwrap_or_default();
    let phone = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| world::Address::parse(number)).flatten();
    let Some(world::Address::Person(phone)) = phone else {
        return Err(Refusal::Crash("Error", "Invalid phone number".into()));
    };
    let code = crate::code::pairing();
    let code = format!("{}-{}", &code[..4], &code[4..]);
    if let Some(session) = sim.waha.state().sessions.get_mut(&name) {
        session.pairing = Some((code.clone(), phone));
    }
    sim.bell.ring(&json!({"kind": "session", "name": name, "status": Status::ScanQrCode.name()}));
    Ok(created(&json!({"code": code})))
}

impl Gateway {
    /// The old free image knows one session, and knows it before it was made.
    fn own_session(&self, state: &mut super::State) {
        if self.release == Release::V2026_4_1 && state.sessions.is_empty() {
            let own = Session { name: "default".into(), ..Session::default() };
            state.sessions.insert(own.name.clone(), own);
        }
    }

    /// The old free image knows one name.
    fn only_own(&self, name: &str) -> Result<(), Refusal> {
        if self.release != Release::V2026_4_1 || name == "default" {
            return Ok(());
        }
        let coded = BASE64_STANDARD.encode(name);
        Err(Refusal::unprocessable(format!(
            "WAHA Core support only 'default' session. You tried to access '{name}' session (base64: {coded}). \
             If you want to run more then one WhatsApp account - please get WAHA PLUS version. \
             Check this out: https://waha.devlike.pro/"
        )))
    }

    /// The old free image sends no files.
    pub(super) fn media_allowed(&self) -> Result<(), Refusal> {
        match self.release {
            Release::V2026_6_1 => Ok(()),
            Release::V2026_4_1 => Err(Refusal::unprocessable(format!(
                "The feature is available only in Plus version for '{}' engine. Check this out: https://waha.devlike.pro/",
                self.engine.name()
            ))),
        }
    }
}
