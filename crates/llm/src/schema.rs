//! The shape of an answer: the part of JSON Schema that every vendor promises to keep in its strict mode.
//!
//! That part is small, so the check is small too. A keyword outside of it (`minimum`, `pattern`, `$ref`) would be refused
//! by one vendor and ignored by another: it is refused here, when the schema is made.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Deeper than any answer of ours, and no danger to the stack.
const MAX_DEPTH: usize = 24;

/// A named shape. Every object lists all its keys as required and forbids others; what may be missing is `["string", "null"]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Schema {
    name: String,
    shape: Value,
}

/// Why a schema cannot be used, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{at}: {why}")]
pub struct BadSchema {
    /// A JSON pointer; empty for the whole.
    pub at: String,
    /// What is wrong there.
    pub why: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    schema: Value,
}

impl TryFrom<Raw> for Schema {
    type Error = BadSchema;
    fn try_from(raw: Raw) -> Result<Self, BadSchema> {
        Self::new(raw.name, raw.schema)
    }
}

impl From<Schema> for Raw {
    fn from(schema: Schema) -> Self {
        Self { name: schema.name, schema: schema.shape }
    }
}

impl Schema {
    /// Names a shape. Errors where it says something that not every vendor keeps.
    pub fn new(name: impl Into<String>, shape: Value) -> Result<Self, BadSchema> {
        let name = name.into();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            return Err(BadSchema {
                at: String::new(),
                why: format!("{name:?} is not 1 to 64 letters, digits, _ and -"),
            });
        }
        if shape.get("type") != Some(&Value::from("object")) {
            return Err(BadSchema { at: String::new(), why: "the whole must be an object".into() });
        }
        inspect(&shape, &mut String::new(), 0)?;
        Ok(Self { name, shape })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The JSON Schema itself.
    pub fn shape(&self) -> &Value {
        &self.shape
    }

    /// Says whether a value has this shape; the error is for the log of a developer and names no value.
    pub fn check(&self, value: &Value) -> Result<(), BadSchema> {
        hold(&self.shape, value, &mut String::new())
    }
}

fn bad<T>(at: &str, why: impl Into<String>) -> Result<T, BadSchema> {
    Err(BadSchema { at: at.to_owned(), why: why.into() })
}

/// Runs `f` one step further down.
fn within<T>(at: &mut String, step: &str, f: impl FnOnce(&mut String) -> T) -> T {
    let before = at.len();
    at.push('/');
    at.push_str(step);
    let out = f(at);
    at.truncate(before);
    out
}

