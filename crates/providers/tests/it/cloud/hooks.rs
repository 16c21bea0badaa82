//! What Meta posts: signatures over escaped bytes, a handshake, many addressees in one body, people without a phone number, what an account reports.

use indaba_providers::{Addressee, Cloud, Handshake, Hook, Incoming, Provider, Secrets};
use serde_json::{Value, json};

const V1: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Zo\u00eb"},"wa_id":"16505551234","user_id":"US.13491208655302741918"}],"messages":[{"from":"16505551234","from_user_id":"US.13491208655302741918","id":"wamid.HBgLVEST1","timestamp":"1749416383","type":"text","text":{"body":"Ol\u00e1 \ud83d\udc4b"}}]},"field":"messages"}]}]}"#;
const V1_MAC: &str = "sha256=f0a0a02649b230dd7262a2afba87b810529a0db82ef3cd09e65e023b6d8ebbcd";
const V2_MAC: &str = "sha256=aa41c1e00be35035ebc740b3a9e63ce9284c9d5c76e0ad8fe32222bc8edd309f";
const V3_MAC: &str = "sha256=325b6e05549622867896b637e36dab35b1f62843397bfd9156870f9f6acb3420";

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
