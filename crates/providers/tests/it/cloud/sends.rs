//! What goes out: to whom, in which shape, and what its answer means.

use std::time::Duration;

use indaba_providers::{
    Address, Body, Button, ButtonParameter, Card, CardLine, Cloud, MessageRef, Outgoing, Parameter, Provider,
    SendError, TemplateCall,
};
use serde_json::{Value, json};

use super::{cloud, error, ok, taken};
use crate::house::{asha, file};
use crate::peer::{Answer, header};

/// The body that goes out for this.
async fn goes(body: Body) -> Value {
    let (peer, link) = cloud(vec![ok()]).await;
    let mut message = Outgoing::text(asha(), "msg_01", "");
    message.body = body;
    Cloud.send(&link, &message).await.unwrap();
    peer.asked().remove(0).body
}

async fn refused(body: Body) -> SendError {
    let (peer, link) = cloud(vec![ok()]).await;
    let mut message = Outgoing::text(asha(), "msg_01", "");
    message.body = body;
    let error = Cloud.send(&link, &message).await.unwrap_err();
    assert!(peer.asked().is_empty(), "Meta was asked");
    error
}

#[tokio::test]
async fn a_business_scoped_id_is_a_recipient_and_never_to() {
    for (address, key, value) in [("+27820001001", "to", "27820001001"), ("ZA.9002", "recipient", "ZA.9002")] {
        let (peer, link) = cloud(vec![ok()]).await;
        Cloud.send(&link, &Outgoing::text(Address::parse(address).unwrap(), "msg_01", "hi")).await.unwrap();
        let chat = Address::parse(address).unwrap();
        let theirs = MessageRef { provider_id: "wamid.IN".into(), reference: "wamid.IN".into(), chat, from_me: false };
        Cloud.react(&link, &theirs, "👍").await.unwrap();
        for asked in peer.asked() {
            assert_eq!(asked.target, "/v26.0/106540352242922/messages");
            assert_eq!(header(&asked.headers, "authorization"), Some("Bearer key"));
            assert_eq!(asked.body[key], value);
            assert_eq!(asked.body.get("to").is_some(), key == "to");
        }
        assert_eq!(peer.asked()[0].body["biz_opaque_callback_data"], "msg_01");
    }
    for nobody in ["111@lid", "1203630000@g.us", "status@broadcast"] {
        let (peer, link) = cloud(vec![ok()]).await;
        let sent = Cloud.send(&link, &Outgoing::text(Address::parse(nobody).unwrap(), "m", "hi")).await;
        assert!(matches!(sent, Err(SendError::Refused { .. })) && peer.asked().is_empty(), "{nobody}");
    }
}

