//! Groups: as little as it takes to show that they break nothing.

use serde::{Deserialize, Serialize};

use super::{Happening, Line, MANY, Refused, World, address::digits};

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Is in it no more.
    Left,
    /// A member.
    Participant,
    /// May change it.
    Admin,
    /// Made it.
    SuperAdmin,
}

/// A group of a line.
#[derive(Debug, Clone)]
pub struct Group {
    /// Digits before `@g.us`.
    pub id: String,
    /// Its name.
    pub subject: String,
    /// Its description.
    pub description: String,
    /// Members by phone digits; the business is one of them.
    pub members: Vec<(String, Role)>,
    /// When it was made.
    pub made_at_ms: i64,
}

/// What changed in a group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", tag = "change")]
pub enum GroupChange {
    /// The business came into it.
    Joined,
    /// The business is out of it.
    Left,
    /// A new name.
    Renamed,
    /// Somebody joined, left, rose or fell.
    Members {
        /// `join`, `leave`, `promote` or `demote`.
        how: String,
        /// Who.
        who: Vec<String>,
    },
}

impl World {
    /// Makes a group with these members, and the business in it.
    pub fn make_group(
        &mut self,
        line: &str,
        id: Option<String>,
        subject: &str,
        members: &[String],
        out: &mut Vec<Happening>,
    ) -> Result<Group, Refused> {
        let at_ms = self.now_ms();
        let mut all = vec![(line.to_owned(), Role::Participant)];
        for member in members {
            let phone = digits(member).ok_or_else(|| Refused::NoAddress(member.clone()))?;
            self.person_mut(&phone)?;
            let role = if all.len() == 1 { Role::Admin } else { Role::Participant };
            all.push((phone, role));
        }
        let owner = self.line_mut(line)?;
        if owner.groups.len() >= MANY {
            return Err(Refused::Cannot("this number is in too many groups"));
        }
        let id = id.unwrap_or_else(|| format!("12036{:013}", owner.groups.len() + 1));
        let group = Group {
            id: id.clone(),
            subject: subject.to_owned(),
            description: String::new(),
            members: all,
            made_at_ms: at_ms,
        };
        owner.groups.insert(id, group.clone());
        out.push(Happening::Group { group: group.clone(), change: GroupChange::Joined, at_ms });
        Ok(group)
    }

    /// Changes a group and tells it.
    pub fn change_group(
        &mut self,
        line: &str,
        id: &str,
        change: GroupChange,
        subject: Option<&str>,
        out: &mut Vec<Happening>,
    ) -> Result<Group, Refused> {
        let at_ms = self.now_ms();
        let group = self
            .lines
            .get_mut(line)
            .and_then(|owner| owner.groups.get_mut(id))
            .ok_or(Refused::Missing("such group"))?;
        match &change {
            GroupChange::Joined => set(group, line, Role::Participant),
            GroupChange::Left => set(group, line, Role::Left),
            GroupChange::Renamed => {
                group.subject = subject.ok_or(Refused::Cannot("a new name needs a subject"))?.to_owned();
            }
            GroupChange::Members { how, who } => {
                let role = match how.as_str() {
                    "join" | "demote" => Role::Participant,
                    "promote" => Role::Admin,
                    "leave" => Role::Left,
                    _ => return Err(Refused::Cannot("members join, leave, promote or demote")),
                };
                who.iter().for_each(|phone| set(group, phone, role));
            }
        }
        let group = group.clone();
        out.push(Happening::Group { group: group.clone(), change, at_ms });
        Ok(group)
    }
}

fn set(group: &mut Group, phone: &str, role: Role) {
    match group.members.iter_mut().find(|(member, _)| member == phone) {
        Some(member) => member.1 = role,
        None => group.members.push((phone.to_owned(), role)),
    }
}

impl Line {
    /// A group by its digits.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(id)
    }

    /// All groups.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }
}
