//! What only Meta's Cloud API has: signatures over escaped bytes, a handshake, many addressees in one body, people without a phone number, errors by
//! number, files that go up first, templates.

use std::time::Duration;

use indaba_providers::{
    Address, Addressee, Body, Button, ButtonParameter, CallError, Card, CardLine, Cloud, Extras, File, Handshake, Hook,
    Incoming, Link, MediaRef, MediaSource, MessageRef, Outgoing, Parameter, Provider, Secrets, SendError, Setup,
    TemplateCall,
};
use serde_json::{Value, json};

use crate::peer::{Answer, Peer, header, link_of};

const V1: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Zo\u00eb"},"wa_id":"16505551234","user_id":"US.13491208655302741918"}],"messages":[{"from":"16505551234","from_user_id":"US.13491208655302741918","id":"wamid.HBgLVEST1","timestamp":"1749416383","type":"text","text":{"body":"Ol\u00e1 \ud83d\udc4b"}}]},"field":"messages"}]}]}"#;
const V1_MAC: &str = "sha256=f0a0a02649b230dd7262a2afba87b810529a0db82ef3cd09e65e023b6d8ebbcd";
const V2_MAC: &str = "sha256=aa41c1e00be35035ebc740b3a9e63ce9284c9d5c76e0ad8fe32222bc8edd309f";
const V3_MAC: &str = "sha256=325b6e05549622867896b637e36dab35b1f62843397bfd9156870f9f6acb3420";
const V4: &str = "f0ef51e65bf4de2265cfe08ada9b96032af71e16330e6b09290f586f965d53a7";

fn secrets(keys: &[&str], token: Option<&str>) -> Secrets {
    Secrets {
        keys: keys.iter().map(|key| (*key).to_owned().into()).collect(),
        verify_token: token.map(|token| token.to_owned().into()),
    }
}

fn passes(keys: &[&str], body: &str, signatures: &[&str]) -> bool {
    let mut hook = Hook::stored(body.to_owned());
    for signature in signatures {
        hook.headers.append("x-hub-signature-256", signature.parse().unwrap());
    }
    Cloud.verify(&secrets(keys, None), &hook).is_ok()
}

#[test]
fn the_vectors_pass_and_what_is_not_exactly_that_is_refused() {
    let ours = ["indaba-app-secret"];
    let v2 = V1.replace(r"\u00eb", "ë").replace(r"\u00e1", "á").replace(r"\ud83d\udc4b", "👋");
    assert_eq!((V1.len(), v2.len()), (515, 499));
    assert!(passes(&ours, V1, &[V1_MAC]) && passes(&ours, &v2, &[V2_MAC]) && passes(&ours, "{}", &[V3_MAC]));
    assert!(passes(&["new", "indaba-app-secret"], V1, &[V1_MAC]), "while a secret is replaced, both count");
    for (why, keys, body, signatures) in [
        ("the same JSON, written otherwise", &ours[..], v2.as_str(), &[V1_MAC][..]),
        ("the other way round", &ours, V1, &[V2_MAC]),
        ("a newline after it", &ours, &format!("{V1}\n"), &[V1_MAC]),
        ("an empty body", &ours, "", &[V1_MAC]),
        ("unsigned", &ours, V1, &[]),
        ("without the name before it", &ours, V1, &[&V1_MAC[7..]]),
        ("another name before it", &ours, V1, &[&V1_MAC.replace("sha256", "sha1")]),
        ("one digit differs", &ours, V1, &[&V1_MAC.replace("f0a0", "f0a1")]),
        ("truncated", &ours, V1, &[&V1_MAC[..70]]),
        ("longer", &ours, V1, &[&format!("{V1_MAC}00")]),
        ("empty", &ours, V1, &["sha256="]),
        ("two", &ours, V1, &[V1_MAC, V1_MAC]),
        ("another secret", &["another"], V1, &[V1_MAC]),
        ("no secret", &[], V1, &[V1_MAC]),
        ("an empty secret", &[""], V1, &[V1_MAC]),
    ] {
        assert!(!passes(keys, body, signatures), "{why} passes");
    }
}

