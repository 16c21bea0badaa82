//! Work waiting for a database thread. Pushing never blocks; popping sleeps.
//!
//! Whoever fell asleep last is woken first: its connection is there, and has in its cache what is asked for all the time. The others are
//! only needed when much is asked at once, and until then cost little.
use std::{
    collections::VecDeque,
    sync::Mutex,
    thread::{self, Thread},
};

pub struct Queue<T> {
    inner: Mutex<Inner<T>>,
    limit: usize,
}

struct Inner<T> {
    waiting: VecDeque<T>,
    sleeping: Vec<Thread>,
    closed: bool,
}

impl<T> Queue<T> {
    pub fn new(limit: usize) -> Self {
        Queue { inner: Mutex::new(Inner { waiting: VecDeque::new(), sleeping: Vec::new(), closed: false }), limit }
    }

    /// Gives the work back when the queue is full or closed.
    pub fn push(&self, work: T) -> Result<(), T> {
        let mut q = self.inner.lock().expect("no panic under this lock");
        if q.closed || q.waiting.len() >= self.limit {
            return Err(work);
        }
        q.waiting.push_back(work);
        let woken = q.sleeping.pop();
        drop(q);
        if let Some(thread) = woken {
            thread.unpark();
        } // else nobody to wake: no system call
        Ok(())
    }

    /// The oldest, and how many wait behind it. Nothing: closed and empty.
    pub fn pop(&self) -> Option<(T, usize)> {
        loop {
            let mut q = self.inner.lock().expect("no panic under this lock");
            if let Some(work) = q.waiting.pop_front() {
                return Some((work, q.waiting.len()));
            }
            if q.closed {
                return None;
            }
            if q.waiting.capacity() > 1024 {
                q.waiting.shrink_to(64); // a rush is over
            }
            let me = thread::current();
            q.sleeping.retain(|thread| thread.id() != me.id()); // woken by nobody
            q.sleeping.push(me);
            drop(q);
            thread::park();
        }
    }

    pub fn try_pop(&self) -> Option<T> {
        self.inner.lock().expect("no panic under this lock").waiting.pop_front()
    }

    pub fn close(&self) {
        let mut q = self.inner.lock().expect("no panic under this lock");
        q.closed = true;
        q.sleeping.drain(..).for_each(|thread| thread.unpark());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Arc, time::Duration};

    #[test]
    fn who_fell_asleep_last_is_woken_first_and_nothing_is_left_lying() {
        let queue = Arc::new(Queue::new(10_000));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let queue = queue.clone();
                thread::spawn(move || {
                    let mut done = 0;
                    while queue.pop().is_some() {
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        for one in 0..300 {
            queue.push(one).unwrap();
            if one % 3 == 0 {
                thread::sleep(Duration::from_micros(500)); // they fall asleep
            }
        }
        (300..5_000).for_each(|one| queue.push(one).unwrap());
        queue.close();
        assert!(queue.push(1).is_err());
        let done: Vec<i32> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(done.iter().sum::<i32>(), 5_000, "{done:?}");
    }
}
