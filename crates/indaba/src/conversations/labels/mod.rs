//! Labels: a tenant's own words for its conversations. Managers make, rename and delete them, for everybody sees them at once; agents
//! put them on conversations.
//!
//! A conversation carries the ids of its labels; their names and colours stand in one place, the list of labels, so that renaming one
//! changes one row and tells the browsers of one thing. For lists by label each of them is a row, too (`conversation_labels`), with
//! what such a list filters and sorts by.
pub(super) mod http;
mod jobs;
pub(super) mod store;

pub use jobs::ForgetLabel;
pub use store::Label;

use super::Conversation;
use crate::{
    Error, Result,
    clock::Time,
    db::{TenantRead, TenantTx},
    events,
};
use serde::Serialize;
use serde_json::json;

id! {
    /// A label.
    LabelId, "lbl"
}

words! {
    /// The colours a label may have: names, so that each theme has its own shade of them.
    pub enum Colour as LabelColour {
        /// Grey, warm.
        Stone = "stone",
        /// Blue.
        Indigo = "indigo",
        /// Blue and green.
        Petrol = "petrol",
        /// Green.
        Leaf = "leaf",
        /// Yellow and brown.
        Amber = "amber",
        /// Pink.
        Rose = "rose",
        /// Dark red and blue.
        Plum = "plum",
    }
}

/// How many a tenant may have: they are chosen from one menu, and listed on one page.
pub const MOST: usize = 100;
/// How many a conversation may carry.
pub const MOST_ON_ONE: usize = 20;
/// The longest name, in characters: it stands in a row of the list.
pub const LONGEST_NAME: usize = 40;

/// A label as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Label)]
pub struct View {
    /// Its id.
    pub id: LabelId,
    /// What it says.
    pub name: String,
    /// The colour beside its name.
    pub colour: Colour,
    /// When it was made.
    pub created_at: Time,
}

impl Label {
    /// As the API shows it.
    pub fn view(&self) -> View {
        View { id: self.id, name: self.name.clone(), colour: self.colour, created_at: self.created_at }
    }
}

