//! What one user's live streams may do, and how long: through the real route, with real sign-ins and keys.
use crate::{
    live::{Socket, closed, next, said},
    support::{ASHA, Caller, House, each_db, each_db_with, in_a_shop},
};
use axum::http::header;
use futures_util::{SinkExt, StreamExt};
use indaba::http::Role;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

async fn open(at: SocketAddr, who: &Caller) -> Socket {
    let mut request = format!("ws://{at}/api/live").into_client_request().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, who.headers[header::AUTHORIZATION].clone());
    client_async(request, TcpStream::connect(at).await.unwrap()).await.unwrap().0
}

async fn watch(at: SocketAddr, who: &Caller) -> Socket {
    let mut socket = open(at, who).await;
    assert_eq!(next(&mut socket).await["kind"], "hello");
    socket
}

async fn say(socket: &mut Socket, what: Value) {
    socket.send(Message::text(what.to_string())).await.unwrap();
}

/// The next frame of this kind.
async fn until(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let frame = next(socket).await;
        if frame["kind"] == kind {
            return frame;
        }
    }
}

/// What was said is heard when what was said after it is answered.
async fn heard(socket: &mut Socket) {
    socket.send(Message::Ping(Default::default())).await.unwrap();
    while !matches!(socket.next().await, Some(Ok(Message::Pong(_)))) {}
}

