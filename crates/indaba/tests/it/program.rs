//! The program itself: how it starts, refuses to, and stops.
use crate::support::{PASSWORD, ScratchDir, scratch_dir};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStderr, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// `indaba`, in a directory of its own, and nothing else in its environment.
fn indaba(dir: &ScratchDir, words: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_indaba"));
    command.args(words).env_clear().env("INDABA_DATA_DIR", dir.to_str().unwrap()).env("INDABA_LISTEN", "127.0.0.1:0");
    command.envs(settings.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    command
}

/// What a run that ends by itself says.
fn run(dir: &ScratchDir, words: &[&str], settings: &[(&str, &str)]) -> (bool, String) {
    let Output { status, stdout, stderr } = indaba(dir, words, settings).output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

/// A server that runs; killed if its story ends early.
struct Server {
    child: Child,
    log: BufReader<ChildStderr>,
    url: String,
}

impl Server {
    fn start(dir: &ScratchDir, words: &[&str], settings: &[(&str, &str)]) -> Server {
        let mut child = indaba(dir, words, settings).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut server = Server { child, log, url: String::new() };
        let ready = server.line(|line| line["message"].as_str().is_some_and(|text| text.starts_with("ready at ")));
        server.url = format!("http://{}", ready["listen"].as_str().unwrap());
        server
    }

    /// The next line of the log like this.
    fn line(&mut self, like: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut text = String::new();
            assert!(self.log.read_line(&mut text).unwrap() > 0, "the log ended");
            let line: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
            if like(&line) {
                return line;
            }
        }
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        client().get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    /// SIGTERM; how long it took to end, and whether it ended well.
    fn stop(mut self) -> (bool, Duration) {
        let start = Instant::now();
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        let ended = self.child.wait().unwrap();
        (ended.success(), start.elapsed())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client() -> reqwest::Client {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn sign_up(server: &Server, id: &str) -> String {
    let form =
        json!({ "email": "asha@example.com", "password": PASSWORD, "name": "Asha", "tenantName": "Asha Estates" });
    let asked = client().post(format!("{}/api/auth/sign-up", server.url)).header("x-request-id", id).json(&form);
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    cookie.split(['=', ';']).nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn it_starts_answers_logs_and_stops() {
    let dir = scratch_dir();
    let mut server = Server::start(&dir, &["serve"], &[("INDABA_METRICS_LISTEN", "127.0.0.1:0")]);
    assert_eq!(server.get("/api/health/ready").await.status(), 200);
    sign_up(&server, "story-7").await;
    let line = server.line(|line| line["span"]["request.id"] == "story-7");
    assert_eq!((&line["route"], &line["status"]), (&json!("/api/auth/sign-up"), &json!(201)), "{line}");
    assert!(!line.to_string().contains("asha"), "{line}");

    let (done, told) = run(&dir, &["serve"], &[]);
    assert!(!done && told.contains("Another Indaba server"), "a second server on the same directory: {told}");

    // a connection that asks nothing does not hold it up
    let _idle = std::net::TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let (well, took) = server.stop();
    assert!(well && took < Duration::from_secs(10), "{took:?}");
    let again = Server::start(&dir, &["serve"], &[]);
    let sign_in = json!({ "email": "asha@example.com", "password": PASSWORD });
    let answer = client().post(format!("{}/api/auth/sign-in", again.url)).json(&sign_in).send().await.unwrap();
    assert_eq!(answer.status(), 200, "everything is still there");
}

#[tokio::test]
async fn a_key_that_the_database_does_not_know_is_refused_until_it_is_beside_the_old_one() {
    let dir = scratch_dir();
    let (old, new) = ("an old key with thirty-two letters", "a newer key with thirty-two letters");
    let both = format!("{new},{old}");
    let settings = |key: &'static str| [("INDABA_SECRET_KEY", key)];
    Server::start(&dir, &["serve"], &settings(old)).stop();
    for words in [&["serve"][..], &["reseal"], &["operator", "asha@example.com"]] {
        let (done, told) = run(&dir, words, &settings(new));
        assert!(!done && told.contains("another secret key"), "{words:?}: {told}");
    }
    let (done, told) = run(&dir, &["reseal"], &[("INDABA_SECRET_KEY", &both)]);
    assert!(done && told.contains("0 secrets"), "{told}");
    let (well, _) = Server::start(&dir, &["serve"], &settings(new)).stop();
    assert!(well, "the new key is known now");
    let (done, told) = run(&dir, &["serve"], &[]);
    assert!(!done && told.contains("another secret key"), "a key file of its own is another key: {told}");
}

#[tokio::test]
async fn an_operator_is_named_at_the_machine_and_sees_how_it_is() {
    let dir = scratch_dir();
    let server = Server::start(&dir, &["serve"], &[]);
    let token = sign_up(&server, "x").await;
    server.stop();
    assert!(!run(&dir, &["operator", "nobody@example.com"], &[]).0);
    let (done, told) = run(&dir, &["operator", "Asha@example.com"], &[]);
    assert!(done, "{told}");
    let server = Server::start(&dir, &["serve"], &[]);
    let health = client().get(format!("{}/api/health", server.url)).bearer_auth(token).send().await.unwrap();
    let health: Value = health.json().await.unwrap();
    assert_eq!(health["checks"][0]["name"], "database", "{health}");
}

#[tokio::test]
async fn a_worker_tells_how_it_is_and_nothing_else() {
    let dir = scratch_dir();
    let server = Server::start(&dir, &["serve", "--role", "worker"], &[("INDABA_METRICS_TOKEN", "let me see")]);
    assert_eq!(server.get("/api/health/ready").await.status(), 200);
    for path in ["/", "/api/me", "/api/openapi.json"] {
        assert_eq!(server.get(path).await.status(), 404, "{path}");
    }
    let figures = client().get(format!("{}/metrics", server.url)).bearer_auth("let me see").send().await.unwrap();
    assert!(figures.text().await.unwrap().contains("indaba_http_requests_total"));
}

#[test]
fn its_small_companions() {
    let dir = scratch_dir();
    let (done, told) = run(&dir, &["id", "ten_01h455vb4pex5vsknk084sn02q"], &[]);
    assert!(done && told.contains("01890a5d-ac96-774b-bcce-b302099a8057"), "{told}");
    assert!(!run(&dir, &["id", "x"], &[]).0);
    let (done, told) = run(&dir, &["openapi"], &[]);
    assert!(done && serde_json::from_str::<Value>(&told).unwrap()["info"]["title"] == "Indaba");
    let (done, told) = run(&dir, &["health"], &[("INDABA_LISTEN", "127.0.0.1:9")]);
    assert!(!done && told.contains("127.0.0.1:9"), "{told}");
    let (done, told) = run(&dir, &["serve"], &[("INDABA_LISTNE", "127.0.0.1:9")]);
    assert!(!done && told.contains("INDABA_LISTNE"), "{told}");
}
