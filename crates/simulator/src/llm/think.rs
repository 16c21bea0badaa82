//! A model without a mind: its answer is made from the prompt alone, the same each time, and says that it is simulated.

use serde_json::{Map, Value, json};

use super::Play;

/// A question, whoever it was put to.
#[derive(Debug, Clone, Default)]
pub struct Prompt {
    /// The model's id.
    pub model: String,
    /// The last words of the person, or what a tool answered.
    pub said: String,
    /// Whether the last thing in the talk is a tool's answer.
    pub after_tool: bool,
    /// Images anywhere in the talk.
    pub images: usize,
    /// Recordings anywhere in the talk.
    pub sounds: usize,
    /// Bytes of all words.
    pub bytes: usize,
    /// Tools, by name and schema.
    pub tools: Vec<(String, Value)>,
    /// It must use a tool: this one, or any.
    pub must_call: Option<Option<String>>,
    /// It must not.
    pub must_not_call: bool,
    /// The shape of the answer.
    pub schema: Option<Value>,
    /// Most tokens.
    pub max_output: Option<u64>,
    /// Piece by piece.
    pub stream: bool,
    /// OpenAI: with usage at the end of the stream.
    pub stream_usage: bool,
}

impl Prompt {
    /// Counted as all simulated tokens are: four bytes each, 256 for what is no words.
    pub fn input_tokens(&self) -> u64 {
        tokens(self.bytes) + 256 * u64::try_from(self.images + self.sounds).unwrap_or(0)
    }

    /// Takes in words of the talk.
    pub fn hear(&mut self, words: &str) {
        self.bytes += words.len();
    }
}

fn tokens(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX)
}

/// Why an answer ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    Done,
    Length,
    Tools,
    Refused(Option<String>),
    Blocked,
}

/// An answer, whoever gives it.
#[derive(Debug, Clone)]
pub struct Said {
    pub text: String,
    pub calls: Vec<(String, Value)>,
    pub stop: Stop,
    pub output_tokens: u64,
}

/// The answer to a prompt, unless a play says otherwise.
pub fn answer(prompt: &Prompt, play: Option<&Play>) -> Said {
    let mut said = Said { text: String::new(), calls: Vec::new(), stop: Stop::Done, output_tokens: 0 };
    match play {
        Some(Play::Say { text }) => said.text.clone_from(text),
        Some(Play::Json { value }) => said.text = value.to_string(),
        Some(Play::Call { tools, text }) => {
            said.text.clone_from(text);
            said.calls =
                tools.iter().map(|(name, arguments)| (name.clone(), filled(prompt, name, arguments))).collect();
        }
        Some(Play::Refuse { category }) => said.stop = Stop::Refused(category.clone()),
        Some(Play::Block) => said.stop = Stop::Blocked,
        Some(Play::Empty) => {}
        Some(Play::CutShort) => {
            said.text = "(simulated) This answer is cut off in the mid".into();
            said.stop = Stop::Length;
        }
        _ => default(prompt, &mut said),
    }
    if !said.calls.is_empty() {
        said.stop = Stop::Tools;
    }
    let room = prompt.max_output.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX).saturating_mul(4);
    if said.text.len() > room {
        said.text.truncate(said.text.floor_char_boundary(room));
        said.stop = Stop::Length;
    }
    said.output_tokens = tokens(
        said.text.len() + said.calls.iter().map(|(name, args)| name.len() + args.to_string().len()).sum::<usize>(),
    );
    said
}

