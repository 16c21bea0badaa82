//! One browser's stream: what it missed, then what happens, until it or its session ends.
use super::{
    live::{Frame, TOGETHER, Told, frame},
    store,
};
use crate::{Error, Result, app::App, http::who::Who, registry};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt;
use governor::{Quota, RateLimiter};
use std::{num::NonZeroU32, time::Duration};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, sleep_until, timeout},
};

/// Who missed more than this fetches anew: it is less work for both.
const MISSED: i64 = 2000;
const PAGE: i64 = 200;
/// How often the session is looked at again.
const CHECK: Duration = Duration::from_secs(60);
/// How often a quiet browser is asked whether it is there, and how long it may take to answer anything.
const PING: Duration = Duration::from_secs(25);
const SILENCE: Duration = Duration::from_secs(70);
/// How long a browser may take for a few frames.
const STUCK: Duration = Duration::from_secs(30);
/// Frames that a browser may send at once, and how soon it may send one more: it marks as read and types, and both take work.
const FRAMES: NonZeroU32 = NonZeroU32::new(60).expect("not zero");
const FRAME_EACH: Duration = Duration::from_millis(200);

/// Why a stream ended.
enum End {
    /// The browser left, or took nothing any more.
    Gone,
    /// We close it: the code, and a word for the log of the browser.
    Close(u16, &'static str),
}

const SIGNED_OUT: End = End::Close(4401, "signed out");
const TOO_MANY: End = End::Close(4429, "too many streams are open");
const TOO_FAST: End = End::Close(4429, "too many frames");
const RESTART: End = End::Close(1012, "restart");
const TROUBLE: End = End::Close(1013, "try again");

impl From<axum::Error> for End {
    fn from(_: axum::Error) -> End {
        End::Gone
    }
}

/// Serves one socket until it ends.
pub(super) async fn serve(app: App, who: Who, after: Option<i64>, mut socket: WebSocket) {
    metrics::gauge!("indaba_live_sockets").increment(1);
    let seat = app.live.seat(&who, app.config.limits.sockets_per_user);
    let mut stream = Stream { app, who, sent: 0 };
    let end = match &seat {
        Some(_) => stream.run(after, &mut socket).await,
        None => Err(TOO_MANY),
    };
    drop(seat);
    if let Err(End::Close(code, reason)) = end {
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        // what is still on its way is read: a connection that is closed over it takes the close frame along
        let part = async {
            socket.send(close).await?;
            while let Some(Ok(_)) = socket.recv().await {}
            Ok::<_, axum::Error>(())
        };
        let _ = timeout(Duration::from_secs(1), part).await;
    }
    metrics::gauge!("indaba_live_sockets").decrement(1);
}

struct Stream {
    app: App,
    who: Who,
    /// The number of the last event that was sent, or passed over because the role may not see it.
    sent: i64,
}

impl Stream {
    async fn run(&mut self, after: Option<i64>, socket: &mut WebSocket) -> Result<(), End> {
        let tenant = self.who.tenant;
        let mut told = self.app.live.join(&self.app, tenant).await.map_err(|_| TROUBLE)?;
        self.catch_up(after, socket).await?;
        let (mut heard, mut check, mut ping) = (Instant::now(), Instant::now() + CHECK, Instant::now() + PING);
        let ending = self.app.stop.clone();
        let frames = RateLimiter::direct(Quota::with_period(FRAME_EACH).expect("not zero").allow_burst(FRAMES));
        loop {
            tokio::select! {
                () = ending.cancelled() => return Err(RESTART),
                next = told.recv() => match next {
                    Ok(Told::Frames(frames)) => within(self.pass_on(&frames, socket)).await?,
                    Ok(Told::Check(about)) => {
                        if about.is_empty() || *about == *self.who.actor.to_string() {
                            self.check().await?;
                            check = Instant::now() + Duration::from_secs(2); // whatever was remembered is forgotten by then
                        }
                    }
                    Err(RecvError::Lagged(_)) => {
                        told = told.resubscribe();
                        let now = self.last().await?;
                        within(self.reset(now, socket)).await?;
                    }
                    Err(RecvError::Closed) => return Err(TROUBLE),
                },
                said = socket.recv() => {
                    heard = Instant::now();
                    let said = said.ok_or(End::Gone)??;
                    if frames.check().is_err() {
                        return Err(TOO_FAST);
                    }
                    match said {
                        Message::Text(text) => self.hear(&text).await,
                        Message::Close(_) => return Err(End::Gone),
                        Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => {}
                    }
                }
                () = sleep_until(check.min(ping)) => {
                    let now = Instant::now();
                    if now.duration_since(heard) > SILENCE {
                        return Err(End::Gone);
                    }
                    if now >= check {
                        self.check().await?;
                        check = now + CHECK;
                    }
                    if now >= ping {
                        within(async { Ok(socket.send(Message::Ping(Default::default())).await?) }).await?;
                        ping = now + PING;
                    }
                }
            }
        }
    }

