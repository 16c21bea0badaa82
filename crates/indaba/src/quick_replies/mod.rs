//! Quick replies: texts that people write once and send often, each found by its shortcut. One's own, or everybody's.
//!
//! A text may name variables, with what stands there when nothing is known: `Good day {{contact.first_name|there}}`. Who writes the message
//! fills them in (the composer does), sees the words, and sends those: nothing is filled in behind anybody's back.
pub mod http;
mod store;

use crate::{
    Error, Result,
    clock::Time,
    db::{TenantRead, TenantTx},
    events,
    http::{Actor, Check, Role, Who, who::UserId},
    media::{self, MediaId},
};
use indaba_providers::{LONGEST_CAPTION, LONGEST_TEXT};
use serde::{Deserialize, Serialize};
use serde_json::json;

id! {
    /// A quick reply.
    QuickReplyId, "qrp"
}

words! {
    /// Who has a quick reply.
    pub enum Scope as QuickReplyScope {
        /// Whoever made it.
        Me = "me",
        /// Everybody.
        All = "all",
    }
}

row! {
    /// A quick reply as its row says.
    #[derive(Clone, Debug, PartialEq)]
    pub struct QuickReply {
        pub id: QuickReplyId,
        pub owner_id: UserId,
        pub shortcut: String,
        pub title: String,
        pub body: String,
        pub media_id: Option<MediaId>,
        pub uses: i64,
        pub created_at: Time,
        pub updated_at: Time,
    }
}

/// A quick reply as the API shows it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = QuickReply)]
pub struct View {
    /// Its id.
    pub id: QuickReplyId,
    /// Who has it.
    pub scope: Scope,
    /// What is typed after the `/`.
    pub shortcut: String,
    /// What it is for.
    pub title: String,
    /// What it says, with its variables.
    pub body: String,
    /// The file that goes with it.
    #[schema(required)]
    pub media: Option<media::View>,
    /// How many messages were made from it.
    pub uses: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// A quick reply to make.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewQuickReply)]
pub struct New {
    /// Who has it. Everybody's are made by managers.
    pub scope: Scope,
    /// What is typed after the `/`: 1 to 32 letters, digits, `-` and `_`.
    pub shortcut: String,
    /// What it is for; 1 to 80 characters.
    pub title: String,
    /// What it says; at most 4,096 characters, below a file 1,024. Variables: `{{contact.name}}`, `{{contact.first_name|there}}`,
    /// `contact.phone`, `user.name`, `user.first_name`, `number.name`, `number.phone`, `workspace.name`.
    pub body: String,
    /// A file that goes with it, from `POST /api/media`.
    pub media_id: Option<MediaId>,
}

/// What may be changed of one; what is left out stays.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = QuickReplyChange)]
pub struct Change {
    /// See there.
    pub scope: Option<Scope>,
    /// See there.
    pub shortcut: Option<String>,
    /// See there.
    pub title: Option<String>,
    /// See there.
    pub body: Option<String>,
    /// Null takes the file away.
    #[serde(default, deserialize_with = "crate::http::given")]
    #[schema(value_type = Option<MediaId>)]
    pub media_id: Option<Option<MediaId>>,
}

/// What a text may name.
const VARIABLES: [&str; 8] = [
    "contact.name",
    "contact.first_name",
    "contact.phone",
    "user.name",
    "user.first_name",
    "number.name",
    "number.phone",
    "workspace.name",
];
const LONGEST_SHORTCUT: usize = 32;
const LONGEST_TITLE: usize = 80;
/// A list that nobody finds anything in any more. For everybody's together, and for each person's.
const MOST: i64 = 300;

/// Everybody's, and one's own.
#[derive(Clone, Copy, Debug)]
pub struct Mine(UserId);

impl Mine {
    /// What this one has; a program has nothing of its own.
    pub fn of(who: &Who) -> Mine {
        Mine(if let Actor::User { id, .. } = &who.actor { *id } else { UserId::NIL })
    }
}

impl QuickReply {
    fn scope(&self) -> Scope {
        if self.owner_id == UserId::NIL { Scope::All } else { Scope::Me }
    }

