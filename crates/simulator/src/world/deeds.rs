//! What people do: write, react, vote, edit, revoke, read, type and call.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rand::RngExt as _;

use super::{
    AckPolicy, Address, Author, Choice, Content, Download, Form, Happening, Message, Refused, Vote, World, ack,
    message_id,
};

/// A message to be written.
pub struct NewMessage {
    /// Where.
    pub chat: Address,
    /// By whom.
    pub author: Author,
    /// What.
    pub content: Content,
    /// Raw id of the message it answers.
    pub quoted: Option<String>,
    /// What can be tapped below it.
    pub choices: Vec<Choice>,
    /// What was tapped, when the message is a tap.
    pub chosen: Option<Choice>,
    /// Its raw id; a new one when left out.
    pub id: Option<String>,
    /// When; now when left out.
    pub at_ms: Option<i64>,
    /// What becomes of its file on the way.
    pub download: Download,
}

impl NewMessage {
    /// Words of `author` in `chat`.
    pub fn text(chat: Address, author: Author, body: impl Into<String>) -> NewMessage {
        NewMessage::of(chat, author, Content::Text(body.into()))
    }

    /// Anything of `author` in `chat`.
    pub fn of(chat: Address, author: Author, content: Content) -> NewMessage {
        NewMessage {
            chat,
            author,
            content,
            quoted: None,
            choices: Vec::new(),
            chosen: None,
            id: None,
            at_ms: None,
            download: Download::Ok,
        }
    }
}

impl World {
    /// Writes a message. A second message with an id that the chat has changes nothing, as with WhatsApp:
    /// the phones drop it. Then the first one comes back and nothing has happened.
    pub fn write(&mut self, line: &str, new: NewMessage, out: &mut Vec<Happening>) -> Result<Message, Refused> {
        if let Address::Person(phone) = &new.chat {
            self.person_mut(phone)?;
        }
        if let Author::Person(phone) = &new.author {
            self.person_mut(phone)?;
        }
        let now = self.now_ms();
        let owner = self.line_mut(line)?;
        if let Some(there) = new.id.as_deref().and_then(|id| owner.message(id)) {
            return Ok(there.clone());
        }
        let secret: [u8; 32] = rand::rng().random();
        let message = Message {
            id: new.id.unwrap_or_else(message_id),
            chat: new.chat,
            ack: match new.author {
                Author::Me(super::Via::Api) => ack::PENDING,
                // What comes from a phone has reached a phone.
                _ => ack::DEVICE,
            },
            author: new.author,
            at_ms: new.at_ms.unwrap_or(now),
            content: new.content,
            quoted: new.quoted,
            choices: new.choices,
            chosen: new.chosen,
            reactions: BTreeMap::new(),
            votes: BTreeMap::new(),
            edited: false,
            revoked: false,
            starred: false,
            seen: false,
            download: new.download,
            secret: BASE64_STANDARD.encode(secret),
        };
        self.store(line, message.clone())?;
        out.push(Happening::Message(message.clone()));
        Ok(message)
    }

    fn message_mut(&mut self, line: &str, id: &str) -> Result<&mut Message, Refused> {
        self.lines.get_mut(line).and_then(|owner| owner.message_mut(id)).ok_or(Refused::Missing("such message"))
    }

    /// Who wrote a message.
    pub fn author_of(&self, line: &str, id: &str) -> Result<Author, Refused> {
        let message = self.lines.get(line).and_then(|owner| owner.message(id));
        Ok(message.ok_or(Refused::Missing("such message"))?.author.clone())
    }

    /// Reacts to a message, or takes the reaction back with an empty emoji. Answers the id of the act.
    pub fn react(
        &mut self,
        line: &str,
        id: &str,
        by: Author,
        emoji: &str,
        out: &mut Vec<Happening>,
    ) -> Result<String, Refused> {
        let at_ms = self.now_ms();
        let message = self.message_mut(line, id)?;
        match emoji {
            "" => drop(message.reactions.remove(by.key())),
            _ => drop(message.reactions.insert(by.key().to_owned(), emoji.to_owned())),
        }
        let to = message.clone();
        let act = message_id();
        out.push(Happening::Reaction { id: act.clone(), by, to, emoji: emoji.to_owned(), at_ms });
        Ok(act)
    }

    /// Chooses in a poll. The options are the whole choice; none withdraws it.
    pub fn vote(
        &mut self,
        line: &str,
        id: &str,
        by: Author,
        options: Vec<String>,
        unreadable: bool,
        out: &mut Vec<Happening>,
    ) -> Result<String, Refused> {
        let at_ms = self.now_ms();
        let message = self.message_mut(line, id)?;
        let Content::Poll { options: offered, multiple, .. } = &message.content else {
            return Err(Refused::Cannot("that message is not a poll"));
        };
        if options.iter().any(|option| !offered.contains(option)) || (!multiple && options.len() > 1) {
            return Err(Refused::Cannot("the poll does not offer that choice"));
        }
        let act = message_id();
        message.votes.insert(by.key().to_owned(), Vote { id: act.clone(), options: options.clone(), at_ms });
        let poll = message.clone();
        let options = if unreadable { Vec::new() } else { options };
        out.push(Happening::Vote { id: act.clone(), by, poll, options, at_ms, unreadable });
        Ok(act)
    }

