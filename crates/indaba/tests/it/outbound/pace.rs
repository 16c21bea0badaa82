//! How fast a number writes, to how many new people, and when it waits.
use super::*;

#[tokio::test]
async fn a_number_keeps_its_pace() {
    let pace = [("INDABA_PACE_LINKED_MIN_MS", "3000"), ("INDABA_PACE_LINKED_MAX_MS", "3000")];
    in_a_shop_with(&pace, async |shop| {
        let place = with_asha(&shop).await;
        for n in 0..3 {
            say(&shop.who, &place, &format!("line {n}")).await;
        }
        shop.house.run_jobs().await;
        assert_eq!(shop.sent().await.len(), 1);
        for n in 2..=3 {
            shop.house.wait(Duration::from_secs(2));
            shop.house.run_jobs().await;
            shop.house.wait(Duration::from_secs(1));
            shop.house.run_jobs().await;
            assert_eq!(shop.sent().await.len(), n);
        }
    })
    .await;
}

#[tokio::test]
async fn an_account_lock_makes_first_messages_wait_5_15_and_60_minutes() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let stranger = "27820001005";
        let locked = json!({ "path": "/api/sendText", "chatId": format!("{stranger}@c.us") });
        shop.control("faults", json!({ "on": locked, "count": 3, "do": { "kind": "timelock" } })).await;
        let to = json!({ "to": { "phone": format!("+{stranger}") }, "kind": "text", "body": "Good morning" });
        let sent = shop.who.post("/api/messages/send", to).await.ok();
        let there = json!({ "id": sent["conversationId"] });
        let mut from = MORNING;
        for minutes in [5, 15, 60] {
            shop.house.run_jobs().await;
            let waits = message(&shop, &there, &sent["id"]).await;
            assert_eq!((&waits["state"], &waits["error"]["code"]), (&json!("queued"), &json!("account-locked")));
            let number = shop.number().await;
            from = from + Duration::from_secs(minutes * 60);
            // answers go: the number is not paused, its new chats are
            assert_eq!((&number["state"], &number["pausedUntil"]), (&json!("connected"), &json!(null)), "{minutes}");
            assert_eq!(number["newChatsPausedUntil"], json!(from), "{minutes}");
            assert!(number["stateReason"].as_str().unwrap().contains("new people"), "{number}");
            if minutes == 5 {
                // the minute's look at the gateway does not take the reason away, and answers still go
                assert_eq!(shop.sync().await["newChatsPausedUntil"], json!(from));
                say(&shop.who, &place, "It is free").await;
                shop.house.run_jobs().await;
                assert_eq!(shop.sent().await, ["It is free"]);
            }
            shop.house.wait(Duration::from_secs(minutes * 60));
        }
        shop.house.run_jobs().await;
        assert_eq!(shop.sent().await, ["It is free", "Good morning"]);
        let (number, sent) = (shop.number().await, message(&shop, &there, &sent["id"]).await);
        assert_eq!((&number["newChatsPausedUntil"], &number["stateReason"]), (&json!(null), &json!(null)));
        assert_eq!((&sent["state"], &sent["error"]), (&json!("sent"), &json!(null)));
    })
    .await;
}

#[tokio::test]
async fn when_even_an_answer_is_refused_the_whole_number_waits() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        shop.fault("/api/sendText", json!({ "kind": "timelock" }), 1).await;
        say(&shop.who, &place, "One").await;
        shop.house.run_jobs().await;
        shop.receive("27820001006", "B1", "Hello").await;
        let other = shop.newest().await.0;
        say(&shop.who, &other, "Two").await;
        shop.house.wait(Duration::from_secs(299));
        shop.house.run_jobs().await;
        assert!(shop.effects().await.is_empty());
        assert!(shop.number().await["stateReason"].as_str().unwrap().starts_with("WhatsApp has locked this number"));
        shop.house.wait(Duration::from_secs(1));
        shop.house.run_jobs().await;
        let mut sent = shop.sent().await;
        sent.sort();
        assert_eq!(sent, ["One", "Two"]);
        assert_eq!(shop.number().await["state"], "connected");
    })
    .await;
}

#[tokio::test]
async fn a_new_number_writes_to_few_new_people_a_day() {
    let pace = [
        ("INDABA_PACE_LINKED_MIN_MS", "1"),
        ("INDABA_PACE_LINKED_MAX_MS", "1"),
        ("INDABA_PACE_NEW_CHATS_PER_DAY", "4"),
    ];
    in_a_shop_with(&pace, async |shop| {
        let place = with_asha(&shop).await;
        let go_on = async |by: u64| {
            for _ in 0..4 {
                shop.house.wait(Duration::from_secs(by / 4));
                shop.house.run_jobs().await;
            }
        };
        let write = async |to: &str, text: &str| {
            let to = json!({ "to": { "phone": to }, "kind": "text", "body": text });
            shop.who.post("/api/messages/send", to).await.ok();
        };
        for phone in ["+27820001010", "+27820001011", "+27820001012", "+27820001013"] {
            write(phone, phone).await;
        }
        go_on(4).await;
        let sent = shop.sent().await;
        assert_eq!(sent.len(), 1, "a quarter of its budget on its first day: {sent:?}");
        say(&shop.who, &place, "an answer").await;
        go_on(4).await;
        write(&sent[0], "and one more thing").await;
        go_on(4).await;
        assert_eq!(shop.sent().await[1..], ["an answer", "and one more thing"], "only new people count");
        go_on(24 * 3600).await;
        assert_eq!(shop.sent().await.len(), 5, "{:?}", shop.sent().await);
    })
    .await;
}