fn types(shape: &Map<String, Value>) -> Option<Vec<&str>> {
    match shape.get("type")? {
        Value::String(one) => Some(vec![one]),
        Value::Array(many) => many.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn inspect(shape: &Value, at: &mut String, depth: usize) -> Result<(), BadSchema> {
    let Value::Object(shape) = shape else { return bad(at, "not an object") };
    if depth > MAX_DEPTH {
        return bad(at, "too deep");
    }
    for key in shape.keys() {
        if !matches!(
            key.as_str(),
            "type"
                | "properties"
                | "required"
                | "additionalProperties"
                | "items"
                | "enum"
                | "const"
                | "anyOf"
                | "description"
                | "title"
        ) {
            return bad(at, format!("{key} is not kept by every vendor"));
        }
    }
    if let Some(many) = shape.get("anyOf") {
        let Some(many) = many.as_array().filter(|many| !many.is_empty()) else {
            return bad(at, "anyOf must list shapes");
        };
        for (index, one) in many.iter().enumerate() {
            within(at, &format!("anyOf/{index}"), |at| inspect(one, at, depth + 1))?;
        }
    }
    if shape.get("enum").is_some_and(|values| values.as_array().is_none_or(Vec::is_empty)) {
        return bad(at, "enum must list values");
    }
    let Some(types) = types(shape) else {
        let free = ["anyOf", "const", "enum"].iter().any(|key| shape.contains_key(*key));
        return if free && !shape.contains_key("type") { Ok(()) } else { bad(at, "type is missing or odd") };
    };
    for one in &types {
        if !matches!(*one, "object" | "array" | "string" | "number" | "integer" | "boolean" | "null") {
            return bad(at, format!("no such type: {one}"));
        }
    }
    if types.contains(&"object") {
        let empty = Map::new();
        let properties = shape.get("properties").map_or(Some(&empty), Value::as_object);
        let Some(properties) = properties else { return bad(at, "properties must be an object") };
        if shape.get("additionalProperties") != Some(&Value::Bool(false)) {
            return bad(at, "additionalProperties must be false");
        }
        let none = Vec::new();
        let required = shape.get("required").and_then(Value::as_array).unwrap_or(&none);
        if let Some(key) = properties.keys().find(|key| !required.iter().any(|name| name == key.as_str())) {
            return bad(at, format!("{key} must be required; let it be null instead"));
        }
        if required.len() != properties.len() {
            return bad(at, "required names what properties does not");
        }
        for (key, one) in properties {
            within(at, &format!("properties/{key}"), |at| inspect(one, at, depth + 1))?;
        }
    }
    if types.contains(&"array") {
        let Some(items) = shape.get("items") else { return bad(at, "items is missing") };
        within(at, "items", |at| inspect(items, at, depth + 1))?;
    }
    Ok(())
}

fn hold(shape: &Value, value: &Value, at: &mut String) -> Result<(), BadSchema> {
    let Value::Object(shape) = shape else { return bad(at, "not an object") };
    if shape.get("const").is_some_and(|one| one != value) {
        return bad(at, "is not the one value it may be");
    }
    if shape.get("enum").and_then(Value::as_array).is_some_and(|values| !values.contains(value)) {
        return bad(at, "is none of the values it may be");
    }
    if let Some(many) = shape.get("anyOf").and_then(Value::as_array)
        && !many.iter().any(|one| hold(one, value, at).is_ok())
    {
        return bad(at, "has none of the shapes it may have");
    }
    let Some(types) = types(shape) else { return Ok(()) };
    let fits = |one: &&str| match *one {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
        "boolean" => value.is_boolean(),
        _ => value.is_null(),
    };
    if !types.iter().any(fits) {
        return bad(at, format!("is not {}", types.join(" or ")));
    }
    match value {
        Value::Object(fields) => {
            let empty = Map::new();
            let properties = shape.get("properties").and_then(Value::as_object).unwrap_or(&empty);
            if let Some(key) = properties.keys().find(|key| !fields.contains_key(*key)) {
                return bad(at, format!("{key} is missing"));
            }
            if fields.len() != properties.len() {
                return bad(at, "has a key too many");
            }
            for (key, one) in properties {
                within(at, key, |at| hold(one, &fields[key], at))?;
            }
        }
        Value::Array(values) => {
            if let Some(items) = shape.get("items") {
                for (index, one) in values.iter().enumerate() {
                    within(at, &index.to_string(), |at| hold(items, one, at))?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Schema {
        Schema::new(
            "answer",
            json!({"type": "object", "additionalProperties": false, "required": ["intent", "reply", "tags"], "properties": {
                "intent": {"type": "string", "enum": ["book", "ask"]},
                "reply": {"type": ["string", "null"]},
                "tags": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"const": "none"}]}}}}),
        )
        .unwrap()
    }

    #[test]
    fn an_answer_with_the_shape_is_taken_and_any_other_is_named() {
        let schema = answer();
        assert_eq!(schema.check(&json!({"intent": "ask", "reply": null, "tags": [1, "none", 2.0]})), Ok(()));
        for (value, why) in [
            (json!([]), ": is not object"),
            (json!({"intent": "ask", "reply": ""}), ": tags is missing"),
            (json!({"intent": "ask", "reply": "", "tags": [], "more": 1}), ": has a key too many"),
            (json!({"intent": "buy", "reply": "", "tags": []}), "/intent: is none of the values it may be"),
            (json!({"intent": "ask", "reply": 1, "tags": []}), "/reply: is not string or null"),
            (json!({"intent": "ask", "reply": "", "tags": [1, 1.5]}), "/tags/1: has none of the shapes it may have"),
        ] {
            assert_eq!(schema.check(&value).unwrap_err().to_string(), why);
        }
    }

    #[test]
    fn a_shape_that_some_vendor_would_not_keep_is_refused_when_it_is_made() {
        let object = |properties: Value| {
            let names: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
            json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false})
        };
        for (shape, why) in [
            (json!({"type": "string"}), ": the whole must be an object"),
            (json!({"type": "object", "properties": {}}), ": additionalProperties must be false"),
            (
                json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false}),
                ": a must be required; let it be null instead",
            ),
            (
                object(json!({"a": {"type": "number", "minimum": 1}})),
                "/properties/a: minimum is not kept by every vendor",
            ),
            (object(json!({"a": {"$ref": "#"}})), "/properties/a: $ref is not kept by every vendor"),
            (object(json!({"a": {"type": "array"}})), "/properties/a: items is missing"),
            (object(json!({"a": {"type": "date"}})), "/properties/a: no such type: date"),
            (object(json!({"a": {}})), "/properties/a: type is missing or odd"),
            (object(json!({"a": {"enum": []}})), "/properties/a: enum must list values"),
        ] {
            assert_eq!(Schema::new("x", shape).unwrap_err().to_string(), why);
        }
        let mut deep = json!({"type": "string"});
        for _ in 0..60 {
            deep = json!({"type": "array", "items": deep});
        }
        assert!(Schema::new("x", object(json!({"a": deep}))).unwrap_err().to_string().ends_with("too deep"));
        assert!(Schema::new("two words", object(json!({}))).is_err());
    }
}
