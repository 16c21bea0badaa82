//! All SQL of contacts.
use super::{Contact, ContactId, Identity, IdentityKind, Status, sort_key};
use crate::{
    Result,
    clock::Time,
    db::{Arg, FromRow, Row, TenantRead, TenantTx},
    http::who::UserId,
    instances::InstanceId,
    search,
};

/// A contact that is about to become a row.
pub struct New<'a> {
    pub id: ContactId,
    pub name: Option<&'a str>,
    pub phone: Option<&'a str>,
    pub status: Status,
}

/// A contact with what its list is sorted by.
struct Sorted(String, Contact);

impl FromRow for Sorted {
    fn from_row(row: &Row) -> Result<Sorted> {
        Ok(Sorted(row.get(10)?, Contact::from_row(row)?))
    }
}

/// The contact, or the one it was merged into.
pub fn get(tx: &mut TenantRead, id: ContactId) -> Result<Contact> {
    tx.get(
        "select c.id, c.name, c.named, c.phone, c.status, c.owner_id, c.fields, c.last_message_at, c.opted_out_at, c.created_at
           from contacts a
           join contacts c on c.tenant_id = a.tenant_id and c.id = coalesce(a.merged_into, a.id)
          where a.tenant_id = $1 and a.id = $2",
        args![id],
    )
}

/// The same, and nobody else changes it until this transaction ends.
pub fn locked(tx: &mut TenantTx, id: ContactId) -> Result<Contact> {
    let id = get(tx, id)?.id;
    tx.run("update contacts set named = named where tenant_id = $1 and id = $2", args![id])?;
    get(tx, id)
}

/// Identities by their keys, each with its contact.
pub fn known(tx: &mut TenantTx, keys: &[(IdentityKind, String, InstanceId)]) -> Result<Vec<(Identity, Contact)>> {
    struct Known(Identity, Contact);
    impl FromRow for Known {
        fn from_row(row: &Row) -> Result<Known> {
            let identity =
                Identity { contact_id: row.get(0)?, kind: row.get(10)?, value: row.get(11)?, scope: row.get(12)? };
            Ok(Known(identity, Contact::from_row(row)?))
        }
    }
    let rows: Vec<Known> = tx.all_for(
        "select c.id, c.name, c.named, c.phone, c.status, c.owner_id, c.fields, c.last_message_at, c.opted_out_at, c.created_at,
                i.kind, i.value, i.scope
           from contact_identities i
           join contacts c on c.tenant_id = i.tenant_id and c.id = i.contact_id
          where i.tenant_id = $1 and i.kind = $2 and i.value = $3 and i.scope = $4",
        keys.iter().map(|(kind, value, scope)| [kind.arg(), value.arg(), scope.arg()]),
    )?;
    Ok(rows.into_iter().map(|Known(identity, contact)| (identity, contact)).collect())
}

pub fn insert(tx: &mut TenantTx, contacts: &[New]) -> Result<()> {
    let now = tx.now();
    let keys: Vec<String> = contacts.iter().map(|new| sort_key(new.name, new.phone)).collect();
    tx.insert_only(
        "insert into contacts (tenant_id, id, name, phone, status, sort_key, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
        contacts.iter().zip(&keys).map(|(new, key)| {
            [new.id.arg(), new.name.arg(), new.phone.arg(), new.status.arg(), key.arg(), now.arg()]
        }),
    )
    .map(drop)
}

/// Gives contacts these names at WhatsApp; the keys of those that nobody else had. Give them in order, so that two who do this at
/// once do not wait for each other.
pub fn name(tx: &mut TenantTx, identities: &[Identity]) -> Result<Vec<(IdentityKind, String, InstanceId)>> {
    let now = tx.now();
    tx.insert(
        "insert into contact_identities (tenant_id, kind, value, scope, contact_id, created_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, kind, value, scope) do nothing
         returning kind, value, scope",
        identities
            .iter()
            .map(|one| [one.kind.arg(), one.value.arg(), one.scope.arg(), one.contact_id.arg(), now.arg()]),
    )
}