#[tokio::test]
async fn errors_are_told_apart_by_their_number() {
    for (status, code, expected) in [
        ("401 Unauthorized", 190, "gatewayLocked"),
        ("401 Unauthorized", 0, "gatewayLocked"),
        ("403 Forbidden", 10, "gatewayLocked"),
        ("403 Forbidden", 200, "gatewayLocked"),
        ("403 Forbidden", 131005, "gatewayLocked"),
        ("400 Bad Request", 4, "wait"),
        ("400 Bad Request", 80007, "wait"),
        ("400 Bad Request", 130429, "wait"),
        ("400 Bad Request", 131057, "wait"),
        ("429 Too Many Requests", 999, "wait"),
        ("400 Bad Request", 131056, "retry"),
        ("400 Bad Request", 134101, "retry"),
        ("400 Bad Request", 131047, "refused"),
        ("400 Bad Request", 131026, "notOnWhatsApp"),
        ("400 Bad Request", 131062, "refused"),
        ("400 Bad Request", 132001, "refused"),
        ("400 Bad Request", 131050, "refused"),
        ("400 Bad Request", 100, "refused"),
        ("400 Bad Request", 135000, "refused"),
        ("400 Bad Request", 33, "instanceGone"),
        ("404 Not Found", 803, "instanceGone"),
        ("400 Bad Request", 368, "banned"),
        ("400 Bad Request", 131031, "banned"),
        ("400 Bad Request", 131048, "locked"),
        ("400 Bad Request", 131042, "gatewayLocked"),
        ("400 Bad Request", 133010, "notLinked"),
        ("400 Bad Request", 131045, "notLinked"),
        // nobody says whether before or after the effect
        ("500 Internal Server Error", 1, "unknown"),
        ("503 Service Unavailable", 2, "unknown"),
        ("500 Internal Server Error", 131000, "unknown"),
        ("400 Bad Request", 131016, "unknown"),
        ("500 Internal Server Error", 777, "unknown"),
    ] {
        let (_peer, link) = cloud(vec![error(status, "", code)]).await;
        let error = Cloud.send(&link, &Outgoing::text(asha(), "msg_01", "hi")).await.unwrap_err();
        assert_eq!(serde_json::to_value(&error).unwrap()["kind"], expected, "{status} {code}: {error:?}");
        if code == 131047 {
            assert!(matches!(error, SendError::Refused { code, .. } if code == "outside-window"));
        }
    }
    let usage = "X-Business-Use-Case-Usage: {\"1\":[{\"type\":\"whatsapp\",\"call_count\":100,\"estimated_time_to_regain_access\":7}]}\r\n";
    for (headers, code, seconds) in [
        (usage, 80007, 420),
        ("Retry-After: 9\r\n", 80007, 9),
        ("Date: Fri, 20 Nov 2026 07:00:00 GMT\r\nRetry-After: Fri, 20 Nov 2026 07:02:00 GMT\r\n", 4, 120),
        ("", 130429, 5),
        ("", 131057, 60),
        ("", 4, 60),
    ] {
        let (_peer, link) = cloud(vec![error("400 Bad Request", headers, code)]).await;
        let error = Cloud.send(&link, &Outgoing::text(asha(), "msg_01", "hi")).await.unwrap_err();
        assert_eq!(error, SendError::Wait { after: Duration::from_secs(seconds) }, "{code} {headers}");
    }
}

#[tokio::test]
async fn the_answer_gives_the_id_the_number_as_meta_has_it_and_whether_it_is_held() {
    let (_peer, link) = cloud(vec![taken(json!({"contacts": [{"input": "5511999990000", "wa_id": "551199990000"}], "messages": [{"id": "wamid.A", "message_status": "held_for_quality_assessment"}]}))]).await;
    let sent = Cloud.send(&link, &Outgoing::text(Address::parse("+5511999990000").unwrap(), "m", "hi")).await.unwrap();
    assert_eq!((sent.provider_id.as_str(), sent.to, sent.held), ("wamid.A", Address::parse("+551199990000"), true));
}

#[tokio::test]
async fn a_file_goes_up_before_its_message_and_until_then_nothing_was_sent() {
    let voice = || Outgoing {
        body: Body::Voice { file: file("audio/ogg; codecs=opus", "a.ogg") },
        ..Outgoing::text(asha(), "msg_01", "")
    };
    let (peer, link) = cloud(vec![taken(json!({"id": "778"})), ok()]).await;
    Cloud.send(&link, &voice()).await.unwrap();
    let asked = peer.asked();
    assert_eq!(asked[0].target, "/v26.0/106540352242922/media");
    assert!(header(&asked[0].headers, "content-type").unwrap().starts_with("multipart/form-data"));
    assert_eq!(asked[1].body["audio"], json!({"id": "778", "voice": true}));
    for answer in [
        Answer::CutAfter,
        Answer::new("500 Internal Server Error", "", ""),
        taken(json!({})),
        Answer::new("302 Found", "Location: /\r\n", ""),
    ] {
        let (peer, link) = cloud(vec![answer]).await;
        let error = Cloud.send(&link, &voice()).await.unwrap_err();
        assert!(matches!(error, SendError::Retry { .. }) && peer.asked().len() == 1, "{error:?}");
    }
    let (_peer, link) = cloud(vec![taken(json!({"id": "778"})), Answer::CutAfter]).await;
    assert!(matches!(Cloud.send(&link, &voice()).await, Err(SendError::Unknown { .. })));
    let (_peer, link) = cloud(vec![error("401 Unauthorized", "", 190)]).await;
    assert!(matches!(Cloud.send(&link, &voice()).await, Err(SendError::GatewayLocked { .. })));
}

