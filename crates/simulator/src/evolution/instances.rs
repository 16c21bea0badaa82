//! `/instance/…`, `/settings/…` and what tells of the server.

use std::{collections::HashMap, collections::HashSet, sync::Arc};

use axum::{
    extract::{Query, State as In},
    http::HeaderMap,
};
use rand::RngExt as _;
use serde_json::{Value, json};

use super::{
    SERVER_URL, VERSION,
    answer::{Answer, Refusal, created, ok},
    hook::Webhook,
    input::{Input, Kind},
    instance::{Channel, Instance, Reason, State, iso},
};
use crate::sim::Sim;

/// How many instances there may be.
const MANY: usize = 5_000;
/// What a number does, unless told: texts are empty, all else is no.
const SETTINGS: [&str; 8] = [
    "rejectCall",
    "msgCall",
    "groupsIgnore",
    "alwaysOnline",
    "readMessages",
    "readStatus",
    "syncFullHistory",
    "wavoipToken",
];

pub async fn root() -> Answer {
    ok(&json!({
        "status": 200,
        "message": "Welcome to the Evolution API, it is working!",
        "version": VERSION,
        "clientName": "indaba_simulator",
        "manager": format!("{SERVER_URL}/manager"),
        "documentation": "https://doc.evolution-api.com",
        "whatsappWebVersion": "2.3000.1029000000",
    }))
}

pub async fn verify() -> Answer {
    ok(
        &json!({"status": 200, "message": "Credentials are valid", "facebookAppId": "", "facebookConfigId": "", "facebookUserToken": ""}),
    )
}

/// The eight settings of a body: a no unless it is a yes.
fn settings(body: &Value) -> Value {
    let one = |name: &&str| match *name {
        "msgCall" | "wavoipToken" => ((*name).to_owned(), json!(body[name].as_str().unwrap_or_default())),
        _ => ((*name).to_owned(), json!(body[name] == true)),
    };
    SETTINGS.iter().map(one).collect()
}

/// A token as the server makes them: a UUID in capitals.
fn token() -> String {
    let random: u128 = rand::rng().random();
    uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid().to_string().to_uppercase()
}

pub async fn create(In(sim): In<Arc<Sim>>, input: Input) -> Answer {
    let text = |name: &str| input.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let channel =
        input.text("integration").and_then(Channel::parse).ok_or_else(|| Refusal::bad("Invalid integration"))?;
    // Any name will do, even none.
    let name = input.text("instanceName").unwrap_or_default().to_owned();
    let now = sim.now_ms();
    let hook = input.body.get("webhook").filter(|hook| hook.is_object());
    let webhook = hook.map(|hook| Webhook::of(hook, None, now)).transpose()?;
    let phone: Option<String> = text("number").map(|number| number.chars().filter(char::is_ascii_digit).collect());
    let random: u128 = rand::rng().random();
    let made = Instance {
        name: name.clone(),
        id: uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid().to_string(),
        token: text("token").unwrap_or_else(token),
        channel,
        number: phone.clone(),
        business_id: text("businessId"),
        webhook,
        settings: settings(&input.body),
        state: if channel == Channel::Baileys { State::Close } else { State::Open },
        client: false,
        me: None,
        qr: None,
        count: 0,
        pairing_for: None,
        ended: None,
        created_ms: now,
        updated_ms: now,
        epoch: 0,
        contacts: Default::default(),
        fresh: false,
        doing: HashSet::new(),
    };
    let told = json!({"instanceName": name, "instanceId": made.id});
    let (id, token, state) = (made.id.clone(), made.token.clone(), made.state);
    {
        let mut all = sim.evolution.state();
        // The guard has looked, but somebody may have been quicker.
        if all.contains_key(&name) {
            return Err(Refusal::forbidden(format!("This name \"{name}\" is already in use.")));
        }
        if all.len() >= MANY {
            return Err(Refusal::bad("There are too many instances"));
        }
        let instance = all.entry(name.clone()).or_insert(made);
        sim.evolution.emit(&sim, instance, "instance.create", &told, None);
        sim.evolution.ring(&sim, instance);
        if input.body["qrcode"] == true && channel == Channel::Baileys {
            sim.evolution.connect(&sim, instance, phone);
        }
    }
    let mut answer = json!({
        "instance": {
            "instanceName": name,
            "instanceId": id,
            "integration": channel.name(),
            "webhookWaBusiness": (channel == Channel::Business).then(|| format!("{SERVER_URL}/webhook/meta")),
            "accessTokenWaBusiness": if channel == Channel::Business { "evolution" } else { "" },
            "status": state.name(),
        },
        "hash": token,
        "webhook": {},
        "websocket": {}, "rabbitmq": {}, "nats": {}, "sqs": {},
        "settings": settings(&input.body),
    });
    for (named, given) in [
        ("webhookUrl", "url"),
        ("webhookHeaders", "headers"),
        ("webhookByEvents", "byEvents"),
        ("webhookBase64", "base64"),
    ] {
        if let Some(value) = hook.and_then(|hook| hook.get(given)) {
            answer["webhook"][named] = value.clone();
        }
    }
    if input.body["qrcode"] == true && channel == Channel::Baileys {
        tokio::time::sleep(sim.seconds(5)).await;
        answer["qrcode"] = sim.evolution.with(&name, |instance| instance.qr_json()).unwrap_or_default();
    }
    created(&answer)
}

