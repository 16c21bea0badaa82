//! What a model can be made to do.

use serde::Deserialize;
use serde_json::Value;

/// One thing a model does instead of answering as it likes. In JSON: `{"does": "say", "text": "Yes."}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "does", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Play {
    /// Says these words.
    Say {
        /// The words.
        text: String,
    },
    /// Says this as JSON.
    Json {
        /// The value.
        value: Value,
    },
    /// Uses tools; with words before it, if there are any.
    Call {
        /// Name and arguments of each.
        tools: Vec<(String, Value)>,
        /// Said first.
        #[serde(default)]
        text: String,
    },
    /// Will not answer.
    Refuse {
        /// The vendor's word for why; only Anthropic says it.
        #[serde(default)]
        category: Option<String>,
    },
    /// The vendor's filter takes the question (Gemini) or the answer (OpenAI) away.
    Block,
    /// Says nothing.
    Empty,
    /// Is cut off by the limit in the middle of a word.
    CutShort,
    /// Too much to do.
    Overloaded,
    /// Asked too fast.
    Rate {
        /// Seconds to wait.
        after: u64,
        /// Says it as an HTTP date.
        #[serde(default)]
        dated: bool,
    },
    /// The day's quota is used up.
    DailyQuota,
    /// No credit.
    NoMoney,
    /// A wrong key.
    BadKey,
    /// A model that is no more.
    Retired,
    /// More than it can read.
    TooLong,
    /// Somebody else is at it.
    Busy,
    /// Does not take this parameter.
    Dislikes {
        /// Its name.
        parameter: String,
    },
    /// The server fails.
    Fails {
        /// With this status.
        status: u16,
    },
    /// An error after half of a stream (or instead of an answer).
    Breaks,
    /// The connection is cut in the middle of the answer.
    CutOff,
    /// Bytes that are no JSON.
    Malformed,
    /// A page of HTML with status 200.
    Html,
    /// Sends the caller elsewhere.
    Redirect {
        /// Where.
        to: String,
    },
    /// Takes its time.
    Slow {
        /// This long.
        ms: u64,
    },
    /// Takes for ever.
    Hang,
    /// Does not stop sending.
    Endless,
}

impl Play {
    /// What a model id that begins with `sim-` stands for, and how often (for ever if it does not say):
    ///
    /// | id | does |
    /// |---|---|
    /// | `sim-say:words`, `sim-json:{…}`, `sim-tool:name` | answers so |
    /// | `sim-refuse`, `sim-block`, `sim-empty`, `sim-cut-short` | no whole answer |
    /// | `sim-rate`, `sim-rate:2`, `sim-overloaded:2`, `sim-fails:2`, `sim-busy:1`, `sim-breaks:1`, `sim-cut-off:1`, `sim-malformed:1` | fails, twice and then answers |
    /// | `sim-no-money`, `sim-daily-quota`, `sim-bad-key`, `sim-retired`, `sim-too-long`, `sim-dislikes:temperature` | refused for good |
    /// | `sim-slow:1500`, `sim-hang`, `sim-html`, `sim-endless` | as they say |
    pub fn named(id: &str) -> Option<(Self, Option<u64>)> {
        let (name, rest) =
            id.strip_prefix("sim-")?.split_once(':').map_or((id.strip_prefix("sim-")?, None), |(a, b)| (a, Some(b)));
        let times = rest.and_then(|rest| rest.parse().ok());
        let rest = rest.unwrap_or_default();
        Some(match name {
            "say" => (Self::Say { text: rest.into() }, None),
            "json" => (Self::Json { value: serde_json::from_str(rest).ok()? }, None),
            "tool" => (Self::Call { tools: vec![(rest.into(), Value::Null)], text: String::new() }, None),
            "refuse" => (Self::Refuse { category: Some(rest.into()).filter(|rest: &String| !rest.is_empty()) }, None),
            "block" => (Self::Block, None),
            "empty" => (Self::Empty, None),
            "cut-short" => (Self::CutShort, None),
            "overloaded" => (Self::Overloaded, times),
            "rate" => (Self::Rate { after: 1, dated: false }, times),
            "daily-quota" => (Self::DailyQuota, None),
            "no-money" => (Self::NoMoney, None),
            "bad-key" => (Self::BadKey, None),
            "retired" => (Self::Retired, None),
            "too-long" => (Self::TooLong, None),
            "busy" => (Self::Busy, times),
            "dislikes" => (Self::Dislikes { parameter: rest.into() }, None),
            "fails" => (Self::Fails { status: 500 }, times),
            "breaks" => (Self::Breaks, times),
            "cut-off" => (Self::CutOff, times),
            "malformed" => (Self::Malformed, times),
            "html" => (Self::Html, times),
            "slow" => (Self::Slow { ms: times? }, None),
            "hang" => (Self::Hang, None),
            "endless" => (Self::Endless, None),
            _ => return None,
        })
    }
}
