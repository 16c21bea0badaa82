//! The kinds of jobs that this program knows, each with what runs it.
use super::{BatchJob, Given, Job, JobCx, JobError, New, recurring::Every};
use crate::app::App;
use futures_util::future::BoxFuture;
use metrics::{Counter, Histogram, counter, histogram};
use std::{collections::HashMap, time::Duration};

pub(super) type Done = Result<(), JobError>;
type One = Box<dyn Fn(&str, JobCx) -> Result<BoxFuture<'static, Done>, serde_json::Error> + Send + Sync>;
type Decode = Box<dyn Fn(&str) -> Result<Payload, serde_json::Error> + Send + Sync>;
type Many = Box<dyn Fn(App, Vec<(Payload, JobCx)>) -> BoxFuture<'static, Vec<Done>> + Send + Sync>;
pub(super) type Payload = Box<dyn std::any::Any + Send + Sync>;

pub(super) enum How {
    One(One),
    Many { decode: Decode, run: Many },
}

pub(super) struct Kind {
    pub name: &'static str,
    pub timeout: Duration,
    pub how: How,
    pub meters: Meters,
}

/// What `/metrics` tells about a kind, looked up once.
pub(super) struct Meters {
    /// From when it was due until it was claimed.
    pub wait: Histogram,
    /// One attempt, or one batch.
    pub took: Histogram,
    pub done: Counter,
}

impl Meters {
    fn of(kind: &'static str) -> Meters {
        Meters {
            wait: histogram!("indaba_job_wait_seconds", "kind" => kind),
            took: histogram!("indaba_job_seconds", "kind" => kind),
            done: counter!("indaba_jobs_total", "kind" => kind, "outcome" => "done"),
        }
    }
}

/// Every kind of job, and the jobs that recur.
#[derive(Default)]
pub struct Kinds {
    kinds: HashMap<&'static str, Kind>,
    pub(super) every: Vec<Every>,
}

impl Kinds {
    /// With this kind, whose jobs run one at a time.
    pub fn job<J: Job>(self) -> Kinds {
        let how = How::One(Box::new(|payload, cx| {
            let job: J = serde_json::from_str(payload)?;
            Ok(Box::pin(async move { job.run(&cx).await }))
        }));
        self.with(Kind { name: J::KIND, timeout: J::TIMEOUT, how, meters: Meters::of(J::KIND) })
    }

    /// With this kind, whose jobs run up to 128 at a time.
    pub fn batch<J: BatchJob>(self) -> Kinds {
        let decode: Decode = Box::new(|payload| Ok(Box::new(serde_json::from_str::<J>(payload)?)));
        let run: Many = Box::new(|app, jobs| {
            let given: Vec<Given<J>> = jobs
                .into_iter()
                .map(|(job, cx)| Given { job: *job.downcast::<J>().expect("decoded as this kind"), cx })
                .collect();
            Box::pin(async move { J::run(&app, &given).await })
        });
        self.with(Kind {
            name: J::KIND,
            timeout: J::TIMEOUT,
            how: How::Many { decode, run },
            meters: Meters::of(J::KIND),
        })
    }

    /// With a job of the house that is enqueued whenever `cron` (five fields, UTC) says so. `name` is the row's key.
    pub fn every<J: Job>(mut self, name: &'static str, cron: &'static str, job: &J) -> Kinds {
        self.every.push(Every::new(name, cron, New::of(job)));
        self
    }

    fn with(mut self, kind: Kind) -> Kinds {
        let before = self.kinds.insert(kind.name, kind);
        assert!(before.is_none(), "two kinds of job with one name");
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&Kind> {
        self.kinds.get(name)
    }
}