pub async fn fetch(In(sim): In<Arc<Sim>>, Query(query): Query<HashMap<String, String>>, headers: HeaderMap) -> Answer {
    let key = headers.get("apikey").and_then(|key| key.to_str().ok()).unwrap_or_default();
    let owner = key == sim.config.api_key;
    let is = |name: &str, value: Option<&str>| query.get(name).is_none_or(|wanted| Some(wanted.as_str()) == value);
    let world = sim.world();
    let all = sim.evolution.state();
    let shown = all.values().filter(|instance| {
        (owner || instance.token == key)
            && is("instanceName", Some(&instance.name))
            && is("instanceId", Some(&instance.id))
            && is("number", instance.number.as_deref())
    });
    let rows: Vec<Value> = shown
        .map(|instance| {
            let line = instance.me.as_ref().and_then(|me| world.line(&me.phone));
            let messages: usize =
                line.map_or(0, |line| line.chats().iter().map(|(_, chat)| chat.messages().count()).sum());
            row(instance, messages, line.map_or(0, |line| line.chats().len()))
        })
        .collect();
    match query.get("instanceName") {
        Some(name) if rows.is_empty() => Err(Refusal::missing(format!("Instance \"{name}\" not found"))),
        _ => ok(&json!(rows)),
    }
}

fn row(instance: &Instance, messages: usize, chats: usize) -> Value {
    let (created, updated) = (iso(instance.created_ms), iso(instance.updated_ms));
    let mut setting = instance.settings.clone();
    setting["id"] = instance.row("setting").into();
    setting["createdAt"] = created.clone().into();
    setting["updatedAt"] = updated.clone().into();
    setting["instanceId"] = instance.id.clone().into();
    json!({
        "id": instance.id,
        "name": instance.name,
        "connectionStatus": instance.state.name(),
        "ownerJid": instance.own_jid(),
        "profileName": instance.me.as_ref().map(|me| &me.push_name),
        "profilePicUrl": null,
        "integration": instance.channel.name(),
        "number": instance.number,
        "businessId": instance.business_id,
        "token": instance.token,
        "clientName": "indaba_simulator",
        "disconnectionReasonCode": instance.ended.map(|(reason, _)| reason),
        "disconnectionObject": instance.ended.map(|(reason, _)| json!({"error": {"output": {"statusCode": reason}}}).to_string()),
        "disconnectionAt": instance.ended.map(|(_, at)| iso(at)),
        "createdAt": created,
        "updatedAt": updated,
        "Chatwoot": null, "Proxy": null, "Rabbitmq": null, "Nats": null, "Sqs": null, "Websocket": null,
        "Setting": setting,
        "_count": {"Message": messages, "Contact": instance.contacts.len(), "Chat": chats},
    })
}

