//! Walks every operation of the OpenAPI document with nobody, with a stranger (the admin of another tenant) and with each role
//! (PRODUCT A4, A5). What is to be sent is made from the schemas: a new route is walked without a line here, unless it is special.
use crate::support::{Caller, House, Reply, each_db};
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use indaba::{db::TenantTx, events, http::Role, jobs, router};
use indaba_simulator::{Config, Running, Simulator};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Open to strangers, and why.
const OPEN: &[(&str, &str)] = &[
    ("POST /api/auth/sign-up", "nobody is known before"),
    ("POST /api/auth/sign-in", "nobody is known before"),
    ("POST /api/auth/refresh", "shows a refresh token instead, which it checks itself"),
    ("POST /api/auth/sign-out", "always works, so that nobody is stuck; ends only what the cookie names"),
    ("GET /api/auth/invitations/{token}", "the token is the right to look; it is long and random"),
    ("GET /api/health", "for load balancers; strangers learn only that it runs"),
    ("GET /api/health/live", "for the container's keeper"),
    ("GET /api/health/ready", "for load balancers"),
    ("GET /api/webhooks/whatsapp", "Meta's handshake: shows the verify token"),
    ("POST /api/webhooks/whatsapp", "signed by the gateway, checked over the raw bytes"),
    ("GET /api/webhooks/{provider}/{hookToken}", "a gateway's handshake: shows the verify token"),
    ("POST /api/webhooks/{provider}/{hookToken}", "signed by the gateway, checked over the raw bytes"),
];

/// The least role of an operation, where it is not what its method says (reading: viewer; changing: agent), and why. The longest
/// beginning that fits counts.
const ROLES: &[(&str, Role, &str)] = &[
    ("GET /api/audit", Role::Admin, "A4: admin also audit"),
    ("PATCH /api/tenant", Role::Admin, "A4: the tenant itself"),
    ("PATCH /api/users/", Role::Admin, "A4: admin also users"),
    ("DELETE /api/users/", Role::Admin, "A4: admin also users"),
    ("GET /api/invitations", Role::Admin, "A4: admin also users"),
    ("POST /api/invitations", Role::Admin, "A4: admin also users"),
    ("DELETE /api/invitations/", Role::Admin, "A4: admin also users"),
    ("GET /api/api-keys", Role::Admin, "A4: admin also keys"),
    ("POST /api/api-keys", Role::Admin, "A4: admin also keys"),
    ("DELETE /api/api-keys/", Role::Admin, "A4: admin also keys"),
    ("PATCH /api/me", Role::Viewer, "oneself"),
    ("PUT /api/me/", Role::Viewer, "oneself"),
    ("POST /api/me/", Role::Viewer, "oneself"),
    ("PATCH /api/me/", Role::Viewer, "oneself"),
    ("DELETE /api/me/", Role::Viewer, "oneself"),
    ("GET /api/gateways", Role::Admin, "A4: admin also numbers"),
    ("POST /api/gateways", Role::Admin, "A4: admin also numbers"),
    ("PATCH /api/gateways/", Role::Admin, "A4: admin also numbers"),
    ("DELETE /api/gateways/", Role::Admin, "A4: admin also numbers"),
    ("POST /api/instances", Role::Admin, "A4: admin also numbers"),
    ("PATCH /api/instances/", Role::Admin, "A4: admin also numbers"),
    ("DELETE /api/instances/", Role::Admin, "A4: admin also numbers"),
    ("POST /api/instances/{id}/sync-status", Role::Viewer, "looks again how the number is; decides nothing"),
    ("GET /api/instances/{id}/qr", Role::Admin, "A4: who holds the code links the number"),
    ("GET /api/jobs", Role::Admin, "A4: the job monitor shows payloads"),
    ("POST /api/labels", Role::Manager, "labels are everybody's: agents put them on, managers make them"),
    ("PATCH /api/labels/", Role::Manager, "as for making one"),
    ("DELETE /api/labels/", Role::Manager, "as for making one"),
    ("POST /api/jobs/", Role::Admin, "A4: the job monitor"),
];

