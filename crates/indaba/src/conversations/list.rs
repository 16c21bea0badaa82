//! The list of conversations: filters, sorts and pages, each on an index in its order.
use super::{Conversation, ConversationId, Direction, LabelId, State, store::conversations};
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
        /// Those whose first unanswered message is the oldest, then the newest of the others.
        Waiting = "waiting",
        /// Those whose service window closes soonest, then the newest of the others.
        Window = "window",
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
    /// With this label.
    pub label: Option<LabelId>,
    /// Only unread ones.
    pub unread: bool,
    /// Whose turn it is: `Inbound`, ours; `Outbound`, theirs.
    pub waiting: Option<Direction>,
    /// With a contact whose name or number begins so.
    pub q: Option<String>,
}

/// A stretch of a list that one index has in its order. What comes first in a sort is short (who waits, whose window is open), and
/// has an index of its own; the rest is read in the order of all.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Newest,
    Oldest,
    Unread,
    Read,
    Waiting,
    Answered,
    InWindow,
    OutOfWindow,
}

impl Sort {
    fn parts(self) -> &'static [Part] {
        match self {
            Sort::Newest => &[Part::Newest],
            Sort::Oldest => &[Part::Oldest],
            Sort::Unread => &[Part::Unread, Part::Read],
            Sort::Waiting => &[Part::Waiting, Part::Answered],
            Sort::Window => &[Part::InWindow, Part::OutOfWindow],
        }
    }

    /// The place of a conversation: in which part it stands, by which time, and its id.
    fn place(self, of: &Conversation, now: Time) -> Cursor {
        let (last, unread, window) =
            (of.last_message_at, of.unread_count > 0, of.window_ends_at.filter(|end| *end > now));
        let (part, at) = match self {
            Sort::Newest | Sort::Oldest => (0, last),
            Sort::Unread => (u8::from(!unread), last),
            Sort::Waiting => of.waiting_since.map_or((1, last), |since| (0, since)),
            Sort::Window => window.map_or((1, last), |end| (0, end)),
        };
        (part, at, of.id)
    }

    fn compare(self, a: &Cursor, b: &Cursor) -> Ordering {
        let up = self.parts().get(usize::from(a.0)).is_some_and(|part| part.goes_up());
        a.0.cmp(&b.0).then_with(|| if up { (a.1, a.2).cmp(&(b.1, b.2)) } else { (b.1, b.2).cmp(&(a.1, a.2)) })
    }
}

impl Part {
    fn goes_up(self) -> bool {
        matches!(self, Part::Oldest | Part::Waiting | Part::InWindow)
    }

    /// Few enough to look at each of them, and ask whether it has the label.
    fn is_short(self) -> bool {
        matches!(self, Part::Unread | Part::Waiting | Part::InWindow)
    }
}

/// Where a page ended: the part of its sort, and the time and the id of its last conversation there.
pub type Cursor = (u8, Time, ConversationId);

/// Where a page that ends with this one goes on.
pub fn cursor(sort: Sort, of: &Conversation, now: Time) -> Cursor {
    sort.place(of, now)
}

/// One page of up to `rows` conversations.
pub fn page(
    tx: &mut TenantRead,
    filter: &Filter,
    sort: Sort,
    after: Option<Cursor>,
    now: Time,
    rows: i64,
) -> Result<Vec<Conversation>> {
    if let Some(q) = &filter.q {
        return searched(tx, q, filter, sort, after, now, rows);
    }
    let (begun, mut after) = after.map_or((0, None), |(part, at, id)| (usize::from(part), Some((at, id))));
    let mut found = Vec::new();
    for part in sort.parts().iter().skip(begun) {
        let left = rows - found.len() as i64;
        if left > 0 {
            found.extend(walk(tx, filter, *part, after.take(), now, left)?);
        }
    }
    Ok(found)
}