    /// Sends new events, with one word to the system.
    async fn pass_on(&mut self, frames: &[Frame], socket: &mut WebSocket) -> Result<(), End> {
        for frame in frames {
            if frame.seq > self.sent + 1 {
                self.reset(frame.seq, socket).await?; // cannot be: numbers have no gaps
            } else if (frame.seq == 0 || frame.seq > self.sent) && self.who.role >= frame.least {
                socket.feed(Message::Text(frame.text.clone())).await?;
            }
            self.sent = self.sent.max(frame.seq);
        }
        Ok(socket.flush().await?)
    }

    /// Says where the stream is, and sends what came after `after`; `reset` if that is not to be had.
    async fn catch_up(&mut self, after: Option<i64>, socket: &mut WebSocket) -> Result<(), End> {
        let tenant = self.who.tenant;
        let head = self.app.db.read(tenant, store::head).await.map_err(|_| TROUBLE)?;
        let hello = format!(r#"{{"kind":"hello","seq":{}}}"#, head.last);
        within(async { Ok(socket.send(Message::Text(hello.into())).await?) }).await?;
        self.sent = after.unwrap_or(head.last);
        if self.sent > head.last || self.sent + 1 < head.first || head.last - self.sent > MISSED {
            return within(self.reset(head.last, socket)).await;
        }
        while self.sent < head.last {
            let at = self.sent;
            let rows = self.app.db.read(tenant, move |tx| store::page(tx, at, PAGE)).await.map_err(|_| TROUBLE)?;
            if rows.first().is_none_or(|row| row.seq != at + 1) {
                return within(self.reset(head.last, socket)).await; // cleaned away under our hands
            }
            for some in rows.chunks(TOGETHER) {
                let frames: Vec<Frame> = some.iter().map(frame).collect();
                within(self.pass_on(&frames, socket)).await?;
            }
        }
        Ok(())
    }

    /// The browser cannot go on from what it has: it fetches anew, and follows from `seq`.
    async fn reset(&mut self, seq: i64, socket: &mut WebSocket) -> Result<(), End> {
        self.sent = seq;
        metrics::counter!("indaba_live_resets_total").increment(1);
        Ok(socket.send(Message::Text(format!(r#"{{"kind":"reset","seq":{seq}}}"#).into())).await?)
    }

    async fn last(&self) -> Result<i64, End> {
        Ok(self.app.db.read(self.who.tenant, store::head).await.map_err(|_| TROUBLE)?.last)
    }

    /// Looks at the session again. When that cannot be done, the browser is asked to come back.
    async fn check(&mut self) -> Result<(), End> {
        match self.app.identify.again(&self.app, &self.who).await {
            Ok(who) if who.tenant == self.who.tenant => {
                self.who = who;
                Ok(())
            }
            Ok(_) | Err(Error::Unauthorized | Error::Forbidden(_) | Error::Missing) => Err(SIGNED_OUT),
            Err(_) => Err(TROUBLE),
        }
    }

    /// Passes on what the browser says to the room that listens to it.
    async fn hear(&self, text: &str) {
        let Ok(what) = serde_json::from_str::<serde_json::Value>(text) else { return };
        let kind = what.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned();
        let Some((_, hearer)) = registry::HEARERS.iter().find(|(known, _)| *known == kind) else { return };
        if let Err(e) = hearer(self.app.clone(), self.who.clone(), what).await {
            tracing::debug!(tenant.id = %self.who.tenant, error = %e, "a frame `{kind}` was not followed: {e}");
        }
    }
}

/// Gives a browser up that takes no byte of this for too long.
async fn within(part: impl Future<Output = Result<(), End>>) -> Result<(), End> {
    timeout(STUCK, part).await.map_err(|_| End::Gone)?
}
