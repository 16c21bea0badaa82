//! Templates, what an account and a number report, and tokens.

use indaba_providers::{
    Address, Body, ButtonParameter, CallError, Cloud, Incoming, Parameter, Provider, SendError, SessionState,
    StatusState, Template, TemplateCall, TemplateChange,
};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{house_with, linked};
use crate::house::{ASHA, House, PHONE, asha, file};

fn parameters(words: &[&str]) -> Vec<Parameter> {
    words.iter().map(|word| Parameter { name: None, text: (*word).into() }).collect()
}

fn order_ready() -> Template {
    Template {
        name: "order_ready".into(),
        language: "en_US".into(),
        category: "utility".into(),
        parameter_format: "positional".into(),
        components: vec![
            json!({"type": "HEADER", "format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["A-17"]}}),
            json!({"type": "BODY", "text": "Hi {{1}}, your order is ready for collection.", "example": {"body_text": [["Ana"]]}}),
            json!({"type": "BUTTONS", "buttons": [
                {"type": "URL", "text": "Track", "url": "https://shop.example/t/{{1}}", "example": ["https://shop.example/t/A-17"]},
                {"type": "QUICK_REPLY", "text": "Thanks"},
            ]}),
        ],
        ..Template::default()
    }
}

fn call() -> TemplateCall {
    TemplateCall {
        name: "order_ready".into(),
        language: "en_US".into(),
        header: parameters(&["A-17"]),
        media: None,
        body: parameters(&["Asha"]),
        buttons: vec![
            ButtonParameter { index: 0, kind: "url".into(), text: "A-17".into() },
            ButtonParameter { index: 1, kind: "quick_reply".into(), text: "THANKS".into() },
        ],
    }
}

async fn change(house: &mut House) -> TemplateChange {
    house
        .told("a change of a template", |incoming| match incoming {
            Incoming::Template(change) => Some(change),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_template_is_submitted_judged_sent_and_deleted() {
    let mut house = linked().await;
    let mut made = Cloud.submit_template(&house.link, &order_ready()).await.unwrap();
    assert_eq!((made.state.as_str(), made.category.as_str()), ("pending", "utility"));
    let refused = house.sends_to(asha(), Body::Template(call())).await.unwrap_err();
    assert!(matches!(&refused, SendError::Refused { code, .. } if code == "132001"), "not approved yet: {refused:?}");
    let again = Cloud.submit_template(&house.link, &order_ready()).await.unwrap_err();
    assert!(matches!(&again, CallError::Invalid(why) if why.contains("already")), "{again:?}");

    let path = format!("cloud/templates/{}", made.id);
    house.control(&path, json!({"event": "REJECTED", "reason": "INVALID_FORMAT"})).await;
    let told = change(&mut house).await;
    assert_eq!((told.id.as_str(), told.state.as_deref()), (made.id.as_str(), Some("rejected")));
    assert!(told.reason.as_deref().is_some_and(|why| why.starts_with("INVALID_FORMAT")), "{told:?}");
    made = Cloud.submit_template(&house.link, &made).await.unwrap();
    house.control(&path, json!({"event": "APPROVED", "quality": "YELLOW", "category": "MARKETING"})).await;
    let mut changes = Vec::new();
    for _ in 0..3 {
        let told = change(&mut house).await;
        changes.push((told.state, told.quality, told.category));
    }
    let word = |text: &str| Some(text.to_owned());
    for wanted in [(word("approved"), None), (None, word("yellow"))] {
        assert!(changes.iter().any(|(state, quality, _)| (state, quality) == (&wanted.0, &wanted.1)), "{changes:?}");
    }
    assert!(changes.iter().any(|(_, _, category)| *category == word("marketing")), "{changes:?}");

    // outside the window, too
    let sent = house.sends_to(asha(), Body::Template(call())).await.unwrap();
    let told = house.status(&sent.provider_id, StatusState::Delivered).await;
    assert_eq!((told.price.as_deref(), sent.held), (Some("regular/marketing"), false));
    let shown = house.shown(ASHA).await;
    assert_eq!(
        shown["body"],
        "Order A-17\nHi Asha, your order is ready for collection.\nTrack: https://shop.example/t/A-17"
    );
    let tap = format!("numbers/{}/messages/{}/choose", PHONE, shown["id"].as_str().unwrap());
    house.control(&tap, json!({"option": "Thanks"})).await;
    let tapped = house
        .told("a tap", |incoming| match incoming {
            Incoming::Message(message) => Some(*message),
            _ => None,
        })
        .await;
    assert!(format!("{:?}", tapped.content).contains("THANKS"), "{:?}", tapped.content);

    for (why, call) in [
        ("132000", TemplateCall { body: vec![], ..call() }),
        ("132001", TemplateCall { language: "en".into(), ..call() }),
    ] {
        let refused = house.sends_to(asha(), Body::Template(call)).await.unwrap_err();
        let is = matches!(&refused, SendError::Refused { detail, .. } if !detail.is_empty());
        assert!(is, "{why}: {refused:?}");
    }
    house.control(&path, json!({"event": "PAUSED"})).await;
    change(&mut house).await;
    assert!(matches!(house.sends_to(asha(), Body::Template(call())).await, Err(SendError::Refused { .. })));
    Cloud.delete_template(&house.link, &made).await.unwrap();
    assert!(Cloud.templates(&house.link, None).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn templates_come_page_by_page_and_carry_files() {
    let mut house = linked().await;
    let path = format!("cloud/accounts/{}/templates", house.waba());
    let body = |text: &str| json!({"type": "BODY", "text": text});
    for n in 0..130 {
        house.control(&path, json!({"name": format!("t_{n}"), "components": [body("Hello.")]})).await;
    }
    let pictured = json!([{"type": "HEADER", "format": "IMAGE"}, body("Look.")]);
    house.control(&path, json!({"name": "pictured", "components": pictured, "held": true})).await;
    let first = Cloud.templates(&house.link, None).await.unwrap();
    let second = Cloud.templates(&house.link, first.next.as_deref()).await.unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next), (100, 31, None));
    let mut names: Vec<String> = first.items.into_iter().chain(second.items).map(|one| one.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 131);
    assert!(matches!(Cloud.templates(&house.link, Some("forged")).await, Err(CallError::Invalid(_))));

    let call = TemplateCall {
        name: "pictured".into(),
        language: "en_US".into(),
        header: vec![],
        media: Some(file("image/jpeg", "a.jpg")),
        body: vec![],
        buttons: vec![],
    };
    let sent = house.sends_to(asha(), Body::Template(call.clone())).await.unwrap();
    assert!(sent.held, "pacing");
    house.status(&sent.provider_id, StatusState::Delivered).await;
    assert_eq!(
        (&house.shown(ASHA).await["kind"], &house.shown(ASHA).await["body"]),
        (&json!("image"), &json!("Look."))
    );
    let without = house.sends_to(asha(), Body::Template(TemplateCall { media: None, ..call })).await.unwrap_err();
    assert!(matches!(without, SendError::Refused { .. }), "{without:?}");
    // codes need a phone number
    let code = json!({"name": "code", "category": "AUTHENTICATION", "components": [{"type": "BODY", "text": "{{1}} is your code."}]});
    house.control(&path, code).await;
    let call = TemplateCall {
        name: "code".into(),
        language: "en_US".into(),
        header: vec![],
        media: None,
        body: parameters(&["123456"]),
        buttons: vec![],
    };
    let to = Address::parse("ZA.12345").unwrap();
    assert!(
        matches!(house.sends_to(to, Body::Template(call)).await, Err(SendError::Refused { code, .. }) if code == "131062")
    );
}

#[tokio::test]
async fn what_an_account_and_a_number_report_is_heard() {
    let mut house = linked().await;
    let of = house.link.external_name.clone();
    let waba = house.waba().to_owned();
    for (of, field, value, state) in [
        (
            &of,
            "phone_number_quality_update",
            json!({"event": "FLAGGED", "max_daily_conversations_per_business": "TIER_1K"}),
            None,
        ),
        (
            &waba,
            "account_update",
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "April 17, 2025"}}),
            Some(SessionState::Banned),
        ),
        (
            &waba,
            "account_update",
            json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1_900_000_000}]}),
            None,
        ),
        (&waba, "account_review_update", json!({"decision": "APPROVED"}), None),
        (&waba, "business_capability_update", json!({"max_daily_conversations_per_business": -1}), None),
    ] {
        house.control(&format!("cloud/events/{of}"), json!({"field": field, "value": value})).await;
        let account = house
            .told(field, |incoming| match incoming {
                Incoming::Account(account) if account.field == field => Some(account),
                _ => None,
            })
            .await;
        assert!(account.at.is_some() && state.is_none_or(|state| account.state == state), "{account:?}");
    }
    // what nobody in the world does
    let said = house.number("/said");
    let order = json!({"type": "order", "order": {"catalog_id": "1", "text": "Please", "product_items": [{"product_retailer_id": "a", "quantity": 2, "item_price": 30, "currency": "USD"}]}});
    house.control(&said, json!({"from": ASHA, "value": {"messages": [order]}})).await;
    assert!(house.message("order").await.provider_id.starts_with("wamid."));
    let moved =
        json!({"type": "system", "system": {"body": "changed", "type": "user_changed_number", "wa_id": "27820001009"}});
    house.control(&said, json!({"from": ASHA, "value": {"messages": [moved]}})).await;
    let rekeyed = house.told("another number", |incoming| match incoming {
        Incoming::Rekeyed(rekeyed) => Some(rekeyed),
        _ => None,
    });
    assert_eq!(rekeyed.await.to, Address::parse("27820001009").unwrap());
    let stop = json!({"user_preferences": [{"wa_id": ASHA, "detail": "User requested to stop marketing messages", "category": "marketing_messages", "value": "stop", "timestamp": 1_731_705_721}]});
    house.control(&said, json!({"from": ASHA, "field": "user_preferences", "value": stop})).await;
    house
        .told("a stop", |incoming| matches!(incoming, Incoming::Preference(word) if word.opted_out).then_some(()))
        .await;
    house.control(&format!("numbers/{}/calls", PHONE), json!({"from": ASHA})).await;
    house.told("a call", |incoming| matches!(incoming, Incoming::Call(_)).then_some(())).await;
    for poll in [json!({"from": ASHA, "kind": "poll", "poll": {"name": "When?", "options": ["Now", "Later"]}})] {
        house.control(&format!("numbers/{}/messages", PHONE), poll).await;
        house.message("unsupported").await;
    }
}