/// Paths whose ids are not looked up in a table of the tenant, and why; a stranger need not get 404 there.
const NOT_A_ROW: &[(&str, &str)] =
    &[("GET /api/auth/invitations/{token}", "a token, not an id: open to whoever holds it")];

/// Bodies that the schemas cannot tell.
fn special(operation: &str, samples: &Samples) -> Option<Value> {
    Some(match operation {
        "POST /api/me/tenant" => json!({ "tenantId": samples["ten"] }),
        "POST /api/messages/send" => {
            json!({ "to": { "contactId": samples.get("con")? }, "kind": "text", "body": "Hello" })
        }
        "POST /api/conversations/{id}/messages" => json!({ "kind": "text", "body": "Hello" }),
        "POST /api/messages/{id}/reactions" => json!({ "emoji": "👍" }),
        "POST /api/conversations" => json!({ "contactId": samples.get("con")? }),
        _ => return None,
    })
}

/// By the prefix of an id: one of the house's own rows.
type Samples = BTreeMap<String, String>;

struct Operation {
    /// `POST /api/contacts/{id}`
    name: String,
    method: Method,
    path: String,
    /// The prefixes of the ids in its path, by parameter.
    ids: Vec<(String, Option<String>)>,
    body: Option<(String, Value)>,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut out = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, of) in item.as_object().unwrap() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            let all = of["parameters"].as_array().cloned().unwrap_or_default();
            let ids = all.iter().filter(|one| one["in"] == "path").map(|one| {
                let schema = resolve(document, &one["schema"]);
                (one["name"].as_str().unwrap().to_owned(), prefix(schema))
            });
            let content = of["requestBody"]["content"].as_object();
            let body = content
                .and_then(|content| content.iter().next())
                .map(|(kind, of)| (kind.clone(), of["schema"].clone()));
            out.push(Operation {
                name: format!("{method} {path}"),
                method,
                path: path.clone(),
                ids: ids.collect(),
                body,
            });
        }
    }
    out
}

fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(name) => resolve(document, &document["components"]["schemas"][name.rsplit('/').next().unwrap()]),
        None => schema,
    }
}

/// `usr` of the schema of a user's id.
fn prefix(schema: &Value) -> Option<String> {
    let rest = schema["pattern"].as_str()?.strip_prefix('^')?;
    rest.split_once("_[0-7]").map(|(prefix, _)| prefix.to_owned())
}

