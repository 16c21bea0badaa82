//! What the vendors demand of a schema in strict mode.

use serde_json::Value;

/// Says what is wrong with it: every object must forbid other keys, and list all of its own as required.
pub fn fault(schema: &Value) -> Option<String> {
    walk(schema, 0)
}

fn walk(schema: &Value, depth: usize) -> Option<String> {
    if depth > 32 {
        return Some("the schema is nested too deeply".into());
    }
    let Some(fields) = schema.as_object() else { return Some("a schema must be an object".into()) };
    let is = |kind: &str| {
        fields
            .get("type")
            .is_some_and(|one| one == kind || one.as_array().is_some_and(|many| many.contains(&kind.into())))
    };
    if is("object") {
        if fields.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Some("'additionalProperties' is required to be supplied and to be false".into());
        }
        let required: Vec<&str> =
            fields.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, one) in fields.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if !required.contains(&name.as_str()) {
                return Some(format!(
                    "'required' is required to be supplied and to be an array including every key in properties. Missing '{name}'"
                ));
            }
            if let Some(fault) = walk(one, depth + 1) {
                return Some(fault);
            }
        }
    }
    if is("array") {
        return fields
            .get("items")
            .map_or_else(|| Some("array schema missing items".into()), |items| walk(items, depth + 1));
    }
    fields.get("anyOf").and_then(Value::as_array).into_iter().flatten().find_map(|one| walk(one, depth + 1))
}
