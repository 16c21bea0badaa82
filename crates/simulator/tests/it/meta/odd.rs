//! What nobody would send: refused in Meta's shape or taken, never a crash of ours.

use serde_json::{Value, json};

use super::{ASHA, Meta};

#[tokio::test]
async fn odd_bodies_and_paths_are_answered() {
    let meta = Meta::warm().await;
    let messages = format!("{}/messages", meta.number);
    let text =
        |body: Value| json!({"messaging_product": "whatsapp", "to": ASHA, "type": "text", "text": {"body": body}});
    let long = "9".repeat(513);
    for (body, status) in [
        (json!([]), 400),
        (json!("text"), 400),
        (Value::Null, 400),
        (text(json!("\u{0} and \u{feff}")), 200),
        (text(json!(7)), 400),
        (json!({"messaging_product": "whatsapp", "to": long, "type": "text", "text": {"body": "x"}}), 400),
        (
            json!({"messaging_product": "whatsapp", "to": 27_820_001_001_u64, "type": "text", "text": {"body": "x"}}),
            200,
        ),
        (
            json!({"messaging_product": "whatsapp", "recipient": "not an id", "type": "text", "text": {"body": "x"}}),
            400,
        ),
        (json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.!"}), 400),
        (json!({"messaging_product": "whatsapp", "status": "seen", "message_id": "wamid.!"}), 400),
        (
            json!({"messaging_product": "whatsapp", "to": ASHA, "type": "contacts", "contacts": vec![json!({}); 1_000]}),
            400,
        ),
        (
            json!({"messaging_product": "whatsapp", "to": ASHA, "type": "location", "location": {"latitude": "91", "longitude": 0}}),
            400,
        ),
        (
            json!({"messaging_product": "whatsapp", "to": ASHA, "type": "reaction", "reaction": {"message_id": format!("wamid.{long}"), "emoji": "x"}}),
            400,
        ),
    ] {
        let (got, answer) = meta.call("POST", &messages, body.clone()).await;
        assert_eq!(got, status, "{body}: {answer}");
        assert_eq!(answer["error"].is_object(), status != 200, "{answer}");
    }
    // deeper than anybody reads
    let url = format!("{}/graph/v26.0/{messages}", meta.house.simulator.url());
    let deep = format!("{}1{}", r#"{"a":"#.repeat(5_000), "}".repeat(5_000));
    let answer = meta.house.client.post(url).bearer_auth(meta.bearer()).body(deep).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    for path in ["", "%00", "..%2F..", &"1".repeat(5_000), "me/accounts", "upload:nothing"] {
        let (status, answer) = meta.call("GET", path, Value::Null).await;
        assert!(status == 400 && answer["error"]["code"].is_number(), "{path}: {status} {answer}");
    }
    let forged = "whatsapp_business/attachments/?mid=1&ext=9223372036854775807&hash=A";
    let url = format!("{}/{forged}", meta.house.simulator.url());
    let answer = meta.house.client.get(url).bearer_auth(meta.bearer()).header("user-agent", "x").send().await.unwrap();
    assert_eq!(answer.status(), 404);
    meta.sends("text", json!({"body": "all is well"})).await;
}
