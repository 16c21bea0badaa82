//! Contacts: the people on the other side, and the ways WhatsApp names them.
//!
//! A person may first write under a hidden id (LID) and later be seen with a phone number. When one event names both, the two rows
//! become one: the older stays, the other keeps only a trace of where it went.
pub mod http;
mod recognise;
mod rekey;
mod store;

pub use recognise::{Recognised, Sighting, prefer, recognise, recognise_known};
pub use rekey::{leave_name, rekey};
pub use store::{Touch, touch};

use crate::{
    Error, Result,
    clock::Time,
    db::{TenantRead, TenantTx},
    events,
    http::who::UserId,
    instances::InstanceId,
    search::{self, Doc, Kind, Query},
    tenants,
};
use indaba_providers::Address;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

id! {
    /// A contact.
    ContactId, "con"
}

words! {
    /// What may be done with a contact.
    pub enum Status as ContactStatus {
        /// Known, but has not written yet.
        New = "new",
        /// Has written.
        Active = "active",
        /// The assistant keeps silent, no campaign writes.
        Paused = "paused",
        /// Out of sight; writing brings them back.
        Archived = "archived",
    }
}

words! {
    /// How WhatsApp names a contact.
    pub enum IdentityKind {
        /// E.164 with `+`.
        Phone = "phone",
        /// Hidden id, known to one number only.
        Lid = "lid",
        /// Any other id of a person.
        Jid = "jid",
        /// Meta's business-scoped user id.
        Bsuid = "bsuid",
    }
}

row! {
    /// A contact as its row says.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Contact {
        pub id: ContactId,
        pub name: Option<String>,
        pub named: bool,
        pub phone: Option<String>,
        pub status: Status,
        pub owner_id: Option<UserId>,
        pub fields: String,
        pub last_message_at: Option<Time>,
        pub opted_out_at: Option<Time>,
        pub created_at: Time,
    }
}

row! {
    /// One way WhatsApp names a contact.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Identity { pub contact_id: ContactId, pub kind: IdentityKind, pub value: String, pub scope: InstanceId }
}

/// A contact as the API shows it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Contact)]
pub struct View {
    /// Its id.
    pub id: ContactId,
    /// What people call them.
    #[schema(required)]
    pub name: Option<String>,
    /// E.164 with `+`.
    #[schema(required)]
    pub phone: Option<String>,
    /// What may be done.
    pub status: Status,
    /// Every way WhatsApp names them.
    pub identities: Vec<IdentityView>,
    /// Who looks after them.
    #[schema(required)]
    pub owner_id: Option<UserId>,
    /// The workspace's own fields.
    #[schema(value_type = Object)]
    pub fields: Map<String, Value>,
    /// When the last message went either way.
    #[schema(required)]
    pub last_message_at: Option<Time>,
    /// Since when they want no marketing.
    #[schema(required)]
    pub opted_out_at: Option<Time>,
    /// When we first knew them.
    pub created_at: Time,
}

/// One way WhatsApp names a contact.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Identity)]
pub struct IdentityView {
    /// How.
    pub kind: IdentityKind,
    /// The name itself.
    pub value: String,
    /// The only number that knows it, for a LID.
    #[schema(required)]
    pub instance_id: Option<InstanceId>,
}

/// A contact in a few words, inside other things.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = ContactSummary)]
pub struct Summary {
    /// Its id.
    pub id: ContactId,
    /// What people call them.
    #[schema(required)]
    pub name: Option<String>,
    /// E.164 with `+`.
    #[schema(required)]
    pub phone: Option<String>,
}

impl Contact {
    /// In a few words.
    pub fn summary(&self) -> Summary {
        Summary { id: self.id, name: self.name.clone(), phone: self.phone.clone() }
    }

    fn view(self, identities: Vec<IdentityView>) -> View {
        View {
            id: self.id,
            name: self.name,
            phone: self.phone,
            status: self.status,
            identities,
            owner_id: self.owner_id,
            fields: serde_json::from_str(&self.fields).unwrap_or_default(),
            last_message_at: self.last_message_at,
            opted_out_at: self.opted_out_at,
            created_at: self.created_at,
        }
    }

