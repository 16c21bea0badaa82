//! The one trait. An operation that a provider leaves out answers "not supported", and its capability flag says so beforehand.

use async_trait::async_trait;

use crate::{
    Address, Addressee, Build, CallError, Capabilities, Capability, Chat, Check, Code, Created, Download, Handshake,
    History, Hook, Incoming, Limits, Link, LookedUp, MediaSource, Message, MessageRef, Outgoing, Page, Part, Person,
    PresenceState, Profile, Refused, Secrets, SendError, Sent, Session, Setup, Template, Unreadable,
};

/// A way to reach WhatsApp. It keeps no state: everything comes in with the call. Any call may be made at any time and from
/// many tasks at once; none of them retries by itself.
#[async_trait]
pub trait Provider: Send + Sync {
    /// `waha`, `evolution`, `cloud`: as in `instances.provider`, in URLs and fixtures.
    fn kind(&self) -> &'static str;

    /// What a number can do on a gateway that runs this. Holes found at run time come on top ([`SendError::NotSupported`]).
    fn capabilities(&self, build: &Build) -> Capabilities;

    // ---- hooks -------------------------------------------------------------------------------------------------------------------

    /// The events to subscribe to, for a person who sets up a shared gateway by hand.
    fn events(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether a gateway of this kind may call one URL for all its numbers, and prove itself there.
    fn shared_hooks(&self) -> bool {
        true
    }

    /// The answer to a GET on the hook's URL.
    fn handshake(&self, _secrets: &Secrets, _query: &Hook) -> Handshake {
        Handshake::None
    }

    /// Whether the hook comes from whom it says. Over the raw bytes, in constant time, before anything is parsed.
    fn verify(&self, secrets: &Secrets, hook: &Hook) -> Result<(), Refused>;

    /// Whom the hook concerns, one part for each. Cheap: it runs before the gateway gets its 200. What cannot be split goes whole to
    /// [`Addressee::Caller`] and fails again in [`Provider::read`], where its reason is kept.
    fn split(&self, hook: &Hook) -> Vec<Part> {
        vec![Part { to: Addressee::Caller, dedupe_key: hook.hash(), body: hook.body.clone(), collapse: None }]
    }

    /// What the hook says. Looks at the body alone.
    fn read(&self, hook: &Hook) -> Result<Vec<Incoming>, Unreadable>;

    // ---- the gateway and its instances -------------------------------------------------------------------------------------------

    /// Reaches the gateway, tries the key, asks what it runs. With an external name also looks at the instance. A gateway that
    /// does not answer, or does not let us in, is an error; what else is wrong is a step that is not ok.
    async fn check(&self, link: &Link) -> Result<Check, CallError>;

    /// Makes the instance, with our hook, and starts it. One that exists is brought in line instead.
    async fn create(&self, link: &Link, setup: &Setup) -> Result<Created, CallError>;

    /// Unlinks and deletes the instance. One that is gone is deleted.
    async fn delete(&self, link: &Link) -> Result<(), CallError>;

    /// Starts it. One that runs is started.
    async fn start(&self, link: &Link) -> Result<Session, CallError>;

    /// Stops it; it stays linked. One that is stopped is stopped.
    async fn stop(&self, link: &Link) -> Result<Session, CallError>;

    /// Stops and starts it.
    async fn restart(&self, link: &Link) -> Result<Session, CallError>;

    /// Unlinks the device: the keys are gone, a new code must be scanned.
    async fn logout(&self, link: &Link) -> Result<Session, CallError>;

    /// Its state. `Gone` when the gateway does not know it.
    async fn status(&self, link: &Link) -> Result<Session, CallError>;

    /// The code to scan now. `WrongState` when there is none.
    async fn qr(&self, _link: &Link) -> Result<Code, CallError> {
        Err(CallError::NotSupported(Capability::Qr))
    }

    /// The code to type on the phone with this number: `ABCD-1234`.
    async fn pairing_code(&self, _link: &Link, _phone: &Address) -> Result<String, CallError> {
        Err(CallError::NotSupported(Capability::PairingCode))
    }

    /// How much the number may do.
    async fn limits(&self, _link: &Link) -> Result<Limits, CallError> {
        Ok(Limits::default())
    }

    /// What WhatsApp shows of the business. None: this way to WhatsApp does not tell.
    async fn profile(&self, _link: &Link) -> Result<Option<Profile>, CallError> {
        Ok(None)
    }

    /// Changes what is given of it. Errors: [`CallError::Invalid`] where that cannot be done, or not so.
    async fn set_profile(&self, _link: &Link, _change: &Profile) -> Result<(), CallError> {
        Err(CallError::Invalid("the profile is changed on the phone".into()))
    }

    // ---- what is there -----------------------------------------------------------------------------------------------------------

    /// The conversations with people, newest first.
    async fn chats(&self, _link: &Link, _after: Option<&str>, _limit: u32) -> Result<Page<Chat>, CallError> {
        Err(CallError::NotSupported(Capability::History))
    }

    /// Earlier messages with people, newest first.
    async fn history(&self, _link: &Link, _of: &History) -> Result<Page<Message>, CallError> {
        Err(CallError::NotSupported(Capability::History))
    }

    /// The name that the gateway's address book has, and every id it knows for this address.
    async fn person(&self, _link: &Link, address: &Address) -> Result<Person, CallError> {
        Ok(Person::at(address))
    }

    /// The phone number behind a LID, or the LID of a phone number. What is not known stays empty.
    async fn other_names(&self, _link: &Link, address: &Address) -> Result<Person, CallError> {
        Ok(Person::at(address))
    }

    /// The gateway's address book.
    async fn people(&self, _link: &Link, _after: Option<&str>, _limit: u32) -> Result<Page<Person>, CallError> {
        Err(CallError::NotSupported(Capability::History))
    }

    /// Every LID whose phone number the gateway knows: contacts known by one can be merged with those known by the other.
    async fn aliases(&self, _link: &Link, _after: Option<&str>, _limit: u32) -> Result<Page<Person>, CallError> {
        Ok(Page { items: vec![], next: None })
    }

    /// The address at which a phone number is reached; `None` when it is not on WhatsApp.
    async fn on_whatsapp(&self, _link: &Link, _phone: &Address) -> Result<Option<Address>, CallError> {
        Err(CallError::NotSupported(Capability::OnWhatsapp))
    }

    /// Where the contact's picture can be had, for a while.
    async fn picture(&self, _link: &Link, _of: &Address) -> Result<Option<String>, CallError> {
        Ok(None)
    }

    /// Whether each number has keys of its own, and there is no gateway of anybody's between us and WhatsApp.
    fn own_keys(&self) -> bool {
        false
    }

    /// Whether its gateways stop calling a URL that answers 404. Others would try for hours.
    fn hears_404(&self) -> bool {
        false
    }

    // ---- messages ----------------------------------------------------------------------------------------------------------------

    /// The provider id that a message with this correlation will get; `None` where we may not choose it. Keep it before sending: then the echo
    /// of the message is known for ours even if it arrives before the answer.
    fn own_id(&self, _build: &Build, _correlation: &str) -> Option<String> {
        None
    }

    /// Sends one message, once.
    async fn send(&self, link: &Link, message: &Outgoing) -> Result<Sent, SendError>;

    /// Looks for a message whose answer was lost, by our own id; never by its text.
    async fn find_sent(&self, _link: &Link, _to: &Address, _correlation: &str) -> Result<LookedUp, CallError> {
        Ok(LookedUp::NotSeen)
    }

    /// Puts an emoji on a message; an empty one takes it off.
    async fn react(&self, _link: &Link, _to: &MessageRef, _emoji: &str) -> Result<(), SendError> {
        Err(SendError::NotSupported { capability: Capability::Reactions })
    }

    /// Marks as read what was received in a conversation, up to and with these messages.
    async fn mark_read(&self, _link: &Link, _chat: &Address, _messages: &[MessageRef]) -> Result<(), CallError> {
        Err(CallError::NotSupported(Capability::MarkRead))
    }

    /// Shows the contact what we do: typing, recording, or paused.
    async fn typing(
        &self,
        _link: &Link,
        _chat: &Address,
        _state: PresenceState,
        _last: Option<&MessageRef>,
    ) -> Result<(), CallError> {
        Err(CallError::NotSupported(Capability::Typing))
    }

    /// Asks to be told what the contact does.
    async fn watch(&self, _link: &Link, _chat: &Address) -> Result<(), CallError> {
        Err(CallError::NotSupported(Capability::Presence))
    }

    /// Changes the text of a message of ours.
    async fn edit(&self, _link: &Link, _message: &MessageRef, _text: &str) -> Result<(), SendError> {
        Err(SendError::NotSupported { capability: Capability::Edit })
    }

    /// Deletes a message of ours for everyone.
    async fn revoke(&self, _link: &Link, _message: &MessageRef) -> Result<(), SendError> {
        Err(SendError::NotSupported { capability: Capability::Delete })
    }

    /// Turns down a call that rings.
    async fn reject_call(&self, _link: &Link, _from: &Address, _call: &str) -> Result<(), CallError> {
        Err(CallError::NotSupported(Capability::Calls))
    }

    /// Fetches the file of a message, at most so long. Do it at once: gateways keep files for minutes.
    async fn download(&self, link: &Link, source: &MediaSource, max_bytes: u64) -> Result<Download, CallError>;

    // ---- templates ---------------------------------------------------------------------------------------------------------------

    /// The templates of the account.
    async fn templates(&self, _link: &Link, _after: Option<&str>) -> Result<Page<Template>, CallError> {
        Err(CallError::NotSupported(Capability::Templates))
    }

    /// Submits one, new or changed. Gives it back as Meta has it now.
    async fn submit_template(&self, _link: &Link, _template: &Template) -> Result<Template, CallError> {
        Err(CallError::NotSupported(Capability::Templates))
    }

    /// Deletes one, in its language alone.
    async fn delete_template(&self, _link: &Link, _template: &Template) -> Result<(), CallError> {
        Err(CallError::NotSupported(Capability::Templates))
    }
}