#[test]
fn the_handshake_gives_the_challenge_back_to_whoever_knows_the_word() {
    let asks = |query: &[(&str, &str)], token: Option<&str>| {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Cloud.handshake(&secrets(&[], token), &Hook { query, ..Hook::default() })
    };
    let good = [("hub.mode", "subscribe"), ("hub.verify_token", "vt"), ("hub.challenge", "1158201444")];
    assert_eq!(asks(&good, Some("vt")), Handshake::Answer("1158201444".into()));
    let long = "1".repeat(300);
    for (why, query, token) in [
        ("another word", vec![good[0], ("hub.verify_token", "VT"), good[2]], Some("vt")),
        ("no word", vec![good[0], good[2]], Some("vt")),
        ("no mode", good[1..].to_vec(), Some("vt")),
        ("another mode", vec![("hub.mode", "unsubscribe"), good[1], good[2]], Some("vt")),
        ("no challenge", good[..2].to_vec(), Some("vt")),
        ("a page as a challenge", vec![good[0], good[1], ("hub.challenge", &long)], Some("vt")),
        ("no word is set", good.to_vec(), None),
        ("an empty word is set", vec![good[0], ("hub.verify_token", ""), good[2]], Some("")),
    ] {
        assert_eq!(asks(&query, token), Handshake::Refused, "{why}");
    }
}

#[test]
fn one_body_is_split_by_whom_it_concerns() {
    let message = |number: &str, id: &str| json!({"field": "messages", "value": {"metadata": {"phone_number_id": number}, "messages": [{"from": "27831234567", "id": id, "timestamp": "1763600000", "type": "text", "text": {"body": "Olá 👋"}}]}});
    let review = json!({"field": "account_review_update", "value": {"decision": "APPROVED"}});
    let body = json!({"object": "whatsapp_business_account", "entry": [
        {"id": "1", "time": 1763600000, "changes": [message("11", "wamid.A"), message("12", "wamid.B"), review]},
        {"id": "2", "changes": [message("11", "wamid.C"), review]},
    ]});
    let hook = Hook::stored(body.to_string());
    let parts = Cloud.split(&hook);
    let to: Vec<_> = parts.iter().map(|part| part.to.clone()).collect();
    let (account, instance) =
        (|id: &str| Addressee::Account(id.to_owned()), |id: &str| Addressee::Instance(id.to_owned()));
    assert_eq!(to, [account("1"), account("2"), instance("11"), instance("12")]);
    let says = |at: usize| Cloud.read(&Hook::stored(parts[at].body.clone())).unwrap();
    let ids = |at: usize| -> Vec<String> {
        let id = |incoming| if let Incoming::Message(message) = incoming { message.provider_id } else { panic!() };
        says(at).into_iter().map(id).collect()
    };
    assert_eq!((ids(2), ids(3)), (vec!["wamid.A".to_owned(), "wamid.C".to_owned()], vec!["wamid.B".to_owned()]));
    assert!(
        matches!(&says(0)[..], [Incoming::Account(account)] if account.event == "APPROVED" && account.at.is_some())
    );
    // the same parts for the same body, and each its own key
    let keys: std::collections::BTreeSet<_> = parts.iter().map(|part| part.dedupe_key.clone()).collect();
    assert_eq!(keys.len(), 4);
    assert_eq!(Cloud.split(&hook), parts);
    // for one alone the bytes stay as they came
    let [only] = &Cloud.split(&Hook::stored(V1.to_owned()))[..] else { panic!() };
    assert_eq!((&only.to, only.body.as_ref()), (&instance("106540352242922"), V1.as_bytes()));
}

#[test]
fn a_poison_event_costs_only_itself() {
    let good = json!({"from": "27831234567", "id": "wamid.A", "timestamp": "1763600000", "type": "text", "text": {"body": "hi"}});
    let change = |value: &Value| json!({"field": "messages", "value": value});
    let whole = |changes: Value| {
        Hook::stored(
            json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}).to_string(),
        )
    };
    let body = whole(json!([
        change(&json!({"messages": [{"no": "id"}, 7, good.clone()]})),
        change(&json!([1, 2])),
        change(&json!({"statuses": [{"id": {}}, {"id": "wamid.S", "status": "read", "recipient_id": "27831234567"}]})),
    ]));
    assert_eq!(Cloud.read(&body).unwrap().len(), 2);
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{{"field":"messages","value":{deep}}},{{"field":"messages","value":{{"messages":[{good}]}}}}]}}]}}"#
    );
    assert_eq!(Cloud.read(&Hook::stored(body)).unwrap().len(), 1);
    for nothing in ["{}", "[]", r#"{"object":"page","entry":[]}"#, r#"{"object":"whatsapp_business_account"}"#] {
        assert!(Cloud.read(&Hook::stored(nothing.to_owned())).is_err(), "{nothing}");
    }
    // thousands at once: a chunk of history
    let many: Vec<Value> = (0..10_000).map(|at| json!({"from": "27831234567", "id": format!("wamid.{at}"), "timestamp": "1763600000", "type": "text", "text": {"body": "x"}})).collect();
    assert_eq!(Cloud.read(&whole(json!([change(&json!({"messages": many}))]))).unwrap().len(), 10_000);
}

