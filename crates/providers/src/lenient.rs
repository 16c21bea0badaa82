//! Reading JSON that other programs wrote: fields come as strings or numbers, are null, absent or of another shape, and one odd
//! field must never cost a message. Use as `#[serde(default, deserialize_with = "lenient::text")]`.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

/// Longer lists are cut.
const MOST: usize = 10_000;

/// The same JSON without `\u0000`, lone surrogate escapes and bytes that are not UTF-8. Untouched (and not copied) when there are none.
pub(crate) fn clean(body: &[u8]) -> Cow<'_, [u8]> {
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(_) => without_bad_escapes(body).map_or(Cow::Borrowed(body), Cow::Owned),
        Cow::Owned(text) => Cow::Owned(without_bad_escapes(text.as_bytes()).unwrap_or_else(|| text.into_bytes())),
    }
}

fn without_bad_escapes(body: &[u8]) -> Option<Vec<u8>> {
    let mut kept: Option<Vec<u8>> = None;
    let (mut at, mut from) = (0, 0);
    while let Some(step) = body[at..].iter().position(|&byte| byte == b'\\') {
        at += step;
        let Some(unit) = escaped(body, at) else {
            at = (at + 2).min(body.len()); // `\\`, `\"`, `\n`…
            continue;
        };
        let good = match unit {
            0 => false,
            0xd800..=0xdbff => matches!(escaped(body, at + 6), Some(0xdc00..=0xdfff)),
            0xdc00..=0xdfff => false,
            _ => true,
        };
        if good {
            at += if (0xd800..=0xdbff).contains(&unit) { 12 } else { 6 };
        } else {
            kept.get_or_insert_default().extend_from_slice(&body[from..at]);
            at += 6;
            from = at;
        }
    }
    if let Some(kept) = &mut kept {
        kept.extend_from_slice(&body[from..]);
    }
    kept
}

/// The UTF-16 unit that `\uXXXX` at `at` stands for.
fn escaped(body: &[u8], at: usize) -> Option<u16> {
    let escape = body.get(at..at + 6)?;
    if &escape[..2] != b"\\u" || !escape[2..].iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(&escape[2..]).ok()?, 16).ok()
}

enum Scalar {
    Text(String),
    Number(f64),
    Whole(i128),
    Flag(bool),
    Nothing,
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(text))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Scalar, E> {
        Ok(Scalar::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_none<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Scalar, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nothing)
    }

    /// `{"low":…,"high":…,"unsigned":…}` is how JavaScript writes 64 bits.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        let (mut low, mut high) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "low" => low = map.next_value::<Number>()?.0,
                "high" => high = map.next_value::<Number>()?.0,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(match (low, high) {
            (Some(low), Some(high)) => Scalar::Whole(((high as i64 as i128) << 32) + i128::from(low as i64 as u32)),
            _ => Scalar::Nothing,
        })
    }
}

struct Number(Option<f64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        number(from).map(Number)
    }
}

/// Text; a number becomes its digits. Anything else, and empty text, is nothing.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match from.deserialize_any(Anything)? {
        Scalar::Text(text) => Some(text).filter(|text| !text.is_empty()),
        Scalar::Whole(number) => Some(number.to_string()),
        Scalar::Number(number) => Some(number.to_string()),
        Scalar::Flag(_) | Scalar::Nothing => None,
    })
}

/// A number, also as text or as two halves.
pub(crate) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(match from.deserialize_any(Anything)? {
        Scalar::Text(text) => text.trim().parse().ok(),
        Scalar::Whole(number) => Some(number as f64),
        Scalar::Number(number) => Some(number),
        Scalar::Flag(_) | Scalar::Nothing => None,
    }
    .filter(|number: &f64| number.is_finite()))
}

/// Yes or no; absent is no.
pub(crate) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(match from.deserialize_any(Anything)? {
        Scalar::Flag(flag) => flag,
        Scalar::Text(text) => matches!(text.as_str(), "true" | "1"),
        Scalar::Whole(number) => number != 0,
        Scalar::Number(number) => number != 0.0,
        Scalar::Nothing => false,
    })
}

/// An object; anything else is nothing.
pub(crate) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    from.deserialize_any(Object(PhantomData))
}

struct Object<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Object<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<T>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
}

/// A list, of whose items those that fit are kept. Anything else is an empty one.
pub(crate) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    from.deserialize_any(List(PhantomData))
}

