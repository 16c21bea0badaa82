//! When the ticks of a message move.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

/// When one tick comes: after a while, when the customer opens the chat, or only when a test says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many milliseconds after the step before. In JSON: the number.
    After(u64),
    /// When the customer opens the chat (or plays the voice note). In JSON: `"open"`.
    Open,
    /// Not by itself. In JSON: `null`.
    Held,
}

/// What becomes of a message that the business sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AckPolicy {
    /// One tick: WhatsApp's server has it.
    pub server: Step,
    /// Two ticks: the customer's phone has it.
    pub device: Step,
    /// Two blue ticks.
    pub read: Step,
    /// A voice note was heard.
    pub played: Step,
}

impl Default for AckPolicy {
    fn default() -> Self {
        AckPolicy { server: Step::After(40), device: Step::After(160), read: Step::Open, played: Step::Open }
    }
}

impl AckPolicy {
    /// Nothing moves by itself.
    pub const HELD: AckPolicy =
        AckPolicy { server: Step::Held, device: Step::Held, read: Step::Held, played: Step::Held };
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Step::After(ms) => to.serialize_u64(*ms),
            Step::Open => to.serialize_str("open"),
            Step::Held => to.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::Null => Ok(Step::Held),
            Value::String(text) if text == "open" => Ok(Step::Open),
            Value::Number(ms) if ms.as_u64().is_some_and(|ms| ms <= 3_600_000) => {
                Ok(Step::After(ms.as_u64().expect("just looked at")))
            }
            _ => Err(D::Error::custom("a step is milliseconds (at most an hour), \"open\" or null")),
        }
    }
}