    /// Gives a message new words. Only its author can, and only words or a caption.
    pub fn edit(
        &mut self,
        line: &str,
        id: &str,
        by: &Author,
        body: &str,
        out: &mut Vec<Happening>,
    ) -> Result<String, Refused> {
        let at_ms = self.now_ms();
        let message = self.message_mut(line, id)?;
        if message.author.key() != by.key() {
            return Err(Refused::Cannot("only its author can edit a message"));
        }
        match &mut message.content {
            _ if message.revoked => return Err(Refused::Cannot("a deleted message cannot be edited")),
            Content::Text(text) => *text = body.to_owned(),
            Content::Media { caption, .. } => *caption = Some(body.to_owned()),
            _ => return Err(Refused::Cannot("that message has no words to edit")),
        }
        message.edited = true;
        let message = message.clone();
        let act = message_id();
        out.push(Happening::Edited { id: act.clone(), message, at_ms });
        Ok(act)
    }

    /// Deletes a message for everyone. Only its author can.
    pub fn revoke(&mut self, line: &str, id: &str, by: &Author, out: &mut Vec<Happening>) -> Result<String, Refused> {
        let at_ms = self.now_ms();
        let message = self.message_mut(line, id)?;
        if message.author.key() != by.key() {
            return Err(Refused::Cannot("only its author can delete a message for everyone"));
        }
        message.revoked = true;
        let message = message.clone();
        let act = message_id();
        out.push(Happening::Revoked { id: act.clone(), message, at_ms });
        Ok(act)
    }

    /// Taps what a message of the business offers, by its id or its words. It is a message of its own, which answers that one.
    pub fn choose(
        &mut self,
        line: &str,
        id: &str,
        by: Author,
        option: &str,
        out: &mut Vec<Happening>,
    ) -> Result<Message, Refused> {
        let message = self.message_mut(line, id)?;
        let chosen = message.choices.iter().find(|choice| choice.id == option || choice.title == option).cloned();
        let chosen = chosen.ok_or(Refused::Cannot("that message does not offer this"))?;
        let mut new = NewMessage::text(message.chat.clone(), by, chosen.title.clone());
        (new.quoted, new.chosen) = (Some(id.to_owned()), Some(chosen));
        self.write(line, new, out)
    }

    /// Marks or unmarks a message for the business.
    pub fn star(&mut self, line: &str, id: &str, on: bool) -> Result<(), Refused> {
        self.message_mut(line, id)?.starred = on;
        Ok(())
    }

    /// Moves the ticks of one of the business's messages forward. Answers whether they moved: they never go back,
    /// and an error counts only before the message reached a phone.
    pub fn ack(
        &mut self,
        line: &str,
        id: &str,
        to: i8,
        reader: Option<&str>,
        out: &mut Vec<Happening>,
    ) -> Result<bool, Refused> {
        let message = self.message_mut(line, id)?;
        if !message.author.is_me() {
            return Err(Refused::Cannot("only the business's own messages have ticks"));
        }
        let moves = match to {
            ack::ERROR => (ack::PENDING..ack::DEVICE).contains(&message.ack),
            _ => to > message.ack && message.ack != ack::ERROR,
        };
        if moves {
            message.ack = to;
            let message = message.clone();
            let reader = reader.map(str::to_owned).or_else(|| message.chat.phone().map(str::to_owned));
            out.push(Happening::Ack { message, reader });
        }
        Ok(moves)
    }

    /// The customer opens the chat: what the business wrote is read. Answers the raw ids.
    pub fn open(&mut self, line: &str, chat: &Address, out: &mut Vec<Happening>) -> Result<Vec<String>, Refused> {
        let owner = self.lines.get(line).ok_or(Refused::Missing("such number"))?;
        let ids: Vec<String> = owner.chats.get(chat).map_or_else(Vec::new, |chat| {
            let unread = |m: &&Message| m.author.is_me() && (ack::PENDING..ack::READ).contains(&m.ack);
            chat.messages.iter().filter(unread).map(|m| m.id.clone()).collect()
        });
        for id in &ids {
            self.ack(line, id, ack::READ, None, out)?;
        }
        Ok(ids)
    }

    /// The business reads a chat, or just some of its messages. Answers the raw ids that were unread.
    pub fn see(&mut self, line: &str, chat: &Address, only: Option<&[String]>) -> Vec<String> {
        let Some(chat) = self.lines.get_mut(line).and_then(|owner| owner.chats.get_mut(chat)) else {
            return Vec::new();
        };
        let mut seen = Vec::new();
        for message in chat.messages.iter_mut().filter(|message| !message.author.is_me() && !message.seen) {
            if only.is_none_or(|ids| ids.contains(&message.id)) {
                message.seen = true;
                seen.push(message.id.clone());
            }
        }
        seen
    }

    /// What becomes of this message's ticks by itself.
    pub fn policy(&self, line: &str, message: &Message) -> AckPolicy {
        let reader = message.chat.phone().and_then(|phone| self.people.get(phone));
        if reader.is_some_and(|person| !person.exists) {
            return AckPolicy::HELD;
        }
        reader
            .and_then(|person| person.acks)
            .or_else(|| self.lines.get(line).and_then(|owner| owner.acks))
            .unwrap_or(self.acks)
    }

    /// Whether the message is one that can be heard.
    pub fn can_be_played(message: &Message) -> bool {
        matches!(message.content, Content::Media { form: Form::Voice, .. })
    }
}
