//! `indaba demo`: the server and the simulator together, with a workspace whose numbers carry sample conversations: one on a WAHA, one on an
//! Evolution, one at Meta. Nothing in it is
//! real, nothing leaves this machine, and everything is gone when it stops.
//!
//! It does what a person would do, through the public API and the simulator's control API: sign up, make a number, scan its code.
use crate::{
    config::Config,
    serve::{Part, Server},
};
use indaba_simulator::{Simulator, sample};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

/// Who signs in. The domain is reserved: nothing can ever be sent there (RFC 2606).
const EMAIL: &str = "demo@indaba.example";
/// The number that is linked; the simulator's country code zone, nobody's phone.
const NUMBER: &str = "27820001000";
/// The one on an Evolution.
const RENTALS: &str = "27820002000";
/// The one at Meta.
const DESK: &str = "27820009000";
/// Who wrote to the two others, and what.
const ELSEWHERE: &[(&str, &str, &str, &str)] = &[
    (RENTALS, "27839990001", "Nomsa Khumalo", "Is the two-bedroom in Observatory still to let?"),
    (RENTALS, "27839990002", "Willem Fourie", "The geyser in unit 4 drips again. Can somebody look at it?"),
    (DESK, "27839990003", "Ayesha Patel", "Good morning, what are your office hours on Saturday?"),
    (DESK, "27839990004", "Tumelo Dlamini", "Please send me the form for a valuation."),
];

/// The labels of the newest conversations.
const LABELLED: &[&[usize]] = &[&[0], &[1], &[2], &[0, 1]];

/// A demo that runs.
pub struct Demo {
    server: Server,
    simulator: indaba_simulator::Running,
    scratch: Option<PathBuf>,
    /// How to see it.
    pub guide: Guide,
}

/// How to see a demo.
pub struct Guide {
    /// Where Indaba answers.
    pub url: String,
    /// Where the customer's phone is.
    pub phone: String,
    /// Who signs in.
    pub email: &'static str,
    /// With what.
    pub password: String,
    /// How many sample conversations there are.
    pub conversations: usize,
}

impl std::fmt::Display for Guide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "\n  Indaba   {}\n           sign in with {} and the password {}\n\n  Phone    {}\n           write to the business as one of its {} \
             customers, and watch the ticks\n\n  All of this is simulated, and gone when you stop it with Ctrl-C.\n",
            self.url, self.email, self.password, self.phone, self.conversations
        )
    }
}

/// Free, or else any free one: `make demo` must not fail because something listens on 8080.
fn listen_on(wanted: &str) -> String {
    let free = |at: &str| at.parse::<SocketAddr>().ok().and_then(|at| TcpListener::bind(at).ok()).is_some();
    if free(wanted) { wanted.to_owned() } else { "127.0.0.1:0".to_owned() }
}

