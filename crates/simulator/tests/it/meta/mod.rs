//! Meta, held against Meta's own examples and against the test data of a client that follows them. Shapes are compared, not values.

mod calls;
mod hooks;
mod odd;
mod requests;

use std::{fs, path::PathBuf};

use axum::{Router, extract::RawQuery, http::StatusCode, routing::get};
use serde_json::{Value, json};

use crate::house::House;

/// A customer who has written.
pub const ASHA: &str = "27820001001";
/// The number.
pub const PHONE: &str = "27820001000";

/// One example of a file, as it was.
pub fn examples(file: &str) -> Vec<Value> {
    // The provider's fixtures: one copy for both sides.
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../providers/fixtures/cloud")).join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The example of this name.
pub fn example(file: &str, case: &str) -> Value {
    examples(file).into_iter().find(|one| one["case"] == case).unwrap_or_else(|| panic!("{file} has no {case}"))
}

/// A number whose hooks come to the house's receiver, and what its owner would know.
pub struct Meta {
    pub house: House,
    pub number: String,
    pub waba: String,
    pub app: String,
    pub secret: String,
    token: String,
}

impl Meta {
    pub async fn new(more: Value) -> Meta {
        let house = House::new().await;
        let mut new = json!({"phone": PHONE, "name": "Demo Shop", "callbackUrl": house.hooks.url, "verifyToken": "vt"});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = house.good("POST", "/control/cloud/numbers", new).await;
        let word = |key: &str| made[key].as_str().unwrap().to_owned();
        let (number, waba, app) = (word("phoneNumberId"), word("wabaId"), word("appId"));
        Meta { house, number, waba, app, secret: word("appSecret"), token: word("accessToken") }
    }

    /// The same, and Asha has written.
    pub async fn warm() -> Meta {
        let meta = Meta::new(json!({"rules": {"pairBurst": null, "perSecond": null}})).await;
        meta.writes(json!({"body": "Hello"})).await;
        meta
    }

    /// A call with the token: status and JSON.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/graph/v26.0/{path}", self.house.simulator.url());
        let mut request = self.house.client.request(method.parse().unwrap(), url).bearer_auth(&self.token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json; charset=UTF-8", "{path}");
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert!(text.is_ascii(), "{text}");
        (status, serde_json::from_str(&text).unwrap())
    }

    /// A call that must succeed.
    pub async fn good(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, body.clone()).await;
        assert_eq!(status, 200, "{method} {path} {body}: {answer}");
        answer
    }

    /// Sends something from the number.
    pub async fn sends(&self, kind: &str, content: Value) -> String {
        let body = json!({"messaging_product": "whatsapp", "to": ASHA, "type": kind, kind: content});
        let sent = self.good("POST", &format!("{}/messages", self.number), body).await;
        sent["messages"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Asha writes; the message as the control API has it.
    pub async fn writes(&self, mut body: Value) -> Value {
        body["from"] = ASHA.into();
        body["name"] = "Asha".into();
        self.house.good("POST", &format!("/control/numbers/{PHONE}/messages"), body).await
    }

    /// Something of the control API, about the number.
    pub async fn said(&self, rest: &str, body: Value) -> Value {
        self.house.good("POST", &format!("/control/cloud/numbers/{}{rest}", self.number), body).await
    }

    /// Uploads a file; its id.
    pub async fn upload(&self, mime: &str) -> String {
        let part = reqwest::multipart::Part::bytes(&b"a file's bytes"[..]).file_name("a.bin").mime_str(mime).unwrap();
        // the file before the rest: order does not matter
        let form = reqwest::multipart::Form::new().part("file", part).text("messaging_product", "whatsapp");
        let url = format!("{}/graph/v26.0/{}/media", self.house.simulator.url(), self.number);
        let answer = self.house.client.post(url).bearer_auth(&self.token).multipart(form).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub fn bearer(&self) -> &str {
        &self.token
    }
}

/// A URL for hooks where the word is `vt`.
pub async fn callback() -> String {
    let shake = async |RawQuery(query): RawQuery| {
        let query = query.unwrap_or_default();
        let challenge = query.split('&').find_map(|pair| pair.strip_prefix("hub.challenge="));
        let fits = query.contains("hub.mode=subscribe") && query.contains("hub.verify_token=vt");
        if fits { challenge.unwrap_or_default().to_owned() } else { "no".to_owned() }
    };
    let routes = Router::new().route("/good", get(shake).post(async || StatusCode::OK));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/good", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

/// What of `was` is not in `is`, or is of another kind: paths.
pub fn lacks(was: &Value, is: &Value, at: &str, out: &mut Vec<String>) {
    match (was, is) {
        (Value::Object(was), Value::Object(is)) => {
            for (key, value) in was {
                match is.get(key) {
                    None => out.push(format!("{at}/{key}")),
                    Some(there) => lacks(value, there, &format!("{at}/{key}"), out),
                }
            }
        }
        (Value::Array(was), Value::Array(is)) => {
            for value in was {
                match is.first() {
                    None => out.push(format!("{at}[]")),
                    Some(there) => lacks(value, there, &format!("{at}[]"), out),
                }
            }
        }
        (was, is) if std::mem::discriminant(was) != std::mem::discriminant(is) => out.push(format!("{at} is {is}")),
        _ => {}
    }
    out.sort();
    out.dedup();
}