/// Up to `rows` conversations of one part, after this one.
fn walk(
    tx: &mut TenantRead,
    filter: &Filter,
    part: Part,
    after: Option<(Time, ConversationId)>,
    now: Time,
    rows: i64,
) -> Result<Vec<Conversation>> {
    // a long part with a label is read off the rows of that label, which stand in the same order
    let off_label = filter.label.is_some() && !part.is_short();
    let of = if off_label { "l" } else { "c" };
    let mut asked = Asked::default();
    match &filter.label {
        Some(label) if off_label => asked.that("l.tenant_id = $1 and l.label_id = ?", [label]),
        // of few it is asked one by one: as `exists`, PostgreSQL would read all rows of the label first
        Some(label) => asked.that(
            "(select true from conversation_labels l where l.tenant_id = $1 and l.conversation_id = c.id and l.label_id = ?) = true",
            [label],
        ),
        None => {}
    }
    if let Some(state) = &filter.state {
        asked.that(&format!("{of}.state = ?"), [state]);
    }
    if let Some(direction) = &filter.waiting {
        asked.that("c.last_message_direction = ?", [direction]);
    }
    if filter.unread {
        asked.that("c.unread = true", []);
    }
    match &filter.assignee {
        Some(Some(user)) => asked.that("c.assignee_id = ?", [user]),
        Some(None) => asked.that("c.assignee_id is null", []),
        None => {}
    }
    if let Some(instance) = &filter.instance {
        asked.that("c.instance_id = ?", [instance]);
    }
    match part {
        Part::Newest | Part::Oldest => {}
        Part::Unread => asked.that("c.unread = true", []),
        Part::Read => asked.that("c.unread = false", []),
        Part::Waiting => asked.that("c.waiting_since is not null", []),
        Part::Answered => asked.that("c.waiting_since is null", []),
        Part::InWindow => asked.that("c.window_ends_at > ?", [&now]),
        Part::OutOfWindow => asked.that("(c.window_ends_at is null or c.window_ends_at <= ?)", [&now]),
    }
    let time = match part {
        Part::Waiting => "c.waiting_since".into(),
        Part::InWindow => "c.window_ends_at".into(),
        _ => format!("{of}.last_message_at"),
    };
    let id = if off_label { "l.conversation_id" } else { "c.id" };
    let (sign, down) = if part.goes_up() { ('>', "") } else { ('<', " desc") };
    if let Some((at, last)) = &after {
        asked.that(&format!("({time}, {id}) {sign} (?, ?)"), [at as &dyn Arg, last]);
    }
    let join = "join conversation_labels l on l.tenant_id = c.tenant_id and l.conversation_id = c.id ";
    let text = format!(
        "{}{}where c.tenant_id = $1 and c.merged_into is null{} order by {time}{down}, {id}{down} limit ${}",
        conversations!(""),
        if off_label { join } else { "" },
        asked.text,
        asked.args.len() + 2,
    );
    asked.args.push(rows.arg());
    tx.all(db::text(text), &asked.args)
}

/// What a page asks of its rows, and the values that belong to it.
#[derive(Default)]
struct Asked<'a> {
    text: String,
    args: Vec<Value<'a>>,
}

impl<'a> Asked<'a> {
    /// Adds a condition; each `?` in it is one of the values.
    fn that<const N: usize>(&mut self, condition: &str, values: [&'a dyn Arg; N]) {
        self.text.push_str(" and ");
        let mut pieces = condition.split('?');
        self.text.push_str(pieces.next().unwrap_or_default());
        for (value, piece) in values.into_iter().zip(pieces) {
            self.args.push(value.arg());
            write!(self.text, "${}{piece}", self.args.len() + 1).expect("a string takes all");
        }
    }
}

/// A search finds few contacts: their conversations are chosen and sorted here.
fn searched(
    tx: &mut TenantRead,
    q: &str,
    filter: &Filter,
    sort: Sort,
    after: Option<Cursor>,
    now: Time,
    rows: i64,
) -> Result<Vec<Conversation>> {
    let contacts = contacts::find(tx, q, 200)?;
    let mut found: Vec<Conversation> = tx.all_for(
        conversations!("where c.tenant_id = $1 and c.contact_id = $2 and c.merged_into is null"),
        contacts.iter().map(|contact| [contact.arg()]),
    )?;
    found.retain(|of| {
        filter.state.is_none_or(|state| of.state == state)
            && filter.assignee.is_none_or(|assignee| of.assignee_id == assignee)
            && filter.instance.is_none_or(|instance| of.instance_id == instance)
            && filter.label.is_none_or(|label| of.label_ids().contains(&label))
            && filter.waiting.is_none_or(|direction| of.last_message_direction == Some(direction))
            && (!filter.unread || of.unread_count > 0)
            && after.is_none_or(|last| sort.compare(&sort.place(of, now), &last) == Ordering::Greater)
    });
    found.sort_by(|a, b| sort.compare(&sort.place(a, now), &sort.place(b, now)));
    found.truncate(usize::try_from(rows).unwrap_or(0));
    Ok(found)
}
