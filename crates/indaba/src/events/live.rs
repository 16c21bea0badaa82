//! The live stream's floor: one hub for each tenant that somebody watches. When the bell rings it reads the new events once, makes each a
//! frame once, and hands the same bytes to every socket.
use super::store::{self, Row};
use crate::{
    Result,
    app::App,
    bus::Heard,
    db::Bell,
    http::who::{Role, Who},
    id::TenantId,
};
use axum::extract::ws::Utf8Bytes;
use futures_util::future::BoxFuture;
use serde::Serialize;
use std::{
    collections::HashMap,
    fmt::Display,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, OnceCell, broadcast};

/// What a browser said over its socket; `what` is the whole frame. Errors are logged: a frame has no answer.
pub type Hearer = fn(app: App, who: Who, what: serde_json::Value) -> BoxFuture<'static, Result<()>>;

/// What is rung with a frame that is not kept.
const PASSING: &str = "live";
/// What the room `users` rings, with the id of the user or key, when something about a sign-in has changed.
const AUTH: &str = "auth";
/// How often a hub's slowest socket may be told something before it has taken the first; who falls further behind begins again.
const KEPT: usize = 256;
/// Events that a hub reads at a time.
const PAGE: i64 = 64;
/// Frames that a hub tells at once. With [`KEPT`] it bounds what one browser that stands still keeps in memory.
pub(super) const TOGETHER: usize = 16;
/// How often a hub looks without being woken: the net under the bus.
const POLL: Duration = Duration::from_secs(15);

/// The open sockets of this process.
#[derive(Default)]
pub struct Live {
    hubs: Mutex<HashMap<TenantId, Arc<Hub>>>,
    listening: AtomicBool,
    seats: Arc<Mutex<HashMap<[u8; 16], u32>>>,
}

/// A user's or key's place for one stream, as long as it is held.
pub(super) struct Seat {
    of: [u8; 16],
    all: Arc<Mutex<HashMap<[u8; 16], u32>>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = self.all.lock().expect("no panic under this lock");
        let Some(taken) = all.get_mut(&self.of) else { return };
        *taken -= 1;
        if *taken == 0 {
            all.remove(&self.of);
        }
    }
}

/// What a hub tells its sockets.
#[derive(Clone)]
pub(super) enum Told {
    /// In their order, without gaps.
    Frames(Arc<[Frame]>),
    /// Something about this user's or key's sign-in has changed (empty: about anybody's): look again.
    Check(Arc<str>),
}

/// An event as it goes over the wire.
pub(super) struct Frame {
    /// 0: it is not kept, and has no number.
    pub seq: i64,
    pub least: Role,
    pub text: Utf8Bytes,
}

#[derive(Default)]
struct Hub {
    to: OnceCell<broadcast::Sender<Told>>,
    poke: Notify,
}

impl Live {
    /// Shows something in passing to everyone who watches the tenant now, on every node: it has no number, and is not kept.
    pub fn tell(&self, app: &App, tenant: TenantId, kind: &str, ids: &[(&str, &dyn Display)], patch: &impl Serialize) {
        let ids: serde_json::Map<_, _> =
            ids.iter().map(|(name, id)| ((*name).to_owned(), id.to_string().into())).collect();
        let frame = serde_json::json!({ "kind": kind, "at": app.clock.now(), "ids": ids, "patch": patch });
        app.bus.ring(vec![Bell { topic: PASSING, key: format!("{tenant} {frame}") }]);
    }

    /// A place for one more stream of this user or key; none if it has `most` already.
    pub(super) fn seat(&self, who: &Who, most: u32) -> Option<Seat> {
        let of = who.actor.id().unwrap_or_default();
        let mut all = self.seats.lock().expect("no panic under this lock");
        let taken = all.get(&of).copied().unwrap_or(0);
        (taken < most).then(|| {
            all.insert(of, taken + 1);
            Seat { of, all: self.seats.clone() }
        })
    }