    fn doc(&self) -> Doc {
        let mut words = search::words(self.name.as_deref().unwrap_or_default());
        words.extend(self.phone.as_deref().map(phone_words).unwrap_or_default());
        Doc { kind: Kind::Contact, id: self.id.0, words }
    }
}

impl Identity {
    fn view(self) -> IdentityView {
        let instance_id = (self.scope != InstanceId::NIL).then_some(self.scope);
        IdentityView { kind: self.kind, value: self.value, instance_id }
    }
}

/// The ways in which people type a phone number: with its country, without it, with a 0 instead, its last digits.
fn phone_words(phone: &str) -> Vec<String> {
    let digits = phone.trim_start_matches('+').to_owned();
    let mut words = vec![digits.clone()];
    if let Some(national) = digits.get(country_digits(&digits)..).filter(|rest| !rest.is_empty()) {
        words.extend([format!("0{national}"), national.to_owned()]);
    }
    for last in [7, 4] {
        words.extend(digits.len().checked_sub(last).map(|at| digits[at..].to_owned()));
    }
    words
}

/// How many digits of an E.164 number are its country code. Source: ITU-T E.164, assigned country codes: zones 1 and 7 have one digit,
/// these have two, all others three. (A library's table takes long to load, and this runs inside a transaction.)
fn country_digits(digits: &str) -> usize {
    const TWO: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 \
                       90 91 92 93 94 95 98";
    match digits.get(..2) {
        Some(start) if start.starts_with(['1', '7']) => 1,
        Some(start) if TWO.split_whitespace().any(|code| code == start) => 2,
        _ => 3,
    }
}

/// What lists are sorted by: the name, else the phone. Folded, and without surprises for an index.
fn sort_key(name: Option<&str>, phone: Option<&str>) -> String {
    let folded = name.map(|name| search::words(name).join(" ")).filter(|name| !name.is_empty());
    folded.or_else(|| phone.map(str::to_owned)).unwrap_or_default()
}

/// A phone number as a person types it, as E.164. `country` (ISO 3166, such as `ZA`) is where a number without `+` is from.
/// Errors: a sentence for the person.
pub fn e164(typed: &str, country: Option<&str>) -> Result<String, String> {
    let typed = typed.trim();
    let country: Option<phonenumber::country::Id> = country.and_then(|code| code.parse().ok());
    let international = typed.strip_prefix("00").map(|rest| format!("+{rest}"));
    let text = international.as_deref().unwrap_or(typed);
    if country.is_none() && !text.starts_with('+') {
        return Err("Begin the number with + and its country, such as +27.".into());
    }
    let number = phonenumber::parse(country, text).map_err(|_| "This is not a phone number.".to_owned())?;
    let text = number.format().mode(phonenumber::Mode::E164).to_string();
    // only what could exist is refused: new ranges appear before the tables know them
    match Address::parse(&text) {
        Some(Address::Phone(phone)) if phone == text => Ok(phone),
        _ => Err("This is not a phone number.".into()),
    }
}

/// What a person may say about a contact.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ContactChange)]
pub struct Change {
    /// What people call them; 1 to 200 characters.
    pub name: Option<String>,
    /// What may be done.
    pub status: Option<Status>,
    /// Who looks after them; null for nobody.
    #[serde(default, deserialize_with = "crate::http::given")]
    #[schema(value_type = Option<UserId>)]
    pub owner_id: Option<Option<UserId>>,
    /// The workspace's own fields: these are set, null removes one.
    #[schema(value_type = Option<Object>)]
    pub fields: Option<Map<String, Value>>,
}

/// Whom a request names: a contact of ours, or a phone number, whose contact is made if there is none. `under` is where the two fields stand.
/// Errors: `Missing`; 422 for both, neither, or a number that is none.
pub fn whom(tx: &mut TenantTx, id: Option<ContactId>, phone: Option<&str>, under: &str) -> Result<Contact> {
    match (id, phone) {
        (Some(id), None) => get(tx, id),
        (None, Some(phone)) => {
            let country = tenants::get(tx)?.country;
            let phone = e164(phone, country.as_deref()).map_err(|why| Error::field(format!("{under}/phone"), why))?;
            Ok(by_phone(tx, &phone, None)?.0)
        }
        _ => Err(Error::field(if under.is_empty() { "/phone" } else { under }, "Give either phone or contactId.")),
    }
}

