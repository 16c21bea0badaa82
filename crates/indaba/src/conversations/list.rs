//! The list of conversations: filters, sorts and pages, each on an index in its order.
use super::{Conversation, ConversationId, Direction, State, store::conversations};
use crate::{
    Result,
    clock::Time,
    contacts,
    db::{self, Arg, TenantRead, Value},
    http::who::UserId,
    instances::InstanceId,
};
use std::{cmp::Ordering, fmt::Write as _};

words! {
    /// In which order.
    pub enum Sort {
        /// The newest message first.
        Newest = "newest",
        /// The oldest first.
        Oldest = "oldest",
        /// Those with unread messages first, then the newest.
        Unread = "unread",
    }
}

/// Which conversations.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// None: all.
    pub state: Option<State>,
    /// `Some(None)`: nobody's.
    pub assignee: Option<Option<UserId>>,
    /// On this number.
    pub instance: Option<InstanceId>,
    /// Only unread ones.
    pub unread: bool,
    /// Whose turn it is: `Inbound`, ours; `Outbound`, theirs.
    pub waiting: Option<Direction>,
    /// With a contact whose name or number begins so.
    pub q: Option<String>,
}

/// Where a page ended: unread, the time and the id of its last conversation.
pub type Cursor = (bool, Time, ConversationId);

/// One page of up to `rows` conversations.
pub fn page(
    tx: &mut TenantRead,
    filter: &Filter,
    sort: Sort,
    after: Option<Cursor>,
    rows: i64,
) -> Result<Vec<Conversation>> {
    match &filter.q {
        None => indexed(tx, filter, sort, after, rows),
        Some(q) => searched(tx, q, filter, sort, after, rows),
    }
}

fn indexed(
    tx: &mut TenantRead,
    filter: &Filter,
    sort: Sort,
    after: Option<Cursor>,
    rows: i64,
) -> Result<Vec<Conversation>> {
    let mut text = String::from(conversations!("where c.tenant_id = $1 and c.merged_into is null"));
    let mut args: Vec<Value> = Vec::new();
    let mut and = |text: &mut String, condition: &str, value: Value<'static>| {
        args.push(value);
        write!(text, " and {condition} ${}", args.len() + 1).expect("a string takes all");
    };
    if let Some(state) = filter.state {
        and(&mut text, "c.state =", Value::Text(state.as_str()));
    }
    if let Some(direction) = filter.waiting {
        and(&mut text, "c.last_message_direction =", Value::Text(direction.as_str()));
    }
    if filter.unread {
        text.push_str(" and c.unread");
    }
    let (assignee, instance, last) = (filter.assignee.flatten(), filter.instance, after);
    match (filter.assignee, &assignee) {
        (Some(_), Some(user)) => {
            args.push(user.arg());
            write!(text, " and c.assignee_id = ${}", args.len() + 1).expect("a string takes all");
        }
        (Some(_), None) => text.push_str(" and c.assignee_id is null"),
        (None, _) => {}
    }
    if let Some(instance) = &instance {
        args.push(instance.arg());
        write!(text, " and c.instance_id = ${}", args.len() + 1).expect("a string takes all");
    }
    let (columns, sign, order) = match sort {
        Sort::Newest => ("c.last_message_at, c.id", '<', "c.last_message_at desc, c.id desc"),
        Sort::Oldest => ("c.last_message_at, c.id", '>', "c.last_message_at, c.id"),
        Sort::Unread => ("c.unread, c.last_message_at, c.id", '<', "c.unread desc, c.last_message_at desc, c.id desc"),
    };
    if let Some((unread, at, id)) = &last {
        let first = args.len() + 2;
        if sort == Sort::Unread {
            args.push(unread.arg());
        }
        args.extend([at.arg(), id.arg()]);
        let marks: Vec<String> = (first..args.len() + 2).map(|n| format!("${n}")).collect();
        write!(text, " and ({columns}) {sign} ({})", marks.join(", ")).expect("a string takes all");
    }
    args.push(rows.arg());
    write!(text, " order by {order} limit ${}", args.len() + 1).expect("a string takes all");
    tx.all(db::text(text), &args)
}

/// A search finds few contacts: their conversations are chosen and sorted here.
fn searched(
    tx: &mut TenantRead,
    q: &str,
    filter: &Filter,
    sort: Sort,
    after: Option<Cursor>,
    rows: i64,
) -> Result<Vec<Conversation>> {
    let contacts = contacts::find(tx, q, 200)?;
    let mut found: Vec<Conversation> = tx.all_for(
        conversations!("where c.tenant_id = $1 and c.contact_id = $2 and c.merged_into is null"),
        contacts.iter().map(|contact| [contact.arg()]),
    )?;
    let key = |of: &Conversation| (sort == Sort::Unread && of.unread_count > 0, of.last_message_at, of.id);
    let in_order = |a: &Cursor, b: &Cursor| if sort == Sort::Oldest { a.cmp(b) } else { b.cmp(a) };
    found.retain(|of| {
        filter.state.is_none_or(|state| of.state == state)
            && filter.assignee.is_none_or(|assignee| of.assignee_id == assignee)
            && filter.instance.is_none_or(|instance| of.instance_id == instance)
            && filter.waiting.is_none_or(|direction| of.last_message_direction == Some(direction))
            && (!filter.unread || of.unread_count > 0)
            && after.is_none_or(|(unread, at, id)| {
                in_order(&key(of), &(sort == Sort::Unread && unread, at, id)) == Ordering::Greater
            })
    });
    found.sort_by(|a, b| in_order(&key(a), &key(b)));
    found.truncate(usize::try_from(rows).unwrap_or(0));
    Ok(found)
}

/// Where a page that ends with this one goes on.
pub fn cursor(of: &Conversation) -> Cursor {
    (of.unread_count > 0, of.last_message_at, of.id)
}
