//! The live stream, through the real route: nothing missed, nothing twice, nothing for strangers.
use crate::support::{MORNING, app_with, each_database, each_db};
use async_trait::async_trait;
use axum::http::{HeaderValue, Request, StatusCode, header};
use futures_util::{SinkExt, StreamExt};
use indaba::{
    Error, Result,
    app::App,
    clock::{Clock, Time},
    db::{Bell, Db},
    events,
    http::who::{Actor, Credential, Identify, Role, UserId, Who},
    id::TenantId,
    router,
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

/// Who is known by which token.
#[derive(Default)]
struct People(Mutex<HashMap<String, Who>>);

#[async_trait]
impl Identify for People {
    async fn identify(&self, _: &App, credential: &Credential) -> Result<Who> {
        let Credential::Token(token) = credential else { return Err(Error::Unauthorized) };
        self.0.lock().unwrap().get(token).cloned().ok_or(Error::Unauthorized)
    }

    async fn again(&self, _: &App, who: &Who) -> Result<Who> {
        self.0.lock().unwrap().values().find(|known| known.actor == who.actor).cloned().ok_or(Error::Unauthorized)
    }
}

impl People {
    fn add(&self, token: &str, tenant: TenantId, role: Role) -> UserId {
        let id = UserId::at(MORNING);
        let actor = Actor::User { id, name: token.into(), sign_in: indaba::http::who::SignInId::at(MORNING) };
        let mut who = Who::system(tenant);
        (who.actor, who.role) = (actor, role);
        self.0.lock().unwrap().insert(token.into(), who);
        id
    }
}

/// A server at a port of its own, with an admin `asha` and a viewer `vera` of one tenant, and a stranger.
struct Scene {
    app: App,
    people: Arc<People>,
    tenant: TenantId,
    at: std::net::SocketAddr,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.app.stop.cancel();
        self.server.abort();
    }
}

pub type Socket = WebSocketStream<TcpStream>;

impl Scene {
    async fn new(db: &Db) -> Scene {
        let people = Arc::new(People::default());
        let tenant = TenantId::at(MORNING);
        people.add("asha", tenant, Role::Admin);
        people.add("vera", tenant, Role::Viewer);
        people.add("stranger", TenantId::at(Time(MORNING.0 + 1)), Role::Admin);
        let app = app_with(db, Clock::held(MORNING), people.clone()).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let routes = router::router(&app);
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Scene { app, people, tenant, at, server }
    }

    fn request(&self, query: &str, token: Option<&str>) -> Request<()> {
        let mut request = format!("ws://{}/api/live{query}", self.at).into_client_request().unwrap();
        if let Some(token) = token {
            let bearer = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        request
    }

    async fn open(&self, request: Request<()>) -> Result<Socket, StatusCode> {
        let stream = TcpStream::connect(self.at).await.unwrap();
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(answer)) => Err(answer.status()),
            Err(e) => panic!("{e}"),
        }
    }

    /// A stream and its first frame.
    async fn watch(&self, token: &str, query: &str) -> (Socket, Value) {
        let mut socket = self.open(self.request(query, Some(token))).await.unwrap();
        let hello = next(&mut socket).await;
        assert_eq!(hello["kind"], "hello");
        (socket, hello)
    }

    async fn happen(&self, kind: &'static str, patch: Value) {
        happen(&self.app, self.tenant, kind, patch).await;
    }
}

async fn happen(app: &App, tenant: TenantId, kind: &'static str, patch: Value) {
    app.db.write(tenant, move |tx| events::append(tx, kind, &[("contact", &"con_1")], &patch)).await.unwrap();
}

/// The next frame that is not a ping.
pub async fn next(socket: &mut Socket) -> Value {
    match said(socket).await {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("not a frame: {other:?}"),
    }
}

pub async fn said(socket: &mut Socket) -> Message {
    loop {
        let next = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.expect("nothing comes");
        match next.expect("it ended").expect("it broke") {
            Message::Ping(_) | Message::Pong(_) => {}
            other => return other,
        }
    }
}

pub async fn closed(socket: &mut Socket) -> u16 {
    loop {
        match said(socket).await {
            Message::Close(Some(frame)) => return frame.code.into(),
            Message::Text(_) => {}
            other => panic!("not a close: {other:?}"),
        }
    }
}

/// No frame comes before one that is told in passing.
async fn nothing_more(scene: &Scene, socket: &mut Socket) {
    scene.app.live.tell(&scene.app, scene.tenant, "test.passing", &[("contact", &"con_2")], &json!({"on": true}));
    let frame = next(socket).await;
    assert_eq!(
        frame,
        json!({"kind": "test.passing", "at": MORNING, "ids": {"contact": "con_2"}, "patch": {"on": true}})
    );
}

