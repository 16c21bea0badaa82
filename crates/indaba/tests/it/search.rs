//! Search: words, beginnings of words, and nothing that is typed is an operator.
use crate::support::{ASHA, Shop, in_a_shop, written};
use serde_json::json;
use std::time::Duration;

async fn found(shop: &Shop, query: &str) -> Vec<String> {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let page = shop.who.get(&format!("/api/search?q={query}")).await.ok();
    let hits = page["items"].as_array().unwrap().clone();
    hits.iter()
        .map(|hit| hit["message"]["preview"].as_str().unwrap_or(hit["snippet"].as_str().unwrap()).to_owned())
        .collect()
}

#[tokio::test]
async fn messages_are_found_by_words_and_their_beginnings_newest_first() {
    in_a_shop(async |shop| {
        for (n, text) in [
            "The kitchen is large",
            "Does the KITCHENETTE have a café?",
            "Viewing on Thursday at 3",
            "Küche auf Deutsch",
        ]
        .iter()
        .enumerate()
        {
            shop.house.wait(Duration::from_secs(90));
            let mut message = written(ASHA, &format!("S{n}"), text);
            message["timestamp"] = json!(shop.house.app.clock.now().0 / 1000);
            shop.tell("message.any", message).await;
            shop.house.run_jobs().await;
        }
        assert_eq!(found(&shop, "kitchen").await, ["Does the KITCHENETTE have a café?", "The kitchen is large"]);
        assert_eq!(found(&shop, "kitchen ").await, ["The kitchen is large"], "a space ends the word");
        assert_eq!(found(&shop, "large kitch").await, ["The kitchen is large"]);
        assert_eq!(found(&shop, "cafe").await, ["Does the KITCHENETTE have a café?"]);
        assert_eq!(found(&shop, "kuche").await, ["Küche auf Deutsch"]);
        assert_eq!(found(&shop, "asha").await, ["Asha"], "a contact, by name");
        assert_eq!(found(&shop, "27820001001").await, ["Asha"]);
        for nothing in [
            "\"",
            "*",
            "NEAR",
            "NEAR(a b)",
            "tenant:",
            "tenant_id:x",
            "kitchen AND",
            "-kitchen OR",
            "'); drop table messages; --",
            "^",
            "(",
            "{x}",
            "\u{0}",
            "😀",
            "",
            "%",
            "\\",
            "kitchen:*",
            "!large",
            "a & b | c",
        ] {
            found(&shop, nothing).await; // an answer, and never an error
        }
        assert_eq!(found(&shop, "zzz").await, Vec::<String>::new());
        // another tenant finds nothing of it
        let stranger = shop.house.stranger().await;
        assert_eq!(stranger.get("/api/search?q=kitchen").await.ok()["items"], json!([]));
        shop.who.get("/api/search").await.problem(422);
    })
    .await;
}

#[tokio::test]
async fn pages_of_a_search_go_on_where_the_last_ended() {
    in_a_shop(async |shop| {
        for n in 0..25 {
            shop.house.wait(Duration::from_secs(61));
            let mut message = written(ASHA, &format!("S{n:02}"), &format!("viewing number {n:02}"));
            message["timestamp"] = json!(shop.house.app.clock.now().0 / 1000);
            shop.tell("message.any", message).await;
        }
        shop.house.run_jobs().await;
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = shop.who.get(&format!("/api/search?q=viewing&limit=10&after={after}")).await.ok();
            all.extend(page["items"].as_array().unwrap().iter().map(|hit| hit["snippet"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        let wanted: Vec<String> = (0..25).rev().map(|n| format!("viewing number {n:02}")).collect();
        assert_eq!(all, wanted);
    })
    .await;
}

#[tokio::test]
async fn what_was_edited_is_found_by_its_new_words_and_what_was_deleted_is_not_found() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "The bathroom leaks").await;
        let mut edited = written(ASHA, "E1", "The geyser leaks");
        edited["editedMessageId"] = json!("A1");
        shop.tell("message.edited", edited).await;
        shop.house.run_jobs().await;
        assert_eq!(found(&shop, "bathroom").await, Vec::<String>::new());
        assert_eq!(found(&shop, "geyser").await, ["The geyser leaks"]);
        shop.tell("message.revoked", json!({ "after": written(ASHA, "V1", ""), "revokedMessageId": "A1" })).await;
        shop.house.run_jobs().await;
        assert_eq!(found(&shop, "geyser").await, Vec::<String>::new());
    })
    .await;
}
