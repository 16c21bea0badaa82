//! Many callers, one transaction: what has arrived by the moment the transaction begins goes together.
use crate::{Error, Result};
use futures_util::{FutureExt, StreamExt, stream};
use metrics::{Counter, Histogram, counter, histogram};
use std::{
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock},
};
use tokio::sync::oneshot;

type Flush<I, O> = Box<dyn Fn(Arc<Batch<I, O>>) -> Pin<Box<dyn Future<Output = Result<Vec<O>>> + Send>> + Send + Sync>;
type Answer<O> = oneshot::Sender<Result<O>>;

/// Puts concurrent callers together. On PostgreSQL this is what makes a hot path fast; on SQLite, whose commits are shared anyway, it
/// saves a wait and a waking for each of them.
pub struct Gather<I, O> {
    waiting: Arc<Mutex<Waiting<I, O>>>,
    flush: Flush<I, O>,
    items: Histogram,
    alone: Counter,
}

struct Waiting<I, O> {
    callers: Vec<(I, Answer<O>)>,
    /// How many lanes are at work.
    busy: usize,
    /// One of them waits for its database thread, and will take along whoever waits then.
    called: bool,
}

/// How many transactions run at a time; on SQLite the others wait with the writer, so that it need not wait for them.
const LANES: usize = 4;
/// How many items go together at most.
const BATCH: usize = 512;
/// How many may wait before callers are told `Busy`.
const WAITING: usize = 16_384;

/// The items of one transaction. Who waits when it is first asked for them goes along: by then the transaction has begun.
pub struct Batch<I, O> {
    waiting: Arc<Mutex<Waiting<I, O>>>,
    drawn: OnceLock<Drawn<I, O>>,
}

struct Drawn<I, O> {
    items: Vec<I>,
    callers: Mutex<Vec<Answer<O>>>,
}

impl<I, O> Batch<I, O> {
    /// At most 512, the same each time.
    pub fn items(&self) -> &[I] {
        &self.drawn().items
    }

    fn drawn(&self) -> &Drawn<I, O> {
        self.drawn.get_or_init(|| {
            let mut waiting = self.waiting.lock().expect("no panic under this lock");
            waiting.called = false;
            waiting.callers.retain(|(_, to)| !to.is_closed()); // who left is not run
            let count = waiting.callers.len().min(BATCH);
            let (items, callers) = waiting.callers.drain(..count).unzip();
            Drawn { items, callers: Mutex::new(callers) }
        })
    }

    /// Those who wait for an answer, once.
    fn callers(&self) -> Vec<Answer<O>> {
        std::mem::take(&mut self.drawn().callers.lock().expect("no panic under this lock"))
    }
}

impl<I: Clone + Send + Sync + 'static, O: Send + 'static> Gather<I, O> {
    /// `flush` asks its batch for the items inside its transaction, and gives one answer for each, in order.
    pub fn new<F: Future<Output = Result<Vec<O>>> + Send + 'static>(
        flush: impl Fn(Arc<Batch<I, O>>) -> F + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Gather {
            waiting: Arc::new(Mutex::new(Waiting { callers: Vec::new(), busy: 0, called: false })),
            flush: Box::new(move |batch| Box::pin(flush(batch))),
            items: histogram!("indaba_gather_items"),
            alone: counter!("indaba_gather_alone_total"),
        })
    }

    /// The answer for one item. When its batch fails, the items are tried one by one, so that only the one at fault is told.
    /// Errors: what `flush` gives; `Busy` if too many wait.
    pub async fn one(self: &Arc<Self>, item: I) -> Result<O> {
        let (to, answer) = oneshot::channel();
        let start = {
            let mut waiting = self.waiting.lock().expect("no panic under this lock");
            if waiting.callers.len() >= WAITING {
                return Err(Error::Busy);
            }
            waiting.callers.push((item, to));
            let start = !waiting.called && waiting.busy < LANES;
            waiting.called |= start;
            waiting.busy += usize::from(start);
            start
        };
        if start {
            tokio::spawn(self.clone().lane());
        }
        answer.await.unwrap_or(Err(Error::Closed))
    }

    /// One batch after the other, until nobody waits.
    async fn lane(self: Arc<Self>) {
        loop {
            let batch = Arc::new(Batch { waiting: self.waiting.clone(), drawn: OnceLock::new() });
            let answers = self.flush(batch.clone()).await;
            let (items, callers) = (batch.items(), batch.callers()); // also when nobody asked: they are told why
            self.items.record(u32::try_from(items.len()).unwrap_or(u32::MAX));
            match answers {
                Ok(answers) if answers.len() == callers.len() => {
                    for (to, answer) in callers.into_iter().zip(answers) {
                        let _ = to.send(Ok(answer));
                    }
                }
                Ok(_) => tell(callers, &Error::Internal("a batch was not answered item by item".into())),
                // the database is in trouble, or the effect is not known: more of the same would not help
                Err(e @ (Error::Busy | Error::Closed | Error::Unavailable(_))) => tell(callers, &e),
                Err(e) if items.len() == 1 => tell(callers, &e),
                Err(_) => {
                    self.alone.increment(1);
                    let one_by_one = stream::iter(items.iter().cloned().zip(callers));
                    one_by_one.for_each_concurrent(8, |(item, to)| self.alone(item, to)).await;
                }
            }
            let mut waiting = self.waiting.lock().expect("no panic under this lock");
            if waiting.called || waiting.callers.is_empty() {
                waiting.busy -= 1;
                return;
            }
            waiting.called = true;
        }
    }

    async fn alone(&self, item: I, to: Answer<O>) {
        let drawn = OnceLock::from(Drawn { items: vec![item], callers: Mutex::default() });
        let batch = Arc::new(Batch { waiting: self.waiting.clone(), drawn });
        let answer = self.flush(batch).await.and_then(|mut answers| answers.pop().ok_or(Error::Missing));
        let _ = to.send(answer);
    }

    /// A panic of its own must not leave the lane busy for ever.
    async fn flush(&self, batch: Arc<Batch<I, O>>) -> Result<Vec<O>> {
        let run = AssertUnwindSafe(async { (self.flush)(batch).await });
        run.catch_unwind().await.unwrap_or(Err(Error::Panicked))
    }
}

fn tell<O>(callers: Vec<Answer<O>>, error: &Error) {
    for to in callers {
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
        let gather = Gather::new(move |batch: Arc<Batch<i32, i32>>| {
            let seen = seen.clone();
            async move {
                tokio::task::yield_now().await; // the others arrive meanwhile
                let items = batch.items();
                seen.lock().unwrap().push(items.len());
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
        let gather = Gather::new(|batch: Arc<Batch<usize, usize>>| async move {
            tokio::task::yield_now().await;
            Ok(batch.items().to_vec())
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
