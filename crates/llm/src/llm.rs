//! Asks models: in order, within a time, and never twice where that helps nobody.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{debug, info};

use crate::{
    Answer, Ask, Audio, Call, Chat, Class, Delta, Embed, Embedded, Endpoint, Error, Failed, Head, Knob, Listed, Model,
    Part, Reply, Stop, Transcript, Usage, Wire,
    retry::{Step, step},
    sse::Events,
};

/// Most we read of an answer, streamed or not. The largest real ones are vectors: 100 of 3,072 numbers are 4 MiB.
const MAX_ANSWER: usize = 16 << 20;
/// Most we read of an error.
const MAX_FAILURE: usize = 64 << 10;
/// How many endpoints and models are remembered before those that are well again are forgotten.
const MAX_REMEMBERED: usize = 4096;

/// How often and how slowly is tried again.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Tries at one model.
    pub tries: u32,
    /// First wait after a passing failure; it doubles.
    pub base: Duration,
    /// First wait after an overload.
    pub overload_base: Duration,
    /// Longest of these waits.
    pub longest: Duration,
    /// Longest wait that a vendor may ask for within a call.
    pub patience: Duration,
    /// Overloads in a row after which a model rests.
    pub overloads: u32,
    /// How long it rests then.
    pub rest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            tries: 3,
            base: Duration::from_millis(500),
            overload_base: Duration::from_secs(2),
            longest: Duration::from_secs(8),
            patience: Duration::from_secs(10),
            overloads: 5,
            rest: Duration::from_secs(30),
        }
    }
}

/// An answer, and what went wrong before it came.
#[derive(Debug, Clone)]
pub struct Done<T> {
    /// The answer.
    pub value: T,
    /// Failures on the way, in order: [`Class::Money`], [`Class::Key`] and [`Class::Retired`] want a person even though all went well.
    pub failed: Vec<Error>,
}

/// Asks models. One for the whole program: it remembers which endpoints asked for a pause and what models do not take.
pub struct Llm {
    wire: Arc<dyn Wire>,
    pace: Pace,
    now: fn() -> Timestamp,
    jitter: fn() -> f64,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// By endpoint.
    paused: HashMap<String, Instant>,
    /// By endpoint and model.
    models: HashMap<(String, String), Known>,
}

#[derive(Default, Clone)]
struct Known {
    overloads: u32,
    rests_until: Option<Instant>,
    without: BTreeSet<Knob>,
}

/// What is asked of a vendor, and how its answer is read: where chats, vectors and transcripts differ.
trait Question: Sync {
    type Answer: Send;

    fn call(&self, model: &Model, learned: &BTreeSet<Knob>) -> Result<Call, Error>;

    fn read(&self, model: &Model, got: Got) -> Result<Self::Answer, Error>;

    fn streams(&self) -> bool {
        false
    }
}

/// What came back: a body, or an answer that was read piece by piece.
struct Got {
    body: Vec<u8>,
    streamed: Option<Reply>,
    request_id: Option<String>,
}

impl Llm {
    /// Asks over this network; make it with [`crate::client`].
    pub fn new(client: reqwest::Client) -> Self {
        Self::over(Arc::new(client), Pace::default(), Timestamp::now, rand::random::<f64>)
    }

    /// The same with all that a test wants to hold in its hand: network, pace, clock and chance (0 to 1).
    pub fn over(wire: Arc<dyn Wire>, pace: Pace, now: fn() -> Timestamp, jitter: fn() -> f64) -> Self {
        Self { wire, pace, now, jitter, memory: Mutex::default() }
    }

    /// Asks the models in order until one answers, for at most `within`. Dropping the future gives up at once.
    ///
    /// Errors: every failure in order. A refusal ends it: the next vendor is not asked to say what this one would not.
    pub async fn chat(&self, models: &[Model], chat: &Chat, within: Duration) -> Result<Done<Reply>, Failed> {
        self.ask(models, &Chatting { chat, stream: false }, within, &mut |_| {}).await
    }