fn buttons(count: usize) -> Vec<Button> {
    let button = |at: usize| Button { id: format!("b{at}"), title: format!("Button {at}"), ..Button::default() };
    (0..count).map(button).collect()
}

#[tokio::test]
async fn choices_are_checked_before_meta_is_asked() {
    let choice = |list: Option<&str>, buttons: Vec<Button>| Body::Buttons {
        text: "Which?".into(),
        header: Some("H".into()),
        footer: None,
        list: list.map(str::to_owned),
        buttons,
    };
    let sent = goes(choice(None, buttons(3))).await;
    assert_eq!(
        sent["interactive"]["action"]["buttons"][2],
        json!({"type": "reply", "reply": {"id": "b2", "title": "Button 2"}})
    );
    let sent = goes(choice(Some("Choose"), buttons(10))).await;
    assert_eq!(sent["interactive"]["type"], "list");
    assert_eq!(sent["interactive"]["action"]["sections"][0]["rows"].as_array().unwrap().len(), 10);
    let page = Button { url: Some("https://shop.example/".into()), ..buttons(1).remove(0) };
    let sent = goes(choice(None, vec![page])).await;
    assert_eq!(
        sent["interactive"]["action"],
        json!({"name": "cta_url", "parameters": {"display_text": "Button 0", "url": "https://shop.example/"}})
    );
    let long = |title: &str| vec![Button { id: "1".into(), title: title.repeat(21), ..Button::default() }];
    for wrong in [
        choice(None, buttons(4)),
        choice(None, vec![]),
        choice(Some("Choose"), buttons(11)),
        choice(None, long("x")),
        choice(Some(&"x".repeat(21)), buttons(1)),
        choice(None, [buttons(1), buttons(1)].concat()),
    ] {
        let shown = format!("{wrong:?}");
        assert!(matches!(refused(wrong).await, SendError::Refused { .. }), "{shown}");
    }
}

#[tokio::test]
async fn a_poll_becomes_buttons_a_list_or_a_numbered_text() {
    let poll = |options: Vec<String>| Body::Poll { question: "When?".into(), options, multiple: false };
    let some = |count: usize| (0..count).map(|at| format!("Option {at}")).collect::<Vec<_>>();
    let sent = goes(poll(some(3))).await;
    assert_eq!(sent["interactive"]["body"]["text"], "When?");
    assert_eq!(
        sent["interactive"]["action"]["buttons"][1]["reply"],
        json!({"id": "poll:msg_01:1", "title": "Option 1"})
    );
    let sent = goes(poll(some(10))).await;
    assert_eq!(sent["interactive"]["action"]["button"], "When?", "nothing of ours: it may not be their language");
    assert_eq!(
        sent["interactive"]["action"]["sections"][0]["rows"][9],
        json!({"id": "poll:msg_01:9", "title": "Option 9"})
    );
    let sent = goes(poll(vec!["On Monday morning at ten".into(), "Never".into()])).await;
    assert_eq!(sent["interactive"]["body"]["text"], "When?\n\n1. On Monday morning at ten\n2. Never");
    assert_eq!(sent["interactive"]["action"]["buttons"][0]["reply"]["title"], "On Monday morning a…");
    let monday = |hour: &str| format!("On Monday morning at {hour}");
    let sent = goes(poll(vec![monday("ten"), "Never".into(), monday("eleven")])).await;
    let titles: Vec<&Value> =
        (0..3).map(|at| &sent["interactive"]["action"]["buttons"][at]["reply"]["title"]).collect();
    assert_eq!(titles, ["1. On Monday mornin…", "2. Never", "3. On Monday mornin…"]);
    let long = Body::Poll { question: "On which day\ncan you come?".into(), options: some(4), multiple: false };
    assert_eq!(goes(long).await["interactive"]["action"]["button"], "On which day can yo…");
    let sent = goes(poll(some(12))).await;
    assert!(sent["text"]["body"].as_str().unwrap().ends_with("\n12. Option 11"));
}

