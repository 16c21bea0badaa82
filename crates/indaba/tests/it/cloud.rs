//! Numbers of Meta's Cloud API, from the form to the last tick, against the simulator's Graph API over real HTTP both ways.
use crate::support::{
    Reply,
    office::{AtMeta, Office, in_an_office, in_an_office_with, new_phone, path_of, signed},
};
use indaba::{config::Gateway, http::Role, instances::gateways};
use serde_json::{Value, json};
use std::time::Duration;

/// A hook as Meta writes it, with these changes of an account.
fn body(waba: &str, changes: &[(&str, Value)]) -> String {
    let changes: Vec<Value> = changes.iter().map(|(field, value)| json!({ "field": field, "value": value })).collect();
    let entry = json!({ "id": waba, "time": 1_795_158_000, "changes": changes });
    json!({ "object": "whatsapp_business_account", "entry": [entry] }).to_string()
}

/// A text that somebody wrote to a number.
fn text(number: &str, from: &str, id: &str, text: &str) -> (&'static str, Value) {
    let message =
        json!({ "from": from, "id": id, "timestamp": "1795157000", "type": "text", "text": { "body": text } });
    let contact = json!({ "profile": { "name": "Asha" }, "wa_id": from });
    let value = json!({
        "messaging_product": "whatsapp", "metadata": { "phone_number_id": number, "display_phone_number": "27" },
        "contacts": [contact], "messages": [message],
    });
    ("messages", value)
}

#[tokio::test]
async fn a_number_is_proved_and_subscribed_and_a_text_makes_the_whole_trip() {
    in_an_office(async |office| {
        let number = office.at_meta(json!({ "requireProof": true })).await;
        let made = office.who.post("/api/instances", number.form("Sales")).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        assert_eq!((&made["provider"], &made["state"]), (&json!("cloud"), &json!("connected")), "{made}");
        assert_eq!(made["phone"], format!("+{}", number.get("phone")));
        assert_eq!(made["cloud"]["phoneNumberId"], number.0["phoneNumberId"]);
        assert_eq!((&made["capabilities"]["templates"], &made["capabilities"]["qr"]), (&json!(true), &json!(false)));
        for secret in ["accessToken", "appSecret"] {
            assert!(!made.to_string().contains(&number.get(secret)), "{secret} is given back");
        }
        let id = made["id"].as_str().unwrap();
        let checked = office.who.post(&format!("/api/instances/{id}/check"), json!({})).await.ok();
        let wrong: Vec<&Value> =
            checked["steps"].as_array().unwrap().iter().filter(|step| step["ok"] != true).collect();
        assert_eq!(wrong.len(), 1, "{checked}");
        assert_eq!(wrong[0]["name"], "hooks", "nobody has written yet");

        let (phone, asha) = (number.get("phone"), new_phone());
        office.writes(&phone, &asha, "Asha", "Is the flat still free? 🏠").await;
        let talk = office.talk(&asha).await;
        assert_eq!((&talk["contact"]["name"], &talk["instance"]["provider"]), (&json!("Asha"), &json!("cloud")));
        assert_eq!(office.thread(&talk).await[0]["body"], "Is the flat still free? 🏠");

        office.answer(&talk, "It is. Zoë shows it at four.").await.ok();
        office.becomes(&talk, "It is. Zoë shows it at four.", "delivered").await;
        let chat = office.chat(&phone, &asha).await;
        assert!(
            chat.iter().any(|one| one["body"] == "It is. Zoë shows it at four." && one["fromMe"] == true),
            "{chat:?}"
        );
        office.control(&format!("numbers/{phone}/chats/{asha}/open"), json!({})).await;
        office.becomes(&talk, "It is. Zoë shows it at four.", "read").await;
        assert_eq!(office.count("select count(*) from stray_hooks").await, 0);
    })
    .await;
}