/// A minute passes, for the server's waits too.
async fn minute_passes(house: &House) {
    house.wait(Duration::from_secs(61));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_user_has_so_many_streams_and_the_next_is_told_why_not() {
    each_db_with(&[("INDABA_LIMITS_SOCKETS_PER_USER", "2")], async |house| {
        let at = house.listen().await;
        let (sipho, lindiwe) = (house.person("Sipho", Role::Agent).await, house.person("Lindiwe", Role::Agent).await);
        let (first, _second) = (watch(at, &sipho).await, watch(at, &sipho).await);
        assert_eq!(closed(&mut open(at, &sipho).await).await, 4429);
        watch(at, &lindiwe).await;
        drop(first);
        for patience in (0..100).rev() {
            let mut again = open(at, &sipho).await;
            match said(&mut again).await {
                Message::Text(_) => break,
                _ => assert!(patience > 0, "the place was never given back"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_key_that_ends_takes_its_stream_along_within_a_minute() {
    each_db(async |house| {
        let at = house.listen().await;
        let ends = json!({ "name": "report", "role": "viewer", "expiresAt": "2026-11-20T07:01:00.000Z" });
        let made = house.admin.post("/api/api-keys", ends).await.ok();
        let mut ending = watch(at, &house.nobody().bearer(made["key"].as_str().unwrap())).await;
        let lasting = house.key(Role::Viewer).await;
        let mut lasting = watch(at, &lasting).await;
        minute_passes(&house).await;
        assert_eq!(closed(&mut ending).await, 4401);
        let made = house.admin.post("/api/contacts", json!({ "phone": "+27820001009" })).await;
        assert_eq!(made.status, 201);
        assert_eq!(next(&mut lasting).await["kind"], "contact.created", "the other goes on");
    })
    .await
}

#[tokio::test]
async fn what_is_withdrawn_behind_our_back_ends_within_a_minute_too() {
    each_db(async |house| {
        let at = house.listen().await;
        let made = house.admin.post("/api/api-keys", json!({ "name": "report", "role": "viewer" })).await.ok();
        let mut socket = watch(at, &house.nobody().bearer(made["key"].as_str().unwrap())).await;
        // no bell rings: as when the node that withdrew it is cut off from the others
        let gone = |tx: &mut indaba::db::TenantTx| {
            tx.run("delete from api_keys where tenant_id = $1 and name = $2", indaba::args!["report"])
        };
        assert_eq!(house.app.db.write(house.tenant, gone).await.unwrap(), 1);
        minute_passes(&house).await;
        assert_eq!(closed(&mut socket).await, 4401);
        // and one that is withdrawn as it should be, at once
        let made = house.admin.post("/api/api-keys", json!({ "name": "other", "role": "viewer" })).await.ok();
        let mut socket = watch(at, &house.nobody().bearer(made["key"].as_str().unwrap())).await;
        assert_eq!(house.admin.delete(&format!("/api/api-keys/{}", made["id"].as_str().unwrap())).await.status, 204);
        assert_eq!(closed(&mut socket).await, 4401);
    })
    .await
}

#[tokio::test]
async fn reading_and_typing_are_said_over_the_stream_by_those_who_may() {
    in_a_shop(async |shop| {
        let house = &shop.house;
        let at = house.listen().await;
        shop.receive(ASHA, "A1", "Hello").await;
        let place = shop.newest().await.0;
        let unread = async || shop.newest().await.0["unreadCount"].clone();
        let scoped = json!({ "name": "screen", "role": "agent", "scopes": ["live", "conversations:read"] });
        let scoped = house.admin.post("/api/api-keys", scoped).await.ok();
        let scoped = house.nobody().bearer(scoped["key"].as_str().unwrap());
        for (who, why) in [
            (house.key(Role::Viewer).await, "a viewer"),
            (house.stranger().await, "a stranger"),
            (scoped, "a key that may only look"),
        ] {
            let mut socket = watch(at, &who).await;
            say(&mut socket, json!({ "kind": "typing", "conversation": place["id"], "on": true })).await;
            say(&mut socket, json!({ "kind": "read", "conversation": place["id"] })).await;
            heard(&mut socket).await;
            assert_eq!(unread().await, 1, "{why}");
        }
        assert_eq!(shop.asked("/startTyping").await, 0);

        let sipho = house.person("Sipho", Role::Agent).await;
        let (mut his, mut hers) = (watch(at, &sipho).await, watch(at, &house.admin).await);
        for odd in [
            json!({ "kind": "read" }),
            json!({ "kind": "read", "conversation": "cnv_x" }),
            json!({ "kind": "typing", "conversation": 7 }),
        ] {
            say(&mut his, odd).await;
        }
        say(&mut his, json!({ "kind": "typing", "conversation": place["id"], "on": true })).await;
        let typing = until(&mut hers, "user.typing").await;
        assert_eq!((&typing["patch"]["name"], &typing["ids"]["conversation"]), (&json!("Sipho"), &place["id"]));
        say(&mut his, json!({ "kind": "read", "conversation": place["id"] })).await;
        assert_eq!(until(&mut hers, "conversation.read").await["patch"]["conversation"]["unreadCount"], 0);
        assert_eq!(until(&mut his, "conversation.read").await["ids"]["conversation"], place["id"]);
        shop.until(async || {
            (shop.asked("/startTyping").await == 1 && shop.asked("/sendSeen").await == 1).then_some(())
        })
        .await;
    })
    .await
}

#[tokio::test]
async fn who_says_too_much_is_shown_out() {
    each_db(async |house| {
        let at = house.listen().await;
        let mut socket = watch(at, &house.admin).await;
        for n in 0..59 {
            say(&mut socket, json!({ "kind": "no.such", "n": n })).await;
        }
        house.admin.post("/api/contacts", json!({ "phone": "+27820001009" })).await;
        assert_eq!(next(&mut socket).await["kind"], "contact.created", "a burst is borne");
        for n in 0..200 {
            if socket.send(Message::text(format!("{{\"n\":{n}}}"))).await.is_err() {
                break;
            }
        }
        assert_eq!(closed(&mut socket).await, 4429);
        watch(at, &house.admin).await;
    })
    .await
}

#[tokio::test]
async fn the_team_sees_who_is_at_work() {
    each_db(async |house| {
        let at = house.listen().await;
        let (sipho, lindiwe) = (house.person("Sipho", Role::Viewer).await, house.person("Lindiwe", Role::Agent).await);
        let (mut his, mut hers) = (watch(at, &sipho).await, watch(at, &lindiwe).await);
        let program = house.key(Role::Viewer).await; // its key outlives the tokens of people
        let listed = async || {
            let team = program.get("/api/users").await.ok();
            let him = team["items"].as_array().unwrap().iter().find(|one| one["name"] == "Sipho").unwrap().clone();
            (him["availability"].clone(), him["activeUntil"].clone())
        };
        let in_minutes = |minutes: u64| json!(house.app.clock.now() + Duration::from_secs(60 * minutes));
        assert_eq!(listed().await, (json!("away"), Value::Null), "nothing was ever heard of him");
        assert_eq!(sipho.get("/api/me/preferences").await.ok()["idleMinutes"], 15);
        sipho.patch("/api/me/preferences", json!({ "idleMinutes": 5 })).await.ok();
        until(&mut hers, "user.availability").await;
        house.wait(Duration::from_secs(60));

        say(&mut his, json!({ "kind": "active" })).await;
        let seen = until(&mut hers, "user.availability").await;
        let id = sipho.get("/api/me").await.ok()["user"]["id"].clone();
        let told = json!({ "id": id, "availability": "available", "activeUntil": in_minutes(5) });
        assert_eq!((&seen["patch"]["user"], &seen["ids"]["user"]), (&told, &id));
        house.wait(Duration::from_secs(10));
        say(&mut his, json!({ "kind": "active" })).await;
        heard(&mut his).await;
        assert_eq!(listed().await.1, told["activeUntil"], "said again too soon to be worth writing down");

        house.wait(Duration::from_secs(5 * 60));
        assert_eq!(listed().await, (json!("away"), Value::Null), "he has not moved for five minutes");
        say(&mut his, json!({ "kind": "active" })).await;
        assert_eq!(until(&mut hers, "user.availability").await["patch"]["user"]["availability"], "available");

        // who says so is away, whatever they do meanwhile
        let away = sipho.patch("/api/me/preferences", json!({ "away": true })).await.ok();
        assert_eq!((&away["availability"], &away["away"]), (&json!("away"), &json!(true)));
        assert_eq!(until(&mut hers, "user.availability").await["patch"]["user"]["availability"], "away");
        house.wait(Duration::from_secs(60));
        say(&mut his, json!({ "kind": "active" })).await;
        assert_eq!(until(&mut hers, "user.availability").await["patch"]["user"]["availability"], "away");
        sipho.patch("/api/me/preferences", json!({ "away": false, "idleMinutes": 0 })).await.ok();
        house.wait(Duration::from_secs(24 * 60 * 60));
        assert_eq!(listed().await, (json!("available"), Value::Null), "never by himself");
    })
    .await;
}