#[tokio::test]
async fn a_stream_begins_now_and_tells_what_happens() {
    each_database(async |db| {
        let scene = Scene::new(&db).await;
        scene.happen("contact.created", json!({"before": true})).await;
        let (mut socket, hello) = scene.watch("asha", "").await;
        assert_eq!(hello, json!({"kind": "hello", "seq": 1}));
        scene.happen("contact.updated", json!({"name": "Asha 🌸"})).await;
        assert_eq!(
            next(&mut socket).await,
            json!({"seq": 2, "kind": "contact.updated", "at": "2026-11-20T07:00:00.000Z", "ids": {"contact": "con_1"}, "patch": {"name": "Asha 🌸"}})
        );
        nothing_more(&scene, &mut socket).await;
    })
    .await
}

#[tokio::test]
async fn who_comes_back_has_missed_nothing_and_gets_nothing_twice() {
    each_database(async |db| {
        let scene = Scene::new(&db).await;
        const EACH: usize = 150;
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (app, tenant) = (scene.app.clone(), scene.tenant);
                tokio::spawn(async move {
                    for i in 0..EACH {
                        happen(&app, tenant, "contact.updated", json!({"by": writer, "i": i})).await;
                        if i % 10 == 0 {
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                    }
                })
            })
            .collect();
        let (mut seen, mut visits) = (0, 0);
        while seen < 4 * i64::try_from(EACH).unwrap() {
            visits += 1;
            let (mut socket, _) = scene.watch("asha", &format!("?after={seen}")).await;
            for _ in 0..37 {
                let frame = next(&mut socket).await;
                assert_eq!(frame["seq"], seen + 1, "{frame}");
                seen += 1;
                if seen == 4 * i64::try_from(EACH).unwrap() {
                    nothing_more(&scene, &mut socket).await;
                    break;
                }
            }
            // gone without a word, as browsers go
        }
        assert!(visits > 10);
        for writer in writers {
            writer.await.unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn what_cannot_be_resumed_is_reset() {
    each_database(async |db| {
        let scene = Scene::new(&db).await;
        for n in 0..10 {
            scene.happen("contact.updated", json!({ "n": n })).await;
        }
        let reset = async |query: &str, seq: i64| {
            let (mut socket, hello) = scene.watch("asha", query).await;
            assert_eq!(hello["seq"], seq);
            assert_eq!(next(&mut socket).await, json!({"kind": "reset", "seq": seq}), "{query}");
            socket
        };
        let mut socket = reset("?after=11", 10).await; // from the future: another database?
        reset("?after=9223372036854775807", 10).await;
        scene.happen("contact.updated", json!({})).await;
        assert_eq!(next(&mut socket).await["seq"], 11, "and it goes on from there");
        let forget = |tx: &mut indaba::db::TenantTx| {
            tx.run("delete from events where tenant_id = $1 and seq <= $2", indaba::args![5i64])
        };
        db.write(scene.tenant, forget).await.unwrap();
        reset("?after=4", 11).await;
        let (mut socket, _) = scene.watch("asha", "?after=5").await;
        assert_eq!(next(&mut socket).await["seq"], 6, "the oldest that is kept");
        let many = |tx: &mut indaba::db::TenantTx| {
            (0..2500).try_for_each(|n| events::append(tx, "contact.updated", &[("contact", &n)], &n))
        };
        db.write(scene.tenant, many).await.unwrap();
        reset("?after=11", 2511).await;
    })
    .await
}

#[tokio::test]
async fn a_socket_that_takes_too_slowly_is_reset_and_holds_up_nobody() {
    each_database(async |db| {
        let scene = Scene::new(&db).await;
        let (mut slow, _) = scene.watch("asha", "").await;
        let (mut quick, _) = scene.watch("vera", "").await;
        let big = json!({ "text": "x".repeat(40_000) });
        for seq in 1..=1200i64 {
            scene.happen("contact.updated", big.clone()).await;
            assert_eq!(next(&mut quick).await["seq"], seq);
        }
        let mut seen = 0;
        let seq = loop {
            let frame = next(&mut slow).await;
            if frame["kind"] == "reset" {
                break frame["seq"].as_i64().unwrap();
            }
            assert_eq!(frame["seq"], seen + 1, "in order until then");
            seen += 1;
        };
        assert!(seen < 1200 && seq > seen, "{seen} {seq}");
        scene.happen("contact.updated", json!({})).await;
        let mut last = seq;
        while last < 1201 {
            let frame = next(&mut slow).await;
            assert_eq!(frame["seq"], last + 1);
            last += 1;
        }
    })
    .await
}

#[tokio::test]
async fn strangers_see_nothing_and_other_sites_get_no_stream() {
    each_database(async |db| {
        let scene = Scene::new(&db).await;
        assert_eq!(scene.open(scene.request("", None)).await.unwrap_err(), StatusCode::UNAUTHORIZED);
        assert_eq!(scene.open(scene.request("?token=asha", None)).await.unwrap_err(), StatusCode::UNAUTHORIZED);
        assert_eq!(
            scene.open(scene.request("?after=-1", Some("asha"))).await.unwrap_err(),
            StatusCode::UNPROCESSABLE_ENTITY
        );
        let from = |origin: String, cookie: bool| {
            let mut request = scene.request("", (!cookie).then_some("asha"));
            request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
            if cookie {
                request.headers_mut().insert(header::COOKIE, HeaderValue::from_static("indaba_access=asha"));
            }
            request
        };
        for cookie in [true, false] {
            for foreign in ["https://evil.example", "null", &format!("http://evil.example:{}", scene.at.port())] {
                let answer = scene.open(from(foreign.into(), cookie)).await;
                assert_eq!(answer.unwrap_err(), StatusCode::FORBIDDEN, "{foreign}, cookie: {cookie}");
            }
            assert!(scene.open(from(format!("http://{}", scene.at), cookie)).await.is_ok());
        }
        let (mut stranger, _) = scene.watch("stranger", "").await;
        scene.happen("contact.updated", json!({"secret": 1})).await;
        let theirs = TenantId::at(Time(MORNING.0 + 1));
        let theirs = scene.people.0.lock().unwrap().get("stranger").map_or(theirs, |who| who.tenant);
        happen(&scene.app, theirs, "contact.updated", json!({"ours": 1})).await;
        assert_eq!(next(&mut stranger).await["patch"], json!({"ours": 1}));
    })
    .await
}

#[tokio::test]
async fn a_role_sees_what_it_may_ask_for() {
    each_database(async |db| {
        let scene = Scene::new(&db).await;
        let ((mut asha, _), (mut vera, _)) = (scene.watch("asha", "").await, scene.watch("vera", "").await);
        for kind in ["contact.updated", "job.dead", "contact.updated"] {
            scene.happen(kind, json!({})).await;
        }
        for seq in 1..=3 {
            assert_eq!(next(&mut asha).await["seq"], seq);
        }
        assert_eq!([next(&mut vera).await["seq"].clone(), next(&mut vera).await["seq"].clone()], [json!(1), json!(3)]);
        let (mut vera, _) = scene.watch("vera", "?after=0").await;
        assert_eq!([next(&mut vera).await["seq"].clone(), next(&mut vera).await["seq"].clone()], [json!(1), json!(3)]);
        nothing_more(&scene, &mut vera).await;
    })
    .await
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    each_database(async |db| {
        let scene = Scene::new(&db).await;
        let ((mut asha, _), (mut vera, _)) = (scene.watch("asha", "").await, scene.watch("vera", "").await);
        let gone = scene.people.0.lock().unwrap().remove("vera").unwrap();
        let about = gone.user().unwrap().to_string();
        scene.app.bus.ring(vec![Bell { topic: "auth", key: about }]);
        assert_eq!(closed(&mut vera).await, 4401);
        assert_eq!(scene.open(scene.request("", Some("vera"))).await.unwrap_err(), StatusCode::UNAUTHORIZED);
        nothing_more(&scene, &mut asha).await;
        scene.app.stop.cancel();
        assert_eq!(closed(&mut asha).await, 1012, "a restart: come back");
    })
    .await
}

#[tokio::test]
async fn signing_out_everywhere_ends_the_stream_of_each_browser() {
    each_db(async |house| {
        let at = house.listen().await;
        let sipho = house.person("Sipho", Role::Agent).await;
        let mut request = format!("ws://{at}/api/live").into_client_request().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, sipho.headers[header::AUTHORIZATION].clone());
        let stream = TcpStream::connect(at).await.unwrap();
        let (mut socket, _) = client_async(request, stream).await.unwrap();
        assert_eq!(next(&mut socket).await["kind"], "hello");
        assert!(sipho.delete("/api/me/sign-ins").await.status.is_success());
        assert_eq!(closed(&mut socket).await, 4401);
    })
    .await
}

#[tokio::test]
async fn what_a_browser_says_amiss_does_no_harm() {
    each_database(async |db| {
        let scene = Scene::new(&db).await;
        let (mut socket, _) = scene.watch("asha", "").await;
        for odd in ["", "{", "null", "[]", r#"{"kind":7}"#, r#"{"kind":"no.such"}"#] {
            socket.send(Message::text(odd)).await.unwrap();
        }
        socket.send(Message::binary(vec![0, 159, 146, 150])).await.unwrap();
        nothing_more(&scene, &mut socket).await;
        socket.send(Message::text("x".repeat(20_000))).await.unwrap();
        let end = socket.next().await;
        assert!(!matches!(end, Some(Ok(Message::Text(_)))), "a frame of 20 kB ends the stream: {end:?}");
    })
    .await
}
