//! Link previews: what a page says of itself is shown with the text that links to it, and a hostile page does no harm.
use crate::support::{ASHA, Shop, in_a_shop, in_a_shop_with, written};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use futures_util::stream;
use indaba::{blobs::BlobKey, http::Role};
use serde_json::{Value, json};
use std::{
    io::Cursor,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The open web: pages on this machine, which the operator has listed.
const LISTED: &[(&str, &str)] = &[("INDABA_LINKS_PRIVATE_HOSTS", "127.0.0.1")];

#[derive(Clone, Default)]
struct Web {
    asked: Arc<AtomicUsize>,
}

impl Web {
    /// Starts it; where it answers.
    async fn start(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/{page}", get(page)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn html(text: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, "text/html")], text.into()).into_response()
}

fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let drawn = image::RgbaImage::from_fn(width, height, |x, y| image::Rgba([x as u8, y as u8, 7, 200]));
    drawn.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

const FLAT: &str = r#"<html><head><title>No</title><meta property="og:title" content="A flat &amp; a garden">
    <meta property="og:site_name" content="Kusasa"><meta name="description" content="Two rooms, one dog.">
    <meta property="og:image" content="photo.png"></head><body>"#;

async fn page(State(web): State<Web>, Path(page): Path<String>) -> Response {
    web.asked.fetch_add(1, Ordering::SeqCst);
    let png = |bytes: Vec<u8>| ([(header::CONTENT_TYPE, "image/png")], bytes).into_response();
    let pictured = |name: &str| html(format!("<title>{name}</title><meta property=og:image content={name}>"));
    match page.as_str() {
        "flat" => html(FLAT),
        "photo.png" => png(picture(1_600, 900)),
        "moved" => Redirect::temporary("/flat").into_response(),
        "loop" => Redirect::temporary("/loop").into_response(),
        "inside" => Redirect::temporary("http://10.0.0.1/flat").into_response(),
        "metadata" => Redirect::temporary("http://169.254.169.254/latest/meta-data").into_response(),
        "file" => ([(header::LOCATION, "file:///etc/passwd")], axum::http::StatusCode::FOUND).into_response(),
        // ten megabytes of it, and then for ever
        "long" => html(Body::from_stream(stream::iter(
            std::iter::once(Ok::<_, std::io::Error>(Bytes::from("<title>Long</title>")))
                .chain((0..).map(|_| Ok(Bytes::from(vec![b' '; 1 << 20])))),
        ))),
        "late" => html(format!("{}<title>Too late</title>", " ".repeat(600 * 1024))),
        "script" => html("<title><script>alert(document.cookie)</script></title>"),
        "charset" => {
            let page = b"<title>Caf\xe9 \xff\xfe</title>".to_vec();
            ([(header::CONTENT_TYPE, "text/html; charset=klingon")], page).into_response()
        }
        "nothing" => html("<p>no title</p>"),
        "json" => ([(header::CONTENT_TYPE, "application/json")], "{}").into_response(),
        "broken" => (axum::http::StatusCode::INTERNAL_SERVER_ERROR, html("<title>Broken</title>")).into_response(),
        "svg" => pictured("drawing.svg"),
        "drawing.svg" => ([(header::CONTENT_TYPE, "image/svg+xml")], "<svg onload='alert(1)'/>").into_response(),
        "liar" => pictured("liar.png"),
        "liar.png" => png(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec()),
        "bomb" => pictured("bomb.png"),
        "bomb.png" => {
            let mut bytes = picture(40, 40);
            bytes[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
            png(bytes)
        }
        "dot" => pictured("dot.png"),
        "dot.png" => png(picture(1, 1)),
        "heavy" => pictured("heavy.png"),
        "heavy.png" => png(vec![0x89; 4 << 20]),
        "cookie" => {
            let mut answer = html(FLAT);
            answer.headers_mut().insert(header::SET_COOKIE, "a=b".parse().unwrap());
            answer
        }
        _ => axum::http::StatusCode::NOT_FOUND.into_response(),
    }
}

async fn switch(shop: &Shop, on: bool) {
    let changed = shop.who.patch("/api/tenant", json!({ "linkPreviews": on })).await.ok();
    assert_eq!(changed["linkPreviews"], on);
}

/// What is shown of the link of the newest message.
async fn preview(shop: &Shop) -> Value {
    shop.newest().await.1.pop().expect("a message")["content"]["preview"].clone()
}

#[tokio::test]
async fn a_page_is_shown_with_the_text_that_links_to_it() {
    in_a_shop_with(LISTED, async |shop| {
        let web = Web::default();
        let at = web.start().await;
        shop.receive(ASHA, "A1", &format!("http://{at}/flat")).await;
        assert_eq!((preview(&shop).await, web.asked()), (Value::Null, 0), "nobody has switched it on");

        switch(&shop, true).await;
        shop.receive(ASHA, "A2", &format!("Is this free? http://{at}/moved, I like it")).await;
        let shown = preview(&shop).await;
        assert_eq!(shown["url"], format!("http://{at}/moved"));
        assert_eq!((&shown["title"], &shown["site"]), (&json!("A flat & a garden"), &json!("Kusasa")));
        assert_eq!(shown["description"], "Two rooms, one dog.");
        assert_eq!((&shown["picture"]["width"], &shown["picture"]["height"]), (&json!(640), &json!(360)));
        let file = format!("/api/media/{}", shown["picture"]["id"].as_str().unwrap());
        let bytes = shop.who.get(&file).await;
        assert_eq!((bytes.status.as_u16(), &bytes.headers["content-type"]), (200, &"image/jpeg".parse().unwrap()));
        assert_eq!(shop.house.stranger().await.get(&file).await.status, 404);
        let events = shop.who.get("/api/jobs?kind=message.preview").await.ok();
        assert_eq!(events["items"].as_array().unwrap().len(), 1, "{events}");

        // ours, too; and a page is asked once for a message
        let place = shop.newest().await.0;
        let path = format!("/api/conversations/{}/messages", place["id"].as_str().unwrap());
        let before = web.asked();
        shop.who.post(&path, json!({ "kind": "text", "body": format!("See http://{at}/flat") })).await.ok();
        shop.house.run_jobs().await;
        shop.house.run_jobs().await;
        let ours = shop.thread(&place).await.into_iter().find(|one| one["direction"] == "outbound").unwrap();
        assert_eq!(ours["content"]["preview"]["title"], "A flat & a garden");
        assert_eq!(web.asked() - before, 2, "the page and its picture");

        switch(&shop, false).await;
        shop.receive(ASHA, "A3", &format!("http://{at}/flat?again")).await;
        assert_eq!(web.asked() - before, 2);
    })
    .await;
}

#[tokio::test]
async fn other_words_have_another_preview_and_words_taken_back_have_none() {
    in_a_shop_with(LISTED, async |shop| {
        let at = Web::default().start().await;
        switch(&shop, true).await;
        shop.receive(ASHA, "A1", &format!("http://{at}/flat")).await;
        assert!(preview(&shop).await.is_object());
        let edited = |id: &str, text: &str| {
            let mut payload = written(ASHA, id, text);
            payload["editedMessageId"] = json!("A1");
            payload
        };
        shop.tell("message.edited", edited("E1", &format!("http://{at}/script"))).await;
        shop.house.run_jobs().await;
        assert_eq!(preview(&shop).await["title"], "<script>alert(document.cookie)</script>", "a text like any other");
        shop.tell("message.edited", edited("E2", "No link any more")).await;
        shop.house.run_jobs().await;
        assert_eq!(preview(&shop).await, Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_picture_that_is_not_shown_any_more_is_removed() {
    in_a_shop_with(LISTED, async |shop| {
        let at = Web::default().start().await;
        switch(&shop, true).await;
        let picture = async || preview(&shop).await["picture"]["id"].as_str().unwrap().to_owned();
        let edited = async |id: &str, page: &str| {
            let mut payload = written(ASHA, id, &format!("http://{at}/{page}"));
            payload["editedMessageId"] = json!("A1");
            shop.tell("message.edited", payload).await;
            shop.house.run_jobs().await;
        };
        // its row and its bytes
        let there = async |id: &str| {
            let bytes = shop.who.get(&format!("/api/media/{id}")).await.status == 200;
            let key = BlobKey::new(shop.house.tenant, shop.house.app.clock.now(), id);
            assert_eq!(shop.house.app.blobs.bytes(&key).await.is_ok(), bytes, "{id}");
            bytes
        };
        shop.receive(ASHA, "A1", &format!("http://{at}/flat")).await;
        let first = picture().await;
        assert!(there(&first).await);
        edited("E1", "flat?another").await;
        let second = picture().await;
        assert!(!there(&first).await && there(&second).await);

        // somebody has sent it on: it is theirs, too
        let path = format!("/api/conversations/{}/messages", shop.newest().await.0["id"].as_str().unwrap());
        assert_eq!(shop.who.post(&path, json!({ "kind": "image", "mediaId": second })).await.status, 201);
        edited("E2", "script").await;
        assert!(there(&second).await);
        edited("E3", "flat").await;
        let last = shop.thread(&shop.newest().await.0).await[0]["content"]["preview"]["picture"]["id"].clone();
        let last = last.as_str().unwrap();
        assert!(there(last).await);
        shop.tell("message.revoked", json!({ "after": written(ASHA, "V1", ""), "revokedMessageId": "A1" })).await;
        shop.house.run_jobs().await;
        assert!(!there(last).await && there(&second).await);
        assert_eq!(shop.who.get("/api/jobs?state=dead").await.ok()["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn other_words_below_a_photo_have_no_preview() {
    in_a_shop_with(LISTED, async |shop| {
        let web = Web::default();
        let at = web.start().await;
        switch(&shop, true).await;
        let mut photo = written(ASHA, "A1", "Look");
        photo["hasMedia"] = json!(true);
        photo["media"] = json!({ "mimetype": "image/jpeg" });
        shop.tell("message.any", photo).await;
        let mut edited = written(ASHA, "E1", &format!("http://{at}/flat"));
        edited["editedMessageId"] = json!("A1");
        shop.tell("message.edited", edited).await;
        shop.house.run_jobs().await;
        let message = shop.newest().await.1.pop().expect("a message");
        assert_eq!((&message["kind"], &message["body"]), (&json!("image"), &json!(format!("http://{at}/flat"))));
        assert_eq!((&message["content"]["preview"], web.asked()), (&Value::Null, 0));
    })
    .await;
}

#[tokio::test]
async fn hostile_pages_are_shown_as_links_alone() {
    in_a_shop_with(LISTED, async |shop| {
        let web = Web::default();
        let at = web.start().await;
        switch(&shop, true).await;
        for (n, name) in
            ["loop", "inside", "metadata", "file", "late", "nothing", "json", "broken", "missing"].iter().enumerate()
        {
            shop.receive(ASHA, &format!("A{n}"), &format!("http://{at}/{name}")).await;
            assert_eq!(preview(&shop).await, Value::Null, "{name}");
        }
        for (n, (name, title)) in [
            ("long", "Long"),
            ("charset", "Caf\u{fffd} \u{fffd}\u{fffd}"),
            ("svg", "drawing.svg"),
            ("liar", "liar.png"),
            ("bomb", "bomb.png"),
            ("dot", "dot.png"),
            ("heavy", "heavy.png"),
        ]
        .iter()
        .enumerate()
        {
            shop.receive(ASHA, &format!("B{n}"), &format!("http://{at}/{name}")).await;
            let shown = preview(&shop).await;
            assert_eq!((&shown["title"], &shown["picture"]), (&json!(title), &Value::Null), "{name}");
        }
        shop.receive(ASHA, "C1", &format!("http://user:secret@{at}/flat")).await;
        assert_eq!(preview(&shop).await, Value::Null, "nobody's password is sent anywhere");
        shop.receive(ASHA, "C2", "http://127.0.0.1:1/closed").await;
        assert_eq!(preview(&shop).await, Value::Null);
        let dead = shop.who.get("/api/jobs?state=dead").await.ok();
        assert_eq!(dead["items"], json!([]), "a bad page is no defect of ours");
    })
    .await;
}

#[tokio::test]
async fn what_the_operator_opened_for_gateways_is_not_open_for_links() {
    // private_hosts has 127.0.0.1 in every story: the gateways are there
    in_a_shop(async |shop| {
        let web = Web::default();
        let at = web.start().await;
        switch(&shop, true).await;
        let port = at.port();
        for (n, host) in
            ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "localtest.localhost"]
                .iter()
                .enumerate()
        {
            shop.receive(ASHA, &format!("A{n}"), &format!("http://{host}:{port}/flat")).await;
            assert_eq!((preview(&shop).await, web.asked()), (Value::Null, 0), "{host}");
        }
    })
    .await;
}

#[tokio::test]
async fn admins_switch_it_and_the_operator_may_forbid_it() {
    in_a_shop(async |shop| {
        let me = shop.house.admin.get("/api/me").await.ok();
        assert_eq!(me["tenant"]["linkPreviews"], false, "off until somebody says so");
        let manager = shop.house.key(Role::Manager).await;
        manager.patch("/api/tenant", json!({ "linkPreviews": true })).await.problem(403);
        assert_eq!(shop.who.patch("/api/tenant", json!({ "linkPreviews": "yes" })).await.fields(), ["/linkPreviews"]);
        switch(&shop, true).await;
        assert_eq!(shop.house.admin.get("/api/me").await.ok()["tenant"]["linkPreviews"], true);
    })
    .await;
    in_a_shop_with(&[("INDABA_LINKS_PREVIEWS", "false")], async |shop| {
        let refused = shop.who.patch("/api/tenant", json!({ "linkPreviews": true })).await;
        assert_eq!(refused.problem(409), "not-offered");
    })
    .await;
}
