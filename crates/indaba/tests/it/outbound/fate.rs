//! What becomes of replies when the gateway misbehaves: tried again, failed, or unknown, and never sent twice.
use super::*;

#[tokio::test]
async fn what_surely_did_not_happen_is_tried_again() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        shop.fault("/api/sendText", json!({ "kind": "tooMany", "retryAfterS": 3 }), 1).await;
        let sent = say(&shop.who, &place, "Patience").await;
        shop.house.run_jobs().await;
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "queued");
        let number = shop.who.get(&format!("/api/instances/{}", shop.id)).await.ok();
        assert_eq!(number["state"], "paused", "the whole number waits: {number}");
        shop.house.wait(Duration::from_secs(4));
        shop.house.run_jobs().await;
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "sent");
        assert_eq!(shop.sent().await, ["Patience"]);
    })
    .await;
}

#[tokio::test]
async fn what_whatsapp_refuses_has_failed_and_says_why() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let no = json!({ "kind": "answer", "status": 400, "body": { "message": "no", "error": "Bad Request", "statusCode": 400 } });
        shop.fault("/api/sendText", no, 1).await;
        let refused = say(&shop.who, &place, "One").await;
        shop.house.run_jobs().await;
        let failed = message(&shop, &place, &refused["id"]).await;
        assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("bad-request")), "{failed}");
        assert_eq!(shop.newest().await.0["lastMessage"]["state"], "failed");

        // somebody who is not on WhatsApp
        let nobody = json!({ "to": { "phone": "+27820000000" }, "kind": "text", "body": "Hello?" });
        let sent = shop.who.post("/api/messages/send", nobody).await.ok();
        shop.house.run_jobs().await;
        let place = json!({ "id": sent["conversationId"] });
        let failed = message(&shop, &place, &sent["id"]).await;
        assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("not-on-whatsapp")));

        // a person tries again, with another outcome
        let path = format!("/api/messages/{}", refused["id"].as_str().unwrap());
        assert_eq!(shop.who.post(&format!("{path}/cancel"), json!({})).await.ok()["state"], "cancelled", "given up");
        assert_eq!(shop.who.post(&format!("{path}/resend"), json!({})).await.ok()["state"], "queued", "or not");
        shop.house.run_jobs().await;
        assert_eq!(shop.sent().await, ["One"]);
    })
    .await;
}

#[tokio::test]
async fn a_message_with_an_unclear_fate_is_never_sent_again_by_itself() {
    // each of these leaves open whether the message went; the first column says whether it did
    for (effect, harm) in [
        (false, json!({ "kind": "cut" })),
        (true, json!({ "kind": "cut", "effect": true })),
        (true, json!({ "kind": "crash", "effect": true })),
        (false, json!({ "kind": "crash" })),
        (false, json!({ "kind": "html" })),
        (false, json!({ "kind": "redirect" })),
        (true, json!({ "kind": "truncate" })),
    ] {
        in_a_shop(async |shop| {
            let place = with_asha(&shop).await;
            shop.fault("/api/sendText", harm.clone(), 1).await;
            let sent = say(&shop.who, &place, "Once").await;
            for _ in 0..60 {
                shop.house.run_jobs().await;
                shop.house.wait(Duration::from_secs(10));
            }
            shop.house.run_jobs().await;
            let left = message(&shop, &place, &sent["id"]).await;
            let went = shop.effects().await.len();
            assert_eq!(went, usize::from(effect), "{harm}: {left}");
            let state = left["state"].as_str().unwrap();
            match effect {
                true => assert!(["sent", "delivered", "unknown"].contains(&state), "{harm}: {state}"),
                false => assert!(["failed", "unknown"].contains(&state), "{harm}: {state}"),
            }
            if state == "unknown" {
                let path = format!("/api/messages/{}", sent["id"].as_str().unwrap());
                assert_eq!(left["error"]["code"], "unknown");
                shop.who.post(&format!("{path}/check"), json!({})).await.ok();
                shop.who.post(&format!("{path}/mark-sent"), json!({})).await.ok();
                assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "sent");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_worker_that_dies_in_the_middle_leaves_no_double() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let sent = say(&shop.who, &place, "In the middle").await;
        let id: indaba::messages::MessageId = sent["id"].as_str().unwrap().parse().unwrap();
        // the state in which a process that was killed leaves it
        let tenant = shop.house.tenant;
        shop.house
            .app
            .db
            .write(tenant, move |tx| indaba::messages::outbound::take(tx, id, None, &Default::default()).map(drop))
            .await
            .unwrap();
        shop.house.run_jobs().await;
        assert!(shop.effects().await.is_empty(), "it is looked up, not sent");
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "sending");
        for _ in 0..40 {
            shop.house.wait(Duration::from_secs(10));
            shop.house.run_jobs().await;
        }
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "unknown");
        assert!(shop.effects().await.is_empty());
        // and a status that comes after all settles it
        let path = format!("/api/messages/{}", sent["id"].as_str().unwrap());
        assert_eq!(shop.who.post(&format!("{path}/resend"), json!({})).await.ok()["state"], "queued");
        shop.house.run_jobs().await;
        assert_eq!(shop.sent().await, ["In the middle"]);
    })
    .await;
}

#[tokio::test]
async fn a_queued_message_can_be_taken_back_and_nothing_goes_while_the_number_is_not_linked() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let fail = json!({ "name": shop.session, "status": "FAILED", "statuses": [{ "status": "FAILED", "timestamp": MORNING.0 + 1 }] });
        shop.house.wait(Duration::from_secs(1));
        shop.tell("session.status", fail).await;
        shop.house.run_jobs().await;
        let sent = say(&shop.who, &place, "Wait for me").await;
        shop.house.run_jobs().await;
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "queued");
        let path = format!("/api/messages/{}", sent["id"].as_str().unwrap());
        assert_eq!(shop.who.post(&format!("{path}/cancel"), json!({})).await.ok()["state"], "cancelled");
        shop.house.wait(Duration::from_secs(120));
        shop.house.run_jobs().await;
        assert!(shop.effects().await.is_empty());
        assert_eq!(shop.who.post(&format!("{path}/mark-sent"), json!({})).await.problem(409), "wrong-state");
    })
    .await;
}

#[tokio::test]
async fn a_message_with_an_unclear_fate_is_shown_as_soon_as_the_operator_wants() {
    in_a_shop_with(&[("INDABA_SENDING_UNKNOWN_AFTER_S", "3")], async |shop| {
        let place = with_asha(&shop).await;
        shop.fault("/api/sendText", json!({ "kind": "cut" }), 1).await;
        let sent = say(&shop.who, &place, "Once").await;
        shop.house.run_jobs().await;
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "sending");
        for _ in 0..3 {
            shop.house.wait(Duration::from_secs(1));
            shop.house.run_jobs().await;
        }
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "unknown");
        assert!(shop.effects().await.is_empty());
    })
    .await;
}
