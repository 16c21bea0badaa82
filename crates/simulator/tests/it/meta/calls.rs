//! Answers and refusals, held against Meta's own.

use serde_json::{Value, json};

use super::{ASHA, Meta, PHONE, callback, example, lacks};

#[tokio::test]
async fn answers_have_what_metas_have() {
    let meta = Meta::warm().await;
    let template = json!({"name": "hello_world", "language": "en_US", "category": "MARKETING", "components": [{"type": "BODY", "text": "Hello."}]});
    meta.house.good("POST", &format!("/control/cloud/accounts/{}/templates", meta.waba), template).await;
    let number = "id,display_phone_number,verified_name,quality_rating,name_status,code_verification_status";
    let list = "id,display_phone_number,verified_name,status,quality_rating,country_code,country_dial_code,code_verification_status,\
                unified_cert_status,account_mode,host_platform,messaging_limit_tier,is_official_business_account,username";
    for (case, path, but) in [
        ("200 comprehensive_response", format!("{}?fields={number}", meta.number), &[][..]),
        // a second number of the example stands last in its list
        ("200 multiple_phone_numbers", format!("{}/phone_numbers?fields={list}", meta.waba), &["/data[]/username"]),
        (
            "list",
            format!("{}/message_templates", meta.waba),
            &[
                "/data[]/components[]/buttons",
                "/data[]/components[]/example",
                "/data[]/components[]/format",
                "/data[]/previous_category",
            ],
        ),
    ] {
        let was = found(case);
        let is = meta.good("GET", &path, Value::Null).await;
        let mut gone = Vec::new();
        lacks(&was, &is, "", &mut gone);
        gone.retain(|path| !but.iter().any(|but| path.starts_with(but)));
        assert!(gone.is_empty(), "{case}: {gone:?} in {is}");
    }
    let sent =
        json!({"messaging_product": "whatsapp", "to": format!("+{ASHA}"), "type": "text", "text": {"body": "x"}});
    let sent = meta.good("POST", &format!("{}/messages", meta.number), sent).await;
    let was = example("meta-messages.jsonl", "200 Example response")["response"].clone();
    let mut gone = Vec::new();
    lacks(&was, &sent, "", &mut gone);
    assert!(gone.is_empty(), "{gone:?} in {sent}");
    assert_eq!((&sent["contacts"][0]["input"], &sent["contacts"][0]["wa_id"]), (&json!("+27820001001"), &json!(ASHA)));
}

/// An answer of Meta's file on templates and numbers.
fn found(case: &str) -> Value {
    example("meta-templates-phones.jsonl", case)["response"].clone()
}

#[tokio::test]
async fn refusals_have_metas_shape_and_numbers() {
    let meta = Meta::warm().await;
    let number = format!("{}/messages", meta.number);
    let text = |to: Value| json!({"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": "x"}});
    for (method, path, body, status, code, subcode) in [
        ("GET", "1234567890".to_owned(), Value::Null, 400, 100, Some(33)),
        ("POST", "1234567890/messages".into(), text(json!(ASHA)), 400, 100, Some(33)),
        ("GET", format!("{}?fields=nonsense", meta.number), Value::Null, 400, 100, None),
        ("GET", format!("{}/nonsense", meta.number), Value::Null, 400, 2500, None),
        ("GET", format!("{}/phone_numbers?limit=x", meta.waba), Value::Null, 400, 100, None),
        ("GET", format!("{}/message_templates?limit=-1", meta.waba), Value::Null, 400, 100, None),
        ("GET", format!("{}/block_users?after=x&after=y", meta.number), Value::Null, 400, 131_059, None),
        ("POST", format!("{}/verify_code", meta.number), json!({"code": "000"}), 400, 136_025, None),
        (
            "POST",
            number.clone(),
            json!({"messaging_product": "whatsapp", "recipient_type": "group", "to": "1", "text": {"body": "x"}}),
            400,
            131_020,
            None,
        ),
        ("DELETE", number.clone(), Value::Null, 400, 2500, None),
        ("POST", number.clone(), json!({}), 400, 100, None),
        ("POST", number.clone(), text(json!("hello")), 400, 131_009, None),
        ("POST", number.clone(), text(json!(PHONE)), 400, 131_021, None),
        ("POST", number.clone(), text(json!({})), 400, 100, None),
        (
            "POST",
            format!("{}/register", meta.number),
            json!({"messaging_product": "whatsapp", "pin": "12"}),
            400,
            100,
            None,
        ),
        (
            "POST",
            format!("{}/subscribed_apps", meta.waba),
            json!({"override_callback_uri": "ftp://x", "verify_token": "x"}),
            400,
            100,
            None,
        ),
        (
            "POST",
            format!("{}/message_templates", meta.waba),
            json!({"name": "Bad Name", "language": "en", "category": "UTILITY"}),
            400,
            100,
            None,
        ),
    ] {
        let (got, answer) = meta.call(method, &path, body.clone()).await;
        let error = &answer["error"];
        assert_eq!(
            (got, error["code"].as_i64(), error["error_subcode"].as_i64()),
            (status, Some(code), subcode),
            "{method} {path} {body}: {answer}"
        );
        assert!(error["message"].is_string() && error["type"].is_string(), "{answer}");
        assert_eq!(error["fbtrace_id"].as_str().map(str::len), Some(23), "{answer}");
    }
    // without a token, with a wrong one, with one that is over: as in Meta's file
    let url = format!("{}/graph/v26.0/{}", meta.house.simulator.url(), meta.number);
    for (token, code) in [(None, 104), (Some("EAAGnobody"), 190)] {
        let mut request = meta.house.client.get(&url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["error"]["code"], code);
    }
    meta.house.good("POST", "/control/cloud/tokens/expire", json!({"token": meta.bearer()})).await;
    let (status, answer) = meta.call("GET", &meta.number, Value::Null).await;
    let was = found("401 expired_token");
    assert_eq!(
        (status, &answer["error"]["code"], &answer["error"]["error_subcode"]),
        (401, &was["error"]["code"], &was["error"]["error_subcode"])
    );
}

