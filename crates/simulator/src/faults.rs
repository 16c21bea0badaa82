//! Faults on demand: on requests we receive, and on hooks we send.

use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How many faults may wait at once.
const MANY: usize = 1_000;

/// What is to go wrong, when and how often. See README.md for the words.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Only these requests or hooks.
    #[serde(default)]
    pub on: Match,
    /// The first so many that match pass unharmed.
    #[serde(default)]
    pub skip: u32,
    /// So many are harmed; for ever when left out.
    #[serde(default)]
    pub count: Option<u32>,
    /// What happens.
    #[serde(rename = "do")]
    pub harm: Harm,
}

/// Which requests or hooks a rule is for. What is left out matches all; `*` in a path stands for anything.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Match {
    /// `GET`, `POST`…
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// `/api/sendText`, `/api/*/auth/qr`…
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A session's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// A chat, as the caller writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<String>,
    /// Hooks: the event, `message.any`…
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// What goes wrong. `effect` says whether the request takes effect before its answer is spoiled.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Harm {
    /// Answers late, but rightly.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Answers this instead.
    Answer {
        /// HTTP status.
        status: u16,
        /// Headers.
        #[serde(default)]
        headers: Map<String, Value>,
        /// Body: JSON, or text when it is a string.
        #[serde(default)]
        body: Value,
        /// The message is sent all the same.
        #[serde(default)]
        effect: bool,
    },
    /// 429 with Retry-After.
    TooMany {
        /// Seconds until the next try.
        #[serde(default = "one")]
        retry_after_s: u64,
        /// As a date instead of seconds.
        #[serde(default)]
        date: bool,
    },
    /// 500 in the gateway's own shape.
    Crash {
        /// `exception.message`.
        #[serde(default = "bare")]
        message: String,
        /// The message is sent all the same.
        #[serde(default)]
        effect: bool,
    },
    /// Never answers.
    Hang {
        /// The message is sent all the same.
        #[serde(default)]
        effect: bool,
    },
    /// 302 to this place.
    Redirect {
        /// `Location`.
        #[serde(default = "elsewhere")]
        to: String,
    },
    /// 200 with a page of HTML, as a proxy's login page.
    Html {
        /// The message is sent all the same.
        #[serde(default)]
        effect: bool,
    },
    /// 200 with a body that does not end (it does, after 1 GiB or ten minutes).
    Endless {
        /// The message is sent all the same.
        #[serde(default)]
        effect: bool,
    },
    /// Cuts the connection without an answer.
    Cut {
        /// The message is sent all the same.
        #[serde(default)]
        effect: bool,
    },
    /// Sends half of the answer and cuts the connection.
    Truncate,
    /// The session is no longer linked: it becomes FAILED, and the call is answered 422.
    Expired,
    /// WhatsApp's reach-out time lock: error 463.
    Timelock,
    /// 501: this engine cannot do that.
    NotImplemented,
    /// Hooks: not sent.
    Drop,
    /// Hooks: sent so many times in all, each with an id of its own or all with the same.
    Duplicate {
        /// 2 or more.
        #[serde(default = "two")]
        times: u32,
        /// With a new `id` each, as when the gateway itself saw the event twice.
        #[serde(default)]
        new_ids: bool,
    },
    /// Hooks: so many are held back and then sent the last first.
    Reorder {
        /// 2 or more.
        #[serde(default = "two")]
        span: usize,
    },
}

fn one() -> u64 {
    1
}
fn two<T: From<u8>>() -> T {
    T::from(2)
}
fn bare() -> String {
    "simulated failure".into()
}
fn elsewhere() -> String {
    "/elsewhere".into()
}

impl Harm {
    /// Whether it is for hooks; `Delay` is for both.
    fn for_hooks(&self) -> bool {
        matches!(self, Harm::Drop | Harm::Duplicate { .. } | Harm::Reorder { .. })
    }

    /// Whether the request takes effect first.
    pub fn effect(&self) -> bool {
        match self {
            Harm::Delay { .. } | Harm::Truncate => true,
            Harm::Answer { effect, .. }
            | Harm::Crash { effect, .. }
            | Harm::Hang { effect }
            | Harm::Html { effect }
            | Harm::Endless { effect }
            | Harm::Cut { effect } => *effect,
            _ => false,
        }
    }
}

/// A rule that waits or works.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// Counts from 1.
    pub id: u64,
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// How many it has harmed.
    pub done: u32,
    /// How many have passed unharmed.
    pub passed: u32,
}

