//! `fields=id,name,throughput{level}`: what of a thing is asked for.

use serde_json::{Map, Value};

use super::{VERSION, apps::Words, refusal::Refusal};

/// A list of fields, each with what is asked of its inside.
type Asked = Vec<(String, Option<String>)>;

fn parse(text: &str) -> Asked {
    let (mut asked, mut depth, mut word, mut inside) = (Asked::new(), 0usize, String::new(), None::<String>);
    for letter in text.chars() {
        match letter {
            ',' if depth == 0 => asked.push((std::mem::take(&mut word), inside.take())),
            '{' if depth == 0 => {
                depth = 1;
                inside = Some(String::new());
            }
            '}' if depth == 1 => depth = 0,
            letter if depth > 0 => {
                depth = match letter {
                    '{' => depth + 1,
                    '}' => depth - 1,
                    _ => depth,
                };
                inside.get_or_insert_default().push(letter);
            }
            letter if letter.is_whitespace() => {}
            letter => word.push(letter),
        }
    }
    asked.push((word, inside));
    // `throughput.fields(level)` and `.limit(5)`: the name is what counts
    asked
        .into_iter()
        .map(|(word, inside)| (word.split('.').next().unwrap_or_default().to_owned(), inside))
        .filter(|(word, _)| !word.is_empty())
        .collect()
}

/// What a call asks for.
pub fn asked(query: &Words) -> Option<&str> {
    query.get("fields").map(String::as_str)
}

/// The fields asked for, the usual ones when none are, and always the id. A field that there is none of is an error.
pub fn select(all: &Value, fields: Option<&str>, usual: &[&str], node: &str) -> Result<Value, Refusal> {
    let Some(asked) = fields.map(parse).filter(|asked| !asked.is_empty()) else {
        let kept = usual.iter().filter_map(|name| Some(((*name).to_owned(), all.get(*name)?.clone())));
        return Ok(with_id(kept.collect(), all));
    };
    let mut kept = Map::new();
    for (name, inside) in asked {
        let value = all.get(&name).ok_or_else(|| {
            Refusal::param(format!("Tried accessing nonexisting field ({name}) on node type ({node})"))
        })?;
        let value = match (inside, value) {
            (_, Value::Null) => continue,
            (Some(inside), Value::Object(_)) => select(value, Some(&inside), &[], node)?,
            (Some(inside), Value::Array(items)) => {
                items.iter().map(|item| select(item, Some(&inside), &[], node)).collect::<Result<_, _>>()?
            }
            _ => value.clone(),
        };
        kept.insert(name, value);
    }
    Ok(with_id(kept, all))
}

fn with_id(mut kept: Map<String, Value>, all: &Value) -> Value {
    kept.retain(|_, value| !value.is_null());
    if let Some(id) = all.get("id") {
        kept.insert("id".into(), id.clone());
    }
    Value::Object(kept)
}

/// One page of a list, by the `limit` and `after` that are asked for. Cursors are the place in the list, in the letters that Meta's have. `next` is what
/// comes after a cursor, below Meta's own host, whatever host was asked.
pub fn page(items: Vec<Value>, query: &Words, next: impl Fn(&str) -> String) -> Result<Value, Refusal> {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as LETTERS};
    let cursor = |at: usize| format!("{}ZD", LETTERS.encode(at.to_string()));
    let wrong = || Refusal::because(131059, "The cursor is not valid (any more): begin anew");
    let start = match query.get("after").filter(|after| !after.is_empty()) {
        None => 0,
        Some(after) => {
            let bytes = after.strip_suffix("ZD").and_then(|text| LETTERS.decode(text).ok()).ok_or_else(wrong)?;
            std::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok()).ok_or_else(wrong)?
        }
    };
    let limit = match query.get("limit").filter(|limit| !limit.is_empty()).map(|limit| limit.parse::<usize>()) {
        None => 25,
        Some(Ok(limit)) => limit.clamp(1, 1_000),
        Some(Err(_)) => return Err(Refusal::param("Param limit must be an integer")),
    };
    let total = items.len();
    let data: Vec<Value> = items.into_iter().skip(start).take(limit).collect();
    let end = start + data.len();
    let mut page = serde_json::json!({"data": data});
    if !data.is_empty() {
        page["paging"] = serde_json::json!({"cursors": {"before": cursor(start), "after": cursor(end)}});
        if end < total {
            page["paging"]["next"] = format!("https://graph.facebook.com/{VERSION}/{}", next(&cursor(end))).into();
        }
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{page, select};

    #[test]
    fn fields_are_picked_and_what_there_is_none_of_is_an_error() {
        let all = json!({"id": "1", "name": "x", "throughput": {"level": "HIGH", "other": 1}, "none": null});
        let pick = |fields: &str| select(&all, Some(fields), &[], "Thing");
        assert_eq!(
            pick("name,throughput{level},none").unwrap(),
            json!({"id": "1", "name": "x", "throughput": {"level": "HIGH"}})
        );
        assert_eq!(select(&all, None, &["name"], "Thing").unwrap(), json!({"id": "1", "name": "x"}));
        assert!(pick("nope").unwrap_err().message.contains("nonexisting field (nope) on node type (Thing)"));
    }

    #[test]
    fn a_list_goes_page_by_page() {
        let page = |asked: &[(&str, &str)]| {
            let asked = asked.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            page((0..5).map(|n| json!(n)).collect(), &asked, |after| format!("1/things?after={after}"))
        };
        let first = page(&[("limit", "3")]).unwrap();
        assert_eq!(first["data"], json!([0, 1, 2]));
        let after = first["paging"]["cursors"]["after"].as_str().unwrap();
        assert!(first["paging"]["next"].as_str().unwrap().ends_with(after));
        let last = page(&[("limit", "3"), ("after", after)]).unwrap();
        assert_eq!((&last["data"], &last["paging"]["next"]), (&json!([3, 4]), &json!(null)));
        assert_eq!(page(&[("after", "forged")]).unwrap_err().code, 131059);
        assert_eq!(page(&[("limit", "x")]).unwrap_err().message, "(#100) Param limit must be an integer");
    }
}
