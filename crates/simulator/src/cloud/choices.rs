//! Interactive messages as a phone shows them: words, and what can be tapped below.

use serde_json::Value;

use crate::world::{Choice, ChoiceKind};

fn choice(kind: ChoiceKind, item: &Value) -> Choice {
    let word = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let description = item["description"].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Choice { kind, id: word("id"), title: word("title"), description }
}

/// Its buttons.
pub fn buttons(content: &Value) -> Vec<Choice> {
    let buttons = content["action"]["buttons"].as_array().into_iter().flatten();
    buttons.map(|button| choice(ChoiceKind::Button, &button["reply"])).collect()
}

/// The rows of its list.
pub fn rows(content: &Value) -> Vec<Choice> {
    let sections = content["action"]["sections"].as_array().into_iter().flatten();
    let rows = sections.flat_map(|section| section["rows"].as_array().into_iter().flatten());
    rows.map(|row| choice(ChoiceKind::Row, row)).collect()
}

/// All that can be tapped.
pub fn of(content: &Value) -> Vec<Choice> {
    let mut all = buttons(content);
    all.extend(rows(content));
    all
}

/// Its words: header, body, footer, and a link if it opens one.
pub fn words(content: &Value) -> String {
    let link = &content["action"]["parameters"];
    let link = link["url"].as_str().map(|url| format!("{}: {url}", link["display_text"].as_str().unwrap_or_default()));
    let parts = [
        content["header"]["text"].as_str().map(str::to_owned),
        content["body"]["text"].as_str().map(str::to_owned),
        content["footer"]["text"].as_str().map(str::to_owned),
        link,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}
