//! Pages by key: a list is read from where the last page ended, on an index that matches its order. Nothing is counted.
use super::extract::read_query;
use crate::{Error, Result};
use axum::{extract::FromRequestParts, http::request::Parts};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// `?limit=&after=`: how long the page is and where it begins. In a handler's `params(After)`.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct After {
    /// How many items, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50, required = false)]
    pub limit: i64,
    /// The `next` of the page before.
    after: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What to give as `after` for the next page; null on the last.
    #[schema(required)]
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    limit: Option<i64>,
    after: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for After {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<After> {
        After::read(parts.uri.query().unwrap_or_default())
    }
}

impl After {
    /// From a query string. Errors: 422 for a limit that is not 1 to 100.
    pub fn read(query: &str) -> Result<After> {
        let wrong = || Error::field("limit", "a whole number from 1 to 100");
        let asked: Asked = read_query(query).map_err(|_| wrong())?;
        let limit = asked.limit.unwrap_or(50);
        if !(1..=100).contains(&limit) {
            return Err(wrong());
        }
        Ok(After { limit, after: asked.after.filter(|after| !after.is_empty()) })
    }

    /// The first page of `limit` items.
    pub fn first(limit: i64) -> After {
        After { limit, after: None }
    }

    /// The key of the last item of the page before: what [`Page::of`] was given for it. None on the first page.
    /// Errors: 400 for a cursor that we did not make for such a key.
    pub fn key<K: DeserializeOwned>(&self) -> Result<Option<K>> {
        let Some(text) = &self.after else { return Ok(None) };
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() <= 4096)?;
            let (sum, json) = bytes.split_first_chunk::<6>()?;
            (checksum(json) == *sum).then(|| serde_json::from_slice(json).ok()).flatten()
        };
        read()
            .map(Some)
            .ok_or_else(|| Error::Malformed("`after` is not a cursor of this list: begin again without it.".into()))
    }

    /// How many rows to ask for: one more than the page holds, to know whether there is another.
    pub fn rows(&self) -> i64 {
        self.limit + 1
    }
}

impl<T> Page<T> {
    /// Makes the page from up to [`After::rows`] rows; `key` is what the next page begins after.
    pub fn of<K: Serialize>(mut items: Vec<T>, after: &After, key: impl Fn(&T) -> K) -> Page<T> {
        let limit = usize::try_from(after.limit).unwrap_or(0);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| cursor(&key(last)));
        Page { items, next }
    }

    /// A list that is always whole.
    pub fn whole(items: Vec<T>) -> Page<T> {
        Page { items, next: None }
    }

    /// The same page, which goes on after `key` although it is not full: the list was not looked through to its end.
    pub fn going_on(mut self, key: Option<impl Serialize>) -> Page<T> {
        self.next = self.next.or(key.map(|key| cursor(&key)));
        self
    }

    /// The same page of something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}

fn cursor(key: &impl Serialize) -> String {
    let json = serde_json::to_vec(key).expect("keys are ids, times and texts");
    URL_SAFE_NO_PAD.encode([&checksum(&json)[..], &json].concat())
}

/// Not a secret: a cursor holds only what its list shows. It tells ours from a typing error or a guess.
fn checksum(json: &[u8]) -> [u8; 6] {
    let sum = Sha256::new().chain_update(b"indaba cursor 1").chain_update(json).finalize();
    sum[..6].try_into().expect("32 bytes have 6")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Time, id::TenantId};

    #[test]
    fn a_cursor_leads_to_the_item_it_was_made_from() {
        let after = After::read("limit=2").unwrap();
        assert_eq!((after.rows(), after.key::<TenantId>()), (3, Ok(None)));
        let ids = [TenantId([1; 16]), TenantId([2; 16]), TenantId([3; 16])];
        let page = Page::of(ids.to_vec(), &after, |id| (Time(5), *id));
        assert_eq!(page.items, ids[..2]);
        let next = After::read(&format!("after={}", page.next.unwrap())).unwrap();
        assert_eq!(next.key(), Ok(Some((Time(5), ids[1]))));
        assert_eq!(Page::of(ids.to_vec(), &After::first(3), |id| *id).next, None, "there is no page after the last");
    }

    #[test]
    fn a_forged_cursor_and_a_wild_limit_are_refused() {
        let good = Page::of(vec![1, 2], &After::first(1), |n| *n).next.unwrap();
        let other = URL_SAFE_NO_PAD.encode(b"[1,2]");
        for bad in ["x", "AAAA", "!!", &good[1..], &format!("{good}A"), &other, &"A".repeat(10_000)] {
            let after = After { limit: 1, after: Some(bad.into()) };
            assert!(matches!(after.key::<i64>(), Err(Error::Malformed(_))), "{:.20}", bad);
        }
        assert!(After { limit: 1, after: Some(good) }.key::<TenantId>().is_err(), "a key of another list");
        for bad in ["0", "-1", "101", "1000000000", "1e9", "x", "", "99999999999999999999"] {
            assert!(matches!(After::read(&format!("limit={bad}")), Err(Error::Invalid(_))), "{bad}");
        }
    }
}