/// An instance that a call is about: the guard has seen it in the path, but the query may name another.
fn with<T>(sim: &Sim, input: &Input, work: impl FnOnce(&mut Instance) -> T) -> Result<T, Refusal> {
    sim.evolution.with(&input.instance, work).ok_or_else(|| Refusal::no_instance(&input.instance))
}

pub async fn connection_state(In(sim): In<Arc<Sim>>, input: Input) -> Answer {
    ok(&with(&sim, &input, |instance| instance.state_json())?)
}

/// Begins, and answers two seconds later with the code, or `{"count":0}` when none has come yet.
pub async fn connect(In(sim): In<Arc<Sim>>, Query(query): Query<HashMap<String, String>>, input: Input) -> Answer {
    let number = query.get("number").filter(|number| !number.is_empty()).cloned();
    let begun = with(&sim, &input, |instance| match instance.state {
        State::Open => Some(instance.state_json()),
        State::Connecting => Some(instance.qr_json()),
        State::Close => {
            sim.evolution.connect(&sim, instance, number.or_else(|| instance.number.clone()));
            None
        }
    })?;
    if let Some(answer) = begun {
        return ok(&answer);
    }
    tokio::time::sleep(sim.seconds(2)).await;
    ok(&with(&sim, &input, |instance| instance.qr_json())?)
}

pub async fn restart(In(sim): In<Arc<Sim>>, input: Input) -> Answer {
    ok(&with(&sim, &input, |instance| match instance.state {
        // An exception, made a text, with status 200.
        State::Close => json!({"error": true, "message": "[object Object]"}),
        State::Connecting | State::Open => {
            sim.evolution.connect(&sim, instance, instance.pairing_for.clone());
            instance.qr_json()
        }
    })?)
}

pub async fn logout(In(sim): In<Arc<Sim>>, input: Input) -> Answer {
    with(&sim, &input, |instance| log_out(&sim, instance))??;
    ok(&json!({"status": "SUCCESS", "error": false, "response": {"message": "Instance logged out"}}))
}

fn log_out(sim: &Arc<Sim>, instance: &mut Instance) -> Result<(), Refusal> {
    if instance.state == State::Close {
        return Err(Refusal::bad(format!("The \"{}\" instance is not connected", instance.name)));
    }
    sim.evolution.close(sim, instance, Reason::LOGGED_OUT);
    Ok(())
}

pub async fn remove(In(sim): In<Arc<Sim>>, input: Input) -> Answer {
    let mut all = sim.evolution.state();
    let instance = all.get_mut(&input.instance).ok_or_else(|| Refusal::no_instance(&input.instance))?;
    if instance.channel == Channel::Baileys && instance.state != State::Close {
        log_out(&sim, instance)?;
    }
    let told = json!({"instanceName": instance.name, "instanceId": instance.id});
    sim.evolution.emit(&sim, instance, "instance.delete", &told, None);
    sim.evolution.emit(&sim, instance, "remove.instance", &Value::Null, None);
    all.remove(&input.instance);
    sim.bell.ring(&json!({"kind": "session", "name": input.instance, "status": null}));
    ok(&json!({"status": "SUCCESS", "error": false, "response": {"message": "Instance deleted"}}))
}

pub async fn set_presence(In(sim): In<Arc<Sim>>, input: Input) -> Answer {
    input.check(&[("presence", Kind::Text, true)])?;
    sim.evolution.ready(&input.instance, "sendPresenceUpdate").map_err(|why| Refusal::bad(Refusal::thrown(&why)))?;
    created(&json!({"presence": input.text("presence")}))
}

pub async fn set_settings(In(sim): In<Arc<Sim>>, input: Input) -> Answer {
    created(&with(&sim, &input, |instance| {
        instance.settings = settings(&input.body);
        json!({"settings": {"instanceName": instance.name, "settings": instance.settings}})
    })?)
}

pub async fn find_settings(In(sim): In<Arc<Sim>>, input: Input) -> Answer {
    ok(&with(&sim, &input, |instance| instance.settings.clone())?)
}
