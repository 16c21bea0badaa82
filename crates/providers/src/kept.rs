//! What may be kept of what others send: names and ids of a length that can be stored, conversations that are ones with a person.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{Address, Ignored, Unreadable};

/// Names are cut here: they are shown in lists.
const LONGEST_NAME: usize = 200;
/// WhatsApp's ids have 20 to 32 characters, Meta's some more; a database column has to end somewhere.
pub(crate) const LONGEST_ID: usize = 512;

/// A hook of another shape; never what it says.
pub(crate) fn odd(what: &str) -> Unreadable {
    Unreadable::NotAsExpected(what.to_owned())
}

/// What a hook carries, if it is an object of this shape; `what` it is called.
pub(crate) fn typed<T: DeserializeOwned>(data: Option<&RawValue>, what: &str) -> Result<T, Unreadable> {
    let data = data.filter(|data| data.get().starts_with('{')).ok_or_else(|| odd(&format!("there is no {what}")))?;
    serde_json::from_str(data.get()).map_err(|_| odd(&format!("the {what} has another shape")))
}

/// A message's id as it can be stored.
pub(crate) fn id(id: Option<&str>) -> Result<String, Unreadable> {
    id.filter(|id| (1..=LONGEST_ID).contains(&id.len()))
        .map(str::to_owned)
        .ok_or_else(|| odd("a message id is missing, or longer than 512 characters"))
}

/// A name as it can be shown.
pub(crate) fn name(text: Option<&str>) -> Option<String> {
    let name: String = text?.trim().chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    Some(name).filter(|name| !name.is_empty())
}

/// Why a conversation is none with a person.
pub(crate) fn passed_over(chat: &Address) -> Option<Ignored> {
    match chat {
        Address::Group(_) => Some(Ignored::Group),
        Address::Jid(jid) if jid == "status@broadcast" => Some(Ignored::Story),
        chat if chat.is_person() => None,
        _ => Some(Ignored::Newsletter),
    }
}