/// Something that fits the schema: ids are the house's own.
fn example(document: &Value, schema: &Value, samples: &Samples) -> Value {
    let schema = resolve(document, schema);
    if let Some(id) = prefix(schema) {
        return samples.get(&id).map_or(Value::Null, |id| json!(id));
    }
    for given in ["const", "example", "default"] {
        if !schema[given].is_null() {
            return schema[given].clone();
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        return words[0].clone();
    }
    for either in ["oneOf", "anyOf"] {
        if let Some(one) = schema[either].as_array().and_then(|all| all.iter().find(|one| one["type"] != "null")) {
            return example(document, one, samples);
        }
    }
    if let Some(all) = schema["allOf"].as_array() {
        let parts = all.iter().filter_map(|one| example(document, one, samples).as_object().cloned());
        return Value::Object(parts.flatten().collect());
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or_default(),
        kind => kind.clone(),
    };
    match (kind.as_str().unwrap_or_default(), schema["format"].as_str().unwrap_or_default()) {
        ("string", "email") => json!("someone@example.com"),
        ("string", "date-time") => json!("2030-01-01T00:00:00.000Z"),
        ("string", "password") => json!("nine tall ships sail"),
        ("string", "uri") => json!("http://127.0.0.1:9"),
        ("string", _) => json!("words"),
        ("integer" | "number", _) => schema["minimum"].as_f64().map_or(json!(1), |least| json!(least.ceil() as i64)),
        ("boolean", _) => json!(true),
        ("array", _) => json!([]),
        _ => {
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            let required: Vec<&str> =
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            // what is needed, and whatever points at a row
            let wanted = properties.iter().filter(|(name, of)| {
                required.contains(&name.as_str())
                    || prefix(resolve(document, of)).is_some_and(|id| samples.contains_key(&id))
            });
            Value::Object(
                wanted.map(|(name, of)| (name.clone(), example(document, of, samples))).collect::<Map<_, _>>(),
            )
        }
    }
}

async fn ask(who: &Caller, of: &Operation, document: &Value, samples: &Samples) -> Reply {
    let mut path = of.path.clone();
    for (name, id) in &of.ids {
        let sample = id.as_ref().and_then(|id| samples.get(id)).map_or("words", String::as_str);
        path = path.replace(&format!("{{{name}}}"), sample);
    }
    match &of.body {
        None => who.send(of.method.clone(), &path, Body::empty()).await,
        Some((kind, _)) if kind.starts_with("multipart/") => {
            let form = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\ncontent-type: text/plain\r\n\r\nhello\r\n--b--\r\n";
            let who = who.with("content-type", "multipart/form-data; boundary=b");
            who.send(of.method.clone(), &path, Body::from(form)).await
        }
        Some((_, schema)) => {
            let body = special(&of.name, samples).unwrap_or_else(|| example(document, schema, samples));
            who.json(of.method.clone(), &path, body).await
        }
    }
}

fn refused_by_role(reply: &Reply) -> bool {
    let told = || serde_json::from_slice::<Value>(&reply.body).ok()?["detail"].as_str().map(str::to_owned);
    reply.status == StatusCode::FORBIDDEN && told().is_some_and(|detail| detail.starts_with("This needs the role"))
}

fn least(operation: &str) -> Role {
    let special = ROLES.iter().filter(|(start, ..)| operation.starts_with(start)).max_by_key(|(start, ..)| start.len());
    match special {
        Some((_, role, _)) => *role,
        None if operation.starts_with("GET ") => Role::Viewer,
        None => Role::Agent,
    }
}

/// What is wrong with the routes of this document, one sentence each.
async fn faults(house: &House, document: &Value, samples: &Samples) -> Vec<String> {
    let mut faults = Vec::new();
    let all = operations(document);
    for (open, _) in OPEN.iter().chain(NOT_A_ROW) {
        // hooks come with the rooms that take them; until then their lines may stand here unused
        if !all.iter().any(|of| of.name == *open) && !open.contains("/webhooks/") {
            faults.push(format!("{open} is an exception, but no operation"));
        }
    }
    let before = house.admin.get("/api/audit").await.ok();
    for of in &all {
        for id in of.ids.iter().filter_map(|(_, id)| id.as_ref()).filter(|id| !samples.contains_key(*id)) {
            faults.push(format!("{} names an id {id}_…, and samples() makes none", of.name));
        }
        if OPEN.iter().any(|(open, _)| *open == of.name) {
            continue;
        }
        let reply = ask(&house.nobody(), of, document, samples).await;
        if reply.status != StatusCode::UNAUTHORIZED {
            faults.push(format!("{} answers nobody with {}, not 401", of.name, reply.status));
        }

        // a stranger of one's own for each: some of them sign themselves out
        let reply = ask(&house.stranger().await, of, document, samples).await;
        let told = String::from_utf8_lossy(&reply.body).into_owned();
        let named = of.ids.iter().any(|(_, id)| id.is_some());
        if named && reply.status != StatusCode::NOT_FOUND && !NOT_A_ROW.iter().any(|(name, _)| *name == of.name) {
            faults.push(format!("{} answers a stranger with {}, not 404: {told}", of.name, reply.status));
        }
        let leak = samples.values().find(|id| told.contains(id.as_str()) && reply.status.is_success());
        if let Some(id) = leak.map(String::as_str).or(told.contains("Kusasa").then_some("the tenant's name")) {
            faults.push(format!("{} tells a stranger of {id}: {told}", of.name));
        }
        if reply.status.is_server_error() && reply.status != StatusCode::SERVICE_UNAVAILABLE {
            faults.push(format!("{} answers a stranger with {}: {told}", of.name, reply.status));
        }
    }
    if house.admin.get("/api/audit").await.ok() != before {
        faults.push("a stranger has changed something".into());
    }
    for of in all.iter().filter(|of| !OPEN.iter().any(|(open, _)| *open == of.name)) {
        let wanted = least(&of.name);
        for role in Role::ALL {
            let who = house.person("Sipho", *role).await;
            let reply = ask(&who, of, document, samples).await;
            if refused_by_role(&reply) != (*role < wanted) || reply.status == StatusCode::UNAUTHORIZED {
                let why = "say in ROLES what it should be, and why";
                faults.push(format!(
                    "{} answers a {role} with {}; its least role is {wanted}, or {why}",
                    of.name, reply.status
                ));
                break;
            }
        }
    }
    faults
}

/// Rows of the house, one of each kind that a path may name.
async fn samples(house: &House, waha: &Running) -> Samples {
    let mut samples = Samples::new();
    let mut keep = |id: &Value| {
        let id = id.as_str().expect("an id").to_owned();
        samples.insert(id.split('_').next().unwrap().to_owned(), id);
    };
    let made = async |path: &str, body: Value| house.admin.post(path, body).await.ok();
    keep(&json!(house.tenant.to_string()));
    let person = house.person("Lindiwe", Role::Agent).await;
    keep(&person.get("/api/me").await.ok()["user"]["id"]);
    keep(&person.get("/api/me/sign-ins").await.ok()["items"][0]["id"]);
    keep(&made("/api/invitations", json!({ "email": "asked@example.com", "role": "agent" })).await["id"]);
    let settings = json!({ "url": waha.url(), "apiKey": "simulator" });
    let number = made("/api/instances", json!({ "provider": "waha", "name": "Sales", "settings": settings })).await;
    keep(&number["id"]);
    keep(&number["gateway"]["id"]);
    keep(&made("/api/api-keys", json!({ "name": "a key", "role": "agent" })).await["id"]);
    keep(&made("/api/labels", json!({ "name": "hot" })).await["id"]);
    let work = |tx: &mut TenantTx| jobs::enqueue(tx, &events::Tidy {});
    house.app.db.write(house.tenant, work).await.expect("a job of the house");
    keep(&house.admin.get("/api/jobs").await.ok()["items"][0]["id"]);
    let text = json!({ "to": { "phone": "+27820001001" }, "kind": "text", "body": "Hello" });
    let message = made("/api/messages/send", text).await;
    keep(&message["id"]);
    keep(&message["conversationId"]);
    let path = format!("/api/conversations/{}", message["conversationId"].as_str().unwrap());
    keep(&made(&format!("{path}/notes"), json!({ "body": "Wants a garden" })).await["id"]);
    keep(&house.admin.get(&path).await.ok()["contact"]["id"]);
    let form = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\ncontent-type: text/plain\r\n\r\nhello\r\n--b--\r\n";
    let uploads = house.admin.with("content-type", "multipart/form-data; boundary=b");
    keep(&uploads.send(Method::POST, "/api/media", Body::from(form)).await.ok()["id"]);
    let reply = json!({ "scope": "all", "shortcut": "hello", "title": "Hello", "body": "Good day" });
    keep(&made("/api/quick-replies", reply).await["id"]);
    samples
}

#[tokio::test]
async fn no_route_answers_who_may_not_ask() {
    each_db(async |house| {
        let waha = Simulator::start(Config::fast()).await.expect("a simulator on a free port");
        let samples = samples(&house, &waha).await;
        let document = serde_json::from_str(router::openapi()).unwrap();
        let faults = faults(&house, &document, &samples).await;
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    })
    .await;
}

#[test]
fn the_document_refers_to_nothing_that_is_not_in_it() {
    let document: Value = serde_json::from_str(router::openapi()).unwrap();
    let mut lost = Vec::new();
    fn walk(document: &Value, at: &Value, lost: &mut Vec<String>) {
        match at {
            Value::Object(fields) => {
                if let Some(name) = fields.get("$ref").and_then(Value::as_str)
                    && document.pointer(name.trim_start_matches('#')).is_none()
                {
                    lost.push(name.to_owned());
                }
                fields.values().for_each(|value| walk(document, value, lost));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(document, item, lost)),
            _ => {}
        }
    }
    walk(&document, &document, &mut lost);
    assert!(lost.is_empty(), "name them in the components: {lost:?}");
}

/// Routes as nobody should write them.
mod broken {
    use axum::extract::State;
    use indaba::{
        Result,
        app::App,
        http::{Json, Path, Viewer, who::UserId},
    };
    use serde_json::{Value, json};
    use utoipa_axum::{router::OpenApiRouter, routes};

    pub fn routes() -> OpenApiRouter<App> {
        OpenApiRouter::new().routes(routes!(open)).routes(routes!(foreign)).routes(routes!(all)).routes(routes!(weak))
    }

    /// Nobody is asked who they are.
    #[utoipa::path(get, path = "/api/broken/open", responses((status = 200)))]
    async fn open() -> Json<Value> {
        Json(json!({}))
    }

    /// Somebody is, but the row is anybody's.
    #[utoipa::path(get, path = "/api/broken/{id}", params(("id" = UserId, Path)), responses((status = 200, body = UserId)))]
    async fn foreign(State(app): State<App>, _: Viewer, Path(id): Path<UserId>) -> Result<Json<Value>> {
        let found = app.db.system_read("break a rule", move |tx| {
            tx.get::<(String,)>("select name from users where id = $1", &[indaba::db::Arg::arg(&id)])
        });
        Ok(Json(json!({ "name": found.await?.0 })))
    }

    /// A list of everybody's.
    #[utoipa::path(get, path = "/api/broken", responses((status = 200)))]
    async fn all(State(app): State<App>, _: Viewer) -> Result<Json<Value>> {
        let found = app.db.system_read("break a rule", |tx| tx.all::<(UserId,)>("select id from users", &[]));
        Ok(Json(json!(found.await?.iter().map(|(id,)| id.to_string()).collect::<Vec<_>>())))
    }

    /// A change that a viewer may make.
    #[utoipa::path(post, path = "/api/broken/weak", responses((status = 200)))]
    async fn weak(_: Viewer) -> Json<Value> {
        Json(json!({}))
    }
}

#[tokio::test]
async fn a_route_that_is_broken_on_purpose_is_found() {
    each_db(async |house| {
        let waha = Simulator::start(Config::fast()).await.expect("a simulator on a free port");
        let samples = samples(&house, &waha).await;
        // only the broken ones and what the walk itself asks
        let document: Value = serde_json::from_str(&router::describe(broken::routes())).unwrap();
        let house = house.rebuilt(router::build(&house.app, router::rooms().merge(broken::routes())));
        let mut faults = faults(&house, &document, &samples).await;
        faults.retain(|fault| !fault.contains("is an exception, but no operation"));
        let found = |start: &str| faults.iter().any(|fault| fault.starts_with(start));
        for start in [
            "GET /api/broken/open answers nobody with 200",
            "GET /api/broken/{id} answers a stranger with 200",
            "GET /api/broken tells a stranger of usr_",
            "POST /api/broken/weak answers a viewer with 200",
        ] {
            assert!(found(start), "{start}: {faults:#?}");
        }
    })
    .await;
}