#[tokio::test]
async fn a_number_is_registered_described_and_shields_itself() {
    let meta = Meta::new(json!({"registered": false, "pin": "123456"})).await;
    let at = |edge: &str| format!("{}/{edge}", meta.number);
    let whatsapp = |more: Value| {
        let mut body = json!({"messaging_product": "whatsapp"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let (_, refused) = meta
        .call("POST", &at("messages"), json!({"messaging_product": "whatsapp", "to": ASHA, "text": {"body": "x"}}))
        .await;
    assert_eq!(refused["error"]["code"], 133_010);
    let (_, refused) = meta.call("POST", &at("register"), whatsapp(json!({"pin": "654321"}))).await;
    assert_eq!(refused["error"]["code"], 133_005);
    meta.good("POST", &at("register"), whatsapp(json!({"pin": "123456"}))).await;
    meta.good("POST", &at("request_code?code_method=SMS&language=en_US"), Value::Null).await;
    let seen = meta.house.good("GET", &format!("/control/cloud/numbers/{}", meta.number), Value::Null).await;
    let (status, _) = meta.call("POST", &at("verify_code"), json!({"code": "000"})).await;
    assert_eq!(status, 400);
    meta.good("POST", &at("verify_code"), json!({"code": seen["code"]})).await;
    meta.good(
        "POST",
        &at("whatsapp_business_profile"),
        whatsapp(json!({"about": "Open", "websites": ["https://shop.example"]})),
    )
    .await;
    let profile = meta.good("GET", &at("whatsapp_business_profile?fields=about,websites,vertical"), Value::Null).await;
    assert_eq!(
        (&profile["data"][0]["about"], &profile["data"][0]["websites"][0]),
        (&json!("Open"), &json!("https://shop.example"))
    );
    meta.good("POST", &at("settings"), json!({"calling": {"status": "ENABLED"}})).await;
    assert_eq!(meta.good("GET", &at("settings"), Value::Null).await["calling"]["status"], "ENABLED");

    let users = whatsapp(json!({"block_users": [{"user": ASHA}]}));
    let failed = meta.good("POST", &at("block_users"), users.clone()).await;
    assert_eq!(failed["block_users"]["failed_users"][0]["input"], ASHA, "who has not written cannot be blocked");
    meta.writes(json!({"body": "Hello"})).await;
    meta.good("POST", &at("block_users"), users.clone()).await;
    assert_eq!(meta.good("GET", &at("block_users"), Value::Null).await["data"][0]["wa_id"], ASHA);
    let (_, refused) = meta
        .call("POST", &at("messages"), json!({"messaging_product": "whatsapp", "to": ASHA, "text": {"body": "x"}}))
        .await;
    assert_eq!(refused["error"]["code"], 130_403);
    meta.good("DELETE", &at("block_users"), users).await;
    meta.sends("text", json!({"body": "Hello again"})).await;
    meta.good("POST", &at("deregister"), Value::Null).await;
}

#[tokio::test]
async fn a_change_that_is_refused_changes_nothing() {
    let meta = Meta::new(json!({})).await;
    let control = format!("/control/cloud/numbers/{}", meta.number);
    let hook = json!({"override_callback_uri": callback().await, "verify_token": "vt"});
    for (edge, body) in [
        ("", json!({"webhook_configuration": hook, "pin": "12"})),
        ("/whatsapp_business_profile", json!({"messaging_product": "whatsapp", "about": "Open", "websites": "x"})),
        ("/settings", json!({"calling": {"status": "ENABLED"}, "nonsense": 1})),
    ] {
        let (status, answer) = meta.call("POST", &format!("{}{edge}", meta.number), body).await;
        assert_eq!(status, 400, "{edge}: {answer}");
    }
    let seen = meta.house.good("GET", &control, Value::Null).await;
    assert_eq!(seen["webhook_configuration"].get("phone_number"), None, "{seen}");
    let profile =
        meta.good("GET", &format!("{}/whatsapp_business_profile?fields=about", meta.number), Value::Null).await;
    assert_eq!(profile["data"][0].get("about"), None, "{profile}");
    let settings = meta.good("GET", &format!("{}/settings", meta.number), Value::Null).await;
    assert_eq!(settings["calling"]["status"], "DISABLED");
}

#[tokio::test]
async fn files_have_an_address_for_five_minutes() {
    let meta = Meta::warm().await;
    let id = meta.upload("image/png").await;
    let found = meta.good("GET", &format!("{id}?phone_number_id={}", meta.number), Value::Null).await;
    assert_eq!(
        (&found["mime_type"], &found["file_size"], &found["messaging_product"]),
        (&json!("image/png"), &json!(14), &json!("whatsapp"))
    );
    let url = found["url"].as_str().unwrap();
    assert!(url.starts_with(meta.house.simulator.url()), "on our own host: {url}");
    let get = async |url: &str, bearer: bool, agent: bool| {
        let mut request = meta.house.client.get(url);
        if bearer {
            request = request.bearer_auth(meta.bearer());
        }
        if agent {
            request = request.header("user-agent", "test");
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((get(url, true, true).await, get(url, false, true).await, get(url, true, false).await), (200, 401, 400));
    assert_eq!(get(&url.replace("hash=A", "hash=B"), true, true).await, 404);
    meta.house.good("POST", "/control/cloud/advance", json!({"seconds": 301})).await;
    assert_eq!(get(url, true, true).await, 404, "the address is over");
    meta.good("GET", &id, Value::Null).await;
    meta.good("DELETE", &id, Value::Null).await;
    assert_eq!(meta.call("GET", &id, Value::Null).await.0, 400);
    // in pieces, as samples of templates come
    let started = meta
        .good("POST", &format!("{}/uploads?file_length=10&file_type=image/png&file_name=a.png", meta.app), Value::Null)
        .await;
    let path = started["id"].as_str().unwrap();
    assert!(path.starts_with("upload:"), "{started}");
    let mut ended = Value::Null;
    for (offset, piece) in [("0", "01234"), ("5", "56789")] {
        let url = format!("{}/graph/v26.0/{path}", meta.house.simulator.url());
        let request = meta.house.client.post(url).header("authorization", format!("OAuth {}", meta.bearer()));
        ended = request.header("file_offset", offset).body(piece).send().await.unwrap().json().await.unwrap();
    }
    assert!(ended["h"].as_str().is_some_and(|handle| handle.starts_with("4::")), "{ended}");
}

#[tokio::test]
async fn paths_are_the_same_with_any_version_or_none() {
    let meta = Meta::warm().await;
    for start in ["/graph/v26.0", "/graph/v13.0", "/graph", "/v26.0", "/v25.0"] {
        let url = format!("{}{start}/{}", meta.house.simulator.url(), meta.number);
        let answer = meta.house.client.get(url).bearer_auth(meta.bearer()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{start}");
        assert!(answer.headers().contains_key("facebook-api-version"));
    }
    let recorded = meta.house.good("GET", "/control/recording?path=/graph/v13.0", Value::Null).await;
    assert_eq!(recorded["items"][0]["path"], format!("/graph/v13.0/{}", meta.number), "as it came");
}
