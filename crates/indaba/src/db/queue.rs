//! Work waiting for a database thread. Pushing never blocks; popping sleeps.
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex},
};

pub struct Queue<T> {
    inner: Mutex<Inner<T>>,
    bell: Condvar,
    limit: usize,
}

struct Inner<T> {
    waiting: VecDeque<T>,
    sleeping: usize,
    closed: bool,
}

impl<T> Queue<T> {
    pub fn new(limit: usize) -> Self {
        let inner = Inner { waiting: VecDeque::new(), sleeping: 0, closed: false };
        Queue { inner: Mutex::new(inner), bell: Condvar::new(), limit }
    }

    /// Gives the work back when the queue is full or closed.
    pub fn push(&self, work: T) -> Result<(), T> {
        let mut q = self.inner.lock().expect("no panic under this lock");
        if q.closed || q.waiting.len() >= self.limit {
            return Err(work);
        }
        q.waiting.push_back(work);
        if q.sleeping > 0 {
            self.bell.notify_one();
        } // else nobody to wake: no system call
        Ok(())
    }

    /// The oldest, and how many wait behind it. Nothing: closed and empty.
    pub fn pop(&self) -> Option<(T, usize)> {
        let mut q = self.inner.lock().expect("no panic under this lock");
        loop {
            if let Some(work) = q.waiting.pop_front() {
                return Some((work, q.waiting.len()));
            }
            if q.closed {
                return None;
            }
            if q.waiting.capacity() > 1024 {
                q.waiting.shrink_to(64); // a rush is over
            }
            q.sleeping += 1;
            q = self.bell.wait(q).expect("no panic under this lock");
            q.sleeping -= 1;
        }
    }

    pub fn try_pop(&self) -> Option<T> {
        self.inner.lock().expect("no panic under this lock").waiting.pop_front()
    }

    pub fn close(&self) {
        self.inner.lock().expect("no panic under this lock").closed = true;
        self.bell.notify_all();
    }
}