#[tokio::test]
async fn a_token_that_is_over_lets_nobody_in() {
    let mut house = linked().await;
    let key = house.link.key.clone();
    let token = |expired: bool| json!({"token": key.expose_secret(), "expired": expired});
    house.control("cloud/tokens/expire", token(true)).await;
    assert!(matches!(Cloud.check(&house.link).await, Err(CallError::Denied(_))));
    assert!(matches!(Cloud.status(&house.link).await, Err(CallError::Denied(_))));
    assert!(matches!(house.says("x").await, Err(SendError::GatewayLocked { .. })));
    house.control("cloud/tokens/expire", token(false)).await;
    assert!(Cloud.check(&house.link).await.unwrap().ok());
    // another token with less
    let less = json!({"appId": house.link.extras.app_id, "wabaIds": [house.waba()], "scopes": ["whatsapp_business_management"]});
    let less = house.control("cloud/tokens", less).await["accessToken"].as_str().unwrap().to_owned();
    house.link.key = less.into();
    let check = Cloud.check(&house.link).await.unwrap();
    let key = check.steps.iter().find(|step| !step.ok).unwrap();
    assert!(key.detail.contains("whatsapp_business_messaging"), "{key:?}");
    assert!(matches!(house.says("x").await, Err(SendError::GatewayLocked { .. })));
    house.link.key = "EAAGnobody".to_owned().into();
    assert!(matches!(Cloud.check(&house.link).await, Err(CallError::Denied(_))));
    house.simulator.stop().await;

    let house = house_with(json!({"requireProof": true})).await;
    assert!(Cloud.status(&house.link).await.is_ok(), "the proof goes along");
    let mut without = house.link.clone();
    without.extras.app_id = None;
    assert!(matches!(Cloud.status(&without).await, Err(CallError::Invalid(_))));
    let mut wrong = house.link.clone();
    wrong.secrets.keys = vec!["another".to_owned().into()];
    assert!(matches!(Cloud.status(&wrong).await, Err(CallError::Invalid(_))));
    let mut nobody = house.link.clone();
    nobody.external_name = "1234567890".into();
    assert!(matches!(Cloud.status(&nobody).await, Err(CallError::Gone)));
}