/// The contact. Errors: `Missing`. One that was merged leads to the one it became.
pub fn get(tx: &mut TenantRead, id: ContactId) -> Result<Contact> {
    store::get(tx, id)
}

/// The contact with all its identities.
pub fn view(tx: &mut TenantRead, id: ContactId) -> Result<View> {
    let contact = store::get(tx, id)?;
    Ok(views(tx, vec![contact])?.remove(0))
}

/// The same for many.
pub fn views(tx: &mut TenantRead, contacts: Vec<Contact>) -> Result<Vec<View>> {
    let ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
    let mut identities = store::identities(tx, &ids)?;
    identities.sort_by(|a, b| (a.kind, &a.value).cmp(&(b.kind, &b.value)));
    let of = |id: ContactId| identities.iter().filter(move |one| one.contact_id == id).cloned().map(Identity::view);
    Ok(contacts
        .into_iter()
        .map(|contact| (contact.id, contact))
        .map(|(id, contact)| contact.view(of(id).collect()))
        .collect())
}

/// The contact with this phone number, made if nobody has it. Tells whether it is new.
pub fn by_phone(tx: &mut TenantTx, phone: &str, name: Option<&str>) -> Result<(Contact, bool)> {
    let person = indaba_providers::Person { phone: Some(phone.to_owned()), ..Default::default() };
    let mut found = recognise(tx, &[Sighting { instance: InstanceId::NIL, person: &person, wrote: false }])?;
    let new = !found.created.is_empty();
    let mut contact = found.contacts.remove(0);
    if let (Some(name), true) = (name, new) {
        contact = change(tx, contact.id, &Change { name: Some(name.into()), ..Change::default() })?;
    }
    Ok((contact, new))
}

/// Where to write to a contact on a number: their phone number, else a name that number knows.
pub fn address(tx: &mut TenantRead, id: ContactId, instance: InstanceId) -> Result<Option<Address>> {
    let mut names = store::identities(tx, &[id])?;
    names.retain(|name| name.scope == InstanceId::NIL || name.scope == instance);
    names.sort_by_key(|name| name.kind);
    Ok(names.iter().find_map(|name| Address::parse(&name.value)))
}

/// The contact that a number knows by this address, if any.
pub fn at(tx: &mut TenantRead, instance: InstanceId, address: &Address) -> Result<Option<ContactId>> {
    let (kind, value, scope) = key(instance, address);
    store::named(tx, kind, &value, scope)
}

/// What a name is found by.
type Key = (IdentityKind, String, InstanceId);

/// An address as the key it is found by.
fn key(instance: InstanceId, address: &Address) -> Key {
    let (kind, scope) = match address {
        Address::Phone(_) => (IdentityKind::Phone, InstanceId::NIL),
        Address::Lid(_) => (IdentityKind::Lid, instance),
        Address::Bsuid(_) => (IdentityKind::Bsuid, InstanceId::NIL),
        Address::Group(_) | Address::Jid(_) => (IdentityKind::Jid, InstanceId::NIL),
    };
    (kind, address.to_string(), scope)
}

/// Applies what a person said. Appends `contact.updated`.
pub fn change(tx: &mut TenantTx, id: ContactId, change: &Change) -> Result<Contact> {
    let mut contact = store::locked(tx, id)?;
    if let Some(name) = &change.name {
        (contact.name, contact.named) = (Some(name.trim().to_owned()), true);
    }
    contact.status = change.status.unwrap_or(contact.status);
    if let Some(owner) = change.owner_id {
        contact.owner_id = owner;
    }
    if let Some(set) = &change.fields {
        let mut fields: Map<String, Value> = serde_json::from_str(&contact.fields).unwrap_or_default();
        for (name, value) in set {
            if value.is_null() {
                fields.remove(name)
            } else {
                fields.insert(name.clone(), value.clone())
            };
        }
        contact.fields = serde_json::to_string(&fields).expect("a map of JSON is JSON");
        if contact.fields.len() > 65_536 {
            return Err(Error::field("/fields", "All fields together hold at most 64 kB."));
        }
    }
    store::set(tx, &contact)?;
    search::remove(tx, &[contact.id.0])?;
    search::add(tx, &[contact.doc()])?;
    tell(tx, "contact.updated", contact.id)?;
    Ok(contact)
}