/// What a rule is held against.
#[derive(Debug, Default, Clone, Copy)]
pub struct Case<'a> {
    /// Of the request; empty for a hook.
    pub method: &'a str,
    /// Of the request; empty for a hook.
    pub path: &'a str,
    /// Of both.
    pub session: Option<&'a str>,
    /// Of both, where there is one.
    pub chat_id: Option<&'a str>,
    /// Of the hook; empty for a request.
    pub event: &'a str,
}

/// All faults.
#[derive(Default)]
pub struct Faults(Mutex<(u64, Vec<Fault>)>);

impl Faults {
    fn all(&self) -> MutexGuard<'_, (u64, Vec<Fault>)> {
        self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    /// Adds a rule; nothing when too many wait.
    pub fn add(&self, rule: Rule) -> Option<Fault> {
        let mut all = self.all();
        if all.1.len() >= MANY {
            return None;
        }
        all.0 += 1;
        let fault = Fault { id: all.0, rule, done: 0, passed: 0 };
        all.1.push(fault.clone());
        Some(fault)
    }

    /// All of them, also those that are spent.
    pub fn list(&self) -> Vec<Fault> {
        self.all().1.clone()
    }

    /// Takes one away.
    pub fn remove(&self, id: u64) -> bool {
        let mut all = self.all();
        let before = all.1.len();
        all.1.retain(|fault| fault.id != id);
        all.1.len() < before
    }

    /// Takes all away.
    pub fn clear(&self) {
        self.all().1.clear();
    }

    /// The harm for this request, if any; it counts as done.
    pub fn on_request(&self, case: Case<'_>) -> Option<(u64, Harm)> {
        self.take(case, |fault| fault.rule.on.event.is_none() && !fault.rule.harm.for_hooks())
    }

    /// The harm for this hook, if any; it counts as done. A delay is for hooks when its rule names an event.
    pub fn on_hook(&self, case: Case<'_>) -> Option<(u64, Harm)> {
        self.take(case, |fault| {
            fault.rule.harm.for_hooks()
                || (fault.rule.on.event.is_some() && matches!(fault.rule.harm, Harm::Delay { .. }))
        })
    }

    fn take(&self, case: Case<'_>, fits: impl Fn(&Fault) -> bool) -> Option<(u64, Harm)> {
        for fault in self.all().1.iter_mut().filter(|fault| fits(fault)) {
            let spent = fault.rule.count.is_some_and(|count| fault.done >= count);
            if spent || !fault.rule.on.is(case) {
                continue;
            }
            if fault.passed < fault.rule.skip {
                fault.passed += 1;
                continue;
            }
            fault.done += 1;
            return Some((fault.id, fault.rule.harm.clone()));
        }
        None
    }
}

impl Match {
    fn is(&self, case: Case<'_>) -> bool {
        let same = |wanted: &Option<String>, there: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| there.is_some_and(|there| glob(wanted, there)))
        };
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(case.method))
            && same(&self.path, Some(case.path))
            && same(&self.session, case.session)
            && same(&self.chat_id, case.chat_id)
            && same(&self.event, Some(case.event))
    }
}

/// Whether `text` is `pattern`, where `*` stands for any characters.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    loop {
        if glob(rest, text) {
            return true;
        }
        let mut left = text.chars();
        if left.next().is_none() {
            return false;
        }
        text = left.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::{Case, Faults, Harm, Rule, glob};

    #[test]
    fn stars_stand_for_anything() {
        assert!(glob("/api/*/auth/qr", "/api/ind_1/auth/qr"));
        assert!(glob("*", ""));
        assert!(glob("message*", "message.any"));
        assert!(!glob("/api/*/auth/qr", "/api/ind_1/auth/request-code"));
        assert!(!glob("/api", "/api/x"));
    }

    #[test]
    fn a_rule_skips_and_is_spent() {
        let faults = Faults::default();
        let rule: Rule = serde_json::from_str(
            r#"{"on":{"method":"POST","path":"/api/send*"},"skip":1,"count":1,"do":{"kind":"cut","effect":true}}"#,
        )
        .unwrap();
        faults.add(rule).unwrap();
        let case = Case { method: "POST", path: "/api/sendText", ..Case::default() };
        assert!(faults.on_request(case).is_none(), "the first passes");
        assert!(matches!(faults.on_request(case), Some((1, Harm::Cut { effect: true }))));
        assert!(faults.on_request(case).is_none(), "it is spent");
        assert_eq!((faults.list()[0].done, faults.list()[0].passed), (1, 1));
    }
}