    /// From now on, all that happens to the tenant. What was committed after this call is not missed.
    pub(super) async fn join(&self, app: &App, tenant: TenantId) -> Result<broadcast::Receiver<Told>> {
        if !self.listening.swap(true, Ordering::SeqCst) {
            tokio::spawn(listen(app.clone()));
        }
        loop {
            let hub = self.hubs.lock().expect("no panic under this lock").entry(tenant).or_default().clone();
            let begin = || async {
                let at = app.db.read(tenant, store::head).await?.last;
                let to = broadcast::Sender::new(KEPT);
                tokio::spawn(follow(app.clone(), tenant, hub.clone(), to.clone(), at));
                Ok::<_, crate::Error>(to)
            };
            let to = hub.to.get_or_try_init(begin).await?;
            let hubs = self.hubs.lock().expect("no panic under this lock");
            // a hub that nobody watched may have ended in between
            if hubs.get(&tenant).is_some_and(|known| Arc::ptr_eq(known, &hub)) {
                return Ok(to.subscribe());
            }
        }
    }

    /// Whether nobody watches any more; then the hub is forgotten.
    fn forget(&self, tenant: TenantId, to: &broadcast::Sender<Told>) -> bool {
        let mut hubs = self.hubs.lock().expect("no panic under this lock");
        let empty = to.receiver_count() == 0;
        if empty {
            hubs.remove(&tenant);
        }
        empty
    }

    fn all(&self) -> Vec<Arc<Hub>> {
        self.hubs.lock().expect("no panic under this lock").values().cloned().collect()
    }

    fn one(&self, tenant: TenantId) -> Option<Arc<Hub>> {
        self.hubs.lock().expect("no panic under this lock").get(&tenant).cloned()
    }
}

impl Hub {
    fn tell(&self, told: Told) {
        if let Some(to) = self.to.get() {
            let _ = to.send(told); // fails when nobody watches just now
        }
    }
}

/// Hears the bells for all hubs of this process.
async fn listen(app: App) {
    let (mut events, mut passing, mut auth) =
        (app.bus.listen(store::TOPIC), app.bus.listen(PASSING), app.bus.listen(AUTH));
    loop {
        let live = &app.live;
        tokio::select! {
            () = app.stop.cancelled() => return,
            heard = events.next() => match heard {
                Heard::Key(tenant) => {
                    if let Some(hub) = tenant.parse().ok().and_then(|tenant| live.one(tenant)) {
                        hub.poke.notify_one();
                    }
                }
                Heard::Missed => live.all().iter().for_each(|hub| hub.poke.notify_one()),
            },
            heard = passing.next() => {
                let Heard::Key(key) = heard else { continue };
                let Some((tenant, text)) = key.split_once(' ') else { continue };
                if let Some(hub) = tenant.parse().ok().and_then(|tenant| live.one(tenant)) {
                    hub.tell(Told::Frames([Frame { seq: 0, least: Role::Viewer, text: text.into() }].into()));
                }
            }
            heard = auth.next() => {
                let about = match heard {
                    Heard::Key(about) => about,
                    Heard::Missed => "".into(),
                };
                live.all().iter().for_each(|hub| hub.tell(Told::Check(about.clone())));
            }
        }
    }
}

/// Reads what is new for one tenant and broadcasts it, as long as somebody watches.
async fn follow(app: App, tenant: TenantId, hub: Arc<Hub>, to: broadcast::Sender<Told>, mut at: i64) {
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = hub.poke.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
        if app.live.forget(tenant, &to) {
            return;
        }
        loop {
            let from = at;
            let rows = match app.db.read(tenant, move |tx| store::page(tx, from, PAGE)).await {
                Ok(rows) => rows,
                Err(e) => {
                    tracing::warn!(tenant.id = %tenant, error = %e, "new events could not be read: {e}");
                    break;
                }
            };
            let Some(last) = rows.last() else { break };
            at = last.seq;
            // several at once: a socket wakes once for them, and asks the system once to send them
            for some in rows.chunks(TOGETHER) {
                let _ = to.send(Told::Frames(some.iter().map(frame).collect()));
            }
            if rows.len() < PAGE as usize {
                break;
            }
            // a burst: give the sockets a moment, so that only the slow ones fall behind
            let mut patience = 10;
            while to.len() > KEPT / 2 && patience > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
                patience -= 1;
            }
        }
    }
}

pub(super) fn frame(row: &Row) -> Frame {
    let Row { seq, kind, at, ids, patch } = row;
    let text = format!(r#"{{"seq":{seq},"kind":"{kind}","at":"{at}","ids":{ids},"patch":{patch}}}"#);
    Frame { seq: *seq, least: least(kind), text: text.into() }
}

/// Who may see events of this kind: whoever may ask for what they are about.
fn least(kind: &str) -> Role {
    match kind.split('.').next() {
        Some("job") => Role::Admin,
        Some("credits") => Role::Manager,
        _ => Role::Viewer,
    }
}
