//! Which request the work at hand belongs to. It follows from a handler into its transactions, its jobs and every log line.
use crate::clock::Clock;
use std::{future::Future, sync::Arc};

tokio::task_local! {
    static REQUEST: Arc<str>;
}

/// Runs `work` on behalf of the request `id`: the HTTP layer for each request, the job runner for each job that has one.
pub async fn within<F: Future>(id: Arc<str>, work: F) -> F::Output {
    REQUEST.scope(id, work).await
}

/// The request that the current task works for.
pub fn current() -> Option<Arc<str>> {
    REQUEST.try_with(Arc::clone).ok()
}

/// A new id.
pub fn mint() -> Arc<str> {
    let mut text = [0; 32];
    hex::encode_to_slice(crate::id::mint(Clock::System.now()), &mut text).expect("two digits a byte");
    str::from_utf8(&text).expect("digits").into()
}

/// An id from outside, if it looks like one: up to 128 of `A-Z a-z 0-9 . _ - :`.
pub fn read(text: &str) -> Option<Arc<str>> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
    ((1..=128).contains(&text.len()) && text.bytes().all(fits)).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_an_id_is_taken_from_outside() {
        assert_eq!(read("a-1.b_2:c").as_deref(), Some("a-1.b_2:c"));
        for bad in ["", "a b", "a\nb", "ä", &"x".repeat(129)] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
