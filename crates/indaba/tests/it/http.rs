//! What every route has in common: bad input, idempotency keys, limits, headers.
use crate::support::{House, each_db, each_db_with, in_a_shop_with, written};
use axum::{body::Body, http::Method};
use indaba::http::{Role, limits::Limits};
use serde_json::json;

#[tokio::test]
async fn every_answer_carries_its_request_id() {
    each_db(async |house| {
        let given = house.nobody().with("x-request-id", "a.b-c_1").get("/api/me").await;
        assert_eq!(given.headers["x-request-id"], "a.b-c_1");
        assert_eq!(given.json()["requestId"], "a.b-c_1");
        let odd = house.nobody().with("x-request-id", "a b{}").get("/api/health/live").await;
        assert_eq!(odd.headers["x-request-id"].len(), 32, "one of our own");
    })
    .await;
}

#[tokio::test]
async fn what_does_not_exist_is_a_problem_like_any_other() {
    each_db(async |house| {
        assert_eq!(house.admin.get("/api/nothing").await.problem(404), "missing");
        assert_eq!(house.admin.put("/api/users", json!({})).await.problem(405), "method");
        assert_eq!(house.admin.get("/api/users/usr_x").await.problem(405), "method");
        assert_eq!(house.admin.delete("/api/users/usr_x").await.problem(404), "missing");
        assert_eq!(house.admin.delete("/api/users/%00%ff").await.problem(404), "missing");
    })
    .await;
}

