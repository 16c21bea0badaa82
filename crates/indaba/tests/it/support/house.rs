//! The house a story is told in: the real router in process, on each database, with a clock that stands still.
//!
//! `house.admin`, `house.key(Role::Agent)`, `house.stranger()` ask; their `get`, `post`, … give a [`Reply`]. Rooms add what their own
//! stories need in files of their own: `impl House { pub async fn contact(…) }`.
use super::{ScratchDir, each_database_with, scratch_dir};
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use indaba::{
    app::{App, Basis},
    bus,
    clock::{Clock, Time},
    config::Config,
    db::Db,
    http::Role,
    id::TenantId,
    jobs,
    passwords::Hasher,
    registry, router,
    secrets::Secrets,
    serve,
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Once,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tower::ServiceExt;

/// 2026-11-20T07:00:00Z, a Friday.
pub const MORNING: Time = Time(1_795_158_000_000);
/// The house's secret key.
pub const KEY: &str = "the key under the mat of the house";
/// A password that nobody tries first.
pub const PASSWORD: &str = "seven paper boats";

/// Tells the story in a house of its own on each database.
pub async fn each_db(story: impl AsyncFn(House)) {
    each_db_with(&[], story).await
}

/// The same with other settings: `("INDABA_SIGN_UP", "invite")`.
pub async fn each_db_with(settings: &[(&str, &str)], story: impl AsyncFn(House)) {
    each_database_with(
        |settings| settings,
        async |db, _| {
            let house = House::new(db, settings).await;
            let stop = house.app.stop.clone();
            story(house).await;
            stop.cancel();
        },
    )
    .await
}

/// A server, and the people who ask it.
#[derive(Clone)]
pub struct House {
    /// The server's parts.
    pub app: App,
    /// The admin of the house's own tenant.
    pub admin: Caller,
    /// The house's own tenant.
    pub tenant: TenantId,
    router: Router,
    dir: Arc<ScratchDir>,
}

/// Somebody who asks, with what they show of themselves.
#[derive(Clone)]
pub struct Caller {
    router: Router,
    /// Headers of each request.
    pub headers: HeaderMap,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl House {
    async fn new(db: Db, settings: &[(&str, &str)]) -> House {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let dir = Arc::new(scratch_dir());
        let usual = [
            ("INDABA_DATA_DIR", dir.to_str().unwrap()),
            ("INDABA_PUBLIC_URL", "http://indaba.test"),
            ("INDABA_PRIVATE_HOSTS", "127.0.0.1"),
            ("INDABA_LIMITS_USER_PER_MINUTE", "100000"),
            ("INDABA_LIMITS_TENANT_PER_MINUTE", "100000"),
            ("INDABA_LIMITS_SIGN_IN_PER_MINUTE", "100000"),
        ];
        let all = usual.iter().chain(settings).map(|(name, text)| (name.to_string(), text.to_string()));
        let config = Config::load(None, all).expect("settings of a test");
        let basis = Basis {
            config,
            clock: Clock::held(MORNING),
            db,
            bus: Arc::new(bus::Memory::default()),
            secrets: Secrets::load(Some(&KEY.into()), &dir).expect("a key"),
            hasher: Hasher::cheap(),
        };
        let app = serve::assemble(basis).await.expect("a server");
        app.disk.hold(0.5); // whatever the machine has
        let router = router::router(&app);
        let nobody = Caller { router: router.clone(), headers: HeaderMap::new() };
        let (admin, session) = nobody.sign_up("naledi@kusasa.test", "Naledi", "Kusasa Homes").await;
        let tenant = session["tenant"]["id"].as_str().unwrap().parse().unwrap();
        House { app, admin, tenant, router, dir }
    }

    /// The same house with other routes.
    pub fn rebuilt(&self, router: Router) -> House {
        let admin = Caller { router: router.clone(), headers: self.admin.headers.clone() };
        House { router, admin, ..self.clone() }
    }

    /// Somebody nobody knows.
    pub fn nobody(&self) -> Caller {
        Caller { router: self.router.clone(), headers: HeaderMap::new() }
    }

    /// The admin of another tenant.
    pub async fn stranger(&self) -> Caller {
        let n = count();
        self.nobody().sign_up(&format!("thabo{n}@other.test"), "Thabo", "Another Place").await.0
    }

    /// An API key of the house's tenant, with this role.
    pub async fn key(&self, role: Role) -> Caller {
        let made = self.admin.post("/api/api-keys", json!({ "name": format!("a key of {role}"), "role": role })).await;
        self.nobody().bearer(made.ok()["key"].as_str().unwrap())
    }

    /// A person of the house's tenant, with this role, signed in with an access token.
    pub async fn person(&self, name: &str, role: Role) -> Caller {
        let email = format!("{}{}@kusasa.test", name.to_lowercase(), count());
        let invited = self.admin.post("/api/invitations", json!({ "email": email, "role": role })).await.ok();
        let token = invited["url"].as_str().unwrap().split("invitation=").nth(1).unwrap().to_owned();
        let form = json!({ "email": email, "password": PASSWORD, "name": name, "invitation": token });
        let reply = self.nobody().post("/api/auth/sign-up", form).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        self.nobody().bearer(&reply.cookie("indaba_access").unwrap())
    }

    /// Runs every job that is due, and what they make due, until none is; how many there were.
    pub async fn run_jobs(&self) -> usize {
        jobs::run_due(&self.app, &Arc::new(registry::kinds())).await.expect("jobs run")
    }

    /// Lets time pass.
    pub fn wait(&self, by: Duration) {
        self.app.clock.advance(by);
    }

    /// A listener on a free port, for what cannot be asked in process (WebSockets); gone when the story ends.
    pub async fn listen(&self) -> SocketAddr {
        self.listen_at("127.0.0.1:0".parse().unwrap()).await
    }

    /// The same on a port that was chosen before.
    pub async fn listen_at(&self, address: SocketAddr) -> SocketAddr {
        let mut tries = 0;
        let listener = loop {
            // the story on the other database may only just have given it back
            match tokio::net::TcpListener::bind(address).await {
                Ok(listener) => break listener,
                Err(e) if tries > 100 => panic!("{address}: {e}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
            tries += 1;
        };
        let address = listener.local_addr().unwrap();
        let last = Duration::from_millis(100);
        tokio::spawn(indaba::http::server::serve(listener, self.router.clone(), self.app.stop.clone(), last));
        address
    }
}

/// A number of its own.
fn count() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Caller {
    /// Signs up; the caller shows the access token from then on.
    pub async fn sign_up(&self, email: &str, name: &str, tenant: &str) -> (Caller, Value) {
        let form = json!({ "email": email, "password": PASSWORD, "name": name, "tenantName": tenant });
        let reply = self.post("/api/auth/sign-up", form).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        (self.bearer(&reply.cookie("indaba_access").unwrap()), reply.json())
    }

    /// The same with `Authorization: Bearer`.
    pub fn bearer(&self, token: &str) -> Caller {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// The same with this header.
    pub fn with(&self, name: &'static str, value: &str) -> Caller {
        let mut headers = self.headers.clone();
        headers.insert(name, value.parse().unwrap());
        Caller { router: self.router.clone(), headers }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, Body::empty()).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, Body::empty()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.json(Method::POST, path, body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.json(Method::PATCH, path, body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.json(Method::PUT, path, body).await
    }

    pub async fn json(&self, method: Method, path: &str, body: Value) -> Reply {
        self.with("content-type", "application/json").send(method, path, Body::from(body.to_string())).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Body) -> Reply {
        let mut request = Request::builder().method(method).uri(path).body(body).unwrap();
        request.headers_mut().extend(self.headers.clone());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4000))));
        let reply = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = reply.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }
}

impl Reply {
    /// The body, as JSON; null if it is empty.
    pub fn json(&self) -> Value {
        match self.body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&self.body)
                .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body))),
        }
    }

    /// The same of an answer that says yes.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// The problem's `type`, of an answer with this status that says no.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["requestId"].as_str(), self.headers["x-request-id"].to_str().ok());
        problem["type"].as_str().unwrap().trim_start_matches("/problems/").to_owned()
    }

    /// The pointers of a 422.
    #[track_caller]
    pub fn fields(&self) -> Vec<String> {
        assert_eq!(self.problem(422), "invalid");
        self.json()["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap().to_owned()).collect()
    }

    /// The value of a cookie that it sets; none if it takes the cookie away.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let lines = self.headers.get_all(header::SET_COOKIE).into_iter().map(|line| line.to_str().unwrap());
        let value = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')?.split(';').next()).next()?;
        (!value.is_empty()).then(|| value.to_owned())
    }
}
