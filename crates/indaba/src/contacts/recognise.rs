//! Whom a hook is about: the contact with one of these names, made when there is none, one made of two when a hook names both.
use super::{Contact, ContactId, Identity, IdentityKind, Key, Status, Touch, store, tell};
use crate::{Error, Result, db::TenantTx, events, instances::InstanceId, search};
use indaba_providers::Person;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Somebody was seen on a number.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// On which.
    pub instance: InstanceId,
    /// By which names.
    pub person: &'a Person,
    /// They wrote to us: their push name may be believed.
    pub wrote: bool,
}

/// Who they were.
#[derive(Debug, Default)]
pub struct Recognised {
    /// One for each sighting, in their order.
    pub contacts: Vec<Contact>,
    /// Those that were made.
    pub created: BTreeSet<ContactId>,
    /// Those that turned out to be another: (gone, stays). Whoever keeps rows of the one must give them to the other.
    pub merged: Vec<(ContactId, ContactId)>,
}

/// Finds or makes the contacts of many sightings, in a few statements for all. Every sighting has at least one name.
///
/// What two transactions do at once is decided by the unique key of the names: the loser finds the winner's row.
pub fn recognise(tx: &mut TenantTx, sightings: &[Sighting]) -> Result<Recognised> {
    recognise_by(tx, sightings, sightings.iter().map(keys).collect())
}

/// The same with the keys of each sighting: they may be more than the names in it.
pub(super) fn recognise_by(tx: &mut TenantTx, sightings: &[Sighting], keys: Vec<Vec<Key>>) -> Result<Recognised> {
    if keys.iter().any(Vec::is_empty) {
        return Err(Error::Malformed("a person without any name".into()));
    }
    let mut merged = Vec::new();
    let mut created = BTreeSet::new();
    for _ in 0..4 {
        let mut found = look(tx, &keys, &mut merged)?;
        let fresh = make(tx, sightings, &keys, &mut found)?;
        let Some(fresh) = fresh else { continue }; // somebody was faster: look again
        created.extend(fresh);
        let contacts: Vec<Contact> = keys.iter().map(|keys| found[&keys[0]].clone()).collect();
        let contacts = learn(tx, sightings, contacts, &created)?;
        let docs: Vec<_> = contacts.iter().filter(|contact| created.contains(&contact.id)).map(Contact::doc).collect();
        search::add(tx, &unique(docs))?;
        for contact in unique_contacts(&contacts).filter(|contact| created.contains(&contact.id)) {
            let mut identities: Vec<Identity> = found
                .iter()
                .filter(|(_, of)| of.id == contact.id)
                .map(|((kind, value, scope), of)| Identity {
                    contact_id: of.id,
                    kind: *kind,
                    value: value.clone(),
                    scope: *scope,
                })
                .collect();
            identities.sort_by(|a, b| (a.kind, &a.value).cmp(&(b.kind, &b.value)));
            let view = contact.clone().view(identities.into_iter().map(Identity::view).collect());
            events::append(
                tx,
                "contact.created",
                &[("contact", &contact.id)],
                &serde_json::json!({ "contact": view }),
            )?;
        }
        return Ok(Recognised { contacts, created, merged });
    }
    Err(Error::Busy)
}

/// The same, but only for those we have already: an address book alone makes no contacts.
pub fn recognise_known(tx: &mut TenantTx, sightings: &[Sighting]) -> Result<Recognised> {
    let all: BTreeSet<Key> = sightings.iter().flat_map(keys).collect();
    let known = store::known(tx, &all.into_iter().collect::<Vec<_>>())?;
    let known: BTreeSet<Key> = known.into_iter().map(|(one, _)| (one.kind, one.value, one.scope)).collect();
    let ours: Vec<Sighting> =
        sightings.iter().filter(|sighting| keys(sighting).iter().any(|key| known.contains(key))).copied().collect();
    if ours.is_empty() { Ok(Recognised::default()) } else { recognise(tx, &ours) }
}

/// Notes that somebody wants no more marketing, or wants it again.
pub fn prefer(tx: &mut TenantTx, instance: InstanceId, person: &Person, opted_out: bool) -> Result<()> {
    let found = recognise_known(tx, &[Sighting { instance, person, wrote: false }])?;
    for contact in found.contacts.iter().filter(|contact| contact.opted_out_at.is_some() != opted_out) {
        store::set_opted_out(tx, contact.id, opted_out.then_some(tx.now()))?;
        tell(tx, if opted_out { "contact.opted_out" } else { "contact.updated" }, contact.id)?;
    }
    Ok(())
}

fn unique_contacts(contacts: &[Contact]) -> impl Iterator<Item = &Contact> {
    contacts
        .iter()
        .enumerate()
        .filter(|(at, contact)| contacts[..*at].iter().all(|earlier| earlier.id != contact.id))
        .map(|(_, one)| one)
}

fn unique(mut docs: Vec<search::Doc>) -> Vec<search::Doc> {
    docs.sort_by_key(|doc| doc.id);
    docs.dedup_by_key(|doc| doc.id);
    docs
}

/// Every name, as the key it is found by.
pub(super) fn keys(sighting: &Sighting) -> Vec<Key> {
    let kind = |name: &str| match name {
        "phone" => IdentityKind::Phone,
        "lid" => IdentityKind::Lid,
        "bsuid" => IdentityKind::Bsuid,
        _ => IdentityKind::Jid,
    };
    let names = sighting.person.identities().into_iter().map(|(name, value)| (kind(name), value));
    let fits = names.filter(|(_, value)| !value.is_empty() && value.len() <= 256);
    fits.map(|(kind, value)| {
        let scope = if kind == IdentityKind::Lid { sighting.instance } else { InstanceId::NIL };
        (kind, value.to_owned(), scope)
    })
    .collect()
}

