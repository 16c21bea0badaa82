//! Groups: enough to list them, and to show that their hooks break nothing.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::{
    chats::{Words, page},
    input::Input,
    refusal::{Answer, Refusal, created, ok},
    shape::net,
    wait,
};
use crate::{
    sim::Sim,
    world::{Address, Group, GroupChange, Role, World},
};

fn role(role: Role) -> Value {
    json!(role)
}

/// The engine's own form.
fn raw(world: &World, group: &Group) -> Value {
    let members: Vec<Value> = group
        .members
        .iter()
        .filter(|(_, role)| *role != Role::Left)
        .map(|(phone, role)| {
            let admin = (*role != Role::Participant).then_some(role);
            json!({"id": net(&world.person(phone).jid()), "admin": admin})
        })
        .collect();
    json!({
        "id": format!("{}@g.us", group.id),
        "subject": group.subject,
        "desc": group.description,
        "owner": group.members.first().map(|(phone, _)| format!("{phone}@s.whatsapp.net")),
        "participants": members,
        "announce": false,
        "restrict": false,
        "creation": group.made_at_ms / 1000,
    })
}

/// The hooks a change makes, by event. Times in them are ms, though the documentation shows seconds.
pub fn group_json(
    world: &World,
    line: &str,
    group: &Group,
    change: &GroupChange,
    at_ms: i64,
) -> Vec<(&'static str, Value)> {
    let id = format!("{}@g.us", group.id);
    let raw = raw(world, group);
    let member = |phone: &str, as_role: Role| json!({"id": world.person(phone).jid(), "role": role(as_role)});
    match change {
        GroupChange::Joined => {
            let members: Vec<Value> = group.members.iter().map(|(phone, role)| member(phone, *role)).collect();
            // `membersCanSendMessages` is the wrong way round on NOWEB: it copies `announce`.
            let all = json!({
                "id": id, "subject": group.subject, "description": group.description,
                "participants": members, "membersCanSendMessages": false,
            });
            vec![
                ("group.join", raw.clone()),
                ("group.v2.join", json!({"timestamp": at_ms, "group": all, "_data": raw})),
            ]
        }
        GroupChange::Left => {
            let data =
                json!({"id": id, "participants": [{"id": format!("{line}@s.whatsapp.net")}], "action": "remove"});
            vec![("group.v2.leave", json!({"timestamp": at_ms, "group": {"id": id}, "_data": data}))]
        }
        GroupChange::Renamed => {
            let part = json!({"id": id, "subject": group.subject});
            vec![("group.v2.update", json!({"timestamp": at_ms, "group": part, "_data": part}))]
        }
        GroupChange::Members { how, who } => {
            let as_role = match how.as_str() {
                "leave" => Role::Left,
                "promote" => Role::Admin,
                _ => Role::Participant,
            };
            let action = match how.as_str() {
                "join" => "add",
                "leave" => "remove",
                how => how,
            };
            let members: Vec<Value> = who.iter().map(|phone| member(phone, as_role)).collect();
            let data: Vec<Value> = who.iter().map(|phone| json!({"id": net(&world.person(phone).jid())})).collect();
            let payload = json!({
                "group": {"id": id}, "type": how, "timestamp": at_ms, "participants": members,
                "_data": {"id": id, "participants": data, "action": action},
            });
            vec![("group.v2.participants", payload)]
        }
    }
}

pub async fn list(State(sim): State<Arc<Sim>>, Path(session): Path<String>, query: Words) -> Answer {
    let ready = wait::working(&sim, &session).await?;
    let world = sim.world();
    let groups = world.line(&ready.line).into_iter().flat_map(|line| line.groups());
    let groups: Vec<Value> = page(groups, &query, None)?.into_iter().map(|group| raw(&world, group)).collect();
    Ok(ok(&json!(groups)))
}

pub async fn count(State(sim): State<Arc<Sim>>, Path(session): Path<String>) -> Answer {
    let ready = wait::working(&sim, &session).await?;
    let count = sim.world().line(&ready.line).map_or(0, |line| line.groups().count());
    Ok(ok(&json!({"count": count})))
}

pub async fn create(State(sim): State<Arc<Sim>>, Path(session): Path<String>, input: Input) -> Answer {
    let ready = wait::working(&sim, &session).await?;
    let name = input.text("name").ok_or_else(|| Refusal::bad(json!(["name must be a string"])))?;
    let members = input.0.get("participants").and_then(Value::as_array);
    let members: Vec<String> = {
        let world = sim.world();
        let ids = members.into_iter().flatten().filter_map(|member| member.get("id")?.as_str());
        ids.filter_map(|id| world.resolve(id)?.phone().map(str::to_owned)).collect()
    };
    let group = sim.act(&ready.line, |world, out| world.make_group(&ready.line, None, name, &members, out))?;
    Ok(created(&raw(&sim.world(), &group)))
}

async fn of(sim: &Arc<Sim>, session: &str, id: &str) -> Result<Group, Refusal> {
    let ready = wait::working(sim, session).await?;
    let world = sim.world();
    let group = match world.resolve(id) {
        Some(Address::Group(id)) => world.line(&ready.line).and_then(|line| line.group(&id).cloned()),
        _ => None,
    };
    group.ok_or_else(|| Refusal::missing("Group not found"))
}

pub async fn show(State(sim): State<Arc<Sim>>, Path((session, id)): Path<(String, String)>) -> Answer {
    let group = of(&sim, &session, &id).await?;
    Ok(ok(&raw(&sim.world(), &group)))
}

pub async fn participants(State(sim): State<Arc<Sim>>, Path((session, id)): Path<(String, String)>) -> Answer {
    let group = of(&sim, &session, &id).await?;
    let world = sim.world();
    let members: Vec<Value> = group
        .members
        .iter()
        .map(|(phone, as_role)| {
            let person = world.person(phone);
            let mut member = json!({"id": person.jid(), "role": role(*as_role)});
            if person.jid().ends_with("@lid") {
                member["pn"] = json!(format!("{phone}@c.us"));
            }
            member
        })
        .collect();
    Ok(ok(&json!(members)))
}