fn tell(tx: &mut TenantTx, kind: &'static str, id: ContactId) -> Result<()> {
    let view = view(tx, id)?;
    events::append(tx, kind, &[("contact", &id)], &serde_json::json!({ "contact": view }))
}

/// How a page of contacts is chosen.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these; without it all but the archived.
    pub status: Option<Status>,
    /// Whose name or number begins so.
    pub search: Option<String>,
}

/// One page, by name. `after` is the sort key and id of the last one of the page before.
pub fn page(
    tx: &mut TenantRead,
    filter: &Filter,
    after: Option<(String, ContactId)>,
    rows: i64,
) -> Result<Vec<(String, Contact)>> {
    let (key, id) = after.unwrap_or((String::new(), ContactId::NIL));
    match &filter.search {
        None => store::page(tx, filter.status, &key, id, rows),
        Some(text) => {
            let ids = find(tx, text, 500)?;
            let mut found = store::sorted(tx, &ids)?;
            found.retain(|(sort, contact)| {
                filter.status.map_or(contact.status != Status::Archived, |status| contact.status == status)
                    && (sort.as_str(), contact.id) > (key.as_str(), id)
            });
            found.truncate(usize::try_from(rows).unwrap_or(0));
            Ok(found)
        }
    }
}

/// Up to `most` contacts whose name or number has these words, the newest first.
pub fn find(tx: &mut TenantRead, text: &str, most: usize) -> Result<Vec<ContactId>> {
    let queries: Vec<Query> = Query::phone(text).into_iter().chain(Query::read(text)).collect();
    let mut found: Vec<ContactId> = Vec::new();
    for query in queries {
        search::walk(tx, Kind::Contact, &query, ContactId::MAX.0, most, |tx, ids| {
            for contact in store::spans(tx, ids)? {
                if query.fits_words(&contact.doc().words) && !found.contains(&contact.id) {
                    found.push(contact.id);
                }
            }
            Ok(found.len() >= most)
        })?;
    }
    found.truncate(most);
    Ok(found)
}

/// What of a contact the audit log keeps.
pub fn audited(contact: &Contact) -> Value {
    serde_json::json!({ "id": contact.id, "name": contact.name, "status": contact.status, "ownerId": contact.owner_id })
}

/// Whether this is a user of the tenant, who may own a contact or be assigned a conversation. Errors: 422 at `pointer`.
pub fn check_user(tx: &mut TenantRead, user: UserId, pointer: &str) -> Result<()> {
    if store::is_member(tx, user)? { Ok(()) } else { Err(Error::field(pointer, "Nobody here has this id.")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_number_becomes_e164() {
        assert_eq!(e164("082 000 1001", Some("ZA")).as_deref(), Ok("+27820001001"));
        assert_eq!(e164("+27 (82) 000-1001", None).as_deref(), Ok("+27820001001"));
        assert_eq!(e164("0027820001001", None).as_deref(), Ok("+27820001001"));
        assert_eq!(e164("+254712000111", Some("ZA")).as_deref(), Ok("+254712000111"));
        for wrong in ["", "x", "082 000 1001", "+", "+1", "+27\0", "tel"] {
            assert!(e164(wrong, None).is_err(), "{wrong:?}");
        }
        assert!(e164(&"9".repeat(500), Some("ZA")).is_err());
    }

    #[test]
    fn a_number_is_found_however_it_is_typed() {
        let words = phone_words("+27820001001");
        for typed in ["+27820001001", "0820001001", "082 000", "27 82 000", "1001", "0001001"] {
            let query = Query::phone(typed).unwrap();
            assert!(query.fits_words(&words), "{typed}");
        }
    }
}
