//! What else Meta is asked: files, whether the connection holds, limits, templates. And how we prove who we are.

use indaba_providers::{CallError, Cloud, Extras, Link, MediaRef, MediaSource, MessageRef, Provider, Setup};
use serde_json::{Value, json};

use super::{cloud, error, ok, taken};
use crate::house::asha;
use crate::peer::{Answer, Peer, header, link_of};

const V4: &str = "f0ef51e65bf4de2265cfe08ada9b96032af71e16330e6b09290f586f965d53a7";

fn photo() -> MediaSource {
    let message =
        MessageRef { provider_id: "wamid.A".into(), reference: "wamid.A".into(), chat: asha(), from_me: false };
    MediaSource { media: MediaRef { id: Some("778".into()), ..MediaRef::default() }, message }
}

#[tokio::test]
async fn a_file_is_fetched_with_the_token_from_meta_alone() {
    let bytes = Answer::new("200 OK", "Content-Type: image/jpeg\r\n", "JPEG");
    let (second, _) = cloud(vec![bytes.clone()]).await;
    // elsewhere on the same machine is elsewhere
    for url in [
        second.url.as_str(),
        "https://evil.example/x",
        "https://fbsbx.com.evil.example/x",
        "https://evilfbsbx.com/x",
        "http://lookaside.fbsbx.com/x",
        "https://user@lookaside.fbsbx.com/x",
        "http://169.254.169.254/x",
        "x",
    ] {
        let (_peer, link) = cloud(vec![taken(json!({"url": url, "id": "778"}))]).await;
        let error = Cloud.download(&link, &photo(), 100).await.unwrap_err();
        assert!(matches!(error, CallError::Strange(_)), "{url}: {error:?}");
    }
    assert!(second.asked().is_empty());
    // the simulator's own host counts
    let (asked, link) = own_host(bytes).await;
    let got = Cloud.download(&link, &photo(), 100).await.unwrap();
    assert_eq!(got.mime.as_deref(), Some("image/png"));
    assert_eq!(got.bytes().await.unwrap().as_ref(), b"JPEG");
    let asked = asked.asked();
    assert_eq!(asked[0].target, "/v26.0/778?phone_number_id=106540352242922");
    assert_eq!(header(&asked[1].headers, "authorization"), Some("Bearer key"));
    let (_peer, link) = own_host(Answer::new("200 OK", "", &"x".repeat(101))).await;
    assert!(matches!(Cloud.download(&link, &photo(), 100).await, Err(CallError::Invalid(_))));
    let (_peer, link) = own_host(Answer::new("404 Not Found", "", "")).await;
    assert!(matches!(Cloud.download(&link, &photo(), 100).await, Err(CallError::NotFound(_))));
    let (_peer, link) = cloud(vec![error("400 Bad Request", "", 33)]).await;
    assert!(matches!(Cloud.download(&link, &photo(), 100).await, Err(CallError::NotFound(_))));
}

/// A peer whose first answer names a file on itself.
async fn own_host(then: Answer) -> (Peer, Link) {
    let peer = Peer::that_answers_itself(|url| {
        vec![taken(json!({"url": format!("{url}/file"), "mime_type": "image/png", "file_size": "4"})), then]
    })
    .await;
    let link = link_of(&Cloud, &peer.url);
    (peer, link)
}

#[tokio::test]
async fn calls_prove_that_they_come_from_the_app_that_is_named() {
    let (peer, mut link) = cloud(vec![taken(json!({"id": "1"}))]).await;
    link.key = "EAATESTTOKEN".to_owned().into();
    link.extras = Extras { app_id: Some("5".into()), ..link.extras };
    Cloud.status(&link).await.unwrap();
    assert!(peer.asked()[0].target.ends_with(&format!("appsecret_proof={V4}")), "{}", peer.asked()[0].target);
    assert!(!peer.asked()[0].target.contains("EAATESTTOKEN"));
}

#[tokio::test]
async fn a_number_is_subscribed_first_and_then_sent_to_us() {
    let number = taken(
        json!({"id": "106540352242922", "display_phone_number": "+1 555-078-3881", "verified_name": "Acme", "status": "CONNECTED"}),
    );
    let yes = taken(json!({"success": true}));
    let (peer, link) = cloud(vec![yes.clone(), yes.clone(), yes, number]).await;
    let setup = Setup {
        hook_url: "https://indaba.example/api/webhooks/cloud/h".parse().unwrap(),
        instance: "ins_1".into(),
        device: "Indaba".into(),
        full_history: false,
    };
    let made = Cloud.create(&link, &setup).await.unwrap();
    assert_eq!(made.session.phone.as_deref(), Some("+15550783881"));
    let hook = json!({"override_callback_uri": "https://indaba.example/api/webhooks/cloud/h", "verify_token": "vt"});
    let asked = peer.asked();
    let targets: Vec<_> = asked.iter().map(|asked| asked.target.split('?').next().unwrap()).collect();
    assert_eq!(
        targets,
        [
            "/v26.0/102290129340398/subscribed_apps",
            "/v26.0/102290129340398/subscribed_apps",
            "/v26.0/106540352242922",
            "/v26.0/106540352242922"
        ]
    );
    assert_eq!(
        (&asked[0].body, &asked[1].body, &asked[2].body),
        (&Value::Null, &hook, &json!({"webhook_configuration": hook}))
    );
}

