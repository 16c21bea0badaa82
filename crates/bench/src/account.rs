//! A workspace to measure in, made as a person would make it: signed up over HTTP, with a number that is linked at the simulator.
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::Duration;

/// Who signs in, and with what.
#[derive(Clone, Debug)]
pub struct Account {
    /// The domain is reserved: nothing can ever be sent there (RFC 2606).
    pub email: String,
    /// For the sign-in page.
    pub password: String,
    /// An admin's API key.
    pub key: String,
    /// The workspace.
    pub tenant: String,
    /// The person.
    pub user: String,
}

/// A number, and what its gateway signs with.
#[derive(Clone, Debug)]
pub struct Number {
    /// Its id.
    pub id: String,
    /// The gateway's name of it.
    pub session: String,
    /// The path of its hook URL.
    pub hook_path: String,
    /// Signs its hooks.
    pub secret: String,
}

fn http() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build()?)
}

async fn post(url: &str, key: &str, body: Value) -> Result<Value> {
    let answer = http()?.post(url).bearer_auth(key).json(&body).send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    ensure!(status.is_success(), "{url}: {status} {text}");
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

fn text(of: &Value) -> Result<String> {
    Ok(of.as_str().with_context(|| format!("a text, not {of}"))?.to_owned())
}

impl Account {
    /// Signs up at the server, whose database has nobody yet.
    pub async fn sign_up(url: &str) -> Result<Account> {
        let (email, password) = ("bench@indaba.example".to_owned(), "measured twice, cut once".to_owned());
        let form = json!({ "email": email, "password": password, "name": "Naledi Dube", "tenantName": "Bench", "country": "ZA",
                           "timeZone": "Africa/Johannesburg" });
        let answer = http()?.post(format!("{url}/api/auth/sign-up")).json(&form).send().await?;
        let status = answer.status();
        let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
        let token = cookies
            .filter_map(|cookie| cookie.strip_prefix("indaba_access=")?.split(';').next())
            .next()
            .map(str::to_owned);
        let session: Value = answer.json().await.unwrap_or_default();
        let token = token.with_context(|| format!("sign-up: {status} {session}"))?;
        let key = post(&format!("{url}/api/api-keys"), &token, json!({ "name": "bench", "role": "admin" })).await?;
        let (tenant, user) = (text(&session["tenant"]["id"])?, text(&session["user"]["id"])?);
        Ok(Account { email, password, key: text(&key["key"])?, tenant, user })
    }
}

impl Number {
    /// Makes a number at the simulator, whose only one it is, and scans its code.
    pub async fn link(url: &str, key: &str, gateway: &str) -> Result<Number> {
        let settings = json!({ "url": gateway, "apiKey": "simulator" });
        let made = post(
            &format!("{url}/api/instances"),
            key,
            json!({ "provider": "waha", "name": "Sales", "settings": settings }),
        )
        .await?;
        let sessions =
            http()?.get(format!("{gateway}/api/sessions?all=true")).header("x-api-key", "simulator").send().await?;
        let session = sessions.json::<Value>().await?[0].take();
        let (name, hook) = (text(&session["name"])?, &session["config"]["webhooks"][0]);
        let hook_url: url::Url = text(&hook["url"])?.parse()?;
        let scan = json!({ "phone": "27820001000", "pushName": "Bench" });
        post(&format!("{gateway}/control/sessions/{name}/scan"), "", scan).await?;
        Ok(Number {
            id: text(&made["id"])?,
            session: name,
            hook_path: hook_url.path().to_owned(),
            secret: text(&hook["hmac"]["key"])?,
        })
    }

    /// Waits until the server knows that the number is linked; somebody must do its jobs.
    pub async fn connected(&self, url: &str, key: &str) -> Result<()> {
        for _ in 0..200 {
            let now: Value =
                http()?.get(format!("{url}/api/instances/{}", self.id)).bearer_auth(key).send().await?.json().await?;
            if now["state"] == "connected" {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the number was not connected within 10 s")
    }
}
