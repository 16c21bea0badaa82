//! What goes wrong between us and Meta, and what is made of it: sent again only where nothing can have been done.

use indaba_providers::{Body, CallError, Cloud, Hook, Incoming, Outgoing, Provider, SendError, StatusState};
use serde_json::json;

use super::linked;
use crate::house::{ASHA, House, PHONE, asha, file, name, unanswered};

async fn effects(house: &House) -> usize {
    house.look(&format!("effects?number={PHONE}")).await["items"].as_array().unwrap().len()
}

/// A number whose window is open.
async fn warm() -> House {
    let mut house = linked().await;
    house.writes(json!({"body": "Hello"})).await;
    house
}

fn unknown(error: &SendError) -> bool {
    matches!(error, SendError::Unknown { .. })
}

#[tokio::test]
async fn each_fault_of_a_send_is_told_apart() {
    let house = warm().await;
    let on = json!({"method": "POST", "path": "*/messages"});
    let mut done = effects(&house).await;
    for (harm, effect) in [
        (json!({"kind": "redirect"}), false),
        (json!({"kind": "html"}), false),
        (json!({"kind": "html", "effect": true}), true),
        (json!({"kind": "endless"}), false),
        (json!({"kind": "endless", "effect": true}), true),
        (json!({"kind": "cut"}), false),
        (json!({"kind": "cut", "effect": true}), true),
        (json!({"kind": "truncate"}), true),
        (json!({"kind": "crash"}), false),
        (json!({"kind": "crash", "effect": true}), true),
        (json!({"kind": "answer", "status": 502, "body": "Bad gateway"}), false),
    ] {
        house.fault(on.clone(), harm.clone()).await;
        let error = house.says("Hello").await.unwrap_err();
        assert!(unknown(&error), "{harm}: {error:?}");
        done += usize::from(effect);
        assert_eq!(effects(&house).await, done, "{harm}");
    }
    for (harm, after) in [
        (json!({"kind": "tooMany", "retryAfterS": 7}), 7),
        (json!({"kind": "tooMany", "retryAfterS": 90, "date": true}), 90),
    ] {
        house.fault(on.clone(), harm.clone()).await;
        let error = house.says("Hello").await.unwrap_err();
        let SendError::Wait { after: told } = error else { panic!("{harm}: {error:?}") };
        assert!(told.as_secs().abs_diff(after) <= 2, "{harm}: {told:?}");
    }
    house.fault(on.clone(), json!({"kind": "timelock"})).await;
    assert!(matches!(house.says("Hello").await, Err(SendError::Locked { .. })));
    house.fault(on.clone(), json!({"kind": "delay", "ms": 30})).await;
    house.says("Late").await.unwrap();
    assert_eq!(effects(&house).await, done + 1);
    // a file that did not go up is surely not sent
    for harm in
        [json!({"kind": "cut"}), json!({"kind": "html"}), json!({"kind": "endless"}), json!({"kind": "truncate"})]
    {
        house.fault(json!({"path": "*/media"}), harm.clone()).await;
        let image = Body::Image { file: file("image/jpeg", "a.jpg"), caption: None };
        let error = house.sends_to(asha(), image).await.unwrap_err();
        assert!(matches!(error, SendError::Retry { .. }), "{harm}: {error:?}");
    }
    house.fault(on, json!({"kind": "expired"})).await;
    assert!(matches!(house.says("Hello").await, Err(SendError::GatewayLocked { .. })));
    assert!(matches!(house.says("Hello").await, Err(SendError::GatewayLocked { .. })), "the token stays over");
    assert_eq!(effects(&house).await, done + 1);
}

#[tokio::test]
async fn a_hang_ends_and_leaves_it_unknown() {
    let house = warm().await;
    house.fault(json!({"path": "*/messages"}), json!({"kind": "hang", "effect": true})).await;
    let requests = async || house.look("recording?limit=1").await["requests"].as_u64().unwrap();
    let (before, link) = (requests().await, house.link.clone());
    let sending = async move { Cloud.send(&link, &Outgoing::text(asha(), "msg_1", "Hello")).await };
    let error = unanswered(sending, async || requests().await > before).await;
    assert_eq!(error, SendError::Unknown { detail: "no answer in time".into() });
}