struct List<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut kept = Vec::new();
        // through a tree: an item of another shape must not break off the list
        while let Some(item) = list.next_element::<serde_json::Value>()? {
            if kept.len() < MOST
                && let Ok(item) = serde_json::from_value(item)
            {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<T>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Vec::new())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_unit<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }
}

/// Milliseconds UTC from seconds or milliseconds, which the wires mix: above 10^11 it is milliseconds. What lies before WhatsApp existed
/// (0, small counters) or after the year 9999 is no time.
pub(crate) fn time(number: f64) -> Option<i64> {
    let ms = if number.abs() > 1e11 { number } else { number * 1000.0 };
    (1_230_768_000_000.0..253_402_300_800_000.0).contains(&ms).then_some(ms as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Inner {
        #[serde(default, deserialize_with = "text")]
        name: Option<String>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Odd {
        #[serde(default, deserialize_with = "text")]
        id: Option<String>,
        #[serde(default, deserialize_with = "number")]
        size: Option<f64>,
        #[serde(default, deserialize_with = "flag")]
        mine: bool,
        #[serde(default, deserialize_with = "object")]
        inner: Option<Inner>,
        #[serde(default, deserialize_with = "list")]
        many: Vec<Inner>,
    }

    fn read(json: &str) -> Odd {
        serde_json::from_slice(&clean(json.as_bytes())).unwrap()
    }

    #[test]
    fn fields_of_another_shape_are_nothing() {
        for json in [
            r#"{}"#,
            r#"{"id":null,"size":null,"mine":null,"inner":null,"many":null}"#,
            r#"{"id":{"a":[1]},"size":"many","mine":{},"inner":[1,{"a":2}],"many":{"a":1}}"#,
            r#"{"id":["x"],"size":[],"mine":[],"inner":"x","many":"x"}"#,
            r#"{"id":true,"size":true,"inner":7,"many":7}"#,
        ] {
            assert_eq!(read(json), Odd::default(), "{json}");
        }
    }

    #[test]
    fn numbers_and_text_stand_for_each_other() {
        let odd = read(
            r#"{"id":7,"size":" 12.5 ","mine":1,"inner":{"name":9007199254740993},"many":[{"name":"a"},7,null,{"name":{}}]}"#,
        );
        assert_eq!(odd.id.as_deref(), Some("7"));
        assert_eq!(odd.size, Some(12.5));
        assert!(odd.mine);
        assert_eq!(odd.inner.unwrap().name.as_deref(), Some("9007199254740993"));
        assert_eq!(odd.many.len(), 2);
        assert_eq!(read(r#"{"size":{"low":-1631558533,"high":410,"unsigned":false}}"#).size, Some(1_763_600_000_123.0));
    }

    #[test]
    fn what_no_database_takes_is_dropped() {
        let id = |escaped: &str| read(&format!(r#"{{"id":"{escaped}"}}"#)).id;
        assert_eq!(id(r"a\u0000b").as_deref(), Some("ab"));
        assert_eq!(id(r"a\ud83db").as_deref(), Some("ab"));
        assert_eq!(id(r"a\udc4bb").as_deref(), Some("ab"));
        assert_eq!(id(r"\ud83d\ud83d\udc4b").as_deref(), Some("👋"));
        assert_eq!(id(r"\\u0000").as_deref(), Some(r"\u0000"));
        assert_eq!(id(r"\ud83d\\udc4b").as_deref(), Some(r"\udc4b"));
        assert_eq!(id(r"caf\u00e9").as_deref(), Some("café"));
        assert!(matches!(clean(br#"{"a":"\u00e9\ud83d\udc4b"}"#), Cow::Borrowed(_)));
        let broken: Odd = serde_json::from_slice(&clean(b"{\"id\":\"a\xffb\"}")).unwrap();
        assert_eq!(broken.id.as_deref(), Some("a\u{fffd}b"));
    }

    #[test]
    fn seconds_and_milliseconds_are_told_apart() {
        assert_eq!(time(1_795_150_000.0), Some(1_795_150_000_000));
        assert_eq!(time(1_795_150_000_123.0), Some(1_795_150_000_123));
        assert_eq!(time(1_795_150_000.5), Some(1_795_150_000_500));
        for no in [0.0, 1.0, -1.0, 86_400.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(time(no), None, "{no}");
        }
    }
}