#[tokio::test]
async fn a_card_counts_what_went_out_today() {
    let pace = [
        ("INDABA_PACE_LINKED_MIN_MS", "1000"),
        ("INDABA_PACE_LINKED_MAX_MS", "1000"),
        ("INDABA_PACE_NEW_CHATS_PER_DAY", "40"),
    ];
    in_a_shop_with(&pace, async |shop| {
        let place = with_asha(&shop).await;
        let counted = async || {
            let number = shop.number().await;
            json!([number["sentToday"], number["newChatsToday"], number["newChatsBudget"]])
        };
        let budget = 10; // a quarter of forty on its first day
        let program = shop.house.key(Role::Viewer).await; // outlives the tokens of people
        assert_eq!(counted().await, json!([0, 0, budget]));
        say(&shop.who, &place, "One").await;
        say(&shop.who, &place, "Two").await;
        let to = json!({ "to": { "phone": "+27820001015" }, "kind": "text", "body": "Good morning" });
        shop.who.post("/api/messages/send", to.clone()).await.ok();
        for _ in 0..4 {
            shop.house.run_jobs().await;
            shop.house.wait(Duration::from_secs(10));
        }
        assert_eq!(counted().await, json!([3, 1, budget]));
        // who was written to once is no new chat any more
        shop.who.post("/api/messages/send", to).await.ok();
        shop.house.run_jobs().await;
        assert_eq!(counted().await, json!([4, 1, budget]));
        // nobody knew about one, until a person had seen it on the phone
        shop.house.wait(Duration::from_secs(10));
        shop.fault("/api/sendText", json!({ "kind": "html" }), 1).await;
        let unclear = say(&shop.who, &place, "Three").await;
        for _ in 0..60 {
            shop.house.run_jobs().await;
            shop.house.wait(Duration::from_secs(10));
        }
        assert_eq!(counted().await, json!([4, 1, budget]));
        let path = format!("/api/messages/{}", unclear["id"].as_str().unwrap());
        shop.who.post(&format!("{path}/mark-sent"), json!({})).await.ok();
        assert_eq!(counted().await, json!([5, 1, budget]));
        shop.house.wait(Duration::from_secs(24 * 60 * 60));
        let tomorrow = program.get(&format!("/api/instances/{}", shop.id)).await.ok();
        assert_eq!((&tomorrow["sentToday"], &tomorrow["newChatsToday"]), (&json!(0), &json!(0)));
    })
    .await;
}

#[tokio::test]
async fn when_the_whole_pause_ends_first_the_card_says_that_new_chats_still_wait() {
    in_a_shop(async |shop| {
        let (db, tenant, id): (_, _, InstanceId) = (&shop.house.app.db, shop.house.tenant, shop.id.parse().unwrap());
        let begun = shop.house.app.clock.now();
        let (minute, hour) = (begun + Duration::from_secs(60), begun + Duration::from_secs(3600));
        db.write(tenant, move |tx| instances::lock(tx, id, true, Some(hour))).await.unwrap();
        db.write(tenant, move |tx| instances::pause(tx, id, minute)).await.unwrap();
        let both = shop.number().await;
        assert_eq!(
            (&both["state"], &both["pausedUntil"], &both["newChatsPausedUntil"]),
            (&json!("paused"), &json!(minute), &json!(hour))
        );
        assert!(both["stateReason"].as_str().unwrap().contains("slow down"), "{both}");
        shop.house.wait(Duration::from_secs(60));
        shop.house.run_jobs().await;
        let one = shop.number().await;
        assert_eq!(
            (&one["state"], &one["pausedUntil"], &one["newChatsPausedUntil"]),
            (&json!("connected"), &json!(null), &json!(hour))
        );
        assert!(one["stateReason"].as_str().unwrap().contains("new people"), "{one}");
        let row = db.read(tenant, move |tx| instances::get(tx, id)).await.unwrap();
        assert_eq!((row.paused_until, row.firsts_paused_until), (None, Some(hour)), "the job took one of them away");
        shop.house.wait(Duration::from_secs(3540));
        shop.house.run_jobs().await;
        let row = db.read(tenant, move |tx| instances::get(tx, id)).await.unwrap();
        assert_eq!((row.paused_until, row.firsts_paused_until), (None, None));
    })
    .await;
}
