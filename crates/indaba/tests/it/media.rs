//! Files: what may come in, how it is handed out, and how it travels with messages.
use crate::support::{ASHA, Caller, House, OWN, Reply, Shop, each_db, each_db_with, in_a_shop, in_an_open_shop};
use axum::{body::Body, http::Method};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{io::Cursor, time::Duration};

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 7) as u8, (y * 3) as u8, 9]));
    picture.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

fn ogg() -> Vec<u8> {
    [&b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead"[..], &[1; 200]].concat()
}

async fn upload(who: &Caller, name: &str, kind: &str, bytes: &[u8]) -> Reply {
    let head = format!(
        "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: {kind}\r\n\r\n"
    );
    let body = [head.as_bytes(), bytes, b"\r\n--b--\r\n"].concat();
    who.with("content-type", "multipart/form-data; boundary=b").send(Method::POST, "/api/media", Body::from(body)).await
}

async fn fetch(who: &Caller, media: &Value) -> Reply {
    who.get(media["url"].as_str().unwrap()).await
}

fn header<'r>(reply: &'r Reply, name: &str) -> &'r str {
    reply.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_picture_is_measured_and_shown_in_a_sandbox() {
    each_db(async |house| {
        let bytes = png(30, 20);
        let made = upload(&house.admin, "../../kitchen.png", "image/png", &bytes).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        assert_eq!((&made["mime"], &made["width"], &made["height"]), (&json!("image/png"), &json!(30), &json!(20)));
        assert_eq!((&made["name"], &made["sizeBytes"]), (&json!("kitchen.png"), &json!(bytes.len())));
        let got = fetch(&house.admin, &made).await;
        assert_eq!((got.status.as_u16(), &got.body), (200, &bytes));
        assert_eq!(header(&got, "content-type"), "image/png");
        assert_eq!(header(&got, "x-content-type-options"), "nosniff");
        assert!(header(&got, "content-security-policy").contains("sandbox"));
        assert!(header(&got, "content-disposition").starts_with("inline; filename*=UTF-8''kitchen.png"));
        let again = house.admin.with("if-none-match", header(&got, "etag"));
        assert_eq!(fetch(&again, &made).await.status, 304);

        let part = fetch(&house.admin.with("range", "bytes=1-3"), &made).await;
        assert_eq!((part.status.as_u16(), &part.body[..]), (206, &b"PNG"[..]));
        assert_eq!(header(&part, "content-range"), format!("bytes 1-3/{}", bytes.len()));
        let beyond = fetch(&house.admin.with("range", "bytes=999999-"), &made).await;
        assert_eq!(beyond.status, 416);

        fetch(&house.stranger().await, &made).await.problem(404);
        fetch(&house.nobody(), &made).await.problem(401);
    })
    .await;
}