impl Demo {
    /// Starts everything. What the environment and the file say goes before what the demo would choose.
    /// Errors: a sentence for whoever started it.
    pub async fn start(file: Option<&Path>, env: impl IntoIterator<Item = (String, String)>) -> Result<Demo, String> {
        let listen: SocketAddr = listen_on("127.0.0.1:8081").parse().expect("an address of ours");
        let simulator = Simulator::start(indaba_simulator::Config { listen, ..Default::default() })
            .await
            .map_err(|e| format!("the simulator: {e:#}"))?;
        let given: BTreeMap<String, String> = env.into_iter().collect();
        let scratch = (!given.contains_key("INDABA_DATA_DIR")).then(scratch).transpose()?;
        let mut all = BTreeMap::from([
            ("INDABA_LISTEN".to_owned(), listen_on("127.0.0.1:8080")),
            ("INDABA_LOG_FORMAT".to_owned(), "text".to_owned()),
            ("INDABA_LOG_FILTER".to_owned(), "warn".to_owned()),
            ("INDABA_GATEWAY_KIND".to_owned(), "simulator".to_owned()),
            ("INDABA_GATEWAY_URL".to_owned(), simulator.url().to_owned()),
            ("INDABA_GATEWAY_KEY".to_owned(), "simulator".to_owned()),
            ("INDABA_GRAPH_URL".to_owned(), format!("{}/graph/v26.0", simulator.url())),
            ("INDABA_PRIVATE_HOSTS".to_owned(), simulator.address().to_string()),
            // nobody can be banned here: no reason to wait
            ("INDABA_PACE_LINKED_MIN_MS".to_owned(), "150".to_owned()),
            ("INDABA_PACE_LINKED_MAX_MS".to_owned(), "400".to_owned()),
            // one person, and we who fill the workspace in their name and ask whether it is full
            ("INDABA_LIMITS_USER_PER_MINUTE".to_owned(), "1000".to_owned()),
        ]);
        if let Some(dir) = &scratch {
            all.insert("INDABA_DATA_DIR".into(), dir.display().to_string());
        }
        all.extend(given);
        let config = Config::load(file, all)?;
        crate::serve::log(&config);
        let server = Server::start(config, Part::All).await?;
        match furnish(&server, &simulator).await {
            Ok(guide) => Ok(Demo { server, simulator, scratch, guide }),
            Err(e) => {
                server.stop().await;
                Err(format!("the sample data: {e:#}"))
            }
        }
    }

    /// Stops everything, and takes away what it wrote.
    pub async fn stop(self) {
        self.server.stop().await;
        self.simulator.stop().await;
        if let Some(dir) = self.scratch {
            let _ = std::fs::remove_dir_all(dir);
        }
    }
}

