//! Many callers, one statement: what arrives while a write is under way goes together in the next one.
use crate::{Error, Result};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};
use tokio::sync::oneshot;

type Flush<I, O> = Box<dyn Fn(Vec<I>) -> Pin<Box<dyn Future<Output = Result<Vec<O>>> + Send>> + Send + Sync>;
pub struct Gather<I, O> {
    state: Mutex<(Vec<(I, oneshot::Sender<Result<O>>)>, usize)>,
    lanes: usize,
    flush: Flush<I, O>,
}

impl<I: Send + 'static, O: Send + 'static> Gather<I, O> {
    /// `flush` gets up to 512 items and gives one answer for each, in order; `lanes` of them run at a time.
    pub fn new<F: Future<Output = Result<Vec<O>>> + Send + 'static>(
        lanes: usize,
        flush: impl Fn(Vec<I>) -> F + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Gather {
            state: Mutex::new((Vec::new(), 0)),
            lanes,
            flush: Box::new(move |items| Box::pin(flush(items))),
        })
    }
    pub async fn one(self: &Arc<Self>, item: I) -> Result<O> {
        let (to, answer) = oneshot::channel();
        let start = {
            let mut s = self.state.lock().expect("no panic under this lock");
            s.0.push((item, to));
            let start = s.1 < self.lanes;
            s.1 += start as usize;
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
                let mut s = self.state.lock().expect("no panic under this lock");
                if s.0.is_empty() {
                    s.1 -= 1;
                    return;
                }
                let n = s.0.len().min(512);
                s.0.drain(..n).collect()
            };
            let (items, callers): (Vec<I>, Vec<_>) = batch.into_iter().unzip();
            match (self.flush)(items).await {
                Ok(answers) => {
                    for (to, a) in callers.into_iter().zip(answers) {
                        let _ = to.send(Ok(a));
                    }
                }
                Err(e) => {
                    for to in callers {
                        let _ = to.send(Err(e.clone()));
                    }
                }
            }
        }
    }
}
