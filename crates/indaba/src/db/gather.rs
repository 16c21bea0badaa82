//! Many callers, one transaction: what arrives while a write is under way goes together in the next one.
use crate::{Error, Result};
use futures_util::{FutureExt, StreamExt, stream};
use metrics::{Counter, Histogram, counter, histogram};
use std::{
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex},
};
use tokio::sync::oneshot;

type Flush<I, O> = Box<dyn Fn(Vec<I>) -> Pin<Box<dyn Future<Output = Result<Vec<O>>> + Send>> + Send + Sync>;
type Caller<I, O> = (I, oneshot::Sender<Result<O>>);

/// Puts concurrent callers together. On PostgreSQL this is what makes a hot path fast; on SQLite, whose commits are shared
/// anyway, it costs nothing.
pub struct Gather<I, O> {
    state: Mutex<State<I, O>>,
    lanes: usize,
    flush: Flush<I, O>,
    items: Histogram,
    alone: Counter,
}

struct State<I, O> {
    waiting: Vec<Caller<I, O>>,
    /// How many lanes are at work.
    busy: usize,
}

/// How many items go together at most.
const BATCH: usize = 512;
/// How many may wait before callers are told `Busy`.
const WAITING: usize = 16_384;

impl<I: Clone + Send + 'static, O: Send + 'static> Gather<I, O> {
    /// `flush` gets up to 512 items and gives one answer for each, in order; `lanes` of them run at a time.
    pub fn new<F: Future<Output = Result<Vec<O>>> + Send + 'static>(
        lanes: usize,
        flush: impl Fn(Vec<I>) -> F + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Gather {
            state: Mutex::new(State { waiting: Vec::new(), busy: 0 }),
            lanes,
            flush: Box::new(move |items| Box::pin(flush(items))),
            items: histogram!("indaba_gather_items"),
            alone: counter!("indaba_gather_alone_total"),
        })
    }

    /// The answer for one item. When its batch fails, the items are tried one by one, so that only the one at fault is told.
    /// Errors: what `flush` gives; `Busy` if too many wait.
    pub async fn one(self: &Arc<Self>, item: I) -> Result<O> {
        let (to, answer) = oneshot::channel();
        let start = {
            let mut state = self.state.lock().expect("no panic under this lock");
            if state.waiting.len() >= WAITING {
                return Err(Error::Busy);
            }
            state.waiting.push((item, to));
            let start = state.busy < self.lanes;
            state.busy += usize::from(start);
            start
        };
        if start {
            tokio::spawn(self.clone().drain());
        }
        answer.await.unwrap_or(Err(Error::Closed))
    }

    async fn drain(self: Arc<Self>) {
        loop {
            let batch: Vec<_> = {
                let mut state = self.state.lock().expect("no panic under this lock");
                state.waiting.retain(|(_, to)| !to.is_closed()); // who left is not run
                if state.waiting.is_empty() {
                    state.busy -= 1;
                    return;
                }
                let count = state.waiting.len().min(BATCH);
                state.waiting.drain(..count).collect()
            };
            self.items.record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
            let items = batch.iter().map(|(item, _)| item.clone()).collect();
            match self.flush(items).await {
                Ok(answers) if answers.len() == batch.len() => {
                    for ((_, to), answer) in batch.into_iter().zip(answers) {
                        let _ = to.send(Ok(answer));
                    }
                }
                Ok(_) => tell(batch, &Error::Internal("a batch was not answered item by item".into())),
                // the database is in trouble, or the effect is not known: more of the same would not help
                Err(e @ (Error::Busy | Error::Closed | Error::Unavailable(_))) => tell(batch, &e),
                Err(e) if batch.len() == 1 => tell(batch, &e),
                Err(_) => {
                    self.alone.increment(1);
                    stream::iter(batch).for_each_concurrent(8, |caller| self.alone(caller)).await;
                }
            }
        }
    }

    async fn alone(&self, (item, to): Caller<I, O>) {
        let answer = self.flush(vec![item]).await.and_then(|mut answers| answers.pop().ok_or(Error::Missing));
        let _ = to.send(answer);
    }

    /// A panic of its own must not leave the lane busy for ever.
    async fn flush(&self, items: Vec<I>) -> Result<Vec<O>> {
        let run = AssertUnwindSafe(async { (self.flush)(items).await });
        run.catch_unwind().await.unwrap_or(Err(Error::Panicked))
    }
}

fn tell<I, O>(batch: Vec<Caller<I, O>>, error: &Error) {
    for (_, to) in batch {
        let _ = to.send(Err(error.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn items_go_together_and_a_poison_item_is_told_alone() {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let seen = sizes.clone();
        let gather = Gather::new(1, move |items: Vec<i32>| {
            let seen = seen.clone();
            async move {
                seen.lock().unwrap().push(items.len());
                tokio::task::yield_now().await; // the others arrive meanwhile
                assert!(!items.contains(&13), "on purpose");
                match items.contains(&7) {
                    true => Err(Error::Missing),
                    false => Ok(items.iter().map(|item| item * 2).collect()),
                }
            }
        });
        let calls: Vec<_> = (0..1000)
            .map(|item| {
                let gather = gather.clone();
                tokio::spawn(async move { gather.one(item).await })
            })
            .collect();
        for (item, call) in (0..).zip(calls) {
            let want = match item {
                7 => Err(Error::Missing),
                13 => Err(Error::Panicked),
                item => Ok(item * 2),
            };
            assert_eq!(call.await.unwrap(), want);
        }
        let sizes = sizes.lock().unwrap();
        assert!(sizes.iter().any(|&size| size > 100) && sizes.iter().all(|&size| size <= BATCH), "{sizes:?}");
    }

    #[tokio::test]
    async fn too_many_are_refused_and_who_left_is_not_run() {
        let gather = Gather::new(1, |items: Vec<usize>| async move {
            tokio::task::yield_now().await;
            Ok(items)
        });
        let mut calls = stream::FuturesUnordered::new();
        for item in 0..WAITING + 100 {
            calls.push(gather.one(item));
        }
        let (mut done, mut refused) = (0, 0);
        while let Some(answer) = calls.next().await {
            match answer {
                Ok(_) => done += 1,
                Err(Error::Busy) => refused += 1,
                Err(e) => panic!("{e}"),
            }
        }
        assert_eq!((done + refused, refused > 0), (WAITING + 100, true));
    }
}