/// The contacts behind the names. Two that one sighting names become one.
fn look(
    tx: &mut TenantTx,
    keys: &[Vec<Key>],
    merged: &mut Vec<(ContactId, ContactId)>,
) -> Result<HashMap<Key, Contact>> {
    let all: Vec<Key> = keys.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let mut found: HashMap<Key, Contact> = store::known(tx, &all)?
        .into_iter()
        .map(|(identity, contact)| ((identity.kind, identity.value, identity.scope), contact))
        .collect();
    for keys in keys {
        let mut same: Vec<ContactId> = keys.iter().filter_map(|key| found.get(key)).map(|contact| contact.id).collect();
        same.sort_unstable();
        same.dedup();
        let [stays, gone @ ..] = &same[..] else { continue };
        for from in gone {
            store::merge(tx, *from, *stays)?;
            search::remove(tx, &[from.0, stays.0])?;
            let contact = store::get(tx, *stays)?;
            search::add(tx, &[contact.doc()])?;
            for of in found.values_mut().filter(|of| of.id == *from || of.id == *stays) {
                *of = contact.clone();
            }
            merged.push((*from, *stays));
            let view = super::view(tx, *stays)?;
            let patch = serde_json::json!({ "contact": view, "gone": from });
            events::append(tx, "contact.merged", &[("contact", stays), ("from", from)], &patch)?;
        }
    }
    Ok(found)
}

/// Makes the contacts that are missing and notes names that are new. The ids of those made; `None` if another transaction was faster.
fn make(
    tx: &mut TenantTx,
    sightings: &[Sighting],
    keys: &[Vec<Key>],
    found: &mut HashMap<Key, Contact>,
) -> Result<Option<Vec<ContactId>>> {
    let now = tx.now();
    let (mut new, mut names): (Vec<Contact>, BTreeMap<Key, ContactId>) = Default::default();
    for (sighting, keys) in sightings.iter().zip(keys) {
        let known = keys.iter().find_map(|key| found.get(key)).cloned();
        let contact = known.unwrap_or_else(|| {
            let contact = Contact {
                id: ContactId::at(now),
                name: sighting.person.name.as_deref().and_then(name),
                named: false,
                phone: sighting.person.phone.clone(),
                status: if sighting.wrote { Status::Active } else { Status::New },
                owner_id: None,
                fields: "{}".into(),
                last_message_at: None,
                opted_out_at: None,
                created_at: now,
            };
            new.push(contact.clone());
            contact
        });
        for key in keys {
            if found.insert(key.clone(), contact.clone()).is_none() {
                names.insert(key.clone(), contact.id);
            }
        }
    }
    if names.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let rows: Vec<store::New> = new
        .iter()
        .map(|of| store::New { id: of.id, name: of.name.as_deref(), phone: of.phone.as_deref(), status: of.status })
        .collect();
    store::insert(tx, &rows)?;
    let wanted: Vec<Identity> = names
        .into_iter()
        .map(|((kind, value, scope), contact_id)| Identity { contact_id, kind, value, scope })
        .collect();
    let ours = store::name(tx, &wanted)?;
    if ours.len() == wanted.len() {
        return Ok(Some(new.iter().map(|contact| contact.id).collect()));
    }
    store::forget(tx, &new.iter().map(|contact| contact.id).collect::<Vec<_>>())?;
    Ok(None)
}

/// A name as WhatsApp tells it: without what would break a line, at most 200 characters.
fn name(told: &str) -> Option<String> {
    let name: String = told.chars().filter(|c| !c.is_control()).take(200).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Takes in names and numbers that are news.
fn learn(
    tx: &mut TenantTx,
    sightings: &[Sighting],
    mut contacts: Vec<Contact>,
    created: &BTreeSet<ContactId>,
) -> Result<Vec<Contact>> {
    let mut news: BTreeMap<ContactId, Touch> = BTreeMap::new();
    for (sighting, contact) in sightings.iter().zip(&contacts) {
        let told = sighting.person.name.as_deref().and_then(name).filter(|_| !contact.named);
        let told =
            told.filter(|told| contact.name.as_ref() != Some(told) && (sighting.wrote || contact.name.is_none()));
        let phone = sighting.person.phone.clone().filter(|_| contact.phone.is_none());
        if told.is_none() && phone.is_none() {
            continue;
        }
        let touch =
            news.entry(contact.id).or_insert(Touch { id: contact.id, name: None, phone: None, wrote: false, at: None });
        touch.name = told.or(touch.name.take());
        touch.phone = phone.or(touch.phone.take());
    }
    if news.is_empty() {
        return Ok(contacts);
    }
    let touches: Vec<Touch> = news.into_values().collect();
    store::touch(tx, &touches)?;
    for touch in &touches {
        let now = store::get(tx, touch.id)?;
        if !created.contains(&touch.id) {
            search::remove(tx, &[touch.id.0])?;
            search::add(tx, &[now.doc()])?;
            tell(tx, "contact.updated", touch.id)?;
        }
        for contact in contacts.iter_mut().filter(|contact| contact.id == touch.id) {
            *contact = now.clone();
        }
    }
    Ok(contacts)
}