#[tokio::test]
async fn each_number_of_metas_is_the_right_kind_of_error() {
    let mut house = warm().await;
    let fail = house.number("/fail");
    let by = |code: i64| json!({"code": code, "by": "response"});
    type Kind = fn(&SendError) -> bool;
    let refused: Kind = |error| matches!(error, SendError::Refused { .. });
    let wait: Kind = |error| matches!(error, SendError::Wait { .. });
    let locked: Kind = |error| matches!(error, SendError::GatewayLocked { .. });
    for (code, kind) in [
        (4, wait),
        (80_007, wait),
        (130_429, wait),
        (131_057, wait),
        (131_056, |error| matches!(error, SendError::Retry { .. })),
        (131_026, |error| matches!(error, SendError::NotOnWhatsApp)),
        (131_048, |error| matches!(error, SendError::Locked { .. })),
        (131_031, |error| matches!(error, SendError::Banned { .. })),
        (368, |error| matches!(error, SendError::Banned { .. })),
        (131_045, |error| matches!(error, SendError::NotLinked { .. })),
        (133_010, |error| matches!(error, SendError::NotLinked { .. })),
        (131_042, locked),
        (131_005, locked),
        (10, locked),
        (131_000, unknown as Kind),
        (131_016, unknown),
        (2, unknown),
        (131_047, |error| matches!(error, SendError::Refused { code, .. } if code == "outside-window")),
        (131_049, refused),
        (131_050, refused),
        (131_051, refused),
        (130_472, refused),
        (132_007, refused),
    ] {
        house.control(&fail, by(code)).await;
        let error = house.says("Hello").await.unwrap_err();
        assert!(kind(&error), "{code}: {error:?}");
    }
    // the same, told later
    for code in [131_026, 131_049, 131_053, 130_472] {
        house.control(&fail, json!({"code": code, "to": ASHA})).await;
        let sent = house.says("Hello").await.unwrap();
        let status = house.status(&sent.provider_id, StatusState::Failed).await;
        assert_eq!(status.error.unwrap().code, code.to_string());
        assert_eq!(status.correlation.as_deref(), Some("msg_1"));
    }
    // nobody there
    let nobody = indaba_providers::Address::parse("27820000000").unwrap();
    house.control(&house.number("/window"), json!({"phone": "27820000000", "open": true})).await;
    let sent = house.sends_to(nobody, Body::Text { text: "x".into() }).await.unwrap();
    assert_eq!(house.status(&sent.provider_id, StatusState::Failed).await.error.unwrap().code, "131026");
    // a file of the wrong kind is found out later
    let sticker = Body::Sticker { file: file("image/png", "a.png") };
    let sent = house.sends_to(asha(), sticker).await.unwrap();
    assert_eq!(house.status(&sent.provider_id, StatusState::Failed).await.error.unwrap().code, "131053");
    let odd = Body::Document { file: file("application/x-thing", "a.thing"), caption: None };
    assert!(matches!(house.sends_to(asha(), odd).await, Err(SendError::Refused { .. })));
}

#[tokio::test]
async fn the_limits_of_a_number_and_of_a_pair() {
    let house = super::house_with(
        json!({"rules": {"pairBurst": 2, "pairSeconds": 3_600, "perSecond": null, "window": "response"}}),
    )
    .await;
    house.control(&house.number("/window"), json!({"phone": ASHA, "open": true})).await;
    house.says("one").await.unwrap();
    house.says("two").await.unwrap();
    assert!(matches!(house.says("three").await, Err(SendError::Retry { .. })), "131056: others may go on");
    let other = indaba_providers::Address::parse("27820001002").unwrap();
    house.control(&house.number("/window"), json!({"phone": "27820001002", "open": true})).await;
    house.sends_to(other, Body::Text { text: "one".into() }).await.unwrap();
    house.control("cloud/advance", json!({"seconds": 3_600})).await;
    house.says("three").await.unwrap();
    house.simulator.stop().await;

    let house = super::house_with(json!({"rules": {"perSecond": 0, "pairBurst": null}})).await;
    assert!(matches!(house.says("one").await, Err(SendError::Wait { .. })), "130429");
}