#[test]
fn a_person_without_a_phone_number_is_known_by_what_there_is() {
    let read = |contact: Value, message: Value| {
        let mut whole = json!({"id": "wamid.A", "timestamp": "1763600000", "type": "text", "text": {"body": "hi"}});
        whole.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {"contacts": [contact], "messages": [whole]}}]}]});
        match Cloud.read(&Hook::stored(body.to_string())).unwrap().remove(0) {
            Incoming::Message(message) => (message.chat.to_string(), message.person),
            other => panic!("{other:?}"),
        }
    };
    let (chat, person) = read(
        json!({"profile": {"name": "Ana", "username": "@ana.p"}, "user_id": "BR.1502576394655843", "parent_user_id": "BR.ENT.77"}),
        json!({"from_user_id": "BR.1502576394655843"}),
    );
    assert_eq!(
        (chat.as_str(), person.phone, person.bsuid.as_deref()),
        ("BR.1502576394655843", None, Some("BR.1502576394655843"))
    );
    assert_eq!((person.username.as_deref(), person.parent_bsuid.as_deref()), (Some("ana.p"), Some("BR.ENT.77")));
    // a business-scoped id where a number is expected
    let (chat, person) = read(json!({"wa_id": "US.1234"}), json!({"from": "US.1234"}));
    assert_eq!((chat.as_str(), person.phone, person.bsuid.as_deref()), ("US.1234", None, Some("US.1234")));
    // empty, and a number written as one
    let (chat, _) = read(json!({}), json!({"from": "", "from_user_id": "ZA.9002"}));
    assert_eq!(chat, "ZA.9002");
    let (chat, person) =
        read(json!({"wa_id": 27831234567_u64}), json!({"from": 27831234567_u64, "from_user_id": "ZA.1"}));
    assert_eq!((chat.as_str(), person.bsuid.as_deref()), ("+27831234567", Some("ZA.1")), "the number is preferred");
}

