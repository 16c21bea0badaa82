//! What people write, what we send, and what becomes of it.

use base64::Engine as _;
use indaba_providers::{
    Address, Body, Button, CallError, Card, CardLine, Cloud, Content, Incoming, MediaSource, MessageRef, Outgoing,
    PresenceState, Profile, Provider, SendError, SessionState, StatusState,
};
use serde_json::json;

use super::{house, linked};
use crate::house::{ASHA, PHONE, asha, file, name};

#[tokio::test]
async fn a_business_tells_who_it_is() {
    let house = linked().await;
    let told = Profile {
        about: Some("Öffnet um neun".into()),
        email: Some("hello@example.com".into()),
        websites: Some(vec!["https://example.com/".into()]),
        vertical: Some("RETAIL".into()),
        ..Profile::default()
    };
    Cloud.set_profile(&house.link, &told).await.unwrap();
    assert_eq!(Cloud.profile(&house.link).await.unwrap().as_ref(), Some(&told));
    // what is left out of a change stays
    let more = Profile { description: Some("Houses to let".into()), ..Profile::default() };
    Cloud.set_profile(&house.link, &more).await.unwrap();
    assert_eq!(Cloud.profile(&house.link).await.unwrap(), Some(Profile { description: more.description, ..told }));
    let long = Profile { about: Some("a".repeat(140)), ..Profile::default() };
    assert!(matches!(Cloud.set_profile(&house.link, &long).await, Err(CallError::Invalid(_))));
}

#[tokio::test]
async fn a_number_is_linked_looked_at_and_let_go() {
    let house = house().await;
    let check = Cloud.check(&house.link).await.unwrap();
    assert_eq!(check.build.version.as_deref(), Some("v26.0"));
    let failing: Vec<_> = check.steps.iter().filter(|step| !step.ok).map(|step| step.name.to_string()).collect();
    assert_eq!(failing, ["subscription"], "{:?}", check.steps);
    let created = Cloud.create(&house.link, &house.setup()).await.unwrap();
    assert_eq!(
        (created.session.state, created.session.phone.as_deref()),
        (SessionState::Connected, Some("+27820001000"))
    );
    assert!(Cloud.check(&house.link).await.unwrap().ok());
    // again: brought in line
    Cloud.create(&house.link, &house.setup()).await.unwrap();
    let limits = Cloud.limits(&house.link).await.unwrap();
    assert_eq!(
        (limits.tier.as_deref(), limits.quality.as_deref(), limits.per_second),
        (Some("TIER_250"), Some("green"), Some(80))
    );
    let out = Cloud.logout(&house.link).await.unwrap();
    // we did it ourselves: nothing to explain
    assert_eq!((out.state, out.reason), (SessionState::Disconnected, None));
    assert_eq!(Cloud.status(&house.link).await.unwrap().state, SessionState::Disconnected);
    assert!(matches!(house.says("x").await, Err(SendError::NotLinked { .. })));
    Cloud.delete(&house.link).await.unwrap();
    let number = house.look(&house.number("")).await;
    assert_eq!(number["webhook_configuration"].get("phone_number"), None, "{number}");
}

#[tokio::test]
async fn a_callback_that_does_not_know_the_word_is_not_taken() {
    let mut house = house().await;
    house.link.secrets.verify_token = Some("another word".to_owned().into());
    let refused = Cloud.create(&house.link, &house.setup()).await.unwrap_err();
    assert!(matches!(&refused, CallError::Invalid(why) if why.contains("HTTP Status Code = 403")), "{refused:?}");
}

