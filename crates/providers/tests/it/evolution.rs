//! The whole of Evolution against the simulator: every call, every hook, verified and read; and every fault.

use indaba_providers::{
    Address, Body, CallError, Content, Evolution, Incoming, Outgoing, Provider, Reason, SendError, SessionState,
    StatusState, Step,
};
use indaba_simulator::{Config, Running};
use serde_json::json;

use crate::house::{ASHA, House, PHONE, asha};

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
