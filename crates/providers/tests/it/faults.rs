//! What a bad day at the gateway becomes: `Retry` only where surely nothing was sent.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use indaba_providers::{
    Address, CallError, Evolution, MediaRef, MediaSource, MessageRef, Outgoing, Provider, SendError, Waha,
};
use serde_json::json;

use crate::house::{asha, unanswered};
use crate::peer::{Answer, Peer, link, link_of};

fn hello() -> Outgoing {
    Outgoing::text(asha(), "msg_01", "Hello")
}

async fn send_to(answers: Vec<Answer>) -> Result<indaba_providers::Sent, SendError> {
    let peer = Peer::that_answers(answers).await;
    Waha.send(&link(&peer.url, "2026.6.1"), &hello()).await
}

async fn send(answer: Answer) -> SendError {
    send_to(vec![answer]).await.unwrap_err()
}

/// The same answer to a text of each provider.
async fn each_send(answer: Answer) -> Vec<(&'static str, SendError)> {
    let mut errors = Vec::new();
    for provider in indaba_providers::all() {
        let peer = Peer::that_answers(vec![answer.clone()]).await;
        errors.push((provider.kind(), provider.send(&link_of(*provider, &peer.url), &hello()).await.unwrap_err()));
    }
    errors
}

fn unknown(error: &SendError) -> bool {
    matches!(error, SendError::Unknown { .. })
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_tried_again() {
    let gone = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    for provider in indaba_providers::all() {
        let link = link_of(*provider, &gone);
        let error = provider.send(&link, &hello()).await.unwrap_err();
        assert!(matches!(error, SendError::Retry { .. }), "{}: {error:?}", provider.kind());
        let error = provider.status(&link).await.unwrap_err();
        assert!(matches!(error, CallError::Unreachable(_)), "{}: {error:?}", provider.kind());
    }
}

#[tokio::test]
async fn a_cut_connection_leaves_it_unknown() {
    for (when, answer) in [("before", Answer::CutBefore), ("after", Answer::CutAfter), ("within", Answer::CutWithin)] {
        for (kind, error) in each_send(answer).await {
            assert!(unknown(&error), "{kind}, {when}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_hang_ends_and_leaves_it_unknown() {
    for provider in indaba_providers::all() {
        let peer = Peer::that_answers(vec![Answer::Hang]).await;
        let link = link_of(*provider, &peer.url);
        let sending = async move { provider.send(&link, &hello()).await };
        let error = unanswered(sending, async || !peer.asked().is_empty()).await;
        assert_eq!(error, SendError::Unknown { detail: "no answer in time".into() }, "{}", provider.kind());
    }
}

#[tokio::test]
async fn answers_that_make_no_sense_leave_it_unknown() {
    let page = "<!doctype html><title>Sign in</title>";
    let json = "Content-Type: application/json\r\n";
    for (status, headers, body) in [
        // an application may well act and redirect afterwards
        ("302 Found", "Location: http://127.0.0.1:1/elsewhere\r\n", ""),
        ("308 Permanent Redirect", "Location: https://elsewhere.example/\r\n", ""),
        ("200 OK", "Content-Type: text/html\r\n", page),
        ("201 Created", json, r#"{"sent":true}"#),
        ("201 Created", "", ""),
        ("201 Created", json, r#"{"id":"#),
        ("200 OK", json, r#"[{"key":{"id":"A"},"messages":[{"id":"A"}]}]"#),
        ("500 Internal Server Error", "", ""),
        ("502 Bad Gateway", "Content-Type: text/html\r\n", page),
        ("503 Service Unavailable", "Content-Type: text/html\r\n", page),
        ("504 Gateway Timeout", "", ""),
        ("408 Request Timeout", "", ""),
        ("101 Switching Protocols", "", ""),
    ] {
        for (kind, error) in each_send(Answer::new(status, headers, body)).await {
            assert!(unknown(&error), "{kind}: {status} {body} gives {error:?}");
        }
    }
    for (kind, error) in each_send(Answer::Bytes(b"nonsense\r\n\r\n".to_vec())).await {
        assert!(unknown(&error), "{kind}: nonsense gives {error:?}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let begun = Instant::now();
    for (kind, error) in each_send(Answer::Endless).await {
        assert!(unknown(&error), "{kind}: {error:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "took {:?}", begun.elapsed());
}

#[tokio::test]
async fn told_to_wait_it_waits_that_long() {
    let date = "Date: Fri, 20 Nov 2026 07:00:00 GMT\r\nRetry-After: Fri, 20 Nov 2026 07:02:00 GMT\r\n";
    for (headers, status, seconds) in [
        ("Retry-After: 17\r\n", "429 Too Many Requests", 17),
        (date, "429 Too Many Requests", 120),
        ("", "429 Too Many Requests", 60),
        ("Retry-After: soon\r\n", "429 Too Many Requests", 60),
        ("Retry-After: 5\r\n", "503 Service Unavailable", 5),
    ] {
        for (kind, error) in each_send(Answer::new(status, headers, r#"{"message":"slow down"}"#)).await {
            assert_eq!(error, SendError::Wait { after: Duration::from_secs(seconds) }, "{kind}: {headers}");
        }
    }
    let rate = json!({ "statusCode": 500, "exception": { "message": "rate-overlimit" } }).to_string();
    assert!(matches!(send(Answer::new("500 Internal Server Error", "", &rate)).await, SendError::Wait { .. }));
}

/// What an Evolution answers, in its five shapes, and what it means for the message.
#[tokio::test]
async fn refusals_of_evolution_are_told_apart() {
    let failure = |status: u16, message: serde_json::Value| json!({ "status": status, "error": "x", "response": { "message": message } });
    let inside = "Cannot read properties of undefined (reading 'onWhatsApp')";
    let licence = json!({ "error": "service not activated", "code": "LICENSE_REQUIRED", "message": "x" });
    for (status, body, expected) in [
        ("401 Unauthorized", failure(401, "Unauthorized".into()), "gatewayLocked"),
        ("403 Forbidden", failure(403, json!(["Forbidden"])), "gatewayLocked"),
        ("503 Service Unavailable", licence, "gatewayLocked"),
        ("404 Not Found", failure(404, json!(["The \"default\" instance does not exist"])), "instanceGone"),
        ("500 Internal Server Error", failure(500, inside.into()), "notLinked"),
        ("400 Bad Request", failure(400, json!(["Error: Connection Closed"])), "notLinked"),
        ("400 Bad Request", json!({}), "notLinked"),
        (
            "400 Bad Request",
            failure(400, json!([{"jid": "27820001001@s.whatsapp.net", "exists": false, "number": "27820001001"}])),
            "notOnWhatsApp",
        ),
        ("400 Bad Request", failure(400, json!([["instance requires property \"number\""]])), "refused"),
        ("400 Bad Request", failure(400, json!(["Error: server returned error 463"])), "locked"),
        ("400 Bad Request", failure(400, json!(["Error: rate-overlimit"])), "wait"),
        ("413 Payload Too Large", json!("<html>"), "refused"),
        // a file is uploaded before anything else
        (
            "500 Internal Server Error",
            failure(500, json!(["TypeError: Cannot read properties of undefined (reading 'waUploadToServer')"])),
            "notLinked",
        ),
        // thrown when WhatsApp had it already, or may have had it
        ("400 Bad Request", failure(400, json!(["Error: Timed Out"])), "unknown"),
        ("400 Bad Request", failure(400, json!(["PrismaClientKnownRequestError: Invalid invocation"])), "unknown"),
        // thrown at nobody knows what point
        ("500 Internal Server Error", failure(500, "Cannot read properties of null".into()), "unknown"),
        ("404 Not Found", json!("404 page not found"), "retry"),
    ] {
        let peer = Peer::that_answers(vec![Answer::new(status, "", &body.to_string())]).await;
        let error = Evolution.send(&link(&peer.url, "2.3.7"), &hello()).await.unwrap_err();
        assert_eq!(serde_json::to_value(&error).unwrap()["kind"], expected, "{status} {body}: {error:?}");
    }
}

#[tokio::test]
async fn evolution_takes_our_id_from_2_4_on() {
    let own = |version: &str| {
        let build = indaba_providers::Build { version: Some(version.into()), ..Default::default() };
        Evolution.own_id(&build, "msg_01")
    };
    assert_eq!((own("2.3.7"), own("2.4.0-rc2").map(|id| id.len())), (None, Some(22)));
    let taken =
        json!({"key": {"id": own("2.4.0"), "remoteJid": "111@lid", "fromMe": true}, "messageTimestamp": 1763600000});
    let peer = Peer::that_answers(vec![Answer::new("201 Created", "", &taken.to_string())]).await;
    let sent = Evolution.send(&link(&peer.url, "2.4.0"), &hello()).await.unwrap();
    assert_eq!(peer.asked()[0].body["messageId"], own("2.4.0").unwrap());
    assert_eq!((Some(sent.provider_id), sent.to), (own("2.4.0"), Address::parse("111@lid")));
}

#[tokio::test]
async fn evolution_hands_files_over_inside_json() {
    let file = json!({"mediaType": "imageMessage", "mimetype": "image/jpeg", "base64": "SlBFRw==", "buffer": null});
    let answer = |body: &serde_json::Value| Answer::new("201 Created", "", &body.to_string());
    let peer = Peer::that_answers(vec![answer(&file)]).await;
    let link = link(&peer.url, "2.3.7");
    let got = Evolution.download(&link, &photo(None), 100).await.unwrap();
    assert_eq!((got.mime.as_deref(), got.size_bytes), (Some("image/jpeg"), Some(4)));
    assert_eq!(got.bytes().await.unwrap().as_ref(), b"JPEG");
    assert_eq!(peer.asked()[0].body, json!({"message": {"key": {"id": "3EB0AA"}}, "convertToMp4": false}));
    assert!(matches!(Evolution.download(&link, &photo(None), 3).await, Err(CallError::Invalid(_))), "too long");
    for nothing in [json!(null), json!({"mimetype": "image/jpeg"}), json!({"base64": "not base64!"})] {
        let peer = Peer::that_answers(vec![answer(&nothing)]).await;
        assert!(Evolution.download(&crate::peer::link(&peer.url, "2.3.7"), &photo(None), 100).await.is_err());
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let failure = |message: &str| {
        json!({ "statusCode": 500, "exception": { "message": message, "name": "Error" }, "request": { "body": { "text": "Hello" } } }).to_string()
    };
    let locked = SendError::Locked { until: None };
    for text in ["server returned error 463", "2 UNKNOWN: server returned error 463"] {
        assert_eq!(send(Answer::new("500 Internal Server Error", "", &failure(text))).await, locked);
    }
    // not that number, and what was sent is not repeated
    let error =
        send(Answer::new("500 Internal Server Error", "", &failure("no session for 27820463001 at 14630"))).await;
    assert_eq!(error, SendError::Unknown { detail: "500: no session for … at 14630".into() });
    for (status, body, expected) in [
        ("401 Unauthorized", r#"{"message":"Unauthorized","statusCode":401}"#, "gatewayLocked"),
        ("403 Forbidden", r#"{"message":"Forbidden resource","statusCode":403}"#, "gatewayLocked"),
        (
            "422 Unprocessable Entity",
            r#"{"error":"Session \"default\" does not exist","session":"default"}"#,
            "instanceGone",
        ),
        ("404 Not Found", r#"{"message":"Session not found","error":"Not Found","statusCode":404}"#, "instanceGone"),
        (
            "422 Unprocessable Entity",
            r#"{"error":"Session status is not as expected.","status":"SCAN_QR_CODE","expected":["WORKING"]}"#,
            "notLinked",
        ),
        (
            "400 Bad Request",
            r#"{"message":["text must be a string"],"error":"Bad Request","statusCode":400}"#,
            "refused",
        ),
        ("400 Bad Request", r#"{"detail":"no"}"#, "refused"),
        (
            "404 Not Found",
            r#"{"error":{"code":404,"key":"FILE_NOT_FOUND","message":"gone","details":null}}"#,
            "refused",
        ),
        ("413 Payload Too Large", "<html>", "refused"),
        // the page of a proxy whose gateway is away
        ("404 Not Found", "404 page not found", "retry"),
    ] {
        let error = send(Answer::new(status, "", body)).await;
        assert_eq!(serde_json::to_value(&error).unwrap()["kind"], expected, "{status} {body}: {error:?}");
    }
    let poll =
        indaba_providers::Body::Poll { question: "?".into(), options: vec!["a".into(), "b".into()], multiple: false };
    let peer = Peer::that_answers(vec![Answer::new(
        "501 Not Implemented",
        "",
        r#"{"message":"The method is not implemented by 'WEBJS' engine","statusCode":501}"#,
    )])
    .await;
    let error = Waha.send(&link(&peer.url, "2026.6.1"), &Outgoing { body: poll, ..hello() }).await.unwrap_err();
    assert_eq!(error, SendError::NotSupported { capability: indaba_providers::Capability::Poll });
}

#[tokio::test]
async fn every_engines_answer_gives_the_id() {
    for (body, provider_id, reference) in [
        (json!({"id": "true_27820001001@c.us_3EB0AA", "_data": {}}), "3EB0AA", "true_27820001001@c.us_3EB0AA"),
        (
            json!({"id": {"fromMe": true, "remote": "27820001001@c.us", "id": "3EB0AA", "_serialized": "true_27820001001@c.us_3EB0AA"}}),
            "3EB0AA",
            "true_27820001001@c.us_3EB0AA",
        ),
        (
            json!({"id": {"fromMe": true, "remote": "27820001001@c.us", "id": "3EB0AA"}}),
            "3EB0AA",
            "true_27820001001@c.us_3EB0AA",
        ),
        (
            json!({"key": {"remoteJid": "27820001001@s.whatsapp.net", "fromMe": true, "id": "3EB0AA"}, "messageTimestamp": "1795151286"}),
            "3EB0AA",
            "true_27820001001@c.us_3EB0AA",
        ),
        (
            json!({"_data": {"key": {"remoteJid": "27820001001@s.whatsapp.net", "id": "3EB0AA"}}}),
            "3EB0AA",
            "true_27820001001@c.us_3EB0AA",
        ),
        (json!({"_data": {"Info": {"ID": "3EB0AA"}}}), "3EB0AA", "true_27820001001@c.us_3EB0AA"),
        (json!({"id": "3EB0AA"}), "3EB0AA", "true_27820001001@c.us_3EB0AA"),
    ] {
        let sent = send_to(vec![Answer::new("201 Created", "", &body.to_string())]).await.unwrap();
        assert_eq!((sent.provider_id.as_str(), sent.reference.as_str()), (provider_id, reference), "{body}");
    }
}

#[tokio::test]
async fn a_first_message_asks_whether_anybody_is_there() {
    let first = Outgoing { first: true, ..hello() };
    let no = Answer::new("200 OK", "", r#"{"numberExists":false}"#);
    let peer = Peer::that_answers(vec![no]).await;
    assert_eq!(Waha.send(&link(&peer.url, "2026.6.1"), &first).await.unwrap_err(), SendError::NotOnWhatsApp);
    assert_eq!(peer.asked().len(), 1);
    // a ninth digit more or less: the address that WhatsApp names is the one to use
    let elsewhere = Answer::new("200 OK", "", r#"{"numberExists":true,"chatId":"2782000100@c.us"}"#);
    let taken = Answer::new("201 Created", "", r#"{"id":"true_2782000100@c.us_3EB0AA"}"#);
    let peer = Peer::that_answers(vec![elsewhere, taken.clone()]).await;
    Waha.send(&link(&peer.url, "2026.6.1"), &first).await.unwrap();
    assert_eq!(peer.asked()[1].body["chatId"], "2782000100@c.us");
    // the question may fail; the message is sent all the same
    let peer = Peer::that_answers(vec![Answer::new("500 Internal Server Error", "", "{}"), taken]).await;
    Waha.send(&link(&peer.url, "2026.6.1"), &first).await.unwrap();
}

#[tokio::test]
async fn our_own_id_is_the_same_each_time_and_goes_along_where_it_can() {
    let own = |version: &str, engine: &str| {
        let build = indaba_providers::Build { version: Some(version.into()), engine: Some(engine.into()), tier: None };
        Waha.own_id(&build, "msg_01")
    };
    let id = own("2026.4.3", "GOWS").unwrap();
    assert!(
        id.len() == 22
            && id.starts_with("3EB0")
            && id.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)),
        "{id}"
    );
    assert_eq!(own("2026.9.1", "NOWEB"), Some(id.clone()));
    assert_eq!(own("2026.4.2", "NOWEB"), None);
    assert_eq!(own("2026.6.1", "WEBJS"), None);
    let taken = Answer::new("201 Created", "", &format!(r#"{{"id":"true_27820001001@c.us_{id}"}}"#));
    let peer = Peer::that_answers(vec![taken]).await;
    Waha.send(&link(&peer.url, "2026.6.1"), &hello()).await.unwrap();
    assert_eq!(peer.asked()[0].body["id"], id);
    // and is found again by it, never by its text
    let shown = json!({"id": format!("true_111222333444@lid_{id}"), "timestamp": 1795150000, "fromMe": true, "body": "Hello", "ack": 2}).to_string();
    let peer = Peer::that_answers(vec![
        Answer::new("404 Not Found", "", r#"{"message":"Message not found","statusCode":404}"#),
        Answer::new("200 OK", "", &shown),
    ])
    .await;
    match Waha.find_sent(&link(&peer.url, "2026.6.1"), &asha(), "msg_01").await.unwrap() {
        indaba_providers::LookedUp::Found { sent, state } => {
            assert_eq!(sent.provider_id, id);
            assert_eq!(state, Some(indaba_providers::StatusState::Delivered));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_unknown_event_is_left_out_and_named() {
    let refused = r#"{"message":["config.webhooks.0.each value in events must be one of the following values: session.status, message, message.any, message.ack, message.reaction, message.edited, message.revoked, poll.vote, presence.update, *"],"error":"Bad Request","statusCode":400}"#;
    let made = r#"{"name":"default","status":"STARTING"}"#;
    let peer =
        Peer::that_answers(vec![Answer::new("400 Bad Request", "", refused), Answer::new("201 Created", "", made)])
            .await;
    let setup = indaba_providers::Setup {
        hook_url: "https://indaba.example/api/webhooks/waha/h".parse().unwrap(),
        instance: "ins_1".into(),
        device: "Indaba".into(),
        full_history: true,
    };
    let created = Waha.create(&link(&peer.url, "2026.6.1"), &setup).await.unwrap();
    assert_eq!(created.without, ["poll.vote.failed", "call.received", "call.accepted", "call.rejected"]);
    let asked = peer.asked();
    assert_eq!(
        asked.iter().map(|asked| asked.target.as_str()).collect::<Vec<_>>(),
        ["/api/sessions", "/api/sessions", "/api/sessions/default/start"]
    );
    let hook = &asked[1].body["config"]["webhooks"][0];
    assert_eq!(hook["events"].as_array().unwrap().len(), 8);
    assert_eq!(hook["hmac"]["key"], "my-secret-key");
    assert_eq!(hook["url"], "https://indaba.example/api/webhooks/waha/h");
    assert_eq!(asked[1].body["start"], true);
    assert_eq!(asked[1].body["config"]["noweb"]["store"]["enabled"], true);
}

fn photo(url: Option<&str>) -> MediaSource {
    let message = MessageRef {
        provider_id: "3EB0AA".into(),
        reference: "false_27820001001@c.us_3EB0AA".into(),
        chat: asha(),
        from_me: false,
    };
    MediaSource {
        media: MediaRef { url: url.map(str::to_owned), mime: Some("image/jpeg".into()), ..MediaRef::default() },
        message,
    }
}

#[tokio::test]
async fn a_file_is_fetched_from_the_gateway_whatever_it_calls_itself() {
    let peer = Peer::that_answers(vec![Answer::new("200 OK", "Content-Type: image/jpeg\r\n", "JPEG")]).await;
    let link = link(&format!("{}/gw/", peer.url), "2026.6.1");
    let file = Waha.download(&link, &photo(Some("http://waha:3000/api/files/default/3EB0AA.jpeg")), 100).await.unwrap();
    assert_eq!(file.mime.as_deref(), Some("image/jpeg"));
    assert_eq!(file.bytes().await.unwrap().as_ref(), b"JPEG");
    assert_eq!(peer.asked()[0].target, "/gw/api/files/default/3EB0AA.jpeg");
}

#[tokio::test]
async fn a_file_that_is_gone_is_asked_for_once_more() {
    let again = json!({"id": "false_27820001001@c.us_3EB0AA", "hasMedia": true, "media": {"url": "http://waha:3000/api/files/default/NEW.jpeg", "mimetype": "image/jpeg"}}).to_string();
    for url in [Some("http://waha:3000/api/files/default/OLD.jpeg"), None] {
        let mut answers =
            vec![Answer::new("200 OK", "", &again), Answer::new("200 OK", "Content-Type: image/jpeg\r\n", "JPEG")];
        if url.is_some() {
            answers.insert(0, Answer::new("404 Not Found", "", r#"{"message":"Not Found","statusCode":404}"#));
        }
        let peer = Peer::that_answers(answers).await;
        let file = Waha.download(&link(&peer.url, "2026.6.1"), &photo(url), 100).await.unwrap();
        assert_eq!(file.bytes().await.unwrap().as_ref(), b"JPEG");
        assert_eq!(peer.asked().last().unwrap().target, "/api/files/default/NEW.jpeg");
    }
}

#[tokio::test]
async fn no_other_host_is_called_and_no_file_is_endless() {
    // neither another host nor another path of the gateway: the message is asked for instead, and has nothing
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "http://waha:3000/api/files/../sessions",
        "file:///etc/passwd",
        "//x/api/files/a",
    ] {
        let peer = Peer::that_answers(vec![Answer::new("200 OK", "", r#"{"hasMedia":true,"media":null}"#)]).await;
        let error = Waha.download(&link(&peer.url, "2026.6.1"), &photo(Some(url)), 100).await.unwrap_err();
        assert!(matches!(error, CallError::NotFound(_)), "{url}: {error:?}");
        assert!(peer.asked().iter().all(|asked| asked.target.starts_with("/api/default/chats/")), "{url}");
    }
    let file = "http://waha:3000/api/files/default/A.jpeg";
    // longer than it may be, with and without saying so
    let peer = Peer::that_answers(vec![Answer::new("200 OK", "", &"x".repeat(101))]).await;
    assert!(matches!(
        Waha.download(&link(&peer.url, "2026.6.1"), &photo(Some(file)), 100).await,
        Err(CallError::Invalid(_))
    ));
    let peer = Peer::that_answers(vec![Answer::Endless]).await;
    let endless = Waha.download(&link(&peer.url, "2026.6.1"), &photo(Some(file)), 100_000).await.unwrap();
    assert!(matches!(endless.bytes().await, Err(CallError::Invalid(_))));
    // shorter than it says
    let peer =
        Peer::that_answers(vec![Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf".to_vec())]).await;
    let cut = Waha.download(&link(&peer.url, "2026.6.1"), &photo(Some(file)), 100).await.unwrap();
    assert!(matches!(cut.bytes().await, Err(CallError::Cut(_))));
    // a sign-in page where the photo should be, and a redirect
    let peer =
        Peer::that_answers(vec![Answer::new("200 OK", "Content-Type: text/html; charset=utf-8\r\n", "<html>")]).await;
    assert!(matches!(
        Waha.download(&link(&peer.url, "2026.6.1"), &photo(Some(file)), 100).await,
        Err(CallError::Strange(_))
    ));
    let peer = Peer::that_answers(vec![Answer::new("302 Found", "Location: http://127.0.0.1:1/\r\n", "")]).await;
    assert!(matches!(
        Waha.download(&link(&peer.url, "2026.6.1"), &photo(Some(file)), 100).await,
        Err(CallError::Strange(_))
    ));
}

#[tokio::test]
async fn a_name_that_is_no_session_reaches_no_path() {
    let peer = Peer::that_answers(vec![Answer::new("200 OK", "", "{}")]).await;
    for name in ["", "..", "a/b", "a b", "ünal", &"a".repeat(55)] {
        let mut link = link(&peer.url, "2026.6.1");
        link.external_name = name.into();
        assert!(matches!(Waha.status(&link).await, Err(CallError::Invalid(_))), "{name}");
        assert!(matches!(Waha.delete(&link).await, Err(CallError::Invalid(_))), "{name}");
    }
    assert!(peer.asked().is_empty());
}