    /// The same, and shows the words as they come. After [`Delta::Restart`] what was shown is void. Only the answer at the end is whole and checked.
    pub async fn chat_streamed(
        &self,
        models: &[Model],
        chat: &Chat,
        within: Duration,
        show: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Done<Reply>, Failed> {
        self.ask(models, &Chatting { chat, stream: true }, within, show).await
    }

    /// Turns texts into vectors. Vectors of two models cannot be compared, so there is only one.
    pub async fn embed(&self, model: &Model, embed: &Embed, within: Duration) -> Result<Done<Embedded>, Failed> {
        self.ask(std::slice::from_ref(model), &Embedding(embed), within, &mut |_| {}).await
    }

    /// Writes down a recording, by the first model that can.
    pub async fn transcribe(
        &self,
        models: &[Model],
        audio: &Audio,
        within: Duration,
    ) -> Result<Done<Transcript>, Failed> {
        self.ask(models, &Transcribing(audio), within, &mut |_| {}).await
    }

    /// Which models an endpoint serves. Tries once: a person is waiting to see whether the key works.
    pub async fn list(&self, at: &Endpoint, within: Duration) -> Result<Vec<Listed>, Error> {
        let model = Model::new(at.clone(), "");
        self.once(&model, &Listing, &BTreeSet::new(), Instant::now() + within, &mut |_| {}).await
    }

    async fn ask<Q: Question>(
        &self,
        models: &[Model],
        question: &Q,
        within: Duration,
        show: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Done<Q::Answer>, Failed> {
        let deadline = Instant::now() + within;
        let mut failed = Vec::new();
        let mut shown = false;
        for (index, model) in models.iter().enumerate() {
            let alone = index + 1 == models.len();
            let mut tried = 0;
            loop {
                if std::mem::take(&mut shown) {
                    show(Delta::Restart);
                }
                let known = self.known(model);
                if let Some(until) = self.rests(model, &known) {
                    let wait = until.saturating_duration_since(Instant::now());
                    if alone && wait <= self.pace.patience && until < deadline {
                        sleep_until(until).await;
                        continue;
                    }
                    failed.push(named(Error::new(Class::Resting(wait), "not asked: it rests"), model));
                    break;
                }
                let mut showing = |delta: Delta| {
                    shown = true;
                    show(delta);
                };
                let error = match self.once(model, question, &known.without, deadline, &mut showing).await {
                    Ok(value) => {
                        self.went_well(model);
                        return Ok(Done { value, failed });
                    }
                    Err(error) => error,
                };
                debug!(status = error.status, "no answer: {error}");
                let next = match error.class {
                    Class::Parameter(knob) if self.learn(model, knob) && !model.without.contains(&knob) => {
                        Step::Again(Duration::ZERO)
                    }
                    Class::Parameter(_) => Step::Next,
                    _ => {
                        tried += 1;
                        self.note(model, &error.class);
                        step(&error.class, error.again, tried, alone, &self.pace, (self.jitter)())
                    }
                };
                failed.push(error);
                match next {
                    Step::Again(wait) if Instant::now() + wait < deadline => sleep_until(Instant::now() + wait).await,
                    Step::Stop => return Err(Failed(failed)),
                    _ => break,
                }
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        if failed.is_empty() {
            failed.push(Error::unable("no model is set up for this"));
        }
        let failed = Failed(failed);
        info!(tries = failed.0.len(), "no model answered: {failed}");
        Err(failed)
    }

    /// One try.
    async fn once<Q: Question>(
        &self,
        model: &Model,
        question: &Q,
        learned: &BTreeSet<Knob>,
        deadline: Instant,
        show: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Q::Answer, Error> {
        let deadline = deadline.min(Instant::now() + model.at.timeout);
        let mut request_id = None;
        let answered = async {
            let call = question.call(model, learned)?;
            let sent = self.wire.send(call).await;
            let mut answer = sent.map_err(|cut| Error::new(Class::Transient, format!("no answer: {cut}")))?;
            let id = ["request-id", "x-request-id"].iter().find_map(|name| answer.headers.get(*name)?.to_str().ok());
            request_id = id.map(str::to_owned);
            if !(200..300).contains(&answer.status) {
                return Err(self.failure(model, &mut answer).await);
            }
            if answer.headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
                return Err(Error::unreadable("the answer is a page of HTML: is the address right?"));
            }
            let mut got = Got { body: Vec::new(), streamed: None, request_id: request_id.clone() };
            if question.streams() {
                got.streamed = Some(streamed(model, &mut answer, show).await?);
            } else {
                got.body = answer.read(MAX_ANSWER).await?;
            }
            question.read(model, got)
        };
        let late = |_| Err(Error::new(Class::Transient, "no answer in time"));
        timeout_at(deadline, answered).await.unwrap_or_else(late).map_err(|mut error| {
            error.request_id = request_id.or(error.request_id.take());
            named(error, model)
        })
    }

    async fn failure(&self, model: &Model, answer: &mut Answer) -> Error {
        let body = answer.read(MAX_FAILURE).await.unwrap_or_default();
        let head = Head { status: answer.status, headers: &answer.headers, now: (self.now)() };
        let mut error = if (300..400).contains(&answer.status) {
            Error::unreadable("the answer is a redirect, which is not followed: is the address right?")
        } else {
            model.at.vendor.failure(&head, &body)
        };
        error.status = Some(answer.status);
        error.again = match head.get("x-should-retry") {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        error
    }

    fn known(&self, model: &Model) -> Known {
        self.memory().models.get(&key(model)).cloned().unwrap_or_default()
    }

    /// Until when it must not be asked.
    fn rests(&self, model: &Model, known: &Known) -> Option<Instant> {
        let paused = self.memory().paused.get(&model.at.id).copied();
        let until = paused.max(known.rests_until)?; // no pause is less than any
        (until > Instant::now()).then_some(until)
    }

    /// Remembers that a model does not take something; `false` if that was known.
    fn learn(&self, model: &Model, knob: Knob) -> bool {
        let mut memory = self.memory();
        memory.shrink();
        memory.models.entry(key(model)).or_default().without.insert(knob)
    }

    fn went_well(&self, model: &Model) {
        if let Some(known) = self.memory().models.get_mut(&key(model)) {
            known.overloads = 0;
        }
    }

    fn note(&self, model: &Model, class: &Class) {
        let now = Instant::now();
        let mut memory = self.memory();
        memory.shrink();
        match class {
            Class::Rate(wait) => {
                let until = now + wait.unwrap_or(self.pace.base);
                let paused = memory.paused.entry(model.at.id.clone()).or_insert(until);
                *paused = until.max(*paused);
            }
            Class::Quota(wait) => {
                memory.models.entry(key(model)).or_default().rests_until = Some(now + wait.unwrap_or(self.pace.rest));
            }
            Class::Overloaded(_) => {
                let known = memory.models.entry(key(model)).or_default();
                known.overloads += 1;
                if known.overloads >= self.pace.overloads {
                    known.overloads = 0;
                    known.rests_until = Some(now + self.pace.rest);
                }
            }
            _ => {}
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Memory {
    /// Keeps the memory small whatever the settings do.
    fn shrink(&mut self) {
        let now = Instant::now();
        if self.paused.len() >= MAX_REMEMBERED {
            self.paused.retain(|_, until| *until > now);
        }
        if self.models.len() >= MAX_REMEMBERED {
            self.models.retain(|_, known| known.rests_until.is_some_and(|until| until > now));
        }
    }
}

fn key(model: &Model) -> (String, String) {
    (model.at.id.clone(), model.id.clone())
}

fn named(mut error: Error, model: &Model) -> Error {
    error.vendor = model.at.vendor.kind();
    error.endpoint.clone_from(&model.at.id);
    error.model.clone_from(&model.id);
    error
}

/// Reads an answer piece by piece.
async fn streamed(model: &Model, answer: &mut Answer, show: &mut (dyn FnMut(Delta) + Send)) -> Result<Reply, Error> {
    let mut reading = model.at.vendor.reading();
    let mut events = Events::default();
    let mut read = 0;
    let mut new = Vec::new();
    while let Some(piece) = answer.body.next().await {
        let piece = piece.map_err(|cut| Error::new(Class::Transient, format!("the stream broke off: {cut}")))?;
        read += piece.len();
        if read > MAX_ANSWER {
            return Err(Error::unreadable("the stream does not end"));
        }
        let over = events.push(&piece, |event| reading.take(&event, &mut new));
        new.drain(..).for_each(&mut *show);
        if over? {
            break;
        }
    }
    reading.whole()
}

struct Chatting<'a> {
    chat: &'a Chat,
    stream: bool,
}

impl Question for Chatting<'_> {
    type Answer = Reply;

    fn call(&self, model: &Model, learned: &BTreeSet<Knob>) -> Result<Call, Error> {
        let ask = Ask { model, chat: self.chat, stream: self.stream, learned };
        ask.check()?;
        model.at.vendor.chat(&ask)
    }

    fn streams(&self) -> bool {
        self.stream
    }

    /// What holds for every vendor: an answer says something, and has the shape that was asked for.
    fn read(&self, model: &Model, got: Got) -> Result<Reply, Error> {
        let mut reply = match got.streamed {
            Some(reply) => reply,
            None => model.at.vendor.reply(&got.body)?,
        };
        reply.request_id = got.request_id.or(reply.request_id);
        if reply.usage.estimated {
            reply.usage.input = self.chat.turns.iter().map(size).sum::<u64>()
                + quarter(self.chat.system.as_deref().unwrap_or_default());
            reply.usage.output = size(&reply.turn);
        }
        let text = reply.text();
        if reply.tool_calls().next().is_some() {
            return Ok(reply);
        }
        if text.trim().is_empty() {
            let why = if reply.stop == Stop::Length {
                "thinking used up the room for the answer"
            } else {
                "the answer is empty"
            };
            return Err(Error::new(Class::Empty, why).cost(reply.usage));
        }
        if let Some(schema) = &self.chat.answer {
            let misshapen = |why: String| Err(Error::new(Class::Misshapen, why).cost(reply.usage));
            let Ok(json) = serde_json::from_str(unfenced(&text)) else {
                return misshapen(if reply.stop == Stop::Length {
                    "the answer is cut off".into()
                } else {
                    "the answer is not JSON".into()
                });
            };
            if let Err(bad) = schema.check(&json) {
                return misshapen(format!("the answer does not have its shape: {bad}"));
            }
            reply.json = Some(json);
        }
        Ok(reply)
    }
}

/// JSON without the Markdown fence that smaller models put around it.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```").and_then(|text| text.strip_suffix("```")) else { return text };
    inner.strip_prefix("json").unwrap_or(inner).trim()
}

fn quarter(text: &str) -> u64 {
    u64::try_from(text.chars().count().div_ceil(4)).unwrap_or(u64::MAX)
}

/// About how many tokens a turn has; an image counts as 256.
fn size(turn: &crate::Turn) -> u64 {
    let part = |part: &Part| match part {
        Part::Text { text } => quarter(text),
        Part::ToolCall(call) => quarter(&call.arguments.to_string()),
        Part::ToolResult(result) => quarter(&result.text),
        Part::Image { .. } | Part::Audio { .. } => 256,
        Part::Kept(_) => 0,
    };
    turn.parts.iter().map(part).sum()
}

struct Embedding<'a>(&'a Embed);

impl Question for Embedding<'_> {
    type Answer = Embedded;

    fn call(&self, model: &Model, _: &BTreeSet<Knob>) -> Result<Call, Error> {
        if self.0.texts.iter().any(|text| text.trim().is_empty()) || self.0.texts.is_empty() {
            return Err(Error::new(Class::Rejected, "there is an empty text, which has no vector"));
        }
        model.at.vendor.embed(model, self.0)
    }

    fn read(&self, model: &Model, got: Got) -> Result<Embedded, Error> {
        let mut embedded = model.at.vendor.embedded(&got.body)?;
        let long = embedded.vectors.first().map_or(0, Vec::len);
        let sound = |vector: &Vec<f32>| vector.len() == long && vector.iter().all(|number| number.is_finite());
        if embedded.vectors.len() != self.0.texts.len() || long == 0 || !embedded.vectors.iter().all(sound) {
            return Err(Error::unreadable("the vectors are not those that were asked for"));
        }
        if embedded.usage.estimated {
            embedded.usage = Usage {
                input: self.0.texts.iter().map(|text| quarter(text)).sum(),
                estimated: true,
                ..Usage::default()
            };
        }
        Ok(embedded)
    }
}

struct Transcribing<'a>(&'a Audio);

impl Question for Transcribing<'_> {
    type Answer = Transcript;

    fn call(&self, model: &Model, _: &BTreeSet<Knob>) -> Result<Call, Error> {
        model.at.vendor.transcribe(model, self.0)
    }

    fn read(&self, model: &Model, got: Got) -> Result<Transcript, Error> {
        model.at.vendor.transcript(&got.body)
    }
}

struct Listing;

impl Question for Listing {
    type Answer = Vec<Listed>;

    fn call(&self, model: &Model, _: &BTreeSet<Knob>) -> Result<Call, Error> {
        model.at.vendor.list(&model.at)
    }

    fn read(&self, model: &Model, got: Got) -> Result<Vec<Listed>, Error> {
        model.at.vendor.listed(&got.body)
    }
}
