//! The server as a process of its own.
use super::place::Place;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::{
    fs::File,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A running server.
pub struct Server {
    child: Child,
    /// Where it answers.
    pub url: String,
    place: Place,
}

impl Server {
    /// Starts it on the same directory as before, on a free port, and waits until it is ready.
    pub async fn start(dir: &Path, place: &Place, gateway: &str) -> Result<Server> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let url = format!("http://127.0.0.1:{port}");
        let log = File::options().create(true).append(true).open(dir.join("server.log"))?;
        let child = Command::new(env!("CARGO_BIN_EXE_indaba"))
            .arg("serve")
            .env("INDABA_DATA_DIR", dir.join("data"))
            .env("INDABA_LISTEN", format!("127.0.0.1:{port}"))
            // hooks find the way after a restart on another port too: the load posts them itself
            .env("INDABA_PUBLIC_URL", &url)
            .env("INDABA_PRIVATE_HOSTS", gateway.trim_start_matches("http://"))
            .env("INDABA_LIMITS_USER_PER_MINUTE", "1000000")
            .env("INDABA_LIMITS_TENANT_PER_MINUTE", "1000000")
            .env("INDABA_LIMITS_HOOKS_PER_MINUTE", "1000000")
            .env("INDABA_PACE_LINKED_MIN_MS", "0")
            .env("INDABA_PACE_LINKED_MAX_MS", "0")
            .env("INDABA_PACE_NEW_CHATS_PER_DAY", "1000000")
            .env("INDABA_SENDING_UNKNOWN_AFTER_S", "1")
            .env("INDABA_JOBS_LEASE_S", "2")
            .envs(place.database_url()?.map(|url| ("INDABA_DATABASE_URL", url)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("start the server")?;
        let mut server = Server { child, url, place: place.clone() };
        let until = Instant::now() + Duration::from_secs(30);
        while get(&format!("{}/api/health/ready", server.url), None).await.is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended with {status}; see server.log");
            }
            ensure!(Instant::now() < until, "the server was not ready within 30 s");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }

    /// SIGKILL, and the process is gone when this returns.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM; it must end by itself within 10 s.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "a graceful stop ended with {status}");
                return Ok(());
            }
            ensure!(Instant::now() < until, "a graceful stop took more than 10 s");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until no job is ready or running and no message is on its way.
    pub async fn settle(&self, account: &Account) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            let summary = get(&format!("{}/api/jobs/summary", self.url), Some(&account.key)).await?;
            let waiting: u64 = summary["kinds"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|kind| kind["kind"] != "instance.sync_status")
                .map(|kind| kind["ready"].as_u64().unwrap_or(0) + kind["running"].as_u64().unwrap_or(0))
                .sum();
            let moving = self
                .place
                .look()?
                .outbound
                .values()
                .filter(|state| ["queued", "sending"].contains(&state.as_str()))
                .count();
            if waiting == 0 && moving == 0 {
                return Ok(());
            }
            ensure!(
                Instant::now() < until,
                "after two minutes {waiting} jobs wait and {moving} messages move: {summary}"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A workspace with one linked number, and what its gateway signs with.
#[derive(Clone)]
pub struct Account {
    /// An admin's API key.
    pub key: String,
    /// The gateway's name of it.
    pub session: String,
    /// Path of the number's hook URL; the server's port changes with each start.
    pub hook_path: String,
    /// Signs the number's hooks.
    pub secret: String,
}

impl Account {
    /// Signs up, makes a number at the simulator and scans its code.
    pub async fn make(server: &Server, gateway: &str) -> Result<Account> {
        let http = reqwest::Client::builder().build()?;
        let up = http
            .post(format!("{}/api/auth/sign-up", server.url))
            .json(&json!({ "email": "owner@example.com", "password": "a long enough passphrase", "name": "Owner", "tenantName": "Crash" }))
            .send()
            .await?;
        ensure!(up.status() == 201, "sign-up: {} {}", up.status(), up.text().await?);
        let cookies: Vec<String> = up
            .headers()
            .get_all("set-cookie")
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next().map(str::to_owned))
            .collect();
        let made = http
            .post(format!("{}/api/api-keys", server.url))
            .header("cookie", cookies.join("; "))
            .header("origin", &server.url)
            .json(&json!({ "name": "crash", "role": "admin" }))
            .send()
            .await?;
        let key = made.json::<Value>().await?["key"].as_str().context("an API key")?.to_owned();
        let number = post(
            &format!("{}/api/instances", server.url),
            &key,
            json!({ "provider": "waha", "name": "Sales", "settings": { "url": gateway, "apiKey": "simulator" } }),
        )
        .await?;
        let instance = number["id"].as_str().context("an instance")?.to_owned();
        let sessions =
            http.get(format!("{gateway}/api/sessions?all=true")).header("x-api-key", "simulator").send().await?;
        let session = sessions.json::<Value>().await?[0].take();
        let name = session["name"].as_str().context("a session at the gateway")?.to_owned();
        let hook = &session["config"]["webhooks"][0];
        let hook_url: url::Url = hook["url"].as_str().context("a hook URL")?.parse()?;
        let secret = hook["hmac"]["key"].as_str().context("a signing key")?.to_owned();
        control(gateway, &format!("sessions/{name}/scan"), json!({ "phone": "27820001000", "pushName": "Crash" }))
            .await?;
        until(&format!("{}/api/instances/{instance}", server.url), &key, "state", "connected").await?;
        Ok(Account { key, session: name, hook_path: hook_url.path().to_owned(), secret })
    }
}

/// Asks until a field of what is there has this value.
async fn until(url: &str, key: &str, field: &str, value: &str) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(20);
    while get(url, Some(key)).await?[field] != value {
        ensure!(Instant::now() < until, "{url}: {field} was not {value} within 20 s");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// POST to the simulator's control API.
pub async fn control(gateway: &str, path: &str, body: Value) -> Result<Value> {
    let answer = reqwest::Client::new().post(format!("{gateway}/control/{path}")).json(&body).send().await?;
    ensure!(answer.status().is_success(), "control/{path}: {} {}", answer.status(), answer.text().await?);
    Ok(answer.json().await.unwrap_or_default())
}

/// GET from the simulator's control API.
pub async fn control_get(gateway: &str, path: &str) -> Result<Value> {
    get(&format!("{gateway}/control/{path}"), None).await
}

/// GET, as JSON.
pub async fn get(url: &str, key: Option<&str>) -> Result<Value> {
    let mut request = reqwest::Client::new().get(url).timeout(Duration::from_secs(10));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let answer = request.send().await?;
    ensure!(answer.status().is_success(), "{url}: {}", answer.status());
    Ok(answer.json().await.unwrap_or_default())
}

/// POST with an API key, as JSON.
pub async fn post(url: &str, key: &str, body: Value) -> Result<Value> {
    let answer =
        reqwest::Client::new().post(url).bearer_auth(key).json(&body).timeout(Duration::from_secs(20)).send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    ensure!(status.is_success(), "{url}: {status} {text}");
    Ok(serde_json::from_str(&text).unwrap_or_default())
}
