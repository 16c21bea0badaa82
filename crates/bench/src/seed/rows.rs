//! The rows as the database has them, many in a statement.
use indaba::{
    Error,
    db::{Arg, TenantTx, Value},
    http::who::UserId,
    instances::InstanceId,
    search::{self, Doc},
};

pub struct Person {
    pub id: [u8; 16],
    pub name: String,
    pub phone: String,
    pub key: String,
    pub at: i64,
    pub last: i64,
}

pub struct Place {
    pub id: [u8; 16],
    pub contact: [u8; 16],
    pub instance: InstanceId,
    pub address: String,
    pub open: bool,
    pub assignee: Option<UserId>,
    pub unread: i64,
    pub began: i64,
    pub last_at: i64,
    pub last: Option<Last>,
}

pub struct Last {
    pub id: [u8; 16],
    pub text: String,
    pub inbound: bool,
    pub user: UserId,
}

pub struct Row {
    pub place: [u8; 16],
    pub instance: InstanceId,
    pub inbound: bool,
    pub author: [u8; 16],
    pub body: String,
    pub provider_id: String,
    pub at: i64,
}

pub enum Batch {
    People(Vec<Person>, Vec<Doc>),
    Places(Vec<Place>),
    Messages(Vec<Row>, Vec<Doc>),
}

impl Batch {
    pub fn write(&self, tx: &mut TenantTx) -> Result<(), Error> {
        let text = Value::Text;
        match self {
            Batch::People(people, docs) => {
                tx.insert_only(
                    "insert into contacts (tenant_id, id, name, sort_key, phone, status, last_message_at, created_at)
                     values ($1, $2, $3, $4, $5, $6, $7, $8)",
                    people.iter().map(|of| {
                        [Value::Bytes(&of.id), text(&of.name), text(&of.key), text(&of.phone), text("active"), of.last.arg(), of.at.arg()]
                    }),
                )?;
                tx.insert_only(
                    "insert into contact_identities (tenant_id, kind, value, scope, contact_id, created_at) values ($1, $2, $3, $4, $5, $6)",
                    people.iter().map(|of| [text("phone"), text(&of.phone), InstanceId::NIL.arg(), Value::Bytes(&of.id), of.at.arg()]),
                )?;
                search::add(tx, docs)
            }
            Batch::Places(places) => tx
                .insert_only(
                    "insert into conversations (tenant_id, id, instance_id, contact_id, address, state, assignee_id, unread_count, unread, last_inbound_at,
                                                window_ends_at, last_message_id, last_message_kind, last_message_preview, last_message_direction,
                                                last_message_state, last_message_author, last_message_author_id, last_message_at, created_at)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
                    places.iter().map(Place::row),
                )
                .map(drop),
            Batch::Messages(rows, docs) => {
                tx.insert_only(
                    "insert into messages (tenant_id, id, conversation_id, instance_id, direction, author, author_id, kind, body, state, provider_id,
                                           provider_ref, created_at, sent_at, read_at)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
                    rows.iter().zip(docs).map(|(of, doc)| {
                        let (direction, author, state) = of.words();
                        let moment = if of.inbound { Value::Null } else { of.at.arg() };
                        [
                            Value::Bytes(&doc.id),
                            Value::Bytes(&of.place),
                            of.instance.arg(),
                            text(direction),
                            text(author),
                            Value::Bytes(&of.author),
                            text("text"),
                            text(&of.body),
                            text(state),
                            text(&of.provider_id),
                            text(&of.provider_id),
                            of.at.arg(),
                            moment,
                            moment,
                        ]
                    }),
                )?;
                search::add(tx, docs)
            }
        }
    }
}

impl Row {
    fn words(&self) -> (&'static str, &'static str, &'static str) {
        if self.inbound { ("inbound", "contact", "received") } else { ("outbound", "user", "read") }
    }
}

impl Place {
    fn row(&self) -> [Value<'_>; 19] {
        let last = |value: fn(&Last) -> Value| self.last.as_ref().map_or(Value::Null, value);
        let inbound = self.last.as_ref().is_some_and(|last| last.inbound);
        let heard = if inbound { self.last_at.arg() } else { self.began.arg() };
        [
            Value::Bytes(&self.id),
            self.instance.arg(),
            Value::Bytes(&self.contact),
            Value::Text(&self.address),
            Value::Text(if self.open { "open" } else { "closed" }),
            self.assignee.arg(),
            self.unread.arg(),
            Value::Bool(self.unread > 0),
            heard,
            Value::Null,
            last(|of| Value::Bytes(&of.id)),
            last(|_| Value::Text("text")),
            last(|of| Value::Text(&of.text)),
            last(|of| Value::Text(if of.inbound { "inbound" } else { "outbound" })),
            last(|of| Value::Text(if of.inbound { "received" } else { "read" })),
            last(|of| Value::Text(if of.inbound { "contact" } else { "user" })),
            if inbound { Value::Bytes(&self.contact) } else { last(|of| of.user.arg()) },
            self.last_at.arg(),
            self.began.arg(),
        ]
    }
}
