//! People change their number. They keep their contact, and with it their history; the number they had may be somebody else's tomorrow.
use super::{
    Contact, ContactId, Key, Sighting, key,
    recognise::{Recognised, keys, recognise_by},
    search, store, tell,
};
use crate::{Result, db::TenantTx, instances::InstanceId};
use indaba_providers::{Address, Rekeyed};

/// Somebody we know has a new name from now on: their contact is found by it, and one that had it already becomes part of theirs.
/// [`leave_name`] ends the old one; what they wrote before may come in between. Of strangers nothing is kept.
pub fn rekey(tx: &mut TenantTx, instance: InstanceId, rekeyed: &Rekeyed) -> Result<Recognised> {
    let before = key(instance, &rekeyed.from);
    if store::named(tx, before.0, &before.1, before.2)?.is_none() {
        return Ok(Recognised::default());
    }
    let mut person = rekeyed.person.clone();
    person.learn(&rekeyed.to);
    let sighting = Sighting { instance, person: &person, wrote: false };
    let names: Vec<Key> = keys(&sighting).into_iter().filter(|name| *name != before).chain([before.clone()]).collect();
    recognise_by(tx, &[sighting], vec![names])
}

/// The old name is nobody's from now on, if the new one is of its kind: a number that was given up is given to another person after a
/// while. (A number and a LID are two names of one person: both stay.) Gives the contact that had it.
pub fn leave_name(tx: &mut TenantTx, instance: InstanceId, rekeyed: &Rekeyed) -> Result<Option<ContactId>> {
    let (old, new) = (key(instance, &rekeyed.from), key(instance, &rekeyed.to));
    if old.0 != new.0 || old == new {
        return Ok(None);
    }
    let Some(id) = store::named(tx, old.0, &old.1, old.2)? else { return Ok(None) };
    store::unname(tx, &old)?;
    if let Address::Phone(phone) = &rekeyed.to {
        let contact = Contact { phone: Some(phone.clone()), ..store::locked(tx, id)? };
        store::set_phone(tx, &contact)?;
        search::remove(tx, &[id.0])?;
        search::add(tx, &[contact.doc()])?;
    }
    tell(tx, "contact.updated", id)?;
    Ok(Some(id))
}