#[test]
fn what_a_number_and_its_account_report_is_read() {
    let says = |field: &str, value: Value| -> Value {
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "time": 1763600000, "changes": [{"field": field, "value": value}]}]});
        serde_json::to_value(Cloud.read(&Hook::stored(body.to_string())).unwrap()).unwrap()
    };
    let account = |field: &str, event: &str, state: &str, detail: &str| json!([{"type": "account", "field": field, "event": event, "state": state, "detail": detail, "at": 1763600000000_i64}]);
    let name = json!({"display_phone_number": "15550783881", "decision": "REJECTED", "requested_verified_name": "Acme", "rejection_reason": "NAME_FORMAT"});
    let alert =
        json!({"entity_type": "WABA", "alert_info": {"alert_type": "OBA_APPROVED", "alert_description": "Sample"}});
    for (field, value, expected) in [
        (
            "phone_number_quality_update",
            json!({"event": "THROUGHPUT_UPGRADE", "max_daily_conversations_per_business": "TIER_10K"}),
            account("phone_number_quality_update", "THROUGHPUT_UPGRADE", "unknown", "TIER_10K"),
        ),
        (
            "business_capability_update",
            json!({"max_daily_conversations_per_business": -1}),
            account("business_capability_update", "", "unknown", "-1"),
        ),
        (
            "phone_number_name_update",
            name,
            account("phone_number_name_update", "REJECTED", "unknown", "Acme, NAME_FORMAT"),
        ),
        ("account_alerts", alert, account("account_alerts", "OBA_APPROVED", "unknown", "Sample")),
        (
            "security",
            json!({"event": "PIN_CHANGED", "requester": "16505551234"}),
            account("security", "PIN_CHANGED", "unknown", "16505551234"),
        ),
        (
            "business_username_updates",
            json!({"status": "approved", "username": "acme"}),
            account("business_username_updates", "approved", "unknown", "acme"),
        ),
        (
            "account_update",
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "April 17, 2025"}}),
            account("account_update", "DISABLED_UPDATE", "banned", "DISABLE, April 17, 2025"),
        ),
        (
            "account_update",
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}}),
            account("account_update", "DISABLED_UPDATE", "attention", "SCHEDULE_FOR_DISABLE"),
        ),
        (
            "template_category_update",
            json!({"message_template_id": 1, "message_template_name": "n", "message_template_language": "en", "new_category": "UTILITY", "correct_category": "MARKETING"}),
            json!([{"type": "template", "id": "1", "name": "n", "language": "en", "category": "utility", "reason": "will become marketing", "at": 1763600000000_i64}]),
        ),
        (
            "user_preferences",
            json!({"user_preferences": [{"user_id": "ZA.1", "value": "stop", "timestamp": 1763600000}]}),
            json!([{"type": "preference", "person": {"bsuid": "ZA.1"}, "optedOut": true, "at": 1763600000000_i64}]),
        ),
        (
            "user_id_update",
            json!({"user_id_update": [{"wa_id": "27831234567", "user_id": {"previous": "ZA.1", "current": "ZA.2"}, "timestamp": 1763600000}]}),
            json!([{"type": "rekeyed", "from": "ZA.1", "to": "ZA.2", "person": {"phone": "+27831234567", "bsuid": "ZA.2"}, "at": 1763600000000_i64}]),
        ),
        (
            "smb_app_state_sync",
            json!({"state_sync": [{"type": "contact", "action": "add", "contact": {"full_name": "Ana P", "phone_number": "+27 83 123 4567"}}]}),
            json!([{"type": "contact", "chat": "+27831234567", "person": {"phone": "+27831234567", "name": "Ana P"}}]),
        ),
        ("group_status_update", json!({"groups": []}), json!([{"type": "ignored", "reason": "group"}])),
        (
            "payment_configuration_update",
            json!({}),
            json!([{"type": "ignored", "reason": "unused", "name": "payment_configuration_update"}]),
        ),
        (
            "messages",
            json!({"user_actions": [{}]}),
            json!([{"type": "ignored", "reason": "unused", "name": "messages"}]),
        ),
    ] {
        assert_eq!(says(field, value.clone()), expected, "{field} {value}");
    }
    let thread = json!({"metadata": {"display_phone_number": "15550783881", "phone_number_id": "1"}, "history": [{"metadata": {"phase": 0, "chunk_order": 1, "progress": 10}, "threads": [{"id": "27831234567", "context": {"wa_id": "27831234567", "username": "ana.p"}, "messages": [
        {"from": "27831234567", "id": "wamid.1", "timestamp": "1763600000", "type": "text", "text": {"body": "hello"}, "history_context": {"status": "READ"}},
        {"from": "15550783881", "to": "27831234567", "id": "wamid.2", "timestamp": "1763600000", "type": "media_placeholder", "history_context": {"status": "PLAYED"}},
    ]}]}]});
    let person = json!({"phone": "+27831234567", "username": "ana.p"});
    assert_eq!(
        says("history", thread),
        json!([
            {"type": "message", "providerId": "wamid.1", "reference": "wamid.1", "chat": "+27831234567", "person": person, "at": 1763600000000_i64, "content": {"kind": "text", "text": "hello"}, "history": true},
            {"type": "message", "providerId": "wamid.2", "reference": "wamid.2", "chat": "+27831234567", "person": person, "fromMe": true, "origin": "app", "at": 1763600000000_i64, "content": {"kind": "unsupported", "name": "media_placeholder"}, "state": "played", "history": true},
        ])
    );
    let declined = says("history", json!({"history": [{"errors": [{"code": 2593109, "message": "declined"}]}]}));
    assert_eq!(declined[0]["event"], "2593109");
}

fn asha() -> Address {
    Address::parse("+27820001001").unwrap()
}

fn ok() -> Answer {
    taken(json!({"messaging_product": "whatsapp", "messages": [{"id": "wamid.A"}]}))
}

fn taken(body: Value) -> Answer {
    Answer::new("200 OK", "Content-Type: application/json\r\n", &body.to_string())
}

fn error(status: &str, headers: &str, code: i64) -> Answer {
    Answer::new(
        status,
        headers,
        &json!({"error": {"message": "m", "type": "OAuthException", "code": code, "error_data": {"details": "why"}}})
            .to_string(),
    )
}

async fn cloud(answers: Vec<Answer>) -> (Peer, Link) {
    let peer = Peer::that_answers(answers).await;
    let link = link_of(&Cloud, &peer.url);
    (peer, link)
}

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

fn file(mime: &str, name: &str) -> File {
    File { mime: mime.into(), name: name.into(), bytes: "bytes".into() }
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
    assert_eq!(
        sent["interactive"]["action"]["sections"][0]["rows"][9],
        json!({"id": "poll:msg_01:9", "title": "Option 9"})
    );
    let sent = goes(poll(vec!["On Monday morning at ten".into(), "Never".into()])).await;
    assert_eq!(sent["interactive"]["body"]["text"], "When?\n\n1. On Monday morning at ten\n2. Never");
    assert_eq!(sent["interactive"]["action"]["buttons"][0]["reply"]["title"], "On Monday morning a…");
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
