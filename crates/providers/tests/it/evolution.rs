//! The whole of Evolution against the simulator: every call, every hook, verified and read; and every fault.

use indaba_providers::{
    Address, Body, CallError, Content, Evolution, Incoming, MessageRef, Outgoing, Provider, Reason, SendError,
    SessionState, StatusState, Step,
};
use indaba_simulator::{Config, Running};
use serde_json::json;

use crate::{
    house::{ASHA, House, PHONE, asha, file, name, of, unanswered},
    peer, story,
};

async fn house() -> House {
    House::new(&Evolution, Config::fast(), Running::evolution_url, "ind-01").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_is_made_linked_unlinked_and_gone() {
    let mut house = house().await;
    assert_eq!(Evolution.status(&house.link).await, Err(CallError::Gone));
    let check = Evolution.check(&house.link).await.unwrap();
    assert_eq!(check.build.version.as_deref(), Some("2.3.7"));
    assert!(!check.ok(), "the instance is not there yet");
    house.links().await;
    assert!(Evolution.check(&house.link).await.unwrap().ok());
    let session = Evolution.status(&house.link).await.unwrap();
    assert_eq!((session.state, session.phone.as_deref()), (SessionState::Connected, Some("+27820001000")));
    assert_eq!(session.push_name.as_deref(), Some("Demo Shop"));
    assert!(matches!(Evolution.qr(&house.link).await, Err(CallError::WrongState(state)) if state == "open"));
    // again: brought in line, not made twice
    house.link.key = "simulator".to_owned().into();
    let again = Evolution.create(&house.link, &house.setup()).await.unwrap();
    assert_eq!((again.session.state, again.key.is_none()), (SessionState::Connected, true));

    Evolution.restart(&house.link).await.unwrap();
    house.connected().await;
    let session = Evolution.logout(&house.link).await.unwrap();
    assert_eq!((session.state, session.reason), (SessionState::Attention, Some(Reason::LoggedOut)));
    let text = Outgoing::text(asha(), "msg_out", "Hello");
    assert!(matches!(Evolution.send(&house.link, &text).await, Err(SendError::NotLinked { .. })));
    Evolution.logout(&house.link).await.unwrap();
    assert_eq!(Evolution.start(&house.link).await.unwrap().state, SessionState::Linking);
    let code = Evolution.pairing_code(&house.link, &address(PHONE)).await.unwrap();
    assert!(code.len() == 9 && code.as_bytes()[4] == b'-', "{code}");
    house.control("pair", json!({"code": code, "phone": PHONE})).await;
    house.connected().await;
    Evolution.delete(&house.link).await.unwrap();
    Evolution.delete(&house.link).await.unwrap();
    assert_eq!(Evolution.send(&house.link, &text).await, Err(SendError::InstanceGone));
    house.simulator.stop().await;
}

fn address(phone: &str) -> Address {
    Address::parse(phone).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_goes_out_and_one_comes_in() {
    let mut house = house().await;
    house.links().await;
    let hello = house.writes(json!({"body": "Hello"})).await;
    assert_eq!(hello.content, Content::Text { text: "Hello".into() });
    assert_eq!((&hello.chat, hello.person.name.as_deref(), hello.from_me), (&asha(), Some("Asha"), false));
    assert!(hello.at.is_some());
    let text = house.sends(Body::Text { text: "Yes it is 👋".into() }).await.unwrap();
    for (opens, state) in [(false, StatusState::Sent), (false, StatusState::Delivered), (true, StatusState::Read)] {
        if opens {
            house.control(&format!("numbers/{PHONE}/chats/{ASHA}/open"), json!({})).await;
        }
        let id = text.provider_id.clone();
        house
            .told("a tick", |incoming| match incoming {
                Incoming::Status(status) if status.provider_id == id && status.state == state => Some(()),
                _ => None,
            })
            .await;
    }
    let nobody = Outgoing::text(address("27820000000"), "msg_first", "Hello");
    assert_eq!(Evolution.send(&house.link, &nobody).await, Err(SendError::NotOnWhatsApp));
    house.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_written_sent_and_kept() {
    let mut house = house().await;
    house.links().await;
    story::what_they_write(&mut house).await;
    who_hides(&mut house).await;
    story::what_we_send(&mut house).await;
    let sticker = house.sends(Body::Sticker { file: file("image/webp", "a.webp") }).await.unwrap();
    let never = MessageRef { provider_id: "3EB0NEVER".into(), ..of(&sticker) };
    let edited = Evolution.edit(&house.link, &never, "words").await;
    assert!(matches!(&edited, Err(SendError::Refused { code, .. }) if code == "not-found"), "{edited:?}");
    story::what_is_there(&mut house).await;
    house.simulator.stop().await;
}

/// Since 2.3.7 the chat of who hides the number is named by the phone, where that is known.
async fn who_hides(house: &mut House) {
    for (phone, shown) in [("27820001002", "lid"), ("27820001003", "lidOnly")] {
        house.control("customers", json!({"phone": phone, "name": "Thandi", "shown": shown})).await;
        house.control(&format!("numbers/{PHONE}/messages"), json!({"from": phone, "body": "From a LID"})).await;
        let hidden = house.message("text").await;
        let known = shown == "lid";
        assert_eq!((hidden.person.phone.is_some(), hidden.person.lid.is_some()), (known, !known), "{hidden:?}");
        // the reply goes to what the message came from
        let sent = Evolution.send(&house.link, &Outgoing::text(hidden.chat.clone(), "msg_lid", "Hello")).await.unwrap();
        assert_eq!(sent.to, None);
        Evolution.mark_read(&house.link, &hidden.chat, &[name(&hidden)]).await.unwrap();
        // what changes names the hidden id all the same
        let id = sent.provider_id.clone();
        let chat = house.told("a tick", |incoming| match incoming {
            Incoming::Status(status) if status.provider_id == id => status.chat,
            _ => None,
        });
        assert!(matches!(chat.await, Address::Lid(_)));
    }
}

/// What a fault does to a text, and whether the message is sent all the same.
async fn harmed(house: &House, harm: serde_json::Value) -> (SendError, bool) {
    house.control("faults", json!({"on": {"path": "/message/sendText/*"}, "count": 1, "do": harm})).await;
    let text = format!("{harm}");
    let error = Evolution.send(&house.link, &Outgoing::text(asha(), "msg_01", text.clone())).await.unwrap_err();
    let sent = house.look(&format!("effects?session={}", house.link.external_name)).await;
    (error, sent["items"].as_array().unwrap().iter().any(|effect| effect["body"] == text.as_str()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_is_the_right_kind_of_error() {
    let mut house = house().await;
    house.links().await;
    let licence = json!({"error": "service not activated", "code": "LICENSE_REQUIRED"});
    for (harm, kind, sent) in [
        (json!({"kind": "redirect"}), "unknown", false),
        (json!({"kind": "html"}), "unknown", false),
        (json!({"kind": "html", "effect": true}), "unknown", true),
        (json!({"kind": "endless", "effect": true}), "unknown", true),
        (json!({"kind": "cut"}), "unknown", false),
        (json!({"kind": "cut", "effect": true}), "unknown", true),
        (json!({"kind": "truncate"}), "unknown", true),
        (json!({"kind": "crash", "message": "simulated", "effect": true}), "unknown", true),
        (json!({"kind": "answer", "status": 502, "body": "<html>"}), "unknown", false),
        (json!({"kind": "tooMany", "retryAfterS": 3}), "wait", false),
        (json!({"kind": "tooMany", "retryAfterS": 3, "date": true}), "wait", false),
        (json!({"kind": "timelock"}), "locked", false),
        (json!({"kind": "answer", "status": 503, "body": licence}), "gatewayLocked", false),
        // a proxy's own page: the server never saw it
        (json!({"kind": "answer", "status": 404, "body": "404 page not found"}), "retry", false),
        (json!({"kind": "crash", "message": "Connection Closed"}), "notLinked", false),
        // the last: the owner has unlinked the device
        (json!({"kind": "expired"}), "notLinked", false),
    ] {
        let (error, effect) = harmed(&house, harm.clone()).await;
        let told = serde_json::to_value(&error).unwrap();
        assert_eq!((told["kind"].as_str().unwrap(), effect), (kind, sent), "{harm}: {error:?}");
    }
    let ended = |incoming| match incoming {
        Incoming::Session(session) if session.reason == Some(Reason::LoggedOut) => Some(()),
        _ => None,
    };
    house.told("that it was unlinked", ended).await;
    house.link.key = "wrong".to_owned().into();
    let (error, _) = harmed(&house, json!({"kind": "hang"})).await;
    assert!(matches!(error, SendError::GatewayLocked { .. }), "{error:?}");
    // with a connection of its own: one that was open is broken in the middle
    let link = peer::link(&house.simulator.evolution_url(), "2.3.7");
    house.simulator.stop().await;
    let gone = Evolution.send(&link, &Outgoing::text(asha(), "msg_02", "Hello")).await;
    assert!(matches!(gone, Err(SendError::Retry { .. })), "{gone:?}");
}

/// No answer at all, whether or not the message went out: nobody knows.
#[tokio::test]
async fn a_hang_leaves_it_unknown() {
    let mut house = house().await;
    house.links().await;
    for effect in [false, true] {
        let harm = json!({"kind": "hang", "effect": effect});
        house.control("faults", json!({"on": {"path": "/message/sendText/*"}, "count": 1, "do": harm})).await;
        let link = house.link.clone();
        let asked = house.look("recording?path=/message/sendText").await["items"].as_array().unwrap().len();
        let sending = async move { Evolution.send(&link, &Outgoing::text(asha(), "msg_01", "Hello")).await };
        let error = unanswered(sending, async || {
            let items = house.look("recording?path=/message/sendText").await["items"].as_array().unwrap().clone();
            items.len() > asked && items.last().unwrap()["fault"].is_number()
        })
        .await;
        assert_eq!(error, SendError::Unknown { detail: "no answer in time".into() }, "effect {effect}");
    }
    house.simulator.stop().await;
}

/// A hook that comes twice, late or in another order says the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hooks_come_twice_and_out_of_order() {
    let mut house = house().await;
    house.links().await;
    house.control("faults", json!({"on": {"event": "messages.upsert"}, "count": 1, "do": {"kind": "duplicate"}})).await;
    house.control(&format!("numbers/{PHONE}/messages"), json!({"from": ASHA, "body": "Twice"})).await;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let (hook, all) = house.next().await.expect("the same hook twice");
        if all.iter().any(|incoming| matches!(incoming, Incoming::Message(_))) {
            seen.push(Evolution.split(&hook)[0].dedupe_key.clone());
        }
    }
    assert_eq!(seen[0], seen[1], "there is no id of a delivery: the body tells");
    house.control("faults", json!({"on": {"event": "messages.upsert"}, "count": 2, "do": {"kind": "reorder"}})).await;
    for body in ["First", "Second"] {
        house.control(&format!("numbers/{PHONE}/messages"), json!({"from": ASHA, "body": body})).await;
    }
    let (one, two) = (house.message("text").await, house.message("text").await);
    assert_eq!((one.content.text(), two.content.text()), (Some("Second"), Some("First")));
    house.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_run_out_and_the_owner_can_unlink() {
    let mut house = house().await;
    Evolution.create(&house.link, &house.setup()).await.unwrap();
    for code in 1..=30 {
        let scan = |incoming| match incoming {
            Incoming::Session(session) if session.step == Some(Step::Scan) => Some(()),
            _ => None,
        };
        house.told(&format!("code {code}"), scan).await;
        house.control("sessions/ind-01/expire-qr", json!({})).await;
    }
    let expired = |incoming| match incoming {
        Incoming::Session(session) if session.reason == Some(Reason::CodeExpired) => Some(session.step),
        _ => None,
    };
    assert_eq!(house.told("that nobody scanned", expired).await, Some(Step::Expired));
    Evolution.start(&house.link).await.unwrap();
    house
        .told("a code", |incoming| matches!(incoming, Incoming::Session(s) if s.step == Some(Step::Scan)).then_some(()))
        .await;
    house.control("sessions/ind-01/scan", json!({"phone": PHONE})).await;
    house.connected().await;
    house.control("sessions/ind-01/unlink", json!({})).await;
    let ended = |incoming| match incoming {
        Incoming::Session(session) if session.state == SessionState::Attention => Some(session.reason),
        _ => None,
    };
    assert_eq!(house.told("that it was unlinked", ended).await, Some(Reason::LoggedOut));
    house.simulator.stop().await;
}