#[tokio::test]
async fn a_template_goes_with_its_variables() {
    let named = |name: &str, text: &str| Parameter { name: Some(name.into()), text: text.into() };
    let call = TemplateCall {
        name: "order_ready".into(),
        language: "en_US".into(),
        header: vec![],
        media: Some(file("image/png", "a.png")),
        body: vec![named("first_name", "Ana"), named("order_no", "A-17")],
        buttons: vec![
            ButtonParameter { index: 0, kind: "url".into(), text: "A-17".into() },
            ButtonParameter { index: 1, kind: "quick_reply".into(), text: "STOP".into() },
            ButtonParameter { index: 2, kind: "copy_code".into(), text: "SAVE10".into() },
        ],
    };
    let (peer, link) = cloud(vec![taken(json!({"id": "778"})), ok()]).await;
    let message = Outgoing { body: Body::Template(call.clone()), ..Outgoing::text(asha(), "msg_01", "") };
    Cloud.send(&link, &message).await.unwrap();
    // Meta's own page, word for word
    assert_eq!(
        peer.asked()[1].body["template"],
        json!({"name": "order_ready", "language": {"code": "en_US"}, "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": "778"}}]},
            {"type": "body", "parameters": [{"type": "text", "parameter_name": "first_name", "text": "Ana"}, {"type": "text", "parameter_name": "order_no", "text": "A-17"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "A-17"}]},
            {"type": "button", "sub_type": "quick_reply", "index": "1", "parameters": [{"type": "payload", "payload": "STOP"}]},
            {"type": "button", "sub_type": "copy_code", "index": "2", "parameters": [{"type": "coupon_code", "coupon_code": "SAVE10"}]},
        ]})
    );
    for text in ["two\nlines", "a\ttab", "five     spaces", ""] {
        let body = vec![Parameter { name: None, text: text.into() }];
        let call = TemplateCall { body, media: None, buttons: vec![], ..call.clone() };
        assert!(matches!(refused(Body::Template(call)).await, SendError::Refused { .. }), "{text:?}");
    }
}

#[tokio::test]
async fn a_contact_card_is_a_part_of_metas_own() {
    let line = |value: &str, label: &str| CardLine { value: value.into(), label: Some(label.into()), whatsapp: None };
    let card = Card {
        name: "John Smith".into(),
        organization: Some("WhatsApp".into()),
        phones: vec![
            line("+1 (940) 555-1234", "home"),
            CardLine { whatsapp: Some("+16505551234".into()), ..line("+1 (650) 555-1234", "work") },
        ],
        emails: vec![line("test@fb.com", "work"), line("test@whatsapp.com", "home")],
    };
    let ours = goes(Body::Contacts { contacts: vec![card] }).await;
    let example = std::fs::read_to_string(crate::fixtures::folder("cloud").join("meta-messages.jsonl")).unwrap();
    let theirs = example
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|line| line["case"] == "Send Contact Message")
        .unwrap();
    let (ours, theirs) = (&ours["contacts"][0], &theirs["request"]["contacts"][0]);
    for key in ["phones", "emails"] {
        assert_eq!(ours[key], theirs[key]);
    }
    for (of, key) in [("name", "formatted_name"), ("name", "first_name"), ("org", "company")] {
        assert_eq!(ours[of][key], theirs[of][key]);
    }
}