#[tokio::test]
async fn a_text_goes_there_and_back() {
    let mut house = linked().await;
    let hello = house.writes(json!({"body": "Olá 👋 / \"ça va\""})).await;
    assert_eq!(hello.content, Content::Text { text: "Olá 👋 / \"ça va\"".into() });
    assert_eq!((&hello.chat, hello.person.name.as_deref(), hello.from_me), (&asha(), Some("Asha"), false));
    assert!(hello.provider_id.starts_with("wamid.") && hello.person.bsuid.as_ref().unwrap().starts_with("ZA."));
    let mut answer = Outgoing::text(asha(), "msg_7", "Sawubona, unjani 😀");
    answer.reply_to = Some(name(&hello));
    let sent = Cloud.send(&house.link, &answer).await.unwrap();
    let told = house.status(&sent.provider_id, StatusState::Sent).await;
    assert_eq!((told.correlation.as_deref(), told.chat.as_ref()), (Some("msg_7"), Some(&asha())));
    assert!(told.price.as_deref().is_some_and(|price| price.ends_with("service")), "{told:?}");
    house.status(&sent.provider_id, StatusState::Delivered).await;
    house.control(&format!("numbers/{PHONE}/chats/{ASHA}/open"), json!({})).await;
    house.status(&sent.provider_id, StatusState::Read).await;
    let shown = house.shown(ASHA).await;
    assert_eq!(
        (&shown["body"], &shown["quoted"]["body"]),
        (&json!("Sawubona, unjani 😀"), &json!("Olá 👋 / \"ça va\""))
    );

    let reply = house.writes(json!({"body": "Good", "replyTo": shown["id"]})).await;
    assert_eq!(reply.quoted.unwrap().provider_id, sent.provider_id);
    Cloud.typing(&house.link, &asha(), PresenceState::Typing, Some(&name(&hello))).await.unwrap();
    Cloud.mark_read(&house.link, &asha(), &[name(&hello)]).await.unwrap();
    let unknown =
        MessageRef { provider_id: "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJCOTY3NDc0NDFDRUI3NTA0Q0UA".into(), ..name(&hello) };
    assert!(matches!(Cloud.mark_read(&house.link, &asha(), &[unknown]).await, Err(CallError::Invalid(_))));
    let effects = house.look(&format!("effects?number={PHONE}")).await;
    assert_eq!((effects["items"].as_array().unwrap().len(), &effects["mostOften"]), (1, &json!(1)));
}

#[tokio::test]
async fn files_go_up_and_come_down() {
    let mut house = linked().await;
    house.writes(json!({"body": "Hello"})).await;
    let data = base64::engine::general_purpose::STANDARD.encode(b"a file's bytes");
    for (kind, mime) in [
        ("image", "image/jpeg"),
        ("video", "video/mp4"),
        ("voice", "audio/ogg; codecs=opus"),
        ("audio", "audio/mpeg"),
        ("document", "application/pdf"),
        ("sticker", "image/webp"),
    ] {
        let body = json!({"kind": kind, "body": "", "file": {"mimetype": mime, "data": data, "filename": "a.bin"}});
        let message = house.writes(body).await;
        let media = message.content.media().unwrap().clone();
        assert_eq!(media.mime.as_deref(), Some(mime), "{kind}");
        let source = MediaSource { media, message: name(&message) };
        let got = Cloud.download(&house.link, &source, 1 << 20).await.unwrap();
        assert_eq!(got.bytes().await.unwrap().as_ref(), b"a file's bytes", "{kind}");

        let (file, caption) = (file(mime, "a.ogg"), Some("Look".to_owned()));
        let body = match kind {
            "image" => Body::Image { file, caption },
            "video" => Body::Video { file, caption },
            "voice" => Body::Voice { file },
            "audio" => Body::Audio { file },
            "document" => Body::Document { file, caption },
            _ => Body::Sticker { file },
        };
        let sent = house.sends_to(asha(), body).await.unwrap();
        house.status(&sent.provider_id, StatusState::Delivered).await;
        let shown = house.shown(ASHA).await;
        assert_eq!(
            (&shown["kind"], &shown["media"]["mimetype"], &shown["media"]["sizeBytes"]),
            (&json!(kind), &json!(mime), &json!(14))
        );
    }
    // the address of a file holds for five minutes, the file itself for a week
    let message = house.writes(json!({"kind": "image", "file": {"mimetype": "image/png", "data": data}})).await;
    let source = MediaSource { media: message.content.media().unwrap().clone(), message: name(&message) };
    house.control("cloud/advance", json!({"seconds": 8 * 86_400})).await;
    assert!(matches!(Cloud.download(&house.link, &source, 1 << 20).await, Err(CallError::NotFound(_))));
}