#[tokio::test]
async fn the_connection_is_looked_at_step_by_step() {
    let good = taken(
        json!({"data": {"is_valid": true, "expires_at": 0, "scopes": ["whatsapp_business_messaging", "whatsapp_business_management"]}}),
    );
    let number = taken(json!({"id": "1", "display_phone_number": "+1 555-078-3881", "verified_name": "Acme"}));
    let account = taken(json!({"id": "2", "name": "Acme Ltd"}));
    let steps = async |answers: Vec<Answer>| {
        let (_peer, link) = cloud(answers).await;
        let check = Cloud.check(&link).await.unwrap();
        assert_eq!(check.build.version.as_deref(), Some("v26.0"));
        check.steps.into_iter().map(|step| (step.name, step.ok)).collect::<Vec<_>>()
    };
    let names = ["reach", "key", "version", "number", "account", "subscription", "secret"];
    let all = |wrong: &[&str]| names.map(|name| (name.to_owned(), !wrong.contains(&name))).to_vec();
    let apps = taken(json!({"data": [{"whatsapp_business_api_data": {"id": "5"}}]}));
    let numbers = |id: &str| taken(json!({"data": [{"id": id}]}));
    let own = numbers("106540352242922");
    assert_eq!(steps(vec![good.clone(), number.clone(), account.clone(), apps.clone(), own]).await, all(&[]));
    let elsewhere = steps(vec![good.clone(), number.clone(), account.clone(), apps.clone(), numbers("1")]).await;
    assert!(elsewhere.contains(&("account".to_owned(), false)), "the number is another account's: {elsewhere:?}");
    let nobody = taken(json!({"data": []}));
    assert_eq!(steps(vec![good.clone(), number.clone(), account.clone(), nobody]).await, all(&["subscription"]));
    let poor = taken(json!({"data": {"is_valid": true, "scopes": ["whatsapp_business_messaging"]}}));
    assert_eq!(steps(vec![poor, error("400 Bad Request", "", 33), account, apps]).await, all(&["key", "number"]));
    let (_peer, link) = cloud(vec![error("401 Unauthorized", "", 190)]).await;
    assert!(matches!(Cloud.check(&link).await, Err(CallError::Denied(_))), "an expired token");
}

#[tokio::test]
async fn limits_are_what_meta_says() {
    let (_peer, link) = cloud(vec![taken(json!({"id": "1", "quality_rating": "GREEN", "throughput": {"level": "HIGH"}, "whatsapp_business_manager_messaging_limit": "TIER_10K"}))]).await;
    let limits = Cloud.limits(&link).await.unwrap();
    assert_eq!(
        (limits.tier.as_deref(), limits.quality.as_deref(), limits.per_second),
        (Some("TIER_10K"), Some("green"), Some(1000))
    );
}

#[tokio::test]
async fn a_list_of_templates_goes_on_by_its_cursor() {
    let one = json!({"id": "12", "name": "n", "language": "en", "status": "APPROVED", "category": "UTILITY", "quality_score": {"score": "GREEN"}, "rejected_reason": "NONE"});
    let (peer, link) = cloud(vec![taken(json!({"data": [one], "paging": {"cursors": {"after": "MjQZD"}, "next": "https://graph.facebook.com/x?access_token=key"}}))]).await;
    let page = Cloud.templates(&link, Some("MAZDZD")).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("MjQZD"));
    assert_eq!((page.items[0].quality.as_deref(), page.items[0].reason.as_deref()), (Some("green"), None));
    assert!(peer.asked()[0].target.starts_with("/v26.0/102290129340398/message_templates?"));
    assert!(peer.asked()[0].target.ends_with("&after=MAZDZD"));
}

#[tokio::test]
async fn ids_that_are_none_reach_no_path() {
    let (peer, mut link) = cloud(vec![ok()]).await;
    for name in ["", "..", "1/2", "me", "1?x=1"] {
        link.external_name = name.into();
        assert!(matches!(Cloud.status(&link).await, Err(CallError::Invalid(_))), "{name}");
    }
    assert!(peer.asked().is_empty());
}