/// Nobody has this name any more.
pub fn unname(tx: &mut TenantTx, (kind, value, scope): &(IdentityKind, String, InstanceId)) -> Result<()> {
    tx.run(
        "delete from contact_identities where tenant_id = $1 and kind = $2 and value = $3 and scope = $4",
        args![kind, value, scope],
    )
    .map(drop)
}

/// Takes back a contact that lost the race for its identities.
pub fn forget(tx: &mut TenantTx, ids: &[ContactId]) -> Result<()> {
    tx.run_for(
        "delete from contact_identities where tenant_id = $1 and contact_id = $2",
        ids.iter().map(|id| [id.arg()]),
    )?;
    tx.run_for("delete from contacts where tenant_id = $1 and id = $2", ids.iter().map(|id| [id.arg()])).map(drop)
}

/// What a message tells of the contact who wrote it, or was written to.
#[derive(Clone, Debug)]
pub struct Touch {
    /// Who.
    pub id: ContactId,
    /// The name they gave themselves; it counts until a person of ours has given another.
    pub name: Option<String>,
    /// Their number, if it was not known.
    pub phone: Option<String>,
    /// They wrote: a new or archived contact is active.
    pub wrote: bool,
    /// When the message went.
    pub at: Option<Time>,
}

/// Applies many of them, one for each contact.
pub fn touch(tx: &mut TenantTx, touches: &[Touch]) -> Result<()> {
    let keys: Vec<Option<String>> =
        touches.iter().map(|touch| touch.name.as_deref().map(|name| sort_key(Some(name), None))).collect();
    tx.run_for(
        "update contacts
            set name = case when named then name else coalesce($3, name) end,
                sort_key = case when named then sort_key else coalesce($4, sort_key) end,
                phone = coalesce(phone, $5),
                status = case when $6 and status in ('new', 'archived') then 'active' else status end,
                last_message_at = case when coalesce(last_message_at, 0) < coalesce($7::bigint, 0) then $7::bigint
                                       else last_message_at end
          where tenant_id = $1 and id = $2",
        touches.iter().zip(&keys).map(|(touch, key)| {
            [touch.id.arg(), touch.name.arg(), key.arg(), touch.phone.arg(), touch.wrote.arg(), touch.at.arg()]
        }),
    )
    .map(drop)
}

/// One row becomes a trace of another: its names go over, and what the other lacked.
pub fn merge(tx: &mut TenantTx, from: ContactId, into: ContactId) -> Result<()> {
    tx.run(
        "update contact_identities set contact_id = $3 where tenant_id = $1 and contact_id = $2",
        args![from, into],
    )?;
    tx.run(
        "update contacts set merged_into = $3 where tenant_id = $1 and (id = $2 or merged_into = $2)",
        args![from, into],
    )?;
    tx.run(
        "update contacts
            set name = case when contacts.named then contacts.name else coalesce(other.name, contacts.name) end,
                named = contacts.named or other.named,
                phone = coalesce(contacts.phone, other.phone),
                owner_id = coalesce(contacts.owner_id, other.owner_id),
                opted_out_at = coalesce(contacts.opted_out_at, other.opted_out_at),
                fields = case when contacts.fields = '{}' then other.fields else contacts.fields end,
                last_message_at = case when coalesce(contacts.last_message_at, 0) < coalesce(other.last_message_at, 0)
                                       then other.last_message_at else contacts.last_message_at end
           from (select id, name, named, phone, owner_id, opted_out_at, fields, last_message_at
                   from contacts where tenant_id = $1 and id = $2) other
          where contacts.tenant_id = $1 and contacts.id = $3",
        args![from, into],
    )?;
    let merged = get(tx, into)?;
    tx.run(
        "update contacts set sort_key = $3 where tenant_id = $1 and id = $2",
        args![into, sort_key(merged.name.as_deref(), merged.phone.as_deref())],
    )
    .map(drop)
}

/// Writes what a person may change.
pub fn set(tx: &mut TenantTx, contact: &Contact) -> Result<()> {
    let key = sort_key(contact.name.as_deref(), contact.phone.as_deref());
    tx.run(
        "update contacts set name = $3, named = $4, status = $5, owner_id = $6, fields = $7, sort_key = $8 where tenant_id = $1 and id = $2",
        args![contact.id, contact.name, contact.named, contact.status, contact.owner_id, contact.fields, key],
    )
    .map(drop)
}