fn default(prompt: &Prompt, said: &mut Said) {
    let wanted = match &prompt.must_call {
        _ if prompt.must_not_call => None,
        Some(Some(name)) => Some(name.clone()),
        Some(None) => prompt.tools.first().map(|(name, _)| name.clone()),
        // a person who names a tool gets it: "please hand over"
        None if !prompt.after_tool => {
            let words = prompt.said.to_lowercase();
            let named = |name: &str| {
                words.contains(&name.to_lowercase()) || words.contains(&name.to_lowercase().replace(['_', '-'], " "))
            };
            prompt.tools.iter().find(|(name, _)| named(name)).map(|(name, _)| name.clone())
        }
        None => None,
    };
    if let Some(name) = wanted {
        said.calls.push((name.clone(), filled(prompt, &name, &Value::Null)));
    } else if let Some(schema) = &prompt.schema {
        said.text = made(schema, "", prompt, 0).to_string();
    } else {
        said.text = words(prompt);
    }
}

fn words(prompt: &Prompt) -> String {
    let said: String = prompt.said.chars().take(200).collect();
    let mut words = if prompt.after_tool {
        format!("(simulated) The tool answered: {said}")
    } else {
        format!("(simulated) You said: {said}")
    };
    let count = |n: usize, one: &str| if n == 1 { format!(" I got 1 {one}.") } else { format!(" I got {n} {one}s.") };
    if prompt.images > 0 {
        words += &count(prompt.images, "image");
    }
    if prompt.sounds > 0 {
        words += &count(prompt.sounds, "recording");
    }
    words
}

/// Arguments as they were ordered, or made from the tool's schema.
fn filled(prompt: &Prompt, name: &str, arguments: &Value) -> Value {
    if arguments.is_object() {
        return arguments.clone();
    }
    let schema = prompt.tools.iter().find(|(tool, _)| tool == name).map(|(_, schema)| schema);
    schema.map_or_else(|| json!({}), |schema| made(schema, "", prompt, 0))
}

/// A value of that shape.
fn made(schema: &Value, key: &str, prompt: &Prompt, depth: usize) -> Value {
    if depth > 20 {
        return Value::Null;
    }
    if let Some(one) = schema.get("const") {
        return one.clone();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(first) = schema["anyOf"].get(0) {
        return made(first, key, prompt, depth + 1);
    }
    let kind = schema["type"]
        .as_str()
        .or_else(|| schema["type"].as_array()?.iter().find_map(|one| one.as_str().filter(|one| *one != "null")));
    match kind.map(str::to_lowercase).as_deref() {
        Some("object") => {
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            Value::Object(
                properties
                    .iter()
                    .map(|(key, one)| (key.clone(), made(one, key, prompt, depth + 1)))
                    .collect::<Map<_, _>>(),
            )
        }
        Some("array") => json!([]),
        Some("string") if matches!(key, "reply" | "text" | "answer" | "message" | "body" | "summary") => {
            words(prompt).into()
        }
        Some("string") => "simulated".into(),
        Some("integer") => json!(1),
        Some("number") => json!(0.5),
        Some("boolean") => json!(false),
        _ => Value::Null,
    }
}

/// A vector of that length, the same for the same text, of length 1.
pub fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    // texts that share words get vectors that are near: each word adds to a few places
    let mut vector = vec![0.0_f32; dimensions];
    for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut hash = word
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        for _ in 0..8 {
            hash = hash.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let place = usize::try_from(hash >> 33).unwrap_or(0) % dimensions.max(1);
            if let Some(number) = vector.get_mut(place) {
                *number += if hash & 1 == 0 { 1.0 } else { -1.0 };
            }
        }
    }
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    } else if let Some(first) = vector.first_mut() {
        *first = 1.0;
    }
    vector
}

/// Words in pieces of about a dozen bytes, cut at spaces where there are any.
pub fn chunks(text: &str) -> Vec<&str> {
    let mut chunks = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let soft = rest.char_indices().find(|(index, c)| *index >= 8 && *c == ' ').map(|(index, _)| index + 1);
        let hard = rest.floor_char_boundary(24);
        let end = soft.unwrap_or(rest.len()).min(if rest.len() > 24 { hard } else { rest.len() });
        let (chunk, more) = rest.split_at(end);
        chunks.push(chunk);
        rest = more;
    }
    chunks
}
