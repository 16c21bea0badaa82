//! The whole of WAHA against the simulator, on each engine: every call, every hook, verified and read.

use indaba_providers::{Address, Body, CallError, Incoming, Outgoing, Provider, SendError, SessionState, Step, Waha};
use indaba_simulator::{Config, Engine, Release, Running};
use serde_json::json;

use crate::{
    house::{House, PHONE, asha, file},
    story,
};

async fn house(engine: Engine, release: Release) -> House {
    let session = if release == Release::V2026_4_1 { "default" } else { "ind_01" };
    let config = Config { engine, release, ..Config::fast() };
    House::new(&Waha, config, |simulator: &Running| simulator.url().to_owned(), session).await
}

async fn whole_trip(engine: Engine) {
    let mut house = house(engine, Release::V2026_6_1).await;
    assert!(matches!(Waha.status(&house.link).await, Err(CallError::Gone)));
    let check = Waha.check(&house.link).await.unwrap();
    assert_eq!(check.build.version.as_deref(), Some("2026.6.1"));
    assert!(!check.ok(), "the session is not there yet");
    assert!(house.links().await.at.is_some());
    assert!(Waha.check(&house.link).await.unwrap().ok());
    // again: brought in line, not made twice
    Waha.create(&house.link, &house.setup()).await.unwrap();
    house.connected().await;
    assert_eq!(Waha.start(&house.link).await.unwrap().state, SessionState::Connected);
    assert!(matches!(Waha.qr(&house.link).await, Err(CallError::WrongState(state)) if state == "WORKING"));

    story::what_they_write(&mut house).await;
    who_hides(&mut house).await;
    story::what_we_send(&mut house).await;
    story::what_is_there(&mut house).await;
    by_both_names(&house).await;

    let session = Waha.stop(&house.link).await.unwrap();
    assert_eq!(session.state, SessionState::Disconnected);
    let text = Outgoing::text(asha(), "msg_stopped", "Hello");
    assert!(matches!(Waha.send(&house.link, &text).await, Err(SendError::NotLinked { .. })));
    Waha.start(&house.link).await.unwrap();
    house.connected().await;
    Waha.logout(&house.link).await.unwrap();
    house
        .told("a new code", |incoming| {
            matches!(incoming, Incoming::Session(s) if s.step == Some(Step::Scan)).then_some(())
        })
        .await;
    let code = Waha.pairing_code(&house.link, &Address::parse(PHONE).unwrap()).await.unwrap();
    assert!(code.len() == 9 && code.as_bytes()[4] == b'-', "{code}");
    Waha.delete(&house.link).await.unwrap();
    Waha.delete(&house.link).await.unwrap();
    assert!(matches!(Waha.send(&house.link, &text).await, Err(SendError::InstanceGone)));
    house.simulator.stop().await;
}

/// Hidden behind a LID: the chat is named by it, and the phone stands elsewhere.
async fn who_hides(house: &mut House) {
    house
        .control("customers", json!({"phone": "27820001002", "name": "Thandi", "lid": "111222333444", "shown": "lid"}))
        .await;
    house.control(&format!("numbers/{PHONE}/messages"), json!({"from": "27820001002", "body": "From a LID"})).await;
    let hidden = house.message("text").await;
    assert_eq!(hidden.chat, Address::Lid("111222333444@lid".into()));
    assert_eq!(hidden.person.lid.as_deref(), Some("111222333444@lid"));
    let person = Waha.other_names(&house.link, &hidden.chat).await.unwrap();
    assert_eq!(person.phone.as_deref(), Some("+27820001002"));
}

async fn by_both_names(house: &House) {
    let link = &house.link;
    let aliases = Waha.aliases(link, None, 50).await.unwrap().items;
    assert!(
        aliases.iter().any(|person| person.lid.as_deref() == Some("111222333444@lid") && person.phone.is_some()),
        "{aliases:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_trip_on_noweb() {
    whole_trip(Engine::Noweb).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_trip_on_gows() {
    whole_trip(Engine::Gows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_trip_on_webjs() {
    whole_trip(Engine::Webjs).await;
}

#[tokio::test]
async fn the_old_free_image_says_what_to_do() {
    let mut house = house(Engine::Noweb, Release::V2026_4_1).await;
    let session = std::mem::replace(&mut house.link.external_name, "ind_01".into());
    let error = Waha.create(&house.link, &house.setup()).await.unwrap_err();
    assert_eq!(error, CallError::TooOld("2026.6.1".into()));
    house.link.external_name = session;
    house.links().await;
    let check = Waha.check(&house.link).await.unwrap();
    assert!(check.steps.iter().any(|step| step.name == "version" && !step.ok && step.detail.contains("2026.6.1")));
    house.link.build = check.build;
    let can = Waha.capabilities(&house.link.build);
    assert!(!can.image && !can.own_message_id && can.poll);
    let mut photo = Outgoing::text(asha(), "msg_1", "");
    photo.body = Body::Image { file: file("image/png", "a.png"), caption: None };
    match Waha.send(&house.link, &photo).await {
        Err(SendError::Refused { code, .. }) => assert_eq!(code, "upgrade-gateway"),
        other => panic!("{other:?}"),
    }
    Waha.send(&house.link, &Outgoing::text(asha(), "msg_2", "Hello")).await.unwrap();
}