#[tokio::test]
async fn a_body_of_another_kind_is_refused() {
    each_db(async |house| {
        let send = async |kind: Option<&'static str>, body: String| {
            let mut caller = house.admin.clone();
            caller.headers.remove("content-type");
            if let Some(kind) = kind {
                caller = caller.with("content-type", kind);
            }
            caller.send(Method::PATCH, "/api/tenant", Body::from(body)).await
        };
        let good = || r#"{"name":"Home"}"#.to_owned();
        for kind in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("application/json; charset=utf-16"),
        ] {
            assert_eq!(send(kind, good()).await.problem(415), "unsupported");
        }
        for kind in ["application/json", "APPLICATION/JSON; charset=\"UTF-8\"", "application/merge-patch+json"] {
            send(Some(kind), good()).await.ok();
        }
        let json = Some("application/json");
        for body in ["", "{", "{}{}", "\u{feff}{}", "{\"name\":\"\\ud83d\"", "{\"name\":\"a\u{0}\"}"] {
            assert_eq!(send(json, body.into()).await.problem(400), "malformed", "{body:?}");
        }
        let deep = format!("{{\"name\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(send(json, deep).await.fields(), ["/name"]);
        let deep = format!("{{\"other\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(send(json, deep).await.status.as_u16() < 500, "what is not looked at does no harm either");
        assert_eq!(send(json, format!("{{\"name\":\"{}\"}}", "x".repeat(1 << 20))).await.problem(413), "too-large");
        assert_eq!(send(json, r#"{"name":5}"#.into()).await.fields(), ["/name"]);
        let stripped = send(json, r#"{"name":"a\u0000b\ud800c"}"#.into()).await.ok();
        assert_eq!(stripped["name"], "abc", "what PostgreSQL would not store is left out");
    })
    .await;
}

#[tokio::test]
async fn a_wild_limit_or_a_forged_cursor_is_refused() {
    each_db(async |house| {
        for limit in ["0", "-1", "101", "1000000000", "1e9", "x", ""] {
            assert_eq!(house.admin.get(&format!("/api/users?limit={limit}")).await.fields(), ["limit"], "{limit}");
        }
        house.person("Sipho", Role::Agent).await;
        let page = house.admin.get("/api/users?limit=1").await.ok();
        let next = page["next"].as_str().unwrap();
        for forged in ["x", "AAAAAAAA", &next[1..], &format!("{next}AA"), "%27%20or%201=1"] {
            assert_eq!(
                house.admin.get(&format!("/api/users?after={forged}")).await.problem(400),
                "malformed",
                "{forged}"
            );
        }
        let other = house.admin.get(&format!("/api/audit?after={next}")).await;
        assert_eq!(other.problem(400), "malformed", "a cursor of another list");
        let rest = house.admin.get(&format!("/api/users?limit=100&after={next}")).await.ok();
        assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &json!(null)));
    })
    .await;
}

async fn keys(house: &House) -> usize {
    house.admin.get("/api/api-keys").await.ok()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_change_asked_for_twice_under_one_key_is_made_once() {
    each_db(async |house| {
        let once = house.admin.with("idempotency-key", "one");
        let form = |name: &str| json!({ "name": name, "role": "agent" });
        let first = once.post("/api/api-keys", form("a")).await;
        let second = once.post("/api/api-keys", form("a")).await;
        assert_eq!((first.status, second.status), (201.try_into().unwrap(), 201.try_into().unwrap()));
        assert_eq!(first.json(), second.json());
        assert_eq!(second.headers["idempotency-replayed"], "true");
        assert_eq!(second.headers["content-type"], "application/json");
        assert_eq!(keys(&house).await, 1);
        assert_eq!(once.post("/api/api-keys", form("b")).await.fields(), ["Idempotency-Key"], "another body");

        // another person's key, another route's key, the next day's key: all are others
        let email = json!({ "email": "x@example.com", "role": "agent" });
        once.post("/api/invitations", email).await.ok();
        house
            .person("Second", Role::Admin)
            .await
            .with("idempotency-key", "one")
            .post("/api/api-keys", form("b"))
            .await
            .ok();
        assert_eq!(keys(&house).await, 2);
        house.wait(indaba::http::idempotency::KEPT + std::time::Duration::from_secs(1));
        let browser = house
            .nobody()
            .post("/api/auth/sign-in", json!({ "email": "naledi@kusasa.test", "password": crate::support::PASSWORD }))
            .await;
        let naledi = house.nobody().bearer(&browser.cookie("indaba_access").unwrap()).with("idempotency-key", "one");
        naledi.post("/api/api-keys", form("b")).await.ok();
        for bad in ["", &"x".repeat(256)] {
            assert_eq!(
                naledi.with("idempotency-key", bad).post("/api/api-keys", form("c")).await.problem(400),
                "malformed"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn of_two_at_the_same_moment_one_is_done_and_the_other_waits() {
    each_db(async |house| {
        let once = house.admin.with("idempotency-key", "one");
        let form = json!({ "name": "a", "role": "agent" });
        let replies = futures_util::future::join_all((0..8).map(|_| once.post("/api/api-keys", form.clone()))).await;
        for reply in &replies {
            match reply.status.as_u16() {
                201 => {}
                _ => assert_eq!(reply.problem(409), "in-flight"),
            }
        }
        assert!(replies.iter().any(|reply| reply.status == 201));
        assert_eq!(keys(&house).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_change_that_was_refused_may_be_tried_again_under_its_key() {
    each_db(async |house| {
        let once = house.admin.with("idempotency-key", "one");
        assert_eq!(once.post("/api/api-keys", json!({ "name": "", "role": "agent" })).await.fields(), ["/name"]);
        once.post("/api/api-keys", json!({ "name": "a", "role": "agent" })).await.ok();
    })
    .await;
}

#[tokio::test]
async fn who_asks_too_often_is_told_how_long_to_wait() {
    each_db_with(&[("INDABA_LIMITS_USER_PER_MINUTE", "3")], async |house| {
        let left: Vec<_> = [
            house.admin.get("/api/users").await,
            house.admin.get("/api/users").await,
            house.admin.get("/api/me").await,
        ]
        .iter()
        .map(|reply| reply.headers["ratelimit-remaining"].to_str().unwrap().to_owned())
        .collect();
        assert_eq!(left, ["2", "1", "0"]);
        let refused = house.admin.get("/api/users").await;
        assert_eq!(refused.problem(429), "too-many");
        assert_eq!(refused.headers["ratelimit-limit"], "3");
        assert!(refused.headers["ratelimit"].to_str().unwrap().starts_with("\"minute\";r=0;t="));
        assert!((1..=20).contains(&refused.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap()));
        house.nobody().get("/api/health/live").await.ok();
    })
    .await;
}

#[tokio::test]
async fn nodes_on_one_postgres_count_together() {
    each_db(async |house| {
        let (db, on) = (&house.app.db, house.app.db.dialect());
        let few = indaba::config::Limits { sign_in_per_minute: 4, ..house.app.config.limits.clone() };
        let (one, two, by) = (Limits::new(&few, on), Limits::new(&few, on), ["203.0.113.9"]);
        for _ in 0..3 {
            one.sign_in(&by).unwrap();
        }
        two.sign_in(&by).unwrap();
        for node in [&one, &two] {
            node.tell(db).await.unwrap();
        }
        // the second has heard; SQLite has one node, which has nobody to tell
        assert_eq!(two.sign_in(&by).is_err(), on == indaba::db::Dialect::Postgres);
    })
    .await;
}

#[tokio::test]
async fn a_tenant_has_a_limit_of_its_own() {
    each_db_with(&[("INDABA_LIMITS_TENANT_PER_MINUTE", "4")], async |house| {
        let (one, two) = (house.key(Role::Agent).await, house.key(Role::Agent).await);
        one.get("/api/users").await.ok();
        assert_eq!(two.get("/api/users").await.headers["ratelimit-remaining"], "0");
        assert_eq!(one.get("/api/users").await.problem(429), "too-many");
        house.stranger().await.get("/api/users").await.ok();
    })
    .await;
}

#[tokio::test]
async fn a_busy_morning_is_not_too_much() {
    let usual = [("INDABA_LIMITS_USER_PER_MINUTE", "100"), ("INDABA_LIMITS_TENANT_PER_MINUTE", "1000")];
    in_a_shop_with(&usual, async |shop| {
        for n in 0..60 {
            let from = format!("278200030{n:02}");
            shop.tell("message.any", written(&from, &format!("M{n}"), "Is it still free?")).await;
        }
        shop.house.run_jobs().await;
        let sipho = shop.house.person("Sipho", Role::Agent).await;
        let places = sipho.get("/api/conversations?limit=100").await.ok()["items"].as_array().unwrap().clone();
        assert_eq!(places.len(), 60);
        for (n, place) in places.iter().enumerate() {
            let path = format!("/api/conversations/{}", place["id"].as_str().unwrap());
            sipho.get(&format!("{path}?include=messages,contact")).await.ok();
            let seen = sipho.get(&format!("{path}/messages?limit=20")).await;
            assert_eq!(seen.headers["ratelimit-limit"], "600");
            if n % 2 == 0 {
                let answer = json!({ "kind": "text", "body": "It is" });
                assert_eq!(sipho.post(&format!("{path}/messages"), answer).await.status, 201, "{n}");
            }
        }
        // all else keeps its limit
        let mut asked = Vec::new();
        for _ in 0..100 {
            asked.push(sipho.get("/api/me").await.status.as_u16());
        }
        assert!(asked[0] == 200 && asked[99] == 429, "{asked:?}");
    })
    .await;
}

#[tokio::test]
async fn every_answer_is_shielded() {
    each_db(async |house| {
        for path in ["/api/health", "/api/me", "/api/nothing"] {
            let headers = house.nobody().get(path).await.headers;
            let csp = headers["content-security-policy"].to_str().unwrap();
            assert!(csp.contains("default-src 'self'") && !csp.contains("script-src"), "{csp}");
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers["x-frame-options"], "DENY");
            assert_eq!(headers["cache-control"], "no-store");
            assert!(!headers.contains_key("access-control-allow-origin"));
        }
    })
    .await;
}

#[tokio::test]
async fn health_tells_strangers_little() {
    each_db_with(&[("INDABA_METRICS_TOKEN", "let me see")], async |house| {
        for path in ["/api/health", "/api/health/live", "/api/health/ready"] {
            let told = house.nobody().get(path).await.ok();
            assert_eq!(told, json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }));
        }
        assert!(house.admin.get("/api/health").await.ok().get("checks").is_none(), "an admin is no operator");
        let prometheus = house.nobody().bearer("let me see");
        assert_eq!(prometheus.get("/api/health").await.ok()["checks"][0]["name"], "database");
        assert_eq!(house.nobody().get("/metrics").await.problem(401), "unauthorized");
        assert_eq!(house.nobody().bearer("let me").get("/metrics").await.problem(401), "unauthorized");
        assert_eq!(prometheus.get("/metrics").await.status, 200);
        house.app.disk.hold(0.01);
        let low = house.nobody().get("/api/health/ready").await;
        assert_eq!((low.status.as_u16(), &low.json()["status"]), (503, &json!("degraded")));
        house.app.disk.hold(0.5);
        house.app.stop.cancel();
        let stopping = house.nobody().get("/api/health/ready").await;
        assert_eq!((stopping.status.as_u16(), &stopping.json()["status"]), (503, &json!("stopping")));
    })
    .await;
}

#[tokio::test]
async fn the_pages_come_with_the_server() {
    each_db(async |house| {
        let page = house.nobody().get("/").await;
        assert_eq!(
            (page.status.as_u16(), &page.headers["content-type"]),
            (200, &"text/html; charset=utf-8".parse().unwrap())
        );
        assert_eq!(page.headers["cache-control"], "no-cache");
        assert_eq!(house.nobody().get("/chat/cnv_x").await.body, page.body, "a page of the app");
        let known = house.nobody().with("if-none-match", page.headers["etag"].to_str().unwrap()).get("/chat").await;
        assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
        for path in ["/assets/none.js", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/.built", "/index.html.br"] {
            assert_eq!(house.nobody().get(path).await.status, 404, "{path}");
        }
        assert_eq!(house.nobody().post("/", json!({})).await.status, 405);
        for (path, part) in
            [("/api/docs", "docs.js"), ("/api/docs/docs.js", "openapi.json"), ("/api/docs/docs.css", "color")]
        {
            let file = house.nobody().get(path).await;
            assert!(file.status == 200 && String::from_utf8(file.body).unwrap().contains(part), "{path}");
        }
        let document = house.nobody().get("/api/openapi.json").await.ok();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let paths = document["paths"].as_object().unwrap().values();
        let operations = paths.flat_map(|item| item.as_object().unwrap().values());
        let names: Vec<&str> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
        assert!(names.contains(&"patchMe") && names.contains(&"deleteApiKeysById"));
        let unique: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "each operation has a name of its own");
    })
    .await;
}

#[tokio::test]
async fn other_sites_are_let_in_only_by_name() {
    let listed = [("INDABA_CORS_ORIGINS", "https://app.example")];
    each_db_with(&listed, async |house| {
        let from = async |origin: &str| {
            let asks = house.nobody().with("origin", origin).with("access-control-request-method", "GET");
            asks.send(Method::OPTIONS, "/api/users", Body::empty())
                .await
                .headers
                .get("access-control-allow-origin")
                .cloned()
        };
        assert_eq!(from("https://app.example").await.unwrap(), "https://app.example");
        assert_eq!(from("https://evil.example").await, None);
    })
    .await;
}

#[tokio::test]
async fn a_long_answer_is_compressed() {
    each_db(async |house| {
        let reply = house.nobody().with("accept-encoding", "gzip").get("/api/openapi.json").await;
        assert_eq!(reply.headers["content-encoding"], "gzip");
        assert!(reply.body.len() < house.nobody().get("/api/openapi.json").await.body.len() / 3);
    })
    .await;
}

#[tokio::test]
async fn a_body_that_trickles_in_is_given_up() {
    each_db_with(&[("INDABA_LIMITS_REQUEST_S", "1")], async |house| {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut socket = tokio::net::TcpStream::connect(house.listen().await).await.unwrap();
        let head = "POST /api/auth/sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 12];
        let read = tokio::time::timeout(std::time::Duration::from_secs(10), socket.read_exact(&mut answer));
        read.await.expect("an answer in time").unwrap();
        assert_eq!(answer, b"HTTP/1.1 408");
    })
    .await;
}

/// Routes with the accidents that ours should never have.
mod odd {
    use axum::extract::State;
    use indaba::{
        Error, Result,
        app::App,
        audit,
        http::{Admin, Json},
    };
    use serde_json::{Value, json};
    use utoipa_axum::{router::OpenApiRouter, routes};

    pub fn routes() -> OpenApiRouter<App> {
        OpenApiRouter::new().routes(routes!(panics)).routes(routes!(lost)).routes(routes!(hangs))
    }

    #[utoipa::path(get, path = "/api/odd/panics", responses((status = 200)))]
    async fn panics() -> Json<Value> {
        panic!("an invariant did not hold")
    }

    async fn change(app: &App, who: Admin) -> Result<()> {
        app.db.write(who.tenant, move |tx| audit::record(tx, &who, "odd.change", &(), &json!({}))).await
    }

    /// The change is made, and then the answer is lost.
    #[utoipa::path(post, path = "/api/odd/lost", responses((status = 200)))]
    async fn lost(State(app): State<App>, who: Admin) -> Result<Json<Value>> {
        change(&app, who).await?;
        Err(Error::Internal("the answer was lost".into()))
    }

    /// The first request is cut off before it has changed anything.
    #[utoipa::path(post, path = "/api/odd/hangs", responses((status = 200)))]
    async fn hangs(State(app): State<App>, who: Admin) -> Result<Json<Value>> {
        let begun = app.db.read(who.tenant, |tx| {
            tx.get::<(i64,)>("select count(*) from audit_entries where tenant_id = $1 and action = 'odd.begin'", &[])
        });
        if begun.await?.0 == 0 {
            let mut by = who.clone();
            by.0 = indaba::http::Who::system(who.tenant);
            app.db.write(who.tenant, move |tx| audit::record(tx, &by, "odd.begin", &(), &json!({}))).await?;
            std::future::pending::<()>().await;
        }
        change(&app, who).await?;
        Ok(Json(json!({ "done": true })))
    }
}

async fn with_odd_routes(house: &House) -> House {
    house.rebuilt(indaba::router::build(&house.app, indaba::router::rooms().merge(odd::routes())))
}

#[tokio::test]
async fn a_handler_that_panics_is_a_problem_and_the_server_goes_on() {
    each_db(async |house| {
        let house = with_odd_routes(&house).await;
        assert_eq!(house.nobody().get("/api/odd/panics").await.problem(500), "internal");
        house.nobody().get("/api/health/ready").await.ok();
    })
    .await;
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_not_made_again() {
    each_db(async |house| {
        let house = with_odd_routes(&house).await;
        let once = house.admin.with("idempotency-key", "one");
        assert_eq!(once.post("/api/odd/lost", json!({})).await.problem(500), "internal");
        assert_eq!(once.post("/api/odd/lost", json!({})).await.problem(409), "already-done");
        let log = house.admin.get("/api/audit?action=odd.change").await.ok();
        assert_eq!(log["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_was_cut_off_before_its_change_runs_again_after_a_while() {
    each_db_with(&[("INDABA_LIMITS_REQUEST_S", "1")], async |house| {
        let house = with_odd_routes(&house).await;
        let once = house.admin.with("idempotency-key", "one");
        assert_eq!(once.post("/api/odd/hangs", json!({})).await.problem(408), "timeout");
        assert_eq!(once.post("/api/odd/hangs", json!({})).await.problem(409), "in-flight");
        house.wait(std::time::Duration::from_secs(3));
        assert_eq!(once.post("/api/odd/hangs", json!({})).await.ok(), json!({ "done": true }));
        assert_eq!(once.post("/api/odd/hangs", json!({})).await.ok(), json!({ "done": true }), "answered again");
        let log = house.admin.get("/api/audit?action=odd.change").await.ok();
        assert_eq!(log["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[test]
fn the_pages_know_the_api_as_it_is() {
    let kept = include_str!("../../../../web/openapi.json");
    assert!(kept == indaba::router::openapi(), "web/openapi.json is stale: run `make schema`");
}
