//! Contacts and hidden ids.

use std::{collections::HashMap, sync::Arc};

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::{
    Engine,
    chats::{Words, page, picture_url},
    refusal::{Answer, Refusal, ok},
    wait,
};
use crate::{
    sim::Sim,
    world::{Address, Person, Refused, Shown},
};

fn session(query: &HashMap<String, String>) -> Result<&str, Refusal> {
    query
        .get("session")
        .map(String::as_str)
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Refusal::bad("Session name is required"))
}

fn contact(sim: &Sim, person: &Person) -> Value {
    let mut contact = json!({"id": person.jid(), "name": person.label(), "pushname": person.push_name});
    // from docs
    if sim.waha.engine == Engine::Webjs {
        contact["number"] = json!(person.phone);
        contact["shortName"] = json!(person.label().split(' ').next());
        contact["isMyContact"] = json!(person.name.is_some());
        contact["isWAContact"] = json!(person.exists);
        for no in ["isMe", "isGroup", "isBlocked"] {
            contact[no] = json!(false);
        }
    }
    contact
}

pub async fn all(State(sim): State<Arc<Sim>>, query: Words) -> Answer {
    let ready = wait::working(&sim, session(&query)?).await?;
    let world = sim.world();
    // Those the number has a chat with: the store learns of nobody else.
    let line = world.line(&ready.line);
    let chats = line.map_or_else(Vec::new, |line| line.chats());
    let mut people: Vec<Person> =
        chats.iter().filter_map(|(address, _)| Some(world.person(address.phone()?))).collect();
    match query.get("sortBy").map(String::as_str) {
        Some("name") => people.sort_by(|a, b| a.label().cmp(b.label())),
        _ => people.sort_by_key(Person::jid),
    }
    if query.get("sortOrder").is_some_and(|order| order == "desc") {
        people.reverse();
    }
    let contacts: Vec<Value> =
        page(people.iter(), &query, None)?.into_iter().map(|person| contact(&sim, person)).collect();
    Ok(ok(&json!(contacts)))
}

async fn by_id(sim: &Arc<Sim>, session: &str, id: &str) -> Answer {
    wait::working(sim, session).await?;
    let world = sim.world();
    match world.resolve(id) {
        Some(Address::Person(phone)) => Ok(ok(&contact(sim, &world.person(&phone)))),
        _ => Err(Refused::NoAddress(id.to_owned()).into()),
    }
}

pub async fn show(State(sim): State<Arc<Sim>>, query: Words) -> Answer {
    let id = query.get("contactId").map(String::as_str).unwrap_or_default();
    by_id(&sim, session(&query)?, id).await
}

pub async fn one(State(sim): State<Arc<Sim>>, Path((session, id)): Path<(String, String)>) -> Answer {
    by_id(&sim, &session, &id).await
}

pub async fn exists(State(sim): State<Arc<Sim>>, query: Words) -> Answer {
    wait::working(&sim, session(&query)?).await?;
    let phone = query.get("phone").map(String::as_str).unwrap_or_default();
    let world = sim.world();
    Ok(ok(&match world.resolve(phone) {
        Some(Address::Person(phone)) if world.person(&phone).exists => {
            json!({"numberExists": true, "chatId": world.person(&phone).jid()})
        }
        _ => json!({"numberExists": false}),
    }))
}

pub async fn picture(State(sim): State<Arc<Sim>>, query: Words) -> Answer {
    wait::working(&sim, session(&query)?).await?;
    let world = sim.world();
    let id = query.get("contactId").map(String::as_str).unwrap_or_default();
    let address = world.resolve(id).ok_or_else(|| Refused::NoAddress(id.to_owned()))?;
    Ok(ok(&json!({"profilePictureURL": picture_url(&sim, &world, &address)})))
}

/// Which phone is behind a hidden id, as far as the gateway knows.
fn pair(person: &Person) -> Value {
    let pn = (person.shown != Shown::LidOnly).then(|| format!("{}@c.us", person.phone));
    json!({"lid": format!("{}@lid", person.lid), "pn": pn})
}

fn known(sim: &Sim) -> Vec<Person> {
    sim.world().people().filter(|person| person.shown == Shown::Lid).cloned().collect()
}

pub async fn lids(State(sim): State<Arc<Sim>>, Path(session): Path<String>, query: Words) -> Answer {
    wait::working(&sim, &session).await?;
    let known = known(&sim);
    let pairs: Vec<Value> = page(known.iter(), &query, Some(100))?.into_iter().map(pair).collect();
    Ok(ok(&json!(pairs)))
}

pub async fn lid_count(State(sim): State<Arc<Sim>>, Path(session): Path<String>) -> Answer {
    wait::working(&sim, &session).await?;
    Ok(ok(&json!({"count": known(&sim).len()})))
}

pub async fn lid(State(sim): State<Arc<Sim>>, Path((session, lid)): Path<(String, String)>) -> Answer {
    wait::working(&sim, &session).await?;
    if !lid.ends_with("@lid") {
        return Err(Refusal::unprocessable("Invalid LID - it must end with @lid"));
    }
    let world = sim.world();
    Ok(ok(&world.by_lid(&lid).map_or_else(|| json!({"lid": lid, "pn": null}), pair)))
}

pub async fn lid_of(State(sim): State<Arc<Sim>>, Path((session, phone)): Path<(String, String)>) -> Answer {
    wait::working(&sim, &session).await?;
    let world = sim.world();
    let Some(Address::Person(phone)) = world.resolve(&phone) else {
        return Err(Refused::NoAddress(phone).into());
    };
    let person = world.person(&phone);
    // Known only for who is seen by a hidden id.
    let lid = (person.shown == Shown::Lid).then(|| format!("{}@lid", person.lid));
    Ok(ok(&json!({"lid": lid, "pn": format!("{phone}@c.us")})))
}