    fn view(&self, files: &[media::Media]) -> View {
        let file = self.media_id.and_then(|id| files.iter().find(|file| file.id == id));
        View {
            id: self.id,
            scope: self.scope(),
            shortcut: self.shortcut.clone(),
            title: self.title.clone(),
            body: self.body.clone(),
            media: file.map(media::Media::view),
            uses: self.uses,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    /// Errors: 422 with each field that is wrong.
    fn check(&self, tx: &mut TenantRead) -> Result<()> {
        let mut check = Check::default();
        let good = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let length = self.shortcut.chars().count();
        let fits = (1..=LONGEST_SHORTCUT).contains(&length) && self.shortcut.chars().all(good);
        check.that(fits, "/shortcut", "has 1 to 32 letters, digits, - and _");
        check.name(&self.title, "/title", LONGEST_TITLE);
        let (length, file) = (self.body.chars().count(), self.media_id.is_some());
        check.that(file || !self.body.trim().is_empty(), "/body", "has at least one character, or a file goes with it");
        check.that(length <= LONGEST_TEXT, "/body", "has at most 4,096 characters");
        check.that(!file || length <= LONGEST_CAPTION, "/body", "has at most 1,024 characters below a file");
        if let Err(why) = variables(&self.body) {
            check.that(false, "/body", &why);
        }
        check.done()?;
        match self.media_id.map(|id| media::get(tx, id)).transpose() {
            Err(Error::Missing) => Err(Error::field("/mediaId", "There is no such file.")),
            Err(e) => Err(e),
            Ok(Some(file)) if file.kind == media::Kind::Audio && !self.body.trim().is_empty() => {
                Err(Error::field("/body", "WhatsApp shows no text below a recording."))
            }
            Ok(file) => file.as_ref().map_or(Ok(()), media::ready),
        }
    }
}

/// The variables that a text names. Errors: what is wrong with it, for a person.
fn variables(text: &str) -> Result<Vec<&str>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let (inside, next) = after.split_once("}}").ok_or("{{ is not closed by }}")?;
        let name = inside.split('|').next().unwrap_or_default().trim();
        if !VARIABLES.contains(&name) {
            return Err(format!("{{{{{name}}}}} is not known; there are {}", VARIABLES.join(", ")));
        }
        found.push(name);
        rest = next;
    }
    Ok(found)
}

/// A shortcut as it is kept: without the `/` that people type before it, in small letters.
fn folded(shortcut: &str) -> String {
    shortcut.trim().trim_start_matches('/').to_lowercase()
}

/// Whose it is to be. Errors: 403 for everybody's without the role; 422 for a program, which has nothing of its own.
fn owner(who: &Who, scope: Scope) -> Result<UserId> {
    match (scope, &who.actor) {
        (Scope::All, _) if who.role >= Role::Manager => Ok(UserId::NIL),
        (Scope::All, _) => Err(not_theirs()),
        (Scope::Me, Actor::User { id, .. }) => Ok(*id),
        (Scope::Me, _) => Err(Error::field("/scope", "A program has no quick replies of its own.")),
    }
}

fn not_theirs() -> Error {
    Error::Forbidden("Everybody's quick replies are kept by managers. Make one of your own.".into())
}

/// One page, by shortcut. `after` is the last of the page before.
pub fn page(tx: &mut TenantRead, of: Mine, after: (&str, QuickReplyId), rows: i64) -> Result<Vec<View>> {
    let found = store::page(tx, of.0, after, rows)?;
    let files: Vec<MediaId> = found.iter().filter_map(|reply| reply.media_id).collect();
    let files = media::all(tx, &files)?;
    Ok(found.iter().map(|reply| reply.view(&files)).collect())
}

/// One that they have. Errors: `Missing`, also for another's own.
pub fn get(tx: &mut TenantRead, of: Mine, id: QuickReplyId) -> Result<QuickReply> {
    store::get(tx, of.0, id)
}

/// The same as it is shown.
pub fn view(tx: &mut TenantRead, reply: &QuickReply) -> Result<View> {
    let file = reply.media_id.map(|id| media::get(tx, id)).transpose()?;
    Ok(reply.view(file.as_slice()))
}

/// Makes one. Errors: 403, 409 for a shortcut that is taken, 422.
pub fn create(tx: &mut TenantTx, who: &Who, new: &New) -> Result<QuickReply> {
    let (now, owner_id) = (tx.now(), owner(who, new.scope)?);
    let made = QuickReply {
        id: QuickReplyId::at(now),
        owner_id,
        shortcut: folded(&new.shortcut),
        title: new.title.trim().to_owned(),
        body: new.body.clone(),
        media_id: new.media_id,
        uses: 0,
        created_at: now,
        updated_at: now,
    };
    made.check(tx)?;
    room(tx, owner_id)?;
    if !store::add(tx, &made)? {
        return Err(taken());
    }
    tell(tx, made.id)?;
    Ok(made)
}

/// Changes one. Errors as above, and `Missing`.
pub fn change(tx: &mut TenantTx, who: &Who, before: &QuickReply, change: &Change) -> Result<QuickReply> {
    owner(who, before.scope())?;
    let mut after = QuickReply { updated_at: tx.now(), ..before.clone() };
    if let Some(scope) = change.scope {
        after.owner_id = owner(who, scope)?;
    }
    after.shortcut = change.shortcut.as_deref().map_or(after.shortcut, folded);
    after.title = change.title.as_deref().map_or(after.title, |title| title.trim().to_owned());
    after.body = change.body.clone().unwrap_or(after.body);
    after.media_id = change.media_id.unwrap_or(after.media_id);
    after.check(tx)?;
    if after.owner_id != before.owner_id {
        room(tx, after.owner_id)?;
    }
    if store::by_shortcut(tx, after.owner_id, &after.shortcut)?.is_some_and(|other| other != after.id) {
        return Err(taken());
    }
    if !store::save(tx, &after)? {
        return Err(Error::Missing); // deleted since it was read
    }
    tell(tx, after.id)?;
    Ok(after)
}

/// Errors: 409 when the list of this owner is full.
fn room(tx: &mut TenantRead, owner: UserId) -> Result<()> {
    if store::count(tx, owner)? >= MOST {
        return Err(Error::conflict("list-full", "There are 300 quick replies already", "Delete some of them first."));
    }
    Ok(())
}

/// Deletes one. Errors: 403.
pub fn remove(tx: &mut TenantTx, who: &Who, reply: &QuickReply) -> Result<()> {
    owner(who, reply.scope())?;
    store::remove(tx, reply.id)?;
    tell(tx, reply.id)
}

/// A message was made from it. Nothing happens to one that is gone, or another's own: the words are the writer's by now.
pub fn used(tx: &mut TenantTx, who: &Who, id: QuickReplyId) -> Result<()> {
    store::count_use(tx, Mine::of(who).0, id)
}

fn taken() -> Error {
    Error::conflict("shortcut-taken", "This shortcut is taken", "Another quick reply has it. Choose another.")
}

/// Tells open pages that the list is another now; not what is in it, which may be one person's own.
fn tell(tx: &mut TenantTx, id: QuickReplyId) -> Result<()> {
    events::append(tx, "quick_reply.changed", &[("quickReply", &id)], &json!({}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_what_can_be_filled_in() {
        assert_eq!(variables("Good day"), Ok(vec![]));
        let text = "Dear {{contact.first_name|friend of {ours}}}, {{ user.name }} of {{number.name|us}} {x}";
        assert_eq!(variables(text), Ok(vec!["contact.first_name", "user.name", "number.name"]));
        for wrong in ["{{contact.nme}}", "{{}}", "{{contact.name", "{{contact.name}} {{", "{{user.name.x|y}}", "{{|x}}"]
        {
            assert!(variables(wrong).is_err(), "{wrong}");
        }
        assert_eq!(folded(" /Hello-1 "), "hello-1");
    }
}