fn scratch() -> Result<PathBuf, String> {
    let dir = std::env::temp_dir().join(format!("indaba-demo-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|e| format!("cannot make {}: {e}", dir.display()))?;
    Ok(dir)
}

/// Signs up, links a number and fills it.
async fn furnish(server: &Server, simulator: &indaba_simulator::Running) -> anyhow::Result<Guide> {
    let api = Api::new(&server.app.config.public_url())?;
    let password = format!("demo-{}-{}", words(), words());
    let form = json!({
        "email": EMAIL, "password": password, "name": "Naledi Dube", "tenantName": "Quiver Tree Homes (sample)",
        "country": "ZA", "timeZone": "Africa/Johannesburg",
    });
    let api = api.sign_up(form).await?;
    let control = Api::new(simulator.url())?;
    link(&api, &control, json!({ "name": "Sales line" }), NUMBER).await?;
    let settings = json!({ "url": simulator.evolution_url(), "apiKey": "simulator" });
    link(&api, &control, json!({ "provider": "evolution", "name": "Rentals", "settings": settings }), RENTALS).await?;
    connect(&api, &control).await?;

    let filled = sample::fill(simulator.url(), NUMBER, server.app.clock.now().0).await?;
    for (business, from, name, body) in ELSEWHERE {
        let said = json!({ "from": from, "name": name, "body": body });
        control.post(&format!("/control/numbers/{business}/messages"), said).await?;
    }
    let all = filled.customers + ELSEWHERE.len();
    let arrived = async || {
        let page = api.get("/api/conversations?limit=100").await?;
        Ok(page["items"].as_array().is_some_and(|items| items.len() >= all))
    };
    until("the sample conversations are there", arrived).await?;
    label(&api).await?;
    Ok(Guide {
        url: server.app.config.public_url(),
        phone: simulator.url().to_owned(),
        email: EMAIL,
        password,
        conversations: all,
    })
}

/// Labels and a note, as a team of estate agents would have them.
async fn label(api: &Api) -> anyhow::Result<()> {
    let mut labels = Vec::new();
    for (name, colour) in [("Hot lead", "amber"), ("Viewing booked", "leaf"), ("Tenant", "petrol")] {
        labels.push(api.post("/api/labels", json!({ "name": name, "colour": colour })).await?["id"].take());
    }
    let newest = api.get(&format!("/api/conversations?limit={}", LABELLED.len())).await?;
    let places = newest["items"].as_array().into_iter().flatten().filter_map(|one| one["id"].as_str());
    for (at, (place, which)) in places.zip(LABELLED).enumerate() {
        let path = format!("/api/conversations/{place}");
        let on: Vec<&Value> = which.iter().map(|label| &labels[*label]).collect();
        api.patch(&path, json!({ "labels": on })).await?;
        if at == 0 {
            let note = "Called back: wants to see it on Saturday, and asks about the deposit.";
            api.post(&format!("{path}/notes"), json!({ "body": note })).await?;
        }
    }
    Ok(())
}

/// Makes a number on a gateway of linked devices, and scans its code.
async fn link(api: &Api, control: &Api, form: Value, phone: &str) -> anyhow::Result<()> {
    let number = api.post("/api/instances", form).await?;
    let place = format!("/api/instances/{}", number["id"].as_str().unwrap_or_default());
    let waits = async || Ok(api.get(&place).await?["linkStep"] == "scan");
    until("a code waits to be scanned", waits).await?;
    let sessions = control.get("/control/sessions").await?;
    let calls =
        |session: &&Value| number["hookUrl"].as_str().is_some_and(|url| session["hooks"].to_string().contains(url));
    let session = sessions["items"].as_array().and_then(|all| all.iter().find(calls));
    let name = session.and_then(|session| session["name"].as_str()).unwrap_or_default();
    let scan = json!({ "phone": phone, "pushName": "Quiver Tree Homes" });
    control.post(&format!("/control/sessions/{name}/scan"), scan).await?;
    let connected = async || Ok(api.get(&place).await?["state"] == "connected");
    until("the number is connected", connected).await
}

/// Makes a number at Meta, and connects it with what Meta's pages would show of it.
async fn connect(api: &Api, control: &Api) -> anyhow::Result<()> {
    let made = control.post("/control/cloud/numbers", json!({ "phone": DESK, "name": "Quiver Tree Homes" })).await?;
    let settings: Value = ["phoneNumberId", "wabaId", "accessToken", "appSecret", "appId"]
        .map(|key| (key.to_owned(), made[key].clone()))
        .into_iter()
        .collect();
    let form = json!({ "provider": "cloud", "name": "Front desk", "settings": settings });
    api.post("/api/instances", form).await.map(drop)
}

/// Four letters that can be read out.
fn words() -> String {
    let pick = |from: &str| char::from(from.as_bytes()[rand::random_range(0..from.len())]);
    [pick("bdfgkmnprstvz"), pick("aeiou"), pick("bdfgkmnprstvz"), pick("aeiou")].iter().collect()
}

async fn until(what: &str, so: impl AsyncFn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    for _ in 0..300 {
        if so().await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("after half a minute it is not yet so that {what}")
}

/// A caller of an HTTP API.
struct Api {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Api {
    fn new(url: &str) -> anyhow::Result<Api> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build()?;
        Ok(Api { http, url: url.to_owned(), token: None })
    }

    async fn sign_up(self, form: Value) -> anyhow::Result<Api> {
        let answer = self.http.post(format!("{}/api/auth/sign-up", self.url)).json(&form).send().await?;
        let status = answer.status();
        let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
        let token = cookies
            .filter_map(|cookie| cookie.strip_prefix("indaba_access=")?.split(';').next())
            .map(str::to_owned)
            .next();
        anyhow::ensure!(token.is_some(), "sign-up: {status} {}", answer.text().await?);
        Ok(Api { token, ..self })
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.http.get(format!("{}{path}", self.url)), path).await
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.send(self.http.post(format!("{}{path}", self.url)).json(&body), path).await
    }

    async fn patch(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.send(self.http.patch(format!("{}{path}", self.url)).json(&body), path).await
    }

    async fn send(&self, request: reqwest::RequestBuilder, path: &str) -> anyhow::Result<Value> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        anyhow::ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}