#[tokio::test]
async fn what_could_run_in_a_browser_is_only_saved() {
    each_db(async |house| {
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
        let html = b"<!doctype html><script>alert(1)</script>";
        for (name, kind, bytes) in [
            ("logo.svg", "image/svg+xml", &svg[..]),
            ("page.html", "text/html", html),
            ("page.pdf", "application/pdf", html),
            ("page.txt", "text/plain", html),
        ] {
            let made = upload(&house.admin, name, kind, bytes).await;
            assert_eq!(made.status, 201, "{name}: {made:?}");
            assert_eq!(made.json()["kind"], "document");
            let got = fetch(&house.admin, &made.json()).await;
            assert!(header(&got, "content-disposition").starts_with("attachment"), "{name}");
            let shown = header(&got, "content-type").to_owned();
            assert!(!["text/html", "image/svg+xml", "text/xml"].contains(&&*shown), "{name} is handed out as {shown}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_file_that_lies_or_is_broken_is_refused() {
    each_db(async |house| {
        let whole = png(300, 200);
        upload(&house.admin, "a.png", "image/png", b"<html>not a picture</html>").await.problem(415);
        upload(&house.admin, "a.mp3", "audio/mpeg", &whole).await.problem(415);
        assert_eq!(upload(&house.admin, "a.png", "image/png", &whole[..whole.len() / 2]).await.fields(), ["/file"]);
        assert_eq!(upload(&house.admin, "a.png", "image/png", b"").await.fields(), ["/file"]);
        let huge = [&whole[..], &vec![0; 17 << 20][..]].concat();
        upload(&house.admin, "a.png", "image/png", &huge).await.problem(413);
        let none = house.admin.with("content-type", "multipart/form-data; boundary=b");
        assert_eq!(none.send(Method::POST, "/api/media", Body::from("--b--\r\n")).await.fields(), ["/file"]);
        none.send(Method::POST, "/api/media", Body::from("--b\r\nnonsense")).await.problem(400);
        house.app.disk.hold(0.01);
        upload(&house.admin, "a.png", "image/png", &whole).await.problem(503);
    })
    .await;
}

#[tokio::test]
async fn files_go_out_with_messages() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "Send me photos").await;
        let (place, _) = shop.newest().await;
        let path = format!("/api/conversations/{}/messages", place["id"].as_str().unwrap());
        let photo = upload(&shop.house.admin, "kitchen.png", "image/png", &png(30, 20)).await.ok();
        let note = upload(&shop.house.admin, "note.ogg", "audio/ogg", &ogg()).await.ok();
        let paper = upload(&shop.house.admin, "lease.pdf", "application/pdf", b"%PDF-1.7 lease").await.ok();
        assert_eq!(note["mime"], "audio/ogg; codecs=opus");
        let long = "x".repeat(1025);
        let too_long = json!({ "kind": "image", "mediaId": photo["id"], "body": long });
        assert_eq!(shop.who.post(&path, too_long).await.fields(), ["/body"]);
        let wrong = json!({ "kind": "voice", "mediaId": photo["id"] });
        assert_eq!(shop.who.post(&path, wrong).await.fields(), ["/kind"]);
        for (kind, media, body) in
            [("image", &photo, Some("The kitchen")), ("voice", &note, None), ("document", &paper, Some("The lease"))]
        {
            let asked = json!({ "kind": kind, "mediaId": media["id"], "body": body });
            let sent = shop.who.post(&path, asked).await.ok();
            assert_eq!((&sent["media"]["id"], &sent["kind"]), (&media["id"], &json!(kind)));
        }
        shop.house.run_jobs().await;
        let sent = shop.effects().await;
        let kinds: Vec<_> = sent.iter().map(|one| one["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["image", "voice", "document"], "{sent:?}");
        assert_eq!(sent[0]["body"], "The kitchen");
        let (listed, thread) = shop.newest().await;
        assert!(thread.iter().skip(1).all(|message| message["state"] == "sent"), "{thread:?}");
        assert_eq!(listed["lastMessage"]["preview"], "The lease");
    })
    .await;
}

async fn photo_arrives(shop: &Shop) -> Value {
    let file = json!({ "mimetype": "image/png", "data": STANDARD.encode(png(64, 48)), "filename": "house.png" });
    let sent = json!({ "from": ASHA, "name": "Asha", "kind": "image", "body": "Our house", "file": file });
    shop.control(&format!("numbers/{OWN}/messages"), sent).await;
    shop.until(async || shop.inbox().await.pop()).await
}

#[tokio::test]
async fn a_photo_comes_in_and_is_kept() {
    in_an_open_shop(async |shop| {
        let place = photo_arrives(&shop).await;
        let message = shop
            .until(async || shop.thread(&place).await.pop().filter(|message| message["media"]["state"] == "ready"))
            .await;
        assert_eq!((&message["kind"], &message["body"]), (&json!("image"), &json!("Our house")));
        assert_eq!((&message["media"]["width"], &message["media"]["height"]), (&json!(64), &json!(48)));
        assert!(
            message["content"].get("media").is_none(),
            "where the gateway keeps it is nobody's business: {message}"
        );
        assert_eq!(fetch(&shop.house.admin, &message["media"]).await.body, png(64, 48));
        assert_eq!(place["lastMessage"]["preview"], "Our house");
    })
    .await;
}

#[tokio::test]
async fn a_photo_that_cannot_be_fetched_says_so_and_can_be_asked_for_again() {
    in_an_open_shop(async |shop| {
        let gone = json!({ "kind": "answer", "status": 404, "body": { "message": "File not found" } });
        shop.control("faults", json!({ "on": { "path": "/api/files/*" }, "do": gone })).await;
        shop.control("faults", json!({ "on": { "path": "/api/*/chats/*" }, "do": gone })).await;
        let place = photo_arrives(&shop).await;
        let waits = async |state: &str| {
            let last = shop.thread(&place).await.pop()?;
            shop.house.wait(std::time::Duration::from_secs(60));
            (last["media"]["state"] == state).then_some(last)
        };
        let failed = shop.until(async || waits("failed").await).await;
        assert!(failed["media"]["error"].is_string(), "{failed}");
        let path = failed["media"]["url"].as_str().unwrap().to_owned();
        assert_eq!(shop.who.get(&path).await.problem(409), "media-failed");
        reqwest::Client::new().delete(format!("{}/control/faults", shop.waha.url())).send().await.unwrap();
        assert_eq!(shop.who.post(&format!("{path}/fetch"), json!({})).await.ok()["state"], "pending");
        shop.until(async || waits("ready").await).await;
        assert_eq!(shop.who.get(&path).await.body, png(64, 48));
    })
    .await;
}

/// An upload over real HTTP that goes as slowly as `pace` says; the answer's status line.
async fn slowly(house: &House, pace: impl AsyncFn(&mut tokio::net::TcpStream)) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let at = house.listen().await;
    let mut line = tokio::net::TcpStream::connect(at).await.unwrap();
    let key = house.admin.headers["authorization"].to_str().unwrap();
    let head = format!(
        "POST /api/media HTTP/1.1\r\nhost: {at}\r\nauthorization: {key}\r\ncontent-type: multipart/form-data; boundary=b\r\n\
         content-length: 1000000\r\n\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
         content-type: text/plain\r\n\r\n"
    );
    line.write_all(head.as_bytes()).await.unwrap();
    line.write_all(&[b'a'; 20_000]).await.unwrap();
    pace(&mut line).await;
    let mut answer = vec![0; 64];
    let read = tokio::time::timeout(Duration::from_secs(20), line.read(&mut answer)).await;
    let length = read.expect("an answer in time").unwrap();
    String::from_utf8_lossy(&answer[..length]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_upload_may_be_slow_but_neither_stand_still_nor_last_for_ever() {
    let limits = [("INDABA_LIMITS_REQUEST_S", "1"), ("INDABA_LIMITS_UPLOAD_S", "3")];
    each_db_with(&limits, async |house| {
        use tokio::io::AsyncWriteExt;
        let files = |house: &House| files(&house.app.config.data_dir.join("blobs")).len();
        let before = files(&house);
        let still = slowly(&house, async |_| ()).await;
        assert!(still.contains("400"), "{still}");
        let trickles = slowly(&house, async |line| {
            for _ in 0..8 {
                tokio::time::sleep(Duration::from_millis(500)).await;
                if line.write_all(b"a").await.is_err() {
                    return;
                }
            }
        });
        let trickles = trickles.await;
        assert!(trickles.contains("408"), "{trickles}");
        assert_eq!(files(&house), before, "nothing is left of them");
    })
    .await;
}

fn files(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