#[tokio::test]
async fn buttons_lists_places_cards_and_reactions() {
    let mut house = linked().await;
    let hello = house.writes(json!({"body": "Hello"})).await;
    let button = |id: &str, title: &str| Button { id: id.into(), title: title.into(), ..Button::default() };
    let buttons = |list: Option<&str>| Body::Buttons {
        text: "Which one?".into(),
        header: None,
        footer: Some("Choose".into()),
        list: list.map(str::to_owned),
        buttons: vec![button("b1", "Red"), button("b2", "Blue")],
    };
    for list in [None, Some("Colours")] {
        let sent = house.sends_to(asha(), buttons(list)).await.unwrap();
        let shown = house.shown(ASHA).await;
        let tap = json!({"option": "Blue"});
        house.control(&format!("numbers/{PHONE}/messages/{}/choose", shown["id"].as_str().unwrap()), tap).await;
        let tapped = house
            .told("a tap", |incoming| match incoming {
                Incoming::Message(message) if message.quoted.is_some() => Some(*message),
                _ => None,
            })
            .await;
        assert_eq!(tapped.quoted.unwrap().provider_id, sent.provider_id);
        assert!(format!("{:?}", tapped.content).contains("b2"), "{:?}", tapped.content);
    }
    let poll = Body::Poll { question: "When?".into(), options: vec!["Now".into(), "Later".into()], multiple: false };
    house.sends_to(asha(), poll).await.unwrap();
    assert_eq!(house.shown(ASHA).await["choices"][1]["title"], "Later");
    let place = Body::Location { latitude: -26.2, longitude: 28.04, name: Some("Office".into()), address: None };
    house.sends_to(asha(), place).await.unwrap();
    let there =
        house.writes(json!({"kind": "location", "latitude": -26.2041, "longitude": 28.0473, "place": "Site"})).await;
    assert!(matches!(there.content, Content::Location { latitude, .. } if (latitude + 26.2041).abs() < 1e-9));
    let line = CardLine { value: "+27 83 123 4567".into(), label: None, whatsapp: Some("+27831234567".into()) };
    let card = Card { name: "Ana P".into(), phones: vec![line], ..Card::default() };
    house.sends_to(asha(), Body::Contacts { contacts: vec![card] }).await.unwrap();
    let vcard = house.shown(ASHA).await["contacts"][0].clone();
    let card = house.writes(json!({"kind": "contacts", "contacts": [vcard]})).await;
    assert!(
        matches!(&card.content, Content::Contacts { contacts } if contacts[0].name == "Ana P" && contacts[0].phones[0].whatsapp.as_deref() == Some("+27831234567")),
        "{card:?}"
    );

    Cloud.react(&house.link, &name(&hello), "👍").await.unwrap();
    let first = house.look(&format!("numbers/{PHONE}/chats/{ASHA}/messages")).await["items"][0].clone();
    assert_eq!(first["reactions"], json!([{"by": "me", "emoji": "👍"}]));
    let sent = house.says("Thank you").await.unwrap();
    let shown = house.shown(ASHA).await["id"].as_str().unwrap().to_owned();
    for emoji in ["❤️", ""] {
        house
            .control(&format!("numbers/{PHONE}/messages/{shown}/reaction"), json!({"from": ASHA, "emoji": emoji}))
            .await;
        let reaction = house
            .told("a reaction", |incoming| match incoming {
                Incoming::Reaction(reaction) => Some(reaction),
                _ => None,
            })
            .await;
        assert_eq!(
            (reaction.target.as_str(), reaction.emoji.as_str(), reaction.chat),
            (sent.provider_id.as_str(), emoji, asha())
        );
    }
}

#[tokio::test]
async fn a_person_without_a_phone_number_is_answered_by_the_other_id() {
    let mut house = linked().await;
    house.control("customers", json!({"phone": ASHA, "name": "Asha", "username": "asha.k", "shown": "lidOnly"})).await;
    let hello = house.writes(json!({"body": "Hi, no number shown"})).await;
    let Address::Bsuid(id) = &hello.chat else { panic!("{:?}", hello.chat) };
    assert_eq!((hello.person.phone.as_ref(), hello.person.username.as_deref()), (None, Some("asha.k")));
    let sent = house.sends_to(hello.chat.clone(), Body::Text { text: "Welcome".into() }).await.unwrap();
    let told = house.status(&sent.provider_id, StatusState::Delivered).await;
    assert_eq!(told.chat.as_ref().map(ToString::to_string).as_ref(), Some(id));
    assert_eq!(house.shown(ASHA).await["body"], "Welcome");
    let nobody = house.sends_to(Address::parse("ZA.12345").unwrap(), Body::Text { text: "x".into() }).await.unwrap();
    let failed = house.status(&nobody.provider_id, StatusState::Failed).await;
    assert_eq!(failed.error.unwrap().code, "131026");
}

#[tokio::test]
async fn outside_the_window_a_text_fails_later_or_at_once() {
    let mut house = linked().await;
    let cold = house.says("Hello?").await.unwrap();
    assert_eq!(house.status(&cold.provider_id, StatusState::Failed).await.error.unwrap().code, "131047");
    house.writes(json!({"body": "Hello"})).await;
    let warm = house.says("Hello!").await.unwrap();
    house.status(&warm.provider_id, StatusState::Delivered).await;
    house.control("cloud/advance", json!({"seconds": 86_400})).await;
    let late = house.says("Still there?").await.unwrap();
    assert_eq!(house.status(&late.provider_id, StatusState::Failed).await.error.unwrap().code, "131047");
    let rules = json!({"rules": {"window": "response"}});
    let url = format!("{}/control/{}", house.simulator.url(), house.number(""));
    house.link.http.patch(url).json(&rules).send().await.unwrap().error_for_status().unwrap();
    assert!(
        matches!(house.says("Still there?").await, Err(SendError::Refused { code, .. }) if code == "outside-window")
    );
}