#[tokio::test]
async fn hooks_come_twice_in_any_order_and_many_at_once() {
    let mut house = linked().await;
    let on = json!({"event": "messages.text"});
    house.fault(on.clone(), json!({"kind": "duplicate", "times": 2})).await;
    house.control(&format!("numbers/{PHONE}/messages"), json!({"from": ASHA, "body": "Twice"})).await;
    let ((first, _), (second, _)) = (house.next().await.unwrap(), house.next().await.unwrap());
    let key = |hook: &Hook| Cloud.split(hook)[0].dedupe_key.clone();
    assert_eq!((key(&first), &first.body), (key(&second), &second.body));
    house.control("faults", json!({"on": on, "count": 3, "do": {"kind": "reorder", "span": 3}})).await;
    for body in ["one", "two", "three"] {
        house.control(&format!("numbers/{PHONE}/messages"), json!({"from": ASHA, "body": body})).await;
    }
    let mut order = Vec::new();
    for _ in 0..3 {
        let Incoming::Message(message) = house.next().await.unwrap().1.remove(0) else { panic!() };
        order.push(format!("{:?}", message.content));
    }
    assert!(order[0].contains("three") && order[2].contains("one"), "{order:?}");

    let url = format!("{}/control/cloud/batch", house.simulator.url());
    for (shape, count) in [("entries", 6), ("changes", 6), ("messages", 6)] {
        let batch = json!({"waitMs": 150, "shape": shape});
        house.link.http.put(&url).json(&batch).send().await.unwrap().error_for_status().unwrap();
        for n in 0..count {
            let from = format!("2782000200{n}");
            house
                .control(&format!("numbers/{PHONE}/messages"), json!({"from": from, "body": format!("{shape} {n}")}))
                .await;
        }
        let mut read = Vec::new();
        while read.len() < count {
            read.extend(house.next().await.unwrap().1);
        }
        let body: Vec<String> = read.iter().map(|one| format!("{one:?}")).collect();
        assert!((0..count).all(|n| body.iter().any(|one| one.contains(&format!("{shape} {n}")))), "{body:?}");
    }
}

#[tokio::test]
async fn files_that_cannot_be_had_say_why() {
    let mut house = linked().await;
    let data = "YSBmaWxlJ3MgYnl0ZXM=";
    let image = json!({"kind": "image", "file": {"mimetype": "image/png", "data": data}});
    let message = house.writes(image.clone()).await;
    let media = message.content.media().unwrap().clone();
    let source = indaba_providers::MediaSource { media, message: name(&message) };
    let down = async |house: &House| Cloud.download(&house.link, &source, 1 << 20).await.map(|_| ()).unwrap_err();
    for (path, harm, kind) in [
        ("*/attachments/", json!({"kind": "answer", "status": 404}), "not found"),
        ("*/attachments/", json!({"kind": "answer", "status": 401}), "does not let us in"),
        ("*/attachments/", json!({"kind": "redirect", "to": "http://127.0.0.1:1/"}), "strange"),
        ("/graph/v26.0/*", json!({"kind": "html"}), "strange"),
        ("/graph/v26.0/*", json!({"kind": "cut"}), "did not answer"),
        ("/graph/v26.0/*", json!({"kind": "tooMany", "retryAfterS": 5}), "wait 5s"),
    ] {
        house.fault(json!({"method": "GET", "path": path}), harm.clone()).await;
        let error: CallError = down(&house).await;
        assert!(error.to_string().contains(kind), "{path} {harm}: {error}");
    }
    // WhatsApp lost it on the way
    let mut lost = image;
    (lost["download"], lost["from"]) = ("failed".into(), ASHA.into());
    house.control(&format!("numbers/{PHONE}/messages"), lost).await;
    house.message("unsupported").await;
}