/// Writes a number that has changed.
pub fn set_phone(tx: &mut TenantTx, contact: &Contact) -> Result<()> {
    let key = sort_key(contact.name.as_deref(), contact.phone.as_deref());
    tx.run(
        "update contacts set phone = $3, sort_key = $4 where tenant_id = $1 and id = $2",
        args![contact.id, contact.phone, key],
    )
    .map(drop)
}

/// One page by name. Without a status: all but the archived.
pub fn page(
    tx: &mut TenantRead,
    status: Option<Status>,
    key: &str,
    id: ContactId,
    rows: i64,
) -> Result<Vec<(String, Contact)>> {
    let found: Vec<Sorted> = match status {
        Some(status) => tx.all(
            "select id, name, named, phone, status, owner_id, fields, last_message_at, opted_out_at, created_at, sort_key
               from contacts
              where tenant_id = $1 and merged_into is null and status = $2 and (sort_key, id) > ($3, $4)
              order by sort_key, id
              limit $5",
            args![status, key, id, rows],
        )?,
        None => tx.all(
            "select id, name, named, phone, status, owner_id, fields, last_message_at, opted_out_at, created_at, sort_key
               from contacts
              where tenant_id = $1 and merged_into is null and status <> 'archived' and (sort_key, id) > ($2, $3)
              order by sort_key, id
              limit $4",
            args![key, id, rows],
        )?,
    };
    Ok(found.into_iter().map(|Sorted(key, contact)| (key, contact)).collect())
}

/// These contacts, by name.
pub fn sorted(tx: &mut TenantRead, ids: &[ContactId]) -> Result<Vec<(String, Contact)>> {
    let mut found: Vec<Sorted> = tx.all_for(
        "select id, name, named, phone, status, owner_id, fields, last_message_at, opted_out_at, created_at, sort_key
           from contacts
          where tenant_id = $1 and id = $2 and merged_into is null",
        ids.iter().map(|id| [id.arg()]),
    )?;
    found.sort_by(|a, b| (&a.0, a.1.id).cmp(&(&b.0, b.1.id)));
    Ok(found.into_iter().map(|Sorted(key, contact)| (key, contact)).collect())
}

/// The contacts that a search means by these ids (`search::span`), the newest first.
pub fn spans(tx: &mut TenantRead, found: &[[u8; 16]]) -> Result<Vec<Contact>> {
    let spans: Vec<([u8; 16], [u8; 16])> = found.iter().copied().map(search::span).collect();
    let mut contacts: Vec<Contact> = tx.all_for(
        "select id, name, named, phone, status, owner_id, fields, last_message_at, opted_out_at, created_at
           from contacts
          where tenant_id = $1 and id >= $2 and id <= $3 and merged_into is null",
        spans.iter().map(|(first, last)| [first[..].arg(), last[..].arg()]),
    )?;
    contacts.sort_by_key(|contact| std::cmp::Reverse(contact.id));
    Ok(contacts)
}

pub fn identities(tx: &mut TenantRead, of: &[ContactId]) -> Result<Vec<Identity>> {
    tx.all_for(
        "select contact_id, kind, value, scope from contact_identities where tenant_id = $1 and contact_id = $2",
        of.iter().map(|id| [id.arg()]),
    )
}

pub fn named(tx: &mut TenantRead, kind: IdentityKind, value: &str, scope: InstanceId) -> Result<Option<ContactId>> {
    let found: Option<(ContactId,)> = tx.find(
        "select contact_id from contact_identities where tenant_id = $1 and kind = $2 and value = $3 and scope = $4",
        args![kind, value, scope],
    )?;
    Ok(found.map(|(id,)| id))
}

pub fn is_member(tx: &mut TenantRead, user: UserId) -> Result<bool> {
    let found: Option<(UserId,)> =
        tx.find("select user_id from memberships where tenant_id = $1 and user_id = $2", args![user])?;
    Ok(found.is_some())
}

pub fn set_opted_out(tx: &mut TenantTx, id: ContactId, at: Option<Time>) -> Result<()> {
    tx.run("update contacts set opted_out_at = $3 where tenant_id = $1 and id = $2", args![id, at]).map(drop)
}