/// A name as it is kept: no spaces around it, single ones inside.
fn spaced(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Makes a label. Errors: 409 when there is one of this name, however it is written, or there are too many.
pub fn create(tx: &mut TenantTx, name: &str, colour: Colour) -> Result<Label> {
    let name = spaced(name);
    if store::count(tx)? >= MOST as i64 {
        return Err(Error::conflict(
            "too-many-labels",
            "There are too many labels",
            format!("A workspace has at most {MOST}. Delete one that nobody needs."),
        ));
    }
    free(tx, &name, None)?;
    let made = Label { id: LabelId::at(tx.now()), folded: name.to_lowercase(), name, colour, created_at: tx.now() };
    store::insert(tx, &made)?;
    tell(tx, "label.created", &made)?;
    Ok(made)
}

/// Changes a label; as it was, and as it is. Errors: as of [`create`]; `Missing`.
pub fn edit(tx: &mut TenantTx, id: LabelId, name: Option<&str>, colour: Option<Colour>) -> Result<(Label, Label)> {
    let before = store::get(tx, id)?;
    let mut after = before.clone();
    if let Some(name) = name {
        after.name = spaced(name);
        after.folded = after.name.to_lowercase();
        free(tx, &after.name, Some(id))?;
    }
    after.colour = colour.unwrap_or(before.colour);
    if before != after {
        store::update(tx, &after)?;
        tell(tx, "label.updated", &after)?;
    }
    Ok((before, after))
}

/// Deletes a label: from now on it is nowhere; [`ForgetLabel`] takes it off its conversations. Errors: `Missing`.
pub fn delete(tx: &mut TenantTx, id: LabelId) -> Result<Label> {
    let gone = store::get(tx, id)?;
    store::delete(tx, id)?;
    crate::jobs::enqueue(tx, &ForgetLabel { label: id })?;
    events::append(tx, "label.deleted", &[("label", &id)], &json!({ "label": { "id": id, "removed": true } }))?;
    Ok(gone)
}

fn free(tx: &mut TenantRead, name: &str, but: Option<LabelId>) -> Result<()> {
    match store::find(tx, &name.to_lowercase())? {
        Some(label) if Some(label.id) != but => Err(Error::conflict(
            "label-exists",
            "There is a label of this name",
            format!("It is “{}”. Use it, or choose another name.", label.name),
        )),
        _ => Ok(()),
    }
}

fn tell(tx: &mut TenantTx, event: &'static str, label: &Label) -> Result<()> {
    events::append(tx, event, &[("label", &label.id)], &json!({ "label": label.view() }))
}

/// Errors: 422 for a list that is longer than one with every label in it.
pub(super) fn check_length(asked: &[LabelId], pointer: &str) -> Result<()> {
    if asked.len() > MOST { Err(too_many(pointer)) } else { Ok(()) }
}

fn too_many(pointer: &str) -> Error {
    Error::field(pointer, format!("has at most {MOST_ON_ONE}"))
}

/// The labels a person wants on a conversation, each once. Errors: 422 for too many, and for one that is not this tenant's.
pub(super) fn wanted(tx: &mut TenantTx, asked: &[LabelId], pointer: &str) -> Result<Vec<LabelId>> {
    let mut wanted: Vec<LabelId> = Vec::with_capacity(asked.len().min(MOST_ON_ONE));
    for id in asked {
        if wanted.contains(id) {
            continue;
        }
        if wanted.len() == MOST_ON_ONE {
            return Err(too_many(pointer));
        }
        wanted.push(*id);
    }
    let known = store::hold(tx, &wanted)?;
    match asked.iter().position(|id| !known.contains(id)) {
        Some(at) => Err(Error::field(format!("{pointer}/{at}"), "There is no such label.")),
        None => Ok(wanted),
    }
}

/// The labels `carried` by a conversation, and one more. Errors: `Missing` when it is not this tenant's; 409 when they are enough.
fn with(tx: &mut TenantTx, mut carried: Vec<LabelId>, label: LabelId) -> Result<Vec<LabelId>> {
    if store::hold(tx, &[label])?.is_empty() {
        return Err(Error::Missing);
    }
    if !carried.contains(&label) {
        if carried.len() >= MOST_ON_ONE {
            return Err(Error::conflict(
                "labels-full",
                "It carries as many labels as it can",
                format!("A conversation has at most {MOST_ON_ONE}. Take one off first."),
            ));
        }
        carried.push(label);
    }
    Ok(carried)
}

/// The rows of the lists by label follow what changed in these conversations: as they were, and as they are.
pub(super) fn follow(tx: &mut TenantTx, changed: &[(&Conversation, &Conversation)]) -> Result<()> {
    let (mut moved, mut off, mut on) = (Vec::new(), Vec::new(), Vec::new());
    for (before, after) in changed {
        if before.labels.is_none() && after.labels.is_none() {
            continue; // nearly all
        }
        let (had, has) = (before.label_ids(), after.label_ids());
        off.extend(had.iter().filter(|id| !has.contains(id)).map(|id| (after.id, *id)));
        on.extend(has.iter().filter(|id| !had.contains(id)).map(|id| (*after, *id)));
        if (before.state, before.last_message_at) != (after.state, after.last_message_at) {
            moved.push(*after);
        }
    }
    store::moved(tx, &moved)?;
    store::take_off(tx, &off)?;
    store::put_on(tx, &on)
}

impl Conversation {
    /// The ids of its labels, in the order they were put on.
    pub fn label_ids(&self) -> Vec<LabelId> {
        self.labels.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// These are its labels now.
    pub(super) fn set_labels(&mut self, labels: &[LabelId]) {
        let text = || serde_json::to_string(labels).expect("ids are plain texts");
        self.labels = (!labels.is_empty()).then(text);
    }

    /// It goes on without this one.
    fn drop_label(&mut self, label: LabelId) {
        let mut rest = self.label_ids();
        rest.retain(|id| *id != label);
        self.set_labels(&rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_without_stray_spaces() {
        assert_eq!(spaced("  hot \t lead\u{a0}"), "hot lead");
        assert_eq!(spaced(" \n "), "");
    }
}
