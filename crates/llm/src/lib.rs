//! Language-model vendors, one file each. Knows no SQL, no tenant, no HTTP server and no prompt.
//!
//! [`Vendor`] is pure translation: what is asked becomes a [`Call`], what comes back becomes a [`Reply`] or an [`Error`].
//! [`Llm`] does the rest for all of them: it sends, bounds time and size, tries again by the table in [`retry`], and falls
//! over to the next model in order.
//!
//! To add a vendor: its file here, its folder in `fixtures/`, one line in [`all`].

mod chat;
mod claude;
mod compatible;
mod endpoint;
mod error;
mod gemini;
mod llm;
mod openai;
mod responses;
pub mod retry;
mod schema;
mod sse;
mod vendor;
mod wire;

pub use chat::{
    Audio, Chat, Choice, Delta, Effort, Embed, Embedded, Kept, Listed, Part, Purpose, Reply, Role, Stop, Tool,
    ToolCall, ToolResult, Transcript, Turn, Usage,
};
pub use endpoint::{Auth, Can, Endpoint, Knob, Model};
pub use error::{Class, Error, Facts, Failed};
pub use llm::{Done, Llm, Pace};
pub use schema::{BadSchema, Schema};
pub use sse::Event;
pub use vendor::{Ask, Body, Call, Form, Head, Reading, Vendor};
pub use wire::{Answer, Cut, Wire, client};

/// Every vendor, in the order in which a person is offered them.
pub fn all() -> &'static [&'static dyn Vendor] {
    &[&gemini::Gemini, &claude::Claude, &openai::OpenAi, &responses::Responses, &compatible::Compatible]
}

/// The vendor of that kind, such as `claude`.
pub fn find_vendor(kind: &str) -> Option<&'static dyn Vendor> {
    all().iter().copied().find(|vendor| vendor.kind() == kind)
}