async fn refused(office: &Office, number: &AtMeta, key: &str, value: Value) -> Vec<String> {
    let mut form = number.form("Sales");
    form["settings"][key] = value;
    office.who.post("/api/instances", form).await.fields()
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_leaves_nothing_behind() {
    in_an_office(async |office| {
        let number = office.at_meta(json!({})).await;
        let other = office.at_meta(json!({})).await;
        let theirs = |key: &str| other.0[key].clone();
        for (key, value, why) in [
            ("accessToken", json!("EAAnobodyhasthistoken"), "no such token"),
            ("accessToken", theirs("accessToken"), "the token of another account"),
            ("accessToken", json!("short"), "no token"),
            ("accessToken", json!("two words and more"), "no token"),
            ("phoneNumberId", json!("100000000000001"), "no such number"),
            ("phoneNumberId", theirs("phoneNumberId"), "another tenant's"),
            ("phoneNumberId", json!("+27 83 000"), "a phone number"),
            ("phoneNumberId", json!("../me"), "a path"),
            ("wabaId", json!("100000000000002"), "no such account"),
            ("wabaId", theirs("wabaId"), "another's account"),
            ("wabaId", json!(""), "nothing"),
            ("appSecret", theirs("appSecret"), "the secret of another app"),
            ("appSecret", json!(null), "nothing, and the operator has no app"),
            ("appId", json!("app"), "no id"),
            ("verifyToken", json!("a b"), "no word"),
            ("pin", json!("12"), "no PIN"),
            ("nonsense", json!("x"), "not known"),
            ("wabaId", json!(5), "not a text"),
        ] {
            let fields = refused(&office, &number, key, value).await;
            // a good token, but of another app: the secret does not go with it
            let expected = if why == "the token of another account" { "appSecret" } else { key };
            assert_eq!(fields, [format!("/settings/{expected}")], "{why}");
        }
        let missing = office.who.post("/api/instances", json!({ "provider": "cloud", "name": "Sales" })).await.fields();
        assert_eq!(missing, ["/settings/phoneNumberId"]);
        let agent = office.house.key(Role::Agent).await;
        agent.post("/api/instances", number.form("Sales")).await.problem(403);
        let gateway = json!({ "kind": "cloud", "url": "https://graph.facebook.com", "apiKey": "x" });
        assert_eq!(office.who.post("/api/gateways", gateway).await.fields(), ["/kind"]);
        assert_eq!(office.who.get("/api/instances").await.ok()["items"], json!([]));
        assert_eq!(office.count("select count(*) from instances").await, 0);
        assert_eq!(office.count("select cast(coalesce(sum(instances), 0) as bigint) from gateways").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_number_is_connected_once() {
    in_an_office(async |office| {
        let number = office.at_meta(json!({})).await;
        let first = office.connect(&number, "Sales").await;
        let again = office.who.post("/api/instances", number.form("Again")).await;
        assert_eq!(again.problem(409), "number-taken");
        let stranger = office.house.stranger().await;
        assert_eq!(stranger.post("/api/instances", number.form("Mine")).await.problem(409), "number-taken");
        assert_eq!(stranger.get("/api/instances").await.ok()["items"], json!([]));

        // once it is gone it may come back, also elsewhere; and taking leave of it later does not silence the new one
        office.who.delete(&format!("/api/instances/{}", first["id"].as_str().unwrap())).await;
        let theirs = stranger.post("/api/instances", number.form("Mine")).await.ok();
        office.house.run_jobs().await;
        let (phone, asha) = (number.get("phone"), new_phone());
        office.writes(&phone, &asha, "Asha", "Hello").await;
        office
            .until("the stranger hears it", async || {
                let all = stranger.get("/api/conversations").await.ok();
                all["items"].as_array().unwrap().iter().any(|one| one["instanceId"] == theirs["id"]).then_some(())
            })
            .await;
        assert_eq!(office.inbox().await, Vec::<Value>::new());
    })
    .await;
}

#[tokio::test]
async fn only_what_the_app_signed_is_taken_and_only_who_knows_the_word_is_greeted() {
    in_an_office(async |office| {
        let number = office.at_meta(json!({})).await;
        let mut form = number.form("Sales");
        form["settings"]["verifyToken"] = json!("the-word-of-the-house");
        let made = office.who.post("/api/instances", form).await.ok();
        let (path, secret) = (path_of(&made), number.get("appSecret"));
        let greet = async |word: &str, mode: &str| -> Reply {
            let query = format!("hub.mode={mode}&hub.verify_token={word}&hub.challenge=1158201444");
            office.house.nobody().get(&format!("{path}?{query}")).await
        };
        let met = greet("the-word-of-the-house", "subscribe").await;
        assert_eq!((met.status.as_u16(), &met.body[..]), (200, &b"1158201444"[..]));
        assert_eq!(met.headers["content-type"], "text/plain");
        assert_eq!(greet("another-word", "subscribe").await.status, 403);
        assert_eq!(greet("the-word-of-the-house", "unsubscribe").await.status, 403);

        let said =
            body(&number.get("wabaId"), &[text(&number.get("phoneNumberId"), "27840000001", "wamid.A1", "hello")]);
        let good = signed(&secret, &said);
        for (signature, why) in [
            (None, "none"),
            (Some("sha256=00".to_owned()), "a short one"),
            (Some(signed("another secret", &said)), "another secret"),
            (Some(signed(&secret, &said.replace("hello", "other"))), "another body"),
        ] {
            assert_eq!(office.post(&path, &said, signature.as_deref()).await.status, 401, "{why}");
        }
        assert_eq!(office.post("/api/webhooks/cloud/nobodyhasthis", &said, Some(&good)).await.status, 404);
        assert_eq!(office.count("select count(*) from hooks").await, 0);
        for _ in 0..2 {
            assert_eq!(office.post(&path, &said, Some(&good)).await.status, 200);
        }
        assert_eq!(office.count("select count(*) from hooks").await, 1, "the same delivery again is not another hook");
        assert_eq!(office.thread(&office.talk("27840000001").await).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_concerns_an_account_reaches_each_of_its_numbers_and_one_app_serves_many_tenants() {
    in_an_office(async |office| {
        let first = office.at_meta(json!({})).await;
        let (waba, app, secret) = (first.get("wabaId"), first.get("appId"), first.get("appSecret"));
        let second = office.at_meta(json!({ "wabaId": waba, "appId": app, "token": first.get("accessToken") })).await;
        // another account of the same app, in another tenant; and another app
        let third = office.at_meta(json!({ "appId": app })).await;
        let foreign = office.at_meta(json!({})).await;
        let one = office.connect(&first, "Sales").await;
        let two = office.connect(&second, "Rentals").await;
        let stranger = office.house.stranger().await;
        stranger.post("/api/instances", third.form("Theirs")).await.ok();
        stranger.post("/api/instances", foreign.form("Elsewhere")).await.ok();
        let path = path_of(&one);

        // a template: kept with both numbers, and no error
        let verdict = json!({ "event": "APPROVED", "message_template_id": 1, "message_template_name": "order_ready",
            "message_template_language": "en", "reason": "NONE" });
        let told = body(&waba, &[("message_template_status_update", verdict)]);
        assert_eq!(office.post(&path, &told, Some(&signed(&secret, &told))).await.status, 200);
        office.house.run_jobs().await;
        assert_eq!(office.count("select count(*) from hooks where processed_at is not null and error is null").await, 2);

        // the account is restricted: both need somebody
        let limited = json!({ "event": "ACCOUNT_RESTRICTION", "restriction_info": [{ "restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING" }] });
        let told = body(&waba, &[("account_update", limited)]);
        office.post(&path, &told, Some(&signed(&secret, &told))).await;
        office.house.run_jobs().await;
        for made in [&one, &two] {
            let now = office.who.get(&format!("/api/instances/{}", made["id"].as_str().unwrap())).await.ok();
            assert_eq!(now["state"], "attention");
        }

        // one body for both tenants of the app; the number of another app gets nothing of it, nor does an unknown account
        let batch = body(&waba, &[
            text(&second.get("phoneNumberId"), "27840000011", "wamid.B1", "to the house"),
            text(&third.get("phoneNumberId"), "27840000012", "wamid.B2", "to the stranger"),
            text(&foreign.get("phoneNumberId"), "27840000013", "wamid.B3", "to nobody here"),
        ]);
        assert_eq!(office.post(&path, &batch, Some(&signed(&secret, &batch))).await.status, 200);
        let lost = body("100000000000009", &[("account_alerts", json!({ "alert_info": { "alert_type": "X" } }))]);
        assert_eq!(office.post(&path, &lost, Some(&signed(&secret, &lost))).await.status, 200);
        office.house.run_jobs().await;
        let names = |all: &[Value]| all.iter().map(|one| one["contact"]["phone"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&office.inbox().await), ["+27840000011"]);
        let theirs = stranger.get("/api/conversations").await.ok();
        assert_eq!(names(theirs["items"].as_array().unwrap()), ["+27840000012"]);
        assert_eq!(office.count("select count(*) from stray_hooks").await, 2, "kept for the operator, with the reason");

        // Meta goes on to call the URL of a deleted number: the account's others still hear
        office.who.delete(&format!("/api/instances/{}", one["id"].as_str().unwrap())).await;
        office.house.run_jobs().await;
        let late = body(&waba, &[
            text(&first.get("phoneNumberId"), "27840000014", "wamid.C1", "to a number that is gone"),
            text(&second.get("phoneNumberId"), "27840000015", "wamid.C2", "to one that is not"),
        ]);
        assert_eq!(office.post(&path, &late, Some(&signed(&secret, &late))).await.status, 200);
        office.talk("27840000015").await;
        assert_eq!(office.inbox().await.len(), 2);
        let strays = office.count("select count(*) from stray_hooks").await;
        assert_eq!(strays, 2, "what is for the deleted number is dropped");
    })
    .await;
}

#[tokio::test]
async fn outside_the_window_nothing_is_queued_and_a_failure_that_comes_later_is_told() {
    in_an_office(async |office| {
        let number = office.at_meta(json!({})).await;
        office.connect(&number, "Sales").await;
        let (phone, asha) = (number.get("phone"), new_phone());
        let begun = office.who.post("/api/conversations", json!({ "phone": format!("+{asha}") })).await.ok();
        assert_eq!(office.answer(&begun, "Good morning").await.problem(409), "outside-window", "they never wrote");

        office.writes(&phone, &asha, "Asha", "Hello").await;
        let talk = office.talk(&asha).await;
        office.becomes(&talk, "Hello", "received").await;
        // answered 200, and refused by a status afterwards, as most failures are
        let id = number.get("phoneNumberId");
        office.control(&format!("cloud/numbers/{id}/fail"), json!({ "code": 131_026, "to": asha })).await;
        office.answer(&talk, "first").await.ok();
        let failed = office.becomes(&talk, "first", "failed").await;
        assert_eq!(failed["error"]["code"], "131026", "{failed}");
        assert!(failed["error"]["detail"].as_str().is_some_and(|why| !why.is_empty()), "{failed}");
        office.answer(&talk, "second").await.ok();
        office.becomes(&talk, "second", "delivered").await;

        office.house.wait(Duration::from_secs(24 * 3600 + 60));
        let shut = office.answer(&talk, "third").await;
        assert_eq!(shut.problem(409), "outside-window");
        assert!(shut.json()["detail"].as_str().unwrap().contains("template"));
        assert_eq!(office.thread(&talk).await.len(), 3, "nothing was queued");
    })
    .await;
}

#[tokio::test]
async fn an_expired_token_stops_the_number_and_a_new_one_sets_it_going_again() {
    in_an_office(async |office| {
        let number = office.at_meta(json!({})).await;
        let made = office.connect(&number, "Sales").await;
        let place = format!("/api/instances/{}", made["id"].as_str().unwrap());
        let (phone, asha) = (number.get("phone"), new_phone());
        office.writes(&phone, &asha, "Asha", "Hello").await;
        let talk = office.talk(&asha).await;

        office.control("cloud/tokens/expire", json!({ "token": number.get("accessToken") })).await;
        office.answer(&talk, "It waits").await.ok();
        office.house.run_jobs().await;
        let now = office.who.get(&place).await.ok();
        assert_eq!(now["state"], "attention");
        assert!(now["stateReason"].as_str().unwrap().contains("token"), "{now}");
        let looked = office.who.post(&format!("{place}/sync-status"), json!({})).await.ok();
        assert_eq!(looked["state"], "attention", "looking does not mend it");
        let steps = office.who.post(&format!("{place}/check"), json!({})).await.ok();
        assert!(
            steps["steps"].as_array().unwrap().iter().any(|step| step["name"] == "key" && step["ok"] == false),
            "{steps}"
        );
        assert_eq!(office.thread(&talk).await[1]["state"], "queued", "what was written is not lost");

        let renew = async |settings: Value| office.who.patch(&place, json!({ "settings": settings })).await;
        assert_eq!(renew(json!({ "accessToken": "EAAanotherwrongone" })).await.fields(), ["/settings/accessToken"]);
        assert_eq!(renew(json!({ "appSecret": "not-the-secret-of-the-app" })).await.problem(422), "invalid");
        assert_eq!(renew(json!({ "url": "http://127.0.0.1" })).await.fields(), ["/settings/url"]);
        let grant = json!({ "appId": number.get("appId"), "wabaIds": [number.get("wabaId")] });
        let token = office.control("cloud/tokens", grant).await["accessToken"].as_str().unwrap().to_owned();
        let renewed = renew(json!({ "accessToken": token })).await.ok();
        assert_eq!((&renewed["state"], &renewed["stateReason"]), (&json!("connected"), &Value::Null));
        assert!(!renewed.to_string().contains(&token));
        office.house.wait(Duration::from_secs(400));
        office.becomes(&talk, "It waits", "delivered").await;
        let audit = office.who.get("/api/audit?action=instance.renew").await.ok();
        assert_eq!(audit["items"].as_array().unwrap().len(), 1);
        assert!(!audit.to_string().contains(&token));
    })
    .await;
}

#[tokio::test]
async fn a_new_app_secret_is_believed_and_the_old_one_with_it() {
    in_an_office(async |office| {
        let first = office.at_meta(json!({})).await;
        let more =
            json!({ "wabaId": first.get("wabaId"), "appId": first.get("appId"), "token": first.get("accessToken") });
        let second = office.at_meta(more.clone()).await;
        let one = office.connect(&first, "Sales").await;
        let two = office.connect(&second, "Rentals").await;
        // the secret is reset at Meta: a number made with the same app tells the simulator so
        let mut reset = more;
        reset["appSecret"] = json!("the-new-secret-of-the-app");
        let third = office.at_meta(reset).await;
        let place = format!("/api/instances/{}", one["id"].as_str().unwrap());
        office.who.patch(&place, json!({ "settings": { "appSecret": "the-new-secret-of-the-app" } })).await.ok();
        office.connect(&third, "Office").await;
        for (at, (number, made, secret)) in [
            (&first, &one, "the-new-secret-of-the-app".to_owned()),
            (&second, &two, "the-new-secret-of-the-app".to_owned()),
            (&second, &one, first.get("appSecret")),
            (&third, &two, "the-new-secret-of-the-app".to_owned()),
        ]
        .into_iter()
        .enumerate()
        {
            let from = format!("2784000002{at}");
            let said =
                body(&first.get("wabaId"), &[text(&number.get("phoneNumberId"), &from, &format!("wamid.{at}"), "hi")]);
            assert_eq!(office.post(&path_of(made), &said, Some(&signed(&secret, &said))).await.status, 200, "{at}");
            office.talk(&from).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_secret_that_meta_did_not_confirm_changes_no_other_number() {
    in_an_office(async |office| {
        let first = office.at_meta(json!({})).await;
        let more =
            json!({ "wabaId": first.get("wabaId"), "appId": first.get("appId"), "token": first.get("accessToken") });
        let second = office.at_meta(more).await;
        // without the app's id a secret cannot be proved
        let mut form = first.form("Sales");
        form["settings"]["appId"] = Value::Null;
        let one = office.who.post("/api/instances", form).await.ok();
        let two = office.connect(&second, "Rentals").await;
        let place = format!("/api/instances/{}", one["id"].as_str().unwrap());
        for typo in ["a-typo-in-the-secret", "another-typo-in-it"] {
            office.who.patch(&place, json!({ "settings": { "appSecret": typo } })).await.ok();
        }
        let (phone, asha, secret) = (second.get("phone"), new_phone(), first.get("appSecret"));
        office.writes(&phone, &asha, "Asha", "Hello").await;
        let talk = office.talk(&asha).await;
        office.becomes(&talk, "Hello", "received").await;
        office.answer(&talk, "Good morning").await.ok();
        office.becomes(&talk, "Good morning", "delivered").await;

        // what no gateway calls a number is not worth a row
        let odd = body(&second.get("wabaId"), &[text(&"7".repeat(10_000), "27840000041", "wamid.E1", "hello")]);
        assert_eq!(office.post(&path_of(&two), &odd, Some(&signed(&secret, &odd))).await.status, 200);
        assert_eq!(office.count("select count(*) from stray_hooks").await, 0);
    })
    .await;
}

#[tokio::test]
async fn on_the_operators_app_hooks_come_by_the_shared_address() {
    let settings = [
        ("INDABA_GATEWAY_KIND", "cloud"),
        ("INDABA_GATEWAY_URL", "{graph}"),
        ("INDABA_GATEWAY_HOOK_SECRET", "the-secret-of-the-operators-app"),
        ("INDABA_GATEWAY_VERIFY_TOKEN", "the-operators-word"),
    ];
    in_an_office_with(&settings, async |office: Office| {
        let shared = "/api/webhooks/whatsapp";
        let query = "hub.mode=subscribe&hub.verify_token=the-operators-word&hub.challenge=42";
        let met = office.house.nobody().get(&format!("{shared}?{query}")).await;
        assert_eq!((met.status.as_u16(), &met.body[..]), (200, &b"42"[..]));
        assert_eq!(office.house.nobody().get(&format!("{shared}?{}", query.replace("word", "w"))).await.status, 403);

        // a number needs no secret of its own here; and a name alone still wants a gateway of linked devices
        let secret = "the-secret-of-the-operators-app";
        let number = office.at_meta(json!({ "appSecret": secret })).await;
        let mut form = number.form("Sales");
        form["settings"]["appSecret"] = Value::Null;
        let made = office.who.post("/api/instances", form).await.ok();
        assert_eq!(made["gateway"]["owner"], "operator");
        assert_eq!(office.who.post("/api/instances", json!({ "name": "Second" })).await.problem(409), "no-gateway");

        let ours =
            body(&number.get("wabaId"), &[text(&number.get("phoneNumberId"), "27840000031", "wamid.D1", "hello")]);
        assert_eq!(office.post(shared, &ours, Some(&signed(secret, &ours))).await.status, 200);
        assert_eq!(office.post(shared, &ours, Some(&signed("another", &ours))).await.status, 401);
        office.talk("27840000031").await;
        let nobodys = body("1", &[text("100000000000077", "27840000032", "wamid.D2", "hello")]);
        assert_eq!(office.post(shared, &nobodys, Some(&signed(secret, &nobodys))).await.status, 200);
        assert_eq!(office.count("select count(*) from stray_hooks").await, 1);

        // the app's secret is reset at Meta, and the operator starts anew with it: both ways in go on
        let app = &office.house.app;
        let reset = "the-new-secret-of-the-operators-app";
        let set = Gateway { hook_secret: Some(reset.into()), verify_token: None, ..app.config.gateway.clone() };
        gateways::from_config(app, &set).await.unwrap();
        for (path, from) in [(shared, "27840000033"), (&*path_of(&made), "27840000034")] {
            let id = format!("wamid.{from}");
            let later = body(&number.get("wabaId"), &[text(&number.get("phoneNumberId"), from, &id, "still there?")]);
            let signature = signed(reset, &later);
            let believed = async || (office.post(path, &later, Some(&signature)).await.status == 200).then_some(());
            office.until(&format!("{path} believes the new secret"), believed).await;
            office.talk(from).await;
        }
        // what was not said anew stays
        assert_eq!(office.house.nobody().get(&format!("{shared}?{query}")).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_meta_that_cannot_reach_us_or_does_not_answer_leaves_nothing_behind() {
    in_an_office(async |office| {
        let number = office.at_meta(json!({ "pin": "123456", "registered": false })).await;
        let mut form = number.form("Sales");
        form["settings"]["pin"] = json!("654321");
        assert_eq!(office.who.post("/api/instances", form.clone()).await.fields(), ["/settings/pin"]);
        form["settings"]["pin"] = json!("123456");
        let path = format!("/graph/v26.0/{}/subscribed_apps", number.get("wabaId"));
        let harm = json!({ "on": { "method": "POST", "path": path }, "count": 1, "do": { "kind": "crash" } });
        office.control("faults", harm).await;
        office.who.post("/api/instances", form.clone()).await.problem(503);
        assert_eq!(office.who.get("/api/instances").await.ok()["items"], json!([]));
        assert_eq!(office.count("select cast(coalesce(sum(instances), 0) as bigint) from gateways").await, 0);
        let made = office.who.post("/api/instances", form).await.ok();
        assert_eq!(made["state"], "connected", "the same form, a moment later");

        // taken off the Cloud API, and registered again with its PIN
        let place = format!("/api/instances/{}", made["id"].as_str().unwrap());
        office.house.wait(Duration::from_secs(1));
        let off = office.who.post(&format!("{place}/logout"), json!({})).await.ok();
        assert_eq!(off["state"], "disconnected", "{off}");
        office.house.wait(Duration::from_secs(1));
        for (pin, why) in [("12345", "too short"), ("654321", "another")] {
            let wrong = office.who.patch(&place, json!({ "settings": { "pin": pin } })).await;
            assert_eq!(wrong.fields(), ["/settings/pin"], "{why}");
        }
        let on = office.who.patch(&place, json!({ "settings": { "pin": "123456" } })).await.ok();
        assert_eq!(on["state"], "connected");
    })
    .await;
}
